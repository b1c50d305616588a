"""A course as nodes of a scene: all tied to one text node, in the study of the plans, exported and removed together."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import pairwise

import pytest
import slicer_headless
from course_hands import course_table, planned_by_core, result_by_core

from radioembolization.errors import InputError
from small_course import case_inputs

slicer_headless.require_slicer()
import slicer  # noqa: E402
import slicer_module_standins  # noqa: E402

slicer_module_standins.install()

from session_driver import small_session  # noqa: E402

from RadioembolizationPlannerLib import courses  # noqa: E402
from RadioembolizationPlannerLib.course_desk import CourseDesk  # noqa: E402
from RadioembolizationPlannerLib.errors import NewerScene, PlanChanged  # noqa: E402
from RadioembolizationPlannerLib.publish_course import publish_course  # noqa: E402
from RadioembolizationPlannerLib.study import STUDY  # noqa: E402

pytestmark = pytest.mark.slicer

_MADE_AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def _publish(scene, **more):
    return publish_course(scene, result_by_core(), made_at=_MADE_AT, inputs={"CT": "a"}, **more)


def _rows(node):
    table = node.GetTable()
    names = [table.GetColumnName(column) for column in range(table.GetNumberOfColumns())]
    return [
        {name: table.GetValueByName(row, name).ToString() for name in names} for row in range(table.GetNumberOfRows())
    ]


def _row(course, role, **wanted):
    (found,) = [r for r in _rows(course.GetNodeReference(role)) if all(r[k] == v for k, v in wanted.items())]
    return found


def test_every_role_has_its_nodes(scene):
    course = _publish(scene)
    assert {role for role in courses.ROLES if not course.GetNumberOfNodeReferences(role)} == set()
    assert course.GetNumberOfNodeReferences(courses.CHARTS) == course.GetNumberOfNodeReferences(courses.CURVES) == 4
    assert "<html" in course.GetNodeReference(courses.PAGE).GetText()
    record = courses.record_of(course)
    assert (record.name, record.made_at, record.inputs) == ("Course 1", "2026-03-04T05:06:07+00:00", {"CT": "a"})
    assert not record.replanned and record.stale == ()
    assert _publish(scene).GetName() == "Course 2"


def test_tables_say_what_the_ledger_of_the_core_says(scene):
    course, planned = _publish(scene), planned_by_core().course
    for effect in planned.effects:
        row = _row(course, courses.EFFECTS, Structure=effect.name)
        assert float(row["BED (Gy)"]) == pytest.approx(planned.ledger.bed_gy(effect.name), abs=0.006)
        last = [r for r in _rows(course.GetNodeReference(courses.LEDGER)) if r["Structure"] == effect.name][-1]
        assert float(last["Total BED (Gy)"]) == pytest.approx(planned.ledger.bed_gy(effect.name), abs=0.002)
        assert float(last["Total dose (Gy)"]) == pytest.approx(planned.ledger.dose_gy(effect.name), abs=0.002)
    given = _rows(course.GetNodeReference(courses.ADMINISTRATIONS))
    assert [float(r["Week"]) for r in given] == [one.week for one in planned.administrations]
    assert {r["State"] for r in given} == {"planned"}
    kidney = _row(course, courses.LIMITS, **{"Budget or limit": "kidney dose"})
    assert float(kidney["Value"]) == pytest.approx(planned.ledger.dose_gy("kidney")) and kidney["Status"] == "kept"
    names = [r["Course"] for r in _rows(course.GetNodeReference(courses.ALTERNATIVES))]
    assert names == [one.name for one in planned.alternatives]
    assert len(_rows(course.GetNodeReference(courses.NOTICES))) >= len(planned_by_core().findings)


def test_curves_are_steps_at_the_weeks_of_the_administrations(scene):
    course, ledger = _publish(scene), planned_by_core().course.ledger
    table = courses.nodes_of(course, courses.CURVES)[0]
    rows = [{name: float(value) for name, value in row.items()} for row in _rows(table)]
    assert list(rows[0]) == ["Week", "Kidney, dose (Gy)", "kidney dose (Gy)"]
    weeks = [day / 7.0 for day, _dose, _bed in ledger.cumulative("kidney")]
    assert [row["Week"] for row in rows] == [-2.0, *(week for week in weeks for _ in range(2)), weeks[-1] + 3.0]
    totals = [0.0, *(dose for _day, dose, _bed in ledger.cumulative("kidney"))]
    expected = [0.0, *(total for pair in pairwise(totals) for total in pair), totals[-1]]
    assert [row["Kidney, dose (Gy)"] for row in rows] == pytest.approx(expected)
    assert {row["kidney dose (Gy)"] for row in rows} == {23.0}
    chart = courses.nodes_of(course, courses.CHARTS)[0]
    lines = [chart.GetNthPlotSeriesNode(index) for index in range(chart.GetNumberOfPlotSeriesNodes())]
    assert [line.GetYColumnName() for line in lines] == ["Kidney, dose (Gy)", "kidney dose (Gy)"]
    assert lines[1].GetLineStyle() != lines[0].GetLineStyle()
    bounds = chart.GetYAxisRange()
    assert bounds[0] == 0.0 and 23.0 < bounds[1] < 35.0


def test_what_was_given_before_the_axis_is_where_the_curves_begin():
    from RadioembolizationPlannerLib.course_result import _corners

    weeks, totals = _corners(((-100.0, 3.0), (0.0, 5.0), (8.0, 9.0)))
    assert weeks == (-2.0, 0.0, 0.0, 8.0, 8.0, 11.0)
    assert totals == (3.0, 3.0, 5.0, 5.0, 9.0, 9.0)
    assert _corners(()) == ((-2.0, 3.0), (0.0, 0.0))


def test_a_course_has_a_folder_in_the_study_of_the_plans_and_leaves_nothing(scene):
    nodes = scene.GetNumberOfNodes()
    course = _publish(scene)
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    folder = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(course))
    study = hierarchy.GetItemParent(folder)
    assert (hierarchy.GetItemName(folder), hierarchy.GetItemName(study)) == ("Course 1", STUDY)
    assert hierarchy.GetItemAttribute(study, "DicomRtImport.DoseUnitName") == "GY"
    for node in courses.nodes_of(course):
        assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) == folder
    courses.remove_course(scene, course)
    assert scene.GetNumberOfNodes() - nodes <= 1  # the hierarchy itself
    assert not hierarchy.GetItemChildWithName(study, "Course 1")


def test_a_text_that_is_no_course_and_one_of_a_newer_program_are_refused(scene):
    course = _publish(scene)
    text = course.GetText()
    course.SetText("{}")
    with pytest.raises(PlanChanged, match="is no course"):
        courses.document_of(course)
    course.SetText(json.dumps(json.loads(text) | {"schema_version": "99.0"}))
    with pytest.raises(NewerScene, match=r"schema 99\.0"):
        courses.document_of(course)
    course.SetAttribute(courses.COURSE_ATTRIBUTE, "99")
    with pytest.raises(NewerScene, match="format 99"):
        courses.record_of(course)
    with pytest.raises(InputError, match="is no course"):
        courses.record_of(course.GetNodeReference(courses.PAGE))


def test_a_course_is_exported_and_over_its_own_files_only(scene, tmp_path):
    course, desk = _publish(scene), _desk(scene)
    files = desk.export(course, tmp_path / "out")
    assert json.loads(files["course"].read_text(encoding="utf-8")) == json.loads(course.GetText())
    assert json.loads(files["record"].read_text(encoding="utf-8"))["name"] == "Course 1"
    assert files["ledger"].read_text(encoding="utf-8").startswith("Structure,Administration,Day,Dose (Gy)")
    assert "<html" in files["page"].read_text(encoding="utf-8")
    desk.export(course, tmp_path / "out")
    (tmp_path / "course.json").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match=r"of no exported course \(course\.json\)"):
        desk.export(course, tmp_path)
    assert (tmp_path / "course.json").read_text(encoding="utf-8") == "mine"
    with pytest.raises(InputError, match="could not be written"):
        desk.export(course, tmp_path / "course.json" / "below")


def test_without_a_panel_a_course_is_planned_by_script(scene):
    desk = _desk(scene)
    desk.optimize()
    desk._session.runner.wait(300.0)
    document = courses.document_of(desk.shown)
    assert document["course"]["objective"]["value"] == pytest.approx(planned_by_core().course.objective, rel=1e-6)
    with pytest.raises(InputError, match="Nothing of the course was given"):
        desk.replan()


def _desk(scene):
    inputs = case_inputs()
    session = small_session(scene, settings=inputs.settings, prescription=inputs.prescription)
    desk = CourseDesk(session)
    session.change(course=course_table())
    return desk
