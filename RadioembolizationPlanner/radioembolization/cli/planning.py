"""The commands that plan: ``demo``, ``plan`` and ``check``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from radioembolization.cli import course
from radioembolization.cli.shared import DONE, print_json, progress_shown
from radioembolization.errors import InputError
from radioembolization.files import plan_document, plan_text, read_case, write_case, write_results
from radioembolization.planning import Effort
from radioembolization.report import page
from radioembolization.report.summary import case_summary, plan_summary
from radioembolization.structures.findings import Finding
from radioembolization.treatment import Case, CaseInputs, Treatment, compute_rows, plan_and_analyse, prepare
from radioembolization.treatment.consistency import check_case, with_findings


def add_commands(commands: Any) -> None:
    """Add the commands to the subparsers of the command line."""
    demo = commands.add_parser("demo", help="plan the embedded synthetic patient")
    demo.add_argument("--seed", type=int, default=1, help="which synthetic patient (default 1)")
    demo.add_argument("--spacing", type=float, default=3.0, metavar="MM", help="CT voxel size (default 3 mm)")
    demo.add_argument("--course", action="store_true", help="plan a course with 177Lu instead of one treatment")
    demo.set_defaults(run=_demo)

    plan = commands.add_parser("plan", help="plan a case file")
    plan.add_argument("case", type=Path, metavar="CASE.toml")
    limit = "after this time each search ends with its best plan so far, and says what gap is proved (default: none)"
    plan.add_argument("--time-limit", type=float, metavar="SECONDS", help=limit)
    plan.set_defaults(run=_plan)

    check = commands.add_parser("check", help="validate and explain a case file without computing dose")
    check.add_argument("case", type=Path, metavar="CASE.toml")
    check.set_defaults(run=_check)

    for command in (demo, plan):
        command.add_argument("--out", type=Path, metavar="DIR", help="where results go")
    for command in (demo, plan, check):
        command.add_argument("--json", action="store_true", help="print one JSON document instead of tables")


def _demo(options: argparse.Namespace) -> int:
    from radioembolization.phantom import synthetic_case

    folder = options.out or Path("demo-out")
    if not 1.0 <= options.spacing <= 10.0:
        raise InputError(f"--spacing {options.spacing:g} mm is outside 1 to 10 mm.")
    if options.course:
        return course.demo(options.seed, options.spacing, folder, options.json)
    inputs = synthetic_case(seed=options.seed, spacing_mm=options.spacing)
    case_path = write_case(inputs, folder / "case")
    return _plan_and_write(read_case(case_path), folder, options.json, {"case file": case_path})


def _plan(options: argparse.Namespace) -> int:
    folder = options.out or options.case.parent / f"{options.case.stem}-plan"
    effort = _effort(options.time_limit)
    return _plan_and_write(read_case(options.case), folder, options.json, {}, effort)


def _effort(time_limit_s: float | None) -> Effort | None:
    if time_limit_s is None:
        return None
    if not time_limit_s > 0:
        raise InputError(f"--time-limit {time_limit_s:g} must be a positive number of seconds.")
    return Effort(time_limit_s=time_limit_s)


def _check(options: argparse.Namespace) -> int:
    case = prepare(read_case(options.case))
    findings = check_case(case.inputs)
    if options.json:
        print_json(_check_document(case, findings))
    else:
        case_summary(case, findings)
    return DONE


def _plan_and_write(
    inputs: CaseInputs, folder: Path, as_json: bool, files: dict[str, Path], effort: Effort | None = None
) -> int:
    with progress_shown(quiet=as_json) as progress:
        progress("structures", 0, 1)
        case = prepare(inputs)
        case = with_findings(case, check_case(inputs))
        progress("structures", 1, 1)
        treatment = plan_and_analyse(compute_rows(case, progress), progress=progress, effort=effort)
        progress("report", 0, 1)
        files |= write_results(treatment, folder, page(treatment))
        progress("report", 1, 1)
    _show(treatment, files, as_json)
    return DONE


def _show(treatment: Treatment, files: dict[str, Path], as_json: bool) -> None:
    if as_json:
        sys.stdout.write(
            plan_text(plan_document(treatment) | {"files": {what: str(path) for what, path in files.items()}})
        )
    else:
        plan_summary(treatment, files)


def _check_document(case: Case, findings: Sequence[Finding]) -> dict[str, Any]:
    structures = case.structures
    problem = case.inputs.prescription.problem(case.inputs.settings.device)
    return {
        "case": case.name,
        "valid": True,
        "structures": [
            {"name": s.name, "role": str(s.role), "volume_ml": structures.volume_ml(s)} for s in structures.all
        ],
        "sites": [{"name": site.name, "lung_shunt": site.lung_shunt} for site in case.sites],
        "prescription": str(problem).splitlines(),
        "scout_share_in_liver": case.scout_share_in_liver,
        "notices": [{"name": n.name, "message": n.message} for n in case.notices],
        "findings": [asdict(finding) for finding in findings],
    }
