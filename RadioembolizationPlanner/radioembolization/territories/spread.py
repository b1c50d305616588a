"""Perfusion models: how the microspheres of a site are spread inside its territory, all with the same output.

Each model knows the relative concentration in every voxel; the ``supply`` of a site, its relative blood flow,
multiplies it, but for counts of an injection at the site itself; the sum is what stays in the liver.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from radioembolization.errors import TerritoryError
from radioembolization.images import Volume
from radioembolization.structures import StructureSet
from radioembolization.territories.injection_site import InjectionSite, Pattern
from radioembolization.territories.outflow import outflow_to_organs
from radioembolization.territories.perfusion import Territories
from radioembolization.territories.site_checks import check_sites, warn_if_hardly_perfused


@dataclass(frozen=True, eq=False)
class PerfusionModel(ABC):
    """A way to spread microspheres inside given territories, which may overlap and nest."""

    structures: StructureSet

    @abstractmethod
    def concentration(self, site: InjectionSite) -> np.ndarray:
        """Return the relative concentration (z, y, x) that an even flow of blood would leave."""

    def territories(self, sites: Sequence[InjectionSite]) -> Territories:
        """Return where the microspheres of sites come to rest, all spread by this model."""
        return _spread(tuple(sites), self.structures, dict.fromkeys(Pattern, self))


@dataclass(frozen=True, eq=False)
class ScoutDriven(PerfusionModel):
    """In proportion to scout counts: of the injection at the site itself where there was one, else of the case's scout.

    Patient-relative calibration: the counts inside the territory carry ``A (1 - shunt)``.
    """

    scout: Volume | None = None

    def concentration(self, site: InjectionSite) -> np.ndarray:
        """Return the counts per voxel (z, y, x)."""
        if site.scout is not None:
            return site.scout
        if self.scout is None:
            raise TerritoryError(
                "Sites are spread by the scout image, but the case has none: give images.scout, or "
                "distribution = 'tumour_to_normal' with ratios."
            )
        return self.scout.array


@dataclass(frozen=True, eq=False)
class RatioDriven(PerfusionModel):
    """Normal liver 1, each tumour its tumour-to-normal ratio, other organs 0."""

    ratios: Mapping[str, float]

    def concentration(self, site: InjectionSite) -> np.ndarray:
        """Return the relative concentration (z, y, x)."""
        return self._relative

    @cached_property
    def _relative(self) -> np.ndarray:
        relative = self.structures.normal_liver.mask.astype(np.float32)
        for tumour in self.structures.tumours:
            ratio = self.ratios.get(tumour.name)
            if ratio is None or not (np.isfinite(ratio) and ratio > 0):
                raise TerritoryError(
                    f"Tumour '{tumour.name}' needs a positive tumour-to-normal ratio, not {ratio}: give it "
                    "under [tumour_to_normal]."
                )
            relative[tumour.mask] = ratio
        return relative


@dataclass(frozen=True, eq=False)
class FlowDriven(PerfusionModel):
    """As blood flows and nothing else: even in tumours and normal liver, other organs 0."""

    def concentration(self, site: InjectionSite) -> np.ndarray:
        """Return 1 in tumours and normal liver (z, y, x)."""
        return self._even

    @cached_property
    def _even(self) -> np.ndarray:
        tissues = (*self.structures.tumours, self.structures.normal_liver)
        return np.any([tissue.mask for tissue in tissues], axis=0).astype(np.float32)


def territories_from_sites(
    sites: tuple[InjectionSite, ...],
    structures: StructureSet,
    scout: Volume | None = None,
    tumour_to_normal: Mapping[str, float] | None = None,
) -> Territories:
    """Spread the retained microspheres of every site inside its territory, each by the model of its pattern.

    A territory is the perfused part of the liver; where the site has a ``supply`` and no scout of its own is followed,
    all liver with some.

    Parameters
    ----------
    sites : tuple of InjectionSite
    structures : StructureSet
    scout : Volume, optional
        Counts per voxel on the planning grid, for sites spread by them that have none of their own.
    tumour_to_normal : mapping of str to float, optional
        Concentration ratio by tumour name.

    Raises
    ------
    TerritoryError
        If there is no site, two share a name, a territory holds no liver or no counts, a tumour lies outside
        every territory, or the sites upstream of others are not there or go round in a circle.
    """
    models: dict[Pattern, PerfusionModel] = {
        Pattern.SCOUT: ScoutDriven(structures, scout),
        Pattern.TUMOUR_TO_NORMAL: RatioDriven(structures, tumour_to_normal or {}),
        Pattern.FLOW: FlowDriven(structures),
    }
    return _spread(sites, structures, models)


def _spread(
    sites: tuple[InjectionSite, ...], structures: StructureSet, models: Mapping[Pattern, PerfusionModel]
) -> Territories:
    check_sites(sites, structures)
    rows = [_row(site, models[site.pattern].concentration(site), structures) for site in sites]
    fractions = sparse.csr_array(sparse.vstack(rows))
    territories = Territories(structures, sites, fractions, outflow_to_organs(sites, structures))
    for index, site in enumerate(sites):
        warn_if_hardly_perfused(site, territories.perfused(index), structures)
    return territories


def _row(site: InjectionSite, concentration: np.ndarray, structures: StructureSet) -> sparse.csr_array:
    """Return the fractions (1, voxels) of one site; they add up to what it retains in the liver."""
    measured = site.pattern is Pattern.SCOUT and site.scout is not None  # as the blood brings it, borders included
    reached = site.perfused if site.supply is None else site.supply > 0
    inside = np.flatnonzero((reached & site.perfused if measured else reached) & structures.liver.mask)
    values = concentration.ravel()[inside].astype(float)
    if site.supply is not None and not measured:
        values *= site.supply.ravel()[inside]
    total = values.sum()
    if not total > 0:
        scout = "its own scout" if measured else "the scout"
        raise TerritoryError(
            f"Site '{site.name}': no scout counts or no perfusable tissue in its {len(inside)} voxels of liver: check "
            f"the perfused volume and whether {scout} is aligned, or use distribution = 'tumour_to_normal'."
        )
    values *= site.retained_share / total
    return sparse.csr_array((values, inside, np.array([0, len(inside)])), shape=(1, structures.grid.voxels))
