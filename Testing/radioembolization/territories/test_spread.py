"""Perfusion models by hand: blood flow, several injections of MAA, ratios; nested sites; sites upstream of others."""

import warnings

import numpy as np
import pytest

from radioembolization.errors import TerritoryError, TerritoryHardlyPerfused, TerritoryNotNested
from radioembolization.images import Grid
from radioembolization.territories import (
    FlowDriven,
    InjectionSite,
    Pattern,
    RatioDriven,
    ScoutDriven,
    territories_from_sites,
)
from support import box_mask, counts, quiet, structure_set

# One row of eight voxels: liver 0 to 6, tumour A 1 and 2, tumour B 5, gallbladder 3, voxel 7 outside.
GRID = Grid((1, 1, 8), (2.0, 2.0, 2.0))


def row(*voxels):
    mask = np.zeros(GRID.shape, dtype=bool)
    mask[0, 0, list(voxels)] = True
    return mask


def flow(*values):
    return np.array(values, dtype=np.float32).reshape(GRID.shape)


STRUCTURES = structure_set(GRID, row(*range(7)), {"A": row(1, 2), "B": row(5)}, {"gallbladder": row(3)})
SCOUT = counts(np.array([[[2.0, 8.0, 4.0, 1.0, 1.0, 5.0, 3.0, 50.0]]]), GRID)
RATIOS = {"A": 4.0, "B": 2.0}
ALL = row(*range(7))
INPUTS = {"scout": SCOUT, "tumour_to_normal": RATIOS}


def fractions(*sites, **inputs):
    with quiet():
        return territories_from_sites(sites, STRUCTURES, **(inputs or INPUTS)).fractions.toarray()


def test_by_blood_flow_alone_a_mask_is_filled_evenly():
    # Voxels 0 to 6 without the gallbladder are six.
    site = InjectionSite("all", ALL, 0.1, pattern=Pattern.FLOW)
    np.testing.assert_allclose(fractions(site, scout=None), 0.9 / 6.0 * np.array([[1, 1, 1, 0, 1, 1, 1, 0]]))


def test_supply_multiplies_the_concentration_of_every_pattern():
    supply = flow(0, 0.5, 1, 1, 2, 1, 0.25, 3)
    perfused = supply > 0.3  # what hardly matters is left out, but receives its share
    scout = np.array([0, 4, 4, 1, 2, 5, 0.75, 0])
    ratio = np.array([0, 2, 4, 0, 2, 2, 0.25, 0])
    blood = np.array([0, 0.5, 1, 0, 2, 1, 0.25, 0])
    for pattern, expected in ((Pattern.SCOUT, scout), (Pattern.TUMOUR_TO_NORMAL, ratio), (Pattern.FLOW, blood)):
        found = fractions(InjectionSite("s", perfused, 0.05, 0.05, pattern, supply=supply))
        np.testing.assert_allclose(found, [0.9 * expected / expected.sum()], rtol=1e-6)


def test_each_site_may_have_a_scout_of_its_own():
    own = flow(1, 1, 6, 0, 2, 0, 0, 0)
    sites = InjectionSite("one", row(0, 1, 2, 4), 0.0, scout=own), InjectionSite("two", ALL, 0.0)
    expected = [np.array([1, 1, 6, 0, 2, 0, 0, 0]) / 10.0, np.array([2, 8, 4, 1, 1, 5, 3, 0]) / 24.0]
    np.testing.assert_allclose(fractions(*sites), expected, rtol=1e-6)
    # With a scout at every site the case needs none.
    both = (sites[0], InjectionSite("two", ALL, 0.0, scout=SCOUT.array))
    np.testing.assert_allclose(fractions(*both, scout=None), expected, rtol=1e-6)
    with pytest.raises(TerritoryError, match=r"give images\.scout"):
        fractions(*sites, scout=None)


def test_counts_of_an_injection_at_the_site_itself_are_not_weighed_by_its_supply_again():
    # In the watershed (voxel 1) half of the blood comes through the site: its own injection already shows that.
    supply, own = flow(0.01, 0.5, 1, 0, 1, 1, 0, 0), flow(5, 1, 2, 0, 2, 1, 0, 0)
    site = InjectionSite("s", supply > 0.05, 0.1, scout=own, supply=supply)
    np.testing.assert_allclose(fractions(site), 0.9 * np.array([[0, 1, 2, 0, 2, 1, 0, 0]]) / 6.0, rtol=1e-6)
    ratio = InjectionSite("s", supply > 0.05, 0.1, pattern=Pattern.FLOW, scout=own, supply=supply)
    np.testing.assert_allclose(fractions(ratio)[0, 1] / fractions(ratio)[0, 2], 0.5, rtol=1e-6)


def test_an_own_scout_without_counts_in_the_territory_is_refused():
    site = InjectionSite("one", row(0, 1, 2, 4, 5), 0.0, scout=flow(0, 0, 0, 0, 0, 0, 0, 9))
    with pytest.raises(TerritoryError, match=r"'one': no scout counts.*whether its own scout is aligned"):
        fractions(site)


def test_each_model_alone_is_what_sites_of_its_pattern_get():
    models = {
        Pattern.SCOUT: ScoutDriven(STRUCTURES, SCOUT),
        Pattern.TUMOUR_TO_NORMAL: RatioDriven(STRUCTURES, RATIOS),
        Pattern.FLOW: FlowDriven(STRUCTURES),
    }
    for pattern, model in models.items():
        sites = tuple(InjectionSite(n, m, 0.1, pattern=pattern) for n, m in (("1", ALL), ("2", row(4, 5, 6))))
        with quiet():
            found = model.territories(sites).fractions.toarray()
        np.testing.assert_array_equal(found, fractions(*sites))


def test_upstream_is_the_flow_weighted_sum_of_what_is_downstream():
    # Three branches with soft borders, flows 1 : 2 : 5; the shares of each voxel add up to one.
    rng, grid = np.random.default_rng(3), Grid((4, 5, 6), (3.0, 2.0, 2.0))
    liver = np.ones(grid.shape, dtype=bool)
    structures = structure_set(grid, liver, {"T": box_mask(grid.shape, (1, 3), (1, 3), (1, 3))})
    shares = rng.dirichlet([0.5, 0.5, 0.5], size=grid.shape)
    flows = np.array([1.0, 2.0, 5.0]) / 8.0
    of = [(f * shares[..., i] / shares[..., i].sum() * liver.size).astype(np.float32) for i, f in enumerate(flows)]

    def site(name, branches, upstream=""):
        supply = sum(of[i] for i in branches)
        return InjectionSite(name, supply > 0.05, 0.1, pattern=Pattern.FLOW, supply=supply, upstream=upstream)

    sites = (
        site("trunk", (0, 1, 2)),
        site("left", (0, 1), "trunk"),
        site("a", (0,), "left"),
        site("b", (1,), "left"),
        site("right", (2,), "trunk"),
    )
    with quiet():
        trunk, left, a, b, right = territories_from_sites(sites, structures).fractions.toarray()
    np.testing.assert_allclose(left, (a + 2.0 * b) / 3.0, atol=1e-9)
    np.testing.assert_allclose(trunk, (3.0 * left + 5.0 * right) / 8.0, atol=1e-9)
    np.testing.assert_allclose([r.sum() for r in (trunk, left, a, b, right)], 0.9, atol=1e-9)


@pytest.mark.parametrize(
    ("upstream", "message"),
    [
        (("", "proximal"), "'2' names 'proximal'.*does not have: use one of 1, 2"),
        (("2", "1"), "1, 2 are upstream of each other in a circle"),
        (("1", ""), "upstream of each other in a circle"),
    ],
)
def test_a_site_upstream_is_there_and_no_circle(upstream, message):
    sites = [InjectionSite(str(i + 1), ALL, 0.0, upstream=name) for i, name in enumerate(upstream)]
    with pytest.raises(TerritoryError, match=message):
        fractions(*sites)


@pytest.mark.parametrize(("beyond", "warned"), [(1, False), (2, True)])
def test_a_territory_outside_that_upstream_is_warned_of(beyond, warned):
    # One of 20 voxels beyond is 5 %, two are 10 %.
    grid = Grid((1, 1, 40), (2.0, 2.0, 2.0))
    liver = np.ones(grid.shape, dtype=bool)
    structures = structure_set(grid, liver, {"T": box_mask(grid.shape, (0, 1), (0, 1), (5, 6))})
    proper = InjectionSite("proper", box_mask(grid.shape, (0, 1), (0, 1), (0, 30)), 0.0, pattern=Pattern.FLOW)
    own = box_mask(grid.shape, (0, 1), (0, 1), (10 + beyond, 30 + beyond))
    branch = InjectionSite("branch", own, 0.0, pattern=Pattern.FLOW, upstream="proper")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        territories_from_sites((proper, branch), structures)
    assert [w.category for w in caught] == ([TerritoryNotNested] if warned else [])
    if warned:
        assert "0.0 mL (10%) of the territory of site 'branch' lie outside that of 'proper'" in str(caught[0].message)


def test_normal_liver_that_blood_hardly_reaches_is_not_blamed_on_the_scout():
    supply = flow(0.06, 1, 1, 0, 0.06, 1, 2, 0)
    site = InjectionSite("s", supply > 0.05, 0.0, pattern=Pattern.FLOW, supply=supply)
    with pytest.warns(TerritoryHardlyPerfused, match="Next to no blood reaches 67% of the normal liver"):
        territories = territories_from_sites((site,), STRUCTURES)
    assert np.flatnonzero(territories.perfused(0)).tolist() == [1, 2, 5, 6]
