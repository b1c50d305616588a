"""Voxel kernels against published and own tables of voxel S values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import figures
import numpy as np
import reference
from page import figure, percent, table

from radioembolization.physics import SOFT_TISSUE, Nuclide, SValues, Tissue, nuclide_by_name, voxel_s_values

Spacing = tuple[float, float, float]
Offset = tuple[int, int, int]
TITLE = "Voxel kernels"
INTRO = """
S values of the program (ICRP-107 energies) against tables, soft tissue of 1.04 g/cm3 with its depth factor. All in
mGy/(MBq s); offsets (z, y, x) of cubic voxels stand for all their images.

"""
#: Offsets of the comparison with Lanconelli et al.
OFFSETS: tuple[Offset, ...] = ((0, 0, 0), (0, 0, 1), (0, 1, 1), (1, 1, 1))
#: S values below this share of the self voxel were scored by too few histories to be compared.
_LEAST_SHARE = 1e-3
LANCONELLI = """### Lanconelli 2012 (10.1088/0031-9155/57/2/517)

EGSnrc, cubic voxels of {sides} mm. Deviation of the program over all sizes, smallest to largest; voxels below 0.1 % of
the self voxel left out.

"""
DEFECT = """
Known defect of that table: its self voxels of 177Lu, 188Re and 131I lack conversion electrons. `missing` is the
difference of the self voxels in energy per decay, mean and range over the sizes, beside what ICRP-107 lists. Their
neighbours agree; the 177Lu of the program is supported by an independent table of spheres, below.

"""
MIRD = """
### MIRD pamphlet 17 (1999) and DPM, as quoted with the tolerance of their user

"""
DIRECT = """
### Own direct Monte Carlo

PENELOPE 2018 in soft tissue, kept from earlier runs. Per case: number of offsets, deviation of the self voxel and of
the nearest neighbours; chi: root mean square of deviation over sigma, with 0.6 % of the value (composition) added to
sigma.

"""
MIRD_COLUMNS = ("source", "nuclide", "voxel mm", "offset", "table", "program", "deviation", "its tolerance")
DIRECT_COLUMNS = ("nuclide", "voxel mm (z, y, x)", "offsets", "self", "sigma", "neighbours", "chi")


def write() -> str:
    """Return the tables."""
    deviations = lanconelli_deviations()
    sides = [f"{side:g}" for side, _ in next(iter(deviations.values()))[0, 0, 0]]
    text = INTRO + LANCONELLI.format(sides=", ".join(sides))
    figures.lanconelli(deviations)
    text += table(("nuclide", *map(str, OFFSETS)), [_range_row(*entry) for entry in deviations.items()])
    text += figure("lanconelli.png", "Deviation of voxel S values from Lanconelli 2012, by voxel size")
    text += DEFECT + table(("nuclide", "missing keV", "conversion + Auger electrons keV"), _missing_rows())
    mird = reference.rows("vsv_mird17_and_dpm.csv")
    text += MIRD + table(MIRD_COLUMNS, [row for entry in mird if (row := _mird_row(entry))])
    return text + DIRECT + table(DIRECT_COLUMNS, direct_rows())


@lru_cache(maxsize=32)
def _values(nuclide: Nuclide, spacing: Spacing, density: float, tissue: Tissue) -> SValues:
    return voxel_s_values(nuclide, spacing, density, 5.4 * max(spacing), tissue)


def s_value(nuclide: Nuclide, spacing: Spacing, offset: Offset, tissue: Tissue = SOFT_TISSUE) -> float:
    """Return a voxel S value of the program at the density of a tissue [mGy/(MBq s)]; (z, y, x)."""
    values = _values(nuclide, spacing, tissue.density_g_per_cm3, tissue)
    z, y, x = (half + o for half, o in zip(values.kernel.half_width, offset, strict=True))
    return float(values.s_mgy_per_mbq_s[z, y, x])


def lanconelli_deviations() -> dict[str, dict[Offset, list[tuple[float, float]]]]:
    """Return (voxel side, program / table - 1), by nuclide and offset."""
    found: dict[str, dict[Offset, list[tuple[float, float]]]] = {}
    for row in _lanconelli_rows():
        side, value = float(row["voxel_mm"]), float(row["S_mGy_per_MBq_s"])
        nuclide, offset = nuclide_by_name(row["nuclide"]), _offset(row)
        whole = s_value(nuclide, (side, side, side), (0, 0, 0))
        ours = s_value(nuclide, (side, side, side), offset)
        series = found.setdefault(nuclide.name, {}).setdefault(offset, [])
        if ours > _LEAST_SHARE * whole:
            series.append((side, ours / value - 1.0))
    return found


def missing_kev(nuclide: Nuclide) -> np.ndarray:
    """Return the energy per decay that the self voxels of the table lack, by size [keV]."""
    missing = []
    for row in _lanconelli_rows():
        if row["nuclide"] == nuclide.name and _offset(row) == (0, 0, 0):
            side = float(row["voxel_mm"])
            ours = s_value(nuclide, (side, side, side), (0, 0, 0))
            share = _values(nuclide, (side, side, side), SOFT_TISSUE.density_g_per_cm3, SOFT_TISSUE)
            kev_per_s = share.kernel.energy_share.max() * nuclide.total_mev * 1e3 / ours
            missing.append((ours - float(row["S_mGy_per_MBq_s"])) * kev_per_s)
    return np.array(missing)


def _lanconelli_rows() -> list[Mapping[str, str]]:
    rows = reference.rows("vsv_lanconelli2012.csv")
    offsets = set(OFFSETS)
    return [_sorted(row) for row in rows if row["tissue"] == "soft" and _offset(_sorted(row)) in offsets]


def _range_row(nuclide: str, series: dict[Offset, list[tuple[float, float]]]) -> list[str]:
    cells = []
    for offset in OFFSETS:
        deviations = [100.0 * deviation for _, deviation in series[offset]]
        cells.append(f"{min(deviations):+.1f} to {max(deviations):+.1f} %" if deviations else "-")
    return [nuclide, *cells]


def _missing_rows() -> list[list[str]]:
    rows = []
    for name in ("Y-90", "Lu-177", "Re-188", "I-131"):
        nuclide = nuclide_by_name(name)
        kev = missing_kev(nuclide)
        listed = (nuclide.electron_mev - (nuclide.evaluations[0].beta_mev or 0.0)) * 1e3
        rows.append([name, f"{kev.mean():.1f} ({kev.min():.1f} to {kev.max():.1f})", f"{listed:.1f}"])
    return rows


def _mird_row(row: Mapping[str, str]) -> list[str] | None:
    """Return one row; None for a nuclide that the program does not know."""
    if row["nuclide"] == "Sr-89":
        return None
    ours = s_value(nuclide_by_name(row["nuclide"]), _spacing(row), _offset(row))
    sides, value = f"{row['dx_mm']} x {row['dy_mm']} x {row['dz_mm']}", row["S_mGy_per_MBq_s"]
    tolerance = f"{100 * float(row['tol']):g} %"
    deviation = percent(ours, float(value), 1)
    return [row["source"], row["nuclide"], sides, str(_offset(row)), value, f"{ours:.3g}", deviation, tolerance]


def direct_rows() -> list[list[str]]:
    """Return one row for each case of the own Monte Carlo table."""
    cases: dict[tuple[str, Spacing], list[Mapping[str, str]]] = {}
    for row in reference.rows("vsv_penelope_mc.csv"):
        if row["medium"] == "soft":
            cases.setdefault((row["nuclide"], _spacing(row)), []).append(row)
    return [_direct_row(nuclide_by_name(name), spacing, rows) for (name, spacing), rows in cases.items()]


def _direct_row(nuclide: Nuclide, spacing: Spacing, rows: Sequence[Mapping[str, str]]) -> list[str]:
    ours = np.array([s_value(nuclide, spacing, _offset(row)) for row in rows])
    table_values = np.array([float(row["S_mGy_per_MBq_s"]) for row in rows])
    sigma = np.array([float(row["rel_sigma"]) for row in rows])
    deviation = ours / table_values - 1.0
    near = [f"{100 * d:+.1f} %" for d, row in zip(deviation, rows, strict=True) if sum(_offset(row)) == 1]
    chi = np.sqrt(np.mean((deviation**2) / (sigma**2 + 0.006**2)))
    sides = " x ".join(f"{side:g}" for side in spacing)
    own = f"{100 * deviation[0]:+.2f} %"
    return [nuclide.name, sides, str(len(rows)), own, f"{100 * sigma[0]:.2f} %", ", ".join(near), f"{chi:.1f}"]


def _sorted(row: Mapping[str, str]) -> Mapping[str, str]:
    """Return a row with its offset in the order of ``OFFSETS``, the largest along x."""
    i, j, k = sorted((row["i"], row["j"], row["k"]), reverse=True)
    return {**row, "i": i, "j": j, "k": k}


def _offset(row: Mapping[str, str]) -> Offset:
    return int(row["k"]), int(row["j"]), int(row["i"])  # tables: i, j, k along x, y, z


def _spacing(row: Mapping[str, str]) -> Spacing:
    return float(row["dz_mm"]), float(row["dy_mm"]), float(row["dx_mm"])
