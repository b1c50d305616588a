"""Structures found in the scans themselves, without deep learning."""

from radioembolization.structures.segmentation.segmented import SegmentedStructure, SegmentedStructures

__all__ = ["SegmentedStructure", "SegmentedStructures"]
