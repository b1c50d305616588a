"""Pictures show the patient's sides where they belong, whatever the axes of the grid."""

import numpy as np
import pytest

from radioembolization.report.views import AXIAL, CORONAL, SAGITTAL, box_of_structures, middle_lps_mm, plane

VIEWS = (AXIAL, CORONAL, SAGITTAL)
#: Picture coordinates (across, down) of an LPS position, written out by hand.
PICTURED = {
    "axial": lambda x, y, z: (x, y),
    "coronal": lambda x, y, z: (x, -z),
    "sagittal": lambda x, y, z: (y, -z),
}


def test_letters_follow_the_radiological_convention():
    letters = {view.name: view.letters for view in VIEWS}  # left, right, top, bottom
    assert letters == {"axial": tuple("RLAP"), "coronal": tuple("RLHF"), "sagittal": tuple("APHF")}


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
@pytest.mark.parametrize("patient", ["treatment", "flipped", "turned"])
def test_tumours_lie_where_they_are_in_the_patient(view, patient, centres, request):
    structures = request.getfixturevalue(patient).case.structures
    low, high = box_of_structures(request.getfixturevalue(patient))
    for tumour in structures.tumours:
        centre = centres[tumour.name]
        picture = plane(view, np.array(centre), low, high)
        inside = picture.sample(tumour.mask, structures.grid) > 0.5
        rows, columns = np.nonzero(inside)
        found = picture.across_mm[columns].mean(), picture.down_mm[rows].mean()
        # Less than half a voxel of a mask drawn on 5 mm voxels; a mirrored axis is wrong by 20 mm or more.
        assert found == pytest.approx(PICTURED[view.name](*centre), abs=2.0)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_flipped_grid_gives_the_same_picture(view, treatment, flipped, centres):
    low, high = box_of_structures(treatment)
    pictures = []
    for patient in (treatment, flipped):
        picture = plane(view, np.array(centres["Tumour A"]), low, high)
        pictures.append(picture.sample(patient.dose.array, patient.dose.grid))
    highest = pictures[0].max()
    # Same activities to the solver's tolerance, same voxels in reverse order: rounding of float32 only.
    np.testing.assert_allclose(pictures[1], pictures[0], atol=1e-3 * highest)
    assert highest > 50.0


def test_pixels_cover_the_box_and_extents_their_edges():
    picture = plane(CORONAL, np.array([0.0, 7.0, 0.0]), np.array([-10.0, -5.0, -20.0]), np.array([10.0, 5.0, 30.0]))
    assert picture.extent_mm == (-10.5, 10.5, 20.5, -30.5)  # left, right, bottom, top: the head is at the top
    top_left = picture.points_lps_mm[0, 0]
    np.testing.assert_allclose(top_left, [-10.0, 7.0, 30.0])


def test_the_middle_of_a_hollow_structure_lies_in_it(treatment):
    grid = treatment.case.structures.grid
    mask = np.zeros(grid.shape, dtype=bool)
    mask[5, 2:9, 2:9] = True
    mask[5, 3:8, 3:8] = False
    z, y, x = np.rint(grid.to_index(middle_lps_mm(mask, grid))).astype(int)
    assert mask[z, y, x]
