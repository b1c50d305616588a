"""The command ``shunt``: what the scout of a case says of lungs, tumours, and places where nothing should be."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from radioembolization.cli.shared import DONE, print_json
from radioembolization.files import read_case
from radioembolization.files.shunt_document import scout_document
from radioembolization.report.scout_summary import scout_summary
from radioembolization.report.summary import RESEARCH_USE_ONLY
from radioembolization.treatment import prepare
from radioembolization.treatment.scout_analysis import analyse_scout


def add_commands(commands: Any) -> None:
    """Add the command to the subparsers of the command line."""
    text = "lung shunt by every method, tumour-to-normal ratios and extrahepatic foci of a case file"
    shunt = commands.add_parser("shunt", help=text, description=f"{text}. {RESEARCH_USE_ONLY}")
    shunt.add_argument("case", type=Path, metavar="CASE.toml")
    shunt.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    shunt.set_defaults(run=_shunt)


def _shunt(options: argparse.Namespace) -> int:
    case = prepare(read_case(options.case))
    analysis = analyse_scout(case)
    if options.json:
        print_json({"notice": RESEARCH_USE_ONLY, "case": case.name, **scout_document(analysis)})
    else:
        scout_summary(case, analysis)
    return DONE
