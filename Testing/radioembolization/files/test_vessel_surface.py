"""Surfaces of vessels: tubes of known centreline and radius, open ends, coordinate systems and units, bad surfaces."""

import json
import struct

import numpy as np
import pytest

pytest.importorskip("vtk")
pytest.importorskip("skimage")
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from radioembolization.errors import ArterialTreeError, FileMissing
from radioembolization.files import read_arteries
from radioembolization.files.vessel_surface import filled_surface, vessel_of_surface
from support import quiet
from vessel_shapes import line, tube

TURN = np.linspace(0, np.pi / 2, 41)
#: A quarter of a circle of radius 25 mm, 39.3 mm long.
ARC = np.stack([25 * np.cos(TURN) + 10, 25 * np.sin(TURN) - 40, np.full(41, 7.0)], axis=1)


def write_stl(surface, path, header=None):
    writer = vtk.vtkSTLWriter()
    writer.SetFileName(str(path))
    writer.SetInputData(surface)
    writer.SetFileTypeToBinary()
    if header:
        writer.SetHeader(header)
    assert writer.Write()
    return path


def write_glb(surfaces, path):
    """Write named surfaces in LPS mm as glTF does: metres, x left, y up, z front; by hand from its specification."""
    nodes, meshes, accessors, views, blob = [], [], [], [], b""
    for number, (name, surface) in enumerate(surfaces.items()):
        lps = vtk_to_numpy(surface.GetPoints().GetData()) / 1000.0
        points = np.stack([lps[:, 0], lps[:, 2], -lps[:, 1]], axis=1).astype("<f4")
        corners = vtk_to_numpy(surface.GetPolys().GetConnectivityArray()).astype("<u4")
        for values in (points, corners):
            views.append({"buffer": 0, "byteOffset": len(blob), "byteLength": values.nbytes})
            blob += values.tobytes()
        accessors.append(
            {
                "bufferView": 2 * number,
                "componentType": 5126,
                "count": len(points),
                "type": "VEC3",
                "min": points.min(0).tolist(),
                "max": points.max(0).tolist(),
            }
        )
        accessors.append({"bufferView": 2 * number + 1, "componentType": 5125, "count": len(corners), "type": "SCALAR"})
        meshes.append({"primitives": [{"attributes": {"POSITION": 2 * number}, "indices": 2 * number + 1}]})
        nodes.append({"name": name, "mesh": number})
    root = {"name": "all", "children": list(range(len(nodes)))}
    document = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [len(nodes)]}],
        "nodes": [*nodes, root],
        "meshes": meshes,
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": len(blob)}],
    }
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    blob += b"\0" * (-len(blob) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(blob), 0x004E4942) + blob
    path.write_bytes(b"glTF" + struct.pack("<II", 2, 12 + len(chunks)) + chunks)
    return path


@pytest.mark.parametrize("capped", [True, False], ids=["closed", "open ends"])
@pytest.mark.parametrize("radius", [0.8, 2.0])
def test_the_centreline_of_a_bent_tube(capped, radius):
    found = vessel_of_surface("arc", tube(ARC, radius, capped=capped))
    x, y, z = (found.points_lps_mm - (10, -40, 7)).T
    away = np.hypot(np.hypot(x, y) - 25.0, z)  # from a circle, exactly
    assert away.mean() < 0.15 and away.max() < 0.45  # half and one and a half voxels of 0.3 mm
    # thinning stops within two radii of the ends
    assert 25 * np.pi / 2 - 4 * radius - 0.3 < found.length_mm < 25 * np.pi / 2 + 0.3
    assert np.median(found.radius_mm) == pytest.approx(radius, rel=0.08)


def test_a_surface_is_filled_to_its_volume():
    mask, grid = filled_surface(tube(line((0, 0, 0), (10, 5, 20)), 3.0))
    exact = np.pi * 3.0**2 * np.sqrt(525)
    assert mask.sum() * grid.voxel_ml * 1000 == pytest.approx(exact, rel=0.03)  # 24 sides: 1.1 % less
    assert not mask[[0, -1]].any() and not mask[:, [0, -1]].any() and not mask[:, :, [0, -1]].any()


@pytest.mark.parametrize("header, sign", [(None, 1), ("SPACE=LPS", 1), ("SPACE=RAS", -1)])
def test_stl_files_are_lps_unless_they_say_ras(tmp_path, header, sign):
    path = write_stl(tube(ARC, 2.0), tmp_path / "left hepatic.stl", header)
    tree = read_arteries(path)
    middle = ARC.mean(axis=0) * (sign, sign, 1)
    np.testing.assert_allclose(tree.root.points_lps_mm.mean(axis=0), middle, atol=1.5)
    assert tree.names == ("left hepatic",)


def test_several_files_and_a_glb_file_give_the_same_tree(tmp_path):
    shapes = {
        "celiac_trunk": tube(line((0, -20, 0), (0, -20, 40)), 3.0),
        "left_artery": tube(line((0, -20, 42), (35, -20, 60)), 2.0),
        "portal_vein": tube(line((0, 0, 0), (0, 0, 40)), 4.0),
    }
    files = [write_stl(shape, tmp_path / f"{name}.stl") for name, shape in shapes.items()]
    glb = write_glb({f"VH_M_{name}": shape for name, shape in shapes.items()}, tmp_path / "all.glb")
    with pytest.warns(match="by their names: portal vein"):
        tree = read_arteries(files)
    with pytest.warns(match="'?all.glb.* by their names: portal vein"):
        other = read_arteries(glb)
    for found in (tree, other):
        assert {a.name: a.parent for a in found.arteries} == {"celiac trunk": None, "left artery": "celiac trunk"}
        np.testing.assert_allclose(found.artery("left artery").tip_lps_mm, (35, -20, 60), atol=2.0)
        assert found.root.points_lps_mm[0][2] < 3.0
    for name in tree.names:
        assert other.artery(name).length_mm == pytest.approx(tree.artery(name).length_mm, rel=0.02)


def test_bad_surfaces_are_named(tmp_path):
    sphere = vtk.vtkSphereSource()
    sphere.SetRadius(4.0)
    sphere.Update()
    with pytest.raises(ArterialTreeError, match=r"'ball'.*no elongated vessel"):
        vessel_of_surface("ball", sphere.GetOutput())
    plane = vtk.vtkPlaneSource()
    plane.SetPoint1(20.0, 0.0, 0.0)
    plane.Update()
    with pytest.raises(ArterialTreeError, match="'flat'"):
        vessel_of_surface("flat", plane.GetOutput())
    with pytest.raises(ArterialTreeError, match="'none' has no triangles"):
        vessel_of_surface("none", vtk.vtkPolyData())
    with pytest.raises(ArterialTreeError, match=r"'metres' is 0\.0.* mm large.*unit"):
        vessel_of_surface("metres", tube(ARC / 1000, 0.002))
    (tmp_path / "a.stl").write_text("solid nothing\nendsolid\n")
    with quiet(), pytest.raises(ArterialTreeError, match="'a' has no triangles"):
        read_arteries(tmp_path / "a.stl")


@pytest.mark.parametrize(
    "content", [b"no glb at all, but long enough to be one", b"glTF\2\0\0\0\x20\0\0\0\x0c\0\0\0JSON{no json   "]
)
def test_broken_glb_files_are_refused(tmp_path, content):
    (tmp_path / "a.glb").write_bytes(content)
    with pytest.raises(FileMissing, match=r"'a\.glb' is"):
        read_arteries(tmp_path / "a.glb")


def test_a_glb_file_without_surfaces_has_no_artery(tmp_path):
    text = json.dumps({"asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": []}], "nodes": []}).encode()
    text += b" " * (-len(text) % 4)
    chunk = struct.pack("<II", len(text), 0x4E4F534A) + text
    (tmp_path / "a.glb").write_bytes(b"glTF" + struct.pack("<II", 2, 12 + len(chunk)) + chunk)
    with pytest.raises(ArterialTreeError, match="no artery"):
        read_arteries(tmp_path / "a.glb")
