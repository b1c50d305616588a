"""The parameters of the planner survive JSON, saving and loading; what cannot be read is named."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
import slicer_headless

from radioembolization.errors import InputError
from radioembolization.structures import Role
from radioembolization.territories.shunt.lung_shunt import LungShunt, ShuntMethod
from radioembolization.treatment.case import Notice

slicer_headless.require_slicer()
import slicer  # noqa: E402

from RadioembolizationPlannerLib.artery_options import ArteryOptions  # noqa: E402
from RadioembolizationPlannerLib.errors import NewerScene  # noqa: E402
from RadioembolizationPlannerLib.known_shunts import KnownShunt  # noqa: E402
from RadioembolizationPlannerLib.parameters import ParameterStore, PlannerParameters, SiteParameters  # noqa: E402

pytestmark = pytest.mark.slicer

_NODES = {
    "scout": "vtkMRMLScalarVolumeNode",
    "ct": "vtkMRMLScalarVolumeNode",
    "segmentation": "vtkMRMLSegmentationNode",
    "site_points": "vtkMRMLMarkupsFiducialNode",
    "shown_plan": "vtkMRMLTextNode",
    "arteries": "vtkMRMLTextNode",
    "territories": "vtkMRMLSegmentationNode",
    "artery_points": "vtkMRMLMarkupsFiducialNode",
}
#: A value other than the default for every parameter that is no node.
_VALUES: dict[str, Any] = {
    "case_name": 'Fall "Ä" \\ 7',
    "device": "holmium",
    "convention": "vendor",
    "method": "local",
    "spacing_mm": 3.25,
    "liver_density_g_per_cm3": 1.061,
    "roles": {"Segment_1": Role.LIVER, "Segment_2": Role.TUMOUR, "x": Role.LUNGS, "y": Role.ORGAN},
    "lung_mass_kg": 0.987654321,
    "lung_mass_assumed": True,
    "lung_shunt": 0.1 + 0.2,  # no short decimal: all digits have to be kept
    "lung_shunts": (
        KnownShunt(LungShunt(0.031, ShuntMethod.PLANAR, {"counting_error": 0.1 + 0.2}, "Planär", used=True)),
        KnownShunt(
            LungShunt(0.02, ShuntMethod.SPECT),
            {"scout image": "abc"},
            {"lungs": "node|segment"},
            {"dome_margin_mm": 20.0},
            (Notice("LungsExtrapolated", "12 %"),),
        ),
    ),
    "artery_options": ArteryOptions("flow", 3.5, 0.55, {"branch 5": "stomach", "cystic": ""}),
    "sites": (
        SiteParameters("rechts", "Segment_3", 0.0, 0.02, "tumour_to_normal", "required", "A", ("A", "B")),
        SiteParameters("left"),
    ),
    "tumour_to_normal": {"Segment_2": 4.5},
    "preset": "holmium/whole-liver",
    "limits": ({"quantity": "lungs", "at_most_gy": 25.0, "source": "user"}, {"quantity": "total_activity"}),
    "goal": {"shortfall_below_gy": 205.0},
    "override_reason": "trial",
    "at_most_sites": 2,
    "least_activity_gbq": 0.2,
    "most_activity_gbq": 3.0,
    "isodoses_gy": (50.0, 120.0),
    "activities_gbq": {"left": 0.0, "rechts": 1.25},
    "with_vials": True,
    "vials": {"calibrations": ["2026-03-15T12:00+01:00"], "sizes_gbq": [3.0], "inject_at_sites": {"left": "16"}},
    "scenarios": "robust",
    "uncertainty": {"count": 50, "spreads": {"vial": False, "calibration": {"sd": 4.0}}},
    "further": {"front": True},
    "course": {
        "grade": "G1",
        "cycles": {"at_most": 3, "activities_gbq": [7.4, 5.55]},
        "uptakes": {'Lymphknoten "ä"': {"gy_per_gbq": 0.1 + 0.2}},
        "delivered": [{"label": "cycle 1", "day": 0.0, "dose_gy": {"kidney": 4.4}}],
        "extrahepatic_disease": False,
    },
}


@pytest.fixture
def store(scene) -> ParameterStore:
    return ParameterStore(scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", "planner"))


def _full(scene) -> PlannerParameters:
    nodes = {name: scene.AddNewNodeByClass(kind, name) for name, kind in _NODES.items()}
    return PlannerParameters(**nodes, **_VALUES)


def test_this_file_knows_every_parameter():
    assert {f.name for f in fields(PlannerParameters)} == {*_NODES, *_VALUES}
    usual = PlannerParameters()
    assert [name for name, value in _VALUES.items() if getattr(usual, name) == value] == []


def test_a_new_node_holds_the_defaults(store):
    assert store.read() == PlannerParameters()


@pytest.mark.parametrize("name", [*_VALUES])
def test_each_value_comes_back_as_it_was_and_alone(store, name):
    store.write(replace(PlannerParameters(), **{name: _VALUES[name]}))
    found = store.read()
    assert getattr(found, name) == _VALUES[name]
    assert type(getattr(found, name)) is type(_VALUES[name])
    assert replace(found, **{name: getattr(PlannerParameters(), name)}) == PlannerParameters()


def test_all_parameters_survive_a_saved_scene(store, scene, tmp_path):
    parameters = _full(scene)
    store.write(parameters)
    assert store.read() == parameters
    path = str(tmp_path / "case.mrb")
    assert slicer.util.saveScene(path)
    scene.Clear(False)
    slicer.util.loadScene(path)
    found = ParameterStore(slicer.util.getNode("planner")).read()
    assert {name: getattr(found, name) for name in _VALUES} == _VALUES
    assert {name: getattr(found, name).GetName() for name in _NODES} == {name: name for name in _NODES}


def test_a_deleted_node_is_none(store, scene):
    store.write(_full(scene))
    scene.RemoveNode(slicer.util.getNode("scout"))
    assert store.read().scout is None
    assert store.read().ct.GetName() == "ct"


def test_a_node_is_let_go_of(store, scene):
    store.write(_full(scene))
    store.write(replace(store.read(), segmentation=None))
    assert store.read().segmentation is None


def test_writing_tells_observers_once_and_only_of_changes(store):
    import vtk

    told = []
    store.node.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: told.append(1))
    parameters = replace(PlannerParameters(), lung_shunt=0.05, device="glass")
    store.write(parameters)
    assert len(told) == 1
    store.write(parameters)
    assert len(told) == 1


def test_parameters_of_a_newer_program_are_neither_read_nor_written(store):
    store.write(replace(PlannerParameters(), case_name="theirs"))
    store.node.SetParameter("format", "2")
    before = {name: store.node.GetParameter(name) for name in store.node.GetParameterNames()}
    for touch in (store.read, lambda: store.write(PlannerParameters())):
        with pytest.raises(NewerScene, match=r"format 2, this program reads up to 1: update the extension"):
            touch()
    assert {name: store.node.GetParameter(name) for name in store.node.GetParameterNames()} == before


def test_what_an_earlier_program_stored_and_this_one_does_not_know_is_ignored(store):
    store.node.SetParameter("colour_of_the_panel", '"green"')
    assert store.read() == PlannerParameters()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("spacing_mm", '"wide"'),
        ("spacing_mm", "NaN"),
        ("spacing_mm", "{"),
        ("case_name", "7"),
        ("device", '"gold"'),
        ("convention", '"mine"'),
        ("method", "null"),
        ("lung_mass_kg", "[1.0]"),
        ("lung_shunt", "true"),
        ("at_most_sites", "1.5"),
        ("roles", "[]"),
        ("roles", '{"Segment_1": "king"}'),
        ("tumour_to_normal", '{"Segment_1": "high"}'),
        ("activities_gbq", "[1.0]"),
        ("isodoses_gy", '["hot"]'),
        ("isodoses_gy", "5"),
        ("limits", '["at most 40 Gy"]'),
        ("limits", '{"quantity": "lungs"}'),
        ("sites", '[{"name": "left", "segment": "Segment_1"}]'),
        ("sites", '[{"name": 5}]'),
        ("sites", '[{"name": "left", "lung_shunt": "high"}]'),
        ("sites", '[{"name": "left", "among": "A"}]'),
        ("sites", '[{"name": "left", "rule": "perhaps"}]'),
        ("sites", '[{"name": "left", "pattern": "stripes"}]'),
        ("sites", "7"),
    ],
)
def test_a_stored_value_of_the_wrong_kind_is_named_with_its_way_out(store, name, text):
    store.node.SetParameter(name, text)
    with pytest.raises(InputError, match=f"parameter '{name}' stored in the scene cannot be read") as caught:
        store.read()
    assert f"UnsetParameter('{name}')" in str(caught.value)
    store.node.UnsetParameter(name)
    assert store.read() == PlannerParameters()


def test_a_reference_to_a_node_of_another_kind_is_named(store, scene):
    model = scene.AddNewNodeByClass("vtkMRMLModelNode", "a surface")
    store.node.SetNodeReferenceID("scout", model.GetID())
    with pytest.raises(InputError, match=r"'scout'.*'a surface'"):
        store.read()


def test_a_whole_number_is_good_for_a_number(store):
    """A scene edited elsewhere may hold 3 where 3.0 is meant."""
    store.node.SetParameter("spacing_mm", "3")
    store.node.SetParameter("lung_shunt", "0")
    assert store.read().spacing_mm == 3.0 and store.read().lung_shunt == 0.0


@pytest.mark.parametrize(("field", "value"), [("rule", "perhaps"), ("pattern", "stripes")])
def test_a_site_takes_only_known_rules_and_patterns(field, value):
    with pytest.raises(InputError, match=f"'left'.*'{value}'.*use one of"):
        SiteParameters("left", **{field: value})


def test_a_site_is_found_by_name():
    parameters = PlannerParameters(sites=_VALUES["sites"])
    assert parameters.site("left") == SiteParameters("left")
    assert parameters.site("Left") is None
