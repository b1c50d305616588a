"""Where the microspheres of every site come to rest, and which part of a territory counts as perfused."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from radioembolization.errors import TerritoryError
from radioembolization.structures import StructureSet
from radioembolization.territories.injection_site import InjectionSite
from radioembolization.territories.outflow import Outflow

_SUM_TOLERANCE = 1e-6
#: Normal liver of a territory counts as perfused where it receives at least this share of the mean
#: concentration in that normal liver.  A scout made with a more selective injection leaves part of a
#: large territory without counts; counting it as perfused would dilute the mean dose of the rest.
PERFUSED_FROM = 0.10


@dataclass(frozen=True, eq=False)
class Territories:
    """Where the microspheres of each site come to rest.

    Parameters
    ----------
    structures : StructureSet
        Gives the grid.
    sites : tuple of InjectionSite
    fractions : csr_array (sites, voxels)
        Fraction of the injected activity in each voxel of liver, voxels in C order of (z, y, x).
    to_organs : Outflow, optional
        What lodges in drawn organs; without it nothing does.

    Raises
    ------
    TerritoryError
        If the fractions, lung shunt and extrahepatic share of a site do not add up to one, or more lodges in
        organs than flows out to them.
    """

    structures: StructureSet
    sites: tuple[InjectionSite, ...]
    fractions: sparse.csr_array
    to_organs: Outflow | None = None

    def __post_init__(self) -> None:
        sums = np.asarray(self.fractions.sum(axis=1)).ravel()
        for site, total in zip(self.sites, sums, strict=True):
            whole = total + site.lung_shunt + site.extrahepatic_share
            if abs(whole - 1.0) > _SUM_TOLERANCE:
                raise TerritoryError(f"Site '{site.name}': fractions and shunts add up to {whole:.8f}, not 1.")
        for site, lodged in zip(self.sites, self.lodged_share, strict=True):
            if lodged > sum(site.outflow.values()) + _SUM_TOLERANCE:
                raise TerritoryError(f"Site '{site.name}': {lodged:.8f} lodge in organs, more than flow out to them.")

    @cached_property
    def outflow(self) -> sparse.csr_array:
        """Fraction of the injected activity in each voxel of drawn organs (sites, voxels)."""
        return sparse.csr_array(self.fractions.shape) if self.to_organs is None else self.to_organs.rows

    @property
    def lodged_share(self) -> np.ndarray:
        """Fraction of the injected activity (sites,) in drawn organs; the rest of the extrahepatic share is nowhere."""
        return np.zeros(len(self.sites)) if self.to_organs is None else self.to_organs.shares.sum(axis=1)

    def fraction_map(self, site_index: int) -> np.ndarray:
        """Return the fractions of one site in the liver as an array (z, y, x)."""
        row = self.fractions[[site_index], :].toarray()
        return row.reshape(self.structures.grid.shape)

    def perfused(self, site_index: int) -> np.ndarray:
        """Return the perfused part (z, y, x) of one territory: without normal liver that receives next to nothing."""
        site, normal = self.sites[site_index], self.structures.normal_liver.mask
        inside = site.perfused & normal
        fractions = self.fraction_map(site_index)
        hardly = inside & (fractions < PERFUSED_FROM * fractions[inside].mean()) if inside.any() else inside
        return site.perfused & ~hardly

    def combined(self, activities_gbq: np.ndarray) -> np.ndarray:
        """Return the activity per voxel [GBq] (z, y, x) of all sites together, in liver and drawn organs."""
        activities = np.asarray(activities_gbq, dtype=float)
        total = self.fractions.T @ activities
        if self.to_organs is not None:
            total = total + self.outflow.T @ activities
        return np.asarray(total).reshape(self.structures.grid.shape)
