"""Limits that contradict each other: irreducible sets, checked by leaving out each member."""

import numpy as np
import pytest

from every_choice import EveryChoice
from radioembolization.errors import Infeasible
from radioembolization.planning import (
    ColdestMean,
    HottestMean,
    InjectionActivity,
    InjectionSites,
    LungDose,
    MeanDose,
    SiteActivity,
    TotalActivity,
    WorstTumourMean,
    maximize,
)
from radioembolization.planning.conflict import conflict
from radioembolization.planning.cutting_planes import CuttingPlanes
from radioembolization.planning.limits import activity_caps_gbq
from support import random_rows, resin_two_sites

WHOLE, LUNGS = MeanDose("normal liver").at_most(gy=40), LungDose().at_most(gy=30)


def refused(limits, dose):
    with pytest.raises(Infeasible) as caught:
        maximize(WorstTumourMean()).subject_to(*limits).solve(dose)
    return caught.value


def model(limits, dose):
    caps = activity_caps_gbq(limits, dose)
    return CuttingPlanes(WorstTumourMean(), limits, dose, caps), caps > 0


def test_the_two_sites_by_hand():
    # T2 >= 100 and T1 >= 155 with a mean normal liver of 40 Gy: 152 is the most T1 can have.  The lungs play no part.
    limits = MeanDose("T1").at_least(gy=155), LUNGS, MeanDose("T2").at_least(gy=100), WHOLE
    error = refused(limits, resin_two_sites())
    assert error.irreducible == tuple(str(limit) for limit in (limits[0], limits[2], limits[3]))
    assert "without any one of them the others can" in str(error)
    assert error.excess and set(error.excess) <= set(error.irreducible)


def test_a_rule_about_sites_can_be_what_gives_way():
    # With one injection T1 160 and T2 80 Gy are possible, with two T1 152 and T2 100 Gy.
    limits = (
        MeanDose("T1").at_least(gy=150),
        MeanDose("T2").at_least(gy=100),
        WHOLE,
        LUNGS,
        InjectionSites().at_most(count=1),
    )
    error = refused(limits, resin_two_sites())
    assert error.irreducible == tuple(str(limit) for limit in (*limits[:3], limits[4]))


def test_a_forbidden_site_is_named():
    limits = SiteActivity("1").at_most(gbq=0), MeanDose("T1").at_least(gy=50), WHOLE
    assert refused(limits, resin_two_sites()).irreducible == tuple(str(limit) for limit in limits[:2])


def test_a_limit_that_fails_alone():
    limits = WHOLE, LungDose(earlier_gy=35).at_most(gy=30)
    assert refused(limits, resin_two_sites()).irreducible == (str(limits[1]),)


def test_a_doubled_limit_is_named_once():
    limits = MeanDose("T1").at_least(gy=170), WHOLE, MeanDose("normal liver").at_most(gy=40.5)
    error = refused(limits, resin_two_sites())
    assert len(error.irreducible) == 2 and error.irreducible[0] == str(limits[0])


def random_limits(rng, dose):
    """Return limits of which some are likely to contradict each other."""
    limits = [
        WHOLE,
        LungDose().at_most(gy=float(rng.uniform(3, 15))),
        TotalActivity().at_most(gbq=float(rng.uniform(0.5, 4))),
        InjectionSites().at_most(count=int(rng.integers(1, 3))),
        InjectionActivity().at_least(gbq=float(rng.uniform(0.05, 0.6))),
    ]
    limits += [MeanDose(f"T{i}").at_least(gy=float(rng.uniform(60, 250))) for i in range(2)]
    return tuple(limits[i] for i in rng.permutation(len(limits)))


@pytest.mark.parametrize("seeds", [range(3), pytest.param(range(3, 60), marks=pytest.mark.exhaustive)])
def test_random_sets_are_irreducible(seeds):
    found = 0
    for seed in seeds:
        rng = np.random.default_rng(seed)
        dose = random_rows(rng, 4, 2)
        limits = random_limits(rng, dose)
        result = conflict(*model(limits, dose))
        assert (result is None) == EveryChoice(limits, dose).feasible()
        if result is None:
            continue
        found += 1
        members = [limit for limit in limits if str(limit) in result.limits]
        assert not EveryChoice(members, dose).feasible()
        for out, activities in zip(members, result.without_gbq, strict=True):
            rest = [limit for limit in members if limit is not out]
            assert EveryChoice(rest, dose).feasible()
            assert all(limit.excess(dose, np.array(activities)) <= 1e-4 for limit in rest)
    assert found >= len(seeds) // 3


def test_limits_over_voxels_take_part():
    dose = random_rows(np.random.default_rng(2), 4, 2, spill=0.02)
    hottest, coldest = HottestMean("normal liver", 20).at_most(gy=10), ColdestMean("T0", 100).at_least(gy=1000)
    limits = hottest, coldest, LungDose().at_most(gy=1e4)
    result = conflict(*model(limits, dose))
    assert result is not None and set(result.limits) == {str(limits[0]), str(limits[1])}
    for out, activities in zip(limits[:2], result.without_gbq, strict=True):
        rest = [limit for limit in limits[:2] if limit is not out]
        assert all(limit.excess(dose, np.array(activities)) <= 1e-4 for limit in rest)


def test_a_model_with_a_plan_has_no_conflict():
    assert conflict(*model((WHOLE, LUNGS), resin_two_sites())) is None
