"""The lowest BED of any lesion as a goal: its levels, planes and optimum."""

from dataclasses import replace

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from limit_checks import check_planes, voxel_rows
from radioembolization.course.lesion_bed import (
    LesionDoseMargin,
    LesionResponse,
    WorstLesionBED,
    dose_for_bed_gy,
    lesion_rows,
)
from radioembolization.dose import DosePerGBq
from radioembolization.errors import LimitError
from radioembolization.planning import Effort, MeanDose, TotalActivity
from radioembolization.planning.model import Model
from radioembolization.planning.solve import optimize
from series import series
from support import dose_rows, random_rows

RESPONSES = st.builds(
    LesionResponse, st.floats(-20.0, 200.0), st.floats(1.0, 3.0), st.sampled_from([0.0, 1e-4, 0.005, 0.02])
)


def goal_of(rng, tumours, base=100.0):
    return WorstLesionBED(
        {
            f"T{i}": LesionResponse(rng.uniform(0.0, base), rng.uniform(1.0, 1.3), rng.uniform(0.001, 0.02))
            for i in range(tumours)
        }
    )


@settings(deadline=None)
@given(response=RESPONSES, dose=st.floats(0.0, 500.0), more=st.floats(0.0, 50.0))
def test_a_level_of_bed_is_a_level_of_dose(response, dose, more):
    bed = response.bed_gy(dose)
    assert bed == pytest.approx(response.base_gy + response.slope * dose + response.curvature_per_gy * dose**2)
    assert response.dose_gy(bed) == pytest.approx(dose, rel=1e-9, abs=1e-9)
    assert response.bed_gy(dose + more) >= bed
    assert response.dose_gy(bed + more) >= response.dose_gy(bed)
    assert response.dose_gy(response.base_gy - more) == 0.0


def test_dose_of_a_bed_for_many_at_once():
    bed = np.array([-5.0, 0.0, 30.0, 500.0])
    one_by_one = [LesionResponse(0.0, 1.2, 0.01).dose_gy(value) for value in bed]
    assert dose_for_bed_gy(bed, 1.2, 0.01) == pytest.approx(one_by_one)
    # D (1 + k D) of 100 Gy with k = 0.01/Gy is 200 Gy.
    assert float(dose_for_bed_gy(200.0, 1.0, 0.01)) == pytest.approx(100.0)


def test_value_by_hand():
    dose = dose_rows([[20.0, 0.0, 4.0], [2.0, 40.0, 4.0]], [0.1, 0.1, 0.5], {"A": [0], "B": [1]}, normal=[2])
    goal = WorstLesionBED({"A": LesionResponse(50.0, 1.0, 0.0), "B": LesionResponse(10.0, 1.1, 0.01)})
    # A: 50 + 20 + 2 = 72; B: 10 + 1.1 x 40 + 0.01 x 1600 = 70.
    assert goal.value(dose, np.array([1.0, 1.0])) == pytest.approx(70.0)
    assert goal.value(dose, np.array([0.0, 2.0])) == pytest.approx(54.0)
    assert goal.maximized
    assert not goal.summable


def test_the_worst_part_counts():
    # One tumour of two halves, each fed by a site of its own.
    dose = dose_rows([[30.0, 0.0, 3.0], [0.0, 30.0, 3.0]], [0.1, 0.1, 0.5], {"A": [0, 1]}, normal=[2])
    goal = WorstLesionBED({"A": LesionResponse(5.0, 1.0, 0.01)})
    assert goal.value(dose, np.array([2.0, 0.0])) == pytest.approx(5.0)
    assert lesion_rows(dose, {"A": None})["A"].shape == (3, 2)


@pytest.mark.parametrize("seed", range(6))
def test_planes_of_the_margin_touch_it(seed):
    rng = np.random.default_rng(seed)
    dose = voxel_rows(rng, sites=3)
    for goal in (goal_of(rng, 2), goal_of(rng, 2, base=400.0)):
        margin = goal.margin(dose, 150.0)
        check_planes(
            lambda x, m=margin: m.score(dose, x), lambda x, m=margin: m.supports(dose, x), False, rng, 3
        )  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
def test_the_margin_tells_whether_a_level_is_reached(seed):
    rng = np.random.default_rng(seed)
    dose, goal = voxel_rows(rng, sites=3), goal_of(rng, 2)
    for _ in range(20):
        x, level = rng.uniform(0.0, 3.0, 3) * (rng.random(3) < 0.7), rng.uniform(20.0, 300.0)
        reached = goal.value(dose, x) >= level
        margin = goal.margin(dose, level)
        assert reached == (margin.value(dose, x) >= 0.0)
        # By definition: how far the mean of the worst part is beyond what its lesion needs.
        beyond = [
            float(row @ x) - goal.responses[name].dose_gy(level)
            for name, rows in lesion_rows(dose, goal.responses).items()
            for row in rows
        ]
        assert margin.value(dose, x) == pytest.approx(min(beyond), abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_model_and_numpy_agree(seed):
    rng = np.random.default_rng(seed)
    dose, goal = voxel_rows(rng, sites=3), goal_of(rng, 2)
    x = rng.uniform(0.0, 2.0, 3)
    model = Model(dose, np.full(3, 5.0))
    for face in (goal, goal.margin(dose, 120.0)):
        expression = face.expression(model)
        model.activities.value = x
        assert float(expression.value) == pytest.approx(face.value(dose, x), rel=1e-9)
    margin = goal.margin(dose, 120.0)
    cp.Problem(cp.Maximize(margin.expression(model)), [model.activities <= 1.5]).solve(solver="CLARABEL")
    best = optimize(margin, (TotalActivity().at_most(gbq=4.5),), dose, effort=Effort(fewer_within=None))
    assert best.optimum >= margin.value(dose, model.activities.value) - 1e-6


def test_more_activity_never_lowers_it():
    rng = np.random.default_rng(8)
    dose, goal = voxel_rows(rng, sites=4), goal_of(rng, 2)
    for _ in range(30):
        x = rng.uniform(0.0, 2.0, 4)
        assert goal.value(dose, x + rng.uniform(0.0, 1.0, 4)) >= goal.value(dose, x)


def by_bisection(goal, dose, limit_row, bound):
    """Return the highest level of BED that a linear program over the mean rows reaches."""
    rows = lesion_rows(dose, goal.responses)
    matrix = np.vstack([*(-block for block in rows.values()), limit_row[None]])
    low, high = -100.0, 1e5
    for _ in range(100):
        level = 0.5 * (low + high)
        needed = [np.full(len(block), -_needed_gy(goal.responses[name], level)) for name, block in rows.items()]
        found = linprog(np.zeros(len(limit_row)), matrix, np.concatenate([*needed, [bound]]))
        low, high = (level, high) if found.status == 0 else (low, level)
    return low


def _needed_gy(response, level):
    """Return the positive root of ``base + slope D + k D^2 = level`` by the formula for quadratic equations."""
    missing = level - response.base_gy
    if missing <= 0.0:
        return 0.0
    k, slope = response.curvature_per_gy, response.slope
    return (-slope + np.sqrt(slope**2 + 4.0 * k * missing)) / (2.0 * k)


@pytest.mark.parametrize("seed", series(range(8), 3))
def test_optimum_against_bisection(seed):
    rng = np.random.default_rng(seed)
    dose: DosePerGBq = random_rows(rng, 3, 3, spill=0.02)
    goal, limit = goal_of(rng, 3), MeanDose("normal liver").at_most(gy=40.0)
    solution = optimize(goal, (limit,), dose, effort=Effort(fewer_within=None))
    expected = by_bisection(goal, dose, dose.structure_row("normal liver"), 40.0)
    # Levels are tried in steps of 1e-4 of the value.
    assert solution.optimum <= expected * (1.0 + 1e-6)
    assert solution.bound >= expected * (1.0 - 1e-6)
    assert solution.bound - solution.optimum <= 1.5e-3 * solution.optimum
    assert limit.is_met(dose, solution.activities_gbq)


@pytest.mark.parametrize("seed", range(3))
def test_optimum_against_a_grid(seed):
    rng = np.random.default_rng(100 + seed)
    dose = random_rows(rng, 2, 2)
    goal, row = goal_of(rng, 2), dose.structure_row("normal liver")
    solution = optimize(goal, (MeanDose("normal liver").at_most(gy=40.0),), dose, effort=Effort(fewer_within=None))
    values = [
        goal.value(dose, np.array([x, (40.0 - row[0] * x) / row[1]])) for x in np.linspace(0.0, 40.0 / row[0], 2001)
    ]
    # More is never worse, so the best plan spends the whole limit; 2000 steps miss the peak by less than 0.2 %.
    assert max(values) <= solution.bound * (1.0 + 1e-9)
    assert solution.optimum >= max(values) * (1.0 - 1e-3)
    assert solution.optimum <= max(values) * (1.0 + 2e-3)


def test_a_tumour_without_response_is_refused():
    dose = random_rows(np.random.default_rng(0), 2, 2)
    goal = WorstLesionBED({"T0": LesionResponse(0.0, 1.0, 0.01)})
    with pytest.raises(LimitError, match=r"Nothing says what 177Lu gives to the tumours \['T1'\]"):
        goal.value(dose, np.ones(2))
    with pytest.raises(LimitError, match="none"):
        goal.value(replace(dose, structures=dose.structures[2:]), np.ones(2))
    with pytest.raises(NotImplementedError, match="quasi-concave"):
        goal.supports(dose, np.ones(2))
    with pytest.raises(LimitError, match="cannot be part of a weighted sum"):
        0.5 * goal
    assert "beyond what it needs" in LesionDoseMargin({}).name
