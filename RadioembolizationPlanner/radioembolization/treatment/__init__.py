"""From a case to a plan: the whole river in two steps, prepare and plan.

Files, the synthetic patient and 3D Slicer all hand over the same ``CaseInputs``; the command line,
the report and Slicer all receive the same ``Treatment``.
"""

from radioembolization.treatment.analysed import analysed, plan_and_analyse
from radioembolization.treatment.analysis import Analysis, analyse
from radioembolization.treatment.analysis_request import AnalysisRequest, FrontRequest, MicrosphereRequest, VialRequest
from radioembolization.treatment.arterial_sites import ArterialRequest, ArterialSites, arterial_sites, with_sites
from radioembolization.treatment.case import (
    Case,
    CaseInputs,
    Notice,
    SourceMask,
    SourceSite,
    SourceStructure,
    SourceSupply,
    SyntheticLesions,
)
from radioembolization.treatment.prepare import prepare
from radioembolization.treatment.prepared_case import PreparedCase, compute_rows
from radioembolization.treatment.scout_analysis import ScoutAnalysis, analyse_scout
from radioembolization.treatment.site_choice import SiteChoice
from radioembolization.treatment.software import package_versions
from radioembolization.treatment.treatment import Treatment, evaluate_treatment, plan_on_rows, plan_treatment

__all__ = [
    "Analysis",
    "AnalysisRequest",
    "ArterialRequest",
    "ArterialSites",
    "Case",
    "CaseInputs",
    "FrontRequest",
    "MicrosphereRequest",
    "Notice",
    "PreparedCase",
    "ScoutAnalysis",
    "SiteChoice",
    "SourceMask",
    "SourceSite",
    "SourceStructure",
    "SourceSupply",
    "SyntheticLesions",
    "Treatment",
    "VialRequest",
    "analyse",
    "analyse_scout",
    "analysed",
    "arterial_sites",
    "compute_rows",
    "evaluate_treatment",
    "package_versions",
    "plan_and_analyse",
    "plan_on_rows",
    "plan_treatment",
    "prepare",
    "with_sites",
]
