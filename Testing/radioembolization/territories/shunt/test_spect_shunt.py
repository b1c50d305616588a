"""Lung shunts of SPECT images whose true value is known."""

import numpy as np
import pytest
from scipy import ndimage

from radioembolization.errors import LungsCropped, LungsExtrapolated, LungShuntError
from radioembolization.images import Grid
from radioembolization.phantom import synthetic_patient
from radioembolization.structures import Role
from radioembolization.structures.consistency import DrawnStructure
from radioembolization.territories.shunt.spect_shunt import SpectShuntSettings, spect_shunt, spect_shunt_of_counts
from support import box_mask, counts, quiet

# Liver of 20 x 20 x 20 voxels of 5 mm below lungs of 24 x 20 x 30, 4 voxels between; index z grows to the head.
GRID = Grid((60, 32, 40), (5.0, 5.0, 5.0))
LIVER = box_mask(GRID.shape, (4, 24), (6, 26), (10, 30))
LUNGS = box_mask(GRID.shape, (28, 52), (6, 26), (5, 35))
TRUE = 0.08
SHARP = SpectShuntSettings(dome_margin_mm=0.0, resolution_mm=0.0)


def drawn(liver=LIVER, lungs=LUNGS, grid=GRID):
    return DrawnStructure("liver", Role.LIVER, liver, grid), DrawnStructure("lungs", Role.LUNGS, lungs, grid)


def activity():
    """Return an image of one million counts, 8 % of them in the lungs, and nothing elsewhere."""
    return 1e6 * (TRUE * LUNGS / LUNGS.sum() + (1.0 - TRUE) * LIVER / LIVER.sum())


def blurred(fwhm_mm=12.0):
    return ndimage.gaussian_filter(activity(), fwhm_mm / 2.3548 / 5.0)


def test_by_hand_without_blur():
    assert spect_shunt(counts(activity(), GRID), *drawn(), settings=SHARP).fraction == pytest.approx(TRUE, rel=1e-5)


def test_blur_and_spill_from_the_dome_are_left_out():
    # Counts in the masks alone: the liver loses, and the lungs gain at the dome where both are near.
    liver, lungs = (np.roll(mask, shift, axis=0) for mask, shift in ((LIVER, 0), (LUNGS, -4)))  # they touch
    image = 1e6 * (TRUE * lungs / lungs.sum() + (1.0 - TRUE) * liver / liver.sum())
    image = ndimage.gaussian_filter(image, 12.0 / 2.3548 / 5.0)
    naive = image[lungs].sum() / (image[lungs].sum() + image[liver].sum())
    assert naive > 1.2 * TRUE
    found = spect_shunt(counts(image, GRID), *drawn(liver, lungs))
    assert found.fraction == pytest.approx(TRUE, rel=0.05)
    assert found.details["measured_lung_ml"] < found.details["lung_volume_ml"]


@pytest.mark.parametrize("planes", [9, 6], ids=["13 % missing", "a third missing"])
def test_lungs_that_a_short_scout_crops_are_extrapolated(planes):
    # The lungs reach to plane 52; the scout ends at 48 - or 45 - by its grid, or by planes without counts.
    last = {9: 49, 6: 44}[planes]
    missing = (52 - last) / 24
    short = Grid((last, 32, 40), GRID.spacing_mm)
    with pytest.warns(LungsExtrapolated, match=f"{missing:.0%} of the lungs"):
        cut = spect_shunt(counts(blurred()[:last], short), *drawn())
    empty = blurred()
    empty[last:] = 0.0
    with pytest.warns(LungsExtrapolated):
        same = spect_shunt(counts(empty, GRID), *drawn())
    assert cut.fraction == pytest.approx(TRUE, rel=0.05)
    assert same.fraction == pytest.approx(cut.fraction, rel=1e-6)
    assert cut.details["outside_share"] == pytest.approx(missing, abs=1e-6)
    assert f"{missing:.0%} of the lungs lie outside" in cut.note


def test_most_of_the_lungs_missing_is_refused():
    short = Grid((39, 32, 40), GRID.spacing_mm)
    with pytest.raises(LungsCropped, match=r"Only 46% of the lungs .* planar lung shunt"):
        spect_shunt(counts(blurred()[:39], short), *drawn())


def test_lungs_that_the_ct_crops_are_refused_unless_their_volume_is_entered():
    ct = Grid((44, 32, 40), GRID.spacing_mm)
    on_ct = drawn(LIVER[:44], LUNGS[:44], ct)
    with pytest.raises(LungsCropped, match=r"ends where the CT ends, towards the head .* lung_volume_ml"):
        spect_shunt(counts(blurred(), GRID), *on_ct, ct_grid=ct)
    entered = SpectShuntSettings(lung_volume_ml=float(LUNGS.sum()) * GRID.voxel_ml)
    with pytest.warns(LungsExtrapolated, match="33%"):
        found = spect_shunt(counts(blurred(), GRID), *on_ct, ct_grid=ct, settings=entered)
    assert found.fraction == pytest.approx(TRUE, rel=0.05)


def negative():
    image = blurred()
    image[LUNGS] = -0.1 * image.max()
    return image


@pytest.mark.parametrize(
    ("image", "structures", "error", "message"),
    [
        (negative(), drawn(), LungShuntError, "negative counts"),
        (np.zeros(GRID.shape), drawn(), LungShuntError, "no counts"),
        (np.where(LUNGS, activity(), 0.0), drawn(), LungShuntError, "of the liver lie inside"),
        (np.where(LIVER, activity(), 0.0), drawn(), LungsCropped, "Only 0% of the lungs"),
        (activity(), drawn(lungs=LUNGS | LIVER), LungShuntError, "share 1e.03 mL"),
    ],
    ids=["negative", "zero", "liver outside", "lungs without counts", "overlap"],
)
def test_images_that_cannot_be_used(image, structures, error, message):
    with pytest.raises(error, match=message):
        spect_shunt(counts(image, GRID), *structures)


def test_lungs_outside_the_image_are_refused():
    liver, _lungs = drawn()
    away = DrawnStructure("lungs", Role.LUNGS, LUNGS, Grid(GRID.shape, GRID.spacing_mm, (0.0, 0.0, 900.0)))
    with pytest.raises(LungsCropped, match="Only 0% of the lungs"):
        spect_shunt(counts(blurred(), GRID), liver, away)


def test_no_lung_left_to_measure_in_is_refused():
    with pytest.raises(LungsCropped, match="dome_margin_mm"):
        spect_shunt(counts(blurred(), GRID), *drawn(), settings=SpectShuntSettings(dome_margin_mm=130.0))


@pytest.mark.parametrize("wrong", [{"least_lungs": 0.0}, {"dome_margin_mm": -1.0}, {"resolution_mm": float("nan")}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(LungShuntError, match="out of range"):
        SpectShuntSettings(**wrong)


def test_missing_attenuation_correction_is_said():
    with quiet():
        found = spect_shunt(counts(blurred(), GRID), *drawn(), settings=SpectShuntSettings(attenuation_corrected=False))
    assert "NOT corrected for attenuation" in found.note


def test_of_counts_by_hand():
    # 300 counts in 60 % of the lungs: 500 in all; 500 / (500 + 9500).
    with pytest.warns(LungsExtrapolated, match="by 1.67"):
        assert spect_shunt_of_counts(300.0, 9500.0, 0.6).fraction == pytest.approx(0.05)
    with pytest.raises(LungsCropped):
        spect_shunt_of_counts(300.0, 9500.0, 0.4)
    with pytest.raises(LungShuntError, match="not per cent"):
        spect_shunt_of_counts(300.0, 9500.0, 60.0)


def test_synthetic_patient_has_its_true_shunt_in_the_scout():
    # 3.872 % true; the scout has 1 % of its counts in the rest of the body, Poisson noise and 12 mm of blur.
    patient = synthetic_patient(1, 6.0)
    structures = drawn(patient.masks["liver"], patient.masks["lungs"], patient.ct.grid)
    found = spect_shunt(patient.scout, *structures, ct_grid=patient.ct.grid)
    assert found.fraction == pytest.approx(patient.lung_shunt, rel=0.03)


@pytest.mark.exhaustive
def test_many_synthetic_patients():
    for seed in range(1, 13):
        patient = synthetic_patient(seed, 3.0)
        structures = drawn(patient.masks["liver"], patient.masks["lungs"], patient.ct.grid)
        found = spect_shunt(patient.scout, *structures, ct_grid=patient.ct.grid)
        assert found.fraction == pytest.approx(patient.lung_shunt, rel=0.03)
