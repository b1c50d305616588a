"""Shadow prices: they split the goal among the limits, and agree with solving again."""

from dataclasses import replace

import numpy as np
import pytest

from planning_phantom import planning_phantom
from radioembolization.planning import (
    HottestMean,
    LowestColdestMean,
    LowestDose,
    LungDose,
    MaximumDose,
    MeanDose,
    PerfusedNormalLiverDose,
    WorstTumourMean,
)
from radioembolization.planning.cutting_planes import CuttingPlanes
from radioembolization.planning.limits import activity_caps_gbq
from radioembolization.planning.prices import shadow_prices

LIMITS = {
    "means": [MeanDose("normal liver").at_most(gy=50), LungDose().at_most(gy=15)],
    "hottest": [MeanDose("normal liver").at_most(gy=50), HottestMean("normal liver", 30).at_most(gy=60)],
    "maximum": [MeanDose("normal liver").at_most(gy=50), MaximumDose("normal liver").at_most(gy=150)],
    "perfused": [PerfusedNormalLiverDose(10.0).at_most(gy=40), LungDose().at_most(gy=15)],
}


def solved(goal, limits, dose):
    planes = CuttingPlanes(goal, limits, dose, activity_caps_gbq(limits, dose))
    return planes, planes.solve(np.ones(len(dose.site_names), dtype=bool), gap=1e-9)


# Not the perfused liver: a part counts in full from a fixed dose on, which does not grow with the activities.
@pytest.mark.parametrize("limits", [name for name in LIMITS if name != "perfused"])
@pytest.mark.parametrize("goal", [LowestDose(), LowestColdestMean(30.0), WorstTumourMean()], ids=lambda g: g.name)
def test_prices_times_limits_sum_to_the_goal(goal, limits):
    for seed in range(3):
        dose = planning_phantom(2000, sites=8, tumours=3, seed=seed)
        planes, optimum = solved(goal, LIMITS[limits], dose)
        prices = shadow_prices(planes, optimum)
        total = sum(price * LIMITS[limits][index].bound for index, price in prices.items())
        assert total == pytest.approx(optimum.score, rel=1e-6)


@pytest.mark.parametrize("limits", LIMITS, ids=str)
def test_prices_agree_with_solving_again(limits):
    # At an optimum that is a vertex, the price holds for an interval; a step of 1e-5 stays inside (if the step up
    # and the step down agree).
    for seed in range(3):
        dose = planning_phantom(2000, sites=8, tumours=3, seed=seed)
        planes, optimum = solved(WorstTumourMean(), LIMITS[limits], dose)
        prices = shadow_prices(planes, optimum)
        for index, limit in enumerate(LIMITS[limits]):
            slopes = []
            for sign in (1.0, -1.0):
                step = sign * 1e-4 * limit.bound
                changed = list(LIMITS[limits])
                changed[index] = replace(limit, bound=limit.bound + step)
                slopes.append((solved(WorstTumourMean(), changed, dose)[1].score - optimum.score) / step)
            # Concave in the bound: the price lies between the slope up and the slope down.
            slack = 1e-4 * max(1.0, *np.abs(slopes))
            assert slopes[0] - slack <= prices[index] <= slopes[1] + slack
