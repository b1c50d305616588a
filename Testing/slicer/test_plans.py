"""Plans of a scene: found, tied to their nodes, read, deleted without a trace, and surviving a saved scene."""

from __future__ import annotations

import json

import pytest
import slicer_headless

from radioembolization.errors import InputError, PlanFileError

slicer_headless.require_slicer()
import slicer  # noqa: E402
import slicer_module_standins  # noqa: E402

slicer_module_standins.install()
from plan_cases import AT, KEPT_GBQ, by_hand, contents, put  # noqa: E402

from RadioembolizationPlannerLib import plans  # noqa: E402
from RadioembolizationPlannerLib.errors import NewerScene, PlanChanged  # noqa: E402
from RadioembolizationPlannerLib.plan_record import (  # noqa: E402
    PLAN_ATTRIBUTE,
    Approval,
    PlanRecord,
    record_of,
    write_record,
)

pytestmark = pytest.mark.slicer

_RECORD = "RadioembolizationPlanner.PlanRecord"
RECORD = PlanRecord(
    name='Plan "Ä"',
    made_at="2026-03-04T15:06:07+01:00",
    inputs={"CT": "0f", "structure 'Ä'": "1e"},
    stale=("CT has changed",),
    approval=Approval("A. Physicist", "2026-03-05T08:00:00+01:00", "2d"),
    history=("a", "b"),
)


def test_plans_are_found_in_the_order_they_were_made_and_numbered(scene):
    note = scene.AddNewNodeByClass("vtkMRMLTextNode", "a note of the user")
    first, second = put(scene), put(scene)
    assert plans.plans_of(scene) == (first, second)
    assert (first.GetName(), second.GetName()) == ("Plan 1", "Plan 2")
    assert note not in plans.plans_of(scene)


def test_a_plan_has_one_node_in_each_role_it_needs(scene):
    plan = put(scene)
    lonely = [role for role in plans.ROLES if role not in (plans.ISODOSES, plans.SERIES)]
    wanted = {role: 0 if role in plans.FURTHER else 1 for role in lonely}  # nothing further was asked for
    assert {role: len(plans.nodes_of(plan, role)) for role in lonely} == wanted
    assert len(plans.nodes_of(plan, plans.SERIES)) == len(by_hand().histograms)
    assert len(plans.nodes_of(plan)) == sum(len(plans.nodes_of(plan, role)) for role in plans.ROLES)


def test_the_file_of_a_plan_says_what_was_planned(scene):
    stated = plans.stated_plan(put(scene))
    assert stated.name == "small case"
    assert [site.activity_gbq for site in stated.plan.sites] == pytest.approx(KEPT_GBQ)


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "{}", '{"schema_version": "2.0"}'])
def test_a_file_that_is_no_plan_is_refused_with_the_plans_name(scene, text):
    plan = put(scene, "broken one")
    plan.SetText(text)
    with pytest.raises(PlanFileError, match="'broken one'"):
        plans.stated_plan(plan)


def test_a_deleted_node_is_named(scene):
    plan = put(scene, "mine")
    scene.RemoveNode(plans.node_of(plan, plans.DOSE))
    with pytest.raises(PlanChanged, match=r"plan 'mine' was deleted.*planDose.*plan again"):
        plans.node_of(plan, plans.DOSE)
    assert plans.nodes_of(plan, plans.DOSE) == []


def test_a_deleted_plan_leaves_the_scene_as_it_was_before(scene):
    put(scene)
    before = contents(scene)
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    items = _items(hierarchy)
    plans.remove_plan(scene, put(scene))
    assert contents(scene) == before
    assert _items(hierarchy) == items


def test_the_folder_of_the_user_is_not_deleted_with_a_plan(scene):
    plan = put(scene)
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    folder = hierarchy.CreateFolderItem(hierarchy.GetSceneItemID(), "of the user")
    for node in (plan, *plans.nodes_of(plan)):
        hierarchy.SetItemParent(hierarchy.GetItemByDataNode(node), folder)
    plans.remove_plan(scene, plan)
    assert hierarchy.GetItemName(folder) == "of the user"


def test_a_plan_that_lost_nodes_and_its_place_can_be_deleted(scene):
    plan = put(scene)
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    hierarchy.RemoveItem(hierarchy.GetItemByDataNode(plan), False, False)
    scene.RemoveNode(plans.node_of(plan, plans.CHART))
    plans.remove_plan(scene, plan)
    assert plans.plans_of(scene) == ()


def _items(hierarchy) -> list[str]:
    import vtk

    found = vtk.vtkIdList()
    hierarchy.GetItemChildren(hierarchy.GetSceneItemID(), found, True)
    return [hierarchy.GetItemName(found.GetId(k)) for k in range(found.GetNumberOfIds())]


def test_plans_survive_a_saved_scene(scene, tmp_path):
    plan = put(scene, "mine")
    text, record, nodes = plan.GetText(), record_of(plan), [node.GetName() for node in plans.nodes_of(plan)]
    assert slicer.util.saveScene(str(tmp_path / "case.mrb"))
    scene.Clear(False)
    slicer.util.loadScene(str(tmp_path / "case.mrb"))
    (found,) = plans.plans_of(scene)
    assert found.GetName() == "mine" and found.GetText() == text and record_of(found) == record
    assert [node.GetName() for node in plans.nodes_of(found)] == nodes


# -- records --------------------------------------------------------------------------------------------------------


def test_a_record_comes_back_as_it_was(scene):
    plan = plans.new_plan(scene, "{}", RECORD)
    assert record_of(plan) == RECORD
    assert plan.GetName() == RECORD.name and plan.GetText() == "{}"


def test_an_unchanged_record_tells_nobody(scene):
    import vtk

    plan, told = plans.new_plan(scene, "{}", RECORD), []
    plan.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: told.append(1))
    write_record(plan, RECORD)
    assert told == []


@pytest.mark.parametrize("stored", ["2", "1.5", "newest"])
def test_a_plan_of_a_newer_program_is_not_read(scene, stored):
    plan = plans.new_plan(scene, "{}", RECORD)
    plan.SetAttribute(PLAN_ATTRIBUTE, stored)
    with pytest.raises(NewerScene, match=f"has format {stored}, this program reads up to 1: update the extension"):
        record_of(plan)


def test_a_text_that_is_no_plan_has_no_record(scene):
    note = scene.AddNewNodeByClass("vtkMRMLTextNode", "a note")
    with pytest.raises(InputError, match="'a note' is no plan"):
        record_of(note)


def _stored(**changes: object) -> str:
    table = {"name": "x", "made_at": "t", "inputs": {}, "stale": [], "approval": None, "history": []}
    return json.dumps({key: value for key, value in (table | changes).items() if value is not ...})


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "{",
        "5",
        '"text"',
        "[]",
        "{}",
        _stored(name=...),
        _stored(name=5),
        _stored(inputs=[]),
        _stored(inputs={"CT": 5}),
        _stored(stale="CT has changed"),
        _stored(history=[1]),
        _stored(approval={"by": "x"}),
        _stored(approval=True),
        _stored(more=1),
    ],
)
def test_a_broken_record_is_refused_with_the_plans_name(scene, text):
    plan = plans.new_plan(scene, "{}", RECORD)
    plan.SetAttribute(_RECORD, text)
    with pytest.raises(InputError, match=f"record of plan '{RECORD.name}' cannot be read.*plan again"):
        record_of(plan)


def test_the_time_a_plan_was_made_has_its_offset(scene):
    assert record_of(put(scene)).made_at == AT.isoformat(timespec="seconds") == "2026-03-04T15:06:07+00:00"
