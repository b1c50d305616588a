"""Plans of synthetic patients against rules of thumb, and the energy balance of whole plans."""

from __future__ import annotations

import numpy as np
from page import table

from radioembolization.dose import dose_volume
from radioembolization.phantom import synthetic_case
from radioembolization.physics import DEVICES, Device
from radioembolization.planning.baselines import worst_tumour_figures
from radioembolization.treatment import Treatment, plan_treatment, prepare

SEEDS = range(1, 7)
TITLE = "Optimized plans against rules of thumb"
INTRO = """
Synthetic patients (3 mm, scout-driven, at most 4 injections of at least 0.1 GBq, limits of the device's preset for
metastases in both lobes), planned from a noisy, blurred scout SPECT. Each rule of thumb (equal activity per site; by
tumour volume in the territory; single compartment and partition model per site) is scaled to the tightest limit on
*every* choice of up to 4 of the 13 candidate sites, and the best of all of them is shown; the plan may take fewer
injections where that costs at most 2 %. Doses in Gy. The goal is the lowest mean dose of any tumour or tumour part;
mean and D70 are the lowest of any whole tumour; liver is the mean dose of all normal liver. Gap: between the best plan
with up to 4 injections and what is proved.

"""
COLUMNS = (
    "device",
    "seed",
    "tumours",
    "sites",
    "goal: plan",
    "best rule",
    "margin",
    "mean",
    "rule",
    "D70",
    "rule",
    "liver",
    "rule",
    "gap",
)
BALANCE = """
### Energy balance of these plans

Sum over the grid of mass x dose of the whole plan (computed in one pass on the full grid), against emitted energy x
activity x (1 - shunt). What the kernel carries out of the grid or beyond its reach is the stated rest.

"""
BALANCE_COLUMNS = (
    "device",
    "seed",
    "emitted [J]",
    "absorbed on the grid [J]",
    "rest as computed",
    "rest as stated by the dose rows",
)


def write() -> str:
    """Plan every seed with every device."""
    treatments = [
        (device, seed, plan_treatment(prepare(synthetic_case(seed, device=device))))
        for device in DEVICES
        for seed in SEEDS
    ]
    text = INTRO + table(COLUMNS, [_plan_row(*entry) for entry in treatments])
    balance = [_balance_row(*entry) for entry in treatments if entry[1] == SEEDS[0]]
    return text + BALANCE + table(BALANCE_COLUMNS, balance)


def _plan_row(device: Device, seed: int, treatment: Treatment) -> list[object]:
    plan, rows = treatment.plan, treatment.dose_per_gbq
    best = max((b for b in plan.baselines if b.limits_met), key=lambda b: b.goal_value)
    mean, d70 = worst_tumour_figures(rows, plan.activities_gbq)
    normal = next(s.mean_gy for s in plan.structures if s.name == "normal liver")
    doses = (mean, best.tumour_mean_gy, d70, best.tumour_d70_gy, normal, best.normal_liver_gy)
    return [
        device.name,
        seed,
        len(treatment.case.structures.tumours),
        len(plan.used_sites),
        f"{plan.goal.value:.1f}",
        f"{best.goal_value:.1f} ({best.name}, {len(best.sites)} sites)",
        f"{plan.goal.value / best.goal_value - 1:+.1%}",
        *(f"{dose:.1f}" for dose in doses),
        f"{plan.goal.gap:.0e}",
    ]


def _balance_row(device: Device, seed: int, treatment: Treatment) -> list[object]:
    plan, rows, structures = treatment.plan, treatment.dose_per_gbq, treatment.case.structures
    dose = dose_volume(treatment.case.territories, plan.settings, plan.activities_gbq)
    absorbed = float(dose.array.sum(dtype=float)) * structures.voxel_kg
    emitted = float(rows.emitted_j_per_gbq @ plan.activities_gbq)
    stated = float(np.sum(rows.escaped_share * rows.emitted_j_per_gbq * plan.activities_gbq)) / emitted
    rest = 1 - absorbed / emitted
    return [device.name, seed, f"{emitted:.3f}", f"{absorbed:.3f}", f"{rest:.3%}", f"{stated:.3%}"]
