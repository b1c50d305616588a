"""Vials, robustness and further results typed into section 5: they reach the case, and make plans stale."""

from __future__ import annotations

import json

import pytest
import slicer_headless
from course_hands import type_line
from hands import pick, row_of, texts_of, type_into

from radioembolization.dose import Uncertainty
from radioembolization.dose.spreads import spread

slicer_headless.require_slicer()
import slicer  # noqa: E402

pytestmark = [pytest.mark.slicer, pytest.mark.gui]


def _type_vials(panel):
    """Enter a calendar and hours, and plan in vials."""
    ui = panel.ui("Vials")
    panel.click("Vials", "addCalibrationButton")
    type_into(ui.calibrationsTable, 0, 0, "2026-03-15T12:00")
    panel.click("Vials", "addCalibrationButton")
    type_line(ui.sizesEdit, "3; 4.5")
    type_line(ui.timeZoneEdit, "America/New_York")
    type_line(ui.injectAtEdit, "2026-03-17T09:00")
    type_into(ui.hoursTable, row_of(ui.hoursTable, "left"), 1, "2026-03-17T11:30+01:00")
    type_line(ui.vialSourceEdit, "order form")
    ui.residualBox.value = 2.5
    ui.mostVialsBox.value = 2
    ui.vialsBox.checked = True
    panel.idle()


def _spread_row(panel, name):
    return row_of(panel.ui("Robustness").spreadsTable, spread(name).title.replace("umour", "umor"))


def test_typed_vials_reach_the_case(small):
    _type_vials(small)
    asked = small.session.inputs().analysis.vials
    calendar = asked.calendar
    assert calendar.sizes_gbq == (3.0, 4.5) and calendar.residual == 0.025 and calendar.supply.most_vials == 2
    assert [at.isoformat() for at in calendar.calibrations] == [
        "2026-03-15T12:00:00-04:00",
        "2026-03-22T12:00:00-04:00",
    ]
    assert {name: at.isoformat() for name, at in asked.inject_at.items()} == {
        "proper": "2026-03-17T09:00:00-04:00",
        "right": "2026-03-17T09:00:00-04:00",
        "left": "2026-03-17T11:30:00+01:00",
    }
    # 45 h after calibration: 3 and 4.5 GBq, less 2.5 %
    decay = 0.5 ** (45.0 / 64.05)
    told = small.ui("Vials").vialsLabel.text
    assert f"2026-03-17 09:00-04:00: 2 vials deliver {2.925 * decay:.3g} to {4.3875 * decay:.3g} GBq" in told

    small.ui("Vials").calibrationsTable.setCurrentCell(0, 0)
    small.click("Vials", "removeCalibrationButton")
    assert "before calibration" in small.ui("Vials").vialsLabel.text


def test_bad_vials_are_told_where_they_are_entered(small):
    ui = small.ui("Vials")
    ui.vialsBox.checked = True
    assert "add the time for which a vial is calibrated" in ui.vialsLabel.text
    assert "Vials: enter the time of injection." in small.ui("Plan").optimizeButton.toolTip
    _type_vials(small)
    type_line(ui.timeZoneEdit, "")
    assert "has no time zone" in ui.vialsLabel.text
    small.idle()
    assert not small.ui("Plan").optimizeButton.enabled and "no time zone" in small.ui("Plan").optimizeButton.toolTip
    type_line(ui.timeZoneEdit, "Middle/Earth")
    assert "Unknown time zone 'Middle/Earth'" in ui.vialsLabel.text
    type_line(ui.timeZoneEdit, "America/New_York")
    type_line(ui.injectAtEdit, "2026-06-17T09:00")
    assert "after calibration" in ui.vialsLabel.text  # months of decay
    type_line(ui.sizesEdit, "3 many")
    assert "'many' is no number" in small.ui("Plan").statusLabel.text and ui.sizesEdit.text == "3 4.5"
    type_line(ui.sizesEdit, "3,5")
    assert "can be one size or several" in small.ui("Plan").statusLabel.text
    type_line(ui.sizesEdit, "3, 5")
    assert small.parameters.vials["sizes_gbq"] == [3.0, 5.0]
    ui.vialsBox.checked = False
    small.idle()
    assert small.ui("Plan").optimizeButton.enabled and ui.vialsLabel.text == ""


def test_spreads_have_sources_and_can_be_changed(small):
    ui = small.ui("Robustness")
    pick(ui.scenariosBox, "robust")
    assert small.session.inputs().analysis.uncertainty == Uncertainty.default("resin")
    row = _spread_row(small, "lung_shunt_planar")
    assert "10.1007/s00270-020-02638-8" in ui.spreadsTable.item(row, 0).toolTip()
    titles = [texts[0] for texts in texts_of(ui.spreadsTable)]
    assert not any("166Ho" in title for title in titles)  # of another device
    pick(ui.spreadsTable.cellWidget(row, 1), "yes")
    chosen = {one.name for one in small.session.inputs().analysis.uncertainty.spreads}
    assert "lung_shunt_planar" in chosen and "lung_shunt_spect" not in chosen  # both act on the shunt
    assert ui.spreadsTable.cellWidget(_spread_row(small, "lung_shunt_spect"), 1).currentData == "no"
    shift = _spread_row(small, "registration_shift")
    type_into(ui.spreadsTable, shift, 3, "2,5")
    ui.countBox.value, ui.seedBox.value, ui.probabilityBox.value, ui.worstBox.value = 60, 7, 90.0, 20.0
    asked = small.session.inputs().analysis
    given = asked.uncertainty
    assert (given.count, given.seed, given.probability, given.worst_percent) == (60, 7, 0.9, 20.0) and asked.robust
    changed = next(one for one in given.spreads if one.name == "registration_shift")
    assert changed.numbers["sd"] == 2.5 and changed.changed
    assert ui.spreadsTable.item(shift, 4).text() == "changed"
    type_into(ui.spreadsTable, shift, 3, "500")
    assert "larger than physical" in small.ui("Plan").statusLabel.text
    assert ui.spreadsTable.item(shift, 3).text() == "2.5"
    small.click("Robustness", "publishedSpreadsButton")
    assert small.session.inputs().analysis.uncertainty.spreads == Uncertainty.default("resin").spreads
    _zero_scenarios_are_told(small)


def _zero_scenarios_are_told(small):
    ui = small.ui("Robustness")
    ui.countBox.value = 0
    assert "number of scenarios must be 1 to" in ui.robustnessLabel.text
    small.idle()
    assert not small.ui("Plan").optimizeButton.enabled
    pick(ui.scenariosBox, "none")
    small.idle()
    assert small.ui("Plan").optimizeButton.enabled and ui.robustnessLabel.text == ""


def test_optimized_with_scenarios_then_changed(small):
    """Changed vials and spreads make a plan stale, but not its doses."""
    _further_results_are_asked_for(small)
    robustness, state = small.ui("Robustness"), small.ui("Results").stateLabel
    pick(robustness.scenariosBox, "evaluated")
    robustness.countBox.value = 20
    plan = small.optimize()
    found = json.loads(plan.GetText())["analysis"]
    assert found["scenarios"]["plan"]["count"] == 20 and found["scenarios"]["robust"] is None
    assert small.ui("TradeOffs").stairsTable.rowCount == len(found["trade_offs"]["staircase"]["steps"])
    assert len(texts_of(small.ui("Scenarios").chancesTable)[0]) == 2  # there is no other plan beside it
    assert small.ui("Why").needsTable.rowCount == 3 and not small.ui("Orders").ordersTable.visible
    small.ui("FurtherResults").staircaseBox.checked = False
    small.idle()
    assert "OUT OF DATE" not in state.text  # nothing of the plan itself
    robustness.countBox.value = 30
    small.idle()
    assert "OUT OF DATE: uncertainty has changed" in state.text and small.session.why_no_doses() == ""
    robustness.countBox.value = 20
    _type_vials(small)
    assert "OUT OF DATE: choice of vials is new" in state.text and small.session.why_no_doses() == ""
    small.ui("Vials").vialsBox.checked = False
    small.idle()
    assert "OUT OF DATE" not in state.text and plan is small.parameters.shown_plan


def _further_results_are_asked_for(small):
    ui = small.ui("FurtherResults")
    small.ui("FurtherResults").staircaseBox.checked = True
    pick(ui.frontBox, "mean dose, lungs")
    asked = small.session.inputs().analysis
    assert asked.staircase and asked.front.limit == "mean dose, lungs"
    pick(ui.frontBox, "binding")
    assert small.session.inputs().analysis.front.limit == ""
    pick(ui.frontBox, "")
    assert small.session.inputs().analysis.front is None


@pytest.mark.slow
def test_vials_and_spreads_survive_saving(small, scene, tmp_path):
    _type_vials(small)
    pick(small.ui("Robustness").scenariosBox, "robust")
    type_into(small.ui("Robustness").spreadsTable, _spread_row(small, "calibration"), 3, "4")
    before = small.session.inputs().analysis
    hours = texts_of(small.ui("Vials").hoursTable)
    path = str(tmp_path / "case.mrb")
    assert slicer.util.saveScene(path)
    scene.Clear(False)
    small.idle()
    assert not small.ui("Vials").vialsBox.checked and small.ui("Vials").calibrationsTable.rowCount == 0
    slicer.util.loadScene(path)
    small.idle()
    assert small.session.inputs().analysis == before
    assert texts_of(small.ui("Vials").hoursTable) == hours and small.ui("Vials").timeZoneEdit.text == "America/New_York"
    assert small.ui("Robustness").scenariosBox.currentData == "robust"
