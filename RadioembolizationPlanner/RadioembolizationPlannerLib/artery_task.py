"""Arterial trees and their sites in another process; nothing here knows Slicer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from radioembolization.images import Grid, resample_mask
from radioembolization.structures import Role, Structure, StructureSet
from radioembolization.territories import InjectionSite
from radioembolization.territories.arteries import ArterialTree
from radioembolization.territories.candidates.organ_arteries import drawn_organs
from radioembolization.territories.coverage import (
    SiteCoverage,
    UnreachedTumour,
    coverage,
    covered_by_any,
    unreached,
)
from radioembolization.territories.growth.grown_tree import grow_tree
from radioembolization.territories.vessels.linking import link_vessels
from radioembolization.territories.vessels.vessel import Vessel
from radioembolization.treatment import Notice, SourceSite, SourceStructure
from radioembolization.treatment.arterial_sites import ArterialRequest, ArterialSites, arterial_sites
from radioembolization.treatment.case import collected_notices
from radioembolization.treatment.planning_grid import planning_grid, the_liver
from RadioembolizationPlannerLib.worker import Progress

Position = tuple[float, float, float]
#: Organs that a grown tree feeds if they are drawn.
_GROWN_TO = ("gallbladder", "stomach")


@dataclass(frozen=True, eq=False)
class MaskRequest:
    """A mask of arteries (z, y, x) that is to become a tree; see ``tree_from_mask``."""

    mask: np.ndarray
    grid: Grid
    root_lps_mm: Position | None
    gap_mm: float
    source: str


@dataclass(frozen=True, eq=False)
class VesselsRequest:
    """Separate vessels that are to become a tree; see ``link_vessels``."""

    vessels: tuple[Vessel, ...]
    root_lps_mm: Position | None
    gap_mm: float
    source: str
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, eq=False)
class GrowRequest:
    """A liver in which a tree is to be grown, on the planning grid; see ``grow_tree``."""

    structures: tuple[SourceStructure, ...]
    spacing_mm: tuple[float, float, float]
    seed: int
    terminals: int
    inlet_lps_mm: Position | None


@dataclass(frozen=True, eq=False)
class FoundTree:
    """An arterial tree, and what there was to warn of."""

    tree: ArterialTree
    notices: tuple[Notice, ...]


@dataclass(frozen=True, eq=False)
class SitesRequest:
    """A tree and the structures whose sites are asked for."""

    request: ArterialRequest
    structures: tuple[SourceStructure, ...]
    spacing_mm: tuple[float, float, float]
    liver_density_g_per_cm3: float


@dataclass(frozen=True, eq=False)
class FoundSites:
    """Sites of a tree, what each reaches, and what of the tumours none of them reaches.

    Parameters
    ----------
    sites : tuple of SourceSite
    coverage : tuple of SiteCoverage
    unreached : tuple of UnreachedTumour
    organs : mapping of str to str
        Organ by artery that feeds none of the liver.
    notices : tuple of Notice
    """

    sites: tuple[SourceSite, ...]
    coverage: tuple[SiteCoverage, ...]
    unreached: tuple[UnreachedTumour, ...]
    organs: Mapping[str, str]
    notices: tuple[Notice, ...]


def tree_of_mask(request: MaskRequest, progress: Progress) -> FoundTree:
    """Return the tree of a mask; errors as of ``tree_from_mask``."""
    from radioembolization.territories.skeleton import tree_from_mask

    r = request
    return _found(
        lambda: tree_from_mask(r.mask, r.grid, root_lps_mm=r.root_lps_mm, gap_mm=r.gap_mm, source=r.source), progress
    )


def tree_of_vessels(request: VesselsRequest, progress: Progress) -> FoundTree:
    """Return the tree of separate vessels; errors as of ``link_vessels``."""
    r = request
    found = _found(lambda: link_vessels(r.vessels, root=r.root_lps_mm, gap_mm=r.gap_mm, source=r.source), progress)
    return FoundTree(found.tree, (*r.notices, *found.notices))


def grown_tree(request: GrowRequest, progress: Progress) -> FoundTree:
    """Return a synthetic tree, with arteries to gallbladder and stomach if drawn; errors as of ``grow_tree``."""
    r = request
    grid = planning_grid(r.structures, r.spacing_mm)
    liver = the_liver(r.structures).source
    organs = {s.name: s.source for s in r.structures if s.role is Role.ORGAN}
    fed = {organ: organs[name] for name, organ in drawn_organs(organs).items() if organ in _GROWN_TO}
    return _found(
        lambda: grow_tree(
            resample_mask(liver.mask, liver.grid, grid),
            grid,
            seed=r.seed,
            terminals=r.terminals,
            inlet_lps_mm=r.inlet_lps_mm,
            organs={organ: resample_mask(source.mask, source.grid, grid) for organ, source in fed.items()} or None,
        ),
        progress,
    )


def sites_of_tree(request: SitesRequest, progress: Progress) -> FoundSites:
    """Return the sites of a tree with what they reach; errors as of ``arterial_sites``."""
    progress("territories", 0, 2)
    found = arterial_sites(request.request, request.structures, request.spacing_mm)
    progress("coverage", 1, 2)
    with collected_notices():  # of structures: preparing the case tells them again
        placed = _placed(found, request)
    missed = unreached(placed.structures, covered_by_any(placed.sites, placed.structures))
    return FoundSites(found.sites, coverage(placed), missed, dict(found.organs), found.notices)


@dataclass(frozen=True, eq=False)
class _Placed:
    """Sites and structures on the planning grid: all that coverage needs of territories."""

    structures: StructureSet
    sites: tuple[InjectionSite, ...]


def _placed(found: ArterialSites, request: SitesRequest) -> _Placed:
    drawn = tuple(
        Structure(s.name, s.role, resample_mask(s.source.mask, s.source.grid, found.grid))
        for s in request.structures
        if s.role is not Role.LUNGS
    )
    sites = tuple(
        InjectionSite(
            name=site.name,
            perfused=site.perfused.mask,
            lung_shunt=site.lung_shunt,
            supply=None if site.supply is None else site.supply.array,
            upstream=site.upstream,
        )
        for site in found.sites
    )
    return _Placed(StructureSet(found.grid, drawn, request.liver_density_g_per_cm3), sites)


def _found(make: Callable[[], ArterialTree], progress: Progress) -> FoundTree:
    progress("arterial tree", 0, 1)
    with collected_notices() as notices:
        tree = make()
    return FoundTree(tree, tuple(notices))
