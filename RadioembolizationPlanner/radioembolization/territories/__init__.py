"""What an injection at a site reaches: the arterial tree, its territories, candidate sites, perfusion, lung shunt."""

from radioembolization.territories.arteries import ArterialTree, Artery, Stretch
from radioembolization.territories.branches.branch_territories import BranchTerritories, FlowWeighted, NearestBranch
from radioembolization.territories.candidates.candidate_list import candidate_sites
from radioembolization.territories.candidates.candidate_site import CandidateSite
from radioembolization.territories.candidates.tree_point import UserPoint
from radioembolization.territories.coverage import SiteCoverage, UnreachedTumour, coverage, unreached_tumours
from radioembolization.territories.growth.grown_tree import grow_tree
from radioembolization.territories.injection_site import InjectionSite, Pattern
from radioembolization.territories.nearest_part import nearest_part
from radioembolization.territories.outflow import Outflow
from radioembolization.territories.perfusion import Territories
from radioembolization.territories.shunt.lung_shunt import (
    LungShunt,
    ShuntMethod,
    chosen_shunt,
    entered_shunt,
    side_by_side,
)
from radioembolization.territories.shunt.planar_shunt import PlanarCounts, planar_shunt, planar_shunt_from_images
from radioembolization.territories.shunt.spect_shunt import SpectShuntSettings, spect_shunt
from radioembolization.territories.skeleton import tree_from_mask
from radioembolization.territories.spread import FlowDriven, RatioDriven, ScoutDriven, territories_from_sites
from radioembolization.territories.vessels.linking import link_vessels
from radioembolization.territories.vessels.tree_statistics import TreeStatistics, tree_statistics
from radioembolization.territories.vessels.vessel import Vessel

__all__ = [
    "ArterialTree",
    "Artery",
    "BranchTerritories",
    "CandidateSite",
    "FlowDriven",
    "FlowWeighted",
    "InjectionSite",
    "LungShunt",
    "NearestBranch",
    "Outflow",
    "Pattern",
    "PlanarCounts",
    "RatioDriven",
    "ScoutDriven",
    "ShuntMethod",
    "SiteCoverage",
    "SpectShuntSettings",
    "Stretch",
    "Territories",
    "TreeStatistics",
    "UnreachedTumour",
    "UserPoint",
    "Vessel",
    "candidate_sites",
    "chosen_shunt",
    "coverage",
    "entered_shunt",
    "grow_tree",
    "link_vessels",
    "nearest_part",
    "planar_shunt",
    "planar_shunt_from_images",
    "side_by_side",
    "spect_shunt",
    "territories_from_sites",
    "tree_from_mask",
    "tree_statistics",
    "unreached_tumours",
]
