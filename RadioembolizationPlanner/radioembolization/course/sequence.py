"""The best course: every kind of course optimized with a bound, every schedule of it evaluated exactly.

Kinds with the same sites and cycles, in other weeks or another order, are bounded together: the planning core optimizes
sites and activities for responses of the lesions that no schedule surpasses, under the loosest limits of any schedule.
The plan of a kind keeps the limits of all its schedules and is evaluated for every one.  What no course can surpass is
the best of the bounds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from radioembolization.course.candidates import Candidate, GroupPlan, candidates, plan_group, plan_of
from radioembolization.course.course_problem import CourseProblem
from radioembolization.course.kind_effects import KindEffects
from radioembolization.course.objective import bound_of, lesion_doses_gy, objectives
from radioembolization.course.schedule import Kind
from radioembolization.course.session_limits import ReducedLimit
from radioembolization.course.sessions import SessionRows
from radioembolization.errors import Infeasible
from radioembolization.planning import Limit

#: Schedules whose objective is this close to the best are tied.
TIED_WITHIN = 0.01


@dataclass(frozen=True, eq=False)
class KindResult:
    """A kind of course, optimized.

    Parameters
    ----------
    kind : Kind
    impossible : tuple of str
        Why it cannot be given; empty if it can.
    needs_reason : str
        What a reason has to be stated for before it may be given; empty if none is missing.
    effects : KindEffects or None
    rows : SessionRows or None
        None without sessions.
    limits : tuple of Limit
        Of the sessions.
    reduced : tuple of ReducedLimit
    activities_gbq : ndarray (rows,)
    objective : ndarray (schedules,)
        Of the plan, for every schedule; larger is better.
    second : ndarray (schedules,)
        What decides among equals: the lowest BED of any hepatic lesion.
    bound : float
        No plan for any schedule of the kind has a larger objective.
    """

    kind: Kind
    impossible: tuple[str, ...] = ()
    needs_reason: str = ""
    effects: KindEffects | None = None
    rows: SessionRows | None = None
    limits: tuple[Limit, ...] = ()
    reduced: tuple[ReducedLimit, ...] = ()
    activities_gbq: np.ndarray = field(default_factory=lambda: np.zeros(0))
    objective: np.ndarray = field(default_factory=lambda: np.zeros(0))
    second: np.ndarray = field(default_factory=lambda: np.zeros(0))
    bound: float = -np.inf

    @property
    def may_be_given(self) -> bool:
        """Whether it is possible and no reason is missing."""
        return not self.impossible and not self.needs_reason

    @property
    def best(self) -> int:
        """The best schedule of the kind; among equals that of the highest second objective, then the earliest."""
        top = np.flatnonzero(same_as_best(self.objective))
        weeks = self.effects.weeks.sum(axis=1) if self.effects is not None else np.zeros(len(self.objective))
        top = top[same_as_best(self.second[top])]
        return int(top[np.argmin(weeks[top])])


def same_as_best(values: np.ndarray) -> np.ndarray:
    """Return which values (n,) are the largest, but for rounding."""
    largest = float(values.max())
    return np.asarray(values >= largest - 1e-9 * max(1.0, abs(largest)))


def optimize_kinds(
    problem: CourseProblem, progress: Callable[[str, int, int], None] | None = None
) -> tuple[KindResult, ...]:
    """Return every kind of course, optimized or with the reasons why it cannot be given."""
    every, groups, results = candidates(problem), dict[object, GroupPlan | str](), []
    for number, candidate in enumerate(every):
        if progress is not None:
            progress(str(candidate.kind), number, len(every))
        group = candidate.group
        if group and group not in groups:
            groups[group] = _planned(problem, [one for one in every if one.group == group])
        results.append(_result(problem, candidate, groups.get(group)))
    return tuple(results)


def _planned(problem: CourseProblem, group: list[Candidate]) -> GroupPlan | str:
    """Return the plan of a group, or in words why there is none."""
    try:
        return plan_group(problem, group)
    except Infeasible as error:
        return str(error)


def _result(problem: CourseProblem, candidate: Candidate, group: GroupPlan | str | None) -> KindResult:
    kind, effects, rows, limits = candidate.kind, candidate.effects, candidate.rows, candidate.limits
    if candidate.impossible or isinstance(group, str):
        return KindResult(kind, candidate.impossible or (str(group),))
    if group is None or rows is None or limits is None:
        nothing = {name: np.zeros((0, 1)) for name in problem.hepatic_lesions}
        objective, second = objectives(effects, nothing)
        return KindResult(kind, effects=effects, objective=objective, second=second, bound=float(objective.max()))
    try:
        activities = plan_of(candidate, group)
    except Infeasible as error:
        return KindResult(kind, (str(error),))
    objective, second = objectives(effects, lesion_doses_gy(rows, activities, problem))
    return KindResult(
        kind,
        needs_reason=candidate.needs_reason,
        effects=effects,
        rows=rows,
        limits=limits.limits,
        reduced=limits.reduced,
        activities_gbq=activities,
        objective=objective,
        second=second,
        bound=bound_of(effects, group.bound),
    )
