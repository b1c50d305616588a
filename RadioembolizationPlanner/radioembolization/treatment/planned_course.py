"""A planned course: the case, the best course, which rules its schedule breaks, and what the next cycle changed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from radioembolization.course.adapt import after, changes
from radioembolization.course.course import Course
from radioembolization.course.course_problem import CourseProblem
from radioembolization.course.exposure import Exposure
from radioembolization.course.plan_course import plan_course
from radioembolization.course.schedule_check import Violation, check_schedule
from radioembolization.course.sessions import Session
from radioembolization.treatment.case import Notice, collected_notices, joined
from radioembolization.treatment.course_inputs import CourseInputs
from radioembolization.treatment.prepare import prepare
from radioembolization.treatment.prepared_case import PreparedCase, Progress, compute_rows, report


@dataclass(frozen=True, eq=False)
class Delivered:
    """What was given of a course, and measured.

    Parameters
    ----------
    exposures : tuple of Exposure
        In the order of time.
    predicted : tuple of str
        Structures that no administration was measured in: their uptake stays what it was.
    sessions_left : tuple of tuple of Session, optional
        Sessions that may still be given; None as in ``course.adapt.after``.
    notices : tuple of Notice
    hashes : dict of str to str
    """

    exposures: tuple[Exposure, ...]
    predicted: tuple[str, ...] = ()
    sessions_left: tuple[tuple[Session, ...], ...] | None = None
    notices: tuple[Notice, ...] = ()
    hashes: dict[str, str] | None = None


@dataclass(frozen=True, eq=False)
class PlannedCourse:
    """Everything a page or a file of a course is written from.

    Parameters
    ----------
    inputs : CourseInputs
    prepared : PreparedCase
    problem : CourseProblem
        Of what is left to be given, with everything delivered in its history.
    course : Course
    findings : tuple of Violation
        Rules that history and plan do not keep.
    notices : tuple of Notice
    first_plan : Course or None
        The plan before anything was delivered, if something was.
    changed : tuple of str
        What has changed since the first plan, and why.
    """

    inputs: CourseInputs
    prepared: PreparedCase
    problem: CourseProblem
    course: Course
    findings: tuple[Violation, ...]
    notices: tuple[Notice, ...]
    first_plan: Course | None = None
    changed: tuple[str, ...] = ()
    hashes: dict[str, str] | None = None

    @property
    def planned(self) -> tuple[Exposure, ...]:
        """Administrations that are still to be given."""
        given = {exposure.label for exposure in self.problem.history}
        return tuple(exposure for exposure in self.course.ledger.exposures if exposure.label not in given)

    @property
    def may_be_given(self) -> bool:
        """Whether no rule stands against the schedule."""
        return not any(finding.blocks for finding in self.findings)


def plan_course_of(
    inputs: CourseInputs, delivered: Delivered | None = None, progress: Progress | None = None
) -> PlannedCourse:
    """Prepare the case of a course, plan the course, and plan it anew after what was delivered.

    Raises
    ------
    PlannerError
        In one of its named forms; ``Infeasible`` if no kind of course can be given.
    """
    report(progress, "structures", 0, 1)
    prepared = compute_rows(prepare(inputs.case), progress)
    report(progress, "structures", 1, 1)
    with collected_notices() as notices:
        problem = inputs.problem(prepared.dose_per_gbq)
        course = plan_course(problem, _told(progress, "course"))
        result = PlannedCourse(inputs, prepared, problem, course, (), ())
        if delivered is not None:
            result = _replanned(result, delivered, progress)
        findings = check_schedule(
            result.course.ledger.exposures, inputs.constraints, inputs.labs, inputs.extrahepatic_disease
        )
    every = joined(inputs.notices, prepared.notices)
    every = joined(joined(every, delivered.notices if delivered else ()), notices)
    hashes = {**inputs.case.hashes, **inputs.hashes, **((delivered.hashes if delivered else None) or {})}
    return replace(result, findings=tuple(findings), notices=every, hashes=hashes)


def _replanned(first: PlannedCourse, delivered: Delivered, progress: Progress | None) -> PlannedCourse:
    first.inputs.check_patients(delivered.exposures)
    problem = after(first.problem, delivered.exposures, delivered.sessions_left)
    kept = {name: first.problem.uptakes[name] for name in delivered.predicted}
    problem = replace(problem, uptakes={**problem.uptakes, **kept})
    course = plan_course(problem, _told(progress, "rest of the course"))
    changed = changes(first.problem, first.course, problem, course)
    return replace(first, problem=problem, course=course, first_plan=first.course, changed=changed)


def _told(progress: Progress | None, what: str) -> Progress:
    return lambda kind, number, kinds: report(progress, what, number, kinds)
