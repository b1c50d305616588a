"""Numbers a formula can use: finite, in their domain, and refused with their name and unit if not."""

from __future__ import annotations

import math

from radioembolization.errors import InputError


def positive(what: str, value: float, unit: str) -> float:
    """Return a finite number above zero.

    Raises
    ------
    InputError
        If the value is zero, negative, infinite or not a number.
    """
    if not (math.isfinite(value) and value > 0.0):
        raise InputError(f"{what} must be a positive number, not {_with_unit(value, unit)}.")
    return value


def not_negative(what: str, value: float, unit: str) -> float:
    """Return a finite number of at least zero.

    Raises
    ------
    InputError
        If the value is negative, infinite or not a number.
    """
    if not (math.isfinite(value) and value >= 0.0):
        raise InputError(f"{what} must be zero or a positive number, not {_with_unit(value, unit)}.")
    return value


def share_below_one(what: str, value: float) -> float:
    """Return a fraction in [0, 1).

    Raises
    ------
    InputError
        If the value is outside, as a number in per cent would be, or not a number.
    """
    if not 0.0 <= value < 1.0:
        raise InputError(f"{what} {value:g} is not in [0, 1): enter a fraction, not per cent.")
    return value


def _with_unit(value: float, unit: str) -> str:
    return f"{value:g} {unit}".rstrip()
