"""A DICOM folder becomes the image it is, each value in its place and unit, or an error says what is wrong."""

import re
import zipfile

import numpy as np
import pydicom
import pytest

from dicom_images import NM, PT, axial, image, write_series
from radioembolization.errors import DicomError, FileMissing, ImageError
from radioembolization.files import read_dicom_series, read_volume
from radioembolization.images import Unit
from support import SHARED

LIVER_CT = SHARED / "data" / "liver_ce_ct"


def at(volume, position):
    return float(volume.array[tuple(np.rint(volume.grid.to_index(np.array(position))).astype(int))])


def test_slices_are_sorted_by_place_not_by_number_or_name(tmp_path):
    write_series(tmp_path, axial([20, 0, 10]), lambda n: {"RescaleSlope": "2", "RescaleIntercept": "-1000"})
    series = read_dicom_series(tmp_path, Unit.HU)
    assert series.volume.array.dtype == np.int16
    assert [path.name for path in series.files] == ["3_001.dcm", "3_002.dcm", "3_000.dcm"]
    for number, z in enumerate([20, 0, 10]):
        position = (-5 + 3 * 1.5, 7 + 2 * 2.0, z)  # column 3, row 2
        assert at(series.volume, position) == 2 * (100 * number + 23) - 1000
    assert series.volume.grid.spacing_mm == (10.0, 2.0, 1.5)
    assert (series.frame_of_reference, series.modality) == ("2.25.9", "CT")


@pytest.mark.parametrize(
    "orientation",
    [(1, 0, 0, 0, -1, 0), (-1, 0, 0, 0, 1, 0), (0, 1, 0, 0, 0, -1), (1, 0, 0, 0, 0, -1), (0.8, 0.6, 0, -0.6, 0.8, 0)],
)
def test_values_are_where_the_header_says_whatever_the_orientation(tmp_path, orientation):
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    normal = np.cross(row, column)
    first = np.array([-5.0, 7.0, 3.0])
    positions = [first - 4.0 * n * normal for n in range(3)]
    write_series(tmp_path, positions, orientation=orientation)
    volume = read_dicom_series(tmp_path, Unit.HU).volume
    for n, r, c in np.ndindex(3, 3, 4):
        assert at(volume, positions[n] + row * c * 1.5 + column * r * 2.0) == 100 * n + 10 * r + c
    assert np.linalg.det(volume.grid.direction_matrix) == pytest.approx(1.0)


def test_each_slice_of_a_pet_has_its_own_slope(tmp_path):
    slopes = ["0.5", "0.25", "3.5"]
    write_series(tmp_path, axial([0, 4, 8]), lambda n: {"RescaleSlope": slopes[n]}, sop_class=PT, Units="BQML")
    volume = read_dicom_series(tmp_path, Unit.BQ_PER_ML).volume
    expected = [float(slopes[n]) * (100 * n + 23) for n in range(3)]
    np.testing.assert_allclose(volume.array[:, 2, 3], expected, rtol=1e-6)


def test_pet_of_another_unit_is_refused_as_activity(tmp_path):
    write_series(tmp_path, axial([0, 4]), sop_class=PT, Units="CNTS")
    with pytest.raises(ImageError, match=r"'CNTS', not in BQML"):
        read_dicom_series(tmp_path, Unit.BQ_PER_ML)
    assert read_dicom_series(tmp_path, Unit.COUNTS).volume.unit is Unit.COUNTS


def _spect(folder, **changed):
    stored = 100 * np.arange(5)[:, None, None] + 10 * np.arange(3)[:, None] + np.arange(4)
    dataset = image(stored, (0, 0, 0), 1, sop_class=NM, NumberOfFrames=5, SpacingBetweenSlices="-4", RescaleSlope=None)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"]
    detector = pydicom.Dataset()
    detector.ImagePositionPatient, detector.ImageOrientationPatient = [-5, 7, 40], [1, 0, 0, 0, 1, 0]
    del dataset.ImagePositionPatient, dataset.ImageOrientationPatient, dataset.RescaleIntercept
    dataset.DetectorInformationSequence = [detector]
    for keyword, value in changed.items():
        setattr(dataset, keyword, value)
    folder.mkdir(exist_ok=True)
    dataset.save_as(folder / "spect.dcm", enforce_file_format=True)
    return folder / "spect.dcm"


def test_multi_frame_spect(tmp_path):
    """A negative spacing runs against the normal: the last frame is the lowest."""
    path = _spect(tmp_path)
    for source in (path, tmp_path):
        volume = read_dicom_series(source, Unit.COUNTS).volume
        for n in range(5):
            assert at(volume, (-5 + 3 * 1.5, 7 + 2 * 2.0, 40 - 4 * n)) == 100 * n + 23


def test_projections_and_several_windows_are_no_spect(tmp_path):
    _spect(tmp_path / "a", ImageType=["ORIGINAL", "PRIMARY", "TOMO", "EMISSION"])
    with pytest.raises(DicomError, match="no reconstructed SPECT"):
        read_dicom_series(tmp_path / "a", Unit.COUNTS)
    with pytest.raises(DicomError, match="is of modality NM; an image in HU is CT"):
        read_dicom_series(_spect(tmp_path / "b"), Unit.HU)


def test_counts_become_activity_only_where_the_file_says_how(tmp_path):
    with pytest.raises(ImageError, match="does not say how counts become Bq/mL"):
        read_dicom_series(_spect(tmp_path / "a"), Unit.BQ_PER_ML)
    code, mapping = pydicom.Dataset(), pydicom.Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "Bq/ml", "UCUM", "Becquerels/milliliter"
    mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept = 2.5, 0.0
    mapping.MeasurementUnitsCodeSequence = [code]
    volume = read_dicom_series(_spect(tmp_path / "b", RealWorldValueMappingSequence=[mapping]), Unit.BQ_PER_ML).volume
    assert volume.array.max() == pytest.approx(2.5 * 423)


@pytest.mark.parametrize(
    ("heights", "message"),
    [
        (
            [0, 5, 15, 20],
            r"1 slices of '\S+' are missing: between '3_001.dcm' and '3_002.dcm' lie 10 mm instead of 5 mm",
        ),
        ([0, 5, 20, 25], r"2 slices"),
        ([0, 5, 5, 10], r"1 slices at the place of another, such as '3_001.dcm' and '3_002.dcm'"),
        ([0, 5, 10, 16, 21], r"unevenly spaced, by 5 to 6 mm"),
    ],
)
def test_stacks_that_are_none_are_refused_by_the_slice(tmp_path, heights, message):
    write_series(tmp_path, axial(heights))
    with pytest.raises(DicomError, match=message):
        read_dicom_series(tmp_path, Unit.HU)


def test_a_tilted_gantry_is_told_with_its_angle(tmp_path):
    write_series(tmp_path, [(0.0, 5 * n * np.tan(np.deg2rad(10)), 5.0 * n) for n in range(4)])
    with pytest.raises(DicomError, match=r"tilted by 10\.0 degrees"):
        read_dicom_series(tmp_path, Unit.HU)


def test_a_localizer_in_the_series_is_told(tmp_path):
    sagittal = (0, 1, 0, 0, 0, -1)
    write_series(tmp_path, axial([0, 5, 10, 15]), lambda n: {"orientation": sagittal} if n == 2 else {})
    with pytest.raises(DicomError, match=r"1 of 4 slices .* other orientation|1 of 4 slices .*'3_002.dcm'"):
        read_dicom_series(tmp_path, Unit.HU)


@pytest.mark.parametrize(
    ("keyword", "value", "said"),
    [("FrameOfReferenceUID", "2.25.10", r"2\.25\.10"), ("PatientID", "78", r"3_001\.dcm"), ("Rows", 2, "'2'")],
)
def test_files_that_do_not_belong_together(tmp_path, keyword, value, said):
    paths = write_series(tmp_path, axial([0, 5]))
    dataset = pydicom.dcmread(paths[1])
    setattr(dataset, keyword, value)
    dataset.save_as(paths[1])
    with pytest.raises(DicomError, match=rf"differ in {keyword}.*{said}") as caught:
        read_dicom_series(tmp_path, Unit.HU)
    assert "78" not in str(caught.value) or keyword != "PatientID"


def test_of_several_series_one_is_chosen_by_its_uid(tmp_path):
    write_series(tmp_path / "a", axial([0, 5, 10]))
    write_series(tmp_path / "b", axial([0, 5]), series="2.25.4", SeriesDescription="arterial", SeriesNumber=7)
    with pytest.raises(DicomError, match=r"2 series.*ct_series.*number 7, CT 'arterial', 2 slices: 2\.25\.4"):
        read_dicom_series(tmp_path, Unit.HU)
    assert read_dicom_series(tmp_path, Unit.HU, "2.25.4").volume.grid.shape == (2, 3, 4)
    with pytest.raises(DicomError, match=r"has no series 2\.25\.5"):
        read_dicom_series(tmp_path, Unit.HU, "2.25.5")


def test_what_is_no_image_is_passed_over(tmp_path):
    write_series(tmp_path, axial([0, 5]))
    (tmp_path / "notes.txt").write_text("no image")
    assert read_dicom_series(tmp_path, Unit.HU).volume.grid.shape == (2, 3, 4)
    with pytest.raises(FileMissing, match="No DICOM image"):
        (tmp_path / "empty").mkdir()
        read_dicom_series(tmp_path / "empty", Unit.HU)
    with pytest.raises(FileMissing, match="does not exist"):
        read_dicom_series(tmp_path / "absent", Unit.HU)


@pytest.mark.parametrize("broken", [{"RescaleSlope": "0"}, {"PixelData": b"\0" * 4}, {"SamplesPerPixel": 3}])
def test_broken_pixels_are_a_named_error(tmp_path, broken):
    write_series(tmp_path, axial([0, 5]), **broken)
    with pytest.raises(DicomError, match=re.escape("3_000.dcm")):
        read_dicom_series(tmp_path, Unit.HU)


@pytest.mark.real_data
@pytest.mark.skipif(not LIVER_CT.exists(), reason="data of liver_ce_ct are not there")
def test_a_real_series_is_its_nifti(tmp_path):
    """The rows of this series run from back to front; the NIfTI file was cropped and clipped by other software."""
    with zipfile.ZipFile(LIVER_CT / "dicom.zip") as archive:
        archive.extractall(tmp_path)
    volume = read_dicom_series(tmp_path, Unit.HU).volume
    nifti = read_volume(LIVER_CT / "ct.nii.gz", Unit.HU)
    assert volume.grid.shape == (75, 512, 512)
    axes = [np.arange(n) for n in nifti.grid.shape]
    picked = []
    for axis in range(3):
        index = np.zeros((len(axes[axis]), 3))
        index[:, axis] = axes[axis]
        exact = volume.grid.to_index(nifti.grid.to_lps(index))[:, axis]
        assert np.abs(exact - np.rint(exact)).max() < 1e-3
        picked.append(np.rint(exact).astype(int))
    np.testing.assert_array_equal(np.clip(volume.array[np.ix_(*picked)], -1024, 1500), nifti.array)
