"""Mean doses of the perfused normal liver over scenarios: of the union of the injected territories, and of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.dose.scenarios import Scenarios
from radioembolization.errors import TerritoryError
from radioembolization.planning.limits import Quantity
from radioembolization.planning.model import Model, cvxpy
from radioembolization.planning.quantities import PerfusedNormalLiverDose
from radioembolization.planning.quantities.linear import quotient
from radioembolization.planning.scenario_goal import tail_weights
from radioembolization.planning.supports import Support
from radioembolization.structures import NORMAL_LIVER

#: Functions of many linear pieces, of which Newton's steps visit few.
_MOST_STEPS = 100


def territory_rows(scenarios: Scenarios) -> np.ndarray:
    """Return the mean dose per GBq of the perfused normal liver of each territory (scenarios, territories, sites).

    Raises
    ------
    TerritoryError
        If a territory holds no normal liver in some scenario.
    """
    gy, voxels = scenarios.part_sums(NORMAL_LIVER)
    members = scenarios.basis.members.T.astype(float)
    count = voxels @ members.T
    empty = np.flatnonzero(np.any(count <= 0, axis=0))
    if len(empty):
        raise TerritoryError(
            f"The territory of site '{scenarios.basis.site_names[int(empty[0])]}' holds no normal liver in some "
            "scenario, so its mean dose cannot be limited: use a limit on the whole normal liver, or enlarge the "
            "territory."
        )
    return np.asarray(np.einsum("tp,spj->stj", members, gy, optimize=True) / count[:, :, None])


@dataclass(frozen=True, eq=False)
class PerfusedInScenarios(Quantity):
    """``PerfusedNormalLiverDose`` over scenarios.

    In each scenario the energy above that of a dose d, ``(energy - d * perfused mass) / whole mass``, is convex in the
    activities.  The value is the dose d at which its mean over the worst share of scenarios is zero.

    Parameters
    ----------
    planned : PerfusedNormalLiverDose
    energy_rows : ndarray (scenarios, sites)
        Energy in the normal liver over the mass of its perfusable parts [Gy/GBq].
    own_rows : ndarray (scenarios, parts, sites)
        Mean dose of each part by the sites it belongs to [Gy/GBq].
    shares : ndarray (scenarios, parts)
        Mass of each part over that of all; sums to 1.
    worst_share : float
        0 for the worst scenario alone.
    """

    planned: PerfusedNormalLiverDose
    energy_rows: np.ndarray
    own_rows: np.ndarray
    shares: np.ndarray
    worst_share: float = 0.0
    homogeneous: ClassVar[bool] = False
    shifts: ClassVar[bool] = False

    @staticmethod
    def of(planned: PerfusedNormalLiverDose, scenarios: Scenarios) -> PerfusedInScenarios:
        """Return the quantity in scenarios, for the worst of them."""
        gy, voxels = scenarios.part_sums(NORMAL_LIVER)
        members = scenarios.basis.members
        fed = members.any(axis=1)
        perfusable = voxels[:, fed].sum(axis=1)
        own = gy[:, fed] / np.maximum(voxels[:, fed], 1)[:, :, None] * members[fed]
        return PerfusedInScenarios(
            planned, gy.sum(axis=1) / perfusable[:, None], own, voxels[:, fed] / perfusable[:, None]
        )

    @property
    def name(self) -> str:
        words = f"worst {100 * self.worst_share:.3g} % of scenarios" if self.worst_share > 0 else "in all scenarios"
        return f"{self.planned.name}, {words}"

    def values(self, activities_gbq: np.ndarray) -> np.ndarray:
        """Return the mean dose of the perfused normal liver (scenarios,) [Gy]."""
        energy, perfused = self._parts(activities_gbq)
        return np.asarray(np.where(perfused > 0, energy / np.where(perfused > 0, perfused, 1.0), 0.0))

    def value(self, dose: DosePerGBq, activities_gbq: np.ndarray) -> float:
        energy, perfused = self._parts(activities_gbq)
        found = 0.0
        for _ in range(_MOST_STEPS):  # the mean excess is convex in the dose: Newton's steps rise to where it is zero
            weights = tail_weights(energy - found * perfused, self.worst_share, highest=True)
            mass = float(weights @ perfused)
            higher = float(weights @ energy) / mass if mass > 0 else 0.0
            if higher <= found * (1.0 + 1e-14):
                break
            found = higher
        return found

    def excess_supports(
        self, dose: DosePerGBq, activities_gbq: np.ndarray, at_most: bool, bound: float, exact: bool = False
    ) -> list[Support]:
        """Plane that touches the mean excess over the worst share of scenarios [Gy]."""
        weights = tail_weights(self._excess(activities_gbq, bound), self.worst_share, highest=True)
        chosen = np.flatnonzero(weights > 0)
        full_from = self.planned.full_from_gy
        partly = self.own_rows[chosen] @ activities_gbq < full_from
        shares = self.shares[chosen]
        slopes = np.einsum("sp,spj->sj", shares * partly, self.own_rows[chosen]) / full_from
        rows = self.energy_rows[chosen] - bound * slopes
        constant = -bound * np.sum(shares * ~partly, axis=1)
        return [Support(weights[chosen] @ rows, float(weights[chosen] @ constant))]

    def constraints(self, model: Model, at_most: bool, bound: float, slack: Any = 0.0) -> list[Any]:
        cp = cvxpy()
        excess = []
        for energy, own, share in zip(self.energy_rows, self.own_rows, self.shares, strict=True):
            perfused = cp.minimum(own @ model.activities / self.planned.full_from_gy, 1.0)
            excess.append(energy @ model.activities - bound * (share @ perfused))
        level, part = cp.Variable(), max(self.worst_share, 1.0 / len(excess)) * len(excess)
        return [level + cp.sum(cp.pos(cp.hstack(excess) - level)) / part <= slack]

    def cap_gbq(self, dose: DosePerGBq, bound: float) -> np.ndarray:
        alone = [tail_weights(row, self.worst_share, highest=True) @ row for row in self.energy_rows.T]
        return quotient(bound, np.array(alone))

    def largest_scale(self, dose: DosePerGBq, activities_gbq: np.ndarray, bound: float) -> float:
        scale = 1.0
        for _ in range(_MOST_STEPS):  # the mean excess is convex in the scale: Newton's steps sink to where it is zero
            (plane,) = self.excess_supports(dose, scale * activities_gbq, True, bound)
            slope = float(plane.row @ activities_gbq)
            if plane.at(scale * activities_gbq) <= 1e-12 * bound:
                break
            scale = min(scale, -plane.constant / slope) if slope > 0 else 0.0
        return max(0.0, scale)

    def _parts(self, activities_gbq: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return energy over the whole perfusable mass [Gy], and the share of it that is perfused (scenarios,)."""
        full = np.minimum(1.0, self.own_rows @ activities_gbq / self.planned.full_from_gy)
        return self.energy_rows @ activities_gbq, np.sum(self.shares * full, axis=1)

    def _excess(self, activities_gbq: np.ndarray, bound: float) -> np.ndarray:
        energy, perfused = self._parts(activities_gbq)
        return energy - bound * perfused
