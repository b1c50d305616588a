"""Doses of cycles by hand, published values with their notices, and what is refused."""

import warnings

import pytest

from radioembolization.course.published_uptake import (
    CHANGE_PER_CYCLE,
    PUBLISHED,
    check_uptake,
    completed,
    population_uptake,
)
from radioembolization.course.uptake import (
    Origin,
    RegionUptake,
    checked_cycle_gbq,
    cycle_dose_range_gy,
    cycle_doses_gy,
)
from radioembolization.errors import HalfLifeError, InputError, ParameterMissing, PopulationUptake, UnusualUptake
from radioembolization.physics import Sourced, Status


def entered(gy_per_gbq, half_life_h=85.0, **more):
    def stated(value):
        return Sourced(value, "entered", Status.UNVERIFIED)

    return RegionUptake("T1", stated(gy_per_gbq), stated(half_life_h), **more)


def test_lesion_doses_of_four_cycles():
    # 30 Gy in the first cycle, 14 % less in each: 30, 25.8, 22.19, 19.08 Gy, 97.07 Gy in all.
    uptake = entered(30.0 / 7.4, change_per_cycle=-0.14)
    doses = [cycle_doses_gy(uptake, n, 7.4) for n in (1, 2, 3, 4)]
    assert doses == pytest.approx([30.0, 25.8, 22.188, 19.082], abs=5e-4)
    assert sum(doses) == pytest.approx(97.07, abs=5e-3)


def test_the_published_liver_gives_its_dose_and_stress_range():
    with pytest.warns(PopulationUptake, match=r"0\.27 \(conflict\) Gy/GBq.*0\.89 to 16\.7 Gy"):
        liver = population_uptake("liver")
    assert cycle_doses_gy(liver, 1, 7.4) == pytest.approx(2.0, abs=0.005)
    # Range of PMC6265360 times 7.4 GBq.
    assert cycle_dose_range_gy(liver, 3, 7.4) == pytest.approx((0.12 * 7.4, 2.26 * 7.4))
    assert (liver.origin, liver.change_per_cycle) == (Origin.POPULATION, 0.0)
    assert liver.effective_half_life_h.status is Status.UNVERIFIED


@pytest.mark.parametrize(("grade", "change"), [("G1", -0.06), ("g2", -0.14)])
def test_lesions_change_by_grade(grade, change):
    with pytest.warns(PopulationUptake, match=f"{change:+.0%} per cycle as published"):
        lesion = population_uptake("lesion", "T1", grade)
    assert (lesion.region, lesion.change_per_cycle) == ("T1", change)


def test_lesions_without_grade_or_change_are_refused():
    with pytest.raises(ParameterMissing, match="G1 or G2"):
        population_uptake("lesion")
    with pytest.raises(InputError, match="grade 'G3'"):
        population_uptake("lesion", grade="G3")
    with pytest.warns(PopulationUptake, match=r"\+0% per cycle as entered"):
        assert population_uptake("lesion", change_per_cycle=0.0).change_per_cycle == 0.0


def test_what_no_source_states_is_refused():
    with pytest.raises(ParameterMissing, match="half-life of the spleen"):
        population_uptake("spleen")
    for kind in ("pancreas", "rest of body"):
        with pytest.raises(InputError, match="no published uptake"):
            population_uptake(kind)


def test_missing_organs_are_completed_each_with_a_notice():
    measured = entered(0.3)
    with pytest.warns(PopulationUptake) as notices:
        uptakes = completed({"liver": measured}, ("kidney", "liver", "marrow"))
    assert uptakes["liver"] is measured
    assert [uptake.origin for uptake in uptakes.values()] == [Origin.ENTERED, Origin.POPULATION, Origin.POPULATION]
    assert ["kidney" in str(n.message) for n in notices] == [True, False]


def test_uptake_outside_the_published_range_gives_a_notice():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_uptake("liver", "liver", 0.5)
        check_uptake("pancreas", "pancreas", 50.0)
    with pytest.warns(UnusualUptake, match=r"0\.12 to 2\.26 Gy/GBq \(0\.89 to 16\.7 Gy.*exclude tumour") as caught:
        check_uptake("liver", "liver", 2.5)
    assert "MBq" not in str(caught[0].message)
    for wrong_unit in (500.0, 0.0003):
        with pytest.warns(UnusualUptake, match="MBq against GBq"):
            check_uptake("liver", "liver", wrong_unit)


def test_every_published_value_has_a_source_and_lies_in_its_range():
    for kind, published in PUBLISHED.items():
        for value in (published.gy_per_gbq, published.half_life_h):
            assert value is None or (value.source and value.value > 0), kind
        if published.range_gy_per_gbq is not None:
            low, high = published.range_gy_per_gbq
            assert low <= published.gy_per_gbq.value <= high
            assert published.range_of
        # Not read in any source: stays flagged until someone does.
        assert published.half_life_h is None or published.half_life_h.status is Status.UNVERIFIED
    assert {grade: change.value for grade, change in CHANGE_PER_CYCLE.items()} == {"G1": -0.06, "G2": -0.14}


@pytest.mark.parametrize(
    ("error", "message", "make"),
    [
        (HalfLifeError, "longer than the physical 159.5 h", lambda: entered(1.0, 200.0)),
        (InputError, "zero or a positive number", lambda: entered(-1.0)),
        (InputError, "fraction between -1 and 1", lambda: entered(1.0, change_per_cycle=-14.0)),
        (InputError, "lower end first", lambda: entered(1.0, range_gy_per_gbq=(2.0, 1.0))),
        (InputError, "7400 MBq are 7.4 GBq", lambda: cycle_doses_gy(entered(1.0), 1, 7400.0)),
        (InputError, "positive number", lambda: checked_cycle_gbq(0.0)),
        (InputError, "first cycle is number 1", lambda: cycle_doses_gy(entered(1.0), 0, 7.4)),
    ],
)
def test_refused(error, message, make):
    with pytest.raises(error, match=message):
        make()


def test_the_physical_half_life_itself_is_allowed():
    assert entered(1.0, 159.5).effective_half_life_h.value == 159.5
