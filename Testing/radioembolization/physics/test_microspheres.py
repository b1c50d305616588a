"""Devices: which nuclide, how many microspheres, and which constant is refused."""

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
