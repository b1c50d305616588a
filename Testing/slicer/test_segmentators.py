"""Contract with extensions that segment: what they are asked for, what is taken of it, and what happens without."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest
import slicer_headless
import standin_neighbours as standins
from session_driver import small_session

from radioembolization.errors import MissingPackage, ToolFailed
from radioembolization.structures import Role
from radioembolization.structures.terminology import LIVER_VESSELS, code_of_type

slicer_headless.require_slicer()
import slicer  # noqa: E402
import vtk  # noqa: E402

pytestmark = pytest.mark.slicer


@pytest.fixture
def session(scene, monkeypatch):
    """The small case in a Slicer that has both extensions."""
    made = small_session(scene)
    standins.install(monkeypatch, standins.TotalSegmentatorLogic, standins.MONAIAuto3DSegLogic)
    return made


@pytest.fixture
def desk(session):
    from RadioembolizationPlannerLib.structure_desk import StructureDesk

    return StructureDesk(session)


def _lib():
    from RadioembolizationPlannerLib import segmentators

    return segmentators


def _added(session, before):
    segments = session.parameters.segmentation.GetSegmentation()
    return {segments.GetSegment(k).GetName(): k for k in segments.GetSegmentIDs() if k not in before}


def _keys(session):
    return set(session.parameters.segmentation.GetSegmentation().GetSegmentIDs())


def test_total_segmentator_is_asked_for_the_organs_that_matter(desk, session):
    before, roles = _keys(session), dict(session.parameters.roles)
    desk.run(_lib().TotalSegmentator(), "organs", fast=True)
    (logic,) = standins.TotalSegmentatorLogic.made
    (call,) = logic.calls
    assert (call["task"], call["quality"], call["interactive"]) == ("total", "fast", False)
    assert {"liver", "spleen", "lung_lower_lobe_right"} <= set(call["subset"]) and "colon" not in call["subset"]
    added = _added(session, before)
    assert set(added) == {"liver 2", "spleen", "lung upper lobe left"}
    now = session.parameters.roles
    assert {key: now[key] for key in roles} == roles
    assert now[added["spleen"]] is Role.ORGAN and now[added["lung upper lobe left"]] is Role.LUNGS
    assert added["liver 2"] not in now
    assert "liver 2 (" in desk.told and not session.status.failed


def test_other_tasks_are_its_own_and_get_codes_where_it_knows_none(desk, session):
    before = _keys(session)
    desk.run(_lib().TotalSegmentator(), "liver_vessels")
    call = standins.TotalSegmentatorLogic.made[0].calls[0]
    assert (call["task"], call["subset"], call["quality"]) == ("liver_vessels", None, "normal")
    (key,) = _added(session, before).values()
    segment = session.parameters.segmentation.GetSegmentation().GetSegment(key)
    assert segment.GetTerminology() == LIVER_VESSELS.slicer_text
    assert key not in session.parameters.roles


def test_lesions_become_tumors(desk, session):
    before = _keys(session)
    desk.run(_lib().TotalSegmentator(), "liver_lesions")
    (key,) = _added(session, before).values()
    assert session.parameters.roles[key] is Role.TUMOUR


@pytest.mark.parametrize(("fast", "model"), [(True, "abdominal-organs-3mm-v2.0.0"), (False, "abdominal-organs-v2.0.0")])
def test_monai_runs_a_current_model_with_a_liver_and_only_organs_that_matter_stay(desk, session, fast, model):
    before = _keys(session)
    desk.run(_lib().MonaiAuto3DSeg(), "organs", fast=fast)
    call = standins.MONAIAuto3DSegLogic.made[0].calls[0]
    assert (call["model"], call["images"], call["waitForCompletion"]) == (model, [session.parameters.ct], True)
    assert set(_added(session, before)) == {"liver 2", "spleen", "lung upper lobe left"}


def test_segments_lie_where_the_ct_lies(desk, session, scene):
    """Extensions write in the space of the image, without its transform."""
    from RadioembolizationPlannerLib.scene import volume_from_node
    from RadioembolizationPlannerLib.segments import mask_from_segment

    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    moved = vtk.vtkTransform()
    moved.Translate(12.0, -7.0, 20.0)
    transform.SetMatrixTransformToParent(moved.GetMatrix())
    ct = session.parameters.ct
    ct.SetAndObserveTransformNodeID(transform.GetID())
    before = _keys(session)
    desk.run(_lib().TotalSegmentator(), "organs")
    source = mask_from_segment(session.parameters.segmentation, _added(session, before)["spleen"])
    image = volume_from_node(ct, "HU")
    expected = np.zeros(image.grid.shape, dtype=bool)
    expected[3:6, 5:-5, 5:-5] = True
    found = source.grid.to_lps(np.argwhere(source.mask)).mean(axis=0)
    assert found == pytest.approx(image.grid.to_lps(np.argwhere(expected)).mean(axis=0), abs=1e-3)


def test_its_own_segmentation_is_gone_afterwards(desk, session, scene):
    count = scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode")
    desk.run(_lib().TotalSegmentator(), "organs")
    assert scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == count


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (subprocess.CalledProcessError(137, "TotalSegmentator"), "ended with the code 137"),
        (RuntimeError("Python was not found."), r"failed \(RuntimeError: Python was not found\)"),
    ],
)
def test_what_goes_wrong_there_is_told_and_changes_nothing(desk, session, scene, monkeypatch, error, told):
    monkeypatch.setattr(standins.TotalSegmentatorLogic, "fails", error)
    before, nodes = _keys(session), scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode")
    with pytest.raises(ToolFailed, match=told):
        desk.run(_lib().TotalSegmentator(), "organs")
    assert _keys(session) == before and scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == nodes
    assert not desk.is_waiting


def test_nothing_found_is_an_error(desk, session, monkeypatch):
    monkeypatch.setattr(standins, "_replace", lambda output, image, names: None)
    with pytest.raises(ToolFailed, match="found nothing in 'small case: CT'"):
        desk.run(_lib().TotalSegmentator(), "organs")


def test_a_scene_closed_meanwhile_is_noticed(desk, session, scene, monkeypatch):
    monkeypatch.setattr(standins, "_replace", lambda output, image, names: scene.Clear(False))
    with pytest.raises(ToolFailed, match="The scene was closed while TotalSegmentator ran"):
        desk.run(_lib().TotalSegmentator(), "organs")


def test_no_model_for_the_liver_is_told(desk, session, monkeypatch):
    monkeypatch.setattr(standins.MONAIAuto3DSegLogic, "models", [])
    with pytest.raises(ToolFailed, match="no model that finds the liver"):
        desk.run(_lib().MonaiAuto3DSeg(), "organs")


def test_without_the_extension_the_hint_names_it(desk, session, monkeypatch):
    standins.install(monkeypatch)
    for segmentator in _lib().SEGMENTATORS:
        assert not segmentator.is_there()
        with pytest.raises(MissingPackage, match=f"Install the extension {segmentator.module} with the Extensions"):
            desk.run(segmentator(), "organs")


def test_organs_are_called_by_names_that_have_a_role_or_are_organs():
    """Every organ asked for is one the planner has a code for; a name misspelled would end the extension."""
    assert len(set(_lib()._TOTAL_SUBSET)) == len(_lib()._TOTAL_SUBSET) == 13
    assert code_of_type(LIVER_VESSELS.slicer_text) == "59820001"
    assert all(name == name.lower() and " " not in name for name in _lib()._TOTAL_SUBSET)
    assert slicer.modules is not None
