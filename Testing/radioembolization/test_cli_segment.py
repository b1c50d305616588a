"""The command ``segment``: from the images of a case to a segmentation that is planned on without further words."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from radioembolization.cli import main
from radioembolization.files import read_case, read_structures, write_segmentation, write_volume
from radioembolization.images import Grid, Unit, Volume
from radioembolization.phantom import synthetic_case
from radioembolization.structures import Role
from radioembolization.structures.recognition import NamedSegment, recognise
from radioembolization.structures.terminology import code_of_type
from support import ellipsoid, quiet

GRID = Grid((32, 40, 48), (4.0, 4.0, 4.0), (-94.0, -78.0, -62.0))
LIVER = ellipsoid(GRID, (0.0, 0.0, 0.0), (70.0, 55.0, 45.0))
HOT = ellipsoid(GRID, (25.0, 5.0, 0.0), 16.0)


@pytest.fixture
def emission_case(tmp_path: Path) -> Path:
    return written_case(tmp_path)


@pytest.fixture(scope="module")
def segmented(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the results of one run."""
    case = written_case(tmp_path_factory.mktemp("segmented"))
    assert main(["segment", str(case), "--json"]) == 0
    return case.parent / "case-structures"


def written_case(folder: Path) -> Path:
    """Write a scout with one hot tumour of 17 mL in a liver that was drawn before."""
    counts = LIVER * 10.0 + HOT * 70.0
    image = sitk.SmoothingRecursiveGaussian(sitk.GetImageFromArray(counts.astype(np.float32)), 1.0)
    smoothed = np.maximum(sitk.GetArrayFromImage(image), 0.0)
    write_volume(Volume(smoothed, GRID, Unit.COUNTS), folder / "scout.nrrd")
    write_segmentation({"Leber": LIVER}, GRID, folder / "drawn.seg.nrrd")
    path = folder / "case.toml"
    path.write_text(
        """
[images]
scout = "scout.nrrd"
[structures]
file = "drawn.seg.nrrd"
liver = "Leber"
[segment]
organs = false
tumours = { method = "adaptive" }
perfused = {}
""",
        encoding="utf-8",
    )
    return path


def changed(path: Path, old: str, new: str) -> Path:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def test_tumour_and_perfused_volume_of_a_scout(segmented):
    document = json.loads((segmented / "structures.json").read_text(encoding="utf-8"))
    volumes = {entry["name"]: entry["volume_ml"] for entry in document["structures"]}
    assert set(volumes) == {"liver", "tumour 1", "perfused volume"}
    assert volumes["liver"] == pytest.approx(LIVER.sum() * 0.064)
    assert volumes["tumour 1"] == pytest.approx(HOT.sum() * 0.064, rel=0.25)
    assert volumes["perfused volume"] == pytest.approx(volumes["liver"], rel=0.1)
    assert document["structures"][0]["method"].startswith("drawn before")
    assert all(Path(path).is_file() for path in document["files"].values())
    assert (segmented / "structures.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_written_has_codes_by_which_it_is_recognised(segmented):
    written = read_structures(segmented / "segmentation.seg.nrrd")
    segments = [NamedSegment(s.name, s.name, s.code) for s in written.segments]
    assert recognise(segments).roles == {"liver": Role.LIVER, "tumour 1": Role.TUMOUR}
    assert np.array_equal(written.mask("liver").mask, LIVER)


def test_slicer_finds_names_and_codes_where_it_looks_for_them(segmented):
    header = sitk.ReadImage(str(segmented / "segmentation.seg.nrrd"))
    tags = {header.GetMetaData(f"Segment{i}_Name"): header.GetMetaData(f"Segment{i}_Tags") for i in range(3)}
    assert code_of_type(tags["liver"].removeprefix("TerminologyEntry:")) == "10200004"
    assert code_of_type(tags["tumour 1"].removeprefix("TerminologyEntry:")) == "4147007"


def test_the_tables_name_findings_and_files(emission_case, capsys):
    assert main(["segment", str(emission_case), "--out", str(emission_case.parent / "here")]) == 0
    printed = capsys.readouterr().out
    assert "tumour 1" in printed and "segmentation.seg.nrrd" in printed and "Research use only" in printed


def test_a_case_file_need_not_say_what_is_what(segmented):
    """Liver and tumour by their codes; the perfused volume is no structure, but a territory."""
    path = segmented.parent / "plan.toml"
    path.write_text(
        """
name = "found"
[images]
scout = "scout.nrrd"
[structures]
file = "case-structures/segmentation.seg.nrrd"
[dose]
device = "resin"
[lungs]
shunt = 0.05
mass_kg = 1.0
[prescription]
preset = "resin/bilobar"
[[sites]]
name = "proper hepatic artery"
perfused = "perfused volume"
""",
        encoding="utf-8",
    )
    with quiet():
        read = read_case(path)
    assert [(s.name, s.role) for s in read.structures] == [("liver", Role.LIVER), ("tumour 1", Role.TUMOUR)]


@pytest.mark.exhaustive
def test_the_same_case_file_is_planned_with_what_was_found(tmp_path):
    """Organs of the synthetic CT and tumours of its scout, then a plan of the file that asked for them."""
    with quiet():
        inputs = synthetic_case(seed=1, spacing_mm=5.0)
    write_volume(inputs.ct, tmp_path / "ct.nrrd")
    write_volume(inputs.scout, tmp_path / "scout.nrrd")
    case = tmp_path / "case.toml"
    case.write_text(
        """
name = "found"
[images]
ct = "ct.nrrd"
scout = "scout.nrrd"
[segment]
tumours = { method = "share of maximum", share = 0.5, resolution_mm = 12 }
[structures]
file = "case-structures/segmentation.seg.nrrd"
[dose]
device = "resin"
[lungs]
shunt = 0.05
mass_kg = 1.0
[prescription]
preset = "resin/bilobar"
[[sites]]
name = "proper hepatic artery"
perfused = "liver"
""",
        encoding="utf-8",
    )
    assert main(["segment", str(case), "--json"]) == 0
    with quiet():
        read = read_case(case)
    roles = [s.role for s in read.structures]
    assert roles.count(Role.LIVER) == 1 and Role.TUMOUR in roles and Role.LUNGS in roles
    found = next(s for s in read.structures if s.role is Role.LIVER).source.mask
    drawn = next(s for s in inputs.structures if s.role is Role.LIVER).source.mask
    assert 2 * np.count_nonzero(found & drawn) / (found.sum() + drawn.sum()) > 0.9


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('method = "adaptive"', 'method = "magic"', "must be one of share of maximum"),
        ('method = "adaptive"', 'method = "fixed"', "needs value"),
        ("organs = false", "organs = false\nlesion = 3", "unknown entry 'lesion'"),
        ("organs = false", 'organs = false\nlesions = "hypo"', "give images.ct"),
        ("organs = false", "organs = false\nseeds_mm = [1, 2]", "list of positions"),
        ('scout = "scout.nrrd"', 'scout = "no.nrrd"', "does not exist"),
        ('scout = "scout.nrrd"', "", "images.scout is missing"),
        ('liver = "Leber"', 'liver = "liver"', "no segment 'liver'"),
        ("organs = false", "organs = false\nnecrosis_below_hu = 30", "give images.ct"),
    ],
)
def test_bad_input_is_named_and_nothing_is_written(emission_case, capsys, old, new, told):
    assert main(["segment", str(changed(emission_case, old, new))]) == 2
    assert told in capsys.readouterr().err
    assert not (emission_case.parent / "case-structures").exists()


def test_without_any_image_there_is_nothing_to_segment(tmp_path, capsys):
    path = tmp_path / "case.toml"
    path.write_text("[segment]\n", encoding="utf-8")
    assert main(["segment", str(path)]) == 2
    assert "no image" in capsys.readouterr().err


def test_total_segmentator_that_is_not_installed_is_named(emission_case, capsys, monkeypatch):
    monkeypatch.setenv("PATH", "")
    grid = GRID
    write_volume(Volume((LIVER * 1100.0 - 1000.0).astype(np.int16), grid, Unit.HU), emission_case.parent / "ct.nrrd")
    changed(emission_case, 'scout = "scout.nrrd"', 'scout = "scout.nrrd"\nct = "ct.nrrd"')
    assert main(["segment", str(emission_case), "--total-segmentator", "organs"]) == 1
    assert "pip install TotalSegmentator" in capsys.readouterr().err
