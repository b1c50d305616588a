"""Published spreads: moments of what is drawn against closed forms, the choice of a user, and what is refused."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate, stats

from radioembolization.dose.distributions import LogNormal, Mixture, Normal
from radioembolization.dose.spreads import ActsOn, published_spreads, spread
from radioembolization.dose.uncertainty import Uncertainty, only
from radioembolization.errors import UncertaintyError
from radioembolization.physics.sourced import Status

#: Middles of equal shares of probability: averaging over them is integrating the quantile function.
MIDDLES = (np.arange(200_000) + 0.5) / 200_000


@pytest.mark.parametrize("name", list(published_spreads()))
def test_moments_of_the_values_drawn_are_those_stated(name):
    distribution = spread(name).distribution
    values = distribution.quantile(MIDDLES)
    mean, sd = distribution.moments
    assert values.mean() == pytest.approx(mean, rel=1e-3, abs=1e-6)
    assert values.std() == pytest.approx(sd, rel=2e-3)
    assert np.all(np.diff(values) >= 0)


def test_moments_of_cut_distributions_are_those_of_scipy():
    cut = Normal(1.0, 2.0, -0.5, 4.0)
    theirs = stats.truncnorm(-0.75, 1.5, loc=1.0, scale=2.0)
    assert cut.moments == pytest.approx((theirs.mean(), theirs.std()), rel=1e-9)
    assert cut.quantile(np.array([0.2, 0.9])) == pytest.approx(theirs.ppf([0.2, 0.9]), rel=1e-9)
    whole = LogNormal(0.8, 0.3)
    assert whole.moments == pytest.approx((stats.lognorm(0.3, scale=0.8).mean(), stats.lognorm(0.3, scale=0.8).std()))
    law = stats.lognorm(1.27, scale=0.006)
    inside = law.cdf(0.16)
    first = integrate.quad(lambda x: x * law.pdf(x), 0, 0.16, points=[0.001, 0.01])[0] / inside
    assert LogNormal(0.006, 1.27, 0.0, 0.16).moments[0] == pytest.approx(first, rel=1e-6)


def test_stasis_is_a_mixture():
    mixture = Mixture(LogNormal(0.03, 0.1), 0.25, 0.2, 0.6)
    values = mixture.quantile(MIDDLES)
    assert np.mean(values >= 0.2) == pytest.approx(0.25, abs=1e-4)
    assert values[values >= 0.2].mean() == pytest.approx(0.4, abs=1e-3)
    assert values.max() <= 0.6


def test_every_spread_states_source_status_and_correlation():
    for one in published_spreads().values():
        assert one.source and one.correlation and one.unit
        if one.status is Status.UNVERIFIED:
            assert one.note or one.source.startswith("assumption")


def test_numbers_of_the_literature():
    spect, planar = spread("lung_shunt_spect"), spread("lung_shunt_planar")
    assert (spect.numbers["mean"], spect.sd) == (-0.8, 3.6)
    assert (planar.numbers["mean"], planar.sd) == (-8.5, 5.3)
    # limits of agreement are mean +/- 1.96 SD: SD 92 and 50 Gy
    assert pytest.approx(92, abs=0.5) == (197.0 + 164.1) / (2 * 1.96)
    assert spread("ratio_maa_ho166").sd == pytest.approx(np.sqrt(np.log(1 + (92 / 150) ** 2)), abs=0.01)
    assert spread("ratio_scout_ho166").sd == pytest.approx(np.sqrt(np.log(1 + (50 / 150) ** 2)), abs=0.01)
    assert spread("residual_resin").numbers["median"] == 0.03
    assert spread("residual_resin_stasis").numbers["probability"] == pytest.approx(34 / 310, abs=0.001)
    # a volume CV of 23.5 % as SD of the logarithm
    assert spread("tumour_margin").sd == pytest.approx(np.sqrt(np.log(1 + 0.235**2)), abs=0.005)


def test_the_default_depends_on_the_device():
    names = {device: [s.name for s in Uncertainty.default(device).spreads] for device in ("resin", "glass", "holmium")}
    assert "residual_resin_stasis" in names["resin"] and "residual_glass" not in names["resin"]
    assert "residual_glass" in names["glass"]
    assert "ratio_scout_ho166" in names["holmium"] and not any(n.startswith("residual") for n in names["holmium"])
    assert all("lung_shunt_planar" not in chosen for chosen in names.values())


def test_a_table_chooses_changes_and_leaves_out():
    table = {
        "count": 300,
        "seed": 7,
        "probability": 0.9,
        "spreads": {"lung_shunt_planar": True, "registration_shift": {"sd": 2.0}, "vial": False},
    }
    found = Uncertainty.from_table(table, "resin")
    names = [s.name for s in found.spreads]
    assert "lung_shunt_planar" in names and "lung_shunt_spect" not in names and "vial" not in names
    assert found.on(ActsOn.SHIFT).sd == 2.0 and found.on(ActsOn.SHIFT).changed
    assert (found.count, found.seed, found.probability) == (300, 7, 0.9)
    plain = found.to_json()
    assert plain["spreads"][0]["source"] and plain["seed"] == 7


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"spreads": {"lung_shunt_mri": True}}, "no uncertainty 'lung_shunt_mri'"),
        ({"spreads": {"registration_shift": {"sd": -1.0}}}, "zero or more"),
        ({"spreads": {"registration_shift": {"sd": 40.0}}}, "larger than physical"),
        ({"spreads": {"registration_shift": {"sd": float("nan")}}}, "zero or more"),
        ({"spreads": {"registration_shift": {"width": 1.0}}}, "no number 'width'"),
        ({"spreads": {"registration_shift": {"sd": "wide"}}}, "must be a number"),
        ({"spreads": {"registration_shift": 3}}, "true, false or a table"),
        ({"spreads": {"lung_shunt_spect": True, "lung_shunt_planar": True}}, "act on the same"),
        ({"spreads": {"residual_glass": True}}, "published for glass"),
        ({"count": 0}, "number of scenarios"),
        ({"count": 2.5}, "whole number"),
        ({"seed": -1}, "seed"),
        ({"probability": 0.3}, "probability"),
        ({"worst_percent": 120.0}, "0 to 100"),
        ({"scenarios": 5}, "Unknown entries"),
        ({"spreads": dict.fromkeys(published_spreads(), False)}, "Nothing is uncertain"),
    ],
)
def test_impossible_choices_are_refused(table, words):
    with pytest.raises(UncertaintyError, match=words):
        Uncertainty.from_table(table, "resin")


def test_numbers_of_ones_own_serve_any_device():
    found = Uncertainty.from_table({"spreads": {"residual_glass": {"median": 0.02}}}, "holmium")
    assert found.on(ActsOn.RESIDUAL).numbers["median"] == 0.02


def test_worst_share():
    assert replace(only("vial"), probability=0.9).worst_share == pytest.approx(0.1)


def test_the_page_lists_every_spread():
    page = Path(__file__).parents[3] / "docs" / "uncertainty.md"
    rows = {
        line.split("`")[1]: line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| `")
    }
    assert list(rows) == list(published_spreads())
    for name, line in rows.items():
        dois = re.findall(r"10\.\d{4,}/[^\s,;)]+", spread(name).source)
        assert not dois or any(doi in line for doi in dois), name
