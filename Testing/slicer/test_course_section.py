"""The section of courses in its event loop: what is entered is what the core plans; bad entries are told."""

from __future__ import annotations

import pytest
import slicer_headless
from course_hands import course_table, plan, planned_by_core, take_small_case, type_course, type_line
from hands import Heartbeat, pick, row_of, texts_of, type_into

from radioembolization.errors import MissingPackage

slicer_headless.require_slicer()
import slicer  # noqa: E402

pytestmark = [pytest.mark.slicer, pytest.mark.gui]

#: Longest pause of the event loop while a course is planned and put into the scene; others may share the cores [s].
_LONGEST_PAUSE_S = 2.0
#: Treatments of a panel: row of the table, columns.
_NAME, _DAY, _WHAT, _DEVICE, _GBQ, _DOSES = range(6)


@pytest.fixture
def course(panel, scene):
    """The panel with the small case."""
    return take_small_case(panel, scene)


@pytest.fixture
def entered(course):
    """The panel with the small case and the small course, set by the program."""
    course.session.change(course=course_table())
    course.idle()
    return course


def _ui(panel):
    return panel.ui("Course")


def _desk(panel):
    return panel.sections["CourseSection"].desk


def _document(node):
    from RadioembolizationPlannerLib.courses import document_of

    return document_of(node)


def test_a_course_typed_in_the_panel_is_the_table_of_the_file(course):
    type_course(course)
    assert course.parameters.course == course_table() | {"cycles": {"at_most": 2}}
    assert course.session.problem == "" and _desk(course).problem == ""


@pytest.mark.exhaustive
@pytest.mark.process
@pytest.mark.slow
def test_a_typed_course_has_the_values_of_the_core_while_the_event_loop_lives(course):
    type_course(course)
    expected = planned_by_core().course
    with Heartbeat() as heart:
        node = plan(course)
    assert heart.beats > 20 and heart.busiest_s < _LONGEST_PAUSE_S and heart.longest_s < 5.0 * _LONGEST_PAUSE_S
    document = _document(node)
    assert document["course"]["kind"] == expected.kind
    assert document["course"]["objective"]["value"] == pytest.approx(expected.objective, rel=1e-6)
    assert document["course"]["objective"]["bound"] == pytest.approx(expected.bound, rel=1e-6)
    beds = {effect["name"]: effect["bed_gy"] for effect in document["effects"]}
    assert beds == pytest.approx({effect.name: effect.bed_gy for effect in expected.effects}, rel=1e-4)
    assert expected.objective > 50.0 and len(document["course"]["administrations"]) == len(expected.administrations)
    assert _desk(course).shown is node and _ui(course).courseSelector.currentNode() is node
    state = _ui(course).courseStateLabel.text
    assert "Proof: no course within these rules" in state and "OUT OF DATE" not in state
    assert "'Course 1' is ready" in _ui(course).courseStatusLabel.text


def test_published_values_are_flagged_before_and_after(entered):
    uptakes = {name: value for name, value in course_table()["uptakes"].items() if name != "kidney"}
    entered.session.change(course=course_table(uptakes=uptakes))
    entered.idle()
    table = _ui(entered).uptakesTable
    assert texts_of(table)[row_of(table, "kidney")] == ["kidney", "", "", "PUBLISHED: 0.43 Gy/GBq, 51 h"]
    assert texts_of(table)[row_of(table, "A")] == ["A", "5", "85", "entered"]
    notices = _document(plan(entered))["notices"]
    assert any("'kidney' is of published patients" in notice["message"] for notice in notices)
    assert "Published values stand in for measured ones (notices: 1)" in _ui(entered).courseStateLabel.text


@pytest.mark.slow
def test_the_rest_is_planned_after_a_cycle_with_its_measured_doses(entered):
    ui = _ui(entered)
    assert not ui.replanButton.enabled and ui.replanButton.toolTip == "Nothing of the course was given yet."
    first = plan(entered)
    entered.click("Course", "takeOverButton")
    row = texts_of(ui.treatmentsTable)[0]
    assert (row[_NAME], row[_DAY], row[_GBQ], row[_DOSES]) == ("177Lu cycle 1", "0", "7.4", "")
    (given,) = entered.parameters.course["delivered"]
    assert given["measured"] is False  # nobody has measured anything yet
    type_into(ui.treatmentsTable, 0, _DOSES, "A: 18.5; kidney: 4,44")
    assert "measured" not in entered.parameters.course["delivered"][0]
    entered.idle()
    rest = plan(entered, "replanButton")
    document = _document(rest)
    by_name = {uptake["region"]: uptake["gy_per_gbq"]["value"] for uptake in document["uptakes"]}
    assert by_name["A"] == pytest.approx(18.5 / 7.4) and by_name["kidney"] == pytest.approx(4.44 / 7.4)
    assert by_name["B"] == pytest.approx(1.0)  # not measured: as entered
    assert document["first_plan"]["objective"] == _document(first)["course"]["objective"]
    ledger = {one["label"]: one for one in document["ledger"]}
    assert ledger["177Lu cycle 1"]["dose_gy"]["A"] == 18.5 and not ledger["177Lu cycle 1"]["planned"]
    assert any(notice["name"] == "PredictedDose" for notice in document["notices"])
    assert "A took up 2.5 instead of 5 Gy/GBq" in ui.courseStateLabel.text
    entered.click("Course", "takeOverButton")
    assert [one["label"] for one in entered.parameters.course["delivered"]] == ["177Lu cycle 1", "177Lu cycle 2"]


def test_a_planned_session_is_taken_over_with_its_predicted_doses(entered):
    node = plan(entered)
    for _ in _document(node)["ledger"]:
        entered.click("Course", "takeOverButton")
    given = entered.parameters.course["delivered"]
    session = next(one for one in given if one["modality"] == "radioembolization")
    planned = next(one for one in _document(node)["ledger"] if one["label"] == session["label"])
    assert session["dose_gy"] == pytest.approx(dict(planned["dose_gy"]), rel=1e-3)
    assert session["device"] == "holmium" and session["measured"] is False
    entered.click("Course", "takeOverButton")
    assert "Every administration of 'Course 1' was given" in _ui(entered).courseStatusLabel.text


def test_treatments_before_the_course_count(entered):
    ui = _ui(entered)
    entered.click("Course", "addTreatmentButton")
    doses = "normal liver: 2.1; kidney: 3.4; marrow: 0.2; A: 20; B: 9; C: 11; bone: -"
    for column, text in ((_NAME, "cycle of 2023"), (_DAY, "-900"), (_GBQ, "7.4"), (_DOSES, doses)):
        type_into(ui.treatmentsTable, 0, column, text)
    (history,) = entered.parameters.course["history"]
    assert history["not_exposed"] == ["bone"] and history["day"] == -900.0
    assert "delivered" not in entered.parameters.course
    document = _document(plan(entered))
    before = next(one for one in document["ledger"] if one["label"] == "cycle of 2023")
    assert before["half_life_h"]["kidney"] == 51.0 and before["dose_gy"]["A"] == 20.0
    effect = next(one for one in document["effects"] if one["name"] == "kidney")
    cycles = sum(one["modality"] == "177Lu" for one in document["ledger"]) - 1
    assert effect["lutetium_gy"] == pytest.approx(3.4 + cycles * 0.5 * 7.4)


_NO_TREATMENTS = [
    (_DAY, "soon", "'soon' is no number"),
    (_DOSES, "A 30", "is no dose"),
    (_DOSES, "A: 3; A: 4", "has two doses"),
]


def test_what_cannot_be_a_treatment_is_refused_and_the_cell_keeps_its_value(entered):
    ui = _ui(entered)
    entered.click("Course", "addTreatmentButton")
    before = entered.parameters.course
    for column, text, told in _NO_TREATMENTS:
        type_into(ui.treatmentsTable, 0, column, text)
        assert told in ui.courseStatusLabel.text and ui.courseStatusLabel.text.startswith("Failed")
        assert entered.parameters.course == before and texts_of(ui.treatmentsTable)[0][column] == ""


_CYCLE = {"label": "one", "modality": "177Lu", "day": 0.0, "activity_gbq": 7.4}


_WRONGLY_DELIVERED = [
    ({"delivered": [{**_CYCLE, "day": 60.0}, {**_CYCLE, "label": "two"}]}, "stands after 'one' on day 60"),
    ({"delivered": [{**_CYCLE, "activity_gbq": 7400.0}]}, "enter GBq"),
    ({"delivered": [{**_CYCLE, "dose_gy": {"knee": 3.0}}]}, "knee"),
    ({"delivered": [{"label": "one", "modality": "177Lu"}]}, "no activity_gbq"),
]


def test_what_was_delivered_wrongly_is_told_by_the_core(entered):
    for changes, told in _WRONGLY_DELIVERED:
        entered.session.change(course=course_table(**changes))
        entered.idle()
        entered.click("Course", "replanButton")
        entered.idle()
        assert told in _ui(entered).courseStatusLabel.text and entered.session.status.failed


_REFUSED = [
    ({"cycles": {"activities_gbq": [7400.0]}}, "7400 MBq are 7.4 GBq"),
    ({"grade": ""}, "state grade"),
    ({"uptakes": {"A": {"effective_half_life_h": 85.0}}}, "half-life without Gy/GBq"),
    ({"uptakes": {"A": {"gy_per_gbq": 5.0, "effective_half_life_h": 300.0}}}, "longer than the physical"),
    ({"intervals": {"177Lu to 177Lu": {"at_least_days": 200.0}}}, "rising numbers"),
    ({"history": [{**_CYCLE, "day": -5.0}, {**_CYCLE, "label": "two", "day": -50.0}]}, "stands after"),
]


def test_what_the_core_refuses_is_said_at_once_and_when_asked_to_plan(entered):
    ui = _ui(entered)
    for changes, told in _REFUSED:
        entered.session.change(course=course_table(**changes))
        entered.idle()
        assert told in ui.courseProblemLabel.text and ui.courseProblemLabel.visible
        entered.click("Course", "optimizeCourseButton")
        assert told in ui.courseStatusLabel.text and not entered.session.runner.is_running
        entered.session.change(course=course_table())
        entered.idle()
        assert ui.courseProblemLabel.text == ""


def test_names_that_are_no_sites_sessions_or_free_are_refused(entered):
    ui = _ui(entered)
    type_into(ui.sessionsTable, 0, 1, "left, middle")
    assert "'middle' is no candidate site" in ui.courseStatusLabel.text
    type_line(ui.togetherEdit, "none; both")
    assert "'both' is no session" in ui.courseStatusLabel.text
    assert ui.togetherEdit.text == "none; whole liver; right lobe + left lobe"
    type_into(ui.outsideTable, 0, 0, "kidney")
    assert "a structure called 'kidney' already" in ui.courseStatusLabel.text
    assert entered.parameters.course == course_table()


def test_a_course_is_out_of_date_when_its_inputs_change_and_not_when_they_are_back(entered):
    node = plan(entered)
    table = _ui(entered).uptakesTable
    type_into(table, row_of(table, "A"), 1, "4")
    entered.idle()
    assert "OUT OF DATE: course: uptakes has changed." in _ui(entered).courseStateLabel.text
    type_into(table, row_of(table, "A"), 1, "5")
    _ui(entered).mostCyclesBox.value = 3
    _ui(entered).mostCyclesBox.value = 2
    entered.click("Course", "addTreatmentButton")  # what is delivered is no input of a plan made before
    entered.idle()
    assert "OUT OF DATE" not in _ui(entered).courseStateLabel.text
    entered.ui("Case").spacingBox.value = 5.0
    entered.idle()
    assert "OUT OF DATE: device and dose settings has changed" in _ui(entered).courseStateLabel.text
    assert node.GetText()


def test_budgets_intervals_reasons_aim_and_tests_are_entries_of_the_course(entered):
    ui = _ui(entered)
    pick(ui.budgetsTable.cellWidget(row_of(ui.budgetsTable, "kidney BED"), 2), "yes")
    pick(ui.budgetsTable.cellWidget(row_of(ui.budgetsTable, "marrow dose"), 2), "")
    type_into(ui.rulesTable, row_of(ui.rulesTable, "177Lu to 177Lu"), 1, "56")
    type_into(ui.rulesTable, row_of(ui.rulesTable, "radioembolization before 177Lu"), 4, "obstruction")
    ui.aimBox.value = 120.0
    entered.click("Course", "addLabButton")
    type_into(ui.labsTable, 0, 1, "0.8")
    type_into(ui.labsTable, 0, 3, "-3")
    type_line(ui.cycleActivitiesEdit, "7.4 5.55")
    type_line(ui.otherDeviceEdit, "same energy")
    entered.idle()
    found = _desk(entered).inputs()
    assert [budget.name for budget in found.budgets] == ["kidney dose", "kidney BED"]
    interval = next(rule for rule in found.constraints.intervals if rule.name == "177Lu to 177Lu")
    assert (interval.at_least_days, interval.at_most_days) == (56.0, 112.0)
    assert found.constraints.reasons == {"radioembolization before 177Lu": "obstruction"}
    assert found.aim_bed_gy == 120.0 and found.cycle_activities_gbq == (7.4, 5.55)
    assert (found.labs[0].analyte, found.labs[0].value, found.labs[0].day) == ("bilirubin", 0.8, -3.0)
    assert found.other_device_reason == "same energy"


@pytest.mark.process
def test_cancelled_in_the_middle(entered):
    nodes = slicer.mrmlScene.GetNumberOfNodes()
    entered.click("Course", "optimizeCourseButton")
    entered.until(lambda: ": " in entered.session.status.text)
    assert not _ui(entered).optimizeCourseButton.enabled
    entered.click("Course", "cancelCourseButton")
    entered.idle(10.0)
    assert _ui(entered).courseStatusLabel.text == "Cancelled. Nothing was changed."
    assert slicer.mrmlScene.GetNumberOfNodes() == nodes and _ui(entered).optimizeCourseButton.enabled


def test_declined_packages_leave_the_section_usable(entered):
    def declined():
        raise MissingPackage("Radioembolization Planner needs the Python packages cvxpy: agree to the installation.")

    entered.session.get_packages = declined
    entered.click("Course", "optimizeCourseButton")
    assert "needs the Python packages cvxpy" in _ui(entered).courseStatusLabel.text
    _ui(entered).mostCyclesBox.value = 3
    assert entered.parameters.course["cycles"]["at_most"] == 3 and not entered.session.runner.is_running


def test_an_empty_scene_has_a_section_that_says_what_is_missing(panel):
    ui = _ui(panel)
    assert ui.courseSectionButton.isVisible() and ui.courseSectionButton.text == "7  Course (177Lu)"
    assert not ui.optimizeCourseButton.enabled and "choose the segmentation" in ui.optimizeCourseButton.toolTip
    assert ui.courseSectionButton.collapsed and not ui.courseProblemLabel.text
    assert not ui.exportCourseButton.enabled and ui.courseSelector.currentNode() is None
