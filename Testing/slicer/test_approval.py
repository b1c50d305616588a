"""Approvals: only of plans that hold, of exactly what they hold, and none outlives a change."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest
import slicer_headless

from radioembolization.errors import InputError, PlanFileError
from radioembolization.treatment.fingerprint import input_digests

slicer_headless.require_slicer()
import slicer  # noqa: E402
import slicer_module_standins  # noqa: E402

slicer_module_standins.install()
from plan_cases import AT, EXCEEDED_GBQ, by_hand, put  # noqa: E402

from RadioembolizationPlannerLib import plans  # noqa: E402
from RadioembolizationPlannerLib.approval import (  # noqa: E402
    approve,
    check_approval,
    plan_digest,
    refresh_stale,
    revoke,
)
from RadioembolizationPlannerLib.errors import NewerScene, PlanChanged  # noqa: E402
from RadioembolizationPlannerLib.plan_record import PLAN_ATTRIBUTE, record_of  # noqa: E402

pytestmark = pytest.mark.slicer

NAME = "A. Physicist"


@pytest.fixture
def plan(scene):
    return put(scene, "mine")


def _change_dose(plan) -> None:
    dose = plans.node_of(plan, plans.DOSE)
    slicer.util.arrayFromVolume(dose)[10, 10, 10] += 0.001
    slicer.util.arrayFromVolumeModified(dose)


def _change_text(plan) -> None:
    document = json.loads(plan.GetText())
    document["sites"][1]["activity_gbq"] *= 2.0
    plan.SetText(json.dumps(document))


def _move_dose(plan) -> None:
    plans.node_of(plan, plans.DOSE).SetOrigin(1.0, 2.0, 3.0)


def _move_dose_by_a_transform(plan) -> None:
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    slicer.util.updateTransformMatrixFromArray(
        transform, np.array([[1, 0, 0, 5.0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    )
    plans.node_of(plan, plans.DOSE).SetAndObserveTransformNodeID(transform.GetID())


def _delete_dose(plan) -> None:
    slicer.mrmlScene.RemoveNode(plans.node_of(plan, plans.DOSE))


def _break_dose(plan) -> None:
    slicer.util.arrayFromVolume(plans.node_of(plan, plans.DOSE))[10, 10, 10] = np.nan


CHANGES = {
    "dose": _change_dose,
    "text": _change_text,
    "place": _move_dose,
    "transform": _move_dose_by_a_transform,
    "no dose": _delete_dose,
    "no numbers": _break_dose,
}


def test_an_approval_says_who_when_and_what(plan):
    record = approve(plan, f"  {NAME} ", AT)
    assert (record.approval.by, record.approval.at) == (NAME, "2026-03-04T15:06:07+00:00")
    assert record.approval.digest == plan_digest(plan)
    assert record.history == (f"2026-03-04T15:06:07+00:00: approved by {NAME}",)
    assert record_of(plan) == record


def test_an_approval_stands_while_nothing_changes(plan, scene, tmp_path):
    record = approve(plan, NAME, AT)
    assert check_approval(plan, AT) == record
    slicer.util.saveScene(str(tmp_path / "case.mrb"))
    scene.Clear(False)
    slicer.util.loadScene(str(tmp_path / "case.mrb"))
    (loaded,) = plans.plans_of(scene)
    assert check_approval(loaded, AT) == record


@pytest.mark.parametrize("change", CHANGES)
def test_no_approval_outlives_a_change_of_what_was_approved(plan, change):
    approve(plan, NAME, AT)
    CHANGES[change](plan)
    record = check_approval(plan, AT)
    assert record.approval is None and record_of(plan) == record
    assert f"approval by {NAME} revoked" in record.history[-1]
    assert len(record.history) == 2


@pytest.mark.parametrize("by", ["", "   ", "\n"])
def test_nobody_cannot_approve(plan, by):
    with pytest.raises(InputError, match="Enter the name"):
        approve(plan, by, AT)
    assert record_of(plan).approval is None


def test_a_plan_that_exceeds_a_limit_is_not_approved(scene):
    plan = put(scene, "too much", by_hand(*EXCEEDED_GBQ))
    with pytest.raises(InputError, match=r"'too much' exceeds limits.*perfused normal liver"):
        approve(plan, NAME, AT)
    assert record_of(plan).approval is None


@pytest.mark.parametrize(
    ("change", "error"), [("no dose", PlanChanged), ("no numbers", InputError)], ids=["no dose", "no numbers"]
)
def test_a_plan_without_its_dose_is_not_approved(plan, change, error):
    CHANGES[change](plan)
    with pytest.raises(error):
        approve(plan, NAME, AT)
    assert record_of(plan).approval is None


def test_a_plan_whose_file_is_broken_is_not_approved(plan):
    plan.SetText(plan.GetText()[:-20])
    with pytest.raises(PlanFileError, match="'mine'"):
        approve(plan, NAME, AT)


def test_a_plan_of_a_newer_program_is_neither_approved_nor_changed(plan):
    plan.SetAttribute(PLAN_ATTRIBUTE, "2")
    before = {name: plan.GetAttribute(name) for name in plan.GetAttributeNames()}
    for touch in (
        lambda: approve(plan, NAME, AT),
        lambda: revoke(plan, "x", AT),
        lambda: check_approval(plan, AT),
        lambda: refresh_stale(plan, {}, AT),
    ):
        with pytest.raises(NewerScene):
            touch()
    assert {name: plan.GetAttribute(name) for name in plan.GetAttributeNames()} == before


def test_a_revoked_approval_is_remembered(plan):
    approve(plan, NAME, AT)
    record = revoke(plan, "by the user", AT)
    assert record.approval is None
    assert record.history[-1].endswith(f"approval by {NAME} revoked: by the user")
    assert revoke(plan, "again", AT) == record


# -- out of date ----------------------------------------------------------------------------------------------------


def test_a_plan_of_the_case_is_not_out_of_date(plan):
    assert refresh_stale(plan, input_digests(by_hand().case.inputs), AT).stale == ()


def test_a_changed_part_is_told_and_ends_the_approval(plan):
    approve(plan, NAME, AT)
    now = {**input_digests(by_hand().case.inputs), "CT": "another"}
    record = refresh_stale(plan, now, AT)
    assert record.stale == ("CT has changed",) and record.approval is None
    assert record.history[-1].endswith("revoked: CT has changed")
    with pytest.raises(InputError, match=r"'mine' is out of date and cannot be approved: CT has changed"):
        approve(plan, NAME, AT)


def test_a_part_changed_back_makes_the_plan_hold_again_without_its_approval(plan):
    approve(plan, NAME, AT)
    now = input_digests(by_hand().case.inputs)
    refresh_stale(plan, {**now, "CT": "another"}, AT)
    record = refresh_stale(plan, now, AT)
    assert record.stale == () and record.approval is None
    assert approve(plan, NAME, AT).approval is not None


def test_a_case_that_cannot_be_read_is_the_reason(plan):
    assert refresh_stale(plan, {}, AT, "Structures: choose.").stale == ("Structures: choose.",)


def test_the_digest_is_of_text_voxels_and_place(plan):
    """Worked out from the definition: dose first, then the text."""
    from radioembolization.images import Unit
    from radioembolization.treatment.fingerprint import volume_digest
    from RadioembolizationPlannerLib.scene import volume_from_node

    dose = volume_digest(volume_from_node(plans.node_of(plan, plans.DOSE), Unit.GY))
    assert plan_digest(plan) == hashlib.sha256((dose + plan.GetText()).encode()).hexdigest()
