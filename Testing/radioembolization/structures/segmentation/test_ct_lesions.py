"""Lesions put into a liver are found again, and only they."""

import numpy as np
import pytest

from radioembolization.errors import StructureError
from radioembolization.images import Grid, Unit, Volume
from radioembolization.structures.segmentation.ct_lesions import LesionKind, lesion_candidates
from support import ellipsoid

GRID = Grid((24, 60, 60), (5.0, 2.5, 2.5))
LIVER = ellipsoid(GRID, (74.0, 74.0, 58.0), (60.0, 55.0, 45.0))
DARK = ellipsoid(GRID, (50.0, 70.0, 60.0), 14.0)
BRIGHT = ellipsoid(GRID, (95.0, 80.0, 55.0), 10.0)
VESSEL = ellipsoid(GRID, (74.0, 74.0, 58.0), (55.0, 3.0, 3.0))


@pytest.fixture(scope="module")
def ct():
    hu = np.full(GRID.shape, -1000.0)
    hu[ellipsoid(GRID, (74.0, 74.0, 58.0), (70.0, 65.0, 55.0))] = -80.0
    hu[LIVER] = 110.0
    hu[VESSEL & LIVER], hu[DARK], hu[BRIGHT] = 170.0, 60.0, 160.0
    hu += 12.0 * np.random.default_rng(4).standard_normal(hu.shape)
    return Volume(hu.astype(np.float32), GRID, Unit.HU)


@pytest.mark.parametrize(("kind", "lesion"), [(LesionKind.HYPO, DARK), (LesionKind.HYPER, BRIGHT)])
def test_a_lesion_is_found_with_its_volume(ct, kind, lesion):
    (found,) = lesion_candidates(ct, LIVER, kind)
    assert 2 * np.count_nonzero(found.mask & lesion) / (found.mask.sum() + lesion.sum()) > 0.75
    assert found.mask.sum() == pytest.approx(lesion.sum(), rel=0.4)
    assert not (found.mask & ~LIVER).any()
    assert found.findings[0].check == "lesion candidate"


def test_an_even_liver_has_none(ct):
    hu = ct.array.copy()
    hu[DARK | BRIGHT | VESSEL] = 110.0
    assert lesion_candidates(Volume(hu, GRID, Unit.HU), LIVER, LesionKind.HYPO) == ()


def test_a_liver_of_another_grid_or_none_is_refused(ct):
    with pytest.raises(StructureError, match="grid of the CT"):
        lesion_candidates(ct, LIVER[1:], LesionKind.HYPO)
    with pytest.raises(StructureError, match="0 voxels"):
        lesion_candidates(ct, np.zeros_like(LIVER), LesionKind.HYPO)
