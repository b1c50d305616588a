"""The command ``register`` as a user meets it: files, JSON, words, messages, exit codes."""

import json

import numpy as np
import pytest

from radioembolization.cli import main
from radioembolization.files import read_transform, read_volume, write_transform, write_volume
from radioembolization.images import Grid, Unit, Volume
from registration_trials import about
from support import ellipsoid, rotation

GRID = Grid((22, 26, 28), (9.0, 9.0, 9.0), (-121.5, -112.5, -94.5))
TRUTH = about(np.zeros(3), rotation((0.0, 0.0, 1.0), 8.0), np.array([9.0, -6.0, 12.0]))
LIVER = ellipsoid(GRID, (-45, -10, 20), (45, 42, 45))
PNG = b"\x89PNG"


def _ct() -> np.ndarray:
    hu = np.full(GRID.shape, -1000.0)
    hu[ellipsoid(GRID, (0, 0, 0), (105, 80, 200))] = 30.0
    hu[LIVER] = 120.0
    hu[ellipsoid(GRID, (60, 15, 35), (25, 30, 30))] = 200.0
    hu[ellipsoid(GRID, (0, 50, 0), (18, 18, 300))] = 400.0
    hu[ellipsoid(GRID, (30, -40, -30), (30, 25, 30))] = -600.0
    return hu


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a fixed image, a moving one, livers of both and landmarks."""
    moving = TRUTH.inverse.grid(GRID)
    noise = np.random.default_rng(0).normal(0.0, 15.0, GRID.shape)
    write_volume(Volume(_ct().astype(np.float32), GRID, Unit.HU), tmp_path / "fixed.nii.gz")
    write_volume(Volume((_ct() + noise).astype(np.float32), moving, Unit.HU), tmp_path / "moving.nrrd")
    for name, grid in (("fixed", GRID), ("moving", moving)):
        write_volume(Volume(LIVER.astype(np.uint8), grid, Unit.LABEL), tmp_path / f"{name}_liver.nrrd")
    points = np.array([[10.0, 20.0, 30.0], [-40.0, 0.0, -20.0]])
    rows = [",".join(map(str, ("p", *fixed, *TRUTH.inverse.points(fixed)))) for fixed in points]
    header = "name,fixed_x,fixed_y,fixed_z,moving_x,moving_y,moving_z"
    (tmp_path / "landmarks.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def run(folder, capsys):
    """Return a function that runs ``register`` and returns exit code, output and error."""

    def run_command(*arguments, fixed="fixed.nii.gz", moving="moving.nrrd"):
        code = main(
            [str(a) for a in ("register", folder / fixed, folder / moving, "--out", folder / "out", *arguments)]
        )
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_command


def test_files_and_figures_of_quality(folder, run):
    livers = ("--fixed-liver", folder / "fixed_liver.nrrd", "--moving-liver", folder / "moving_liver.nrrd")
    code, printed, error = run("--json", "--resample", "--landmarks", folder / "landmarks.csv", *livers)
    assert (code, error) == (0, "")
    document = json.loads(printed)
    assert document == json.loads((folder / "out" / "quality.json").read_text(encoding="utf-8"))
    assert document["landmarks"]["before"]["mean_mm"] > 10.0 > 2.0 > document["landmarks"]["after"]["max_mm"]
    assert document["liver_dice"] > 0.95 and not document["uncertain"]
    np.testing.assert_allclose(
        read_transform(folder / "out" / "transform.tfm").matrix, document["matrix_moving_to_fixed_lps"], atol=1e-9
    )
    resampled = read_volume(folder / "out" / "resampled.nii.gz", Unit.HU)
    assert resampled.grid.shape == GRID.shape
    assert np.abs(resampled.array - _ct())[4:-4, 4:-4, 4:-4].mean() < 60.0
    for name in ("checkerboard.png", "overlay.png"):
        assert (folder / "out" / name).read_bytes().startswith(PNG)


def test_words_with_a_start(folder, run):
    write_transform(TRUTH, folder / "start.tfm")
    code, printed, _ = run("--start", folder / "start.tfm")
    assert code == 0
    assert "Rigid: turned by" in printed and "transform.tfm" in printed and "Research use only" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--fixed-mask", "moving_liver.nrrd"), "lies on another grid"),
        (("--fixed-liver", "fixed_liver.nrrd"), "go together"),
        (("--seed", "0"), "at least 1"),
        (("--landmarks", "absent.csv"), "do not exist"),
        (("--start", "far.tfm"), "do not meet"),
    ],
)
def test_bad_input(folder, run, arguments, message):
    write_transform(about(np.zeros(3), np.eye(3), np.array([0.0, 0.0, 900.0])), folder / "far.tfm")
    option, value = arguments
    code, printed, error = run(option, folder / value if "." in value else value)
    assert code == 2 and message in error and printed == ""
    assert not (folder / "out").exists()


def test_a_missing_image_and_one_that_is_constant(folder, run):
    assert run(moving="absent.nrrd")[0] == 2
    write_volume(Volume(np.zeros(GRID.shape, np.float32), GRID, Unit.HU), folder / "flat.nrrd")
    code, printed, _ = run("--json", moving="flat.nrrd")
    assert code == 2 and json.loads(printed)["error"] == "ImageError"
