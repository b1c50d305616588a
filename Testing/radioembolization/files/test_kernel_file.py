"""Kernel files as other programs read them: table, plain text, image."""

import csv
import json

import numpy as np
import pytest
import SimpleITK as sitk

from radioembolization.errors import InputError
from radioembolization.files.kernel_file import KERNEL_FORMATS, kernel_writer, write_kernel
from radioembolization.physics import SOFT_TISSUE, Y90, voxel_s_values

PROVENANCE = {"nuclide": "Y-90", "density_g_per_cm3": 1.04, "spacing_mm": [5.0, 4.0, 3.0]}


@pytest.fixture(scope="module")
def values():
    return voxel_s_values(Y90, (3.0, 4.0, 5.0), 1.04)  # every axis its own side


@pytest.fixture(scope="module")
def cubic():
    return voxel_s_values(Y90, (3.0,) * 3, 1.04, tissue=SOFT_TISSUE)


def test_table_names_offsets_along_x_y_z(values, tmp_path):
    files = write_kernel(values, tmp_path / "k.csv", PROVENANCE)
    lines = (tmp_path / "k.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "i,j,k,S_mGy_per_MBq_s"
    rows = {(int(r["i"]), int(r["j"]), int(r["k"])): float(r["S_mGy_per_MBq_s"]) for r in csv.DictReader(lines)}
    s, (c, b, a) = values.s_mgy_per_mbq_s, values.kernel.half_width
    assert len(rows) == s.size == len(lines) - 1
    for i, j, k in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (-1, 2, -3), (a, -b, c)):
        # Ten digits are written.
        assert rows[i, j, k] == pytest.approx(s[c + k, b + j, a + i], rel=1e-9)
    assert rows[1, 0, 0] < rows[0, 1, 0] < rows[0, 0, 1]  # 5, 4 and 3 mm away
    assert sum(rows.values()) == pytest.approx(s.sum(), rel=1e-9)
    assert json.loads(files["provenance"].read_text(encoding="utf-8")) == PROVENANCE
    assert files["provenance"].name == "k.csv.json"


def test_text_is_the_octant_of_the_database(cubic, tmp_path):
    write_kernel(cubic, tmp_path / "k.txt", PROVENANCE)
    lines = (tmp_path / "k.txt").read_text(encoding="ascii").splitlines()
    nuclide, side, tissue = lines[0].split(" - ")
    assert (nuclide, side, tissue) == ("Y90", "3mm", "Soft tissue")
    assert lines[1].split("\t") == ["i", "j", "k", "S [mGy/(MBq s)]"]
    rows = [line.split("\t") for line in lines[2:]]
    assert [row[:3] for row in rows[:7]] == [["0", "0", str(k)] for k in range(6)] + [["0", "1", "0"]]
    assert len(rows) == 6**3
    half = cubic.kernel.half_width
    for i, j, k, s in rows:
        expected = cubic.s_mgy_per_mbq_s[half[0] + int(k), half[1] + int(j), half[2] + int(i)]
        assert float(s) == pytest.approx(expected, rel=1e-9)


def test_text_of_voxels_that_are_not_cubic_is_refused(values, tmp_path):
    with pytest.raises(InputError, match=r"cubic voxels.*5 x 4 x 3 mm.*\.csv"):
        write_kernel(values, tmp_path / "k.txt", PROVENANCE)
    assert not list(tmp_path.iterdir())


def test_image_has_the_source_voxel_at_the_origin(values, tmp_path):
    assert write_kernel(values, tmp_path / "k.NRRD", PROVENANCE) == {"kernel": tmp_path / "k.NRRD"}
    image = sitk.ReadImage(str(tmp_path / "k.NRRD"))
    assert image.GetSpacing() == (5.0, 4.0, 3.0)
    centre = image.TransformPhysicalPointToIndex((0.0, 0.0, 0.0))
    assert centre == values.kernel.half_width[::-1]
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), values.s_mgy_per_mbq_s)  # doubles, nothing lost
    assert image[centre] == values.self_mgy_per_mbq_s
    assert image.GetMetaData("unit") == "mGy/(MBq s)"
    assert image.GetMetaData("nuclide") == "Y-90"
    assert json.loads(image.GetMetaData("spacing_mm")) == [5.0, 4.0, 3.0]


@pytest.mark.parametrize("name", ["kernel", "kernel.xlsx", "kernel.csv.gz", "csv"])
def test_unknown_extension_names_those_there_are(name, tmp_path):
    with pytest.raises(InputError, match=r"no extension of a kernel file") as refused:
        kernel_writer(tmp_path / name)
    assert all(extension in str(refused.value) for extension in KERNEL_FORMATS)


@pytest.mark.parametrize("name", ["k.csv", "k.nrrd"])
def test_a_file_appears_complete_or_not_at_all(values, tmp_path, monkeypatch, name):
    (tmp_path / name).write_text("old")

    def broken(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", broken)
    with pytest.raises(OSError, match="disk full"):
        write_kernel(values, tmp_path / name, PROVENANCE)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "old"
