"""A planned course: what is given when, what it does, and how far it is from the best possible."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from radioembolization.course.budget import Balance
from radioembolization.course.course_problem import CourseProblem
from radioembolization.course.exposure import Exposure, Modality
from radioembolization.course.ledger import Ledger
from radioembolization.course.objective import lesion_doses_gy
from radioembolization.course.schedule import Event, Kind
from radioembolization.course.sequence import TIED_WITHIN, KindResult, optimize_kinds, same_as_best
from radioembolization.course.session_limits import ReducedLimit
from radioembolization.errors import Infeasible
from radioembolization.planning import LimitResult
from radioembolization.planning.limits import USED_GBQ
from radioembolization.structures import NORMAL_LIVER

_DAYS_PER_WEEK = 7


@dataclass(frozen=True)
class Administration:
    """One cycle or session of a course.

    Parameters
    ----------
    label : str
    event : str
    week : int
        From the first administration of the course.
    activity_gbq : float
    sites : tuple of (str, float)
        Injection sites with their activities [GBq], for sessions.
    """

    label: str
    event: str
    week: int
    activity_gbq: float
    sites: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class StructureEffect:
    """What a structure receives in the course, with history.

    ``bed_gy`` is without repopulation.  ``lowest_part_bed_gy`` is what the objective counts: the BED of the lesion's
    worst part less repopulation; None for organs.
    """

    name: str
    kind: str
    lutetium_gy: float
    microspheres_gy: float
    bed_gy: float
    eqd2_gy: float
    lowest_part_bed_gy: float | None = None


@dataclass(frozen=True)
class Alternative:
    """The best course with one modality left out, or with both."""

    name: str
    kind: str
    objective: float | None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ties:
    """Schedules whose objective is within a hundredth of the best.

    Parameters
    ----------
    schedules : int
    of : int
        Schedules of all kinds that can be given.
    kinds : tuple of str
        Kinds of the tied schedules.
    weeks : tuple of (str, int, int)
        For the kind chosen: each administration with the earliest and latest week of a tied schedule.
    """

    schedules: int
    of: int
    kinds: tuple[str, ...]
    weeks: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, eq=False)
class Course:
    """A planned course of treatment.

    Parameters
    ----------
    kind : str
    administrations : tuple of Administration
    objective_name, unit : str
    objective, bound, gap : float
        Value of the course; no course can surpass the bound; relative distance.
    effects : tuple of StructureEffect
    balances : tuple of Balance
        Of the organs with a budget.
    limits : tuple of LimitResult
        Of the sessions, with what earlier treatment leaves of them.
    reduced : tuple of ReducedLimit
    alternatives : tuple of Alternative
        177Lu alone, radioembolization alone, both.
    ties : Ties
    impossible : tuple of (str, tuple of str)
        Kinds of course that cannot be given, with the reasons.
    ledger : Ledger
        History and course.
    explanation : tuple of str
    """

    kind: str
    administrations: tuple[Administration, ...]
    objective_name: str
    unit: str
    objective: float
    bound: float
    gap: float
    effects: tuple[StructureEffect, ...]
    balances: tuple[Balance, ...]
    limits: tuple[LimitResult, ...]
    reduced: tuple[ReducedLimit, ...]
    alternatives: tuple[Alternative, ...]
    ties: Ties
    impossible: tuple[tuple[str, tuple[str, ...]], ...]
    ledger: Ledger
    explanation: tuple[str, ...] = ()


def optimal_course(problem: CourseProblem, progress: Callable[[str, int, int], None] | None = None) -> Course:
    """Return the best course of treatment, without its explanation; see ``plan_course``.

    Raises
    ------
    Infeasible
        If no kind of course can be given; the message names the reasons.
    """
    results = optimize_kinds(problem, progress)
    possible = [result for result in results if result.may_be_given]
    if not possible:
        reasons = "; ".join(f"{one.kind}: {(*one.impossible, one.needs_reason)[0]}" for one in results[:5])
        raise Infeasible(f"No course can be given within its limits. {reasons}.")
    best = best_of(possible)
    schedule = best.best
    exposures = exposures_of(problem, best, schedule)
    ledger = Ledger((*problem.history, *exposures), problem.tissues)
    value, bound = float(best.objective[schedule]), max(result.bound for result in possible)
    ties = _ties(best, possible)
    return Course(
        kind=str(best.kind),
        administrations=_administrations(problem, best, schedule),
        objective_name=_objective_name(problem),
        unit="Gy",
        objective=value,
        bound=bound,
        gap=max(0.0, bound - value) / max(abs(bound), 1e-3),
        effects=_effects(problem, best, schedule, ledger),
        balances=tuple(budget.balance(ledger) for budget in problem.budgets),
        limits=_limit_results(best),
        reduced=best.reduced,
        alternatives=_alternatives(results),
        ties=ties,
        impossible=tuple((str(result.kind), result.impossible) for result in results if result.impossible),
        ledger=ledger,
    )


def best_of(results: Sequence[KindResult]) -> KindResult:
    """Return the best of several kinds; among equals that of the highest second objective, then the first."""
    objective = np.array([result.objective[result.best] for result in results])
    second = np.array([result.second[result.best] for result in results])
    top = np.flatnonzero(same_as_best(objective))
    return results[int(top[np.argmax(same_as_best(second[top]))])]


def exposures_of(problem: CourseProblem, result: KindResult, schedule: int) -> tuple[Exposure, ...]:
    """Return what the administrations of a schedule give to every structure."""
    effects, sessions = result.effects, session_doses_gy(problem, result)
    assert effects is not None
    exposures, cycle, session = [], 0, 0
    for event, week in zip(result.kind.events, effects.weeks[schedule].tolist(), strict=True):
        day = float(week * _DAYS_PER_WEEK)
        if event is Event.CYCLE:
            cycle += 1
            doses = {name: effects.cycle_dose_gy(name, cycle) for name in problem.uptakes}
            half_lives = {name: uptake.effective_half_life_h.value for name, uptake in problem.uptakes.items()}
            label = f"177Lu cycle {problem.cycles_given + cycle}"
            exposures.append(
                Exposure(label, day, Modality.LUTETIUM, doses, half_lives, activity_gbq=result.kind.activity_gbq)
            )
        else:
            session += 1
            doses = sessions[session - 1]
            others = frozenset({*problem.uptakes, *(b.structure for b in problem.budgets)} - set(doses))
            name = result.kind.sessions[session - 1].name
            device = problem.dose.settings.device.name
            given = float(result.activities_gbq[result.rows.session_of == session - 1].sum()) if result.rows else 0.0
            exposures.append(
                Exposure(
                    f"radioembolization, {name}",
                    day,
                    Modality.RADIOEMBOLIZATION,
                    doses,
                    device=device,
                    activity_gbq=given,
                    not_exposed=others,
                )
            )
    return tuple(exposures)


def session_doses_gy(problem: CourseProblem, result: KindResult) -> list[dict[str, float]]:
    """Return the mean dose of normal liver, lesions and lungs by each session [Gy]."""
    if result.rows is None:
        return []
    rows, doses = result.rows, []
    for number in range(len(result.kind.sessions)):
        given = np.where(rows.session_of == number, result.activities_gbq, 0.0)
        names = (NORMAL_LIVER, *problem.hepatic_lesions)
        of_session = {name: float(rows.dose.structure_row(name) @ given) for name in names}
        if rows.dose.lung_gy_per_gbq is not None:
            of_session["lungs"] = float(rows.dose.lung_gy_per_gbq @ given)
        doses.append(of_session)
    return doses


def _administrations(problem: CourseProblem, result: KindResult, schedule: int) -> tuple[Administration, ...]:
    effects, given, cycle, session = result.effects, [], 0, 0
    assert effects is not None
    for event, week in zip(result.kind.events, effects.weeks[schedule].tolist(), strict=True):
        if event is Event.CYCLE:
            cycle += 1
            label = f"177Lu cycle {problem.cycles_given + cycle}"
            given.append(Administration(label, str(event), week, result.kind.activity_gbq))
            continue
        session += 1
        assert result.rows is not None
        chosen = [
            (problem.dose.site_names[site], float(activity))
            for site, number, activity in zip(
                result.rows.site_of, result.rows.session_of, result.activities_gbq, strict=True
            )
            if number == session - 1 and activity > USED_GBQ
        ]
        label = f"radioembolization, {result.kind.sessions[session - 1].name}"
        total = sum(activity for _, activity in chosen)
        given.append(Administration(label, str(event), week, total, tuple(chosen)))
    return tuple(given)


def _objective_name(problem: CourseProblem) -> str:
    if problem.aim_bed_gy is None:
        return "lowest BED of any lesion or lesion part"
    return f"dose that lesions lack to {problem.aim_bed_gy:g} Gy BED, by weights, negative"


def _effects(problem: CourseProblem, result: KindResult, schedule: int, ledger: Ledger) -> tuple[StructureEffect, ...]:
    assert result.effects is not None
    parts = {} if result.rows is None else lesion_doses_gy(result.rows, result.activities_gbq, problem)
    found = []
    kinds = dict.fromkeys(problem.hepatic_lesions, "hepatic lesion")
    kinds |= dict.fromkeys(problem.extrahepatic_lesions, "extrahepatic lesion")
    kinds |= {name: "organ" for name in problem.uptakes if name not in kinds}
    for name, kind in kinds.items():
        by = dict.fromkeys(Modality, 0.0)
        for exposure in ledger.exposures:
            by[exposure.modality] += exposure.dose_of_gy(name)
        lowest = None
        if kind == "hepatic lesion":
            dose = parts.get(name, np.zeros((0, 1)))
            lowest = float(result.effects.lesion_bed_gy(name, dose)[schedule].min())
        elif kind == "extrahepatic lesion":
            lowest = float(result.effects.extrahepatic_bed_gy()[name][schedule])
        found.append(
            StructureEffect(
                name,
                kind,
                by[Modality.LUTETIUM],
                by[Modality.RADIOEMBOLIZATION],
                ledger.bed_gy(name),
                ledger.eqd2_gy(name),
                lowest,
            )
        )
    return tuple(found)


def _limit_results(result: KindResult) -> tuple[LimitResult, ...]:
    if result.rows is None:
        return ()
    return tuple(LimitResult.of(limit, result.rows.dose, result.activities_gbq) for limit in result.limits)


def _alternatives(results: tuple[KindResult, ...]) -> tuple[Alternative, ...]:
    def of(name: str, wanted: Callable[[Kind], bool]) -> Alternative:
        chosen = [result for result in results if wanted(result.kind)]
        possible = [result for result in chosen if not result.impossible]
        if not possible:
            return Alternative(name, "", None, tuple(dict.fromkeys(r for c in chosen for r in c.impossible))[:3])
        best = best_of(possible)
        missing = (best.needs_reason,) if best.needs_reason else ()
        return Alternative(name, str(best.kind), float(best.objective[best.best]), missing)

    return (
        of("177Lu alone", lambda kind: not kind.sessions),
        of("radioembolization alone", lambda kind: not kind.cycles and bool(kind.sessions)),
        of("both", lambda kind: bool(kind.cycles) and bool(kind.sessions)),
    )


def _ties(best: KindResult, possible: list[KindResult]) -> Ties:
    value = float(best.objective[best.best])
    least = value - TIED_WITHIN * abs(value)
    tied = [(result, np.flatnonzero(result.objective >= least)) for result in possible]
    tied = [(result, schedules) for result, schedules in tied if len(schedules)]
    assert best.effects is not None
    own = best.effects.weeks[next(schedules for result, schedules in tied if result is best)]
    weeks = tuple(
        (str(event), int(column.min()), int(column.max()))
        for event, column in zip(best.kind.events, own.T, strict=True)
    )
    return Ties(
        schedules=sum(len(schedules) for _, schedules in tied),
        of=sum(len(result.objective) for result in possible),
        kinds=tuple(str(result.kind) for result, _ in tied),
        weeks=weeks,
    )
