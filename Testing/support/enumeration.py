"""The best plan by enumeration: a linear program of scipy for every choice of sites, written out by hand."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from scipy.optimize import linprog

from radioembolization.dose import DosePerGBq
from radioembolization.planning import (
    InjectionActivity,
    InjectionSites,
    LargestInjectionActivity,
    Limit,
    LungDose,
    MeanDose,
    MeanShortfall,
    Problem,
    ShuntedActivity,
    SiteActivity,
    TerritoryNormalLiverDose,
    TotalActivity,
    WorstTumourMean,
)
from radioembolization.structures import Role


def mean_row(dose: DosePerGBq, voxels: np.ndarray) -> np.ndarray:
    """Return the mean dose per GBq (sites,) over voxels."""
    kg = dose.voxel_kg[voxels]
    return dose.rows[:, voxels].astype(float) @ kg / kg.sum()


def best_value(problem: Problem, dose: DosePerGBq) -> float:
    """Return the best goal value of any plan; infinitely bad if there is none."""
    sites = range(len(dose.site_names))
    counts = [int(li.bound) for li in problem.limits if isinstance(li.quantity, InjectionSites)]
    values = [
        best_on(problem, dose, list(used))
        for size in range(1, min([len(sites), *counts]) + 1)
        for used in combinations(sites, size)
    ]
    nothing = best_on(problem, dose, [])
    return max([nothing, *values]) if problem.goal.maximized else min([nothing, *values])


def best_on(problem: Problem, dose: DosePerGBq, used: list[int]) -> float:
    """Return the best goal value of plans that use no other sites, and obey the rules of all of these."""
    sites = len(dose.site_names)
    rows, sides = _limit_rows(problem.limits, dose, used)
    cost, goal_rows, goal_sides = _goal_rows(problem, dose)
    levels = len(cost) - sites
    matrix = np.vstack([np.hstack([np.array(rows).reshape(-1, sites), np.zeros((len(rows), levels))]), goal_rows])
    bounds = [(0.0, None if site in used else 0.0) for site in range(sites)]
    bounds += [(None, None) if problem.goal.maximized else (0.0, None)] * levels
    found = linprog(cost, A_ub=matrix, b_ub=np.concatenate([sides, goal_sides]), bounds=bounds)
    sign = -1.0 if problem.goal.maximized else 1.0
    return sign * (found.fun if found.status == 0 else np.inf)


def _goal_rows(problem: Problem, dose: DosePerGBq) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return cost, rows and right sides over activities and one level for each term."""
    sites, terms = len(dose.site_names), problem.goal.terms
    rows, sides = [], []
    for number, (_, goal) in enumerate(terms):
        level = np.zeros(len(terms))
        if isinstance(goal, WorstTumourMean):
            level[number] = 1.0
            for tumour in dose.with_role(Role.TUMOUR):
                rows.append(np.concatenate([-mean_row(dose, tumour.voxels), level]))
                sides.append(0.0)
        else:
            assert isinstance(goal, MeanShortfall)
            level[number] = -1.0
            rows.append(np.concatenate([-mean_row(dose, dose.structure(goal.structure).voxels), level]))
            sides.append(-goal.below_gy)
    weights = np.array([weight for weight, _ in terms])
    cost = np.concatenate([np.zeros(sites), -weights if problem.goal.maximized else weights])
    return cost, np.array(rows), np.array(sides)


def _limit_rows(limits: tuple[Limit, ...], dose: DosePerGBq, used: list[int]) -> tuple[list[np.ndarray], list[float]]:
    rows, sides = [], []
    for limit in limits:
        sign = 1.0 if limit.upper else -1.0
        for row, offset in _rows_of(limit, dose, used):
            rows.append(sign * row)
            sides.append(sign * (limit.bound - offset))
    return rows, sides


def _rows_of(limit: Limit, dose: DosePerGBq, used: list[int]) -> list[tuple[np.ndarray, float]]:
    quantity, unit = limit.quantity, np.eye(len(dose.site_names))
    if isinstance(quantity, InjectionSites):
        return []
    if isinstance(quantity, InjectionActivity | LargestInjectionActivity):
        return [(unit[site], 0.0) for site in used]
    if isinstance(quantity, TerritoryNormalLiverDose):
        normal = dose.structure("normal liver").voxels
        return [(mean_row(dose, normal[dose.perfused[site, normal]]), 0.0) for site in used]
    if isinstance(quantity, LungDose):
        assert dose.lung_gy_per_gbq is not None
        return [(dose.lung_gy_per_gbq, quantity.earlier_gy)]
    if isinstance(quantity, MeanDose):
        return [(mean_row(dose, dose.structure(quantity.structure).voxels), 0.0)]
    if isinstance(quantity, SiteActivity):
        return [(unit[dose.site_names.index(quantity.site)], 0.0)]
    known = {ShuntedActivity: dose.lung_shunt, TotalActivity: np.ones(len(unit))}
    return [(known[type(quantity)], 0.0)]
