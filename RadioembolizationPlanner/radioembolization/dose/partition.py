"""The activity formulas of clinical practice: single compartment, partition model, lung dose.

All use ``D = k A / m`` with k the emitted energy [J/GBq].  Sources: van Roekel, thesis Utrecht,
pp. 29-41; the partition model for N tumours is its generalisation to concentration ratios r_i.
"""

from __future__ import annotations

from collections.abc import Sequence

from radioembolization.errors import InputError


def _effective_kg(normal_liver_kg: float, tumour_kg: Sequence[float], ratio: Sequence[float]) -> float:
    masses = (normal_liver_kg, *tumour_kg, *ratio)
    if len(tumour_kg) != len(ratio) or min(masses) <= 0:
        raise InputError("The partition model needs positive masses [kg] and one positive ratio per tumour.")
    return normal_liver_kg + sum(r * m for r, m in zip(ratio, tumour_kg, strict=True))


def _retained(lung_shunt: float) -> float:
    if not 0.0 <= lung_shunt < 1.0:
        raise InputError(f"Lung shunt {lung_shunt:g} is not in [0, 1): enter a fraction, not per cent.")
    return 1.0 - lung_shunt


def partition_doses(
    activity_gbq: float,
    energy_j_per_gbq: float,
    lung_shunt: float,
    normal_liver_kg: float,
    tumour_kg: Sequence[float],
    tumour_to_normal: Sequence[float],
) -> tuple[float, list[float]]:
    """Return the mean dose of normal liver and of each tumour [Gy].

    ``D_N = k A (1 - L) / (M_N + sum r_i M_i)``, ``D_i = r_i D_N``, r a ratio of concentrations.
    """
    effective = _effective_kg(normal_liver_kg, tumour_kg, tumour_to_normal)
    normal_gy = energy_j_per_gbq * activity_gbq * _retained(lung_shunt) / effective
    return normal_gy, [ratio * normal_gy for ratio in tumour_to_normal]


def partition_activity_gbq(
    normal_liver_gy: float,
    energy_j_per_gbq: float,
    lung_shunt: float,
    normal_liver_kg: float,
    tumour_kg: Sequence[float],
    tumour_to_normal: Sequence[float],
) -> float:
    """Return the activity [GBq] that gives normal liver a mean dose [Gy]."""
    effective = _effective_kg(normal_liver_kg, tumour_kg, tumour_to_normal)
    return normal_liver_gy * effective / (energy_j_per_gbq * _retained(lung_shunt))


def single_compartment_activity_gbq(
    dose_gy: float, mass_kg: float, energy_j_per_gbq: float, lung_shunt: float = 0.0, residual: float = 0.0
) -> float:
    """Return the activity to prepare [GBq] for a mean dose to a perfused mass (tumour included).

    ``A = D M / (k (1 - L) (1 - R))`` with R the fraction left in the delivery set.
    """
    if dose_gy < 0 or not mass_kg > 0:
        raise InputError(f"Dose {dose_gy:g} Gy and mass {mass_kg:g} kg must be positive.")
    return dose_gy * mass_kg / (energy_j_per_gbq * _retained(lung_shunt) * _retained(residual))


def lung_dose_gy(activity_gbq: float, energy_j_per_gbq: float, lung_shunt: float, lung_kg: float) -> float:
    """Return the mean lung dose [Gy], ``k A L / m``."""
    if not lung_kg > 0:
        raise InputError(f"Lung mass {lung_kg:g} kg must be positive.")
    _retained(lung_shunt)
    return energy_j_per_gbq * activity_gbq * lung_shunt / lung_kg
