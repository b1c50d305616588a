"""Vial calendars from tables, and the table of vials against times."""

import tomllib
from datetime import UTC, datetime, timedelta

import pytest

from radioembolization.errors import VialError
from radioembolization.physics import GLASS_Y90, HOLMIUM_HO166, RESIN_Y90
from radioembolization.planning.vial_calendar import VialCalendar, sizes_in_steps_gbq
from radioembolization.planning.vial_supply import SharedVials, WholeVials
from radioembolization.planning.vial_table import hourly, vial_time_table

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def calendar(text, device=GLASS_Y90):
    return VialCalendar.from_table(tomllib.loads(text), device)


def test_a_table_is_read():
    found = calendar(
        """
        sizes_gbq = [5, 3]
        time_zone = "America/New_York"
        calibrations = ["2026-03-08T12:00", 2026-03-01T12:00:00-05:00]
        vials_per_site = 2
        residual = 0.01
        bq_per_sphere = 2600
        before_half_lives = 0.5
        after_half_lives = 4
        source = "order form"
        """
    )
    assert found.sizes_gbq == (3.0, 5.0)
    assert [at.astimezone(UTC).hour for at in found.calibrations] == [17, 16]
    assert found.supply == WholeVials(2)
    assert (found.residual, found.bq_per_sphere, found.source) == (0.01, 2600.0, "order form")
    assert (found.sense.before_half_lives, found.sense.after_half_lives) == (0.5, 4.0)


def test_weekly_calibrations_and_sizes_in_steps():
    found = calendar(
        """
        first_gbq = 3
        last_gbq = 20
        step_gbq = 0.5
        time_zone = "America/New_York"
        weekday = "Sunday"
        time_of_day = "12:00"
        first_day = 2026-03-01
        last_day = "2026-03-31"
        """
    )
    assert len(found.sizes_gbq) == 35
    assert len(found.calibrations) == 5


def test_without_sizes_those_confirmed_are_taken_and_said_to_be_so():
    found = calendar('calibrations = "2026-03-01T12:00+00:00"')
    assert found.sizes_gbq == (3.0, 5.0, 7.0, 10.0, 15.0, 20.0)
    assert "default sizes" in found.source
    assert "check" in found.source
    assert calendar('calibrations = "2026-03-01T12:00Z"\nmost_vials = 2', RESIN_Y90).supply == SharedVials(2)
    made = calendar('calibrations = "2026-03-01T12:00Z"\nresidual = 0.02', HOLMIUM_HO166)
    assert made.sizes_gbq == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('calibrations = ["2026-03-01T12:00"]', "no time zone"),
        ("calibrations = [2026-03-01T12:00:00]", "no time zone"),
        ('calibrations = ["2026-03-01T12:00"]\ntime_zone = "Boston"', "Unknown time zone"),
        ('time_zone = "UTC"', "either calibrations or"),
        ('weekday = "Sunday"\ntime_zone = "UTC"', "lack time_of_day"),
        ('calibrations = ["2026-03-01T12:00Z"]\nweekday = "Sunday"', "either calibrations or"),
        ("calibrations = []", "no calibration"),
        ('calibrations = ["2026-03-01T12:00Z"]\nsizes_gbq = [3, 0]', "size of a vial"),
        ('calibrations = ["2026-03-01T12:00Z"]\nsizes_gbq = [-3]', "size of a vial"),
        ('calibrations = ["2026-03-01T12:00Z"]\nsizes_gbq = []', "no sizes"),
        ('calibrations = ["2026-03-01T12:00Z"]\nsizes_gbq = 3', "list of numbers"),
        ('calibrations = ["2026-03-01T12:00Z"]\nsizes_gbq = ["3 GBq"]', "is a number"),
        ('calibrations = ["2026-03-01T12:00Z"]\nsizes_gbq = [3]\nstep_gbq = 1', "one or the other"),
        ('calibrations = ["2026-03-01T12:00Z"]\nstep_gbq = 1', "need all of"),
        ('calibrations = ["2026-03-01T12:00Z"]\nfirst_gbq=3\nlast_gbq=9\nstep_gbq = 0', "are no sizes"),
        ('calibrations = ["2026-03-01T12:00Z"]\nresidual = 3', "residual"),
        ('calibrations = ["2026-03-01T12:00Z"]\nsizes = [3]', "Unknown entry 'sizes'"),
        ('calibrations = ["2026-03-01T12:00Z"]\nvials_per_site = 1.5', "whole number"),
        ('calibrations = ["2026-03-01T12:00Z"]\nmost_vials = 2', "no meaning"),
        ('calibrations = ["2026-03-01T12:00Z"]\nbefore_half_lives = 90', "half-lives"),
        ('calibrations = ["2026-03-01T12:00Z"]\nbq_per_sphere = 0', "microsphere"),
        ('calibrations = ["2026-03-01T12:00Z"]\nsource = 1', "is a text"),
    ],
)
def test_tables_that_cannot_be_used_are_refused(text, words):
    with pytest.raises(VialError, match=words):
        calendar(text)


def test_sizes_in_steps_end_where_they_are_said_to():
    assert sizes_in_steps_gbq(3.0, 20.0, 0.5)[-1] == 20.0
    assert sizes_in_steps_gbq(1.0, 1.25, 0.1) == (1.0, 1.1, 1.2)
    with pytest.raises(VialError, match="larger step"):
        sizes_in_steps_gbq(0.1, 20.0, 1e-3)


def test_the_table_holds_every_vial_at_every_time_and_only_those_that_make_sense():
    found = VialCalendar.of(GLASS_Y90, [NOON, NOON + timedelta(days=7)], [3.0, 20.0])
    times = hourly(NOON, 48, 24.0)
    table = vial_time_table(found, times)
    # The second calibration is 168, 144 and 120 h ahead: beyond 1.5 half-lives (96 h).
    assert len(table) == 2 * 3
    day = table[2]
    assert (day.calibrated_gbq, day.elapsed_h) == (3.0, 24.0)
    assert day.activity_gbq == pytest.approx(3.0 * 0.7713, rel=1e-3)
    assert day.delivered_gbq == pytest.approx(day.activity_gbq * 0.994)
    assert day.bq_per_sphere == pytest.approx(2500 * 0.7713, rel=1e-3)
    assert {entry.microspheres for entry in table} == {1.2e6, 8e6}
    early = vial_time_table(found, [NOON + timedelta(days=5)])
    assert [entry.elapsed_h for entry in early] == [120.0, 120.0, -48.0, -48.0]


def test_a_time_at_which_no_vial_makes_sense_is_refused():
    found = VialCalendar.of(GLASS_Y90, [NOON], [3.0])
    with pytest.raises(VialError, match="after calibration"):
        vial_time_table(found, [NOON + timedelta(days=30)])
