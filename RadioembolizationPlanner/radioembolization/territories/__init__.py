"""What an injection at a site reaches."""

from radioembolization.territories.coverage import SiteCoverage, UnreachedTumour, coverage, unreached_tumours
from radioembolization.territories.injection_site import InjectionSite, Pattern
from radioembolization.territories.nearest_part import nearest_part
from radioembolization.territories.outflow import Outflow
from radioembolization.territories.perfusion import Territories
from radioembolization.territories.spread import FlowDriven, RatioDriven, ScoutDriven, territories_from_sites

__all__ = [
    "FlowDriven",
    "InjectionSite",
    "Outflow",
    "Pattern",
    "RatioDriven",
    "ScoutDriven",
    "SiteCoverage",
    "Territories",
    "UnreachedTumour",
    "coverage",
    "nearest_part",
    "territories_from_sites",
    "unreached_tumours",
]
