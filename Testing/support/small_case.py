"""A case small enough for every test: an ellipsoidal liver, three tumours, three sites, a scout, a CT."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from radioembolization.dose import DoseSettings
from radioembolization.images import Grid, Unit, Volume
from radioembolization.physics import RESIN_Y90
from radioembolization.planning import Prescription, preset
from radioembolization.structures import Role
from radioembolization.treatment import CaseInputs, SourceMask, SourceSite, SourceStructure
from support import ellipsoid as computed_ellipsoid

GRID = Grid((36, 40, 44), (4.0, 4.0, 4.0), (-88.0, -80.0, -72.0))
SCOUT_GRID = Grid((40, 44, 48), (4.4, 4.4, 4.4), (-104.0, -95.0, 84.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, -1.0))
RATIOS = {"A": 4.0, "B": 2.5, "C": 6.0}
_TUMOURS = {"A": ((-30.0, 5.0, 0.0), 14.0), "B": ((35.0, -10.0, 5.0), 12.0), "C": ((-25.0, -10.0, -30.0), 9.0)}


@cache
def ellipsoid(grid: Grid, centre_lps_mm: tuple[float, ...], semi_axes_mm: tuple[float, ...] | float) -> np.ndarray:
    """Return the voxels of an ellipsoid, which no test can change."""
    mask = computed_ellipsoid(grid, centre_lps_mm, semi_axes_mm)
    mask.flags.writeable = False
    return mask


def _liver(grid: Grid) -> np.ndarray:
    return ellipsoid(grid, (0.0, 0.0, 0.0), (68.0, 55.0, 50.0))


def _scout() -> Volume:
    counts = 100.0 * _liver(SCOUT_GRID)
    for name, (centre, radius) in _TUMOURS.items():
        counts[ellipsoid(SCOUT_GRID, centre, radius)] = 100.0 * RATIOS[name]
    counts[ellipsoid(SCOUT_GRID, (0.0, 0.0, 78.0), 12.0)] = 40.0  # something outside the liver
    return Volume(counts.astype(np.float32), SCOUT_GRID, Unit.COUNTS)


def small_inputs(**changes: Any) -> CaseInputs:
    """Return the inputs; any field of ``CaseInputs`` can be replaced."""
    liver = _liver(GRID)
    left = ellipsoid(GRID, (80.0, 0.0, 0.0), 84.0) & liver
    structures = [SourceStructure("liver", Role.LIVER, SourceMask(liver, GRID))]
    structures += [
        SourceStructure(name, Role.TUMOUR, SourceMask(ellipsoid(GRID, centre, radius), GRID))
        for name, (centre, radius) in _TUMOURS.items()
    ]
    gallbladder = ellipsoid(GRID, (0.0, -45.0, -30.0), 12.0)
    structures.append(SourceStructure("gallbladder", Role.ORGAN, SourceMask(gallbladder, GRID)))
    ct = np.where(liver, 60.0, -100.0).astype(np.float32)
    fields: dict[str, Any] = {
        "name": "small case",
        "settings": DoseSettings(RESIN_Y90),
        "structures": tuple(structures),
        "sites": (
            SourceSite("proper", SourceMask(liver, GRID), 0.05, position_lps_mm=(0.0, -50.0, 0.0)),
            SourceSite("left", SourceMask(left, GRID), 0.05),
            SourceSite("right", SourceMask(liver & ~left, GRID), 0.04),
        ),
        "prescription": Prescription.from_preset(preset("resin/bilobar"), at_most_sites=2),
        "scout": _scout(),
        "ct": Volume(ct, GRID, Unit.HU),
        "lung_mass_kg": 1.0,
        "spacing_mm": (4.0, 4.0, 4.0),
    }
    return CaseInputs(**(fields | changes))
