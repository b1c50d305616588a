"""Partition model of several territories: the worked example, energy, and the voxels of local deposition."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radioembolization.dose import (
    DoseSettings,
    Method,
    PartitionModel,
    PartitionTerritory,
    compute_dose_per_gbq,
    partition_doses,
)
from radioembolization.errors import InputError
from radioembolization.images import Grid
from radioembolization.physics import RESIN_Y90
from radioembolization.territories import InjectionSite, Pattern, territories_from_sites
from support import K_Y90, box_mask, quiet, structure_set

#: Normal liver outside and inside territory 2, T1 outside it, T2 inside it.
KG = {"outside": 0.75, "inside": 0.15, "T1": 0.2, "T2": 0.05}
SITE_1 = PartitionTerritory("1", 0.06, {"outside": 1.0, "inside": 1.0, "T1": 4.0, "T2": 2.0})
SITE_2 = PartitionTerritory("2", 0.06, {"inside": 1.0, "T2": 2.0})
MODEL = PartitionModel(KG, (SITE_1, SITE_2), K_Y90)


def test_worked_example_of_two_resin_sites():
    rows = MODEL.gy_per_gbq
    # Gy/GBq as printed: site 1 25.939, 103.755, 51.878; site 2 186.76 and 373.52.
    np.testing.assert_allclose(rows[0], [25.939, 25.939, 103.755, 51.878], atol=5e-3)
    np.testing.assert_allclose(rows[1], [0.0, 186.76, 0.0, 373.52], atol=5e-3)
    assert MODEL.mean_gy(("outside", "inside"), (0.0, 1.0)) == pytest.approx(31.127, abs=5e-4)
    activities = (1.4650, 0.0643)
    doses = MODEL.doses_gy(activities)
    assert doses["T1"] == pytest.approx(152.0, abs=0.05)
    assert doses["T2"] == pytest.approx(100.0, abs=0.05)
    assert doses["inside"] == pytest.approx(50.0, abs=0.05)
    assert doses["outside"] == pytest.approx(38.0, abs=0.05)
    assert MODEL.mean_gy(("outside", "inside"), activities) == pytest.approx(40.0, abs=0.01)
    assert MODEL.lung_gy(activities, 1.0) == pytest.approx(4.56, abs=0.005)


def test_one_territory_is_the_plain_partition_model():
    model = PartitionModel(
        {"n": 0.9, "a": 0.2, "b": 0.05}, (PartitionTerritory("1", 0.06, {"n": 1, "a": 4, "b": 2}),), 50.0
    )
    normal, tumours = partition_doses(1.5, 50.0, 0.06, 0.9, [0.2, 0.05], [4.0, 2.0])
    assert model.doses_gy([1.5]) == pytest.approx({"n": normal, "a": tumours[0], "b": tumours[1]}, rel=1e-12)


@settings(deadline=None)
@given(
    kg=st.lists(st.floats(0.01, 2.0), min_size=4, max_size=4),
    ratios=st.lists(st.floats(0.1, 20.0), min_size=8, max_size=8),
    shunts=st.lists(st.floats(0.0, 0.5), min_size=2, max_size=2),
    activities=st.lists(st.floats(0.0, 10.0), min_size=2, max_size=2),
)
def test_energy_is_conserved(kg, ratios, shunts, activities):
    names = list("abcd")
    territories = (
        PartitionTerritory("1", shunts[0], dict(zip(names, ratios[:4], strict=True))),
        PartitionTerritory("2", shunts[1], dict(zip(names[1:3], ratios[4:6], strict=True))),
    )
    model = PartitionModel(dict(zip(names, kg, strict=True)), territories, K_Y90)
    doses = model.doses_gy(activities)
    absorbed = sum(mass * dose for mass, dose in zip(kg, doses.values(), strict=True))
    emitted = K_Y90 * sum(x * (1.0 - shunt) for x, shunt in zip(activities, shunts, strict=True))
    assert absorbed == pytest.approx(emitted, rel=1e-12, abs=1e-12)


def test_voxels_with_local_deposition_are_the_model_in_every_territory():
    # Three overlapping territories, tumours on their borders: every compartment is a set of voxels in the same
    # territories, so both must agree exactly (single precision).
    grid = Grid((8, 9, 12), (3.0, 4.0, 5.0))
    liver = box_mask(grid.shape, (1, 7), (1, 8), (1, 11))
    tumours = {"A": box_mask(grid.shape, (2, 5), (2, 5), (2, 6)), "B": box_mask(grid.shape, (3, 6), (3, 6), (7, 9))}
    ratios, shunts, activities = {"A": 4.0, "B": 2.5}, (0.06, 0.0, 0.11), (0.9, 0.3, 0.2)
    perfused = (liver, liver & (np.arange(12) >= 5), liver & (np.arange(12) < 8))
    structures = structure_set(grid, liver, tumours, density=1.06)
    sites = tuple(
        InjectionSite(str(number), mask, shunt, pattern=Pattern.TUMOUR_TO_NORMAL)
        for number, (mask, shunt) in enumerate(zip(perfused, shunts, strict=True))
    )
    with quiet():
        territories = territories_from_sites(sites, structures, tumour_to_normal=ratios)
        rows = compute_dose_per_gbq(territories, DoseSettings(RESIN_Y90, method=Method.LOCAL))
    kind = np.select([tumours["A"], tumours["B"], liver], [1, 2, 3])
    code = kind + 4 * perfused[1] + 8 * perfused[2]
    ratio = {1: 4.0, 2: 2.5, 3: 1.0}
    kg = {str(c): np.count_nonzero((code == c) & liver) * grid.voxel_ml * 1.06e-3 for c in np.unique(code[liver])}
    model = PartitionModel(
        kg,
        [
            PartitionTerritory(
                str(number), shunt, {str(c): ratio[c % 4] for c in map(int, kg) if number == 0 or c & (4 * number)}
            )
            for number, shunt in enumerate(shunts)
        ],
        K_Y90,
    )
    assert len(kg) == 7  # A and normal liver on all three sides, B on both of its own
    by_voxel = np.zeros(grid.shape)
    for name in ("A", "B", "normal liver"):
        mask = tumours.get(name, liver & ~tumours["A"] & ~tumours["B"])
        by_voxel[mask] = rows.dose_gy(np.array(activities))[rows.structure(name).voxels]
    for name, dose in model.doses_gy(activities).items():
        np.testing.assert_allclose(by_voxel[liver & (code == int(name))], dose, rtol=2e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PartitionTerritory("1", 6.0, {"n": 1.0}), "Territory '1': lung shunt 6 is not in"),
        (lambda: PartitionTerritory("1", 0.0, {}), "has no compartments"),
        (lambda: PartitionTerritory("1", 0.0, {"n": 0.0}), "concentration in 'n' must be a positive"),
        (lambda: PartitionModel({"n": -1.0}, (), K_Y90), "Mass of 'n' must be a positive"),
        (lambda: PartitionModel({"n": 1.0}, (), math.nan), "Energy per activity"),
        (lambda: PartitionModel({"n": 1.0}, (SITE_2,), K_Y90), "perfuses T2, inside, which has no mass: use one of n"),
        (lambda: MODEL.doses_gy([1.0]), "1 activities for 2 territories"),
        (lambda: MODEL.doses_gy([1.0, -1.0]), "Activity of '2' must be zero or"),
        (lambda: MODEL.mean_gy(("liver",), (1.0, 1.0)), "Compartments liver: use outside"),
        (lambda: MODEL.mean_gy((), (1.0, 1.0)), "Compartments"),
    ],
)
def test_impossible_models_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
