"""BED of external beams, and what is left out by adding it to that of radionuclides without a cross term."""

from __future__ import annotations

import math

from radioembolization.biology import TissueBiology
from radioembolization.course.exposure import Exposure
from radioembolization.physics.checked_numbers import not_negative, positive

#: Rest between external beams and a radionuclide [days] from which their BEDs add: unrepaired damage has died out.
REST_DAYS = 28.0


def fractionated_bed_gy(dose_gy: float, fractions: int, alpha_beta_gy: float) -> float:
    """Return the BED of equal fractions with full repair between them [Gy], ``D (1 + d / (alpha/beta))``, d = D/n.

    Raises
    ------
    InputError
        If a number is not usable.
    """
    dose_per_fraction = not_negative("Dose", dose_gy, "Gy") / positive("Number of fractions", fractions, "")
    return dose_gy * (1.0 + dose_per_fraction / positive("alpha/beta", alpha_beta_gy, "Gy"))


def rest_days(beams: Exposure, radionuclide: Exposure) -> float:
    """Return the days between external beams and a radionuclide; 0 if they overlap."""
    return max(0.0, beams.day - radionuclide.day, radionuclide.day - beams.ends_day)


def left_out_bed_gy(beams: Exposure, radionuclide: Exposure, structure: str, tissue: TissueBiology) -> float:
    """Return the most that the cross term between external beams and a radionuclide can be [Gy].

    A fraction d at the time t after the start of a dose rate ``D lambda exp(-lambda t)`` adds
    ``2 d D g(t) / (alpha/beta)`` ::

        g(t) = lambda (exp(-lambda t) - exp(-mu t)) / (mu - lambda) + exp(-lambda t) lambda / (lambda + mu),  t >= 0
        g(t) = exp(mu t) lambda / (lambda + mu),  t < 0

    largest at ``t = ln((mu + lambda) / (2 lambda)) / (mu - lambda)``.  All fractions are taken to be given at the
    worst time that the days of the two allow.
    """
    rate = math.log(2.0) / radionuclide.half_life_h[structure]
    repair = math.log(2.0) / tissue.repair_half_time_h.value
    rest_h = 24.0 * rest_days(beams, radionuclide)
    if beams.ends_day < radionuclide.day:
        mutual = math.exp(-repair * rest_h) * rate / (rate + repair)
    else:
        mutual = _after_start(max(rest_h, _worst_h(rate, repair)), rate, repair)
    dose_products = beams.dose_of_gy(structure) * radionuclide.dose_of_gy(structure)
    return 2.0 * dose_products * mutual / tissue.alpha_beta_gy.value


def _worst_h(rate: float, repair: float) -> float:
    """Return the time after the start at which a fraction meets most unrepaired damage [h]."""
    x = (repair - rate) / (2.0 * rate)
    return (math.log1p(x) / x if x else 1.0) / (2.0 * rate)


def _after_start(time_h: float, rate: float, repair: float) -> float:
    x = abs(repair - rate) * time_h
    before = time_h * math.exp(-min(rate, repair) * time_h) * (-math.expm1(-x) / x if x > 0.0 else 1.0)
    return rate * before + math.exp(-rate * time_h) * rate / (rate + repair)
