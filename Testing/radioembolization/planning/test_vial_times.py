"""Times of vials: zones, daylight-saving time, weekly calibrations."""

from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from radioembolization.errors import VialError
from radioembolization.physics import GLASS_Y90
from radioembolization.planning.vial_times import after, aware_time, elapsed_h, weekly, zone_named
from radioembolization.planning.vials import Vial

VIENNA, NEW_YORK = ZoneInfo("Europe/Vienna"), ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [  # Europe changes on the last Sundays of March and October, North America on 8 March and 1 November 2026.
        (VIENNA, date(2026, 3, 28), 23.0),
        (VIENNA, date(2026, 10, 24), 25.0),
        (NEW_YORK, date(2026, 3, 7), 23.0),
        (NEW_YORK, date(2026, 10, 31), 25.0),
        (NEW_YORK, date(2026, 3, 28), 24.0),
    ],
)
def test_from_noon_to_noon_pass_as_many_hours_as_pass(zone, day, hours):
    first = datetime(day.year, day.month, day.day, 12, tzinfo=zone)
    second = datetime(day.year, day.month, day.day, 12, tzinfo=zone) + timedelta(days=1)  # the next noon on the clock
    assert elapsed_h(first, second) == hours
    assert after(first, hours) == second
    assert after(first, hours).hour == 12


def test_a_vial_calibrated_in_new_york_is_injected_in_vienna():
    # Sunday 12:00 Eastern daylight time is 17:00 in Vienna, which changes to summer time two weeks later than New York:
    # 16:00 UTC in both.  To Monday 09:00 in Vienna (08:00 UTC) pass 16 hours.
    calibrated = aware_time("2026-03-15T12:00", NEW_YORK)
    injected = aware_time("2026-03-16T09:00", VIENNA)
    assert calibrated.astimezone(UTC) == datetime(2026, 3, 15, 16, tzinfo=UTC)
    assert elapsed_h(calibrated, injected) == 16.0
    vial = Vial(GLASS_Y90, 10.0, calibrated, 2500.0)
    assert vial.activity_gbq(injected) == pytest.approx(10.0 * 2 ** (-16 / 64.1), rel=1e-3)


def test_weekly_calibrations_stay_at_their_hour_on_the_clock():
    found = weekly("Sunday", "12:00", NEW_YORK, date(2026, 3, 1), date(2026, 3, 15))
    assert [moment.isoformat() for moment in found] == [
        "2026-03-01T12:00:00-05:00",
        "2026-03-08T12:00:00-04:00",
        "2026-03-15T12:00:00-04:00",
    ]
    assert [elapsed_h(a, b) for a, b in pairwise(found)] == [167.0, 168.0]


def test_an_offset_in_the_text_counts_before_the_zone():
    moment = aware_time("2026-03-29T12:00+09:00", VIENNA)
    assert moment.utcoffset() == timedelta(hours=9)
    assert aware_time(moment) is moment
    assert zone_named("UTC").utcoffset(None) == timedelta(0)


def test_the_same_time_in_two_zones_is_the_same():
    assert elapsed_h(datetime(2026, 7, 1, 12, tzinfo=UTC), datetime(2026, 7, 1, 14, tzinfo=VIENNA)) == 0.0
    assert (
        elapsed_h(datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=-3))), datetime(2026, 7, 1, tzinfo=UTC)) < 0
    )


@pytest.mark.parametrize(
    ("value", "zone", "words"),
    [
        ("2026-03-29T12:00", None, "no time zone"),
        (datetime(2026, 3, 29, 12), None, "no time zone"),
        ("2026-03-29T02:30", VIENNA, "does not exist"),
        ("2026-10-25T02:30", VIENNA, "happens twice"),
        ("next Sunday", VIENNA, "no date with a time"),
        (20260329, VIENNA, "no date with a time"),
    ],
)
def test_times_that_say_no_hour_are_refused(value, zone, words):
    with pytest.raises(VialError, match=words):
        aware_time(value, zone)


@pytest.mark.parametrize("name", ["Europe/Wien-Mitte", "", "../etc", "CEST+X"])
def test_an_unknown_zone_is_refused(name):
    with pytest.raises(VialError, match="Unknown time zone"):
        zone_named(name)


@pytest.mark.parametrize(
    ("weekday", "clock", "words"),
    [("Sunday", "25:00", "time of day"), ("Sonntag", "12:00", "weekday"), ("Sunday", "12:00+01:00", "offset")],
)
def test_weekly_calibrations_that_cannot_be_read_are_refused(weekday, clock, words):
    with pytest.raises(VialError, match=words):
        weekly(weekday, clock, NEW_YORK, date(2026, 3, 1), date(2026, 3, 15))


def test_weekly_calibrations_need_a_week():
    with pytest.raises(VialError, match="no Sunday"):
        weekly("Sunday", "12:00", NEW_YORK, date(2026, 3, 2), date(2026, 3, 6))
