"""What a scout says: lung shunt over all lungs, ratios against liver and territory."""

import numpy as np
import pytest

from radioembolization.errors import InputError
from radioembolization.images import Grid
from radioembolization.structures import Role
from radioembolization.structures.consistency import DrawnStructure
from radioembolization.territories.shunt.spect_shunt import SpectShuntSettings
from radioembolization.treatment.scout_analysis import shunt_by_spect
from support import box_mask, counts

# Two lungs above a liver; the left one holds twice the counts of the right one per voxel.
GRID = Grid((30, 20, 30), (5.0, 5.0, 5.0))
LIVER = box_mask(GRID.shape, (2, 12), (4, 16), (4, 26))
RIGHT, LEFT = (box_mask(GRID.shape, (15, 28), (4, 16), x) for x in ((2, 12), (18, 28)))
SCOUT = counts(8.0 * LIVER + 1.0 * RIGHT + 2.0 * LEFT, GRID)
SHARP = SpectShuntSettings(dome_margin_mm=0.0, resolution_mm=0.0)


def drawn(name, role, mask, grid=GRID):
    return DrawnStructure(name, role, mask, grid)


def test_lungs_in_two_structures_count_together():
    liver = drawn("liver", Role.LIVER, LIVER)
    lungs = drawn("right lung", Role.LUNGS, RIGHT), drawn("left lung", Role.LUNGS, LEFT)
    one = drawn("lungs", Role.LUNGS, RIGHT | LEFT)
    in_lungs, in_liver = 1.0 * RIGHT.sum() + 2.0 * LEFT.sum(), 8.0 * LIVER.sum()
    for structures in ((liver, *lungs), (*lungs[::-1], liver), (liver, one)):
        found = shunt_by_spect(SCOUT, structures, settings=SHARP)
        assert found.fraction == pytest.approx(in_lungs / (in_lungs + in_liver), rel=1e-5)


def test_lungs_on_different_grids_are_refused():
    other = Grid((30, 20, 30), (5.0, 5.0, 5.0), (2.5, 0.0, 0.0))
    lungs = drawn("right lung", Role.LUNGS, RIGHT), drawn("left lung", Role.LUNGS, LEFT, other)
    with pytest.raises(InputError, match=r"'right lung', 'left lung'.*different grids: join them"):
        shunt_by_spect(SCOUT, (drawn("liver", Role.LIVER, LIVER), *lungs))


def test_what_is_missing_is_named():
    with pytest.raises(InputError, match=r"images\.scout and structures\.lungs"):
        shunt_by_spect(None, (drawn("liver", Role.LIVER, np.array(LIVER)),))
