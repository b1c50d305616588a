"""Anatomical structures on the planning grid."""

from radioembolization.structures.structure_set import (
    DEFAULT_LIVER_DENSITY,
    NORMAL_LIVER,
    WHOLE_LIVER,
    LungMass,
    Role,
    Structure,
    StructureSet,
    lies_within,
)
from radioembolization.structures.synthetic_lesions import Lesion, place_lesions
from radioembolization.structures.tumour_to_normal import tumour_to_normal_ratios

__all__ = [
    "DEFAULT_LIVER_DENSITY",
    "NORMAL_LIVER",
    "WHOLE_LIVER",
    "Lesion",
    "LungMass",
    "Role",
    "Structure",
    "StructureSet",
    "lies_within",
    "place_lesions",
    "tumour_to_normal_ratios",
]
