"""The fraction of microspheres that reaches the lungs: how it is known, which value is used, and what to beware of."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np

from radioembolization.errors import LungShuntError, LungShuntHigh, ShuntMethodsDisagree
from radioembolization.physics import GLASS_Y90, RESIN_Y90, Device

#: Standard deviation of shunt minus realised shunt: Young et al., as in the scenarios (``dose/data/uncertainty.toml``).
_SPECT_DEVIATION, _PLANAR_DEVIATION = 0.036, 0.053
#: Planar minus SPECT/CT: mean and half width of the limits of agreement, Bastiaannet et al., planar geometric mean
#: against SPECT/CT.
PLANAR_BIAS, PLANAR_AGREEMENT = 0.027, 0.081
#: Shunts above which the activity of resin is reduced, and by how much: van Roekel, thesis Utrecht, p. 30.  Labelling
#: contraindicates more than 20 %; the two lower steps were not seen in it.
RESIN_STEPS = ((0.20, 1.0), (0.15, 0.4), (0.10, 0.2))
#: Activity in the lungs above which labelling contraindicates glass [GBq]: 30 Gy in 1 kg.
_GLASS_SHUNTED_GBQ = 0.61
#: A shunt above this is high with every device.
_HIGH_SHUNT = 0.20


class ShuntMethod(StrEnum):
    """How a lung shunt is known."""

    ENTERED = "entered"
    PLANAR = "planar"
    SPECT = "spect"

    @property
    def words(self) -> str:
        """The method as it is printed."""
        return {"entered": "entered", "planar": "planar", "spect": "SPECT/CT"}[self.value]


_DEVIATION = {ShuntMethod.PLANAR: _PLANAR_DEVIATION, ShuntMethod.SPECT: _SPECT_DEVIATION}


@dataclass(frozen=True)
class LungShunt:
    """A lung shunt fraction and where it comes from.

    Parameters
    ----------
    fraction : float
        Of the injected activity, in [0, 1).
    method : ShuntMethod
    details : mapping of str to float
        Numbers behind it; units end the names.
    note : str
        What was done, in a sentence or two.
    used : bool
        Whether sites without a shunt of their own have this one.

    Raises
    ------
    LungShuntError
        If the fraction is not in [0, 1).
    """

    fraction: float
    method: ShuntMethod
    details: Mapping[str, float] = field(default_factory=dict)
    note: str = ""
    used: bool = False

    def __post_init__(self) -> None:
        if not (np.isfinite(self.fraction) and 0.0 <= self.fraction < 1.0):
            raise LungShuntError(
                f"Lung shunt {self.fraction:g} ({self.method.words}) is not in [0, 1): give a fraction, not per cent "
                "(0.05 for 5 %), and check the counts of lungs and liver."
            )

    @property
    def standard_deviation(self) -> float | None:
        """Published standard deviation of the method against the shunt after treatment; None if it was entered."""
        return _DEVIATION.get(self.method)


def entered_shunt(fraction: float, note: str = "") -> LungShunt:
    """Return a shunt that the user knows."""
    return LungShunt(fraction, ShuntMethod.ENTERED, note=note)


def chosen_shunt(shunts: Iterable[LungShunt], preferred: ShuntMethod | None = None) -> LungShunt:
    """Return the shunt to use: that of the preferred method, else SPECT/CT before planar before entered.

    Raises
    ------
    LungShuntError
        If there is none, or none of the preferred method.
    """
    by_method = {shunt.method: shunt for shunt in shunts}
    order = (ShuntMethod.SPECT, ShuntMethod.PLANAR, ShuntMethod.ENTERED) if preferred is None else (preferred,)
    found = next((by_method[method] for method in order if method in by_method), None)
    if found is None:
        known = ", ".join(method.words for method in by_method) or "none"
        wanted = "any method" if preferred is None else preferred.words
        raise LungShuntError(f"There is no lung shunt by {wanted} (known: {known}): give it, or choose another method.")
    return found


def side_by_side(shunts: Iterable[LungShunt], preferred: ShuntMethod | None = None) -> tuple[LungShunt, ...]:
    """Return all shunts, the one to use marked; warns where planar and SPECT/CT disagree; see ``chosen_shunt``."""
    given = tuple(shunts)
    used = chosen_shunt(given, preferred)
    warn_of_disagreement(given)
    return tuple(replace(shunt, used=shunt is used) for shunt in given)


def shunt_text(shunts: Iterable[LungShunt]) -> str:
    """Return all shunts in a line: ``5.1 % planar, 3.9 % SPECT/CT (used)``."""
    return ", ".join(
        f"{100.0 * shunt.fraction:.1f} % {shunt.method.words}{' (used)' if shunt.used else ''}" for shunt in shunts
    )


def warn_of_disagreement(shunts: Iterable[LungShunt]) -> None:
    """Warn if planar and SPECT/CT differ by more than their published limits of agreement.

    Planar minus SPECT/CT is 2.7 +- 8.1 percentage points (Bastiaannet et al.); in 293 patients the means were 8.27 and
    3.27 % (10.1007/s00270-020-02638-8).
    """
    by_method = {shunt.method: shunt.fraction for shunt in shunts}
    planar, spect = by_method.get(ShuntMethod.PLANAR), by_method.get(ShuntMethod.SPECT)
    if planar is None or spect is None or abs(planar - spect - PLANAR_BIAS) <= PLANAR_AGREEMENT:
        return
    warnings.warn(
        f"The planar lung shunt of {planar:.1%} is {100.0 * (planar - spect):+.1f} percentage points off that of "
        f"SPECT/CT, {spect:.1%}; published limits of agreement are {100.0 * (PLANAR_BIAS - PLANAR_AGREEMENT):+.1f} to "
        f"{100.0 * (PLANAR_BIAS + PLANAR_AGREEMENT):+.1f}: check regions, background and the lungs in the SPECT.",
        ShuntMethodsDisagree,
        stacklevel=3,
    )


def warn_of_shunt(fraction: float, device: Device) -> None:
    """Warn of a lung shunt that calls for less activity with a device, or for none."""
    for message in _cautions(fraction, device):
        warnings.warn(message, LungShuntHigh, stacklevel=2)


def _cautions(fraction: float, device: Device) -> Iterator[str]:
    if device == RESIN_Y90:
        reduction = next((share for above, share in RESIN_STEPS if fraction > above), 0.0)
        if reduction == 1.0:
            yield f"A lung shunt of {fraction:.1%} is above 20 %, where labelling contraindicates resin."
        elif reduction > 0.0:
            yield (
                f"A lung shunt of {fraction:.1%} reduces the activity of resin by {reduction:.0%} in common practice "
                "(above 10, 15, 20 %: 20, 40, 100 %); the planner limits the lung dose instead."
            )
    elif fraction > _HIGH_SHUNT:
        limit = f"; labelling allows {_GLASS_SHUNTED_GBQ / fraction:.2f} GBq of glass with it" * (device == GLASS_Y90)
        yield f"A lung shunt of {fraction:.1%} is above 20 %{limit}: look at the lung dose before all else."
