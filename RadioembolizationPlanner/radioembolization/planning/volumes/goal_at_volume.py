"""What planes know of a goal that is the lowest dose at a volume: a dose that a share receives is below a mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.planning.goals import Goal
from radioembolization.planning.goals.means import LowestOf
from radioembolization.planning.volume_bound import SIDE

#: A dose at a volume may be above what the mean allows by rounding and by ``SIDE``.
_LOOSER = 1.0 + 2.0 * SIDE


@dataclass(frozen=True)
class MeansOverShare(LowestOf):
    """The lowest mean dose of any structure over a share of it: at least the dose that this share receives.

    Parameters
    ----------
    parts : tuple of (str, float)
        Structures, each with the share that the dose is received by.
    """

    parts: tuple[tuple[str, float], ...]

    @property
    def name(self) -> str:
        return "lowest mean dose over the share that counts"

    def rows(self, dose: DosePerGBq) -> np.ndarray:
        return np.stack([_mean_row(dose, name) / share * _LOOSER for name, share in self.parts])


def _mean_row(dose: DosePerGBq, structure: str) -> np.ndarray:
    rows = dose.voxel_rows(structure)
    return np.asarray(np.maximum(rows.rows, 0.0).astype(float) @ rows.share)


def planes_goal(goal: Goal, dose: DosePerGBq) -> Goal:
    """Return the goal itself if planes touch it, else one that is nowhere below and that planes touch."""
    bounds = goal.volume_bounds(dose, 1.0)
    return MeansOverShare(tuple((bound.structure, 1.0 - bound.share) for bound in bounds)) if bounds else goal
