"""Foci outside the liver: found where they were put, and not where blur, lungs or free pertechnetate make counts."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from radioembolization.errors import ExtrahepaticFocusFound, ImageError, InputError, StructureError
from radioembolization.files import read_case
from radioembolization.images import Grid
from radioembolization.structures import Role
from radioembolization.structures.consistency import DrawnStructure
from radioembolization.structures.extrahepatic_foci import FocusRule, extrahepatic_foci
from radioembolization.treatment.scout_analysis import drawn_structures
from support import REPOSITORY, SHARED, counts, ellipsoid, quiet

GRID = Grid((48, 56, 64), (4.0, 4.0, 4.0), (-126.0, -110.0, -94.0))
BODY = ellipsoid(GRID, (0.0, 0.0, 0.0), (120.0, 100.0, 400.0))
LIVER = ellipsoid(GRID, (-40.0, 0.0, 0.0), (60.0, 60.0, 50.0))
#: A hot tumour that touches the surface of the liver towards the left.
TUMOUR = ellipsoid(GRID, (5.0, 0.0, 0.0), 14.0) & LIVER
STOMACH = ellipsoid(GRID, (70.0, 0.0, 20.0), 20.0)
SPLEEN = ellipsoid(GRID, (80.0, 50.0, 20.0), 18.0)
LUNGS = ellipsoid(GRID, (0.0, 0.0, 85.0), (70.0, 50.0, 22.0))
FOCUS_MM = (40.0, 10.0, -40.0)


def drawn(name, role, mask):
    return DrawnStructure(name, role, mask, GRID)


ALL = (
    drawn("liver", Role.LIVER, LIVER),
    drawn("tumour", Role.TUMOUR, TUMOUR),
    drawn("Stomach", Role.ORGAN, STOMACH),
    drawn("spleen", Role.ORGAN, SPLEEN),
    drawn("lungs", Role.LUNGS, LUNGS),
)


def scout(*hot, seed=1):
    """Return a blurred, noisy image: normal liver 100, its tumour 800, soft tissue 5, and more where it is asked."""
    image = 5.0 * BODY + 95.0 * LIVER + 700.0 * TUMOUR
    for mask, value in hot:
        image = np.where(mask, value, image)
    blurred = ndimage.gaussian_filter(image, 12.0 / 2.3548 / 4.0)
    return counts(np.random.default_rng(seed).poisson(blurred).astype(float), GRID)


def found(image, structures=ALL, rule=None):
    with quiet():
        return extrahepatic_foci(image, structures, rule)


@pytest.mark.parametrize("seed", range(2))
def test_spill_out_of_liver_and_tumour_is_no_focus(seed):
    assert found(scout(seed=seed)) == ()


def test_a_focus_is_found_and_described():
    with pytest.warns(ExtrahepaticFocusFound, match="mm from 'liver'.*artery to stomach"):
        (focus,) = extrahepatic_foci(scout((ellipsoid(GRID, FOCUS_MM, 10.0), 600.0)), ALL)
    assert focus.position_lps_mm == pytest.approx(FOCUS_MM, abs=4.0)
    assert focus.nearest_structure == "liver"
    # 4.2 mL of 600 blurred to 12 mm: the maximum of a sphere of 20 mm keeps 0.72 of it, 4.3 times the liver.
    assert focus.peak_over_liver_mean == pytest.approx(4.2, rel=0.2)
    # The mean of the liver is a little above 100 by its tumour.
    assert 2.0 < focus.volume_ml < 8.0
    distances = np.linalg.norm((np.argwhere(LIVER) - GRID.to_index(np.array(FOCUS_MM))) * 4.0, axis=1)
    assert focus.distance_mm == pytest.approx(distances.min(), abs=5.0)


def test_a_focus_at_the_liver_is_found_and_called_near():
    close = ellipsoid(GRID, (-40.0, -68.0, 0.0), 10.0)  # the surface is at -60
    with pytest.warns(ExtrahepaticFocusFound, match="misaligned part"):
        (focus,) = extrahepatic_foci(scout((close, 600.0)), ALL)
    assert focus.position_lps_mm == pytest.approx((-40.0, -68.0, 0.0), abs=5.0)


def test_stomach_and_lungs_are_not_listed_but_spleen_and_undrawn_stomach_are():
    image = scout((STOMACH, 120.0), (SPLEEN, 150.0), (LUNGS, 90.0))
    (focus,) = found(image)
    assert focus.nearest_structure == "spleen"
    assert focus.distance_mm == 0.0
    without = tuple(s for s in ALL if s.name != "Stomach")
    assert len(found(image, without)) == 2
    by_user = FocusRule(left_out=("stomach", "spleen"))
    assert found(image, rule=by_user) == ()


def test_gallbladder_is_no_bladder():
    assert not FocusRule().leaves_out(drawn("gallbladder", Role.ORGAN, STOMACH))
    assert FocusRule().leaves_out(drawn("urinary bladder", Role.ORGAN, STOMACH))
    assert FocusRule().leaves_out(drawn("left kidney", Role.ORGAN, STOMACH))


def test_weak_and_small_foci_follow_the_rule():
    weak = scout((ellipsoid(GRID, FOCUS_MM, 14.0), 40.0))
    assert found(weak) == ()
    assert len(found(weak, rule=FocusRule(least_share_of_liver=0.3))) == 1
    assert found(weak, rule=FocusRule(least_share_of_liver=0.3, smallest_ml=50.0)) == ()


def test_most_counts_come_first():
    image = scout((ellipsoid(GRID, FOCUS_MM, 8.0), 400.0), (ellipsoid(GRID, (60.0, -40.0, 60.0), 16.0), 400.0))
    foci = found(image)
    assert [round(f.position_lps_mm[2] / 20.0) for f in foci] == [3, -2]
    assert foci[0].share_of_counts > foci[1].share_of_counts


@pytest.mark.parametrize(
    ("image", "structures", "error", "message"),
    [
        (scout(), ALL[1:], StructureError, "exactly one liver"),
        (counts(np.where(STOMACH, 9.0, 0.0), GRID), ALL, StructureError, "no counts in the liver"),
        (counts(np.where(STOMACH, -90.0, scout().array), GRID), ALL, ImageError, "negative counts"),
    ],
    ids=["no liver", "no counts", "negative"],
)
def test_images_that_cannot_be_searched(image, structures, error, message):
    with pytest.raises(error, match=message):
        extrahepatic_foci(image, structures)


def test_rule_out_of_range_is_refused():
    with pytest.raises(InputError, match="out of range"):
        replace(FocusRule(), resolution_mm=0.0)


@pytest.mark.slow
@pytest.mark.real_data
def test_the_focus_of_a_real_patient_is_found():
    if not (SHARED / "data" / "maa_spect_patient").is_dir():
        pytest.skip("needs shared/data/maa_spect_patient")
    case = read_case(REPOSITORY / "Testing" / "cases" / "maa_spect_patient.toml")
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        foci = extrahepatic_foci(case.scout, drawn_structures(case))
    assert foci[0].nearest_structure == "gallbladder"
    assert foci[0].peak_over_liver_mean == pytest.approx(6.95, rel=0.01)
    assert foci[0].share_of_counts == pytest.approx(0.0095, rel=0.05)
    assert foci[0].position_lps_mm == pytest.approx((-77.3, -11.0, 1097.8), abs=0.1)
    # Left of the liver: the stomach, which is not drawn.
    assert [round(f.position_lps_mm[0]) for f in foci[1:]] == [60]
