"""Planar lung shunts, by hand."""

import numpy as np
import pytest

from radioembolization.errors import LungShuntError, PlanarViewsDisagree
from radioembolization.territories.shunt.planar_shunt import (
    PlanarCounts,
    planar_shunt,
    planar_shunt_from_images,
    rectangle,
)


def test_by_hand_from_four_numbers():
    # GM of the lungs sqrt(100 x 400) = 200, of the liver sqrt(9000 x 4000) = 6000; L = 200 / 6200.
    found = planar_shunt(PlanarCounts("lungs", 100, 400), PlanarCounts("liver", 9000, 4000))
    assert found.fraction == pytest.approx(200 / 6200, rel=1e-12)
    assert found.details["lungs_geometric_mean"] == pytest.approx(200.0)


def test_by_hand_with_background():
    # Lungs 50 pixels of background 1 and 2: (100 - 50) (400 - 100) = 15000; liver 100 pixels of 10 and 20:
    # (9000 - 1000) (4000 - 2000) = 16e6, GM 4000.  L = sqrt(15000) / (sqrt(15000) + 4000).
    found = planar_shunt(PlanarCounts("lungs", 100, 400, 50, 1, 2), PlanarCounts("liver", 9000, 4000, 100, 10, 20))
    assert found.fraction == pytest.approx(np.sqrt(15000) / (np.sqrt(15000) + 4000), rel=1e-12)


def test_counting_error_is_that_of_poisson_counts():
    rng = np.random.default_rng(4)
    drawn = rng.poisson([400, 900, 9000, 4000], size=(20000, 4)).astype(float)
    means = np.sqrt(drawn[:, 0] * drawn[:, 1]), np.sqrt(drawn[:, 2] * drawn[:, 3])
    spread = float(np.std(means[0] / (means[0] + means[1])))
    stated = planar_shunt(PlanarCounts("lungs", 400, 900), PlanarCounts("liver", 9000, 4000)).details["counting_error"]
    assert stated == pytest.approx(spread, rel=0.03)  # 20000 draws: 0.5 %; linear error propagation: 1 %


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((0, 400), "anterior counts of the lungs are 0"),
        ((100, -1), "posterior counts of the lungs are -1"),
        ((100, float("nan")), "are nan"),
        ((100, 400, 0, 1, 1), "needs the area"),
        ((100, 400, -5, 1, 1), "negative"),
        ((100, 400, 50, 3, 1), "nothing is left"),
    ],
)
def test_counts_that_cannot_be_used(numbers, message):
    with pytest.raises(LungShuntError, match=message):
        PlanarCounts("lungs", *numbers)


SHAPE = (20, 16)
LUNGS, LIVER = rectangle(SHAPE, (2, 1, 13, 6), "lungs"), rectangle(SHAPE, (2, 10, 8, 16), "liver")


def views():
    """Return two images, the posterior as recorded from behind, with 2 and 8 in the lungs, 50 and 18 in the liver."""
    anterior = np.where(LUNGS, 2.0, 0.0) + np.where(LIVER, 50.0, 0.0)
    posterior = np.where(LUNGS, 8.0, 0.0) + np.where(LIVER, 18.0, 0.0)
    return anterior, posterior[:, ::-1]


def test_by_hand_from_images():
    # 72 pixels of lung: GM 72 sqrt(2 x 8) = 288; 49 of liver: 49 sqrt(50 x 18) = 1470.
    anterior, posterior = views()
    found = planar_shunt_from_images(anterior, posterior, {"lungs": LUNGS, "liver": LIVER})
    assert found.fraction == pytest.approx(288 / (288 + 1470), rel=1e-12)
    turned = planar_shunt_from_images(anterior, posterior[:, ::-1], {"lungs": LUNGS, "liver": LIVER}, False)
    assert turned.fraction == pytest.approx(found.fraction, rel=1e-12)


def test_background_of_images_is_subtracted():
    anterior, posterior = views()
    regions = {"lungs": LUNGS, "liver": LIVER, "background": rectangle(SHAPE, (12, 10, 14, 16), "background")}
    found = planar_shunt_from_images(anterior + 1.0, posterior + 3.0, regions)
    assert found.fraction == pytest.approx(288 / (288 + 1470), rel=1e-12)


def test_views_the_wrong_way_round_are_noticed():
    anterior, posterior = views()
    with pytest.warns(PlanarViewsDisagree, match="posterior_is_mirrored"):
        planar_shunt_from_images(anterior, np.maximum(posterior, 0.1), {"lungs": LUNGS, "liver": LIVER}, False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a, p, r: (np.where(LUNGS, -1.0, a), p, r), "no negative counts"),
        (lambda a, p, r: (a, np.zeros(SHAPE), r), "some above zero"),
        (lambda a, p, r: (a, p[:-1], r), "one size"),
        (lambda a, p, r: (a, p, {"lungs": LUNGS}), "region of the liver is missing"),
        (lambda a, p, r: (a, p, r | {"lungs": np.zeros(SHAPE, bool)}), "with 0 pixels"),
        (lambda a, p, r: (a, p, r | {"lungs": LUNGS | LIVER}), "share 49 pixels"),
    ],
    ids=["negative", "zero", "shape", "missing", "empty", "overlap"],
)
def test_images_that_cannot_be_used(change, message):
    anterior, posterior = views()
    with pytest.raises(LungShuntError, match=message):
        planar_shunt_from_images(*change(anterior, posterior, {"lungs": LUNGS, "liver": LIVER}))


def test_a_rectangle_beyond_the_image_is_refused():
    with pytest.raises(LungShuntError, match="16 columns and 20 rows"):
        rectangle(SHAPE, (2, 1, 16, 6), "lungs")
