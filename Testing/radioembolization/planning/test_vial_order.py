"""What to order, and the window of use."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from planning_phantom import planning_phantom
from radioembolization.dose import DoseSettings
from radioembolization.errors import VialError
from radioembolization.physics import GLASS_Y90, RESIN_Y90
from radioembolization.planning import InjectionSites, MeanDose, VialCalendar, WorstTumourMean, choose_vials, maximize
from radioembolization.planning.vial_order import UsableWindow, order_lines, vials_holding
from radioembolization.planning.vials import Injection, Vial

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=48)
WINDOW = UsableWindow(2.0, 5.0, "", "")


def resin(gbq, hours=0):
    return Vial(RESIN_Y90, gbq, NOON + timedelta(hours=hours), 50.0)


def test_the_fewest_vials_are_taken_and_of_them_those_with_least_left_over():
    offered = [resin(1.0), resin(2.0), resin(3.0)]
    assert vials_holding(offered, NOON, 0.9, None) == (resin(1.0),)
    assert vials_holding(offered, NOON, 2.5, None) == (resin(3.0),)
    assert [v.calibrated_gbq for v in vials_holding(offered, NOON, 3.5, None)] in ([1.0, 3.0], [2.0, 2.0])
    assert sum(v.calibrated_gbq for v in vials_holding(offered, NOON, 7.5, None)) == 8.0
    assert vials_holding(offered, NOON, 7.5, 2) == (resin(3.0), resin(3.0))
    with pytest.raises(VialError, match="would take"):
        vials_holding(offered, NOON, 300.0, None)


def test_of_equal_vials_the_one_calibrated_nearest_is_taken():
    # 48 h before its calibration, 3 GBq are 5.04: more than needed, as is the one calibrated now.
    offered = [resin(3.0, 48), resin(3.0, 0)]
    assert vials_holding(offered, NOON, 2.9, None) == (resin(3.0, 0),)
    assert vials_holding(offered, NOON, 4.0, None) == (resin(3.0, 48),)


def test_a_line_for_each_site_or_for_shared_vials():
    one, two = resin(3.0), resin(2.0)
    whole = [Injection.of("left", [one, one, two], LATER, 0.0), Injection.of("right", [one], LATER, 0.0)]
    lines = order_lines(whole, WINDOW, shared=False)
    assert [(line.count, line.calibrated_gbq, line.sites) for line in lines] == [
        (2, 3.0, ("left",)),
        (1, 2.0, ("left",)),
        (1, 3.0, ("right",)),
    ]
    drawn = [Injection.of(site, [one], LATER, 0.0, 0.4) for site in ("left", "right")]
    (line,) = order_lines(drawn, WINDOW, shared=True)
    assert (line.count, line.sites) == (1, ("left", "right"))
    assert (line.earliest, line.latest) == (LATER - timedelta(hours=2), LATER + timedelta(hours=5))
    assert "1 x 3 GBq at 2026-03-01 12:00" in str(line)


def test_the_window_ends_where_a_limit_or_the_goal_does():
    dose = replace(planning_phantom(1500, sites=6, tumours=2, seed=0), settings=DoseSettings(GLASS_Y90))
    limit = MeanDose("normal liver").at_most(gy=60)
    problem = maximize(WorstTumourMean()).subject_to(limit, InjectionSites().at_most(count=2))
    calendar = VialCalendar.of(GLASS_Y90, [NOON], [1.0, 2.0, 4.0, 8.0])
    found = choose_vials(problem, dose, calendar, LATER, window_loss=0.1)
    x, half_life_h = np.array(found.chosen.activities_gbq), GLASS_Y90.nuclide.half_life_h
    # Everything decays alike: the mean dose reaches its limit where the factor is limit over dose, ...
    dose_gy = limit.quantity.value(dose, x)
    assert found.window.earlier_h == pytest.approx(half_life_h * np.log2(60.0 / dose_gy), abs=0.02)
    assert found.window.ends_early_by == str(limit)
    # ... and the tumours have lost 10 % where it is 0.9.
    assert found.window.later_h == pytest.approx(half_life_h * np.log2(1 / 0.9), abs=0.02)
    assert "10 % lost" in found.window.ends_late_by
    assert found.orders[0].latest == LATER + timedelta(hours=found.window.later_h)


def test_the_window_ends_with_decay_sense_at_the_latest():
    dose = replace(planning_phantom(1500, sites=6, tumours=2, seed=0), settings=DoseSettings(GLASS_Y90))
    problem = maximize(WorstTumourMean()).subject_to(MeanDose("normal liver").at_most(gy=500))
    problem = problem.subject_to(InjectionSites().at_most(count=1))
    calendar = VialCalendar.of(GLASS_Y90, [NOON], [3.0])
    found = choose_vials(problem, dose, calendar, NOON, window_loss=0.5)
    assert found.window.earlier_h == pytest.approx(1.5 * GLASS_Y90.nuclide.half_life_h)
    assert found.window.ends_early_by == "decay sense"
    assert found.window.later_h == pytest.approx(GLASS_Y90.nuclide.half_life_h, abs=0.02)
