"""Dose rows come back from disk to the last bit; broken and foreign files are refused by name."""

import io
import pickle
import zipfile
from dataclasses import fields, replace

import numpy as np
import pytest

from planning_phantom import planning_phantom
from radioembolization.dose import DoseSettings, Method
from radioembolization.errors import FileMissing, PlanFileError
from radioembolization.files import read_rows, write_rows
from radioembolization.physics import HOLMIUM_HO166, Convention
from support import resin_two_sites


@pytest.fixture(scope="module")
def phantom():
    return planning_phantom(1500, sites=5, tumours=2, seed=1)


@pytest.fixture
def written(phantom, tmp_path):
    """Return the path of written rows."""
    write_rows(phantom, tmp_path / "rows.npz")
    return tmp_path / "rows.npz"


def same(one, other):
    for field in fields(one):
        if field.name == "structures":
            continue
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b)
            assert a.dtype == b.dtype
        else:
            assert a == b
    for a, b in zip(one.structures, other.structures, strict=True):
        assert (a.name, a.role, a.volume_ml, a.mass_kg) == (b.name, b.role, b.volume_ml, b.mass_kg)
        np.testing.assert_array_equal(a.voxels, b.voxels)


def test_everything_comes_back(phantom, written):
    again = read_rows(written)
    same(phantom, again)
    assert again.fingerprint == phantom.fingerprint


def test_what_may_be_missing_may_be_missing(tmp_path):
    settings = DoseSettings(HOLMIUM_HO166, Convention.ICRP107, Method.LOCAL)
    shares = np.array([0.01, 0.0])
    for changes in (
        {"lung_gy_per_gbq": None, "lung_mass_kg": None, "lung_mass_method": ""},
        {"extrahepatic_share": shares, "settings": settings, "site_names": ("Ärterie 1 \u00b5", "2")},
    ):
        dose = replace(resin_two_sites(), **changes)
        write_rows(dose, tmp_path / "rows.npz")
        again = read_rows(tmp_path / "rows.npz")
        same(dose, again)
        assert again.fingerprint == dose.fingerprint


def test_the_fingerprint_tells_every_change(phantom):
    rows, structure = phantom.rows.copy(), phantom.structures[0]
    rows[-1, -1] = np.nextafter(rows[-1, -1], np.float32(np.inf))
    changed = [
        replace(phantom, rows=rows),
        replace(phantom, voxel_kg=phantom.voxel_kg * 1.001),
        replace(phantom, perfused=~phantom.perfused),
        replace(phantom, lung_shunt=phantom.lung_shunt * 1.001),
        replace(phantom, lung_gy_per_gbq=phantom.lung_gy_per_gbq * 1.001),
        replace(phantom, site_names=("a", *phantom.site_names[1:])),
        replace(phantom, structures=(replace(structure, voxels=structure.voxels[1:]), *phantom.structures[1:])),
        replace(phantom, structures=(replace(structure, name="other"), *phantom.structures[1:])),
        replace(phantom, structures=(replace(structure, volume_ml=1.0), *phantom.structures[1:])),
        replace(phantom, settings=DoseSettings(phantom.settings.device, Convention.ICRP107)),
    ]
    assert len({phantom.fingerprint, *(dose.fingerprint for dose in changed)}) == 1 + len(changed)


def test_the_same_rows_give_the_same_bytes(phantom, written, tmp_path):
    write_rows(phantom, tmp_path / "again.npz")
    assert written.read_bytes() == (tmp_path / "again.npz").read_bytes()


def test_numpy_reads_it_without_pickle(phantom, written):
    with np.load(written, allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["rows"], phantom.rows)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileMissing, match=r"absent\.npz"):
        read_rows(tmp_path / "absent.npz")


def changed(path, **arrays):
    """Write the file with entries replaced, or left out for None."""
    with np.load(path, allow_pickle=False) as archive:
        entries = {name: archive[name] for name in archive.files} | arrays
    np.savez(path, **{name: array for name, array in entries.items() if array is not None})


@pytest.mark.parametrize(
    ("entries", "match"),
    [
        ({"form": np.array("something else")}, "its form is"),
        ({"form": None}, "no entry"),
        ({"rows": None}, "no entry 'rows'"),
        ({"settings": np.array(["resin", "clinical"])}, "shape"),
        ({"settings": np.array(["copper", "clinical", "fft"])}, "copper"),
        ({"settings": np.array(["resin", "clinical", "guess"])}, "guess"),
        ({"rows": np.zeros((5, 3))}, "shape"),
        ({"rows": np.array(["a"])}, "of type"),
        ({"rows": np.zeros(4)}, "unpack"),
        ({"voxel_kg": np.array([np.nan])}, "no numbers"),
        ({"lung_shunt": np.full(5, 2.0)}, "lung shunt"),
        ({"site_names": np.array(["a"] * 5)}, "one name"),
        ({"structure_names": np.array(["a"] * 4)}, "one name"),
        ({"structure_roles": np.array(["tumour"] * 4)}, "normal liver"),
        ({"structure_roles": np.array(["stone"] * 4)}, "stone"),
        ({"structure_mass_kg": np.zeros(4)}, "not positive"),
        ({"voxel_counts": np.array([1, 2, 3, 4])}, "shape"),
        ({"perfused": np.zeros((5, 1), dtype=np.uint8)}, "shape"),
        ({"lung_mass_kg": np.array([1.0, 2.0])}, "shape"),
    ],
)
def test_wrong_entries_are_named(written, entries, match):
    changed(written, **entries)
    with pytest.raises(PlanFileError, match=rf"'rows\.npz' holds no dose rows: .*{match}"):
        read_rows(written)


def test_voxels_must_be_there_once(phantom, written):
    voxels = np.concatenate([s.voxels for s in phantom.structures]).astype(np.int32)
    for wrong in (voxels + 10_000, voxels - 10_000, np.where(np.arange(len(voxels)) == 1, voxels[0], voxels)):
        changed(written, voxels=wrong)
        with pytest.raises(PlanFileError, match="voxels twice, or some that there are not"):
            read_rows(written)


def test_doses_must_be_doses(phantom, written):
    changed(written, rows=-phantom.rows)
    with pytest.raises(PlanFileError, match="must be a number of zero or more"):
        read_rows(written)


class Evil:
    def __reduce__(self):
        return print, ("a pickle was opened",)


def test_pickled_objects_are_not_opened(written, capsys):
    np.savez(written, form=np.array([Evil()], dtype=object))
    with pytest.raises(PlanFileError):
        read_rows(written)
    written.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(PlanFileError):
        read_rows(written)
    assert "pickle was opened" not in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04", b"\x93NUMPY\x01\x00v\x00{'descr'"])
def test_foreign_files_are_refused(tmp_path, content):
    (tmp_path / "rows.npz").write_bytes(content)
    with pytest.raises(PlanFileError, match=r"'rows\.npz' holds no dose rows"):
        read_rows(tmp_path / "rows.npz")


def test_an_array_alone_is_refused(tmp_path):
    with (tmp_path / "rows.npz").open("wb") as stream:
        np.save(stream, np.zeros(3))
    with pytest.raises(PlanFileError):
        read_rows(tmp_path / "rows.npz")


def test_an_archive_of_something_else_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "rows.npz", "w") as archive:
        archive.writestr("readme.txt", "nothing")
        archive.writestr("form.npy", "nothing")
    with pytest.raises(PlanFileError):
        read_rows(tmp_path / "rows.npz")


def test_a_file_cut_short_or_changed_anywhere_is_refused_or_tells_by_its_fingerprint(phantom, written):
    whole, rng = written.read_bytes(), np.random.default_rng(0)
    for length in rng.integers(0, len(whole), 30):
        written.write_bytes(whole[:length])
        with pytest.raises(PlanFileError):
            read_rows(written)
    for position in rng.integers(0, len(whole), 200):
        broken = bytearray(whole)
        broken[position] ^= int(rng.integers(1, 256))
        written.write_bytes(bytes(broken))
        try:
            again = read_rows(written)
        except PlanFileError:
            continue
        same(again, phantom)  # a byte of the archive's own that numpy does not look at


def test_a_huge_array_is_refused(tmp_path, written):
    header = io.BytesIO()
    np.lib.format.write_array_header_2_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**13,)})
    with zipfile.ZipFile(tmp_path / "rows.npz", "w") as archive:
        archive.writestr("form.npy", header.getvalue())
    with pytest.raises(PlanFileError):
        read_rows(tmp_path / "rows.npz")
