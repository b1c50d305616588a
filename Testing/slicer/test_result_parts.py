"""Reasons, trade-offs, scenarios and vials of a plan in section 6: tables, charts, and plans loaded from them."""

from __future__ import annotations

import json

import analysis_cases as cases
import numpy as np
import pytest
import slicer_headless
from hands import Heartbeat, pick, texts_of

slicer_headless.require_slicer()
import slicer  # noqa: E402
import vtk.util.numpy_support  # noqa: E402

pytestmark = [pytest.mark.slicer, pytest.mark.gui]


@pytest.fixture
def full(panel, scene):
    """The panel with the plan that was asked for everything."""
    panel.plan = cases.take(panel, scene)
    return panel


def _stated(plan):
    from RadioembolizationPlannerLib.plans import stated_plan

    return stated_plan(plan).plan


def _analysis(plan):
    return json.loads(plan.GetText())["analysis"]


def _select(panel, table, row):
    getattr(panel.ui(table[0]), table[1]).setCurrentCell(row, 0)
    panel.spin()


def _column(table, index):
    return vtk.util.numpy_support.vtk_to_numpy(table.GetTable().GetColumn(index))


def test_what_was_found_out_is_shown_and_its_plans_are_loaded(full, monkeypatch):
    _sentences_and_needs_of_sites_are_shown(full)
    _the_front_is_drawn_with_the_plan_on_it(full)
    _scenarios_are_shown_beside_those_of_the_nominal_plan(full)
    _vials_and_orders_are_listed(full)
    # a panel with a plan takes longer than all of this
    _a_point_of_the_front_is_loaded_with_its_activities(full)
    _a_step_and_an_alternative_are_loaded(full)
    _a_point_selected_in_the_plot_is_loaded(full, monkeypatch)
    _points_of_a_stale_plan_are_not_loaded(full)


def _sentences_and_needs_of_sites_are_shown(full):
    ui, why = full.ui("Why"), cases.analysed().analysis.explanation
    assert ui.whyLabel.text.splitlines()[0] == cases.analysed().plan.explanation[0]
    assert "tumor" in ui.whyLabel.text and "tumour" not in ui.whyLabel.text
    assert [row[:2] for row in texts_of(ui.needsTable)] == [[site.site, str(site.need)] for site in why.sites]
    rows = {row[0]: row[1:] for row in texts_of(ui.contributionsTable)}
    mean_gy = {s.name: s.mean_gy for s in cases.analysed().plan.structures}
    parts = [float(text) for text in rows["B"]]
    assert parts[-1] == pytest.approx(mean_gy["B"], rel=1e-3) and sum(parts[:-1]) == pytest.approx(parts[-1], rel=1e-3)


def _a_point_of_the_front_is_loaded_with_its_activities(full):
    front = cases.analysed().analysis.front
    ui = full.ui("TradeOffs")
    assert len(texts_of(ui.frontTable)) == len(front.points)
    assert not ui.loadFrontButton.enabled and ui.loadFrontButton.toolTip == "Select a row first."
    row = next(k for k, point in enumerate(front.points) if point.limit_bound > front.limit_bound)
    _select(full, ("TradeOffs", "frontTable"), row)
    full.click("TradeOffs", "loadFrontButton")
    loaded = full.parameters.shown_plan
    assert loaded is not full.plan and _stated(loaded).status == "manual"
    assert _stated(loaded).activities_gbq == pytest.approx(front.points[row].activities_gbq, rel=1e-12)
    assert _stated(loaded).goal.value == pytest.approx(front.points[row].value, rel=1e-9)
    # the front stays, so that another point can be loaded
    assert "Of plan 'Plan 1'" in ui.tradeOffsLabel.text and len(texts_of(ui.frontTable)) == len(front.points)
    _select(full, ("TradeOffs", "frontTable"), 0)
    full.click("TradeOffs", "loadFrontButton")
    assert _stated(full.parameters.shown_plan).goal.value == pytest.approx(front.points[0].value, rel=1e-9)


def _a_step_and_an_alternative_are_loaded(full):
    steps = [step for step in cases.analysed().analysis.staircase.steps if step.value is not None]
    _select(full, ("TradeOffs", "stairsTable"), len(steps) - 1)
    full.click("TradeOffs", "loadStepButton")
    assert _stated(full.parameters.shown_plan).activities_gbq == pytest.approx(steps[-1].activities_gbq, rel=1e-12)
    full.ui("Results").planSelector.setCurrentNode(full.plan)
    full.idle()
    others = cases.analysed().analysis.explanation.alternatives
    assert full.ui("Why").alternativesTable.rowCount == len(others)
    assert full.ui("Why").loadAlternativeButton.visible == bool(others)


def _the_front_is_drawn_with_the_plan_on_it(full):
    from RadioembolizationPlannerLib import plans

    front = cases.analysed().analysis.front
    chart = full.plan.GetNodeReference(plans.FRONT_CHART)
    points, mark = (chart.GetNthPlotSeriesNode(index) for index in range(2))
    table = points.GetTableNode()
    assert [points.GetXColumnName(), points.GetYColumnName()] == [table.GetColumnName(0), table.GetColumnName(1)]
    assert _column(table, 0) == pytest.approx([p.limit_bound for p in front.points])
    assert _column(table, 1) == pytest.approx([p.value for p in front.points])
    assert _column(mark.GetTableNode(), 0)[0] == front.limit_bound
    assert _column(mark.GetTableNode(), 1)[0] == pytest.approx(cases.analysed().plan.goal.value)
    low, high = chart.GetXAxisRange()
    assert low <= front.points[0].limit_bound and high >= front.points[-1].limit_bound
    full.click("TradeOffs", "frontChartButton")
    full.click("TradeOffs", "stairsChartButton")


def _scenarios_are_shown_beside_those_of_the_nominal_plan(full):
    from RadioembolizationPlannerLib import plans

    analysis = cases.analysed().analysis
    rows = texts_of(full.ui("Scenarios").chancesTable)
    assert rows[-1][0] == "all of these together" and len(rows[-1]) == 3
    assert float(rows[-1][1]) == pytest.approx(100.0 * analysis.in_scenarios.all_limits, abs=0.1)
    assert float(rows[-1][2]) == pytest.approx(100.0 * analysis.robust.nominal_fresh.all_limits, abs=0.1)
    tumors = {row[0]: row for row in texts_of(full.ui("Scenarios").tumorsTable)}
    chance = next(t for t in analysis.in_scenarios.tumours if t.name == "B")
    assert float(tumors["B"][1]) == pytest.approx(chance.mean_gy.p10, rel=1e-3)
    assert "100 scenarios" in full.ui("Scenarios").scenariosLabel.text
    bands = full.plan.GetNodeReference(plans.BANDS)
    names = [bands.GetColumnName(k) for k in range(bands.GetNumberOfColumns())]
    p10, p90 = (_column(bands, names.index(f"B: {level} (%)")) for level in ("P10", "P90"))
    assert np.all(p10 <= p90 + 1e-9) and np.any(p10 < p90 - 5.0)
    full.click("Scenarios", "bandsChartButton")


def _vials_and_orders_are_listed(full):
    vials = cases.analysed().analysis.vials
    rows = {row[0]: row for row in texts_of(full.ui("Orders").injectionsTable)}
    assert set(rows) == {one.site for one in vials.chosen.injections}
    for one in vials.chosen.injections:
        assert float(rows[one.site][4]) == pytest.approx(one.delivered_gbq, rel=1e-3)
    (order,) = texts_of(full.ui("Orders").ordersTable)
    assert order[:3] == ["1", "3", "2026-03-15 12:00-04:00"]
    assert "below that of free activities" in full.ui("Orders").ordersLabel.text


def test_everything_is_saved_and_deleted_with_the_plan(full, scene, tmp_path):
    def shown():
        tables = (("Why", "needsTable"), ("TradeOffs", "frontTable"), ("TradeOffs", "stairsTable"))
        tables += (("Scenarios", "chancesTable"), ("Scenarios", "tumorsTable"), ("Orders", "ordersTable"))
        return {name: texts_of(getattr(full.ui(part), name)) for part, name in tables}

    before = shown()
    path = str(tmp_path / "plan.mrb")
    assert all(before.values()) and slicer.util.saveScene(path)
    scene.Clear(False)
    full.idle()
    assert not full.ui("TradeOffs").frontTable.visible
    slicer.util.loadScene(path)
    full.idle()
    assert shown() == before and "OUT OF DATE" not in full.ui("Results").stateLabel.text
    further = {key: full.session.parameters.further[key] for key in cases.FURTHER}
    assert further == cases.FURTHER and _analysis(full.parameters.shown_plan)["microspheres"]["draws"] == 2
    _select(full, ("TradeOffs", "frontTable"), 1)
    assert "Compute the doses first" in full.ui("TradeOffs").loadFrontButton.toolTip
    full.click("TradeOffs", "frontChartButton")
    assert full.parameters.shown_plan.GetNodeReference("planFrontSeries").GetTableNode() is not None
    _everything_goes_with_the_plan(full, tmp_path)


def _everything_goes_with_the_plan(full, tmp_path):
    from RadioembolizationPlannerLib import plans

    files = full.session.desk.export(full.parameters.shown_plan, tmp_path / "out")
    assert {"front", "staircase", "vials", "orders", "dvh_bands"} <= set(files)
    full.click("Results", "deleteButton")
    left = [slicer.mrmlScene.GetNthNode(i) for i in range(slicer.mrmlScene.GetNumberOfNodes())]
    kinds = [node for node in left if node.IsA("vtkMRMLPlotSeriesNode") or node.IsA("vtkMRMLPlotChartNode")]
    assert not kinds and not [node for node in left if (node.GetName() or "").startswith("Plan 1")]
    assert plans.plans_of(slicer.mrmlScene) == () and not full.ui("TradeOffs").frontTable.visible


def _points_of_a_stale_plan_are_not_loaded(full):
    _select(full, ("TradeOffs", "frontTable"), 1)
    full.ui("Robustness").seedBox.value = 99
    full.idle()
    button = full.ui("TradeOffs").loadFrontButton
    assert not button.enabled and "uncertainty has changed" in button.toolTip


class _PlotView:
    """The plot view of the application, as far as the panel uses it."""

    def __init__(self):
        self.slots, self.node = {}, slicer.vtkMRMLPlotViewNode()

    def connect(self, signal, slot):
        self.slots[signal] = slot

    def disconnect(self, signal, slot):
        assert self.slots.pop(signal) == slot

    def mrmlPlotViewNode(self):  # noqa: N802
        return self.node

    def select(self, series, row):
        ids, rows, found = vtk.vtkStringArray(), vtk.vtkIdTypeArray(), vtk.vtkCollection()
        ids.InsertNextValue(series.GetID())
        rows.InsertNextValue(row)
        found.AddItem(rows)
        self.slots["dataSelected(vtkStringArray*,vtkCollection*)"](ids, found)


def _a_point_selected_in_the_plot_is_loaded(full, monkeypatch):
    view = _PlotView()

    class Manager:
        plotViewCount = 1  # noqa: N815

        def plotWidget(self, _index):  # noqa: N802
            return self

        def plotView(self):  # noqa: N802
            return view

    monkeypatch.setattr(slicer.app, "layoutManager", Manager)
    full.click("TradeOffs", "frontChartButton")
    kind = slicer.vtkMRMLPlotViewNode
    assert view.node.GetInteractionMode() == kind.InteractionModeSelectPoints
    shown = full.parameters.shown_plan
    view.select(full.plan.GetNodeReference("planSeries"), 0)  # of the histograms: nothing happens
    assert full.parameters.shown_plan is shown
    view.select(full.plan.GetNodeReference("planFrontSeries"), 2)
    point = cases.analysed().analysis.front.points[2]
    assert _stated(full.parameters.shown_plan).activities_gbq == pytest.approx(point.activities_gbq, rel=1e-12)
    assert full.ui("TradeOffs").frontTable.currentRow() == 2
    full.sections["TradeOffsSection"].leave()
    assert not view.slots and view.node.GetInteractionMode() == kind.InteractionModePanView


@pytest.mark.exhaustive
@pytest.mark.process
@pytest.mark.slow
def test_the_synthetic_patient_is_planned_robustly_while_the_event_loop_lives(panel):
    from RadioembolizationPlannerLib.synthetic import load_synthetic_patient

    load_synthetic_patient(panel.session, spacing_mm=7.0)
    panel.idle()
    pick(panel.ui("Robustness").scenariosBox, "robust")
    panel.ui("Robustness").countBox.value = 50
    told = []
    panel.session.listen(lambda event: told.append(panel.session.status.text.rpartition(": ")[2]))
    with Heartbeat() as heart:
        plan = panel.optimize(600.0)
    print(f"robust: {heart.beats} beats, longest pause {heart.longest_s:.2f} s")
    assert (
        heart.busiest_s < 4.0
        and heart.longest_s < 20.0
        and {"dose for scenarios", "robust plan", "explanation"} <= set(told)
    )
    scenarios = _analysis(plan)["scenarios"]
    assert scenarios["plan"]["all_limits"] >= scenarios["robust"]["nominal_fresh"]["all_limits"]
    assert panel.ui("Scenarios").tumorsTable.rowCount == len(scenarios["plan"]["tumours"]) > 0
