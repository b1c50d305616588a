"""The 3780 rule of 166Ho."""

import pytest

from radioembolization.dose import holmium_rule_activity_gbq, single_compartment_activity_gbq
from radioembolization.dose.holmium_rule import HOLMIUM_RULE_GY
from radioembolization.errors import InputError
from radioembolization.physics import HOLMIUM_HO166, Convention


def test_worked_example():
    # 1.9 kg: 7.182 GBq; with a shunt of 2 % 60 Gy would need 7.330.
    k = HOLMIUM_HO166.energy_j_per_gbq(Convention.CLINICAL)
    assert holmium_rule_activity_gbq(1.9) == pytest.approx(7.182, abs=5e-4)
    assert single_compartment_activity_gbq(60.0, 1.9, k, 0.02) == pytest.approx(7.330, abs=5e-4)


def test_rule_is_60_gy_without_shunt():
    # 60 / 15.87 = 3.7807, printed as 3780 MBq/kg.
    k = HOLMIUM_HO166.energy_j_per_gbq(Convention.CLINICAL)
    exact = single_compartment_activity_gbq(HOLMIUM_RULE_GY, 1.3, k)
    assert holmium_rule_activity_gbq(1.3) == pytest.approx(exact, rel=2e-4)


@pytest.mark.parametrize("mass", [0.0, -1.0, float("nan")])
def test_impossible_masses_are_refused(mass):
    with pytest.raises(InputError, match="Liver mass"):
        holmium_rule_activity_gbq(mass)
