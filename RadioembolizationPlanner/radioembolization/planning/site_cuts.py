"""Cuts of the search over sites: sets of sites of which any better plan must use one, as bit masks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from radioembolization.planning.lagrangian import Argument


@dataclass(frozen=True, eq=False)
class OpenCuts:
    """Cuts that no chosen site is in: masks with their numbers, smallest first; and the number of cuts known then."""

    cuts: list[tuple[int, int]]
    known: int


NOTHING_KNOWN = OpenCuts([], 0)


def mask_of(sites: Iterable[int]) -> int:
    """Return the mask of some sites."""
    return sum(1 << site for site in sites)


def sites_of(mask: int) -> list[int]:
    """Return the sites of a mask."""
    return [site for site in range(mask.bit_length()) if mask >> site & 1]


def packing(cuts: list[tuple[int, int]], slots: int) -> list[int] | None:
    """Return the numbers of cuts that share no site and are more than the sites left; None if none are found."""
    used, chosen = 0, []
    for mask, number in cuts:
        if not mask & used:
            used |= mask
            chosen.append(number)
            if len(chosen) > slots:
                return chosen
            if not mask:
                return [number]
    return None


def common_sites(cuts: list[tuple[int, int]], mask: int) -> int:
    """Return the sites of a mask that are in all of some cuts."""
    for other, _ in cuts:
        mask &= other
        if not mask:
            break
    return mask


class SiteCuts:
    """All cuts found so far, with the sites they ask for at the present threshold.

    Parameters
    ----------
    cap_gbq : ndarray (sites,)
    """

    def __init__(self, cap_gbq: np.ndarray) -> None:
        self._cap_gbq = cap_gbq
        self.multipliers: list[np.ndarray] = []
        self.arguments: list[Argument] = []
        self._masks: list[int] = []

    def mask(self, argument: Argument, threshold: float) -> int:
        """Return the sites of which a plan above a threshold must use one; all if nothing follows."""
        needed = argument.needed(threshold, self._cap_gbq)
        return (1 << len(self._cap_gbq)) - 1 if needed is None else mask_of(int(j) for j in np.flatnonzero(needed))

    def add(self, multipliers: np.ndarray, argument: Argument, threshold: float) -> int:
        """Add a cut; return its mask."""
        self.multipliers.append(multipliers)
        self.arguments.append(argument)
        self._masks.append(self.mask(argument, threshold))
        return self._masks[-1]

    def renew(self, threshold: float) -> None:
        """Find the sites of every cut for another threshold."""
        self._masks = [self.mask(argument, threshold) for argument in self.arguments]

    def latest_is_hit(self, mask: int) -> bool:
        """Whether the cut added last holds a site of a mask."""
        return not self._masks or bool(self._masks[-1] & mask)

    def not_hit(self, hit: int, out: int, above: OpenCuts) -> OpenCuts:
        """Return the cuts that are not hit, without the sites left out.

        ``above`` are those of the node above; only they, and cuts found since, need to be looked at.
        """
        keep = ~out
        left = {mask & keep: number for mask, number in above.cuts if not mask & hit}
        for number in range(above.known, len(self._masks)):
            mask = self._masks[number]
            if not mask & hit:
                left[mask & keep] = number
        return OpenCuts(sorted(left.items(), key=_size), len(self._masks))

    def in_order(self, mask: int) -> list[int]:
        """Return the sites of a mask, those that gain most in the latest cuts first."""
        weight = np.max([a.gain - a.price for a in self.arguments[-_LATEST:]], axis=0, initial=0.0)
        return sorted(sites_of(mask), key=lambda site: (-weight[site], site)) if self.arguments else sites_of(mask)


#: The order of branches follows as many cuts.
_LATEST = 8


def _size(item: tuple[int, int]) -> int:
    return item[0].bit_count()
