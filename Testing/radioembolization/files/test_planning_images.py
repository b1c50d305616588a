"""One series is read for what a dose needs of it; anything mixed or incomplete is refused and named."""

import zipfile

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.sequence import Sequence

from dicom_checks import validator_errors, write_slices
from radioembolization.errors import DicomError, FileMissing, ImageError, InputError, NegativeCountsSetToZero, NoOverlap
from radioembolization.files import read_planning_images, read_volume, write_planning_images, write_rtdose
from radioembolization.images import Grid, Unit, Volume
from support import SHARED, as_direction, rotation

CT = SHARED / "data" / "liver_ce_ct"
PATIENT = {"patient_name": "Test^Pat", "patient_id": "P 1"}
OBLIQUE = as_direction(rotation((1, 2, 3), 20.0) * [-1.0, 1.0, 1.0])


def grid(direction=OBLIQUE):
    return Grid((6, 7, 8), (3.0, 2.0, 1.5), (10.0, -20.0, 30.0), direction)


@pytest.fixture
def ct():
    values = np.random.default_rng(2).integers(-1024, 3000, (6, 7, 8)).astype(np.float32)
    return Volume(values, grid(), Unit.HU)


@pytest.fixture
def scout():
    return Volume(np.random.default_rng(3).random((6, 7, 8)) * 40.0, grid(), Unit.COUNTS)


def values_at(image, lps):
    return [image.GetPixel(image.TransformPhysicalPointToIndex([float(x) for x in point])) for point in lps]


def test_slices_are_sorted_by_place_whatever_their_names(tmp_path):
    write_slices(tmp_path / "ct", [20.0, 10.0, 15.0])
    images = read_planning_images(tmp_path / "ct")
    assert images.instance_uids == ("2.25.3.2", "2.25.3.3", "2.25.3.1")
    assert images.grid == Grid((3, 3, 4), (5.0, 2.0, 1.5), (-5.0, 7.0, 10.0))
    assert images.identity["PatientName"] == "Doe^Jane"
    assert images.identity["ReferringPhysicianName"] == "Roe^Richard"
    assert (images.modality, images.series_uid) == ("CT", "2.25.3")


def test_other_files_in_the_folder_are_passed_over_but_not_named_ones(tmp_path):
    slices = write_slices(tmp_path / "ct", [0.0, 5.0])
    write_slices(tmp_path / "ct", [0.0], series="2.25.4", Modality="RTDOSE")
    (tmp_path / "ct" / "notes.txt").write_text("no image", encoding="utf-8")
    assert len(read_planning_images(tmp_path / "ct").instance_uids) == 2
    assert read_planning_images(slices).series_uid == "2.25.3"
    with pytest.raises(DicomError, match=r"notes\.txt"):
        read_planning_images([*slices, tmp_path / "ct" / "notes.txt"])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"series": "2.25.4", "SeriesDescription": "arterial"}, r"2 series: CT 'venous' \(2 files\), CT 'arterial'"),
        ({"PatientID": "78"}, r"differ in PatientID: '77' in 2\.25\.3-1\.dcm, '78' in other\.dcm"),
        ({"FrameOfReferenceUID": "2.25.8"}, "differ in FrameOfReferenceUID"),
        ({"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}, "not parallel"),
        ({"ImagePositionPatient": [-5, 7, 20]}, "not evenly stacked"),
        ({"ImagePositionPatient": [-5, 7, 5]}, "not evenly stacked"),
        ({"ImagePositionPatient": [-4, 7, 10]}, "gantry"),
        ({"SOPInstanceUID": "2.25.3.1"}, "1 files twice"),
    ],
)
def test_a_third_slice_that_does_not_belong_is_refused_by_name(tmp_path, changed, message):
    write_slices(tmp_path / "ct", [0.0, 5.0])
    fields = {"SOPInstanceUID": "2.25.3.3", "ImagePositionPatient": [-5, 7, 10], **changed}
    (third,) = write_slices(tmp_path, [10.0], **fields)
    third.rename(tmp_path / "ct" / "other.dcm")
    with pytest.raises(DicomError, match=message):
        read_planning_images(tmp_path / "ct")


def test_missing_attributes_are_named(tmp_path):
    write_slices(tmp_path / "a", [0.0, 5.0], FrameOfReferenceUID="")
    with pytest.raises(DicomError, match="no FrameOfReferenceUID"):
        read_planning_images(tmp_path / "a")
    write_slices(tmp_path / "b", [0.0, 5.0], ImagePositionPatient=None)
    with pytest.raises(DicomError, match=r"2\.25\.3-1\.dcm.*ImagePositionPatient"):
        read_planning_images(tmp_path / "b")
    (tmp_path / "empty").mkdir()
    for missing in ("empty", "nowhere"):
        with pytest.raises(FileMissing, match=missing):
            read_planning_images(tmp_path / missing)


def test_a_removed_identity_is_taken_over_with_its_method_or_not_at_all(tmp_path):
    write_slices(tmp_path / "a", [0.0, 5.0], PatientIdentityRemoved="YES", DeidentificationMethod=["one", "two"])
    identity = read_planning_images(tmp_path / "a").identity
    assert (identity["PatientIdentityRemoved"], identity["DeidentificationMethod"]) == ("YES", "one\\two")
    write_slices(tmp_path / "b", [0.0, 5.0], PatientIdentityRemoved="YES")
    assert "PatientIdentityRemoved" not in read_planning_images(tmp_path / "b").identity


def test_enhanced_frames_have_their_places_in_functional_groups(tmp_path):
    (path,) = write_slices(tmp_path, [0.0])
    dataset = pydicom.dcmread(path)
    item = pydicom.Dataset
    plane, measures, shared = item(), item(), item()
    plane.ImageOrientationPatient, measures.PixelSpacing = [1, 0, 0, 0, 1, 0], [2, 1.5]
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = Sequence([plane]), Sequence([measures])
    frames = []
    for z in (8.0, 4.0, 0.0):
        place, frame = item(), item()
        place.ImagePositionPatient = [1, 2, z]
        frame.PlanePositionSequence = Sequence([place])
        frames.append(frame)
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    dataset.PerFrameFunctionalGroupsSequence = Sequence(frames)
    dataset.NumberOfFrames = 3
    dataset.save_as(path)
    images = read_planning_images(path)
    assert images.grid == Grid((3, 3, 4), (4.0, 2.0, 1.5), (1.0, 2.0, 0.0))
    assert images.instance_uids == ("2.25.3.1",)


def test_a_tomogram_stacked_the_other_way_has_a_negative_spacing(tmp_path, scout):
    write_planning_images(scout, tmp_path / "nm", **PATIENT)
    (path,) = (tmp_path / "nm").iterdir()
    dataset = pydicom.dcmread(path)
    dataset.SpacingBetweenSlices = -3.0
    dataset.save_as(path)
    down = read_planning_images(path).grid
    normal = np.array(down.direction_matrix[:, 2])
    first = np.array(dataset.DetectorInformationSequence[0].ImagePositionPatient, dtype=float)
    np.testing.assert_allclose(down.to_lps(np.zeros(3)), first - 5 * 3.0 * normal, atol=1e-9)


def test_written_ct_is_read_by_gdcm_at_the_same_places(tmp_path, ct):
    images = write_planning_images(ct, tmp_path / "ct", **PATIENT)
    reader = sitk.ImageSeriesReader()
    names = reader.GetGDCMSeriesFileNames(str(tmp_path / "ct"), images.series_uid)
    image = sitk.ReadImage(names)
    where = np.argwhere(ct.array > -2000)[::17]
    assert values_at(image, ct.grid.to_lps(where)) == list(ct.array[tuple(where.T)])
    again = read_planning_images(tmp_path / "ct")
    assert again.identity == images.identity
    assert again.instance_uids == images.instance_uids
    np.testing.assert_allclose(again.grid.to_lps(np.array([5, 6, 7])), images.grid.to_lps(np.array([5, 6, 7])))


def test_written_scout_is_read_by_gdcm_at_the_same_places_in_proportion(tmp_path, scout):
    images = write_planning_images(scout, tmp_path / "nm", **PATIENT)
    (path,) = (tmp_path / "nm").iterdir()
    image = sitk.ReadImage(str(path))
    where = np.argwhere(scout.array > 0)[::17]
    shares = np.array(values_at(image, scout.grid.to_lps(where))) / 65535.0
    # Half a step of 16 bits.
    np.testing.assert_allclose(shares, scout.array[tuple(where.T)] / scout.array.max(), atol=0.51 / 65535.0)
    again = read_planning_images(tmp_path / "nm")
    assert (again.identity, again.modality) == (images.identity, "NM")
    assert again.grid.spacing_mm == pytest.approx(images.grid.spacing_mm)


def test_whole_counts_are_kept_as_they_are(tmp_path):
    whole = Volume(np.arange(6 * 7 * 8, dtype=np.float32).reshape(6, 7, 8), grid(OBLIQUE), Unit.COUNTS)
    write_planning_images(whole, tmp_path / "nm", **PATIENT)
    (path,) = (tmp_path / "nm").iterdir()
    assert sorted(pydicom.dcmread(path).pixel_array.ravel()) == list(range(6 * 7 * 8))


def test_ripple_below_zero_is_no_counts_as_in_a_plan(tmp_path):
    values = np.arange(6 * 7 * 8, dtype=np.float32).reshape(6, 7, 8)
    values[0, 0, 1:4] = -2.0  # 0.6 % of the maximum
    with pytest.warns(NegativeCountsSetToZero, match="3 scout voxels"):
        write_planning_images(Volume(values, grid(OBLIQUE), Unit.COUNTS), tmp_path / "nm", **PATIENT)
    (path,) = (tmp_path / "nm").iterdir()
    stored = sorted(pydicom.dcmread(path).pixel_array.ravel())
    assert stored == sorted(np.maximum(values, 0).ravel())


def test_validator_accepts_what_is_written(tmp_path, ct, scout):
    for volume, name in ((ct, "ct"), (scout, "nm")):
        write_planning_images(volume, tmp_path / name, **PATIENT)
        first = sorted((tmp_path / name).iterdir())[0]
        assert validator_errors(pydicom.dcmread(first), tmp_path) == []


def test_the_same_images_give_the_same_files_and_others_another_study(tmp_path, ct):
    first = write_planning_images(ct, tmp_path / "a", **PATIENT)
    second = write_planning_images(ct, tmp_path / "b", **PATIENT)
    assert first.identity == second.identity
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert len(names) == 6
    assert all((tmp_path / "a" / n).read_bytes() == (tmp_path / "b" / n).read_bytes() for n in names)
    other = write_planning_images(ct, tmp_path / "c", patient_name="Test^Pat", patient_id="P 2")
    assert other.identity["StudyInstanceUID"] != first.identity["StudyInstanceUID"]
    assert not set(other.instance_uids) & set(first.instance_uids)
    write_planning_images(ct, tmp_path / "a", **PATIENT)  # again into its own folder
    with pytest.raises(InputError, match="already holds other files"):
        write_planning_images(
            Volume(ct.array[:3], Grid((3, 7, 8), (3.0, 2.0, 1.5)), Unit.HU), tmp_path / "a", **PATIENT
        )


def test_what_cannot_be_planning_images_is_refused(tmp_path, ct, scout):
    with pytest.raises(ImageError, match="Gy"):
        write_planning_images(Volume(ct.array, ct.grid, Unit.GY), tmp_path / "x", **PATIENT)
    with pytest.raises(ImageError, match="40000"):
        write_planning_images(Volume(ct.array * 0 + 40000, ct.grid, Unit.HU), tmp_path / "x", **PATIENT)
    for values in (scout.array - 1.0, scout.array * 0.0):
        with pytest.raises(ImageError, match="counts"):
            write_planning_images(Volume(values, scout.grid, Unit.COUNTS), tmp_path / "x", **PATIENT)
    for name, identifier in (("A\\B", "1"), ("x" * 65, "1"), ("A", "")):
        with pytest.raises(InputError, match="patient"):
            write_planning_images(ct, tmp_path / "x", patient_name=name, patient_id=identifier)
    assert not (tmp_path / "x").exists()


def test_overlap_is_judged_by_voxels_not_centres(tmp_path):
    write_slices(tmp_path / "ct", [0.0, 5.0])
    images = read_planning_images(tmp_path / "ct")  # x from -5.75 to 0.25
    images.check_overlap(Grid((1, 1, 1), (1.0, 1.0, 1.0), (0.7, 7.0, 0.0)))
    with pytest.raises(NoOverlap, match="no space"):
        images.check_overlap(Grid((1, 1, 1), (1.0, 1.0, 1.0), (0.8, 7.0, 0.0)))


@pytest.mark.real_data
def test_slices_of_a_scanner_lie_where_their_nifti_copy_does(tmp_path):
    if not (CT / "dicom.zip").is_file():
        pytest.skip("the contrast CT is not beside the repository")
    with zipfile.ZipFile(CT / "dicom.zip") as archive:
        archive.extractall(tmp_path)
    (folder,) = {path.parent for path in tmp_path.rglob("*.dcm")}
    images, copy = read_planning_images(folder), read_volume(CT / "ct.nii.gz", Unit.HU)
    files = {str(dataset.SOPInstanceUID): dataset for dataset in map(pydicom.dcmread, folder.iterdir())}
    assert len(images.instance_uids) == images.grid.shape[0] == len(files) == 75
    # The copy is a crop; rows of the slices run from back to front.
    where = np.random.default_rng(4).integers(0, copy.grid.shape, (200, 3))
    index = images.grid.to_index(copy.grid.to_lps(where))
    np.testing.assert_allclose(index, np.rint(index), atol=0.01)
    for (z, row, column), value in zip(np.rint(index).astype(int), copy.array[tuple(where.T)], strict=True):
        dataset = files[images.instance_uids[z]]
        hu = dataset.pixel_array[row, column] * dataset.RescaleSlope + dataset.RescaleIntercept
        assert np.clip(hu, -1024, 1500) == value
    shape = (5, 6, 7)
    dose = Volume(np.ones(shape), Grid(shape, (3.0, 2.0, 2.0), (0.0, 0.0, -100.0)), Unit.GY)
    write_rtdose(dose, tmp_path / "dose.dcm", reference=images, plan_label="plan A")
    dataset, first = pydicom.dcmread(tmp_path / "dose.dcm"), pydicom.dcmread(next(folder.iterdir()))
    assert dataset.FrameOfReferenceUID == first.FrameOfReferenceUID
    assert validator_errors(dataset, tmp_path) == []
