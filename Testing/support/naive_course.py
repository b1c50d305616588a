"""Courses by enumeration: every kind and schedule written out, each optimized by bisection over linear programs.

Nothing of the course's engine is used: doses and cross terms come administration by administration from the formulas of
``biology.bed``.  Exact where every lesion gets its microspheres in one session.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.optimize import linprog

from enumeration import mean_row
from radioembolization.biology import DoseComponent, bed_of_components_gy, cross_bed_gy, protraction_factor
from radioembolization.course.course_problem import CourseProblem
from radioembolization.course.sessions import Session
from radioembolization.structures import NORMAL_LIVER

_STEPS = 45


@dataclass(frozen=True)
class Schedule:
    """One course without its activities of microspheres: weeks of cycles, sessions and their weeks."""

    activity_gbq: float
    cycle_weeks: tuple[int, ...]
    sessions: tuple[Session, ...]
    session_weeks: tuple[int, ...]


def every_schedule(problem: CourseProblem) -> Iterator[Schedule]:
    """Return all schedules with sessions after all cycles, by the rules on extrahepatic disease."""
    grid = problem.weeks
    assert grid is not None
    for cycles in range(problem.least_cycles, problem.most_cycles + 1):
        for activity in problem.cycle_activities_gbq if cycles else problem.cycle_activities_gbq[:1]:
            for sessions in problem.session_plans:
                if sessions and problem.extrahepatic_lesions and cycles < problem.most_cycles:
                    continue
                first = [grid.cycle_to_session] if cycles and sessions else []
                between = [grid.cycle_to_cycle] * max(cycles - 1, 0)
                for gaps in product(*between, *first, *[grid.session_to_session] * (len(sessions) - 1)):
                    weeks = np.cumsum([0, *gaps]).tolist()
                    yield Schedule(activity, tuple(weeks[:cycles]), sessions, tuple(weeks[cycles:] if sessions else []))


def best_value(problem: CourseProblem, schedule: Schedule) -> float:
    """Return the best objective of a schedule; -inf if an organ exceeds its budget or nothing is left of a limit."""
    if not within_budgets(problem, schedule):
        return -np.inf
    beyond = [bed_gy(problem, schedule, name) for name in problem.extrahepatic_lesions]
    growth = growth_gy(problem, schedule)
    if not schedule.sessions:
        return min([bed_gy(problem, schedule, name) for name in problem.hepatic_lesions] + beyond) - growth
    left = remaining_gy(problem, schedule)
    if left <= 0.0:
        return -np.inf
    hepatic = _bisection(problem, schedule, left)
    return min([hepatic, *beyond]) - growth


def value_of(problem: CourseProblem, schedule: Schedule, activities_gbq: np.ndarray) -> float:
    """Return the objective of a schedule for some activities (sites,), each in the session that may inject it."""
    values = [bed_gy(problem, schedule, name) for name in problem.extrahepatic_lesions]
    for name in problem.hepatic_lesions:
        base = bed_gy(problem, schedule, name)
        if not schedule.sessions:
            values.append(base)
            continue
        for row in lesion_rows(problem, name):
            session = _session_of(problem, schedule, row)
            slope, k = slope_of(problem, schedule, name, session), curvature(problem, name)
            gy = float(row @ activities_gbq)
            values.append(base + slope * gy + k * gy * gy)
    return min(values) - growth_gy(problem, schedule)


def within_budgets(problem: CourseProblem, schedule: Schedule) -> bool:
    for budget in problem.budgets:
        parts = components(problem, schedule, budget.structure)
        value = bed_gy(problem, schedule, budget.structure) if budget.is_bed else sum(part.dose_gy for part in parts)
        if value > budget.limit_gy * (1.0 + 1e-9):
            return False
    return True


def components(problem: CourseProblem, schedule: Schedule, structure: str) -> list[DoseComponent]:
    """Return cycles and history as exponential dose rates."""
    uptake = problem.uptakes[structure]
    found = []
    for number, week in enumerate(schedule.cycle_weeks):
        gy = uptake.gy_per_gbq.value * schedule.activity_gbq * (1.0 + uptake.change_per_cycle) ** number
        found.append(DoseComponent(gy, uptake.effective_half_life_h.value, 168.0 * week))
    for exposure in problem.history:
        if exposure.dose_gy.get(structure):
            half_life_h = exposure.half_life_h[structure]
            found.append(DoseComponent(exposure.dose_gy[structure], half_life_h, 24.0 * exposure.day))
    return found


def bed_gy(problem: CourseProblem, schedule: Schedule, structure: str) -> float:
    """Return the BED of cycles and history."""
    tissue, parts = problem.tissues[structure], components(problem, schedule, structure)
    if not parts:
        return 0.0
    return bed_of_components_gy(parts, tissue.alpha_beta_gy.value, tissue.repair_half_time_h.value)


def slope_of(problem: CourseProblem, schedule: Schedule, structure: str, session: int) -> float:
    """Return one, and what unrepaired damage adds to the first Gy of a session."""
    tissue, device = problem.tissues[structure], problem.dose.settings.device
    one = DoseComponent(1.0, device.nuclide.half_life_h, 168.0 * schedule.session_weeks[session])
    ratio, repair_h = tissue.alpha_beta_gy.value, tissue.repair_half_time_h.value
    return 1.0 + sum(cross_bed_gy(part, one, ratio, repair_h) for part in components(problem, schedule, structure))


def curvature(problem: CourseProblem, structure: str) -> float:
    tissue, device = problem.tissues[structure], problem.dose.settings.device
    factor = protraction_factor(device.nuclide.half_life_h, tissue.repair_half_time_h.value)
    return factor / tissue.alpha_beta_gy.value


def remaining_gy(problem: CourseProblem, schedule: Schedule) -> float:
    """Return what is left of the one limit, on the whole normal liver; for the session with least unrepaired damage."""
    (limit,) = problem.problem.limits
    k, spent = curvature(problem, NORMAL_LIVER), bed_gy(problem, schedule, NORMAL_LIVER)
    slope = min(slope_of(problem, schedule, NORMAL_LIVER, number) for number in range(len(schedule.sessions)))
    return _dose_gy(limit.bound + k * limit.bound**2 - spent, slope, k)


def growth_gy(problem: CourseProblem, schedule: Schedule) -> float:
    weeks = [*schedule.cycle_weeks, *schedule.session_weeks]
    days = 7.0 * (max(weeks) - min(weeks)) if weeks else 0.0
    rule = problem.repopulation
    return rule.gy_per_day * max(0.0, days - rule.kick_off_days)


def lesion_rows(problem: CourseProblem, name: str) -> list[np.ndarray]:
    """Return the mean dose per GBq of a tumour of one compartment, or of all its parts."""
    dose = problem.dose
    return [mean_row(dose, dose.structure(name).voxels)]


def _bisection(problem: CourseProblem, schedule: Schedule, left_gy: float) -> float:
    rows, terms = [], []
    for name in problem.hepatic_lesions:
        for row in lesion_rows(problem, name):
            session = _session_of(problem, schedule, row)
            rows.append(row)
            terms.append(
                (
                    bed_gy(problem, schedule, name),
                    slope_of(problem, schedule, name, session),
                    curvature(problem, name),
                )
            )
    liver = mean_row(problem.dose, problem.dose.structure(NORMAL_LIVER).voxels)
    matrix = np.vstack([-np.array(rows), liver])
    low = min(base for base, _, _ in terms)
    most = [float(np.max(row / liver)) * left_gy for row in rows]
    high = min(base + slope * gy + k * gy * gy for gy, (base, slope, k) in zip(most, terms, strict=True))
    for _ in range(_STEPS):
        if high - low < 1e-6 * max(1.0, high):
            break
        level = 0.5 * (low + high)
        needed = [-_dose_gy(level - base, slope, k) for base, slope, k in terms]
        found = linprog(np.zeros(len(liver)), matrix, [*needed, left_gy])
        low, high = (level, high) if found.status == 0 else (low, level)
    return low


def _session_of(problem: CourseProblem, schedule: Schedule, row: np.ndarray) -> int:
    """Return the only session that can give dose to a lesion."""
    names = problem.dose.site_names
    reach = [
        number
        for number, session in enumerate(schedule.sessions)
        if any(row[names.index(site)] > 0.0 for site in (session.sites or names))
    ]
    assert len(reach) == 1, "a lesion gets dose in several sessions"
    return reach[0]


def _dose_gy(bed: float, slope: float, k: float) -> float:
    """Return the positive root of ``slope D + k D^2 = bed``."""
    return (-slope + np.sqrt(slope**2 + 4.0 * k * bed)) / (2.0 * k) if bed > 0.0 else 0.0
