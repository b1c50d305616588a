"""A course of the small case: as a table, typed into the panel, and planned by the core for comparison."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Any

from hands import bare_nodes, pick, row_of, type_into

from small_course import COURSE, case_inputs
from support import quiet


def course_table(**changes: Any) -> dict[str, Any]:
    """Return the entries of the small course without its case and its choice of weeks."""
    table = tomllib.loads(COURSE)
    return {key: value for key, value in table.items() if key not in ("case", "weeks")} | changes


@cache
def planned_by_core() -> Any:
    """The small course planned by the core, from a file on disk."""
    import tempfile
    from pathlib import Path

    from radioembolization.files.course_file import read_course
    from radioembolization.treatment.planned_course import plan_course_of
    from small_course import write_small_course

    text = COURSE[: COURSE.index("[weeks]")] + COURSE[COURSE.index("[uptakes.A]") :]
    with tempfile.TemporaryDirectory() as folder, quiet():
        return plan_course_of(read_course(write_small_course(Path(folder), text)))


@cache
def result_by_core() -> Any:
    """The same as the scene keeps it."""
    from RadioembolizationPlannerLib.course_result import result_of

    return result_of(planned_by_core())


def take_small_case(panel: Any, scene: Any) -> Any:
    """Choose the small case with 166Ho in every section, and open the section of courses."""
    from RadioembolizationPlannerLib.synthetic import take_case

    inputs = case_inputs()
    take_case(panel.session, inputs, bare_nodes(scene, inputs))
    panel.ui("Course").courseSectionButton.collapsed = False
    panel.idle()
    return panel


def type_course(panel: Any) -> None:
    """Enter the small course in the panel."""
    ui = panel.ui("Course")
    pick(ui.gradeBox, "G1")
    ui.mostCyclesBox.value = 2
    panel.click("Course", "addOutsideButton")
    type_into(ui.outsideTable, 0, 0, "bone")
    for name, uptake in course_table()["uptakes"].items():
        table = ui.outsideTable if name == "bone" else ui.uptakesTable
        type_into(table, row_of(table, name), 1, f"{uptake['gy_per_gbq']:g}")
        type_into(table, row_of(table, name), 2, f"{uptake['effective_half_life_h']:g}")
    for row, (name, sites) in enumerate(course_table()["sessions"].items()):
        panel.click("Course", "addSessionButton")
        type_into(ui.sessionsTable, row, 1, ", ".join(sites))
        type_into(ui.sessionsTable, row, 0, name)
    type_line(ui.togetherEdit, "none; whole liver; right lobe + left lobe")
    panel.idle()


def type_line(edit: Any, text: str) -> None:
    """Type into a line and leave it."""
    edit.text = text
    edit.editingFinished.emit()


def plan(panel: Any, button: str = "optimizeCourseButton") -> Any:
    """Click a button that plans a course; return the text node of the new course."""
    from RadioembolizationPlannerLib.courses import courses_of

    before = courses_of(panel.session.scene)
    panel.click("Course", button)
    panel.idle()
    assert not panel.session.status.failed, panel.session.status.text
    (new,) = [course for course in courses_of(panel.session.scene) if course not in before]
    return new
