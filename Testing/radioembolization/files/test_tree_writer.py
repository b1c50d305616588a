"""A tree written as a VTK model: geometry, radii, names and links, the mark of synthetic trees, or nothing."""

from dataclasses import replace

import numpy as np
import pytest

from radioembolization.errors import InputError
from radioembolization.territories.arteries import ArterialTree, Artery

pytest.importorskip("vtkmodules")
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkIOLegacy import vtkPolyDataReader
from vtkmodules.vtkIOXML import vtkXMLPolyDataReader

from radioembolization.files.tree_writer import SYNTHETIC_MARK, write_tree

TREE = ArterialTree(
    (
        Artery(
            "proper hepatic", None, np.array([[0.0, 0, 0], [0, 0, 10], [0, 0, 21.123456789]]), np.array([2.5, 2.4, 2.2])
        ),
        Artery(
            "rechte Äste, 1", "proper hepatic", np.array([[0.0, 0, 21.123456789], [-30, 5, 40]]), np.array([1.8, 1.2])
        ),
        Artery(
            "left hepatic",
            "proper hepatic",
            np.array([[0.0, 0, 10], [15, 2, 20], [33, 1, 30]]),
            np.array([1.5, 1, 0.7]),
        ),
    ),
    source="by hand",
)


def _read(path):
    reader = vtkPolyDataReader() if path.suffix == ".vtk" else vtkXMLPolyDataReader()
    reader.SetFileName(str(path))
    reader.Update()
    return reader, reader.GetOutput()


def _texts(data, name):
    array = data.GetFieldData().GetAbstractArray(name)
    return [array.GetValue(i) for i in range(array.GetNumberOfValues())]


@pytest.mark.parametrize("suffix", [".vtk", ".vtp"])
def test_what_is_written_is_the_tree(tmp_path, suffix):
    path = tmp_path / f"arteries{suffix}"
    write_tree(TREE, path)
    _, data = _read(path)
    assert data.GetNumberOfLines() == 3
    points, radius = vtk_to_numpy(data.GetPoints().GetData()), vtk_to_numpy(data.GetPointData().GetArray("Radius"))
    for number, artery in enumerate(TREE.arteries):
        cell = data.GetCell(number)
        ids = [cell.GetPointId(i) for i in range(cell.GetNumberOfPoints())]
        np.testing.assert_array_equal(points[ids], artery.points_lps_mm)
        np.testing.assert_array_equal(radius[ids], artery.radius_mm)
    assert _texts(data, "ArteryNames") == ["proper hepatic", "rechte Äste, 1", "left hepatic"]
    assert list(vtk_to_numpy(data.GetCellData().GetArray("Parent"))) == [-1, 0, 0]
    assert _texts(data, "SPACE") == ["LPS"] and _texts(data, "Source") == ["by hand"]


def test_the_title_states_the_coordinate_system_where_slicer_looks(tmp_path):
    write_tree(TREE, tmp_path / "a.vtk")
    assert "SPACE=LPS" in _read(tmp_path / "a.vtk")[0].GetHeader()


def test_a_synthetic_tree_says_so(tmp_path):
    write_tree(replace(TREE, synthetic=True), tmp_path / "a.vtk")
    reader, data = _read(tmp_path / "a.vtk")
    assert "SYNTHETIC" in reader.GetHeader() and SYNTHETIC_MARK in _texts(data, "Source")


def test_the_same_tree_gives_the_same_bytes_and_another_suffix_is_refused(tmp_path):
    for name in ("a.vtk", "b.vtk"):
        write_tree(TREE, tmp_path / name)
    assert (tmp_path / "a.vtk").read_bytes() == (tmp_path / "b.vtk").read_bytes()
    with pytest.raises(InputError, match=r"\.vtk or \.vtp, not as 'a\.stl'"):
        write_tree(TREE, tmp_path / "a.stl")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.vtk", "b.vtk"]
