"""Lung mass from CT numbers, by hand."""

import numpy as np
import pytest

from radioembolization.errors import ImageError
from radioembolization.images import Grid, Unit, Volume, lung_mass_kg_from_ct

GRID = Grid((10, 10, 10), (5.0, 2.0, 2.0))  # 0.02 mL per voxel


def ct(hu):
    return Volume(np.broadcast_to(np.asarray(hu, dtype=np.float32), GRID.shape).copy(), GRID, Unit.HU)


def test_uniform_lung():
    # 1000 voxels of 0.02 mL at -700 HU: 0.3 g/cm3 x 20 mL = 6 g.
    assert lung_mass_kg_from_ct(ct(-700.0), np.ones(GRID.shape, bool)) == pytest.approx(0.006, rel=1e-6)


def test_mass_is_the_sum_over_the_structure_only():
    image = np.full(GRID.shape, -800.0)
    image[:5] = -600.0
    mask = np.zeros(GRID.shape, bool)
    mask[4:6] = True  # 100 voxels at 0.4 and 100 at 0.2 g/cm3
    assert lung_mass_kg_from_ct(ct(image), mask) == pytest.approx((40.0 + 20.0) * 0.02e-3, rel=1e-6)


def test_ct_numbers_are_cut_between_air_and_soft_tissue():
    image = np.full(GRID.shape, -700.0)
    image[0, 0, 0], image[0, 0, 1] = 3000.0, -3024.0  # metal and padding
    expected = (998 * 0.3 + 1.1 + 0.0) * 0.02e-3
    assert lung_mass_kg_from_ct(ct(image), np.ones(GRID.shape, bool)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("hu", [-1000.0, -250.0, 40.0, 300.0])
def test_tissue_that_is_no_lung_is_refused(hu):
    # The last one is an image in density numbers or with a wrong offset.
    with pytest.raises(ImageError, match="HU"):
        lung_mass_kg_from_ct(ct(hu), np.ones(GRID.shape, bool))


def test_an_empty_structure_is_refused():
    with pytest.raises(ImageError, match="0 voxels"):
        lung_mass_kg_from_ct(ct(-700.0), np.zeros(GRID.shape, bool))


def test_another_unit_is_refused():
    image = Volume(np.full(GRID.shape, -700.0), GRID, Unit.COUNTS)
    with pytest.raises(ImageError, match=r"HU.*counts"):
        lung_mass_kg_from_ct(image, np.ones(GRID.shape, bool))
