"""Rules about which sites are used, apart from the doses they give."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from radioembolization.planning.supports import Support


@dataclass(frozen=True, eq=False)
class SiteRules:
    """What holds for the set of sites that are used.

    Parameters
    ----------
    most_sites : int or None
        Largest number of sites with activity.
    if_used : tuple of (int, Support)
        For a site by its position: a plane that must not be above zero if the site is used.
    """

    most_sites: int | None = None
    if_used: tuple[tuple[int, Support], ...] = field(default_factory=tuple)

    @property
    def any(self) -> bool:
        """Whether there is a choice to make at all."""
        return self.most_sites is not None or bool(self.if_used)

    @staticmethod
    def together(rules: Iterable[SiteRules | None]) -> SiteRules:
        """Return rules that hold if all of some rules hold."""
        given = [rule for rule in rules if rule is not None]
        numbers = [rule.most_sites for rule in given if rule.most_sites is not None]
        return SiteRules(min(numbers, default=None), tuple(pair for rule in given for pair in rule.if_used))

    def on(self, used: np.ndarray) -> list[Support]:
        """Return the planes that hold if certain sites (sites,) of bool are used."""
        return [plane for site, plane in self.if_used if used[site]]
