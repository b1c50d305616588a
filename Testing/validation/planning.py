"""Plans against the models written voxel by voxel, and what is proved of large and of nonconvex problems."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import numpy as np
from page import table

from radioembolization.dose import DosePerGBq
from radioembolization.planning import (
    Effort,
    HottestMean,
    InjectionActivity,
    InjectionSites,
    Limit,
    LowestDose,
    LungDose,
    MeanDose,
    VolumeAbove,
)
from radioembolization.planning.solve import Solution, optimize

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from naive_models import NaiveLimits, best_plan, lowest_coldest_mean, lowest_dose, lowest_mean
from planning_phantom import planning_phantom
from radioembolization.planning import LowestColdestMean, WorstTumourMean

Result = TypeVar("Result")
TITLE = "Planning core"
INTRO = """
Phantoms of `Testing/support/planning_phantom.py`: an ellipsoidal liver, an arterial tree with nested candidate sites,
five tumours. Limits: mean dose of the normal liver 50 Gy, lungs 30 Gy. Seconds are of one run on the machine that wrote
this page (2 cores, perhaps shared) and swing; values, bounds and nodes do not. `make bench` prints ratios measured side
by side.

### Against models with every voxel written out

The same problem stated in cvxpy with a row or an auxiliary variable for every voxel, solved by Clarabel.

"""
CHOICE = """
### Proved choice of sites

Lowest dose of any tumour voxel, 1e5 voxels; bounds are proved for every choice of sites and every activity. *Hot*: mean
of the hottest 30 % of the normal liver at most 60 Gy.

"""
VOLUME = """
### Exact dose-volume limit

At most 30 % of the normal liver above 40 Gy, lowest dose of any tumour voxel maximized. These problems are not convex;
the gap is what the branch and bound proved, which ends at 2 %, after 2500 boxes or after 60 s.

"""
BASE = (MeanDose("normal liver").at_most(gy=50), LungDose().at_most(gy=30))
HOT = HottestMean("normal liver", percent=30).at_most(gy=60)
V40 = VolumeAbove("normal liver", gy=40).at_most(percent=30)
LEAST = InjectionActivity().at_least(gbq=0.2)
SEEDS = (0, 1, 2)
VOLUME_SEEDS = range(8)


def write() -> str:
    """Return the section."""
    return INTRO + _against_naive() + CHOICE + _choice() + VOLUME + _volume()


def _against_naive() -> str:
    goals = {
        "lowest dose": (LowestDose(), lowest_dose),
        "coldest 30 %": (LowestColdestMean(30.0), lowest_coldest_mean(30.0)),
        "lowest mean": (WorstTumourMean(), lowest_mean),
    }
    rows = []
    for seed, (name, (goal, naive)) in enumerate(goals.items()):
        for hot in (False, True):
            dose = planning_phantom(20_000, sites=24, seed=seed)
            limits = NaiveLimits(50.0, 30.0, 60.0 if hot else None)
            theirs, seconds = _timed(lambda: best_plan(naive, dose, limits, solver="CLARABEL"))  # noqa: B023
            ours, own = _timed(lambda: optimize(goal, (*BASE, HOT) if hot else BASE, dose, effort=_plain()))  # noqa: B023
            change = ours.optimum / theirs[0] - 1
            figures = (f"{ours.optimum:.4f}", f"{theirs[0]:.4f}", f"{change:+.0e}", f"{own:.2f}", f"{seconds:.1f}")
            rows.append([name, "yes" if hot else "no", *figures])
    return table(("goal", "hot limit", "plan [Gy]", "naive [Gy]", "difference", "plan [s]", "naive [s]"), rows)


def _choice() -> str:
    cases: dict[str, tuple[int, tuple[Limit, ...]]] = {
        "4 of 32": (32, (*BASE, InjectionSites().at_most(count=4))),
        "4 of 32, hot": (32, (*BASE, HOT, InjectionSites().at_most(count=4))),
        "4 of 32, hot, each at least 0.2 GBq": (32, (*BASE, HOT, LEAST, InjectionSites().at_most(count=4))),
        "8 of 64": (64, (*BASE, InjectionSites().at_most(count=8))),
        "8 of 64, hot": (64, (*BASE, HOT, InjectionSites().at_most(count=8))),
    }
    rows = []
    for name, (sites, limits) in cases.items():
        for seed in SEEDS:
            dose = planning_phantom(100_000, sites=sites, seed=seed)
            found, seconds = _timed(lambda: optimize(LowestDose(), limits, dose, effort=_plain()))  # noqa: B023
            nodes = found.choice.nodes if found.choice else 0
            rows.append([name, seed, *_proved(found, LowestDose(), dose), nodes, f"{seconds:.2f}"])
    return table(("sites", "seed", "plan [Gy]", "bound [Gy]", "gap", "injections", "nodes", "seconds"), rows)


def _volume() -> str:
    rows = []
    for voxels, seeds in ((100_000, VOLUME_SEEDS), (1_000_000, SEEDS[:1])):
        for seed in seeds:
            dose = planning_phantom(voxels, seed=seed)
            chosen = optimize(LowestDose(), (*BASE, HOT, InjectionSites().at_most(count=4)), dose, effort=_plain())
            given = chosen.activities_gbq > 0
            for name, only in (("4 given", given), ("32 free", None)):
                found, seconds = _timed(
                    lambda: optimize(LowestDose(), (*BASE, V40), dose, only, _plain(time_limit_s=60.0))  # noqa: B023
                )
                above = V40.quantity.value(dose, found.activities_gbq)
                figures = (*_proved(found, LowestDose(), dose), f"{above:.2f} %", f"{seconds:.1f}")
                rows.append([f"{voxels:.0e}", name, seed, *figures])
    return table(
        ("voxels", "sites", "seed", "plan [Gy]", "bound [Gy]", "gap", "injections", "above 40 Gy", "seconds"), rows
    )


def _plain(time_limit_s: float = np.inf) -> Effort:
    return Effort(fewer_within=None, time_limit_s=time_limit_s)


def _proved(found: Solution, goal: LowestDose, dose: DosePerGBq) -> Iterable[object]:
    value = goal.value(dose, found.activities_gbq)
    gap = found.bound / value - 1
    shown = f"{gap:.1e}" if gap < 1e-3 else f"{gap:.1%}"
    return f"{value:.2f}", f"{found.bound:.2f}", shown, int(np.count_nonzero(found.activities_gbq))


def _timed(work: Callable[[], Result]) -> tuple[Result, float]:
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start
