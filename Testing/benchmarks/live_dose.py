"""Time the interactive loop: new activities, dose, histograms of 20 structures, display volume.

Prints, asserts nothing; the plain way (sum of full float64 volumes, one masked histogram per structure) is
measured in the same run.  Each grid runs in a process of its own with BLAS on one thread.  The phantom is
analytic: an ellipsoidal liver cut into leaves, their dose blurred by a Gaussian, all borders partly covered.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage

from radioembolization.dose import LiveDose, LiveResult, LiveStructure, exact_dvh
from radioembolization.dose.dvh import bin_width_gy
from radioembolization.dose.live_histograms import LiveHistograms
from radioembolization.images import Grid

GRIDS = {
    "2mm": Grid((200, 256, 256), (2.0, 2.0, 2.0)),
    "ct": Grid((300, 512, 512), (1.0, 0.9, 0.9)),
}
LEAVES, SITES, TUMOURS, ORGANS = 10, 16, 3, 4
_SEMIAXES_MM = np.array([72.0, 68.0, 90.0])
_BLUR_MM, _REACH_MM = 3.5, 11.0
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@dataclass(frozen=True, eq=False)
class Phantom:
    """Dose rows (leaves, voxels) [Gy/GBq], flat positions, structures, and what each site puts in each leaf."""

    grid: Grid
    rows: np.ndarray
    voxels: np.ndarray
    structures: tuple[LiveStructure, ...]
    site_to_leaf: np.ndarray


def phantom(grid: Grid) -> Phantom:
    """Return the analytic phantom on a grid."""
    random = np.random.default_rng(1)
    spacing = np.array(grid.spacing_mm)
    centre = (np.array(grid.shape) - 1) / 2.0
    half = np.ceil((_SEMIAXES_MM + _REACH_MM + 2.0) / spacing).astype(int)
    low = (centre - half).astype(int)
    box = tuple(2 * half + 2)
    axes = [
        ((np.arange(n) + a - c) * s).astype(np.float32) for n, a, c, s in zip(box, low, centre, spacing, strict=True)
    ]
    z, y, x = np.meshgrid(*axes, indexing="ij", sparse=True)

    def ball(at: np.ndarray, semiaxes: np.ndarray) -> np.ndarray:
        """Covered share of an ellipsoid: signed distance to its surface in voxels, cut to 0 and 1."""
        radius = np.sqrt(sum(((a - c) / s) ** 2 for a, c, s in zip((z, y, x), at, semiaxes, strict=True)))
        return np.clip(0.5 + (1.0 - radius) * semiaxes.min() / spacing.mean(), 0.0, 1.0).astype(np.float32)

    liver = ball(np.zeros(3), _SEMIAXES_MM)
    seeds = random.uniform(-0.7, 0.7, (LEAVES, 3)) * _SEMIAXES_MM
    distances = (sum((a - c) ** 2 for a, c in zip((z, y, x), seed, strict=True)) for seed in seeds)
    leaf, nearest = np.zeros(box, dtype=np.int8), np.full(box, np.inf, dtype=np.float32)
    for number, distance in enumerate(distances):
        closer = distance < nearest
        leaf[closer], nearest[closer] = number, distance[closer]
    tumours = [ball(seeds[k], np.full(3, r)) * liver for k, r in zip((1, 4, 6), (22.0, 15.0, 10.0), strict=True)]
    organs = [ball(random.uniform(-1.0, 1.0, 3) * _SEMIAXES_MM, np.full(3, r)) for r in (20.0, 25.0, 30.0, 40.0)]
    pattern = liver * random.uniform(0.7, 1.3, box).astype(np.float32) * (1.0 + 2.0 * sum(tumours))

    def blurred(number: int) -> np.ndarray:
        source = np.where(leaf == number, pattern, np.float32(0.0))
        spread = ndimage.gaussian_filter(source, _BLUR_MM / spacing, mode="constant", truncate=_REACH_MM / _BLUR_MM)
        return spread * np.float32(50.0 / (source.sum(dtype=float) * grid.voxel_ml * 1.06e-3))

    leaf_boxes = [blurred(number) for number in range(LEAVES)]
    inside = np.flatnonzero(sum(leaf_boxes) > 1e-6 * max(b.max() for b in leaf_boxes))
    rows = np.stack([b.ravel()[inside] for b in leaf_boxes])
    position = [p + a for p, a in zip(np.unravel_index(inside, box), low, strict=True)]
    shares = {"liver": liver, "normal liver": np.clip(liver - sum(tumours), 0.0, 1.0)}
    shares |= {f"tumour {k}": share for k, share in enumerate(tumours)}
    shares |= {f"organ {k}": share for k, share in enumerate(organs)}
    shares |= {f"leaf {k}": np.where(leaf == k, liver, 0.0) for k in range(LEAVES)}
    shares |= {"outside": 1.0 - liver}
    site_to_leaf = np.zeros((SITES, LEAVES))
    for site in range(SITES):  # each leaf, then growing unions of them
        fed = np.arange(LEAVES) == site if site < LEAVES else np.arange(LEAVES) < 2 * (site - LEAVES + 1)
        site_to_leaf[site] = fed / fed.sum()
    structures = tuple(_structure(name, share.ravel()[inside]) for name, share in shares.items())
    return Phantom(grid, rows, np.ravel_multi_index(position, grid.shape), structures, site_to_leaf)


def _structure(name: str, share: np.ndarray) -> LiveStructure:
    voxels = np.flatnonzero(share > 0.0)
    return LiveStructure(name, voxels, share[voxels])


def timed(work: Callable[[], object], runs: int) -> tuple[float, float]:
    """Return the median wall and CPU time of a call [ms]; the first call is not counted."""
    work()
    times = []
    for _ in range(runs):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        times.append((time.perf_counter() - wall, time.process_time() - cpu))
    wall_ms, cpu_ms = 1e3 * np.median(times, axis=0)
    return float(wall_ms), float(cpu_ms)


def plain_ms(case: Phantom, activities_gbq: np.ndarray, bins: int, volumes: int) -> tuple[float, float]:
    """Return the wall time [ms] of summing float64 volumes of all sites, and of masked histograms.

    Only some volumes are held and summed; the sum is scaled to the number of sites.
    """
    site_rows = case.site_to_leaf @ case.rows
    full = np.zeros((volumes, case.grid.voxels))
    full[:, case.voxels] = site_rows[-volumes:]
    masks = np.zeros((len(case.structures), case.grid.voxels), dtype=bool)
    for mask, structure in zip(masks, case.structures, strict=True):
        mask[case.voxels[structure.voxels[structure.shares >= 0.5]]] = True
    dose = np.zeros(case.grid.voxels)

    def total() -> None:
        dose[...] = 0.0
        for activity, volume in zip(activities_gbq, full, strict=False):
            dose[...] += activity * volume

    summed, _ = timed(total, 2)
    counted, _ = timed(lambda: [np.histogram(dose[mask], bins=bins) for mask in masks], 1)
    return summed * SITES / volumes, counted


def deviations(case: Phantom, result: LiveResult) -> tuple[float, float]:
    """Return the largest deviation from the exact histograms: of Dx in bins, and of Vx at the edges."""
    worst_dose, worst_share = 0.0, 0.0
    for structure, shares in zip(case.structures, result.volume_share, strict=True):
        doses = result.dose_gy[structure.voxels]
        exact = exact_dvh(doses, structure.covered_share, voxel_ml=case.grid.voxel_ml, name=structure.name)
        binned = result.dvh(structure.name)
        worst_share = max(worst_share, np.abs(exact.shares_at(result.edges_gy) - shares).max())
        for share in (0.0, 0.02, 0.05, 0.5, 0.7, 0.95, 0.98, 1.0):
            worst_dose = max(worst_dose, abs(binned.dose_at_volume(share) - exact.dose_at_volume(share)))
    return worst_dose / result.bin_gy, worst_share


def traced_mb(work: Callable[[], object]) -> float:
    """Return the highest memory numpy takes during a call [MB]."""
    tracemalloc.start()
    work()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 1e6


def bench(name: str, bins: int, runs: int) -> None:
    """Time one grid and print it."""
    case = phantom(GRIDS[name])
    activities = np.random.default_rng(2).uniform(0.1, 1.0, SITES)
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    print(
        f"\n{name}: grid {case.grid.shape}, {len(case.voxels)} voxels in range, {len(case.structures)} structures, "
        f"{bins} bins; load {load} on {os.cpu_count()} CPUs, median of {runs}"
    )
    loops = {}
    for title, rows, weights in (
        (f"{SITES} sites by {LEAVES} leaves", case.rows, case.site_to_leaf),
        (f"{SITES} sites, dense rows", (case.site_to_leaf @ case.rows).astype(np.float32), None),
    ):
        live = LiveDose(rows, case.voxels, case.grid, case.structures, site_to_source=weights, bins=bins)
        loops[title] = _print_stages(title, case, live, rows, activities, bins, runs)
    volumes = SITES if name == "2mm" else 2
    summed, counted = plain_ms(case, activities, bins, volumes)
    scaled = "" if volumes == SITES else f" (measured with {volumes} volumes, scaled to {SITES})"
    ratios = ", ".join(f"{(summed + counted) / wall:.0f} x {title}" for title, wall in loops.items())
    print(f"  plain way: {SITES} volumes {summed:.0f} ms{scaled} + masked histograms {counted:.0f} ms = {ratios}")


def _print_stages(
    title: str, case: Phantom, live: LiveDose, rows: np.ndarray, activities: np.ndarray, bins: int, runs: int
) -> float:
    """Print the stages and the whole loop; return the wall time of the loop [ms]."""
    of_source = (activities @ case.site_to_leaf if len(rows) == LEAVES else activities).astype(np.float32)
    dose, volume = np.zeros(rows.shape[1], dtype=np.float32), np.zeros(case.grid.voxels, dtype=np.float32)
    histograms = LiveHistograms(case.structures, rows.shape[1], bins)
    np.dot(of_source, rows, out=dose)
    bin_gy = bin_width_gy(float(dose.max()), bins)
    stages = {
        "dose": lambda: np.dot(of_source, rows, out=dose),
        "histograms": lambda: histograms.count(dose, bin_gy),
        "display volume": lambda: volume.__setitem__(case.voxels, dose),
        "whole loop, with cumulative curves": lambda: live.update(activities).volume_share,
    }
    times = {stage: timed(work, runs) for stage, work in stages.items()}
    partly = sum(int(np.count_nonzero(s.shares < 1.0)) for s in case.structures)
    print(f"  {title}: {histograms.atoms} atoms, {partly} partly covered voxels")
    for stage, (wall, cpu) in times.items():
        print(f"    {stage:36s} wall {wall:7.2f} ms   CPU {cpu:7.2f} ms")
    dose_bins, shares = deviations(case, live.update(activities))
    kept = (live.nbytes - volume.nbytes - rows.nbytes) / 1e6
    more = traced_mb(lambda: live.update(activities))
    print(
        f"    against exact histograms: Dx {dose_bins:.3f} bins, Vx at the edges {shares:.1e}\n"
        f"    memory: rows {rows.nbytes / 1e6:.0f} MB, display volume {volume.nbytes / 1e6:.0f} MB, "
        f"other {kept:.0f} MB; an update takes {more:.1f} MB more"
    )
    return times["whole loop, with cumulative curves"][0]


def main(arguments: list[str] | None = None) -> None:
    """Print both grids, or those named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grid", choices=list(GRIDS), nargs="+", default=list(GRIDS))
    parser.add_argument("--bins", type=int, default=4096)
    parser.add_argument("--runs", type=int, default=25)
    parser.add_argument("--here", action="store_true", help="in this process, with its number of threads")
    options = parser.parse_args([] if arguments is None else arguments)
    for grid in options.grid:
        if options.here:
            bench(grid, options.bins, options.runs)
            continue
        command = [sys.executable, str(Path(__file__).resolve()), "--here", "--grid", grid]
        command += ["--bins", str(options.bins), "--runs", str(options.runs)]
        subprocess.run(command, check=True, env=os.environ | dict.fromkeys(_ONE_THREAD, "1"))


if __name__ == "__main__":
    main(sys.argv[1:])
