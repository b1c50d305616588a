"""Time the choice of whole vials and sites over all voxels, proved; beside HiGHS with a binary per site and vial.

Prints, asserts nothing.  *Free*: the best plan with any activities, which the search starts from; *vials*: the proved
best of 13 sizes at no more than four sites.  The mixed-integer program gets the planes that the search has found, the
vials it chose among, and as an upper bound of time ``--mip-limit``; it sees no voxel, so that its time is what is left
if someone else has already found the planes.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import highspy
import numpy as np
from timing import load, machine

from radioembolization.dose import DosePerGBq, DoseSettings, single_threaded_products
from radioembolization.physics import GLASS_Y90
from radioembolization.planning import (
    Effort,
    HottestMean,
    InjectionSites,
    Limit,
    LowestDose,
    LungDose,
    MeanDose,
    VialCalendar,
    choose_vials,
    maximize,
)
from radioembolization.planning.effort import Watch
from radioembolization.planning.vial_levels import levels_of_sites
from radioembolization.planning.vial_search import VialSearch
from radioembolization.planning.vial_whole import free_model, search_vials

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from planning_phantom import planning_phantom

SITES = 32
MEAN, LUNGS = MeanDose("normal liver").at_most(gy=50), LungDose().at_most(gy=30)
HOTTEST = HottestMean("normal liver", percent=30).at_most(gy=60)
FOUR = InjectionSites().at_most(count=4)
CASES: dict[str, tuple[Limit, ...]] = {
    "mean limits": (MEAN, LUNGS, FOUR),
    "and hottest 30 %": (MEAN, LUNGS, HOTTEST, FOUR),
}
CALIBRATED = datetime(2026, 3, 1, 12, tzinfo=UTC)
INJECTED = CALIBRATED + timedelta(hours=60)
SIZES_GBQ = tuple(round(0.2 + 0.2 * k, 1) for k in range(13))
CALENDAR = VialCalendar.of(GLASS_Y90, [CALIBRATED], SIZES_GBQ)


def searched(dose: DosePerGBq, limits: tuple[Limit, ...]) -> tuple[VialSearch, float, float, float]:
    """Return the finished search, the score with any activities, and the times of both parts [s]."""
    problem, watch = maximize(LowestDose()).subject_to(*limits), Watch(Effort(fewer_within=None))
    start = time.perf_counter()
    with single_threaded_products():
        model = free_model(problem, dose, np.ones(SITES, dtype=bool), watch)
        free_s = time.perf_counter() - start
        levels = levels_of_sites(CALENDAR, (INJECTED,) * SITES, model.planes.cap_gbq)
        search, _ = search_vials(problem, model, levels, watch, 1)
    return search, model.best.score, free_s, time.perf_counter() - start - free_s


def mixed_integer(search: VialSearch, most: int, limit_s: float) -> tuple[float, float, str]:
    """Return score, time [s] and status of HiGHS on the planes of a finished search."""
    rows = search.planes.master.rows()
    pairs = [(site, gbq) for site, levels in enumerate(search.levels_gbq) for gbq in levels]
    site_of, gbq = np.array([site for site, _ in pairs]), np.array([value for _, value in pairs])
    highspy.Highs.resetGlobalScheduler(True)
    solver, count = highspy.Highs(), len(pairs)
    for option, value in {
        "output_flag": False,
        "parallel": "off",
        "mip_rel_gap": 1e-6,
        "mip_abs_gap": 1e-6,
        "time_limit": limit_s,
    }.items():
        solver.setOptionValue(option, value)
    solver.addVars(count + 1, np.zeros(count + 1), np.append(np.ones(count), 1e5))
    solver.changeColsCost(1, np.array([count], dtype=np.int32), np.array([-1.0]))
    columns = np.arange(count, dtype=np.int32)
    solver.changeColsIntegrality(count, columns, np.full(count, highspy.HighsVarType.kInteger))
    infinite = highspy.kHighsInf
    for row, right, term in zip(rows.matrix, rows.right, rows.term, strict=True):
        places, values = columns, row[site_of] * gbq
        if term >= 0:
            places, values = np.append(columns, np.int32(count)), np.append(values, 1.0)
        solver.addRow(-infinite, float(right), len(places), places.astype(np.int32), values)
    for site in range(SITES):
        own = columns[site_of == site]
        solver.addRow(-infinite, 1.0, len(own), own, np.ones(len(own)))
    solver.addRow(-infinite, float(most), count, columns, np.ones(count))
    start = time.perf_counter()
    solver.run()
    wall_s = time.perf_counter() - start
    return -solver.getInfo().objective_function_value, wall_s, solver.modelStatusToString(solver.getModelStatus())


def bench(voxels: int, mip_limit_s: float) -> None:
    """Time both cases on one phantom."""
    dose = replace(planning_phantom(voxels, SITES), settings=DoseSettings(GLASS_Y90))
    print(f"\n{dose.rows.shape[1]} voxels, {SITES} sites, {len(SIZES_GBQ)} sizes; load {load():.1f}")
    for name, limits in CASES.items():
        _, _, free_s, vials_s = searched(replace(dose), limits)  # with nothing kept from before
        cpu = time.process_time()
        search, free, again_free_s, again_s = searched(dose, limits)
        cpu = time.process_time() - cpu
        print(
            f"{name:18s} free {free:8.3f} Gy, vials {search.score:8.3f} Gy, proved to {search.proved:.6f}; first "
            f"{free_s + vials_s:.2f} s (free {free_s:.2f}), again {again_free_s + again_s:.2f} s (free "
            f"{again_free_s:.2f}), CPU {cpu:.2f} s; {search.nodes} nodes, {search.evaluated} vial sets on all voxels",
            flush=True,
        )
        score, mip_s, status = mixed_integer(search, search.most, mip_limit_s)
        print(
            f"{'':18s} HiGHS on the same planes: {score:.3f} Gy, {status}, {mip_s:.2f} s = {mip_s / again_s:.1f} x the "
            f"search for vials, {mip_s / (again_free_s + again_s):.1f} x all of it",
            flush=True,
        )
    start = time.perf_counter()
    plan = choose_vials(maximize(LowestDose()).subject_to(*limits), dose, CALENDAR, INJECTED)
    wall_s = time.perf_counter() - start
    print(
        f"whole result with {len(plan.alternatives)} alternatives, window of use and plan: {wall_s:.2f} s", flush=True
    )


def main(arguments: list[str] | None = None) -> None:
    """Print every size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voxels", type=float, nargs="+", default=[1e5, 1e6])
    parser.add_argument("--mip-limit", type=float, default=120.0, help="of HiGHS [s]")
    options = parser.parse_args([] if arguments is None else arguments)
    print(f"Whole vials and sites together\n{machine()}")
    for voxels in options.voxels:
        bench(int(voxels), options.mip_limit)


if __name__ == "__main__":
    main(sys.argv[1:])
