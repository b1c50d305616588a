"""Voxel S values on disk: a table, an image, or the plain text of the voxel-S database."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from radioembolization.errors import InputError
from radioembolization.files.image_file import to_sitk
from radioembolization.files.replacing import replacing
from radioembolization.images import Grid
from radioembolization.physics.s_value import SValues

S_UNIT = "mGy/(MBq s)"


def kernel_writer(path: Path) -> Callable[[SValues, Path, Mapping[str, Any]], dict[str, Path]]:
    """Return the function that writes S values in the format of a file's extension.

    Raises
    ------
    InputError
        If the extension is not known; the message lists those that are.
    """
    for extension, writer in _WRITERS.items():
        if path.name.lower().endswith(extension):
            return writer
    known = ", ".join(f"{extension} ({what})" for extension, what in KERNEL_FORMATS.items())
    raise InputError(f"'{path.name}' has no extension of a kernel file: use one of {known}.")


def write_kernel(values: SValues, path: Path, provenance: Mapping[str, Any]) -> dict[str, Path]:
    """Write S values in the format of the extension; files appear complete or not at all.

    Parameters
    ----------
    values : SValues
    path : Path
        ``.csv``, ``.txt`` or ``.nrrd``.
    provenance : mapping
        What the values are made from; goes beside a table as ``<path>.json``, into the header of an image.

    Returns
    -------
    dict of str to Path
        The files by what they are.
    """
    return kernel_writer(path)(values, path, provenance)


def _write_csv(values: SValues, path: Path, provenance: Mapping[str, Any]) -> dict[str, Path]:
    rows = ["i,j,k,S_mGy_per_MBq_s"]
    for (k, j, i), s in zip(_offsets(values), values.s_mgy_per_mbq_s.ravel(), strict=True):
        rows.append(f"{i},{j},{k},{s:.9e}")
    return _write_table(rows, path, provenance)


def _write_txt(values: SValues, path: Path, provenance: Mapping[str, Any]) -> dict[str, Path]:
    """Write one octant as the voxel-S database does: title, column names, i j k S with i slowest."""
    sides = values.kernel.spacing_mm
    if max(sides) - min(sides) > 1e-6:
        shown = " x ".join(f"{side:g}" for side in sides[::-1])
        raise InputError(
            f"A .txt kernel has cubic voxels (its title holds one side), not {shown} mm: write .csv or .nrrd instead."
        )
    symbol, mass = values.nuclide.name.split("-")
    rows = [f"{symbol}{mass} - {sides[0]:g}mm - {values.tissue.name.capitalize()}", f"i\tj\tk\tS [{S_UNIT}]"]
    octant = values.s_mgy_per_mbq_s[tuple(slice(half, None) for half in values.kernel.half_width)]
    by_x = octant.transpose(2, 1, 0)
    for (i, j, k), s in np.ndenumerate(by_x):
        rows.append(f"{i}\t{j}\t{k}\t{s:.9e}")
    return _write_table(rows, path, provenance)


def _write_nrrd(values: SValues, path: Path, provenance: Mapping[str, Any]) -> dict[str, Path]:
    """Write an image of doubles whose origin puts the source voxel at (0, 0, 0) mm."""
    spacing = values.kernel.spacing_mm
    first = [-half * side for half, side in zip(values.kernel.half_width, spacing, strict=True)]
    shape = values.s_mgy_per_mbq_s.shape
    image = to_sitk(values.s_mgy_per_mbq_s, Grid(shape, spacing, tuple(first[::-1])))  # type: ignore[arg-type]
    image.SetMetaData("unit", S_UNIT)
    for key, value in provenance.items():
        image.SetMetaData(key, value if isinstance(value, str) else json.dumps(value))
    with replacing(path) as temporary:
        sitk.WriteImage(image, str(temporary), useCompression=True)
    return {"kernel": path}


def _write_table(rows: list[str], path: Path, provenance: Mapping[str, Any]) -> dict[str, Path]:
    beside = path.with_name(path.name + ".json")
    text = json.dumps(dict(provenance), indent=2, ensure_ascii=False, allow_nan=False)
    with replacing(path) as table, replacing(beside) as document:
        table.write_text("\n".join(rows) + "\n", encoding="utf-8", newline="\n")
        document.write_text(text + "\n", encoding="utf-8", newline="\n")
    return {"kernel": path, "provenance": beside}


def _offsets(values: SValues) -> np.ndarray:
    """Return the offset (z, y, x) of every voxel from the source, in the order of the array (voxels, 3)."""
    shape = values.s_mgy_per_mbq_s.shape
    return np.indices(shape).reshape(3, -1).T - np.array(values.kernel.half_width)


_WRITERS = {".csv": _write_csv, ".txt": _write_txt, ".nrrd": _write_nrrd}
#: Extensions of kernel files and what they hold.
KERNEL_FORMATS = {
    ".csv": "table of all offsets",
    ".txt": "octant as the voxel-S database prints it, cubic voxels",
    ".nrrd": "image",
}
