"""A good choice of sites to start from: often the best one already."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def greedy_sites(value: Callable[[list[int]], float], sites: int, most: int, check: Callable[[], None]) -> list[int]:
    """Return a good choice of sites: the best next one each time, then exchanges of one as long as they help."""
    chosen: list[int] = []
    best = -np.inf
    for _ in range(min(most, sites)):
        check()
        best, site = max((value([*chosen, j]), -j) for j in range(sites) if j not in chosen)
        chosen.append(-site)
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
            if found > best + 1e-7 * max(1.0, abs(best)):
                best, chosen, improved = found, [*rest, -site], True
    return sorted(chosen)
