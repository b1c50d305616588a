"""A plan of the scene as files: for people, for programs, for treatment planning systems."""

from __future__ import annotations

import csv
import io
import json
import logging
import os
import shutil
import tempfile
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import numpy as np
import slicer

from radioembolization.errors import DicomError, FileMissing, InputError
from radioembolization.files import write_volume
from radioembolization.files.dicom_file import LO_CHARACTERS
from radioembolization.files.planning_images import PlanningImages, read_planning_images
from radioembolization.files.planning_series import write_planning_images
from radioembolization.files.rtdose import LABEL_CHARACTERS, write_rtdose
from radioembolization.images import Grid, Unit, Volume
from RadioembolizationPlannerLib import plans
from RadioembolizationPlannerLib.approval import check_approval
from RadioembolizationPlannerLib.plan_record import record_of
from RadioembolizationPlannerLib.scene import volume_from_node
from RadioembolizationPlannerLib.tables import RESEARCH_USE

_TABLE_FILES = {
    plans.SITES: "injections.csv",
    plans.LIMITS: "limits.csv",
    plans.STRUCTURES: "doses.csv",
    plans.NOTICES: "notices.csv",
    plans.CURVES: "dvh.csv",
    plans.FRONT: "front.csv",
    plans.STAIRS: "staircase.csv",
    plans.CHANCES: "scenario_limits.csv",
    plans.TUMORS: "scenario_tumors.csv",
    plans.BANDS: "dvh_bands.csv",
    plans.VIALS: "vials.csv",
    plans.ORDERS: "orders.csv",
}
_FILES = {
    "plan": "plan.json",
    "record": "record.json",
    "dose": "dose.nrrd",
    "dose (NIfTI)": "dose.nii.gz",
    "report": "report.html",
    "RT Dose": "rtdose.dcm",
    "planning images": "planning_images",
    **{name.removesuffix(".csv"): name for name in _TABLE_FILES.values()},
}
#: A series and its volume lie in the same place if no corner is further away than this [mm].
_SAME_PLACE_MM = 0.1


def export_plan(
    plan: slicer.vtkMRMLTextNode,
    folder: Path,
    at: datetime,
    image: slicer.vtkMRMLScalarVolumeNode | None = None,
    unit: Unit = Unit.HU,
) -> dict[str, Path]:
    """Write everything a plan has into a folder; return the files by what they are.

    Plan file, record (what it was made from, whether it is out of date, approval), report, dose volumes,
    tables and RT Dose.  All files appear, in the place of those of an earlier export, or none does; other files of
    the folder stay.  An approval of something else than what is written is revoked.

    Parameters
    ----------
    plan : vtkMRMLTextNode
    folder : Path
    at : datetime
        Written into the RT Dose.
    image : vtkMRMLScalarVolumeNode, optional
        Planning image the RT Dose refers to.  If it does not come from DICOM, it is written beside the dose as
        a new series of a patient who is called as the case; without one, the dose refers to no image.
    unit : Unit
        Of the image: HU or counts.

    Raises
    ------
    PlanChanged, PlanFileError
        If nodes of the plan were deleted, or its text is no plan.
    InputError
        If the folder cannot be written to, or holds files of other origin with the names of those of a plan.
    """
    check_approval(plan, at)
    plans.stated_plan(plan)
    dose = volume_from_node(plans.node_of(plan, plans.DOSE), Unit.GY)
    is_new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder))
    except OSError as error:
        raise InputError(f"'{folder}' cannot be written to: {error.strerror}. Choose another folder.") from error
    try:
        names = _write_files(plan, dose, staging)
        names |= _write_dicom(plan, dose, staging, None if image is None else (image, unit), at)
        _write_record(plan, staging, names)
        _take_place(staging, folder, list(names.values()))
    except (OSError, RuntimeError) as error:  # SimpleITK raises the latter
        raise InputError(
            f"Plan '{plan.GetName()}' could not be written to '{folder}' ({error}): free space, close the files in "
            "other programs, or choose another folder. What was there is as it was."
        ) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        if is_new and not any(folder.iterdir()):
            folder.rmdir()
    return {what: folder / name for what, name in names.items()}


def _take_place(staging: Path, folder: Path, names: list[str]) -> None:
    """Move files into a folder instead of those of an earlier export; if that fails, all are where they were."""
    earlier = _earlier_files(folder)
    others = [name for name in names if name not in earlier and (folder / name).exists()]
    if others:
        raise InputError(
            f"'{folder}' holds files that are of no exported plan ({', '.join(others)}): choose an empty folder."
        )
    aside = staging / "earlier"
    aside.mkdir()
    moves = [(folder / name, aside / name) for name in earlier if (folder / name).exists()]
    moves += [(staging / name, folder / name) for name in names]
    done = []
    try:
        for source, target in moves:
            os.replace(source, target)
            done.append((source, target))
    except BaseException:
        for source, target in reversed(done):
            os.replace(target, source)
        raise


def _earlier_files(folder: Path) -> list[str]:
    """Return the files of an export that its record names; other names, and those of no export, are none."""
    try:
        record = json.loads((folder / _FILES["record"]).read_text(encoding="utf-8"))
        stated = record["files"] if record["notice"] == RESEARCH_USE else []
        return [name for name in _FILES.values() if name in stated]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def _write_files(plan: slicer.vtkMRMLTextNode, dose: Volume, folder: Path) -> dict[str, str]:
    names = {what: _FILES[what] for what in ("plan", "dose", "dose (NIfTI)")}
    _write(folder / names["plan"], plan.GetText())
    write_volume(dose, folder / names["dose"], {"unit": "Gy", "notice": RESEARCH_USE})
    write_volume(dose, folder / names["dose (NIfTI)"])
    report = plan.GetNodeReference(plans.REPORT)
    if report is not None:
        names["report"] = _FILES["report"]
        _write(folder / names["report"], report.GetText())
    for role, name in _TABLE_FILES.items():
        table = plan.GetNodeReference(role)
        if table is not None:
            names[name.removesuffix(".csv")] = name
            _write(folder / name, csv_text(table))
    return names


def _write_record(plan: slicer.vtkMRMLTextNode, folder: Path, names: dict[str, str]) -> None:
    """Write the record with the names of all files, itself among them, by which a later export knows them."""
    names["record"] = _FILES["record"]
    record = {"notice": RESEARCH_USE, **asdict(record_of(plan)), "files": list(names.values())}
    _write(folder / names["record"], json.dumps(record, ensure_ascii=False, indent=2, default=dict) + "\n")


def _write_dicom(
    plan: slicer.vtkMRMLTextNode,
    dose: Volume,
    folder: Path,
    image: tuple[slicer.vtkMRMLScalarVolumeNode, Unit] | None,
    at: datetime,
) -> dict[str, str]:
    names = {"RT Dose": _FILES["RT Dose"]}
    images = None if image is None else planning_images_of(image[0])
    if images is None and image is not None:
        names["planning images"] = _FILES["planning images"]
        name = plans.stated_plan(plan).name[:LO_CHARACTERS]
        images = write_planning_images(
            volume_from_node(*image), folder / names["planning images"], patient_name="", patient_id=name
        )
    label = plan.GetName()[:LABEL_CHARACTERS]
    write_rtdose(dose, folder / names["RT Dose"], reference=images, plan_label=label, created=at)
    return names


def planning_images_of(node: slicer.vtkMRMLScalarVolumeNode) -> PlanningImages | None:
    """Return the DICOM series that a volume was loaded from; None if it is from elsewhere, or not where that lies.

    Slicer notes the instances on the node; its DICOM database knows their files.  A volume that was moved, such as
    by a registration, is not in the frame of reference of its series any more.
    """
    uids = (node.GetAttribute("DICOM.instanceUIDs") or "").split()
    database = getattr(slicer, "dicomDatabase", None)
    if not uids or database is None:
        return None
    files = [database.fileForInstance(uid) for uid in uids]
    if not all(files):
        return None
    try:
        images = read_planning_images([Path(name) for name in files])
    except (DicomError, FileMissing) as error:
        logging.warning("The DICOM series of '%s' cannot be referred to: %s", node.GetName(), error)
        return None
    if not _same_place(volume_from_node(node, Unit.LABEL).grid, images.grid):
        logging.info("'%s' lies elsewhere than its DICOM series: it is written as a new one", node.GetName())
        return None
    return images


def _same_place(one: Grid, other: Grid) -> bool:
    """Return whether two grids have the same corners, whichever way their axes run."""
    ends = np.array(list(np.ndindex(2, 2, 2)))
    corners = [grid.to_lps(ends * (np.array(grid.shape) - 1)) for grid in (one, other)]
    distances_mm = np.linalg.norm(corners[0][:, None] - corners[1], axis=-1)
    return bool(max(distances_mm.min(axis=0).max(), distances_mm.min(axis=1).max()) <= _SAME_PLACE_MM)


def csv_text(table: slicer.vtkMRMLTableNode) -> str:
    """Return a table as comma-separated values."""
    columns = [table.GetTable().GetColumn(index) for index in range(table.GetNumberOfColumns())]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([column.GetName() for column in columns])
    for row in range(table.GetNumberOfRows()):
        writer.writerow([column.GetValue(row) for column in columns])
    return stream.getvalue()


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
