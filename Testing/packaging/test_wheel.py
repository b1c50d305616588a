"""The built wheel, installed into a clean environment, plans the synthetic patient with its own data."""

import json
import os
import subprocess
import sys
import venv
import zipfile

import pytest

from support import CORE, REPOSITORY

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    run = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(REPOSITORY)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
    return next(folder.glob("*.whl"))


def test_wheel_holds_every_file_of_the_core(wheel):
    expected = {
        path.relative_to(CORE.parent).as_posix()
        for path in CORE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == expected


@pytest.mark.exhaustive
def test_demo_runs_from_the_installed_wheel(wheel, tmp_path):
    environment = tmp_path / "clean"
    venv.create(environment, with_pip=True)
    folder = environment / ("Scripts" if os.name == "nt" else "bin")
    python = folder / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel)]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    command = [str(folder / "radioembolization-planner"), "demo", "--spacing", "6", "--out", "out", "--json"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    assert json.loads(run.stdout)["status"] == "optimal"
    where = subprocess.run(
        [str(python), "-c", "import radioembolization; print(radioembolization.__file__)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(environment) in where.stdout
