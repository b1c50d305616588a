"""Tumour-to-normal ratios, by hand."""

import numpy as np
import pytest
from scipy import ndimage

from radioembolization.errors import InputError, LesionWithoutCounts, PartialVolumeLoss, StructureError
from radioembolization.images import Grid
from radioembolization.structures import tumour_to_normal_ratios
from radioembolization.structures.tumour_to_normal import Reference, territory_references, tumour_to_normal
from support import box_mask, counts, ellipsoid, quiet, structure_set

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


# With uncertainty: one voxel is far smaller than an independent volume, so the sizes below are those of the lesions.
FINE = Grid((44, 44, 44), (4.0, 4.0, 4.0), (-86.0, -86.0, -86.0))
FINE_LIVER = ellipsoid(FINE, (0.0, 0.0, 0.0), 80.0)
LESIONS = {"large": ellipsoid(FINE, (-25.0, 0.0, 0.0), 26.0), "small": ellipsoid(FINE, (40.0, 0.0, 0.0), 8.0)}
FINE_STRUCTURES = structure_set(FINE, FINE_LIVER, LESIONS)
SIGMA_MM = 12.0 / 2.354820045


def measured(image, **more):
    with quiet():
        return {one.name: one for one in tumour_to_normal(FINE_STRUCTURES, counts(image, FINE), **more)}


def uniform(large=4.0, small=4.0):
    return FINE_LIVER + (large - 1.0) * LESIONS["large"] + (small - 1.0) * LESIONS["small"]


def test_ratio_volume_and_reference_of_each_lesion():
    found = measured(uniform(4.0, 3.0))
    assert found["large"].ratio == pytest.approx(4.0)
    assert found["small"].ratio == pytest.approx(3.0)
    assert found["large"].standard_error == pytest.approx(0.0, abs=1e-6)
    assert found["large"].volume_ml == pytest.approx(LESIONS["large"].sum() * 0.064)
    assert found["large"].reference == "normal liver"


def test_standard_error_by_hand():
    # Resolution 12 mm: independent volumes of (2 sqrt(pi) 5.096 mm)^3 = 5.894 mL; half of the large lesion has 3, half
    # 5, so that s = 1; normal liver is uniform.  Correlation of pairs in a ball of radius 26 mm by brute force.
    image = uniform()
    where = np.argwhere(LESIONS["large"])
    image[tuple(where[::2].T)], image[tuple(where[1::2].T)] = 3.0, 5.0
    pairs = 16.0 * ((where[:, None] - where[None]) ** 2).sum(axis=-1)
    correlation = np.exp(-pairs / (4.0 * SIGMA_MM**2)).mean()
    assert correlation < 5.894 / (LESIONS["large"].sum() * 0.064)
    expected = image[LESIONS["large"]].std() * np.sqrt(correlation / (1.0 - correlation))
    assert measured(image)["large"].standard_error == pytest.approx(expected, rel=0.03)


def test_standard_error_against_monte_carlo():
    # White noise smoothed to the resolution; what is stated in each draw, in the mean square, against the spread of the
    # ratios.  The large lesion has 12 independent volumes, the small one a third of one.  80 draws know both to 8 %.
    rng = np.random.default_rng(2)
    found = [
        measured(uniform() + ndimage.gaussian_filter(rng.normal(size=FINE.shape), SIGMA_MM / 4.0)) for _ in range(80)
    ]
    for name in LESIONS:
        spread = np.std([one[name].ratio for one in found])
        stated = np.sqrt(np.mean([one[name].standard_error ** 2 for one in found]))
        assert stated == pytest.approx(spread, rel=0.25)


def test_recovery_of_small_lesions_is_expected_and_warned_of():
    found = measured(uniform())
    blurred = ndimage.gaussian_filter(LESIONS["small"].astype(float), SIGMA_MM / 4.0)[LESIONS["small"]].mean()
    # The lesion is a sphere in voxels of a third of the resolution: 5 %.
    assert found["small"].expected_recovery == pytest.approx(blurred, rel=0.05)
    blurred = ndimage.gaussian_filter(LESIONS["large"].astype(float), SIGMA_MM / 4.0)[LESIONS["large"]].mean()
    assert found["large"].expected_recovery == pytest.approx(blurred, rel=0.02)
    with pytest.warns(PartialVolumeLoss, match="'small' .* keeps 33% of its contrast") as caught:
        tumour_to_normal(FINE_STRUCTURES, counts(uniform(), FINE))
    assert len(caught) == 1


def test_lesion_without_counts_is_warned_of():
    with pytest.warns(LesionWithoutCounts, match="'large'"), pytest.warns(PartialVolumeLoss):
        found = tumour_to_normal(FINE_STRUCTURES, counts(uniform(large=0.0), FINE))
    assert found[0].ratio == 0.0


def test_references_by_region_and_by_territory():
    image = uniform()
    left = ellipsoid(FINE, (-80.0, 0.0, 0.0), 85.0)
    image[left & FINE_LIVER & ~LESIONS["large"]] = 2.0  # better perfused: 4 / 2
    assert measured(image, reference=Reference("left", left))["large"].ratio == pytest.approx(2.0)
    own = territory_references(FINE_STRUCTURES, {"whole": FINE_LIVER, "left": left})
    found = measured(image, own_references=own)
    assert (found["large"].reference, found["small"].reference) == ("normal liver of left", "normal liver of whole")
    assert found["large"].ratio == pytest.approx(2.0)
    whole = image[FINE_STRUCTURES.normal_liver.mask].mean()
    assert found["small"].ratio == pytest.approx(4.0 / whole)


def test_resolution_must_be_positive():
    with pytest.raises(InputError, match="above zero"):
        tumour_to_normal(FINE_STRUCTURES, counts(uniform(), FINE), resolution_mm=0.0)
