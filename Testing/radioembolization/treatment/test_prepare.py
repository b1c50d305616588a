"""A case on its planning grid: geometry, masses, shares, notices, and what is refused before any dose."""

import warnings
from dataclasses import replace

import numpy as np
import pytest

from radioembolization.dose import DoseSettings
from radioembolization.errors import (
    DeviceMismatch,
    ImageError,
    LimitError,
    LungMassMissing,
    NoOverlap,
    StructureError,
    TerritoryError,
)
from radioembolization.images import Grid, Unit, Volume, resample_linear
from radioembolization.physics import GLASS_Y90, RESIN_Y90
from radioembolization.planning import LungDose, MeanDose, Prescription, preset
from radioembolization.structures import Role
from radioembolization.territories import Pattern
from radioembolization.territories.arteries import ArterialTree, Artery
from radioembolization.treatment import (
    CaseInputs,
    SourceMask,
    SourceSite,
    SourceStructure,
    SourceSupply,
    SyntheticLesions,
    plan_treatment,
    prepare,
)
from support import box_mask, counts, ellipsoid

GRID = Grid((20, 22, 24), (5.0, 5.0, 5.0), (-60.0, -50.0, -40.0))
MIDDLE = GRID.to_lps((np.array(GRID.shape) - 1) / 2.0)
LIVER = ellipsoid(GRID, MIDDLE, (50.0, 45.0, 40.0))
A = ellipsoid(GRID, MIDDLE + np.array([20.0, 0.0, 0.0]), 12.0)
B = ellipsoid(GRID, MIDDLE - np.array([20.0, 5.0, 0.0]), 10.0)
WHOLE_LIMIT = Prescription(limits=(MeanDose("normal liver").at_most(gy=40),))
SCOUT_GRID = Grid((26, 28, 30), (5.0, 5.0, 5.0), tuple(GRID.to_lps(np.full(3, -3.0))))
#: Liver 2 per voxel, tumour A 8, B 4, elsewhere 0, and a far spot with a fifth of all counts.
SCOUT_ARRAY = np.zeros(SCOUT_GRID.shape)
SCOUT_ARRAY[3:23, 3:25, 3:27] = 2.0 * LIVER + 6.0 * A + 2.0 * B
SCOUT_ARRAY[0, 0, 0] = SCOUT_ARRAY.sum() / 4.0


def mask(array, grid=GRID):
    return SourceMask(array, grid)


def structure(name, role, array, grid=GRID):
    return SourceStructure(name, role, mask(array, grid))


STRUCTURES = (
    structure("my liver", Role.LIVER, LIVER),
    structure("A", Role.TUMOUR, A),
    structure("B", Role.TUMOUR, B),
)


def inputs(**changes):
    fields = {
        "name": "case",
        "settings": DoseSettings(RESIN_Y90),
        "structures": STRUCTURES,
        "sites": (SourceSite("all", mask(LIVER), 0.05),),
        "prescription": WHOLE_LIMIT,
        "scout": counts(SCOUT_ARRAY, SCOUT_GRID),
        "spacing_mm": (5.0, 5.0, 5.0),
    }
    return CaseInputs(**{**fields, **changes})


def names(case):
    return [notice.name for notice in case.notices]


# Geometry.


def test_the_planning_grid_covers_the_structures_with_a_margin_on_the_livers_axes():
    case = prepare(inputs(spacing_mm=(4.0, 2.5, 5.0)))
    grid = case.structures.grid
    assert grid.spacing_mm == (4.0, 2.5, 5.0)
    assert grid.direction == GRID.direction
    filled = np.argwhere(LIVER)
    for corner in (filled.min(axis=0) - 0.5, filled.max(axis=0) + 0.5):
        index = grid.to_index(GRID.to_lps(corner))
        depth_mm = np.minimum(index + 0.5, np.array(grid.shape) - 0.5 - index) * np.array(grid.spacing_mm)
        assert np.all(depth_mm >= 20.0 - 1e-6)
        assert np.all(depth_mm <= 20.0 + 5.0)


def test_on_an_aligned_grid_structures_keep_their_voxels():
    # Same spacing and a margin of four whole voxels: the masks must come out voxel for voxel.
    case = prepare(inputs())
    for given, placed in zip((A, B, LIVER & ~A & ~B, LIVER), case.structures.all, strict=True):
        assert placed.mask.sum() == given.sum()
    first = case.structures.grid.to_lps(np.argwhere(case.structures.tumours[0].mask))
    np.testing.assert_allclose(first, GRID.to_lps(np.argwhere(A)), atol=1e-9)
    assert case.source_volume_ml == pytest.approx(
        {"whole liver": LIVER.sum() * 0.125, "A": A.sum() * 0.125, "B": B.sum() * 0.125}
    )


def test_structures_may_be_drawn_on_grids_of_their_own():
    flipped = Grid(
        (40, 44, 48), (2.5, 2.5, 2.5), tuple(GRID.to_lps([19.25, -0.25, -0.25])), (1, 0, 0, 0, 1, 0, 0, 0, -1)
    )
    fine = np.kron(A[::-1], np.ones((2, 2, 2), dtype=bool))  # the same tumour on slices that run downwards
    case = prepare(inputs(structures=(STRUCTURES[0], structure("A", Role.TUMOUR, fine, flipped), STRUCTURES[2])))
    np.testing.assert_array_equal(case.structures.tumours[0].mask, prepare(inputs()).structures.tumours[0].mask)


# Scout.


def test_ratios_and_share_come_from_the_scout():
    case = prepare(inputs())
    assert case.tumour_to_normal == pytest.approx({"A": 4.0, "B": 2.0}, rel=1e-3)
    assert case.scout_share_in_liver == pytest.approx(0.8, rel=1e-3)
    assert case.scout.array[case.structures.liver.mask].sum() == pytest.approx(0.8 * SCOUT_ARRAY.sum(), rel=1e-3)


def test_entered_ratios_come_first():
    case = prepare(inputs(tumour_to_normal={"A": 3.0, "B": 1.5}))
    assert case.tumour_to_normal == {"A": 3.0, "B": 1.5}


def test_without_a_scout_sites_are_spread_by_ratios():
    site = SourceSite("all", mask(LIVER), 0.05, pattern=Pattern.TUMOUR_TO_NORMAL)
    case = prepare(inputs(scout=None, sites=(site,), tumour_to_normal={"A": 4.0, "B": 2.0}))
    assert case.scout is None
    assert case.scout_share_in_liver is None
    spread = case.territories.fraction_map(0)
    tumour, normal = case.structures.tumours[0].mask, case.structures.normal_liver.mask
    assert spread[tumour].mean() / spread[normal].mean() == pytest.approx(4.0)


# Sites.


def test_what_is_wrong_with_an_own_scout_names_the_site():
    empty, elsewhere = (
        counts(np.zeros(GRID.shape), GRID),
        counts(SCOUT_ARRAY, replace(SCOUT_GRID, origin_mm=(900, 0, 0))),
    )
    for scout, error in ((empty, ImageError), (elsewhere, NoOverlap)):
        with pytest.raises(error, match=r"^Scout of site 'left': "):
            prepare(inputs(sites=(SourceSite("left", mask(LIVER), 0.05, scout=scout),)))


def test_a_site_may_perfuse_the_part_nearer_to_a_structure():
    whole = mask(LIVER)
    sites = (
        SourceSite("to A", whole, 0.05, nearest_to="A"),
        SourceSite("to B", whole, 0.05, nearest_to="B", among=("A", "B")),
    )
    case = prepare(inputs(sites=sites))
    near_a, near_b = (site.perfused for site in case.sites)
    assert not (near_a & near_b).any()
    np.testing.assert_array_equal(near_a | near_b, case.structures.liver.mask)
    assert not (near_a & case.structures.tumours[1].mask).any()
    assert not (near_b & case.structures.tumours[0].mask).any()


def test_a_site_keeps_what_it_was_given():
    site = SourceSite("all", mask(LIVER), 0.05, Pattern.SCOUT, 0.02, (1.0, 2.0, 3.0))
    (made,) = prepare(inputs(sites=(site,))).sites
    assert (made.name, made.lung_shunt, made.extrahepatic_share) == ("all", 0.05, 0.02)
    assert made.position_lps_mm == (1.0, 2.0, 3.0)


def test_supply_scout_outflow_and_upstream_reach_the_planning_grid():
    # Supply on a grid twice as fine, constant in x by slabs of the planning grid: known after resampling.
    fine = Grid(tuple(2 * n for n in GRID.shape), tuple(s / 2.0 for s in GRID.spacing_mm), _corner(GRID))
    slabs = np.repeat(np.arange(GRID.shape[2]) % 7, 2) * np.ones(fine.shape)
    supply = SourceSupply(slabs.astype(np.float32), fine)
    own = counts(3.0 * SCOUT_ARRAY, SCOUT_GRID)
    stomach = structure("stomach", Role.ORGAN, box_mask(GRID.shape, (2, 5), (18, 21), (2, 6)))
    more = {"supply": supply, "scout": own, "outflow": {"stomach": 0.01}, "upstream": "all"}
    sites = (
        SourceSite("all", mask(LIVER), 0.05),
        SourceSite("right", mask(LIVER), 0.05, extrahepatic_share=0.02, **more),
    )
    case = prepare(inputs(sites=sites, structures=(*STRUCTURES, stomach)))
    plain, made = case.sites
    assert (plain.supply, plain.scout, made.upstream, made.outflow) == (None, None, "all", {"stomach": 0.01})
    np.testing.assert_allclose(made.scout, 3.0 * case.scout.array, rtol=1e-5)
    direct = resample_linear(Volume(supply.array, fine, Unit.RELATIVE_FLOW), case.structures.grid, outside=0.0)
    np.testing.assert_array_equal(made.supply, direct.array)
    assert made.supply.max() == pytest.approx(6.0, rel=0.2)
    fractions = case.territories.fraction_map(1)
    assert fractions.sum() == pytest.approx(0.93, abs=1e-6)
    assert not fractions[made.supply == 0].any()
    assert case.territories.outflow.sum() == pytest.approx(0.01)


def test_a_supply_on_the_planning_grid_stays_as_it_is_and_ends_with_the_part_nearest():
    planned = prepare(inputs()).structures.grid
    values = np.random.default_rng(2).random(planned.shape).astype(np.float32)
    supply = SourceSupply(values, planned)
    sites = (
        SourceSite("all", mask(LIVER), 0.05, supply=supply),
        SourceSite("to A", mask(LIVER), 0.05, nearest_to="A", supply=supply),
    )
    whole, part = prepare(inputs(sites=sites)).sites
    np.testing.assert_array_equal(whole.supply, values)
    np.testing.assert_array_equal(part.supply, np.where(part.perfused, values, 0.0))


def test_arteries_made_by_the_program_are_said_to_be():
    tree = ArterialTree((Artery("proper", None, np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 9.0]]), np.ones(2)),))
    measured, grown = (prepare(inputs(arteries=replace(tree, synthetic=s))) for s in (False, True))
    assert not measured.synthetic and "SyntheticData" not in names(measured)
    assert grown.synthetic
    assert any("1 arteries of the case" in n.message for n in grown.notices if n.name == "SyntheticData")


def _corner(grid):
    """Return the origin of a grid of half the spacing that covers the same box."""
    return tuple(o - s / 4.0 for o, s in zip(grid.origin_mm, grid.spacing_mm[::-1], strict=True))


# Lungs.


LUNGS = box_mask(GRID.shape, (0, 20), (0, 22), (0, 4))
CT = Volume(np.where(LUNGS, -750.0, 50.0), GRID, Unit.HU)
LUNG_LIMIT = Prescription(limits=(MeanDose("normal liver").at_most(gy=40), LungDose().at_most(gy=30)))


def test_a_lung_limit_without_a_lung_mass_is_refused_early():
    with pytest.raises(LungMassMissing, match="mass_kg"):
        prepare(inputs(prescription=LUNG_LIMIT))
    with pytest.raises(LungMassMissing):  # lungs without a CT
        prepare(inputs(prescription=LUNG_LIMIT, structures=(*STRUCTURES, structure("lungs", Role.LUNGS, LUNGS))))


def test_without_a_lung_limit_no_lung_mass_is_needed():
    assert prepare(inputs()).structures.lungs is None


def test_lung_mass_from_ct():
    case = prepare(
        inputs(
            prescription=LUNG_LIMIT,
            structures=(*STRUCTURES, structure("lungs", Role.LUNGS, LUNGS)),
            ct=CT,
        )
    )
    # 1760 voxels of 0.125 mL at 0.25 g/cm3.
    assert case.structures.lungs.mass_kg == pytest.approx(1760 * 0.125 * 0.25e-3, rel=1e-3)
    assert case.structures.lungs.method == "CT density"
    assert "AssumedLungMass" not in names(case)


def test_two_lungs_weigh_together():
    left, right = box_mask(GRID.shape, (0, 20), (0, 22), (0, 2)), box_mask(GRID.shape, (0, 20), (0, 22), (2, 4))
    both = structure("left lung", Role.LUNGS, left), structure("right lung", Role.LUNGS, right)
    case = prepare(inputs(structures=(*STRUCTURES, *both), ct=CT))
    assert case.structures.lungs.mass_kg == pytest.approx(1760 * 0.125 * 0.25e-3, rel=1e-3)


@pytest.mark.parametrize(("assumed", "method"), [(False, "entered"), (True, "assumed")])
def test_an_entered_lung_mass_wins_and_an_assumed_one_is_said_to_be(assumed, method):
    case = prepare(
        inputs(
            prescription=LUNG_LIMIT,
            structures=(*STRUCTURES, structure("lungs", Role.LUNGS, LUNGS)),
            ct=CT,
            lung_mass_kg=1.0,
            lung_mass_assumed=assumed,
        )
    )
    assert (case.structures.lungs.mass_kg, case.structures.lungs.method) == (1.0, method)
    assert names(case).count("AssumedLungMass") == int(assumed)


# Notices.


def test_a_clean_case_has_no_notice():
    assert prepare(inputs()).notices == ()


def test_notices_are_named_and_come_once():
    array = SCOUT_ARRAY.copy()
    array[1, 1, 1] = -0.001 * array.max()
    far = LIVER | box_mask(GRID.shape, (0, 20), (0, 22), (0, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # notices are collected, not shown
        case = prepare(
            inputs(
                scout=counts(array, SCOUT_GRID),
                sites=(SourceSite("all", mask(far), 0.05),),
                lung_mass_kg=1.0,
                lung_mass_assumed=True,
                synthetic=True,
            )
        )
    assert sorted(names(case)) == [
        "AssumedLungMass",
        "NegativeCountsSetToZero",
        "SyntheticData",
        "TerritoryPartlyOutsideLiver",
    ]
    assert all(notice.message for notice in case.notices)
    assert case.synthetic


def test_a_structure_whose_volume_changes_is_named_whatever_its_role():
    # A planning grid of 11 mm is too coarse for the tumours; each structure that changed by 5 % is named.
    case = prepare(inputs(spacing_mm=(11.0, 11.0, 11.0)))
    by_role = {"my liver": case.structures.liver, "A": case.structures.tumours[0], "B": case.structures.tumours[1]}
    drawn = {"my liver": LIVER, "A": A, "B": B}
    changed = {
        name
        for name, placed in by_role.items()
        if abs(case.structures.volume_ml(placed) / (drawn[name].sum() * 0.125) - 1.0) > 0.05
    }
    assert changed  # otherwise the test is empty
    texts = [n.message for n in case.notices if "on the planning grid against" in n.message]
    assert {name for name in drawn if any(f"'{name}'" in text for text in texts)} == changed


def test_a_liver_whose_volume_changes_is_named():
    # A small slab of liver, 15 mm thick, on planning voxels of 20 mm.
    thin = box_mask(GRID.shape, (8, 11), (4, 18), (4, 20))
    tumour = box_mask(GRID.shape, (8, 11), (8, 16), (8, 16))
    case = prepare(
        inputs(
            structures=(structure("my liver", Role.LIVER, thin), structure("A", Role.TUMOUR, tumour)),
            sites=(SourceSite("all", mask(thin), 0.05),),
            spacing_mm=(20.0, 5.0, 5.0),
        )
    )
    before, after = case.source_volume_ml["whole liver"], case.structures.volume_ml(case.structures.liver)
    assert abs(after / before - 1.0) > 0.05
    assert any(
        "my liver" in n.message or "whole liver" in n.message for n in case.notices if n.name == "SmallStructure"
    )


# Synthetic lesions.


def test_synthetic_lesions_are_named_synthetic():
    asked = SyntheticLesions(seed=3, volumes_ml=(8.0, 4.0), tumour_to_normal=(5.0, 3.0))
    site = SourceSite("all", mask(LIVER), 0.05, pattern=Pattern.TUMOUR_TO_NORMAL)
    made = inputs(structures=STRUCTURES[:1], sites=(site,), scout=None, synthetic_lesions=asked)
    case = prepare(made)
    assert [t.name for t in case.structures.tumours] == ["synthetic lesion 1", "synthetic lesion 2"]
    assert case.tumour_to_normal == {"synthetic lesion 1": 5.0, "synthetic lesion 2": 3.0}
    assert case.synthetic
    (notice,) = [n for n in case.notices if n.name == "SyntheticData"]
    assert "2 lesions were placed by the program (seed 3)" in notice.message
    again = prepare(made)
    np.testing.assert_array_equal(again.structures.tumours[0].mask, case.structures.tumours[0].mask)


# Refusals.


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"structures": STRUCTURES[1:]}, StructureError, "exactly one structure of role liver, not 0"),
        ({"structures": (STRUCTURES[0], STRUCTURES[0], *STRUCTURES[1:])}, StructureError, "not 2"),
        ({"structures": STRUCTURES[:1]}, StructureError, "at least one tumour"),
        (
            {"structures": (structure("my liver", Role.LIVER, np.zeros_like(LIVER)), *STRUCTURES[1:])},
            StructureError,
            "no voxels",
        ),
        (
            {"structures": (*STRUCTURES[:2], structure("B", Role.TUMOUR, np.zeros_like(B)))},
            StructureError,
            "'B'.*no voxels",
        ),
        ({"tumour_to_normal": {"A": 4.0, "C": 2.0}}, StructureError, r"\['C'\]"),
        ({"sites": (SourceSite("s", mask(LIVER), 0.05, nearest_to="C"),)}, StructureError, r"'s'.*\['C'\]"),
        ({"sites": ()}, TerritoryError, "no candidate injection site"),
        ({"sites": (SourceSite("s", mask(LIVER), 5.0),)}, TerritoryError, "fraction, not per cent"),
        ({"scout": None}, TerritoryError, "none: give images.scout"),
        (
            {"scout": counts(SCOUT_ARRAY, Grid(SCOUT_GRID.shape, SCOUT_GRID.spacing_mm, (900.0, 0.0, 0.0)))},
            NoOverlap,
            "same patient",
        ),
        ({"prescription": Prescription.from_preset(preset("glass/metastases"))}, DeviceMismatch, "glass"),
        ({"liver_density_g_per_cm3": 1060.0}, StructureError, "g/cm3"),
        ({"lung_mass_kg": 1000.0}, StructureError, "kilograms"),
    ],
)
def test_what_cannot_be_planned_is_refused_before_any_dose(changes, error, message):
    with pytest.raises(error, match=message):
        prepare(inputs(**changes))


def test_a_limit_of_another_device_with_a_reason_is_a_notice():
    override = Prescription.from_preset(preset("resin/bilobar"), override_reason="comparison")
    case = prepare(inputs(prescription=override, settings=DoseSettings(GLASS_Y90), lung_mass_kg=1.0))
    assert names(case).count("LimitOverride") == 2


def test_a_limit_on_a_structure_the_case_lacks_is_refused_or_planned_never_skipped():
    wanted = replace(WHOLE_LIMIT, limits=(*WHOLE_LIMIT.limits, MeanDose("C").at_least(gy=100)))
    case = prepare(inputs(prescription=wanted))
    with pytest.raises((StructureError, LimitError), match="'C'"):
        plan_treatment(case)
