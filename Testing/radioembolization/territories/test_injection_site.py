"""What a site may divert, and what it retains."""

import numpy as np
import pytest

from radioembolization.errors import TerritoryError
from radioembolization.territories import InjectionSite, Pattern

PERFUSED = np.ones((1, 1, 3), dtype=bool)


def test_retained_share_is_what_neither_lung_nor_other_organs_receive():
    site = InjectionSite("a", PERFUSED, lung_shunt=0.06, extrahepatic_share=0.04)
    assert site.retained_share == pytest.approx(0.90)
    assert site.pattern is Pattern.SCOUT


def test_nothing_shunted_is_possible():
    assert InjectionSite("a", PERFUSED, lung_shunt=0.0).retained_share == 1.0


@pytest.mark.parametrize("shunt", [1.0, 6.0, -0.01, np.nan, np.inf])
def test_a_shunt_that_is_no_fraction_is_refused(shunt):
    with pytest.raises(TerritoryError, match=r"'hepatic': lung shunt .*fraction, not per cent"):
        InjectionSite("hepatic", PERFUSED, lung_shunt=shunt)


@pytest.mark.parametrize("share", [1.0, 5.0, -0.1, np.nan])
def test_an_extrahepatic_share_that_is_no_fraction_is_refused(share):
    with pytest.raises(TerritoryError, match="extrahepatic share"):
        InjectionSite("hepatic", PERFUSED, lung_shunt=0.1, extrahepatic_share=share)


def test_something_must_be_retained():
    with pytest.raises(
        TerritoryError,
        match=r"shunt 0\.6 and extrahepatic share 0\.4 leave nothing for the liver",
    ):
        InjectionSite("hepatic", PERFUSED, lung_shunt=0.6, extrahepatic_share=0.4)


SUPPLY = np.array([[[0.5, 1.0, 0.0]]], dtype=np.float32)


def test_a_site_of_an_artery_keeps_supply_scout_outflow_and_upstream():
    site = InjectionSite(
        "right", PERFUSED, 0.05, 0.04, supply=SUPPLY, scout=SUPPLY, outflow={"gallbladder": 0.03}, upstream="proper"
    )
    assert (site.retained_share, site.upstream) == (pytest.approx(0.91), "proper")  # outflow is part of the 0.04
    plain = InjectionSite("a", PERFUSED, 0.05)
    assert (plain.supply, plain.scout, dict(plain.outflow), plain.upstream) == (None, None, {}, "")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"outflow": {"stomach": 0.03, "gallbladder": 0.02}}, r"0\.05 flow out to stomach, gallbladder.*only 0\.04"),
        ({"outflow": {"stomach": -0.01}}, "outflow -0.01 to 'stomach' is not in"),
        ({"outflow": {"stomach": np.nan}}, "outflow nan to 'stomach'"),
        ({"outflow": {"stomach": 3.0}}, ".*enter a fraction, not per cent"),
        ({"supply": np.ones((1, 1, 2))}, r"supply of shape \(1, 1, 2\), perfused volume \(1, 1, 3\)"),
        ({"supply": -SUPPLY}, "supply holds values down to -1"),
        ({"scout": np.full((1, 1, 3), np.nan)}, "scout holds .*no numbers"),
    ],
)
def test_an_impossible_outflow_supply_or_scout_is_refused(given, message):
    with pytest.raises(TerritoryError, match=f"'right': {message}"):
        InjectionSite("right", PERFUSED, 0.05, 0.04, **given)


def test_outflow_may_be_all_of_the_extrahepatic_share_up_to_rounding():
    shares = {"a": 0.1, "b": 0.2}  # 0.1 + 0.2 > 0.3 in floating point
    assert InjectionSite("right", PERFUSED, 0.05, 0.3, outflow=shares).outflow == shares
