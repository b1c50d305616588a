"""The planning session without a panel: doses, activities by hand, plans that become stale."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import slicer_headless
from inline_runner import InlineRunner
from session_driver import computed, small_session

from radioembolization.errors import PlannerError
from radioembolization.treatment import plan_treatment, prepare
from small_case import small_inputs
from support import REPOSITORY, quiet

slicer_headless.require_slicer()
import slicer  # noqa: E402
import slicer_module_standins  # noqa: E402

slicer_module_standins.install()
from RadioembolizationPlannerLib import tasks  # noqa: E402
from RadioembolizationPlannerLib.events import Event  # noqa: E402
from RadioembolizationPlannerLib.plan_record import record_of  # noqa: E402
from RadioembolizationPlannerLib.plans import plans_of, stated_plan  # noqa: E402

pytestmark = pytest.mark.slicer

_BY_HAND = {"proper": 0.5, "left": 0.25}


@pytest.fixture
def session(scene, monkeypatch, request):
    """On the small case; without reports and other processes, which take seconds (but see the mark ``process``)."""
    monkeypatch.setattr(tasks, "report_if_possible", lambda treatment: "")
    made = small_session(scene)
    if request.node.get_closest_marker("process") is None:
        made.runner = InlineRunner(with_timer=False)
    yield made
    made.stop()


@pytest.mark.exhaustive
@pytest.mark.process
def test_an_optimized_plan_is_that_of_the_core(scene, session):
    session.optimize()
    session.runner.wait(120.0)
    stated = stated_plan(session.parameters.shown_plan).plan
    with quiet():
        direct = plan_treatment(prepare(small_inputs())).plan
    assert stated.activities_gbq == pytest.approx(direct.activities_gbq, rel=1e-6, abs=1e-9)
    assert stated.goal.value == pytest.approx(direct.goal.value, rel=1e-6)
    assert session.parameters.activities_gbq == pytest.approx(
        dict(zip(("proper", "left", "right"), direct.activities_gbq, strict=True)), rel=1e-6, abs=1e-9
    )
    assert not session.status.failed and "GBq" in session.status.text


def test_events_tell_of_doses_and_plans(scene, session):
    heard = []
    session.listen(heard.append)
    session.compute_doses()
    session.runner.wait(120.0)
    assert Event.DOSES in heard and Event.PLANS not in heard
    heard.clear()
    session.set_activities(_BY_HAND)
    assert Event.LIVE in heard
    session.keep_activities()
    assert Event.PLANS in heard


def test_doses_of_activities_by_hand_are_the_rows_times_activities(session):
    computed(session)
    session.set_activities(_BY_HAND)
    rows = session._prepared.dose_per_gbq
    expected = np.array([0.5, 0.25, 0.0]) @ rows.rows
    assert session.live_result.dose_gy == pytest.approx(expected, rel=1e-5, abs=1e-4)
    limits = {limit.name: limit.value for limit in session.live_limits()}
    lungs = 49.67 * (0.5 * 0.05 + 0.25 * 0.05) / 1.0  # Gy: activity, shunt, 1 kg
    assert limits["mean dose, lungs"] == pytest.approx(lungs, rel=2e-3)


def test_kept_activities_are_a_plan_with_these_activities(scene, session):
    computed(session).set_activities(_BY_HAND)
    before_gy = np.array(session.live_result.volume_gy)
    plan = session.keep_activities("by hand")
    stated = stated_plan(plan).plan
    assert list(stated.activities_gbq) == [0.5, 0.25, 0.0]
    assert stated.unproved.startswith("Activities set by hand")
    kept_gy = slicer.util.arrayFromVolume(plan.GetNodeReference("planDose"))
    inside = before_gy > 0.0
    assert kept_gy[inside] == pytest.approx(before_gy[inside], rel=1e-4, abs=1e-3)
    assert session.live is None and not slicer.util.getNodes("*dose of the sliders*")


def test_nothing_is_kept_without_doses(session):
    session.change(activities_gbq=_BY_HAND)
    with pytest.raises(PlannerError, match="Compute the doses first"):
        session.keep_activities()


def test_a_plan_is_never_said_to_be_of_inputs_its_doses_were_not_computed_from(session):
    """Also where nothing watches the scene, as in a script."""
    computed(session).set_activities(_BY_HAND)
    scout = session.parameters.scout
    slicer.util.arrayFromVolume(scout)[:] *= 2.0
    slicer.util.arrayFromVolumeModified(scout)
    with pytest.raises(PlannerError, match="scout image has changed"):
        session.keep_activities()
    assert not plans_of(session.scene)


def test_a_changed_prescription_keeps_the_doses_and_makes_plans_stale(session):
    plan = _kept(session)
    session.change(at_most_sites=1)
    session.refresh()
    assert session.why_no_doses() == ""
    assert record_of(plan).stale == ("prescription has changed",)
    session.change(at_most_sites=2)
    session.refresh()
    assert record_of(plan).stale == ()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"device": "glass", "preset": "", "limits": ({"quantity": "lungs", "at_most_gy": 30.0},)}, "device and dose"),
        ({"spacing_mm": 5.0}, "device and dose settings has changed"),
        ({"lung_mass_kg": 0.9}, "lung mass has changed"),
        ({"liver_density_g_per_cm3": 1.0}, "device and dose settings"),
        ({"scout": None}, "choose the scout image"),
    ],
)
def test_every_changed_choice_is_told_by_name_and_asks_for_new_doses(session, changes, reason):
    plan = _kept(session)
    session.change(**changes)
    session.refresh()
    assert reason in "; ".join(record_of(plan).stale)
    assert session.why_no_doses()


def test_approval_does_not_survive_a_change_and_does_not_come_back(session):
    session.change(limits=({"quantity": "lungs", "at_most_gy": 30.0},), preset="")
    plan = _kept(session)
    session.desk.approve(plan, "A. Physicist")
    assert record_of(plan).approval.by == "A. Physicist"
    segment = session.parameters.segmentation.GetSegmentation().GetSegment("A")
    segment.SetName("renamed")
    session.refresh()
    record = record_of(plan)
    assert record.approval is None and "structure 'A' is missing" in record.stale
    assert "revoked" in record.history[-1] and "structure 'A' is missing" in record.history[-1]
    segment.SetName("A")
    session.refresh()
    assert record_of(plan).stale == () and record_of(plan).approval is None


def test_an_edited_segment_makes_the_plan_stale_until_it_is_restored(session):
    plan = _kept(session)
    node = session.parameters.segmentation
    array = slicer.util.arrayFromSegmentBinaryLabelmap(node, "A").copy()
    smaller = array.copy()
    smaller[tuple(np.argwhere(array)[0])] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(smaller, node, "A")
    session.refresh()
    assert record_of(plan).stale == ("structure 'A' has changed",)
    slicer.util.updateSegmentBinaryLabelmapFromArray(array, node, "A")
    session.refresh()
    assert record_of(plan).stale == ()


def test_unchanged_inputs_are_not_read_again(session, monkeypatch):
    from RadioembolizationPlannerLib import case

    read = []
    for name in ("mask_from_segment", "volume_from_node"):
        function = getattr(case, name)
        monkeypatch.setattr(case, name, lambda *given, f=function: read.append(given) or f(*given))
    session.refresh()
    assert not read
    slicer.util.arrayFromVolumeModified(session.parameters.scout)
    session.refresh()
    assert len(read) == 1


def test_infeasible_limits_are_told_and_change_nothing(session):
    session.change(least_activity_gbq=5.0, most_activity_gbq=6.0, sites=_required(session, "proper"))
    before = session.scene.GetNumberOfNodes()
    session.optimize()
    session.runner.wait(120.0)
    assert session.status.failed and "'activity at proper >= 5 GBq'" in session.status.text
    assert session.scene.GetNumberOfNodes() == before and session.parameters.shown_plan is None


@pytest.mark.process
def test_only_one_calculation_runs_at_a_time(session):
    session.compute_doses()
    with pytest.raises(PlannerError, match="A calculation is running"):
        session.optimize()
    session.cancel()
    session.runner.wait(30.0)
    assert session.status.text == "Cancelled. Nothing was changed."
    assert session.why_no_doses() == "Compute the doses first, or optimize."


def test_doses_are_computed_once_for_many_plans(session):
    session.optimize()
    session.runner.wait(120.0)
    steps = []
    session.listen(lambda event: steps.append(session.status.text) if event is Event.STATUS else None)
    session.change(at_most_sites=1)
    session.optimize()
    session.runner.wait(120.0)
    assert not [text for text in steps if "dose per GBq" in text]
    assert len(plans_of(session.scene)) == 2 and len(stated_plan(session.parameters.shown_plan).plan.used_sites) == 1


@pytest.mark.process
def test_closing_the_scene_lets_go_of_everything_and_ends_the_calculation(scene, session):
    session.compute_doses()
    session.scene_closes()
    scene.Clear(False)
    assert not session.runner.is_running
    assert session.why_no_doses() and session.live is None and session.parameters.segmentation is None


def test_a_deleted_volume_of_the_sliders_is_made_anew(scene, session):
    computed(session).set_activities(_BY_HAND)
    scene.RemoveNode(session.live.dose)
    session.set_activities({"proper": 1.0})
    assert scene.IsNodePresent(session.live.dose) and session.live.curves is not None
    live = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    assert [node.GetName() for node in live if "sliders" in node.GetName()] == ["small case: dose of the sliders"]
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLPlotChartNode") == 1


@pytest.mark.exhaustive
def test_plans_by_hand_need_no_solver(tmp_path):
    """In a Python that has neither cvxpy nor what draws reports: doses, sliders, a kept plan."""
    script = tmp_path / "by_hand.py"
    script.write_text(_WITHOUT_PACKAGES.format(root=str(REPOSITORY)), encoding="utf-8")
    run = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=240, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    assert run.stdout.splitlines()[-1] == "kept 0.5 0 reports"


_WITHOUT_PACKAGES = """
import sys
for blocked in ("cvxpy", "highspy", "matplotlib", "jinja2"):
    sys.modules[blocked] = None
for folder in ("Testing/slicer", "Testing/support", "RadioembolizationPlanner"):
    sys.path.insert(0, r"{root}/" + folder)
import slicer_headless
scene = slicer_headless.boot()
from inline_runner import InlineRunner
from session_driver import computed, small_session
session = computed(small_session(scene))
session.set_activities({{"proper": 0.5}})
plan = session.keep_activities()
from RadioembolizationPlannerLib.plans import stated_plan
reports = plan.GetNumberOfNodeReferences("planReport")
print("kept", f"{{stated_plan(plan).plan.activities_gbq[0]:g}}", reports, "reports")
"""


@pytest.mark.exhaustive
def test_reports_of_kept_activities_are_written_meanwhile(scene, session):
    from RadioembolizationPlannerLib.reports import ReportWriter
    from RadioembolizationPlannerLib.runner import Runner

    reports, heard = Runner(), []
    session._reports = ReportWriter(reports)
    computed(session).set_activities(_BY_HAND)
    first = session.keep_activities("first")
    second = session.keep_activities("second")
    assert first.GetNodeReference("planReport") is None  # the plan does not wait for it
    session.listen(heard.append)
    reports.wait(120.0)
    for plan in (first, second):
        page = plan.GetNodeReference("planReport").GetText()
        assert "<html" in page and "small case" in page
    assert heard.count(Event.PLANS) == 2


@pytest.mark.exhaustive
def test_a_plan_deleted_before_its_report_is_there_stays_deleted(scene, session):
    from RadioembolizationPlannerLib.reports import ReportWriter
    from RadioembolizationPlannerLib.runner import Runner

    reports = Runner()
    session._reports = ReportWriter(reports)
    computed(session).set_activities(_BY_HAND)
    session.desk.delete(session.keep_activities())
    reports.wait(120.0)
    assert not plans_of(scene) and not [name for name in slicer.util.getNodes("*") if "report" in name]


def _kept(session):
    computed(session).set_activities(_BY_HAND)
    return session.keep_activities()


def _required(session, name):
    return tuple(replace(site, rule="required") if site.name == name else site for site in session.parameters.sites)
