"""The examples of docs/dosimetry.md run as printed and give the numbers printed beside them."""

import csv
import re
import shlex

import numpy as np
import pytest
import SimpleITK as sitk

from radioembolization.cli import main
from radioembolization.images.density import CT_DENSITY_CURVE
from radioembolization.physics.voxel_kernel import SPACING_RANGE_MM
from support import REPOSITORY

PAGE = (REPOSITORY / "docs" / "dosimetry.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder in which the page's script and all its commands have run."""
    folder = tmp_path_factory.mktemp("page")
    (script,) = blocks("python")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        exec(compile(script, "dosimetry.md", "exec"), {})
        commands = [line for block in blocks("sh") for line in block.splitlines()]
        assert len(commands) == 5
        for command in commands:
            program, *arguments = shlex.split(command)
            assert program == "radioembolization-planner"
            assert main(arguments) == 0, command
    return folder


def figures(path):
    with path.open(encoding="utf-8") as stream:
        (row,) = csv.DictReader(stream)
    return {name: float(value) for name, value in row.items() if name != "name"}


def stated(pattern):
    """Return the one number that a pattern finds on the page."""
    (number,) = re.findall(pattern, PAGE)
    return float(number)


def test_the_litre_gets_what_the_page_says(folder):
    by_hand = stated(r"/ 1\.06 kg = ([\d.]+) Gy")
    assert by_hand == pytest.approx(49.771 / 1.06, abs=0.005)
    local = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "cube-local.nrrd")))
    np.testing.assert_allclose(local[local > 0], by_hand, atol=0.005)
    spread = figures(folder / "cube-dose_dvh.csv")
    assert spread["volume_ml"] == pytest.approx(1000.0, rel=1e-6)
    assert spread["d50_gy"] == pytest.approx(stated(r"D50 = ([\d.]+) Gy"), abs=0.01)
    assert spread["mean_gy"] == pytest.approx(stated(r"a mean of ([\d.]+) Gy"), abs=0.05)


def test_the_kernels_hold_what_the_page_says(folder):
    with (folder / "y90-4x4x3.csv").open(encoding="utf-8") as stream:
        s = {(r["i"], r["j"], r["k"]): float(r["S_mGy_per_MBq_s"]) for r in csv.DictReader(stream)}
    assert s["0", "0", "1"] == pytest.approx(stated(r"S\(0,0,1\) = ([\d.]+)"), abs=5e-4)
    assert s["1", "0", "0"] == pytest.approx(stated(r"S\(1,0,0\) = (\d\.\d+)"), abs=5e-4)
    title = (folder / "90Y3mmsoft.txt").read_text(encoding="ascii").splitlines()[0]
    assert title in PAGE
    image = sitk.ReadImage(str(folder / "lu177.nrrd"))
    assert image.GetSize() == (51, 51, 51)  # as PyTheranostics reads them: 120 mm is 25 voxels of 4.8 mm
    beyond = float(image.GetMetaData("energy_share_beyond"))
    assert 100.0 * beyond == pytest.approx(stated(r"to 120 mm: (\d+) %"), abs=0.5)


def test_the_ct_curve_on_the_page_is_the_one_used():
    hu, density = (
        re.findall(r"-?[\d.]+", line)[-9:] for line in re.findall(r"^\| (?:HU|g/cm3) .*$", PAGE, re.MULTILINE)
    )
    assert len(hu) == len(CT_DENSITY_CURVE)
    np.testing.assert_allclose(np.array([hu, density], dtype=float).T, CT_DENSITY_CURVE, atol=6e-4)


def test_the_range_of_voxel_sides_is_the_one_used():
    assert (stated(r"each from ([\d.]+) to"), stated(r"each from 0\.4 to (\d+)\.")) == SPACING_RANGE_MM


def test_every_option_is_on_the_page(capsys):
    for command in ("kernel", "dose"):
        with pytest.raises(SystemExit):
            main([command, "--help"])
        options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}
        assert not [option for option in options if option not in PAGE]


def test_research_use_only():
    assert "research use only" in PAGE.lower()
