"""Masks that TotalSegmentator wrote, as structures with our names and codes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from radioembolization.errors import StructureError
from radioembolization.files.segmentation_file import read_segmentation
from radioembolization.images import Grid
from radioembolization.structures import terminology as known
from radioembolization.structures.segmentation import SegmentedStructure, SegmentedStructures
from radioembolization.structures.terminology import Terminology

#: Our name and what it is, by the name of TotalSegmentator's mask; masks of one name are united.
_KNOWN: dict[str, tuple[str, Terminology]] = {
    "liver": ("liver", known.LIVER),
    "spleen": ("spleen", known.SPLEEN),
    "kidney_left": ("left kidney", known.LEFT_KIDNEY),
    "kidney_right": ("right kidney", known.RIGHT_KIDNEY),
    "gallbladder": ("gallbladder", known.GALLBLADDER),
    "stomach": ("stomach", known.STOMACH),
    "duodenum": ("duodenum", known.DUODENUM),
    "pancreas": ("pancreas", known.PANCREAS),
    "lung_upper_lobe_left": ("left lung", known.LEFT_LUNG),
    "lung_lower_lobe_left": ("left lung", known.LEFT_LUNG),
    "lung_upper_lobe_right": ("right lung", known.RIGHT_LUNG),
    "lung_middle_lobe_right": ("right lung", known.RIGHT_LUNG),
    "lung_lower_lobe_right": ("right lung", known.RIGHT_LUNG),
    "liver_vessels": ("liver vessels", known.LIVER_VESSELS),
    "liver_tumor": ("lesion", known.TUMOUR),
    "liver_lesions": ("lesion", known.TUMOUR),
    **{f"liver_segment_{n}": (f"liver segment {n}", term) for n, term in enumerate(known.LIVER_SEGMENTS, start=1)},
}


def structures_of_masks(masks: Mapping[str, Path]) -> SegmentedStructures:
    """Return the masks that are not empty, with our names and codes; what is not known here is left out.

    Parameters
    ----------
    masks : mapping of str to Path
        NIfTI masks on one grid by their names in TotalSegmentator.

    Raises
    ------
    StructureError
        If none is known and not empty, or they are on different grids.
    """
    united: dict[str, tuple[np.ndarray, Terminology, list[str]]] = {}
    grid: Grid | None = None
    for name, path in masks.items():
        if name not in _KNOWN:
            continue
        read = read_segmentation(path)
        if grid is not None and read.grid != grid:
            raise StructureError(f"'{path.name}' is on another grid than the other masks: use masks of one CT.")
        grid = read.grid
        mask = read.layers[0] > 0
        if mask.any():
            ours, term = _KNOWN[name]
            before, _, sources = united.get(ours, (np.zeros_like(mask), term, []))
            united[ours] = (before | mask, term, [*sources, name])
    if grid is None or not united:
        raise StructureError(f"None of the {len(masks)} masks of TotalSegmentator is a structure that is used here.")
    found = [
        SegmentedStructure(name, term, mask, f"TotalSegmentator ({', '.join(sources)})")
        for name, (mask, term, sources) in united.items()
    ]
    return SegmentedStructures(grid, tuple(found))
