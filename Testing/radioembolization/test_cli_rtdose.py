"""The command ``rtdose`` as a user meets it: files, JSON, words, messages, exit codes."""

import json

import numpy as np
import pydicom
import pytest

from dicom_checks import write_slices
from radioembolization.cli import main
from radioembolization.files import read_planning_images, read_rtdose, write_volume
from radioembolization.images import Grid, Unit, Volume

GRID = Grid((4, 5, 6), (5.0, 2.0, 1.5), (-5.0, 7.0, 0.0))
DOSE = np.linspace(0.0, 200.0, 120, dtype=np.float32).reshape(GRID.shape)


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a dose, a CT, a scout, and DICOM slices of the same space."""
    write_volume(Volume(DOSE, GRID, Unit.GY), tmp_path / "dose.nrrd")
    write_volume(Volume(np.full(GRID.shape, 40, np.int16), GRID, Unit.HU), tmp_path / "ct.nii.gz")
    write_volume(Volume(DOSE, GRID, Unit.COUNTS), tmp_path / "scout.nrrd")
    write_slices(tmp_path / "slices", [0.0, 5.0, 10.0, 15.0])
    return tmp_path


@pytest.fixture
def run(folder, capsys):
    """Return a function that runs ``rtdose`` on the dose and returns exit code, output and error."""

    def run_command(*arguments, dose="dose.nrrd", out="dose.dcm", label="plan A"):
        fixed = ["rtdose", folder / dose, "--out", folder / out, "--label", label]
        code = main([str(a) for a in (*fixed, *arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_command


def test_a_dose_beside_dicom_images_takes_their_patient_and_says_so(folder, run):
    code, printed, error = run("--images", folder / "slices", "--when", "2026-01-31T12:30", "--comment", "glass")
    assert (code, error) == (0, "")
    assert "identifies the patient" in printed and "4 CT image(s)" in printed and "research use only" in printed.lower()
    header = pydicom.dcmread(folder / "dose.dcm")
    assert (str(header.PatientName), header.StudyInstanceUID, header.InstanceCreationDate) == (
        "Doe^Jane",
        "2.25.2",
        "20260131",
    )
    np.testing.assert_allclose(read_rtdose(folder / "dose.dcm").array, DOSE, atol=2e-7)


def test_a_dose_without_dicom_images_gets_a_series_beside_which_other_doses_share(folder, run):
    series = ("--ct", folder / "ct.nii.gz", "--patient-id", "TEST-1", "--json")
    code, printed, _ = run(*series)
    document = json.loads(printed)
    assert code == 0
    assert document["images"] == {"modality": "CT", "instances": 4, "folder": str(folder / "ct-dicom")}
    assert document["max_gy"] == pytest.approx(200.0)
    assert run(*series, out="b.dcm", label="plan B")[0] == 0
    images = read_planning_images(folder / "ct-dicom")
    first, second = pydicom.dcmread(folder / "dose.dcm"), pydicom.dcmread(folder / "b.dcm")
    assert {first.StudyInstanceUID, second.StudyInstanceUID} == {images.identity["StudyInstanceUID"]}
    assert first.SOPInstanceUID == document["sop_instance_uid"] != second.SOPInstanceUID
    assert first.PatientID == first.PatientName == "TEST-1"


def test_a_scout_serves_as_well(folder, run):
    code, printed, _ = run("--scout", folder / "scout.nrrd", "--patient-id", "T", "--patient-name", "A^B", "--json")
    assert code == 0
    assert json.loads(printed)["images"]["modality"] == "NM"
    assert str(pydicom.dcmread(folder / "scout-dicom" / "nm-0001.dcm").PatientName) == "A^B"


def test_a_named_rt_plan_is_referred_to(folder, run):
    assert run("--images", folder / "slices", "--rt-plan-uid", "2.25.77")[0] == 0
    (plan,) = pydicom.dcmread(folder / "dose.dcm").ReferencedRTPlanSequence
    assert plan.ReferencedSOPInstanceUID == "2.25.77"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--ct", "{}/ct.nii.gz"), "--patient-id"),
        (("--images", "{}/slices", "--patient-id", "1"), "--patient-id"),
        (("--images", "{}/nowhere"), "nowhere"),
        (("--images", "{}/slices", "--when", "tomorrow"), "2026-01-31T12:00"),
        (("--images", "{}/slices", "--label", "x" * 45), "44"),
        (("--ct", "{}/dose.dcm", "--patient-id", "1"), "dose.dcm"),
    ],
)
def test_bad_input_ends_with_code_2_and_leaves_nothing(folder, run, arguments, message):
    code, printed, error = run(*(argument.format(folder) for argument in arguments))
    assert (code, printed) == (2, "")
    assert message in error
    assert not (folder / "dose.dcm").exists() and not (folder / "ct-dicom").exists()


def test_a_map_that_is_no_dose_is_refused_before_the_series_is_written(folder, run):
    write_volume(Volume(DOSE - 50.0, GRID, Unit.GY), folder / "negative.nrrd")
    code, _, error = run("--ct", folder / "ct.nii.gz", "--patient-id", "1", dose="negative.nrrd")
    assert code == 2
    assert "no dose is negative" in error
    assert not (folder / "ct-dicom").exists()


def test_images_are_asked_for(run):
    with pytest.raises(SystemExit) as ended:
        run()
    assert ended.value.code == 2
