"""Strahler orders and bifurcation ratios counted by hand, Murray exponents known in advance."""

import numpy as np
import pytest

from radioembolization.errors import ArterialTreeError
from radioembolization.territories.arteries import ArterialTree, Artery
from radioembolization.territories.vessels.tree_statistics import murray_exponent, tree_statistics


def binary_tree(levels, exponent, share=0.6, radius_mm=4.0):
    """Return a tree in which every artery ends in two, the share of its flow known, radii by the exponent."""
    arteries = []

    def grow(name, parent, start, radius, level):
        tip = start + np.array([(-1.0) ** (name.endswith("b")) * 2.0 ** (levels - level), 0.0, 10.0])
        arteries.append(Artery(name, parent, np.linspace(start, tip, 7), np.full(7, radius)))
        if level < levels:
            grow(name + "a", name, tip, radius * share ** (1 / exponent), level + 1)
            grow(name + "b", name, tip, radius * (1 - share) ** (1 / exponent), level + 1)

    grow("r", None, np.zeros(3), radius_mm, 0)
    return ArterialTree(tuple(arteries))


@pytest.mark.parametrize("exponent", [2.0, 2.7, 3.0])
def test_the_exponent_of_a_built_tree_is_found_exactly(exponent):
    found = tree_statistics(binary_tree(4, exponent))
    assert len(found.murray_exponents) == 15 and found.branchings_without_exponent == 0
    np.testing.assert_allclose(found.exponent_quartiles, exponent, atol=1e-9)


def test_a_full_binary_tree_has_the_ratio_two():
    found = tree_statistics(binary_tree(4, 3.0))
    assert found.branches == (16, 8, 4, 2, 1)
    assert found.bifurcation_ratios == (2.0, 2.0, 2.0, 2.0)
    assert found.strahler_order[0] == 5 and found.strahler_order.count(1) == 16


def test_side_branches_do_not_raise_the_order():
    """A main artery with three side branches: its last piece and they have order 1, two of them make order 2."""
    main = Artery("main", None, np.array([[0.0, 0, z] for z in range(0, 50, 10)]), np.full(5, 3.0))
    sides = [Artery(f"side {z}", "main", np.array([[0.0, 0, z], [20, 0, z]]), np.full(2, 1.0)) for z in (10, 20, 30)]
    found = tree_statistics(ArterialTree((main, *sides)))
    assert sorted(found.strahler_order) == [1, 1, 1, 1, 2, 2, 2]
    assert found.branches == (4, 1)  # the three pieces of order 2 in a row are one branch
    assert found.bifurcation_ratios == (4.0,)
    assert found.length_mm == pytest.approx(40 + 3 * 20)
    # the main artery goes on as thick as before: no exponent fits
    assert (found.murray_exponents, found.branchings_without_exponent) == ((), 3)
    assert found.exponent_quartiles is None


@pytest.mark.parametrize(
    "parent, daughters, exponent",
    [
        (2.0, (1.0, 1.0), 1.0),  # 2 = 1 + 1
        (5.0, (3.0, 4.0), 2.0),  # 25 = 9 + 16
        (6.0, (3.0, 4.0, 5.0), 3.0),  # 216 = 27 + 64 + 125
        (2.0, (2.0, 0.1), None),
        (2.0, (2.5, 1.0), None),
    ],
)
def test_exponents_known_from_numbers(parent, daughters, exponent):
    found = murray_exponent(parent, daughters)
    assert found == (None if exponent is None else pytest.approx(exponent, abs=1e-9))


@pytest.mark.parametrize("parent, daughters", [(0.0, (1, 1)), (2.0, (1,)), (2.0, (1, -1)), (2.0, (1, float("nan")))])
def test_radii_that_are_none_are_refused(parent, daughters):
    with pytest.raises(ArterialTreeError, match="positive"):
        murray_exponent(parent, daughters)


def test_a_single_artery_has_order_one():
    found = tree_statistics(ArterialTree((Artery("a", None, np.array([[0.0, 0, 0], [0, 0, 9]]), np.ones(2)),)))
    assert (found.strahler_order, found.branches, found.bifurcation_ratios, found.length_mm) == ((1,), (1,), (), 9.0)
