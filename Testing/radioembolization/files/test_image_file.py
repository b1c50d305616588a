"""Images keep values and geometry through files; a failed write leaves nothing."""

import numpy as np
import pytest
import SimpleITK as sitk

from radioembolization.errors import FileMissing, ImageError
from radioembolization.files import read_volume, sha256_of, write_volume
from radioembolization.files.image_file import write_image
from radioembolization.images import Grid, Unit, Volume

FLIPPED_OBLIQUE = (0.8, 0.6, 0.0, -0.6, 0.8, 0.0, 0.0, 0.0, -1.0)


@pytest.fixture
def volume():
    grid = Grid((4, 5, 6), (3.0, 2.0, 1.5), (10.0, -20.0, 30.0), FLIPPED_OBLIQUE)
    return Volume(np.arange(120, dtype=np.float32).reshape(4, 5, 6), grid, Unit.HU)


@pytest.mark.parametrize("ending", ["nrrd", "nii.gz", "nii", "mha"])
def test_round_trip_keeps_values_and_geometry(volume, tmp_path, ending):
    path = tmp_path / f"image.{ending}"
    write_volume(volume, path)
    again = read_volume(path, Unit.HU)
    np.testing.assert_array_equal(again.array, volume.array)
    assert again.grid.shape == volume.grid.shape
    corner = np.array([[0, 0, 0], [3, 4, 5]])
    # NIfTI stores the direction as a float32 quaternion.
    np.testing.assert_allclose(again.grid.to_lps(corner), volume.grid.to_lps(corner), atol=1e-4)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileMissing, match=r"scout\.nrrd"):
        read_volume(tmp_path / "scout.nrrd", Unit.COUNTS)


def test_text_is_no_image(tmp_path):
    path = tmp_path / "scout.nrrd"
    path.write_text("not an image")
    with pytest.raises(FileMissing, match="no image"):
        read_volume(path, Unit.COUNTS)


def test_nan_is_refused_with_file_and_place(volume, tmp_path):
    array = volume.array.copy()
    array[1, 2, 3] = np.nan
    path = tmp_path / "scout.nrrd"
    sitk.WriteImage(sitk.GetImageFromArray(array), str(path))
    with pytest.raises(ImageError, match=r"scout\.nrrd.*\(1, 2, 3\)"):
        read_volume(path, Unit.COUNTS)


def test_two_dimensional_image_is_refused(tmp_path):
    path = tmp_path / "slice.nrrd"
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((4, 5), np.float32)), str(path))
    with pytest.raises(ImageError, match="2 dimensions"):
        read_volume(path, Unit.COUNTS)


def test_a_failed_write_leaves_the_old_file_and_no_other(volume, tmp_path, monkeypatch):
    path = tmp_path / "dose.nrrd"
    write_volume(volume, path)
    before = sha256_of(path)

    def broken(*_arguments, **_options):
        raise RuntimeError("disk full")

    monkeypatch.setattr(sitk, "WriteImage", broken)
    with pytest.raises(RuntimeError, match="disk full"):
        write_image(sitk.GetImageFromArray(volume.array), path)
    assert [p.name for p in tmp_path.iterdir()] == ["dose.nrrd"]
    assert sha256_of(path) == before
