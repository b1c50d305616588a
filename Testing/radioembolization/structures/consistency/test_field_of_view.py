"""Structures that reach out of an image, or are cut by it: boxes in boxes."""

from __future__ import annotations

import numpy as np
import pytest

from radioembolization.images import Grid
from radioembolization.structures import Role
from radioembolization.structures.consistency import DrawnStructure, check_field_of_view
from radioembolization.structures.findings import Severity
from support import as_direction, box_mask, rotation

GRID = Grid((20, 30, 40), (5.0, 3.0, 2.0), (-40.0, -45.0, 700.0))


def drawn(role: Role, *box: tuple[int, int], grid: Grid = GRID) -> DrawnStructure:
    return DrawnStructure(str(role), role, box_mask(grid.shape, *box), grid)


def test_inside_nothing_is_told():
    assert not check_field_of_view(drawn(Role.LIVER, (1, 19), (1, 29), (1, 39)), GRID, "CT")


@pytest.mark.parametrize(
    ("box", "side", "area_cm2"),
    [
        (((0, 10), (5, 15), (5, 25)), "foot", 10 * 3.0 * 20 * 2.0 / 100),
        (((10, 20), (5, 15), (5, 25)), "head", 12.0),
        (((5, 15), (0, 10), (5, 25)), "front", 10 * 5.0 * 20 * 2.0 / 100),
        (((5, 15), (20, 30), (5, 25)), "back", 20.0),
        (((5, 15), (5, 15), (0, 20)), "right", 10 * 5.0 * 10 * 3.0 / 100),
        (((5, 15), (5, 15), (20, 40)), "left", 15.0),
    ],
)
def test_a_cut_liver_is_told_with_side_and_area(box, side, area_cm2):
    (finding,) = check_field_of_view(drawn(Role.LIVER, *box), GRID, "CT")
    assert finding.check == "incomplete liver"
    assert finding.severity is Severity.WARNING
    assert f"towards the {side} ({area_cm2:.0f} cm2)" in finding.message


def test_sides_are_those_of_the_patient_however_the_image_lies():
    flipped = Grid(GRID.shape, GRID.spacing_mm, GRID.origin_mm, as_direction(np.diag([1.0, -1.0, -1.0])))
    (finding,) = check_field_of_view(drawn(Role.LIVER, (0, 10), (5, 15), (5, 25), grid=flipped), flipped, "CT")
    assert "towards the head" in finding.message
    turned = Grid(GRID.shape, GRID.spacing_mm, GRID.origin_mm, as_direction(rotation((0.2, 0.1, 1.0), 20.0)))
    (finding,) = check_field_of_view(drawn(Role.LIVER, (0, 10), (5, 15), (5, 25), grid=turned), turned, "CT")
    assert "towards the foot" in finding.message


@pytest.mark.parametrize("factor", [2, 3])
def test_a_mask_on_another_lattice_is_cut_alike(factor):
    """The same box of 12 cm2 on its lower side, on finer voxels, and the finer image under the coarse mask."""
    fine = GRID.refined((factor, factor, factor))
    coarse_box, fine_box = (
        ((0, 10), (5, 15), (5, 25)),
        tuple((factor * a, factor * b) for a, b in ((0, 10), (5, 15), (5, 25))),
    )
    for structure, image in (
        (drawn(Role.LIVER, *fine_box, grid=fine), GRID),
        (drawn(Role.LIVER, *coarse_box), fine),
    ):
        (finding,) = check_field_of_view(structure, image, "CT")
        assert "towards the foot (12 cm2)" in finding.message
    one_in = tuple((factor * a, factor * b) for a, b in ((1, 10), (5, 15), (5, 25)))
    assert not check_field_of_view(drawn(Role.LIVER, *one_in, grid=fine), GRID, "CT")


def test_cropped_lungs_say_what_follows_for_the_lung_dose():
    (finding,) = check_field_of_view(drawn(Role.LUNGS, (10, 20), (5, 15), (5, 25)), GRID, "CT")
    assert finding.check == "cropped lungs"
    assert "enter the lung mass" in finding.message


def test_organs_may_be_cut_and_small_contacts_do_not_count():
    assert not check_field_of_view(drawn(Role.ORGAN, (0, 10), (5, 15), (5, 25)), GRID, "CT")
    assert not check_field_of_view(drawn(Role.LIVER, (0, 10), (5, 8), (5, 8)), GRID, "CT")  # 0.5 cm2


@pytest.mark.parametrize(
    ("moved_mm", "share", "severity"), [(10.0, 0.2, Severity.WARNING), (40.0, 0.8, Severity.ERROR)]
)
def test_what_lies_outside_is_told_with_its_share(moved_mm, share, severity):
    """A box of 50 mm from the lower border, moved down."""
    moved = Grid(GRID.shape, GRID.spacing_mm, (-40.0, -45.0, 700.0 - moved_mm))
    (finding,) = check_field_of_view(drawn(Role.TUMOUR, (0, 10), (5, 15), (5, 25), grid=moved), GRID, "scout image")
    assert finding.check == "field of view"
    assert finding.severity is severity
    assert f"{share:.0%} of 'tumour' (tumour) lie outside the scout image" in finding.message
    assert finding.position_lps_mm[2] < 700.0


def test_another_frame_of_reference_is_an_error():
    far = Grid(GRID.shape, GRID.spacing_mm, (400.0, 0.0, 0.0))
    (finding,) = check_field_of_view(drawn(Role.LIVER, (1, 19), (1, 29), (1, 39), grid=far), GRID, "CT")
    assert finding.severity is Severity.ERROR
    assert "100%" in finding.message and "frame of reference" in finding.message
