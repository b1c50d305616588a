"""Vials: decay, residual, microspheres against numbers worked by hand, and supplies."""

from datetime import UTC, datetime, timedelta

import pytest

from radioembolization.errors import VialError
from radioembolization.physics import GLASS_Y90, HOLMIUM_HO166, RESIN_Y90
from radioembolization.planning.vial_calendar import VialCalendar
from radioembolization.planning.vial_supply import MadeForPatient, SharedVials, WholeVials, usual_supply
from radioembolization.planning.vials import DecaySense, Injection, Vial, median_residual

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def vial(device=GLASS_Y90, gbq=3.0, bq=2500.0, **more):
    return Vial(device, gbq, NOON, bq, **more)


@pytest.mark.parametrize(("device", "percent"), [(GLASS_Y90, 1.08), (RESIN_Y90, 1.08), (HOLMIUM_HO166, 2.55)])
def test_an_hour_costs_the_published_share_of_the_activity(device, percent):
    one = vial(device, 1.0)
    lost = 100.0 * (1.0 - one.activity_gbq(NOON + timedelta(hours=1)))
    assert lost == pytest.approx(percent, abs=0.006)


def test_half_of_it_is_left_after_the_half_life():
    # 64.1 h: TheraSphere package insert; other evaluations are within 0.2 %.
    assert vial(gbq=20.0).activity_gbq(NOON + timedelta(hours=64.1)) == pytest.approx(10.0, rel=1e-3)
    assert vial(HOLMIUM_HO166, 8.0).activity_gbq(NOON + timedelta(hours=26.8)) == pytest.approx(4.0, rel=1e-3)


def test_the_residual_is_prepared_on_top():
    # A_prep = A / (1 - R): 1.5421 GBq of resin need 1.5898 GBq with 3.0 % in the delivery set.
    prepared = 1.5421 / (1.0 - 0.03)
    assert prepared == pytest.approx(1.5898, abs=5e-5)
    given = Injection.of("right", [vial(RESIN_Y90, prepared, 50.0)], NOON, median_residual(RESIN_Y90))
    assert given.activity_gbq == pytest.approx(prepared)
    assert given.delivered_gbq == pytest.approx(1.5421)


@pytest.mark.parametrize(
    ("device", "gbq", "bq", "millions"), [(RESIN_Y90, 1.5421, 50.0, 30.8), (HOLMIUM_HO166, 7.1834, 340.0, 21.1)]
)
def test_numbers_of_microspheres_of_the_acceptance_cases(device, gbq, bq, millions):
    given = Injection.of("liver", [vial(device, gbq, bq)], NOON, 0.0)
    assert given.microspheres * 1e-6 == pytest.approx(millions, rel=0.005)


def test_a_microsphere_decays_while_their_number_stays():
    one = vial(RESIN_Y90, 3.0, 50.0)
    later = NOON + timedelta(hours=24)
    assert one.bq_per_sphere_at(later) == pytest.approx(50.0 * 0.7713, rel=1e-3)
    assert one.activity_gbq(later) * 1e9 / one.bq_per_sphere_at(later) == pytest.approx(one.microspheres)
    assert one.microspheres == pytest.approx(60e6)


def test_the_mass_of_a_vial_of_glass_is_that_of_its_spheres():
    # Four million spheres are about 110 mg (PMC8583383); 25 um at 3.4 g/cm3 gives 27.8 ng each.
    assert vial(gbq=10.0).microspheres == pytest.approx(4e6)
    assert vial(gbq=10.0).mass_mg == pytest.approx(110.0, rel=0.03)


def test_an_early_delivery_holds_more_than_its_label_states():
    early = vial(RESIN_Y90, 3.0, 50.0).activity_gbq(NOON - timedelta(hours=48))
    assert early == pytest.approx(3.0 * 2 ** (48 / 64.1), rel=1e-3)


def test_the_residuals_published():
    assert (median_residual(RESIN_Y90), median_residual(GLASS_Y90)) == (0.030, 0.006)
    with pytest.raises(VialError, match="state residual"):
        median_residual(HOLMIUM_HO166)


@pytest.mark.parametrize(("hours", "words"), [(-97, "before calibration"), (321, "after calibration")])
def test_decay_without_sense_is_refused(hours, words):
    with pytest.raises(VialError, match=words):
        vial().activity_gbq(NOON + timedelta(hours=hours))


def test_the_sense_of_decay_can_be_stated():
    wide = vial(sense=DecaySense(before_half_lives=2.0))
    assert wide.activity_gbq(NOON - timedelta(hours=97)) > 3.0 * 2**1.5
    with pytest.raises(VialError):
        DecaySense(after_half_lives=-1.0)


@pytest.mark.parametrize("gbq", [0.0, -3.0, float("nan"), float("inf")])
def test_a_vial_without_activity_is_refused(gbq):
    with pytest.raises(VialError, match="size of a vial"):
        vial(gbq=gbq)


def test_a_vial_without_time_zone_is_refused():
    with pytest.raises(VialError, match="time zone"):
        Vial(GLASS_Y90, 3.0, datetime(2026, 3, 1, 12), 2500.0)
    with pytest.raises(VialError, match="time zone"):
        vial().activity_gbq(datetime(2026, 3, 2, 12))


@pytest.mark.parametrize("residual", [-0.1, 1.0, 3.0, float("nan")])
def test_a_residual_that_is_no_share_is_refused(residual):
    with pytest.raises(VialError, match="residual"):
        Injection.of("right", [vial()], NOON, residual)
    with pytest.raises(VialError, match="residual"):
        VialCalendar.of(GLASS_Y90, [NOON], [3.0], residual=residual)


def test_an_injection_needs_a_vial_and_a_part_of_it():
    with pytest.raises(VialError, match="no vial"):
        Injection.of("right", [], NOON, 0.0)
    for share in (0.0, 1.1):
        with pytest.raises(VialError, match="draws"):
            Injection.of("right", [vial()], NOON, 0.0, share)


def test_how_devices_are_supplied():
    assert usual_supply(GLASS_Y90) == WholeVials(1)
    assert usual_supply(RESIN_Y90) == SharedVials()
    assert usual_supply(HOLMIUM_HO166) == MadeForPatient()
    assert WholeVials(2).combinations(2) == [(0,), (1,), (0, 0), (0, 1), (1, 1)]
    for wrong in (lambda: WholeVials(0), lambda: WholeVials(9), lambda: SharedVials(0)):
        with pytest.raises(VialError):
            wrong()
