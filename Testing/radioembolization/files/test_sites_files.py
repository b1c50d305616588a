"""Files of candidate sites: the mark of synthetic arteries in each of them, colours, and all or nothing."""

import json
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

from artery_case import ARTERIES, small_tree, write_artery_case
from radioembolization.files import read_case, read_points, sites_files, write_sites
from radioembolization.files.sites_document import sites_document
from radioembolization.files.tree_file import write_tree_json
from radioembolization.report.figures import territories_figure
from radioembolization.report.palette import site_colour
from radioembolization.treatment import prepare
from support import quiet

pytest.importorskip("vtkmodules")


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    with quiet():
        case = prepare(read_case(write_artery_case(tmp_path_factory.mktemp("case"))))
    return replace(case, inputs=replace(case.inputs, arteries=replace(small_tree(), synthetic=True)))


def test_synthetic_arteries_are_marked_in_every_file(case, tmp_path):
    colours = {site.name: site_colour(index) for index, site in enumerate(case.sites)}
    files = write_sites(case, tmp_path / "out", territories_figure(case), colours)
    header = sitk.ReadImage(str(files["territories"]))
    assert "SYNTHETIC" in header.GetMetaData("notice")
    colour = [float(value) for value in header.GetMetaData("Segment1_Color").split()]
    assert colour == pytest.approx(site_colour(1), abs=1e-5) and len(set(colours.values())) == len(case.sites)
    assert all("SYNTHETIC arteries" in point.description for point in read_points(files["sites"]))
    assert b"SYNTHETIC" in files["arteries"].read_bytes()[:200]
    document = json.loads(files["record"].read_text(encoding="utf-8"))
    assert document["synthetic"] and "SYNTHETIC" in document["notice"] and document["arteries"]["synthetic"]
    assert files["figure"].read_text(encoding="utf-8").startswith("<?xml")


@pytest.mark.parametrize("existed", [False, True])
def test_a_failure_leaves_nothing_half_written(case, tmp_path, monkeypatch, existed):
    folder = tmp_path / "out"
    if existed:
        folder.mkdir()
        (folder / "sites.json").write_text("old", encoding="utf-8")

    def full(*_arguments):
        raise OSError("No space left on device")

    monkeypatch.setattr(sites_files, "write_tree", full)
    with pytest.raises(OSError, match="No space"):
        write_sites(case, folder)
    assert [path.name for path in tmp_path.rglob("*")] == (["out", "sites.json"] if existed else [])
    assert not existed or (folder / "sites.json").read_text(encoding="utf-8") == "old"


def test_the_radius_of_a_site_is_that_which_is_compared_with_a_catheter(tmp_path):
    """A centreline drawn too thin at its beginning, where the site lies, is not a thin artery."""
    tree = small_tree()
    left = tree.artery("left hepatic")
    thin = replace(left, radius_mm=np.concatenate([[0.3, 0.4], left.radius_mm[2:]]))
    tree = replace(tree, arteries=tuple(thin if artery is left else artery for artery in tree.arteries))
    path = write_artery_case(tmp_path, ARTERIES + "smallest_radius_mm = 1.0\n")
    write_tree_json(tree, tmp_path / "small.tree.json")
    with quiet():
        document = sites_document(prepare(read_case(path)))
    radius = {site["name"]: site["radius_mm"] for site in document["sites"]}
    assert radius["left hepatic"] == 1.5 and min(radius.values()) >= 1.0
