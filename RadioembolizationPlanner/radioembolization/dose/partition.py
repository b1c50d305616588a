"""Partition model of one territory: normal liver and any number of tumours, each with an even concentration."""

from __future__ import annotations

from collections.abc import Sequence

from radioembolization.errors import InputError
from radioembolization.physics.checked_numbers import not_negative, positive, share_below_one


def partition_doses(
    activity_gbq: float,
    energy_j_per_gbq: float,
    lung_shunt: float,
    normal_liver_kg: float,
    tumour_kg: Sequence[float],
    tumour_to_normal: Sequence[float],
) -> tuple[float, list[float]]:
    """Return the mean dose of normal liver and of each tumour [Gy].

    ``D_N = k A (1 - L) / (M_N + sum r_i M_i)``, ``D_i = r_i D_N``; van Roekel, thesis Utrecht, pp. 29-41, for N tumours
    by concentration ratios r_i.  The ratio of Kao et al. 2013 (10.1007/s00270-013-0783-z) is one of activities.
    Energy is kept: ``M_N D_N + sum M_i D_i = k A (1 - L)``.

    Parameters
    ----------
    activity_gbq : float
        Injected activity [GBq].
    energy_j_per_gbq : float
        Emitted energy k [J/GBq].
    lung_shunt : float
        Fraction L of the injected activity that reaches the lungs, in [0, 1).
    normal_liver_kg : float
        Mass of the perfused normal liver [kg].
    tumour_kg, tumour_to_normal : sequence of float
        Mass of each tumour [kg] and the ratio of its concentration to that of normal liver.

    Raises
    ------
    InputError
        If a number is outside its range, or masses and ratios are not as many.
    """
    effective = _effective_kg(normal_liver_kg, tumour_kg, tumour_to_normal)
    deposited = not_negative("Activity", activity_gbq, "GBq") * _deposited(energy_j_per_gbq, lung_shunt)
    normal_gy = deposited / effective
    return normal_gy, [ratio * normal_gy for ratio in tumour_to_normal]


def partition_activity_gbq(
    normal_liver_gy: float,
    energy_j_per_gbq: float,
    lung_shunt: float,
    normal_liver_kg: float,
    tumour_kg: Sequence[float],
    tumour_to_normal: Sequence[float],
) -> float:
    """Return the activity [GBq] that gives normal liver a mean dose [Gy], ``A = D_N (M_N + sum r_i M_i) / (k (1-L))``.

    Parameters and errors as for ``partition_doses``.
    """
    effective = _effective_kg(normal_liver_kg, tumour_kg, tumour_to_normal)
    energy_in_liver = not_negative("Normal liver dose", normal_liver_gy, "Gy") * effective
    return energy_in_liver / _deposited(energy_j_per_gbq, lung_shunt)


def _effective_kg(normal_liver_kg: float, tumour_kg: Sequence[float], tumour_to_normal: Sequence[float]) -> float:
    if len(tumour_kg) != len(tumour_to_normal):
        raise InputError(
            f"The partition model has {len(tumour_kg)} tumour masses and {len(tumour_to_normal)} tumour-to-normal "
            "ratios: give one ratio for each tumour."
        )
    effective = positive("Mass of normal liver", normal_liver_kg, "kg")
    for number, (mass, ratio) in enumerate(zip(tumour_kg, tumour_to_normal, strict=True), start=1):
        mass = positive(f"Mass of tumour {number}", mass, "kg")
        effective += mass * positive(f"Tumour-to-normal ratio of tumour {number}", ratio, "")
    return effective


def _deposited(energy_j_per_gbq: float, lung_shunt: float) -> float:
    """Return the energy deposited in the liver per injected activity [J/GBq]."""
    energy = positive("Energy per activity", energy_j_per_gbq, "J/GBq")
    return energy * (1.0 - share_below_one("Lung shunt", lung_shunt))
