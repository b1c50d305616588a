"""Arterial trees from tables and curves, from the Visible Human in three formats, and from what is no tree."""

import builtins
import json
import warnings

import numpy as np
import pytest

from radioembolization.errors import (
    ArterialRootThin,
    ArterialTreeError,
    ArteriesJoined,
    AssumedArteryRadius,
    FileMissing,
    MissingPackage,
    VeinsLeftOut,
)
from radioembolization.files import read_arteries
from support import SHARED, quiet
from vessel_shapes import line

HUMAN = SHARED / "data" / "hra_liver_male"
LEFT, RIGHT = "left hepatic artery", "right hepatic artery"
#: The hepatic arteries as anatomy has them.
ANATOMY = {
    "celiac trunk": None,
    "common hepatic artery": "celiac trunk",
    "proper hepatic artery": "common hepatic artery",
    LEFT: "proper hepatic artery",
    "middle hepatic artery branch of left hepatic artery": LEFT,
    RIGHT: "proper hepatic artery",
    "cystic artery": RIGHT,
    "anterior segmental right hepatic artery": RIGHT,
    "posterior segmental right hepatic artery": RIGHT,
}
human = pytest.mark.skipif(not HUMAN.is_dir(), reason="reference data of the Visible Human are not here")


def parents(tree):
    return {artery.name: artery.parent for artery in tree.arteries}


@pytest.mark.real_data
@human
def test_the_hepatic_arteries_of_the_visible_human_make_their_anatomical_tree():
    with (
        warnings.catch_warnings(),
        pytest.warns(ArteriesJoined, match=r"common hepatic artery to celiac trunk 4\.4 mm"),
    ):
        warnings.simplefilter("error", ArterialRootThin)
        tree = read_arteries(HUMAN / "centrelines.json")
    assert parents(tree) == ANATOMY
    assert tree.root.points_lps_mm[0][1] == tree.root.points_lps_mm[:, 1].max()  # from the aorta, at the back
    table = {
        key.replace("_", " "): value for key, value in json.loads((HUMAN / "centrelines.json").read_text()).items()
    }
    for name in ANATOMY:  # each with its own points and the bridge to its parent
        bridge = 0.0 if ANATOMY[name] is None else np.linalg.norm(np.diff(tree.artery(name).points_lps_mm[:2], axis=0))
        assert tree.artery(name).length_mm - bridge == pytest.approx(table[name]["length_mm"], abs=0.15)
    supplying = {tree.stretches[number].artery for number in tree.terminal_stretches}
    assert set(ANATOMY) - {"common hepatic artery", "proper hepatic artery", RIGHT} == supplying


@pytest.mark.real_data
@human
def test_no_gap_is_bridged_beyond_the_limit():
    with pytest.raises(ArterialTreeError, match=r"'common hepatic artery' ends 4\.4 mm"):
        read_arteries(HUMAN / "centrelines.json", gap_mm=4.0)


@pytest.mark.real_data
@human
@pytest.mark.slow
def test_the_surfaces_of_the_visible_human_give_the_same_tree_in_both_formats():
    """Lengths with the way from the parent agree with the table for arteries of more than 20 mm.

    Its celiac trunk runs along the wall of two stumps, 32 mm for a trunk that spans 19 mm: it is not compared.
    """
    pytest.importorskip("vtk")
    with pytest.warns(ArteriesJoined), pytest.warns(VeinsLeftOut, match="hepatic portal vein"):
        tree = read_arteries(sorted((HUMAN / "stl").glob("*.stl")))
    glb = [HUMAN / "source" / f"VH_M_Blood_Vasculature_{part}.glb" for part in ("Liver", "Gallbladder")]
    with quiet():
        other = read_arteries(glb)
    assert parents(tree) == ANATOMY and parents(other) == ANATOMY
    with quiet():
        table = read_arteries(HUMAN / "centrelines.json")
    for name in ANATOMY:
        assert other.artery(name).length_mm == pytest.approx(tree.artery(name).length_mm, rel=0.02)
    long = [name for name in ANATOMY if table.artery(name).length_mm > 20 and name != "celiac trunk"]
    assert len(long) == 6
    for name in long:
        assert tree.artery(name).length_mm == pytest.approx(table.artery(name).length_mm, rel=0.10)
        away = np.linalg.norm(tree.artery(name).tip_lps_mm - table.artery(name).tip_lps_mm)
        assert away < 4.0


def entry(points, radius=2.0, kind="artery"):
    return {"kind": kind, "points_mm_LPS": points.tolist(), "radius_mm": [radius] * len(points)}


TABLE = {
    "proper hepatic": entry(line((0, 0, 0), (0, 0, 30))),
    "left": entry(line((2, 0, 32), (30, 0, 40)), 1.5),
    "hepatic portal vein": entry(line((0, 9, 0), (0, 9, 30)), kind="vein"),
}


def write(document, path):
    path.write_text(json.dumps(document))
    return path


def curve(points, *, system="LPS", radius=None, **more):
    """Return a curve as 3D Slicer writes it."""
    flip = np.array([-1, -1, 1]) if system == "RAS" else 1
    placed = [
        {"id": str(i), "position": p, "positionStatus": "defined"} for i, p in enumerate((points * flip).tolist())
    ]
    measured = [{"name": "length", "enabled": False, "units": "mm"}]
    if radius is not None:
        measured.append({"name": "Radius", "enabled": True, "units": "mm", "controlPointValues": list(radius)})
    made = {"type": "Curve", "coordinateSystem": system, "coordinateUnits": "mm", "controlPoints": placed}
    return {"markups": [{**made, "measurements": measured, **more}]}


def test_a_table_gives_its_arteries_only(tmp_path):
    with quiet():
        tree = read_arteries(write(TABLE, tmp_path / "c.json"), names={"left": "left hepatic"})
    assert parents(tree) == {"proper hepatic": None, "left hepatic": "proper hepatic"}
    assert tree.source == "c.json" and not tree.synthetic


@pytest.mark.parametrize("systems", [("LPS", "LPS"), ("RAS", "RAS"), ("RAS", "LPS")])
def test_curves_of_several_files_in_ras_and_lps_make_one_tree(tmp_path, systems):
    stem, side = line((5, -20, 0), (5, -20, 30)), line((6, -20, 31), (40, -20, 40))
    files = [
        write(
            curve(stem, system=systems[0], radius=np.linspace(3, 2, len(stem))), tmp_path / "hepatic artery.mrk.json"
        ),
        write(curve(side, system=systems[1], radius=[1.5] * len(side)), tmp_path / "left.mrk.json"),
    ]
    with quiet():
        tree = read_arteries([str(path) for path in files])
    assert parents(tree) == {"hepatic artery": None, "left": "hepatic artery"}
    np.testing.assert_allclose(tree.root.points_lps_mm, stem, atol=1e-9)
    np.testing.assert_allclose(tree.root.radius_mm[[0, -1]], [3, 2])
    np.testing.assert_allclose(tree.artery("left").tip_lps_mm, (40, -20, 40))


def test_a_curve_between_few_control_points_is_smooth(tmp_path):
    """Seven points of a half circle of radius 30 mm; straight lines would be 1.1 mm off and 1.1 mm short."""
    turn = np.linspace(0, np.pi, 7)
    points = np.stack([30 * np.cos(turn), 30 * np.sin(turn), np.zeros(7)], axis=1)
    tree = read_arteries(write(curve(points, radius=[2.0] * 7), tmp_path / "arc.mrk.json"))
    assert tree.root.length_mm == pytest.approx(30 * np.pi, abs=0.3)
    np.testing.assert_allclose(np.linalg.norm(tree.root.points_lps_mm, axis=1), 30.0, atol=0.5)
    assert len(tree.root.radius_mm) > 40


def test_curves_without_radius_need_a_stated_one(tmp_path):
    path = write(curve(line((0, 0, 0), (0, 0, 30))), tmp_path / "a.mrk.json")
    with pytest.raises(ArterialTreeError, match=r"'a' state no radius.*radius_mm"):
        read_arteries(path)
    with pytest.warns(AssumedArteryRadius, match="curve 'a' state no radius: 1.2 mm"):
        assert set(read_arteries(path, radius_mm=1.2).root.radius_mm) == {1.2}


def test_points_not_placed_yet_do_not_count(tmp_path):
    document = curve(line((0, 0, 0), (0, 0, 30)), radius=[2.0] * 31)
    document["markups"][0]["controlPoints"][30].update(positionStatus="preview", position=[0, 0, 500])
    assert read_arteries(write(document, tmp_path / "a.mrk.json")).root.tip_lps_mm[2] == 29


@pytest.mark.parametrize(
    "document, match",
    [
        ({}, "has no artery"),
        ({"v": entry(line((0, 0, 0), (0, 0, 9)), kind="vein")}, "none of its 1 entries"),
        ([1, 2], "no centrelines"),
        ({"a": 1}, "no centrelines"),
        ({"a": {"kind": "artery"}}, "points_mm_LPS are missing"),
        ({"a": {**entry(line((0, 0, 0), (0, 0, 9))), "radius_mm": None}}, "'a' state no radius"),
        ({"a": {**entry(line((0, 0, 0), (0, 0, 9))), "radius_mm": ["thick"]}}, "no numbers"),
        ({"a": entry(np.array([[0.0, 0, 0], [0, 0, np.nan]]))}, "'a': point 1"),
        ({"a": entry(np.zeros((5, 3)))}, "'a' has no length"),
        ({"a": entry(line((0, 0, 0), (0, 0, 0.03), step_mm=0.01))}, "metres"),
        ({**TABLE, "b": entry(line((90, 0, 0), (150, 0, 0)))}, "2 separate trees"),
        ({"markups": []}, "no open curve"),
        ({"markups": ["a"]}, r"'file\.json' is no markups file"),
        (curve(line((0, 0, 0), (0, 0, 9)), radius=[1.0] * 10, coordinateUnits=[]), r"'file\.json' is no markups file"),
        ({"markups": [{"type": "Fiducial"}]}, "only Fiducial"),
        (curve(line((0, 0, 0), (0, 0, 9)), radius=[1.0] * 10, coordinateSystem="IJK"), "LPS or RAS"),
        (curve(line((0, 0, 0), (0, 0, 9)), radius=[1.0] * 10, coordinateUnits=["m", "UCUM", "meter"]), "millimetres"),
        (curve(line((0, 0, 0), (0, 0, 9)), radius=[1.0] * 4), "one radius for each"),
        (curve(np.zeros((0, 3)), radius=[]), "'file'"),
    ],
)
def test_what_is_no_tree_is_refused(tmp_path, document, match):
    with quiet(), pytest.raises(ArterialTreeError, match=match):
        read_arteries(write(document, tmp_path / "file.json"))


def test_files_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(FileMissing, match=r"'none\.json' does not exist"):
        read_arteries(tmp_path / "none.json")
    for name in ("empty.json", "empty.vtk", "empty.stl", "empty.glb"):
        (tmp_path / name).touch()
        with pytest.raises(FileMissing, match=f"'{name}' is empty"):
            read_arteries(tmp_path / name)
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(ArterialTreeError, match="no JSON"):
        read_arteries(tmp_path / "a.json")
    (tmp_path / "a.obj").write_text("v 0 0 0")
    with pytest.raises(FileMissing, match=r"\.vtk.*not from 'a\.obj'"):
        read_arteries(tmp_path / "a.obj")
    with pytest.raises(ArterialTreeError, match="at least one"):
        read_arteries([])
    (tmp_path / "portal vein.stl").write_text("solid\nendsolid\n")
    with pytest.raises(ArterialTreeError, match=r"no artery in portal vein\.stl"):
        read_arteries(tmp_path / "portal vein.stl")


def test_names_that_are_not_there_are_refused(tmp_path):
    with (
        quiet(),
        pytest.raises(ArterialTreeError, match="No vessel is called lefft: rename one of proper hepatic, left"),
    ):
        read_arteries(write(TABLE, tmp_path / "c.json"), names={"lefft": "left hepatic"})
    with quiet(), pytest.raises(ArterialTreeError, match="rename left"):
        read_arteries(write(TABLE, tmp_path / "c.json"), names={"proper hepatic": "left"})


@pytest.mark.parametrize("name", ["a.vtp", "a.stl", "a.glb"])
def test_without_vtk_the_file_that_needs_it_is_named(tmp_path, monkeypatch, name):
    (tmp_path / name).write_text("content")
    real = builtins.__import__

    def missing(module, *rest):
        if module == "vtk" or module.startswith("vtk."):
            raise ImportError(module)
        return real(module, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(MissingPackage, match=f"'{name}' needs the package vtk"):
        read_arteries(tmp_path / name)


def test_a_root_thinner_than_what_it_feeds_is_doubted(tmp_path):
    path = write(TABLE, tmp_path / "c.json")
    with pytest.warns(ArterialRootThin, match=r"'left'.* has a radius of 1\.5 mm, but 'proper hepatic'.* 2\.0 mm"):
        tree = read_arteries(path, root="left")
    assert parents(tree) == {"left": None, "proper hepatic": "left"}


def test_broken_binary_stl_files_are_refused_in_silence(tmp_path, capfd):
    pytest.importorskip("vtk")
    (tmp_path / "a.stl").write_bytes(b"\xff\xfe" * 150)  # a header that is no text
    with pytest.raises(ArterialTreeError, match="'a' has no triangles"):
        read_arteries(tmp_path / "a.stl")
    (tmp_path / "a.vtk").write_text("hi")
    with pytest.raises(FileMissing, match="no VTK polydata"):
        read_arteries(tmp_path / "a.vtk")
    assert capfd.readouterr().err == ""
