"""Uncertainty, vials and further results of a case file are read, and written so that the same is read again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from radioembolization.dose import Uncertainty
from radioembolization.errors import CaseFileError, UncertaintyError, VialError
from radioembolization.files import read_case, write_case
from radioembolization.physics import RESIN_Y90
from radioembolization.planning import SharedVials, VialCalendar
from radioembolization.treatment import AnalysisRequest, FrontRequest, MicrosphereRequest, VialRequest
from radioembolization.treatment.fingerprint import input_digests
from small_case import small_inputs

VIALS = '\n[vials]\nsizes_gbq = [1, 2]\ncalibrations = ["2026-12-01T08:00+01:00"]\n'


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return write_case(small_inputs(), tmp_path_factory.mktemp("case"))


@pytest.fixture
def read(case):
    """Return a function that reads the case with more tables, and an entry for its last site."""

    def reading(tables, of_last_site=""):
        path = case.parent / "more.toml"
        path.write_text(case.read_text(encoding="utf-8") + of_last_site + tables, encoding="utf-8")
        return read_case(path).analysis

    return reading


def test_a_case_that_asks_for_nothing_gets_reasons_only(read):
    assert read("") == AnalysisRequest()


def test_uncertainty_is_read_with_its_changes(read):
    asked = read("\n[uncertainty]\ncount = 50\nseed = 7\nrobust = true\n[uncertainty.spreads]\nvial = false\n")
    assert asked.robust and (asked.uncertainty.count, asked.uncertainty.seed) == (50, 7)
    assert "vial" not in {spread.name for spread in asked.uncertainty.spreads}


def test_vials_are_injected_at_one_hour_or_at_that_of_the_site(read):
    asked = read(
        f'{VIALS}time_zone = "Europe/Vienna"\ninject_at = "2026-12-01T14:00"\n', 'inject_at = "2026-12-02T09:30"'
    )
    hours = {site: at.astimezone(UTC) for site, at in asked.vials.inject_at.items()}
    assert hours["proper"] == hours["left"] == datetime(2026, 12, 1, 13, tzinfo=UTC)
    assert hours["right"] == datetime(2026, 12, 2, 8, 30, tzinfo=UTC)
    only = read(VIALS, "inject_at = 2026-12-02T09:30:00+01:00")  # a time of TOML itself
    assert set(only.vials.inject_at) == {"right"}


def test_fronts_are_asked_for_by_name_or_by_yes(read):
    assert read("\n[report]\nfront = true\nstaircase = true\n").front == FrontRequest()
    named = read('\n[report]\nfront = "lungs"\nfront_between = [10, 20]\nexplanation = false\n')
    assert named == AnalysisRequest(explanation=False, front=FrontRequest("lungs", (10.0, 20.0)))


def test_whole_microspheres_are_asked_for_by_the_number_of_draws(read):
    assert read("\n[report]\nmicrospheres = 20\n") == AnalysisRequest(microspheres=MicrosphereRequest(20, 0))
    assert read("\n[report]\nmicrospheres = 5\nmicrospheres_seed = 7\n").microspheres == MicrosphereRequest(5, 7)


@pytest.mark.parametrize(
    ("tables", "error", "message"),
    [
        ("\n[uncertainty]\ncount = 0\n", UncertaintyError, "number of scenarios must be 1 to"),
        ("\n[uncertainty.spreads]\nwind = true\n", UncertaintyError, "wind"),
        ("\n[uncertainty.spreads]\nregistration_shift = { sd = 300.0 }\n", UncertaintyError, "larger than physical"),
        ("\n[uncertainty]\nscenarios = 9\n", UncertaintyError, "scenarios"),
        ('\n[vials]\ncalibrations = ["2026-12-01T08:00"]\ninject_at = "2026-12-01T14:00"\n', VialError, "no time zone"),
        (f'{VIALS}inject_at = "2026-12-01T14:00"\n', VialError, "no time zone"),
        (f'{VIALS}inject_at = "noon"\n', VialError, "no date with a time"),
        (VIALS, VialError, "hour of injection"),
        (f'{VIALS}colour = "red"\ninject_at = "2026-12-01T14:00+01:00"\n', VialError, "Unknown entry 'colour'"),
        ("\n[report]\nfront = 3\n", CaseFileError, "front must be true, false or a limit"),
        ("\n[report]\nfront_between = [1, 2]\n", CaseFileError, "front_between"),
        ("\n[report]\nmicrospheres = 0\n", UncertaintyError, "whole number from 1 to 1000, not 0"),
        ("\n[report]\nmicrospheres = 1001\n", UncertaintyError, "not 1001"),
        ("\n[report]\nmicrospheres = 2.5\n", UncertaintyError, "not 2.5"),
        ("\n[report]\nmicrospheres = true\n", UncertaintyError, "not True"),
        ("\n[report]\nmicrospheres = 2\nmicrospheres_seed = -1\n", UncertaintyError, "seed of the microspheres"),
        ("\n[report]\nmicrospheres_seed = 1\n", CaseFileError, "state microspheres"),
        ("\n[report]\nstairs = true\n", CaseFileError, "unknown entry 'stairs'"),
    ],
)
def test_wrong_entries_are_named(read, tables, error, message):
    with pytest.raises(error, match=message):
        read(tables)


def test_an_hour_without_vials_is_refused(read):
    with pytest.raises(CaseFileError, match="inject_at of site 'right'"):
        read("", 'inject_at = "2026-12-02T09:30+01:00"')


def test_what_is_written_is_read_again(tmp_path):
    clock = timezone(timedelta(hours=-5))
    hours = {"left": datetime(2026, 12, 1, 14, tzinfo=clock), "right": datetime(2026, 12, 1, 15, 45, tzinfo=clock)}
    calendar = VialCalendar.of(
        RESIN_Y90, [datetime(2026, 12, 1, 8, tzinfo=clock)], [1.0, 2.5], residual=0.02, supply=SharedVials(2)
    )
    stated = {"spreads": {"registration_shift": {"sd": 2.0}, "vial": False}, "count": 30}
    asked = AnalysisRequest(
        front=FrontRequest("lungs", (5.0, 30.0)),
        staircase=True,
        uncertainty=Uncertainty.from_table(stated, "resin"),
        robust=True,
        vials=VialRequest(calendar, hours),
        microspheres=MicrosphereRequest(25, 4),
    )
    inputs = small_inputs(analysis=asked)
    again = read_case(write_case(inputs, tmp_path))
    assert again.analysis == asked
    assert input_digests(again)["choice of vials"] == input_digests(inputs)["choice of vials"]
