"""Lung shunts: which is used, which disagree, and which are too high."""

import warnings

import pytest

from radioembolization.errors import LungShuntError, LungShuntHigh, ShuntMethodsDisagree
from radioembolization.physics import GLASS_Y90, HOLMIUM_HO166, RESIN_Y90
from radioembolization.territories.shunt.lung_shunt import (
    LungShunt,
    ShuntMethod,
    chosen_shunt,
    entered_shunt,
    shunt_text,
    side_by_side,
    warn_of_shunt,
)

ENTERED = entered_shunt(0.06)
PLANAR = LungShunt(0.0512, ShuntMethod.PLANAR)
SPECT = LungShunt(0.0391, ShuntMethod.SPECT)


@pytest.mark.parametrize("fraction", [5.0, 1.0, -0.01, float("nan")])
def test_per_cent_and_nonsense_are_refused(fraction):
    with pytest.raises(LungShuntError, match="fraction, not per cent"):
        entered_shunt(fraction)


def test_the_preferred_method_is_used_and_all_are_kept():
    kept = side_by_side((ENTERED, PLANAR, SPECT), ShuntMethod.PLANAR)
    assert [(s.method, s.fraction, s.used) for s in kept] == [
        (ShuntMethod.ENTERED, 0.06, False),
        (ShuntMethod.PLANAR, 0.0512, True),
        (ShuntMethod.SPECT, 0.0391, False),
    ]
    assert chosen_shunt((ENTERED, PLANAR, SPECT)) is SPECT
    assert chosen_shunt((ENTERED, PLANAR)) is PLANAR
    assert shunt_text(side_by_side((PLANAR, SPECT))) == "5.1 % planar, 3.9 % SPECT/CT (used)"


def test_a_method_that_is_not_there_is_refused():
    with pytest.raises(LungShuntError, match=r"by SPECT/CT .known: planar"):
        chosen_shunt((PLANAR,), ShuntMethod.SPECT)
    with pytest.raises(LungShuntError, match="known: none"):
        chosen_shunt(())


# Planar minus SPECT/CT is 2.7 +- 8.1 points: from -5.4 to +10.8.
@pytest.mark.parametrize(("planar", "disagree"), [(0.107, False), (0.109, True), (-0.053, False), (-0.055, True)])
def test_methods_that_differ_more_than_they_usually_do(planar, disagree):
    shunts = (LungShunt(0.08 + planar, ShuntMethod.PLANAR), LungShunt(0.08, ShuntMethod.SPECT))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        side_by_side(shunts)
    assert [w.category for w in caught] == [ShuntMethodsDisagree] * disagree


@pytest.mark.parametrize(
    ("fraction", "device", "words"),
    [
        (0.10, RESIN_Y90, None),
        (0.101, RESIN_Y90, "reduces the activity of resin by 20%"),
        (0.151, RESIN_Y90, "by 40%"),
        (0.201, RESIN_Y90, "contraindicates resin"),
        (0.20, GLASS_Y90, None),
        (0.305, GLASS_Y90, "allows 2.00 GBq of glass"),  # 0.61 GBq / 0.305
        (0.25, HOLMIUM_HO166, "above 20 %: look at"),
    ],
)
def test_thresholds_of_the_devices(fraction, device, words):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_of_shunt(fraction, device)
    assert [w.category for w in caught] == [LungShuntHigh] * (words is not None)
    assert words is None or words in str(caught[0].message)
