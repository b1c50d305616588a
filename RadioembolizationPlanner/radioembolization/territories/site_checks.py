"""Checks of candidate sites against the anatomy and against each other."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import numpy as np

from radioembolization.errors import (
    TerritoryError,
    TerritoryHardlyPerfused,
    TerritoryNotNested,
    TerritoryPartlyOutsideLiver,
    TumourNotPerfused,
)
from radioembolization.structures import StructureSet, lies_within
from radioembolization.territories.coverage import covered_by_any, unreached
from radioembolization.territories.injection_site import InjectionSite, Pattern

#: Share of a perfused volume outside the liver to warn at.
_OUTSIDE_WARNED = 0.01
_HARDLY_PERFUSED_WARNED = 0.20
#: Share of a territory outside that of the site upstream to warn at.
_NOT_NESTED_WARNED = 0.05
#: Unreached share of a tumour that is warned of wherever it lies.
_UNREACHED_WARNED = 0.10


def check_sites(sites: Sequence[InjectionSite], structures: StructureSet) -> None:
    """Check the sites of a case.

    Raises
    ------
    TerritoryError
        If there is no site, two share a name, a territory holds no liver, a tumour lies outside every
        territory, or an upstream site is missing or comes round in a circle.
    """
    if not sites:
        raise TerritoryError("The case has no candidate injection site: give at least one.")
    names = [site.name for site in sites]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise TerritoryError(f"Site names must be unique: rename {repeated}.")
    by_name = {site.name: site for site in sites}
    for site in sites:
        _check_perfused(site, structures)
        _check_upstream(site, by_name)
    for site in sites:
        if site.upstream:
            _warn_if_not_nested(site, by_name[site.upstream], structures)
    _check_tumours(sites, structures)


def warn_if_hardly_perfused(site: InjectionSite, perfused: np.ndarray, structures: StructureSet) -> None:
    """Warn where much of the normal liver of a territory receives next to nothing (``TerritoryHardlyPerfused``)."""
    normal = structures.normal_liver.mask
    territory, reached = np.count_nonzero(site.perfused & normal), np.count_nonzero(perfused & normal)
    if reached < (1.0 - _HARDLY_PERFUSED_WARNED) * territory:
        where = (
            f"{1 - reached / territory:.0%} of the normal liver in the territory of site '{site.name}' "
            f"({(territory - reached) * structures.grid.voxel_ml:.0f} mL)"
        )
        message = (
            f"The scout shows next to no counts in {where}: it was probably made with a more selective injection."
            if site.pattern is Pattern.SCOUT
            else f"Next to no blood reaches {where} through it."
        )
        warnings.warn(
            f"{message} That part does not count as perfused normal liver.", TerritoryHardlyPerfused, stacklevel=4
        )


def _check_tumours(sites: Sequence[InjectionSite], structures: StructureSet) -> None:
    covered = covered_by_any(sites, structures)
    for tumour, missed in zip(structures.tumours, unreached(structures, covered), strict=True):
        inside = tumour.mask & structures.liver.mask
        if not covered[inside].any():
            raise TerritoryError(
                f"Tumour '{tumour.name}' lies outside every territory, so no injection reaches it: add a "
                "site that does, or leave the tumour out of the case."
            )
        reached = float(covered[inside].mean(dtype=float))
        if not lies_within(inside, covered >= 0.5) or reached < 1.0 - _UNREACHED_WARNED:
            warnings.warn(
                f"{missed.unreached_ml:.1f} mL ({missed.share:.0%}) of tumour '{tumour.name}' lie outside every "
                "territory and are not treated.",
                TumourNotPerfused,
                stacklevel=5,
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
            stacklevel=5,
        )


def _check_upstream(site: InjectionSite, by_name: Mapping[str, InjectionSite]) -> None:
    """Follow the sites upstream to the last one (``TerritoryError`` if one is missing or comes again)."""
    seen, here = [site.name], site
    while here.upstream:
        if here.upstream not in by_name:
            raise TerritoryError(
                f"Site '{here.name}' names '{here.upstream}' as the site upstream, which the case does not have: use "
                f"one of {', '.join(by_name)}, or leave it out."
            )
        if here.upstream in seen:
            raise TerritoryError(
                f"Sites {', '.join(seen)} are upstream of each other in a circle: correct one of them."
            )
        seen.append(here.upstream)
        here = by_name[here.upstream]


def _warn_if_not_nested(site: InjectionSite, upstream: InjectionSite, structures: StructureSet) -> None:
    own = site.perfused & structures.liver.mask
    beyond = np.count_nonzero(own & ~upstream.perfused)
    if beyond > _NOT_NESTED_WARNED * np.count_nonzero(own):
        warnings.warn(
            f"{beyond * structures.grid.voxel_ml:.1f} mL ({beyond / np.count_nonzero(own):.0%}) of the territory of "
            f"site '{site.name}' lie outside that of '{upstream.name}' upstream of it: an injection there should "
            "reach them too; check both territories.",
            TerritoryNotNested,
            stacklevel=5,
        )
