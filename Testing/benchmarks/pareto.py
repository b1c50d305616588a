"""Time trade-offs over all voxels: a front, 20 proved points with few sites, a staircase; beside solving again.

Prints, asserts nothing.  *Again*: the front with the rows of each structure in memory.  The naive front solves a cvxpy
model of all tumour rows, with the bound as a parameter, for every one of 20 bounds.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import cvxpy as cp
import numpy as np
from timing import Method, load, machine, side_by_side

from radioembolization.dose import DosePerGBq
from radioembolization.planning import Effort, InjectionSites, LowestDose, LungDose, MeanDose, maximize
from radioembolization.planning.pareto import pareto_front
from radioembolization.planning.solve import optimize
from radioembolization.planning.staircase import staircase
from radioembolization.structures import Role

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from planning_phantom import planning_phantom

SITES, POINTS = 32, 20
MEAN, LUNGS = MeanDose("normal liver").at_most(gy=50), LungDose().at_most(gy=30)
PROBLEM = maximize(LowestDose()).subject_to(MEAN, LUNGS)
FOUR = PROBLEM.subject_to(InjectionSites().at_most(count=4))
PLAIN = Effort(fewer_within=None)
#: Largest phantom whose naive front is solved too.
_NAIVE_VOXELS = 100_000


def resolved(dose: DosePerGBq, bounds: np.ndarray) -> list[float]:
    """Return the best goal at every bound by one cvxpy model of all tumour rows, solved again and again."""
    activities, lowest, bound = cp.Variable(len(dose.site_names), nonneg=True), cp.Variable(), cp.Parameter()
    constraints = [dose.structure_row("normal liver") @ activities <= bound]
    constraints.append(dose.lung_gy_per_gbq @ activities <= LUNGS.bound)
    constraints += [dose.rows[:, t.voxels].T.astype(float) @ activities >= lowest for t in dose.with_role(Role.TUMOUR)]
    problem = cp.Problem(cp.Maximize(lowest), constraints)
    values = []
    for value in bounds:
        bound.value = float(value)
        problem.solve(solver=cp.HIGHS)
        values.append(float(problem.value))
    return values


def separately(dose: DosePerGBq, bounds: np.ndarray) -> list[float]:
    """Return the best goal at every bound, each planned anew over all voxels."""
    moved = [MeanDose("normal liver").at_most(gy=float(bound)) for bound in bounds]
    return [optimize(LowestDose(), (limit, LUNGS), dose, effort=PLAIN).optimum for limit in moved]


def bench(voxels: int) -> None:
    """Time everything on one phantom."""
    dose = planning_phantom(voxels, SITES)
    front = pareto_front(PROBLEM, dose, MEAN)
    bounds = np.linspace(front.points[0].limit_bound, front.points[-1].limit_bound, POINTS + 1)[1:]
    few = pareto_front(FOUR, dose, MEAN, points=POINTS)
    stairs = staircase(PROBLEM, dose)
    print(f"\n{voxels} voxels, {SITES} sites; load {load():.1f}")
    print(f"front: {len(front.points)} breakpoints up to {bounds[-1]:.0f} Gy, largest gap {100 * front.gap:.1e} %")
    print(f"at most 4 sites: {len(few.points)} points, largest gap {100 * few.gap:.1e} %")
    print(f"staircase: {len(stairs.steps)} steps, {', '.join(f'{step.value:.1f}' for step in stairs.steps)} Gy")
    ways: dict[str, tuple[Callable[[], object], int]] = {
        "front, every breakpoint": (lambda: pareto_front(PROBLEM, dose, MEAN), 7),
        "front from 20 to 60 Gy": (lambda: pareto_front(PROBLEM, dose, MEAN, (20.0, 60.0)), 7),
        "20 bounds planned one by one": (lambda: separately(dose, bounds), 3),
        "one plan without site rule (root)": (lambda: optimize(LowestDose(), PROBLEM.limits, dose, effort=PLAIN), 7),
        "20 points of at most 4 sites, root included": (lambda: pareto_front(FOUR, dose, MEAN, points=POINTS), 3),
        "staircase": (lambda: staircase(PROBLEM, dose), 3),
    }
    if voxels <= _NAIVE_VOXELS:
        ways["naive, cvxpy, tumour rows, 20 bounds"] = (lambda: resolved(dose, bounds), 1)
        difference = max(abs(front.value_at(b) / v - 1.0) for b, v in zip(bounds, resolved(dose, bounds), strict=True))
        print(f"largest relative difference from the naive model {difference:.1e}")
    timings = side_by_side([Method(name, work, rounds) for name, (work, rounds) in ways.items()])
    first = timings["front, every breakpoint"].wall_median_ms
    print(f"{'':46s} {'median ms':>10} {'least ms':>10} {'CPU ms':>10} {'x front':>8}")
    for name, timing in timings.items():
        ratio = timing.wall_median_ms / first
        print(f"{name:46s} {timing.wall_median_ms:10.1f} {timing.wall_min_ms:10.1f} {timing.cpu_ms:10.1f} {ratio:8.1f}")
    root = timings["one plan without site rule (root)"].cpu_ms
    whole = timings["20 points of at most 4 sites, root included"].cpu_ms
    print(f"20 points of at most 4 sites without a first root: {whole - root:.0f} ms CPU", flush=True)


def main(arguments: list[str] | None = None) -> None:
    """Print every size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voxels", type=float, nargs="+", default=[1e5, 1e6])
    options = parser.parse_args([] if arguments is None else arguments)
    print(f"Trade-offs over all voxels\n{machine()}")
    for voxels in options.voxels:
        bench(int(voxels))


if __name__ == "__main__":
    main(sys.argv[1:])
