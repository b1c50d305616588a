"""A good choice of sites to start from: often the best one already."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

#: After as many sites that add nothing, no more are looked for.
_MOST_IDLE = 3


def greedy_sites(
    value: Callable[[list[int]], float],
    sites: int,
    most: int,
    check: Callable[[], None],
    ceiling: float = np.inf,
) -> list[int]:
    """Return a good choice of sites: the best next one each time, then exchanges of one as long as they help.

    Parameters
    ----------
    value : callable
        Of a choice of sites.
    sites, most : int
        How many there are, and how many may be chosen.
    check : callable
        Called before each step; an exception it raises ends the work.
    ceiling : float
        No choice is worth more; one that is worth as much is good enough.
    """
    chosen: list[int] = []
    best, useful = -np.inf, 0
    for _ in range(min(most, sites)):
        check()
        before = best
        best, site = max((value([*chosen, j]), -j) for j in range(sites) if j not in chosen)
        chosen.append(-site)
        if len(chosen) == 1 or _better(best, before):
            useful = len(chosen)
        if not _better(ceiling, best) or len(chosen) - useful >= _MOST_IDLE:
            return sorted(chosen[:useful])  # as no further site helps, an exchange does not either
    improved = True
    while improved:
        improved = False
        for old in list(chosen):
            check()
            rest = [site for site in chosen if site != old]
            others = [j for j in range(sites) if j not in chosen]
            if not others:
                break
            found, site = max((value([*rest, j]), -j) for j in others)
            if _better(found, best):
                best, chosen, improved = found, [*rest, -site], True
    return sorted(chosen)


def _better(value: float, than: float) -> bool:
    return value > than + 1e-7 * max(1.0, abs(than))
