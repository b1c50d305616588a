"""Contours become masks of the volume they enclose, where they enclose it."""

import numpy as np
import pytest

from contour_files import circle, write_rtstruct
from dicom_images import FRAME, axial, write_series
from radioembolization.errors import (
    ContoursInterpolated,
    DicomError,
    FrameOfReferenceMismatch,
    FrameOfReferenceUnknown,
    StructureError,
)
from radioembolization.files import read_structures
from radioembolization.files.contours import covered_by_polygons
from radioembolization.files.reference_image import ReferenceImage
from radioembolization.images import Grid
from support import positions

GRID = Grid((20, 60, 64), (3.0, 1.5, 1.5), (-48.0, -45.0, -30.0))
CT = ReferenceImage("the CT", GRID, FRAME)
HEIGHTS = GRID.origin_mm[2] + 3.0 * np.arange(20)


def read(tmp_path, rois, reference=CT, **more):
    return read_structures(write_rtstruct(tmp_path / "rs.dcm", rois, **more), reference=reference)


def volume_ml(mask):
    return mask.mask.sum() * mask.grid.voxel_ml


@pytest.mark.parametrize("radius", [3.0, 7.4, 25.0])
def test_a_cylinder_has_its_volume_and_centre(tmp_path, radius):
    """Voxels of 1.5 x 1.5 x 3 mm: a cylinder of 3 mm radius has 12.6 of them in a slice."""
    centre = (1.3, -2.2)
    found = read(tmp_path, {"liver": [circle((*centre, z), radius) for z in HEIGHTS[4:14]]}).mask("liver")
    assert volume_ml(found) == pytest.approx(np.pi * radius**2 * 30.0 / 1000.0, rel=0.01)
    middle = positions(GRID)[found.mask].mean(axis=0)
    np.testing.assert_allclose(middle, (*centre, HEIGHTS[4:14].mean()), atol=0.1)
    assert np.flatnonzero(found.mask.any(axis=(1, 2))).tolist() == list(range(4, 14))


def test_a_sphere_of_contours_has_its_volume(tmp_path):
    radius = 20.0
    inside = [z for z in HEIGHTS if abs(z) < radius]
    contours = [circle((0, 0, z), np.sqrt(radius**2 - z**2)) for z in inside]
    found = read(tmp_path, {"tumor": contours}).mask("tumor")
    assert volume_ml(found) == pytest.approx(4 / 3 * np.pi * radius**3 / 1000, rel=0.01)


def test_an_inner_contour_is_a_hole_and_one_beside_is_a_part(tmp_path):
    contours = []
    for z in HEIGHTS[5:10]:
        contours += [circle((0, 0, z), 20.0), circle((3, 0, z), 8.0), circle((30, 0, z), 6.0)]
    found = read(tmp_path, {"liver": contours}).mask("liver")
    assert volume_ml(found) == pytest.approx(np.pi * (20**2 - 8**2 + 6**2) * 15 / 1000, rel=0.01)
    z, y, x = np.rint(GRID.to_index(np.array([3.0, 0.0, HEIGHTS[7]]))).astype(int)
    assert not found.mask[z, y, x]


def test_a_keyhole_is_a_hole(tmp_path):
    contours = []
    for z in HEIGHTS[5:10]:
        outer, inner = circle((0, 0, z), 20.0), circle((0, 0, z), 8.0)[::-1]
        contours.append(np.concatenate([outer, outer[:1], np.roll(inner, 1, axis=0), inner[-1:]]))
    found = read(tmp_path, {"liver": contours}).mask("liver")
    assert volume_ml(found) == pytest.approx(np.pi * (20**2 - 8**2) * 15 / 1000, rel=0.01)


def test_contours_on_every_second_slice_are_filled_between_and_it_is_said(tmp_path):
    with pytest.warns(ContoursInterpolated, match=r"'liver' \(2 slices\)"):
        found = read(tmp_path, {"liver": [circle((0, 0, z), 20.0) for z in HEIGHTS[4:16:2]]}).mask("liver")
    assert volume_ml(found) == pytest.approx(np.pi * 400 * 36 / 1000, rel=0.03)
    assert len(np.flatnonzero(found.mask.any(axis=(1, 2)))) == 12


def test_a_gap_between_two_parts_stays_empty(tmp_path):
    heights = [*HEIGHTS[2:6], *HEIGHTS[11:15]]
    found = read(tmp_path, {"tumor": [circle((0, 0, z), 10.0) for z in heights]}).mask("tumor")
    assert np.flatnonzero(found.mask.any(axis=(1, 2))).tolist() == [2, 3, 4, 5, 11, 12, 13, 14]


def test_structures_overlap_and_keep_their_codes(tmp_path):
    rois = {f"ROI {r}": [circle((0, 0, z), r) for z in HEIGHTS[5:10]] for r in (20.0, 10.0)}
    found = read(tmp_path, rois, code=("10200004", "Liver"))
    assert [(s.name, s.code) for s in found.segments] == [("ROI 20.0", "10200004"), ("ROI 10.0", "")]
    outer, inner = (found.mask(name).mask for name in found.names)
    assert inner.any() and not (inner & ~outer).any()


def test_a_flipped_grid_gives_the_same_place(tmp_path):
    flipped = Grid(GRID.shape, GRID.spacing_mm, (-48.0, 43.5, 27.0), (1, 0, 0, 0, -1, 0, 0, 0, -1))
    rois = {"liver": [circle((5, -8, z), 12.0) for z in HEIGHTS[4:14]]}
    found = read(tmp_path, rois, ReferenceImage("the CT", flipped, FRAME)).mask("liver")
    np.testing.assert_allclose(positions(flipped)[found.mask].mean(axis=0), (5, -8, HEIGHTS[4:14].mean()), atol=0.1)


def test_contours_of_another_plane_are_refused(tmp_path):
    tilted = circle((0, 0, 0), 15.0)[:, [2, 0, 1]]
    with pytest.raises(DicomError, match=r"Contours of 'liver' .* cross the slices"):
        read(tmp_path, {"liver": [tilted]})


def test_another_frame_of_reference_is_refused_and_an_unknown_one_told(tmp_path):
    rois = {"liver": [circle((0, 0, z), 20.0) for z in HEIGHTS[5:10]]}
    with pytest.raises(FrameOfReferenceMismatch, match=r"'rs\.dcm' lies in the frame of reference 2\.25\.77"):
        read(tmp_path, rois, frame="2.25.77")
    with pytest.warns(FrameOfReferenceUnknown, match="The CT state"):
        read(tmp_path, rois, ReferenceImage("the CT", GRID))


def test_contours_beside_the_image_are_refused(tmp_path):
    with pytest.raises(StructureError, match=r"None of the 1 structures .* reaches into the CT"):
        read(tmp_path, {"liver": [circle((500, 0, z), 20.0) for z in HEIGHTS[5:10]]})


def test_without_an_image_that_beside_the_contours_is_taken(tmp_path):
    rois = {"liver": [circle((30, 30, z), 12.0) for z in (0.0, 5.0, 10.0)]}
    path = write_rtstruct(tmp_path / "rs.dcm", rois)
    with pytest.raises(DicomError, match=r"need the image they were drawn on: give it as images\.ct"):
        read_structures(path)
    write_series(tmp_path, axial([0, 5, 10]), shape=(40, 60))
    for source in (path, tmp_path):
        assert volume_ml(read_structures(source).mask("liver")) == pytest.approx(np.pi * 144 * 15 / 1000, rel=0.02)


def test_no_contours_at_all(tmp_path):
    with pytest.raises(DicomError, match="holds no closed contours"):
        read(tmp_path, {"liver": []})


def test_coverage_of_a_rotated_square_is_its_area():
    corners = np.array([[10.2, 4.1], [16.2, 10.1], [10.2, 16.1], [4.2, 10.1]])
    share = covered_by_polygons([corners], (24, 22))
    assert share.sum() == pytest.approx(72.0, rel=1e-3)
    assert share.min() >= 0.0 and share.max() <= 1.0
    assert covered_by_polygons([corners - 100.0], (24, 22)).sum() == 0.0
