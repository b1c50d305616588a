"""What a plan states, evaluated on all voxels by hand."""

import numpy as np
import pytest

from radioembolization.physics import GLASS_Y90
from radioembolization.planning import MeanDose, TotalActivity, WorstTumourMean, maximize
from radioembolization.planning.plan import tumours
from support import K_Y90, dose_rows, resin_two_sites

# Ten voxels of 0.01 kg in the tumour, four of 0.1 kg in normal liver, of which site 1 reaches two and site 2 none.
ROWS = [[*np.arange(10.0, 101.0, 10.0), 8.0, 4.0, 0.2, 0.2], [0.0] * 14]
KG = [0.01] * 10 + [0.1] * 4
PERFUSED = np.array([[1] * 12 + [0] * 2, [0] * 12 + [1] * 2])


@pytest.fixture
def plan():
    dose = dose_rows(
        ROWS, KG, {"T": range(10)}, [10, 11, 12, 13], PERFUSED, lung_shunt=[0.04, 0.1], lung_kg=0.8, device=GLASS_Y90
    )
    return maximize(WorstTumourMean()).subject_to(TotalActivity().at_most(gbq=2.0)).solve(dose)


def test_dose_figures_of_a_structure(plan):
    tumour = plan.structures[0]
    # 2 GBq: 20 to 200 Gy in steps of 20; Dx from below: D95 at 5 % of the way, D70 at 30 %, D50 the middle.
    assert (tumour.name, tumour.role) == ("T", "tumour")
    assert (tumour.mass_kg, tumour.volume_ml) == pytest.approx((0.1, 100.0))
    assert tumour.mean_gy == pytest.approx(110.0)
    assert (tumour.min_gy, tumour.d95_gy, tumour.d70_gy, tumour.d50_gy, tumour.max_gy) == pytest.approx(
        (20.0, 29.0, 74.0, 110.0, 200.0)
    )
    assert tumour.perfused_share == 1.0
    assert [t.name for t in tumours(plan)] == ["T"]


def test_normal_liver_as_a_whole_and_its_perfused_part(plan):
    names = [s.name for s in plan.structures]
    assert names == ["T", "normal liver", "perfused normal liver", "whole liver"]
    whole, perfused = plan.structures[1], plan.structures[2]
    assert whole.mean_gy == pytest.approx(2.0 * (8.0 + 4.0 + 0.2 + 0.2) / 4.0)
    assert whole.perfused_share == pytest.approx(0.5)
    assert perfused.mean_gy == pytest.approx(2.0 * 6.0)
    assert (perfused.mass_kg, perfused.volume_ml) == pytest.approx((0.2, 200.0))


def test_sites_with_microspheres_and_lung(plan):
    used, unused = plan.sites
    assert (used.name, used.activity_gbq, used.lung_shunt) == ("1", pytest.approx(2.0), 0.04)
    assert used.microspheres == pytest.approx(0.8e6)  # 2500 Bq each
    assert (unused.activity_gbq, unused.microspheres) == (0.0, 0.0)
    assert plan.used_sites == (used,)
    np.testing.assert_allclose(plan.activities_gbq, [2.0, 0.0])
    assert plan.lung_gy == pytest.approx(K_Y90 * 0.04 * 2.0 / 0.8)


def test_goal_and_binding_limits(plan):
    assert (plan.goal.name, plan.goal.unit, plan.goal.sense) == ("lowest mean dose of any tumour", "Gy", "maximize")
    assert plan.goal.value == pytest.approx(110.0)
    assert [limit.name for limit in plan.binding_limits] == ["total injected activity"]


def test_without_a_lung_mass_there_is_no_lung_dose():
    dose = dose_rows([[4.0, 1.0]], [0.1, 1.0], {"T": [0]}, [1], lung_kg=None)
    plan = maximize(WorstTumourMean()).subject_to(MeanDose("normal liver").at_most(gy=40)).solve(dose)
    assert plan.lung_gy is None
    assert plan.structures[0].mean_gy == pytest.approx(160.0)


def test_normal_liver_of_each_territory_by_hand():
    # Both injections of 1 GBq: the territory of site 2 is the 0.15 kg of normal liver that both reach.
    dose = resin_two_sites()
    plan = maximize(WorstTumourMean()).subject_to(MeanDose("normal liver").at_most(gy=40)).solve(dose)
    x1, x2 = plan.activities_gbq
    inside = 25.939 * x1 + 186.76 * x2
    assert plan.sites[1].territory_normal_liver_gy == pytest.approx(inside, rel=1e-4)
    assert plan.sites[0].territory_normal_liver_gy == pytest.approx(
        (0.75 * 25.939 * x1 + 0.15 * inside) / 0.9, rel=1e-4
    )
    assert any(f"that of 2: {inside:.1f} Gy" in line for line in plan.explanation)
