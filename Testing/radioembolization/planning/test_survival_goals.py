"""Equivalent uniform dose, tumour control, and the shortfall of voxels: by hand, and in numpy and the model."""

import numpy as np
import pytest
from scipy.optimize import brentq

from limit_checks import voxel_rows
from radioembolization.biology import equivalent_uniform_dose_gy
from radioembolization.errors import InputError, LimitError, StructureError
from radioembolization.physics import HOLMIUM_HO166
from radioembolization.planning import (
    LogTumourControl,
    LowestDoseAtVolume,
    LowestEUD,
    StructureMean,
    VoxelShortfall,
    WeightedSum,
)
from radioembolization.planning.model import Model
from support import dose_rows

#: One site; tumour A of 0.03 and 0.01 kg with 40 and 80 Gy/GBq, tumour B uniform with 70.
ROWS = [[40.0, 80.0, 70.0, 10.0]]
DOSE = dose_rows(ROWS, [0.03, 0.01, 0.02, 1.0], {"A": [0, 1], "B": [2]}, normal=[3])
ONE = np.ones(1)
#: k of BED = d (1 + k d): 90Y with alpha/beta 10 Gy and repair in 1.5 h.
K = 1.5 / (1.5 + 64.1) / 10.0


def bed(d):
    return d * (1.0 + K * d)


def test_equivalent_uniform_dose_by_hand():
    # Survival of A: three quarters at 40 Gy, one at 80 Gy; B is uniform and has more.
    survival = 0.75 * np.exp(-0.05 * bed(40.0)) + 0.25 * np.exp(-0.05 * bed(80.0))
    expected = brentq(lambda d: np.exp(-0.05 * bed(d)) - survival, 0.0, 100.0, xtol=1e-12)
    assert LowestEUD(0.05, 10.0, 1.5).value(DOSE, ONE) == pytest.approx(expected, rel=1e-9)
    assert 40.0 < expected < 50.0  # between the lowest and the mean dose


def test_tumour_control_by_hand():
    # 1 g/mL: 40 mL of A and 20 mL of B, 1000 clonogenic cells in each mL.
    cells = 1000.0 * (
        30.0 * np.exp(-0.2 * bed(40.0)) + 10.0 * np.exp(-0.2 * bed(80.0)) + 20.0 * np.exp(-0.2 * bed(70.0))
    )
    assert LogTumourControl(0.2, 10.0, 1.5, clonogens_per_ml=1000.0).value(DOSE, ONE) == pytest.approx(-cells)
    # A number in each tumour instead.
    cells = 5e4 * (0.75 * np.exp(-0.2 * bed(40.0)) + 0.25 * np.exp(-0.2 * bed(80.0)) + np.exp(-0.2 * bed(70.0)))
    assert LogTumourControl(0.2, 10.0, 1.5, clonogens=5e4).value(DOSE, ONE) == pytest.approx(-cells)


def test_shortfall_of_voxels_by_hand():
    # Below 60 Gy A lacks 20 Gy in three quarters; its mean of 50 Gy and its hot voxel do not matter.
    assert VoxelShortfall("A", 60.0).value(DOSE, ONE) == pytest.approx(15.0)
    assert VoxelShortfall("A", 90.0).value(DOSE, ONE) == pytest.approx(0.75 * 50.0 + 0.25 * 10.0)
    assert VoxelShortfall("B", 60.0).value(DOSE, ONE) == 0.0
    both = VoxelShortfall("A", 90.0) + 0.5 * VoxelShortfall("B", 90.0)
    assert both.value(DOSE, ONE) == pytest.approx(40.0 + 0.5 * 20.0)


@pytest.mark.parametrize(
    "goal",
    [
        LowestEUD(0.02, 10.0, 1.5),
        LowestEUD(0.3),
        LogTumourControl(0.05, 10.0, 1.5, clonogens_per_ml=100.0),
        VoxelShortfall("T0", 40.0),
    ],
    ids=lambda goal: goal.name,
)
def test_model_and_numpy_agree(goal):
    rng = np.random.default_rng(8)
    dose = voxel_rows(rng, 4)
    model = Model(dose, np.full(4, 10.0))
    for _ in range(10):
        x = rng.uniform(0.0, 2.0, 4)
        model.activities.value = x
        assert float(goal.expression(model).value) == pytest.approx(goal.value(dose, x), rel=1e-8, abs=1e-9)


def test_margins_agree_with_the_model_where_no_voxel_is_very_cold():
    rng = np.random.default_rng(9)
    dose = voxel_rows(rng, 4)
    model = Model(dose, np.full(4, 10.0))
    for goal in (LowestEUD(0.05, 10.0, 1.5), LogTumourControl(0.1, 10.0, 1.5, clonogens=100.0)):
        for _ in range(10):
            x = rng.uniform(0.5, 2.0, 4)
            margin = goal.margin(dose, goal.value(dose, 0.98 * x))
            model.activities.value = x
            assert margin.value(dose, x) > 0
            assert float(margin.expression(model).value) == pytest.approx(margin.value(dose, x), rel=1e-8)


@pytest.mark.parametrize(
    "goal",
    [LowestEUD(0.0046, 10.0, 1.5), LowestEUD(0.4, 10.0, 1.5), LogTumourControl(0.3, 10.0, 1.5, clonogens=1e8)],
    ids=lambda goal: goal.name,
)
def test_a_margin_is_not_negative_exactly_where_the_level_is_reached(goal):
    # Levels from far below to far above, so that cold voxels count by their tangent: the sign must stay.
    rng = np.random.default_rng(10)
    dose, signs = voxel_rows(rng, 4), set()
    for _ in range(200):
        x = rng.uniform(0.0, 3.0, 4) * (rng.random(4) < 0.7)
        level = goal.value(dose, rng.uniform(0.0, 3.0, 4))
        reached = goal.value(dose, x) >= level
        assert (goal.margin(dose, level).value(dose, x) >= -1e-12) == reached
        signs.add(reached)
    assert signs == {True, False}


def test_the_margin_of_an_equivalent_uniform_dose_is_in_gy_close_to_the_level():
    # 1 - SF / SF(L) over its slope: 0.01 Gy beyond the level is 0.01 Gy, to alpha x 0.01 / 2 of it.
    rng = np.random.default_rng(11)
    dose, goal = voxel_rows(rng, 4), LowestEUD(0.3, 10.0, 1.5)
    x = rng.uniform(0.5, 2.0, 4)
    here = goal.value(dose, x)
    assert goal.margin(dose, here).value(dose, x) == pytest.approx(0.0, abs=1e-9)
    assert goal.margin(dose, here - 0.01).value(dose, x) == pytest.approx(0.01, rel=0.01)
    assert goal.margin(dose, here + 0.01).value(dose, x) == pytest.approx(-0.01, rel=0.01)


def test_nothing_overflows():
    # Without any dose and with a level of 1000 Gy, exp(alpha BED) would be 10^430.
    goal = LowestEUD(0.8, 10.0, 1.5)
    with np.errstate(over="raise", invalid="raise"):
        margin = goal.margin(DOSE, 1000.0)
        assert np.isfinite(margin.value(DOSE, np.zeros(1))) and margin.value(DOSE, np.zeros(1)) < 0
        assert all(np.all(np.isfinite(p.row)) for p in margin.supports(DOSE, np.zeros(1)))
        control = LogTumourControl(0.8, 10.0, 1.5, clonogens=1e9).margin(DOSE, 0.0)
        assert control.value(DOSE, 5.0 * ONE) < 0  # no plan has a control probability of one


def test_margins_lead_to_the_best_plan():
    # Two sites share 2 GBq, so that the best is found by trying all splits.  Growing levels: each is the value of the
    # plan with the largest margin; a fine grid of splits has an error of the second order in its step.
    rng = np.random.default_rng(12)
    dose, goal = voxel_rows(rng, 2), LowestEUD(0.05, 10.0, 1.5)
    splits = [np.array([a, 2.0 - a]) for a in np.linspace(0.0, 2.0, 2001)]
    best = max(goal.value(dose, x) for x in splits)
    level = goal.value(dose, splits[100])
    for _ in range(20):
        margin = goal.margin(dose, level)
        found = max(splits, key=lambda x: margin.value(dose, x))
        if margin.value(dose, found) <= 1e-9:
            break
        level = goal.value(dose, found)
    assert level == pytest.approx(best, rel=1e-12)


# What is refused.


def test_an_alpha_without_convex_survival_is_refused_with_the_least_one():
    # 90Y: 2 x 1.5 / 65.6 / 10 = 0.004573 per Gy; 166Ho: 2 x 1.5 / 28.3 / 10 = 0.0106 per Gy.
    for goal in (LowestEUD(0.004, 10.0, 1.5), LogTumourControl(0.004, 10.0, 1.5, clonogens=1e6)):
        with pytest.raises(LimitError, match=r"alpha = 0\.004 per Gy is below 0\.004573"):
            goal.margin(DOSE, -1.0)
        assert np.isfinite(goal.value(DOSE, ONE))  # a plan can still be described by it
    holmium = dose_rows(ROWS, [0.03, 0.01, 0.02, 1.0], {"A": [0, 1], "B": [2]}, [3], device=HOLMIUM_HO166)
    with pytest.raises(LimitError, match=r"at least 0\.0106"):
        LowestEUD(0.0105, 10.0, 1.5).margin(holmium, 50.0)
    LowestEUD(0.0107, 10.0, 1.5).margin(holmium, 50.0)


def test_the_least_alpha_is_where_survival_becomes_convex_at_zero_dose():
    # Second differences of exp(-alpha BED(d)) near 0: negative just below, positive just above twice k.
    def bend(alpha):
        d = np.array([0.0, 0.1, 0.2])
        return np.diff(np.exp(-alpha * bed(d)), 2)[0]

    assert bend(1.99 * K) < 0 < bend(2.01 * K)


@pytest.mark.parametrize("goal", [LowestEUD(0.3), LowestDoseAtVolume(70.0), LogTumourControl(0.3, clonogens=1e6)])
def test_no_sum_contains_what_is_not_concave_or_not_a_dose(goal):
    for build in (
        lambda: WeightedSum(((1.0, StructureMean("A")), (1.0, goal))),
        lambda: goal + StructureMean("A"),
        lambda: 0.5 * goal,
    ):
        with pytest.raises(LimitError, match="cannot be part of a weighted sum"):
            build()


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: LowestEUD(0.0),
        lambda: LowestEUD(-0.1),
        lambda: LowestEUD(0.3, 0.0),
        lambda: LogTumourControl(0.3),
        lambda: LogTumourControl(0.3, clonogens_per_ml=1e6, clonogens=1e8),
        lambda: LogTumourControl(0.3, clonogens=-1.0),
        lambda: VoxelShortfall("A", 0.0),
        lambda: VoxelShortfall("A", float("nan")),
        lambda: LowestDoseAtVolume(0.0),
    ],
)
def test_impossible_parameters_are_refused(wrong):
    with pytest.raises(InputError):
        wrong()


def test_structures_that_are_missing_are_named():
    with pytest.raises(StructureError, match="'C'"):
        VoxelShortfall("C", 60.0).value(DOSE, ONE)
    none = dose_rows([[1.0]], [1.0], {}, [0])
    for goal in (LowestEUD(0.3), LogTumourControl(0.3, clonogens=1e6), LowestDoseAtVolume(70.0)):
        with pytest.raises(LimitError, match="the case has none"):
            goal.value(none, ONE)


def test_tissue_parameters_not_given_are_assumptions():
    assert len(LowestEUD(0.3).biology.assumptions) == 2
    assert LowestEUD(0.3).biology.alpha_beta_gy == 10.0
    assert not LowestEUD(0.3, 10.0, 1.5).biology.assumptions
    assert LowestEUD(0.3).value(DOSE, ONE) == pytest.approx(
        equivalent_uniform_dose_gy(np.array([40.0, 80.0]), 0.3, 10.0, 1.5, 64.1, np.array([3.0, 1.0]))
    )
