"""What each site reaches of the liver and of every tumour, and what of a tumour no site reaches.

A voxel in a perfused volume is covered.  Where a site has a ``supply``, a voxel is covered by the share of the
liver's mean blood flow that the site brings it, at most all of it: in a watershed, two sites cover it in part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from radioembolization.structures import StructureSet
from radioembolization.territories.injection_site import InjectionSite
from radioembolization.territories.perfusion import Territories


@dataclass(frozen=True)
class SiteCoverage:
    """What one site reaches.

    Parameters
    ----------
    site : str
    territory_ml : float
        Liver that it reaches, tumours included [mL].
    liver_share : float
        The same as a share of the whole liver.
    normal_liver_ml : float
    tumour_ml, tumour_share : mapping of str to float
        Covered part of every tumour by its name, 0 where it is not reached.
    """

    site: str
    territory_ml: float
    liver_share: float
    normal_liver_ml: float
    tumour_ml: Mapping[str, float]
    tumour_share: Mapping[str, float]


@dataclass(frozen=True)
class UnreachedTumour:
    """What of a tumour no site reaches, parts outside the liver included.

    Parameters
    ----------
    tumour : str
    volume_ml, unreached_ml : float
    """

    tumour: str
    volume_ml: float
    unreached_ml: float

    @property
    def share(self) -> float:
        """Unreached share of the tumour."""
        return self.unreached_ml / self.volume_ml


def coverage(territories: Territories) -> tuple[SiteCoverage, ...]:
    """Return what each site reaches, in the order of the sites."""
    structures = territories.structures
    voxel_ml, liver_ml = structures.grid.voxel_ml, structures.volume_ml(structures.liver)

    def of_site(site: InjectionSite) -> SiteCoverage:
        covered = covered_share(site, structures)
        territory_ml = float(covered.sum(dtype=float)) * voxel_ml
        tumour_ml = {t.name: float(covered[t.mask].sum(dtype=float)) * voxel_ml for t in structures.tumours}
        return SiteCoverage(
            site=site.name,
            territory_ml=territory_ml,
            liver_share=territory_ml / liver_ml,
            normal_liver_ml=float(covered[structures.normal_liver.mask].sum(dtype=float)) * voxel_ml,
            tumour_ml=tumour_ml,
            tumour_share={t.name: tumour_ml[t.name] / structures.volume_ml(t) for t in structures.tumours},
        )

    return tuple(of_site(site) for site in territories.sites)


def unreached_tumours(territories: Territories) -> tuple[UnreachedTumour, ...]:
    """Return for every tumour of the case what no site reaches, also where this is nothing."""
    return unreached(territories.structures, covered_by_any(territories.sites, territories.structures))


def unreached(structures: StructureSet, covered: np.ndarray) -> tuple[UnreachedTumour, ...]:
    """Return for every tumour what is not covered; ``covered`` (z, y, x) is the share of each voxel that is."""
    voxel_ml = structures.grid.voxel_ml
    return tuple(
        UnreachedTumour(t.name, structures.volume_ml(t), float((1.0 - covered[t.mask]).sum(dtype=float)) * voxel_ml)
        for t in structures.tumours
    )


def covered_share(site: InjectionSite, structures: StructureSet) -> np.ndarray:
    """Return the share (z, y, x), float32, of each voxel of liver that a site covers."""
    reached = site.perfused if site.supply is None else np.minimum(site.supply, 1.0)
    return np.where(structures.liver.mask, reached, 0.0).astype(np.float32)


def covered_by_any(sites: Sequence[InjectionSite], structures: StructureSet) -> np.ndarray:
    """Return the share (z, y, x), float32, of each voxel of liver that the sites cover together.

    Shares of blood flow of sites that are not downstream of each other add up.
    """
    names = {site.name for site in sites}
    total, whole = np.zeros(structures.grid.shape, np.float32), np.zeros(structures.grid.shape, dtype=bool)
    for site in sites:
        if site.supply is None:
            whole |= site.perfused
        elif site.upstream not in names:
            total += site.supply
    return np.where(structures.liver.mask, np.where(whole, 1.0, np.minimum(total, 1.0)), 0.0).astype(np.float32)
