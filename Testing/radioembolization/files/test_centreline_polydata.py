"""Polylines as VMTK writes them: split groups, common trunks, separate lines; coordinate systems; our own trees."""

import numpy as np
import pytest

pytest.importorskip("vtk")
import vtk

from radioembolization.errors import ArterialTreeError, AssumedArteryRadius, FileMissing
from radioembolization.files import read_arteries
from radioembolization.files.centreline_polydata import polylines_of, vessels_from_polydata
from radioembolization.files.tree_writer import write_tree
from radioembolization.territories.vessels.linking import link_vessels
from support import quiet
from vessel_shapes import line, polydata

INLET, FORK, FAR_FORK = (5.0, -20, 0), (5.0, -20, 40), (5.0, -20, 70)
LEFT, RIGHT, MIDDLE = (45.0, -20, 60), (-30.0, -20, 80), (5.0, 20, 90)


def write(data, path, header=None):
    writer = vtk.vtkPolyDataWriter() if path.suffix == ".vtk" else vtk.vtkXMLPolyDataWriter()
    writer.SetFileName(str(path))
    writer.SetInputData(data)
    if header is not None and path.suffix == ".vtk":
        writer.SetHeader(header)
    assert writer.Write()
    return path


def parents(tree):
    return {artery.name: artery.parent for artery in tree.arteries}


def shaken(points, away):
    """Return the points moved aside by at most `away` mm, as two centrelines in one vessel differ; ends stay."""
    moved = points + np.random.default_rng(1).uniform(-away, away, points.shape) / np.sqrt(3)
    moved[[0, -1]] = points[[0, -1]]
    return moved


@pytest.mark.parametrize("backwards", [False, True], ids=["from the source", "to the source"])
@pytest.mark.parametrize("radius_name", ["Radius", "MaximumInscribedSphereRadius"])
def test_centrelines_from_one_source_share_their_trunk_once(backwards, radius_name):
    paths = [
        line(INLET, FORK, LEFT),
        shaken(line(INLET, FORK, FAR_FORK, RIGHT), 0.2),
        shaken(line(INLET, FORK, FAR_FORK, MIDDLE), 0.2),
    ]
    data = polydata([one[::-1] if backwards else one for one in paths], [2.0, 2.0, 2.0], radius_name=radius_name)
    vessels = vessels_from_polydata(polylines_of(data), name="liver")
    with quiet():
        tree = link_vessels(vessels, root=INLET)
    # the longest line (to the right or the middle) is whole, the others leave it at the forks
    assert len(tree.arteries) == 3 and len(tree.stretches) == 5
    forks = sorted(tree.stretch_points_lps_mm(i)[-1][2] for i in range(5) if i not in tree.terminal_stretches)
    np.testing.assert_allclose(forks, [40, 70], atol=1.5)
    ends = sorted(tuple(tree.stretch_points_lps_mm(i)[-1]) for i in tree.terminal_stretches)
    np.testing.assert_allclose(ends, sorted([LEFT, RIGHT, MIDDLE]), atol=1e-6)
    exact = (
        40
        + 30
        + sum(np.linalg.norm(np.subtract(a, b)) for a, b in ((FORK, LEFT), (FAR_FORK, RIGHT), (FAR_FORK, MIDDLE)))
    )
    found = sum(np.linalg.norm(np.diff(tree.stretch_points_lps_mm(i), axis=0), axis=1).sum() for i in range(5))
    assert found == pytest.approx(exact, rel=0.03)


def test_split_centrelines_become_one_vessel_for_each_group():
    """Groups 0 trunk, 1 blanked fork, 2 left, 3 onward, 4 blanked fork, 5 right, 6 middle, as VMTK numbers them."""
    pieces, cells = [], {"CenterlineIds": [], "TractIds": [], "GroupIds": [], "Blanking": []}

    def path(centreline, *tracts):
        for tract, (group, blank, points) in enumerate(tracts):
            pieces.append(points)
            for key, value in zip(cells, (centreline, tract, group, blank), strict=True):
                cells[key].append(value)

    trunk, fork_left, left = line(INLET, (5, -20, 37)), line((5, -20, 37), FORK, (9, -20, 42)), line((9, -20, 42), LEFT)
    fork_on, onward = line((5, -20, 37), (5, -20, 44)), line((5, -20, 44), (5, -20, 67))
    fork_right, right = line((5, -20, 67), FAR_FORK, (1.5, -20, 71)), line((1.5, -20, 71), RIGHT)
    fork_middle, middle = line((5, -20, 67), FAR_FORK, (5, -16, 72)), line((5, -16, 72), MIDDLE)
    path(0, (0, 0, trunk), (1, 1, fork_left), (2, 0, left))
    path(1, (0, 0, shaken(trunk, 0.2)), (1, 1, fork_on), (3, 0, onward), (4, 1, fork_right), (5, 0, right))
    path(2, (0, 0, trunk), (1, 1, fork_on), (3, 0, shaken(onward, 0.2)), (4, 1, fork_middle), (6, 0, middle))
    data = polydata(pieces, [2.0] * len(pieces), cells)
    with quiet():
        tree = link_vessels(vessels_from_polydata(polylines_of(data), name="liver"), root="liver 0")
    assert parents(tree) == {
        "liver 0": None,
        "liver 2": "liver 0",
        "liver 3": "liver 0",
        "liver 5": "liver 3",
        "liver 6": "liver 3",
    }
    assert tree.artery("liver 3").length_mm == pytest.approx(30, abs=1e-6)  # from the end of the trunk
    np.testing.assert_allclose(tree.artery("liver 6").points_lps_mm[0], (5, -20, 67))


@pytest.mark.parametrize("share_points", [False, True])
def test_merged_centrelines_and_networks_are_joined_at_their_ends(share_points):
    pieces = [line(INLET, FORK), line(FORK, LEFT), line(RIGHT, FAR_FORK), line(FORK, FAR_FORK), line(FAR_FORK, MIDDLE)]
    cells = {"GroupIds": [0, 1, 2, 3, 4], "CenterlineIds": [0] * 5, "TractIds": [0] * 5, "Blanking": [0] * 5}
    data = polydata(pieces, [3, 2, 1.5, 2.5, 1.5], cells, share_points=share_points)
    with quiet():
        tree = link_vessels(vessels_from_polydata(polylines_of(data), name="b"), root=INLET)
    assert parents(tree) == {"b 1": None, "b 2": "b 1", "b 4": "b 1", "b 3": "b 4", "b 5": "b 4"}


def test_lines_cut_into_pairs_of_points_are_put_together():
    points = line(INLET, FORK, LEFT)
    data = polydata([points[i : i + 2] for i in range(len(points) - 1)], [2.0] * len(points), share_points=True)
    (vessel,) = vessels_from_polydata(polylines_of(data), name="one")
    assert vessel.name == "one" and len(vessel.radius_mm) == len(points)
    assert vessel.length_mm == pytest.approx(40 + np.linalg.norm(np.subtract(FORK, LEFT)))


@pytest.mark.parametrize("ending", [".vtk", ".vtp"])
@pytest.mark.parametrize("space", ["LPS", "RAS", None])
def test_the_coordinate_system_in_the_file_counts(tmp_path, ending, space):
    """3D Slicer writes it in the title of a .vtk and a field of a .vtp file; without it files are LPS."""
    data = polydata([line(INLET, FORK)], [2.0])
    if space and ending == ".vtp":
        array = vtk.vtkStringArray()
        array.SetName("SPACE")
        array.InsertNextValue(space)
        data.GetFieldData().AddArray(array)
    path = write(data, tmp_path / f"trunk{ending}", f"3D Slicer output. SPACE={space}" if space else "vtk output")
    tree = read_arteries(path, root=(-5, 20, 0) if space == "RAS" else INLET)
    sign = -1.0 if space == "RAS" else 1.0
    np.testing.assert_allclose(tree.root.points_lps_mm[0], (sign * 5, sign * -20, 0))
    np.testing.assert_allclose(tree.root.tip_lps_mm, (sign * 5, sign * -20, 40))
    assert tree.names == ("trunk",) and tree.source == path.name


@pytest.mark.parametrize("ending", [".vtk", ".vtp"])
@pytest.mark.parametrize("synthetic", [False, True])
def test_a_tree_written_by_this_program_comes_back(tmp_path, ending, synthetic):
    with quiet():
        vessels = vessels_from_polydata(polylines_of(polydata([line(INLET, FORK), line(FORK, LEFT)], [2, 1])), name="a")
        made = link_vessels(vessels, root=INLET, source="by hand")
    made = type(made)(made.arteries, made.source, synthetic)
    write_tree(made, tmp_path / f"t{ending}")
    found = read_arteries(tmp_path / f"t{ending}")
    assert (parents(found), found.source, found.synthetic) == (parents(made), "by hand", synthetic)
    for artery in made.arteries:
        np.testing.assert_array_equal(found.artery(artery.name).points_lps_mm, artery.points_lps_mm)
        np.testing.assert_array_equal(found.artery(artery.name).radius_mm, artery.radius_mm)
    renamed = read_arteries(tmp_path / f"t{ending}", names={"a 1": "trunk"})
    assert parents(renamed) == {"trunk": None, "a 2": "trunk"}


def test_centrelines_without_radius_need_a_stated_one(tmp_path):
    path = write(polydata([line(INLET, FORK)], None), tmp_path / "c.vtp")
    with pytest.raises(ArterialTreeError, match=r"'c' state no radius.*radius_mm"):
        read_arteries(path)
    with pytest.warns(AssumedArteryRadius, match="1.5 mm"):
        tree = read_arteries(path, radius_mm=1.5)
    assert set(tree.root.radius_mm) == {1.5}
    with pytest.raises(ArterialTreeError, match="positive"):
        read_arteries(path, radius_mm=0.0)


def test_models_that_hold_no_centreline_are_refused(tmp_path):
    sphere = vtk.vtkSphereSource()
    sphere.Update()
    with pytest.raises(ArterialTreeError, match=r"no radius|no line"):
        read_arteries(write(sphere.GetOutput(), tmp_path / "sphere.vtk"))
    with quiet(), pytest.raises(ArterialTreeError, match=r"'sphere' has no line.*surface"):
        read_arteries(write(sphere.GetOutput(), tmp_path / "sphere.vtk"), radius_mm=1.0)
    with quiet(), pytest.raises(ArterialTreeError, match="no line"):
        read_arteries(write(vtk.vtkPolyData(), tmp_path / "empty.vtp"), radius_mm=1.0)
    for name in ("broken.vtk", "broken.vtp"):
        (tmp_path / name).write_text("no polydata\n")
        with pytest.raises(FileMissing, match="no VTK polydata"):
            read_arteries(tmp_path / name)


def test_points_that_are_no_numbers_and_lines_without_length_are_named():
    points = line(INLET, FORK)
    points[3, 1] = np.nan
    with pytest.raises(ArterialTreeError, match=r"'c'.*point 3 is no number"):
        vessels_from_polydata(polylines_of(polydata([points], [1.0])), name="c")
    with pytest.raises(ArterialTreeError, match="'c 2' has no length"):
        vessels_from_polydata(polylines_of(polydata([line(INLET, FORK), np.zeros((4, 3))], [1.0, 1.0])), name="c")
