"""Time territories of 64 branches in an adult's liver; beside one fast-marching run for each branch.

Prints, asserts nothing.  The fast marching is SimpleITK's on the box of the liver, one run for each branch, and the
least of them in every voxel: sharp nearest-branch territories, as plain scripts make them.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from timing import load, machine

from radioembolization.phantom import synthetic_patient
from radioembolization.territories.branches.branch_territories import FlowWeighted, NearestBranch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from star_tree import star_tree

BRANCHES = 64
MODELS = {
    "nearest": NearestBranch(),
    "by flow": FlowWeighted(),
    "by flow, sharp": FlowWeighted(watershed_mm=0.0),
}


def fast_marching(tree, liver, grid) -> np.ndarray:
    """Return the branch that a front inside the liver comes from first (z, y, x)."""
    found = np.argwhere(liver)
    low, high = found.min(axis=0), found.max(axis=0) + 1
    speed = sitk.GetImageFromArray(liver[tuple(map(slice, low, high))].astype(np.float32))
    speed.SetSpacing(grid.spacing_mm[::-1])
    least = np.full(tuple(high - low), np.inf, dtype=np.float32)
    nearest = np.zeros(tuple(high - low), dtype=np.int16)
    for number, terminal in enumerate(tree.terminal_stretches):
        index = np.rint(grid.to_index(tree.stretch_points_lps_mm(terminal))).astype(int) - low
        index = np.clip(index, 0, high - low - 1)
        points = [[int(n) for n in point[::-1]] for point in np.unique(index, axis=0)]
        arrival = sitk.GetArrayFromImage(sitk.FastMarching(speed, points, stoppingValue=1e4))
        nearer = arrival < least
        least[nearer], nearest[nearer] = arrival[nearer], number
    return nearest


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return wall and CPU time of a call [s]."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def bench(spacing_mm: float) -> None:
    """Time one voxel size."""
    patient = synthetic_patient(1, spacing_mm=spacing_mm)
    liver, grid = patient.masks["liver"], patient.ct.grid
    tree, voxels = star_tree(liver, grid, BRANCHES), np.count_nonzero(liver)
    marched, _ = timed(lambda: fast_marching(tree, liver, grid))
    print(f"{spacing_mm:4.1f} mm, {voxels} voxels of liver; fast marching of each branch {marched:.2f} s")
    for name, model in MODELS.items():
        wall, cpu = timed(lambda model=model: model.territories(tree, liver, grid))
        print(
            f"  {name:16s} {wall:6.2f} s, CPU {cpu:6.2f} s, {1e6 * wall / voxels:6.1f} us a voxel; fast marching "
            f"takes {marched / wall:5.1f} x as long",
            flush=True,
        )


def main() -> None:
    """Print every size."""
    print(f"Territories of {BRANCHES} branches\n{machine()}; load {load():.1f}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for spacing_mm in (4.0, 3.0, 2.0):
            bench(spacing_mm)


if __name__ == "__main__":
    main()
