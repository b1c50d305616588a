"""Contract with the program TotalSegmentator, with another program in its place.

Options and their names as its version 2 reads them (wasserth/TotalSegmentator, commit 044a1d8,
``totalsegmentator/bin/TotalSegmentator.py``); the stand-in refuses every other.
"""

from __future__ import annotations

import json
import stat
import sys
import textwrap

import pytest

from radioembolization.cli.segmentators import TASKS, run_total_segmentator
from radioembolization.errors import FileMissing, InputError, MissingPackage, ToolFailed

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script with a shebang")

_STAND_IN = """
    #!{python}
    import argparse, json, os, pathlib, sys
    parser = argparse.ArgumentParser()
    parser.add_argument("-i", dest="input", required=True)
    parser.add_argument("-o", dest="output", required=True)
    parser.add_argument("-ml", "--ml", action="store_true")
    parser.add_argument("-f", "--fast", action="store_true")
    parser.add_argument("-ta", "--task", default="total")
    parser.add_argument("-rs", "--roi_subset", type=str, nargs="+")
    parser.add_argument("-d", "--device", default="gpu")
    options = parser.parse_args()
    with open({calls!r}, "a") as file:
        file.write(json.dumps(vars(options)) + "\\n")
    if "broken" in options.input:
        print("RuntimeError: CUDA out of memory", file=sys.stderr)
        sys.exit(3)
    names = {{"total": options.roi_subset, "liver_vessels": ["liver_vessels", "liver_tumor"]}}
    for name in () if "silent" in options.input else names.get(options.task, [options.task]):
        pathlib.Path(options.output, name + ".nii.gz").write_bytes(b"mask")
"""


@pytest.fixture
def calls(tmp_path, monkeypatch):
    """A path with the stand-in; returns the options of its calls."""
    folder, log = tmp_path / "bin", tmp_path / "calls.txt"
    folder.mkdir()
    program = folder / "TotalSegmentator"
    text = textwrap.dedent(_STAND_IN).lstrip().format(python=sys.executable, calls=str(log))
    program.write_text(text, encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder))
    return lambda: [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def ct(tmp_path):
    path = tmp_path / "ct.nii.gz"
    path.write_bytes(b"image")
    return path


def test_organs_are_a_subset_of_total_and_come_back_by_name(calls, ct, tmp_path):
    masks = run_total_segmentator(ct, ["organs"], tmp_path / "out", fast=True, device="cpu")
    (call,) = calls()
    assert (call["task"], call["fast"], call["device"], call["ml"]) == ("total", True, "cpu", False)
    assert call["input"] == str(ct)
    assert {"liver", "spleen", "kidney_left", "lung_middle_lobe_right"} <= set(call["roi_subset"])
    assert masks.keys() == set(call["roi_subset"])
    assert masks["liver"] == tmp_path / "out" / "organs" / "liver.nii.gz" and masks["liver"].read_bytes() == b"mask"


def test_other_tasks_run_one_by_one_at_their_only_resolution(calls, ct, tmp_path):
    masks = run_total_segmentator(ct, ["liver_vessels", "liver_lesions"], tmp_path / "out", fast=True)
    assert [(call["task"], call["fast"], call["roi_subset"]) for call in calls()] == [
        ("liver_vessels", False, None),
        ("liver_lesions", False, None),
    ]
    assert masks.keys() == {"liver_vessels", "liver_tumor", "liver_lesions"}


def test_its_absence_says_how_to_get_it(ct, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingPackage, match=r"not found on the path: install it with pip install TotalSegmentator"):
        run_total_segmentator(ct, ["organs"], tmp_path / "out")


def test_its_errors_come_back_in_its_own_words(calls, tmp_path):
    broken = tmp_path / "broken.nii.gz"
    broken.write_bytes(b"image")
    with pytest.raises(ToolFailed, match=r"\(liver_segments\) ended with the code 3: .*CUDA out of memory"):
        run_total_segmentator(broken, ["liver_segments"], tmp_path / "out")


def test_no_mask_is_an_error(calls, tmp_path):
    silent = tmp_path / "silent.nii.gz"
    silent.write_bytes(b"image")
    with pytest.raises(ToolFailed, match="wrote no mask"):
        run_total_segmentator(silent, ["liver_lesions"], tmp_path / "out")


def test_earlier_results_are_never_taken_for_new_ones(calls, ct, tmp_path):
    run_total_segmentator(ct, ["liver_lesions"], tmp_path / "out")
    with pytest.raises(InputError, match="name an empty folder"):
        run_total_segmentator(ct, ["liver_lesions"], tmp_path / "out")


def test_unknown_tasks_and_missing_images_are_refused_before_anything_runs(ct, tmp_path):
    with pytest.raises(InputError, match=r"asked for \['brain'\]: use " + ", ".join(TASKS)):
        run_total_segmentator(ct, ["organs", "brain"], tmp_path / "out")
    with pytest.raises(InputError, match="asked for nothing"):
        run_total_segmentator(ct, [], tmp_path / "out")
    with pytest.raises(FileMissing, match="There is no CT"):
        run_total_segmentator(tmp_path / "absent.nii.gz", ["organs"], tmp_path / "out")
