"""The command line: ``radioembolization-planner demo | plan | check``.

Exit codes: 0 planned, 2 bad input, 3 infeasible limits, 1 anything else.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import radioembolization
from radioembolization.errors import Infeasible, InputError, MissingPackage, PlannerError
from radioembolization.files import plan_document, read_case, write_case, write_results
from radioembolization.report import page
from radioembolization.report.summary import case_summary, plan_summary
from radioembolization.treatment import Case, CaseInputs, Treatment, plan_treatment, prepare
from radioembolization.treatment.treatment import Progress

PLANNED, FAILED, BAD_INPUT, INFEASIBLE = 0, 1, 2, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    try:
        return int(options.run(options))
    except Infeasible as error:
        return _fail("infeasible", error, INFEASIBLE, options.json, excess=error.excess)
    except (InputError, OSError) as error:
        return _fail("bad input", error, BAD_INPUT, options.json)
    except (MissingPackage, PlannerError) as error:
        return _fail("failed", error, FAILED, options.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="radioembolization-planner",
        description="Plans hepatic radioembolization: injection sites and activities, optimized, with proof. "
        "Research use only; not a medical device.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {radioembolization.__version__}")
    commands = parser.add_subparsers(dest="command", required=True)

    demo = commands.add_parser("demo", help="plan the embedded synthetic patient")
    demo.add_argument("--seed", type=int, default=1, help="which synthetic patient (default 1)")
    demo.add_argument("--spacing", type=float, default=3.0, metavar="MM", help="CT voxel size (default 3 mm)")
    demo.set_defaults(run=_demo)

    plan = commands.add_parser("plan", help="plan a case file")
    plan.add_argument("case", type=Path, metavar="CASE.toml")
    plan.set_defaults(run=_plan)

    check = commands.add_parser("check", help="validate and explain a case file without computing dose")
    check.add_argument("case", type=Path, metavar="CASE.toml")
    check.set_defaults(run=_check)

    for command in (demo, plan):
        command.add_argument("--out", type=Path, metavar="DIR", help="where results go")
    for command in (demo, plan, check):
        command.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    return parser


def _demo(options: argparse.Namespace) -> int:
    from radioembolization.phantom import synthetic_case

    folder = options.out or Path("demo-out")
    if not 1.0 <= options.spacing <= 10.0:
        raise InputError(f"--spacing {options.spacing:g} mm is outside 1 to 10 mm.")
    inputs = synthetic_case(seed=options.seed, spacing_mm=options.spacing)
    case_path = write_case(inputs, folder / "case")
    return _plan_and_write(read_case(case_path), folder, options.json, {"case file": case_path})


def _plan(options: argparse.Namespace) -> int:
    folder = options.out or options.case.parent / f"{options.case.stem}-plan"
    return _plan_and_write(read_case(options.case), folder, options.json, {})


def _check(options: argparse.Namespace) -> int:
    case = prepare(read_case(options.case))
    if options.json:
        _print_json(_check_document(case))
    else:
        case_summary(case)
    return PLANNED


def _plan_and_write(inputs: CaseInputs, folder: Path, as_json: bool, files: dict[str, Path]) -> int:
    with _progress_shown(quiet=as_json) as progress:
        progress("structures", 0, 1)
        case = prepare(inputs)
        progress("structures", 1, 1)
        treatment = plan_treatment(case, progress)
        progress("report", 0, 1)
        files |= write_results(treatment, folder, page(treatment))
        progress("report", 1, 1)
    _show(treatment, files, as_json)
    return PLANNED


def _show(treatment: Treatment, files: dict[str, Path], as_json: bool) -> None:
    if as_json:
        _print_json(plan_document(treatment) | {"files": {what: str(path) for what, path in files.items()}})
    else:
        plan_summary(treatment, files)


@contextmanager
def _progress_shown(quiet: bool) -> Iterator[Progress]:
    """Show progress bars on the error stream, so that the output stays clean."""
    if quiet or not sys.stderr.isatty():
        yield lambda what, step, steps: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bars

    with Bars(console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, Any] = {}

        def progress(what: str, step: int, steps: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=steps)
            bars.update(tasks[what], completed=step, total=steps)

        yield progress


def _check_document(case: Case) -> dict[str, Any]:
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
    }


def _print_json(document: dict[str, Any]) -> None:
    json.dump(document, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def _fail(status: str, error: Exception, code: int, as_json: bool, **more: Any) -> int:
    if as_json:
        _print_json({"status": status, "error": type(error).__name__, "message": str(error), **more})
    else:
        sys.stderr.write(f"{status}: {type(error).__name__}: {error}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
