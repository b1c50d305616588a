"""Candidate catheter positions along an arterial tree."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from radioembolization.errors import NarrowArtery, TerritoryError
from radioembolization.territories.arteries import ArterialTree
from radioembolization.territories.candidates.candidate_site import (
    CandidateSite,
    liver_ends,
    site_at_point,
    site_at_stretch,
)
from radioembolization.territories.candidates.merging import with_upstream, without_duplicates
from radioembolization.territories.candidates.organ_arteries import is_trunk, organs_of_arteries
from radioembolization.territories.candidates.tree_point import UserPoint

#: Radius of the smallest artery that a microcatheter enters [mm]: an assumption of ours.  French size is three times
#: the outer diameter in mm, so that microcatheters of 2.0 to 2.8 F have radii of 0.33 to 0.47 mm; 1.8 F (0.30 mm) has
#: a lumen of 0.43 mm (PMID 25737453).
SMALLEST_RADIUS_MM = 0.4
#: Two branchings of one artery closer than this count as one [mm]; a choice of the program.
MERGE_MM = 3.0
#: A user point farther from every artery is refused [mm].
OFF_TREE_MM = 15.0


def candidate_sites(
    tree: ArterialTree,
    *,
    smallest_radius_mm: float = SMALLEST_RADIUS_MM,
    merge_mm: float = MERGE_MM,
    points: Sequence[UserPoint] = (),
    organ_arteries: Mapping[str, str] | None = None,
    not_offered: Collection[str] | None = None,
    exponent: float = 3.0,
    off_tree_mm: float = OFF_TREE_MM,
    generated: bool = True,
) -> tuple[CandidateSite, ...]:
    """Return the catheter positions that an arterial tree offers, those upstream first.

    Every stretch between two branchings is one candidate, with the catheter just distal to the bifurcation: one
    radius of the artery it comes from and 2 mm beyond its origin, at most half the stretch.  Left out are stretches
    that are too thin or lie beyond one, that feed no liver, arteries of other organs, and trunks.  Of candidates that
    reach the same ends of the tree, or lie closer than ``merge_mm`` along one artery, the one upstream stands for all.

    Parameters
    ----------
    tree : ArterialTree
    smallest_radius_mm : float
        Thinner stretches hold no catheter; their tissue is reached from upstream.
    merge_mm : float
    points : sequence of UserPoint
        Go to the nearest point of the tree; a candidate of the same reach gives way.
    organ_arteries : mapping of str to str
        Organ by artery, before what names say; "" for an artery of the liver.
    not_offered : collection of str, optional
        Arteries without candidates; by default aorta, celiac trunk, common hepatic and superior mesenteric by name.
    exponent : float
        Of Murray's law, for the outflow to other organs.
    off_tree_mm : float
    generated : bool
        False offers the user's points only.

    Raises
    ------
    TerritoryError
        For a negative length, an unknown artery, a point off the tree or in an artery of another organ, two sites of
        one name, or if there is no candidate.
    """
    _check(smallest_radius_mm, merge_mm, off_tree_mm, tree, not_offered)
    organs = organs_of_arteries(tree, organ_arteries)
    placed = [site_at_point(tree, point, organs, smallest_radius_mm, off_tree_mm) for point in points]
    offered = _generated(tree, organs, smallest_radius_mm, not_offered) if generated else []
    kept = without_duplicates(tree, placed, offered, merge_mm)
    if not kept:
        raise TerritoryError(_why_none(tree, organs, smallest_radius_mm, not_offered))
    _check_names(kept)
    flow = tree.flow_share(exponent)
    return with_upstream(tree, [replace(site, outflow=_outflow(tree, site, organs, flow)) for site in kept])


def _generated(
    tree: ArterialTree, organs: Mapping[str, str], smallest_radius_mm: float, not_offered: Collection[str] | None
) -> list[CandidateSite]:
    radius = [tree.stretch_radius_mm(number) for number in range(len(tree.stretches))]
    narrow: dict[int, int] = {}  # stretch -> the too thin stretch nearest to the root on its way
    sites = []
    for number, stretch in enumerate(tree.stretches):
        if stretch.parent in narrow:
            narrow[number] = narrow[stretch.parent]
        elif radius[number] < smallest_radius_mm:
            narrow[number] = number
        elif _is_offered(tree, number, organs, not_offered):
            sites.append(site_at_stretch(tree, number, radius[number]))
    beyond = {tree.stretches[n].artery for n, at in narrow.items() if n != at and radius[n] >= smallest_radius_mm}
    if beyond:
        warnings.warn(
            f"{', '.join(sorted(beyond))} lie beyond stretches thinner than {smallest_radius_mm:g} mm and get no site, "
            "though wide enough: check the radii of "
            f"{', '.join(sorted({tree.stretches[at].artery for at in narrow.values()}))}.",
            NarrowArtery,
            stacklevel=3,
        )
    return sites


def _is_offered(
    tree: ArterialTree, number: int, organs: Mapping[str, str], not_offered: Collection[str] | None
) -> bool:
    name = tree.stretches[number].artery
    trunk = is_trunk(name) if not_offered is None else name in not_offered
    return not trunk and name not in organs and bool(liver_ends(tree, tree.downstream_stretches(number), organs))


def _outflow(tree: ArterialTree, site: CandidateSite, organs: Mapping[str, str], flow: np.ndarray) -> dict[str, float]:
    shares: dict[str, float] = {}
    for number in set(tree.terminal_stretches) & set(site.stretches):
        organ = organs.get(tree.stretches[number].artery)
        if organ:
            shares[organ] = shares.get(organ, 0.0) + float(flow[number] / flow[site.stretch])
    return dict(sorted(shares.items()))


def _why_none(
    tree: ArterialTree, organs: Mapping[str, str], smallest_radius_mm: float, not_offered: Collection[str] | None
) -> str:
    radii = {
        tree.stretches[number].artery: tree.stretch_radius_mm(number)
        for number in range(len(tree.stretches))
        if _is_offered(tree, number, organs, not_offered)
    }
    if not radii:
        return (
            f"The arterial tree offers no injection site: its arteries ({', '.join(tree.names)}) are trunks or feed "
            "other organs. State which feed the liver, or place a site."
        )
    widest = max(radii, key=lambda name: radii[name])
    return (
        f"The arterial tree offers no injection site of at least {smallest_radius_mm:g} mm radius: the widest artery "
        f"to the liver, '{widest}', has {radii[widest]:.2f} mm. Lower the smallest radius, or place a site."
    )


def _check(
    smallest_radius_mm: float,
    merge_mm: float,
    off_tree_mm: float,
    tree: ArterialTree,
    not_offered: Collection[str] | None,
) -> None:
    for label, value in (
        ("smallest radius", smallest_radius_mm),
        ("merging distance", merge_mm),
        ("distance of a site from the tree", off_tree_mm),
    ):
        if not (np.isfinite(value) and value >= 0):
            raise TerritoryError(f"The {label} must be zero or a positive length, not {value:g} mm.")
    for name in not_offered or ():
        tree.artery(name)


def _check_names(sites: Sequence[CandidateSite]) -> None:
    names = [site.name for site in sites]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise TerritoryError(f"Site names must be unique, but {repeated} stand for several places: rename the points.")
