"""The best course: every kind of course optimized with a bound, every schedule of it evaluated exactly.

For each kind the planning core bounds what sites and activities can reach, for responses of the lesions that no
schedule surpasses and under the loosest limits of any schedule: the bound holds for all of them.  The plan keeps the
limits of all schedules and is evaluated for every one.  What no course can surpass is the best of these bounds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from radioembolization.course.course_problem import CourseProblem
from radioembolization.course.kind_effects import KindEffects
from radioembolization.course.lesion_bed import WorstLesionBED, dose_for_bed_gy, lesion_rows
from radioembolization.course.organ_checks import schedules_within_budgets
from radioembolization.course.schedule import Kind, kinds
from radioembolization.course.session_limits import (
    ReducedLimit,
    SessionLimits,
    limits_of_sessions,
    schedules_with_room,
)
from radioembolization.course.sessions import SessionRows, rows_of_sessions
from radioembolization.errors import Infeasible
from radioembolization.planning import Effort, Goal, Limit, MeanShortfall, WeightedSum
from radioembolization.planning.solve import optimize

#: Schedules whose objective is this close to the best are tied.
TIED_WITHIN = 0.01
#: The planning core prefers fewer injections within this share of the objective; here it would hide in the ties.
_EFFORT = Effort(fewer_within=None)
#: Up to this ratio of the loosest limits to those of all schedules, a plan is divided by it instead of made again.
_HARDLY = 1.0 + 1e-4


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
    most = max(problem.most_cycles - problem.cycles_given, 0)
    least = min(max(problem.least_cycles - problem.cycles_given, 0), most)
    plans = problem.session_plans
    every = list(kinds(most, problem.cycle_activities_gbq, plans, problem.may_embolize_first, least))
    rows = {sessions: rows_of_sessions(problem.dose, sessions) for sessions in plans if sessions}
    results = []
    for number, kind in enumerate(every):
        if progress is not None:
            progress(str(kind), number, len(every))
        results.append(optimize_kind(problem, kind, rows.get(kind.sessions)))
    return tuple(results)


def optimize_kind(problem: CourseProblem, kind: Kind, rows: SessionRows | None = None) -> KindResult:
    """Return the best plan of a kind of course with a bound for all its schedules.

    Parameters
    ----------
    problem : CourseProblem
    kind : Kind
    rows : SessionRows, optional
        Of its sessions, if they were made before.
    """
    needs_reason = _needs_reason(problem, kind)
    effects, impossible = _possible(problem, kind)
    if needs_reason and kind.cycles:  # without cycles it is planned nevertheless, to be compared with
        impossible = (*impossible, needs_reason)
    if impossible:
        return KindResult(kind, impossible)
    if not kind.sessions:
        nothing = {name: np.zeros((0, 1)) for name in problem.hepatic_lesions}
        objective, second = _objectives(effects, nothing)
        return KindResult(kind, effects=effects, objective=objective, second=second, bound=float(objective.max()))
    rows, limits = rows or rows_of_sessions(problem.dose, kind.sessions), limits_of_sessions(effects)
    try:
        activities, bound = _plan(effects, limits, rows)
    except Infeasible as error:
        return KindResult(kind, (str(error),))
    objective, second = _objectives(effects, lesion_doses_gy(rows, activities, problem))
    return KindResult(
        kind,
        needs_reason=needs_reason,
        effects=effects,
        rows=rows,
        limits=limits.limits,
        reduced=limits.reduced,
        activities_gbq=activities,
        objective=objective,
        second=second,
        bound=_bound(effects, bound),
    )


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


def _plan(effects: KindEffects, limits: SessionLimits, rows: SessionRows) -> tuple[np.ndarray, float]:
    """Return activities (rows,) within the limits of all schedules, and what no plan of any schedule surpasses for the
    optimistic responses.

    The bound is that within the loosest limits.  Its plan, divided by ``scale``, is taken if that costs nothing.
    """
    goal = _goal(effects)
    best = optimize(goal, limits.loosest, rows.dose, only=rows.allowed, effort=_EFFORT)
    activities = best.activities_gbq / limits.scale
    if limits.scale > _HARDLY or not all(limit.is_met(rows.dose, activities) for limit in limits.limits):
        activities = optimize(goal, limits.limits, rows.dose, only=rows.allowed, effort=_EFFORT).activities_gbq
    return activities, best.bound


def lesion_doses_gy(rows: SessionRows, activities_gbq: np.ndarray, problem: CourseProblem) -> dict[str, np.ndarray]:
    """Return the mean dose of every hepatic lesion and of its parts by each session (sessions, parts) [Gy]."""
    sessions = np.arange(int(rows.session_of.max()) + 1)
    given = np.where(rows.session_of == sessions[:, None], activities_gbq, 0.0)
    names = dict.fromkeys(problem.hepatic_lesions)
    return {name: given @ block.T for name, block in lesion_rows(rows.dose, names).items()}


def _needs_reason(problem: CourseProblem, kind: Kind) -> str:
    fewer = kind.cycles + problem.cycles_given < problem.most_cycles
    if kind.sessions and fewer and not problem.may_replace_cycles:
        return (
            "radioembolization would take the place of cycles although there is extrahepatic disease: state a reason "
            "to allow it"
        )
    return ""


def _goal(effects: KindEffects) -> Goal:
    problem = effects.problem
    if problem.aim_bed_gy is None:
        return WorstLesionBED(effects.optimistic)
    needed = {name: response.dose_gy(problem.aim_bed_gy) for name, response in effects.optimistic.items()}
    terms = tuple((problem.weight(name), MeanShortfall(name, gy)) for name, gy in needed.items())
    return WeightedSum(terms)


def _objectives(effects: KindEffects, doses: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the objective and what decides among equals, for every schedule (schedules,)."""
    beds = {name: effects.lesion_bed_gy(name, dose) for name, dose in doses.items()}
    lowest = np.min([bed.min(axis=1) for bed in beds.values()], axis=0)
    if effects.problem.aim_bed_gy is None:
        others = list(effects.extrahepatic_bed_gy().values())
        return np.min([lowest, *others], axis=0), lowest
    short = sum(effects.problem.weight(name) * _shortfall(effects, name, bed[:, 0]) for name, bed in beds.items())
    return -(short + _extrahepatic_shortfall(effects)), lowest


def _shortfall(effects: KindEffects, lesion: str, bed_gy: np.ndarray) -> np.ndarray:
    """Return the dose of microspheres a lesion lacks to the BED aimed at (schedules,) [Gy]."""
    aim, k = effects.problem.aim_bed_gy, effects.curvature_per_gy(lesion)
    assert aim is not None
    slope = effects.slopes(lesion).max(axis=1) if effects.kind.sessions else np.ones(effects.schedules)
    base = effects.bed_before_gy(lesion) - effects.growth_gy
    short = dose_for_bed_gy(aim - base, slope, k) - dose_for_bed_gy(bed_gy - base, slope, k)
    return np.maximum(0.0, short)


def _extrahepatic_shortfall(effects: KindEffects) -> np.ndarray:
    """Return what extrahepatic lesions lack to the BED aimed at, by weights, as BED (schedules,) [Gy]."""
    aim, total = effects.problem.aim_bed_gy, np.zeros(effects.schedules)
    assert aim is not None
    for name, bed in effects.extrahepatic_bed_gy().items():
        total += effects.problem.weight(name) * np.maximum(0.0, aim - bed)
    return total


def _bound(effects: KindEffects, hepatic_bound: float) -> float:
    if effects.problem.aim_bed_gy is None:
        others = [float(bed.max()) for bed in effects.extrahepatic_bed_gy().values()]
        return min([hepatic_bound, *others])
    return -(hepatic_bound + float(_extrahepatic_shortfall(effects).min()))
