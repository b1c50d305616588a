"""The methods that find tumors in SPECT and PET, as the panel offers them, each with the one number it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from slicer.i18n import tr as _

from radioembolization.structures.segmentation.emission_methods import (
    BackgroundAdaptive,
    EmissionMethod,
    FixedValue,
    ShareOfMaximum,
    SizeAdaptive,
)
from radioembolization.structures.segmentation.gradient_edge import GradientEdge


@dataclass(frozen=True)
class MethodChoice:
    """A method of the panel.

    Parameters
    ----------
    title : str
    make : callable
        Makes the method of the core of the number of the slider.
    takes_number : bool
    default, high : float, optional
        Number to start with, and the highest; None for half the maximum of the image, and the maximum.
    low : float
    unit : str
    """

    title: str
    make: Callable[[float], EmissionMethod]
    takes_number: bool = True
    default: float | None = None
    high: float | None = None
    low: float = 0.0
    unit: str = ""


def method_choices() -> dict[str, MethodChoice]:
    """Return the methods by their keys, those that suit most images first."""
    return {
        "share": _percent(_("share of each maximum"), 41.0, ShareOfMaximum),
        "peak": _percent(_("share of each 1 mL peak"), 50.0, lambda share: ShareOfMaximum(share, of_peak=True)),
        "adaptive": _percent(
            _("between background and lesion"), 50.0, lambda share: BackgroundAdaptive(share, 1.0 - share)
        ),
        "size": MethodChoice(_("adapted to size"), lambda _value: SizeAdaptive(), takes_number=False),
        "gradient": MethodChoice(_("steepest edge"), lambda _value: GradientEdge(), takes_number=False),
        "fixed": MethodChoice(_("fixed value"), FixedValue),
    }


def _percent(title: str, default: float, make: Callable[[float], EmissionMethod]) -> MethodChoice:
    return MethodChoice(title, lambda value: make(value / 100.0), default=default, high=95.0, low=5.0, unit=" %")
