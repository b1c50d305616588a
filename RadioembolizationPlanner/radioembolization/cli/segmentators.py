"""TotalSegmentator as an installed command-line tool; it is found, never required.

Options are those of its version 2 (https://github.com/wasserth/TotalSegmentator).  Without its option ``--ml`` it
writes one NIfTI mask for each structure, named as the structure, so that no label values have to be known.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from radioembolization.errors import FileMissing, InputError, MissingPackage, ToolFailed

EXECUTABLE = "TotalSegmentator"
#: Task of the organs that matter here; the others are tasks of the tool by their own names.
ORGANS = "organs"
TASKS = (ORGANS, "liver_segments", "liver_vessels", "liver_lesions")
_ORGAN_NAMES = (
    *("liver", "spleen", "kidney_left", "kidney_right", "gallbladder", "stomach", "duodenum", "pancreas"),
    *("lung_upper_lobe_left", "lung_lower_lobe_left"),
    *("lung_upper_lobe_right", "lung_middle_lobe_right", "lung_lower_lobe_right"),
)
_MASK = ".nii.gz"
#: Lines of its output that go into an error.
_LINES_TOLD = 5


def run_total_segmentator(
    ct: Path, tasks: Sequence[str], out_folder: Path, *, fast: bool = False, device: str = ""
) -> dict[str, Path]:
    """Let TotalSegmentator segment a CT.

    Parameters
    ----------
    ct : Path
        NIfTI file, or folder of a DICOM series.
    tasks : sequence of str
        Of ``TASKS``.
    out_folder : Path
        Each task writes into a folder of its name in it.
    fast : bool
        Organs in coarse voxels of 3 mm; the other tasks have no such mode.
    device : str
        ``"cpu"``, ``"gpu"`` or another that it knows; empty to let it choose.

    Returns
    -------
    dict of str to Path
        The mask of every structure by its name in TotalSegmentator, on the grid of the CT; a mask may be empty.

    Raises
    ------
    MissingPackage
        If it is not installed.
    InputError
        If a task is not known, or its folder is not empty.
    FileMissing
        If there is no CT.
    ToolFailed
        If it ends with an error, or writes no mask.
    """
    unknown = [task for task in tasks if task not in TASKS]
    if unknown or not tasks:
        raise InputError(f"TotalSegmentator is asked for {unknown or 'nothing'}: use {', '.join(TASKS)}.")
    if not ct.exists():
        raise FileMissing(f"There is no CT '{ct}': check the path.")
    program = shutil.which(EXECUTABLE)
    if program is None:
        raise MissingPackage(
            "The program TotalSegmentator was not found on the path: install it with pip install TotalSegmentator "
            "(several GB with PyTorch), or use the built-in segmentation."
        )
    masks: dict[str, Path] = {}
    for task in tasks:
        masks |= _run(program, ct, task, out_folder / task, fast=fast, device=device)
    return masks


def _run(program: str, ct: Path, task: str, folder: Path, *, fast: bool, device: str) -> dict[str, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise InputError(f"'{folder}' holds files already, which would be taken for results: name an empty folder.")
    command = [program, "-i", str(ct), "-o", str(folder), *_options(task, fast=fast)]
    if device:
        command += ["--device", device]
    logging.info("Running %s", " ".join(command))
    ended = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, encoding="utf-8", errors="replace"
    )
    told = [line for line in ended.stdout.splitlines() if line.strip()]
    for line in told:
        logging.debug("TotalSegmentator: %s", line)
    last = " / ".join(told[-_LINES_TOLD:]) or "it said nothing"
    if ended.returncode:
        raise ToolFailed(f"TotalSegmentator ({task}) ended with the code {ended.returncode}: {last}")
    masks = {path.name.removesuffix(_MASK): path for path in sorted(folder.glob(f"*{_MASK}"))}
    if not masks:
        raise ToolFailed(f"TotalSegmentator ({task}) wrote no mask into '{folder}': {last}")
    return masks


def _options(task: str, *, fast: bool) -> list[str]:
    if task != ORGANS:
        return ["--task", task]
    return ["--task", "total", *(["--fast"] if fast else []), "--roi_subset", *_ORGAN_NAMES]
