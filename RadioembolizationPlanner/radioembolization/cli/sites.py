"""The command ``sites``: what can be injected, what each place reaches, and what of the tumours none reaches."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from radioembolization.cli.shared import DONE, print_json, progress_shown
from radioembolization.errors import InputError
from radioembolization.files import read_case
from radioembolization.files.sites_document import sites_document
from radioembolization.files.sites_files import write_sites
from radioembolization.report.figures import territories_figure
from radioembolization.report.palette import site_colour
from radioembolization.report.sites_summary import sites_summary
from radioembolization.treatment import prepare


def add_commands(commands: Any) -> None:
    """Add the command to the subparsers of the command line."""
    sites = commands.add_parser("sites", help="list candidate sites with their territories, from arteries or as drawn")
    sites.add_argument("case", type=Path, metavar="CASE.toml")
    sites.add_argument("--out", type=Path, metavar="DIR", help="where results go (default beside the case)")
    sites.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    sites.set_defaults(run=_sites)


def _sites(options: argparse.Namespace) -> int:
    folder = options.out or options.case.parent / f"{options.case.stem}-sites"
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--out '{folder}' is a file: name a folder.")
    with progress_shown(quiet=options.json) as progress:
        progress("territories", 0, 1)
        case = prepare(read_case(options.case))
        progress("territories", 1, 1)
        colours = {site.name: site_colour(index) for index, site in enumerate(case.sites)}
        files = write_sites(case, folder, territories_figure(case), colours)
    if options.json:
        print_json(sites_document(case) | {"files": {what: str(path) for what, path in files.items()}})
    else:
        sites_summary(case, files)
    return DONE
