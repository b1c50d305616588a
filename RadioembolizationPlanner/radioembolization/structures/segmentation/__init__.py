"""Structures found in the scans themselves, without deep learning."""

from radioembolization.structures.segmentation.automatic import segment_ct, segment_liver
from radioembolization.structures.segmentation.body import segment_body
from radioembolization.structures.segmentation.ct_lesions import LesionKind, lesion_candidates
from radioembolization.structures.segmentation.emission_methods import (
    NESTLE,
    BackgroundAdaptive,
    FixedValue,
    ShareOfMaximum,
    SizeAdaptive,
)
from radioembolization.structures.segmentation.gradient_edge import GradientEdge
from radioembolization.structures.segmentation.hot_regions import find_hot_regions
from radioembolization.structures.segmentation.lungs import segment_lungs
from radioembolization.structures.segmentation.necrosis import cold_core, necrotic_core
from radioembolization.structures.segmentation.perfused_volume import (
    ShareOfLiverMaximum,
    ShareOfLiverMean,
    perfused_from_cbct,
    perfused_from_scout,
)
from radioembolization.structures.segmentation.segmented import SegmentedStructure, SegmentedStructures

__all__ = [
    "NESTLE",
    "BackgroundAdaptive",
    "FixedValue",
    "GradientEdge",
    "LesionKind",
    "SegmentedStructure",
    "SegmentedStructures",
    "ShareOfLiverMaximum",
    "ShareOfLiverMean",
    "ShareOfMaximum",
    "SizeAdaptive",
    "cold_core",
    "find_hot_regions",
    "lesion_candidates",
    "necrotic_core",
    "perfused_from_cbct",
    "perfused_from_scout",
    "segment_body",
    "segment_ct",
    "segment_liver",
    "segment_lungs",
]
