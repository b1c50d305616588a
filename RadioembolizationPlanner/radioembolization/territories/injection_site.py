"""A candidate catheter position."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from radioembolization.errors import TerritoryError

#: Rounding that sums of shares are allowed.
_ROUNDING = 1e-9


class Pattern(StrEnum):
    """How microspheres are spread inside a territory.

    ``scout``: as the counts of the scout image, the site's own before that of the case.
    ``tumour_to_normal``: normal liver 1, each tumour its ratio.  ``flow``: as blood alone.
    """

    SCOUT = "scout"
    TUMOUR_TO_NORMAL = "tumour_to_normal"
    FLOW = "flow"


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
    supply : ndarray (z, y, x) of float32, optional
        Relative blood flow per voxel through this site; multiplies the concentration of the pattern.
        ``perfused`` is where it matters.  Without it, blood is even in the perfused volume.
    scout : ndarray (z, y, x), optional
        Counts of an injection of its own at this site; in the perfused volume they count as they are, since they
        already show the blood that comes through the site.
    outflow : mapping of str to float
        Fraction of the injected activity that lodges in an organ, by its name; part of ``extrahepatic_share``.
    upstream : str
        The next more proximal site; empty if there is none.

    Raises
    ------
    TerritoryError
        If a fraction is not in [0, 1), more flows out than leaves the liver, or supply or scout are no numbers
        of zero or more in the shape of the perfused volume.
    """

    name: str
    perfused: np.ndarray
    lung_shunt: float
    extrahepatic_share: float = 0.0
    pattern: Pattern = Pattern.SCOUT
    position_lps_mm: tuple[float, float, float] | None = None
    supply: np.ndarray | None = None
    scout: np.ndarray | None = None
    outflow: Mapping[str, float] = field(default_factory=dict)
    upstream: str = ""

    def __post_init__(self) -> None:
        for label, value in (
            ("lung shunt", self.lung_shunt),
            ("extrahepatic share", self.extrahepatic_share),
        ):
            if not (np.isfinite(value) and 0.0 <= value < 1.0):
                raise TerritoryError(
                    f"Site '{self.name}': {label} {value:g} is not in [0, 1): enter a fraction, not per cent."
                )
        if not self.lung_shunt + self.extrahepatic_share < 1.0:
            raise TerritoryError(
                f"Site '{self.name}': lung shunt {self.lung_shunt:g} and extrahepatic share "
                f"{self.extrahepatic_share:g} leave nothing for the liver: leave the site out, or give it the "
                "extrahepatic share that is left once the arteries to other organs are coiled."
            )
        check_outflow(self.name, self.outflow, self.extrahepatic_share)
        for label, array in (("supply", self.supply), ("scout", self.scout)):
            if array is not None:
                self._check_array(label, array)

    @property
    def retained_share(self) -> float:
        """Fraction of the injected activity that stays in the perfused volume."""
        return 1.0 - self.lung_shunt - self.extrahepatic_share

    def _check_array(self, label: str, array: np.ndarray) -> None:
        if array.shape != self.perfused.shape:
            raise TerritoryError(
                f"Site '{self.name}': {label} of shape {array.shape}, perfused volume {self.perfused.shape}: bring "
                "both onto one grid."
            )
        lowest = float(array.min(initial=0.0))
        if not (np.isfinite(array).all() and lowest >= 0.0):
            raise TerritoryError(
                f"Site '{self.name}': {label} holds values down to {lowest:g} or no numbers: it must be zero or more."
            )


def check_outflow(site: str, outflow: Mapping[str, float], extrahepatic_share: float) -> None:
    """Refuse outflow to organs that is no fraction, or more than leaves the liver (``TerritoryError``)."""
    for organ, share in outflow.items():
        if not (np.isfinite(share) and 0.0 <= share < 1.0):
            raise TerritoryError(
                f"Site '{site}': outflow {share:g} to '{organ}' is not in [0, 1): enter a fraction, not per cent."
            )
    total = sum(outflow.values())
    if total > extrahepatic_share + _ROUNDING:
        raise TerritoryError(
            f"Site '{site}': {total:g} flow out to {', '.join(outflow)}, but the extrahepatic share is only "
            f"{extrahepatic_share:g}: the share must hold all outflow."
        )
