"""Registration in another process: two images, structures around which they count, and what came of it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from radioembolization.errors import RegistrationUncertain
from radioembolization.images import Grid, Volume
from radioembolization.images.registration import Kind, Registration
from radioembolization.images.registration import register as register_images
from radioembolization.images.registration_quality import dice_after
from radioembolization.images.transform import AffineTransform
from radioembolization.structures.editing import Region, expanded
from RadioembolizationPlannerLib.worker import Progress


@dataclass(frozen=True, eq=False)
class RegisterRequest:
    """Two images to be aligned.

    Parameters
    ----------
    fixed, moving : Volume
        Where they lie now.
    kind : Kind
    fixed_region, moving_region : Region, optional
        Only voxels in it and in a rim around it count; the same structure in both also gives a Dice overlap.
    rim_mm : float
        [mm].
    """

    fixed: Volume
    moving: Volume
    kind: Kind = Kind.RIGID
    fixed_region: Region | None = None
    moving_region: Region | None = None
    rim_mm: float = 20.0


@dataclass(frozen=True, eq=False)
class Registered:
    """A registration, with the Dice overlap of a structure in both images before and after; None without one."""

    registration: Registration
    dice_before: float | None = None
    dice_after: float | None = None


def register(request: RegisterRequest, progress: Progress) -> Registered:
    """Align two images; errors as of ``images.registration.register``, doubts are in its result."""
    fixed, moving = request.fixed_region, request.moving_region
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RegistrationUncertain)
        found = register_images(
            request.fixed,
            request.moving,
            request.kind,
            fixed_mask=_mask(fixed, request.fixed.grid, request.rim_mm),
            moving_mask=_mask(moving, request.moving.grid, request.rim_mm),
            progress=progress,
        )
    if fixed is None or moving is None:
        return Registered(found)
    before, after = (
        dice_after(fixed.mask, fixed.grid, moving.mask, moving.grid, transform)
        for transform in (AffineTransform.identity(), found.transform)
    )
    return Registered(found, before, after)


def _mask(region: Region | None, grid: Grid, rim_mm: float) -> np.ndarray | None:
    """Return where an image counts; None for everywhere."""
    if region is None:
        return None
    there = region.on(grid)
    return (expanded(there, rim_mm) if rim_mm > 0.0 else there).mask
