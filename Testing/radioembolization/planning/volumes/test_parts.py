"""What the search over doses is made of: factors, cells, envelopes and multipliers, each against its definition."""

import numpy as np
import pytest

from planning_phantom import planning_phantom
from radioembolization.errors import CertificateRejected
from radioembolization.planning import DoseAtVolume, HepaticReserve, LowestDose, LungDose, MeanDose, VolumeAbove
from radioembolization.planning.cutting_planes import CuttingPlanes
from radioembolization.planning.limits import activity_caps_gbq
from radioembolization.planning.volumes.argument import Aim, Frame, Weighing
from radioembolization.planning.volumes.boxes import Box, propagated
from radioembolization.planning.volumes.cell_steps import Steps, check_cells
from radioembolization.planning.volumes.coordinates import coordinates, factors
from radioembolization.planning.volumes.counted import counted, volume_bounds_of
from radioembolization.planning.volumes.envelope import Open, Table
from radioembolization.planning.volumes.model import cells_of, model_of
from radioembolization.planning.volumes.plans import LocalSearch
from volume_cases import N, limits_of, small_rows

LIMITS = [
    MeanDose(N).at_most(gy=50),
    LungDose().at_most(gy=30),
    VolumeAbove(N, 40.0).at_most(percent=30),
    DoseAtVolume("tumour 1", 90.0).at_least(gy=30),
]


@pytest.fixture(scope="module")
def dose():
    return planning_phantom(3000, sites=12, tumours=3, seed=4)


@pytest.fixture(scope="module")
def model(dose):
    caps = activity_caps_gbq(LIMITS, dose)
    return model_of(volume_bounds_of(LIMITS), dose, caps)


def test_factors_stay_on_their_side_of_the_rows(dose):
    rows = dose.voxel_rows(N).rows
    matrix = coordinates([rows], np.ones(12, dtype=bool))
    assert matrix.any(axis=0).all()
    exact = rows.astype(float)
    below, above = (factors(rows, matrix, side).astype(float).T @ matrix for side in (True, False))
    assert np.all(exact >= below.T)
    assert np.all(exact <= above.T)
    # They are near: most of the dose is kept.
    assert below.sum() >= 0.9 * exact.sum()


def test_few_sites_are_the_coordinates_themselves(dose):
    rows = dose.voxel_rows(N).rows
    allowed = np.isin(np.arange(12), (2, 5, 7))
    matrix = coordinates([rows], allowed)
    np.testing.assert_array_equal(matrix, np.eye(12)[[2, 5, 7]])
    np.testing.assert_array_equal(factors(rows, matrix, True), rows[[2, 5, 7]])


@pytest.mark.parametrize("width", [0.0, 0.01, 0.2])
def test_cells_are_confirmed_by_their_voxels_unless_one_is_changed(dose, model, width):
    bounds, caps = volume_bounds_of(LIMITS), activity_caps_gbq(LIMITS, dose)
    (level,) = cells_of(bounds, dose, caps, model.frame.matrix, (width,), None)
    for cells, limit in zip(level, counted(bounds, dose), strict=True):
        check_cells(cells, limit.rows, model.frame.matrix, caps > 0)
        assert cells.weights.sum() == pytest.approx(1.0)
        assert len(cells.weights) <= len(limit.rows)
        wrong = cells.rows.copy()
        wrong[np.argmax(wrong.max(axis=1))] *= 1.0 + 0.3 * cells.sign
        object.__setattr__(cells, "rows", wrong)
        with pytest.raises(CertificateRejected, match=r"promises a dose|follows its form"):
            check_cells(cells, limit.rows, model.frame.matrix, caps > 0)


def test_envelopes_are_below_the_count_and_above_nothing(dose, model):
    # At random activities in random boxes: envelope <= steps of the check <= share of voxels that do count.
    rng = np.random.default_rng(0)
    frame, limits = model.frame, counted(volume_bounds_of(LIMITS), dose)
    for _ in range(20):
        x = rng.exponential(size=12) * frame.cap_gbq * 0.15
        c = frame.matrix @ x
        box = Box(c * rng.uniform(0.3, 1.0, len(c)), c * rng.uniform(1.0, 2.0, len(c)) + 1e-6)
        for cells, limit in zip(model.levels[0], limits, strict=True):
            table = Table.of(cells, Open.all_of(cells), box)
            slopes, heights = table.slopes(table.of_form(c))
            steps = Steps.of(cells, np.arange(len(cells.weights)), 0.0, box)
            gy = limit.rows.exact_dose_gy(x)
            counts = float(limit.rows.share @ (limit.sign * (gy - cells.threshold_gy) > 0.0))
            envelope = table.open.certain + heights.sum()
            used = np.flatnonzero(slopes)
            line = table.open.certain + float(slopes @ table.of_form(c)) + table.intercepts(used, slopes[used]).sum()
            exact = steps.certain + float(slopes @ table.of_form(c)) + steps.intercept(slopes, 1.0)
            assert line <= envelope + 1e-7
            assert line <= exact + 1e-9
            assert exact <= counts + 1e-9


def test_any_multipliers_bound_every_plan(dose, model):
    rng = np.random.default_rng(1)
    caps = activity_caps_gbq(LIMITS, dose)
    planes, goal = CuttingPlanes(LowestDose(), LIMITS, dose, caps), LowestDose()
    frame, rows = Frame(model.frame.matrix, planes.cap_gbq), planes.master.rows()
    box = Box(np.zeros(len(frame.matrix)), frame.matrix @ frame.cap_gbq)
    tables = [Table.of(cells, Open.all_of(cells), box) for cells in model.levels[0]]
    plans = [scaled for _ in range(30) if (scaled := within(dose, rng.exponential(size=12))) is not None]
    assert plans
    for _ in range(20):
        weighing = Weighing(
            rng.exponential(size=len(rows.right)),
            0.0,
            rng.exponential(size=2) * 100.0,
            tuple(
                rng.exponential(size=len(cells.forms)) * (rng.random(len(cells.forms)) < 0.1)
                for cells in model.levels[0]
            ),
            rng.normal(size=len(frame.matrix)),
        )
        bound = frame.bound(Aim(np.zeros(12), True), weighing, rows, -np.inf, box, tables)
        assert all(goal.value(dose, x) <= bound * (1.0 + 1e-6) for x in plans)


def sparse(rng, size):
    return rng.exponential(size=size) * (rng.random(size) < 0.1)


def within(dose, x):
    """Scale a plan into the upper limits; None if the lower one is missed."""
    scale = 0.999999 * min(limit.quantity.largest_scale(dose, x, limit.bound) for limit in LIMITS[:3])
    return scale * x if LIMITS[3].is_met(dose, scale * x) else None


def test_propagation_keeps_every_point(model):
    rng, matrix = np.random.default_rng(2), model.frame.matrix
    for _ in range(50):
        x = rng.exponential(size=12) * (rng.random(12) < 0.5)
        c = matrix @ x
        box = propagated(matrix, c * rng.uniform(0.2, 1.0, len(c)), c * rng.uniform(1.0, 4.0, len(c)))
        assert np.all(box.lower <= c * (1.0 + 1e-9)) and np.all(c <= box.upper * (1.0 + 1e-9))


@pytest.mark.parametrize("kind", ["upper", "lower", "reserve", "two", "dx"])
def test_plans_are_scaled_exactly_into_the_limits(kind):
    rng = np.random.default_rng(5)
    for _ in range(5):
        dose = small_rows(rng, 3)
        limits = limits_of(kind, dose)
        planes = CuttingPlanes(LowestDose(), limits, dose, activity_caps_gbq(limits, dose))
        search = LocalSearch(planes, counted(volume_bounds_of(limits), dose), [], np.ones(3, dtype=bool))
        for _ in range(10):
            found = search.standing(rng.exponential(size=3), exact=True)
            met = all(limit.is_met(dose, found.activities_gbq) for limit in limits)
            assert found.within == met
            larger = found.activities_gbq * (1.0 + 1e-4)
            if found.within:
                assert found.score == pytest.approx(LowestDose().value(dose, found.activities_gbq))
                assert not all(limit.is_met(dose, larger) for limit in limits)


def test_a_reserve_counts_voxels_from_above():
    (bound,) = volume_bounds_of([HepaticReserve(12.0).at_least(percent=35)])
    assert bound.above
    assert bound.share == pytest.approx(0.65)
