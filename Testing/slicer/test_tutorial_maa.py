"""Part 2 of the tutorial: a public patient whose roles, sites, shunt and ratios the user enters."""

from __future__ import annotations

import re

import pytest
import slicer_headless

from support import SHARED

slicer_headless.require_slicer()
import slicer  # noqa: E402
from tutorial_walk import PAGE, PATIENCE_S, TOLERANCE, Panel, Walk, choose, says, shows, start  # noqa: E402

from RadioembolizationPlannerLib import plans  # noqa: E402

pytestmark = [
    pytest.mark.exhaustive,
    pytest.mark.process,
    pytest.mark.reports,
    pytest.mark.slicer,
    pytest.mark.gui,
    pytest.mark.slow,
    pytest.mark.real_data,
]

FOLDER = SHARED / "data" / "maa_spect_patient"


@pytest.fixture
def walk(scene, slicer_widgets, qt_app, tmp_path) -> Walk:
    if not FOLDER.is_dir():
        pytest.skip(f"{FOLDER} is not there")
    pytest.importorskip("cvxpy")
    return start(slicer_widgets, qt_app, tmp_path)


def test_the_maa_patient(walk):
    panel = walk.panel
    scout = slicer.util.loadVolume(str(FOLDER / "patient_2_SPECT.nrrd"))
    anatomy = slicer.util.loadSegmentation(str(FOLDER / "patient_2_Segmentation.seg.nrrd"))
    panel.ui("Case").scoutSelector.setCurrentNode(scout)
    panel.ui("Structures").segmentationSelector.setCurrentNode(anatomy)
    panel.spin()
    _maa_roles(panel)
    _maa_sites(panel)
    choose(panel, panel.ui("Prescription").presetBox, "resin, one lobe")
    panel.idle(PATIENCE_S)
    says("**Optimize**")
    panel.optimize(PATIENCE_S)
    shows("Injected: whole liver", panel.session.status.text)
    use = panel.ui("Sites").sitesTable.cellWidget(0, 5)
    choose(panel, use, "forbidden")
    panel.idle(PATIENCE_S)
    panel.optimize(PATIENCE_S)
    shows("Injected: perfused volume", panel.session.status.text)
    choose(panel, use, "free")
    _maa_ratios(panel)


def _maa_roles(panel: Panel) -> None:
    table = panel.ui("Structures").rolesTable
    for row in range(table.rowCount):
        name, box = table.item(row, 0).text(), table.cellWidget(row, 1)
        if name.startswith("Tumor"):
            assert box.currentText == "tumor"  # all have one code, so their names count, as the page says
    proposed = {table.item(row, 0).text(): table.cellWidget(row, 1).currentText for row in range(table.rowCount)}
    assert proposed["liver"] == "liver" and proposed["gallbladder"] == "other organ"
    panel.ui("Structures").lungMassBox.value = 1.0
    panel.spin()
    panel.ui("Structures").lungMassAssumedBox.checked = True
    panel.spin()


def _maa_sites(panel: Panel) -> None:
    table = panel.ui("Sites").sitesTable
    for row, (name, volume) in enumerate((("whole liver", "liver"), ("perfused volume", "perfused volume"))):
        panel.click("Sites", "addSiteButton")
        table.item(row, 0).setText(name)
        panel.spin()
        choose(panel, table.cellWidget(row, 1), volume)
    panel.ui("Sites").shuntBox.value = 5.0
    panel.spin()


def _maa_ratios(panel: Panel) -> None:
    """By ratios: those measured in the scout, then those entered."""
    sites, ratios = panel.ui("Sites").sitesTable, panel.ui("Ratios").ratiosTable
    for row in range(sites.rowCount):
        choose(panel, sites.cellWidget(row, 3), "by T/N ratios")
    for entered in ((), ("4", "2.5")):
        for row, text in enumerate(entered):
            ratios.item(row, 1).setText(text)
            panel.spin()
        panel.idle(PATIENCE_S)
        panel.optimize(PATIENCE_S)
        name = "entered: 4 and 2.5" if entered else "measured"
        row = re.search(rf"^\| {name} \| ([\d.]+) \| ([\d.]+) \|$", PAGE, re.M)
        assert [float(number) for number in row.groups()] == pytest.approx(_activity_and_goal(panel), rel=TOLERANCE)


def _activity_and_goal(panel: Panel) -> tuple[float, float]:
    plan = plans.stated_plan(panel.parameters.shown_plan).plan
    return float(plan.activities_gbq.sum()), plan.goal.value
