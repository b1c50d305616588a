"""From sites and scout (or tumour-to-normal ratios) to the fraction of activity in each voxel."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import ndimage, sparse

from radioembolization.errors import (
    TerritoryError,
    TerritoryHardlyPerfused,
    TerritoryPartlyOutsideLiver,
    TumourNotPerfused,
)
from radioembolization.images import Volume
from radioembolization.structures import StructureSet, lies_within
from radioembolization.territories.injection_site import InjectionSite, Pattern

_SUM_TOLERANCE = 1e-6
#: Share of a perfused volume outside the liver to warn at.
_OUTSIDE_WARNED = 0.01
#: Normal liver of a territory counts as perfused where it receives at least this share of the mean
#: concentration in that normal liver.  A scout made with a more selective injection leaves part of a
#: large territory without counts; counting it as perfused would dilute the mean dose of the rest.
PERFUSED_FROM = 0.10
_HARDLY_PERFUSED_WARNED = 0.20


@dataclass(frozen=True, eq=False)
class Territories:
    """Where the microspheres of each site come to rest.

    Parameters
    ----------
    structures : StructureSet
        Gives the grid.
    sites : tuple of InjectionSite
    fractions : csr_array (sites, voxels)
        Fraction of the injected activity in each voxel, voxels in C order of (z, y, x).

    Raises
    ------
    TerritoryError
        If the fractions, lung shunt and extrahepatic share of a site do not add up to one.
    """

    structures: StructureSet
    sites: tuple[InjectionSite, ...]
    fractions: sparse.csr_array

    def __post_init__(self) -> None:
        sums = np.asarray(self.fractions.sum(axis=1)).ravel()
        for site, total in zip(self.sites, sums, strict=True):
            whole = total + site.lung_shunt + site.extrahepatic_share
            if abs(whole - 1.0) > _SUM_TOLERANCE:
                raise TerritoryError(f"Site '{site.name}': fractions and shunts add up to {whole:.8f}, not 1.")

    def fraction_map(self, site_index: int) -> np.ndarray:
        """Return the fractions of one site as an array (z, y, x)."""
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
        """Return the activity per voxel [GBq] (z, y, x) of all sites together."""
        total = self.fractions.T @ np.asarray(activities_gbq, dtype=float)
        return np.asarray(total).reshape(self.structures.grid.shape)


def territories_from_sites(
    sites: tuple[InjectionSite, ...],
    structures: StructureSet,
    scout: Volume | None = None,
    tumour_to_normal: Mapping[str, float] | None = None,
) -> Territories:
    """Spread the retained microspheres of every site inside its perfused part of the liver.

    ``Pattern.SCOUT``: proportional to the scout counts in the perfused liver (patient-relative
    calibration: the counts inside carry ``A (1 - shunt)``).  ``Pattern.TUMOUR_TO_NORMAL``: normal
    liver 1, each tumour its ratio, other organs 0.

    Parameters
    ----------
    sites : tuple of InjectionSite
    structures : StructureSet
    scout : Volume, optional
        Counts per voxel on the planning grid.
    tumour_to_normal : mapping of str to float, optional
        Concentration ratio by tumour name.

    Raises
    ------
    TerritoryError
        If there is no site, two share a name, a territory holds no liver or no counts, or a tumour
        lies outside every territory.
    """
    _check_sites(sites, structures)
    patterns: dict[Pattern, np.ndarray] = {}
    rows = []
    for site in sites:
        if site.pattern not in patterns:
            patterns[site.pattern] = _concentration(site.pattern, structures, scout, tumour_to_normal)
        inside = np.flatnonzero(site.perfused & structures.liver.mask)
        values = patterns[site.pattern].ravel()[inside].astype(float)
        total = values.sum()
        if not total > 0:
            raise TerritoryError(
                f"Site '{site.name}': no scout counts or no perfusable tissue in its {len(inside)} voxels of "
                "liver: check the perfused volume, or use distribution = 'tumour_to_normal'."
            )
        rows.append(_row(inside, values * (site.retained_share / total), structures.grid.voxels))
    territories = Territories(structures, sites, sparse.csr_array(sparse.vstack(rows)))
    for index, site in enumerate(sites):
        _warn_if_hardly_perfused(site, territories.perfused(index), structures)
    return territories


def nearest_part(
    volume: np.ndarray, spacing_mm: tuple[float, float, float], seeds: tuple[np.ndarray, ...], index: int
) -> np.ndarray:
    """Return the part of a volume that is nearer to one seed region than to the others.

    Straight distances on the given spacing (z, y, x) [mm]; a tie goes to the first seed.
    """
    distances = [ndimage.distance_transform_edt(~seed, sampling=spacing_mm) for seed in seeds]
    return volume & (np.argmin(np.stack(distances), axis=0) == index)


def _row(inside: np.ndarray, values: np.ndarray, voxels: int) -> sparse.csr_array:
    return sparse.csr_array((values, inside, np.array([0, len(inside)])), shape=(1, voxels))


def _concentration(
    pattern: Pattern,
    structures: StructureSet,
    scout: Volume | None,
    tumour_to_normal: Mapping[str, float] | None,
) -> np.ndarray:
    if pattern is Pattern.SCOUT:
        if scout is None:
            raise TerritoryError(
                "Sites are spread by the scout image, but the case has none: give images.scout, or "
                "distribution = 'tumour_to_normal' with ratios."
            )
        return scout.array
    relative = structures.normal_liver.mask.astype(np.float32)
    for tumour in structures.tumours:
        ratio = (tumour_to_normal or {}).get(tumour.name)
        if ratio is None or not (np.isfinite(ratio) and ratio > 0):
            raise TerritoryError(
                f"Tumour '{tumour.name}' needs a positive tumour-to-normal ratio, not {ratio}: give it "
                "under [tumour_to_normal]."
            )
        relative[tumour.mask] = ratio
    return relative


def _check_sites(sites: tuple[InjectionSite, ...], structures: StructureSet) -> None:
    if not sites:
        raise TerritoryError("The case has no candidate injection site: give at least one.")
    names = [site.name for site in sites]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise TerritoryError(f"Site names must be unique: rename {repeated}.")
    for site in sites:
        _check_perfused(site, structures)
    reached = np.any([site.perfused for site in sites], axis=0) & structures.liver.mask
    for tumour in structures.tumours:
        share = np.count_nonzero(tumour.mask & reached) / np.count_nonzero(tumour.mask & structures.liver.mask)
        if share == 0:
            raise TerritoryError(
                f"Tumour '{tumour.name}' lies outside every territory, so no injection reaches it: add a "
                "site that does, or leave the tumour out of the case."
            )
        if not lies_within(tumour.mask & structures.liver.mask, reached):
            warnings.warn(
                f"{1.0 - share:.0%} of tumour '{tumour.name}' lie outside every territory and are not treated.",
                TumourNotPerfused,
                stacklevel=3,
            )


def _warn_if_hardly_perfused(site: InjectionSite, perfused: np.ndarray, structures: StructureSet) -> None:
    normal = structures.normal_liver.mask
    territory, reached = np.count_nonzero(site.perfused & normal), np.count_nonzero(perfused & normal)
    if reached < (1.0 - _HARDLY_PERFUSED_WARNED) * territory:
        warnings.warn(
            f"The scout shows next to no counts in {1 - reached / territory:.0%} of the normal liver in the territory "
            f"of site '{site.name}' ({(territory - reached) * structures.grid.voxel_ml:.0f} mL): it was probably made "
            "with a more selective injection. That part does not count as perfused normal liver.",
            TerritoryHardlyPerfused,
            stacklevel=3,
        )


def _check_perfused(site: InjectionSite, structures: StructureSet) -> None:
    if site.perfused.shape != structures.grid.shape:
        raise TerritoryError(
            f"Site '{site.name}': perfused volume of shape {site.perfused.shape}, planning grid "
            f"{structures.grid.shape}."
        )
    volume = np.count_nonzero(site.perfused)
    inside = np.count_nonzero(site.perfused & structures.liver.mask)
    if not inside:
        raise TerritoryError(
            f"Site '{site.name}': its perfused volume has no voxel inside the liver ({volume} voxels in all): "
            "check the segment and its frame of reference."
        )
    if inside < (1.0 - _OUTSIDE_WARNED) * volume:
        outside_ml = (volume - inside) * structures.grid.voxel_ml
        warnings.warn(
            f"{outside_ml:.1f} mL ({1 - inside / volume:.0%}) of the perfused volume of site '{site.name}' lie "
            "outside the liver and receive no microspheres in the model.",
            TerritoryPartlyOutsideLiver,
            stacklevel=4,
        )
