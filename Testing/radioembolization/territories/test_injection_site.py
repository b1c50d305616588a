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
    with pytest.raises(TerritoryError, match="sum of lung shunt and extrahepatic share"):
        InjectionSite("hepatic", PERFUSED, lung_shunt=0.6, extrahepatic_share=0.4)
