"""Time robust plans over all voxels of a phantom with many sites and scenarios; the choice of sites is proved.

Prints, asserts nothing.  *Basis*: dose of every source (of the phantom, by blurring); *rows*: dose rows of all
scenarios from it, without a convolution; then each plan, from the model to the proved choice of at most four sites,
beside the same plan without scenarios.  CPU seconds are of all threads.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from timing import load, machine

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from planning_phantom import planning_phantom
from radioembolization.dose import DosePerGBq, Scenarios, Uncertainty, draw
from radioembolization.planning import (
    Effort,
    Goal,
    InjectionSites,
    LowestColdestMean,
    LowestDose,
    LungDose,
    MeanDose,
    Problem,
    WorstTumourPartMean,
    maximize,
)
from radioembolization.planning.robust import robust_problem
from radioembolization.planning.solve import Solution, optimize
from scenario_phantom import phantom_basis

Result = TypeVar("Result")
SITES = 32
LIMITS = (
    MeanDose("normal liver").at_most(gy=50),
    LungDose().at_most(gy=30),
    InjectionSites().at_most(count=4),
)
PLAIN = Effort(fewer_within=None)
#: Goals with the share of the scenarios [%] their mean is taken over, 0 for the worst, and the probability of limits.
PLANS: tuple[tuple[str, Goal, float, float], ...] = (
    ("tumour parts, worst scenario, all limits", WorstTumourPartMean(), 0.0, 1.0),
    ("tumour parts, worst scenario, limits 95 %", WorstTumourPartMean(), 0.0, 0.95),
    ("tumour parts, worst 10 %, limits 95 %", WorstTumourPartMean(), 10.0, 0.95),
    ("lowest dose, worst scenario, all limits", LowestDose(), 0.0, 1.0),
    ("coldest 5 %, worst scenario, limits 95 %", LowestColdestMean(5.0), 0.0, 0.95),
)


def timed(work: Callable[[], Result]) -> tuple[Result, float, float]:
    """Return a result with its wall and CPU time [s]."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - wall, time.process_time() - cpu


def solved(problem: Problem, dose: DosePerGBq) -> Solution:
    """Return activities and bound, without comparisons."""
    return optimize(problem.goal, problem.limits, dose, effort=PLAIN)


def prepared(voxels: int, count: int) -> tuple[DosePerGBq, Scenarios, Uncertainty]:
    """Make phantom, basis and scenarios; print what each takes."""
    uncertainty = Uncertainty.default("resin", count=count, seed=1)
    dose = planning_phantom(voxels, SITES)
    basis, basis_s, _ = timed(lambda: phantom_basis(voxels, uncertainty, SITES))

    def rows() -> Scenarios:
        found = draw(basis, uncertainty)
        for name in (*basis.tumour_names, "normal liver"):
            found.mean_rows(name)
        return found

    scenarios, rows_s, rows_cpu_s = timed(rows)
    print(
        f"\n{dose.rows.shape[1]} liver voxels, {SITES} sites, {count} scenarios, {len(basis.maps)} sources in "
        f"{len(basis.columns)} voxels; load {load():.1f}\nbasis {basis_s:.1f} s; rows of all scenarios {rows_s:.1f} s "
        f"({rows_cpu_s:.1f} s CPU)\n{'plan':44s} {'Gy':>8} {'gap %':>8} sites {'model s':>8} {'solve s':>8} "
        f"{'CPU s':>7} {'nodes':>6} {'nominal s':>9}",
        flush=True,
    )
    return dose, scenarios, uncertainty


def bench(voxels: int, count: int, plans: int) -> None:
    """Time the plans of one phantom."""
    dose, scenarios, uncertainty = prepared(voxels, count)
    for name, goal, percent, probability in PLANS[:plans]:
        asked = replace(uncertainty, worst_percent=percent, probability=probability)
        problem = maximize(goal).subject_to(*LIMITS)
        (over, _), model_s, model_cpu_s = timed(lambda: robust_problem(problem, scenarios, asked))  # noqa: B023
        found, solve_s, cpu_s = timed(lambda: solved(over, dose))  # noqa: B023
        _, nominal_s, _ = timed(lambda: solved(problem, dose))  # noqa: B023
        value = over.goal.value(dose, found.activities_gbq)
        nodes = found.choice.nodes if found.choice else 0
        print(
            f"{name:44s} {value:8.3f} {100 * (found.bound / value - 1):8.4f} "
            f"{np.count_nonzero(found.activities_gbq):5d} {model_s:8.2f} {solve_s:8.2f} {model_cpu_s + cpu_s:7.2f} "
            f"{nodes:6d} {nominal_s:9.2f}",
            flush=True,
        )


def main(arguments: list[str] | None = None) -> None:
    """Print every size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voxels", type=float, nargs="+", default=[1e5, 1e6])
    parser.add_argument("--scenarios", type=int, default=200)
    parser.add_argument("--plans", type=int, default=len(PLANS), help="only so many of the plans")
    options = parser.parse_args([] if arguments is None else arguments)
    print(f"Robust plans over all voxels and scenarios\n{machine()}")
    for voxels in options.voxels:
        bench(int(voxels), options.scenarios, options.plans)


if __name__ == "__main__":
    main(sys.argv[1:])
