"""One model, several searches over sites: what one has learned serves the next."""

from __future__ import annotations

import numpy as np

from radioembolization.planning.certificate import Certificate, certificate_of
from radioembolization.planning.cutting_planes import CuttingPlanes, Optimum
from radioembolization.planning.effort import Watch
from radioembolization.planning.search import Choice, SiteSearch

#: So many cuts of earlier searches are tried at most, the latest ones.
_MOST_CUTS = 300


class RepeatedSearch:
    """Searches that differ in the number of sites, or in the bounds of limits whose planes move with them.

    Planes stay valid, moved with the bounds (``CuttingPlanes.changed``); the multipliers of earlier cuts make cuts at
    any bounds; and plans of earlier searches are where the next one starts, if they are within the limits.

    Parameters
    ----------
    planes : CuttingPlanes
    watch : Watch
    """

    def __init__(self, planes: CuttingPlanes, watch: Watch) -> None:
        self._planes, self._watch = planes, watch
        self._multipliers: list[np.ndarray] = []

    def run(self, most: int, root: Optimum, start: np.ndarray | None = None) -> Choice:
        """Return the best plan on at most some sites; ``start`` is a plan whose sites are tried first."""
        planes = self._planes
        search = SiteSearch(
            planes, min(most, len(planes.cap_gbq)), self._watch.effort.gap, self._watch, greedy=start is None
        )
        planes.require(None)
        for multipliers in self._multipliers[-_MOST_CUTS:]:
            search.cuts.add(multipliers, planes.master.argument(multipliers), search.threshold)
        known = len(search.cuts.multipliers)
        choice = search.run(root, start)
        self._multipliers += search.cuts.multipliers[known:]
        return choice


def proved_score(planes: CuttingPlanes, root: Optimum, choice: Choice | None) -> float | None:
    """Return the score that float64 confirms no plan to exceed, with all planes made anew; None if it does not."""
    certificate = _certificate(planes, root, choice)
    return None if certificate is None else certificate.bound


def _certificate(planes: CuttingPlanes, root: Optimum, choice: Choice | None) -> Certificate | None:
    proved = None if choice is None else choice.proof
    if choice is None or proved is None:
        return certificate_of(planes, [root.relaxation.multipliers], None, root.bound)
    branches, cuts = proved
    return certificate_of(planes, cuts, branches, choice.bound)
