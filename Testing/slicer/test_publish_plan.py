"""A plan as nodes of a scene: all tied to one text node, filed in one study, replaced and removed together."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
import slicer_headless

from radioembolization.errors import InputError
from radioembolization.treatment import compute_rows, evaluate_treatment, plan_on_rows, prepare
from radioembolization.treatment.fingerprint import input_digests
from small_case import small_inputs
from support import quiet

slicer_headless.require_slicer()
import slicer  # noqa: E402
import slicer_module_standins  # noqa: E402

slicer_module_standins.install()
from RadioembolizationPlannerLib import plans  # noqa: E402
from RadioembolizationPlannerLib.plan_record import record_of  # noqa: E402
from RadioembolizationPlannerLib.publish_plan import (  # noqa: E402
    publish_plan,
    publish_report,
    replace_isodoses,
)
from RadioembolizationPlannerLib.study import STUDY  # noqa: E402

pytestmark = pytest.mark.slicer

_MADE_AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.fixture(scope="module")
def prepared():
    with quiet():
        return compute_rows(prepare(small_inputs()))


@pytest.fixture(scope="module")
def treatment(prepared):
    with quiet():
        return plan_on_rows(prepared)


def _publish(scene, treatment, **more):
    return publish_plan(scene, treatment, made_at=_MADE_AT, **more)


def test_every_role_has_its_nodes(scene, treatment):
    plan = _publish(scene, treatment, report="<html>page</html>")
    counts = {role: plan.GetNumberOfNodeReferences(role) for role in plans.ROLES}
    several = (plans.ISODOSES, plans.SERIES)
    assert {role: n for role, n in counts.items() if role not in several} == {
        role: 0 if role in plans.FURTHER else 1 for role in plans.ROLES if role not in several
    }
    assert counts[plans.ISODOSES] >= 2 and counts[plans.SERIES] == len(treatment.histograms)
    assert plans.node_of(plan, plans.REPORT).GetText() == "<html>page</html>"


def test_the_text_node_is_the_plan_file_and_its_record(scene, treatment):
    plan = _publish(scene, treatment, name="first")
    stated = plans.stated_plan(plan).plan
    assert list(stated.activities_gbq) == pytest.approx(list(treatment.plan.activities_gbq), rel=1e-12)
    record = record_of(plan)
    assert (record.name, record.made_at) == ("first", "2026-03-04T05:06:07+00:00")
    assert record.inputs == input_digests(small_inputs()) and record.stale == () and record.approval is None


def test_plans_are_numbered_and_a_free_number_is_used_again(scene, treatment):
    first, second = _publish(scene, treatment), _publish(scene, treatment)
    assert (first.GetName(), second.GetName()) == ("Plan 1", "Plan 2")
    plans.remove_plan(scene, first)
    assert _publish(scene, treatment).GetName() == "Plan 1"
    assert [plan.GetName() for plan in plans.plans_of(scene)] == ["Plan 2", "Plan 1"]


def test_each_plan_has_a_folder_of_one_study(scene, treatment):
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    folders = []
    for plan in (_publish(scene, treatment), _publish(scene, treatment)):
        items = {hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) for node in _filed(plan)}
        assert len(items) == 1
        folders.append(items.pop())
        assert hierarchy.GetItemName(folders[-1]) == plan.GetName()
    studies = {hierarchy.GetItemParent(folder) for folder in folders}
    assert len(studies) == 1 and hierarchy.GetItemName(studies.pop()) == STUDY


def test_a_removed_plan_leaves_nothing_but_the_study(scene, treatment):
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    plans.remove_plan(scene, _publish(scene, treatment))  # what all plans share is there now
    nodes, items = _node_ids(scene), hierarchy.GetNumberOfItems()
    plan = _publish(scene, treatment, report="page")
    assert len(_node_ids(scene)) > len(nodes) + 20
    plans.remove_plan(scene, plan)
    assert _node_ids(scene) == nodes and hierarchy.GetNumberOfItems() == items


def test_isodoses_are_replaced_and_bad_levels_keep_the_old_ones(scene, treatment):
    plan = _publish(scene, treatment, isodoses_gy=(20.0, 40.0, 80.0))
    assert _levels(plan) == 3
    old = [node.GetID() for node in plans.nodes_of(plan, plans.ISODOSES)]
    with pytest.raises(InputError):
        replace_isodoses(scene, plan, (-5.0,))
    assert [node.GetID() for node in plans.nodes_of(plan, plans.ISODOSES)] == old
    replace_isodoses(scene, plan, (50.0,))
    assert _levels(plan) == 1
    assert not any(scene.GetNodeByID(node_id) for node_id in old if node_id != _only(plan).GetID())
    tops = _only(plan).GetMesh().GetBounds()
    assert tops[1] > tops[0]


def test_isodoses_set_to_none_are_those_chosen_by_the_program(scene, treatment):
    """As the panel says of an empty field."""
    plan = _publish(scene, treatment)
    default = [node.GetName() for node in plans.nodes_of(plan, plans.ISODOSES)]
    replace_isodoses(scene, plan, (50.0,))
    replace_isodoses(scene, plan, ())
    assert [node.GetName() for node in plans.nodes_of(plan, plans.ISODOSES)] == default


def test_a_plan_without_activity_has_no_isodoses_and_no_territories(scene, prepared):
    with quiet():
        nothing = evaluate_treatment(prepared, [0.0, 0.0, 0.0])
    plan = _publish(scene, nothing)
    assert not plans.nodes_of(plan, plans.ISODOSES, plans.TERRITORIES)
    assert not slicer.util.arrayFromVolume(plans.node_of(plan, plans.DOSE)).any()


def test_isodoses_of_a_plan_without_activity_are_refused_or_none(scene, prepared):
    with quiet():
        nothing = evaluate_treatment(prepared, [0.0, 0.0, 0.0])
    plan = _publish(scene, nothing)
    replace_isodoses(scene, plan, ())
    assert not plans.nodes_of(plan, plans.ISODOSES)


def test_territories_are_those_of_injected_sites(scene, treatment):
    plan = _publish(scene, treatment)
    node = plans.node_of(plan, plans.TERRITORIES)
    segments = node.GetSegmentation()
    names = [segments.GetSegment(key).GetName() for key in segments.GetSegmentIDs()]
    assert names == [site.name for site in treatment.plan.used_sites]
    dose = plans.node_of(plan, plans.DOSE)
    by_name = {site.name: site for site in treatment.case.sites}
    for key, name in zip(segments.GetSegmentIDs(), names, strict=True):
        voxels = slicer.util.arrayFromSegmentBinaryLabelmap(node, key, dose) > 0
        assert np.array_equal(voxels, by_name[name].perfused)


def test_a_report_added_later_is_filed_with_the_plan(scene, treatment):
    plan = _publish(scene, treatment)
    publish_report(scene, plan, "page")
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    items = [hierarchy.GetItemByDataNode(node) for node in (plan, plans.node_of(plan, plans.REPORT))]
    assert len({hierarchy.GetItemParent(item) for item in items}) == 1
    plans.remove_plan(scene, plan)
    assert not slicer.util.getNodesByClass("vtkMRMLTextNode")


def _filed(plan):
    """Return the nodes that have a place in the hierarchy: all but the legend."""
    return [plan, *(node for node in plans.nodes_of(plan) if not node.IsA("vtkMRMLDisplayNode"))]


def _node_ids(scene):
    """Return all nodes but the storage nodes that come with files."""
    nodes = [scene.GetNthNode(i) for i in range(scene.GetNumberOfNodes())]
    return sorted(node.GetID() for node in nodes if not node.IsA("vtkMRMLStorageNode"))


def _levels(plan):
    return plan.GetNumberOfNodeReferences(plans.ISODOSES)


def _only(plan):
    (node,) = plans.nodes_of(plan, plans.ISODOSES)
    return node
