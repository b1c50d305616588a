"""The robust plan beside the nominal one: chances counted, price, fresh scenarios, bad input."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from planning_phantom import planning_phantom
from radioembolization.dose import Uncertainty, draw, fresh
from radioembolization.errors import Infeasible, InputError, LimitError
from radioembolization.planning import (
    Effort,
    InjectionSites,
    LungDose,
    MeanDose,
    MeanShortfall,
    WorstTumourPartMean,
    maximize,
    minimize,
)
from radioembolization.planning.robust import plan_robustly
from radioembolization.planning.scenario_evaluation import evaluate_scenarios
from scenario_phantom import phantom_basis

NORMAL = "normal liver"
PROBLEM = maximize(WorstTumourPartMean()).subject_to(
    MeanDose(NORMAL).at_most(gy=40), LungDose().at_most(gy=8), InjectionSites().at_most(count=3)
)
UNCERTAINTY = Uncertainty.default("resin", count=200, seed=2)


@pytest.fixture(scope="module")
def case():
    basis = phantom_basis(3_000, UNCERTAINTY, 8, 3, 1)
    return planning_phantom(3_000, 8, 3, 1), draw(basis, UNCERTAINTY), fresh(basis, UNCERTAINTY, 1000)


@pytest.fixture(scope="module")
def plan(case):
    dose, scenarios, new = case
    return plan_robustly(PROBLEM, dose, scenarios, UNCERTAINTY, Effort(fewer_within=None), fresh=new)


def test_limits_are_met_as_often_as_promised_in_fresh_scenarios_too(plan):
    for where in (plan.robust_in, plan.robust_fresh):
        assert [limit.name for limit in where.limits] == ["mean dose, whole normal liver", "mean dose, lungs"]
        assert all(limit.probability >= UNCERTAINTY.probability for limit in where.limits)
    assert plan.nominal_fresh.all_limits < UNCERTAINTY.probability
    assert (plan.robust_fresh.count, plan.robust_in.count) == (1000, 200)
    assert plan.robust_fresh.seed != plan.robust_in.seed == 2


def test_robustness_has_a_price_and_a_proof(plan):
    assert plan.status == "optimal" and plan.certificate is not None
    assert plan.goal.value <= plan.goal.bound <= plan.goal.value * (1 + 1e-4)
    assert plan.price >= 0 and plan.price_share == pytest.approx(plan.price / plan.nominal.goal.value)
    assert np.count_nonzero(plan.robust.activities_gbq) <= 3
    assert all(limit.met for limit in plan.robust.limits)


def test_chances_are_counted_scenario_by_scenario(case, plan):
    _, scenarios, _ = case
    x = plan.nominal.activities_gbq
    normal = np.array([scenarios.rows(s, NORMAL)[0].mean(axis=1) @ x for s in range(len(scenarios))])
    chance = plan.nominal_in.limits[0]
    assert chance.probability == np.mean(normal <= 40 * (1 + 1e-6))
    assert chance.value.p90 == pytest.approx(np.percentile(normal, 90), rel=1e-5)
    tumour = plan.nominal_in.tumours[1]
    doses = [x @ scenarios.rows(s, tumour.name)[0] for s in range(len(scenarios))]
    assert tumour.mean_gy.p10 == pytest.approx(np.percentile([d.mean() for d in doses], 10), rel=1e-5)
    assert tumour.d70_gy.p50 == pytest.approx(np.percentile([np.quantile(d, 0.3) for d in doses], 50), rel=1e-5)
    assert tumour.d95_gy.p10 == pytest.approx(np.percentile([np.quantile(d, 0.05) for d in doses], 10), rel=1e-5)
    band = next(b for b in plan.nominal_in.bands if b.name == tumour.name)
    at = 40
    shares = [100 * np.mean(d >= band.dose_gy[at]) for d in doses]
    assert band.p50_percent[at] == pytest.approx(np.percentile(shares, 50), abs=0.5)
    assert band.p50_percent[0] == 100 and all(np.diff(band.p10_percent) <= 1e-9)


def test_any_activities_can_be_evaluated_and_results_are_plain(case):
    _, scenarios, new = case
    for where in (scenarios, new):
        found = evaluate_scenarios(PROBLEM, where, np.full(8, 0.1), bands=False)
        assert found.goal.p10 <= found.goal.p50 <= found.goal.p90
        assert not found.bands
        json.dumps(asdict(found))


def test_a_stricter_promise_costs_more(case, plan):
    dose, scenarios, _ = case
    strict = replace(UNCERTAINTY, probability=1.0)
    found = plan_robustly(
        PROBLEM, dose, scenarios, strict, Effort(fewer_within=None), nominal=plan.nominal, bands=False
    )
    assert all(limit.probability == 1.0 for limit in found.robust_in.limits)
    assert found.goal.value <= plan.goal.value * (1 + 1e-6)


def test_what_cannot_be_planned_is_refused(case):
    dose, scenarios, _ = case
    with pytest.raises(InputError, match="scenarios are of the sites"):
        plan_robustly(PROBLEM, planning_phantom(3_000, 6, 3, 1), scenarios, UNCERTAINTY)
    with pytest.raises(LimitError, match="minimized"):
        plan_robustly(minimize(MeanShortfall("tumour 1", 100.0)), dose, scenarios, UNCERTAINTY)
    impossible = PROBLEM.subject_to(MeanDose("tumour 1").at_least(gy=5_000))
    with pytest.raises(Infeasible, match="scenarios"):
        plan_robustly(impossible, dose, scenarios, replace(UNCERTAINTY, probability=1.0))
    with pytest.raises(InputError, match="zero or more"):
        evaluate_scenarios(PROBLEM, scenarios, np.full(8, -0.1))
