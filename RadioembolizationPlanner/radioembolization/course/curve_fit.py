"""Exponentials fitted to a time-activity curve: uncertainty, goodness of fit, and choice of the model."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

import numpy as np
from scipy import optimize, special

from radioembolization.course.time_activity import TimeActivity, TimeIntegratedActivity
from radioembolization.errors import MostlyExtrapolated, PoorFit, SlowClearance, TooFewTimePoints
from radioembolization.physics import LU177

_LN2 = math.log(2.0)
#: Physical decay of 177Lu [1/h]: no rate can be slower.
PHYSICAL_PER_H = _LN2 / LU177.half_life_h
#: Biological rates the search starts from, and differences between two rates [1/h].
_STARTS_PER_H = (0.0, 0.002, 0.005, 0.01, 0.03, 0.1, 0.5)
#: Fastest rate of any phase [1/h]: half-life of two minutes.
_FASTEST_PER_H = 20.0
#: Probability of so bad a fit below which it is reported, and share beyond the last point from which on it is.
_POOR, _EXTRAPOLATED = 0.01, 0.5
#: Least relative residual, so that noise-free data have a criterion.
_LEAST_SQUARES_FLOOR = 1e-24


class Model(StrEnum):
    """Form of a time-activity curve."""

    #: ``a exp(-l1 t)``
    MONO = "mono-exponential"
    #: ``a (exp(-l1 t) - exp(-l2 t))``: empty at the administration.
    UPTAKE = "uptake and clearance"
    #: ``a1 exp(-l1 t) + a2 exp(-l2 t)``
    BI = "bi-exponential"

    @property
    def parameters(self) -> int:
        """Number of free parameters."""
        return {Model.MONO: 2, Model.UPTAKE: 3, Model.BI: 4}[self]


@dataclass(frozen=True)
class Fit:
    """A fitted curve ``sum_i c_i exp(-lambda_i t)``.

    Parameters
    ----------
    model : Model
    amplitudes_gbq, rates_per_h : tuple of float
        c and lambda, the slowest rate first [GBq], [1/h].
    integral : TimeIntegratedActivity
    chi2 : float
        Sum of squared residuals over variances; over squared activities where no uncertainty was stated.
    degrees_of_freedom : int
    aicc : float
        Corrected Akaike criterion; infinite where there are too few points for it.
    stated_uncertainty : bool
        Whether the data came with uncertainties; else they follow from the residuals.
    beyond_last_share : float
        Part of the time-integrated activity after the last measurement.
    at_physical_bound : bool
        Whether the slowest rate is that of physical decay.
    """

    model: Model
    amplitudes_gbq: tuple[float, ...]
    rates_per_h: tuple[float, ...]
    integral: TimeIntegratedActivity
    chi2: float
    degrees_of_freedom: int
    aicc: float
    stated_uncertainty: bool
    beyond_last_share: float
    at_physical_bound: bool

    @property
    def terminal_half_life_h(self) -> float:
        """Half-life of the slowest phase [h]."""
        return _LN2 / self.rates_per_h[0]

    @property
    def reduced_chi2(self) -> float | None:
        """Chi2 over degrees of freedom; None without any, or without stated uncertainties."""
        if not self.degrees_of_freedom or not self.stated_uncertainty:
            return None
        return self.chi2 / self.degrees_of_freedom

    def activity_gbq(self, hours: Sequence[float] | np.ndarray) -> np.ndarray:
        """Return the activity at times after the administration [GBq]."""
        return _curve(np.array(self.amplitudes_gbq), np.array(self.rates_per_h), np.asarray(hours, dtype=float))


def fit_time_activity(data: TimeActivity, model: Model | None = None) -> Fit:
    """Fit a curve to a region's activity and integrate it from administration to infinity.

    Least squares weighted by the stated uncertainties, no rate below physical decay, no negative phase of clearance.
    The uncertainty of the time-integrated activity is ``sqrt(g^T C g)`` with the covariance C of the parameters and
    the gradient g.  Without stated uncertainties C is scaled by the residuals, and unknown where none are free.

    Parameters
    ----------
    data : TimeActivity
    model : Model, optional
        Default: the one with the least corrected Akaike criterion (AICc, as for such curves Glatting et al. 2007, Med
        Phys 34:4285); with too few points for any, the one with the fewest parameters.

    Raises
    ------
    TooFewTimePoints
        If there are fewer measurements than parameters.
    """
    best = _fitted(data, model) if model is not None else fitted_models(data)[0]
    _warn(best, data)
    return best


def fitted_models(data: TimeActivity) -> tuple[Fit, ...]:
    """Return the fits of all models that have no more parameters than there are measurements, the best first.

    Raises
    ------
    TooFewTimePoints
        If there is one measurement only.
    """
    fits = [_fitted(data, model) for model in Model if model.parameters <= len(data.hours)]
    if not fits:
        fits = [_fitted(data, Model.MONO)]
    return tuple(sorted(fits, key=lambda fit: (fit.aicc, fit.model.parameters)))


def _fitted(data: TimeActivity, model: Model) -> Fit:
    n = len(data.hours)
    if n < model.parameters:
        raise TooFewTimePoints(
            f"A {model} curve has {model.parameters} parameters, there are {n} time points: measure more often, choose "
            "a simpler curve, or assume a half-life for one time point."
        )
    scale = float(max(data.activity_gbq))
    hours, measured = np.array(data.hours), np.array(data.activity_gbq) / scale
    sd = measured if data.sd_gbq is None else np.array(data.sd_gbq) / scale

    def residuals(theta: np.ndarray) -> np.ndarray:
        return (_curve(*_phases(model, theta), hours) - measured) / sd

    start = _start(model, hours, measured, sd)
    low, high = np.zeros(len(start)), np.full(len(start), np.inf)
    rates = _rate_places(model)
    low[rates[1:]], high[rates] = 1e-6, _FASTEST_PER_H
    start = np.clip(start, low + 1e-9, high - 1e-9)
    found = optimize.least_squares(
        residuals, start, "3-point", (low, high), x_scale="jac", xtol=1e-12, ftol=1e-12, gtol=1e-12, max_nfev=500
    )
    free = n - model.parameters
    chi2 = float(2.0 * found.cost)
    variance = _variance(model, found.x, found.jac)
    if data.sd_gbq is None:
        variance = variance * chi2 / free if free else math.nan
    amplitudes, speeds = _phases(model, found.x)
    integral = float(np.sum(amplitudes / speeds))
    mean_h = float(np.sum(amplitudes / speeds**2)) / integral
    beyond = float(np.sum(amplitudes / speeds * np.exp(-speeds * hours[-1]))) / integral
    known = math.isfinite(variance)
    return Fit(
        model=model,
        amplitudes_gbq=tuple(float(a) * scale for a in amplitudes),
        rates_per_h=tuple(float(rate) for rate in speeds),
        integral=TimeIntegratedActivity(
            integral * scale, math.sqrt(variance) * scale if known else None, _LN2 * mean_h, f"{model}, {n} time points"
        ),
        chi2=chi2,
        degrees_of_freedom=free,
        aicc=_aicc(chi2, n, model.parameters, data.sd_gbq is not None),
        stated_uncertainty=data.sd_gbq is not None,
        beyond_last_share=beyond,
        at_physical_bound=bool(speeds[0] <= PHYSICAL_PER_H * (1.0 + 1e-4)),
    )


def _rate_places(model: Model) -> list[int]:
    """Return where the rates stand among the parameters: (a, b), (a, b, d) or (a1, b, d, a2)."""
    return {Model.MONO: [1], Model.UPTAKE: [1, 2], Model.BI: [1, 2]}[model]


def _phases(model: Model, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return amplitudes and rates: the slowest is physical plus biological decay b, the other d faster."""
    slow = PHYSICAL_PER_H + theta[1]
    if model is Model.MONO:
        return theta[:1], np.array([slow])
    second = -theta[0] if model is Model.UPTAKE else theta[3]
    return np.array([theta[0], second]), np.array([slow, slow + theta[2]])


def _curve(amplitudes: np.ndarray, rates: np.ndarray, hours: np.ndarray) -> np.ndarray:
    return np.asarray(np.exp(-np.outer(hours, rates)) @ amplitudes)


def _start(model: Model, hours: np.ndarray, measured: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """Return the best parameters on a grid of rates, the amplitudes by non-negative least squares."""
    best, least = np.zeros(0), math.inf
    pairs = combinations(_STARTS_PER_H, 2)
    grid = [(b,) for b in _STARTS_PER_H] if model is Model.MONO else [(b, fast - b) for b, fast in pairs]
    for biological in grid:
        rates = PHYSICAL_PER_H + np.cumsum(biological)
        columns = np.exp(-np.outer(hours, rates))
        if model is Model.UPTAKE:
            columns = columns[:, :1] - columns[:, 1:]
        amplitudes, misfit = optimize.nnls(columns / sd[:, None], measured / sd)
        if misfit < least:
            least, best = misfit, np.array([amplitudes[0], *biological, *amplitudes[1:]])
    return best


def _variance(model: Model, theta: np.ndarray, jacobian: np.ndarray) -> float:
    """Return the variance of the time-integrated activity; infinite where the data do not fix it."""
    gradient = np.zeros(len(theta))
    for place in range(len(theta)):
        step = np.zeros(len(theta))
        step[place] = 1e-6 * max(abs(theta[place]), 1e-4)
        above, below = (_phases(model, theta + sign * step) for sign in (1.0, -1.0))
        gradient[place] = (np.sum(above[0] / above[1]) - np.sum(below[0] / below[1])) / (2.0 * step[place])
    size = np.linalg.norm(jacobian, axis=0)
    if not np.all(size > 0.0) or np.linalg.cond(jacobian / size) > 1e7:
        return math.inf
    solved = np.linalg.lstsq((jacobian / size).T, gradient / size, rcond=None)[0]
    return float(solved @ solved)


def _aicc(chi2: float, points: int, parameters: int, stated: bool) -> float:
    """Return the corrected Akaike criterion; the unknown variance counts as a parameter."""
    counted = parameters if stated else parameters + 1
    if points - counted - 1 <= 0:
        return math.inf
    misfit = chi2 if stated else points * math.log(max(chi2 / points, _LEAST_SQUARES_FLOOR))
    return misfit + 2.0 * counted + 2.0 * counted * (counted + 1) / (points - counted - 1)


def _warn(fit: Fit, data: TimeActivity) -> None:
    if fit.at_physical_bound:
        warnings.warn(
            f"Activity at {data.hours[0]:g} to {data.hours[-1]:g} h falls no faster than 177Lu decays: the curve ends "
            f"with the physical half-life {LU177.half_life_h:.1f} h; check calibration and segmentation of each scan.",
            SlowClearance,
            stacklevel=3,
        )
    if fit.reduced_chi2 is not None and special.chdtrc(fit.degrees_of_freedom, fit.chi2) < _POOR:
        warnings.warn(
            f"The {fit.model} curve misses its {len(data.hours)} measurements: reduced chi2 {fit.reduced_chi2:.3g} "
            "with the stated uncertainties. Leave out points before clearance begins, or measure more.",
            PoorFit,
            stacklevel=3,
        )
    if fit.beyond_last_share > _EXTRAPOLATED:
        warnings.warn(
            f"{fit.beyond_last_share:.0%} of the time-integrated activity lies after the last measurement at "
            f"{data.hours[-1]:g} h: measure later.",
            MostlyExtrapolated,
            stacklevel=3,
        )
