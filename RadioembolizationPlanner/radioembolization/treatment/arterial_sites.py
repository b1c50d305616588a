"""From an arterial tree to injection sites with their territories on the planning grid."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from radioembolization.errors import TerritoryError
from radioembolization.images import Grid, resample_mask
from radioembolization.structures import Role
from radioembolization.territories import Pattern
from radioembolization.territories.arteries import ArterialTree
from radioembolization.territories.branches.branch_territories import BranchTerritories, FlowWeighted, NearestBranch
from radioembolization.territories.candidates.candidate_list import (
    MERGE_MM,
    OFF_TREE_MM,
    SMALLEST_RADIUS_MM,
    candidate_sites,
)
from radioembolization.territories.candidates.candidate_site import CandidateSite
from radioembolization.territories.candidates.distinct_candidates import distinct_candidates
from radioembolization.territories.candidates.fed_organs import FedOrgans, fed_organs
from radioembolization.territories.candidates.merging import with_upstream
from radioembolization.territories.candidates.organ_arteries import drawn_organs
from radioembolization.territories.candidates.tree_point import UserPoint
from radioembolization.treatment.case import (
    CaseInputs,
    Notice,
    SourceMask,
    SourceSite,
    SourceStructure,
    SourceSupply,
    collected_notices,
    joined,
)
from radioembolization.treatment.planning_grid import planning_grid, the_liver
from radioembolization.treatment.site_choice import SiteChoice, chosen

#: A voxel belongs to a territory with sharp borders if more than this share of its blood comes through the site ...
_PERFUSED_SHARP = 0.5
#: ... and to one with smooth watersheds if more than this does; there the supply weighs what it receives.
_PERFUSED_SMOOTH = 0.05


@dataclass(frozen=True, eq=False)
class ArterialRequest:
    """What sites to make of a tree.

    Parameters
    ----------
    tree : ArterialTree
    lung_shunt : float
        Of every site; ``with_sites`` takes one for a site.
    model : NearestBranch or FlowWeighted
    smallest_radius_mm, merge_mm, off_tree_mm : float
        See ``candidate_sites``.
    points : tuple of UserPoint
    organ_arteries : mapping of str to str
        Organ by artery, before what names and drawn organs say; "" for the liver.
    not_offered : collection of str, optional
    pattern : Pattern
    candidates : bool
        False offers the user's points only.
    names : collection of str, optional
        Of the candidates, these only.
    """

    tree: ArterialTree
    lung_shunt: float
    model: NearestBranch | FlowWeighted = field(default_factory=NearestBranch)
    smallest_radius_mm: float = SMALLEST_RADIUS_MM
    merge_mm: float = MERGE_MM
    off_tree_mm: float = OFF_TREE_MM
    points: tuple[UserPoint, ...] = ()
    organ_arteries: Mapping[str, str] = field(default_factory=dict)
    not_offered: Collection[str] | None = None
    pattern: Pattern = Pattern.SCOUT
    candidates: bool = True
    names: Collection[str] | None = None

    @property
    def exponent(self) -> float:
        """Of Murray's law: the model's, or 3."""
        return self.model.exponent if isinstance(self.model, FlowWeighted) else 3.0

    @property
    def smooth(self) -> bool:
        """Whether blood of several branches may mix in a voxel, so that sites need a supply."""
        return isinstance(self.model, FlowWeighted)

    @property
    def least_share(self) -> float:
        """A voxel with more than this share of its blood through a site belongs to its territory."""
        return _PERFUSED_SMOOTH if self.smooth else _PERFUSED_SHARP


@dataclass(frozen=True, eq=False)
class ArterialSites:
    """Sites made of a tree.

    Parameters
    ----------
    sites : tuple of SourceSite
        On the planning grid, from the root outwards.
    candidates : tuple of CandidateSite
        Of the sites, in their order.
    territories : BranchTerritories
    grid : Grid
        The planning grid.
    organs : mapping of str to str
        Organ by artery that feeds none of the liver.
    notices : tuple of Notice
        What there was to warn of.
    """

    sites: tuple[SourceSite, ...]
    candidates: tuple[CandidateSite, ...]
    territories: BranchTerritories
    grid: Grid
    organs: Mapping[str, str]
    notices: tuple[Notice, ...] = ()

    @property
    def tree(self) -> ArterialTree:
        """The arterial tree; what an artery feeds of other organs beyond the last branch to the liver is one apart."""
        return self.territories.tree


def arterial_sites(
    request: ArterialRequest, structures: Sequence[SourceStructure], spacing_mm: tuple[float, float, float]
) -> ArterialSites:
    """Return the injection sites that a tree offers, with what each perfuses.

    The territories lie on the grid that ``prepare`` plans on, so that they are not resampled again.  Candidates
    without a voxel of liver are left out; nested ones that reach the same liver and organs become one, the user's
    before a generated one, else the one upstream.

    Parameters
    ----------
    request : ArterialRequest
    structures : sequence of SourceStructure
        One liver; drawn organs tell which arteries end in them.
    spacing_mm : tuple of float
        Planning grid (z, y, x).

    Raises
    ------
    TerritoryError
        For what ``candidate_sites`` and the model refuse, for unknown names, or if no candidate reaches the liver.
    """
    with collected_notices() as notices:
        grid = planning_grid(structures, spacing_mm)
        drawn = _on_grid(structures, grid, Role.ORGAN)
        liver = next(iter(_on_grid([the_liver(structures)], grid, Role.LIVER).values()))
        fed = fed_organs(
            request.tree, grid, liver, {name: drawn[name] for name in drawn_organs(drawn)}, request.organ_arteries
        )
        found = _candidates(request, fed)
        territories = request.model.territories(fed.tree, liver, grid, without=fed.without_liver)
        offered = _subset(distinct_candidates(found, territories, request.least_share), request.names)
        kept = tuple(replace(c, outflow=_of_drawn(c.outflow, drawn)) for c in with_upstream(fed.tree, offered))
        sites = tuple(_site(candidate, territories, request) for candidate in kept)
    return ArterialSites(sites, kept, territories, grid, fed.organs, tuple(notices))


def with_sites(
    inputs: CaseInputs, arterial: ArterialSites, choices: Mapping[str, SiteChoice] | None = None
) -> CaseInputs:
    """Return a case with the sites of a tree, some with properties of their own.

    Parameters
    ----------
    inputs : CaseInputs
        Its structures and spacing are those that the sites were made with.
    arterial : ArterialSites
    choices : mapping of str to SiteChoice
        By name of the site.

    Raises
    ------
    TerritoryError
        If a choice names no site.
    """
    choices = choices or {}
    _check_known(choices, arterial.candidates)
    sites = tuple(chosen(site, choices[site.name]) if site.name in choices else site for site in arterial.sites)
    notices = joined(inputs.notices, arterial.notices)
    return replace(inputs, sites=sites, arteries=arterial.tree, notices=notices)


def _on_grid(structures: Sequence[SourceStructure], grid: Grid, role: Role) -> dict[str, np.ndarray]:
    return {s.name: resample_mask(s.source.mask, s.source.grid, grid) for s in structures if s.role is role}


def _candidates(request: ArterialRequest, fed: FedOrgans) -> tuple[CandidateSite, ...]:
    return candidate_sites(
        fed.tree,
        smallest_radius_mm=request.smallest_radius_mm,
        merge_mm=request.merge_mm,
        points=request.points,
        organ_arteries=fed.stated,
        not_offered=request.not_offered,
        exponent=request.exponent,
        off_tree_mm=request.off_tree_mm,
        generated=request.candidates,
    )


def _subset(candidates: Sequence[CandidateSite], names: Collection[str] | None) -> list[CandidateSite]:
    if names is None:
        return list(candidates)
    _check_known(names, candidates)
    return [candidate for candidate in candidates if candidate.name in names]


def _check_known(names: Collection[str], candidates: Sequence[CandidateSite]) -> None:
    if not names:
        return
    known = [candidate.name for candidate in candidates]
    merged = {name: c.name for c in candidates for name in c.merged}
    for name in names:
        if name in merged and name not in known:
            raise TerritoryError(f"Site '{name}' reaches what '{merged[name]}' reaches: use '{merged[name]}'.")
        if name not in known:
            raise TerritoryError(f"The arterial tree offers no site '{name}': use one of {', '.join(known)}.")


def _of_drawn(outflow: Mapping[str, float], drawn: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Return the outflow by the names that the organs have in the case."""
    names = drawn_organs(drawn)
    by_organ = {organ: name for name, organ in names.items()} | {name: name for name in drawn}
    found: dict[str, float] = {}
    for organ, share in outflow.items():
        name = by_organ.get(organ, organ)
        found[name] = found.get(name, 0.0) + share
    return found


def _site(candidate: CandidateSite, territories: BranchTerritories, request: ArterialRequest) -> SourceSite:
    reached = territories.reached(candidate.stretches)
    perfused = reached > request.least_share
    grid = territories.grid
    return SourceSite(
        name=candidate.name,
        perfused=SourceMask(perfused & territories.liver, grid),
        lung_shunt=request.lung_shunt,
        pattern=request.pattern,
        extrahepatic_share=sum(candidate.outflow.values()),
        position_lps_mm=candidate.position_lps_mm,
        supply=SourceSupply(territories.supply(candidate.stretches), grid) if request.smooth else None,
        outflow=candidate.outflow,
        upstream=candidate.upstream,
    )
