"""Biologically effective dose, equivalent uniform dose and response curves; knows no patient."""

from radioembolization.biology.bed import (
    DoseComponent,
    bed_gy,
    bed_of_components_gy,
    combined_protraction_factor,
    cross_bed_gy,
    dose_of_bed_gy,
    eqd2_gy,
    mutual_protraction,
    protraction_factor,
)
from radioembolization.biology.eud import (
    equivalent_uniform_bed_gy,
    equivalent_uniform_dose_gy,
    generalized_eud_gy,
)
from radioembolization.biology.parameters import (
    PUBLISHED_CURVES,
    TISSUE_BIOLOGY,
    PublishedCurve,
    TissueBiology,
    published_curve,
    tissue_biology,
)
from radioembolization.biology.response import LogisticResponse, ProbitResponse, ResponseCurve
from radioembolization.biology.sweep import SweptBED, swept_bed

__all__ = [
    "PUBLISHED_CURVES",
    "TISSUE_BIOLOGY",
    "DoseComponent",
    "LogisticResponse",
    "ProbitResponse",
    "PublishedCurve",
    "ResponseCurve",
    "SweptBED",
    "TissueBiology",
    "bed_gy",
    "bed_of_components_gy",
    "combined_protraction_factor",
    "cross_bed_gy",
    "dose_of_bed_gy",
    "eqd2_gy",
    "equivalent_uniform_bed_gy",
    "equivalent_uniform_dose_gy",
    "generalized_eud_gy",
    "mutual_protraction",
    "protraction_factor",
    "published_curve",
    "swept_bed",
    "tissue_biology",
]
