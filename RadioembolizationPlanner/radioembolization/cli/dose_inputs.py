"""What the dosimetry commands are given, turned into what they compute with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from radioembolization.cli.shared import one_of
from radioembolization.errors import InputError, StructureError
from radioembolization.files import Segmentation, read_segmentation, read_volume
from radioembolization.files.segmentation_file import Segment
from radioembolization.images import Grid, Unit, Volume, density_from_ct, density_on
from radioembolization.physics import WATER, Convention, Tissue, tissue_by_name
from radioembolization.physics.voxel_kernel import SPACING_RANGE_MM
from radioembolization.structures import DEFAULT_LIVER_DENSITY

#: A label map of more labels is an image of something else.
_MOST_LABELS = 500


def convention_called(word: str) -> Convention:
    """Return an energy convention; ``InputError`` with those there are if it is not known."""
    return Convention(one_of("--convention", word, Convention))


def tissue_called(word: str) -> Tissue:
    """Return a tissue; hyphens stand for the spaces in its name."""
    return tissue_by_name(word.replace("-", " ").replace("_", " "))


def default_density(tissue: Tissue, of_water: float) -> float:
    """Return the density without another wish [g/cm3]: a tissue's own, and a stated one for the kernel of water."""
    return of_water if tissue is WATER else tissue.density_g_per_cm3


def spacing_given(sides_mm: Sequence[float]) -> Sequence[float]:
    """Return ``--spacing`` (x, y, z) [mm]; ``InputError`` if no kernel is made for it."""
    low, high = SPACING_RANGE_MM
    if not all(low <= side <= high for side in sides_mm):
        given = " ".join(f"{side:g}" for side in sides_mm)
        raise InputError(f"--spacing {given} mm (x, y, z): each voxel side must be from {low:g} to {high:g} mm.")
    return sides_mm


def density_given(density: str | None, ct: Path | None, tissue: Tissue) -> float | Path | None:
    """Return ``--density`` as a number or a path; None where the CT takes its place.

    Raises
    ------
    InputError
        If both are given.
    """
    if ct is not None:
        if density is not None:
            raise InputError("--density and --ct both give the density: leave one of them out.")
        return None
    if density is None:
        return default_density(tissue, DEFAULT_LIVER_DENSITY)
    try:
        return float(density)
    except ValueError:
        return Path(density)


def medium_of(density: float | Path | None, ct: Path | None, grid: Grid) -> float | Volume:
    """Return the density as a number, or of every voxel of a grid by a density volume or a CT."""
    if isinstance(density, float):
        return density
    if density is not None:
        return density_on(grid, read_volume(density, Unit.G_PER_CM3))
    if ct is None:
        raise InputError("Give a density or a CT.")
    return density_on(grid, density_from_ct(read_volume(ct, Unit.HU)))


def segments_of(path: Path | None) -> Segmentation | None:
    """Read a segmentation; each label of a plain label map becomes a segment called ``label 1``, ``label 2``, ...

    Raises
    ------
    StructureError
        If nothing is drawn, or the image holds too many labels to be a label map.
    """
    if path is None:
        return None
    segmentation = read_segmentation(path)
    if segmentation.segments:
        return segmentation
    if len(segmentation.layers) > 1:
        raise StructureError(f"'{path.name}' has {len(segmentation.layers)} layers but names no segment: save it anew.")
    values = [int(value) for value in np.unique(segmentation.layers) if value != 0]
    if not 1 <= len(values) <= _MOST_LABELS:
        raise StructureError(
            f"'{path.name}' holds {len(values)} labels, a label map has 1 to {_MOST_LABELS}: give a segmentation."
        )
    return replace(segmentation, segments=tuple(Segment(f"label {value}", 0, value) for value in values))
