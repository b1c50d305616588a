"""What depends on the dose rows alone is computed once for them, and forgotten with them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar
from weakref import WeakKeyDictionary

from radioembolization.dose import DosePerGBq

_T = TypeVar("_T")


def once_per_dose(function: Callable[[DosePerGBq], _T]) -> Callable[[DosePerGBq], _T]:
    """Return a function of dose rows that computes its value once for each of them; nobody may change the value."""
    kept: WeakKeyDictionary[DosePerGBq, _T] = WeakKeyDictionary()

    @wraps(function)
    def known(dose: DosePerGBq) -> _T:
        if dose not in kept:
            kept[dose] = function(dose)
        return kept[dose]

    return known
