"""How densely microspheres fill the perfused tissue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.errors import LimitError, TerritoryError
from radioembolization.planning.limits import Limit, Quantity
from radioembolization.planning.model import Model
from radioembolization.planning.quantities.linear import quotient
from radioembolization.planning.supports import Support
from radioembolization.structures import Role


@dataclass(frozen=True)
class MicrosphereConcentration(Quantity):
    """Mean number of microspheres per mL of perfused liver, the highest over the territories of all candidate sites.

    ``D rho / (k a)`` with the mean dose D of the liver perfused from a site, tumours included, its density rho, the
    emitted energy k and the activity a of one microsphere.  D is taken from all injections together and with the range
    of the electrons.  No validated limit exists; it is a cap for a user who fears stasis.

    Parameters
    ----------
    bq_per_sphere : float, optional
        Activity of one microsphere at injection [Bq]; without it the typical one of the device, which falls with the
        time since calibration.
    """

    bq_per_sphere: float | None = None
    keyword: ClassVar[str] = "per_ml"
    unit: ClassVar[str] = "per mL"

    def __post_init__(self) -> None:
        if self.bq_per_sphere is not None and not (np.isfinite(self.bq_per_sphere) and self.bq_per_sphere > 0):
            raise LimitError(f"The activity of a microsphere must be positive, not {self.bq_per_sphere:g} Bq.")

    @property
    def name(self) -> str:
        of = "" if self.bq_per_sphere is None else f" of {self.bq_per_sphere:g} Bq"
        return f"microspheres{of} per mL of perfused liver, highest of any territory"

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        return float(np.max(self._rows(dose) @ activities_gbq))

    def supports(self, dose: DosePerGBq, activities_gbq: np.ndarray, exact: bool = False) -> list[Support]:
        return [Support(row) for row in self._rows(dose)]

    def constraints(self, model: Model, at_most: bool, bound: float, slack: Any = 0.0) -> list[Any]:
        return [self._rows(model.dose) @ model.activities <= bound + slack]

    def cap_gbq(self, dose: DosePerGBq, bound: float) -> np.ndarray:
        return np.min([quotient(bound, row) for row in self._rows(dose)], axis=0)

    def _rows(self, dose: DosePerGBq) -> np.ndarray:
        """Microspheres per mL and GBq of each site (columns) in each territory (rows)."""
        (liver,) = dose.with_role(Role.LIVER)
        device = dose.settings.device
        of_one = device.bq_per_sphere if self.bq_per_sphere is None else self.bq_per_sphere
        per_gy = liver.mass_kg / liver.volume_ml / (dose.settings.energy_j_per_gbq * of_one * 1e-9)
        rows = []
        for name, perfused in zip(dose.site_names, dose.perfused, strict=True):
            inside = liver.voxels[perfused[liver.voxels]]
            if not len(inside):
                raise TerritoryError(f"The territory of site '{name}' holds no liver: enlarge it, or remove the site.")
            rows.append(per_gy * dose.mean_row(inside))
        return np.stack(rows)

    def _limit(self, bound: dict[str, float], upper: bool) -> Limit:
        if not upper:
            raise LimitError(f"The {self.name} can only be limited to at most a number.")
        return super()._limit(bound, upper)
