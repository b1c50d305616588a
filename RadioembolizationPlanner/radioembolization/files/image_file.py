"""Images in NIfTI, NRRD and whatever else SimpleITK reads; geometry in LPS."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from radioembolization.errors import FileMissing, ImageError
from radioembolization.files.replacing import replacing
from radioembolization.images import Grid, Unit, Volume


def read_image(path: Path) -> sitk.Image:
    """Read a 3D image.

    Raises
    ------
    FileMissing
        If the file does not exist or is no readable image.
    ImageError
        If it has not three dimensions.
    """
    if not path.is_file():
        raise FileMissing(f"File '{path.name}' does not exist in '{path.parent}': check the path.")
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise FileMissing(f"File '{path.name}' is no image this program reads (NIfTI, NRRD): {reason}") from error
    if image.GetDimension() != 3:
        raise ImageError(f"Image '{path.name}' has {image.GetDimension()} dimensions, not 3.")
    return image


def grid_of(image: sitk.Image) -> Grid:
    """Return the grid of a SimpleITK image."""
    return Grid(
        shape=image.GetSize()[::-1],
        spacing_mm=image.GetSpacing()[::-1],
        origin_mm=image.GetOrigin(),
        direction=image.GetDirection(),
    )


def read_volume(path: Path, unit: Unit) -> Volume:
    """Read a scalar image as a volume in a stated unit.

    Raises
    ------
    FileMissing, ImageError
        If the file is missing, has several components per voxel, or holds NaN.
    """
    image = read_image(path)
    if image.GetNumberOfComponentsPerPixel() != 1:
        raise ImageError(
            f"Image '{path.name}' has {image.GetNumberOfComponentsPerPixel()} values per voxel; "
            f"an image in {unit} has one."
        )
    try:
        return Volume(sitk.GetArrayFromImage(image), grid_of(image), unit)
    except ImageError as error:
        raise ImageError(f"File '{path.name}': {error}") from error


def to_sitk(array: np.ndarray, grid: Grid, vector: bool = False) -> sitk.Image:
    """Return an array (z, y, x[, components]) as a SimpleITK image on a grid."""
    image = sitk.GetImageFromArray(np.ascontiguousarray(array), isVector=vector)
    image.SetSpacing(grid.spacing_mm[::-1])
    image.SetOrigin(grid.origin_mm)
    image.SetDirection(grid.direction)
    return image


def write_volume(volume: Volume, path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write a volume; the file appears complete or not at all."""
    array = volume.array.astype(np.float32) if volume.array.dtype == np.float64 else volume.array
    image = to_sitk(array, volume.grid)
    for key, value in (metadata or {}).items():
        image.SetMetaData(key, value)
    write_image(image, path)


def write_image(image: sitk.Image, path: Path) -> None:
    """Write a SimpleITK image compressed; the file appears complete or not at all."""
    with replacing(path) as temporary:
        sitk.WriteImage(image, str(temporary), useCompression=True)


def sha256_of_files(paths: Sequence[Path]) -> str:
    """Return the SHA256 of a file; of several that of their digests, sorted, so that names and order do not matter."""
    if len(paths) == 1:
        return sha256_of(paths[0])
    return hashlib.sha256("".join(sorted(map(sha256_of, paths))).encode()).hexdigest()


def sha256_of(path: Path) -> str:
    """Return the SHA256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
