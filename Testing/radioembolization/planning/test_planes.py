"""Planes touch every convex limit and every concave goal, stay on their side, and have the slope of the value."""

from dataclasses import replace

import numpy as np
import pytest

from limit_checks import check_planes, voxel_rows
from radioembolization.planning import (
    ColdestMean,
    GastrointestinalDose,
    HottestMean,
    LargestInjectionActivity,
    LogTumourControl,
    LowestColdestMean,
    LowestDose,
    LowestEUD,
    LungDose,
    MaximumDose,
    MeanBED,
    MeanDose,
    MeanShortfall,
    MicrosphereConcentration,
    MinimumDose,
    PerfusedNormalLiverDose,
    ShuntedActivity,
    SiteActivity,
    StructureMean,
    TotalActivity,
    VoxelShortfall,
    WorstTumourMean,
    WorstTumourPartMean,
)

SITES = 4
CONVEX = [
    MeanDose("normal liver"),
    LungDose(5.0),
    ShuntedActivity(),
    TotalActivity(),
    SiteActivity("2"),
    GastrointestinalDose(0.05),
    LargestInjectionActivity(),
    MicrosphereConcentration(),
    MaximumDose("normal liver"),
    HottestMean("normal liver", 30.0),
    MeanBED("normal liver"),
    MeanBED("T0", 10.0, 1.5),
]
CONCAVE = [MinimumDose("T0"), ColdestMean("T0", 30.0)]
#: With alpha/beta 10 Gy and repair in 1.5 h, k = 1.5 / 65.6 / 10 per Gy: alpha of at least 0.00457.
GOALS = [
    WorstTumourMean(),
    WorstTumourPartMean(),
    StructureMean("T0"),
    MeanShortfall("T0", 60.0),
    LowestDose(),
    LowestColdestMean(30.0),
    VoxelShortfall("T0", 60.0),
    LogTumourControl(0.05, 10.0, 1.5, clonogens_per_ml=100.0),
    LogTumourControl(0.3, 10.0, 1.5, clonogens=1e7),
]


def rows_and_numbers(seed):
    rng = np.random.default_rng(seed)
    return voxel_rows(rng, SITES), rng


@pytest.mark.parametrize("quantity", [*CONVEX, *CONCAVE], ids=lambda q: q.name)
def test_planes_of_quantities(quantity):
    dose, rng = rows_and_numbers(11)
    check_planes(
        lambda x: quantity.value(dose, x),
        lambda x: quantity.supports(dose, x, exact=True),
        quantity in CONVEX,
        rng,
        SITES,
    )


@pytest.mark.parametrize(("bound", "upper"), [(40.0, True), (25.0, False)])
def test_planes_of_limits_are_zero_at_the_bound(bound, upper):
    # What the solver sees of a limit: planes of the excess, moved by the bound.
    quantity = MeanBED("normal liver") if upper else ColdestMean("T0", 30.0)
    dose, rng = rows_and_numbers(12)
    limit = quantity.at_most(gy=bound) if upper else quantity.at_least(gy=bound)
    check_planes(lambda x: limit.excess(dose, x), lambda x: limit.supports(dose, x, exact=True), True, rng, SITES)


def test_planes_of_the_perfused_liver_have_the_sign_of_the_excess():
    # energy - bound x perfused mass: its planes are nowhere above it, and it is positive exactly beyond the limit.
    dose, rng = rows_and_numbers(13)
    limit = PerfusedNormalLiverDose().at_most(gy=40.0)
    for _ in range(50):
        x, y = rng.uniform(0.0, 2.0, (2, SITES))
        touching = limit.supports(dose, x, exact=True)
        assert (max(p.at(x) for p in touching) > 0) == (limit.excess(dose, x) > 0)
        if limit.excess(dose, y) <= 0:
            assert max(p.at(y) for p in touching) <= 1e-12


@pytest.mark.parametrize("goal", GOALS, ids=lambda g: g.name)
def test_planes_of_goals(goal):
    dose, rng = rows_and_numbers(14)
    check_planes(lambda x: goal.score(dose, x), lambda x: goal.supports(dose, x, exact=True), False, rng, SITES)


@pytest.mark.parametrize("level", [0.0, 20.0, 60.0])
@pytest.mark.parametrize("alpha", [0.0046, 0.05, 0.4])
def test_planes_of_margins_of_an_equivalent_uniform_dose(alpha, level):
    dose, rng = rows_and_numbers(15)
    goal = LowestEUD(alpha, 10.0, 1.5).margin(dose, level)
    check_planes(lambda x: goal.score(dose, x), lambda x: goal.supports(dose, x, exact=True), False, rng, SITES, 2.0)


@pytest.mark.parametrize("level", [-1e5, -3.0, -1e-4])
def test_planes_of_margins_of_tumour_control(level):
    dose, rng = rows_and_numbers(16)
    goal = LogTumourControl(0.2, 10.0, 1.5, clonogens=1e6).margin(dose, level)
    check_planes(lambda x: goal.score(dose, x), lambda x: goal.supports(dose, x, exact=True), False, rng, SITES, 2.0)


@pytest.mark.parametrize("what", [*CONVEX, *CONCAVE, *GOALS], ids=lambda w: w.name)
def test_planes_in_single_precision_are_the_same_to_rounding(what):
    # The rows of the search are float32: heights differ by some 1e-7 of the terms that are summed.
    dose, rng = rows_and_numbers(17)
    single = replace(dose, rows=dose.rows.astype(np.float32))
    for _ in range(3):
        x = rng.uniform(0.1, 0.8, SITES)
        fast, exact = what.supports(single, x), what.supports(single, x, exact=True)
        for one, other in zip(fast, exact, strict=True):
            scale = float(np.abs(other.row) @ x) + abs(other.constant) + 1.0
            assert abs(one.at(x) - other.at(x)) <= 3e-6 * scale
