"""The commands ``kernel`` and ``dose`` as a user meets them: files, JSON, tables, messages, exit codes."""

import csv
import json
import subprocess
import sys

import numpy as np
import pytest
import SimpleITK as sitk

from radioembolization.cli import main
from radioembolization.files import write_segmentation, write_volume
from radioembolization.images import Grid, Unit, Volume
from support import CORE, box_mask

#: 4 x 4 x 3 mm (x, y, z); a 96 x 96 x 96 mm cube of 1e6 Bq/mL in the middle.
GRID = Grid((48, 36, 36), (3.0, 4.0, 4.0), (10.0, -20.0, 30.0))
CUBE = box_mask(GRID.shape, (8, 40), (6, 30), (6, 30))
CORE_OF_CUBE = box_mask(GRID.shape, (14, 34), (11, 25), (11, 25))


def write(path, array, unit=Unit.BQ_PER_ML, grid=GRID):
    write_volume(Volume(np.asarray(array, dtype=np.float32), grid, unit), path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with an activity map, a CT, a density volume and a segmentation."""
    folder = tmp_path_factory.mktemp("dosimetry")
    write(folder / "activity.nrrd", CUBE * 1e6)
    write(folder / "counts.nii.gz", CUBE * 37.0, Unit.COUNTS)
    larger = Grid((60, 50, 50), (3.0, 4.0, 4.0), (-10.0, -40.0, 10.0))
    hu = np.full(larger.shape, 60.0)
    hu[:2] = -1000.0
    write(folder / "ct.nii.gz", hu, Unit.HU, larger)
    write(folder / "density.nrrd", np.full(larger.shape, 1.06), Unit.G_PER_CM3, larger)
    write_segmentation({"cube": CUBE, "core": CORE_OF_CUBE}, GRID, folder / "seg.seg.nrrd")
    return folder


@pytest.fixture
def run(tmp_path, capsys):
    """Return a function that runs a command and returns its exit code, standard output and error."""

    def run_command(*arguments):
        code = main([str(a) for a in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_command


@pytest.fixture
def dose(folder, tmp_path, run):
    """Return a function that runs ``dose`` on the cube as JSON and returns the document and the dose array."""

    def run_dose(*arguments, activity="activity.nrrd", out="dose.nrrd"):
        arguments = ("dose", folder / activity, "--nuclide", "Y-90", "--out", tmp_path / out, "--json", *arguments)
        code, printed, error = run(*arguments)
        assert (code, error) == (0, ""), printed
        return json.loads(printed), sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / out)))

    return run_dose


def test_kernel_takes_spacing_as_x_y_z(run, tmp_path):
    out = tmp_path / "k.csv"
    code, printed, _ = run("kernel", "Y-90", "--spacing", 4, 4, 3, "--out", out, "--json")
    document = json.loads(printed)
    assert code == 0
    with out.open(encoding="utf-8") as stream:
        s = {(r["i"], r["j"], r["k"]): float(r["S_mGy_per_MBq_s"]) for r in csv.DictReader(stream)}
    # PENELOPE Monte Carlo at 1.04 g/cm3: 3 mm away along z, 4 mm away along x.
    assert s["0", "0", "1"] == pytest.approx(0.2071, rel=0.015)
    assert s["1", "0", "0"] == pytest.approx(0.1469, rel=0.015)
    assert document["self_s_mgy_per_mbq_s"] == pytest.approx(s["0", "0", "0"], rel=1e-9)
    assert document["spacing_mm"] == [4.0, 4.0, 3.0]
    assert document["density_g_per_cm3"] == 1.04
    assert document["energy_mev_per_decay"] == pytest.approx(0.9331, rel=1e-4)
    assert document["energy_share_inside"] + document["energy_share_beyond"] == pytest.approx(1.0)
    assert document["files"] == {"kernel": str(out), "provenance": f"{out}.json"}
    beside = json.loads((tmp_path / "k.csv.json").read_text(encoding="utf-8"))
    assert beside == {key: value for key, value in document.items() if key != "files"}


def test_kernel_prints_a_table(run, tmp_path):
    code, printed, error = run("kernel", "lu177", "--spacing", 4.8, 4.8, 4.8, "--out", tmp_path / "k.nrrd")
    assert (code, error) == (0, "")
    for text in ("(0, 0, 1)", "0.1918", "Lu-177", "4.8 x 4.8 x 4.8 mm", "beyond", "k.nrrd", "Research use only"):
        assert text in printed


def test_density_without_another_wish_is_that_of_the_tissue(run, tmp_path):
    def density(*more):
        out = ("--spacing", 9, 9, 9, "--radius-mm", 9, "--out", tmp_path / "k.nrrd", "--json")
        return json.loads(run("kernel", "Y-90", *out, *more)[1])["density_g_per_cm3"]

    assert density() == density("--tissue", "water") == 1.04
    assert density("--tissue", "cortical-bone") == 1.92
    assert density("--tissue", "Lung", "--density", "0.3") == 0.3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"nuclide": "U-235"}, "Unknown nuclide 'U-235': use one of Y-90"),
        ({"nuclide": "Lu-177", "--convention": "clinical"}, "Lu-177 has no energy per decay"),
        ({"--convention": "mird"}, "--convention 'mird' is not known: use one of clinical, icrp107, vendor"),
        ({"--tissue": "cheese"}, "Unknown tissue 'cheese'"),
        ({"--density": "5"}, "Density 5 g/cm3 is outside 0.001 to 3"),
        ({"--density": "0.001"}, "too small for an accurate kernel"),
        ({"--radius-mm": "0"}, "Kernel radius 0 mm"),
        ({"--radius-mm": "5000"}, "more than 5e+06"),
        ({"--out": "k.xlsx"}, "'k.xlsx' has no extension of a kernel file: use one of .csv"),
        ({"--out": "absent/k.csv"}, "of --out does not exist: create it first"),
        ({"--out": "k.txt", "spacing": (4, 4, 3)}, "cubic voxels"),
        ({"spacing": (4, 4, -3)}, "--spacing 4 4 -3 mm (x, y, z): each voxel side must be from 0.4 to"),
        ({"spacing": (4, 4, "nan")}, "--spacing 4 4 nan mm"),
    ],
)
def test_bad_kernel_input_exits_with_2_and_writes_nothing(run, tmp_path, change, message):
    options = {"--out": "k.csv", **{key: value for key, value in change.items() if key.startswith("--")}}
    options["--out"] = tmp_path / options["--out"]
    rest = [word for pair in options.items() for word in pair]
    spacing = change.get("spacing", (3, 3, 3))
    code, printed, error = run("kernel", change.get("nuclide", "Y-90"), "--spacing", *spacing, *rest)
    assert (code, printed) == (2, "")
    assert error.startswith("bad input: ")
    assert message in error
    assert not list(tmp_path.iterdir())


def test_dose_of_a_uniform_cube_is_the_closed_form(dose):
    # 1e6 Bq/mL at 1.06 g/cm3 and 49.771 J/GBq: 46.95 Gy.  Voxels 14 mm from the border lack what the 0.4 %
    # bremsstrahlung deposits further away and the cube does not give back.
    document, array = dose()
    expected = 49.771 / 1.06
    assert np.all(array[CORE_OF_CUBE] <= expected * 1.001)
    assert np.all(array[CORE_OF_CUBE] >= expected * 0.996)
    assert document["activity_gbq"] == pytest.approx(CUBE.sum() * 0.048e-3, rel=1e-6)
    assert document["density_g_per_cm3"] == 1.06
    assert document["method"] == "fft"
    assert "within 5." in document["method_reason"]
    assert document["assumption"].startswith("all decays in place")
    absorbed = float(array.sum(dtype=float)) * 0.048e-3 * 1.06
    assert absorbed == pytest.approx(document["absorbed_j"], rel=1e-5)
    assert absorbed + document["escaped_share"] * document["emitted_j"] == pytest.approx(
        document["emitted_j"], rel=1e-4
    )


def test_local_dose_is_exact(dose):
    document, array = dose("--method", "local", "--convention", "clinical", "--density", "1.0")
    np.testing.assert_allclose(array[CUBE], 49.67, rtol=1e-6)
    assert (document["method"], document["method_reason"]) == ("local", "as asked")
    assert document["escaped_share"] == pytest.approx(0.0, abs=1e-6)


def test_counts_are_scaled_to_the_activity(dose):
    document, array = dose("--activity-gbq", "2", "--method", "LOCAL", activity="counts.nii.gz")
    assert document["activity_gbq"] == pytest.approx(2.0, rel=1e-6)
    assert float(array.sum(dtype=float)) * 0.048e-3 * 1.06 == pytest.approx(2.0 * 49.771, rel=1e-5)


@pytest.mark.parametrize("out", ["dose.nrrd", "dose.nii.gz"])
def test_the_map_keeps_its_grid_in_both_formats(dose, folder, tmp_path, out):
    document, _ = dose("--method", "local", out=out)
    image, source = sitk.ReadImage(str(tmp_path / out)), sitk.ReadImage(str(folder / "activity.nrrd"))
    assert image.GetSize() == source.GetSize()
    for get in ("GetSpacing", "GetOrigin", "GetDirection"):
        assert getattr(image, get)() == pytest.approx(getattr(source, get)(), abs=1e-5)
    if out == "dose.nrrd":
        assert image.GetMetaData("unit") == "Gy"
        assert image.GetMetaData("nuclide") == "Y-90"
    beside = json.loads((tmp_path / f"{out}.json").read_text(encoding="utf-8"))
    assert beside == {key: value for key, value in document.items() if key != "files"}
    assert set(document["inputs"]) == {"activity"}


def test_density_volume_and_number_agree(dose, folder):
    _, number = dose("--density", "1.06")
    document, volume = dose("--density", folder / "density.nrrd")
    np.testing.assert_allclose(volume, number, rtol=1e-5, atol=1e-4)
    assert [notice["name"] for notice in document["notices"]] == ["UniformTransport"]
    assert document["density"].startswith("each voxel its own")


def test_ct_gives_the_mass_of_each_voxel(dose, folder):
    document, array = dose("--ct", folder / "ct.nii.gz", "--method", "local")
    # 60 HU on the published curve: 1.003 + 1.169e-3 x 60.
    np.testing.assert_allclose(array[CUBE], 49.771 / 1.07314, rtol=1e-3)
    assert document["density_g_per_cm3"] == pytest.approx(1.0731, rel=1e-3)
    assert set(document["inputs"]) == {"activity", "ct"}


def test_structures_are_printed_and_written(run, folder, tmp_path):
    arguments = ("--nuclide", "Y90", "--method", "local", "--structures", folder / "seg.seg.nrrd")
    code, printed, error = run("dose", folder / "activity.nrrd", *arguments, "--out", tmp_path / "d.nii.gz")
    assert (code, error) == (0, "")
    for text in ("cube", "core", "V100 %", "47", "Energy: ", "Method: local (as asked)", "d_dvh.csv", "Research use"):
        assert text in printed
    with (tmp_path / "d_dvh.csv").open(encoding="utf-8") as stream:
        rows = {row["name"]: row for row in csv.DictReader(stream)}
    assert float(rows["cube"]["volume_ml"]) == pytest.approx(CUBE.sum() * 0.048, rel=1e-6)
    for figure in ("mean_gy", "min_gy", "max_gy", "d98_gy", "d95_gy", "d90_gy", "d70_gy", "d50_gy", "d2_gy"):
        assert float(rows["core"][figure]) == pytest.approx(49.771 / 1.06, rel=1e-5)
    assert float(rows["core"]["v50_percent"]) == 0.0
    curves = (tmp_path / "d_dvh_curves.csv").read_text(encoding="utf-8").splitlines()
    assert curves[0] == "structure,dose_gy,volume_percent"
    assert curves[1] == "cube,0,100.0000"


def test_structures_on_another_grid_count_partial_voxels(dose, tmp_path):
    fine = Grid((96, 72, 72), (1.5, 2.0, 2.0), (9.0, -21.0, 29.25))
    mask = np.repeat(np.repeat(np.repeat(CUBE, 2, 0), 2, 1), 2, 2)
    shifted = np.roll(mask, 1, axis=2)  # 2 mm along x: half a voxel of the map
    write_segmentation({"shifted": shifted}, fine, tmp_path / "s.seg.nrrd")
    document, _ = dose("--method", "local", "--structures", tmp_path / "s.seg.nrrd")
    (figures,) = document["structures"]
    assert figures["volume_ml"] == pytest.approx(CUBE.sum() * 0.048, rel=1e-5)
    # Half of one of 24 layers lies beside the cube, where there is no dose.
    assert figures["mean_gy"] == pytest.approx(49.771 / 1.06 * 23.5 / 24.0, rel=1e-4)


def test_labels_of_a_label_map_become_segments(dose, tmp_path):
    labels = sitk.GetImageFromArray((CUBE.astype(np.uint8) + 6 * CORE_OF_CUBE).astype(np.uint8))
    labels.SetSpacing(GRID.spacing_mm[::-1])
    labels.SetOrigin(GRID.origin_mm)
    sitk.WriteImage(labels, str(tmp_path / "labels.nii.gz"))
    document, _ = dose("--method", "local", "--structures", tmp_path / "labels.nii.gz")
    assert [s["name"] for s in document["structures"]] == ["label 1", "label 7"]


def notices(document):
    return {notice["name"]: notice["message"] for notice in document["notices"]}


def test_ripple_and_unlikely_totals_are_notices(dose, folder):
    rippled = CUBE * 1e6
    rippled[0, 0, 0] = -1e3
    write(folder / "rippled.nrrd", rippled)
    assert "1 voxels" in notices(dose("--method", "local", activity="rippled.nrrd")[0])["NegativeCountsSetToZero"]
    write(folder / "per-voxel.nrrd", CUBE * 1e12)
    found = notices(dose("--method", "local", activity="per-voxel.nrrd")[0])
    assert "Divide a map of Bq per voxel by the voxel volume" in found["UnlikelyActivity"]


def test_a_kernel_beyond_the_grid_is_a_notice(dose, folder):
    write(folder / "small.nrrd", np.full((4, 4, 4), 1e6), grid=Grid((4, 4, 4), (3.0, 4.0, 4.0)))
    document, _ = dose(activity="small.nrrd")
    assert "outside the grid" in notices(document)["EnergyLeavesGrid"]
    assert document["escaped_share"] > 0.1


def broken(name, folder):
    """Write one broken input and return its path."""
    path = folder / f"{name}.nrrd"
    array = CUBE * 1e6
    if name == "nan":
        array[3, 2, 1] = np.nan
    elif name == "inf":
        array[3, 2, 1] = np.inf
    elif name == "negative":
        array[3, 2, 1] = -1e5
    elif name == "zero":
        array[:] = 0.0
    elif name == "no-image":
        path.write_text("nothing")
        return path
    elif name == "4d":
        path = folder / "4d.nii.gz"
        sitk.WriteImage(sitk.Image([4, 4, 4, 2], sitk.sitkFloat32), str(path))
        return path
    elif name == "colours":
        sitk.WriteImage(sitk.Image([4, 4, 4], sitk.sitkVectorFloat32, 3), str(path))
        return path
    image = sitk.GetImageFromArray(array.astype(np.float32))
    image.SetSpacing(GRID.spacing_mm[::-1])
    sitk.WriteImage(image, str(path))
    return path


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nan", "1 NaN or infinite voxels, the first at index (z, y, x) = (3, 2, 1)"),
        ("inf", "1 NaN or infinite voxels"),
        ("negative", "negative values down to -100000 (10.0% of its maximum)"),
        ("zero", "The activity map is empty"),
        ("no-image", "is no image this program reads"),
        ("4d", "has 4 dimensions, not 3"),
        ("colours", "has 3 values per voxel"),
        ("absent/map", "does not exist"),
    ],
)
def test_a_broken_map_exits_with_2_and_writes_nothing(run, tmp_path, tmp_path_factory, name, message):
    source = tmp_path_factory.mktemp("broken")
    path = source / f"{name}.nrrd" if name.startswith("absent") else broken(name, source)
    code, printed, error = run("dose", path, "--nuclide", "Y-90", "--out", tmp_path / "d.nrrd")
    assert (code, printed) == (2, "")
    assert error.startswith("bad input: ")
    assert message in error
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--nuclide", "Tl-201"), "Unknown nuclide 'Tl-201'"),
        (("--nuclide", "Lu-177", "--convention", "clinical"), "Lu-177 has no energy per decay"),
        (("--method", "mc"), "--method 'mc' is not known: use one of auto, local, fft"),
        (("--convention", "x"), "--convention 'x' is not known"),
        (("--tissue", "x"), "Unknown tissue 'x'"),
        (("--density", "0"), "Density 0 g/cm3 is outside 0.001 to 3"),
        (("--density", "nan"), "Density nan g/cm3"),
        (("--density", "1060"), "Density 1060 g/cm3"),
        (("--density", "absent.nrrd"), "'absent.nrrd' does not exist"),
        (("--density", "{folder}/ct.nii.gz"), "voxels of the density volume are outside 0.001 to 3"),
        (("--density", "1.0", "--ct", "{folder}/ct.nii.gz"), "--density and --ct both give the density"),
        (("--ct", "{folder}/small-ct.nrrd"), "does not cover 62144 of 62208 voxels"),
        (("--activity-gbq", "0"), "Activity 0 GBq is not a positive number"),
        (("--activity-gbq", "nan"), "Activity nan GBq"),
        (("--radius-mm", "-1"), "Kernel radius -1 mm"),
        (("--out", "{out}/d.mha"), "'d.mha' has no extension of a dose map: use .nrrd or .nii.gz"),
        (("--out", "{out}/absent/d.nrrd"), "of --out does not exist"),
        (("--out", "{out}"), "is a folder"),
        (("--out", "{folder}/activity.nrrd"), "is one of the inputs"),
        (("--structures", "absent.seg.nrrd"), "'absent.seg.nrrd' does not exist"),
        (("--structures", "{folder}/empty.nrrd"), "holds 0 labels"),
        (("--structures", "{folder}/empty.seg.nrrd"), "'nothing' of 'empty.seg.nrrd' is empty"),
        (("--structures", "{folder}/away.seg.nrrd"), "'T' (1.0 mL) lies outside the activity map"),
        (("--structures", "{folder}/density.nrrd"), "fractional voxel values"),
    ],
)
def test_bad_dose_input_exits_with_2_and_writes_nothing(run, folder, tmp_path, options, message):
    small = Grid((4, 4, 4), (3.0, 4.0, 4.0), GRID.origin_mm)
    write(folder / "small-ct.nrrd", np.linspace(-1000, 60, 64).reshape(small.shape), Unit.HU, small)
    write(folder / "empty.nrrd", np.zeros(GRID.shape), Unit.LABEL)
    write_segmentation({"nothing": np.zeros(GRID.shape, bool)}, GRID, folder / "empty.seg.nrrd")
    away = Grid((10, 10, 10), (1.0, 1.0, 1.0), (900.0, 0.0, 0.0))
    write_segmentation({"T": np.ones(away.shape, bool)}, away, folder / "away.seg.nrrd")
    before = (folder / "activity.nrrd").read_bytes()
    options = [word.format(folder=folder, out=tmp_path) for word in options]
    chosen = {"--nuclide": "Y-90", "--out": str(tmp_path / "d.nrrd")} | dict(
        zip(options[::2], options[1::2], strict=True)
    )
    words = [word for pair in chosen.items() for word in pair]
    code, printed, error = run("dose", folder / "activity.nrrd", *words)
    assert (code, printed) == (2, "")
    assert error.startswith("bad input: ")
    assert message in error
    assert not list(tmp_path.iterdir())
    assert (folder / "activity.nrrd").read_bytes() == before


def test_errors_are_one_json_document_too(run, tmp_path):
    code, printed, error = run("dose", tmp_path / "absent.nrrd", "--nuclide", "Y-90", "--out", "d.nrrd", "--json")
    assert (code, error) == (2, "")
    assert json.loads(printed)["error"] == "FileMissing"


def test_the_module_runs_as_a_program(tmp_path):
    command = [sys.executable, "-m", "radioembolization.cli", "kernel", "Y-90", "--spacing", "4", "4", "4"]
    done = subprocess.run(
        [*command, "--radius-mm", "12", "--out", str(tmp_path / "k.nrrd"), "--json"],
        capture_output=True,
        text=True,
        cwd=CORE.parent,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["nuclide"] == "Y-90"
