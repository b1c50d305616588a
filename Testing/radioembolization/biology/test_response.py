"""Response curves: half at D50, their slope there, and the LKB model against its definition."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radioembolization.biology import LogisticResponse, ProbitResponse
from radioembolization.errors import InputError

CURVES = [LogisticResponse(292.0, 1.2), ProbitResponse(52.0, 0.28), ProbitResponse(39.8, 0.12, 0.97)]


@pytest.mark.parametrize("curve", CURVES)
def test_half_at_d50(curve):
    assert curve.probability(curve.d50_gy) == pytest.approx(0.5, rel=1e-12)


def test_slopes_at_d50_are_gamma():
    # dP / d ln D at D50: gamma of the logistic, 1 / (m sqrt(2 pi)) of the probit curve.
    for curve, gamma in ((CURVES[0], 1.2), (CURVES[1], 1.0 / (0.28 * math.sqrt(2.0 * math.pi)))):
        step = 1e-5
        low, high = (curve.probability(curve.d50_gy * math.exp(sign * step)) for sign in (-1.0, 1.0))
        assert (high - low) / (2.0 * step) == pytest.approx(gamma, rel=1e-6)


def test_logistic_by_hand():
    # (100 / 200)^(4 x 1.5) = 1 / 64.
    assert LogisticResponse(100.0, 1.5).probability(200.0) == pytest.approx(64.0 / 65.0, rel=1e-12)
    assert LogisticResponse(100.0, 1.5).probability(50.0) == pytest.approx(1.0 / 65.0, rel=1e-12)
    assert LogisticResponse(100.0, 1.5).probability(0.0) == 0.0
    assert LogisticResponse(100.0, 50.0).probability(1e9) == 1.0


def test_probit_is_a_normal_distribution_of_tolerance():
    assert CURVES[1].probability(40.0) == pytest.approx(NormalDist(52.0, 0.28 * 52.0).cdf(40.0), rel=1e-12)
    # Dose 0 has Phi(-1 / m), not 0.
    assert CURVES[1].probability(0.0) == pytest.approx(NormalDist().cdf(-1.0 / 0.28), rel=1e-12)


def test_part_of_an_organ_has_the_td50_of_its_volume():
    # LKB: a dose to the share v alone has TD50(v) = TD50 v^-n.
    curve = ProbitResponse(40.0, 0.12, 0.5)
    doses = np.array([40.0 * 0.25**-0.5, 0.0])
    assert curve.probability_of_voxels(doses, np.array([0.25, 0.75])) == pytest.approx(0.5, rel=1e-12)


def test_mean_dose_model():
    doses = np.array([10.0, 30.0, 80.0])
    assert CURVES[1].probability_of_voxels(doses) == pytest.approx(CURVES[1].probability(40.0), rel=1e-12)


@settings(deadline=None)
@given(low=st.floats(0.0, 500.0), step=st.floats(0.0, 500.0), curve=st.sampled_from(CURVES))
def test_probabilities_rise_and_stay_between_0_and_1(low, step, curve):
    assert 0.0 <= curve.probability(low) <= curve.probability(low + step) <= 1.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: LogisticResponse(0.0, 1.0), "D50 must be"),
        (lambda: LogisticResponse(100.0, 0.0), "Slope gamma must be"),
        (lambda: LogisticResponse(100.0, math.nan), "Slope gamma must be"),
        (lambda: ProbitResponse(-1.0, 0.1), "TD50 must be"),
        (lambda: ProbitResponse(40.0, 0.0), "Slope m must be"),
        (lambda: ProbitResponse(40.0, 0.1, 0.0), "Volume parameter n must be"),
        (lambda: CURVES[0].probability(-1.0), "Dose must be"),
        (lambda: CURVES[1].probability(math.nan), "Dose must be"),
    ],
)
def test_impossible_numbers_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
