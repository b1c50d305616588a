"""Why sites are not used: prices by hand."""

import numpy as np
import pytest

from radioembolization.planning import (
    DoseAtVolume,
    Effort,
    InjectionActivity,
    InjectionSites,
    MeanDose,
    SiteActivity,
    WorstTumourMean,
    maximize,
)
from radioembolization.planning.dropped_sites import Reason, dropped_sites
from support import dose_rows, random_rows

WHOLE = MeanDose("normal liver").at_most(gy=40)


def dropped(problem, dose):
    plan = problem.solve(dose)
    return plan, {site.site: site for site in dropped_sites(problem, dose, plan.activities_gbq)}


def test_a_dearer_site_by_hand():
    # Site 1: 4 Gy of tumour for 1 of normal liver; site 2: 3 for 1, with twice the dose per GBq.
    dose = dose_rows([[4.0, 1.0], [6.0, 2.0]], [0.1, 1.0], {"T": [0]}, [1])
    _, found = dropped(maximize(WorstTumourMean()).subject_to(WHOLE), dose)
    site = found["2"]
    assert site.reason is Reason.DEARER
    assert (site.gain_per_gbq, site.price_per_gbq) == pytest.approx((6.0, 8.0))
    (cost,) = site.costs
    assert (cost.per_gbq, cost.goal_per_gbq) == pytest.approx((2.0, 8.0))
    assert cost.limit == WHOLE.quantity.name
    # 1.5 GBq at site 1 give the tumour the same 6 Gy, for 1.5 Gy of normal liver.
    assert dict(site.instead_gbq) == pytest.approx({"1": 1.5}, rel=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_gain_is_below_price_for_every_site_left_out(seed):
    # Otherwise 1 GBq there would improve the optimum: the plan of the best goal is asked, not that of fewer sites.
    dose = random_rows(np.random.default_rng(seed), 8, 3)
    problem = maximize(WorstTumourMean()).subject_to(WHOLE)
    plan = problem.solve(dose, Effort(fewer_within=None))
    found = dropped_sites(problem, dose, plan.activities_gbq)
    assert found
    for site in found:
        assert site.reason in (Reason.DEARER, Reason.NO_TUMOUR)
        assert site.gain_per_gbq < site.price_per_gbq


def test_an_identical_site_is_as_good():
    dose = dose_rows([[4.0, 1.0], [4.0, 1.0]], [0.1, 1.0], {"T": [0]}, [1])
    _, found = dropped(maximize(WorstTumourMean()).subject_to(WHOLE), dose)
    (site,) = found.values()
    assert site.reason is Reason.AS_GOOD
    assert site.gain_per_gbq == pytest.approx(site.price_per_gbq)


def test_forbidden_and_without_tumour():
    dose = dose_rows([[4.0, 1.0], [0.0, 1.0], [9.0, 1.0]], [0.1, 1.0], {"T": [0]}, [1])
    _, found = dropped(maximize(WorstTumourMean()).subject_to(WHOLE, SiteActivity("3").at_most(gbq=0)), dose)
    assert {name: site.reason for name, site in found.items()} == {"2": Reason.NO_TUMOUR, "3": Reason.FORBIDDEN}


#: Tumours A and B share site 1; sites 2 and 3 are better for one each.
SHARED = [[3.0, 3.0, 1.0], [8.0, 0.0, 1.0], [0.0, 8.0, 1.0]]


def test_too_many_sites():
    # One site: 120 Gy from site 1.  With all three: sites 2 and 3 give 160 Gy each, 20 GBq each.
    dose = dose_rows(SHARED, [0.1, 0.1, 1.0], {"A": [0], "B": [1]}, [2])
    problem = maximize(WorstTumourMean()).subject_to(WHOLE, InjectionSites().at_most(count=1))
    plan, found = dropped(problem, dose)
    assert [site.name for site in plan.used_sites] == ["1"]
    assert {site.reason for site in found.values()} <= {Reason.NUMBER, Reason.DEARER, Reason.AS_GOOD}


def test_a_further_site_that_would_help():
    # B is the worse tumour of site 1; site 2 gives it alone 9 Gy for 1 of normal liver.  x1 = 9 x2 / 4, sum 40.
    dose = dose_rows([[8.0, 4.0, 1.0], [0.0, 9.0, 1.0]], [0.1, 0.1, 1.0], {"A": [0], "B": [1]}, [2])
    problem = maximize(WorstTumourMean()).subject_to(WHOLE, InjectionSites().at_most(count=1))
    plan, found = dropped(problem, dose)
    assert plan.goal.value == pytest.approx(160.0)
    assert found["2"].reason is Reason.NUMBER
    assert found["2"].goal_with_it == pytest.approx(8.0 * 40.0 * 9.0 / 13.0, rel=1e-5)


def test_a_site_below_the_least_activity():
    dose = dose_rows([[8.0, 4.0, 1.0], [0.0, 9.0, 1.0]], [0.1, 0.1, 1.0], {"A": [0], "B": [1]}, [2])
    problem = maximize(WorstTumourMean()).subject_to(WHOLE, InjectionActivity().at_least(gbq=25))
    _, found = dropped(problem, dose)
    assert found["2"].reason is Reason.LEAST_ACTIVITY


def test_without_prices_only_plain_reasons_are_known():
    dose = dose_rows([[4.0, 1.0], [3.0, 1.0], [0.0, 1.0]], [0.1, 1.0], {"T": [0]}, [1])
    problem = maximize(WorstTumourMean()).subject_to(WHOLE, DoseAtVolume("T", 70).at_least(gy=20))
    found = dropped_sites(problem, dose, np.array([10.0, 0.0, 0.0]))
    assert [site.reason for site in found] == [Reason.UNKNOWN, Reason.NO_TUMOUR]
