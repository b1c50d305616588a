"""Dose maps on disk: formats, what stands beside them, nothing half-written."""

import json

import numpy as np
import pytest

from radioembolization.errors import InputError
from radioembolization.files import read_volume
from radioembolization.files.dose_file import dose_stem, write_dose
from radioembolization.images import Grid, Unit, Volume

DOSE = Volume(np.arange(24, dtype=np.float32).reshape(2, 3, 4), Grid((2, 3, 4), (3.0, 4.0, 5.0)), Unit.GY)
PROVENANCE = {"nuclide": "Y-90", "activity_gbq": 1.5}


@pytest.mark.parametrize("name", ["d.nrrd", "d.nii.gz"])
def test_a_map_comes_back_as_it_was(tmp_path, name):
    files = write_dose(DOSE, tmp_path / name, PROVENANCE)
    back = read_volume(tmp_path / name, Unit.GY)
    np.testing.assert_array_equal(back.array, DOSE.array)
    assert back.grid.spacing_mm == pytest.approx(DOSE.grid.spacing_mm)
    assert {path.name for path in files.values()} == {name, f"{name}.json"}
    assert json.loads(files["provenance"].read_text(encoding="utf-8")) == PROVENANCE


@pytest.mark.parametrize(("name", "stem"), [("a.nrrd", "a"), ("a.b.nii.gz", "a.b"), ("x.seg.nrrd", "x.seg")])
def test_the_stem_is_the_name_without_the_extension(tmp_path, name, stem):
    assert dose_stem(tmp_path / name) == stem


@pytest.mark.parametrize("name", ["d", "d.nii", "d.dcm", "nrrd", "D.NII.GZ"])
def test_other_extensions_are_refused(tmp_path, name):
    with pytest.raises(InputError, match=r"use \.nrrd or \.nii\.gz"):
        write_dose(DOSE, tmp_path / name, PROVENANCE)
    assert not list(tmp_path.iterdir())


def test_numbers_that_json_has_no_word_for_are_refused(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_dose(DOSE, tmp_path / "d.nrrd", {"max_gy": float("nan")})
    assert not list(tmp_path.iterdir())
