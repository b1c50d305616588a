"""A plan of the scene as files: for people, for programs, for treatment planning systems."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import tempfile
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import slicer

from radioembolization.errors import InputError
from radioembolization.files import write_volume
from radioembolization.files.planning_images import PlanningImages, read_planning_images
from radioembolization.files.planning_series import write_planning_images
from radioembolization.files.rtdose import LABEL_CHARACTERS, write_rtdose
from radioembolization.images import Unit, Volume
from RadioembolizationPlannerLib import plans
from RadioembolizationPlannerLib.plan_record import record_of
from RadioembolizationPlannerLib.scene import volume_from_node
from RadioembolizationPlannerLib.tables import RESEARCH_USE

_TABLE_FILES = {
    plans.SITES: "injections.csv",
    plans.LIMITS: "limits.csv",
    plans.STRUCTURES: "doses.csv",
    plans.NOTICES: "notices.csv",
    plans.CURVES: "dvh.csv",
}


def export_plan(
    plan: slicer.vtkMRMLTextNode,
    folder: Path,
    at: datetime,
    image: slicer.vtkMRMLScalarVolumeNode | None = None,
    unit: Unit = Unit.HU,
) -> dict[str, Path]:
    """Write everything a plan has into a folder; return the files by what they are.

    Plan file, record (what it was made from, whether it is out of date, approval), report, dose volumes,
    tables and RT Dose.  Files appear when all are complete, or not at all.

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
    PlanChanged
        If nodes of the plan were deleted.
    InputError
        If the folder cannot be written to.
    """
    dose = volume_from_node(plans.node_of(plan, plans.DOSE), Unit.GY)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder))
    except OSError as error:
        raise InputError(f"'{folder}' cannot be written to: {error.strerror}. Choose another folder.") from error
    try:
        names = _write_files(plan, dose, staging)
        names |= _write_dicom(plan, dose, staging, None if image is None else (image, unit), at)
        for name in names.values():
            target = folder / name
            if target.is_dir():
                shutil.rmtree(target)
            os.replace(staging / name, target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return {what: folder / name for what, name in names.items()}


def _write_files(plan: slicer.vtkMRMLTextNode, dose: Volume, folder: Path) -> dict[str, str]:
    names = {"plan": "plan.json", "record": "record.json", "dose": "dose.nrrd", "dose (NIfTI)": "dose.nii.gz"}
    _write(folder / names["plan"], plan.GetText())
    record = {"notice": RESEARCH_USE, **asdict(record_of(plan))}
    _write(folder / names["record"], json.dumps(record, ensure_ascii=False, indent=2, default=dict) + "\n")
    write_volume(dose, folder / names["dose"], {"unit": "Gy", "notice": RESEARCH_USE})
    write_volume(dose, folder / names["dose (NIfTI)"])
    report = plan.GetNodeReference(plans.REPORT)
    if report is not None:
        names["report"] = "report.html"
        _write(folder / names["report"], report.GetText())
    for role, name in _TABLE_FILES.items():
        table = plan.GetNodeReference(role)
        if table is not None:
            names[name.removesuffix(".csv")] = name
            _write(folder / name, csv_text(table))
    return names


def _write_dicom(
    plan: slicer.vtkMRMLTextNode,
    dose: Volume,
    folder: Path,
    image: tuple[slicer.vtkMRMLScalarVolumeNode, Unit] | None,
    at: datetime,
) -> dict[str, str]:
    names = {"RT Dose": "rtdose.dcm"}
    images = None if image is None else planning_images_of(image[0])
    if images is None and image is not None:
        names["planning images"] = "planning_images"
        images = write_planning_images(
            volume_from_node(*image),
            folder / names["planning images"],
            patient_name="",
            patient_id=plans.stated_plan(plan).name,
            created=at,
        )
    label = plan.GetName()[:LABEL_CHARACTERS]
    write_rtdose(dose, folder / names["RT Dose"], reference=images, plan_label=label, created=at)
    return names


def planning_images_of(node: slicer.vtkMRMLScalarVolumeNode) -> PlanningImages | None:
    """Return the DICOM series that a volume was loaded from; None if it comes from elsewhere.

    Slicer notes the instances on the node; its DICOM database knows their files.
    """
    uids = (node.GetAttribute("DICOM.instanceUIDs") or "").split()
    database = getattr(slicer, "dicomDatabase", None)
    if not uids or database is None:
        return None
    files = [database.fileForInstance(uid) for uid in uids]
    if not all(files):
        return None
    return read_planning_images([Path(name) for name in files])


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
