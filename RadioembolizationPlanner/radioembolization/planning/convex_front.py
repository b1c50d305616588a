"""The front of a convex problem: where the lines above it and the chords below it meet.

Moving one bound of a convex problem changes one right side of its linear program, so the best goal is a concave
function of the bound.  Every optimum gives a point of it, and its multipliers a straight line above it everywhere
(``tangents``).  Where the lines of two points meet above the chord between them, the next point is made there, until
lines and chords are closer than a gap: then plans mixed from neighbours reach the chord, the lines prove that no plan
is better, and if goal and limits are polyhedral every breakpoint is found.  Others, as a mean BED, are approached by
short straight pieces.  Cohon et al. 1979, 10.1029/WR015i005p01001.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.errors import Infeasible, SolverFailure
from radioembolization.planning.bound_range import BoundRange, range_of_effect, tightest_bound
from radioembolization.planning.cutting_planes import CuttingPlanes
from radioembolization.planning.effort import Effort, Watch
from radioembolization.planning.goals import Goal
from radioembolization.planning.limits import Limit, activity_caps_gbq
from radioembolization.planning.tangents import Tangent, Tangents

#: Relative gap of plans at single bounds, and what counts as no gap between points.
_PLAN_GAP, EXACT_GAP = 1e-7, 1e-6
#: New points keep this distance from others, relative to the range.
_APART = 1e-7
#: Points whose chord is closer than this to their plan, relative, are no breakpoints.
_STRAIGHT = 2e-8
#: Gaps are relative to the goal, but to no less than this share of the largest on the front.
_SMALLEST_SHARE = 0.01
SMALLEST_GOAL = 1e-3


@dataclass(frozen=True, eq=False)
class Place:
    """A solved point: how loose the limit is, the plan, its score, a line above the front."""

    looseness: float
    activities_gbq: np.ndarray
    score: float
    tangent: Tangent


@dataclass(frozen=True, eq=False)
class ConvexFront:
    """The front of a convex problem, as scores over how loose the limit is.

    Parameters
    ----------
    places : tuple of Place
        The breakpoints, from the tightest on.
    lines : tuple of Tangent
        All lines found above the front.
    gap : float
        Largest relative difference between the lines and the chords of the breakpoints.
    span : BoundRange
    """

    places: tuple[Place, ...]
    lines: tuple[Tangent, ...]
    gap: float
    span: BoundRange

    def highest(self, looseness: float) -> float:
        """Return the score that the lines prove no plan to exceed."""
        return min(line.at(looseness) for line in self.lines)


def convex_front(
    goal: Goal,
    limits: Sequence[Limit],
    index: int,
    dose: DosePerGBq,
    allowed: np.ndarray,
    between: tuple[float, float] | None,
    gap: float,
    most_points: int,
    effort: Effort,
    through: float | None = None,
) -> ConvexFront:
    """Return the front of a convex problem on some sites.

    ``through`` is a bound that becomes a point if it lies in the range.
    """
    span = _span(goal, limits, index, dose, allowed, between)
    sign = 1.0 if limits[index].upper else -1.0
    loosest = replace(limits[index], bound=span.high if sign > 0 else span.low)
    caps = activity_caps_gbq([*limits[:index], loosest, *limits[index + 1 :]], dose, allowed)
    walk = _Walk(CuttingPlanes(goal, limits, dose, caps), index, caps, Watch(effort), gap)
    ends = sorted((sign * span.low, sign * span.high))
    middle = [] if through is None or not ends[0] < sign * through < ends[1] else [sign * through]
    places = [walk.place(looseness) for looseness in (ends[0], *middle, ends[1])]
    found = [place for place in places if place is not None]
    if len(found) < len(places):
        raise SolverFailure(f"No plan was found at an end of the range of '{limits[index].quantity.name}'.")
    walk.refine(found, most_points)
    kept = _breakpoints(found, None if not middle else middle[0])
    kept = _without_flat_end(kept) if between is None else kept
    kept = [replace(place, score=goal.score(dose, place.activities_gbq)) for place in kept]
    return ConvexFront(tuple(kept), tuple(place.tangent for place in found), _gap_left(kept, found), span)


def _span(
    goal: Goal,
    limits: Sequence[Limit],
    index: int,
    dose: DosePerGBq,
    allowed: np.ndarray,
    between: tuple[float, float] | None,
) -> BoundRange:
    """Return the bounds to cover: those given, as far as they have plans, or all that matter."""
    if between is None:
        return range_of_effect(goal, limits, index, dose, allowed)
    limit, (low, high) = limits[index], between
    tightest = tightest_bound(limits, index, dose, allowed, 2.0 * max(high, limit.bound))
    if not (tightest < high if limit.upper else tightest > low):
        raise Infeasible(
            f"No plan has a {limit.quantity.name} between {low:g} and {high:g} {limit.quantity.unit} within the other "
            f"limits; the tightest bound with a plan is {tightest:.4g} {limit.quantity.unit}."
        )
    if limit.upper:
        return BoundRange(max(low, tightest), high, tightest if tightest > low else None)
    return BoundRange(low, min(high, tightest), tightest if tightest < high else None)


class _Walk:
    """Makes points and lines of one front."""

    def __init__(self, planes: CuttingPlanes, index: int, caps_gbq: np.ndarray, watch: Watch, gap: float) -> None:
        self._planes, self._index, self._caps_gbq, self._watch, self._gap = planes, index, caps_gbq, watch, gap
        self._tangents = Tangents(planes, index, planes.cap_gbq)

    def place(self, looseness: float) -> Place | None:
        """Solve at one bound; None if no plan within the limits is found."""
        planes, index = self._planes, self._index
        bound = looseness if planes.limits[index].upper else -looseness
        moved = replace(planes.limits[index], bound=bound)
        planes.changed([*planes.limits[:index], moved, *planes.limits[index + 1 :]], self._caps_gbq)
        optimum = planes.solve(planes.cap_gbq > 0, gap=_PLAN_GAP)
        tangent = self._tangents.of(optimum.relaxation.multipliers)
        if not np.isfinite(optimum.score):
            return None
        activities = np.where(optimum.used, optimum.activities_gbq, 0.0)
        return Place(looseness, activities, optimum.score, tangent)

    def refine(self, places: list[Place], most_points: int) -> None:
        """Add points, where the gap is largest first, until none is larger than wanted."""
        width = places[-1].looseness - places[0].looseness
        scale = _scale(places)
        open_pieces = [_piece(a, b, scale) for a, b in pairwise(places)]
        heapq.heapify(open_pieces)
        while open_pieces and len(places) < most_points and not self._watch.over:
            negative_gap, left, at, right = heapq.heappop(open_pieces)
            if -negative_gap <= self._gap:
                return
            if min(at - left, right - at) <= _APART * width:
                continue
            self._watch.report("trade-off", len(places))
            place = self.place(at)
            if place is None:
                continue
            number = next(k for k, other in enumerate(places) if other.looseness > at)
            places.insert(number, _not_below_chord(places[number - 1], place, places[number]))
            place = places[number]
            heapq.heappush(open_pieces, _piece(places[number - 1], place, scale))
            heapq.heappush(open_pieces, _piece(place, places[number + 1], scale))


def _not_below_chord(a: Place, place: Place, b: Place) -> Place:
    """Return the point, with the plan mixed from its neighbours if that is better, as it may be by rounding."""
    share = (place.looseness - a.looseness) / (b.looseness - a.looseness)
    chord = (1.0 - share) * a.score + share * b.score
    if place.score >= chord:
        return place
    return replace(place, activities_gbq=(1.0 - share) * a.activities_gbq + share * b.activities_gbq, score=chord)


def _piece(a: Place, b: Place, scale: float) -> tuple[float, float, float, float]:
    """Return the negative gap between two neighbours, and where: looseness of the left, widest, right."""
    gap, at = _widest(a, b, scale)
    return -gap, a.looseness, at, b.looseness


def _scale(places: Sequence[Place]) -> float:
    return max(SMALLEST_GOAL, _SMALLEST_SHARE * max(abs(place.score) for place in places))


def _widest(a: Place, b: Place, scale: float) -> tuple[float, float]:
    """Return the largest relative difference between the lines and the chord of two neighbours, and where they meet.

    It is relative to the goal, but to no less than ``scale``.
    """
    at = _meeting(a, b)
    return max(_above_chord(u, (a, b), (a, b), scale) for u in (a.looseness, at, b.looseness)), at


def _meeting(a: Place, b: Place) -> float:
    """Return where the lines of two neighbours meet; halfway, if they do not."""
    left, right = a.tangent, b.tangent
    turn = left.slope - right.slope
    if turn > 0 and np.isfinite(left.height + right.height):
        meet = a.looseness + (right.at(a.looseness) - left.height) / turn
        return min(max(meet, a.looseness), b.looseness)
    return 0.5 * (a.looseness + b.looseness)


def _above_chord(looseness: float, lines: tuple[Place, Place], chord: tuple[Place, Place], scale: float) -> float:
    """Return by how much two lines are above a chord somewhere, relative."""
    a, b = chord
    share = (looseness - a.looseness) / (b.looseness - a.looseness)
    line = min(place.tangent.at(looseness) for place in lines)
    if not np.isfinite(line):
        return np.inf
    return (line - (1.0 - share) * a.score - share * b.score) / max(scale, abs(line))


def _gap_left(kept: Sequence[Place], solved: Sequence[Place]) -> float:
    """Return the largest relative difference between the chords of the points kept and the lines of all solved."""
    scale, largest = _scale(kept), 0.0
    for chord in pairwise(kept):
        inside = [place for place in solved if chord[0].looseness <= place.looseness <= chord[1].looseness]
        for a, b in pairwise(inside):
            at = (a.looseness, _meeting(a, b), b.looseness)
            largest = max(largest, *(_above_chord(u, (a, b), chord, scale) for u in at))
    return largest


def _breakpoints(places: list[Place], keep: float | None) -> list[Place]:
    """Return the points without those on the chord between their neighbours, but for one to keep."""
    left = [places[0]]
    for number in range(1, len(places) - 1):
        a, b, c = left[-1], places[number], places[number + 1]
        chord = a.score + (c.score - a.score) * (b.looseness - a.looseness) / (c.looseness - a.looseness)
        if b.looseness == keep or b.score - chord > _STRAIGHT * max(SMALLEST_GOAL, abs(b.score)):
            left.append(b)
    return [*left, places[-1]]


def _without_flat_end(places: list[Place]) -> list[Place]:
    """Return the points without the last one, if a looser bound gains nothing there."""
    return places[:-1] if len(places) > 2 and not rises(places[-2], places[-1]) else places


def rises(one: Place, other: Place) -> bool:
    """Whether the goal of another point is better by more than rounding."""
    return other.score - one.score > EXACT_GAP * max(SMALLEST_GOAL, abs(other.score))
