"""Time the stages of the river on the synthetic patient, then dose engine, live doses, plans, trade-offs, courses,
territories.

Run by ``make bench``; prints, asserts nothing.  ``--spacing 3 2`` chooses the voxel sizes [mm] of the first part.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable

import course
import dose_engine
import live_dose
import numpy as np
import pareto
import planning
import robust
import territories
import vials
from scipy import signal

from radioembolization.dose import compute_dose_per_gbq
from radioembolization.phantom import synthetic_case
from radioembolization.physics import voxel_kernel
from radioembolization.treatment import Case, plan_treatment, prepare


def seconds(work: Callable[[], object], runs: int) -> float:
    """Return the median wall time of a call [s]."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def convolve_whole_grid(case: Case) -> None:
    """Convolve every site in float64 on the whole grid, as a plain script would."""
    settings, structures = case.inputs.settings, case.structures
    kernel = voxel_kernel(settings.device.nuclide, structures.grid.spacing_mm, structures.density_g_per_cm3)
    for site in range(len(case.sites)):
        signal.fftconvolve(case.territories.fraction_map(site), kernel.energy_share, mode="same")


def bench(spacing_mm: float) -> None:
    """Time one voxel size."""
    inputs = synthetic_case(1, spacing_mm=max(2.0, spacing_mm), planning_spacing_mm=spacing_mm)
    case = prepare(inputs)
    prepared = seconds(lambda: prepare(inputs), 3)
    rows = seconds(lambda: compute_dose_per_gbq(case.territories, inputs.settings), 3)
    plain = seconds(lambda: convolve_whole_grid(case), 3)
    dose = compute_dose_per_gbq(case.territories, inputs.settings)
    problem = inputs.prescription.problem(inputs.settings.device)
    solved = seconds(lambda: problem.solve(dose), 3)
    whole = seconds(lambda: plan_treatment(case), 1)
    print(
        f"{spacing_mm:7.2f} {case.structures.grid.voxels:10d} {dose.rows.shape[1]:9d} {len(case.sites):5d} "
        f"{prepared:9.2f} {rows:9.2f} {plain:9.2f} {plain / rows:7.1f} {solved:9.2f} {whole:9.2f}"
    )


def main() -> None:
    """Print one row for each voxel size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spacing", type=float, nargs="+", default=[4.0, 3.0, 2.0])
    options = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} CPUs; wall seconds, median of 3")
    print(
        "   [mm]     voxels   in rows sites   prepare dose rows plain fft   ratio  solve+baselines  all after prepare"
    )
    for spacing_mm in options.spacing:
        bench(spacing_mm)
    print(flush=True)
    dose_engine.main([])
    live_dose.main([])
    planning.main([])
    robust.main([])
    pareto.main([])
    vials.main([])
    course.main([])
    territories.main()


if __name__ == "__main__":
    main()
