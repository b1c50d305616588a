"""Does the scout image lie where the structures are?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import fft, ndimage

from radioembolization.images import Grid, Volume, bounding_box, resample_mask
from radioembolization.structures.consistency.drawn import DrawnStructure
from radioembolization.structures.findings import Finding, Severity
from radioembolization.structures.structure_set import Role

#: Counts this far outside an organ are still its own, by the resolution of SPECT and by breathing [mm].
BLUR_MM = 15.0
#: Share of counts outside liver and lungs, and outside the body, to warn at.
_ELSEWHERE_WARNED, _OUTSIDE_BODY_WARNED = 0.25, 0.05
#: Shares of counts in the liver that count as too few anyway.
_IN_LIVER_REFUSED = 0.05
#: Counts below this share of the mean of the liver are background.
_BACKGROUND = 0.10
#: Shifts are looked for on voxels of this size, up to this distance [mm]; smaller ones are not judged.
_COARSE_MM, _FURTHEST_MM, _SHIFT_JUDGED_MM = 8.0, 80.0, 16.0
#: A shift is worth a word if it brings as much more of the counts into the liver.
_SHIFT_GAIN = 0.10
_DIRECTIONS = (("right", "left"), ("front", "back"), ("foot", "head"))


def check_scout(
    scout: Volume, structures: Sequence[DrawnStructure], body: tuple[np.ndarray, Grid] | None = None
) -> list[Finding]:
    """Compare where the counts of a scout are with liver, lungs and body.

    Parameters
    ----------
    scout : Volume
        Counts; those below a tenth of the mean of the liver do not count.
    structures : sequence of DrawnStructure
        With one of role liver.
    body : (ndarray (z, y, x) of bool, Grid), optional
    """
    liver = [s for s in structures if s.role is Role.LIVER]
    if not liver or not float(scout.array.max()) > 0:
        return []
    in_liver = resample_mask(liver[0].part, liver[0].part_grid, scout.grid)
    mean = float(scout.array[in_liver].mean()) if in_liver.any() else 0.0
    counts = np.where(scout.array >= _BACKGROUND * mean, np.maximum(scout.array, 0.0), 0.0).astype(np.float32)
    hot = Volume(counts, scout.grid, scout.unit)
    near_liver = _near(liver, scout.grid)
    near = near_liver | _near([s for s in structures if s.role is Role.LUNGS], scout.grid)
    findings = _outside_body(hot, body) if body is not None else []
    # A scout that lies too high has its counts in the lungs: a shift is judged by the liver alone.
    return findings + _elsewhere(hot, near, liver[0]) + _shifted(hot, near_liver, liver[0])


def _near(structures: Sequence[DrawnStructure], grid: Grid) -> np.ndarray:
    """Return the voxels (z, y, x) of a grid within the blur of some structures."""
    inside = np.zeros(grid.shape, dtype=bool)
    for structure in structures:
        inside |= resample_mask(structure.part, structure.part_grid, grid)
    box = bounding_box(inside)
    if box is None:
        return inside
    margin = [int(np.ceil(BLUR_MM / mm)) for mm in grid.spacing_mm]
    part = tuple(slice(max(0, a - m), b + m) for (a, b), m in zip(box, margin, strict=True))
    inside[part] = ndimage.distance_transform_edt(~inside[part], sampling=grid.spacing_mm) <= BLUR_MM
    return inside


def _share(counts: Volume, inside: np.ndarray) -> float:
    return float(counts.array[inside].sum(dtype=float) / counts.array.sum(dtype=float))


def _hottest(counts: Volume, where: np.ndarray) -> tuple[float, float, float]:
    """Return the position of the hottest voxel among some (z, y, x)."""
    index = np.unravel_index(int(np.where(where, counts.array, -1.0).argmax()), counts.array.shape)
    return tuple(float(round(value, 1)) for value in counts.grid.to_lps(np.array(index)))  # type: ignore[return-value]


def _elsewhere(counts: Volume, near: np.ndarray, liver: DrawnStructure) -> list[Finding]:
    share = 1.0 - _share(counts, near)
    if share <= _ELSEWHERE_WARNED:
        return []
    severity = Severity.ERROR if 1.0 - share < _IN_LIVER_REFUSED else Severity.WARNING
    return [
        Finding(
            "counts elsewhere",
            severity,
            f"{share:.0%} of the scout counts lie more than {BLUR_MM:g} mm outside liver and lungs: look for "
            "extrahepatic deposition or free pertechnetate there, and check that scout and structures are aligned and "
            "the lungs are drawn.",
            (liver.name,),
            _hottest(counts, ~near),
        )
    ]


def _outside_body(counts: Volume, body: tuple[np.ndarray, Grid]) -> list[Finding]:
    mask, grid = body
    voxels = np.argwhere(counts.array)
    index = np.rint(grid.to_index(counts.grid.to_lps(voxels))).astype(int)
    shown = np.all((index >= 0) & (index < grid.shape), axis=1)  # what the CT does not show is not judged
    outside = np.zeros(counts.array.shape, dtype=bool)
    outside[tuple(voxels[shown].T)] = ~mask[tuple(index[shown].T)]
    share = _share(counts, outside)
    if share <= _OUTSIDE_BODY_WARNED:
        return []
    return [
        Finding(
            "counts outside the body",
            Severity.WARNING,
            f"{share:.0%} of the scout counts lie in the air around the patient of the CT: register scout and CT, or "
            "remove contamination from the scout.",
            (),
            _hottest(counts, outside),
        )
    ]


def _shifted(counts: Volume, near: np.ndarray, liver: DrawnStructure) -> list[Finding]:
    """Look whether a shift of the scout would bring clearly more of its counts into the liver."""
    if not near.any():
        return []
    spacing = _factors(counts.grid) * np.array(counts.grid.spacing_mm)
    whole, target = _coarse(counts.array, counts.grid), _coarse(near, counts.grid)
    reach = np.ceil(_FURTHEST_MM / spacing).astype(int)
    size = [fft.next_fast_len(n + int(r), real=True) for n, r in zip(whole.shape, reach, strict=True)]
    # Correlation: counts at (voxel - shift) times the liver at the voxel.
    spectrum = fft.rfftn(target / target.max(), size) * np.conj(fft.rfftn(whole, size))
    inside = fft.irfftn(spectrum, size) / whole.sum(dtype=float)
    shifts = np.stack(np.meshgrid(*(_steps(int(r)) for r in reach), indexing="ij"), axis=-1)
    distance = np.linalg.norm(shifts * spacing, axis=-1)
    values = inside[tuple(np.moveaxis(shifts, -1, 0))]
    # The nearest of shifts that are as good within a point of a per cent.
    good = (values >= values.max() - 0.01) & (distance <= _FURTHEST_MM)
    if not good.any():
        return []
    best = np.unravel_index(int(np.where(good, distance, np.inf).argmin()), values.shape)
    now, then = float(inside[0, 0, 0]), float(values[best])
    if distance[best] < _SHIFT_JUDGED_MM or then - now < _SHIFT_GAIN:
        return []
    step = counts.grid.direction_matrix @ (shifts[best] * spacing)[::-1]
    large = [(i, v) for i, v in enumerate(step) if abs(v) >= spacing.min() / 2]
    names = [f"{abs(v):.0f} mm to the {_DIRECTIONS[i][int(v > 0)]}" for i, v in large]
    return [
        Finding(
            "misaligned scout",
            Severity.WARNING,
            f"Moved by {', '.join(names)}, the scout would have {then:.0%} instead of {now:.0%} of its counts in the "
            f"liver (within {BLUR_MM:g} mm): register the scout to the CT, and look at both together.",
            (liver.name,),
            _hottest(counts, ~near),
        )
    ]


def _factors(grid: Grid) -> np.ndarray:
    return np.maximum(1, np.rint(_COARSE_MM / np.array(grid.spacing_mm))).astype(int)


def _coarse(values: np.ndarray, grid: Grid) -> np.ndarray:
    """Return the sums of values (z, y, x) over blocks of voxels."""
    factors = _factors(grid)
    padded = np.pad(values.astype(np.float32), [(0, -n % int(f)) for n, f in zip(values.shape, factors, strict=True)])
    z, y, x = (n // int(f) for n, f in zip(padded.shape, factors, strict=True))
    return padded.reshape(z, factors[0], y, factors[1], x, factors[2]).sum(axis=(1, 3, 5))


def _steps(reach: int) -> np.ndarray:
    return np.arange(-reach, reach + 1)
