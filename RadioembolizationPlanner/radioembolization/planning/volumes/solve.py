"""Plans under dose-volume limits: a local search, and a bound by branch and bound on doses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.errors import Infeasible, LimitError, SolverFailure
from radioembolization.planning.effort import Watch
from radioembolization.planning.goals import Goal
from radioembolization.planning.limits import Limit
from radioembolization.planning.volumes.choice_of_sites import candidate_choices
from radioembolization.planning.volumes.counted import counted, volume_bounds_of
from radioembolization.planning.volumes.model import model_of
from radioembolization.planning.volumes.plans import Standing
from radioembolization.planning.volumes.record import MOST_NUMBERS, VolumeCertificate, recorded
from radioembolization.planning.volumes.starts import PlanFinder, fresh
from radioembolization.planning.volumes.tree import VolumeTree

if TYPE_CHECKING:
    from radioembolization.planning.solve import Solution

#: Boxes looked at, with few coordinates and with many, and for each level of a goal at a volume.
_FEW_COORDINATES, _NODES, _NODES_OF_MANY, _NODES_OF_LEVEL = 6, 4_000, 2_500, 600
#: Levels of a goal at a volume: each step above the best plan is as many times the last.
_MOST_LEVELS, _STEP_FACTOR = 12, 2.0


def is_about_volumes(goal: Goal, limits: Sequence[Limit], dose: DosePerGBq) -> bool:
    """Whether a problem is not convex because of doses at volumes.

    Raises
    ------
    LimitError
        If the goal has margins only.
    """
    bounds = volume_bounds_of(limits)
    if bounds and goal.margin(dose, 1.0) is not None:
        raise LimitError(
            f"The goal '{goal.name}' cannot be combined with dose-volume limits yet: limit the mean of the hottest or "
            "coldest part instead, or choose another goal."
        )
    return bool(bounds) or bool(goal.volume_bounds(dose, 1.0))


def optimize_volumes(goal: Goal, relaxed: Solution, watch: Watch) -> Solution:
    """Return the best plan found and a bound on every plan.

    The plan meets every limit in float64 on all voxels.  Rules of sites hold for the plan; the bound is the better of
    that without dose-volume limits and that without rules.

    Parameters
    ----------
    goal : Goal
        The goal of the planes of ``relaxed``, or the dose at a volume that it is nowhere below.
    relaxed : Solution
        With the dose-volume limits left out.
    watch : Watch

    Raises
    ------
    Infeasible
        If no plan meets all limits, and this is proved.
    SolverFailure
        If no plan was found.
    """
    work = _Volumes(goal, relaxed, watch)
    best, bound = work.best_and_bound()
    sign = 1.0 if goal.maximized else -1.0
    return replace(
        relaxed,
        activities_gbq=best.activities_gbq,
        optimum=sign * best.score,
        bound=sign * max(bound, best.score),
        status="gap",
        volumes=work.certificate(bound),
    )


class _Volumes:
    """One problem."""

    def __init__(self, goal: Goal, relaxed: Solution, watch: Watch) -> None:
        self.goal, self.relaxed, self.watch = goal, relaxed, watch
        self.planes = relaxed.planes
        self.dose, self.cap_gbq = self.planes.dose, self.planes.cap_gbq
        self.bounds = volume_bounds_of(self.planes.limits)
        self.limits = counted(self.bounds, self.dose)
        self.goals = counted(goal.volume_bounds(self.dose, 1.0), self.dose)
        self.gap = watch.effort.volume_gap
        self._tree: VolumeTree | None = None
        self._level: float | None = None
        self._widths: tuple[float, ...] = ()

    def certificate(self, bound: float) -> VolumeCertificate | None:
        """Return the record of the search, if it proves the bound and is not too large."""
        tree = self._tree
        if tree is None:
            return None
        used: dict[int, int] = {}
        root = recorded(tree.root, bound if self._level is None else tree.bound, used)
        if root is None:
            return None
        origins = tuple(tree.planes.origins[number] for number in used)
        forms = tuple(cells.forms for cells in tree.levels[0])
        found = VolumeCertificate(
            self.dose.fingerprint, tree.frame.matrix, self._widths, forms, origins, root, bound, self._level
        )
        return found if found.size <= MOST_NUMBERS else None

    def best_and_bound(self) -> tuple[Standing, float]:
        """Return the best plan, and the score that no plan surpasses."""
        allowed = self.cap_gbq > 0
        finder = PlanFinder(self.planes, self.limits, self.goals, allowed)
        best = finder.best([self.relaxed.root.activities_gbq], self.watch)
        bound = self.relaxed.bound if self.goal.maximized else -self.relaxed.bound
        if not best.within:
            best = self._any_plan(finder, best)
        if self.goals:
            best, proved = self._by_levels(finder, best, bound)
        else:
            best, proved = self._by_score(finder, best)
        if proved >= bound:
            self._tree = None
        bound = min(bound, proved)
        if self.planes.rules.any:
            best = self._by_rules(best)
        return best, bound

    def _by_rules(self, free: Standing) -> Standing:
        """Return the best plan on choices of sites that look good, obeying the rules of sites."""
        best = None
        for used in candidate_choices(self.planes, self.relaxed, free.activities_gbq, self.watch):
            found = PlanFinder(self.planes, self.limits, self.goals, used, used).best(
                [np.where(used, free.activities_gbq, 0.0)], self.watch
            )
            left = found.activities_gbq > 0
            if not found.within and left.any() and np.any(left != used):
                finder = PlanFinder(self.planes, self.limits, self.goals, left, left)
                found = finder.best([found.activities_gbq], self.watch)
            best = found if best is None or found.above(best) else best
        if best is None or not best.within:
            raise SolverFailure(
                "No plan within the dose-volume limits and the rules of sites was found, although it is not proved "
                "that there is none: loosen one of them."
            )
        return best

    def _nodes(self, coordinates: int) -> int:
        return _NODES if coordinates <= _FEW_COORDINATES else _NODES_OF_MANY

    def _by_score(self, finder: PlanFinder, best: Standing) -> tuple[Standing, float]:
        """Return the best plan and its bound, for goals that planes touch."""
        model = model_of(self.bounds, self.dose, self.cap_gbq)
        planes = fresh(self.planes, exact=True)
        planes.separate_goal(best.activities_gbq, np.inf)
        tree = VolumeTree(
            planes, model.frame, model.levels, best, self.gap, self.watch, finder.near, upgrade=model.upgrade
        )
        tree.run(self._nodes(len(model.frame.matrix)))
        self._tree, self._widths = tree, model.widths
        return tree.best, tree.bound

    def _by_levels(self, finder: PlanFinder, best: Standing, bound: float) -> tuple[Standing, float]:
        """Return the best plan and the lowest level that no plan reaches, for doses at a volume."""
        step = self.gap
        for _ in range(_MOST_LEVELS):
            level = best.score + step * max(1e-3, abs(best.score))
            if level >= bound or self.watch.over:
                return best, bound
            tree = self._tree_at(finder, best, level)
            tree.run(_NODES_OF_LEVEL)
            best = tree.best
            if tree.bound < 0.0:
                self._tree, self._level = tree, level
                return best, level
            if not tree.found_better:
                step *= _STEP_FACTOR
        return best, bound

    def _tree_at(self, finder: PlanFinder, best: Standing, level: float) -> VolumeTree:
        bounds = [*self.bounds, *self.goal.volume_bounds(self.dose, level)]
        model = model_of(bounds, self.dose, self.cap_gbq, coarse=True)
        self._widths = model.widths
        return VolumeTree(
            fresh(self.planes, exact=True),
            model.frame,
            model.levels,
            best,
            self.gap,
            self.watch,
            finder.near,
            False,
            level,
        )

    def _any_plan(self, finder: PlanFinder, best: Standing) -> Standing:
        """Return a plan within all limits, or say that there is none."""
        model = model_of(self.bounds, self.dose, self.cap_gbq, coarse=True)
        tree = VolumeTree(
            fresh(self.planes, exact=True),
            model.frame,
            model.levels,
            best,
            self.gap,
            self.watch,
            finder.near,
            scored=False,
        )
        tree.run(self._nodes(len(model.frame.matrix)))
        if tree.best.within:
            return tree.best
        if tree.bound < 0.0:
            raise self._infeasible(tree.best)
        raise SolverFailure(
            "No plan within the dose-volume limits was found, although it is not proved that there is none: loosen "
            "one of them, or allow more time."
        )

    def _infeasible(self, nearest: Standing) -> Infeasible:
        """Return the error that names what the nearest plan found exceeds."""
        x, dose = nearest.activities_gbq, self.dose
        broken = [limit for limit in self.planes.limits if not limit.is_met(dose, x)]
        excess = {str(limit): float(limit.excess(dose, x)) for limit in broken}
        parts = [f"'{limit}' by {limit.excess(dose, x):.3g} {limit.quantity.unit}" for limit in broken]
        return Infeasible(
            "The limits contradict each other; no plan meets them all, which is proved by a search over doses. Nearest "
            f"plan found: it misses {' and '.join(parts) or 'a limit by less than the accuracy of the solver'}.",
            excess,
        )
