"""Mean lung dose by shunt and mass, and the activity that a lung dose allows."""

from __future__ import annotations

from radioembolization.physics.checked_numbers import not_negative, positive, share_below_one

#: Lung mass of the published limits of 30 and 50 Gy, used where none was measured [kg].  A patient's own can be half
#: of it or half as much again: measure it on CT (Kao et al. 2014, 10.1186/s13550-014-0033-7).
STANDARD_LUNG_KG = 1.0
#: Share of the Monte Carlo lung dose of 90Y that the formula by shunt and mass finds (10.3390/app14177684: -40 %).
FORMULA_TO_MONTE_CARLO = 0.6


def lung_dose_gy(activity_gbq: float, energy_j_per_gbq: float, lung_shunt: float, lung_kg: float) -> float:
    """Return the mean lung dose [Gy], ``D = k A L / m``.

    Underestimates Monte Carlo by about 40 % for 90Y (10.3390/app14177684); the published limits are stated for this
    formula and 1 kg (van Roekel, thesis Utrecht, pp. 29-41).

    Parameters
    ----------
    activity_gbq : float
        Injected activity [GBq].
    energy_j_per_gbq : float
        Emitted energy k [J/GBq].
    lung_shunt : float
        Fraction L of the injected activity that reaches the lungs, in [0, 1).
    lung_kg : float
        Lung mass m [kg], from CT or ``STANDARD_LUNG_KG``.

    Raises
    ------
    InputError
        If a number is outside its range or not a number.
    """
    shunted = not_negative("Activity", activity_gbq, "GBq") * share_below_one("Lung shunt", lung_shunt)
    return positive("Energy per activity", energy_j_per_gbq, "J/GBq") * shunted / positive("Lung mass", lung_kg, "kg")


def lung_limited_activity_gbq(lung_gy: float, energy_j_per_gbq: float, lung_shunt: float, lung_kg: float) -> float:
    """Return the injected activity that gives the lungs a mean dose [GBq], ``A = D m / (k L)``.

    Parameters
    ----------
    lung_gy : float
        Mean lung dose D that is allowed, less what earlier treatments gave [Gy].
    energy_j_per_gbq, lung_shunt, lung_kg : float
        As for ``lung_dose_gy``; a shunt of zero bounds no activity and is refused.

    Raises
    ------
    InputError
        If a number is outside its range or not a number.
    """
    per_gbq = lung_dose_gy(1.0, energy_j_per_gbq, lung_shunt, lung_kg)
    positive("A lung shunt that limits an activity", lung_shunt, "")
    return not_negative("Lung dose", lung_gy, "Gy") / per_gbq
