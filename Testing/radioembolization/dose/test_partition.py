"""Activity formulas against worked examples."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radioembolization.dose import (
    lung_dose_gy,
    partition_activity_gbq,
    partition_doses,
    single_compartment_activity_gbq,
)
from radioembolization.errors import InputError

K = 49.67


def test_partition_model_with_two_tumours():
    # Resin, normal liver 0.9 kg to 40 Gy, tumours 0.2 kg (ratio 4) and 0.05 kg (ratio 2), shunt 6 %.
    activity = partition_activity_gbq(40.0, K, 0.06, 0.9, [0.2, 0.05], [4.0, 2.0])
    assert activity == pytest.approx(1.5421, abs=5e-5)
    normal, tumours = partition_doses(activity, K, 0.06, 0.9, [0.2, 0.05], [4.0, 2.0])
    assert normal == pytest.approx(40.0)
    assert tumours == pytest.approx([160.0, 80.0])
    assert lung_dose_gy(activity, K, 0.06, 1.0) == pytest.approx(4.60, abs=0.005)


def test_partition_model_with_one_tumour():
    # 2 GBq, shunt 5 %, ratio 5, 0.1 kg in 1.4 kg: 248.4 / 49.67 / 4.967 Gy, printed digits.
    normal, (tumour,) = partition_doses(2.0, K, 0.05, 1.4, [0.1], [5.0])
    assert (tumour, normal) == pytest.approx((248.4, 49.67), rel=5e-4)
    assert lung_dose_gy(2.0, K, 0.05, 1.0) == pytest.approx(4.967, rel=5e-4)


def test_partition_model_of_166ho():
    # 1.65 kg and 0.25 kg of ratio 3, shunt 2 %, 7.1834 GBq: normal liver 46.55, tumour 139.65, lung 2.28 Gy.
    normal, (tumour,) = partition_doses(7.1834, 15.87, 0.02, 1.65, [0.25], [3.0])
    assert (normal, tumour) == pytest.approx((46.55, 139.65), abs=0.005)
    assert lung_dose_gy(7.1834, 15.87, 0.02, 1.0) == pytest.approx(2.28, abs=0.005)
    # 60 Gy to 1.9 kg whatever the shunt, and 40 Gy to normal liver.
    assert single_compartment_activity_gbq(60.0, 1.9, 15.87) == pytest.approx(7.1834, abs=5e-5)
    assert partition_activity_gbq(40.0, 15.87, 0.02, 1.65, [0.25], [3.0]) == pytest.approx(6.1726, abs=5e-5)


def test_energy_is_conserved():
    normal, tumours = partition_doses(1.7, K, 0.08, 1.1, [0.2, 0.05, 0.01], [4.0, 2.0, 0.7])
    energy = 1.1 * normal + sum(m * d for m, d in zip([0.2, 0.05, 0.01], tumours, strict=True))
    assert energy == pytest.approx(K * 1.7 * 0.92, rel=1e-12)


@settings(deadline=None)
@given(
    tumours=st.lists(st.tuples(st.floats(0.001, 1.0), st.floats(0.1, 20.0)), max_size=6),
    normal_kg=st.floats(0.1, 3.0),
    activity=st.floats(0.0, 20.0),
    shunt=st.floats(0.0, 0.9),
)
def test_energy_is_conserved_for_any_number_of_tumours(tumours, normal_kg, activity, shunt):
    masses, ratios = [m for m, _ in tumours], [r for _, r in tumours]
    normal, doses = partition_doses(activity, K, shunt, normal_kg, masses, ratios)
    energy = normal_kg * normal + sum(m * d for m, d in zip(masses, doses, strict=True))
    assert energy == pytest.approx(K * activity * (1.0 - shunt), rel=1e-12)
    assert partition_activity_gbq(normal, K, shunt, normal_kg, masses, ratios) == pytest.approx(activity, rel=1e-12)


def test_glass_bound_by_the_lung():
    # Perfused 1.4 kg, 120 Gy, planar shunt 18 %.
    wanted = single_compartment_activity_gbq(120.0, 1.4, K, 0.18)
    assert wanted == pytest.approx(4.1248, abs=5e-5)
    assert lung_dose_gy(wanted, K, 0.18, 1.0) == pytest.approx(36.9, abs=0.05)
    # At 30 Gy to the lung.
    allowed = 30.0 / lung_dose_gy(1.0, K, 0.18, 1.0)
    assert allowed == pytest.approx(3.3555, abs=5e-5)
    assert allowed * 0.18 == pytest.approx(0.604, abs=5e-4)
    assert 120.0 * allowed / wanted == pytest.approx(97.6, abs=0.05)
    # Lung mass from CT.
    assert 30.0 / lung_dose_gy(1.0, K, 0.18, 0.8) == pytest.approx(2.6844, abs=5e-5)
    # 25 of 50 Gy left after an earlier treatment.
    after_earlier = 25.0 / lung_dose_gy(1.0, K, 0.18, 1.0)
    assert after_earlier == pytest.approx(2.7962, abs=5e-5)
    assert 120.0 * after_earlier / wanted == pytest.approx(81.3, abs=0.05)
    # SPECT shunt.
    by_spect = single_compartment_activity_gbq(120.0, 1.4, K, 0.13)
    assert by_spect == pytest.approx(3.8877, abs=5e-5)
    assert lung_dose_gy(by_spect, K, 0.13, 1.0) == pytest.approx(25.1, abs=0.05)


def test_single_compartment_with_residual_and_vendor_constant():
    # 120 Gy to 1.5 kg, shunt 5 %, residue 2 %, 50 J/GBq: 3.867 GBq.
    assert single_compartment_activity_gbq(120.0, 1.5, 50.0, 0.05, 0.02) == pytest.approx(3.867, abs=5e-4)


def test_more_shunt_needs_more_activity():
    # The shunt divides, it does not multiply.
    without = single_compartment_activity_gbq(120.0, 1.5, K)
    assert single_compartment_activity_gbq(120.0, 1.5, K, 0.2) == pytest.approx(without / 0.8)
    assert partition_activity_gbq(40.0, K, 0.2, 1.0, [0.1], [2.0]) == pytest.approx(40.0 * 1.2 / (K * 0.8))


@pytest.mark.parametrize(
    "call",
    [
        lambda: partition_activity_gbq(40.0, K, 0.06, 0.0, [0.2], [4.0]),
        lambda: partition_activity_gbq(40.0, K, 0.06, 0.9, [0.2], [0.0]),
        lambda: partition_activity_gbq(40.0, K, 0.06, 0.9, [-0.2], [4.0]),
        lambda: partition_doses(1.0, K, 0.06, 0.9, [0.2, 0.1], [4.0]),
        lambda: partition_doses(1.0, K, 6.0, 0.9, [0.2], [4.0]),
        lambda: partition_doses(-1.0, K, 0.06, 0.9, [0.2], [4.0]),
        lambda: partition_doses(math.nan, K, 0.06, 0.9, [0.2], [4.0]),
        lambda: partition_doses(1.0, K, 0.06, 0.9, [math.nan], [4.0]),
        lambda: partition_doses(1.0, K, 0.06, 0.9, [0.2], [math.inf]),
        lambda: partition_activity_gbq(-40.0, K, 0.06, 0.9, [0.2], [4.0]),
        lambda: single_compartment_activity_gbq(120.0, 0.0, K),
        lambda: single_compartment_activity_gbq(-1.0, 1.0, K),
        lambda: single_compartment_activity_gbq(120.0, 1.0, K, 0.0, 1.0),
        lambda: lung_dose_gy(1.0, K, 0.1, 0.0),
        lambda: lung_dose_gy(1.0, K, 18.0, 1.0),
    ],
)
def test_impossible_numbers_are_refused(call):
    with pytest.raises(InputError):
        call()
