"""Copies of a CT and its liver as bad scans would show them."""

from collections.abc import Callable

import numpy as np

from radioembolization.images import Grid, Unit, Volume, resample_linear, resample_mask
from support import as_direction, rotation

#: A CT and the liver in it.
Scan = tuple[Volume, np.ndarray]


def copies(ct: Volume, liver: np.ndarray) -> dict[str, Callable[[], Scan]]:
    """Return the makers of degraded copies by name; each gives a CT and the liver that is left in it."""
    z, _, x = (np.flatnonzero(liver.any(axis=tuple(a for a in range(3) if a != axis))) for axis in range(3))
    down = slice(0, int(z[-1] - 0.3 * len(z)))
    up = slice(int(z[0] + 0.4 * len(z)), None)
    aside = slice(int(x[0] + 0.25 * len(x)), None)
    everything = slice(None)
    return {
        "noise 20 HU": lambda: (noisy(ct, 20.0), liver),
        "noise 50 HU": lambda: (noisy(ct, 50.0), liver),
        "noise 120 HU": lambda: (noisy(ct, 120.0), liver),
        "upper 30 % cut": lambda: cut(ct, liver, (down, everything, everything)),
        "lower 40 % cut": lambda: cut(ct, liver, (up, everything, everything)),
        "right 25 % cut": lambda: cut(ct, liver, (everything, everything, aside)),
        "slices of 10 mm": lambda: thick(ct, liver, 10.0),
        "slices of 20 mm": lambda: thick(ct, liver, 20.0),
        "cut to a window": lambda: (mapped(ct, lambda hu: np.clip(hu, -160.0, 240.0)), liver),
        "HU + 40": lambda: (mapped(ct, lambda hu: hu + 40.0), liver),
        "tissue contrast 50 %": lambda: (mapped(ct, lambda hu: _squeezed(hu, 0.5)), liver),
        "tissue contrast 15 %": lambda: (mapped(ct, lambda hu: _squeezed(hu, 0.15)), liver),
        "axes flipped": lambda: flipped(ct, liver),
        "turned by 15 degrees": lambda: turned(ct, liver, 15.0),
    }


def mapped(ct: Volume, change: Callable[[np.ndarray], np.ndarray]) -> Volume:
    """Return a CT with its numbers changed."""
    return Volume(change(ct.array.astype(np.float32)), ct.grid, Unit.HU)


def noisy(ct: Volume, sd_hu: float) -> Volume:
    """Return a CT with white noise of a standard deviation in each voxel, from a fixed seed."""
    noise = np.random.default_rng(5).standard_normal(ct.array.shape, dtype=np.float32)
    return mapped(ct, lambda hu: np.maximum(hu + sd_hu * noise, -1024.0))


def cut(ct: Volume, liver: np.ndarray, part: tuple[slice, ...]) -> Scan:
    """Return a part of the CT."""
    low = tuple(one.indices(n)[0] for one, n in zip(part, liver.shape, strict=True))
    array = np.ascontiguousarray(ct.array[part])
    return Volume(array, ct.grid.box(low, array.shape), Unit.HU), liver[part]


def thick(ct: Volume, liver: np.ndarray, spacing_mm: float) -> Scan:
    """Return the CT with slices of another thickness, each the mean of what it covers."""
    height = ct.grid.shape[0] * ct.grid.spacing_mm[0]
    slices = int(height // spacing_mm)
    index = (spacing_mm / ct.grid.spacing_mm[0] - 1.0) / 2.0
    origin = ct.grid.to_lps(np.array([index, 0.0, 0.0]))
    spacing = (spacing_mm, *ct.grid.spacing_mm[1:])
    grid = Grid((slices, *ct.grid.shape[1:]), spacing, tuple(origin), ct.grid.direction)
    return resample_linear(ct, grid, -1000.0), resample_mask(liver, ct.grid, grid)


def flipped(ct: Volume, liver: np.ndarray) -> Scan:
    """Return the same patient with all index axes reversed and two of them swapped."""
    last = np.array(ct.grid.shape) - 1.0
    axes = ct.grid.direction_matrix[:, [1, 0, 2]] * -1.0
    z, y, x = ct.grid.shape
    dz, dy, dx = ct.grid.spacing_mm
    grid = Grid((z, x, y), (dz, dx, dy), tuple(ct.grid.to_lps(last)), as_direction(axes))
    turn = lambda array: np.ascontiguousarray(array[::-1, ::-1, ::-1].swapaxes(1, 2))  # noqa: E731
    return Volume(turn(ct.array), grid, Unit.HU), turn(liver)


def turned(ct: Volume, liver: np.ndarray, degrees: float) -> Scan:
    """Return the same patient on an oblique grid through the middle of the image."""
    direction = rotation((1.0, 0.5, 0.3), degrees) @ ct.grid.direction_matrix
    middle = ct.grid.to_lps((np.array(ct.grid.shape) - 1.0) / 2.0)
    half = direction @ ((np.array(ct.grid.shape[::-1]) - 1.0) / 2.0 * np.array(ct.grid.spacing_mm[::-1]))
    grid = Grid(ct.grid.shape, ct.grid.spacing_mm, tuple(middle - half), as_direction(direction))
    return resample_linear(ct, grid, -1024.0), resample_mask(liver, ct.grid, grid)


def _squeezed(hu: np.ndarray, share: float) -> np.ndarray:
    """Bring soft tissue (0 to 250 HU) nearer to 50 HU."""
    return np.where((hu > 0.0) & (hu < 250.0), 50.0 + share * (hu - 50.0), hu)
