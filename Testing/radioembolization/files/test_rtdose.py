"""RT Dose files hold the dose where it was, refer to their images, and satisfy readers that know nothing of us."""

from datetime import datetime
from itertools import permutations, product

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from dicom_checks import validator_errors, write_slices
from radioembolization.errors import DicomError, FileMissing, ImageError, InputError, NoOverlap
from radioembolization.files import read_planning_images, read_rtdose, write_planning_images, write_rtdose
from radioembolization.images import Grid, Unit, Volume
from support import SHARED, as_direction, positions, rotation

SHAPE = (4, 5, 6)
SPACING = (3.0, 2.0, 1.5)
ORIGIN = (10.0, -20.0, 30.0)
SAMPLE = SHARED / "data" / "rtdose_sample" / "RD.TBC_feet_in_supine.dcm"
WHEN = datetime(2026, 1, 31, 12, 30, 5)
#: Tags that PS3.3 demands of an RT Dose with a multi-frame grid, by section: type 1 with a value, type 2 present.
TYPE_1 = {
    "C.7.2.1 general study": ["StudyInstanceUID"],
    "C.8.8.1 RT series": ["Modality", "SeriesInstanceUID"],
    "C.7.4.1 frame of reference": ["FrameOfReferenceUID"],
    "C.7.6.2 image plane": ["PixelSpacing", "ImageOrientationPatient", "ImagePositionPatient"],
    "C.7.6.3 image pixel": ["Rows", "Columns", "PixelData", "SamplesPerPixel", "PhotometricInterpretation"],
    "C.7.6.6 multi-frame": ["NumberOfFrames", "FrameIncrementPointer"],
    "C.8.8.3 RT dose": ["DoseUnits", "DoseType", "DoseSummationType", "GridFrameOffsetVector", "DoseGridScaling"],
    "C.8.8.3 RT dose, 1C of PLAN": ["ReferencedRTPlanSequence"],
    "C.12.1 SOP common": ["SOPClassUID", "SOPInstanceUID"],
    "C.12.2 common instance reference": ["ReferencedSeriesSequence"],
}
TYPE_2 = {
    "C.7.1.1 patient": ["PatientName", "PatientID", "PatientBirthDate", "PatientSex"],
    "C.7.2.1 general study": ["StudyDate", "StudyTime", "ReferringPhysicianName", "StudyID", "AccessionNumber"],
    "C.8.8.1 RT series": ["SeriesNumber", "OperatorsName"],
    "C.7.4.1 frame of reference": ["PositionReferenceIndicator"],
    "C.7.5.1 general equipment": ["Manufacturer"],
    "C.7.6.1 general image": ["InstanceNumber"],
    "C.7.6.2 image plane": ["SliceThickness"],
}


def dose_on(direction, seed=1):
    values = np.random.default_rng(seed).random(SHAPE) * 300.0
    return Volume(values, Grid(SHAPE, SPACING, ORIGIN, as_direction(direction)), Unit.GY)


@pytest.fixture
def dose():
    return dose_on(np.eye(3))


@pytest.fixture
def images(tmp_path):
    """Planning images: axial CT slices around the dose, as a scanner would leave them."""
    folder = tmp_path / "ct"
    write_slices(folder, [25.0, 30.0, 35.0, 40.0, 45.0], ImagePositionPatient=None)
    for path, z in zip(sorted(folder.iterdir()), (25, 30, 35, 40, 45), strict=True):
        dataset = pydicom.dcmread(path)
        dataset.ImagePositionPatient = [10, -20, z]
        dataset.SpecificCharacterSet, dataset.PatientName = "ISO_IR 100", "Müller^Jörg"
        dataset.save_as(path)
    return read_planning_images(folder)


def write(dose, path, **options):
    write_rtdose(dose, path, **{"reference": None, "plan_label": "plan A", **options})
    return pydicom.dcmread(path)


def directions():
    """Return the 48 ways to swap and reverse axes, each also turned to an oblique one."""
    turned = rotation((1.0, 2.0, 3.0), 27.0)
    for order in permutations(range(3)):
        for signs in product((1.0, -1.0), repeat=3):
            matrix = np.eye(3)[:, list(order)] * signs
            yield matrix
            yield turned @ matrix


def test_a_bright_voxel_is_found_by_gdcm_where_it_was_in_every_orientation(tmp_path):
    bright, tried = (3, 1, 4), 0
    for direction in directions():
        array = np.full(SHAPE, 10.0)
        array[bright] = 250.0
        grid = Grid(SHAPE, SPACING, ORIGIN, as_direction(direction))
        place = positions(grid)[bright]  # written out in the test support, without the grid's own methods
        dataset = write(Volume(array, grid, Unit.GY), tmp_path / "dose.dcm")
        image = sitk.ReadImage(str(tmp_path / "dose.dcm"))
        pixels = sitk.GetArrayFromImage(image)
        assert (pixels > pixels.max() / 2).sum() == 1
        index = np.argwhere(pixels == pixels.max())[0][::-1]
        found = image.TransformIndexToPhysicalPoint([int(i) for i in index])
        np.testing.assert_allclose(found, place, atol=1e-6)
        assert pixels.max() * float(dataset.DoseGridScaling) == pytest.approx(250.0, rel=1e-9)
        tried += 1
    assert tried == 96


@pytest.mark.parametrize("direction", [np.eye(3), -np.eye(3), rotation((3, 1, 2), 40.0) * [1.0, 1.0, -1.0]])
def test_reading_again_keeps_every_voxel_within_half_a_quantum(tmp_path, direction):
    dose = dose_on(direction)
    dataset = write(dose, tmp_path / "dose.dcm")
    again = read_rtdose(tmp_path / "dose.dcm")
    index = np.rint(again.grid.to_index(positions(dose.grid))).astype(int)
    np.testing.assert_allclose(again.grid.to_lps(index), positions(dose.grid), atol=1e-9)
    difference = np.abs(again.array[tuple(np.moveaxis(index, -1, 0))] - dose.array).max()
    scaling = float(dataset.DoseGridScaling)
    # A double holds the 32-bit product to 1e-16 of the maximum, a millionth of the quantum.
    assert difference <= scaling / 2 * (1 + 1e-5)
    assert scaling < 1e-9 * dose.array.max()
    assert difference > scaling / 10  # the bound is not idle


def test_the_largest_dose_fits_into_32_bits_for_any_size(tmp_path):
    for largest in (1e-6, 0.3, 1.0, 299.99999, 4294.967295, 5e4, 1e6):
        array = np.zeros(SHAPE)
        array[1, 2, 3] = largest
        dataset = write(Volume(array, Grid(SHAPE, SPACING), Unit.GY), tmp_path / "dose.dcm")
        pixels = np.frombuffer(dataset.PixelData, "<u4")
        assert 0.999999 * (2**32 - 1) <= pixels.max() <= 2**32 - 1
        assert np.count_nonzero(pixels) == 1
        assert len(dataset.DoseGridScaling.original_string) <= 16
        assert pixels.max() * float(dataset.DoseGridScaling) == pytest.approx(largest, rel=2e-10)


def test_rows_columns_and_frames_have_their_own_spacings(tmp_path, dose):
    dataset = write(dose, tmp_path / "dose.dcm")
    assert (dataset.NumberOfFrames, dataset.Rows, dataset.Columns) == SHAPE
    assert dataset.PixelSpacing == [2.0, 1.5]  # between rows (y), then between columns (x)
    assert dataset.GridFrameOffsetVector == [0.0, 3.0, 6.0, 9.0]
    assert dataset.ImageOrientationPatient == [1, 0, 0, 0, 1, 0]
    assert dataset.ImagePositionPatient == [10.0, -20.0, 30.0]
    assert dataset.FrameIncrementPointer == 0x3004000C
    assert (dataset.DoseUnits, dataset.DoseType, dataset.DoseSummationType) == ("GY", "PHYSICAL", "PLAN")


def test_the_dose_belongs_to_patient_study_and_frame_of_its_images(tmp_path, dose, images):
    dataset = write(dose, tmp_path / "dose.dcm", reference=images, created=WHEN, comment="Y-90 glass, 2 sites")
    slice_1 = pydicom.dcmread(tmp_path / "ct" / "2.25.3-1.dcm")
    for keyword in ("PatientID", "StudyInstanceUID", "FrameOfReferenceUID"):
        assert dataset[keyword].value == slice_1[keyword].value
    assert str(dataset.PatientName) == "Müller^Jörg"
    assert dataset.SeriesInstanceUID != slice_1.SeriesInstanceUID
    (series,) = dataset.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == "2.25.3"
    referred = [item.ReferencedSOPInstanceUID for item in series.ReferencedInstanceSequence]
    assert referred == [f"2.25.3.{n}" for n in range(1, 6)]
    assert {item.ReferencedSOPClassUID for item in series.ReferencedInstanceSequence} == {"1.2.840.10008.5.1.4.1.1.2"}
    assert (dataset.InstanceCreationDate, dataset.InstanceCreationTime) == ("20260131", "123005")
    assert dataset.SeriesDescription == "plan A (research use only)"
    assert dataset.DoseComment == "Research use only; not a medical device."
    assert str(dataset.ImageComments).endswith("Y-90 glass, 2 sites") and "Research use only" in dataset.ImageComments


@pytest.mark.filterwarnings("ignore:Invalid value")
@pytest.mark.filterwarnings("ignore:The value length")
def test_identity_that_bends_the_standard_is_kept_to_the_letter(tmp_path, dose):
    bent = {"PatientID": "7" * 70, "StudyInstanceUID": "1.02.3", "StudyDate": "2026.01.31", "PatientSex": "male"}
    folder = tmp_path / "bent"
    with pydicom.config.disable_value_validation():
        write_slices(folder, [30.0], series="1.03.4", ImagePositionPatient=[10, -20, 30], **bent)
    dataset = write(dose, tmp_path / "dose.dcm", reference=read_planning_images(folder))
    assert {keyword: str(dataset[keyword].value) for keyword in bent} == bent
    assert dataset.ReferencedImageSequence[0].ReferencedSOPInstanceUID == "1.03.4.1"


def test_the_same_plan_gives_the_same_file_and_another_its_own_series_in_the_same_study(tmp_path, dose, images):
    first = write(dose, tmp_path / "a.dcm", reference=images)
    write(dose, tmp_path / "again.dcm", reference=images)
    assert (tmp_path / "a.dcm").read_bytes() == (tmp_path / "again.dcm").read_bytes()
    others = [
        write(dose_on(np.eye(3), seed=2), tmp_path / "b.dcm", reference=images),
        write(dose, tmp_path / "c.dcm", reference=images, plan_label="plan B"),
        write(dose, tmp_path / "d.dcm", reference=images, created=WHEN),
    ]
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID"):
        assert len({dataset[keyword].value for dataset in (first, *others)}) == 4
    assert {dataset.StudyInstanceUID for dataset in (first, *others)} == {"2.25.2"}
    assert "InstanceCreationDate" not in first


def test_without_a_plan_object_the_reference_is_unique_and_with_one_it_names_it(tmp_path, dose):
    def plan(dataset):
        (item,) = dataset.ReferencedRTPlanSequence
        assert item.ReferencedSOPClassUID == "1.2.840.10008.5.1.4.1.1.481.5"
        return item.ReferencedSOPInstanceUID

    first, second = write(dose, tmp_path / "a.dcm"), write(dose, tmp_path / "b.dcm", plan_label="plan B")
    assert len({plan(first), plan(second), first.SOPInstanceUID, second.SOPInstanceUID}) == 4
    for wrong in ("", "1..2", "1.02", "one", "1." * 32 + "1"):
        with pytest.raises(InputError, match="RT Plan UID"):
            write(dose, tmp_path / "c.dcm", rt_plan_uid=wrong)
    named = write(dose, tmp_path / "c.dcm", rt_plan_uid="2.25.34")
    assert plan(named) == "2.25.34"
    assert named.SOPInstanceUID != first.SOPInstanceUID


def test_every_attribute_the_standard_demands_is_there(tmp_path, dose, images):
    dataset = write(dose, tmp_path / "dose.dcm", reference=images)
    missing = [(s, k) for s, keywords in TYPE_1.items() for k in keywords if dataset.get(k) in (None, "", [])]
    missing += [(s, k) for s, keywords in TYPE_2.items() for k in keywords if k not in dataset]
    assert not missing
    assert (dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit) == (32, 32, 31)  # C.8.8.3.4.3 to .5
    assert dataset.PixelRepresentation == 0  # C.8.8.3.4.6: unsigned unless an error of dose
    for element in dataset.iterall():
        if element.VR in ("LO", "SH", "DS", "CS"):
            longest = {"LO": 64, "SH": 16, "DS": 16, "CS": 16}[element.VR]
            values = element.value if element.VM > 1 else [element.value]
            assert all(len(str(getattr(v, "original_string", v) or "")) <= longest for v in values), element


def test_validator_accepts_the_dose_and_would_not_accept_less(tmp_path, dose, images):
    dataset = write(dose, tmp_path / "dose.dcm", reference=images, created=WHEN)
    assert validator_errors(dataset, tmp_path) == []
    assert validator_errors(write(dose_on(-np.eye(3)), tmp_path / "alone.dcm"), tmp_path) == []
    for keyword in ("ReferencedRTPlanSequence", "DoseUnits", "FrameOfReferenceUID", "SeriesInstanceUID"):
        less = pydicom.dcmread(tmp_path / "dose.dcm")
        delattr(less, keyword)
        assert any(keyword in line for line in validator_errors(less, tmp_path)), keyword


def test_what_is_no_dose_of_a_plan_is_refused_and_nothing_written(tmp_path, dose, images):
    def refused(volume, message, error=ImageError, **options):
        with pytest.raises(error, match=message):
            write(volume, tmp_path / "dose.dcm", **options)
        assert not (tmp_path / "dose.dcm").exists()

    def with_value(value):
        array = dose.array.copy()
        array[1, 2, 3] = value
        return Volume(array, dose.grid, Unit.GY)

    refused(Volume(dose.array, dose.grid, Unit.GY_PER_GBQ), "Gy/GBq")
    refused(with_value(-1.0), r"-1 Gy at index \(z, y, x\) = \(1, 2, 3\)")
    refused(Volume(np.zeros(SHAPE), dose.grid, Unit.GY), "zero everywhere")
    refused(Volume(-np.ones(SHAPE), dose.grid, Unit.GY), "negative")
    refused(with_value(2e6), "2e\\+06 Gy, outside")
    refused(Volume(dose.array * 1e-12, dose.grid, Unit.GY), "outside")
    with pytest.raises(ImageError, match=r"1 NaN or infinite voxels.*\(1, 2, 3\)"):
        with_value(np.nan)
    away = Grid(SHAPE, SPACING, (500.0, 0.0, 0.0))
    refused(Volume(dose.array, away, Unit.GY), "no space", NoOverlap, reference=images)
    for label in ("", " ", "x" * 45, "a\\b", "a\nb"):
        refused(dose, "label", InputError, plan_label=label)
    refused(dose, "comment has 10001", InputError, comment="x" * 10001)
    assert len(write(dose, tmp_path / "longest.dcm", plan_label="x" * 44).SeriesDescription) == 64


def test_rounding_below_zero_of_a_fourier_transform_becomes_zero(tmp_path, dose):
    array = dose.array.copy()
    array[0, 0, 0] = -1e-5  # 3e-8 of the maximum
    write(Volume(array, dose.grid, Unit.GY), tmp_path / "dose.dcm")
    assert read_rtdose(tmp_path / "dose.dcm").array.min() == 0.0


def test_a_failed_write_leaves_the_old_file(tmp_path, dose, monkeypatch):
    write(dose, tmp_path / "dose.dcm")
    before = (tmp_path / "dose.dcm").read_bytes()
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write(dose, tmp_path / "dose.dcm", plan_label="plan B")
    assert (tmp_path / "dose.dcm").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["dose.dcm"]


@pytest.mark.parametrize(
    ("orientation", "offsets", "z_of_frames"),
    [
        ([1, 0, 0, 0, 1, 0], [0, 3, 6, 9], [30, 33, 36, 39]),  # relative
        ([1, 0, 0, 0, 1, 0], [30, 33, 36, 39], [30, 33, 36, 39]),  # absolute
        ([-1, 0, 0, 0, 1, 0], [0, 3, 6, 9], [30, 27, 24, 21]),  # relative along rows x columns = -z
        ([-1, 0, 0, 0, 1, 0], [30, 33, 36, 39], [30, 33, 36, 39]),  # absolute, against the normal
        ([1, 0, 0, 0, 1, 0], [0, -3, -6, -9], [30, 27, 24, 21]),
    ],
)
def test_offsets_are_read_relative_or_absolute_in_either_sense(tmp_path, dose, orientation, offsets, z_of_frames):
    dataset = write(dose, tmp_path / "dose.dcm")
    dataset.ImageOrientationPatient, dataset.GridFrameOffsetVector = orientation, offsets
    dataset.save_as(tmp_path / "dose.dcm")
    again = read_rtdose(tmp_path / "dose.dcm")
    for frame, z in enumerate(z_of_frames):
        for column in (0, 5):
            place = [10.0 + orientation[0] * 1.5 * column, -20.0 + 2.0 * 2, z]
            index = again.grid.to_index(np.array(place))
            np.testing.assert_allclose(index, np.rint(index), atol=1e-9)
            value = again.array[tuple(np.rint(index).astype(int))]
            assert value == pytest.approx(dose.array[frame, 2, column], rel=1e-6)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"GridFrameOffsetVector": [0, 3, 7, 9]}, "not evenly stacked"),
        ({"GridFrameOffsetVector": [5, 8, 11, 14]}, "begin with 5 mm"),
        ({"GridFrameOffsetVector": [0, 3]}, "GridFrameOffsetVector.*not 4 numbers"),
        ({"DoseUnits": "RELATIVE"}, "DoseUnits RELATIVE"),
        ({"DoseType": "ERROR"}, "DoseType ERROR"),
        ({"DoseGridScaling": None}, "DoseGridScaling"),
        ({"Rows": 6}, "pixels"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2", "Modality": "CT"}, "is CT, not"),
    ],
)
def test_files_that_hold_no_dose_grid_say_why(tmp_path, dose, changed, message):
    dataset = write(dose, tmp_path / "dose.dcm")
    for keyword, value in changed.items():
        setattr(dataset, keyword, value)
    dataset.save_as(tmp_path / "dose.dcm")
    with pytest.raises(DicomError, match=message):
        read_rtdose(tmp_path / "dose.dcm")


def test_missing_and_foreign_files_are_named(tmp_path):
    with pytest.raises(FileMissing, match=r"dose\.dcm"):
        read_rtdose(tmp_path / "dose.dcm")
    (tmp_path / "dose.dcm").write_text("no DICOM", encoding="utf-8")
    with pytest.raises(DicomError, match=r"dose\.dcm"):
        read_rtdose(tmp_path / "dose.dcm")


def test_16_bit_doses_of_others_and_single_frames_are_read(tmp_path, dose):
    dataset = write(Volume(dose.array[:1], Grid((1, 5, 6), SPACING, ORIGIN), Unit.GY), tmp_path / "dose.dcm")
    pixels = np.arange(30, dtype="<u2") * 2000
    dataset.PixelData, dataset.DoseGridScaling = pixels.tobytes(), "0.001"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    del dataset.GridFrameOffsetVector, dataset.NumberOfFrames, dataset.FrameIncrementPointer
    dataset.save_as(tmp_path / "dose.dcm")
    again = read_rtdose(tmp_path / "dose.dcm")
    assert again.grid == Grid((1, 5, 6), SPACING, ORIGIN)
    np.testing.assert_allclose(again.array.ravel(), np.arange(30) * 2.0)


def test_dose_and_images_written_from_one_grid_meet_in_other_programs(tmp_path, dose):
    hu = Volume(np.round(dose.array), dose.grid, Unit.HU)
    images = write_planning_images(hu, tmp_path / "ct", patient_name="Test^Pat", patient_id="P1")
    dataset = write(dose, tmp_path / "dose.dcm", reference=images)
    assert dataset.StudyInstanceUID == images.identity["StudyInstanceUID"]
    names = sitk.ImageSeriesReader().GetGDCMSeriesFileNames(str(tmp_path / "ct"), images.series_uid)
    ct, image = sitk.ReadImage(names), sitk.ReadImage(str(tmp_path / "dose.dcm"))
    for of_one, of_other in (
        (ct.GetSize(), image.GetSize()),
        (ct.GetOrigin(), image.GetOrigin()),
        (ct.GetSpacing(), image.GetSpacing()),
        (ct.GetDirection(), image.GetDirection()),
    ):
        assert of_one == pytest.approx(of_other)


@pytest.mark.real_data
def test_a_treatment_planning_system_is_read_as_gdcm_reads_it_and_written_again(tmp_path):
    if not SAMPLE.is_file():
        pytest.skip(f"{SAMPLE.name} is not beside the repository")
    ours, header = read_rtdose(SAMPLE), pydicom.dcmread(SAMPLE)
    image = sitk.ReadImage(str(SAMPLE))
    scaling = float(header.DoseGridScaling)
    assert ours.array.max() == pytest.approx(1.6176, abs=1e-4)
    # Rows x columns is -z there and the frames go that way: GDCM and we agree voxel by voxel.
    assert ours.grid.direction == pytest.approx(image.GetDirection())
    assert ours.grid.origin_mm == pytest.approx(image.GetOrigin())
    np.testing.assert_allclose(ours.array, sitk.GetArrayFromImage(image) * scaling, rtol=1e-12)

    write(ours, tmp_path / "dose.dcm")
    again = read_rtdose(tmp_path / "dose.dcm")
    assert again.grid.direction == pytest.approx(tuple(np.eye(3).ravel()))  # now an axial stack toward the head
    np.testing.assert_allclose(again.array, ours.array[::-1, :, ::-1], atol=1.2e-10 * 1.6176 * (1 + 1e-5))
    lowest = np.array(header.ImagePositionPatient, dtype=float) - [100 * 2.0, 0.0, 80 * 2.5]
    np.testing.assert_allclose(again.grid.origin_mm, lowest, atol=1e-9)
