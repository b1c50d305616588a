"""Tumour-to-normal ratios, by hand."""

import numpy as np
import pytest

from radioembolization.errors import StructureError
from radioembolization.images import Grid
from radioembolization.structures import tumour_to_normal_ratios
from support import box_mask, counts, structure_set

GRID = Grid((1, 2, 6), (2.0, 2.0, 2.0))
# Row 0: liver, voxels 1 and 2 are tumour A, voxel 4 is tumour B.  Row 1: voxels 0 to 2 are liver.
LIVER = box_mask(GRID.shape, (0, 1), (0, 2), (0, 6)) & ~box_mask(GRID.shape, (0, 1), (1, 2), (3, 6))
TUMOURS = {"A": box_mask(GRID.shape, (0, 1), (0, 1), (1, 3)), "B": box_mask(GRID.shape, (0, 1), (0, 1), (4, 5))}
STRUCTURES = structure_set(GRID, LIVER, TUMOURS)
SCOUT = counts(np.array([[[2.0, 10.0, 14.0, 6.0, 2.0, 4.0], [3.0, 5.0, 4.0, 900.0, 900.0, 900.0]]]), GRID)


def test_ratio_of_mean_counts_per_voxel():
    # Normal liver 2, 6, 4, 3, 5, 4: mean 4.  A: mean 12.  B: 2.  Counts outside the liver do not enter.
    assert tumour_to_normal_ratios(STRUCTURES, SCOUT) == pytest.approx({"A": 3.0, "B": 0.5})


def test_reference_region():
    # Normal liver of row 0: 2, 6, 4.  Mean 4; of the first three columns: 2, 3, 5, 4 -> 3.5.
    region = box_mask(GRID.shape, (0, 1), (0, 2), (0, 3))
    assert tumour_to_normal_ratios(STRUCTURES, SCOUT, region) == pytest.approx({"A": 12.0 / 3.5, "B": 2.0 / 3.5})


def test_the_ratio_is_one_of_concentrations_and_scale_free():
    tenfold = counts(SCOUT.array * 10.0, GRID)
    assert tumour_to_normal_ratios(STRUCTURES, tenfold) == pytest.approx({"A": 3.0, "B": 0.5})


@pytest.mark.parametrize("region", [TUMOURS["A"], np.zeros(GRID.shape, dtype=bool)], ids=["tumour", "nothing"])
def test_a_region_without_normal_liver_is_refused(region):
    with pytest.raises(StructureError, match="no scout counts"):
        tumour_to_normal_ratios(STRUCTURES, SCOUT, region)


def test_normal_liver_without_counts_is_refused():
    only_tumour = counts(np.where(TUMOURS["A"], 5.0, 0.0), GRID)
    with pytest.raises(StructureError, match="enter ratios"):
        tumour_to_normal_ratios(STRUCTURES, only_tumour)


def test_only_the_part_inside_the_liver_counts():
    # A tumour of two voxels, one of them outside a liver of three; the one inside has 6 counts against 2.
    grid = Grid((1, 1, 4), (10.0, 10.0, 10.0))
    liver, tumour = np.array([[[1, 1, 1, 0]]], bool), np.array([[[0, 0, 1, 1]]], bool)
    structures = structure_set(grid, liver, {"T": tumour})
    assert tumour_to_normal_ratios(structures, counts([[[2, 2, 6, 0]]], grid)) == {"T": pytest.approx(3.0)}
