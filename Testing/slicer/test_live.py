"""The volume, curves and limits that follow the sliders, against the rows they are made from."""

from __future__ import annotations

import numpy as np
import pytest
import slicer_headless

from radioembolization.errors import InputError
from radioembolization.planning import preset
from radioembolization.treatment import compute_rows, evaluate_treatment, prepare
from small_case import small_inputs
from support import quiet

slicer_headless.require_slicer()
import slicer  # noqa: E402
import vtk.util.numpy_support  # noqa: E402

from RadioembolizationPlannerLib.live import LivePlan  # noqa: E402

pytestmark = pytest.mark.slicer

_GBQ = {"proper": 0.3, "right": 0.2}


@pytest.fixture(scope="module")
def prepared():
    with quiet():
        return compute_rows(prepare(small_inputs()))


@pytest.fixture
def live(scene, prepared):
    return LivePlan(scene, prepared.case, prepared.dose_per_gbq, {"liver": (0.1, 0.2, 0.3), "A": (0.9, 0.8, 0.1)})


@pytest.fixture
def evaluated(prepared):
    with quiet():
        return evaluate_treatment(prepared, [0.3, 0.0, 0.2])


def _voxels(node):
    return slicer.util.arrayFromVolume(node)


def _column(table, name):
    return vtk.util.numpy_support.vtk_to_numpy(table.GetTable().GetColumnByName(name))


def test_the_volume_is_the_dose_of_a_kept_plan_inside_the_structures(live, evaluated):
    live.update(_GBQ)
    inside = np.any([s.mask for s in evaluated.case.structures.all], axis=0)
    assert _voxels(live.dose)[inside] == pytest.approx(evaluated.dose.array[inside], rel=1e-4, abs=1e-3)
    assert not _voxels(live.dose)[~inside].any()
    assert evaluated.dose.array[inside].max() > 50.0


def test_the_volume_lies_where_the_planning_grid_lies(live, prepared):
    matrix = vtk.vtkMatrix4x4()
    live.dose.GetIJKToRASMatrix(matrix)
    x, y, z = prepared.case.structures.grid.origin_mm
    assert matrix.MultiplyPoint((0, 0, 0, 1))[:3] == pytest.approx((-x, -y, z))
    assert live.dose.GetVoxelValueUnits().GetCodeValue() == "Gy"


def test_curves_are_the_histograms_of_the_kept_plan(live, evaluated):
    live.update(_GBQ)
    table = live.curves.table
    doses = _column(table, "Dose (Gy)")
    for name in ("A", "B", "normal liver"):
        kept = evaluated.histograms[name]
        expected = 100.0 * np.interp(doses, kept.dose_gy, kept.volume_share, right=0.0)
        assert _column(table, name) == pytest.approx(expected, abs=2.0), name
    assert doses[-1] == pytest.approx(evaluated.dose.array[_inside(evaluated)].max(), rel=0.01)


def test_limits_are_those_of_the_kept_plan(live, evaluated):
    limits = preset("resin/bilobar").limits
    found = {limit.name: limit.value for limit in live.limits(limits, _GBQ)}
    for limit in evaluated.plan.limits:
        if limit.name in found:
            assert found[limit.name] == pytest.approx(limit.value, rel=1e-6), limit.name
    assert len(found) == 2


def test_a_change_updates_in_place(scene, live):
    live.update(_GBQ)
    nodes, shown = scene.GetNumberOfNodes(), _voxels(live.dose)
    before, seen = shown.copy(), []
    live.dose.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: seen.append("dose"))
    live.curves.table.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: seen.append("curves"))
    live.update({name: 2.0 * activity for name, activity in _GBQ.items()})
    assert shown == pytest.approx(2.0 * before, rel=1e-5)
    assert scene.GetNumberOfNodes() == nodes and seen.count("curves") == 1 and "dose" in seen


def test_no_activity_is_no_dose(live):
    result = live.update({})
    assert not _voxels(live.dose).any() and not result.mean_gy.any()


def test_sites_are_taken_by_name_and_unknown_ones_ignored(live):
    assert list(live.activities({"right": 2.0, "elsewhere": 5.0, "proper": 1.0})) == [1.0, 0.0, 2.0]


@pytest.mark.parametrize("activity", [-0.1, float("nan"), float("inf")])
def test_impossible_activities_are_refused(live, activity):
    with pytest.raises(InputError, match="not negative"):
        live.update({"proper": activity})


def test_removed_nodes_are_all_gone_and_noticed(scene, live):
    before = scene.GetNumberOfNodes()
    assert live.in_scene
    live.update(_GBQ)
    scene.RemoveNode(live.curves.chart)
    assert not live.in_scene
    live.remove()
    names = [scene.GetNthNode(i).GetName() or "" for i in range(scene.GetNumberOfNodes())]
    assert not [name for name in names if "sliders" in name]
    assert not slicer.util.getNodesByClass("vtkMRMLPlotSeriesNode") and scene.GetNumberOfNodes() < before


def test_curves_have_the_colors_of_the_segments(live):
    live.update(_GBQ)
    colors = {series.GetName(): series.GetColor() for series in live.curves.series}
    assert colors["A"] == pytest.approx((0.9, 0.8, 0.1))


def _inside(treatment):
    return np.any([s.mask for s in treatment.case.structures.all], axis=0)
