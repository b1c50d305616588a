"""Where the counts of a scout lie: uniform activity in a box liver, moved by known distances."""

from __future__ import annotations

import numpy as np
import pytest

from radioembolization.images import Grid
from radioembolization.structures import Role
from radioembolization.structures.consistency import DrawnStructure, check_scout
from radioembolization.structures.findings import Severity
from support import box_mask, counts

GRID = Grid((40, 50, 60), (4.0, 4.0, 4.0), (-100.0, -80.0, 300.0))
#: 80 x 100 x 120 mm in the middle.
BOX = ((10, 30), (12, 37), (15, 45))
LIVER = DrawnStructure("liver", Role.LIVER, box_mask(GRID.shape, *BOX), GRID)


def scout_moved(z: int, y: int, x: int) -> np.ndarray:
    return np.roll(LIVER.mask, (z, y, x), axis=(0, 1, 2)).astype(float)


def checks(findings) -> list[str]:
    return [finding.check for finding in findings]


def test_counts_in_the_liver_are_fine_also_if_only_one_lobe_has_them():
    assert not check_scout(counts(scout_moved(0, 0, 0), GRID), [LIVER])
    lobe = box_mask(GRID.shape, (10, 30), (12, 37), (15, 25)).astype(float)
    assert not check_scout(counts(lobe, GRID), [LIVER])


def test_a_moved_scout_is_told_with_direction_and_distance():
    """12 voxels (48 mm) too high; back within the margin of 15 mm takes at least 33 mm downwards."""
    found = {f.check: f for f in check_scout(counts(scout_moved(12, 0, 0), GRID), [LIVER])}
    assert set(found) == {"counts elsewhere", "misaligned scout"}
    message = found["misaligned scout"].message
    assert "to the foot" in message and "to the head" not in message and "left" not in message
    distance = float(message.split("Moved by ")[1].split(" mm")[0])
    assert 32.0 <= distance <= 56.0


@pytest.mark.parametrize(
    ("step", "word"), [((0, 10, 0), "front"), ((0, -10, 0), "back"), ((0, 0, 12), "right"), ((0, 0, -12), "left")]
)
def test_directions_are_those_of_the_patient(step, word):
    (finding,) = [f for f in check_scout(counts(scout_moved(*step), GRID), [LIVER]) if f.check == "misaligned scout"]
    assert f"mm to the {word}" in finding.message


def test_a_scout_moved_by_less_than_its_blur_is_not_judged():
    assert not check_scout(counts(scout_moved(3, 0, 0), GRID), [LIVER])


def test_a_hot_focus_elsewhere_is_shown_where_it_is():
    """As many counts in a focus as half of those in the liver: a third lies elsewhere."""
    array = scout_moved(0, 0, 0)
    array[35:38, 44:47, 2:5] = array.sum() / 2 / 27
    found = {f.check: f for f in check_scout(counts(array, GRID), [LIVER])}
    assert "33% of the scout counts" in found["counts elsewhere"].message
    index = GRID.to_index(np.array(found["counts elsewhere"].position_lps_mm))
    assert np.all(index >= [35, 44, 2]) and np.all(index < [38, 47, 5])


def test_counts_in_the_lungs_are_at_home_if_the_lungs_are_drawn():
    """Lungs of 140 mm above the liver with three fifths of all counts; no shift brings them into the liver."""
    grid = Grid((70, 50, 60), GRID.spacing_mm, GRID.origin_mm)
    liver = DrawnStructure("liver", Role.LIVER, box_mask(grid.shape, *BOX), grid)
    lungs = DrawnStructure("lungs", Role.LUNGS, box_mask(grid.shape, (34, 70), (12, 37), (15, 45)), grid)
    array = liver.mask * 1.0 + lungs.mask * 0.6
    assert checks(check_scout(counts(array, grid), [liver])) == ["counts elsewhere"]
    assert not check_scout(counts(array, grid), [liver, lungs])


def test_a_scout_too_high_is_told_though_its_counts_are_in_the_lungs():
    lungs = DrawnStructure("lungs", Role.LUNGS, box_mask(GRID.shape, (31, 40), (12, 37), (15, 45)), GRID)
    found = check_scout(counts(scout_moved(9, 0, 0), GRID), [LIVER, lungs])
    assert checks(found) == ["misaligned scout"]


def test_nothing_in_the_liver_is_an_error():
    array = np.zeros(GRID.shape)
    array[35:38, 44:47, 2:5] = 1.0
    errors = [f for f in check_scout(counts(array, GRID), [LIVER]) if f.severity is Severity.ERROR]
    assert checks(errors) == ["counts elsewhere"]


def test_counts_in_the_air_around_the_patient_are_told():
    array = scout_moved(0, 0, 0)
    array[:, :4, :] = array.sum() / 9 / (40 * 4 * 60)  # a tenth of all counts before the belly
    body = box_mask(GRID.shape, (0, 40), (5, 50), (0, 60))
    (finding,) = [f for f in check_scout(counts(array, GRID), [LIVER], (body, GRID)) if "body" in f.check]
    assert "10% of the scout counts" in finding.message
    assert GRID.to_index(np.array(finding.position_lps_mm))[1] < 4


def test_what_the_ct_does_not_show_is_not_outside_the_body():
    array = scout_moved(0, 0, 0)
    array[:, :4, :] = array.sum() / 9 / (40 * 4 * 60)
    half = GRID.box((0, 10, 0), (40, 40, 60))  # a CT of the back part only
    assert "counts outside the body" not in checks(
        check_scout(counts(array, GRID), [LIVER], (np.ones(half.shape, dtype=bool), half))
    )


def test_without_a_liver_or_counts_nothing_is_judged():
    assert not check_scout(counts(scout_moved(0, 0, 0), GRID), [])
    assert not check_scout(counts(np.zeros(GRID.shape), GRID), [LIVER])
