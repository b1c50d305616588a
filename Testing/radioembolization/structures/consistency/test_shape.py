"""Volumes, parts, overlaps and density of structures drawn as boxes, whose figures are known exactly."""

from __future__ import annotations

import numpy as np
import pytest

from radioembolization.images import Grid, Unit, Volume
from radioembolization.structures import Role
from radioembolization.structures.consistency import (
    DrawnStructure,
    check_density,
    check_islands,
    check_overlap,
    check_volume,
)
from radioembolization.structures.findings import Severity
from support import box_mask

#: 5 mm voxels of 0.125 mL; origin away from zero.
GRID = Grid((40, 40, 40), (5.0, 5.0, 5.0), (-50.0, 20.0, 100.0))


def drawn(role: Role, *boxes, name: str = "", grid: Grid = GRID) -> DrawnStructure:
    mask = np.any([box_mask(grid.shape, *box) for box in boxes], axis=0)
    return DrawnStructure(name or str(role), role, mask, grid)


LIVER = ((5, 30), (5, 30), (5, 25))  # 12,500 voxels, 1562.5 mL


@pytest.mark.parametrize(
    ("role", "box", "severity"),
    [
        (Role.LIVER, ((0, 10), (0, 10), (0, 10)), Severity.WARNING),  # 125 mL
        (Role.LIVER, LIVER, None),
        (Role.LIVER, ((0, 40), (0, 40), (0, 40)), Severity.WARNING),  # 8 L
        (Role.LUNGS, ((0, 10), (0, 10), (0, 10)), Severity.WARNING),
        (Role.LUNGS, ((0, 40), (0, 40), (0, 20)), None),  # 4 L
        (Role.TUMOUR, ((0, 1), (0, 1), (0, 3)), Severity.NOTICE),  # 0.375 mL
        (Role.TUMOUR, ((0, 2), (0, 2), (0, 2)), None),  # 1 mL
        (Role.ORGAN, ((0, 1), (0, 1), (0, 1)), None),
    ],
)
def test_volumes_outside_what_patients_have_are_told(role, box, severity):
    findings = check_volume(drawn(role, box))
    assert [finding.severity for finding in findings] == ([] if severity is None else [severity])


def test_an_island_of_the_liver_is_shown_where_it_is():
    island = ((35, 37), (35, 37), (35, 38))  # 12 voxels, 1.5 mL
    (finding,) = check_islands(drawn(Role.LIVER, LIVER, island))
    assert finding.severity is Severity.WARNING
    assert "1 islands of 1.5 mL" in finding.message
    index = GRID.to_index(np.array(finding.position_lps_mm))
    assert np.all(index >= [35, 35, 35]) and np.all(index <= [36, 36, 37])


def test_a_speck_is_only_a_notice_and_corners_hang_together():
    (finding,) = check_islands(drawn(Role.LIVER, LIVER, ((35, 36), (35, 36), (35, 36))))
    assert finding.severity is Severity.NOTICE
    assert not check_islands(drawn(Role.LIVER, LIVER, ((30, 31), (30, 31), (25, 26))))


def test_lungs_have_two_parts_and_tumours_are_asked_about():
    left, right = ((5, 20), (5, 20), (0, 10)), ((5, 20), (5, 20), (20, 30))
    assert not check_islands(drawn(Role.LUNGS, left, right))
    assert check_islands(drawn(Role.LUNGS, left, right, ((30, 33), (30, 33), (0, 3))))
    (finding,) = check_islands(drawn(Role.TUMOUR, left, right))
    assert finding.severity is Severity.NOTICE and "2 separate parts" in finding.message
    assert not check_islands(drawn(Role.ORGAN, left, right, name="kidneys"))


def test_tumours_that_share_volume_are_told_with_how_much():
    first = drawn(Role.TUMOUR, ((10, 20), (10, 20), (10, 20)), name="a")  # 125 mL
    second = drawn(Role.TUMOUR, ((10, 20), (10, 20), (15, 25)), name="b")
    (finding,) = check_overlap(first, second)
    assert finding.structures == ("a", "b")
    assert "share 62 mL (50%" in finding.message
    index = GRID.to_index(np.array(finding.position_lps_mm))
    assert np.all(index >= [10, 10, 15]) and np.all(index < [20, 20, 20])


def test_structures_that_touch_do_not_overlap():
    first = drawn(Role.TUMOUR, ((10, 20), (10, 20), (10, 20)), name="a")
    for start in (19, 20, 25):  # a shared layer is the rim of two masks that touch
        assert not check_overlap(first, drawn(Role.TUMOUR, ((10, 20), (10, 20), (start, 30)), name="b"))


def test_overlap_is_found_across_grids():
    fine = Grid((80, 80, 80), (2.5, 2.5, 2.5), tuple(GRID.to_lps(np.full(3, -0.25))))  # the same box, halved voxels
    first = drawn(Role.TUMOUR, ((10, 20), (10, 20), (10, 20)), name="a")
    second = drawn(Role.TUMOUR, ((20, 40), (20, 40), (30, 50)), name="b", grid=fine)
    (finding,) = check_overlap(first, second)
    assert "share 62 mL (50%" in finding.message


def test_tumours_and_organs_may_lie_in_the_liver_but_lungs_may_not():
    liver = drawn(Role.LIVER, LIVER)
    for role in (Role.TUMOUR, Role.ORGAN):
        assert not check_overlap(liver, drawn(role, ((10, 15), (10, 15), (10, 15))))
    assert check_overlap(drawn(Role.LUNGS, ((10, 20), (10, 20), (10, 20))), liver)


@pytest.mark.parametrize(("hu", "told"), [(60.0, False), (120.0, False), (-100.0, True), (400.0, True)])
def test_density_of_the_liver_by_ct_is_compared(hu, told):
    """60 HU are 1.07 g/cm3 on the curve, 120 HU 1.09: both within 5 % of 1.06; fat and bone are not."""
    findings = check_density(drawn(Role.LIVER, LIVER), Volume(np.full(GRID.shape, hu, np.float32), GRID, Unit.HU), 1.06)
    assert bool(findings) is told
    if told:
        assert f"({hu:.0f} HU)" in findings[0].message
