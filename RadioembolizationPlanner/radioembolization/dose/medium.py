"""The density of every voxel, and what it changes against a homogeneous medium."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage

from radioembolization.dose.collapsed_cone import transport
from radioembolization.dose.near_field import Patch, trim
from radioembolization.errors import InputError
from radioembolization.physics import Nuclide, depth_factor, ray_kernel
from radioembolization.physics.photon_tail import ELECTRON_REACH_G_CM2
from radioembolization.physics.voxel_kernel import DENSITY_RANGE_G_PER_CM3

#: Densities further from the reference than this share of it matter to the range of electrons: lung, bone and
#: air, but not fat, beside which nothing changes in the tissue with the activity.
_MATTERS = 0.20
#: Activity near such densities, as a share of all, from which on transport through them is worth while.
_MATTERING_SHARE = 0.01
#: Through densities below this share of the reference electrons are followed this far [mm]: their reach at
#: 0.25 g/cm3, that of lung.
_LIGHT, _FOLLOWED_MM = 0.6, 48.0

Box = tuple[slice, slice, slice]


@dataclass(frozen=True, eq=False)
class Medium:
    """Density of every voxel of a grid.

    Parameters
    ----------
    density_g_per_cm3 : ndarray (z, y, x), float32
    reference_g_per_cm3 : float
        Density of the homogeneous medium to which differences are taken: that of the tissue with the
        activity.
    spacing_mm : tuple of float
        (z, y, x).
    water : bool
        True takes everything as water of that density; False gives each density the depth factor of the
        tissue it is likely to be (``physics.depth_factor``).

    Raises
    ------
    InputError
        If a density is no density in g/cm3.
    """

    density_g_per_cm3: np.ndarray
    reference_g_per_cm3: float
    spacing_mm: tuple[float, float, float]
    water: bool = False

    def __post_init__(self) -> None:
        low, high = DENSITY_RANGE_G_PER_CM3
        lowest, highest = float(self.density_g_per_cm3.min()), float(self.density_g_per_cm3.max())
        tolerance = 1e-6
        if not (low * (1 - tolerance) <= lowest and highest <= high * (1 + tolerance)):
            raise InputError(
                f"Densities from {lowest:g} to {highest:g} g/cm3 are not all in {low:g} to {high:g}: enter g/cm3."
            )
        if not low <= self.reference_g_per_cm3 <= high:
            raise InputError(f"Reference density {self.reference_g_per_cm3:g} g/cm3 is outside {low:g} to {high:g}.")

    @cached_property
    def relative(self) -> np.ndarray:
        """Density over reference density (z, y, x)."""
        return self.density_g_per_cm3 / np.float32(self.reference_g_per_cm3)

    def matters_to(self, activity: np.ndarray) -> bool:
        """Return whether electrons of an activity map meet densities that change their range."""
        total = float(activity.sum(dtype=float))
        near = float(activity[self._near_other].sum(dtype=float))
        return near > _MATTERING_SHARE * total

    def matters_in(self, source: Patch) -> bool:
        """Return whether electrons of a patch of activity meet densities that change their range."""
        box, values = source.clipped(self.density_g_per_cm3.shape)
        return bool((self._near_other[box] & (values > 0)).any())

    def corrected(
        self,
        share: np.ndarray,
        activity: np.ndarray,
        nuclide: Nuclide,
        progress: Callable[[int, int], None] | None = None,
    ) -> np.ndarray:
        """Return a map of a homogeneous medium, of all activity, with the correction for density added.

        Parameters
        ----------
        share, activity : ndarray (z, y, x)
            Convolution of an activity map with the kernel of the reference density, and that map.
        nuclide, progress
            As for ``correction``.

        Returns
        -------
        ndarray (z, y, x) of float32
            Dose in units of one emitted energy in a voxel of the reference density; times ``relative`` it
            is the energy share absorbed.
        """
        total = np.array(share, dtype=np.float32)
        change = self.correction(Patch((0, 0, 0), activity), nuclide, progress)
        if change is not None:
            box, values = change.clipped(total.shape)
            total[box] += values
        return np.maximum(total, 0.0, out=total)

    def correction(
        self, source: Patch, nuclide: Nuclide, progress: Callable[[int, int], None] | None = None
    ) -> Patch | None:
        """Return what density changes in the dose of a source.

        Twice the same transport along rays, through the densities as they are and through the reference
        alone; the difference corrects the convolution, so that nothing changes where density is that of
        the reference, and errors of the directions cancel.

        Parameters
        ----------
        source : Patch
            Activity, inside the grid.
        nuclide : Nuclide
        progress : callable, optional
            As for ``transport``.

        Returns
        -------
        Patch or None
            Change of dose, as energy share absorbed in a voxel of the reference density; None if nothing
            changes: electrons meet no densities that matter.
        """
        box, values = source.clipped(self.density_g_per_cm3.shape)
        start = (box[0].start, box[1].start, box[2].start)
        near = trim(Patch(start, np.where(self._near_other[box], values, 0.0).astype(np.float32)))
        if near is None:
            return None  # electrons of all other activity only meet the reference density
        reached = self._reached(near)
        followed = self._followed(reached)
        kernel = ray_kernel(nuclide)
        change = transport(
            _within(near, followed), self._depth_density[followed], self.spacing_mm, kernel, progress=progress
        )
        change /= self.relative[followed]
        inner = tuple(slice(r.start - f.start, r.stop - f.start) for r, f in zip(reached, followed, strict=True))
        change[inner] -= transport(_within(near, reached), self._reference_depth, self.spacing_mm, kernel)
        return Patch((followed[0].start, followed[1].start, followed[2].start), change)

    @cached_property
    def _depth_density(self) -> np.ndarray:
        if self.water:
            return self.density_g_per_cm3
        return (self.density_g_per_cm3 * depth_factor(self.density_g_per_cm3)).astype(np.float32)

    @property
    def _reference_depth(self) -> float:
        factor = 1.0 if self.water else float(depth_factor(np.array(self.reference_g_per_cm3)))
        return self.reference_g_per_cm3 * factor

    @cached_property
    def _near_other(self) -> np.ndarray:
        """Voxels (z, y, x) within the electrons' reach of densities that matter."""
        other = np.abs(self.relative - 1.0) > _MATTERS
        reach_mm = 10.0 * ELECTRON_REACH_G_CM2 / self._reference_depth
        if not other.any():
            return other
        return np.asarray(ndimage.distance_transform_edt(~other, sampling=self.spacing_mm) <= reach_mm)

    def _reached(self, source: Patch) -> Box:
        """Return the box of the grid that electrons of a source reach in the reference density."""
        return self._box(source.start, source.values.shape, 10.0 * ELECTRON_REACH_G_CM2 / self._reference_depth)

    def _followed(self, reached: Box) -> Box:
        """Return the box in which electrons are followed: where they get anyway, and lighter tissue beyond."""
        if not np.any(self.relative[reached] < _LIGHT):
            return reached
        start, size = [part.start for part in reached], [part.stop - part.start for part in reached]
        wide = self._box((start[0], start[1], start[2]), size, _FOLLOWED_MM)
        light = self.relative[wide] < _LIGHT
        parts = []
        for axis, (inner, outer) in enumerate(zip(reached, wide, strict=True)):
            along = np.flatnonzero(light.any(axis=tuple({0, 1, 2} - {axis}))) + outer.start
            parts.append(slice(min(inner.start, int(along[0])), max(inner.stop, int(along[-1]) + 1)))
        return parts[0], parts[1], parts[2]

    def _box(self, start: tuple[int, int, int], size: Sequence[int], reach_mm: float) -> Box:
        parts = []
        for first, length, whole, side in zip(start, size, self.relative.shape, self.spacing_mm, strict=True):
            reach = int(np.ceil(reach_mm / side))
            parts.append(slice(max(first - reach, 0), min(first + length + reach, whole)))
        return parts[0], parts[1], parts[2]


def _within(source: Patch, box: Box) -> np.ndarray:
    """Return a source as an array of a box that holds it."""
    activity = np.zeros([part.stop - part.start for part in box], dtype=np.float32)
    inside = tuple(
        slice(first - part.start, first - part.start + size)
        for first, size, part in zip(source.start, source.values.shape, box, strict=True)
    )
    activity[inside] = source.values
    return activity
