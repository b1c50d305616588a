"""What an injection at a site reaches."""

from radioembolization.territories.injection_site import InjectionSite, Pattern
from radioembolization.territories.perfusion import Territories, nearest_part, territories_from_sites

__all__ = ["InjectionSite", "Pattern", "Territories", "nearest_part", "territories_from_sites"]
