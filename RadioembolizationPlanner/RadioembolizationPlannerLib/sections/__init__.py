"""The sections of the panel, from images to courses; a further one is a class here and a ``.ui`` file."""

from RadioembolizationPlannerLib.sections.case import CaseSection
from RadioembolizationPlannerLib.sections.course import CourseSection
from RadioembolizationPlannerLib.sections.plan import PlanSection
from RadioembolizationPlannerLib.sections.prescription import PrescriptionSection
from RadioembolizationPlannerLib.sections.results import ResultsSection
from RadioembolizationPlannerLib.sections.section import Section
from RadioembolizationPlannerLib.sections.sites import SitesSection
from RadioembolizationPlannerLib.sections.structures import StructuresSection

#: In the order in which a case is planned.
SECTIONS: tuple[type[Section], ...] = (
    CaseSection,
    StructuresSection,
    SitesSection,
    PrescriptionSection,
    PlanSection,
    ResultsSection,
    CourseSection,
)

__all__ = ["SECTIONS", "Section"]
