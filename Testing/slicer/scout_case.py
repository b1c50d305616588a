"""A case whose scout says known things: 8 % lung shunt, ratios of 4, 2.5 and 6, and one focus in front of the liver."""

from __future__ import annotations

from typing import Any

import numpy as np
from hands import bare_nodes

from radioembolization.images import Grid, Unit, Volume
from radioembolization.structures import Role
from radioembolization.treatment import CaseInputs, SourceMask, SourceSite, SourceStructure
from small_case import small_inputs
from support import ellipsoid

GRID = Grid((50, 40, 44), (5.0, 5.0, 5.0), (-110.0, -100.0, -80.0))
SHUNT = 0.08
FOCUS_LPS_MM = (30.0, -80.0, 30.0)
RATIOS = {"A": 4.0, "B": 2.5, "C": 6.0}
_TUMOURS = {"A": ((-30.0, 5.0, 0.0), 16.0), "B": ((35.0, -10.0, 5.0), 16.0), "C": ((-25.0, -10.0, -30.0), 9.0)}


def scout_inputs(*, planes: int = 50, **changes: Any) -> CaseInputs:
    """Return the inputs; the scout has only the lowest ``planes``."""
    liver = ellipsoid(GRID, (0.0, 0.0, 0.0), (68.0, 55.0, 50.0))
    lungs = ellipsoid(GRID, (-55.0, 0.0, 115.0), 38.0) | ellipsoid(GRID, (55.0, 0.0, 115.0), 38.0)
    tumours = {name: ellipsoid(GRID, centre, radius) for name, (centre, radius) in _TUMOURS.items()}
    counts = 100.0 * liver
    for name, mask in tumours.items():
        counts[mask] = 100.0 * RATIOS[name]
    in_liver = counts.sum()
    counts[lungs] = SHUNT / (1.0 - SHUNT) * in_liver / np.count_nonzero(lungs)
    counts[ellipsoid(GRID, FOCUS_LPS_MM, 8.0)] = 300.0
    masks = {"liver": (Role.LIVER, liver), "lungs": (Role.LUNGS, lungs)}
    masks |= {name: (Role.TUMOUR, mask) for name, mask in tumours.items()}
    left = liver & ellipsoid(GRID, (80.0, 0.0, 0.0), 84.0)
    seen = GRID.box((0, 0, 0), (planes, *GRID.shape[1:]))
    fields: dict[str, Any] = {
        "structures": tuple(SourceStructure(name, role, SourceMask(m, GRID)) for name, (role, m) in masks.items()),
        "sites": (
            SourceSite("proper", SourceMask(liver, GRID), 0.05),
            SourceSite("left", SourceMask(left, GRID), 0.05),
        ),
        "scout": Volume(counts[:planes].astype(np.float32), seen, Unit.COUNTS),
        "ct": Volume(np.where(lungs, -800.0, 40.0).astype(np.float32), GRID, Unit.HU),
        "spacing_mm": (5.0, 5.0, 5.0),
    }
    return small_inputs(**(fields | changes))


def take_scout_case(panel: Any, scene: Any, **changes: Any) -> None:
    """Choose the case in every section; sites have the lung shunt of the case, which is not known yet."""
    from dataclasses import replace

    from RadioembolizationPlannerLib.synthetic import take_case

    inputs = scout_inputs(**changes)
    take_case(panel.session, inputs, bare_nodes(scene, inputs))
    panel.session.change(sites=tuple(replace(site, lung_shunt=None) for site in panel.parameters.sites))
    panel.idle()
