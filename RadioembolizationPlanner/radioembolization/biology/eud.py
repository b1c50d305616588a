"""Equivalent uniform doses: one dose with the effect of an uneven one."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import logsumexp

from radioembolization.biology.bed import bed_gy, dose_of_bed_gy
from radioembolization.errors import InputError
from radioembolization.physics.checked_numbers import positive


def generalized_eud_gy(dose_gy: np.ndarray, exponent: float, weights: np.ndarray | None = None) -> float:
    """Return the generalized equivalent uniform dose [Gy], ``(sum v_i D_i^a)^(1/a)``.

    Niemierko 1999; Gay and Niemierko 2007, 10.1016/j.ejmp.2007.07.001.  a = 1 is the mean, a -> infinity the highest
    and a -> -infinity the lowest dose; with a = 1/n it is the dose of the LKB model.

    Parameters
    ----------
    dose_gy : ndarray (voxels,)
        Dose of each voxel [Gy].
    exponent : float
        a, not zero: negative for tumours, at least 1 for normal tissue.
    weights : ndarray (voxels,), optional
        Volume of each voxel in any unit; equal without it.

    Raises
    ------
    InputError
        If doses, weights or exponent cannot be used.
    """
    if exponent == 0.0 or not math.isfinite(exponent):
        raise InputError(f"The exponent of the generalized EUD must be a number other than zero, not {exponent:g}.")
    dose, share = _doses_and_shares(dose_gy, weights)
    if (dose == 0.0).any():
        if exponent < 0.0:
            return 0.0
        dose, share = dose[dose > 0.0], share[dose > 0.0]
        if not dose.size:
            return 0.0
    return float(np.exp(logsumexp(exponent * np.log(dose), b=share) / exponent))


def equivalent_uniform_bed_gy(bed_gy: np.ndarray, alpha_per_gy: float, weights: np.ndarray | None = None) -> float:
    """Return the uniform BED with the same surviving fraction as an uneven one [Gy].

    ``EUBED = -(1/alpha) ln sum v_i exp(-alpha BED_i)``, with exp(-alpha BED) the survival of the linear-quadratic
    model.  Between lowest and mean BED.  alpha fitted to radioembolization is far below that of external beams,
    because it absorbs the unevenness that images do not show (PMC6954459): there is no default.

    Parameters
    ----------
    bed_gy : ndarray (voxels,)
        BED of each voxel [Gy].
    alpha_per_gy : float
        Radiosensitivity alpha [1/Gy].
    weights : ndarray (voxels,), optional
        Volume of each voxel in any unit; equal without it.

    Raises
    ------
    InputError
        If doses, weights or alpha cannot be used.
    """
    alpha = positive("alpha", alpha_per_gy, "1/Gy")
    bed, share = _doses_and_shares(bed_gy, weights)
    return float(-logsumexp(-alpha * bed, b=share) / alpha)


def equivalent_uniform_dose_gy(
    dose_gy: np.ndarray,
    alpha_per_gy: float,
    alpha_beta_gy: float,
    repair_half_time_h: float,
    effective_half_life_h: float,
    weights: np.ndarray | None = None,
) -> float:
    """Return the uniform dose, delivered likewise, with the same surviving fraction [Gy].

    The dose whose BED is ``equivalent_uniform_bed_gy`` of the BEDs of the voxels; survival averaging of Niemierko 1997
    (10.1118/1.598063) in the linear-quadratic model with protraction.

    Parameters
    ----------
    dose_gy : ndarray (voxels,)
        Dose of each voxel [Gy].
    alpha_per_gy, alpha_beta_gy : float
        Radiosensitivity [1/Gy] and ratio alpha/beta [Gy].
    repair_half_time_h, effective_half_life_h : float
        As for ``bed_gy`` [h].
    weights : ndarray (voxels,), optional
        Volume of each voxel in any unit; equal without it.

    Raises
    ------
    InputError
        If doses, weights or a parameter cannot be used.
    """
    beds = bed_gy(np.asarray(dose_gy, dtype=float), alpha_beta_gy, repair_half_time_h, effective_half_life_h)
    uniform = equivalent_uniform_bed_gy(beds, alpha_per_gy, weights)
    return dose_of_bed_gy(max(uniform, 0.0), alpha_beta_gy, repair_half_time_h, effective_half_life_h)


def _doses_and_shares(dose_gy: np.ndarray, weights: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the doses and volume shares of the voxels with any volume."""
    dose = np.asarray(dose_gy, dtype=float).ravel()
    share = np.ones_like(dose) if weights is None else np.asarray(weights, dtype=float).ravel()
    if not dose.size or dose.shape != share.shape:
        raise InputError(f"{dose.size} doses and {share.size} weights: give at least one dose, and a weight for each.")
    if not (np.isfinite(dose).all() and (dose >= 0.0).all()):
        raise InputError("Doses must be zero or positive numbers [Gy].")
    if not (np.isfinite(share).all() and (share >= 0.0).all() and share.sum() > 0.0):
        raise InputError("Weights must be zero or positive numbers, not all zero.")
    used = share > 0.0
    return dose[used], share[used] / share.sum()
