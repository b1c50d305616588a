"""A problem reads as the prescription."""

import numpy as np
import pytest

from radioembolization.errors import DeviceMismatch
from radioembolization.physics import GLASS_Y90, RESIN_Y90
from radioembolization.planning import (
    InjectionSites,
    LungDose,
    MeanDose,
    MeanShortfall,
    Provenance,
    WorstTumourMean,
    maximize,
    minimize,
)
from support import resin_two_sites


def test_printing_a_problem():
    problem = maximize(WorstTumourMean()).subject_to(
        MeanDose("normal liver").at_most(gy=40),
        MeanDose("T2").at_least(gy=100),
        LungDose(earlier_gy=5).at_most(gy=30),
        InjectionSites().at_most(count=3),
    )
    assert str(problem) == (
        "maximize lowest mean dose of any tumour\n"
        "subject to\n"
        "  mean dose, whole normal liver <= 40 Gy\n"
        "  mean dose, T2 >= 100 Gy\n"
        "  mean dose, lungs (with 5 Gy before) <= 30 Gy\n"
        "  number of injection sites <= 3 sites"
    )
    assert str(minimize(MeanShortfall("T1", 205.0))).startswith("minimize shortfall of T1 below 205 Gy mean\n")


def test_further_limits_leave_the_problem_as_it_was():
    one = maximize(WorstTumourMean()).subject_to(MeanDose("normal liver").at_most(gy=40))
    two = one.subject_to(LungDose().at_most(gy=30))
    assert (len(one.limits), len(two.limits)) == (1, 2)
    assert two.limits[0] is one.limits[0]


def test_limits_are_evaluated_for_any_activities():
    problem = maximize(WorstTumourMean()).subject_to(MeanDose("normal liver").at_most(gy=40), LungDose().at_most(gy=30))
    values = problem.evaluate(resin_two_sites(), np.array([1.0, 0.1]))
    d = 49.67 * 0.94 / 1.8
    assert values == pytest.approx(
        {"mean dose, whole normal liver <= 40 Gy": 1.12 * d, "mean dose, lungs <= 30 Gy": 49.67 * 0.06 * 1.1}
    )


def test_every_limit_is_checked_for_the_device():
    limit = MeanDose("normal liver").at_most(gy=75).because(Provenance("EANM", "guideline", device="glass"))
    problem = maximize(WorstTumourMean()).subject_to(LungDose().at_most(gy=30), limit)
    problem.check_devices(GLASS_Y90)
    with pytest.raises(DeviceMismatch, match="whole normal liver <= 75 Gy"):
        problem.check_devices(RESIN_Y90)
