"""The page of a course of treatment: one self-contained HTML page to read, print and file."""

from __future__ import annotations

from radioembolization.report import content, course_content
from radioembolization.report.embedded import svg_uri
from radioembolization.report.figures import timeline_figure
from radioembolization.report.page import template
from radioembolization.treatment.course_contrasts import contrasts, stresses
from radioembolization.treatment.planned_course import PlannedCourse


def course_page(planned: PlannedCourse) -> str:
    """Return the page of a planned course.

    Everything is inside the page: style, figure, no scripts, no requests.  The same course gives the same page.  The
    patient's identifier is printed only if the case asks for it.

    Parameters
    ----------
    planned : PlannedCourse

    Raises
    ------
    MissingPackage
        If jinja2 or matplotlib is not installed.
    """
    course, inputs = planned.course, planned.inputs
    return str(
        template("course.html.j2").render(
            planned=planned,
            course=course,
            problem=planned.problem,
            inputs=inputs,
            case=inputs.case,
            synthetic=planned.prepared.case.synthetic,
            device=inputs.case.settings.device,
            blocking=[finding for finding in planned.findings if finding.blocks],
            rows=course_content.ledger_rows(planned),
            groups=course_content.effects_by_kind(course),
            contrasts=[one for one in contrasts(planned) if one.kind != "organ"],
            stresses=stresses(planned),
            say=course_content,
            proof=course_content.proof_sentence(course),
            ties=course_content.ties_sentence(course),
            impossible=course_content.impossible_by_reason(course),
            timeline=svg_uri(timeline_figure(planned)),
            versions=content.software_versions(),
            weeks=lambda days: f"{days / 7.0:g}",
        )
    )
