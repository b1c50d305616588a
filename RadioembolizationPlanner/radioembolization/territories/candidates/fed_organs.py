"""A tree whose every end feeds either the liver or another organ, with the organ of each artery."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from radioembolization.images import Grid
from radioembolization.territories.arteries import ArterialTree, Artery
from radioembolization.territories.candidates.organ_arteries import (
    ends_inside,
    is_trunk,
    organs_by_territory,
    organs_of_arteries,
)

#: What the end of a trunk feeds beyond the arteries of the tree.
OTHER_ORGANS = "other organs"


@dataclass(frozen=True, eq=False)
class FedOrgans:
    """What the arteries of a tree feed beside the liver.

    Parameters
    ----------
    tree : ArterialTree
        Ends of other organs beyond a branch to the liver are arteries of their own.
    organs : mapping of str to str
        Organ by artery, of all that feed another organ.
    stated : mapping of str to str
        The same before names were asked, for ``candidate_sites``; "" for the liver.
    """

    tree: ArterialTree
    organs: Mapping[str, str]
    stated: Mapping[str, str]

    @property
    def without_liver(self) -> tuple[str, ...]:
        """Arteries that feed no liver, and nothing downstream of them does."""
        return tuple(name for name in self.organs if not _feeds_liver(self.tree, name, self.organs))


def fed_organs(
    tree: ArterialTree,
    grid: Grid,
    liver: np.ndarray,
    drawn: Mapping[str, np.ndarray],
    stated: Mapping[str, str] | None = None,
) -> FedOrgans:
    """Return which arteries feed other organs: as stated, by name, by where they end, or by what they leave.

    A left gastric that gives off a replaced left hepatic feeds the stomach only beyond it, and a celiac trunk drawn
    beyond the common hepatic feeds other organs there: such ends become arteries of their own.

    Parameters
    ----------
    tree : ArterialTree
    grid : Grid
    liver : ndarray (z, y, x) of bool
    drawn : mapping of str to ndarray (z, y, x) of bool
        Organs that arteries may end in.
    stated : mapping of str to str, optional
        Organ by artery; "" for the liver.

    Raises
    ------
    TerritoryError
        If an artery is stated that the tree does not have.
    """
    stated = stated or {}
    known = organs_by_territory(tree, grid, liver, drawn) | dict(stated)
    organs = organs_of_arteries(tree, known)
    trunks = {
        artery.name
        for artery in tree.arteries
        if is_trunk(artery.name) and artery.name not in known and not ends_inside(artery, grid, liver)
    }
    for name in trunks:
        if not _feeds_liver(tree, name, {**organs, name: OTHER_ORGANS}):
            known[name] = OTHER_ORGANS
    mixed = [name for name in (*organs, *sorted(trunks)) if _feeds_liver(tree, name, {**organs, name: OTHER_ORGANS})]
    divided, ends = with_ends_apart(tree, mixed)
    known |= {end: organs.get(name, OTHER_ORGANS) for name, end in ends.items()}
    return FedOrgans(divided, organs_of_arteries(divided, known), known)


def with_ends_apart(tree: ArterialTree, names: Collection[str]) -> tuple[ArterialTree, dict[str, str]]:
    """Return a tree in which what some arteries feed beyond their last branch is an artery of its own.

    Returns
    -------
    tree : ArterialTree
    ends : dict of str to str
        New artery by the one that it continues.
    """
    arteries: list[Artery] = []
    ends: dict[str, str] = {}
    last = {tree.stretches[i].artery: tree.stretches[i].first for i in tree.terminal_stretches}
    for artery in tree.arteries:
        cut = last.get(artery.name, 0)
        if artery.name not in names or cut == 0:
            arteries.append(artery)
            continue
        left = [child.name for child in tree.children(artery.name) if tree.leaves_at(child.name) == cut]
        end = f"{artery.name} beyond {' and '.join(left)}"
        points, radius = artery.points_lps_mm, artery.radius_mm
        arteries.append(Artery(artery.name, artery.parent, points[: cut + 1], radius[: cut + 1]))
        arteries.append(Artery(end, artery.name, points[cut:], radius[cut:]))
        ends[artery.name] = end
    return (replace(tree, arteries=tuple(arteries)) if ends else tree), ends


def _feeds_liver(tree: ArterialTree, name: str, organs: Mapping[str, str]) -> bool:
    return any(fed not in organs for fed in tree.downstream(name))
