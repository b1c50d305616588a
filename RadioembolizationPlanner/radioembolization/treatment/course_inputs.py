"""What a course of treatment is planned from, before any dose is computed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from radioembolization.biology import TissueBiology
from radioembolization.course.budget import OrganBudget
from radioembolization.course.constraints import Constraints, stated_constraints
from radioembolization.course.course_problem import CourseProblem, Repopulation
from radioembolization.course.eligibility import LabValue
from radioembolization.course.exposure import Exposure, Modality
from radioembolization.course.schedule import WeekGrid
from radioembolization.course.sessions import Session
from radioembolization.course.uptake import RegionUptake
from radioembolization.dose import DosePerGBq
from radioembolization.errors import CourseError, DeviceMismatch
from radioembolization.structures import Role
from radioembolization.treatment.case import CaseInputs, Notice


@dataclass(frozen=True, eq=False)
class CourseInputs:
    """A course as it comes from files or from the phantom.

    Parameters
    ----------
    case : CaseInputs
        Of radioembolization; its limits hold for every session.
    uptakes, tissues : mapping of str
        By structure, see ``CourseProblem``.
    extrahepatic_disease : bool or None
        None if it is not stated.
    labs : tuple of LabValue
        Blood tests.
    notices : tuple of Notice
        Of reading: published values that stand in, values outside what was published.
    hashes : mapping of str to str
        SHA256 of the files the course was read from, besides those of the case.

    The other fields are those of ``CourseProblem``.

    Raises
    ------
    DeviceMismatch
        If the history holds other microspheres than the case, without a reason.
    CourseError
        If an earlier treatment belongs to another patient.
    """

    case: CaseInputs
    uptakes: Mapping[str, RegionUptake]
    tissues: Mapping[str, TissueBiology]
    extrahepatic_lesions: tuple[str, ...] = ()
    extrahepatic_disease: bool | None = None
    budgets: tuple[OrganBudget, ...] = ()
    most_cycles: int = 4
    least_cycles: int = 0
    cycle_activities_gbq: tuple[float, ...] = (7.4,)
    session_plans: tuple[tuple[Session, ...], ...] = ((), (Session("whole liver"),))
    weeks: WeekGrid | None = None
    constraints: Constraints = field(default_factory=stated_constraints)
    other_device_reason: str = ""
    history: tuple[Exposure, ...] = ()
    cycles_given: int = 0
    repopulation: Repopulation = field(default_factory=Repopulation)
    aim_bed_gy: float | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    labs: tuple[LabValue, ...] = ()
    notices: tuple[Notice, ...] = ()
    hashes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        own = self.case.settings.device.name
        others = [e for e in self.history if e.modality is Modality.RADIOEMBOLIZATION and e.device != own]
        if others and not self.other_device_reason:
            raise DeviceMismatch(
                f"'{others[0].label}' was given with {others[0].device} microspheres: its BED cannot be set against "
                f"the limits of {own}. State other_device_reason to add it nevertheless."
            )
        self.check_patients(self.history)

    def check_patients(self, exposures: tuple[Exposure, ...]) -> None:
        """Refuse treatments that were given to another patient than that of the case.

        Raises
        ------
        CourseError
        """
        own = patient_hash(self.case.patient)
        foreign = [e.label for e in exposures if e.patient and own and e.patient != own]
        if foreign:
            raise CourseError(f"{foreign} belong to another patient than the case: give the treatments of one patient.")

    @property
    def hepatic_lesions(self) -> tuple[str, ...]:
        """Names of the tumours in the liver."""
        return hepatic_lesions(self.case)

    def problem(self, dose: DosePerGBq) -> CourseProblem:
        """Return the problem on the dose rows of the case."""
        shared = {f.name for f in fields(CourseProblem)} & {f.name for f in fields(CourseInputs)}
        return CourseProblem(
            dose=dose,
            problem=self.case.prescription.problem(self.case.settings.device),
            **{name: getattr(self, name) for name in shared},
        )


def hepatic_lesions(case: CaseInputs) -> tuple[str, ...]:
    """Return the names of the tumours of a case, those that are placed by the program included."""
    placed = case.synthetic_lesions.volumes_ml if case.synthetic_lesions else ()
    drawn = [structure.name for structure in case.structures if structure.role is Role.TUMOUR]
    return (*drawn, *(f"synthetic lesion {number}" for number in range(1, len(placed) + 1)))


def patient_hash(identifier: str) -> str:
    """Return the hash by which treatments of one patient are told from those of another; empty without identifier."""
    return hashlib.sha256(identifier.strip().encode("utf-8")).hexdigest() if identifier.strip() else ""
