"""Where microspheres come to rest, by hand on tiny grids."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from radioembolization.errors import (
    TerritoryError,
    TerritoryHardlyPerfused,
    TerritoryPartlyOutsideLiver,
    TumourNotPerfused,
)
from radioembolization.images import Grid
from radioembolization.territories import (
    InjectionSite,
    Pattern,
    Territories,
    nearest_part,
    territories_from_sites,
)
from support import box_mask, counts, quiet, structure_set

# One row of eight voxels: liver 0 to 6, tumour A 1 and 2, tumour B 5, gallbladder 3, voxel 7 outside.
GRID = Grid((1, 1, 8), (2.0, 2.0, 2.0))


def row(*voxels):
    mask = np.zeros(GRID.shape, dtype=bool)
    mask[0, 0, list(voxels)] = True
    return mask


STRUCTURES = structure_set(GRID, row(*range(7)), {"A": row(1, 2), "B": row(5)}, {"gallbladder": row(3)})
SCOUT = counts(np.array([[[2.0, 8.0, 4.0, 1.0, 1.0, 5.0, 3.0, 50.0]]]), GRID)
BY_RATIO = {"pattern": Pattern.TUMOUR_TO_NORMAL}


def fractions(sites, **inputs):
    with quiet():
        territories = territories_from_sites(tuple(sites), STRUCTURES, **inputs)
    return territories.fractions.toarray()


def test_scout_pattern():
    # Site 1 (voxels 0 to 4 of the liver): counts 2, 8, 4, 1, 1 = 16, of which 0.8 is retained.
    # Site 2 (voxels 4 to 7, the last outside the liver): 1, 5, 3 = 9, of which 0.9 is retained.
    sites = InjectionSite("1", row(0, 1, 2, 3, 4), 0.15, 0.05), InjectionSite("2", row(4, 5, 6, 7), 0.10)
    expected = [
        0.8 / 16.0 * np.array([2, 8, 4, 1, 1, 0, 0, 0]),
        0.9 / 9.0 * np.array([0, 0, 0, 0, 1, 5, 3, 0]),
    ]
    np.testing.assert_allclose(fractions(sites, scout=SCOUT), expected, rtol=1e-6)


def test_tumour_to_normal_pattern():
    # Normal liver 1 (voxels 0, 4, 6), A 4 each, B 2, gallbladder and outside 0: 3 + 8 + 2 = 13.
    site = InjectionSite("all", row(*range(8)), 0.06, **BY_RATIO)
    expected = 0.94 / 13.0 * np.array([[1, 4, 4, 0, 1, 2, 1, 0]])
    np.testing.assert_allclose(fractions([site], tumour_to_normal={"A": 4.0, "B": 2.0}), expected, rtol=1e-6)


def test_sites_may_use_different_patterns():
    sites = InjectionSite("1", row(0, 1, 2), 0.0), InjectionSite("2", row(4, 5, 6), 0.0, **BY_RATIO)
    expected = [np.array([2, 8, 4, 0, 0, 0, 0, 0]) / 14.0, np.array([0, 0, 0, 0, 1, 2, 1, 0]) / 4.0]
    found = fractions(sites, scout=SCOUT, tumour_to_normal={"A": 4.0, "B": 2.0})
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@given(
    st.lists(st.tuples(st.integers(1, 127), st.floats(0.0, 0.6), st.floats(0.0, 0.39)), min_size=1, max_size=4),
    st.sampled_from(list(Pattern)),
)
@settings(max_examples=50, deadline=None)
def test_fractions_and_shunts_of_every_site_add_up_to_one(choices, pattern):
    # Overlapping, nested and disjoint sites alike; a last site reaches everything.
    sites = [
        InjectionSite(str(i), row(*(v for v in range(7) if bits >> v & 1)), shunt, share, pattern)
        for i, (bits, shunt, share) in enumerate(choices)
        if bits != 8  # the gallbladder alone holds nothing under a ratio
    ]
    sites.append(InjectionSite("all", row(*range(7)), 0.05, 0.0, pattern))
    found = fractions(sites, scout=SCOUT, tumour_to_normal={"A": 4.0, "B": 2.0})
    for site, values in zip(sites, found, strict=True):
        assert values.sum() + site.lung_shunt + site.extrahepatic_share == pytest.approx(1.0, abs=1e-9)
        assert np.all(values >= 0.0)
        assert np.all(values[~(site.perfused & STRUCTURES.liver.mask).ravel()] == 0.0)


def test_fractions_that_do_not_add_up_are_refused():
    site = InjectionSite("1", row(0), 0.1)
    values = sparse.csr_array(np.array([[0.91, 0, 0, 0, 0, 0, 0, 0]]))
    with pytest.raises(TerritoryError, match=r"'1'.*1\.01"):
        Territories(STRUCTURES, (site,), values)


def test_maps_of_one_site_and_of_a_plan():
    sites = InjectionSite("1", row(0, 1, 2, 3), 0.0), InjectionSite("2", row(2, 4, 5, 6), 0.5)
    with quiet():
        territories = territories_from_sites(sites, STRUCTURES, scout=SCOUT)
    one, two = np.array([2, 8, 4, 1, 0, 0, 0, 0]) / 15.0, 0.5 * np.array([0, 0, 4, 0, 1, 5, 3, 0]) / 13.0
    assert territories.fraction_map(1).shape == GRID.shape
    np.testing.assert_allclose(territories.fraction_map(0).ravel(), one, rtol=1e-6)
    np.testing.assert_allclose(territories.fraction_map(1).ravel(), two, rtol=1e-6)
    np.testing.assert_allclose(territories.combined(np.array([2.0, 3.0])).ravel(), 2 * one + 3 * two, rtol=1e-6)


def test_maps_keep_the_array_order_z_y_x():
    grid = Grid((2, 3, 4), (1.0, 1.0, 1.0))
    liver = np.ones(grid.shape, dtype=bool)
    structures = structure_set(grid, liver, {"A": box_mask(grid.shape, (1, 2), (2, 3), (3, 4))})
    values = np.arange(1.0, 25.0).reshape(grid.shape)
    territories = territories_from_sites((InjectionSite("all", liver, 0.0),), structures, counts(values, grid))
    np.testing.assert_allclose(territories.fraction_map(0), values / values.sum(), rtol=1e-6)


@pytest.mark.parametrize(
    ("sites", "inputs", "message"),
    [
        ([], {"scout": SCOUT}, "no candidate injection site"),
        ([("1", range(7)), ("1", range(3))], {"scout": SCOUT}, r"unique.*'1'"),
        ([("1", range(7)), ("far", [7])], {"scout": SCOUT}, r"'far'.*no voxel inside the liver \(1 voxels"),
        ([("1", range(7)), ("none", [])], {"scout": SCOUT}, r"'none'.*no voxel inside the liver"),
        ([("1", [0, 1, 2, 3, 4])], {"scout": SCOUT}, "Tumour 'B' lies outside every territory"),
        ([("1", range(7))], {}, "no.*scout|none: give images.scout"),
    ],
    ids=["no site", "one name twice", "outside", "empty", "tumour missed", "no scout"],
)
def test_impossible_sites_are_refused(sites, inputs, message):
    made = tuple(InjectionSite(name, row(*voxels), 0.05) for name, voxels in sites)
    with quiet(), pytest.raises(TerritoryError, match=message):
        territories_from_sites(made, STRUCTURES, **inputs)


def test_a_territory_without_counts_is_refused():
    dark = counts(np.where(row(4), 0.0, SCOUT.array), GRID)
    sites = InjectionSite("all", row(*range(7)), 0.0), InjectionSite("dark", row(4), 0.0)
    with pytest.raises(TerritoryError, match=r"'dark': no scout counts"):
        territories_from_sites(sites, STRUCTURES, dark)


def test_a_territory_of_other_organs_holds_nothing_under_a_ratio():
    sites = InjectionSite("all", row(*range(7)), 0.0, **BY_RATIO), InjectionSite("cystic", row(3), 0.0, **BY_RATIO)
    with pytest.raises(TerritoryError, match=r"'cystic'.*no perfusable tissue"):
        territories_from_sites(sites, STRUCTURES, tumour_to_normal={"A": 4.0, "B": 2.0})


@pytest.mark.parametrize("ratios", [None, {"A": 4.0}, {"A": 4.0, "B": 0.0}, {"A": 4.0, "B": np.nan}])
def test_every_tumour_needs_a_ratio(ratios):
    site = InjectionSite("all", row(*range(7)), 0.0, **BY_RATIO)
    with pytest.raises(TerritoryError, match=r"Tumour '[AB]' needs a positive"):
        territories_from_sites((site,), STRUCTURES, tumour_to_normal=ratios)


def test_a_perfused_volume_of_another_shape_is_refused():
    with pytest.raises(TerritoryError, match=r"'1'.*\(1, 1, 3\)"):
        territories_from_sites((InjectionSite("1", np.ones((1, 1, 3), bool), 0.0),), STRUCTURES, SCOUT)


def test_a_partly_missed_tumour_is_warned_of():
    site = InjectionSite("1", row(0, 1, 4, 5), 0.0)  # half of A
    with pytest.warns(TumourNotPerfused, match=r"0.0 mL \(50%\) of tumour 'A'"):
        territories_from_sites((site,), STRUCTURES, SCOUT)


def test_a_perfused_volume_partly_outside_the_liver_is_warned_of():
    site = InjectionSite("1", row(*range(8)), 0.0)  # one of eight voxels of 0.008 mL
    with pytest.warns(TerritoryPartlyOutsideLiver, match=r"0.0 mL \(12%\).*'1'"):
        territories_from_sites((site,), STRUCTURES, SCOUT)


def test_a_proper_case_gives_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        territories_from_sites((InjectionSite("1", row(*range(7)), 0.0),), STRUCTURES, SCOUT)


def row_of_ten(scout_values, tumour=9):
    """Return ten voxels of liver under one site, the tumour in one of them, and a scout."""
    grid = Grid((1, 1, 10), (2.0, 2.0, 2.0))
    liver = np.ones(grid.shape, dtype=bool)
    structures = structure_set(grid, liver, {"T": box_mask(grid.shape, (0, 1), (0, 1), (tumour, tumour + 1))})
    site = InjectionSite("1", liver, 0.0)
    return (site,), structures, counts(np.array(scout_values, dtype=float).reshape(grid.shape), grid)


def test_normal_liver_with_next_to_no_counts_is_not_perfused():
    # Normal liver: six voxels of 10, one of 0.7, one of 0.6, one of 0: mean 61.3 / 9 = 6.81, a tenth is 0.681.
    # The tumour belongs whatever its counts.
    inputs = row_of_ten([10, 10, 10, 0.7, 10, 10, 10, 0.6, 0, 0.0])
    with pytest.warns(TerritoryHardlyPerfused, match=r"22% of the normal liver.*'1' \(0 mL\)"):
        territories = territories_from_sites(*inputs)
    assert np.flatnonzero(~territories.perfused(0)).tolist() == [7, 8]


def test_a_hot_tumour_does_not_raise_what_counts_as_perfused():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        territories = territories_from_sites(*row_of_ten([1, 1, 1, 1, 1, 1, 1, 1, 1, 500.0]))
    assert territories.perfused(0).all()


@pytest.mark.parametrize(("cold", "warned"), [(1, False), (2, True)])
def test_a_hardly_perfused_fifth_is_warned_of(cold, warned):
    # One of nine voxels of normal liver is 11 %, two are 22 %.
    inputs = row_of_ten([0] * cold + [10] * (9 - cold) + [30])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        territories_from_sites(*inputs)
    assert [w.category for w in caught] == ([TerritoryHardlyPerfused] if warned else [])


# Parts of a volume nearer to one structure.


def test_two_points_are_divided_by_their_middle_plane():
    shape, spacing = (12, 14, 16), (3.1, 2.3, 1.7)
    a, b = (3, 4, 2), (8, 9, 13)
    seeds = tuple(box_mask(shape, *((i, i + 1) for i in point)) for point in (a, b))
    volume = np.ones(shape, dtype=bool)
    volume[:2] = False
    where = np.stack(np.indices(shape), axis=-1) * np.array(spacing)
    start, end = np.array(a) * spacing, np.array(b) * spacing
    # Signed distance from the plane through the middle, across the line between the points.
    side = (where - (start + end) / 2.0) @ (end - start)
    assert not np.any(np.abs(side) < 1e-9)  # no voxel on the plane
    np.testing.assert_array_equal(nearest_part(volume, spacing, seeds, 0), volume & (side < 0))
    np.testing.assert_array_equal(nearest_part(volume, spacing, seeds, 1), volume & (side > 0))


def test_distance_is_in_millimetres_not_in_voxels():
    # Six voxels along z are 6 mm, four along x are 12 mm: the voxel in the corner is nearer to the one along z.
    shape, spacing = (9, 1, 9), (1.0, 1.0, 3.0)
    along_z, along_x = box_mask(shape, (6, 7), (0, 1), (0, 1)), box_mask(shape, (0, 1), (0, 1), (4, 5))
    corner = box_mask(shape, (0, 1), (0, 1), (0, 1))
    assert nearest_part(corner, spacing, (along_x, along_z), 1).sum() == 1
    assert nearest_part(corner, (3.0, 1.0, 1.0), (along_x, along_z), 0).sum() == 1


def test_parts_share_out_the_volume_and_a_tie_goes_to_the_first():
    shape = (1, 1, 9)
    seeds = tuple(box_mask(shape, (0, 1), (0, 1), (i, i + 1)) for i in (0, 4, 8))
    volume = np.ones(shape, dtype=bool)
    parts = [nearest_part(volume, (1.0, 1.0, 1.0), seeds, i) for i in range(3)]
    assert np.sum(parts, axis=0).tolist() == np.ones(shape, dtype=int).tolist()
    assert [np.flatnonzero(part).tolist() for part in parts] == [[0, 1, 2], [3, 4, 5, 6], [7, 8]]


def test_the_part_is_that_of_the_surface_not_of_the_centre():
    # A large and a small seed: the middle between their surfaces counts.
    shape = (1, 1, 20)
    large, small = box_mask(shape, (0, 1), (0, 1), (0, 10)), box_mask(shape, (0, 1), (0, 1), (18, 19))
    part = nearest_part(np.ones(shape, dtype=bool), (1.0, 1.0, 1.0), (large, small), 1)
    assert np.flatnonzero(part).tolist() == [14, 15, 16, 17, 18, 19]
