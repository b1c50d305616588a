"""A CT is checked before organs are looked for, and moved onto axes along the patient whatever its own."""

import numpy as np
import pytest

from degraded_ct import flipped, turned
from radioembolization.errors import ImageError
from radioembolization.images import Grid, Unit, Volume
from radioembolization.structures.segmentation.ct_image import working_ct
from support import ellipsoid

GRID = Grid((20, 40, 44), (5.0, 3.0, 3.0), (-60.0, -55.0, 10.0))


def ball(padding_hu=-1000.0):
    array = np.full(GRID.shape, -1000.0, dtype=np.float32)
    array[ellipsoid(GRID, (20.0, 0.0, 60.0), (25.0, 30.0, 35.0))] = 50.0
    array[:, :3] = padding_hu
    return Volume(array, GRID, Unit.HU)


def centre_lps(work):
    return work.grid.to_lps(np.argwhere(work.hu > -400.0).mean(axis=0))


@pytest.mark.parametrize("move", [lambda ct, mask: (ct, mask), flipped, lambda ct, mask: turned(ct, mask, 25.0)])
def test_what_is_on_the_left_stays_there_whatever_the_axes(move):
    ct, _ = move(ball(), ball().array > 0)
    work = working_ct(ct)
    np.testing.assert_allclose(work.grid.direction_matrix, np.eye(3))
    np.testing.assert_allclose(centre_lps(work), (20.0, 0.0, 60.0), atol=1.0)
    assert np.count_nonzero(work.hu > -475.0) * work.voxel_ml == pytest.approx(
        4 / 3 * np.pi * 2.5 * 3.0 * 3.5, rel=0.03
    )


def test_a_mask_survives_the_way_to_the_working_grid_and_back():
    mask = ball().array > 0
    work = working_ct(ball())
    back = work.on_image(work.on_working_grid(mask))
    assert 2 * np.count_nonzero(back & mask) / (np.count_nonzero(back) + np.count_nonzero(mask)) > 0.97


def test_padding_was_never_measured_and_reads_as_air():
    work = working_ct(ball(padding_hu=-3024.0))
    assert work.hu.min() == -1000.0
    assert not work.covered[:, :2].any()
    assert work.covered[:, 5:-2].all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda hu: np.zeros_like(hu), "empty"),
        (lambda hu: np.full_like(hu, -3024.0), "empty"),
        (lambda hu: hu + 1024.0, "no CT in HU"),
        (lambda hu: (hu + 1000.0) * 2.0, r"HU \+ 1024"),
        (lambda hu: np.clip((hu + 160.0) / 400.0 * 255.0, 0.0, 255.0), "display window"),
        (lambda hu: np.clip(hu, -160.0, 240.0), "display window"),
        (lambda hu: np.minimum(hu, -900.0) - np.arange(len(hu))[:, None, None], "no CT in HU"),
    ],
)
def test_what_is_no_ct_in_hu_is_refused(change, words):
    with pytest.raises(ImageError, match=words):
        working_ct(Volume(change(ball().array), GRID, Unit.HU))


def test_other_units_and_too_few_slices_are_refused():
    with pytest.raises(ImageError, match="counts"):
        working_ct(Volume(ball().array, GRID, Unit.COUNTS))
    with pytest.raises(ImageError, match="at least 5 slices"):
        working_ct(Volume(ball().array[:4], Grid((4, 40, 44), GRID.spacing_mm), Unit.HU))
