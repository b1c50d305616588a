"""The whole workflow in the panel, as a user goes through it."""

from __future__ import annotations

import pytest
import slicer_headless
from hands import (
    Heartbeat,
    add_site,
    bare_nodes,
    choose_roles,
    describe_site,
    pick,
    row_of,
    slider,
    texts_of,
    type_into,
)

from radioembolization.errors import MissingPackage
from radioembolization.planning import preset
from radioembolization.planning.prescription import Prescription
from radioembolization.structures import Role
from radioembolization.treatment import plan_treatment, prepare
from small_case import small_inputs
from support import quiet

slicer_headless.require_slicer()
import slicer  # noqa: E402

pytestmark = [pytest.mark.slicer, pytest.mark.gui]

#: Longest pause of the event loop while a plan is found and put into the scene; other work may share the cores [s].
_LONGEST_PAUSE_S = 2.0


def _limits_by_hand():
    """Return the small case with what is asked in the panel below: written with the core's own types."""
    from radioembolization.planning.limit_table import limit_from_table

    chosen = preset("resin/bilobar")
    liver = limit_from_table({"quantity": "perfused_normal_liver", "at_most_gy": 35.0})
    own = limit_from_table({"quantity": "mean_dose", "structure": "gallbladder", "at_most_gy": 25.0})
    asked = Prescription(
        limits=(liver, chosen.limits[1], own), at_most_sites=2, most_activity_gbq=3.0, forbidden_sites=("right",)
    )
    return small_inputs(prescription=asked, lung_mass_kg=1.2)


def test_a_case_put_together_by_hand_has_the_plan_of_the_core(panel, scene):
    nodes = bare_nodes(scene, small_inputs())
    case = panel.ui("Case")
    case.caseNameEdit.text = "by hand"
    case.caseNameEdit.editingFinished.emit()
    case.scoutSelector.setCurrentNode(nodes.scout)
    case.ctSelector.setCurrentNode(nodes.ct)
    pick(case.deviceBox, "resin")
    case.spacingBox.value = 4.0
    choose_roles(panel, nodes.segmentation, dict.fromkeys("ABC", str(Role.TUMOUR)))
    assert set(panel.parameters.roles.values()) == {Role.LIVER, Role.TUMOUR, Role.ORGAN}  # two of them proposed
    panel.ui("Structures").lungMassBox.value = 1.2
    panel.ui("Sites").pointsSelector.setCurrentNode(nodes.site_points)
    panel.click("Sites", "fromPointsButton")
    perfused = {site.name: site.segment_id for site in nodes.sites}
    describe_site(panel, 0, perfused["proper"])
    add_site(panel, "left", perfused["left"])
    add_site(panel, "right", perfused["right"], "4", rule="forbidden")
    assert "lung shunt of 'proper'" in panel.ui("Plan").optimizeButton.toolTip
    panel.ui("Sites").shuntBox.value = 5.0
    _prescribe(panel)
    panel.idle()
    assert panel.session.problem == ""
    with quiet():
        expected = plan_treatment(prepare(_limits_by_hand())).plan
    panel.optimize()
    from RadioembolizationPlannerLib.plans import stated_plan

    found = stated_plan(panel.parameters.shown_plan).plan
    assert found.activities_gbq == pytest.approx(expected.activities_gbq, rel=1e-5, abs=1e-8)
    assert found.goal.value == pytest.approx(expected.goal.value, rel=1e-5)
    assert expected.activities_gbq.max() > 0.2
    values = {limit.name: limit.limit for limit in found.limits}
    assert values["mean dose, perfused normal liver"] == 35.0 and values["mean dose, gallbladder"] == 25.0


def _prescribe(panel):
    ui = panel.ui("Prescription")
    pick(ui.presetBox, "resin/bilobar")
    type_into(ui.limitsTable, 0, 2, "35")
    assert "changed by the user from 40" in ui.limitsTable.item(0, 4).text()
    pick(ui.quantityBox, "mean_dose")
    form = panel.sections["PrescriptionSection"]._form._entries
    pick(form["structure"], "gallbladder")
    form["bound"].value = 25.0
    panel.click("Prescription", "addLimitButton")
    ui.atMostSitesBox.value = 2
    ui.mostBox.value = 3.0


def test_ratios_typed_in_the_panel_are_used(small):
    table = small.ui("Ratios").ratiosTable
    for name, ratio in (("A", "4,5"), ("B", "2.5"), ("C", "3")):
        type_into(table, row_of(table, name), 1, ratio)
    assert small.session.inputs().tumour_to_normal == {"A": 4.5, "B": 2.5, "C": 3.0}
    type_into(table, row_of(table, "A"), 1, "many")
    assert "'many' is no number" in small.ui("Plan").statusLabel.text
    assert table.item(row_of(table, "A"), 1).text() == "4.5"


@pytest.mark.exhaustive
@pytest.mark.process
@pytest.mark.slow
def test_the_synthetic_patient_is_planned_while_the_event_loop_lives(panel):
    from RadioembolizationPlannerLib.synthetic import load_synthetic_patient

    load_synthetic_patient(panel.session, spacing_mm=7.0)
    panel.idle()
    told = []
    panel.session.listen(lambda event: told.append(panel.session.status))
    with Heartbeat() as heart:
        panel.optimize()
    print(f"optimized: {heart.beats} beats, longest pause {heart.longest_s:.2f} s")
    assert heart.beats > 50 and heart.busiest_s < _LONGEST_PAUSE_S and heart.longest_s < 5.0 * _LONGEST_PAUSE_S
    assert {"dose per GBq", "optimization"} <= {status.text.rpartition(": ")[2] for status in told}
    assert any(0 < status.step <= status.steps for status in told)
    plan = panel.parameters.shown_plan
    assert panel.ui("Results").planSelector.currentNode() is plan
    assert panel.ui("Results").tableView.mrmlTableNode() is plan.GetNodeReference("planStructures")
    assert "GBq" in panel.ui("Plan").statusLabel.text


def test_a_slider_moves_dose_curves_and_limits(small):
    small.click("Plan", "dosesButton")
    small.idle()
    slider(small, "left").value = 0.2
    live = small.session.live
    one_gy = slicer.util.arrayFromVolume(live.dose).copy()
    doses, curve = _column(live.curves.table, "Dose (Gy)"), _column(live.curves.table, "B")
    assert 1.0 < (curve > 50.0).sum() < len(curve)
    small.spin(0.3)
    shown = _live_texts(small)
    assert shown["mean dose, whole liver"][1] == f"{_mean_gy(small, 'whole liver'):.1f} Gy"
    assert shown["mean dose, perfused normal liver"][3] == "met"
    slider(small, "left").value = 0.4
    assert slicer.util.arrayFromVolume(live.dose) == pytest.approx(2.0 * one_gy, rel=1e-5)
    assert live.dose.GetImageData().GetScalarRange()[1] == pytest.approx(2.0 * one_gy.max(), rel=1e-5)
    assert _column(live.curves.table, "Dose (Gy)") == pytest.approx(2.0 * doses)  # every dose of the curve is doubled
    assert _column(live.curves.table, "B") == pytest.approx(curve, abs=0.5)
    small.spin(0.3)
    assert float(_live_texts(small)["mean dose, whole liver"][1].split()[0]) == pytest.approx(
        2.0 * float(shown["mean dose, whole liver"][1].split()[0]), abs=0.11
    )
    slider(small, "left").value = 4.0
    small.spin(0.3)
    assert _live_texts(small)["mean dose, perfused normal liver"][3] == "EXCEEDED"


def test_kept_compared_and_set_back(small):
    best = small.optimize()
    before = slider(small, "left").value
    slider(small, "left").value = before / 2.0
    small.click("Plan", "keepButton")
    by_hand = small.parameters.shown_plan
    assert by_hand is not best and (best.GetName(), by_hand.GetName()) == ("Plan 1", "Plan 2")
    results = small.ui("Results")
    results.otherPlanSelector.setCurrentNode(best)
    small.click("Results", "compareButton")
    table = results.tableView.mrmlTableNode().GetTable()
    columns = [table.GetColumnName(i) for i in range(table.GetNumberOfColumns())]
    assert columns == ["Figure", "Plan 2", "Plan 1"]
    row = next(i for i in range(table.GetNumberOfRows()) if table.GetValue(i, 0) == "activity, left (GBq)")
    halved, full = (float(table.GetValueByName(row, name).ToString()) for name in columns[1:])
    assert halved == pytest.approx(full / 2.0, rel=0.01)
    results.planSelector.setCurrentNode(best)
    assert small.parameters.shown_plan is best
    assert slider(small, "left").value == pytest.approx(before, abs=1e-3)
    slider(small, "left").value = 1.0
    small.click("Plan", "backButton")
    assert slider(small, "left").value == pytest.approx(before, abs=1e-3)


@pytest.mark.exhaustive
@pytest.mark.process
@pytest.mark.reports
def test_a_kept_plan_gets_its_report_without_a_pause(small):
    small.click("Plan", "dosesButton")
    small.idle()
    slider(small, "left").value = 0.2
    with Heartbeat() as heart:
        small.click("Plan", "keepButton")
        plan = small.parameters.shown_plan
        assert not small.ui("Results").reportButton.enabled
        small.until(lambda: plan.GetNodeReference("planReport") is not None)
    print(f"kept: longest pause {heart.longest_s:.2f} s")
    assert heart.busiest_s < _LONGEST_PAUSE_S and heart.longest_s < 5.0 * _LONGEST_PAUSE_S
    assert small.ui("Results").reportButton.enabled


@pytest.mark.process
def test_cancelled_in_the_middle_then_planned_while_the_event_loop_lives(small):
    panel = small
    panel.session.change(spacing_mm=1.5)  # takes its time
    panel.idle()
    nodes = slicer.mrmlScene.GetNumberOfNodes()
    panel.click("Plan", "optimizeButton")
    panel.until(lambda: "dose per GBq" in panel.session.status.text)
    assert panel.ui("Plan").cancelButton.enabled and not panel.ui("Plan").optimizeButton.enabled
    panel.click("Plan", "cancelButton")
    panel.idle(10.0)
    assert panel.ui("Plan").statusLabel.text == "Cancelled. Nothing was changed."
    assert slicer.mrmlScene.GetNumberOfNodes() == nodes
    assert panel.ui("Plan").optimizeButton.enabled and not panel.ui("Plan").cancelButton.enabled
    panel.session.change(spacing_mm=3.0)
    panel.idle()
    with Heartbeat() as heart:
        panel.optimize()
    assert heart.beats > 20 and heart.longest_s < _LONGEST_PAUSE_S
    assert panel.session.why_no_doses() == "" and "GBq" in panel.ui("Plan").statusLabel.text


def test_declined_packages_leave_doses_sliders_and_plans_by_hand(small):
    def declined():
        raise MissingPackage("Radioembolization Planner needs the Python packages cvxpy: agree to the installation.")

    small.session.get_packages = declined
    small.click("Plan", "optimizeButton")
    assert "needs the Python packages cvxpy" in small.ui("Plan").statusLabel.text
    assert not small.session.runner.is_running
    small.click("Plan", "dosesButton")
    small.idle()
    slider(small, "proper").value = 0.3
    small.click("Plan", "keepButton")
    assert small.parameters.shown_plan is not None and not small.session.status.failed


def test_isodoses_typed_in_the_panel_are_drawn_and_go_with_the_deleted_plan(small):
    nodes = {node.GetID() for node in _all_nodes()}
    plan = small.optimize()
    results = small.ui("Results")
    results.isodosesEdit.text = "30; 60, 90"
    small.click("Results", "isodosesButton")
    models = [
        plan.GetNthNodeReference("planIsodoses", i) for i in range(plan.GetNumberOfNodeReferences("planIsodoses"))
    ]
    assert len(models) == 3 and small.parameters.isodoses_gy == (30.0, 60.0, 90.0)
    assert len([n for n in slicer.util.getNodesByClass("vtkMRMLModelNode") if "isodose" in n.GetName()]) == 3
    results.isodosesEdit.text = "thirty"
    small.click("Results", "isodosesButton")
    assert "not 'thirty'" in small.ui("Plan").statusLabel.text
    small.click("Results", "deleteButton")
    left = [node for node in _all_nodes() if node.GetID() not in nodes and not node.GetHideFromEditors()]
    assert not [node.GetName() for node in left if "Plan 1" in (node.GetName() or "")]
    assert small.parameters.shown_plan is None and not small.ui("Results").deleteButton.enabled


def _all_nodes():
    scene = slicer.mrmlScene
    return [scene.GetNthNode(i) for i in range(scene.GetNumberOfNodes())]


def _live_texts(panel):
    return {row[0]: row for row in texts_of(panel.ui("Plan").liveTable)}


def _mean_gy(panel, name):
    result = panel.session.live_result
    return float(result.mean_gy[result.names.index(name)])


def _column(table, name):
    import vtk.util.numpy_support

    return vtk.util.numpy_support.vtk_to_numpy(table.GetTable().GetColumnByName(name)).copy()
