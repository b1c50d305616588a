"""Views are arranged and filled through nodes alone; Slicer's own layout logic reads our layout."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest
import slicer_headless

from radioembolization.dose import dose_volume_histogram
from small_case import small_inputs

slicer_headless.require_slicer()
import slicer  # noqa: E402

from RadioembolizationPlannerLib.dvh import curves_of_histograms, publish_dvh  # noqa: E402
from RadioembolizationPlannerLib.layouts import PLAN_LAYOUT_ID, register_layout, show_plan  # noqa: E402
from RadioembolizationPlannerLib.publish import publish_volume  # noqa: E402

pytestmark = pytest.mark.slicer

_FOCUS_LPS_MM = (12.0, -34.0, 56.0)


@pytest.fixture
def layout(scene):
    """The layout node of Slicer's layout logic, which makes the nodes of the views; all gone afterwards."""
    before = {scene.GetNthNode(n).GetID() for n in range(scene.GetNumberOfNodes())}
    logic = slicer.vtkMRMLLayoutLogic()
    logic.SetMRMLScene(scene)
    yield logic.GetLayoutNode()
    logic.SetMRMLScene(None)
    for node in [scene.GetNthNode(n) for n in range(scene.GetNumberOfNodes())]:
        if node.GetID() not in before:
            scene.RemoveNode(node)


def _singleton(scene, class_name: str, name: str):
    return scene.GetSingletonNode(name, class_name)


def _composites(scene, names=("Red", "Green", "Yellow")):
    made = []
    for name in names:
        node = slicer.vtkMRMLSliceCompositeNode()
        node.SetLayoutName(name)
        node.SetSingletonTag(name)
        made.append(scene.AddNode(node))
    return made


def test_the_layout_logic_makes_the_views_of_our_layout(scene, layout):
    assert register_layout(scene) and PLAN_LAYOUT_ID > 10000
    layout.SetViewArrangement(PLAN_LAYOUT_ID)
    views = ElementTree.fromstring(layout.GetCurrentLayoutDescription()).iter("view")
    found = {(view.get("class"), view.get("singletontag")) for view in views}
    slices = {("vtkMRMLSliceNode", name) for name in ("Red", "Green", "Yellow")}
    assert found == slices | {("vtkMRMLViewNode", "1"), ("vtkMRMLPlotViewNode", "PlotView1")}
    assert all(_singleton(scene, *view) is not None for view in found)
    orientations = {_singleton(scene, "vtkMRMLSliceNode", name).GetOrientation() for name in ("Red", "Green", "Yellow")}
    assert orientations == {"Axial", "Coronal", "Sagittal"}


def test_registering_twice_leaves_one_layout(scene, layout):
    register_layout(scene)
    before = layout.GetLayoutDescription(PLAN_LAYOUT_ID)
    assert register_layout(scene)
    assert layout.GetLayoutDescription(PLAN_LAYOUT_ID) == before


def test_a_plan_is_shown_in_all_views(scene, layout):
    ct = publish_volume(scene, small_inputs().ct, "CT")
    dose = publish_volume(scene, small_inputs().ct, "dose")
    curves = curves_of_histograms({"A": dose_volume_histogram(np.linspace(0.0, 50.0, 99))})
    chart = publish_dvh(scene, "plan", curves).chart
    composites = _composites(scene)
    show_plan(scene, background=ct, dose=dose, chart=chart, focus_lps_mm=_FOCUS_LPS_MM)
    assert layout.GetViewArrangement() == PLAN_LAYOUT_ID
    for composite in composites:
        assert composite.GetBackgroundVolumeID() == ct.GetID()
        assert composite.GetForegroundVolumeID() == dose.GetID()
        assert composite.GetForegroundOpacity() == 0.5
    offsets = {name: _singleton(scene, "vtkMRMLSliceNode", name).GetSliceOffset() for name in ("Red", "Green")}
    assert offsets == pytest.approx({"Red": 56.0, "Green": 34.0})  # superior is z; anterior is -y in LPS
    assert _singleton(scene, "vtkMRMLSliceNode", "Yellow").GetSliceToRAS().GetElement(0, 3) == pytest.approx(-12.0)
    assert _singleton(scene, "vtkMRMLPlotViewNode", "PlotView1").GetPlotChartNodeID() == chart.GetID()
    selection = slicer.app.applicationLogic().GetSelectionNode()
    assert selection.GetActivePlotChartID() == chart.GetID()


def test_layers_that_are_not_given_stay(scene, layout):
    ct = publish_volume(scene, small_inputs().ct, "CT")
    scout = publish_volume(scene, small_inputs().scout, "scout")
    (composite,) = _composites(scene, ("Red",))
    composite.SetForegroundVolumeID(scout.GetID())
    composite.SetForegroundOpacity(0.2)
    show_plan(scene, background=ct)
    assert composite.GetBackgroundVolumeID() == ct.GetID()
    assert (composite.GetForegroundVolumeID(), composite.GetForegroundOpacity()) == (scout.GetID(), 0.2)


def test_nothing_happens_where_there_are_no_views(scene):
    assert scene.GetFirstNodeByClass("vtkMRMLLayoutNode") is None
    ct = publish_volume(scene, small_inputs().ct, "CT")
    before = scene.GetNumberOfNodes()
    assert not register_layout(scene)
    show_plan(scene, background=ct, dose=ct, focus_lps_mm=_FOCUS_LPS_MM)
    assert scene.GetNumberOfNodes() == before
