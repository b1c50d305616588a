"""The arterial tree: named arteries, each leaving its parent somewhere along it, and the flow in them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from radioembolization.errors import TerritoryError
from radioembolization.territories.artery import Artery, with_branch_points

__all__ = ["ArterialTree", "Artery", "Stretch"]


@dataclass(frozen=True)
class Stretch:
    """A piece of an artery between two branchings: whatever is injected in it reaches the same arteries.

    Parameters
    ----------
    artery : str
    first, last : int
        Points of the artery at its two ends.
    parent : int
        The stretch it comes from; -1 for the first stretch of the root.
    """

    artery: str
    first: int
    last: int
    parent: int


@dataclass(frozen=True, eq=False)
class ArterialTree:
    """A rooted tree of arteries.

    Parameters
    ----------
    arteries : tuple of Artery
        The root first, every parent before its children.  Where an artery leaves its parent farther than one radius
        from all points of it, the parent gets one there.
    source : str
        Where the tree comes from, in words.
    synthetic : bool
        Whether a program made it up; every output then says so.

    Raises
    ------
    TerritoryError
        If there is no artery, names repeat, there are several roots or none, a parent is missing, arteries feed each
        other in a circle, or an artery ends at its parent and does not begin there.

    """

    arteries: tuple[Artery, ...]
    source: str = ""
    synthetic: bool = False

    def __post_init__(self) -> None:
        names = [artery.name for artery in self.arteries]
        if not names:
            raise TerritoryError("The arterial tree has no artery: give at least one centreline.")
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise TerritoryError(f"Arteries must have names of their own: rename {repeated}.")
        roots = [artery.name for artery in self.arteries if artery.parent is None]
        if len(roots) > 1:
            raise TerritoryError(
                f"The arterial tree has {len(roots)} roots ({', '.join(roots)}): state which is the root."
            )
        for artery in self.arteries:
            if artery.parent is not None and artery.parent not in names:
                raise TerritoryError(
                    f"Artery '{artery.name}' leaves '{artery.parent}', which the tree does not have: use one of "
                    f"{', '.join(names)}, or None for the root."
                )
        ordered = _in_order(self.arteries)
        leaving = [[other for other in ordered if other.parent == artery.name] for artery in ordered]
        complete = tuple(with_branch_points(*pair) for pair in zip(ordered, leaving, strict=True))
        object.__setattr__(self, "arteries", complete)

    @property
    def root(self) -> Artery:
        """The artery that feeds all others."""
        return self.arteries[0]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all arteries, the root first."""
        return tuple(artery.name for artery in self.arteries)

    @cached_property
    def _by_name(self) -> dict[str, Artery]:
        return {artery.name: artery for artery in self.arteries}

    def artery(self, name: str) -> Artery:
        """Return the artery of a name; ``TerritoryError`` lists the names there are."""
        if name not in self._by_name:
            raise TerritoryError(f"The arterial tree has no artery '{name}': use one of {', '.join(self.names)}.")
        return self._by_name[name]

    def children(self, name: str) -> tuple[Artery, ...]:
        """Return the arteries that leave one."""
        return tuple(artery for artery in self.arteries if artery.parent == name)

    def downstream(self, name: str) -> tuple[str, ...]:
        """Return the names of an artery and of all that it feeds."""
        found = {self.artery(name).name}
        for artery in self.arteries:
            if artery.parent in found:
                found.add(artery.name)
        return tuple(artery.name for artery in self.arteries if artery.name in found)

    def leaves_at(self, name: str) -> int:
        """Return the point of the parent at which an artery leaves it.

        An artery that leaves within one radius of the parent's end leaves at the end, so that the parent
        branches there and has no stump beyond; none leaves before the second point.
        """
        artery = self.artery(name)
        if artery.parent is None:
            raise TerritoryError(f"Artery '{name}' is the root of the tree and leaves no other.")
        parent = self.artery(artery.parent)
        index, _ = parent.nearest_index(artery.points_lps_mm[0])
        if parent.length_mm - parent.along_mm[index] <= parent.radius_mm[index]:
            index = len(parent.radius_mm) - 1
        return max(index, 1)

    @cached_property
    def stretches(self) -> tuple[Stretch, ...]:
        """The pieces between branchings, parents before children; of one artery from its origin to its end."""
        found: list[Stretch] = []
        ending: dict[tuple[str, int], int] = {}  # where a stretch ends -> its number
        for artery in self.arteries:
            cuts = {self.leaves_at(child.name) for child in self.children(artery.name)}
            parent = -1 if artery.parent is None else ending[artery.parent, self.leaves_at(artery.name)]
            first = 0
            for last in sorted(cuts | {len(artery.radius_mm) - 1}):
                found.append(Stretch(artery.name, first, last, parent))
                parent = ending[artery.name, last] = len(found) - 1
                first = last
        return tuple(found)

    def stretch_at(self, name: str, index: int) -> int:
        """Return the stretch that a point of an artery lies in; a branching belongs to the stretch before it."""
        size = len(self.artery(name).radius_mm)
        if not 0 <= index < size:
            raise TerritoryError(f"Artery '{name}' has {size} points; there is no point {index}.")
        return next(i for i, s in enumerate(self.stretches) if s.artery == name and index <= s.last)

    def downstream_stretches(self, stretch: int) -> tuple[int, ...]:
        """Return a stretch and all those that it feeds."""
        found = {stretch}
        for number, other in enumerate(self.stretches):
            if other.parent in found:
                found.add(number)
        return tuple(sorted(found))

    @cached_property
    def terminal_stretches(self) -> tuple[int, ...]:
        """The stretches that feed no other: these supply the tissue."""
        parents = {stretch.parent for stretch in self.stretches}
        return tuple(number for number in range(len(self.stretches)) if number not in parents)

    def stretch_points_lps_mm(self, stretch: int) -> np.ndarray:
        """Return the centreline of a stretch (points, 3) [mm]."""
        part = self.stretches[stretch]
        return self.artery(part.artery).points_lps_mm[part.first : part.last + 1]

    def stretch_radius_mm(self, stretch: int) -> float:
        """Return the radius of a stretch near its origin [mm].

        The median of its first third, but no less than that of the whole: no artery is narrower at its origin than
        further on, unless the end of the centreline is drawn too thin.
        """
        part = self.stretches[stretch]
        radius = self.artery(part.artery).radius_mm[part.first : part.last + 1]
        return float(max(np.median(radius[: max(2, len(radius) // 3)]), np.median(radius)))

    def flow_share(self, exponent: float = 3.0) -> np.ndarray:
        """Return the share of the root's flow in every stretch (stretches,).

        At a branching flow divides as the powers of the daughters' radii just beyond it, by Murray's law with
        the exponent 3 (Murray 1926, 10.1073/pnas.12.3.207); it adds up at every branching.

        Raises
        ------
        TerritoryError
            If the exponent is not a positive number.
        """
        if not (np.isfinite(exponent) and exponent > 0):
            raise TerritoryError(f"Murray's exponent must be a positive number, not {exponent:g}: use 3.")
        share = np.ones(len(self.stretches))
        strength = np.array([self.stretch_radius_mm(number) ** exponent for number in range(len(share))])
        for number in range(len(self.stretches)):
            daughters = [i for i, stretch in enumerate(self.stretches) if stretch.parent == number]
            if daughters:
                share[daughters] = share[number] * strength[daughters] / strength[daughters].sum()
        return share


def _in_order(arteries: tuple[Artery, ...]) -> tuple[Artery, ...]:
    """Return the arteries with every parent before its children, otherwise in their order."""
    waiting, ordered = list(arteries), []
    known: set[str | None] = {None}
    while waiting:
        ready = [artery for artery in waiting if artery.parent in known]
        if not ready:
            circle = ", ".join(artery.name for artery in waiting)
            raise TerritoryError(
                f"The arterial tree has no root that feeds {circle}: they feed each other in a circle."
            )
        ordered += ready
        known |= {artery.name for artery in ready}
        waiting = [artery for artery in waiting if artery.name not in known]
    return tuple(ordered)
