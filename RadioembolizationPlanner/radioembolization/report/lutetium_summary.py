"""What the command line prints of the doses after an administration of 177Lu."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from radioembolization.course.lutetium_dose import RegionDose
from radioembolization.course.uptake import RegionUptake
from radioembolization.dose.activity_dose import ActivityDose
from radioembolization.report.formats import fixed, ml, significant
from radioembolization.report.terminal import RESEARCH_USE_ONLY, terminal_console, terminal_table
from radioembolization.treatment import Notice


def lutetium_summary(
    result: ActivityDose,
    doses: Sequence[RegionDose],
    uptakes: Sequence[RegionUptake],
    notices: Sequence[Notice],
    files: Mapping[str, Path],
) -> None:
    """Print the dose of each region, its dose per activity, how it was found, the notices and the files."""
    console = terminal_console()
    console.print(_doses(doses))
    if uptakes:
        console.print(_uptakes(uptakes))
    lines = [f"{dose.name}: {dose.integral.method}." for dose in doses]
    lines += [
        "1 SD: of the time-integrated activity alone, not of calibration, segmentation or partial volume.",
        "Sphere: self dose of a sphere of the same mass; dose by voxels includes cross-fire.",
        f"Method: {result.method} ({result.reason}); {result.tissue.name} at {result.density_g_per_cm3:.4g} g/cm3; "
        f"{max(result.escaped_share, 0.0):.1%} of the energy is absorbed outside the map.",
    ]
    lines += [f"{notice.name}: {notice.message}" for notice in notices]
    lines += [f"{what:14s} {path}" for what, path in files.items()]
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)
    console.print(RESEARCH_USE_ONLY)


def _doses(doses: Sequence[RegionDose]) -> Any:
    columns = ("volume [mL]", "TIA [GBq h]", "half-life [h]", "mean [Gy]", "1 SD [Gy]", "sphere [Gy]", "D90 [Gy]")
    table = terminal_table("Dose after 177Lu", "structure", *columns)
    for dose in doses:
        table.add_row(
            dose.name,
            ml(dose.figures.volume_ml),
            significant(dose.integral.gbq_h),
            fixed(dose.integral.effective_half_life_h, 1),
            significant(dose.mean_gy),
            "unknown" if dose.sd_gy is None else significant(dose.sd_gy, 2),
            significant(dose.sphere_gy),
            significant(dose.figures.d90_gy),
        )
    return table


def _uptakes(uptakes: Sequence[RegionUptake]) -> Any:
    table = terminal_table("Dose per activity", "structure", "[Gy/GBq]", "1 SD [Gy/GBq]", "half-life [h]", "from")
    for uptake in uptakes:
        table.add_row(
            uptake.region,
            significant(uptake.gy_per_gbq.value),
            "unknown" if uptake.sd_gy_per_gbq is None else significant(uptake.sd_gy_per_gbq, 2),
            fixed(uptake.effective_half_life_h.value, 1),
            str(uptake.origin),
        )
    return table
