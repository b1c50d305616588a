"""Time the interactive loop: new activities, dose, histograms of 20 structures, display volume.

Prints, asserts nothing; the plain way (sum of full float64 volumes, one masked histogram per structure) is
measured in the same run.  Each grid runs in a process of its own with BLAS on one thread.  The rows are those
that the dose engine computes for the liver of the synthetic patient.
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
from phantoms import GRIDS, SITES, on_grid, synthetic_liver

from radioembolization.dose import Columns, LiveDose, LiveResult, LiveStructure, SiteMaps, exact_dvh
from radioembolization.dose.dvh import bin_width_gy
from radioembolization.dose.live_histograms import LiveHistograms
from radioembolization.dose.site_maps import compute_site_maps
from radioembolization.images import Grid
from radioembolization.physics import GLASS_Y90, LIVER, Y90, Convention, two_scale_kernel

#: Longest the whole loop should take [ms].
GOALS_MS = {"2 mm": 10.0, "CT": 50.0}
STRUCTURES = 20
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@dataclass(frozen=True, eq=False)
class EngineRows:
    """What the engine gives: dose rows (leaves, voxels) and (sites, voxels) [Gy/GBq], and their structures.

    The rows of the leaves are without the photon tail, those of the sites with it.
    """

    grid: Grid
    rows: np.ndarray
    site_rows: np.ndarray
    voxels: np.ndarray
    structures: tuple[LiveStructure, ...]
    site_to_leaf: np.ndarray


def engine_rows(grid: Grid) -> EngineRows:
    """Return the dose of the synthetic patient's liver wherever electrons reach; all borders partly covered."""
    phantom = on_grid(synthetic_liver(), grid, margin_mm=20.0)
    kernel = two_scale_kernel(Y90, grid.spacing_mm, LIVER.density_g_per_cm3, LIVER)
    maps = compute_site_maps(phantom.fractions, grid.shape, kernel)
    voxels = maps.reached()
    columns = Columns(voxels, grid.shape)
    gy_per_gbq = np.float32(GLASS_Y90.energy_j_per_gbq(Convention.CLINICAL))
    gy_per_gbq /= np.float32(grid.voxel_ml * 1e-3 * LIVER.density_g_per_cm3)
    leaves = SiteMaps(grid.shape, maps.near, np.eye(len(maps.near), dtype=np.float32))
    index = np.unravel_index(voxels, grid.shape)
    place = tuple(i - part.start for i, part in zip(index, phantom.box, strict=True))
    masks = {"liver": phantom.liver.leaf >= 0, **phantom.liver.parts}
    masks |= {f"leaf {k}": phantom.liver.leaf == k for k in range(len(maps.near))}
    shares = {name: phantom.share_in_box(mask)[place] for name, mask in masks.items()}
    shares["outside"] = 1.0 - shares["liver"]
    structures = [_structure(name, share) for name, share in shares.items() if share.any()]
    return EngineRows(
        grid,
        leaves.at(columns) * gy_per_gbq,
        maps.at(columns) * gy_per_gbq,
        voxels,
        tuple(structures[:STRUCTURES]),
        maps.weights.astype(float),
    )


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


def plain_ms(case: EngineRows, activities_gbq: np.ndarray, bins: int, volumes: int) -> tuple[float, float]:
    """Return the wall time [ms] of summing float64 volumes of all sites, and of masked histograms.

    Only some volumes are held and summed; the sum is scaled to the number of sites.
    """
    full = np.zeros((volumes, case.grid.voxels))
    full[:, case.voxels] = case.site_rows[-volumes:]
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


def deviations(case: EngineRows, result: LiveResult) -> tuple[float, float]:
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
    case = engine_rows(GRIDS[name])
    activities = np.random.default_rng(2).uniform(0.1, 1.0, SITES)
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    print(
        f"\n{name}: grid {case.grid.shape}, {len(case.voxels)} voxels in range, {len(case.structures)} structures, "
        f"{bins} bins; load {load} on {os.cpu_count()} CPUs, median of {runs}"
    )
    loops = {}
    for title, rows, weights in (
        (f"{SITES} sites by {len(case.rows)} leaves", case.rows, case.site_to_leaf),
        (f"{SITES} sites, dense rows", case.site_rows, None),
    ):
        live = LiveDose(rows, case.voxels, case.grid, case.structures, site_to_source=weights, bins=bins)
        loops[title] = _print_stages(title, case, live, rows, activities, bins, runs)
        met = "met" if loops[title] <= GOALS_MS[name] else "NOT MET"
        print(f"    whole loop: goal {GOALS_MS[name]:.0f} ms {met}")
    volumes = SITES if name == "2 mm" else 2
    summed, counted = plain_ms(case, activities, bins, volumes)
    scaled = "" if volumes == SITES else f" (measured with {volumes} volumes, scaled to {SITES})"
    ratios = ", ".join(f"{(summed + counted) / wall:.0f} x {title}" for title, wall in loops.items())
    print(f"  plain way: {SITES} volumes {summed:.0f} ms{scaled} + masked histograms {counted:.0f} ms = {ratios}")


def _print_stages(
    title: str, case: EngineRows, live: LiveDose, rows: np.ndarray, activities: np.ndarray, bins: int, runs: int
) -> float:
    """Print the stages and the whole loop; return the wall time of the loop [ms]."""
    of_source = (activities @ case.site_to_leaf if rows is case.rows else activities).astype(np.float32)
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
    parser.add_argument("--grid", choices=list(GOALS_MS), nargs="+", default=list(GOALS_MS))
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
