"""The arrangement of the views for a plan, and what they show; through MRML nodes alone.

Where there are no views, as without the application, there are no such nodes and nothing happens.
"""

from __future__ import annotations

from collections.abc import Iterator

import slicer

from RadioembolizationPlannerLib.geometry import Position, flipped

#: Number of our layout among those of Slicer (below 1000) and of extensions.
PLAN_LAYOUT_ID = 90166
#: Name, orientation, letter and color of the three slice views, as in Slicer's own layouts.
_SLICES = (
    ("Red", "Axial", "R", "#F34A33"),
    ("Green", "Coronal", "G", "#6EB04B"),
    ("Yellow", "Sagittal", "Y", "#EDD54C"),
)
_DOSE_OPACITY = 0.5


def register_layout(scene: slicer.vtkMRMLScene) -> bool:
    """Make our layout known to a scene; return whether it has a layout at all.

    Three slice views in the upper row, 3D and the plot in the lower one.
    """
    node = scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    if node is None:
        return False
    if not node.AddLayoutDescription(PLAN_LAYOUT_ID, _description()):
        node.SetLayoutDescription(PLAN_LAYOUT_ID, _description())
    return True


def show_plan(
    scene: slicer.vtkMRMLScene,
    *,
    background: slicer.vtkMRMLScalarVolumeNode | None = None,
    dose: slicer.vtkMRMLScalarVolumeNode | None = None,
    chart: slicer.vtkMRMLPlotChartNode | None = None,
    focus_lps_mm: Position | None = None,
) -> None:
    """Arrange the views for a plan: dose over an image, slices through a point, the chart in the plot.

    Parameters
    ----------
    scene : vtkMRMLScene
    background, dose : vtkMRMLScalarVolumeNode, optional
        Layers of all slice views; a layer that is not given stays as it is.
    chart : vtkMRMLPlotChartNode, optional
    focus_lps_mm : tuple of float, optional
        Point (x, y, z) in LPS [mm], such as the middle of the hottest tumour.
    """
    if register_layout(scene):
        scene.GetFirstNodeByClass("vtkMRMLLayoutNode").SetViewArrangement(PLAN_LAYOUT_ID)
    for composite in _nodes(scene, "vtkMRMLSliceCompositeNode"):
        with slicer.util.NodeModify(composite):
            if background is not None:
                composite.SetBackgroundVolumeID(background.GetID())
            if dose is not None:
                composite.SetForegroundVolumeID(dose.GetID())
                composite.SetForegroundOpacity(_DOSE_OPACITY)
    if focus_lps_mm is not None:
        jump_to(scene, focus_lps_mm)
    if chart is not None:
        _show_chart(scene, chart)


def jump_to(scene: slicer.vtkMRMLScene, position_lps_mm: Position) -> None:
    """Let all slice views show the slice through a position (LPS) [mm]."""
    shift_only = slicer.vtkMRMLSliceNode.OffsetJumpSlice  # the other mode also moves the point to the centre
    slicer.vtkMRMLSliceNode.JumpAllSlices(scene, *flipped(position_lps_mm), shift_only)


def show_overlay(
    scene: slicer.vtkMRMLScene,
    below: slicer.vtkMRMLScalarVolumeNode,
    above: slicer.vtkMRMLScalarVolumeNode,
    opacity: float,
) -> None:
    """Show an image over another in all slice views.

    Parameters
    ----------
    scene : vtkMRMLScene
    below, above : vtkMRMLScalarVolumeNode
    opacity : float
        Of the upper one, from 0 to 1.
    """
    for composite in _nodes(scene, "vtkMRMLSliceCompositeNode"):
        with slicer.util.NodeModify(composite):
            composite.SetBackgroundVolumeID(below.GetID())
            composite.SetForegroundVolumeID(above.GetID())
            composite.SetForegroundOpacity(opacity)


def set_overlay_opacity(scene: slicer.vtkMRMLScene, above: slicer.vtkMRMLScalarVolumeNode, opacity: float) -> None:
    """Set how strongly an image is shown over others, where it is."""
    for composite in _nodes(scene, "vtkMRMLSliceCompositeNode"):
        if composite.GetForegroundVolumeID() == above.GetID():
            composite.SetForegroundOpacity(opacity)


def _show_chart(scene: slicer.vtkMRMLScene, chart: slicer.vtkMRMLPlotChartNode) -> None:
    """Put a chart into all plot views, also those that follow the selection."""
    for selection in _nodes(scene, "vtkMRMLSelectionNode"):
        selection.SetActivePlotChartID(chart.GetID())
    for view in _nodes(scene, "vtkMRMLPlotViewNode"):
        view.SetPlotChartNodeID(chart.GetID())


def _nodes(scene: slicer.vtkMRMLScene, class_name: str) -> Iterator[slicer.vtkMRMLNode]:
    for index in range(scene.GetNumberOfNodesByClass(class_name)):
        yield scene.GetNthNodeByClass(index, class_name)


def _description() -> str:
    slices = "".join(
        _item(
            f'<view class="vtkMRMLSliceNode" singletontag="{name}">'
            f'<property name="orientation" action="default">{orientation}</property>'
            f'<property name="viewlabel" action="default">{letter}</property>'
            f'<property name="viewcolor" action="default">{color}</property></view>'
        )
        for name, orientation, letter, color in _SLICES
    )
    space = _item(_view("vtkMRMLViewNode", "1", "1"))
    plot = _item(_view("vtkMRMLPlotViewNode", "PlotView1", "P"))
    rows = "".join(_item(f'<layout type="horizontal">{views}</layout>', 500) for views in (slices, space + plot))
    return f'<layout type="vertical" split="true">{rows}</layout>'


def _view(class_name: str, tag: str, label: str) -> str:
    return (
        f'<view class="{class_name}" singletontag="{tag}">'
        f'<property name="viewlabel" action="default">{label}</property></view>'
    )


def _item(content: str, size: int | None = None) -> str:
    return f"<item>{content}</item>" if size is None else f'<item splitSize="{size}">{content}</item>'
