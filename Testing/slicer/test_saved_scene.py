"""A scene with plans is saved, closed and loaded: everything is there again and can be gone on with."""

from __future__ import annotations

from dataclasses import fields

import pytest
import slicer_headless
from hands import pick, slider, texts_of, type_into

slicer_headless.require_slicer()
import slicer  # noqa: E402

pytestmark = [pytest.mark.reports, pytest.mark.slicer, pytest.mark.gui, pytest.mark.slow]

_NODES = ("scout", "ct", "segmentation", "site_points", "shown_plan")


def test_a_saved_scene_brings_everything_back(small, scene, tmp_path):
    _adorn(small)
    small.optimize()
    slider(small, "left").value = 0.3
    small.click("Plan", "keepButton")
    by_hand = small.parameters.shown_plan
    _report_comes_while_plans_are_compared(small, by_hand)
    small.ui("Results").planSelector.setCurrentNode(slicer.util.getNode("Plan 1"))
    small.ui("Results").approverEdit.text = "A. Physicist"
    small.click("Results", "approveButton")
    saved, digest = _everything(small), _approval(small).digest
    path = str(tmp_path / "plan.mrb")
    assert slicer.util.saveScene(path)
    scene.Clear(False)
    small.idle()
    assert small.parameters.segmentation is None and not small.ui("Plan").optimizeButton.enabled
    assert not _all_plans()
    slicer.util.loadScene(path)
    small.idle()
    assert _everything(small) == saved
    assert _approval(small).digest == digest and "Approved by" in small.ui("Results").stateLabel.text
    _assert_shown(small)
    small.click("Results", "certifyButton")
    small.idle()
    assert not small.session.status.failed and "Plan 'Plan 1' stands" in small.ui("Plan").statusLabel.text
    assert not small.ui("Plan").keepButton.enabled
    small.click("Plan", "dosesButton")
    small.idle()
    slider(small, "left").value = 0.5
    assert slicer.util.arrayFromVolume(small.session.live.dose).max() > 1.0
    small.click("Plan", "keepButton")
    assert small.parameters.shown_plan.GetName() == "Plan 3"


def _report_comes_while_plans_are_compared(panel, by_hand):
    """What ends meanwhile does not take the comparison away."""
    results = panel.ui("Results")
    results.otherPlanSelector.setCurrentNode(slicer.util.getNode("Plan 1"))
    panel.click("Results", "compareButton")
    table = results.tableView.mrmlTableNode().GetTable()
    assert table.GetColumnName(1) == "Plan 2" and by_hand.GetNodeReference("planReport") is None
    panel.until(lambda: by_hand.GetNodeReference("planReport") is not None)
    panel.idle()
    assert results.tableView.mrmlTableNode().GetTable() is table


def _adorn(panel):
    """Give every parameter a value of its own."""
    ui = panel.ui("Prescription")
    type_into(ui.limitsTable, 0, 2, "38.5")
    ui.mostBox.value = 4.0
    ui.leastBox.value = 0.1
    ui.reasonEdit.text = "because"
    ui.reasonEdit.editingFinished.emit()
    panel.session.change(lung_shunt=0.04, isodoses_gy=(25.0, 50.0), lung_mass_assumed=True)
    pick(panel.ui("Sites").sitesTable.cellWidget(1, 5), "required")
    table = panel.ui("Ratios").ratiosTable
    for row in range(3):
        type_into(table, row, 1, f"{row + 2.5}")
    panel.idle()


def _everything(panel):
    """Return what a scene holds of the planner, in values that can be compared."""
    parameters = panel.parameters
    values = {f.name: getattr(parameters, f.name) for f in fields(parameters) if f.name not in _NODES}
    nodes = {name: getattr(parameters, name).GetName() for name in _NODES}
    return values, nodes, {plan.GetName(): _plan_content(plan) for plan in _all_plans()}


def _plan_content(plan):
    from RadioembolizationPlannerLib.plan_record import record_of
    from RadioembolizationPlannerLib.plans import ROLES, TABLES, nodes_of

    dose = plan.GetNodeReference("planDose")
    tables = {role: _rows(plan.GetNodeReference(role)) for role in TABLES}
    territories = plan.GetNodeReference("planTerritories")
    segments = territories.GetSegmentation()
    volumes = {
        key: int(slicer.util.arrayFromSegmentBinaryLabelmap(territories, key, dose).sum())
        for key in segments.GetSegmentIDs()
    }
    isodoses = [(node.GetName(), node.GetPolyData().GetNumberOfPoints()) for node in nodes_of(plan, "planIsodoses")]
    return {
        "text": plan.GetText(),
        "record": record_of(plan),
        "dose": slicer.util.arrayFromVolume(dose).tobytes(),
        "unit": dose.GetVoxelValueUnits().GetCodeValue(),
        "references": {role: [node.GetName() for node in nodes_of(plan, role)] for role in ROLES},
        "tables": tables,
        "territories": volumes,
        "isodoses": isodoses,
        "report": plan.GetNodeReference("planReport").GetText(),
    }


def _rows(node):
    table = node.GetTable()
    return [
        [table.GetValue(r, c).ToString() for c in range(table.GetNumberOfColumns())]
        for r in range(table.GetNumberOfRows())
    ]


def _assert_shown(panel):
    """The widgets say what the parameters are."""
    parameters = panel.parameters
    assert panel.ui("Case").scoutSelector.currentNode() is parameters.scout
    assert panel.ui("Structures").segmentationSelector.currentNode() is parameters.segmentation
    assert [row[0] for row in texts_of(panel.ui("Sites").sitesTable)] == ["proper", "left", "right"]
    assert panel.ui("Prescription").limitsTable.item(0, 2).text() == "38.5"
    assert panel.ui("Prescription").mostBox.value == 4.0
    assert panel.ui("Results").planSelector.currentNode() is parameters.shown_plan
    assert panel.ui("Results").isodosesEdit.text == "25 50"
    stated = parameters.activities_gbq["left"]
    assert slider(panel, "left").value == pytest.approx(stated, abs=1e-3)


def _approval(panel):
    from RadioembolizationPlannerLib.plan_record import record_of

    return record_of(panel.parameters.shown_plan).approval


def _all_plans():
    from RadioembolizationPlannerLib.plans import plans_of

    return plans_of(slicer.mrmlScene)
