"""Devices: which nuclide, how many microspheres, and which constant is refused."""

from dataclasses import replace

import pytest

from radioembolization.errors import InputError
from radioembolization.physics import (
    DEVICES,
    GLASS_Y90,
    HO166,
    HOLMIUM_HO166,
    RESIN_Y90,
    Y90,
    Convention,
    Sourced,
    Status,
    decay_factor,
    device_by_name,
)


def test_devices_carry_their_nuclide():
    assert [(d.name, d.nuclide) for d in DEVICES] == [("glass", Y90), ("resin", Y90), ("holmium", HO166)]


@pytest.mark.parametrize("device", DEVICES, ids=lambda d: d.name)
def test_a_device_is_found_by_its_name(device):
    assert device_by_name(device.name) is device


def test_unknown_device_names_those_there_are():
    with pytest.raises(InputError, match=r"'glas'.*glass, resin or holmium"):
        device_by_name("glas")


@pytest.mark.parametrize(
    ("device", "activity_gbq", "millions"),
    [
        (RESIN_Y90, 1.5421, 30.8),  # worked resin example
        (HOLMIUM_HO166, 7.1834, 21.1),  # worked 166Ho example, 340 Bq per sphere
        (GLASS_Y90, 3.0, 1.2),  # 2500 Bq per sphere
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_number_of_microspheres(device, activity_gbq, millions):
    # Printed to 0.1 million.
    assert device.microspheres(activity_gbq) / 1e6 == pytest.approx(millions, abs=0.05)


def test_the_vendor_constant_is_that_of_glass_only():
    assert GLASS_Y90.energy_j_per_gbq(Convention.VENDOR) == 50.0
    with pytest.raises(InputError, match=r"glass.*resin.*clinical"):
        RESIN_Y90.energy_j_per_gbq(Convention.VENDOR)
    with pytest.raises(InputError, match=r"glass.*holmium"):
        HOLMIUM_HO166.energy_j_per_gbq(Convention.VENDOR)


def test_the_vendor_constant_is_refused_however_it_is_spelled():
    # A nuclide accepts the plain word, as it stands in case files; so must the refusal.
    assert Y90.energy_j_per_gbq("vendor") == 50.0
    with pytest.raises(InputError):
        RESIN_Y90.energy_j_per_gbq("vendor")


@pytest.mark.parametrize("device", DEVICES, ids=lambda d: d.name)
def test_clinical_constant_by_device(device):
    expected = 15.87 if device is HOLMIUM_HO166 else 49.67
    assert device.energy_j_per_gbq(Convention.CLINICAL) == expected


@pytest.mark.parametrize(
    ("device", "millions", "lowest_mg", "highest_mg"),
    [
        # PMC8583383 Table 4: spheres and mass of a treatment, both rounded; masses go with the cube of a
        # rounded diameter, so 15 % is as close as they can agree.
        (GLASS_Y90, 4.0, 110.0, 110.0),
        (RESIN_Y90, 33.0, 900.0, 900.0),
        (RESIN_Y90, 50.0, 1370.0, 1370.0),
        (HOLMIUM_HO166, 33.0, 600.0, 600.0),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_published_mass_of_a_treatment_is_that_of_its_spheres(device, millions, lowest_mg, highest_mg):
    mass_mg = millions * 1e6 * device.sphere_mass_ng * 1e-6
    assert 0.85 * lowest_mg < mass_mg < 1.15 * highest_mg
    activity_gbq = millions * 1e6 * device.bq_per_sphere / 1e9
    assert device.mass_mg(activity_gbq) == pytest.approx(mass_mg, rel=1e-12)


def test_a_milligram_of_glass_has_as_many_spheres_as_its_package_insert_states():
    assert 22_000 < 1e6 / GLASS_Y90.sphere_mass_ng < 73_000


def test_a_unit_density_sphere_of_ten_micrometres_weighs_half_a_nanogram():
    # pi/6 x (1e-3 cm)^3 x 1 g/cm3 = 0.5236 ng.
    unit = replace(
        GLASS_Y90,
        diameter_um=Sourced(10.0, "test", Status.CONFIRMED),
        density_g_per_cm3=Sourced(1.0, "test", Status.CONFIRMED),
    )
    assert unit.sphere_mass_ng == pytest.approx(0.5235988, rel=1e-6)


@pytest.mark.parametrize("device", DEVICES, ids=lambda d: d.name)
def test_typical_values_lie_in_their_ranges(device):
    low, high = device.bq_per_sphere_range.value
    assert low <= device.bq_per_sphere <= high
    low, high = device.diameter_range_um.value
    assert low < device.diameter_um.value < high


def test_activity_per_resin_sphere_follows_from_a_vial_and_its_spheres():
    # 3 GBq in 40 to 80 million spheres; 44 million in the manufacturer's words.
    low, high = RESIN_Y90.bq_per_sphere_range.value
    assert (low, high) == (3e9 / 80e6, 3e9 / 40e6)
    assert low < 3e9 / 44e6 < high


def test_vials_are_those_the_manufacturers_list():
    assert GLASS_Y90.vial_gbq.value == (3.0, 5.0, 7.0, 10.0, 15.0, 20.0)
    assert (RESIN_Y90.vial_gbq.value, RESIN_Y90.vial_tolerance.value) == ((3.0,), 0.10)
    assert HOLMIUM_HO166.vial_gbq.value == ()


def test_values_whose_sources_disagree_or_were_not_seen_say_so():
    assert RESIN_Y90.density_g_per_cm3.status is Status.CONFLICT
    assert "1.1" in RESIN_Y90.density_g_per_cm3.source
    assert GLASS_Y90.calibration.status is Status.UNVERIFIED
    assert HOLMIUM_HO166.bq_per_sphere_range.status is Status.CONFLICT
    assert str(RESIN_Y90.density_g_per_cm3) == "1.6 (conflict)"
    assert str(GLASS_Y90.diameter_um) == "25.0"


@pytest.mark.parametrize("device", DEVICES, ids=lambda d: d.name)
def test_every_value_has_a_source_and_the_device_can_be_a_key(device):
    sourced = [value for value in vars(device).values() if isinstance(value, Sourced)]
    assert len(sourced) == 7
    assert all(value.source for value in sourced)
    assert {device: 1}[device] == 1


def test_hourly_loss_stated_for_holmium_is_that_of_its_half_life():
    assert "2.55 %" in HOLMIUM_HO166.calibration.value
    assert 1.0 - decay_factor(HO166, 1.0) == pytest.approx(0.0255, abs=5e-5)
