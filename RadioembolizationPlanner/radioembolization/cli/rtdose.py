"""The command ``rtdose``: a dose map written as DICOM RT Dose for other programs."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from radioembolization.cli.shared import DONE, checked_out, print_json
from radioembolization.errors import InputError
from radioembolization.files import (
    PlanningImages,
    read_planning_images,
    read_volume,
    sha256_of,
    write_planning_images,
    write_rtdose,
)
from radioembolization.files.rtdose import check_rtdose
from radioembolization.images import Unit
from radioembolization.report.terminal import RESEARCH_USE_ONLY, terminal_console
from radioembolization.treatment.case import collected_notices

_VOLUMES = {"ct": Unit.HU, "scout": Unit.COUNTS}
_IMAGE_ENDINGS = (".nii.gz", ".seg.nrrd")


def add_commands(commands: Any) -> None:
    """Add the command to the subparsers of the command line."""
    rtdose = commands.add_parser("rtdose", help="write a dose map as DICOM RT Dose")
    rtdose.add_argument("dose", type=Path, metavar="DOSE", help="map in Gy (.nrrd, .nii.gz)")
    images = rtdose.add_mutually_exclusive_group(required=True)
    images.add_argument("--images", type=Path, metavar="DIR", help="DICOM series planned on; the dose gets its patient")
    images.add_argument("--ct", type=Path, metavar="CT", help="CT in HU without DICOM: written as a series beside")
    images.add_argument("--scout", type=Path, metavar="SCOUT", help="scout counts without DICOM: written beside")
    rtdose.add_argument("--patient-id", metavar="ID", help="of the new series (needed with --ct and --scout)")
    rtdose.add_argument("--patient-name", metavar="NAME", help="family^given (default: the ID)")
    rtdose.add_argument("--label", required=True, metavar="TEXT", help="name of the plan, at most 44 characters")
    rtdose.add_argument("--comment", default="", metavar="TEXT", help="goes into the image comments")
    rtdose.add_argument("--when", metavar="TIME", help="date and time of creation, 2026-01-31T12:00 (default none)")
    rtdose.add_argument("--rt-plan-uid", metavar="UID", help="SOP Instance UID of a DICOM RT Plan to refer to")
    rtdose.add_argument("--out", type=Path, required=True, metavar="FILE", help=".dcm")
    rtdose.add_argument("--json", action="store_true", help="print one JSON document instead of words")
    rtdose.set_defaults(run=_rtdose)


def _rtdose(options: argparse.Namespace) -> int:
    checked_out(options.out, [path for path in (options.dose, options.ct, options.scout) if path])
    created = _moment(options.when)
    dose = read_volume(options.dose, Unit.GY)
    check_rtdose(dose, options.label)
    images, folder = _images(options, created)
    uid = write_rtdose(
        dose,
        options.out,
        reference=images,
        plan_label=options.label,
        comment=options.comment,
        created=created,
        rt_plan_uid=options.rt_plan_uid,
    )
    document = {
        "notice": RESEARCH_USE_ONLY,
        "label": options.label,
        "max_gy": float(dose.array.max()),
        "sop_instance_uid": uid,
        "study_instance_uid": images.identity["StudyInstanceUID"],
        "frame_of_reference_uid": images.identity["FrameOfReferenceUID"],
        "images": {"modality": images.modality, "instances": len(images.instance_uids), "folder": str(folder)},
        "inputs": {"dose": {"sha256": sha256_of(options.dose)}},
        "files": {"dose": str(options.out)},
    }
    if options.json:
        print_json(document)
    else:
        _print(document, identified=options.images is not None)
    return DONE


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"--when '{text}' is no date and time: write 2026-01-31T12:00.") from error


def _images(options: argparse.Namespace, created: datetime | None) -> tuple[PlanningImages, Path]:
    """Return the images the dose refers to and their folder, written first if there are none in DICOM."""
    if options.images is not None:
        if options.patient_id or options.patient_name:
            raise InputError("--patient-id and --patient-name are for new series; with --images the patient is theirs.")
        return read_planning_images(options.images), options.images
    if not options.patient_id:
        raise InputError(
            "--ct and --scout write a new DICOM series: give its --patient-id, an invented one if need be."
        )
    kind = "ct" if options.ct is not None else "scout"
    source: Path = getattr(options, kind)
    folder = options.out.parent / f"{_stem(source)}-dicom"
    name = options.patient_name or options.patient_id
    volume = read_volume(source, _VOLUMES[kind])
    with collected_notices() as notices:
        images = write_planning_images(
            volume, folder, patient_name=name, patient_id=options.patient_id, created=created
        )
    for notice in notices:
        sys.stderr.write(f"Note, {notice.name}: {notice.message}\n")
    return images, folder


def _stem(path: Path) -> str:
    for ending in _IMAGE_ENDINGS:
        if path.name.endswith(ending):
            return path.name[: -len(ending)]
    return path.stem


def _print(document: dict[str, Any], identified: bool) -> None:
    console, images = terminal_console(), document["images"]
    lines = [
        f"Dose '{document['label']}', at most {document['max_gy']:.4g} Gy: {document['files']['dose']}",
        f"It refers to {images['instances']} {images['modality']} image(s) in {images['folder']}.",
    ]
    if identified:
        lines.append("The file identifies the patient, as the images do.")
    for line in (*lines, document["notice"]):
        console.print(line, soft_wrap=True, markup=False, highlight=False)
