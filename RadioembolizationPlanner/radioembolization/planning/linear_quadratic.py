"""Linear-quadratic effect of permanent implants in a plan: parameters as given, or as stated for a tissue."""

from __future__ import annotations

from dataclasses import dataclass

from radioembolization.biology import protraction_factor, tissue_biology
from radioembolization.errors import LimitError, ParameterMissing
from radioembolization.physics import Device
from radioembolization.physics.checked_numbers import positive
from radioembolization.physics.sourced import Sourced


@dataclass(frozen=True)
class LinearQuadratic:
    """Parameters of ``BED = D (1 + k D)``.

    Parameters
    ----------
    alpha_beta_gy : float
        Ratio alpha/beta [Gy].
    repair_half_time_h : float
        Half-time of repair [h].
    assumptions : tuple of str
        What was not given but taken from the table of tissues, in words.
    """

    alpha_beta_gy: float
    repair_half_time_h: float
    assumptions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        positive("alpha/beta", self.alpha_beta_gy, "Gy")
        positive("Repair half-time", self.repair_half_time_h, "h")

    def curvature_per_gy(self, device: Device) -> float:
        """Return k [1/Gy]: ``G / (alpha/beta)``, with the physical half-life of the device."""
        return protraction_factor(device.nuclide.half_life_h, self.repair_half_time_h) / self.alpha_beta_gy

    def __str__(self) -> str:
        return f"alpha/beta {self.alpha_beta_gy:g} Gy, repair {self.repair_half_time_h:g} h"


class OfTissue:
    """A goal or limit on an effect: what it is not told of alpha/beta and repair it takes from the table of tissues.

    Each value taken from there is an assumption and named in every plan.
    """

    alpha_beta_gy: float | None
    repair_half_time_h: float | None

    @property
    def tissue_used(self) -> str:
        """Tissue whose stated values take the place of those not given; empty for none."""
        return ""

    @property
    def biology(self) -> LinearQuadratic:
        """The parameters.

        Raises
        ------
        ParameterMissing
            If one is neither given nor stated for the tissue.
        InputError
            If one is not a positive number, or the tissue is unknown.
        """
        values, assumptions = [], []
        for name in ("alpha_beta_gy", "repair_half_time_h"):
            value = getattr(self, name)
            if value is None:
                stated = self._stated(name)
                assumptions.append(f"{name} {stated} is that of '{self.tissue_used}', not given: {stated.source}.")
                value = stated.value
            values.append(float(value))
        return LinearQuadratic(values[0], values[1], tuple(assumptions))

    def _stated(self, name: str) -> Sourced[float]:
        """Return a parameter that is not given."""
        if not self.tissue_used:
            raise ParameterMissing(
                f"A biological effect needs {name}: give it, or tissue = '...' for the stated value of a tissue."
            )
        stated: Sourced[float] = getattr(tissue_biology(self.tissue_used), name)
        return stated


def check_convex_survival(alpha_per_gy: float, curvature_per_gy: float) -> None:
    """Refuse an alpha for which survival is not convex in the dose.

    ``exp(-alpha (D + k D^2))`` is convex for all D >= 0 exactly if ``alpha >= 2 k``: its second derivative has the
    sign of ``alpha (1 + 2 k D)^2 - 2 k``.

    Raises
    ------
    LimitError
        With the least alpha.
    """
    least = 2.0 * curvature_per_gy
    if alpha_per_gy < least * (1.0 - 1e-12):
        raise LimitError(
            f"alpha = {alpha_per_gy:g} per Gy is below {least:.4g}: survival would not be convex in the dose, and no "
            f"optimum could be proved. Give alpha_per_gy of at least {least:.4g} (twice the protraction factor over "
            "alpha/beta), or a larger alpha/beta or shorter repair half-time."
        )
