"""Microspheres that flow out to gallbladder, stomach or duodenum: where in these organs they lodge."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage, sparse

from radioembolization.errors import OutflowNowhere
from radioembolization.structures import Structure, StructureSet
from radioembolization.territories.injection_site import InjectionSite

#: Microspheres lodge in the wall, which is taken as the outer 3 mm of the drawn organ: the upper limit of a
#: normal gallbladder wall (Radiopaedia, "Gallbladder wall thickening"); an assumption for other organs.
WALL_MM = 3.0


@dataclass(frozen=True, eq=False)
class Outflow:
    """What lodges in drawn organs.

    Parameters
    ----------
    organs : tuple of str
        Names of the structures.
    walls : csr_array (organs, voxels)
        Distribution in each organ; each sums to 1.
    shares : ndarray (sites, organs)
        Fraction of the injected activity that lodges in each organ.
    """

    organs: tuple[str, ...]
    walls: sparse.csr_array
    shares: np.ndarray

    @cached_property
    def rows(self) -> sparse.csr_array:
        """Fraction of the injected activity in each voxel (sites, voxels)."""
        return sparse.csr_array(sparse.csr_array(self.shares) @ self.walls)


def outflow_to_organs(sites: Sequence[InjectionSite], structures: StructureSet) -> Outflow | None:
    """Spread the outflow of all sites over the walls of the drawn organs; None if nothing lodges in any.

    Names of organs are compared without regard to capitals.

    Warns
    -----
    OutflowNowhere
        If an organ is not drawn: its share is in no dose row.
    """
    drawn = {organ.name.casefold(): organ for organ in structures.organs}
    wanted = list(dict.fromkeys(name for site in sites for name, share in site.outflow.items() if share > 0))
    for name in wanted:
        if name.casefold() not in drawn:
            _warn_of_nowhere(name, sites)
    organs = [organ for key, organ in drawn.items() if key in {name.casefold() for name in wanted}]
    if not organs:
        return None
    walls = sparse.csr_array(sparse.vstack([_even(wall(organ, structures)) for organ in organs]))
    shares = np.array([[_share(site, organ) for organ in organs] for site in sites])
    return Outflow(tuple(organ.name for organ in organs), walls, shares)


def wall(organ: Structure, structures: StructureSet) -> np.ndarray:
    """Return the outer 3 mm (z, y, x) of bool of an organ, and at least its outermost layer of voxels.

    A voxel belongs if its centre is at most 3 mm below the surface, which lies half a voxel beyond the last one.
    """
    mask, spacing_mm = np.pad(organ.mask, 1), structures.grid.spacing_mm
    depth_mm = ndimage.distance_transform_edt(mask, sampling=spacing_mm) - min(spacing_mm) / 2.0
    outer = mask & ((depth_mm <= WALL_MM) | ~ndimage.binary_erosion(mask))
    return np.asarray(outer[1:-1, 1:-1, 1:-1])


def _share(site: InjectionSite, organ: Structure) -> float:
    return float(sum(share for name, share in site.outflow.items() if name.casefold() == organ.name.casefold()))


def _even(mask: np.ndarray) -> sparse.csr_array:
    voxels = np.flatnonzero(mask)
    values = np.full(len(voxels), 1.0 / len(voxels))
    return sparse.csr_array((values, voxels, np.array([0, len(voxels)])), shape=(1, mask.size))


def _warn_of_nowhere(organ: str, sites: Sequence[InjectionSite]) -> None:
    shares = {site.name: site.outflow[organ] for site in sites if site.outflow.get(organ, 0.0) > 0}
    worst = max(shares, key=lambda name: shares[name])
    where = f"site '{worst}'" if len(shares) == 1 else f"{len(shares)} sites ('{worst}' most)"
    warnings.warn(
        f"Up to {shares[worst]:.1%} of what is injected at {where} flow out to the "
        f"{organ}, which is no other organ of the case: its dose is neither shown nor limited; draw it, or embolize "
        "the artery.",
        OutflowNowhere,
        stacklevel=4,
    )
