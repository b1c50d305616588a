"""Figures that show whether two images fit: a checkerboard, and contours before and after."""

from __future__ import annotations

from typing import Any

import numpy as np

from radioembolization.images import Grid, Unit, Volume
from radioembolization.images.transform import AffineTransform
from radioembolization.report.canvas import new_figure, png_of
from radioembolization.report.palette import INK, QUIET
from radioembolization.report.views import AXIAL, CORONAL, SAGITTAL, Plane, plane

_DPI = 150
_VIEWS = (AXIAL, CORONAL, SAGITTAL)
_WINDOW_HU = (-200.0, 300.0)
_AIR_HU = -1000.0
_FIELD_MM = 25.0
#: Contours of the moving image: body and soft tissue of CT [HU]; else shares of the brightest.
_LEVELS_HU = (-300.0, 0.0, 150.0)
_LEVEL_SHARES = (0.15, 0.4, 0.7)
_COLOURS = ("#56B4E9", "#E69F00", "#D55E00")
_ROW_INCHES = 3.0


def checkerboard_figure(
    fixed: Volume, moving: Volume, transform: AffineTransform, field_mm: float = _FIELD_MM
) -> bytes:
    """Return fields of both images in turn, in three planes, before and after, as PNG.

    Parameters
    ----------
    fixed, moving : Volume
    transform : AffineTransform
        From the moving to the fixed image.
    field_mm : float
        Side of a field [mm].

    Raises
    ------
    MissingPackage
        If matplotlib is not installed.
    """

    def draw(axes: Any, picture: Plane, moved: np.ndarray, seen: np.ndarray) -> None:
        fields = np.floor(picture.across_mm / field_mm)[None] + np.floor(picture.down_mm / field_mm)[:, None]
        board = np.where((fields % 2 == 0) & seen, _grey(moved, moving), _grey(_sample(picture, fixed), fixed))
        axes.imshow(board, cmap="gray", vmin=0.0, vmax=1.0, extent=picture.extent_mm, interpolation="nearest")

    return _pictures(fixed, moving, transform, draw, "Checkerboard of both images")


def overlay_figure(fixed: Volume, moving: Volume, transform: AffineTransform) -> bytes:
    """Return contours of the moving image on the fixed one, in three planes, before and after, as PNG.

    Raises
    ------
    MissingPackage
        If matplotlib is not installed.
    """
    levels = _LEVELS_HU if moving.unit is Unit.HU else tuple(float(s * moving.array.max()) for s in _LEVEL_SHARES)

    def draw(axes: Any, picture: Plane, moved: np.ndarray, seen: np.ndarray) -> None:
        image = _grey(_sample(picture, fixed), fixed)
        axes.imshow(image, cmap="gray", vmin=0.0, vmax=1.0, extent=picture.extent_mm, interpolation="nearest")
        if moved.max() > levels[0] > moved.min():
            axes.contour(picture.across_mm, picture.down_mm, moved, levels, colors=_COLOURS, linewidths=0.7)

    unit = "HU" if moving.unit is Unit.HU else "% of the maximum"
    shown = levels if moving.unit is Unit.HU else [100.0 * share for share in _LEVEL_SHARES]
    said = ", ".join(f"{level:g}" for level in shown).replace("-", "−")
    return _pictures(fixed, moving, transform, draw, f"Contours of the moving image at {said} {unit} on the fixed one")


def _pictures(fixed: Volume, moving: Volume, transform: AffineTransform, draw: Any, title: str) -> bytes:
    low, high = _box(fixed.grid)
    middle = _shown_middle(fixed)
    with new_figure() as figure:
        rows = (("before", AffineTransform.identity()), ("after", transform))
        figure.set_size_inches(3 * _ROW_INCHES, 2 * _ROW_INCHES + 0.3)
        for row, (when, placed) in enumerate(rows):
            for column, view in enumerate(_VIEWS):
                axes = figure.add_subplot(2, 3, 3 * row + column + 1)
                picture = plane(view, middle, low, high)
                draw(axes, picture, *_moved(picture, moving, placed))
                left, right, bottom, top = picture.extent_mm
                axes.set(xlim=(left, right), ylim=(bottom, top), aspect="equal", xticks=[], yticks=[])
                axes.set_title(f"{view.name.capitalize()}, {when}", fontsize=8, loc="left", pad=3, color=INK)
                axes.spines[:].set(color=QUIET, linewidth=0.5)
        figure.suptitle(title, fontsize=9, x=0.01, ha="left", color=INK)
        figure.subplots_adjust(left=0.01, right=0.99, bottom=0.01, top=0.91, wspace=0.04, hspace=0.1)
        return png_of(figure, _DPI)


def _moved(picture: Plane, moving: Volume, transform: AffineTransform) -> tuple[np.ndarray, np.ndarray]:
    """Return the moving image at the pixels under a transform, and the pixels it reaches."""
    from scipy import ndimage

    index = moving.grid.to_index(transform.inverse.points(picture.points_lps_mm))
    seen = np.all((index >= -0.5) & (index <= np.array(moving.grid.shape) - 0.5), axis=-1)
    values = ndimage.map_coordinates(moving.array, np.moveaxis(index, -1, 0), output=float, order=1, mode="nearest")
    return np.where(seen, values, _outside(moving)), seen


def _sample(picture: Plane, volume: Volume) -> np.ndarray:
    return picture.sample(volume.array, volume.grid, outside=_outside(volume))


def _outside(volume: Volume) -> float:
    return _AIR_HU if volume.unit is Unit.HU else float(volume.array.min())


def _grey(values: np.ndarray, volume: Volume) -> np.ndarray:
    """Return values between 0 and 1: CT in a soft tissue window, else up to the 99.5th percentile."""
    if volume.unit is Unit.HU:
        low, high = _WINDOW_HU
    else:
        low, high = (float(value) for value in np.percentile(volume.array, (0.5, 99.5)))
        high = high if high > low else float(volume.array.max())
    return np.clip((values - low) / max(high - low, 1e-6), 0.0, 1.0)


def _box(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    corners = grid.to_lps(np.array(list(np.ndindex(2, 2, 2))) * (np.array(grid.shape) - 1))
    return corners.min(axis=0), corners.max(axis=0)


def _shown_middle(fixed: Volume) -> np.ndarray:
    """Return the position the planes go through: the middle of the body, or of what is bright."""
    level = -300.0 if fixed.unit is Unit.HU else float(np.percentile(fixed.array, 90))
    index = np.argwhere(fixed.array[::2, ::2, ::2] > level) * 2
    if not len(index):
        index = (np.array(fixed.grid.shape)[None] - 1) // 2
    return fixed.grid.to_lps(index).mean(axis=0)
