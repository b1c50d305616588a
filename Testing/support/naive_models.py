"""Planning written down voxel by voxel in cvxpy: slow, short, and without any code of the planner.

Every voxel is a row of the model and, under a limit on the hottest part, a variable too.  A goal is a function
of such a model; it returns a concave expression and the constraints it needs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import cvxpy as cp
import numpy as np
from scipy import sparse

from radioembolization.dose import DosePerGBq
from radioembolization.structures import Role


@dataclass(frozen=True, eq=False)
class VoxelModel:
    """Doses as expressions.

    Parameters
    ----------
    dose : DosePerGBq
    activities : cvxpy.Expression (sites,)
        [GBq]
    doses : cvxpy.Variable (voxels,), optional
        The dose of every voxel as a variable, where it is wanted; else only the rows of those asked for are used.
    """

    dose: DosePerGBq
    activities: cp.Expression
    doses: cp.Variable | None = None

    def gy(self, voxels: np.ndarray) -> cp.Expression:
        """Return the dose of some voxels (voxels,)."""
        if self.doses is not None:
            return self.doses[voxels]
        return sparse.csr_array(self.dose.rows[:, voxels].T.astype(float)) @ self.activities

    def mean_gy(self, voxels: np.ndarray) -> cp.Expression:
        """Return the mean dose of some voxels."""
        share = mass_share(self.dose, voxels)
        if self.doses is not None:
            return share @ self.doses[voxels]
        return (self.dose.rows[:, voxels].astype(float) @ share) @ self.activities

    def tail_mean_gy(
        self, voxels: np.ndarray, percent: float, hottest: bool
    ) -> tuple[cp.Expression, list[cp.Constraint]]:
        """Return the mean dose of the hottest or coldest part of the mass, with one variable for each voxel."""
        share = mass_share(self.dose, voxels) / (percent / 100.0)
        level, beyond = cp.Variable(), cp.Variable(len(voxels), nonneg=True)
        if hottest:
            return level + share @ beyond, [beyond >= self.gy(voxels) - level]
        return level - share @ beyond, [beyond >= level - self.gy(voxels)]


Goal = Callable[[VoxelModel], tuple[cp.Expression, list[cp.Constraint]]]

_OPTIONS: dict[str, dict[str, object]] = {
    "HIGHS": {"mip_rel_gap": 1e-7, "mip_abs_gap": 1e-7},
    "CLARABEL": {"tol_gap_abs": 1e-8, "tol_gap_rel": 1e-8, "tol_feas": 1e-8},
}


@dataclass(frozen=True)
class NaiveLimits:
    """Upper limits of a plan; None leaves one out.

    Parameters
    ----------
    normal_mean_gy : float
        Mean dose of the normal liver [Gy].
    lung_gy : float or None
        Mean dose of the lungs [Gy].
    hottest_gy : float or None
        Mean dose of the hottest part of the normal liver [Gy].
    hottest_percent : float
        That part, of the mass of the normal liver [%].
    """

    normal_mean_gy: float
    lung_gy: float | None = None
    hottest_gy: float | None = None
    hottest_percent: float = 30.0


@dataclass(frozen=True)
class SiteRule:
    """How many sites, and with which activity if any.

    Parameters
    ----------
    at_most : int
    minimum_gbq : float
        Least activity of a site that is used [GBq].
    """

    at_most: int
    minimum_gbq: float = 0.0


def lowest_dose(model: VoxelModel) -> tuple[cp.Expression, list[cp.Constraint]]:
    """Lowest dose of any voxel of any tumour [Gy]."""
    lowest = cp.Variable()
    return lowest, [model.gy(voxels) >= lowest for voxels in _tumours(model.dose)]


def lowest_mean(model: VoxelModel) -> tuple[cp.Expression, list[cp.Constraint]]:
    """Lowest mean dose of any tumour [Gy]."""
    lowest = cp.Variable()
    return lowest, [model.mean_gy(voxels) >= lowest for voxels in _tumours(model.dose)]


def lowest_coldest_mean(percent: float) -> Goal:
    """Return the goal: lowest of the mean doses of the coldest part (of the mass) of each tumour [Gy]."""

    def goal(model: VoxelModel) -> tuple[cp.Expression, list[cp.Constraint]]:
        lowest, constraints = cp.Variable(), []
        for voxels in _tumours(model.dose):
            mean, needed = model.tail_mean_gy(voxels, percent, hottest=False)
            constraints += [*needed, mean >= lowest]
        return lowest, constraints

    return goal


def best_plan(
    goal: Goal,
    dose: DosePerGBq,
    limits: NaiveLimits,
    rule: SiteRule | None = None,
    solver: str = "HIGHS",
    doses_as_variables: bool = False,
) -> tuple[float, np.ndarray]:
    """Return the largest value of a goal within limits, and its activities.

    Parameters
    ----------
    goal : callable
    dose : DosePerGBq
    limits : NaiveLimits
    rule : SiteRule, optional
        A binary for each site, tied to its largest activity; for small cases, by HiGHS.
    solver : str
        ``"HIGHS"`` or ``"CLARABEL"``.
    doses_as_variables : bool
        Whether the dose of each voxel of the liver is a variable with its row, as treatment planning is usually
        written down; means are then sums over voxels.

    Returns
    -------
    objective : float
        As the solver states it.
    activities : ndarray (sites,)
        [GBq]

    Raises
    ------
    RuntimeError
        If the solver does not call the plan optimal.
    """
    activities = cp.Variable(len(dose.site_names), nonneg=True)
    model = VoxelModel(dose, activities, cp.Variable(dose.rows.shape[1]) if doses_as_variables else None)
    value, constraints = goal(model)
    constraints += _within(limits, model)
    if model.doses is not None:
        constraints.append(model.doses == sparse.csr_array(dose.rows.T.astype(float)) @ activities)
    if rule is not None:
        used = cp.Variable(len(dose.site_names), boolean=True)
        constraints += [activities <= cp.multiply(caps_gbq(dose, limits), used), cp.sum(used) <= rule.at_most]
        constraints += [activities >= rule.minimum_gbq * used]
    problem = cp.Problem(cp.Maximize(value), constraints)
    problem.solve(solver=solver, warm_start=False, **_OPTIONS[solver])
    if problem.status != cp.OPTIMAL:
        raise RuntimeError(f"{solver} ended with '{problem.status}'.")
    return float(problem.value), np.asarray(activities.value)


def best_plan_of_all_subsets(
    goal: Goal, dose: DosePerGBq, limits: NaiveLimits, rule: SiteRule, solver: str = "HIGHS"
) -> tuple[float, np.ndarray]:
    """Return the same with at most some sites, by solving without binaries for every set of sites.

    Raises
    ------
    RuntimeError
        If no set of sites has a plan within the limits.
    """
    sites = len(dose.site_names)
    floor, ceiling = cp.Parameter(sites), cp.Parameter(sites)
    model = VoxelModel(dose, cp.Variable(sites))
    value, constraints = goal(model)
    constraints += [*_within(limits, model), model.activities >= floor, model.activities <= ceiling]
    problem = cp.Problem(cp.Maximize(value), constraints)
    caps = caps_gbq(dose, limits)
    best: tuple[float, np.ndarray] | None = None
    for chosen in _subsets(sites, rule):
        floor.value, ceiling.value = rule.minimum_gbq * chosen, caps * chosen
        if np.any(floor.value > ceiling.value):
            continue
        problem.solve(solver=solver, warm_start=False, **_OPTIONS[solver])
        if problem.status == cp.OPTIMAL and (best is None or problem.value > best[0]):
            best = float(problem.value), np.array(model.activities.value)
    if best is None:
        raise RuntimeError("No set of sites has a plan within the limits.")
    return best


def goal_gy(goal: Goal, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
    """Return what a goal is worth for fixed activities (sites,) by its own formulation [Gy]."""
    value, constraints = goal(VoxelModel(dose, cp.Constant(np.asarray(activities_gbq, dtype=float))))
    problem = cp.Problem(cp.Maximize(value), constraints)
    problem.solve(solver="HIGHS", warm_start=False)
    return float(problem.value)


def excess_gy(dose: DosePerGBq, limits: NaiveLimits, activities_gbq: np.ndarray) -> float:
    """Return by how much the limit exceeded most is exceeded, in float64 [Gy]; negative within all."""
    normal, total = _normal_liver(dose), np.asarray(activities_gbq, dtype=float)
    gy = dose_gy(dose, normal, total)
    excess = [mass_share(dose, normal) @ gy - limits.normal_mean_gy]
    if limits.lung_gy is not None:
        excess.append(dose.lung_gy_per_gbq @ total - limits.lung_gy)
    if limits.hottest_gy is not None:
        excess.append(hottest_mean_gy(dose, normal, total, limits.hottest_percent) - limits.hottest_gy)
    return float(max(excess))


def dose_gy(dose: DosePerGBq, voxels: np.ndarray, activities_gbq: np.ndarray) -> np.ndarray:
    """Return the dose of some voxels (voxels,), in float64 [Gy]."""
    used = np.flatnonzero(activities_gbq)
    return np.asarray(activities_gbq, dtype=float)[used] @ dose.rows[np.ix_(used, voxels)].astype(float)


def hottest_mean_gy(dose: DosePerGBq, voxels: np.ndarray, activities_gbq: np.ndarray, percent: float) -> float:
    """Return the mean dose of the hottest part of some voxels' mass, sorted, in float64 [Gy]."""
    gy = dose_gy(dose, voxels, activities_gbq)
    order = np.argsort(-gy)
    share = mass_share(dose, voxels)[order]
    taken = np.clip(percent / 100.0 - (np.cumsum(share) - share), 0.0, share)
    return float(taken @ gy[order] / taken.sum())


def percent_above(dose: DosePerGBq, voxels: np.ndarray, activities_gbq: np.ndarray, gy: float) -> float:
    """Return the part of some voxels' mass with more than a dose, in float64 [%]."""
    return float(100.0 * mass_share(dose, voxels)[dose_gy(dose, voxels, activities_gbq) > gy].sum())


def caps_gbq(dose: DosePerGBq, limits: NaiveLimits) -> np.ndarray:
    """Return the largest activity (sites,) that the mean of the normal liver allows each site alone [GBq]."""
    normal = _normal_liver(dose)
    return limits.normal_mean_gy / (dose.rows[:, normal].astype(float) @ mass_share(dose, normal))


def mass_share(dose: DosePerGBq, voxels: np.ndarray) -> np.ndarray:
    """Return the mass of each voxel over that of all (voxels,)."""
    return dose.voxel_kg[voxels] / dose.voxel_kg[voxels].sum()


def _subsets(sites: int, rule: SiteRule) -> list[np.ndarray]:
    """Return masks (sites,) of all sets; the largest ones suffice where a site may stay empty."""
    sizes = range(rule.at_most + 1) if rule.minimum_gbq > 0 else (min(rule.at_most, sites),)
    return [np.isin(range(sites), chosen) for size in sizes for chosen in combinations(range(sites), size)]


def _within(limits: NaiveLimits, model: VoxelModel) -> list[cp.Constraint]:
    """Return the constraints of the limits."""
    normal = _normal_liver(model.dose)
    constraints = [model.mean_gy(normal) <= limits.normal_mean_gy]
    if limits.lung_gy is not None:
        constraints.append(model.dose.lung_gy_per_gbq @ model.activities <= limits.lung_gy)
    if limits.hottest_gy is not None:
        mean, needed = model.tail_mean_gy(normal, limits.hottest_percent, hottest=True)
        constraints += [*needed, mean <= limits.hottest_gy]
    return constraints


def _tumours(dose: DosePerGBq) -> list[np.ndarray]:
    return [tumour.voxels for tumour in dose.with_role(Role.TUMOUR)]


def _normal_liver(dose: DosePerGBq) -> np.ndarray:
    return dose.with_role(Role.NORMAL_LIVER)[0].voxels
