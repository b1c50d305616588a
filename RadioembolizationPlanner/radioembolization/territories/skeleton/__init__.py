"""Vessel masks become centrelines: thinning, loops, gaps, branches, and the rooted tree."""

from radioembolization.territories.skeleton.mask_tree import tree_from_mask
from radioembolization.territories.skeleton.one_vessel import centreline_of_mask

__all__ = ["centreline_of_mask", "tree_from_mask"]
