"""The command ``sites``: what is listed and written, with and without arteries, and bad input by name."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from artery_case import ARTERIES, small_tree, write_artery_case
from radioembolization.cli import main
from radioembolization.files import read_case, read_segmentation, write_case, write_volume
from radioembolization.files.markups_file import NamedPoint, read_points, write_points
from radioembolization.files.tree_file import write_tree_json
from radioembolization.images import Unit, Volume
from radioembolization.territories.arteries import ArterialTree, Artery
from radioembolization.territories.vessels.tree_statistics import tree_statistics
from radioembolization.treatment import SourceMask, prepare
from small_case import GRID, RATIOS, small_inputs
from support import ellipsoid

pytest.importorskip("vtkmodules")


@pytest.fixture(scope="module")
def listed(tmp_path_factory):
    """Return the folder of a case with arteries and the document of one run."""
    folder = tmp_path_factory.mktemp("listed")
    case = write_artery_case(folder)
    with pytest.MonkeyPatch.context() as patch:
        lines: list[str] = []
        patch.setattr("sys.stdout.write", lines.append)
        assert main(["sites", str(case), "--json"]) == 0
    return case, json.loads("".join(lines))


def test_files_for_slicer_hold_the_sites(listed):
    case_path, document = listed
    folder = case_path.parent / "arterial-sites"
    names = {path.name for path in folder.iterdir()}
    assert names == {"territories.seg.nrrd", "sites.mrk.json", "arteries.vtk", "sites.svg", "sites.json"}
    case = prepare(read_case(case_path))
    segmentation = read_segmentation(folder / "territories.seg.nrrd")
    for site in case.sites:
        mask = segmentation.mask(site.name)
        np.testing.assert_array_equal(mask.mask, site.perfused & case.structures.liver.mask)
    points = read_points(folder / "sites.mrk.json")
    assert [point.name for point in points] == [site.name for site in case.sites]
    for point, site in zip(points, case.sites, strict=True):
        np.testing.assert_allclose(point.position_lps_mm, site.position_lps_mm, atol=1e-9)
    assert re.search(r"downstream of proper hepatic; territory \d+ mL", points[1].description)
    assert json.loads((folder / "sites.json").read_text(encoding="utf-8")) | {"files": document["files"]} == document


def test_the_tree_that_is_written_is_read_as_the_tree(listed):
    from radioembolization.files.artery_files import read_arteries

    tree = read_arteries(listed[0].parent / "arterial-sites" / "arteries.vtk")
    assert tree.names == small_tree().names
    for one, other in zip(tree.arteries, small_tree().arteries, strict=True):
        np.testing.assert_allclose(one.points_lps_mm, other.points_lps_mm, atol=1e-6)
        assert one.parent == other.parent


def test_the_document_says_what_each_site_reaches(listed):
    _, document = listed
    by_name = {site["name"]: site for site in document["sites"]}
    whole, left, right = (by_name[name] for name in ("proper hepatic", "left hepatic", "right hepatic"))
    assert whole["coverage"]["liver_share"] == pytest.approx(1.0)
    for key in ("territory_ml", "normal_liver_ml"):
        assert whole["coverage"][key] == pytest.approx(left["coverage"][key] + right["coverage"][key])
    assert right["outflow"] == {"gallbladder": pytest.approx(0.216 / 6.048)}
    assert (right["artery"], right["radius_mm"], right["upstream"]) == ("right hepatic", 1.8, "proper hepatic")
    assert document["arteries"]["count"] == 7 and document["arteries"]["branches"][4]["parent"] == "right hepatic"
    assert [t["tumour"] for t in document["unreached_tumours"]] == ["A", "B", "C"]
    assert all(abs(t["unreached_ml"]) < 1e-6 for t in document["unreached_tumours"])


def test_tables_are_printed(listed, tmp_path, capsys):
    assert main(["sites", str(listed[0]), "--out", str(tmp_path / "out")]) == 0
    text = capsys.readouterr().out
    for part in ("common hepatic: 32 mm long", "right hepatic beyond", "Candidate sites", "gallbladder 3.6 %"):
        assert part in text
    assert "Unperfused tumour: none" in text and "Research use only" in text
    assert text.index("left hepatic: 49 mm") > text.index("proper hepatic: 32 mm")


def test_the_tree_is_described_as_its_statistics_say(listed, tmp_path, capsys):
    case_path, document = listed
    tree = read_case(case_path).arteries
    ends = len(tree.terminal_stretches)
    assert document["arteries"]["strahler_branches"][0] == ends
    # the median of x with r0^x = sum of r^x at the branchings of the small tree
    exponents = tree_statistics(tree).murray_exponents
    assert document["arteries"]["murray_exponent"] == pytest.approx(np.median(exponents))
    assert main(["sites", str(case_path), "--out", str(tmp_path / "again")]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert f"Branches of Strahler order 1, 2, ...: {ends}, " in printed
    assert f"exponent of Murray's law {np.median(exponents):.1f}" in printed


def test_a_case_without_arteries_has_sites_too(tmp_path, capsys):
    inputs = small_inputs(tumour_to_normal=RATIOS)
    left = tuple(site for site in inputs.sites if site.name == "left")
    tumours = tuple(s for s in inputs.structures if s.name not in ("A", "C"))
    half = ellipsoid(GRID, (35.0, -10.0, 5.0), 30.0) & (np.indices(GRID.shape)[2] > 30)
    site = replace(left[0], perfused=SourceMask(half, GRID))
    case = write_case(replace(inputs, sites=(site,), structures=tumours, tumour_to_normal={"B": 2.0}), tmp_path)
    assert main(["sites", str(case), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["arteries"] is None and set(document["files"]) == {"territories", "figure", "record"}
    (tumour,) = document["unreached_tumours"]
    reached = document["sites"][0]["coverage"]["tumour_share"]["B"]
    assert 0.1 < tumour["share"] < 0.9 and reached == pytest.approx(1.0 - tumour["share"])
    assert "TumourNotPerfused" in {notice["name"] for notice in document["notices"]}


def _moved(tree: ArterialTree, by_mm: float) -> ArterialTree:
    arteries = (Artery(a.name, a.parent, a.points_lps_mm + by_mm, a.radius_mm) for a in tree.arteries)
    return ArterialTree(tuple(arteries), tree.source)


def _far(folder):
    write_tree_json(_moved(small_tree(), 300.0), folder / "small.tree.json")
    return ARTERIES, ""


def _two_roots(folder):
    document = json.loads((folder / "small.tree.json").read_text(encoding="utf-8"))
    document["arteries"][2]["parent"] = None
    (folder / "small.tree.json").write_text(json.dumps(document), encoding="utf-8")
    return ARTERIES, ""


def _no_length(folder):
    document = json.loads((folder / "small.tree.json").read_text(encoding="utf-8"))
    document["arteries"][2]["points_lps_mm"] = [[0.0, -10.0, -15.0]] * 9
    (folder / "small.tree.json").write_text(json.dumps(document), encoding="utf-8")
    return ARTERIES, ""


def _off_tree(folder):
    write_points([NamedPoint("P1", (80.0, 60.0, 40.0))], folder / "p.mrk.json")
    return ARTERIES + 'points = "p.mrk.json"\n', ""


def _no_liver(folder):
    mask = ellipsoid(GRID, (0.0, 0.0, 66.0), 5.0).astype(np.uint8)
    write_volume(Volume(mask, GRID, Unit.LABEL), folder / "o.nrrd")
    return ARTERIES, '\n[[sites]]\nname = "outside"\nperfused_file = "o.nrrd"\n'


def _unknown(_folder):
    return ARTERIES, '\n[[sites]]\nname = "x"\nartery = "LHA"\n'


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (_far, "TerritoryError", "No branch of the arterial tree comes within 15 mm of the liver"),
        (_two_roots, "TerritoryError", "The arterial tree has 2 roots (common hepatic, left hepatic)"),
        (_no_length, "ArterialTreeError", "Artery 'left hepatic' has no length"),
        (_off_tree, "TerritoryError", "Site 'P1' lies off the tree"),
        (_no_liver, "TerritoryError", "Site 'outside': its perfused volume has no voxel inside the liver"),
        (_unknown, "CaseFileError", "artery 'LHA' is no artery of the tree"),
    ],
)
def test_bad_input_is_named_and_nothing_is_written(tmp_path, capsys, change, error, message):
    case = write_artery_case(tmp_path)
    arteries, sites = change(tmp_path)
    text = case.read_text(encoding="utf-8")
    case.write_text(text[: text.index("\n[arteries]")] + arteries + sites, encoding="utf-8")
    before = sorted(tmp_path.iterdir())
    assert main(["sites", str(case)]) == 2
    told = capsys.readouterr()
    assert error in told.err and message in told.err and told.out == ""
    assert sorted(tmp_path.iterdir()) == before


def test_a_file_is_no_folder_for_results(listed, tmp_path, capsys):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    assert main(["sites", str(listed[0]), "--out", str(tmp_path / "file"), "--json"]) == 2
    assert "name a folder" in json.loads(capsys.readouterr().out)["message"]
