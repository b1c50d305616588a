"""What planners do today, on the same dose rows and each at its best feasible scale."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from radioembolization.dose import DosePerGBq, StructureRows, dose_at_volume_share
from radioembolization.planning.effort import Effort, Watch
from radioembolization.planning.goals import Goal, WorstTumourMean
from radioembolization.planning.limits import Limit
from radioembolization.planning.tie_break import perfused_kg
from radioembolization.structures import NORMAL_LIVER, Role

#: A rule is tried on every choice of sites up to the allowed number, as long as there are not more.
MOST_SUBSETS = 5000
#: Where goal or limits take a pass over all voxels, these many choices with the best worst mean are tried.
MOST_VOXELWISE = 24
_WITHOUT_LIMIT_UP_TO = 3
#: Of a time limit, for each rule.
_SHARE_OF_TIME = 0.05


@dataclass(frozen=True)
class BaselineResult:
    """A rule of thumb on its best choice of sites.

    ``limits_met`` is false only if a lower limit cannot be met at any scale.
    """

    name: str
    goal_value: float
    limits_met: bool
    sites: tuple[str, ...]
    activities_gbq: tuple[float, ...]
    tumour_mean_gy: float
    tumour_d70_gy: float
    normal_liver_gy: float


def baselines(
    goal: Goal, limits: Sequence[Limit], dose: DosePerGBq, effort: Effort | None = None
) -> tuple[BaselineResult, ...]:
    """Return each rule at its best feasible scale, on the choice of sites that serves it best.

    The rule gives the ratio of the activities; the largest scale within all upper limits is used.
    Every choice of sites up to the allowed number is tried (all sites too, if no number is set), so
    that the optimizer is compared with the rule in the hands of a planner who chooses sites well.  Where goal or
    limits are of single voxels, only the choices that serve the worst mean dose of any tumour best are tried.
    With a time limit, each rule takes ``_SHARE_OF_TIME`` of it at most, and is shown on the best choice tried by then.
    """
    effort = effort or Effort()
    effort = replace(effort, time_limit_s=effort.time_limit_s * _SHARE_OF_TIME)
    choices = _site_choices(limits, len(dose.site_names))
    quick = [limit for limit in limits if not limit.quantity.voxelwise]
    voxelwise = len(quick) < len(limits) or not all(term.finite for _, term in goal.terms)
    results = []
    for name, rule in _RULES.items():
        watch = Watch(effort)
        weights = np.where(dose.rows.max(axis=1) > 0, rule(dose), 0.0)
        tried = _promising(weights, choices, quick, dose, watch) if voxelwise else choices
        best = max(
            (_at_best_scale(weights * choice, goal, limits, dose) for choice in _in_time(tried, watch)),
            key=lambda found: (found[1], found[0] if goal.maximized else -found[0]),
        )
        results.append(_result(name, best, dose))
    return tuple(results)


def _in_time(choices: list[np.ndarray], watch: Watch) -> Iterator[np.ndarray]:
    """Yield choices of sites, at least the first, until the time is over."""
    for number, choice in enumerate(choices):
        if number and watch.over:
            return
        yield choice


def _promising(
    weights: np.ndarray, choices: list[np.ndarray], limits: Sequence[Limit], dose: DosePerGBq, watch: Watch
) -> list[np.ndarray]:
    """Return the choices of sites that serve the worst mean of any tumour best."""
    found = [_at_best_scale(weights * choice, WorstTumourMean(), limits, dose) for choice in _in_time(choices, watch)]
    order = sorted(range(len(found)), key=lambda index: (not found[index][1], -found[index][0], index))
    return [choices[index] for index in order[:MOST_VOXELWISE]]


def _site_choices(limits: Sequence[Limit], sites: int) -> list[np.ndarray]:
    allowed = [int(limit.bound) for limit in limits if limit.quantity.keyword == "count" and limit.upper]
    most = min([sites, *allowed]) if allowed else min(sites, _WITHOUT_LIMIT_UP_TO)
    choices: list[np.ndarray] = [] if allowed and most < sites else [np.ones(sites)]
    for size in range(1, most + 1):
        for subset in combinations(range(sites), size):
            if len(choices) >= MOST_SUBSETS:
                return choices
            choice = np.zeros(sites)
            choice[list(subset)] = 1.0
            choices.append(choice)
    return choices


def _at_best_scale(
    weights: np.ndarray, goal: Goal, limits: Sequence[Limit], dose: DosePerGBq
) -> tuple[float, bool, np.ndarray]:
    """Scale weights up to the tightest upper limit; return goal value, limits met, activities."""
    total = weights.sum()
    unit = weights / total if total > 0 else weights
    scales = [
        limit.quantity.largest_scale(dose, unit, limit.bound)
        for limit in limits
        if limit.holds_down and limit.quantity.keyword != "count"
    ]
    scale = min(scales, default=0.0) if total > 0 else 0.0
    activities = unit * scale if np.isfinite(scale) else np.zeros_like(unit)
    met = all(limit.is_met(dose, activities) for limit in limits)
    return goal.value(dose, activities), met, activities


def _equal(dose: DosePerGBq) -> np.ndarray:
    return np.ones(len(dose.site_names))


def _by_tumour_volume(dose: DosePerGBq) -> np.ndarray:
    tumours = dose.with_role(Role.TUMOUR)
    return np.sum([[_kg_inside(dose, t, site) for site in range(len(dose.site_names))] for t in tumours], axis=0)


def _single_compartment(dose: DosePerGBq) -> np.ndarray:
    """Activity that gives the liver of each territory the same mean dose, ``A_j = D M_j / (k (1 - L_j))``."""
    retained = 1.0 - dose.lung_shunt
    return np.divide(perfused_kg(dose), retained, out=np.zeros_like(retained), where=retained > 0)


def _partition(dose: DosePerGBq) -> np.ndarray:
    """Activity that gives the normal liver of each territory the same mean dose, by the partition model.

    ``A_j = D (M_N + sum r_i M_i) / (k (1 - L_j))`` over the territory of site j, with r_i the ratio of
    mean doses in it; the common dose D is what the scale changes.
    """
    weights = np.zeros(len(dose.site_names))
    normal = dose.structure(NORMAL_LIVER)
    for site in range(len(weights)):
        normal_kg = _kg_inside(dose, normal, site)
        if normal_kg <= 0 or _mean_inside(dose, normal, site) <= 0:
            continue
        effective = normal_kg
        for tumour in dose.with_role(Role.TUMOUR):
            tumour_kg = _kg_inside(dose, tumour, site)
            if tumour_kg > 0:
                ratio = _mean_inside(dose, tumour, site) / _mean_inside(dose, normal, site)
                effective += ratio * tumour_kg
        weights[site] = effective / (1.0 - dose.lung_shunt[site])
    return weights


def _inside(dose: DosePerGBq, structure: StructureRows, site: int) -> np.ndarray:
    return structure.voxels[dose.perfused[site, structure.voxels]]


def _kg_inside(dose: DosePerGBq, structure: StructureRows, site: int) -> float:
    return float(dose.voxel_kg[_inside(dose, structure, site)].sum())


def _mean_inside(dose: DosePerGBq, structure: StructureRows, site: int) -> float:
    return float(dose.mean_row(_inside(dose, structure, site))[site])


_RULES: dict[str, Callable[[DosePerGBq], np.ndarray]] = {
    "equal activity per site": _equal,
    "by tumour volume in the territory": _by_tumour_volume,
    "single compartment per site": _single_compartment,
    "partition model per site": _partition,
}


def _result(name: str, found: tuple[float, bool, np.ndarray], dose: DosePerGBq) -> BaselineResult:
    value, met, activities = found
    used = activities > 0
    worst_mean, worst_d70 = worst_tumour_figures(dose, activities)
    return BaselineResult(
        name=name,
        goal_value=value,
        limits_met=met,
        sites=tuple(site for site, is_used in zip(dose.site_names, used, strict=True) if is_used),
        activities_gbq=tuple(float(a) for a in activities[used]),
        tumour_mean_gy=worst_mean,
        tumour_d70_gy=worst_d70,
        normal_liver_gy=float(dose.structure_row(NORMAL_LIVER) @ activities),
    )


def worst_tumour_figures(dose: DosePerGBq, activities_gbq: np.ndarray) -> tuple[float, float]:
    """Return the lowest mean dose and the lowest D70 of any tumour [Gy]."""
    doses = [np.asarray(activities_gbq) @ dose.rows[:, t.voxels] for t in dose.with_role(Role.TUMOUR)]
    return float(min(d.mean() for d in doses)), float(min(dose_at_volume_share(d, 0.70) for d in doses))
