"""What cannot be planned is refused by name, or planned with its gap; nothing is dropped in silence."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from radioembolization.dose import StructureRows
from radioembolization.errors import Infeasible, InputError, StructureError, UnboundedActivity
from radioembolization.planning import (
    HottestMean,
    InjectionSites,
    LowestDose,
    LungDose,
    MaximumDose,
    MeanDose,
    TotalActivity,
    WorstTumourMean,
    maximize,
)
from radioembolization.structures import Role
from support import dose_rows, resin_two_sites

WHOLE = MeanDose("normal liver").at_most(gy=40)
PLAN = maximize(WorstTumourMean()).subject_to(WHOLE)


@pytest.mark.parametrize("value", [np.nan, np.inf, -5.0])
def test_rows_that_are_no_doses_are_refused(value):
    dose = resin_two_sites()
    dose.rows[1, 2] = value
    with pytest.raises(InputError, match=r"site '2'.*must be a number"):
        PLAN.solve(dose)


def test_rows_of_zero_everywhere_are_refused():
    # As if all activity went to the lungs.
    dose = dose_rows(np.zeros((2, 3)), [0.1, 0.5, 0.5], {"T": [0]}, [1, 2], perfused=np.ones((2, 3)), lung_shunt=[1, 1])
    with pytest.raises(InputError, match="No site gives any dose"):
        PLAN.subject_to(LungDose().at_most(gy=30)).solve(dose)


def test_a_site_that_gives_no_dose_is_unbounded_or_left_out():
    dose = dose_rows([[40.0, 10.0], [0.0, 0.0]], [0.1, 1.0], {"T": [0]}, [1], perfused=np.ones((2, 2)))
    with pytest.raises(UnboundedActivity, match="site '2'"):
        PLAN.solve(dose)
    plan = PLAN.subject_to(TotalActivity().at_most(gbq=10)).solve(dose)
    assert plan.activities_gbq == pytest.approx([4.0, 0.0])


def test_all_activity_of_one_site_in_the_lungs_is_not_injected():
    dose = dose_rows(
        [[40.0, 10.0], [0.0, 0.0]], [0.1, 1.0], {"T": [0]}, [1], perfused=np.ones((2, 2)), lung_shunt=[0, 1]
    )
    plan = PLAN.subject_to(LungDose().at_most(gy=30)).solve(dose)
    assert plan.activities_gbq == pytest.approx([4.0, 0.0])


def test_duplicate_sites_are_used_once():
    rows = [[40.0, 10.0]] * 3
    dose = dose_rows(rows, [0.1, 1.0], {"T": [0]}, [1])
    plan = PLAN.solve(dose)
    assert plan.activities_gbq == pytest.approx([4.0, 0.0, 0.0])
    assert plan.status == "optimal"


@pytest.mark.parametrize("quantity", [MeanDose("spleen"), MaximumDose("spleen"), HottestMean("spleen", 30)])
def test_a_structure_without_voxels_is_an_error(quantity):
    dose = resin_two_sites()
    empty = StructureRows("spleen", Role.ORGAN, np.array([], dtype=int), 0.0, 0.0)
    dose = replace(dose, structures=(*dose.structures, empty))
    with pytest.raises(StructureError, match="'spleen' has no voxels"):
        PLAN.subject_to(quantity.at_most(gy=10)).solve(dose)


def test_contradicting_limits_on_voxels_name_the_least_relaxation():
    # The hottest voxel of the tumour at most 50 Gy, its mean at least 60 Gy.
    dose = resin_two_sites()
    problem = maximize(LowestDose()).subject_to(WHOLE, MaximumDose("T1").at_most(gy=50), MeanDose("T1").at_least(gy=60))
    with pytest.raises(Infeasible) as failure:
        problem.solve(dose)
    # Relative to the bounds, the larger one is relaxed: 60 Gy by 10 Gy.
    assert failure.value.excess == pytest.approx({"mean dose, T1 >= 60 Gy": 10.0}, rel=1e-4)


def test_a_tumour_that_no_single_site_reaches_gives_a_plan_of_nothing():
    dose = dose_rows([[40.0, 0.0, 10.0], [0.0, 40.0, 10.0]], [0.1, 0.1, 1.0], {"A": [0], "B": [1]}, [2])
    plan = PLAN.subject_to(InjectionSites().at_most(count=1)).solve(dose)
    assert plan.goal.value == 0.0
    assert plan.goal.bound == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("package", "command"),
    [
        ("highspy", "pip install highspy"),
        pytest.param("cvxpy", "pip install 'cvxpy[highs]'", marks=pytest.mark.exhaustive),
    ],
)
def test_a_missing_solver_is_named_with_its_command(package, command):
    script = f"""
import sys
sys.modules[{package!r}] = None
sys.path.insert(0, {str(__import__("support").REPOSITORY / "Testing" / "support")!r})
from support import resin_two_sites
from radioembolization.errors import MissingPackage
from radioembolization.planning import MeanDose, WorstTumourMean, maximize
try:
    maximize(WorstTumourMean()).subject_to(MeanDose("normal liver").at_most(gy=40)).solve(resin_two_sites())
except MissingPackage as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert command in done.stdout
