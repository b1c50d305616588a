"""The grid of vials under planes, against plain enumeration."""

from itertools import product

import numpy as np
import pytest

from radioembolization.planning.lagrangian import NONE, Rows
from radioembolization.planning.vial_grid import VialGrid


def random_rows(seed, sites=4, terms=2):
    """Planes of two goal terms and of limits, some with negative entries, over more sites than are used."""
    rng = np.random.default_rng(seed)
    goal = -rng.uniform(0.0, 3.0, (6, sites))
    limits = rng.uniform(-0.3, 2.0, (5, sites))
    right = np.concatenate([rng.uniform(0.0, 1.0, 6), rng.uniform(3.0, 8.0, 5)])
    term = np.concatenate([np.arange(6) % terms, np.full(5, NONE)])
    order = rng.permutation(11)
    return Rows(np.vstack([goal, limits])[order], right[order], term[order], rng.uniform(0.5, 2.0, terms))


def enumerated(rows, used, levels):
    """Return the score of every point within the limits, all enumerated at once."""
    points = np.array(list(product(*levels)))
    room = rows.right - points @ rows.matrix[:, used].T
    scores = sum(w * room[:, rows.term == t].min(axis=1) for t, w in enumerate(rows.weights))
    within = (room[:, rows.term == NONE] >= 0).all(axis=1)
    return {tuple(point): score for point, score in zip(points[within], scores[within], strict=True)}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("rank", [5, 40, None])
def test_every_point_above_the_threshold_is_found(seed, rank):
    rows, used = random_rows(seed), [0, 2, 3]
    rng = np.random.default_rng(seed + 100)
    # 20 x 15 x 18 = 5400 points: more than are enumerated without splitting.
    levels = [np.sort(rng.uniform(0.0, 3.0, count)) for count in (20, 15, 18)]
    everything = enumerated(rows, used, levels)
    threshold = -np.inf if rank is None else sorted(everything.values())[-rank]
    found = {}
    for points, scores in VialGrid(rows, used, levels).above(lambda: threshold):
        found |= dict(zip(map(tuple, points), scores, strict=True))
    expected = {point: score for point, score in everything.items() if score > threshold}
    assert expected.keys() <= found.keys()
    assert all(found[point] == pytest.approx(score, rel=1e-9, abs=1e-9) for point, score in expected.items())
    assert all(score > threshold - 1e-9 for score in found.values())


def test_boxes_below_a_threshold_that_rises_are_left_out():
    rows, used = random_rows(1), [0, 1, 2, 3]
    levels = [np.linspace(0.1, 3.0, 10)] * 4
    found, looked_at = [-np.inf], 0
    for _, scores in VialGrid(rows, used, levels).above(lambda: max(found)):
        looked_at += len(scores)
        found.append(scores.max(initial=-np.inf))
    assert max(found) == pytest.approx(max(enumerated(rows, used, levels).values()))
    assert looked_at < 10**4 / 2
