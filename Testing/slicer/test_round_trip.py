"""A case goes into the scene, is planned from its nodes, and the plan comes out as nodes."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
import slicer_headless

from radioembolization.errors import TerritoryError
from radioembolization.treatment import Treatment, plan_treatment, prepare
from small_case import GRID, small_inputs

slicer_headless.require_slicer()
import slicer  # noqa: E402
import vtk  # noqa: E402

from RadioembolizationPlannerLib import plans  # noqa: E402
from RadioembolizationPlannerLib.publish import publish_case  # noqa: E402
from RadioembolizationPlannerLib.publish_plan import publish_plan  # noqa: E402
from RadioembolizationPlannerLib.scene import positions_from_node, read_again  # noqa: E402
from RadioembolizationPlannerLib.study import STUDY  # noqa: E402

pytestmark = pytest.mark.slicer

_MADE_AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.fixture(scope="module")
def planned() -> Treatment:
    """The small case planned by the core alone."""
    return plan_treatment(prepare(small_inputs()))


def _published(scene: object, treatment: Treatment, role: str) -> object:
    """Return the node that shows a treatment in a role."""
    return plans.node_of(publish_plan(scene, treatment, made_at=_MADE_AT), role)


def _column(table: object, name: str) -> list:
    column = table.GetTable().GetColumnByName(name)
    return [column.GetValue(row) for row in range(table.GetNumberOfRows())]


def test_the_plan_from_the_scene_is_the_plan_of_the_core(scene, planned):
    nodes = publish_case(scene, small_inputs())
    treatment = plan_treatment(prepare(read_again(small_inputs(), nodes)))
    assert planned.plan.activities_gbq.max() > 0.1
    assert treatment.plan.activities_gbq == pytest.approx(planned.plan.activities_gbq, rel=1e-6, abs=1e-9)
    assert treatment.plan.goal.value == pytest.approx(planned.plan.goal.value, rel=1e-6)
    assert [n.name for n in treatment.notices] == [n.name for n in planned.notices]


def test_what_is_changed_in_the_scene_changes_the_plan(scene, planned):
    """The case is read from the nodes, not handed past them."""
    nodes = publish_case(scene, small_inputs())
    counts = slicer.util.arrayFromVolume(nodes.scout)
    counts[:, :, : counts.shape[2] // 2] *= 3.0
    changed = prepare(read_again(small_inputs(), nodes))
    assert changed.tumour_to_normal["A"] != pytest.approx(planned.case.tumour_to_normal["A"], rel=0.05)


def test_dose_node_has_the_doses_in_their_place(scene, planned):
    node = _published(scene, planned, plans.DOSE)
    hottest = np.unravel_index(int(planned.dose.array.argmax()), planned.dose.grid.shape)
    assert np.allclose(slicer.util.arrayFromVolume(node), planned.dose.array, rtol=1e-6)
    left, back, up = planned.dose.grid.to_lps(np.array(hottest))
    matrix = vtk.vtkMatrix4x4()
    node.GetRASToIJKMatrix(matrix)
    index = np.array(matrix.MultiplyPoint((-left, -back, up, 1.0)))[:3]
    assert index == pytest.approx(hottest[::-1], abs=1e-6)


def test_dose_node_says_gray_in_every_way_slicer_reads_it(scene, planned):
    dose = _published(scene, planned, plans.DOSE)
    assert dose.GetVoxelValueUnits().GetCodeValue() == "Gy"
    assert dose.GetVoxelValueUnits().GetCodingSchemeDesignator() == "UCUM"
    assert dose.GetVoxelValueQuantity().GetCodeMeaning() == "Absorbed Radiation Dose"
    assert dose.GetAttribute("DicomRtImport.DoseVolume") == "1"
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    folder = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(dose))
    study = hierarchy.GetItemParent(folder)
    assert hierarchy.GetItemName(study) == STUDY and hierarchy.GetItemLevel(study) == "Study"
    assert hierarchy.GetItemAttribute(study, "DicomRtImport.DoseUnitName") == "GY"
    assert hierarchy.GetItemAttribute(study, "DicomRtImport.DoseUnitValue") == "1.0"


def test_tables_hold_the_numbers_of_the_plan(scene, planned):
    text_node, plan = publish_plan(scene, planned, made_at=_MADE_AT), planned.plan
    tables = {role: plans.node_of(text_node, role) for role in plans.TABLES}
    assert _column(tables[plans.SITES], "Injection site") == ["proper", "left", "right"]
    assert _column(tables[plans.SITES], "Activity (GBq)") == pytest.approx(list(plan.activities_gbq))
    assert _column(tables[plans.SITES], "Lung shunt (%)") == pytest.approx([5.0, 5.0, 4.0])
    assert _column(tables[plans.LIMITS], "Limit") == [limit.name for limit in plan.limits]
    assert _column(tables[plans.LIMITS], "Bound") == [limit.limit for limit in plan.limits]
    assert "met, binding" in _column(tables[plans.LIMITS], "Status")
    assert _column(tables[plans.STRUCTURES], "Structure") == [s.name for s in plan.structures]
    assert _column(tables[plans.STRUCTURES], "Mean dose (Gy)") == pytest.approx(
        [s.mean_gy for s in plan.structures], abs=0.0051
    )  # to a hundredth
    assert _column(tables[plans.NOTICES], "Message") == [notice.message for notice in planned.notices]


def test_sites_are_points_in_ras_that_tell_their_activity(scene):
    inputs = small_inputs()
    treatment = plan_treatment(prepare(inputs))
    points = _published(scene, treatment, plans.INJECTIONS)
    assert points.GetNumberOfControlPoints() == 1  # only the position of 'proper' is known
    assert points.GetNthControlPointLabel(0) == "proper"
    assert list(points.GetNthControlPointPositionWorld(0)) == pytest.approx([0.0, 50.0, 0.0])
    activity = treatment.plan.sites[0].activity_gbq
    expected = f"{activity:.3g} GBq" if activity > 0 else "not used"
    assert points.GetNthControlPointDescription(0) == expected
    assert points.GetNthControlPointSelected(0) == (activity > 0)


def test_points_are_read_in_lps_and_unplaced_ones_left_out(scene):
    points = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "sites")
    points.AddControlPoint(vtk.vtkVector3d(1.0, 2.0, 3.0), "left")
    points.AddControlPoint(vtk.vtkVector3d(4.0, 5.0, 6.0), "right")
    points.UnsetNthControlPointPosition(1)
    assert positions_from_node(points) == {"left": (-1.0, -2.0, 3.0)}


def test_a_point_of_no_site_is_refused(scene):
    nodes = publish_case(scene, small_inputs())
    nodes.site_points.AddControlPoint(vtk.vtkVector3d(0.0, 0.0, 0.0), "splenic")
    with pytest.raises(TerritoryError, match="splenic"):
        read_again(small_inputs(), nodes)


def test_segments_are_drawn_on_the_ct_where_structures_lie_on_its_grid(scene):
    nodes = publish_case(scene, small_inputs())
    assert small_inputs().ct.grid == GRID
    role = slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole()
    assert nodes.segmentation.GetNodeReference(role) is nodes.ct


def test_the_synthetic_patient_goes_through_the_scene(scene):
    phantom = pytest.importorskip("radioembolization.phantom")
    inputs = phantom.synthetic_case(seed=3, spacing_mm=8.0)
    direct = plan_treatment(prepare(inputs))
    from_scene = plan_treatment(prepare(read_again(inputs, publish_case(scene, inputs))))
    assert from_scene.plan.activities_gbq == pytest.approx(direct.plan.activities_gbq, rel=1e-6, abs=1e-9)
    assert _published(scene, from_scene, plans.INJECTIONS).GetNumberOfControlPoints() == len(inputs.sites)
