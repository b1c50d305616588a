"""A real work-up (99mTc-MAA SPECT and segmentation) in the panel, against the command line's way."""

from __future__ import annotations

import time

import pytest
import slicer_headless
from hands import add_site, choose_roles, pick, slider

from support import REPOSITORY, SHARED, quiet

slicer_headless.require_slicer()
import slicer  # noqa: E402

pytestmark = [
    pytest.mark.exhaustive,
    pytest.mark.process,
    pytest.mark.slicer,
    pytest.mark.gui,
    pytest.mark.real_data,
    pytest.mark.slow,
]

_FOLDER = SHARED / "data" / "maa_spect_patient"
_CASE = REPOSITORY / "Testing" / "cases" / "maa_spect_patient.toml"
if not _FOLDER.is_dir():
    pytest.skip(f"{_FOLDER} is not there", allow_module_level=True)


@pytest.fixture
def patient(panel, scene):
    """The two files loaded as by a user, and chosen in the panel."""
    spect = slicer.util.loadVolume(str(_FOLDER / "patient_2_SPECT.nrrd"))
    segmentation = slicer.util.loadSegmentation(str(_FOLDER / "patient_2_Segmentation.seg.nrrd"))
    panel.ui("Case").scoutSelector.setCurrentNode(spect)
    panel.ui("Structures").segmentationSelector.setCurrentNode(segmentation)
    panel.spin()
    return panel


def _segment(panel, name):
    return panel.parameters.segmentation.GetSegmentation().GetSegmentIdBySegmentName(name)


def _described(panel):
    """Describe the case of the toml file: sites and prescription through the widgets, parts through parameters."""
    from dataclasses import replace

    structures = panel.ui("Structures")
    choose_roles(panel, panel.parameters.segmentation, dict.fromkeys(("Tumor 1", "Tumor 2"), "tumour"))
    structures.lungMassBox.value = 1.0
    structures.lungMassAssumedBox.checked = True
    panel.ui("Sites").shuntBox.value = 5.0
    add_site(panel, "whole liver (proper hepatic)", _segment(panel, "liver"))
    for name in ("perfused volume", "part nearest Tumor 1", "part nearest Tumor 2"):
        add_site(panel, name, _segment(panel, "perfused volume"))
    sites = panel.parameters.sites
    parts = [replace(site, nearest_to=site.name.removeprefix("part nearest ")) for site in sites[2:]]
    panel.session.change(sites=(*sites[:2], *parts), case_name="MAA SPECT patient 2")
    panel.ui("Case").spacingBox.value = 2.5
    pick(panel.ui("Prescription").presetBox, "resin/unilobar")


def test_roles_are_proposed_where_the_file_allows_it(patient):
    """The file gives all segments but liver and gallbladder the terminology of a muscle, left from a template."""
    table = patient.ui("Structures").rolesTable
    roles = {table.item(row, 0).text(): table.cellWidget(row, 1).currentData for row in range(table.rowCount)}
    assert roles["liver"] == "liver" and roles["gallbladder"] == "other organ"
    assert roles["Tumor 1"] == roles["Tumor 2"] == "tumour"
    assert not roles["perfused volume"] and not roles["perfused normal"] and not roles["whole liver normal"]


def test_the_plan_of_the_panel_is_that_of_the_command_line(patient, scene, tmp_path):
    from radioembolization.files.case_file import read_case
    from radioembolization.treatment import plan_treatment, prepare
    from RadioembolizationPlannerLib.plan_record import record_of
    from RadioembolizationPlannerLib.plans import stated_plan

    _described(patient)
    first = _seconds(_forgotten_and_read(patient))
    print(f"read: {first:.2f} s; again: {_seconds(patient.session.refresh):.3f} s")
    assert patient.session.problem == ""
    with quiet():
        expected = plan_treatment(prepare(read_case(_CASE))).plan
    plan = patient.optimize(300.0)
    found = stated_plan(plan).plan
    assert found.goal.value == pytest.approx(expected.goal.value, rel=1e-4)
    assert found.activities_gbq == pytest.approx(expected.activities_gbq, rel=1e-3, abs=1e-4)
    name = "perfused volume"
    print(f"slider: {1000.0 * _seconds(lambda: _move(patient, name, 1.0)):.0f} ms the first time")
    print(f"then {1000.0 * _seconds(lambda: _move(patient, name, 1.1)):.0f} ms")
    path = str(tmp_path / "patient.mrb")
    saving = _seconds(lambda: slicer.util.saveScene(path))
    scene.Clear(False)
    patient.idle()
    loading = _seconds(lambda: slicer.util.loadScene(path))
    print(f"saved in {saving:.1f} s, loaded in {loading:.1f} s")
    patient.idle()
    again = patient.parameters.shown_plan
    assert record_of(again).stale == () and stated_plan(again).plan.goal.value == found.goal.value
    patient.click("Results", "certifyButton")
    patient.idle(300.0)
    assert not patient.session.status.failed, patient.session.status.text
    assert "stands" in patient.ui("Plan").statusLabel.text


def _move(panel, site, activity_gbq):
    slider(panel, site).value = activity_gbq


def _seconds(action):
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def _forgotten_and_read(panel):
    def read():
        panel.session._reader.forget()
        panel.session.refresh()

    return read
