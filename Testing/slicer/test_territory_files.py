"""Territories, tree and sites written by the core are read by Slicer's own storage nodes, at the right places."""

from __future__ import annotations

import numpy as np
import pytest
import slicer_headless

from radioembolization.files import write_segmentation
from radioembolization.files.markups_file import NamedPoint, read_points, write_points
from radioembolization.files.tree_writer import write_tree
from radioembolization.images import Grid
from radioembolization.structures.terminology import PERFUSED_VOLUME
from radioembolization.territories.arteries import ArterialTree, Artery
from support import as_direction, ellipsoid, rotation

slicer_headless.require_slicer()
import slicer  # noqa: E402
from vtkmodules.util.numpy_support import vtk_to_numpy  # noqa: E402

from RadioembolizationPlannerLib.segments import mask_from_segment  # noqa: E402

pytestmark = pytest.mark.slicer

TREE = ArterialTree(
    (
        Artery("proper hepatic", None, np.array([[5.0, -10, 0], [5, -12, 10]]), np.array([2.5, 2.4])),
        Artery("right hepatic", "proper hepatic", np.array([[5.0, -12, 10], [-30, 5, 40]]), np.array([1.8, 1.2])),
    )
)
TO_RAS = np.array([-1.0, -1.0, 1.0])
GRID = Grid((12, 20, 24), (3.0, 1.5, 2.0), (-20.0, 12.0, 55.0), as_direction(rotation((1, 2, 3), 25.0)))


@pytest.mark.parametrize("name", ["arteries.vtk", "arteries.vtp"])
def test_slicer_places_the_tree_in_ras(scene, tmp_path, name):
    write_tree(TREE, tmp_path / name)
    model = slicer.util.loadModel(str(tmp_path / name))
    data = model.GetPolyData()
    points = np.concatenate([artery.points_lps_mm for artery in TREE.arteries])
    np.testing.assert_allclose(vtk_to_numpy(data.GetPoints().GetData()), points * TO_RAS, atol=1e-5)
    np.testing.assert_allclose(vtk_to_numpy(data.GetPointData().GetArray("Radius")), [2.5, 2.4, 1.8, 1.2])
    names = data.GetFieldData().GetAbstractArray("ArteryNames")
    assert [names.GetValue(i) for i in range(2)] == ["proper hepatic", "right hepatic"]


def test_slicer_places_the_sites_in_ras_and_keeps_names_and_descriptions(scene, tmp_path):
    points = (NamedPoint("right hepatic", (-12.25, 3.5, -40.0), "after proper hepatic"), NamedPoint("Äste", (1, 2, 3)))
    write_points(points, tmp_path / "sites.mrk.json")
    node = slicer.util.loadMarkups(str(tmp_path / "sites.mrk.json"))
    assert node.GetNumberOfControlPoints() == 2
    for number, point in enumerate(points):
        np.testing.assert_allclose(node.GetNthControlPointPosition(number), TO_RAS * point.position_lps_mm, atol=1e-9)
        assert node.GetNthControlPointLabel(number) == point.name
        assert node.GetNthControlPointDescription(number) == point.description


def test_points_saved_by_slicer_are_read(scene, tmp_path):
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "mine")
    node.AddControlPoint([10.0, 20.0, 30.0], "my site")
    assert slicer.util.saveNode(node, str(tmp_path / "mine.mrk.json"))
    (found,) = read_points(tmp_path / "mine.mrk.json")
    assert found.name == "my site"
    np.testing.assert_allclose(found.position_lps_mm, (-10.0, -20.0, 30.0))


def test_nested_territories_are_segments_of_their_own(scene, tmp_path):
    masks = {
        name: ellipsoid(GRID, GRID.to_lps(np.array([6, 10, 12])), r) for name, r in (("proper", 14.0), ("left", 8.0))
    }
    write_segmentation(masks, GRID, tmp_path / "t.seg.nrrd", dict.fromkeys(masks, PERFUSED_VOLUME))
    node = slicer.util.loadSegmentation(str(tmp_path / "t.seg.nrrd"))
    segments = node.GetSegmentation()
    for name, mask in masks.items():
        found = mask_from_segment(node, segments.GetSegmentIdBySegmentName(name))
        index = np.rint(GRID.to_index(found.grid.to_lps(np.argwhere(found.mask)))).astype(int)
        assert {tuple(i) for i in index} == {tuple(i) for i in np.argwhere(mask)}
