"""Good plans within dose-volume limits: each limit replaced by the dose that decides it, near a plan, again and again.

Near a plan, the dose at a volume changes about as the mean dose of the voxels that have just that dose.  With a row of
theirs in place of each dose-volume limit, a linear program within a trust region gives a better direction; scaled into
the limits as they are, it is a plan.  Nothing here is part of a proof.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from radioembolization.errors import SolverFailure
from radioembolization.planning.cutting_planes import CuttingPlanes
from radioembolization.planning.limits import MET_TOLERANCE, Limit
from radioembolization.planning.quantities import ColdestMean, HottestMean, MaximumDose, MinimumDose
from radioembolization.planning.tie_break import cleaned
from radioembolization.planning.volume_bound import VolumeBound
from radioembolization.planning.volumes.counted import Counted
from radioembolization.planning.volumes.program import Program

#: Distance kept from a dose-volume limit, relative, for doses in float32, and in float64.
_SAFE, _SAFE_EXACT = 2e-6, 1e-8
#: Trust region: share of an activity, or of this part of its cap; its growth, its fall, its end.
_RADIUS, _PART_OF_CAP, _GROWTH, _FALL, _SMALLEST = 0.25, 0.15, 1.5, 0.4, 0.003
#: A step must improve the score by this, relative; as many steps that do not end the search.
_WORTH, _MOST_FAILED = 2e-4, 5
_ROUNDS_PER_STEP = 8
#: Planes of the goal that are violated by less than this, relative, are not added.
_SEPARATED = 1e-4


@dataclass(frozen=True, eq=False)
class Standing:
    """A plan with what it is worth.

    Parameters
    ----------
    activities_gbq : ndarray (sites,)
    missing : float
        By how much a lower limit is missed, relative; zero within all limits.
    score : float
    """

    activities_gbq: np.ndarray
    missing: float
    score: float

    @property
    def within(self) -> bool:
        """Whether all limits are met."""
        return self.missing <= 0.0

    def above(self, other: Standing, by: float = 0.0) -> bool:
        """Whether this is better than another by more than a relative amount."""
        if self.missing > 0.0 or other.missing > 0.0:
            return self.missing < other.missing - by
        return self.score > other.score + by * abs(other.score)


class LocalSearch:
    """Search for plans around plans.

    Parameters
    ----------
    planes : CuttingPlanes
        Goal and limits as far as planes can touch them; planes found are added.
    limits : sequence of Counted
        Dose-volume limits, perhaps on a sample of their voxels.
    goals : sequence of Counted
        For goals that are the lowest dose at a volume: of each tumour; empty for others.
    allowed : ndarray (sites,) of bool
        Sites that may have activity.
    required : ndarray (sites,) of bool, optional
        Sites whose rules hold.
    """

    def __init__(
        self,
        planes: CuttingPlanes,
        limits: Sequence[Counted],
        goals: Sequence[Counted],
        allowed: np.ndarray,
        required: np.ndarray | None = None,
    ) -> None:
        self.planes, self.limits, self.goals = planes, tuple(limits), tuple(goals)
        #: Whether the rules of used sites are looked at.
        self.obeys_rules = required is not None
        self.cap_gbq = np.where(allowed, planes.cap_gbq, 0.0)
        self._rules = [] if required is None else planes.rules.on(required)
        self._convex = [
            limit for limit in planes.limits if limit.volume_bound is None and limit.rules(planes.dose) is None
        ]
        self._program = Program(self.cap_gbq, np.array([weight for weight, _ in planes.terms]))
        self._synced = 0

    def sampled(self, most: int, seed: int) -> LocalSearch:
        """Return the same search on a sample of the voxels of the dose-volume limits."""
        rng = np.random.default_rng(seed)
        limits, goals = ([c.sampled(most, rng) for c in part] for part in (self.limits, self.goals))
        other = LocalSearch(self.planes, limits, goals, self.cap_gbq > 0)
        other._rules, other.obeys_rules = self._rules, self.obeys_rules
        return other

    def standing(self, activities_gbq: np.ndarray, exact: bool = False) -> Standing:
        """Return activities (sites,) scaled into the limits, with their worth, evaluated in float64 if exact."""
        x = np.minimum(cleaned(activities_gbq), self.cap_gbq)
        if not x.any():
            return Standing(x, self._missing(x, 0.0), self._score(x, exact))
        least, most = self._scales(x, exact)
        scales = [most] if least > most else [most, least] if least > 0 and np.isfinite(most) else [most]
        found = []
        for scale in scales:
            scaled = cleaned(scale * x)
            short = max(0.0, 1.0 - most / least) if least > 0 else 0.0
            found.append(Standing(scaled, self._missing(scaled, short), self._score(scaled, exact)))
        best = found[0]
        for other in found[1:]:
            best = other if other.above(best) else best
        return best

    def _scales(self, x: np.ndarray, exact: bool) -> tuple[float, float]:
        """Return the least factor that meets the lower limits and the largest within the upper ones."""
        dose, safe = self.planes.dose, _SAFE_EXACT if exact else _SAFE
        least, most = 0.0, float(np.min(self.cap_gbq[x > 0] / x[x > 0]))
        for counted in self.limits:
            factor = counted.scale(counted.rows.exact_dose_gy(x) if exact else counted.rows.dose_gy(x))
            if counted.bound.above:
                most = min(most, factor * (1.0 - safe))
            else:
                least = max(least, factor * (1.0 + safe))
        for limit in self._convex:
            if limit.quantity.homogeneous:
                value = limit.quantity.value(dose, x)
                if limit.upper:
                    most = min(most, limit.bound / value) if value > 0 else most
                else:
                    least = max(least, limit.bound / value if value > 0 else np.inf)
            elif limit.upper:
                most = min(most, limit.quantity.largest_scale(dose, x, limit.bound))
        return least, most

    def _missing(self, x: np.ndarray, short: float) -> float:
        """Return by how much lower limits that scaling says nothing about, and rules, are missed, or more."""
        missing = short
        if not x.any():
            missing = max([missing, *(1.0 for limit in self.limits if not limit.bound.above)])
        for limit in self._convex:
            if not limit.upper and not (limit.quantity.homogeneous and x.any()):
                excess = limit.excess(self.planes.dose, x) / max(1.0, limit.bound)
                missing = max(missing, excess if excess > MET_TOLERANCE else 0.0)
        for plane in self._rules:
            missing = max(missing, plane.at(x) if plane.at(x) > 0.5 * MET_TOLERANCE else 0.0)
        return missing

    def _score(self, x: np.ndarray, exact: bool) -> float:
        dose = self.planes.dose
        if self.goals:
            return min(g.deciding_gy(g.rows.exact_dose_gy(x) if exact else g.rows.dose_gy(x)) for g in self.goals)
        if exact:
            return self.planes.goal.score(dose, x)
        return sum(w * min(plane.at(x) for plane in goal.supports(dose, x)) for w, goal in self.planes.terms)

    def improved(self, start: np.ndarray, steps: int = 25, radius: float = _RADIUS) -> Standing:
        """Return a plan at least as good as the start (sites,), better by steps within trust regions."""
        best, failed = self.standing(start), 0
        for _ in range(steps):
            candidate = self.standing(self._step(best, radius))
            if candidate.above(best, _WORTH):
                best, failed = candidate, 0
                radius = min(_GROWTH * radius, 1.0)
                continue
            best = candidate if candidate.above(best) else best
            failed, radius = failed + 1, _FALL * radius
            if radius < _SMALLEST or failed > _MOST_FAILED:
                break
        return best

    def _step(self, at: Standing, radius: float) -> np.ndarray:
        """Return the best activities (sites,) of the linear program around a plan."""
        x, program = at.activities_gbq, self._program
        room = radius * np.maximum(x, _PART_OF_CAP * self.cap_gbq)
        program.objective(None, True, abs(at.score))
        program.bounds(np.clip(x - room, 0.0, self.cap_gbq), np.minimum(x + room, self.cap_gbq))
        self._sync()
        kept, known = program.rows, self._synced
        program.add(*self._local_rows(x))
        found = x
        for _ in range(_ROUNDS_PER_STEP):
            try:
                columns, _ = program.solve()
            except SolverFailure:
                break
            found = np.clip(columns[: program.sites], 0.0, self.cap_gbq)
            levels = columns[program.sites : program.missed]
            if not (self.planes.separate(found) + self.planes.separate_levels(found, levels, _SEPARATED)):
                break
            self._sync()
        program.truncate(kept)
        self._synced = known
        return found

    def _sync(self) -> None:
        """Add the planes found since the last time."""
        self._program.add_planes(self.planes.master, self._synced)
        self._synced = self.planes.master.count

    def _local_rows(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows that stand for dose-volume limits, goals at a volume and rules around activities (sites,)."""
        program = self._program
        matrix, right = [], []
        for limit in self.limits:
            row = np.zeros(program.columns)
            row[: program.sites] = limit.sign * limit.local_row(x, limit.rows.dose_gy(x))
            row[program.missed] = -limit.bound.dose_gy
            matrix.append(row)
            right.append(limit.sign * limit.bound.dose_gy)
        for goal in self.goals:
            row = np.zeros(program.columns)
            row[: program.sites] = -goal.local_row(x, goal.rows.dose_gy(x))
            row[program.sites] = 1.0
            matrix.append(row)
            right.append(0.0)
        for plane in self._rules:
            row = np.zeros(program.columns)
            row[: program.sites] = plane.row
            row[program.missed] = -max(abs(plane.constant), 1e-3)
            matrix.append(row)
            right.append(-plane.constant)
        return np.array(matrix).reshape(len(matrix), program.columns), np.array(right)


def restriction(bound: VolumeBound) -> Limit | None:
    """Return a convex limit within a dose-volume limit: the mean of the worst part on the right side of the dose."""
    percent = min(100.0, 100.0 * bound.share)
    if bound.share >= 1.0:
        return None
    if bound.above:
        hottest = HottestMean(bound.structure, percent) if percent > 1e-3 else MaximumDose(bound.structure)
        return hottest.at_most(gy=bound.dose_gy)
    coldest = ColdestMean(bound.structure, percent) if percent > 1e-3 else MinimumDose(bound.structure)
    return coldest.at_least(gy=bound.dose_gy)
