"""The branches of a finished search over sites, walked anew with the final threshold: a smaller tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from radioembolization.planning.lagrangian import NONE
from radioembolization.planning.site_cuts import NOTHING_KNOWN, OpenCuts, common_sites, packing

if TYPE_CHECKING:
    from radioembolization.planning.search import SiteSearch


@dataclass(frozen=True, eq=False)
class Node:
    """A node of the proof: branches, or a reason why no plan below it is better.

    Parameters
    ----------
    branches : tuple of (int, Node)
        Sites, each tried with those before it left out; they hold all sites of the cut ``cut`` that are not left out
        already.
    cut : int
        -1 for none: then plans without the sites tried are refuted by ``multipliers``.
    packing : tuple of int
        Cuts not hit that share no site and are more than the sites left.
    multipliers : ndarray (rows,), optional
        Of the linear program with the rules of the sites decided so far.
    """

    branches: tuple[tuple[int, Node], ...] = ()
    cut: int = NONE
    packing: tuple[int, ...] = ()
    multipliers: np.ndarray | None = None


def walk(search: SiteSearch) -> tuple[Node, tuple[np.ndarray, ...]]:
    """Return the branches of the proof and the multipliers (rows,) of the cuts they refer to."""
    search.cuts.renew(search.threshold)
    return _prove(search, [], 0, 0, NOTHING_KNOWN), tuple(search.cuts.multipliers)


def _prove(search: SiteSearch, sites: list[int], hit: int, out: int, above: OpenCuts) -> Node:
    """Return the proof for plans that use some sites and none of those left out (masks)."""
    above = search.cuts.not_hit(hit, out, above)
    not_hit = above.cuts
    packed = packing(not_hit, search.most - len(sites))
    if packed is not None:
        return Node(packing=tuple(packed))
    multipliers = None
    if not not_hit:
        bound, multipliers = search.node_bound(sites, out)
        if bound <= search.proved or len(sites) >= search.most:  # where it is not proved, the check will say so
            return Node(multipliers=multipliers)
        _, multipliers = search.node_bound(sites, out, alone=True)
    mask, cut = not_hit[0] if not_hit else (((1 << search.sites) - 1) & ~out & ~hit, NONE)
    last = common_sites(not_hit, mask) if len(sites) == search.most - 1 else mask
    branches = []
    for site in search.cuts.in_order(mask):
        if last >> site & 1:
            branches.append((site, _prove(search, [*sites, site], hit | 1 << site, out, above)))
        else:  # a cut that the last site is not in
            without = next(number for other, number in not_hit if not other >> site & 1)
            branches.append((site, Node(packing=(without,))))
        out |= 1 << site
    return Node(tuple(branches), cut, (), None if not_hit else multipliers)
