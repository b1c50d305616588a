"""Arteries and segments of the Visible Human Male, and how well territories agree with its left and right liver."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from radioembolization.files import read_arteries, read_volume
from radioembolization.images import Grid, Unit
from radioembolization.territories.arteries import ArterialTree
from radioembolization.territories.branches.branch_territories import BranchTerritories
from support import SHARED, quiet

FOLDER = SHARED / "data" / "hra_liver_male"


@dataclass(frozen=True, eq=False)
class RealLiver:
    """A liver with its segments (z, y, x), 1 to 8, and its arteries."""

    tree: ArterialTree
    segment: np.ndarray
    grid: Grid

    @property
    def liver(self) -> np.ndarray:
        """All segments (z, y, x)."""
        return self.segment > 0


@lru_cache(maxsize=1)
def real_liver() -> RealLiver:
    """Read both; its vessels are drawn with gaps of up to 8 mm."""
    labels = read_volume(FOLDER / "labels.nii.gz", Unit.HU)
    with quiet():
        tree = read_arteries(FOLDER / "centrelines.json", gap_mm=10.0)
    segment = np.rint(labels.array).astype(np.uint8)
    return RealLiver(tree, np.where(segment <= 8, segment, 0), labels.grid)


def left_and_right_dice(found: BranchTerritories, patient: RealLiver) -> tuple[float, float]:
    """Return Dice of the left hepatic artery with segments 2 to 4 and of the rest with 5 to 8, without segment 1."""
    tree, segment = found.tree, patient.segment
    origin = next(i for i, stretch in enumerate(tree.stretches) if stretch.artery == "left hepatic artery")
    left = found.reached(tree.downstream_stretches(origin)) > 0.5
    counted, truth = segment > 1, (segment >= 2) & (segment <= 4)
    return _dice(left & counted, truth), _dice(~left & counted, segment >= 5)


def _dice(a: np.ndarray, b: np.ndarray) -> float:
    return float(2.0 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b)))
