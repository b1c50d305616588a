"""Volumes as DICOM stores them: right-handed stacks of frames, axial ones where the grid allows it."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np

from radioembolization.errors import DicomError, ImageError
from radioembolization.files.dicom_file import Dataset, number, numbers_of
from radioembolization.images import Grid

#: What no voxel may move by when axes are made exactly perpendicular or frames evenly spaced [mm].
PLACE_TOLERANCE_MM = 0.01


def as_frames(array: np.ndarray, grid: Grid) -> tuple[np.ndarray, Grid]:
    """Return the same voxels with their axes in the order and sense that DICOM wants.

    Of the 24 right-handed ways to name the axes of a grid, the one nearest to columns to the left, rows to
    the back, frames to the head.  Voxels keep their values and places; a grid whose axes are those of the
    patient becomes an axial stack, whatever axes were swapped or reversed before.

    Parameters
    ----------
    array : ndarray (z, y, x)
    grid : Grid

    Returns
    -------
    ndarray (frames, rows, columns)
    Grid
        Its direction has a determinant of +1: frames go along rows x columns, the only way that offsets of
        frames along their normal can say it.

    Raises
    ------
    ImageError
        If the axes are so far from perpendicular that a voxel would move by more than 0.01 mm.
    """
    order, signs = _nearest_axial(grid.direction_matrix)
    flipped = [axis for axis, sign in enumerate(signs[::-1]) if sign < 0]
    transposed = np.transpose(array, [2 - axis for axis in order[::-1]])
    first = [0.0, 0.0, 0.0]
    for axis in flipped:
        old = 2 - order[2 - axis]
        first[old] = grid.shape[old] - 1.0
    direction = grid.direction_matrix[:, order] * signs
    left, _, right = np.linalg.svd(direction)
    frames = Grid(
        transposed.shape,
        tuple(grid.spacing_mm[2 - axis] for axis in order[::-1]),  # type: ignore[arg-type]
        tuple(grid.to_lps(np.array(first))),
        tuple((left @ right).ravel()),
    )
    _check_kept(frames, direction)
    return np.flip(transposed, tuple(flipped)), frames


def _nearest_axial(matrix: np.ndarray) -> tuple[list[int], np.ndarray]:
    """Return the old axis (x, y, z) behind each new one and its sign, of the right-handed choice with largest trace."""
    best: tuple[float, list[int], np.ndarray] = (-np.inf, [], np.ones(3))
    for order in permutations(range(3)):
        for signs in product((1.0, -1.0), repeat=3):
            turned = matrix[:, order] * signs
            trace = round(float(np.trace(turned)), 9)
            if np.linalg.det(turned) > 0 and trace > best[0]:
                best = (trace, list(order), np.array(signs))
    return best[1], best[2]


def _check_kept(frames: Grid, direction: np.ndarray) -> None:
    lengths = (np.array(frames.shape[::-1]) - 1) * np.array(frames.spacing_mm[::-1])
    moved = float(np.abs((frames.direction_matrix - direction) * lengths).sum(axis=1).max())
    if moved > PLACE_TOLERANCE_MM:
        raise ImageError(
            f"The axes of the image are not perpendicular enough for DICOM: its far corner would move by "
            f"{moved:.3g} mm (at most {PLACE_TOLERANCE_MM} mm). Resample it to a grid with perpendicular axes."
        )


def set_plane(dataset: Dataset, grid: Grid, frame: int = 0) -> None:
    """Write the place of one frame of a right-handed grid into a data set (image plane module, PS3.3 C.7.6.2)."""
    dataset.ImagePositionPatient = [number(value) for value in grid.to_lps(np.array([frame, 0.0, 0.0]))]
    dataset.ImageOrientationPatient = [number(value) for value in grid.direction_matrix[:, :2].T.ravel()]
    dataset.PixelSpacing = [number(grid.spacing_mm[1]), number(grid.spacing_mm[2])]
    dataset.SliceThickness = number(grid.spacing_mm[0])
    dataset.Rows, dataset.Columns = grid.shape[1], grid.shape[2]


def stacked(
    positions_mm: np.ndarray,
    orientation: tuple[float, ...],
    rows_columns: tuple[int, int],
    spacing_mm: tuple[float, ...],
    thickness_mm: float | None,
    name: str,
) -> tuple[Grid, np.ndarray]:
    """Return the grid of frames from the places of their first pixels, and the order that sorts them along it.

    Parameters
    ----------
    positions_mm : ndarray (frames, 3)
        LPS.
    orientation : tuple of 6 float
        Direction of increasing column index, then of increasing row index.
    rows_columns : tuple of int
    spacing_mm : tuple of float
        Between rows, between columns.
    thickness_mm : float, optional
        The spacing if there is one frame only.
    name : str
        Of the file or folder, for messages.

    Raises
    ------
    DicomError
        If the frames are not evenly spaced along their normal.
    """
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    normal = np.cross(row, column)
    along = positions_mm @ normal
    order = np.argsort(along, kind="stable")
    step = float(np.diff(along[order]).mean()) if len(along) > 1 else (thickness_mm or 0.0)
    if step <= 0.0:
        raise DicomError(f"'{name}' has frames at one place, or one frame without a slice thickness: no volume.")
    first = positions_mm[order[0]]
    off = positions_mm[order] - first - np.arange(len(order))[:, None] * step * normal
    if (worst := float(np.abs(off).max())) > max(PLACE_TOLERANCE_MM, 0.01 * step):
        raise DicomError(
            f"The {len(order)} frames of '{name}' are not evenly stacked: one is {worst:.3g} mm off a spacing of "
            f"{step:.4g} mm. A slice may be missing or twice there, or the gantry was tilted."
        )
    spacing = (step, spacing_mm[0], spacing_mm[1])
    direction = np.column_stack([row, column, normal])
    return Grid((len(order), *rows_columns), spacing, tuple(first), tuple(direction.ravel())), order


def plane_of(dataset: Dataset, name: str) -> tuple[np.ndarray, tuple[float, ...], tuple[float, ...]]:
    """Return position (3,) [mm], orientation (6) and spacing between rows and between columns [mm] of a frame."""
    position = np.array(numbers_of(dataset, "ImagePositionPatient", 3, name))
    orientation = numbers_of(dataset, "ImageOrientationPatient", 6, name)
    return position, orientation, numbers_of(dataset, "PixelSpacing", 2, name)


def planes_of(dataset: Dataset, name: str) -> list[tuple[np.ndarray, tuple[float, ...], tuple[float, ...]]]:
    """Return position, orientation and spacing of each frame of a file, in the order of its frames."""
    frames = int(dataset.get("NumberOfFrames", 1) or 1)
    if "PerFrameFunctionalGroupsSequence" in dataset:
        shared = dataset.SharedFunctionalGroupsSequence[0]
        return [_functional_plane(shared, group, name) for group in dataset.PerFrameFunctionalGroupsSequence]
    if frames == 1 and "ImagePositionPatient" in dataset:
        return [plane_of(dataset, name)]
    place = dataset
    if "ImagePositionPatient" not in dataset and dataset.get("DetectorInformationSequence"):
        place = dataset.DetectorInformationSequence[0]  # nuclear medicine keeps the place of the first frame there
    position = np.array(numbers_of(place, "ImagePositionPatient", 3, name))
    orientation = numbers_of(place, "ImageOrientationPatient", 6, name)
    keyword = "SpacingBetweenSlices" if dataset.get("SpacingBetweenSlices") is not None else "SliceThickness"
    step = numbers_of(dataset, keyword, 1, name)[0]
    normal = np.cross(orientation[:3], orientation[3:])
    spacing = numbers_of(dataset, "PixelSpacing", 2, name)
    return [(position + frame * step * normal, orientation, spacing) for frame in range(frames)]


def _functional_plane(
    shared: Dataset, own: Dataset, name: str
) -> tuple[np.ndarray, tuple[float, ...], tuple[float, ...]]:
    def item(sequence: str) -> Dataset:
        for group in (own, shared):
            if group.get(sequence):
                return group[sequence].value[0]
        raise DicomError(f"File '{name}' has no {sequence}: its frames have no place.")

    position = np.array(numbers_of(item("PlanePositionSequence"), "ImagePositionPatient", 3, name))
    orientation = numbers_of(item("PlaneOrientationSequence"), "ImageOrientationPatient", 6, name)
    return position, orientation, numbers_of(item("PixelMeasuresSequence"), "PixelSpacing", 2, name)


def thickness_of(dataset: Dataset) -> float | None:
    """Return the thickness that one frame stands for [mm], None if the file does not say."""
    for keyword in ("SpacingBetweenSlices", "SliceThickness"):
        if dataset.get(keyword):
            return abs(float(dataset.get(keyword)))
    return None
