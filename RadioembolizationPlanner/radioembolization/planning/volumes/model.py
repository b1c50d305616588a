"""Coordinates and cells of a problem: what branch and bound needs to know of its dose-volume limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.planning.volume_bound import VolumeBound
from radioembolization.planning.volumes.argument import Frame
from radioembolization.planning.volumes.cells import Cells
from radioembolization.planning.volumes.coordinates import coordinates, factors
from radioembolization.planning.volumes.counted import counted

#: Forms of each limit beside the coordinates.
_BLENDS = 150
#: Structures with as many voxels are looked at voxel by voxel; those with more in cells of these widths.
_SINGLE_VOXELS, _FEW_VOXELS = 3_000, 300_000
_WIDTHS, _WIDTHS_OF_MANY, _UPGRADE = (0.01,), (0.04, 0.01), (0.015,)


@dataclass(frozen=True, eq=False)
class VolumeModel:
    """What the search and its check need.

    Parameters
    ----------
    frame : Frame
    levels : tuple of (tuple of Cells)
        The limits in wide cells, then in narrower ones.
    widths : tuple of float
        Of the cells of each level.
    upgrade : tuple of float
        How near to the cut-off a box is looked at in narrower cells.
    """

    frame: Frame
    levels: tuple[tuple[Cells, ...], ...]
    widths: tuple[float, ...]
    upgrade: tuple[float, ...]


def model_of(bounds: Sequence[VolumeBound], dose: DosePerGBq, cap_gbq: np.ndarray, coarse: bool = False) -> VolumeModel:
    """Return the model of dose-volume limits.

    Parameters
    ----------
    bounds : sequence of VolumeBound
    dose : DosePerGBq
    cap_gbq : ndarray (sites,)
        Largest activity of each site; zero for sites that may not be used.
    coarse : bool
        Whether one width of cells is enough.
    """
    names = sorted({bound.structure for bound in bounds})
    voxels = max(len(dose.voxel_rows(name)) for name in names)
    widths: tuple[float, ...] = (0.0,) if voxels <= _SINGLE_VOXELS else _WIDTHS
    upgrade: tuple[float, ...] = ()
    if voxels > _FEW_VOXELS and not coarse:
        widths, upgrade = _WIDTHS_OF_MANY, _UPGRADE
    matrix = coordinates([dose.voxel_rows(name).rows for name in names], cap_gbq > 0)
    made = cells_of(bounds, dose, cap_gbq, matrix, widths, None)
    return VolumeModel(Frame(matrix, cap_gbq), made, widths, upgrade)


def cells_of(
    bounds: Sequence[VolumeBound],
    dose: DosePerGBq,
    cap_gbq: np.ndarray,
    matrix: np.ndarray,
    widths: Sequence[float],
    forms: Sequence[np.ndarray] | None,
) -> tuple[tuple[Cells, ...], ...]:
    """Return the cells of each width, of each limit; with forms of each limit if they are given."""
    of_limits = []
    for number, limit in enumerate(counted(bounds, dose)):
        found = factors(limit.rows.rows, matrix, limit.bound.above)
        lacks = float(np.maximum(-limit.rows.rows.min(axis=1), 0.0) @ cap_gbq)
        known = None if forms is None else forms[number]
        made: list[Cells] = []
        for width in widths:
            made.append(Cells.of(limit, found, lacks, width, known, _BLENDS))
            known = made[0].forms
        of_limits.append(made)
    return tuple(tuple(made[level] for made in of_limits) for level in range(len(widths)))
