"""The best activities for given sites, exact over all voxels, by cutting planes.

A linear program over the activities holds, of every function of the voxels, only planes that touch it (``supports``).
Its optimum bounds every plan from above; scaled into the limits it is a plan, which bounds the optimum from below.
Where the two differ, the planes that touch at this optimum are added.  Kelley 1960, 10.1137/0108053; for the mean of
the worst part Kuenzi-Bay and Mayer 2006, 10.1007/s10287-005-0042-0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.planning.choice import SiteRules
from radioembolization.planning.effort import Watch
from radioembolization.planning.goals import Goal
from radioembolization.planning.lagrangian import NONE
from radioembolization.planning.limits import MET_TOLERANCE, USED_GBQ, Limit
from radioembolization.planning.master import Master, Relaxation
from radioembolization.planning.supports import Support

#: Planes that are violated by less than this, relative to the size of the bound or goal, are not added.
_VIOLATED = 1e-7
#: Of the tolerance with which a limit counts as met, the share that rounding in float32 may use.
_SAFE = 0.5
_MOST_ROUNDS = 500
#: Caps follow from the limits; loosened, it is always the limit that holds an activity, and has the multiplier.
LOOSER = 1.0 + 1e-4


@dataclass(frozen=True, eq=False)
class Origin:
    """Where a row of the linear program comes from, so that it can be computed anew.

    Parameters
    ----------
    kind : str
        ``goal``, ``limit`` or ``site`` (a rule that holds if a site is used).
    index : int
        Of the term of the goal, of the limit, or of the rule.
    plane : int
        Which of the planes that touch there.
    at_gbq : ndarray (sites,) or None
        Activities at which it touches; None if it does not depend on them.
    """

    kind: str
    index: int
    plane: int = 0
    at_gbq: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Optimum:
    """The best plan found within given sites.

    Parameters
    ----------
    activities_gbq : ndarray (sites,)
        Within all limits; all zero if none was found.
    score : float
        Of these; minus infinity if no plan within the limits was found.
    bound : float
        No plan within these sites has a better score.
    relaxation : Relaxation
        The last linear program, whose multipliers prove the bound.
    """

    activities_gbq: np.ndarray
    score: float
    bound: float
    relaxation: Relaxation

    @property
    def used(self) -> np.ndarray:
        """Sites with activity (sites,) of bool."""
        return self.activities_gbq > USED_GBQ


class CuttingPlanes:
    """A goal under limits, over growing sets of planes.

    Parameters
    ----------
    goal : Goal
    limits : sequence of Limit
        Those that bound which sites are used become ``rules``.
    dose : DosePerGBq
    cap_gbq : ndarray (sites,)
        Largest activity any plan within the limits can have.
    exact : bool
        Whether planes are computed in float64 from the start, as a check of them does; where voxels have nearly equal
        doses, others than in float32 may be the coldest.
    """

    def __init__(
        self, goal: Goal, limits: Sequence[Limit], dose: DosePerGBq, cap_gbq: np.ndarray, exact: bool = False
    ) -> None:
        self._exact = exact
        self.goal, self.limits, self.dose = goal, tuple(limits), dose
        self.cap_gbq = np.asarray(cap_gbq, dtype=float) * LOOSER
        self.terms = goal.terms
        self.rules = SiteRules.together(limit.rules(dose) for limit in self.limits)
        self._ruled = [limit.rules(dose) is not None or limit.volume_bound is not None for limit in self.limits]
        #: Index of the limit that each rule of a used site comes from.
        self.rule_owners = [
            index for index, limit in enumerate(self.limits) for _ in (limit.rules(dose) or SiteRules()).if_used
        ]
        self._slack_of = self._slacks()
        self.penalty = 0.0
        self.origins: list[Origin] = []
        self._touch = cap_gbq / max(1, len(cap_gbq))
        self.master = self._stated(0.0)
        self._set_penalty()

    def _slacks(self) -> dict[int, int]:
        """Return the slack of each lower limit by its index, and one (-1) for the rules of sites if there are any."""
        slacks = {i: n for n, i in enumerate(i for i, limit in enumerate(self.limits) if self._is_lower(i, limit))}
        if self.rules.if_used:
            slacks[NONE] = len(slacks)
        return slacks

    def _is_lower(self, index: int, limit: Limit) -> bool:
        return not limit.upper and not self._ruled[index]

    @property
    def has_lower(self) -> bool:
        """Whether a limit asks for at least something, so that a plan cannot be scaled down into all limits."""
        return bool(self._slack_of)

    @cached_property
    def _score_of_nothing(self) -> float:
        return self.goal.score(self.dose, np.zeros(len(self.cap_gbq)))

    def _stated(self, penalty: float) -> Master:
        """Return the linear program with the planes known so far."""
        scales = [max(self.limits[i].bound, 1e-3) if i != NONE else 1.0 for i in self._slack_of]
        weights = np.array([weight for weight, _ in self.terms])
        master = Master(self.cap_gbq, weights, np.array([penalty / scale for scale in scales]))
        self.penalty = penalty
        return master

    def _set_penalty(self) -> None:
        """State the planes at a first point; missing a lower limit costs far more than the goal can gain."""
        self._seed()
        if self._slack_of:
            highest = abs(self.master.solve(self.cap_gbq).value)
            self.master = self._stated(1e3 * max(highest, 1.0))
            self.origins.clear()
            self._seed()

    def _seed(self) -> None:
        x = self._touch
        for index, (_, goal) in enumerate(self.terms):
            for k, plane in enumerate(goal.supports(self.dose, x, self._exact)):
                self._add_goal(index, plane, Origin("goal", index, k, None if goal.finite else x))
        for index, limit in enumerate(self.limits):
            if not self._ruled[index]:
                for k, plane in enumerate(limit.supports(self.dose, x, self._exact)):
                    self._add_limit(index, plane, Origin("limit", index, k, None if limit.quantity.linear else x))
        self._site_rows = []
        for number, (_, plane) in enumerate(self.rules.if_used):
            self.origins.append(Origin("site", number))
            self._site_rows.append(
                self.master.add(plane.row, -plane.constant, slack=self._slack_of[NONE], active=False)
            )

    def _add_goal(self, term: int, plane: Support, origin: Origin) -> None:
        self.origins.append(origin)
        self.master.add(-plane.row, plane.constant, term=term)

    def _add_limit(self, index: int, plane: Support, origin: Origin) -> None:
        self.origins.append(origin)
        self.master.add(plane.row, -plane.constant, slack=self._slack_of.get(index, NONE))

    def require(self, used: np.ndarray | None) -> None:
        """Let the rules of the used sites (sites,) of bool hold, and no others."""
        for number, (site, _) in zip(self._site_rows, self.rules.if_used, strict=True):
            self.master.activate(number, used is not None and bool(used[site]))

    def solve(
        self,
        allowed: np.ndarray,
        required: np.ndarray | None = None,
        gap: float = 1e-6,
        watch: Watch | None = None,
        worth: float = -np.inf,
    ) -> Optimum:
        """Return the best plan on some sites.

        Parameters
        ----------
        allowed : ndarray (sites,) of bool
            Sites that may have activity.
        required : ndarray (sites,) of bool, optional
            Sites whose rules hold.
        gap : float
            Relative gap at which to stop.
        watch : Watch, optional
        worth : float
            Score that must be possible for the work to go on.
        """
        self.require(required)
        upper = np.where(allowed, self.cap_gbq, 0.0)
        best, score = np.zeros(len(upper)), -np.inf
        if not self.has_lower:
            score = self._score_of_nothing
        bound = np.inf
        for round_ in range(_MOST_ROUNDS):
            relaxation = self.master.solve(upper)
            proved = self.master.argument(relaxation.multipliers).bound(np.zeros(len(upper)), upper)
            if proved <= bound:
                bound, proof = proved, relaxation
            if bound <= worth:
                break
            x = relaxation.activities_gbq
            candidate, value, added = self._separate(relaxation)
            if value > score:
                best, score = candidate, value
            if watch is not None:
                watch.report("optimization", round_)
            if not added or bound - score <= gap * max(1e-3, abs(bound)) or (watch is not None and watch.over):
                break
            self._touch = x
        return Optimum(best, score, bound, proof)

    def _separate(self, relaxation: Relaxation) -> tuple[np.ndarray, float, int]:
        """Add the planes that the optimum of the linear program violates.

        Returns
        -------
        activities_gbq : ndarray (sites,)
            The optimum, scaled into the limits.
        score : float
            Of these; minus infinity if a limit is not met.
        added : int
        """
        x = np.where(relaxation.activities_gbq < USED_GBQ, 0.0, relaxation.activities_gbq)
        added, scale, met = self._separate_limits(x, relaxation.slacks)
        scores, more = self._separate_goal(x, relaxation.levels)
        candidate = scale * x
        met = met and float(np.sum(relaxation.slacks)) <= self._slack_tolerance
        if not met or (scale < 1.0 and self.has_lower and 1.0 - scale > _SAFE * MET_TOLERANCE):
            return candidate, -np.inf, added + more
        score = float(np.dot([w for w, _ in self.terms], scores))
        if scale < 1.0:
            homogeneous = all(goal.homogeneous for _, goal in self.terms)
            score = score * scale if homogeneous else self.goal.score(self.dose, candidate)
        return candidate, score, added + more

    @property
    def _slack_tolerance(self) -> float:
        return _SAFE * MET_TOLERANCE

    def _separate_limits(self, x: np.ndarray, slacks: np.ndarray | None = None) -> tuple[int, float, bool]:
        """Add violated planes of limits; return their number, a scale into upper limits, whether lower ones are met.

        Planes of a lower limit that is missed by no more than its slack (slacks,) say nothing new.
        """
        added, scale, met = 0, 1.0, True
        for index, limit in enumerate(self.limits):
            if self._ruled[index] or limit.quantity.linear:
                continue
            planes = limit.supports(self.dose, x, self._exact)
            excess = max(plane.at(x) for plane in planes)
            small = _VIOLATED * max(1.0, limit.bound)
            short = 0.0 if slacks is None or index not in self._slack_of else float(slacks[self._slack_of[index]])
            if excess > short + small:
                for k, plane in enumerate(planes):
                    self._add_limit(index, plane, Origin("limit", index, k, x))
                added += len(planes)
            if limit.upper and excess > 0:
                scale = min(scale, self._scale(limit, x, excess))
            elif not limit.upper and excess > _SAFE * MET_TOLERANCE * max(1.0, limit.bound):
                met = False
        return added, scale, met

    def _scale(self, limit: Limit, x: np.ndarray, excess: float) -> float:
        if limit.quantity.homogeneous:
            return limit.bound / (limit.bound + excess)
        return min(1.0, limit.quantity.largest_scale(self.dose, x, limit.bound))

    def _separate_goal(self, x: np.ndarray, levels: np.ndarray, violated: float = _VIOLATED) -> tuple[list[float], int]:
        """Add violated planes of the goal; return the score of each term and the number of planes."""
        scores, added = [], 0
        for index, (_, goal) in enumerate(self.terms):
            planes = goal.supports(self.dose, x, self._exact)
            heights = [plane.at(x) for plane in planes]
            scores.append(min(heights))
            if goal.finite:
                continue
            level = levels[index] - (violated * max(1.0, abs(levels[index])) if np.isfinite(levels[index]) else 0.0)
            for k, (plane, height) in enumerate(zip(planes, heights, strict=True)):
                if height < level:
                    self._add_goal(index, plane, Origin("goal", index, k, x))
                    added += 1
        return scores, added

    def separate_relaxed(self, activities_gbq: np.ndarray, excess: dict[int, float]) -> int:
        """Add the planes of limits that are exceeded by more than they are relaxed by; return their number."""
        added = 0
        for index, limit in enumerate(self.limits):
            if self._ruled[index] or limit.quantity.linear:
                continue
            for k, plane in enumerate(limit.supports(self.dose, activities_gbq)):
                if plane.at(activities_gbq) > excess.get(index, 0.0) + 1e-6 * max(1.0, limit.bound):
                    self._add_limit(index, plane, Origin("limit", index, k, activities_gbq))
                    added += 1
        return added

    def separate_goal(self, activities_gbq: np.ndarray, score: float) -> int:
        """Add the planes of the goal that tell some activities (sites,) from a better score; return their number."""
        scores, _ = self._separate_goal(activities_gbq, np.full(len(self.terms), -np.inf))
        reached = float(np.dot([w for w, _ in self.terms], scores))
        if reached >= score - _VIOLATED * max(1.0, abs(score)):
            return 0
        return self._separate_goal(activities_gbq, np.full(len(self.terms), np.inf))[1]

    def separate_levels(self, activities_gbq: np.ndarray, levels: np.ndarray, violated: float) -> int:
        """Add the planes of the goal below levels (terms,) by more than a relative amount; return their number."""
        return self._separate_goal(np.asarray(activities_gbq, dtype=float), levels, violated)[1]

    def changed(self, limits: Sequence[Limit], cap_gbq: np.ndarray) -> None:
        """Change the bounds of the limits; every plane known so far is kept, moved with its bound."""
        for index, (old, new) in enumerate(zip(self.limits, limits, strict=True)):
            if replace(old, bound=new.bound) != new:
                raise ValueError("Only bounds can change.")
            if new.bound != old.bound:
                self._move(index, new)
        self.limits = tuple(limits)
        self.cap_gbq = np.asarray(cap_gbq, dtype=float) * LOOSER

    def aim(self, goal: Goal) -> None:
        """Replace the goal by another of one term that one set of planes describes; planes of limits are kept."""
        for number, origin in enumerate(self.origins):
            if origin.kind == "goal":
                self.master.activate(number, False)
        self.goal, self.terms = goal, goal.terms
        self.__dict__.pop("_score_of_nothing", None)
        for k, plane in enumerate(goal.supports(self.dose, self._touch, self._exact)):
            self._add_goal(0, plane, Origin("goal", 0, k))

    def _move(self, index: int, new: Limit) -> None:
        """Move the planes of a limit with its bound; where the bound is in their rows, they are made anew."""
        change = (new.bound - self.limits[index].bound) * (1.0 if new.upper else -1.0)
        for number, origin in enumerate(list(self.origins)):
            if origin.kind != "limit" or origin.index != index or not self.master.is_active(number):
                continue
            if new.quantity.shifts:
                self.master.change_right(number, float(self.master.rows().right[number]) + change)
            else:
                self.master.activate(number, False)
                at = self._touch if origin.at_gbq is None else origin.at_gbq
                self._add_limit(index, new.supports(self.dose, at)[origin.plane], origin)

    def separate(self, activities_gbq: np.ndarray) -> int:
        """Add the planes of limits that some activities (sites,) violate; return their number."""
        return self._separate_limits(np.asarray(activities_gbq, dtype=float))[0]
