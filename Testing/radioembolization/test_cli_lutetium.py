"""The command ``lutetium`` as a user meets it, on a phantom with known decays and on a real patient."""

import json
import math

import numpy as np
import pytest

from radioembolization.cli import main
from radioembolization.files import write_segmentation, write_volume
from radioembolization.images import Grid, Unit, Volume
from support import SHARED, box_mask

GRID = Grid((30, 30, 30), (5.0, 5.0, 5.0), (0.0, 0.0, 0.0))
MASKS = {
    "liver": box_mask(GRID.shape, (2, 20), (2, 20), (2, 28)),
    "Left Kidney": box_mask(GRID.shape, (22, 28), (4, 12), (4, 12)),
    "tumor 1": box_mask(GRID.shape, (8, 14), (8, 14), (8, 14)),
}
#: Activity at the administration [Bq/mL] and half-life [h].
UPTAKE = {"liver": (3e5, 67.0), "Left Kidney": (2e6, 51.0), "tumor 1": (6e6, 85.0)}
PATIENT = SHARED / "data" / "lu177_patient"


def write(folder, hours, scale=1.0):
    array = np.zeros(GRID.shape)
    for name, (bq_per_ml, half_life_h) in UPTAKE.items():
        array[MASKS[name]] = bq_per_ml * 2.0 ** (-hours / half_life_h) * scale
    path = folder / f"spect{hours:g}_{scale:g}.nii.gz"
    write_volume(Volume(array.astype(np.float32), GRID, Unit.BQ_PER_ML), path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lutetium")
    write_segmentation(MASKS, GRID, folder / "seg.seg.nrrd")
    return folder


@pytest.fixture
def run(folder, capsys):
    """Return a function that runs the command on maps at given hours and returns code, output, errors."""

    def run_command(*hours, more=(), structures=tuple(MASKS), scale=1.0):
        maps = [write(folder, h, scale) for h in hours]
        words = ["lutetium", *maps, "--labels", folder / "seg.seg.nrrd", "--structures", *structures, "--hours", *hours]
        code = main([str(word) for word in (*words, *more)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_command


def document(answer):
    code, out, err = answer
    assert (code, err) == (0, ""), out
    return json.loads(out)


def by_name(found):
    return {region["name"]: region for region in found["regions"]}


def test_one_time_point_and_three_agree_with_the_known_decays(run):
    halves = [f"{name}={half_life_h}" for name, (_, half_life_h) in UPTAKE.items()]
    one = by_name(document(run(24, more=("--half-life-h", *halves, "--json"))))
    three = by_name(document(run(24, 96, 168, more=("--sd-percent", 5, "--json"))))
    for name, (bq_per_ml, half_life_h) in UPTAKE.items():
        mask = MASKS[name] & ~MASKS["tumor 1"] if name == "liver" else MASKS[name]
        gbq_h = bq_per_ml * mask.sum() * GRID.voxel_ml * 1e-9 * half_life_h / math.log(2.0)
        for found in (one, three):
            assert found[name]["time_integrated_gbq_h"] == pytest.approx(gbq_h, rel=1e-5)
            assert found[name]["effective_half_life_h"] == pytest.approx(half_life_h, rel=1e-4)
        assert three[name]["mean_gy"] == pytest.approx(one[name]["mean_gy"], rel=1e-4)
        assert three[name]["fit"]["model"] == "mono-exponential"
        assert one[name]["sd_gy"] is None
        # Three points of 5 %: 3 to 4 % on the integral.
        assert 0.02 < three[name]["sd_gy"] / three[name]["mean_gy"] < 0.05
        # Cubes and boxes against spheres with cross-fire: 10 %.
        assert one[name]["mean_gy"] == pytest.approx(one[name]["sphere_gy"], rel=0.10)


def test_range_of_the_half_life_is_carried_to_the_dose(run):
    more = ("--half-life-h", "67", "tumor 1=85,50,110", "--json")
    found = by_name(document(run(24, more=more)))["tumor 1"]
    low, high = found["range_gy"]
    assert low < found["mean_gy"] - found["sd_gy"] < found["mean_gy"] < high
    ratio = (2.0 ** (24 / 110) * 110) / (2.0 ** (24 / 85) * 85)
    assert high / found["mean_gy"] == pytest.approx(ratio, rel=1e-6)


def test_unmeasured_kidneys_and_marrow_are_published_ones_and_said_to_be(run):
    more = ("--half-life-h", "67", "--injected-gbq", "7.4", "--json")
    found = document(run(24, more=more, structures=("liver", "tumor 1")))
    origins = {uptake["region"]: uptake["origin"] for uptake in found["uptakes"]}
    assert origins == {"liver": "patient", "tumor 1": "patient", "kidney": "population", "marrow": "population"}
    notices = [notice["message"] for notice in found["notices"] if notice["name"] == "PopulationUptake"]
    assert sum("'kidney'" in text for text in notices) == sum("'marrow'" in text for text in notices) == 1
    liver = by_name(found)["liver"]
    assert liver["gy_per_gbq"] == pytest.approx(liver["mean_gy"] / 7.4)
    # The kidney is activity outside the structures here: kept, with the same half-life.
    assert found["rest_of_body"]["gbq_h"] > 0.0


def test_without_a_half_life_the_published_one_is_taken_with_a_notice(run):
    found = document(run(24, more=("--json",)))
    texts = " ".join(notice["message"] for notice in found["notices"] if notice["name"] == "PopulationUptake")
    for text in ("'liver' is assumed: 67.0 (unverified)", "'Left Kidney' is assumed: 51.0", "range 50 to 110 h"):
        assert text in texts
    assert by_name(found)["tumor 1"]["sd_gy"] > 0.0


def test_table_and_files(run, tmp_path):
    out = tmp_path / "dose.nrrd"
    code, printed, _ = run(24, more=("--half-life-h", "60", "--injected-gbq", "7.4", "--out", out))
    assert code == 0
    for text in ("Dose after 177Lu", "Left Kidney", "Gy/GBq", "population", "one time point", "Research use only"):
        assert text in printed
    saved = json.loads((tmp_path / "dose.nrrd.json").read_text(encoding="utf-8"))
    assert len(saved["regions"]) == 3
    assert (tmp_path / "dose_dvh.csv").is_file()
    assert out.is_file()


@pytest.mark.parametrize(
    ("hours", "more", "message"),
    [
        ((24,), ("--half-life-h", "200"), "HalfLifeError: Effective half-life 200 h"),
        ((24,), ("--half-life-h", "kidney=51"), "names no structure"),
        ((24,), ("--half-life-h", "liver=a"), "write T, NAME=T"),
        ((24,), ("--half-life-h", "67", "--injected-gbq", "7400"), "7400 MBq are 7.4 GBq"),
        ((24,), ("--half-life-h", "67", "--sd-percent", "0"), "enter the uncertainty"),
        ((24,), ("--half-life-h", "67", "--model", "mono"), "One time point"),
        ((96, 24), (), "do not increase"),
        ((24, 96), ("--half-life-h", "67"), "are fitted"),
        ((24, 96), ("--model", "bi"), "TooFewTimePoints: A bi-exponential curve has 4 parameters, there are 2"),
        ((24, 96), ("--model", "tri"), "use one of mono, uptake, bi"),
    ],
)
def test_bad_input_is_refused_with_the_reason(run, hours, more, message):
    code, _, error = run(*hours, more=more)
    assert code == 2
    assert message in error


def test_a_map_in_another_unit_is_refused_or_noticed(run):
    more = ("--half-life-h", "67", "--injected-gbq", "7.4", "--json")
    code, out, _ = run(24, more=more, scale=1000.0)
    assert code == 2
    assert "check the unit of the map" in json.loads(out)["message"]
    names = {notice["name"] for notice in document(run(24, more=more, scale=1e-3))["notices"]}
    assert "UnlikelyActivity" in names


def test_negative_activity_and_missing_times_are_refused(run, folder, capsys):
    path = folder / "negative.nii.gz"
    array = np.where(MASKS["liver"], 1e5, -1e4).astype(np.float32)
    write_volume(Volume(array, GRID, Unit.BQ_PER_ML), path)
    words = ["lutetium", path, "--labels", folder / "seg.seg.nrrd", "--structures", "liver", "--hours"]
    assert main([str(w) for w in (*words, 24)]) == 2
    assert "negative values" in capsys.readouterr().err
    assert main([str(w) for w in (*words, 24, 96)]) == 2
    assert "one time for each map" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.skipif(not PATIENT.is_dir(), reason="the 177Lu patient is not beside the repository")
def test_doses_of_the_patient_are_those_of_spheres(capsys):
    labels = ["liver=1", "spleen=2", "kidneys=3+4", "tumour1=5", "tumour2=6", "tumour3=7"]
    words = ["lutetium", PATIENT / "activity.nii.gz", "--labels", PATIENT / "labels.nii.gz", "--structures", *labels]
    assert main([str(w) for w in (*words, "--hours", 24, "--half-life-h", 60, "--json")]) == 0
    found = json.loads(capsys.readouterr().out)
    regions = by_name(found)
    # Known activity of each structure [MBq] at the time of the map, from the description of the data.
    known = {"liver": 104.0, "spleen": 34.2, "kidneys": 68.4, "tumour1": 15.4, "tumour2": 8.2, "tumour3": 4.8}
    for name, mbq in known.items():
        gbq_h = mbq * 1e-3 * 2.0 ** (24.0 / 60.0) * 60.0 / math.log(2.0)
        assert regions[name]["time_integrated_gbq_h"] == pytest.approx(gbq_h, rel=0.01)  # two or three digits
    # Photons from elsewhere add 1 to 3 % to organs, their shape takes as much; both kidneys make one sphere here,
    # which holds more of its photons than each of them: 4 %.
    for name, tolerance in {"liver": 0.04, "spleen": 0.04, "kidneys": 0.05}.items():
        assert regions[name]["mean_gy"] == pytest.approx(regions[name]["sphere_gy"], rel=tolerance)
    # Nodes of 4 to 6 mL are not spheres: electrons leave through more surface (3 % of the energy per mm of range in
    # voxels of 4 mm), photons of the kidneys come in: 6 %.
    for name in ("tumour1", "tumour2", "tumour3"):
        assert regions[name]["mean_gy"] == pytest.approx(regions[name]["sphere_gy"], rel=0.06)
        assert any(name in n["message"] for n in found["notices"] if n["name"] == "PartialVolumeLoss")
