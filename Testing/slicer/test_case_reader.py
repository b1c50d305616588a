"""The case that parameters and nodes describe: what is missing, what is read, what is read again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import slicer_headless

from radioembolization.errors import DeviceMismatch, ImageError, LimitError, StructureError, TerritoryError
from radioembolization.images import Grid
from radioembolization.physics import GLASS_Y90, RESIN_Y90
from radioembolization.planning import Prescription, WorstTumourMean, load_presets, preset
from radioembolization.structures import Role
from radioembolization.treatment import SourceMask
from radioembolization.treatment.fingerprint import changed_parts, input_digests
from small_case import GRID, small_inputs
from support import as_direction, box_mask, rotation

slicer_headless.require_slicer()
import slicer  # noqa: E402
import slicer_module_standins  # noqa: E402
import vtk.util.numpy_support  # noqa: E402

slicer_module_standins.install()
from RadioembolizationPlannerLib.case import CaseReader, missing_inputs, prescription, preset_limits  # noqa: E402
from RadioembolizationPlannerLib.errors import NothingToPlan  # noqa: E402
from RadioembolizationPlannerLib.parameters import PlannerParameters, SiteParameters  # noqa: E402
from RadioembolizationPlannerLib.points import add_point  # noqa: E402
from RadioembolizationPlannerLib.publish import publish_case  # noqa: E402
from RadioembolizationPlannerLib.synthetic import parameters_of  # noqa: E402

pytestmark = pytest.mark.slicer

TUMOURS = ["A", "B", "C"]


@pytest.fixture
def parameters(scene) -> PlannerParameters:
    inputs = small_inputs()
    return parameters_of(inputs, publish_case(scene, inputs))


def _segments(parameters: PlannerParameters) -> Any:
    return parameters.segmentation.GetSegmentation()


def _with_site(parameters: PlannerParameters, index: int, **changes: Any) -> PlannerParameters:
    sites = list(parameters.sites)
    sites[index] = replace(sites[index], **changes)
    return replace(parameters, sites=tuple(sites))


# -- what is missing ------------------------------------------------------------------------------------------------


def test_of_an_empty_panel_everything_is_missing_in_the_order_of_its_sections():
    assert [text.split(":")[0] for text in missing_inputs(PlannerParameters())] == [
        "Structures",
        "Sites",
        "Prescription",
    ]


def test_nothing_is_missing_from_a_whole_case(parameters):
    assert missing_inputs(parameters) == ()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"segmentation": None}, "choose the segmentation"),
        ({"roles": {}}, "exactly one segment the role liver (0 have it)"),
        ({"roles": {"liver": Role.LIVER, "A": Role.LIVER, "B": Role.TUMOUR}}, "(2 have it)"),
        ({"roles": {"liver": Role.LIVER}}, "at least one segment the role tumor"),
        ({"roles": {"liver": Role.LIVER, "deleted": Role.TUMOUR}}, "at least one segment the role tumor"),
        ({"sites": ()}, "at least one candidate injection site"),
        ({"scout": None}, "choose the scout image"),
        ({"limits": ()}, "choose a preset or add a limit"),
    ],
)
def test_what_is_missing_is_told(parameters, changes, told):
    lacking = missing_inputs(replace(parameters, **changes))
    assert any(told in text for text in lacking), lacking
    with pytest.raises(NothingToPlan) as caught:
        CaseReader().read(replace(parameters, **changes))
    assert str(caught.value).splitlines() == list(lacking)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"segment_id": ""}, "Sites: choose the perfused volume of 'left'."),
        ({"segment_id": "deleted"}, "Sites: choose the perfused volume of 'left'."),
        ({"lung_shunt": None}, "Sites: enter the lung shunt of 'left' or of the whole case."),
        ({"name": "right"}, "Sites: give each site a name of its own (right twice)."),
    ],
)
def test_what_a_site_lacks_is_told_with_its_name(parameters, changes, told):
    assert missing_inputs(_with_site(parameters, 1, **changes)) == (told,)


def test_no_scout_is_needed_where_ratios_spread_the_microspheres(parameters):
    sites = tuple(replace(site, pattern="tumour_to_normal") for site in parameters.sites)
    assert missing_inputs(replace(parameters, sites=sites, scout=None)) == ()


# -- what is read ---------------------------------------------------------------------------------------------------


def test_the_case_of_the_scene_is_the_case_that_was_put_there(parameters):
    """Digests are of every voxel, place, site, setting and limit."""
    found = CaseReader().read(parameters)
    assert changed_parts(input_digests(small_inputs()), input_digests(found)) == ()
    assert found.name == "small case" and found.prescription == small_inputs().prescription


def test_a_saved_and_loaded_oblique_case_is_the_same(scene, tmp_path):
    """No plan becomes out of date by saving the scene."""
    tilted = Grid(GRID.shape, (2.9, 2.3, 1.7), (-88.1, 33.3, -7.7), as_direction(rotation((1, 2, 3), 25.0)))
    inputs = small_inputs()
    inputs = replace(
        inputs,
        ct=replace(inputs.ct, grid=tilted),
        structures=tuple(replace(s, source=SourceMask(s.source.mask, tilted)) for s in inputs.structures),
        sites=tuple(replace(s, perfused=SourceMask(s.perfused.mask, tilted)) for s in inputs.sites),
    )
    parameters = parameters_of(inputs, publish_case(scene, inputs))
    before = input_digests(CaseReader().read(parameters))
    assert changed_parts(input_digests(inputs), before) == ()
    names = {f: getattr(parameters, f).GetName() for f in ("scout", "ct", "segmentation", "site_points")}
    assert slicer.util.saveScene(str(tmp_path / "case.mrb"))
    scene.Clear(False)
    slicer.util.loadScene(str(tmp_path / "case.mrb"))
    loaded = replace(parameters, **{f: slicer.util.getNode(name) for f, name in names.items()})
    assert changed_parts(before, input_digests(CaseReader().read(loaded))) == ()


def test_a_site_without_a_shunt_has_that_of_the_case(parameters):
    found = CaseReader().read(replace(_with_site(parameters, 1, lung_shunt=None), lung_shunt=0.12))
    assert [site.lung_shunt for site in found.sites] == [0.05, 0.12, 0.04]


def test_a_ratio_of_a_segment_that_is_no_tumour_any_more_is_left_out(parameters):
    ratios = {"A": 4.0, "B": 2.5, "gallbladder": 3.0, "deleted": 9.0}
    assert CaseReader().read(replace(parameters, tumour_to_normal=ratios)).tumour_to_normal == {"A": 4.0, "B": 2.5}
    roles = {key: role for key, role in parameters.roles.items() if key != "A"}
    found = CaseReader().read(replace(parameters, tumour_to_normal=ratios, roles=roles))
    assert found.tumour_to_normal == {"B": 2.5} and "A" not in [s.name for s in found.structures]


def test_an_assumed_lung_mass_needs_a_mass(parameters):
    found = CaseReader().read(replace(parameters, lung_mass_kg=None, lung_mass_assumed=True))
    assert found.lung_mass_kg is None and not found.lung_mass_assumed


def test_two_structures_of_one_name_are_refused(parameters):
    _segments(parameters).GetSegment("B").SetName("A")
    with pytest.raises(StructureError, match="'small case: anatomy' are called A: rename segments"):
        CaseReader().read(parameters)


def test_a_point_of_no_site_is_refused(parameters):
    add_point(parameters.site_points, (0.0, 0.0, 0.0), "somewhere")
    with pytest.raises(TerritoryError, match=r"'somewhere'.*belong to no candidate site"):
        CaseReader().read(parameters)


def test_every_role_and_site_is_read_whatever_the_order(parameters):
    turned = replace(parameters, roles=dict(reversed(parameters.roles.items())), sites=parameters.sites[::-1])
    before, after = (input_digests(CaseReader().read(p)) for p in (parameters, turned))
    assert before == after


# -- what cannot be read ------------------------------------------------------------------------------------------


def _nonlinear(scene, kind: str) -> Any:
    node = scene.AddNewNodeByClass("vtkMRMLTransformNode", f"{kind} registration")
    if kind == "thin plate":
        transform = vtk.vtkThinPlateSplineTransform()
        points, moved = vtk.vtkPoints(), vtk.vtkPoints()
        for k in range(5):
            place = (float(k), float(k * k), float(k % 2))
            points.InsertNextPoint(place)
            moved.InsertNextPoint(place[0] + 3.0 * (k == 2), *place[1:])
        transform.SetSourceLandmarks(points)
        transform.SetTargetLandmarks(moved)
        transform.SetBasisToR()
    else:
        image = vtk.vtkImageData()
        image.SetDimensions(4, 4, 4)
        image.SetSpacing(40.0, 40.0, 40.0)
        image.AllocateScalars(vtk.VTK_DOUBLE, 3)
        vtk.util.numpy_support.vtk_to_numpy(image.GetPointData().GetScalars())[:] = 1.0
        if kind == "grid":
            transform = slicer.vtkOrientedGridTransform()
            transform.SetDisplacementGridData(image)
        else:
            transform = slicer.vtkOrientedBSplineTransform()
            transform.SetCoefficientData(image)
    node.SetAndObserveTransformToParent(transform)
    return node


@pytest.mark.parametrize("kind", ["grid", "bspline", "thin plate"])
@pytest.mark.parametrize("which", ["scout", "ct", "segmentation"])
def test_a_node_under_a_warping_transform_is_named_with_the_way_out(scene, parameters, which, kind):
    node = getattr(parameters, which)
    node.SetAndObserveTransformNodeID(_nonlinear(scene, kind).GetID())
    with pytest.raises(ImageError, match=f"'{node.GetName()}' is under .*'{kind} registration': harden"):
        CaseReader().read(parameters)


def test_points_follow_a_warping_transform(scene, parameters):
    """Positions need no matrix."""
    parameters.site_points.SetAndObserveTransformNodeID(_nonlinear(scene, "grid").GetID())
    (position,) = [s.position_lps_mm for s in CaseReader().read(parameters).sites if s.position_lps_mm is not None]
    assert position != (0.0, -50.0, 0.0)


def test_values_that_are_no_numbers_are_named_with_the_volume(parameters):
    slicer.util.arrayFromVolume(parameters.scout)[3, 4, 5] = np.nan
    slicer.util.arrayFromVolumeModified(parameters.scout)
    with pytest.raises(ImageError, match=r"'small case: scout'.*1 NaN or infinite voxels.*\(3, 4, 5\)"):
        CaseReader().read(parameters)


def test_a_volume_without_voxels_is_named(scene, parameters):
    empty = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "not loaded")
    with pytest.raises(ImageError, match="'not loaded' has no voxels"):
        CaseReader().read(replace(parameters, ct=empty))


def test_a_volume_of_vectors_is_named(scene, parameters):
    colors = scene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "photograph")
    slicer.util.updateVolumeFromArray(colors, np.zeros((4, 5, 6, 3), dtype=np.uint8))
    with pytest.raises(ImageError, match="'photograph' has 3 values per voxel"):
        CaseReader().read(replace(parameters, scout=colors))


# -- reading again --------------------------------------------------------------------------------------------------


def test_what_has_not_changed_is_not_read_again(parameters):
    reader = CaseReader()
    first, again = reader.read(parameters), reader.read(replace(parameters, device="glass"))
    assert again.scout is first.scout and again.ct is first.ct
    assert [s.source for s in again.structures] == [s.source for s in first.structures]
    assert [s.perfused for s in again.sites] == [s.perfused for s in first.sites]
    reader.forget()
    assert reader.read(parameters).scout is not first.scout


def test_changed_voxels_are_read_again_and_nothing_else(parameters):
    reader = CaseReader()
    before = input_digests(reader.read(parameters))
    mask = box_mask(GRID.shape, (10, 14), (12, 16), (20, 24)).astype(np.uint8)
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, parameters.segmentation, "A", parameters.ct)
    assert changed_parts(before, input_digests(reader.read(parameters))) == ("structure 'A' has changed",)
    slicer.util.arrayFromVolume(parameters.scout)[5, 5, 5] += 1.0
    slicer.util.arrayFromVolumeModified(parameters.scout)
    after = changed_parts(before, input_digests(reader.read(parameters)))
    assert after == ("scout image has changed", "structure 'A' has changed")


def test_a_moved_parent_transform_is_seen(scene, parameters):
    reader = CaseReader()
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "registration")
    parameters.scout.SetAndObserveTransformNodeID(transform.GetID())
    before = input_digests(reader.read(parameters))
    shift = np.eye(4)
    shift[0, 3] = 7.0
    slicer.util.updateTransformMatrixFromArray(transform, shift)
    found = reader.read(parameters)
    assert changed_parts(before, input_digests(found)) == ("scout image has changed",)
    assert found.scout.grid.origin_mm[0] == pytest.approx(small_inputs().scout.grid.origin_mm[0] - 7.0)


def test_another_volume_of_the_same_kind_is_another_image(scene, parameters):
    reader = CaseReader()
    before = reader.read(parameters)
    found = reader.read(replace(parameters, ct=parameters.scout))
    assert found.scout is before.scout and found.ct.unit != found.scout.unit


# -- what is asked --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(load_presets()))
def test_an_unchanged_preset_is_the_prescription_of_the_core(name):
    parameters = PlannerParameters(preset=name, limits=preset_limits(name))
    assert prescription(parameters, TUMOURS) == Prescription.from_preset(preset(name))


def test_rules_of_sites_goal_and_sizes_are_those_of_the_core():
    parameters = PlannerParameters(
        preset="resin/bilobar",
        limits=preset_limits("resin/bilobar"),
        goal="worst_tumour_mean",
        at_most_sites=2,
        least_activity_gbq=0.1,
        most_activity_gbq=2.0,
        sites=(SiteParameters("a", rule="required"), SiteParameters("b", rule="forbidden"), SiteParameters("c")),
    )
    assert prescription(parameters, TUMOURS) == Prescription.from_preset(
        preset("resin/bilobar"),
        goal=WorstTumourMean(),
        at_most_sites=2,
        least_activity_gbq=0.1,
        most_activity_gbq=2.0,
        required_sites=("a",),
        forbidden_sites=("b",),
    )


@pytest.mark.parametrize("reason", ["", "trial protocol 7"])
def test_limits_of_another_device_need_a_reason(reason):
    name = "glass/bilobar" if "glass/bilobar" in load_presets() else next(p for p in load_presets() if "glass" in p)
    asked = prescription(PlannerParameters(preset=name, limits=preset_limits(name), override_reason=reason), TUMOURS)
    assert asked == Prescription.from_preset(preset(name), reason)
    asked.problem(GLASS_Y90)
    if reason:
        with pytest.warns(match=reason):
            asked.problem(RESIN_Y90)
    else:
        with pytest.raises(DeviceMismatch):
            asked.problem(RESIN_Y90)


def test_a_limit_of_the_users_own_is_added_to_the_preset():
    own = {"quantity": "mean_dose", "structure": "gallbladder", "at_most_gy": 30.0}
    asked = prescription(
        PlannerParameters(preset="resin/bilobar", limits=(*preset_limits("resin/bilobar"), own)), TUMOURS
    )
    assert asked.preset_name == "resin/bilobar"
    assert asked.limits[:-1] == preset("resin/bilobar").limits and asked.limits[-1].bound == 30.0


@pytest.mark.parametrize("change", ["taken out", "bound"])
def test_a_changed_preset_is_not_called_the_preset(change):
    limits = list(preset_limits("resin/bilobar"))
    limits = limits[1:] if change == "taken out" else [{**limits[0], "at_most_gy": 35.0}, *limits[1:]]
    asked = prescription(PlannerParameters(preset="resin/bilobar", limits=tuple(limits)), TUMOURS)
    assert asked.preset_name == ""
    assert asked.notes[-1] == "Limits of the preset 'resin/bilobar' were changed or taken out."
    assert [limit.bound for limit in asked.limits] == ([30.0] if change == "taken out" else [35.0, 30.0])
    assert all(limit.provenance.device == "resin" for limit in asked.limits)


@pytest.mark.parametrize(
    "changes",
    [
        {"preset": "resin/other"},
        {"limits": ({"quantity": "wings", "at_most_gy": 1.0},)},
        {"limits": ({},)},
        {"goal": "most_dose"},
        {"goal": 7},
        {"goal": {"shortfall_below_gy": "much"}},
        {"least_activity_gbq": 2.0, "most_activity_gbq": 1.0},
        {"sites": (SiteParameters("a", rule="required"),)},
        {"sites": (SiteParameters("a", rule="required"),), "least_activity_gbq": 0.1, "at_most_sites": 0},
    ],
)
def test_what_cannot_be_asked_is_refused(changes):
    limits = preset_limits("resin/bilobar")
    with pytest.raises(LimitError):
        prescription(replace(PlannerParameters(preset="resin/bilobar", limits=limits), **changes), TUMOURS)
