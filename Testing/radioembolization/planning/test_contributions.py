"""Which site gives which structure how much dose: columns sum to the doses of the plan."""

import numpy as np
import pytest

from radioembolization.planning import MeanDose, WorstTumourMean, maximize
from radioembolization.planning.contributions import contributions
from support import K_Y90, random_rows, resin_two_sites


def test_the_two_sites_by_hand():
    table = contributions(resin_two_sites(), np.array([1.4650, 0.0643]))
    assert table.of("1", "T1") == pytest.approx(1.4650 * 103.755, rel=1e-4)
    assert table.of("2", "T1") == 0.0
    assert table.of("2", "T2") == pytest.approx(0.0643 * 373.52, rel=1e-4)
    assert table.of("1", "lungs") == pytest.approx(1.4650 * K_Y90 * 0.06)
    assert table.share[1][table.structures.index("T2")] == pytest.approx(0.2402, abs=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_columns_sum_to_the_plan(seed):
    dose = random_rows(np.random.default_rng(seed), 6, 3, spill=0.05)
    plan = maximize(WorstTumourMean()).subject_to(MeanDose("normal liver").at_most(gy=40)).solve(dose)
    table = contributions(dose, plan.activities_gbq)
    assert table.sites == tuple(site.name for site in plan.used_sites)
    means = {s.name: s.mean_gy for s in plan.structures} | {"lungs": plan.lung_gy}
    assert set(table.structures) == set(means)
    np.testing.assert_allclose(np.sum(table.mean_gy, axis=0), table.total_gy, rtol=1e-12)
    np.testing.assert_allclose(table.total_gy, [means[name] for name in table.structures], rtol=1e-9)
    np.testing.assert_allclose(np.sum(table.share, axis=0), 1.0, rtol=1e-12)


def test_a_plan_of_nothing_has_no_rows():
    table = contributions(resin_two_sites(), np.zeros(2))
    assert table.sites == () and table.mean_gy == () and set(table.total_gy) == {0.0}
