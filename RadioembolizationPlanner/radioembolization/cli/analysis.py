"""The commands on one aspect of a plan: ``explain``, ``front``, ``robust`` and ``vials``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from radioembolization.cli.shared import DONE, print_json, progress_shown
from radioembolization.dose import Uncertainty
from radioembolization.errors import CaseFileError, InputError
from radioembolization.files import read_case
from radioembolization.files.analysis_document import analysis_document, compact_text, microspheres_document
from radioembolization.files.replacing import replacing
from radioembolization.planning import RobustPlan
from radioembolization.report.analysis_terminal import print_explanation, print_front, print_robust, print_vials
from radioembolization.report.figures import (
    bands_figure,
    chances_figure,
    contributions_figure,
    front_figure,
    staircase_figure,
    vials_figure,
)
from radioembolization.report.terminal import RESEARCH_USE_ONLY, terminal_console
from radioembolization.treatment import (
    AnalysisRequest,
    CaseInputs,
    FrontRequest,
    Treatment,
    analysed,
    plan_treatment,
    prepare,
)

#: Sections of the analysis by command.
_SECTION = {"explain": "explanation", "front": "trade_offs", "robust": "scenarios", "vials": "vials"}


def add_commands(commands: Any) -> None:
    """Add the commands to the subparsers of the command line."""
    _command(commands, "explain", "why the plan of a case file is as it is", _explanation_of, print_explanation)
    front = _command(
        commands, "front", "the goal against the bound of a limit, and against injections", _front_of, print_front
    )
    front.add_argument("--limit", default="", metavar="NAME", help="as printed, or a part of it (default: holds most)")
    front.add_argument("--from", dest="first", type=float, metavar="B", help="lowest bound, with --to")
    front.add_argument("--to", dest="last", type=float, metavar="B", help="highest bound, with --from")
    _command(commands, "robust", "a plan that withstands what may turn out differently", _robust_of, print_robust)
    _command(commands, "vials", "which vials to order for the plan, and when", _vials_of, print_vials)


def _command(
    commands: Any,
    name: str,
    text: str,
    asked: Callable[[argparse.Namespace, CaseInputs], AnalysisRequest],
    show: Callable[[Treatment], None],
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text)
    parser.add_argument("case", type=Path, metavar="CASE.toml")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the result goes (default CASE-plan)")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    parser.set_defaults(run=lambda options: _run(options, asked, show))
    return parser


def _explanation_of(options: argparse.Namespace, inputs: CaseInputs) -> AnalysisRequest:
    return replace(inputs.analysis, explanation=True, front=None, staircase=False)


def _front_of(options: argparse.Namespace, inputs: CaseInputs) -> AnalysisRequest:
    in_file = inputs.analysis.front or FrontRequest()
    if (options.first is None) != (options.last is None):
        raise InputError("--from and --to belong together: state both bounds of the front.")
    between = (options.first, options.last) if options.first is not None else None
    limit = options.limit or in_file.limit
    front = FrontRequest(limit, between or (None if options.limit else in_file.between))
    return AnalysisRequest(explanation=False, front=front, staircase=True)


def _robust_of(options: argparse.Namespace, inputs: CaseInputs) -> AnalysisRequest:
    uncertainty = inputs.analysis.uncertainty or Uncertainty.default(inputs.settings.device.name)
    microspheres = inputs.analysis.microspheres
    return AnalysisRequest(explanation=False, uncertainty=uncertainty, robust=True, microspheres=microspheres)


def _vials_of(options: argparse.Namespace, inputs: CaseInputs) -> AnalysisRequest:
    if inputs.analysis.vials is None:
        raise CaseFileError(f"'{options.case.name}' has no [vials]: state which can be had; see docs/case-file.md.")
    given = inputs.analysis
    return AnalysisRequest(
        explanation=False,
        uncertainty=given.uncertainty if given.robust else None,
        robust=given.robust,
        vials=given.vials,
    )


def _run(
    options: argparse.Namespace,
    asked: Callable[[argparse.Namespace, CaseInputs], AnalysisRequest],
    show: Callable[[Treatment], None],
) -> int:
    inputs = read_case(options.case)
    request = asked(options, inputs)
    folder = options.out or options.case.parent / f"{options.case.stem}-plan"
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--out '{folder}' is a file: name a folder.")
    with progress_shown(quiet=options.json) as progress:
        treatment = analysed(plan_treatment(prepare(inputs), progress), request, progress)
    document = _document(treatment, _SECTION[options.command])
    files = _write(folder, options.command, document, _figures(treatment, options.command))
    if options.json:
        print_json(document | {"files": [str(path) for path in files]})
    else:
        show(treatment)
        for line in (*map(str, files), RESEARCH_USE_ONLY):
            terminal_console().print(line, markup=False, soft_wrap=True)
    return DONE


def _document(treatment: Treatment, section: str) -> dict[str, Any]:
    plan, analysis = treatment.plan, treatment.analysis
    assert analysis is not None
    found = analysis_document(analysis)
    return {
        "notice": RESEARCH_USE_ONLY,
        "case": treatment.case.name,
        "device": plan.settings.device.name,
        "status": plan.status,
        "sites": [{"name": site.name, "activity_gbq": site.activity_gbq} for site in plan.sites],
        "goal": {"name": plan.goal.name, "value": plan.goal.value, "unit": plan.goal.unit},
        "summary": list(plan.explanation),
        section: found[section],
        **({"microspheres": spheres} if (spheres := microspheres_document(analysis)) else {}),
        "nominal": found["nominal"],
        "notices": [{"name": notice.name, "message": notice.message} for notice in treatment.notices],
    }


def _figures(treatment: Treatment, command: str) -> dict[str, str]:
    """Return the figures of a command by file name."""
    analysis, figures = treatment.analysis, {}
    assert analysis is not None
    if command == "explain" and analysis.explanation is not None:
        figures["contributions.svg"] = contributions_figure(analysis.explanation.contributions)
    if command == "vials" and analysis.vials is not None:
        figures["vials.svg"] = vials_figure(analysis.vials)
    if command == "robust" and analysis.robust is not None:
        figures |= _robust_figures(treatment, analysis.robust)
    used, value = len(treatment.plan.used_sites), treatment.plan.goal.value
    if (front := analysis.front) is not None:
        figures["front.svg"] = front_figure(front, (front.limit_bound, value))
    if analysis.staircase is not None:
        figures["staircase.svg"] = staircase_figure(analysis.staircase, (used, value))
    return figures


def _robust_figures(treatment: Treatment, robust: RobustPlan) -> dict[str, str]:
    """Return histograms with their bands, and chances of the limits, in scenarios not used in planning if there are."""
    evaluation, beside = robust.robust_fresh or robust.robust_in, robust.nominal_fresh or robust.nominal_in
    figures = {"chances.svg": chances_figure(evaluation, beside, robust.uncertainty.probability)}
    banded = next((e for e in (robust.robust_fresh, robust.robust_in) if e is not None and e.bands), None)
    if banded is not None:
        figures["bands.svg"] = bands_figure(treatment, banded)
    return figures


def _write(folder: Path, name: str, document: dict[str, Any], figures: dict[str, str]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    texts = {f"{name}.json": compact_text(document) + "\n", **figures}
    for file, text in texts.items():
        with replacing(folder / file) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
    return [folder / file for file in texts]
