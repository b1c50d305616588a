"""A scene with courses is saved, closed and loaded: entries and nodes are there again and can be gone on with."""

from __future__ import annotations

import pytest
import slicer_headless
from course_hands import course_table, plan, take_small_case
from hands import row_of, texts_of, type_into

slicer_headless.require_slicer()
import slicer  # noqa: E402

pytestmark = [pytest.mark.reports, pytest.mark.slicer, pytest.mark.gui, pytest.mark.slow]


def test_a_saved_scene_brings_courses_back(panel, scene, tmp_path):
    from RadioembolizationPlannerLib.courses import courses_of

    ui = take_small_case(panel, scene).ui("Course")
    labs = [{"analyte": "bilirubin", "value": 0.8, "unit": "mg/dL", "day": 0.0}]
    panel.session.change(course=course_table(labs=labs, thresholds=[]))
    panel.idle()
    plan(panel)
    panel.click("Course", "takeOverButton")
    type_into(ui.treatmentsTable, 0, 5, "A: 30; kidney: 4.4")
    panel.idle()
    plan(panel, "replanButton")
    saved, table, widgets = _everything(scene), panel.parameters.course, _shown(ui)
    assert [entry[0] for entry in saved] == ["Course 1", "Course 2"]
    path = str(tmp_path / "course.mrb")
    assert slicer.util.saveScene(path)
    scene.Clear(False)
    panel.idle()
    assert panel.parameters.course == {} and not courses_of(scene)
    assert ui.treatmentsTable.rowCount == 0 and ui.courseStateLabel.text == ""
    slicer.util.loadScene(path)
    panel.idle()
    assert panel.parameters.course == table and _everything(scene) == saved
    assert _shown(ui) == widgets
    assert ui.courseSelector.currentNode().GetName() == "Course 2"
    assert "OUT OF DATE" not in ui.courseStateLabel.text and "A took up" in ui.courseStateLabel.text
    type_into(ui.uptakesTable, row_of(ui.uptakesTable, "B"), 1, "1.5")
    panel.idle()
    assert "OUT OF DATE: course: uptakes has changed" in ui.courseStateLabel.text
    assert plan(panel).GetName() == "Course 3"


def _shown(ui):
    tables = (ui.uptakesTable, ui.outsideTable, ui.sessionsTable, ui.treatmentsTable, ui.labsTable, ui.rulesTable)
    return [texts_of(table) for table in tables], ui.togetherEdit.text, ui.mostCyclesBox.value, ui.gradeBox.currentText


def _everything(scene):
    """Return what a scene holds of its courses, in values that can be compared."""
    from RadioembolizationPlannerLib import courses

    return [
        (
            course.GetName(),
            course.GetText(),
            courses.record_of(course),
            [_content(node) for node in courses.nodes_of(course)],
        )
        for course in courses.courses_of(scene)
    ]


def _content(node):
    if node.IsA("vtkMRMLTextNode"):
        return node.GetName(), node.GetText()
    if node.IsA("vtkMRMLTableNode"):
        table = node.GetTable()
        columns = [table.GetColumn(index) for index in range(table.GetNumberOfColumns())]
        return node.GetName(), [
            (c.GetName(), [c.GetVariantValue(i).ToString() for i in range(table.GetNumberOfRows())]) for c in columns
        ]
    if node.IsA("vtkMRMLPlotSeriesNode"):
        return node.GetName(), node.GetYColumnName(), node.GetTableNode().GetName(), node.GetLineStyle()
    return node.GetName(), [node.GetNthPlotSeriesNode(i).GetName() for i in range(node.GetNumberOfPlotSeriesNodes())]
