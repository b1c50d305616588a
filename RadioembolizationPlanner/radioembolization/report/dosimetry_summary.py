"""What the command line prints of voxel S values and of the dose of an activity map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from radioembolization.dose.activity_dose import ActivityDose
from radioembolization.dose.structure_dose import StructureDose
from radioembolization.physics.s_value import SValues
from radioembolization.report.terminal import RESEARCH_USE_ONLY, terminal_console, terminal_table
from radioembolization.treatment import Notice


def kernel_summary(values: SValues, files: Mapping[str, Path]) -> None:
    """Print the S values of the source voxel and its nearest neighbours, what the kernel holds, and the files."""
    console, kernel, s = terminal_console(), values.kernel, values.s_mgy_per_mbq_s
    z, y, x = kernel.half_width
    table = terminal_table("Voxel S values", "offset (i, j, k along x, y, z)", "S [mGy/(MBq s)]")
    for i, j, k in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)):
        table.add_row(f"({i}, {j}, {k})", f"{s[z + k, y + j, x + i]:.6g}")
    console.print(table)
    sides = " x ".join(f"{side:g}" for side in kernel.spacing_mm[::-1])
    console.print(
        f"{values.nuclide.name}, voxels of {sides} mm (x, y, z), {values.tissue.name} at "
        f"{kernel.density_g_per_cm3:g} g/cm3, {values.energy_mev_per_decay:.5f} MeV per decay ({values.convention}).",
        soft_wrap=True,
    )
    console.print(
        f"{s.size} voxels, complete to {values.radius_mm:g} mm, hold {values.share_inside:.2%} of the emitted energy; "
        f"{kernel.share_beyond:.2%} is absorbed beyond.",
        soft_wrap=True,
    )
    _end(files, console)


def dose_summary(
    result: ActivityDose,
    convention: str,
    structures: Sequence[StructureDose],
    notices: Sequence[Notice],
    files: Mapping[str, Path],
) -> None:
    """Print the dose of structures, the energy balance, the notices and the files."""
    console = terminal_console()
    if structures:
        console.print(_structures(structures))
    peak = np.unravel_index(int(result.dose.array.argmax()), result.dose.array.shape)
    medium = "" if isinstance(result.voxel_kg, float) else " (activity-weighted mean; mass of each voxel its own)"
    lines = [
        f"{result.activity_gbq:.4g} GBq of {result.nuclide.name} in the map, all decays in place; "
        f"{result.emitted_j / result.activity_gbq:.5g} J/GBq ({convention}).",
        f"Method: {result.method} ({result.reason}).",
        f"Medium: {result.tissue.name} at {result.density_g_per_cm3:.4g} g/cm3{medium}.",
        f"Energy: {result.emitted_j:.5g} J emitted, {result.absorbed_j:.5g} J absorbed on the grid; "
        f"{max(result.escaped_share, 0.0):.2%} elsewhere ({result.beyond_kernel_share:.2%} beyond the kernel).",
        f"Highest dose: {result.dose.array.max():.4g} Gy at voxel (x, y, z) = {tuple(int(i) for i in peak[::-1])}.",
    ]
    lines += [f"{notice.name}: {notice.message}" for notice in notices]
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)
    _end(files, console)


def _structures(structures: Sequence[StructureDose]) -> object:
    names = ("mL", "mean", "min", "max", "D98", "D95", "D90", "D70", "D50", "D2", "V50 %", "V100 %")
    table = terminal_table("Absorbed dose, in Gy", "structure", *names)
    for column in table.columns[1:]:
        column.justify = "right"
    for s in structures:
        doses = (s.mean_gy, s.min_gy, s.max_gy, s.d98_gy, s.d95_gy, s.d90_gy, s.d70_gy, s.d50_gy, s.d2_gy)
        shares = (s.v50_percent, s.v100_percent)
        figures = [_gy(dose) for dose in doses]
        table.add_row(s.name, f"{s.volume_ml:.1f}", *figures, *(f"{share:.1f}" for share in shares))
    return table


def _gy(dose: float) -> str:
    """Return a dose [Gy] with four digits."""
    if dose < 0.01:
        return "<0.01" if dose > 0.0 else "0"
    return f"{dose:.0f}" if dose >= 1000.0 else f"{dose:#.4g}"


def _end(files: Mapping[str, Path], console: object) -> None:
    for what, path in files.items():
        console.print(f"{what:14s} {path}", markup=False, soft_wrap=True)  # type: ignore[attr-defined]
    console.print(RESEARCH_USE_ONLY)  # type: ignore[attr-defined]
