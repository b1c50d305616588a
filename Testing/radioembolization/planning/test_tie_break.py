"""Equal plans: the same patient has one plan, and no part of a tumour is forgotten."""

import numpy as np
import pytest

from radioembolization.planning import (
    Effort,
    InjectionSites,
    MeanDose,
    StructureMean,
    WorstTumourMean,
    WorstTumourPartMean,
    maximize,
)
from support import dose_rows

#: The best plan, whatever number of injections it takes.
EXACT = Effort(fewer_within=0.0)

WHOLE = MeanDose("normal liver")


def nested(order):
    """Return rows of a parent that is exactly the sum of its two children, in a given order of the sites."""
    left, right = np.array([60.0, 0.0, 20.0, 0.0]), np.array([0.0, 90.0, 0.0, 30.0])
    rows = np.array([left, right, 0.4 * left + 0.6 * right])
    return dose_rows(rows[order], [0.1, 0.1, 0.8, 0.6], {"A": [0], "B": [1]}, [2, 3])


@pytest.mark.parametrize(
    ("order", "expected"),
    [([2, 0, 1], [0, 1]), ([0, 2, 1], [0, 1]), ([0, 1, 2], [0, 2]), ([1, 2, 0], [1, 2])],
)
def test_of_exchangeable_plans_the_most_proximal_sites_are_used(order, expected):
    # Both tumours alike need left : right = 3 : 2, so the children, or the parent (4 : 6) with some more of the
    # left; both take the same activity.  The parent and the left perfuse more than both children.
    plan = maximize(WorstTumourMean()).subject_to(WHOLE.at_most(gy=20)).solve(nested(order))
    assert np.flatnonzero(plan.activities_gbq).tolist() == expected


def test_rounding_of_the_rows_does_not_change_the_sites():
    # As float32 rows of a flipped image differ.
    reference = maximize(WorstTumourMean()).subject_to(WHOLE.at_most(gy=20)).solve(nested([2, 0, 1]))
    for seed in range(5):
        dose = nested([2, 0, 1])
        shaken = dose.rows * (1 + 1e-8 * np.random.default_rng(seed).standard_normal(dose.rows.shape))
        object.__setattr__(dose, "rows", shaken)
        plan = maximize(WorstTumourMean()).subject_to(WHOLE.at_most(gy=20)).solve(dose, EXACT)
        assert plan.activities_gbq == pytest.approx(reference.activities_gbq, rel=1e-5)


def test_least_activity_among_plans_of_equal_value():
    # Site 2 gives the tumour and the normal liver half as much per GBq: the same plan with twice the activity.
    dose = dose_rows([[40.0, 10.0], [20.0, 5.0]], [0.1, 1.0], {"T": [0]}, [1])
    for rows in ([0, 1], [1, 0]):
        swapped = dose_rows(dose.rows[rows], [0.1, 1.0], {"T": [0]}, [1])
        plan = maximize(StructureMean("T")).subject_to(WHOLE.at_most(gy=40)).solve(swapped, EXACT)
        assert plan.activities_gbq[rows.index(0)] == pytest.approx(4.0)
        assert plan.activities_gbq[rows.index(1)] == 0.0


def shared_tumour(small_kg=0.05):
    """Return a tumour whose first part lies in territory 1 and second in territory 2, far dearer to treat."""
    rows = [[80.0, 0.0, 10.0, 0.0], [0.0, 20.0, 0.0, 40.0]]
    return dose_rows(rows, [0.1, small_kg, 0.5, 0.5], {"T": [0, 1]}, [2, 3])


def test_the_worst_mean_may_leave_a_part_without_dose_and_the_worst_part_may_not():
    # Whole normal liver at 20 Gy: site 1 alone, 4 GBq, 320 Gy in part 1 and nothing in part 2.
    dose = shared_tumour()
    problem = maximize(WorstTumourMean()).subject_to(WHOLE.at_most(gy=20))
    assert problem.solve(dose, EXACT).activities_gbq == pytest.approx([4.0, 0.0])
    # Equal parts: 80 x1 = 20 x2 and 10 x1 + 40 x2 = 40, so x1 = 4/17 and x2 = 16/17; 320/17 Gy.
    plan = maximize(WorstTumourPartMean()).subject_to(WHOLE.at_most(gy=20)).solve(dose, EXACT)
    assert plan.activities_gbq == pytest.approx([4 / 17, 16 / 17], rel=1e-6)
    assert plan.goal.value == pytest.approx(320 / 17, rel=1e-6)


def test_a_sliver_of_a_tumour_is_no_part_and_the_whole_tumour_always_counts():
    dose = shared_tumour(small_kg=0.004)  # 4 % of the tumour
    plan = maximize(WorstTumourPartMean()).subject_to(WHOLE.at_most(gy=20)).solve(dose, EXACT)
    assert plan.activities_gbq == pytest.approx([4.0, 0.0])
    tumour = next(s for s in plan.structures if s.name == "T")
    assert plan.goal.value == pytest.approx(tumour.mean_gy)


def test_one_injection_cannot_reach_both_parts():
    limits = WHOLE.at_most(gy=20), InjectionSites().at_most(count=1)
    plan = maximize(WorstTumourPartMean()).subject_to(*limits).solve(shared_tumour())
    assert plan.goal.value == 0.0
    assert any("No choice of sites" in line for line in plan.explanation)
