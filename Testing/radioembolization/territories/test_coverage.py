"""What sites reach of liver and tumours, by hand."""

import numpy as np
import pytest

from radioembolization.errors import TerritoryError, TumourNotPerfused
from radioembolization.images import Grid
from radioembolization.territories import InjectionSite, Pattern, coverage, territories_from_sites, unreached_tumours
from support import quiet, structure_set

# One row of ten voxels of 10 mL: liver 0 to 8, tumour A 1 and 2, tumour B 7, 8 and 9 (the last outside the liver).
GRID = Grid((1, 1, 10), (10.0, 100.0, 10.0))


def row(*voxels):
    mask = np.zeros(GRID.shape, dtype=bool)
    mask[0, 0, list(voxels)] = True
    return mask


def flow(*values):
    return np.array(values, dtype=np.float32).reshape(GRID.shape)


with quiet():
    STRUCTURES = structure_set(GRID, row(*range(9)), {"A": row(1, 2), "B": row(7, 8, 9)})


def made(*sites):
    with quiet():
        return territories_from_sites(sites, STRUCTURES)


def site(name, perfused, **more):
    return InjectionSite(name, perfused, 0.05, pattern=Pattern.FLOW, **more)


def test_masks_are_counted_whole():
    found = coverage(made(site("right", row(0, 1, 2, 3)), site("left", row(2, 6, 7))))
    right, left = found
    assert (right.site, left.site) == ("right", "left")
    assert (right.territory_ml, right.normal_liver_ml) == pytest.approx((40.0, 20.0))
    assert right.liver_share == pytest.approx(4.0 / 9.0)
    assert right.tumour_share == pytest.approx({"A": 1.0, "B": 0.0})
    assert left.tumour_ml == pytest.approx({"A": 10.0, "B": 10.0})
    assert left.tumour_share == pytest.approx({"A": 0.5, "B": 1.0 / 3.0})
    assert left.normal_liver_ml == pytest.approx(10.0)


def test_what_no_site_reaches_is_told_for_every_tumour():
    # A is reached by the two together, of B voxel 8 is missed and 9 lies outside the liver.
    a, b = unreached_tumours(made(site("right", row(0, 1)), site("left", row(2, 6, 7))))
    assert (a.tumour, a.volume_ml, a.unreached_ml, a.share) == ("A", pytest.approx(20.0), 0.0, 0.0)
    assert (b.tumour, b.volume_ml, b.unreached_ml) == ("B", pytest.approx(30.0), pytest.approx(20.0))
    assert b.share == pytest.approx(2.0 / 3.0)


def test_blood_is_counted_by_its_share_and_shared_voxels_once():
    # A watershed over voxels 2 to 4; upstream of both, 'proper' brings all.
    left = site("left", row(0, 1, 2, 3), supply=flow(1, 1, 0.8, 0.5, 0.1, 0, 0, 0, 0, 0))
    right = site("right", row(3, 4, 5, 6, 7, 8), supply=flow(0, 0, 0.2, 0.5, 0.9, 1, 1, 1.5, 1, 1))
    by_left, by_right = coverage(made(left, right))
    assert by_left.tumour_share["A"] == pytest.approx(0.9)
    assert by_right.tumour_ml["A"] == pytest.approx(2.0)
    assert by_left.normal_liver_ml == pytest.approx(16.0)
    assert by_right.tumour_share["B"] == pytest.approx(2.0 / 3.0)  # never above all of a voxel; 9 is no liver
    assert unreached_tumours(made(left, right))[0].unreached_ml == pytest.approx(0.0, abs=1e-5)
    # Without the right site a tenth of A is out of reach; with a site upstream of the left one nothing adds up twice.
    alone = made(left, site("to B", row(7, 8)))
    assert unreached_tumours(alone)[0].unreached_ml == pytest.approx(2.0)
    trunk = site("trunk", row(0, 1, 2, 3), supply=left.supply)
    nested = made(trunk, site("left", left.perfused, supply=left.supply, upstream="trunk"), site("to B", row(7, 8)))
    assert unreached_tumours(nested)[0].unreached_ml == pytest.approx(2.0)


@pytest.mark.parametrize(("share", "warned"), [(0.95, False), (0.8, True), (0.3, True)])
def test_a_tumour_that_blood_reaches_in_part_is_warned_of_with_its_volume(share, warned):
    supply = flow(1, share, share, 1, 1, 1, 1, 1, 1, 0)
    sites = (site("all", supply > 0.05, supply=supply),)
    if not warned:
        with quiet():
            assert unreached_tumours(territories_from_sites(sites, STRUCTURES))[0].share == pytest.approx(0.05)
        return
    expected = rf"{20 * (1 - share):.1f} mL \({1 - share:.0%}\) of tumour 'A' lie outside every territory"
    with pytest.warns(TumourNotPerfused, match=expected):
        territories_from_sites(sites, STRUCTURES)


def test_a_tumour_out_of_the_reach_of_all_blood_is_refused():
    supply = flow(1, 0, 0, 1, 1, 1, 1, 1, 1, 0)
    with quiet(), pytest.raises(TerritoryError, match="'A' lies outside every territory"):
        territories_from_sites((site("all", supply > 0, supply=supply),), STRUCTURES)
