"""Eight segments by planes: where they lie, how large they are, and how well they match drawn ones."""

from __future__ import annotations

import numpy as np
import pytest

from radioembolization.errors import StructureError
from radioembolization.images import Grid
from radioembolization.phantom import synthetic_patient
from radioembolization.territories.growth.couinaud import SEGMENT_SHARES, couinaud_segments
from support import as_direction, ellipsoid, rotation

GRID = Grid((36, 40, 60), (4.0, 4.0, 4.0), (-120.0, -80.0, -70.0))
LIVER = ellipsoid(GRID, (0, 0, 0), (100.0, 70.0, 65.0))


def centres(labels: np.ndarray, grid: Grid) -> dict[int, np.ndarray]:
    return {k: grid.to_lps(np.argwhere(labels == k)).mean(axis=0) for k in range(1, 9)}


def test_segments_have_their_shares_and_fill_the_liver() -> None:
    labels = couinaud_segments(LIVER, GRID)
    assert np.array_equal(labels > 0, LIVER)
    # A plane along the slices moves by whole slices.
    assert np.bincount(labels[LIVER], minlength=9)[1:] / LIVER.sum() == pytest.approx(SEGMENT_SHARES, abs=0.01)


def test_segments_lie_as_couinaud_named_them() -> None:
    """x to the patient's left, y to the back, z to the head."""
    at = centres(couinaud_segments(LIVER, GRID), GRID)
    assert at[2][0] > at[4][0] > at[5][0] and at[3][0] > at[4][0]
    assert at[6][1] > at[5][1] and at[7][1] > at[8][1] and at[1][1] > at[4][1]
    assert at[8][2] > at[5][2] and at[7][2] > at[6][2] and at[2][2] > at[3][2]


def test_a_turned_grid_gives_the_same_places() -> None:
    """Axes of the image turned by 180 degrees about z: other voxels, the same patient."""
    turned = Grid(
        GRID.shape, GRID.spacing_mm, tuple(GRID.to_lps(np.array([0, 39, 59]))), as_direction(rotation((0, 0, 1), 180.0))
    )
    labels = couinaud_segments(LIVER[:, ::-1, ::-1], turned)
    same = labels[:, ::-1, ::-1] == couinaud_segments(LIVER, GRID)
    assert same.mean() > 0.999  # voxels on a plane may fall to its other side by rounding


def test_planes_scaled_to_a_liver_are_close_to_its_own() -> None:
    patient = synthetic_patient(2, 9.0)
    labels = couinaud_segments(patient.masks["liver"], patient.ct.grid)
    agree = [
        2.0 * np.count_nonzero((labels == k) & mask) / (np.count_nonzero(labels == k) + np.count_nonzero(mask))
        for k, mask in enumerate(patient.segments.values(), start=1)
    ]
    # Shares differ from the usual ones by up to 12 % each, which moves the planes; the caudate is small.
    assert min(agree) > 0.6 and np.mean(agree) > 0.85, agree


def test_a_speck_cannot_be_divided() -> None:
    with pytest.raises(StructureError, match="too few"):
        couinaud_segments(ellipsoid(GRID, (0, 0, 0), 5.0), GRID)
