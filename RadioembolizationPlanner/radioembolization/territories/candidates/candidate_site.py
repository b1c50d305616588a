"""A candidate catheter position, made from a stretch of an arterial tree or from a point of the user."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from radioembolization.errors import NarrowArtery, TerritoryError
from radioembolization.territories.arteries import ArterialTree
from radioembolization.territories.candidates.tree_point import UserPoint, nearest_point

#: The catheter lies this far beyond the wall of the artery that it comes from [mm].
_BEYOND_MM = 2.0


@dataclass(frozen=True, eq=False)
class CandidateSite:
    """A catheter position in an arterial tree.

    Parameters
    ----------
    name : str
        The artery; beyond its first branch, ``"right hepatic beyond cystic"``; or what the user says.
    artery : str
    index : int
        Point of the artery at the position or next beyond it.
    position_lps_mm : tuple of float
        On the centreline (x, y, z) [mm].
    radius_mm : float
        Of the artery there.
    stretches : tuple of int
        Stretches of the tree that an injection reaches, its own first.
    along_mm : float
        Distance from the first point of the artery along its centreline [mm].
    upstream : str
        The next candidate on the way to the root, "" if none.
    outflow : mapping of str to float
        Share of what is injected here that flows to other organs, by organ.
    placed_by_user : bool
    merged : tuple of str
        Names of the candidates that this one stands for as well.
    """

    name: str
    artery: str
    index: int
    position_lps_mm: tuple[float, float, float]
    radius_mm: float
    stretches: tuple[int, ...]
    along_mm: float = 0.0
    upstream: str = ""
    outflow: Mapping[str, float] = field(default_factory=dict)
    placed_by_user: bool = False
    merged: tuple[str, ...] = ()

    @property
    def stretch(self) -> int:
        """The stretch that the catheter lies in."""
        return self.stretches[0]


def site_at_stretch(tree: ArterialTree, number: int, radius_mm: float) -> CandidateSite:
    """Return the site of a stretch: one radius of the artery it comes from and 2 mm beyond its origin.

    In a short stretch the catheter lies in the middle.
    """
    stretch = tree.stretches[number]
    artery = tree.artery(stretch.artery)
    start, end = artery.along_mm[[stretch.first, stretch.last]]
    wall = 0.0 if stretch.parent < 0 else tree.stretch_radius_mm(stretch.parent)
    along = float(start + min(wall + _BEYOND_MM, 0.5 * (end - start)))
    index = int(np.clip(np.searchsorted(artery.along_mm, along), stretch.first + 1, stretch.last))
    name = artery.name
    if stretch.first > 0:
        left = [child.name for child in tree.children(name) if tree.leaves_at(child.name) == stretch.first]
        name = f"{name} beyond {' and '.join(left)}"
    return CandidateSite(
        name=name,
        artery=artery.name,
        index=index,
        position_lps_mm=artery.point_along(along / artery.length_mm),
        radius_mm=radius_mm,
        stretches=tree.downstream_stretches(number),
        along_mm=along,
    )


def site_at_point(
    tree: ArterialTree,
    point: UserPoint,
    organs: Mapping[str, str],
    smallest_radius_mm: float,
    off_tree_mm: float,
) -> CandidateSite:
    """Return the site at the point of the tree nearest to a user's point.

    Raises
    ------
    TerritoryError
        If no artery is near, or the nearest one feeds no liver.
    """
    found = nearest_point(tree, point.position_lps_mm)
    if found.distance_mm > off_tree_mm:
        raise TerritoryError(
            f"Site '{point.name}' lies off the tree: {found.distance_mm:.1f} mm from the nearest artery, "
            f"'{found.artery}', with {off_tree_mm:g} mm allowed. Move the point onto an artery."
        )
    stretches = tree.downstream_stretches(tree.stretch_at(found.artery, found.index))
    if not liver_ends(tree, stretches, organs):
        raise TerritoryError(
            f"Site '{point.name}' lies in '{found.artery}', which feeds no liver "
            f"({organs.get(found.artery, 'other organs')}): move the point, or state in the arteries of other organs "
            "that it feeds the liver."
        )
    if found.radius_mm < smallest_radius_mm:
        warnings.warn(
            f"Site '{point.name}' lies where '{found.artery}' has a radius of {found.radius_mm:.2f} mm, less than the "
            f"{smallest_radius_mm:g} mm that a microcatheter needs.",
            NarrowArtery,
            stacklevel=3,
        )
    return CandidateSite(
        name=point.name,
        artery=found.artery,
        index=found.index,
        position_lps_mm=found.position_lps_mm,
        radius_mm=found.radius_mm,
        stretches=stretches,
        along_mm=found.along_mm,
        placed_by_user=True,
    )


def liver_ends(tree: ArterialTree, stretches: Sequence[int], organs: Mapping[str, str]) -> set[int]:
    """Return the terminal stretches among some that feed no other organ."""
    ends = set(tree.terminal_stretches) & set(stretches)
    return {number for number in ends if tree.stretches[number].artery not in organs}
