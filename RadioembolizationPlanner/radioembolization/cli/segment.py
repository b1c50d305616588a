"""The command ``segment``: structures from the images of a case, written as a segmentation of Slicer."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from radioembolization.cli.segmentators import TASKS, run_total_segmentator
from radioembolization.cli.shared import DONE, print_json, progress_shown
from radioembolization.errors import CaseFileError, InputError
from radioembolization.files import write_structures, write_volume
from radioembolization.files.replacing import replacing
from radioembolization.files.segment_file import read_segment_request
from radioembolization.files.total_segmentator_masks import structures_of_masks
from radioembolization.report.figures import structures_figure
from radioembolization.report.summary import print_findings
from radioembolization.report.terminal import RESEARCH_USE_ONLY, terminal_console, terminal_table
from radioembolization.structures.findings import Finding, Severity
from radioembolization.structures.segmentation import SegmentedStructures
from radioembolization.treatment.case import Notice, collected_notices
from radioembolization.treatment.segment import SegmentRequest, segment_images


def add_commands(commands: Any) -> None:
    """Add the command to the subparsers of the command line."""
    segment = commands.add_parser("segment", help="find structures in the images of a case file")
    segment.add_argument("case", type=Path, metavar="CASE.toml", help="with [images], and perhaps [segment]")
    segment.add_argument("--out", type=Path, metavar="DIR", help="where results go (default beside the case)")
    segment.add_argument(
        "--total-segmentator",
        nargs="+",
        choices=TASKS,
        default=[],
        metavar="TASK",
        help=f"let TotalSegmentator, if installed, find these as well: {', '.join(TASKS)}",
    )
    segment.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    segment.set_defaults(run=_segment)


def _segment(options: argparse.Namespace) -> int:
    folder = options.out or options.case.parent / f"{options.case.stem}-structures"
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--out '{folder}' is a file: name a folder.")
    with collected_notices() as notices, progress_shown(quiet=options.json) as progress:
        request = read_segment_request(options.case)
        if options.total_segmentator:
            progress("TotalSegmentator", 0, 1)
            request = replace(request, given=_by_total_segmentator(request, options.total_segmentator))
            progress("TotalSegmentator", 1, 1)
        found = segment_images(request, progress)
    found = replace(found, findings=(*(_finding(notice) for notice in notices), *found.findings))
    files = _write(request, found, folder)
    if options.json:
        print_json(_document(found, files))
    else:
        _show(found, files)
    return DONE


def _finding(notice: Notice) -> Finding:
    """Return what reading an image gave notice of as one of the findings."""
    return Finding(notice.name, Severity.NOTICE, notice.message)


def _by_total_segmentator(request: SegmentRequest, tasks: Sequence[str]) -> SegmentedStructures:
    if request.ct is None:
        raise CaseFileError("TotalSegmentator segments a CT: give images.ct.")
    with tempfile.TemporaryDirectory() as folder:
        ct = Path(folder) / "ct.nii.gz"
        write_volume(request.ct, ct)
        return structures_of_masks(run_total_segmentator(ct, tasks, Path(folder) / "masks"))


def _write(request: SegmentRequest, found: SegmentedStructures, folder: Path) -> dict[str, Path]:
    """Write segmentation, pictures and the record; the record comes last, so that it never names a missing file."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {"segmentation": folder / "segmentation.seg.nrrd", "pictures": folder / "structures.png"}
    write_structures(found, files["segmentation"])
    with replacing(files["pictures"]) as temporary:
        temporary.write_bytes(structures_figure(request.image, found))
    files["record"] = folder / "structures.json"
    with replacing(files["record"]) as temporary:
        text = json.dumps(_document(found, files), indent=2, ensure_ascii=False) + "\n"
        temporary.write_text(text, encoding="utf-8", newline="\n")
    return files


def _document(found: SegmentedStructures, files: Mapping[str, Path]) -> dict[str, Any]:
    return {
        "notice": RESEARCH_USE_ONLY,
        "structures": [
            {
                "name": structure.name,
                "code": structure.terminology.type.value,
                "meaning": structure.terminology.type.meaning,
                "volume_ml": found.volume_ml(structure.name),
                "method": structure.method,
                "quality": structure.quality,
            }
            for structure in found.structures
        ],
        "findings": [asdict(finding) for finding in found.all_findings],
        "files": {what: str(path) for what, path in files.items()},
    }


def _show(found: SegmentedStructures, files: Mapping[str, Path]) -> None:
    console = terminal_console()
    table = terminal_table("Structures", "structure", "volume [mL]", "quality", "found by")
    for structure in found.structures:
        quality = "" if structure.quality is None else f"{structure.quality:.2f}"
        table.add_row(structure.name, f"{found.volume_ml(structure.name):.1f}", quality, structure.method)
    console.print(table)
    print_findings(console, found.all_findings)
    for what, path in files.items():
        console.print(f"{what:14s} {path}", markup=False, soft_wrap=True)
    console.print("Look at the pictures, and correct the structures where needed. " + RESEARCH_USE_ONLY)
