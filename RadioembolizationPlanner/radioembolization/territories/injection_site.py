"""A candidate catheter position."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from radioembolization.errors import TerritoryError


class Pattern(StrEnum):
    """How microspheres are spread inside a territory."""

    SCOUT = "scout"
    TUMOUR_TO_NORMAL = "tumour_to_normal"


@dataclass(frozen=True, eq=False)
class InjectionSite:
    """A candidate injection site with the volume it perfuses.

    Parameters
    ----------
    name : str
        Usually the artery.
    perfused : ndarray (z, y, x) of bool
        Perfused volume on the planning grid; sites may overlap or nest.
    lung_shunt : float
        Fraction of the injected activity that reaches the lungs, in [0, 1).
    extrahepatic_share : float
        Fraction that leaves the liver to other organs than the lungs.
    pattern : Pattern
    position_lps_mm : tuple of float, optional
        Catheter tip (x, y, z) in LPS [mm].

    Raises
    ------
    TerritoryError
        If a fraction is not in [0, 1).
    """

    name: str
    perfused: np.ndarray
    lung_shunt: float
    extrahepatic_share: float = 0.0
    pattern: Pattern = Pattern.SCOUT
    position_lps_mm: tuple[float, float, float] | None = None

    def __post_init__(self) -> None:
        for label, value in (
            ("lung shunt", self.lung_shunt),
            ("extrahepatic share", self.extrahepatic_share),
            ("sum of lung shunt and extrahepatic share", self.lung_shunt + self.extrahepatic_share),
        ):
            if not (np.isfinite(value) and 0.0 <= value < 1.0):
                raise TerritoryError(
                    f"Site '{self.name}': {label} {value:g} is not in [0, 1): enter a fraction, not per cent."
                )

    @property
    def retained_share(self) -> float:
        """Fraction of the injected activity that stays in the perfused volume."""
        return 1.0 - self.lung_shunt - self.extrahepatic_share
