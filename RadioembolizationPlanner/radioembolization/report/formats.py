"""Numbers as they are printed: one place for digits and signs."""

from __future__ import annotations

import math


def fixed(value: float, decimals: int) -> str:
    """Return a number with fixed decimals and without a negative zero."""
    return f"{round(value, decimals) + 0.0:.{decimals}f}"


def significant(value: float, digits: int = 3) -> str:
    """Return a number with significant digits and without an exponent; digits before the point are kept.

    >>> significant(0.61149), significant(0.99996), significant(0.0)
    ('0.611', '1.00', '0')
    """
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else str(value)
    rounded = float(f"{value:.{digits - 1}e}")
    return f"{rounded if abs(rounded) < 10**digits else value:.{max(0, digits - 1 - _exponent(rounded))}f}"


def signed(value: float, digits: int = 2) -> str:
    """Return a change with its sign and significant digits."""
    text = significant(value, digits)
    return f"+{text}" if float(text) > 0 else text


def gy(value: float) -> str:
    """Return an absorbed dose [Gy]."""
    return fixed(value, 1)


def gbq(value: float) -> str:
    """Return an activity [GBq]."""
    return significant(value, 3)


def ml(value: float) -> str:
    """Return a volume [mL]."""
    return fixed(value, 1)


def kg(value: float) -> str:
    """Return a mass [kg]."""
    return fixed(value, 3)


def grams(mass_kg: float) -> str:
    """Return a mass in grams."""
    return fixed(1000.0 * mass_kg, 1)


def percent(share: float) -> str:
    """Return a share in per cent, without the sign."""
    return fixed(100.0 * share, 1)


def millions(count: float) -> str:
    """Return a number in millions."""
    return significant(count / 1e6, 3)


def in_unit(value: float | None, unit: str) -> str:
    """Return a value with the digits usual for its unit (Gy, GBq, sites), a dash for none."""
    if value is None:
        return "–"
    usual = {"Gy": gy, "GBq": gbq, "sites": lambda count: fixed(count, 0)}
    return usual.get(unit, significant)(value)


def small_percent(share: float) -> str:
    """Return a small share in per cent with two significant digits, or an upper bound of it."""
    return "< 0.0001" if 100.0 * share < 1e-4 else significant(100.0 * share, 2)


def _exponent(value: float) -> int:
    return math.floor(math.log10(abs(value)))
