"""``[lungs]`` of the case file: a number, planar counts or images, or the scout; all are kept and one is used."""

import json
from dataclasses import replace
from importlib import resources

import jsonschema
import numpy as np
import pytest
import SimpleITK as sitk

from radioembolization.errors import CaseFileError, FileMissing, LungsCropped, LungShuntError
from radioembolization.files import plan_document, read_case, read_plan, write_case, write_results
from radioembolization.images import Unit, Volume, resample_mask
from radioembolization.report import page
from radioembolization.structures import Role
from radioembolization.territories.shunt.lung_shunt import ShuntMethod
from radioembolization.treatment import SourceMask, SourceStructure, plan_treatment, prepare
from small_case import GRID, RATIOS, SCOUT_GRID, small_inputs
from support import ellipsoid

#: GM of the lungs sqrt(300 x 300) = 300, of the liver sqrt(9000 x 4000) = 6000: 300 / 6300.
COUNTS = "lungs_anterior = 300\nlungs_posterior = 300\nliver_anterior = 9000\nliver_posterior = 4000\n"
PLANAR = 300 / 6300


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("case")
    inputs = small_inputs(tumour_to_normal=RATIOS)
    lungs = ellipsoid(GRID, (0.0, 0.0, 60.0), (60.0, 45.0, 20.0)) & ~inputs.structures[0].source.mask
    lungs[-1] = False  # the CT shows all of them
    scout = np.where(ellipsoid(SCOUT_GRID, (0.0, 0.0, 0.0), (70.0, 57.0, 52.0)), inputs.scout.array, 0.0)
    scout[resample_mask(lungs, GRID, SCOUT_GRID)] = 3.0
    inputs = replace(inputs, scout=Volume(scout, SCOUT_GRID, Unit.COUNTS))
    drawn = SourceStructure("lungs", Role.LUNGS, SourceMask(lungs, GRID))
    write_case(replace(inputs, structures=(*inputs.structures, drawn)), path)
    return path


@pytest.fixture
def case(folder):
    """Return a function that reads the case with what ``[lungs]`` is to say; sites have no shunt of their own."""

    def read(lungs, tables="", device="resin"):
        text = (folder / "case.toml").read_text(encoding="utf-8")
        text = "\n".join(line for line in text.splitlines() if not line.startswith("lung_shunt"))
        head, _, tail = text.partition("[lungs]")
        assert tail
        tail = tail.replace('"resin', f'"{device}', 1)
        path = folder / "edited.toml"
        path.write_text(f"{head}[lungs]\n{lungs}\n{tail}\n{tables}", encoding="utf-8")
        return read_case(path)

    return read


def methods(inputs):
    return [(shunt.method, shunt.used) for shunt in inputs.lung_shunts]


def test_a_number_is_entered_and_used(case):
    inputs = case("shunt = 0.05")
    assert methods(inputs) == [(ShuntMethod.ENTERED, True)]
    assert {site.lung_shunt for site in inputs.sites} == {0.05}


def test_planar_counts_beside_a_number_are_kept(case):
    inputs = case("shunt = 0.05", f"[lungs.planar]\n{COUNTS}")
    assert methods(inputs) == [(ShuntMethod.ENTERED, True), (ShuntMethod.PLANAR, False)]
    assert inputs.lung_shunts[1].fraction == pytest.approx(PLANAR)
    assert {site.lung_shunt for site in inputs.sites} == {0.05}


def test_planar_counts_are_used(case):
    inputs = case('shunt = "planar"', f"[lungs.planar]\n{COUNTS}")
    assert methods(inputs) == [(ShuntMethod.PLANAR, True)]
    assert inputs.sites[0].lung_shunt == pytest.approx(PLANAR)


def test_the_scout_is_used_and_planar_kept(case):
    # Lungs of 3 counts per voxel of 4.4 mm, times their volume on the grid they were drawn on.
    inputs = case('shunt = "spect"', f"[lungs.planar]\n{COUNTS}\n[lungs.spect]\ndome_margin_mm = 5\nresolution_mm = 2")
    assert methods(inputs) == [(ShuntMethod.PLANAR, False), (ShuntMethod.SPECT, True)]
    assert {site.lung_shunt for site in inputs.sites} == {inputs.lung_shunts[1].fraction}
    drawn = next(s.source.mask for s in inputs.structures if s.role is Role.LUNGS)
    lungs = 3.0 / SCOUT_GRID.voxel_ml * drawn.sum() * GRID.voxel_ml
    liver = float(inputs.scout.array.sum()) - 3.0 * np.count_nonzero(inputs.scout.array == 3.0)
    assert inputs.lung_shunts[1].fraction == pytest.approx(lungs / (lungs + liver), rel=0.02)  # liver cut by voxels


def planar_images(folder):
    """Write two planar images of 10 x 8, the lungs in rows 0 to 3 and the liver in rows 5 to 9."""
    anterior = np.zeros((10, 8), np.float32)
    anterior[0:4], anterior[5:10, :6] = 2.0, 50.0
    posterior = np.zeros((10, 8), np.float32)
    posterior[0:4], posterior[5:10, 2:] = 8.0, 18.0  # as seen from behind
    for name, image in (("a.nrrd", anterior), ("p.nrrd", posterior)):
        sitk.WriteImage(sitk.GetImageFromArray(image), str(folder / name))
    sitk.WriteImage(sitk.GetImageFromArray(np.stack([anterior, posterior])), str(folder / "both.nrrd"))
    return "lungs = [0, 0, 7, 3]\nliver = [0, 5, 5, 9]\n"


def test_planar_images(case, folder):
    # Lungs 32 pixels, GM 32 sqrt(2 x 8) = 128; liver 30 pixels, 30 sqrt(50 x 18) = 900.
    regions = planar_images(folder)
    tables = f'[lungs.planar]\nanterior = "a.nrrd"\nposterior = "p.nrrd"\n{regions}'
    inputs = case('shunt = "planar"', tables)
    assert inputs.lung_shunts[0].fraction == pytest.approx(128 / 1028)
    assert "planar" in inputs.hashes
    assert [n.name for n in inputs.notices if "Shunt" in n.name] == ["LungShuntHigh"]  # 12.5 % of resin
    frames = (
        '[lungs.planar]\nanterior = "both.nrrd"\nposterior = "both.nrrd"\nanterior_frame = 1\nposterior_frame = 2\n'
    )
    assert case('shunt = "planar"', frames + regions).lung_shunts[0].fraction == pytest.approx(128 / 1028)
    with pytest.raises(CaseFileError, match="anterior_frame"):
        case('shunt = "planar"', frames.replace("_frame = 2", "_frame = 3") + regions)
    with pytest.raises(FileMissing, match=r"c\.nrrd"):
        case('shunt = "planar"', tables.replace("p.nrrd", "c.nrrd"))


@pytest.mark.parametrize(
    ("lungs", "tables", "error", "message"),
    [
        ("shunt = 5", "", LungShuntError, "fraction, not per cent"),
        ("shunt = true", "", CaseFileError, "must be a number"),
        ('shunt = "spekt"', "", CaseFileError, "one of planar, spect"),
        ('shunt = "planar"', "", CaseFileError, "needs .lungs.planar."),
        ('shunt = "planar"', f"[lungs.planar]\n{COUNTS[20:]}", CaseFileError, "lungs_anterior"),
        ('shunt = "planar"', f"[lungs.planar]\n{COUNTS.replace('9000', '-9')}", LungShuntError, "are -9"),
        ('shunt = "planar"', f"[lungs.planar]\n{COUNTS}lung = 1", CaseFileError, "unknown entry 'lung'"),
        ('shunt = "spect"', "[lungs.spect]\nleast_lungs = 50", LungShuntError, "out of range"),
        ('shunt = "spect"', "[lungs.spect]\nmargin_mm = 5", CaseFileError, "unknown entry 'margin_mm'"),
        ('shunt = "spect"', "[lungs.spect]\ndome_margin_mm = 200", LungsCropped, "dome_margin_mm"),
        ('shunt = "spect"', "[lungs.spect]\nattenuation_corrected = 1", CaseFileError, "true or false"),
    ],
)
def test_wrong_entries_are_named(case, lungs, tables, error, message):
    with pytest.raises(error, match=message):
        case(lungs, tables)


@pytest.fixture
def treatment(case):
    return plan_treatment(prepare(case("shunt = 0.05", f"[lungs.planar]\n{COUNTS}")))


def test_shunts_are_in_the_plan_file(treatment, tmp_path):
    document = plan_document(treatment)
    schema = json.loads(resources.files("radioembolization.files").joinpath("plan.schema.json").read_text())
    jsonschema.validate(document, schema)
    stated = document["inputs"]["lung_shunts"]
    assert [(s["method"], s["used"]) for s in stated] == [("entered", True), ("planar", False)]
    assert stated[1]["fraction"] == pytest.approx(PLANAR)
    assert stated[1]["standard_deviation"] == 0.053
    write_results(treatment, tmp_path / "plan")
    assert "lung_shunts" not in read_plan(tmp_path / "plan" / "plan.json").hashes


@pytest.mark.slow
def test_shunts_are_on_the_page(treatment):
    assert "5.0 % entered (used), 4.8 % planar" in page(treatment)
