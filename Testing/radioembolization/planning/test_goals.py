"""Goals by hand, and the same in numpy and in the model."""

import numpy as np
import pytest

from radioembolization.errors import LimitError, StructureError
from radioembolization.planning import MeanShortfall, StructureMean, WeightedSum, WorstTumourMean, maximize, minimize
from radioembolization.planning.model import Model
from support import K_Y90, dose_rows, random_rows, resin_two_sites

DOSE = resin_two_sites()
D1, D2 = K_Y90 * 0.94 / 1.8, K_Y90 * 0.94 / 0.25
A = np.array([1.2, 0.05])
T1, T2 = 1.2 * 4 * D1, 1.2 * 2 * D1 + 0.05 * 2 * D2


@pytest.mark.parametrize(
    ("goal", "value"),
    [
        (WorstTumourMean(), min(T1, T2)),
        (StructureMean("T1"), T1),
        (MeanShortfall("T2", below_gy=120.0), 120.0 - T2),
        (MeanShortfall("T1", below_gy=100.0), 0.0),
        (MeanShortfall("T2", 120.0) + 0.5 * MeanShortfall("T1", 300.0), 120.0 - T2 + 0.5 * (300.0 - T1)),
        (WorstTumourMean() + 0.1 * StructureMean("T1"), min(T1, T2) + 0.1 * T1),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_value_by_hand(goal, value):
    assert goal.value(DOSE, A) == pytest.approx(value)


def test_the_worst_tumour_is_weighted_by_mass_inside_and_not_across():
    rows = dose_rows([[10.0, 40.0, 20.0, 1.0]], [0.3, 0.1, 0.01, 1.0], {"A": [0, 1], "B": [2]}, [3])
    assert WorstTumourMean().value(rows, np.ones(1)) == pytest.approx(17.5)


@pytest.mark.parametrize(
    "goal",
    [
        WorstTumourMean(),
        StructureMean("T1"),
        MeanShortfall("T0", 150.0),
        MeanShortfall("T0", 150.0) + 2.0 * MeanShortfall("T1", 90.0),
        WorstTumourMean() + 0.3 * StructureMean("T2"),
    ],
    ids=lambda goal: goal.name,
)
def test_model_and_numpy_agree(goal):
    rng = np.random.default_rng(8)
    dose = random_rows(rng, 5, 3)
    model = Model(dose, np.full(5, 10.0))
    for _ in range(20):
        activities = rng.uniform(0.0, 1.5, 5)
        model.activities.value = activities
        assert float(goal.expression(model).value) == pytest.approx(goal.value(dose, activities), rel=1e-9, abs=1e-9)


def test_sums_are_flat_lists_of_weight_and_goal():
    a, b, c = MeanShortfall("T1", 1.0), MeanShortfall("T2", 2.0), MeanShortfall("T1", 3.0)
    total = a + 2.0 * (b + 3.0 * c)
    assert isinstance(total, WeightedSum)
    assert total.terms == ((1.0, a), (2.0, b), (6.0, c))
    assert total.name == (
        "shortfall of T1 below 1 Gy mean + 2 x shortfall of T2 below 2 Gy mean + 6 x shortfall of T1 below 3 Gy mean"
    )


def test_goals_of_different_direction_do_not_add_up():
    with pytest.raises(LimitError, match="maximized goals only"):
        _ = WorstTumourMean() + MeanShortfall("T1", 100.0)


@pytest.mark.parametrize("weight", [0.0, -1.0])
def test_weights_are_positive(weight):
    with pytest.raises(LimitError, match="positive"):
        _ = weight * WorstTumourMean()


def test_direction_is_that_of_the_goal():
    assert maximize(WorstTumourMean()).goal.maximized
    assert not minimize(MeanShortfall("T1", 100.0)).goal.maximized
    with pytest.raises(LimitError, match="to maximize"):
        minimize(WorstTumourMean())
    with pytest.raises(LimitError, match="to minimize"):
        maximize(MeanShortfall("T1", 100.0))


def test_an_unknown_structure_is_an_error():
    with pytest.raises(StructureError, match="'T9'"):
        StructureMean("T9").value(DOSE, A)
