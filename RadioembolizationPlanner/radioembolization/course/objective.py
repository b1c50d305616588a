"""What a course is planned for: its goal, its value for every schedule, and what its bound is."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from radioembolization.course.course_problem import CourseProblem
from radioembolization.course.kind_effects import KindEffects
from radioembolization.course.lesion_bed import LesionResponse, WorstLesionBED, dose_for_bed_gy, lesion_rows
from radioembolization.course.sessions import SessionRows
from radioembolization.planning import Goal, MeanShortfall, WeightedSum


def goal_of(problem: CourseProblem, responses: Mapping[str, LesionResponse]) -> Goal:
    """Return what the planning core optimizes, for the responses of the hepatic lesions."""
    if problem.aim_bed_gy is None:
        return WorstLesionBED(responses)
    needed = {name: response.dose_gy(problem.aim_bed_gy) for name, response in responses.items()}
    return WeightedSum(tuple((problem.weight(name), MeanShortfall(name, gy)) for name, gy in needed.items()))


def lesion_doses_gy(rows: SessionRows, activities_gbq: np.ndarray, problem: CourseProblem) -> dict[str, np.ndarray]:
    """Return the mean dose of every hepatic lesion and of its parts by each session (sessions, parts) [Gy]."""
    sessions = np.arange(int(rows.session_of.max()) + 1)
    given = np.where(rows.session_of == sessions[:, None], activities_gbq, 0.0)
    names = dict.fromkeys(problem.hepatic_lesions)
    return {name: given @ block.T for name, block in lesion_rows(rows.dose, names).items()}


def objectives(effects: KindEffects, doses: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
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


def bound_of(effects: KindEffects, hepatic_bound: float) -> float:
    """Return what no plan surpasses for any schedule, from what none does for the hepatic lesions."""
    if effects.problem.aim_bed_gy is None:
        others = [float(bed.max()) for bed in effects.extrahepatic_bed_gy().values()]
        return min([hepatic_bound, *others])
    return -(hepatic_bound + float(_extrahepatic_shortfall(effects).min()))
