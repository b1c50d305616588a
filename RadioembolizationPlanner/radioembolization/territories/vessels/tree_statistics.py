"""What the radii and the branching of an arterial tree say: Strahler order, Murray's exponent, lengths."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.optimize import brentq

from radioembolization.errors import ArterialTreeError
from radioembolization.territories.arteries import ArterialTree


@dataclass(frozen=True)
class TreeStatistics:
    """Numbers that describe an arterial tree.

    Parameters
    ----------
    strahler_order : tuple of int
        Of every stretch (stretches,): 1 where it feeds no other; one more than its daughters where two of them
        have the highest order, else that of the highest (Strahler 1957, 10.1029/TR038i006p00913).
    branches : tuple of int
        Number of Strahler branches of the order 1, 2, ...; stretches of one order in a row are one branch.
    bifurcation_ratios : tuple of float
        Branches of each order over those of the next.
    murray_exponents : tuple of float
        At every branching that has one: the x with parent radius^x = sum of the daughters' radius^x.
    branchings_without_exponent : int
        Branchings where a daughter is at least as thick as the parent, so that no exponent fits.
    stretch_length_mm : tuple of float
        (stretches,) [mm].
    """

    strahler_order: tuple[int, ...]
    branches: tuple[int, ...]
    bifurcation_ratios: tuple[float, ...]
    murray_exponents: tuple[float, ...]
    branchings_without_exponent: int
    stretch_length_mm: tuple[float, ...]

    @property
    def length_mm(self) -> float:
        """Length of all arteries together [mm]."""
        return float(sum(self.stretch_length_mm))

    @property
    def exponent_quartiles(self) -> tuple[float, float, float] | None:
        """Lower quartile, median and upper quartile of Murray's exponent; None without any."""
        if not self.murray_exponents:
            return None
        low, median, high = np.quantile(self.murray_exponents, [0.25, 0.5, 0.75])
        return float(low), float(median), float(high)


def tree_statistics(tree: ArterialTree) -> TreeStatistics:
    """Return the statistics of a tree.

    Radii at a branching are the medians of the third of each stretch that lies next to it.
    """
    daughters: list[list[int]] = [[] for _ in tree.stretches]
    for number, stretch in enumerate(tree.stretches):
        if stretch.parent >= 0:
            daughters[stretch.parent].append(number)
    orders = _strahler(daughters)
    exponents = [_exponent_at(tree, number, found) for number, found in enumerate(daughters) if len(found) > 1]
    starts = [
        order
        for order, stretch in zip(orders, tree.stretches, strict=True)
        if stretch.parent < 0 or orders[stretch.parent] != order
    ]
    counted = Counter(starts)
    branches = tuple(counted[order] for order in range(1, max(orders) + 1))
    return TreeStatistics(
        strahler_order=tuple(orders),
        branches=branches,
        bifurcation_ratios=tuple(a / b for a, b in pairwise(branches)),
        murray_exponents=tuple(x for x in exponents if x is not None),
        branchings_without_exponent=exponents.count(None),
        stretch_length_mm=tuple(_length(tree.stretch_points_lps_mm(number)) for number in range(len(orders))),
    )


def murray_exponent(parent_mm: float, daughters_mm: Sequence[float]) -> float | None:
    """Return the x with parent^x = sum of daughters^x, or None if there is no positive one.

    The sum of (daughter / parent)^x falls from the number of daughters at x = 0 to nothing, so exactly one x fits
    two or more daughters that are all thinner than the parent.

    Raises
    ------
    ArterialTreeError
        If a radius is not positive, or there are fewer than two daughters.
    """
    radii = np.array([parent_mm, *daughters_mm], dtype=float)
    if len(radii) < 3 or not (np.isfinite(radii).all() and (radii > 0).all()):
        raise ArterialTreeError(
            f"Murray's exponent needs a positive parent radius and at least two positive daughters, not {parent_mm:g} "
            f"and {list(daughters_mm)} mm."
        )
    ratios = radii[1:] / parent_mm
    if ratios.max() >= 1.0:
        return None
    highest = np.log(len(ratios)) / -np.log(ratios.max())  # all daughters as thick as the thickest
    lowest = np.log(len(ratios)) / -np.log(ratios.min())
    if highest - lowest < 1e-12:
        return float(highest)
    return float(brentq(lambda x: float(np.sum(ratios**x)) - 1.0, lowest, highest, xtol=1e-12))


def _strahler(daughters: Sequence[Sequence[int]]) -> list[int]:
    orders = [1] * len(daughters)
    for number in reversed(range(len(daughters))):  # daughters come after their parents
        below = sorted((orders[i] for i in daughters[number]), reverse=True)
        if below:
            orders[number] = below[0] + (len(below) > 1 and below[1] == below[0])
    return orders


def _exponent_at(tree: ArterialTree, number: int, daughters: Sequence[int]) -> float | None:
    return murray_exponent(_radius(tree, number, last=True), [_radius(tree, i, last=False) for i in daughters])


def _radius(tree: ArterialTree, number: int, *, last: bool) -> float:
    """Return the median radius of the last or first third of a stretch [mm]."""
    stretch = tree.stretches[number]
    radius = tree.artery(stretch.artery).radius_mm[stretch.first : stretch.last + 1]
    count = max(2, len(radius) // 3)
    return float(np.median(radius[-count:] if last else radius[:count]))


def _length(points: np.ndarray) -> float:
    return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())
