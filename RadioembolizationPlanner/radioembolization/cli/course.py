"""The command ``course``: the best course of 177Lu cycles and radioembolization sessions."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from radioembolization.cli.shared import DONE, print_json, progress_shown
from radioembolization.errors import InputError
from radioembolization.files.course_document import course_document, write_course_results
from radioembolization.files.course_file import read_course
from radioembolization.files.course_writer import write_course
from radioembolization.files.measured_file import read_measured
from radioembolization.report.course_page import course_page
from radioembolization.report.course_summary import course_summary
from radioembolization.treatment.course_inputs import CourseInputs
from radioembolization.treatment.planned_course import Delivered, plan_course_of


def add_commands(commands: Any) -> None:
    """Add the command to the subparsers of the command line."""
    command = commands.add_parser("course", help="plan a course of 177Lu cycles and radioembolization")
    command.add_argument("course", type=Path, metavar="COURSE.toml", help="course file, which names the case file")
    command.add_argument("--after", type=Path, metavar="MEASURED.toml", help="what was delivered: plan what is left")
    command.add_argument("--out", type=Path, metavar="DIR", help="where results go")
    command.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    command.set_defaults(run=_course)


def _course(options: argparse.Namespace) -> int:
    if options.out is not None and options.out.is_file():
        raise InputError(f"--out '{options.out}' is a file: name a folder.")
    inputs = read_course(options.course)
    delivered = None if options.after is None else read_measured(options.after, inputs)
    folder = options.out or options.course.parent / f"{options.course.stem}-plan"
    return plan_and_write(inputs, delivered, folder, options.json, {})


def demo(seed: int, spacing_mm: float, folder: Path, as_json: bool) -> int:
    """Plan the course of a synthetic patient, read back from the files it is written to; return the exit code."""
    from radioembolization.phantom.course import synthetic_course

    path = write_course(synthetic_course(seed, spacing_mm), folder / "case")
    return plan_and_write(read_course(path), None, folder, as_json, {"course file": path})


def plan_and_write(
    inputs: CourseInputs, delivered: Delivered | None, folder: Path, as_json: bool, files: dict[str, Path]
) -> int:
    """Plan a course, write its results and print them; return the exit code."""
    with progress_shown(quiet=as_json) as progress:
        planned = plan_course_of(inputs, delivered, progress)
        progress("report", 0, 1)
        files = files | write_course_results(planned, folder, course_page(planned))
        progress("report", 1, 1)
    if as_json:
        print_json(course_document(planned) | {"files": {what: str(path) for what, path in files.items()}})
    else:
        course_summary(planned, files)
    return DONE
