"""Kinds of course that can be given, and what the planning core finds for those that differ by weeks only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from radioembolization.course.course_problem import CourseProblem
from radioembolization.course.kind_effects import KindEffects
from radioembolization.course.lesion_bed import LesionResponse
from radioembolization.course.objective import goal_of
from radioembolization.course.organ_checks import schedules_within_budgets
from radioembolization.course.schedule import Kind, kinds
from radioembolization.course.session_limits import SessionLimits, limits_of_sessions, schedules_with_room
from radioembolization.course.sessions import SessionRows, rows_of_sessions
from radioembolization.planning import Effort
from radioembolization.planning.solve import optimize

#: The planning core prefers fewer injections within this share of the objective; here it would hide in the ties.
_EFFORT = Effort(fewer_within=None)
#: Up to this ratio of the loosest limits to those of a kind, a plan is divided by it instead of made again.
_HARDLY = 1.0 + 5e-4


@dataclass(frozen=True, eq=False)
class Candidate:
    """A kind of course before it is optimized.

    Parameters
    ----------
    kind : Kind
    effects : KindEffects
        Of the schedules that can be given.
    impossible : tuple of str
        Why it cannot be given; empty if it can.
    needs_reason : str
        What a reason has to be stated for; empty if none is missing.
    rows : SessionRows or None
    limits : SessionLimits or None
        None without sessions, or if it cannot be given.
    """

    kind: Kind
    effects: KindEffects
    impossible: tuple[str, ...]
    needs_reason: str
    rows: SessionRows | None = None
    limits: SessionLimits | None = None

    @property
    def group(self) -> tuple[object, ...]:
        """Equal for kinds whose sessions can be planned together: same sites and cycles, other weeks or order."""
        if self.rows is None or self.limits is None:
            return ()
        return self.kind.cycles, self.kind.activity_gbq, id(self.rows.dose), self.rows.allowed.tobytes()


@dataclass(frozen=True, eq=False)
class GroupPlan:
    """What no plan of a group of kinds surpasses, and the plan that does best.

    Parameters
    ----------
    limits : SessionLimits
        The loosest of the group.
    activities_gbq : ndarray (rows,)
        The best plan within them, for responses of the lesions that no schedule surpasses.
    bound : float
        No plan for any schedule of the group is better for the hepatic lesions.
    """

    limits: SessionLimits
    activities_gbq: np.ndarray
    bound: float


def candidates(problem: CourseProblem) -> tuple[Candidate, ...]:
    """Return every kind of course, with the schedules of it that can be given."""
    most = max(problem.most_cycles - problem.cycles_given, 0)
    least = min(max(problem.least_cycles - problem.cycles_given, 0), most)
    plans = problem.session_plans
    rows = {sessions: rows_of_sessions(problem.dose, sessions) for sessions in plans if sessions}
    every = kinds(most, problem.cycle_activities_gbq, plans, problem.may_embolize_first, least)
    return tuple(_candidate(problem, kind, rows.get(kind.sessions)) for kind in every)


def plan_group(problem: CourseProblem, group: Sequence[Candidate]) -> GroupPlan:
    """Return the best plan and bound for the best responses and the loosest limits of any schedule of a group.

    Raises
    ------
    Infeasible
        If no plan is within the loosest limits.
    """
    rows, limits = group[0].rows, SessionLimits.loosest_of([one.limits for one in group if one.limits is not None])
    assert rows is not None
    responses = {
        lesion: LesionResponse.best_of([one.effects.optimistic[lesion] for one in group])
        for lesion in problem.hepatic_lesions
    }
    found = optimize(goal_of(problem, responses), limits.loosest, rows.dose, only=rows.allowed, effort=_EFFORT)
    return GroupPlan(limits, found.activities_gbq, found.bound)


def plan_of(candidate: Candidate, group: GroupPlan) -> np.ndarray:
    """Return activities (rows,) of a kind within the limits of all its schedules.

    The plan of the group, divided by what its limits are looser, is taken if that costs next to nothing.

    Raises
    ------
    Infeasible
        If no plan is within the limits.
    """
    rows, limits, problem = candidate.rows, candidate.limits, candidate.effects.problem
    assert rows is not None and limits is not None
    scale = limits.scale_from(group.limits)
    activities = group.activities_gbq / scale
    if scale <= _HARDLY and all(limit.is_met(rows.dose, activities) for limit in limits.limits):
        return activities
    goal = goal_of(problem, candidate.effects.optimistic)
    return optimize(goal, limits.limits, rows.dose, only=rows.allowed, effort=_EFFORT).activities_gbq


def _candidate(problem: CourseProblem, kind: Kind, rows: SessionRows | None) -> Candidate:
    needs_reason = _needs_reason(problem, kind)
    effects, impossible = _possible(problem, kind)
    if needs_reason and kind.cycles:  # without cycles it is planned nevertheless, to be compared with
        impossible = (*impossible, needs_reason)
    limits = limits_of_sessions(effects) if rows is not None and not impossible else None
    return Candidate(kind, effects, impossible, needs_reason, rows, limits)


def _possible(problem: CourseProblem, kind: Kind) -> tuple[KindEffects, tuple[str, ...]]:
    """Return the schedules of a kind that keep intervals and budgets and leave something of every limit, and why none
    does."""
    effects = KindEffects(problem, kind)
    if not effects.schedules:
        return effects, ("sessions between cycles delay the next cycle beyond what is allowed",)
    within, reasons = schedules_within_budgets(effects)
    if not reasons and kind.sessions:
        room, reasons = schedules_with_room(effects)
        within &= room
    if not reasons and not within.any():
        reasons = ("no schedule keeps all budgets and leaves something of every limit",)
    return (effects, reasons) if reasons else (effects.only(within), ())


def _needs_reason(problem: CourseProblem, kind: Kind) -> str:
    fewer = kind.cycles + problem.cycles_given < problem.most_cycles
    if kind.sessions and fewer and not problem.may_replace_cycles:
        return (
            "radioembolization would take the place of cycles although there is extrahepatic disease: state a reason "
            "to allow it"
        )
    return ""
