"""What all scenarios of a case share: the dose of every compartment of every smallest territory, computed once.

Dose rows factorise: ``D = C G``.  G holds, for every basis source, the dose per GBq in that source; a source is the
part of one compartment (normal liver or one tumour) in the voxels that the same sites feed.  C says how one GBq
injected at a site divides among the sources.  Scenarios of tumour-to-normal ratio, lung shunt, flow and catheter
change C; those of registration and segmentation change which voxels of G are read.  None needs a convolution.
Drawn organs that microspheres flow out to are sources of their own, after those in the liver.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage, sparse

from radioembolization.dose.columns import Columns
from radioembolization.dose.compute import maps_of
from radioembolization.dose.dose_per_gbq import DoseSettings
from radioembolization.dose.leaves import split_into_leaves
from radioembolization.dose.scenario_regions import Region
from radioembolization.dose.spreads import ActsOn
from radioembolization.dose.uncertainty import Uncertainty
from radioembolization.images import Volume
from radioembolization.structures import Role, Structure, StructureSet
from radioembolization.territories import Territories


@dataclass(frozen=True, eq=False)
class ScenarioBasis:
    """Dose of all sources, and how sites feed them as planned.

    Parameters
    ----------
    settings : DoseSettings
    site_names : tuple of str
    maps : ndarray (sources + organs, columns), float32
        Dose [Gy] per GBq in each source in the liver, then in each organ.
    columns : ndarray (columns,) of int
        Flat voxels of the grid, rising, that any structure can reach.
    shape : tuple of int
        Grid (z, y, x).
    spacing_mm : tuple of float
    reach : tuple of int
        Largest displacement in voxels (z, y, x).
    weights : ndarray (sites, sources)
        Share of the retained activity of each site in each source; each site sums to 1.
    territory : ndarray (sources,) of int
        Smallest territory of each source: sources that the same sites feed.
    compartment : ndarray (sources,) of int
        0 for normal liver, k for the k-th tumour.
    regions : tuple of Region
        Tumours, normal liver (as the whole liver, from which tumours and organs are taken), whole liver, organs.
    group : ndarray (columns,) of int
        Which of the perfused parts each voxel belongs to; beyond the liver, that of the nearest liver voxel.
    members : ndarray (groups, sites) of bool
        Sites whose perfused territory holds the part.
    lung_shunt, extrahepatic_share : ndarray (sites,)
    lung_mass_kg : float or None
    voxel_kg : float
    organ_shares : ndarray (sites, organs), optional
        Share of the extrahepatic activity of each site that lodges in each drawn organ.
    upstream : tuple of int
        Site upstream of each site as stated, -1 where none is; empty where no site states one.
    """

    settings: DoseSettings
    site_names: tuple[str, ...]
    maps: np.ndarray
    columns: np.ndarray
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    reach: tuple[int, int, int]
    weights: np.ndarray
    territory: np.ndarray
    compartment: np.ndarray
    regions: tuple[Region, ...]
    group: np.ndarray
    members: np.ndarray
    lung_shunt: np.ndarray
    extrahepatic_share: np.ndarray
    lung_mass_kg: float | None
    voxel_kg: float
    organ_shares: np.ndarray | None = None
    upstream: tuple[int, ...] = ()

    def amounts(self, spread: np.ndarray, extrahepatic: np.ndarray) -> np.ndarray:
        """Return the activity in all sources (..., sites, sources + organs) of one GBq at each site.

        Parameters
        ----------
        spread : ndarray (..., sites, sources)
            Activity in each source in the liver.
        extrahepatic : ndarray (..., sites)
            Activity that leaves the liver to other organs than the lungs.
        """
        if self.organ_shares is None:
            return spread
        return np.concatenate([spread, extrahepatic[..., None] * self.organ_shares], axis=-1)

    @property
    def tumour_names(self) -> tuple[str, ...]:
        """Names of the tumours, in the order of ``compartment``."""
        return tuple(region.name for region in self.regions if region.role is Role.TUMOUR)

    def region(self, name: str) -> Region:
        """Return the region of a structure."""
        return next(region for region in self.regions if region.name == name)

    @cached_property
    def padded(self) -> np.ndarray:
        """Flat place of each column (columns,) on the grid padded by the reach."""
        index = np.unravel_index(self.columns, self.shape)
        sizes = [n + 2 * r for n, r in zip(self.shape, self.reach, strict=True)]
        return np.ravel_multi_index([i + r for i, r in zip(index, self.reach, strict=True)], sizes)

    @cached_property
    def next_larger(self) -> np.ndarray:
        """Site stated to be upstream of each site (sites,), else that with the smallest territory that holds its own.

        -1 for none.
        """
        feeds = np.zeros((len(self.weights), int(self.territory.max()) + 1), dtype=bool)
        for number in range(feeds.shape[1]):
            feeds[:, number] = self.weights[:, self.territory == number].any(axis=1)
        found = np.full(len(feeds), -1)
        for site, own in enumerate(feeds):
            if self.upstream and self.upstream[site] >= 0:
                found[site] = self.upstream[site]
                continue
            larger = [j for j, other in enumerate(feeds) if np.all(other >= own) and other.sum() > own.sum()]
            found[site] = min(larger, key=lambda j: int(feeds[j].sum()), default=-1)
        return found


def scenario_basis(
    territories: Territories,
    settings: DoseSettings,
    uncertainty: Uncertainty,
    progress: Callable[[int, int], None] | None = None,
    density: Volume | None = None,
) -> ScenarioBasis:
    """Compute the dose of all sources with the dose engine, on all voxels that scenarios can reach.

    Parameters
    ----------
    territories : Territories
    settings : DoseSettings
    uncertainty : Uncertainty
        Its largest displacement and margins decide how far beyond the structures dose is kept.
    progress : callable, optional
        Called with (parts done, parts); an exception it raises ends the computation.
    density : Volume, optional
        [g/cm3], for ``Method.DENSITY``.
    """
    structures, sites = territories.structures, territories.sites
    sources, weights, territory, compartment = _sources(territories)
    organs = territories.to_organs
    if organs is not None:
        sources = sparse.csr_array(sparse.vstack([sources, organs.walls]))
    reach = reach_voxels(uncertainty, structures.grid.spacing_mm)
    regions = _regions(structures, uncertainty, reach)
    reached = np.any([region.candidates(reach) for region in regions], axis=0)
    columns = np.flatnonzero(reached)
    group, members = _perfused_parts(territories, columns)
    maps = maps_of(sources, structures, settings, progress, density)
    dose = maps.at(Columns(columns, structures.grid.shape))
    dose *= np.float32(settings.energy_j_per_gbq / structures.voxel_kg)
    extrahepatic, names = np.array([site.extrahepatic_share for site in sites]), [site.name for site in sites]
    return ScenarioBasis(
        settings=settings,
        site_names=tuple(names),
        maps=dose,
        columns=columns,
        shape=structures.grid.shape,
        spacing_mm=structures.grid.spacing_mm,
        reach=reach,
        weights=weights,
        territory=territory,
        compartment=compartment,
        regions=regions,
        group=group,
        members=members,
        lung_shunt=np.array([site.lung_shunt for site in sites]),
        extrahepatic_share=extrahepatic,
        lung_mass_kg=structures.lungs.mass_kg if structures.lungs else None,
        voxel_kg=structures.voxel_kg,
        organ_shares=None if organs is None else organs.shares / np.where(extrahepatic > 0, extrahepatic, 1.0)[:, None],
        upstream=tuple(names.index(s.upstream) if s.upstream else -1 for s in sites),
    )


def reach_voxels(uncertainty: Uncertainty, spacing_mm: tuple[float, float, float]) -> tuple[int, int, int]:
    """Return the largest displacement in voxels (z, y, x)."""
    shift = uncertainty.on(ActsOn.SHIFT)
    if shift is None:
        return (0, 0, 0)
    furthest_mm = abs(shift.numbers["mean"]) + shift.cut_sd * shift.sd
    z, y, x = (int(np.rint(furthest_mm / s)) for s in spacing_mm)
    return (z, y, x)


def largest_factor(uncertainty: Uncertainty, what: ActsOn) -> float:
    """Return the largest factor on a volume that can be drawn; 1 where it is certain."""
    margin = uncertainty.on(what)
    return 1.0 if margin is None else float(margin.numbers["median"] * np.exp(margin.cut_sd * margin.sd))


def _regions(structures: StructureSet, uncertainty: Uncertainty, reach: tuple[int, int, int]) -> tuple[Region, ...]:
    spacing_mm = structures.grid.spacing_mm
    tumour, liver = (largest_factor(uncertainty, what) for what in (ActsOn.TUMOUR_VOLUME, ActsOn.LIVER_VOLUME))

    def region(structure: Structure, factor: float = 1.0) -> Region:
        return Region.of(structure.name, structure.role, structure.mask, spacing_mm, reach, factor)

    whole = region(structures.liver, liver)
    normal = Region(structures.normal_liver.name, Role.NORMAL_LIVER, whole.count, whole.rank, whole.most)
    tumours = [region(t, tumour) for t in structures.tumours]
    return (*tumours, normal, whole, *(region(organ) for organ in structures.organs))


def _sources(territories: Territories) -> tuple[sparse.csr_array, np.ndarray, np.ndarray, np.ndarray]:
    """Return the sources (sources, voxels), each of sum 1, their weights, territories and compartments."""
    structures, fractions = territories.structures, territories.fractions
    label = np.zeros(structures.grid.voxels, dtype=np.int32)
    for number, tumour in enumerate(structures.tumours, start=1):
        label[tumour.mask.ravel() & (label == 0)] = number
    rows, weights, compartments = [], [], []
    for number in range(len(structures.tumours) + 1):
        part = fractions.copy()
        part.data = np.where(label[part.indices] == number, part.data, 0.0)
        if not part.data.any():
            continue
        leaves = split_into_leaves(part, structures.grid.shape)
        for source in leaves.sources:
            box, values = source.clipped(structures.grid.shape)
            whole = np.zeros(structures.grid.shape, dtype=np.float32)
            whole[box] = values
            voxels = np.flatnonzero(whole)
            data = whole.ravel()[voxels]
            rows.append((data / data.sum(dtype=float), voxels))
        weights.append(leaves.weights.astype(float))
        compartments += [number] * len(leaves.sources)
    ends = np.cumsum([0] + [len(data) for data, _ in rows])
    sources = sparse.csr_array(
        (np.concatenate([data for data, _ in rows]), np.concatenate([voxels for _, voxels in rows]), ends),
        shape=(len(rows), structures.grid.voxels),
    )
    shares = np.hstack(weights)
    _, territory = np.unique(shares > 0, axis=1, return_inverse=True)
    return sources, shares / shares.sum(axis=1, keepdims=True), territory.ravel(), np.array(compartments)


def _perfused_parts(territories: Territories, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which perfused part each column belongs to, and the sites (parts, sites) of each."""
    structures, sites = territories.structures, range(len(territories.sites))
    perfused = np.stack([territories.perfused(site).ravel() for site in sites])
    drawn = np.any([s.mask for s in structures.all], axis=0)
    nearest = ndimage.distance_transform_edt(
        ~drawn, sampling=structures.grid.spacing_mm, return_distances=False, return_indices=True
    )
    home = np.ravel_multi_index([axis.ravel()[columns] for axis in nearest], structures.grid.shape)
    members, group = np.unique(perfused[:, home], axis=1, return_inverse=True)
    return group.ravel(), members.T.copy()
