"""Candidate sites that differ in what they reach."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from radioembolization.errors import CandidatesLeftOut, TerritoryError
from radioembolization.territories.branches.branch_territories import BranchTerritories
from radioembolization.territories.candidates.candidate_site import CandidateSite

#: Nested territories that differ by less than this share, or less than this volume, are one; a choice of the program.
_SAME_SHARE, _SAME_ML = 0.01, 1.0


def distinct_candidates(
    candidates: Sequence[CandidateSite], territories: BranchTerritories, least_share: float = 0.0
) -> list[CandidateSite]:
    """Return the candidates that reach liver, nested ones of the same reach once.

    Of two that lie on one way and reach the same liver (but for 1 % or 1 mL) and the same organs, the user's stays
    before a generated one, else the one upstream; points of the user all stay.

    Parameters
    ----------
    candidates : sequence of CandidateSite
        From the root outwards.
    territories : BranchTerritories
    least_share : float
        A candidate reaches liver if more than this share of the blood of some voxel comes through it.

    Raises
    ------
    TerritoryError
        If none reaches the liver.
    """
    of_terminal = dict(zip(territories.terminals, territories.volume_ml, strict=True))
    volume_ml = {c.name: float(sum(of_terminal.get(stretch, 0.0) for stretch in c.stretches)) for c in candidates}
    empty = [c.name for c in candidates if not (volume_ml[c.name] and _reaches(c, territories, least_share))]
    if len(empty) == len(candidates):
        raise TerritoryError(
            f"None of the candidate sites ({', '.join(empty)}) reaches a voxel of the liver: check that tree and liver "
            "lie in the same frame of reference."
        )
    if empty:
        warnings.warn(
            f"No voxel of the liver is reached from {', '.join(empty)}, or next to none of its blood: left out of the "
            "candidate sites.",
            CandidatesLeftOut,
            stacklevel=3,
        )
    kept: list[CandidateSite] = []
    for site in (c for c in candidates if c.name not in empty):
        same = next((i for i in reversed(range(len(kept))) if _same_reach(kept[i], site, volume_ml)), None)
        if same is None or (kept[same].placed_by_user and site.placed_by_user):
            kept.append(site)
        elif site.placed_by_user:
            kept[same] = replace(site, merged=(*site.merged, kept[same].name, *kept[same].merged))
        else:
            kept[same] = replace(kept[same], merged=(*kept[same].merged, site.name, *site.merged))
    return kept


def _reaches(site: CandidateSite, territories: BranchTerritories, least_share: float) -> bool:
    """Return whether more than a share of the blood of some voxel comes through a site, by one terminal or by all."""
    rows = np.flatnonzero(np.isin(territories.terminals, site.stretches))
    if any(territories.shares[[row]].max() > least_share for row in rows):
        return True
    return bool(territories.reached(site.stretches).max() > least_share)


def _same_reach(upper: CandidateSite, lower: CandidateSite, volume_ml: Mapping[str, float]) -> bool:
    """Return whether one site lies downstream of another and reaches the same liver and the same organs."""
    if lower.stretch not in upper.stretches or dict(upper.outflow) != dict(lower.outflow):
        return False
    difference = volume_ml[upper.name] - volume_ml[lower.name]
    return difference < max(_SAME_ML, _SAME_SHARE * volume_ml[upper.name])
