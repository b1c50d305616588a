"""What flows out to other organs lodges in their walls; every share is counted once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from radioembolization.errors import OutflowNowhere, TerritoryError
from radioembolization.images import Grid
from radioembolization.structures import Role, Structure
from radioembolization.territories import InjectionSite, Outflow, Pattern, Territories, territories_from_sites
from radioembolization.territories.outflow import wall
from support import box_mask, ellipsoid, quiet, structure_set

GRID = Grid((16, 18, 20), (2.0, 2.5, 2.5))
LIVER = box_mask(GRID.shape, (2, 14), (2, 10), (2, 18))
TUMOUR = {"T": box_mask(GRID.shape, (6, 9), (4, 7), (5, 8))}
GALLBLADDER = box_mask(GRID.shape, (4, 12), (9, 17), (3, 11))  # one layer of it inside the liver as drawn
STOMACH = box_mask(GRID.shape, (4, 12), (11, 17), (12, 18))
STRUCTURES = structure_set(GRID, LIVER, TUMOUR, {"Gallbladder": GALLBLADDER, "stomach": STOMACH})
LEFT = LIVER & (np.arange(20) >= 10)


def made(*sites):
    with quiet():
        return territories_from_sites(sites, STRUCTURES)


def site(name, perfused, share, outflow, shunt=0.05):
    return InjectionSite(name, perfused, shunt, share, Pattern.FLOW, outflow=outflow)


def test_outflow_lodges_evenly_in_the_wall_of_the_drawn_organ():
    found = made(site("right", LIVER, 0.04, {"gallbladder": 0.03}), site("left", LEFT, 0.02, {"stomach": 0.02}))
    # Box of 8 x 8 x 8 voxels of 2 x 2.5 x 2.5 mm.  Centres lie 1, 3, 5 mm deep along z and 1.5 (2.5 less half of the
    # smallest spacing), 4, ... mm along y and x: two layers along z, one along y and x.  512 - 4 x 6 x 6 inside.
    rows = found.outflow.toarray().reshape(2, *GRID.shape)
    inner = box_mask(GRID.shape, (6, 10), (10, 16), (4, 10))
    np.testing.assert_allclose(rows[0][GALLBLADDER & ~inner], 0.03 / (512 - 144), rtol=1e-12)
    assert not rows[0][~GALLBLADDER | inner].any() and not rows[1][~STOMACH].any()
    np.testing.assert_allclose(rows.sum(axis=(1, 2, 3)), [0.03, 0.02])
    np.testing.assert_allclose(found.lodged_share, [0.03, 0.02])
    assert found.to_organs.organs == ("Gallbladder", "stomach")


def test_the_wall_of_a_sphere_is_its_outer_three_millimetres():
    grid = Grid((60, 60, 60), (1.0, 1.0, 1.0))
    middle = grid.to_lps(np.array([29.5, 29.5, 29.5]))
    organ, liver = ellipsoid(grid, middle, 20.0), np.ones(grid.shape, dtype=bool)
    structures = structure_set(grid, liver, {"T": box_mask(grid.shape, (0, 3), (0, 3), (0, 3))})
    volume = np.count_nonzero(wall(Structure("o", Role.ORGAN, organ), structures))
    # 4/3 pi (20^3 - 17^3); the surface is known to half a voxel of 1 mm, hence some 10 % of 3 mm.
    assert volume == pytest.approx(4.0 / 3.0 * np.pi * (20.0**3 - 17.0**3), rel=0.10)


def test_an_organ_at_the_border_of_the_grid_or_thin_has_a_wall():
    grid = Grid((6, 6, 6), (8.0, 8.0, 8.0))
    liver = box_mask(grid.shape, (0, 6), (0, 3), (0, 6))
    structures = structure_set(grid, liver, {"T": box_mask(grid.shape, (0, 1), (0, 1), (0, 1))})
    organ = box_mask(grid.shape, (0, 6), (3, 6), (0, 6))  # voxels of 8 mm: only the outermost layer
    inside = box_mask(grid.shape, (1, 5), (4, 5), (1, 5))
    np.testing.assert_array_equal(wall(Structure("o", Role.ORGAN, organ), structures), organ & ~inside)


@given(
    st.lists(
        st.tuples(st.floats(0.0, 0.5), st.floats(0.0, 0.45), st.floats(0.0, 1.0), st.floats(0.0, 1.0)),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=30, deadline=None)
def test_every_share_is_counted_once(choices):
    sites = []
    for i, (shunt, share, a, b) in enumerate(choices):
        outflow = {"gallbladder": a * b * share, "duodenum": a * (1.0 - b) * share}
        sites.append(site(str(i), LIVER if i % 2 else LEFT, share, outflow, shunt))
    found = made(*sites, site("all", LIVER, 0.0, {}))
    total = np.asarray(found.fractions.sum(axis=1)).ravel()
    for one, inside, lodged in zip(found.sites, total, np.asarray(found.outflow.sum(axis=1)).ravel(), strict=True):
        assert inside + one.lung_shunt + one.extrahepatic_share == pytest.approx(1.0, abs=1e-6)
        assert lodged == pytest.approx(one.outflow.get("gallbladder", 0.0), abs=1e-12)  # no duodenum is drawn
    assert not found.outflow.toarray()[:, ~GALLBLADDER.ravel()].any()


def test_activities_of_a_plan_lie_in_liver_and_organs():
    found = made(site("right", LIVER, 0.04, {"gallbladder": 0.03}), site("left", LEFT, 0.02, {"stomach": 0.02}))
    combined = found.combined(np.array([2.0, 0.5]))
    assert combined.sum() == pytest.approx(2.0 * (0.91 + 0.03) + 0.5 * (0.93 + 0.02))
    assert combined[STOMACH].sum() == pytest.approx(0.01)
    # The gallbladder's layer inside the liver as drawn holds activity of its own artery only.
    assert combined[GALLBLADDER].sum() == pytest.approx(0.06)


def test_outflow_to_an_organ_that_is_not_drawn_is_said_and_goes_nowhere():
    with pytest.warns(OutflowNowhere, match=r"Up to 3\.0% .* 2 sites \('right' most\) flow out to the duodenum"):
        found = territories_from_sites(
            (
                site("right", LIVER, 0.04, {"duodenum": 0.03}),
                site("left", LEFT, 0.02, {"duodenum": 0.01, "stomach": 0.01}),
            ),
            STRUCTURES,
        )
    np.testing.assert_allclose(found.outflow.sum(axis=1), [0.0, 0.01])


def test_without_outflow_there_is_nothing_in_organs():
    found = made(site("right", LIVER, 0.04, {}))
    assert found.to_organs is None and found.outflow.shape == found.fractions.shape and not found.outflow.nnz


def test_more_in_organs_than_flows_out_is_refused():
    one = site("right", LIVER, 0.04, {"stomach": 0.01})
    right = made(one)
    walls = sparse.csr_array(right.to_organs.walls)
    with pytest.raises(TerritoryError, match=r"'right': 0\.02.* lodge in organs"):
        Territories(STRUCTURES, (one,), right.fractions, Outflow(("stomach",), walls, np.array([[0.02]])))
