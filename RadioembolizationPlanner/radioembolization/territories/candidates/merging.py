"""Near-duplicates among candidate sites, and which lies upstream of which."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from radioembolization.errors import CandidatesLeftOut
from radioembolization.territories.arteries import ArterialTree
from radioembolization.territories.candidates.candidate_site import CandidateSite


def without_duplicates(
    tree: ArterialTree, placed: Sequence[CandidateSite], offered: Sequence[CandidateSite], merge_mm: float
) -> list[CandidateSite]:
    """Return the sites without near-duplicates, from the root outwards; the user's give way to none of the others."""
    kept: list[CandidateSite] = []
    for site in [*sorted(placed, key=_place), *offered]:
        found = next((i for i, k in enumerate(kept) if _is_duplicate(tree, k, site, merge_mm)), None)
        if found is None:
            kept.append(site)
            continue
        kept[found] = replace(kept[found], merged=(*kept[found].merged, site.name))
        if site.placed_by_user:
            warnings.warn(
                f"Sites '{kept[found].name}' and '{site.name}' reach the same arteries: only the first is offered.",
                CandidatesLeftOut,
                stacklevel=3,
            )
    return sorted(kept, key=_place)


def with_upstream(tree: ArterialTree, sites: Sequence[CandidateSite]) -> tuple[CandidateSite, ...]:
    """Return the sites from the root outwards, each with the name of the next one on the way to the root."""
    ordered = sorted(sites, key=_place)
    last_in = {site.stretch: site.name for site in ordered}  # the most distal of a stretch stays
    found = []
    for before, site in zip([None, *ordered], ordered, strict=False):
        if before is not None and before.stretch == site.stretch:
            found.append(replace(site, upstream=before.name))
            continue
        above = tree.stretches[site.stretch].parent
        while above >= 0 and above not in last_in:
            above = tree.stretches[above].parent
        found.append(replace(site, upstream=last_in.get(above, "")))
    return tuple(found)


def _is_duplicate(tree: ArterialTree, kept: CandidateSite, site: CandidateSite, merge_mm: float) -> bool:
    ends = set(tree.terminal_stretches)
    if ends & set(kept.stretches) == ends & set(site.stretches):
        return True
    if site.placed_by_user or kept.artery != site.artery:
        return False
    stretch = tree.stretches[site.stretch]
    length_mm = float(np.diff(tree.artery(site.artery).along_mm[[stretch.first, stretch.last]])[0])
    too_short = stretch.first > 0 and length_mm < merge_mm and site.stretch in kept.stretches
    return too_short or abs(kept.along_mm - site.along_mm) < merge_mm


def _place(site: CandidateSite) -> tuple[int, float]:
    return site.stretch, site.along_mm
