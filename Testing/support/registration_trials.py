"""Images moved by known transforms: what registration has to find again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radioembolization.images import AffineTransform, Volume, transform_volume
from support import rotation

MOST_MM, MOST_DEGREES = 30.0, 15.0
SCALES, SHEAR = (0.9, 1.1), 0.05
AIR_HU = -1000.0


@dataclass(frozen=True, eq=False)
class Trial:
    """A moving image, and the transform that brings it to the fixed one."""

    moving: Volume
    truth: AffineTransform


def rigid_trial(fixed: Volume, centre_lps_mm: np.ndarray, noise: float, seed: int) -> Trial:
    """Return a fixed image moved by up to 30 mm and 15 degrees, resampled once, with noise."""
    rng = np.random.default_rng(seed)
    return _trial(fixed, _rigid(rng, centre_lps_mm), noise, rng)


def affine_trial(fixed: Volume, centre_lps_mm: np.ndarray, noise: float, seed: int) -> Trial:
    """Return the same, also stretched by 0.9 to 1.1 along each axis and sheared by up to 0.05."""
    rng = np.random.default_rng(seed)
    linear = np.diag(rng.uniform(*SCALES, 3)) + np.triu(rng.uniform(-SHEAR, SHEAR, (3, 3)), 1)
    return _trial(fixed, _rigid(rng, centre_lps_mm).after(about(centre_lps_mm, linear)), noise, rng)


def about(centre_lps_mm: np.ndarray, linear: np.ndarray, shift_mm: np.ndarray | float = 0.0) -> AffineTransform:
    """Return a linear map about a position, followed by a shift."""
    matrix = np.eye(4)
    matrix[:3, :3] = linear
    matrix[:3, 3] = centre_lps_mm - linear @ centre_lps_mm + shift_mm
    return AffineTransform(matrix)


def error_mm(found: AffineTransform, truth: AffineTransform, points_lps_mm: np.ndarray) -> float:
    """Return the mean distance of points (n, 3) of the fixed image from where ``found`` puts them [mm]."""
    moving = np.c_[points_lps_mm, np.ones(len(points_lps_mm))] @ np.linalg.inv(truth.matrix).T
    put = moving @ found.matrix.T
    return float(np.linalg.norm(put[:, :3] - points_lps_mm, axis=1).mean())


def _rigid(rng: np.random.Generator, centre_lps_mm: np.ndarray) -> AffineTransform:
    direction = rng.normal(size=3)
    shift = direction / np.linalg.norm(direction) * rng.uniform(0.0, MOST_MM)
    turn = rotation(tuple(rng.normal(size=3)), rng.uniform(0.0, MOST_DEGREES))
    return about(centre_lps_mm, turn, shift)


def _trial(fixed: Volume, truth: AffineTransform, noise: float, rng: np.random.Generator) -> Trial:
    moved = transform_volume(fixed, truth.inverse, fixed.grid, AIR_HU).array
    noisy = moved + rng.normal(0.0, noise, moved.shape).astype(np.float32)
    return Trial(Volume(noisy, fixed.grid, fixed.unit), truth)
