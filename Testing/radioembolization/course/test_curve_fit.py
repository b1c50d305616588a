"""Fits recover known curves, state uncertainties that hold, choose the simpler model, and say when data do not do."""

import math
import warnings

import numpy as np
import pytest
from scipy import integrate

from radioembolization.course.curve_fit import PHYSICAL_PER_H, Fit, Model, fit_time_activity, fitted_models
from radioembolization.course.time_activity import TimeActivity
from radioembolization.errors import MostlyExtrapolated, PoorFit, SlowClearance, TooFewTimePoints
from series import series

LN2 = math.log(2.0)
#: Model, amplitudes [GBq], half-lives [h], times [h].
CURVES = {
    "kidney": (Model.MONO, (0.12,), (51.0,), (24.0, 96.0, 168.0)),
    "slow lesion": (Model.MONO, (0.02,), (110.0,), (24.0, 96.0, 168.0, 240.0)),
    "lesion with uptake": (Model.UPTAKE, (0.05, -0.05), (80.0, 4.0), (2.0, 6.0, 24.0, 72.0, 168.0)),
    "two phases": (Model.BI, (1.0, 0.8), (80.0, 8.0), (1.0, 4.0, 10.0, 24.0, 72.0, 168.0)),
}


def values(amplitudes, half_lives, hours):
    return sum(a * 2.0 ** (-np.asarray(hours) / t) for a, t in zip(amplitudes, half_lives, strict=True))


def fit(hours, activity, relative_sd=0.05, model=None, quiet=False) -> Fit:
    sd = None if relative_sd is None else tuple(relative_sd * np.abs(activity))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if quiet else "error")
        return fit_time_activity(TimeActivity(tuple(hours), tuple(activity), sd), model)


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("relative_sd", [0.05, None])
def test_noise_free_curves_are_recovered(name, relative_sd):
    model, amplitudes, half_lives, hours = CURVES[name]
    found = fit(hours, values(amplitudes, half_lives, hours), relative_sd, model)
    area, _ = integrate.quad(lambda t: values(amplitudes, half_lives, t), 0.0, 5000.0, limit=200)
    moment, _ = integrate.quad(lambda t: t * values(amplitudes, half_lives, t), 0.0, 5000.0, limit=200)
    after, _ = integrate.quad(lambda t: values(amplitudes, half_lives, t), hours[-1], 5000.0, limit=200)
    assert found.integral.gbq_h == pytest.approx(area, rel=1e-6)
    assert [LN2 / rate for rate in found.rates_per_h] == pytest.approx(half_lives, rel=1e-4)
    assert found.integral.effective_half_life_h == pytest.approx(LN2 * moment / area, rel=1e-5)
    assert found.beyond_last_share == pytest.approx(after / area, rel=1e-5)
    np.testing.assert_allclose(found.activity_gbq(hours), values(amplitudes, half_lives, hours), rtol=1e-6)
    assert found.terminal_half_life_h == pytest.approx(half_lives[0], rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", series(["kidney", "lesion with uptake", "slow lesion", "two phases"], 2))
def test_the_stated_uncertainty_covers_the_truth_two_times_in_three(name):
    model, amplitudes, half_lives, hours = CURVES[name]
    rng = np.random.default_rng(177)
    true = values(amplitudes, half_lives, hours)
    area = sum(a * t / LN2 for a, t in zip(amplitudes, half_lives, strict=True))
    trials, inside = 200, 0
    for _ in range(trials):
        found = fit(hours, true * (1.0 + 0.05 * rng.standard_normal(len(hours))), 0.05, model, quiet=True).integral
        inside += abs(found.gbq_h - area) < found.sd_gbq_h
    # 68.3 % with a binomial standard deviation of 3.3 %: three of them.
    assert inside / trials == pytest.approx(0.683, abs=0.10)


def test_uncertainty_of_two_points_by_hand():
    # Exact fit of two points: TIA = A1 exp(l t1) / l with l = ln(A1/A2)/(t2 - t1); relative derivatives by hand.
    t1, t2, relative = 24.0, 96.0, 0.05
    rate = LN2 / 51.0
    found = fit((t1, t2), np.exp(-rate * np.array([t1, t2])), relative).integral
    by_rate = (t1 - 1.0 / rate) / (t2 - t1)
    expected = relative * math.hypot(1.0 + by_rate, by_rate)
    assert found.relative_sd == pytest.approx(expected, rel=1e-4)


def test_without_stated_uncertainty_the_residuals_give_it():
    hours = (24.0, 48.0, 96.0, 168.0)
    true = values((0.1,), (51.0,), hours)
    one = fit(hours, true * (1.0 + np.array([0.01, -0.02, 0.02, -0.01])), None).integral.relative_sd
    two = fit(hours, true * (1.0 + 2.0 * np.array([0.01, -0.02, 0.02, -0.01])), None).integral.relative_sd
    assert two == pytest.approx(2.0 * one, rel=0.05)
    assert fit(hours[::3], true[::3], None).integral.sd_gbq_h is None  # two points leave no residual


def test_the_simpler_curve_is_chosen_unless_the_data_ask_for_more():
    rng = np.random.default_rng(7)
    hours = np.array([1.0, 4.0, 10.0, 24.0, 48.0, 72.0, 120.0, 168.0])
    mono = values((0.1,), (60.0,), hours) * (1.0 + 0.03 * rng.standard_normal(8))
    assert fit(hours, mono, 0.03, quiet=True).model is Model.MONO
    two = values((0.1, 0.2), (80.0, 5.0), hours) * (1.0 + 0.03 * rng.standard_normal(8))
    assert fit(hours, two, 0.03, quiet=True).model is Model.BI
    uptake = values((0.1, -0.1), (80.0, 5.0), hours) * (1.0 + 0.03 * rng.standard_normal(8))
    assert fit(hours, uptake, 0.03, quiet=True).model is Model.UPTAKE


def test_criterion_and_chi2_by_hand():
    hours = (24.0, 48.0, 96.0, 168.0, 200.0)
    activity = values((0.1,), (51.0,), hours) * np.array([1.05, 0.97, 1.02, 0.96, 1.03])
    found = fit(hours, activity, 0.05, Model.MONO)
    misfit = float(np.sum(((found.activity_gbq(hours) - activity) / (0.05 * activity)) ** 2))
    assert found.chi2 == pytest.approx(misfit, rel=1e-9)
    assert found.reduced_chi2 == pytest.approx(misfit / 3.0, rel=1e-9)
    # k = 2 parameters, n = 5 points: chi2 + 2 k + 2 k (k + 1) / (n - k - 1).
    assert found.aicc == pytest.approx(misfit + 4.0 + 12.0 / 2.0, rel=1e-9)
    fits = fitted_models(TimeActivity(hours, tuple(activity), tuple(0.05 * activity)))
    assert next(each.model for each in fits) is Model.MONO
    assert {each.model for each in fits} == set(Model)


@pytest.mark.parametrize("model", Model)
def test_fewer_points_than_parameters_are_refused(model):
    hours = (24.0, 48.0, 96.0, 168.0)[: model.parameters - 1]
    with pytest.raises(TooFewTimePoints, match=f"has {model.parameters} parameters, there are {len(hours)}"):
        fit(hours, values((0.1,), (51.0,), hours), model=model)


def test_one_point_alone_is_refused():
    with pytest.raises(TooFewTimePoints, match="assume a half-life"):
        fit((24.0,), np.array([0.1]))


def test_no_curve_is_slower_than_physical_decay():
    hours = (24.0, 96.0, 168.0)
    for activity in (np.array([0.1, 0.1, 0.1]), np.array([0.1, 0.12, 0.15])):
        sd = tuple(0.05 * activity)
        with pytest.warns(SlowClearance, match="159.5 h"), warnings.catch_warnings():
            warnings.simplefilter("ignore", PoorFit)
            warnings.simplefilter("ignore", MostlyExtrapolated)
            found = fit_time_activity(TimeActivity(hours, tuple(activity), sd), Model.MONO)
        assert found.at_physical_bound
        assert found.rates_per_h[0] == pytest.approx(PHYSICAL_PER_H, rel=1e-6)


def test_a_curve_that_misses_its_points_is_reported():
    hours = (2.0, 24.0, 168.0)
    with pytest.warns(PoorFit, match="reduced chi2"):
        fit_time_activity(TimeActivity(hours, (0.05, 0.1, 0.02), (0.0025, 0.005, 0.001)), Model.MONO)


def test_mostly_extrapolated_is_reported():
    hours = (4.0, 24.0)
    with pytest.warns(MostlyExtrapolated, match="after the last measurement at 24 h"):
        fit_time_activity(TimeActivity(hours, tuple(values((0.1,), (60.0,), hours))))


def test_scale_and_units_do_not_matter():
    hours = (4.0, 24.0, 72.0, 168.0)
    activity = values((0.1,), (51.0,), hours) * np.array([0.95, 1.03, 1.0, 1.02])
    small, large = fit(hours, activity * 1e-6), fit(hours, activity * 1e3)
    assert large.integral.gbq_h == pytest.approx(1e9 * small.integral.gbq_h, rel=1e-8)
    assert large.integral.relative_sd == pytest.approx(small.integral.relative_sd, rel=1e-5)
