"""New segments stand beside those of the user, in world space, with codes; theirs stay as they are."""

from __future__ import annotations

import numpy as np
import pytest
import slicer_headless
from session_driver import empty_session, small_session

from radioembolization.images import Grid
from radioembolization.structures import Role
from radioembolization.structures.findings import Finding, Severity
from radioembolization.structures.segmentation import SegmentedStructure, SegmentedStructures
from radioembolization.structures.terminology import BODY, LIVER, TUMOUR
from radioembolization.treatment import SourceMask
from small_case import GRID
from support import ellipsoid

slicer_headless.require_slicer()
import slicer  # noqa: E402
import vtk  # noqa: E402

pytestmark = pytest.mark.slicer

_LIVER = ellipsoid(GRID, (0.0, 0.0, 0.0), (60.0, 50.0, 45.0))


@pytest.fixture
def lib(scene):
    import slicer_module_standins

    slicer_module_standins.install()
    from RadioembolizationPlannerLib import new_segments

    return new_segments


def _found(**masks):
    known = {"liver": LIVER, "body": BODY, "tumour_1": TUMOUR}
    structures = tuple(
        SegmentedStructure(name.replace("_", " "), known[name], mask, "by the test", 0.75)
        for name, mask in masks.items()
    )
    return SegmentedStructures(GRID, structures, (Finding("a check", Severity.WARNING, "Look at it."),))


def _names(node):
    segments = node.GetSegmentation()
    return {segments.GetSegment(key).GetName(): key for key in segments.GetSegmentIDs()}


def test_a_new_segment_has_name_code_color_method_and_quality(lib, scene):
    node = lib.new_segmentation(scene, "anatomy")
    (key,) = lib.add_segments(node, lib.segments_of(_found(liver=_LIVER)))
    segment = node.GetSegmentation().GetSegment(key)
    assert segment.GetName() == "liver"
    assert segment.GetColor() == pytest.approx(LIVER.colour, abs=1e-6)
    assert segment.GetTerminology() == LIVER.slicer_text
    stored = vtk.mutable("")
    assert segment.GetTag(segment.GetTerminologyEntryTagName(), stored) and str(stored) == LIVER.slicer_text
    assert segment.GetTag(lib.METHOD_TAG, stored) and str(stored) == "by the test"
    assert segment.GetTag(lib.QUALITY_TAG, stored) and str(stored) == "0.750"


def test_a_name_that_is_taken_gets_the_next_free_number(lib, scene):
    node = lib.new_segmentation(scene, "anatomy")
    segments = node.GetSegmentation()
    for name in ("Liver", "tumor 1", "tumor 2", "lobe 2 left"):
        segments.AddEmptySegment(name.replace(" ", "_"), name)
    assert lib.free_name(node, "liver") == "liver 2"
    assert lib.free_name(node, "tumor 1") == "tumor 3"
    assert lib.free_name(node, "tumor") == "tumor"
    assert lib.free_name(node, "lobe 2 left") == "lobe 2 left 2"


def test_what_the_user_has_drawn_is_not_touched(lib, scene):
    session = small_session(scene)
    node = session.parameters.segmentation
    before = {key: _voxels(node, key) for key in node.GetSegmentation().GetSegmentIDs()}
    roles = dict(session.parameters.roles)
    _, new = lib.add_to_case(session, lib.segments_of(_found(liver=_LIVER, tumour_1=_LIVER)), GRID)
    assert list(node.GetSegmentation().GetSegmentIDs()) == [*before, *new]
    assert all(np.array_equal(_voxels(node, key), mask) for key, mask in before.items())
    assert session.parameters.roles == {**roles, new[1]: Role.TUMOUR}  # the liver that was chosen stays the liver
    assert [node.GetSegmentation().GetSegment(key).GetName() for key in new] == ["liver 2", "tumor 1"]


def test_a_role_that_was_taken_away_is_not_given_back(lib, scene):
    session = small_session(scene)
    node, roles = session.parameters.segmentation, dict(session.parameters.roles)
    organ = next(key for key, role in roles.items() if role is Role.ORGAN)
    del roles[organ]
    session.change(roles=roles)
    lib.add_to_case(session, lib.segments_of(_found(tumour_1=_LIVER)), GRID)
    assert organ in node.GetSegmentation().GetSegmentIDs() and organ not in session.parameters.roles


def test_without_a_segmentation_one_is_made_on_the_grid_of_the_image(lib, scene):
    from RadioembolizationPlannerLib.segments import mask_from_segment, reference_geometry

    session = empty_session(scene)
    node, new = lib.add_to_case(session, lib.segments_of(_found(liver=_LIVER, body=np.ones_like(_LIVER))), GRID)
    assert session.parameters.segmentation is node and reference_geometry(node)
    source = mask_from_segment(node, new[0])
    assert source.grid == GRID and np.array_equal(source.mask, _LIVER)
    assert session.parameters.roles == {new[0]: Role.LIVER}  # a body is no structure of a plan


def test_voxels_stay_where_they_are_under_the_transform_of_the_segmentation(lib, scene):
    from RadioembolizationPlannerLib.segments import mask_from_segment

    node = lib.new_segmentation(scene, "moved")
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    turn = vtk.vtkTransform()
    turn.Translate(30.0, -20.0, 11.0)
    turn.RotateZ(25.0)
    transform.SetMatrixTransformToParent(turn.GetMatrix())
    node.SetAndObserveTransformNodeID(transform.GetID())
    session = empty_session(scene)
    session.change(segmentation=node)
    _, (key,) = lib.add_to_case(session, lib.segments_of(_found(liver=_LIVER)), GRID)
    source = mask_from_segment(node, key)
    assert _centre(source) == pytest.approx(_centre(SourceMask(_LIVER, GRID)), abs=1e-3)
    assert np.count_nonzero(source.mask) == np.count_nonzero(_LIVER)


def test_a_segmentation_of_surfaces_takes_new_segments(lib, scene):
    node = lib.new_segmentation(scene, "surfaces")
    ball = vtk.vtkSphereSource()
    ball.SetRadius(20.0)
    ball.Update()
    node.GetSegmentation().SetSourceRepresentationName("Closed surface")
    node.AddSegmentFromClosedSurfaceRepresentation(ball.GetOutput(), "ball", (1.0, 0.0, 0.0))
    (key,) = lib.add_segments(node, lib.segments_of(_found(liver=_LIVER)))
    assert "liver" in _names(node) and node.GetSegmentation().GetSegment(key) is not None


def test_segments_of_another_node_without_voxels_are_left_out(lib, scene):
    node = lib.new_segmentation(scene, "other")
    lib.add_segments(node, lib.segments_of(_found(liver=_LIVER)))
    node.GetSegmentation().AddEmptySegment("nothing", "nothing")
    copied = list(lib.segments_of_node(node, "copied"))
    assert [(one.name, one.method, one.terminology) for one in copied] == [("liver", "copied", LIVER.slicer_text)]


def test_a_sheared_space_is_refused(lib, scene):
    from radioembolization.errors import ImageError

    node = lib.new_segmentation(scene, "sheared")
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(0, 1, 0.4)
    transform.SetMatrixTransformToParent(matrix)
    node.SetAndObserveTransformNodeID(transform.GetID())
    with pytest.raises(ImageError, match="not perpendicular"):
        lib.add_segments(node, lib.segments_of(_found(liver=_LIVER)))
    assert not _names(node)


def _voxels(node, key):
    return slicer.util.arrayFromSegmentBinaryLabelmap(node, key).copy()


def _centre(source: SourceMask) -> np.ndarray:
    grid: Grid = source.grid
    return grid.to_lps(np.argwhere(source.mask)).mean(axis=0)
