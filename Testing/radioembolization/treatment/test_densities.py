"""Densities of a case from its CT, and the lungs by voxels of a plan."""

import json
from dataclasses import replace

import numpy as np
import pytest

from radioembolization.dose import DoseSettings, Method
from radioembolization.errors import DensityUnknown, InputError
from radioembolization.files import plan_document
from radioembolization.images import Grid, Unit, Volume
from radioembolization.physics import RESIN_Y90
from radioembolization.report import page
from radioembolization.structures import Role
from radioembolization.treatment import SourceMask, SourceStructure, densities, plan_treatment, prepare
from radioembolization.treatment.densities import lungs_by_voxels, planning_density
from small_case import GRID, small_inputs
from support import ellipsoid, quiet

#: Grid of the CT: wider than the liver, with room for lungs above it.
WIDE = Grid((48, 37, 40), (5.0, 5.0, 5.0), (-100.0, -92.0, -92.0))
LUNGS_HU = -720.0
#: Voxels of the plan.
COARSE_MM = (6.0, 6.0, 6.0)
DENSITY = DoseSettings(RESIN_Y90, method=Method.DENSITY)


def ct_and_lungs(top_mm=110.0):
    """Return a CT with liver, soft tissue and lungs on the liver's dome, and the lungs."""
    liver = ellipsoid(WIDE, (0.0, 0.0, 0.0), (68.0, 55.0, 50.0))
    chest = ellipsoid(WIDE, (0.0, 0.0, 60.0), (80.0, 70.0, 75.0))
    z = WIDE.origin_mm[2] + np.arange(WIDE.shape[0]) * 5.0
    lungs = chest & ~liver & ((z > 20.0) & (z < top_mm))[:, None, None]
    hu = np.full(WIDE.shape, 40.0, np.float32)
    hu[lungs] = LUNGS_HU
    return Volume(hu, WIDE, Unit.HU), lungs


def case_inputs(**changes):
    ct, lungs = ct_and_lungs()
    base = small_inputs()
    structures = (*base.structures, SourceStructure("lungs", Role.LUNGS, SourceMask(lungs, WIDE)))
    return small_inputs(settings=DENSITY, ct=ct, structures=structures, lung_mass_kg=None, **changes)


@pytest.fixture(scope="module")
def coarse_lungs():
    """Lungs by voxels in larger ones than the 4 mm of the planner: a third of the work."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(densities, "_LUNG_GRID_MM", 6.0)
        yield


@pytest.fixture(scope="module")
def planned(coarse_lungs):
    with quiet():
        case = prepare(case_inputs(spacing_mm=COARSE_MM))
        return plan_treatment(case)


def test_density_is_that_of_the_ct_on_the_planning_grid():
    with quiet():
        case = prepare(case_inputs())
    assert case.density.grid == case.structures.grid
    assert case.density.unit is Unit.G_PER_CM3
    # Schneider's line from -1000 to -98 HU; soft tissue at 40 HU lies between 23 and 100 HU.
    lung = 0.00121 + (LUNGS_HU + 1000.0) * (0.930486 - 0.00121) / 902.0
    values = np.round(case.density.array, 4)
    assert np.isclose(values, lung, atol=1e-3).sum() > 500
    assert np.isclose(values, 1.030 + 17.0 * (1.1199 - 1.030) / 77.0, atol=1e-3).sum() > 5000


def test_other_methods_need_no_density():
    with quiet():
        assert prepare(small_inputs()).density is None


def test_the_method_without_a_ct_is_refused():
    with pytest.raises(InputError, match=r"images\.ct"):
        prepare(small_inputs(settings=DENSITY, ct=None))


def test_what_the_ct_does_not_reach_is_said_and_taken_as_liver():
    # The CT of the small case ends 20 mm short of the planning grid's margin at some sides.
    with pytest.warns(DensityUnknown, match="does not reach"):
        with quiet():
            inputs = small_inputs()
            structures = prepare(inputs).structures
        short = Volume(inputs.ct.array[8:], GRID.box((8, 0, 0), (28, 40, 44)), Unit.HU)
        density = planning_density(small_inputs(settings=DENSITY, ct=short), structures)
    assert np.isclose(density.array, structures.density_g_per_cm3).sum() > 100


def test_lungs_by_voxels_lose_what_leaves_them_and_gain_what_the_liver_gives(planned):
    lungs = planned.lung_voxels
    assert lungs.mass_kg == pytest.approx(planned.dose_per_gbq.lung_mass_kg, rel=0.08)  # two curves, 6 mm voxels
    assert 0.05 < lungs.escaped_share < 0.45  # a thin shell of lung
    shunted = planned.dose_per_gbq.lung_shunt @ planned.plan.activities_gbq
    by_mass = 49.67 * shunted / lungs.mass_kg
    assert lungs.from_shunt_gy == pytest.approx(by_mass * (1.0 - lungs.escaped_share), rel=1e-4)
    assert lungs.from_liver_gy > 0.0
    assert lungs.mean_gy == lungs.from_shunt_gy + lungs.from_liver_gy


def test_the_limit_stays_the_formula(planned):
    assert planned.plan.lung_gy == pytest.approx(
        49.67 * (planned.dose_per_gbq.lung_shunt @ planned.plan.activities_gbq) / planned.dose_per_gbq.lung_mass_kg
    )


def test_plan_and_report_name_both_lung_doses(planned):
    by_voxels = json.loads(json.dumps(plan_document(planned)))["lungs"]["by_voxels"]
    assert by_voxels["mean_gy"] == planned.lung_voxels.mean_gy
    assert set(by_voxels) == {"mean_gy", "from_shunt_gy", "from_liver_gy", "mass_kg", "escaped_share"}
    text = page(planned)
    assert "Lungs by voxels" in text
    assert "corrected for the density of each voxel" in text


def test_liver_doses_hardly_depend_on_what_lies_around(planned):
    # What a surface gives away depends on mass depth alone; only around edges does the far side matter.
    inputs = case_inputs()
    with quiet():
        plain = prepare(
            small_inputs(structures=inputs.structures, ct=inputs.ct, lung_mass_kg=None, spacing_mm=COARSE_MM)
        )
        homogeneous = plan_treatment(plain)
    for one, two in zip(planned.plan.structures, homogeneous.plan.structures, strict=True):
        assert one.mean_gy == pytest.approx(two.mean_gy, rel=0.02)


def test_lungs_cut_by_the_field_of_view_are_said(planned):
    case = planned.case
    short = Volume(case.inputs.ct.array[:35], WIDE.box((0, 0, 0), (35, 37, 40)), Unit.HU)
    cut = replace(case, inputs=replace(case.inputs, ct=short))
    with pytest.warns(DensityUnknown, match="cut by its field of view"):
        lungs_by_voxels(cut, np.ones(len(case.sites)))
