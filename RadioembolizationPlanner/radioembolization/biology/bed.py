"""Biologically effective dose of exponentially decaying dose rates, with repair between and during them.

Linear-quadratic model with mono-exponential repair of half-time T_rep (rate mu = ln 2 / T_rep).  A component of dose D
that starts at time s has the dose rate ``D lambda exp(-lambda (t - s))`` with lambda = ln 2 / T_eff.  Then ::

    BED = sum_i D_i + (1 / (alpha/beta)) sum_ij D_i D_j g_ij = D (1 + G D / (alpha/beta)),  D = sum_i D_i
    g_ij = integral integral rho_i(t) rho_j(w) exp(-mu |t - w|) dt dw

with rho the dose rate of unit dose and G the dose-protraction factor of Lea and Catcheside, in (0, 1].
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeVar

import numpy as np

from radioembolization.errors import InputError
from radioembolization.physics.checked_numbers import not_negative, positive

#: A dose [Gy]: one number, or one for each voxel.
Dose = TypeVar("Dose", float, np.ndarray)


@dataclass(frozen=True)
class DoseComponent:
    """An exponentially decaying dose rate, from its start to infinity.

    Parameters
    ----------
    dose_gy : float
        Dose of the whole decay [Gy].
    effective_half_life_h : float
        Half-life of the dose rate [h]: physical for permanent implants, shorter where activity is cleared.
    start_h : float
        Time of its start on a clock common to all components [h].
    """

    dose_gy: float
    effective_half_life_h: float
    start_h: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a negative dose, a half-life that is not positive and a start that is not a number."""
        not_negative("Dose", self.dose_gy, "Gy")
        positive("Effective half-life", self.effective_half_life_h, "h")
        if not math.isfinite(self.start_h):
            raise InputError(f"The start of a dose component must be a number of hours, not {self.start_h:g}.")


def protraction_factor(effective_half_life_h: float, repair_half_time_h: float) -> float:
    """Return the dose-protraction factor of one exponential dose rate.

    ``G = lambda / (lambda + mu) = T_rep / (T_rep + T_eff)``; Dale 1985, 10.1259/0007-1285-58-690-515.

    Parameters
    ----------
    effective_half_life_h, repair_half_time_h : float
        Half-life of the dose rate and half-time of repair [h].

    Raises
    ------
    InputError
        If one is not a positive number.
    """
    repair_h = positive("Repair half-time", repair_half_time_h, "h")
    return repair_h / (repair_h + positive("Effective half-life", effective_half_life_h, "h"))


def mutual_protraction(
    earlier_half_life_h: float, later_half_life_h: float, delay_h: float, repair_half_time_h: float
) -> float:
    """Return the protraction factor g between two exponential dose rates, the second starting later.

    Half of the cross term: the two add ``2 D_1 D_2 g / (alpha/beta)`` to the BED.  With a = lambda_1, b = lambda_2 and
    the delay d, the pairs with both damages after the second start give the first term, those with the first
    damage before it the second::

        g = exp(-a d) (a b / (a + b)) (1 / (a + mu) + 1 / (b + mu))
            + (a b / (b + mu)) (exp(-a d) - exp(-mu d)) / (mu - a)

    The last quotient tends to ``d exp(-a d)`` as mu tends to a; it is evaluated as
    ``d exp(-min(a, mu) d) (1 - exp(-x)) / x`` with ``x = |mu - a| d``, which holds for equal rates too.
    With d = 0 and equal half-lives g is ``protraction_factor``.

    Parameters
    ----------
    earlier_half_life_h, later_half_life_h : float
        Half-life of the dose rate that starts first and of that which starts later [h].
    delay_h : float
        Time between the starts [h], at least zero.
    repair_half_time_h : float
        Half-time of repair [h].

    Raises
    ------
    InputError
        If a half-life is not positive or the delay is negative.
    """
    a = math.log(2.0) / positive("Effective half-life", earlier_half_life_h, "h")
    b = math.log(2.0) / positive("Effective half-life", later_half_life_h, "h")
    mu = math.log(2.0) / positive("Repair half-time", repair_half_time_h, "h")
    d = not_negative("Delay", delay_h, "h")
    x = abs(mu - a) * d
    quotient = d * math.exp(-min(a, mu) * d) * (-math.expm1(-x) / x if x > 0.0 else 1.0)
    both_after = math.exp(-a * d) * a * b / (a + b) * (1.0 / (a + mu) + 1.0 / (b + mu))
    return both_after + a * b / (b + mu) * quotient


def cross_bed_gy(first: DoseComponent, second: DoseComponent, alpha_beta_gy: float, repair_half_time_h: float) -> float:
    """Return what two dose components add to the sum of their own BEDs [Gy], ``2 D_1 D_2 g / (alpha/beta)``.

    Damage of one that is not repaired when the other strikes; it dies out with the delay.

    Parameters
    ----------
    first, second : DoseComponent
        In any order.
    alpha_beta_gy : float
        Ratio alpha/beta of the tissue [Gy].
    repair_half_time_h : float
        Half-time of repair [h].

    Raises
    ------
    InputError
        If a parameter is not a positive number.
    """
    earlier, later = sorted((first, second), key=lambda component: component.start_h)
    mutual = mutual_protraction(
        earlier.effective_half_life_h, later.effective_half_life_h, later.start_h - earlier.start_h, repair_half_time_h
    )
    return 2.0 * first.dose_gy * second.dose_gy * mutual / positive("alpha/beta", alpha_beta_gy, "Gy")


def bed_of_components_gy(components: Sequence[DoseComponent], alpha_beta_gy: float, repair_half_time_h: float) -> float:
    """Return the BED of several dose components with all their cross terms [Gy].

    Parameters
    ----------
    components : sequence of DoseComponent
    alpha_beta_gy, repair_half_time_h : float
        As for ``cross_bed_gy``.

    Raises
    ------
    InputError
        If there is no component, or a parameter is not a positive number.
    """
    if not components:
        raise InputError("The BED of no dose component was asked for: give at least one.")
    single = sum(bed_gy(c.dose_gy, alpha_beta_gy, repair_half_time_h, c.effective_half_life_h) for c in components)
    pairs = combinations(components, 2)
    return single + sum(cross_bed_gy(one, other, alpha_beta_gy, repair_half_time_h) for one, other in pairs)


def combined_protraction_factor(components: Sequence[DoseComponent], repair_half_time_h: float) -> float:
    """Return the protraction factor G of several dose components, ``sum_ij D_i D_j g_ij / (sum_i D_i)^2``.

    Raises
    ------
    InputError
        If the total dose or the half-time of repair is not a positive number.
    """
    total = positive("Total dose", sum(component.dose_gy for component in components), "Gy")
    return (bed_of_components_gy(components, 1.0, repair_half_time_h) - total) / (total * total)


def bed_gy(dose_gy: Dose, alpha_beta_gy: float, repair_half_time_h: float, effective_half_life_h: float) -> Dose:
    """Return the biologically effective dose of one exponential dose rate [Gy].

    ``BED = D (1 + D T_rep / ((T_rep + T_eff) alpha/beta))``, for a permanent implant with the physical half-life as
    T_eff; Dale 1985, 10.1259/0007-1285-58-690-515.  Without repopulation.

    Parameters
    ----------
    dose_gy : float or ndarray
        Dose, of a structure or of each voxel [Gy].
    alpha_beta_gy : float
        Ratio alpha/beta of the tissue [Gy].
    repair_half_time_h, effective_half_life_h : float
        Half-time of repair and half-life of the dose rate [h].

    Raises
    ------
    InputError
        If a dose is negative or not a number, or a parameter is not a positive number.
    """
    factor = protraction_factor(effective_half_life_h, repair_half_time_h)
    alpha_beta = positive("alpha/beta", alpha_beta_gy, "Gy")
    return _doses("Dose", dose_gy) * (1.0 + factor * dose_gy / alpha_beta)


def dose_of_bed_gy(bed_gy: Dose, alpha_beta_gy: float, repair_half_time_h: float, effective_half_life_h: float) -> Dose:
    """Return the dose of one exponential dose rate that has a given BED [Gy]; the inverse of ``bed_gy``.

    ``D = 2 BED / (1 + sqrt(1 + 4 G BED / (alpha/beta)))``.

    Parameters
    ----------
    bed_gy : float or ndarray
        BED [Gy].
    alpha_beta_gy, repair_half_time_h, effective_half_life_h : float
        As for ``bed_gy``.

    Raises
    ------
    InputError
        As for ``bed_gy``.
    """
    factor = protraction_factor(effective_half_life_h, repair_half_time_h)
    alpha_beta = positive("alpha/beta", alpha_beta_gy, "Gy")
    return 2.0 * _doses("BED", bed_gy) / (1.0 + (1.0 + 4.0 * factor * bed_gy / alpha_beta) ** 0.5)


def eqd2_gy(bed_gy: Dose, alpha_beta_gy: float) -> Dose:
    """Return the dose in fractions of 2 Gy that has the same effect [Gy], ``BED / (1 + 2 / (alpha/beta))``.

    Parameters
    ----------
    bed_gy : float or ndarray
        BED [Gy].
    alpha_beta_gy : float
        The ratio alpha/beta the BED was computed with [Gy].

    Raises
    ------
    InputError
        If the BED is negative or not a number, or alpha/beta is not a positive number.
    """
    return _doses("BED", bed_gy) / (1.0 + 2.0 / positive("alpha/beta", alpha_beta_gy, "Gy"))


def _doses(what: str, values: Dose) -> Dose:
    array = np.asarray(values, dtype=float)
    usable = np.isfinite(array) & (array >= 0.0)
    if not usable.all():
        raise InputError(f"{what} must be zero or a positive number, not {array[~usable].flat[0]:g} Gy.")
    return values
