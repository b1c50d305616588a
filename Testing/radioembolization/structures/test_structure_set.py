"""Roles, masses and the definition of normal liver, by hand on small grids."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radioembolization.errors import SmallStructure, StructureError, TumourPartlyOutsideLiver, TumoursOverlap
from radioembolization.images import Grid
from radioembolization.structures import LungMass, Role, Structure, StructureSet, lies_within
from support import box_mask, quiet, structure_set

GRID = Grid((10, 10, 10), (2.0, 2.5, 4.0))  # 0.02 mL per voxel
LIVER = box_mask(GRID.shape, (0, 8), (0, 10), (0, 10))  # 800 voxels
TUMOUR = box_mask(GRID.shape, (2, 6), (2, 6), (2, 6))  # 64 voxels


def given_structures(**masks):
    roles = {"liver": Role.LIVER, "organ": Role.ORGAN}
    return tuple(Structure(name, roles.get(name, Role.TUMOUR), mask) for name, mask in masks.items())


def test_normal_liver_is_liver_without_tumours_and_organs():
    organ = box_mask(GRID.shape, (0, 2), (0, 5), (0, 4))  # 40 voxels, all in the liver
    inside_tumour = box_mask(GRID.shape, (3, 5), (3, 5), (3, 5))
    structures = structure_set(GRID, LIVER, {"A": TUMOUR, "B": inside_tumour}, {"gallbladder": organ})
    assert structures.normal_liver.mask.sum() == 800 - 64 - 40
    for other in (*structures.tumours, *structures.organs):
        assert not (structures.normal_liver.mask & other.mask).any()
    np.testing.assert_array_equal(structures.liver.mask, LIVER)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_no_voxel_of_normal_liver_is_in_a_tumour(seed):
    rng = np.random.default_rng(seed)
    liver = rng.random((5, 5, 5)) < 0.8
    tumours = {f"T{i}": (rng.random(liver.shape) < 0.2) & liver for i in range(3)}
    if not all(mask.any() for mask in tumours.values()) or not (liver & ~np.any(list(tumours.values()), axis=0)).any():
        return
    structures = structure_set(Grid((5, 5, 5), (1.0, 1.0, 1.0)), liver, tumours)
    union = np.any([t.mask for t in structures.tumours], axis=0)
    assert not (structures.normal_liver.mask & union).any()
    np.testing.assert_array_equal(structures.normal_liver.mask | (union & liver), liver)


def test_volume_and_mass():
    structures = structure_set(GRID, LIVER, {"A": TUMOUR}, density=1.06)
    tumour = structures.tumours[0]
    assert structures.volume_ml(tumour) == pytest.approx(64 * 0.02)
    assert structures.mass_kg(tumour) == pytest.approx(64 * 0.02 * 1.06e-3)
    assert structures.voxel_kg == pytest.approx(0.02 * 1.06e-3)
    normal, whole = structures.normal_liver, structures.liver
    assert structures.mass_kg(normal) + structures.mass_kg(tumour) == pytest.approx(structures.mass_kg(whole))


def test_everything_a_plan_reports_and_its_roles():
    organ = box_mask(GRID.shape, (9, 10), (0, 10), (0, 10))
    structures = structure_set(GRID, LIVER, {"A": TUMOUR}, {"stomach": organ})
    assert [(s.name, s.role) for s in structures.all] == [
        ("A", Role.TUMOUR),
        ("normal liver", Role.NORMAL_LIVER),
        ("whole liver", Role.LIVER),
        ("stomach", Role.ORGAN),
    ]


def test_masks_cannot_be_changed_but_the_callers_can():
    mine = LIVER.copy()
    structure = Structure("liver", Role.LIVER, mine)
    with pytest.raises(ValueError, match="read-only"):
        structure.mask[0, 0, 0] = False
    mine[0, 0, 0] = False


def test_label_values_become_a_mask():
    assert Structure("A", Role.TUMOUR, np.array([[[0, 3], [1, 0]]])).mask.dtype == bool


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ({"liver": LIVER}, "at least one tumour"),
        ({"A": TUMOUR}, "exactly one liver, not 0"),
        ({"liver": LIVER, "A": np.zeros_like(TUMOUR)}, r"'A'.*no voxels.*0 of 1000"),
        ({"liver": np.zeros_like(LIVER), "A": TUMOUR}, r"'liver'.*no voxels"),
        ({"liver": TUMOUR, "A": TUMOUR}, "No normal liver is left"),
        ({"liver": LIVER, "A": TUMOUR[:5]}, r"'A'.*\(5, 10, 10\)"),
        ({"liver": LIVER, "normal liver": TUMOUR}, "normal liver"),
        ({"liver": LIVER, "whole liver": TUMOUR}, "whole liver"),
    ],
    ids=["no tumour", "no liver", "empty tumour", "empty liver", "all tumour", "shape", "reserved 1", "reserved 2"],
)
def test_impossible_structures_are_refused(given_, message):
    with pytest.raises(StructureError, match=message):
        StructureSet(GRID, given_structures(**given_))


def test_two_livers_are_refused_by_name():
    two = (
        Structure("left", Role.LIVER, LIVER),
        Structure("right", Role.LIVER, LIVER),
        Structure("A", Role.TUMOUR, TUMOUR),
    )
    with pytest.raises(StructureError, match=r"not 2.*left.*right"):
        StructureSet(GRID, two)


def test_one_name_for_two_structures_is_refused():
    double = given_structures(liver=LIVER, A=TUMOUR) + given_structures(A=TUMOUR)
    with pytest.raises(StructureError, match=r"unique.*'A'"):
        StructureSet(GRID, double)


@pytest.mark.parametrize("density", [0.4, 1060.0, np.nan])
def test_density_in_other_units_is_refused(density):
    with pytest.raises(StructureError, match="g/cm3"):
        StructureSet(GRID, given_structures(liver=LIVER, A=TUMOUR), density)


@pytest.mark.parametrize("mass_kg", [1000.0, 0.0, -1.0, np.nan])
def test_lung_mass_in_other_units_is_refused(mass_kg):
    with pytest.raises(StructureError, match="kilograms"):
        LungMass(mass_kg, "entered")


# The liver ends at slice 8; the tumours are 4 slices thick.
@pytest.mark.parametrize("first", [7, 8], ids=["25 % inside", "outside"])
def test_a_tumour_mostly_outside_the_liver_is_refused(first):
    grid = Grid((12, 10, 10), GRID.spacing_mm)
    liver = box_mask(grid.shape, (0, 8), (0, 10), (0, 10))
    tumour = box_mask(grid.shape, (first, first + 4), (2, 6), (2, 6))
    with pytest.raises(StructureError, match=rf"'A' has only {25 if first == 7 else 0}%.*frame of reference"):
        StructureSet(grid, given_structures(liver=liver, A=tumour))


@pytest.mark.parametrize(("first", "outside_ml", "share"), [(5, "0.3", "25%"), (6, "0.6", "50%")])
def test_a_tumour_partly_outside_is_warned_of_by_name(first, outside_ml, share):
    # 16 or 32 of 64 voxels of 0.02 mL.
    grid = Grid((12, 10, 10), GRID.spacing_mm)
    liver = box_mask(grid.shape, (0, 8), (0, 10), (0, 10))
    tumour = box_mask(grid.shape, (first, first + 4), (2, 6), (2, 6))
    with pytest.warns(TumourPartlyOutsideLiver, match=rf"{outside_ml} mL \({share}\) of tumour 'A'"):
        StructureSet(grid, given_structures(liver=liver, A=tumour))


@pytest.mark.parametrize(
    ("last", "within"),
    [
        (49, True),
        (50, True),  # 1 of 41 voxels outside, next to the region
        (51, False),  # 2 of 42, one of them two voxels away
        (54, False),
    ],
)
def test_a_rim_of_one_voxel_still_lies_within(last, within):
    region = box_mask((1, 1, 60), (0, 1), (0, 1), (0, 50))
    assert lies_within(box_mask((1, 1, 60), (0, 1), (0, 1), (10, last + 1)), region) == within


def test_a_thin_structure_half_of_which_is_rim_does_not_lie_within():
    # 4 of 20 voxels outside, all of them next to the region: more than a tenth.
    region = box_mask((1, 4, 20), (0, 1), (0, 4), (0, 10))
    mask = box_mask((1, 4, 20), (0, 1), (0, 4), (6, 11))
    assert (mask & ~region).sum() == 4
    assert not lies_within(mask, region)


@pytest.mark.parametrize(("voxels", "warned"), [(29, True), (30, False)])
def test_structures_of_few_voxels_are_warned_of(voxels, warned):
    tumour = np.zeros(GRID.voxels, dtype=bool)
    tumour[:voxels] = True
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        StructureSet(GRID, given_structures(liver=LIVER, A=tumour.reshape(GRID.shape)))
    assert [w.category for w in caught] == ([SmallStructure] if warned else [])
    if warned:
        assert "'A' has only 29 voxels" in str(caught[0].message)


def test_a_proper_case_gives_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        StructureSet(GRID, given_structures(liver=LIVER, A=TUMOUR))


def test_the_lungs_enter_by_their_mass_only():
    with quiet():
        structures = StructureSet(GRID, given_structures(liver=LIVER, A=TUMOUR), lungs=LungMass(0.8, "CT density"))
    assert (structures.lungs.mass_kg, structures.lungs.method) == (0.8, "CT density")
    assert all(s.role is not Role.LUNGS for s in structures.all)


def test_tumours_that_share_voxels_are_named_with_the_volume():
    liver = box_mask((10, 10, 10), (0, 10), (0, 10), (0, 10))
    a, b = box_mask(liver.shape, (0, 4), (0, 4), (0, 4)), box_mask(liver.shape, (3, 7), (0, 4), (0, 4))
    given = (Structure("l", Role.LIVER, liver), Structure("A", Role.TUMOUR, a), Structure("B", Role.TUMOUR, b))
    with pytest.warns(TumoursOverlap, match=r"'A' and 'B' share 128\.0 mL"):  # 16 voxels of 8 mL
        StructureSet(Grid(liver.shape, (20.0, 20.0, 20.0)), given)
