"""The cache on disk: same key same array, damage noticed, trouble tolerated, nothing left behind."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from radioembolization.physics import P32, Y90, kernel_cache, two_scale_kernel
from radioembolization.physics.kernel_cache import cache_folder, cached_array, content_key
from series import series
from support import CORE

ARRAY = np.random.default_rng(0).random((3, 5, 7))
KEY = "0" * 64
#: The module; the package has a function of the same name.
voxel_kernel = import_module("radioembolization.physics.voxel_kernel")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A cache of this test alone, not made yet, and no kernel in memory that would hide it."""
    chosen = tmp_path / "deep" / "cache"
    monkeypatch.setenv("RADIOEMBOLIZATION_CACHE", str(chosen))
    voxel_kernel._two_scales.cache_clear()
    yield chosen
    voxel_kernel._two_scales.cache_clear()


class Computation:
    """A computation that counts how often it runs."""

    def __init__(self, array=ARRAY):
        self.array, self.runs = array, 0

    def __call__(self):
        self.runs += 1
        return self.array.copy()


def only_file(folder):
    """Return the single file of a cache."""
    (file,) = folder.iterdir()
    return file


def test_a_kept_array_is_not_computed_again(folder):
    compute = Computation()
    first, second = cached_array(KEY, compute), cached_array(KEY, compute)
    assert compute.runs == 1
    np.testing.assert_array_equal(first, ARRAY)
    np.testing.assert_array_equal(second, ARRAY)
    assert second.dtype == ARRAY.dtype
    assert only_file(folder).name.startswith(KEY)


def test_another_key_is_another_array(folder):
    cached_array(KEY, Computation())
    other = Computation(2.0 * ARRAY)
    np.testing.assert_array_equal(cached_array("1" * 64, other), 2.0 * ARRAY)
    assert other.runs == 1


def damaged(content):
    """Yield names and contents of a file after each kind of damage."""
    yield "empty", b""
    yield "few bytes", content[:20]
    yield "truncated", content[:-8]
    yield "half", content[: len(content) // 2]
    yield "longer", content + b"\0"
    yield "zeros", bytes(len(content))
    yield "archive", b"PK\x03\x04" + content
    yield "text", b"not a kernel at all"
    for place in (0, 40, len(content) // 2, len(content) - 3):
        changed = bytearray(content)
        changed[place] ^= 0x10  # one bit: still a finite number of the right shape
        yield f"bit at {place}", bytes(changed)


def test_a_damaged_file_is_computed_anew_and_replaced(folder):
    cached_array(KEY, Computation())
    file = only_file(folder)
    content = file.read_bytes()
    for name, wrong in damaged(content):
        file.write_bytes(wrong)
        compute = Computation()
        np.testing.assert_array_equal(cached_array(KEY, compute), ARRAY, err_msg=name)
        assert compute.runs == 1, name
        assert only_file(folder).read_bytes() == content, name


def test_a_plain_array_of_another_shape_under_the_key_is_not_taken(folder):
    cached_array(KEY, Computation())
    np.save(only_file(folder).open("wb"), np.ones((2, 2, 2)))
    np.testing.assert_array_equal(cached_array(KEY, Computation()), ARRAY)


def test_nothing_but_whole_files_is_left_when_writing_fails(folder, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kernel_cache.os, "replace", full)
    np.testing.assert_array_equal(cached_array(KEY, Computation()), ARRAY)
    assert list(folder.rglob("*")) == []


def test_a_computation_that_fails_leaves_nothing(folder):
    def fail():
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        cached_array(KEY, fail)
    assert not folder.exists() or list(folder.rglob("*")) == []


def test_a_file_in_the_place_of_the_folder_is_tolerated(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        monkeypatch.setenv("RADIOEMBOLIZATION_CACHE", str(place))
        np.testing.assert_array_equal(cached_array(KEY, Computation()), ARRAY)
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_folder_in_the_place_of_the_file_is_tolerated(folder):
    cached_array(KEY, Computation())
    file = only_file(folder)
    file.unlink()
    file.mkdir()
    np.testing.assert_array_equal(cached_array(KEY, Computation()), ARRAY)
    assert file.is_dir()
    assert len(list(folder.rglob("*"))) == 1


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions do not bind this user")
def test_a_folder_that_cannot_be_written_is_tolerated(folder):
    folder.mkdir(parents=True)
    folder.chmod(0o500)
    np.testing.assert_array_equal(cached_array(KEY, Computation()), ARRAY)
    folder.chmod(0o700)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("error", [PermissionError, OSError])
def test_trouble_with_permissions_is_tolerated(folder, monkeypatch, error):
    def refuse(*args, **kwargs):
        raise error("refused")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    monkeypatch.setattr(Path, "mkdir", refuse)
    np.testing.assert_array_equal(cached_array(KEY, Computation()), ARRAY)
    assert not folder.exists()


@pytest.mark.parametrize("word", ["off", "OFF", "Off"])
def test_off_keeps_nothing(word, tmp_path, monkeypatch):
    monkeypatch.setenv("RADIOEMBOLIZATION_CACHE", word)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    compute = Computation()
    cached_array(KEY, compute), cached_array(KEY, compute)
    assert compute.runs == 2
    assert list(tmp_path.iterdir()) == []
    assert cache_folder() is None


def test_the_variable_wins_over_the_folder_of_the_platform(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("RADIOEMBOLIZATION_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
    monkeypatch.delenv("RADIOEMBOLIZATION_CACHE")
    monkeypatch.setattr(kernel_cache.sys, "platform", "linux")
    assert cache_folder() == tmp_path / "xdg" / "radioembolization-planner"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert cache_folder() == tmp_path / ".cache" / "radioembolization-planner"
    monkeypatch.setattr(kernel_cache.sys, "platform", "darwin")
    assert cache_folder() == tmp_path / "Library" / "Caches" / "radioembolization-planner"
    monkeypatch.setattr(kernel_cache.sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert cache_folder() == tmp_path / "local" / "radioembolization-planner" / "Cache"


def test_a_user_without_a_home_has_no_cache(monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("RADIOEMBOLIZATION_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert cache_folder() is None
    np.testing.assert_array_equal(cached_array(KEY, Computation()), ARRAY)


def test_the_key_changes_with_every_input_and_its_place():
    inputs = [
        (ARRAY, 1.0, (2.0, 3.0)),
        (ARRAY + 1e-15, 1.0, (2.0, 3.0)),
        (ARRAY, 1.0 + 1e-15, (2.0, 3.0)),
        (ARRAY, 1.0, (3.0, 2.0)),
        (ARRAY, (2.0, 3.0), 1.0),
        (ARRAY, 1.0),
    ]
    keys = [content_key(voxel_kernel._near_share, *given) for given in inputs]
    assert len(set(keys)) == len(keys)
    assert content_key(voxel_kernel._near_share, ARRAY.copy(), 1.0, (2.0, 3.0)) == keys[0]


def test_the_key_changes_with_the_code_of_the_folder(tmp_path, monkeypatch):
    (tmp_path / "computing.py").write_text("def compute():\n    return 1\n")
    (tmp_path / "beside.py").write_text("STEP = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    compute = import_module("computing").compute
    first = content_key(compute, 1.0)
    assert content_key(compute, 1.0) == first
    (tmp_path / "beside.py").write_text("STEP = 2\n")
    assert content_key(compute, 1.0) != first
    monkeypatch.delitem(sys.modules, "computing")


def test_kernels_of_other_voxels_media_and_tables_are_other_files(folder, monkeypatch):
    base = (6.0, 8.0, 8.0)
    cases = [(Y90, base, 1.06), (Y90, (8.0, 6.0, 8.0), 1.06), (Y90, base, 1.04), (P32, base, 1.06)]
    computed = []
    for count, case in enumerate(cases, start=1):
        computed.append(two_scale_kernel(*case).near.energy_share)
        assert len(list(folder.iterdir())) == count
    voxel_kernel._two_scales.cache_clear()
    monkeypatch.setattr(voxel_kernel, "deposit_in_octant", lambda *_: pytest.fail("computed anew"))
    for case, share in zip(cases, computed, strict=True):  # each from its file, none mixed up
        np.testing.assert_array_equal(two_scale_kernel(*case).near.energy_share, share)
    assert len(list(folder.iterdir())) == len(cases)


@pytest.mark.parametrize("column", series(["energy_fraction", "outer_radius_g_cm2", "sigma_fraction"], 1))
def test_a_changed_table_meets_no_old_kernel(folder, monkeypatch, column):
    # The noise counts as well: it weighs the fit of the tail, which is taken from the kernel.
    two_scale_kernel(Y90, (4.0,) * 3, 1.06)
    read = voxel_kernel.PointKernel.water

    def changed(nuclide):
        kernel = read(nuclide)
        fields = {name: getattr(kernel, name) for name in kernel.__dataclass_fields__}
        fields[column] = fields[column] * np.linspace(1.0, 1.001, len(fields[column]))
        return voxel_kernel.PointKernel(**fields)

    monkeypatch.setattr(voxel_kernel.PointKernel, "water", staticmethod(changed))
    voxel_kernel._two_scales.cache_clear()
    two_scale_kernel(Y90, (4.0,) * 3, 1.06)
    assert len(list(folder.iterdir())) == 2


def test_a_kernel_from_disk_is_read_only_and_the_same(folder, monkeypatch):
    first = two_scale_kernel(Y90, (4.0,) * 3, 1.06).near.energy_share
    voxel_kernel._two_scales.cache_clear()
    monkeypatch.setattr(voxel_kernel, "deposit_in_octant", lambda *_: pytest.fail("computed anew"))
    second = two_scale_kernel(Y90, (4.0,) * 3, 1.06).near.energy_share
    np.testing.assert_array_equal(first, second)
    assert not second.flags.writeable


def test_processes_writing_at_once_do_not_disturb_each_other(folder):
    code = (
        "import numpy as np\n"
        "from radioembolization.physics.kernel_cache import cached_array\n"
        "array = np.arange(27000.0).reshape(30, 30, 30)\n"
        "for turn in range(24):\n"
        "    key = str(turn % 4) * 64\n"
        "    assert np.array_equal(cached_array(key, lambda: array * (turn % 4)), array * (turn % 4))\n"
    )
    environment = dict(os.environ, PYTHONPATH=str(CORE.parent))
    workers = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for worker in workers:
        _, errors = worker.communicate(timeout=120)
        assert worker.returncode == 0, errors
        assert "damaged" not in errors  # no reader met a half-written file
    assert len(list(folder.iterdir())) == 4
