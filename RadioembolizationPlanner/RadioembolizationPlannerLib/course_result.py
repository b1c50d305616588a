"""What another process makes of a course: its document, page, ledger and curves; nothing here knows Slicer."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from radioembolization.errors import MissingPackage

if TYPE_CHECKING:
    from radioembolization.treatment.course_inputs import CourseInputs
    from radioembolization.treatment.planned_course import Delivered, PlannedCourse

#: Weeks drawn before the first and after the last administration; what is earlier is where the curves begin.
_BEFORE, _AFTER = 2.0, 3.0


@dataclass(frozen=True, eq=False)
class CourseRequest:
    """A course to be planned, what of it was delivered if the rest is, and whether a page is to be written."""

    inputs: CourseInputs
    delivered: Delivered | None = None
    with_page: bool = True


@dataclass(frozen=True)
class LedgerLine:
    """What an administration gives to a structure, and the totals after it [Gy]."""

    structure: str
    administration: str
    day: float
    dose_gy: float
    bed_gy: float
    cross_bed_gy: float
    total_dose_gy: float
    total_bed_gy: float


@dataclass(frozen=True)
class CourseCurve:
    """A total over the weeks of a course, drawn as steps.

    Parameters
    ----------
    title : str
        What is counted, without unit.
    color : str
        ``#RRGGBB``.
    weeks, total_gy : tuple of float
        Corners of the steps; total dose or BED [Gy].
    limits_gy : mapping of str to float
        Dose or BED [Gy] by name.
    """

    title: str
    color: str
    weeks: tuple[float, ...]
    total_gy: tuple[float, ...]
    limits_gy: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class CourseResult:
    """A planned course as the scene keeps it.

    Parameters
    ----------
    text : str
        The document, ``course.json``.
    page : str
        Page for people; empty if it could not be made.
    ledger : tuple of LedgerLine
    curves : tuple of CourseCurve
    replanned : bool
        Whether it is the rest of a course of which something was delivered.
    """

    text: str
    page: str
    ledger: tuple[LedgerLine, ...]
    curves: tuple[CourseCurve, ...]
    replanned: bool = False


def result_of(planned: PlannedCourse, with_page: bool = True) -> CourseResult:
    """Return a planned course without its images and dose rows."""
    from radioembolization.files.course_document import course_document

    text = json.dumps(course_document(planned), indent=2, ensure_ascii=False) + "\n"
    page = _page_if_possible(planned) if with_page else ""
    return CourseResult(text, page, _ledger(planned), course_curves(planned), planned.first_plan is not None)


def _page_if_possible(planned: PlannedCourse) -> str:
    try:
        from radioembolization.report.course_page import course_page

        return course_page(planned)
    except (MissingPackage, ImportError) as error:
        logging.info("There will be no page of the course: %s", error)
        return ""


def _ledger(planned: PlannedCourse) -> tuple[LedgerLine, ...]:
    ledger, lines = planned.course.ledger, []
    for effect in planned.course.effects:
        totals = ledger.cumulative(effect.name)
        for one, (day, dose, bed) in zip(ledger.entries(effect.name), totals, strict=True):
            numbers = (one.dose_gy, one.bed_gy, one.cross_bed_gy, dose, bed)
            lines.append(LedgerLine(effect.name, one.exposure.label, day, *map(float, numbers)))
    return tuple(lines)


def course_curves(planned: PlannedCourse) -> tuple[CourseCurve, ...]:
    """Return the totals of organs with a budget, normal liver and worst lesion over the weeks of a course."""
    from radioembolization.report.timeline import panels

    return tuple(
        CourseCurve(panel.title, panel.colour, *_corners(panel.steps), dict(panel.limits)) for panel in panels(planned)
    )


def _corners(steps: tuple[tuple[float, float], ...]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return weeks and values of the corners of steps, from the weeks before the course to those after it."""
    begin, end = -_BEFORE, max([0.0, *(week for week, _ in steps)]) + _AFTER
    weeks, values = [begin], [max([0.0, *(total for week, total in steps if week < begin)])]
    for week, total in steps:
        if week >= begin:
            weeks += [week, week]
            values += [values[-1], total]
    return (*weeks, end), (*map(float, values), float(values[-1]))
