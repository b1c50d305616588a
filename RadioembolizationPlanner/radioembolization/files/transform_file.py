"""Rigid and affine transforms in files that ITK and Slicer read: ``.tfm``, ``.txt``, ``.h5``, ``.mat``.

Such a file maps positions of the fixed image to the moving one, in LPS.  Slicer inverts it on loading, so that the
transform, applied to the moving node, brings it to the fixed one: the direction of ``AffineTransform``.
"""

from __future__ import annotations

from pathlib import Path

import SimpleITK as sitk

from radioembolization.errors import FileMissing, ImageError
from radioembolization.files.replacing import replacing
from radioembolization.images.transform import AffineTransform
from radioembolization.images.transformed import from_itk, to_itk

ENDINGS = (".tfm", ".txt", ".h5", ".mat")


def read_transform(path: Path) -> AffineTransform:
    """Read a linear transform; several in one file are made one.

    Raises
    ------
    FileMissing
        If the file does not exist or is no transform.
    ImageError
        If it is not linear, not of three dimensions, or mirrors space.
    """
    if not path.is_file():
        raise FileMissing(f"Transform '{path.name}' does not exist in '{path.parent}': check the path.")
    _check_ending(path)
    try:
        transform = sitk.ReadTransform(str(path))
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise FileMissing(f"File '{path.name}' is no transform of ITK or Slicer: {reason}") from error
    if transform.GetDimension() != 3:
        raise ImageError(f"Transform '{path.name}' has {transform.GetDimension()} dimensions, not 3.")
    if not transform.IsLinear():
        raise ImageError(f"Transform '{path.name}' bends space ({transform.GetName()}): use a rigid or affine one.")
    try:
        return from_itk(transform)
    except ImageError as error:
        raise ImageError(f"Transform '{path.name}': {error}") from error


def write_transform(transform: AffineTransform, path: Path) -> None:
    """Write a transform; the file appears complete or not at all.

    Raises
    ------
    ImageError
        If the ending of the name is none of ``ENDINGS``.
    """
    _check_ending(path)
    with replacing(path) as temporary:
        sitk.WriteTransform(to_itk(transform), str(temporary))


def _check_ending(path: Path) -> None:
    if path.suffix.lower() not in ENDINGS:
        raise ImageError(f"'{path.name}' is no name of a transform file: it ends in {', '.join(ENDINGS)}.")
