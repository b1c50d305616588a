"""What a session lets another process calculate; nothing here knows Slicer."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from radioembolization.errors import MissingPackage
from radioembolization.files.plan_reader import plan_from_text
from radioembolization.images import Volume
from radioembolization.planning.certificate import Certificate
from radioembolization.planning.recheck import Recheck, recheck
from radioembolization.structures.findings import Finding
from radioembolization.structures.segmentation import SegmentedStructures
from radioembolization.treatment import CaseInputs, PreparedCase, SourceStructure, Treatment
from RadioembolizationPlannerLib import worker
from RadioembolizationPlannerLib.course_result import CourseRequest, CourseResult, result_of
from RadioembolizationPlannerLib.registration_task import Registered, RegisterRequest, register
from RadioembolizationPlannerLib.worker import Progress, prepare

__all__ = [
    "CertifyRequest",
    "CheckRequest",
    "Planned",
    "RegisterRequest",
    "Registered",
    "SegmentRequest",
    "certify",
    "check",
    "course",
    "plan",
    "prepare",
    "register",
    "report",
    "report_if_possible",
    "segment",
]


@dataclass(frozen=True, eq=False)
class Planned:
    """A planned treatment, and the doses it was planned on."""

    treatment: Treatment
    prepared: PreparedCase


@dataclass(frozen=True, eq=False)
class CertifyRequest:
    """A case and the text of a plan file that is said to be a plan for it."""

    inputs: CaseInputs
    text: str
    name: str


@dataclass(frozen=True, eq=False)
class SegmentRequest:
    """A CT to be segmented, and positions inside the liver (LPS) [mm], of which none is needed."""

    ct: Volume
    seeds_lps_mm: tuple[tuple[float, float, float], ...] = ()


@dataclass(frozen=True, eq=False)
class CheckRequest:
    """Structures and images that are to fit together; the fields are called as those of ``CaseInputs``."""

    structures: tuple[SourceStructure, ...]
    ct: Volume | None
    scout: Volume | None
    liver_density_g_per_cm3: float


def check(request: CheckRequest, progress: Progress) -> tuple[Finding, ...]:
    """Return what does not fit together, the worst first."""
    from radioembolization.structures.consistency import DrawnStructure
    from radioembolization.treatment.consistency import check_structures

    progress("structures", 0, 1)
    drawn = [DrawnStructure(s.name, s.role, s.source.mask, s.source.grid) for s in request.structures]
    return check_structures(drawn, request.ct, request.scout, request.liver_density_g_per_cm3)


def segment(request: SegmentRequest, progress: Progress) -> SegmentedStructures:
    """Find body, lungs and liver in a CT; errors as of ``segment_ct``."""
    from radioembolization.structures.segmentation.automatic import segment_ct

    return segment_ct(request.ct, request.seeds_lps_mm, progress)


def plan(given: CaseInputs | PreparedCase, progress: Progress) -> Planned:
    """Plan a case; dose rows that are there already are not computed again."""
    prepared = given if isinstance(given, PreparedCase) else prepare(given, progress)
    return Planned(worker.plan(prepared, progress), prepared)


def certify(request: CertifyRequest, progress: Progress) -> Recheck:
    """Compute the doses of a case anew and check a plan with them, without a solver.

    Raises
    ------
    CertificateRejected, PlanFileError
        If the plan does not stand.
    """
    rows = prepare(request.inputs, progress).dose_per_gbq
    progress("certificate", 0, 1)
    stated = plan_from_text(request.text, request.name).plan
    exactly = isinstance(stated.certificate, Certificate) and stated.certificate.fingerprint == rows.fingerprint
    return recheck(stated, rows, same_rows=exactly)


def course(request: CourseRequest, progress: Progress) -> CourseResult:
    """Plan a course, or the rest of it after what was delivered; errors as of ``plan_course_of``."""
    from radioembolization.treatment.planned_course import plan_course_of

    planned = plan_course_of(request.inputs, request.delivered, progress)
    progress("report", 0, 1)
    return result_of(planned, request.with_page)


def report(treatment: Treatment, progress: Progress) -> str:
    """Write the report page of a treatment; empty if its packages are not installed."""
    progress("report", 0, 1)
    return report_if_possible(treatment)


def report_if_possible(treatment: Treatment) -> str:
    """Return the report page of a treatment; empty, with a note in the log, if its packages are not installed."""
    from radioembolization.report import page

    try:
        return page(treatment)
    except (MissingPackage, ImportError) as error:
        logging.info("There will be no report: %s", error)
        return ""
