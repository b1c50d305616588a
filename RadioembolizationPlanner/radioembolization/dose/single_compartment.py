"""Single compartment: activity and mean dose of one evenly perfused mass (MIRD formula of glass microspheres)."""

from __future__ import annotations

from radioembolization.physics.checked_numbers import not_negative, positive, share_below_one


def single_compartment_activity_gbq(
    dose_gy: float, mass_kg: float, energy_j_per_gbq: float, lung_shunt: float = 0.0, residual: float = 0.0
) -> float:
    """Return the activity to prepare for a mean dose to a perfused mass.

    ``A = D M / (k (1 - L) (1 - R))``.  Form of the TheraSphere package insert, there with k = 50 J/GBq; van Roekel,
    thesis Utrecht, pp. 29-41.  The shunt divides: more shunt needs more activity.

    Parameters
    ----------
    dose_gy : float
        Mean dose D of the perfused mass [Gy].
    mass_kg : float
        Perfused mass M, tumours included [kg].
    energy_j_per_gbq : float
        Emitted energy k [J/GBq], which is [Gy kg/GBq].
    lung_shunt : float
        Fraction L of the injected activity that reaches the lungs, in [0, 1).
    residual : float
        Fraction R of the prepared activity that stays in vial and catheter, in [0, 1).

    Returns
    -------
    float
        Activity at the time of injection [GBq].

    Raises
    ------
    InputError
        If a number is outside its range or not a number.
    """
    reaching = _reaching_the_mass(mass_kg, energy_j_per_gbq, lung_shunt, residual)
    return not_negative("Dose", dose_gy, "Gy") / reaching


def single_compartment_dose_gy(
    activity_gbq: float, mass_kg: float, energy_j_per_gbq: float, lung_shunt: float = 0.0, residual: float = 0.0
) -> float:
    """Return the mean dose of a perfused mass [Gy], ``D = k A (1 - L) (1 - R) / M``.

    Parameters
    ----------
    activity_gbq : float
        Activity prepared, at the time of injection [GBq].
    mass_kg, energy_j_per_gbq, lung_shunt, residual : float
        As for ``single_compartment_activity_gbq``.

    Raises
    ------
    InputError
        If a number is outside its range or not a number.
    """
    reaching = _reaching_the_mass(mass_kg, energy_j_per_gbq, lung_shunt, residual)
    return not_negative("Activity", activity_gbq, "GBq") * reaching


def _reaching_the_mass(mass_kg: float, energy_j_per_gbq: float, lung_shunt: float, residual: float) -> float:
    """Return the dose of the mass per prepared activity [Gy/GBq]."""
    energy = positive("Energy per activity", energy_j_per_gbq, "J/GBq")
    kept = (1.0 - share_below_one("Lung shunt", lung_shunt)) * (1.0 - share_below_one("Residual", residual))
    return energy * kept / positive("Perfused mass", mass_kg, "kg")
