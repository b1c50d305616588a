"""Part 1 of the tutorial, walked through the panel as it is written: what the page says is what the panel shows.

Pictures are compared with nothing, since fonts differ; they are there, have the size asked for and show something.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import offscreen_charts
import offscreen_views
import offscreen_window
import pytest
import slicer_headless
import tutorial_pictures as pictures

slicer_headless.require_slicer()
import slicer  # noqa: E402
from tutorial_walk import PATIENCE_S, Walk, cells, choose, says, shows, start  # noqa: E402

from RadioembolizationPlannerLib import plans  # noqa: E402

pytestmark = [
    pytest.mark.exhaustive,
    pytest.mark.process,
    pytest.mark.reports,
    pytest.mark.slicer,
    pytest.mark.gui,
    pytest.mark.slow,
]


@pytest.fixture
def walk(scene, slicer_widgets, qt_app, tmp_path) -> Walk:
    offscreen_window.require_rendering()
    pytest.importorskip("PIL")
    pytest.importorskip("cvxpy")
    return start(slicer_widgets, qt_app, tmp_path)


def test_the_synthetic_patient(walk, scene, tmp_path):
    _empty(walk)
    _load(walk)
    plan = _optimize(walk)
    _look(walk, scene, plan)
    _certify(walk)
    by_hand = _by_hand(walk, plan)
    _compare(walk, plan, by_hand)
    _approve(walk, plan)
    _change_of_mind(walk)
    _infeasible(walk)
    _save_and_load(walk, scene, plan, tmp_path)
    _export(walk, tmp_path)
    _arteries(walk)
    assert sum(path.stat().st_size for path in walk.folder.glob("*.png")) < 1_500_000


def _empty(walk: Walk) -> None:
    """An empty panel says what is missing."""
    button = walk.panel.ui("Plan").optimizeButton
    assert not button.enabled
    shows("Structures: choose", button.toolTip)
    panel = pictures.widget_picture(walk.panel, walk.panel.widget.parent)
    tip = pictures.tooltip_picture(button.toolTip)
    below_button = int(walk.panel.sections["PlanSection"].widget.pos.y()) + 70
    walk.draw("empty", pictures.place(panel, tip, below_button, panel.shape[1] // 3))
    assert panel.shape[1] == walk.panel.widget.parent.width


def _load(walk: Walk) -> None:
    walk.button("Case", "syntheticButton")
    for name in ("Case", "Structures", "Sites", "Prescription"):
        walk.section(name)
    parameters, ui = walk.panel.parameters, walk.panel.ui
    tumours = [key for key, role in parameters.roles.items() if role == "tumour"]
    says(f"{len(tumours)} tumors and {len(parameters.sites)} candidate sites")
    says(f"*{ui('Prescription').presetBox.currentText}*")
    says(f"*{ui('Prescription').goalBox.currentText}*")
    says(f"at most {parameters.at_most_sites} injections of at least {parameters.least_activity_gbq:g} GBq")
    says(f"voxels of {parameters.spacing_mm:g} mm")
    for name, _sense, bound, unit, _source in cells(ui("Prescription").limitsTable):
        says(f"{name}: at most {bound} {unit}")


def _optimize(walk: Walk) -> Any:
    says("**Optimize**")
    plan = walk.panel.optimize(PATIENCE_S)
    shows("Injected: proper hepatic", walk.panel.session.status.text)
    assert walk.panel.ui("Plan").statusLabel.text == walk.panel.session.status.text
    walk.section("Plan")
    says(f"*{plan.GetName()}*")
    return plan


def _look(walk: Walk, scene: Any, plan: Any) -> None:
    """The views of a plan, and the whole module with them."""
    says("**Show in views**")
    dose = plan.GetNodeReference(plans.DOSE)
    with (
        offscreen_views.SliceView(scene, "Red", "Axial", pictures.VIEW_SIZE) as axial,
        offscreen_views.SliceView(scene, "Green", "Coronal", pictures.VIEW_SIZE) as coronal,
        offscreen_views.ThreeDView(scene, "1", pictures.VIEW_SIZE) as space,
    ):
        walk.panel.click("Results", "showButton")
        _surfaces(walk.panel.parameters, plan)
        for view in (axial, coronal):
            view.fit(dose, 1.0)
            assert view.composite.GetForegroundVolumeID() == dose.GetID()
        space.fit(1.3)
        slices = pictures.beside(axial.picture(), coronal.picture())
        rooms = space.picture()
    assert slices.shape[0] == pictures.VIEW_SIZE[1] and rooms.shape[:2] == pictures.VIEW_SIZE[::-1]
    walk.draw("slices", slices)
    walk.draw("space", rooms)
    chart = offscreen_charts.plot_picture(plan.GetNodeReference(plans.CHART), None, pictures.CHART_SIZE)
    assert chart.shape[:2] == pictures.CHART_SIZE[::-1]
    walk.draw("histograms", chart)
    panel = pictures.beside(walk.drawn["plan"], walk.section("Results"), down=True)
    small = offscreen_charts.plot_picture(plan.GetNodeReference(plans.CHART), None, pictures.VIEW_SIZE)
    views = pictures.beside(slices, pictures.beside(rooms, small), down=True)
    walk.draw("module", pictures.beside(pictures.of_height(panel, views.shape[0]), views))


def _surfaces(parameters: Any, plan: Any) -> None:
    """Show liver and tumors in 3D; what hides the dose is hidden already, as the page says."""
    display = parameters.segmentation.GetDisplayNode()
    assert display.GetOpacity2DFill() == 0.0
    assert not any(display.GetSegmentVisibility(site.segment_id) for site in parameters.sites)
    assert not plan.GetNodeReference(plans.TERRITORIES).GetDisplayNode().GetVisibility()
    for segment_id, role in parameters.roles.items():
        display.SetSegmentVisibility(segment_id, role in ("liver", "tumour"))
    parameters.segmentation.CreateClosedSurfaceRepresentation()


def _certify(walk: Walk) -> None:
    walk.button("Results", "certifyButton")
    shows("Plan 'Plan 1' stands", walk.panel.session.status.text)


def _by_hand(walk: Walk, plan: Any) -> Any:
    """A slider moves doses and limits; what it says is kept as a plan without a bound."""
    slider = walk.panel.sections["PlanSection"]._sliders["proper hepatic"]
    says("Move *proper hepatic* to 1.55 GBq")
    slider.value = 1.55
    walk.panel.spin(0.5)
    live = cells(walk.panel.ui("Plan").liveTable)
    exceeded = next(row for row in live if row[3] == "EXCEEDED")
    shows(exceeded[0], "  ".join(exceeded))
    walk.panel.ui("Plan").liveTable.scrollToBottom()
    walk.draw("sliders", pictures.widget_picture(walk.panel, walk.panel.sections["PlanSection"].widget))
    walk.button("Plan", "keepButton")
    kept = walk.panel.parameters.shown_plan
    assert kept is not plan
    says(f"*{kept.GetName()}*")
    said = walk.panel.session.status.text.splitlines()
    shows("Activities set by hand", "\n".join(line for line in said if not line.startswith("Injected")))
    return kept


def _compare(walk: Walk, plan: Any, other: Any) -> None:
    ui = walk.panel.ui("Results")
    ui.planSelector.setCurrentNode(plan)
    walk.panel.spin()
    ui.otherPlanSelector.setCurrentNode(other)
    walk.panel.spin()
    walk.button("Results", "compareButton")
    table = walk.panel.session.desk.comparison.GetTable()
    assert [table.GetColumnName(index) for index in range(3)] == ["Figure", plan.GetName(), other.GetName()]
    chart = _comparison_chart()
    walk.draw("comparison", offscreen_charts.plot_picture(chart, None, pictures.COMPARISON_SIZE))


def _comparison_chart() -> Any:
    charts = slicer.util.getNodesByClass("vtkMRMLPlotChartNode")
    return next(chart for chart in charts if chart.GetAttribute("RadioembolizationPlanner.Comparison"))


def _approve(walk: Walk, plan: Any) -> None:
    ui = walk.panel.ui("Results")
    says("*A. Physicist*")
    ui.approverEdit.text = "A. Physicist"
    walk.button("Results", "approveButton")
    says(f"`{walk.panel.session.status.text}`")
    assert "Approved by A. Physicist" in ui.stateLabel.text
    walk.draw("results-approved", pictures.widget_picture(walk.panel, walk.panel.sections["ResultsSection"].widget))


def _change_of_mind(walk: Walk) -> None:
    """A changed limit makes the plan stale; with the limits of the preset it is that of the case again."""
    limits, state = walk.panel.ui("Prescription").limitsTable, walk.panel.ui("Results").stateLabel
    says("type 35 instead of 40")
    limits.item(0, 2).setText("35")
    walk.panel.idle(PATIENCE_S)
    (stale,) = (line for line in state.text.splitlines() if line.startswith("OUT OF DATE"))
    says(f"`{stale}`")
    assert not walk.panel.ui("Results").approveButton.enabled
    walk.button("Prescription", "resetButton")
    assert "OUT OF DATE" not in state.text and "revoked" in state.text


def _infeasible(walk: Walk) -> None:
    least = walk.panel.ui("Prescription").leastBox
    says("at least 3 GBq and *proper hepatic* required")
    least.value = 3.0
    use = walk.panel.ui("Sites").sitesTable.cellWidget(0, 5)
    choose(walk.panel, use, "required")
    before = walk.panel.parameters.shown_plan
    walk.button("Plan", "optimizeButton")
    assert walk.panel.session.status.failed and walk.panel.parameters.shown_plan is before
    shows("Failed: The limits contradict", walk.panel.ui("Plan").statusLabel.text)
    least.value = 0.1
    use.setCurrentIndex(use.findText("free"))
    walk.panel.idle(PATIENCE_S)


def _save_and_load(walk: Walk, scene: Any, plan: Any, folder: Path) -> None:
    """The scene comes back with plan, parameters and doses; sliders ask for the doses first."""
    text = plan.GetText()
    assert slicer.util.saveScene(str(folder / "tutorial.mrb"))
    scene.Clear(False)
    slicer.util.loadScene(str(folder / "tutorial.mrb"))
    walk.panel.idle(PATIENCE_S)
    shown = walk.panel.parameters.shown_plan
    assert shown.GetText() == text and "OUT OF DATE" not in walk.panel.ui("Results").stateLabel.text
    ui = walk.panel.ui("Plan")
    assert not ui.keepButton.enabled
    says(f"`{ui.keepButton.toolTip}`")
    walk.button("Plan", "dosesButton")
    says(f"`{walk.panel.session.status.text}`")
    assert ui.keepButton.enabled


def _export(walk: Walk, folder: Path) -> None:
    """The file dialog aside, as the button does."""
    says(f"**{walk.panel.ui('Results').exportButton.text}**")
    files = walk.panel.session.desk.export(walk.panel.parameters.shown_plan, folder / "plan")
    for path in files.values():
        says(f"`{path.name}`")
        assert path.exists()


def _arteries(walk: Walk) -> None:
    """Sites of the tree that the patient brings, and a plan with them."""
    ui = walk.panel.ui("ArterySites")
    says(f"*{ui.arterySitesButton.text}*")
    ui.arterySitesButton.collapsed = False
    says("*Smallest radius* to 1 mm")
    ui.smallestRadiusBox.value = 1.0
    walk.button("ArterySites", "offerSitesButton")
    assert walk.panel.session.problem == ""
    says(f"`{ui.arterySitesLabel.text.splitlines()[0]}`")
    rows = {row[0]: row for row in cells(ui.coverageTable)}
    assert "segment 1 branch" not in rows and walk.panel.parameters.site("segment 1 branch") is not None
    assert rows["right hepatic"][3] == "gallbladder 2 %"
    walk.section("ArterySites")
    walk.panel.optimize(PATIENCE_S)
    (proof,) = (line for line in walk.panel.session.status.text.splitlines() if line.startswith("Proof"))
    shows("Proof", proof)
