"""Small problems with dose-volume limits, drawn at random, and their optimum with one binary for every voxel."""

from __future__ import annotations

from collections.abc import Sequence

import cvxpy as cp
import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.planning import DoseAtVolume, Goal, HepaticReserve, Limit, MeanDose, VolumeAbove
from radioembolization.planning.limits import activity_caps_gbq
from radioembolization.planning.model import Model
from support import dose_rows

N = "normal liver"
#: HiGHS lets a row be missed by 1e-6 of its terms; with rows of large constants, doses are off by as much.
ACCURACY = 2e-4
_TIGHT = {"mip_rel_gap": 1e-7, "mip_feasibility_tolerance": 1e-9, "primal_feasibility_tolerance": 1e-9}


def small_rows(rng: np.random.Generator, sites: int, normal: int = 40, of_tumour: int = 10) -> DosePerGBq:
    """Return rows of two tumours and a normal liver whose voxels get dose from some sites, with unequal masses."""
    count = normal + 2 * of_tumour
    rows = rng.exponential(30.0, (sites, count)) * (rng.random((sites, count)) < 0.7)
    rows[:, normal:] = 1.7 * rows[:, normal:] + 6.0
    rows[rng.integers(0, sites)] += 1.0
    voxel_kg = 0.01 * (1.0 if rng.random() < 0.5 else rng.uniform(0.6, 1.4, count))
    tumours = {f"T{k}": range(normal + k * of_tumour, normal + (k + 1) * of_tumour) for k in range(2)}
    return dose_rows(rows, np.broadcast_to(voxel_kg, count), tumours, range(normal))


def limits_of(kind: str, dose: DosePerGBq) -> list[Limit]:
    """Return one of several sets of limits."""
    v40 = VolumeAbove(N, 40.0).at_most(percent=30)
    mean = MeanDose(N).at_most(gy=45)
    return {
        "upper": [mean, v40],
        "lower": [mean, v40, DoseAtVolume("T0", 80.0).at_least(gy=18)],
        "reserve": [mean, HepaticReserve(12.0).at_least(percent=35)],
        "two": [VolumeAbove(N, 40.0).at_most(percent=35), VolumeAbove(N, 25.0).at_most(percent=55)],
        "dx": [mean, DoseAtVolume(N, 30.0).at_most(gy=38)],
    }[kind]


def best_by_binaries(goal: Goal, limits: Sequence[Limit], dose: DosePerGBq) -> float:
    """Return the optimum of the model with one binary for every voxel; minus infinity if no plan meets the limits."""
    model = Model(dose, activity_caps_gbq(limits, dose))
    constraints = [constraint for limit in limits for constraint in limit.constraints(model)]
    expression = goal.expression(model)
    sense = cp.Maximize(expression) if goal.maximized else cp.Minimize(expression)
    problem = cp.Problem(sense, [*constraints, *model.choice_constraints()])
    problem.solve(solver=cp.HIGHS, **_TIGHT)
    return float(problem.value) if problem.status in ("optimal", "optimal_inaccurate") else -np.inf
