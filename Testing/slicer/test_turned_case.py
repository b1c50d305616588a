"""A case that lies obliquely, or is stored from the last slice, gives the plan it gives upright.

Structures have voxels of 8 x 4 x 4 mm and the planning grid of 4 mm, so that every structure falls on whole voxels
of the grid, which follows the liver's axes: turning changes no mask, only the last digits of positions.  The scout
has voxels of 6 x 4.4 x 4.4 mm on axes of their own and is interpolated at positions that are the same in exact
arithmetic.
"""

from __future__ import annotations

import numpy as np
import pytest
import slicer_headless
from session_driver import empty_session

import small_case
from radioembolization.images import Grid
from radioembolization.treatment import plan_treatment, prepare
from series import series
from support import quiet, rotation

slicer_headless.require_slicer()
import slicer  # noqa: E402
import slicer_module_standins  # noqa: E402
import vtk  # noqa: E402

slicer_module_standins.install()
from turning import mirrored_storage, turned_by_hardening, turned_by_matrices, turned_by_parent  # noqa: E402

from RadioembolizationPlannerLib.geometry import ijk_to_ras_from_grid  # noqa: E402
from RadioembolizationPlannerLib.publish import publish_case, publish_dose  # noqa: E402
from RadioembolizationPlannerLib.synthetic import take_case  # noqa: E402

pytestmark = pytest.mark.slicer

_GRID = Grid((18, 40, 44), (8.0, 4.0, 4.0), (-88.0, -80.0, -72.0))
_SCOUT = Grid((32, 44, 48), (6.0, 4.4, 4.4), (-104.0, -95.0, 90.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, -1.0))
_SAME = 1e-3


@pytest.fixture
def oblique():
    """A rotation by 30 degrees about an oblique axis and a shift, in RAS."""
    matrix = np.eye(4)
    matrix[:3, :3] = rotation((1.0, -2.0, 0.7), 30.0)
    matrix[:3, 3] = 13.0, -41.0, 27.0
    return matrix


@pytest.fixture(scope="module")
def inputs():
    """The small case with voxels that are no cubes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small_case, "GRID", _GRID)
        patch.setattr(small_case, "SCOUT_GRID", _SCOUT)
        return small_case.small_inputs()


@pytest.fixture(scope="module")
def upright(inputs):
    with quiet():
        return plan_treatment(prepare(inputs))


def _planned(scene, inputs, turn):
    """Return the plan of the case read through the panel's parameters after its nodes were turned."""
    session = empty_session(scene)
    nodes = publish_case(scene, inputs)
    take_case(session, inputs, nodes)
    turn(nodes)
    with quiet():
        return plan_treatment(prepare(session.inputs()))


def _assert_same_plan(treatment, upright):
    assert upright.plan.activities_gbq.max() > 0.3
    assert treatment.plan.activities_gbq == pytest.approx(upright.plan.activities_gbq, rel=_SAME, abs=_SAME)
    assert treatment.plan.goal.value == pytest.approx(upright.plan.goal.value, rel=_SAME)
    assert treatment.case.tumour_to_normal == pytest.approx(upright.case.tumour_to_normal, rel=_SAME)
    for structure, reference in zip(treatment.case.structures.all, upright.case.structures.all, strict=True):
        assert structure.mask.sum() == reference.mask.sum(), structure.name


@pytest.mark.parametrize("turn", series([turned_by_parent, turned_by_matrices, turned_by_hardening], 1))
def test_an_oblique_case_has_the_plan_of_the_upright_one(scene, inputs, upright, oblique, turn):
    treatment = _planned(scene, inputs, lambda nodes: turn(scene, nodes, oblique))
    _assert_same_plan(treatment, upright)
    assert treatment.dose.array == pytest.approx(upright.dose.array, rel=_SAME, abs=0.05)
    turned = oblique @ ijk_to_ras_from_grid(upright.dose.grid)
    matrix = vtk.vtkMatrix4x4()
    publish_dose(scene, treatment.dose, "dose").GetIJKToRASMatrix(matrix)
    assert slicer.util.arrayFromVTKMatrix(matrix) == pytest.approx(turned, abs=1e-4)
    expected = oblique @ np.array([0.0, 50.0, 0.0, 1.0])  # RAS of the tip of 'proper'
    left, back, up = treatment.case.sites[0].position_lps_mm
    assert (-left, -back, up) == pytest.approx(expected[:3], abs=1e-4)


def test_a_case_stored_from_its_last_slice_has_the_same_plan(scene, inputs, upright):
    treatment = _planned(scene, inputs, mirrored_storage)
    _assert_same_plan(treatment, upright)
    assert treatment.dose.grid.direction_matrix[2, 2] == -upright.dose.grid.direction_matrix[2, 2]
    assert treatment.dose.array[::-1] == pytest.approx(upright.dose.array, rel=_SAME, abs=0.05)


@pytest.mark.parametrize("turn", series([turned_by_parent, turned_by_hardening, turned_by_matrices], 0))
def test_both_at_once(scene, inputs, upright, oblique, turn):
    def both(nodes):
        mirrored_storage(nodes)
        turn(scene, nodes, oblique)

    treatment = _planned(scene, inputs, both)
    _assert_same_plan(treatment, upright)
    assert treatment.dose.array[::-1] == pytest.approx(upright.dose.array, rel=_SAME, abs=0.05)


def test_turning_one_image_alone_is_noticed(scene, inputs, upright, oblique):
    """The comparison above can fail: a scout that lies elsewhere gives other ratios."""

    def scout_only(nodes):
        matrix = vtk.vtkMatrix4x4()
        nodes.scout.GetIJKToRASMatrix(matrix)
        turned = oblique @ slicer.util.arrayFromVTKMatrix(matrix)
        nodes.scout.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(turned))

    treatment = _planned(scene, inputs, scout_only)
    assert treatment.case.tumour_to_normal["A"] != pytest.approx(upright.case.tumour_to_normal["A"], rel=0.05)


def test_a_turned_case_asks_for_new_doses_and_turning_back_does_not(scene, inputs, oblique):
    from session_driver import computed

    session = empty_session(scene)
    nodes = publish_case(scene, inputs)
    take_case(session, inputs, nodes)
    computed(session)
    transform = turned_by_parent(scene, nodes, oblique)
    session.refresh()
    assert "structure 'liver' has changed" in session.why_no_doses()
    transform.SetMatrixTransformToParent(vtk.vtkMatrix4x4())
    session.refresh()
    assert session.why_no_doses() == ""
