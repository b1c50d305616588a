"""The command ``calc``: the activity and dose formulas of clinical practice, and BED."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import radioembolization
from radioembolization.cli import calc_biology, calc_formulas, calc_shunt
from radioembolization.cli.calc_formulas import Calculation
from radioembolization.cli.shared import DONE, print_json
from radioembolization.errors import InputError
from radioembolization.physics import Convention
from radioembolization.report.formula_summary import formula_summary
from radioembolization.report.summary import RESEARCH_USE_ONLY
from radioembolization.treatment.case import collected_notices

#: Arguments that are not part of what was asked.
_NOT_INPUTS = {"command", "formula", "run", "json", "calculate", "convention"}


def add_commands(commands: Any) -> None:
    """Add the command and its formulas to the subparsers of the command line."""
    text = "formulas: partition, mird, bsa, holmium, lung, shunt, decay, bed"
    calc = commands.add_parser("calc", help=text, description=f"{text}. {RESEARCH_USE_ONLY}")
    formulas = calc.add_subparsers(dest="formula", required=True)
    _add_partition(formulas)
    _add_mird(formulas)
    _add_rules(formulas)
    _add_lung(formulas)
    _add_shunt(formulas)
    _add_decay(formulas)
    _add_bed(formulas)


def _add_partition(formulas: Any) -> None:
    partition = _formula(formulas, "partition", "partition model, any number of tumours", calc_formulas.partition)
    _device_and_shunt(partition)
    given = partition.add_mutually_exclusive_group(required=True)
    given.add_argument("--activity", type=float, metavar="A", help="injected [GBq]")
    given.add_argument("--normal-liver-gy", type=float, metavar="D", help="mean dose of normal liver [Gy]")
    partition.add_argument("--normal-liver-kg", type=float, required=True, metavar="M", help="perfused normal liver")
    partition.add_argument("--tumour-kg", type=float, nargs="+", default=[], metavar="M", help="mass of each tumour")
    partition.add_argument(
        "--tnr", type=float, nargs="+", default=[], metavar="R", help="ratio of concentrations, each"
    )


def _add_mird(formulas: Any) -> None:
    mird = _formula(formulas, "mird", "single compartment", calc_formulas.mird)
    _device_and_shunt(mird)
    mird.add_argument("--dose", type=float, metavar="D", help="mean dose of the perfused mass [Gy]")
    mird.add_argument("--activity", type=float, metavar="A", help="prepared, at injection [GBq]")
    mird.add_argument("--mass-kg", type=float, required=True, metavar="M", help="perfused mass with tumours")
    mird.add_argument("--residual", type=float, default=0.0, metavar="R", help="fraction left behind (default 0)")


def _add_rules(formulas: Any) -> None:
    bsa = _formula(formulas, "bsa", "BSA method of resin; with --lobe-ml the modified one", calc_formulas.bsa)
    bsa.add_argument("--height-m", type=float, required=True, metavar="H")
    bsa.add_argument("--weight-kg", type=float, required=True, metavar="W")
    bsa.add_argument("--tumour-ml", type=float, required=True, metavar="V", help="in the lobe with --lobe-ml")
    bsa.add_argument("--lobe-ml", type=float, metavar="V", help="treated lobe with its tumours")
    bsa.add_argument("--liver-ml", type=float, required=True, metavar="V", help="liver with all tumours")
    holmium = _formula(formulas, "holmium", "3780 rule of 166Ho", calc_formulas.holmium)
    holmium.add_argument("--liver-kg", type=float, required=True, metavar="M", help="treated liver with tumours")
    for rule in (bsa, holmium):
        _lungs_of(rule)


def _add_lung(formulas: Any) -> None:
    lung = _formula(formulas, "lung", "lung dose by shunt and mass", calc_formulas.lung)
    _device_and_shunt(lung)
    lung.add_argument("--activity", type=float, metavar="A", help="injected [GBq]")
    lung.add_argument("--limit-gy", type=float, metavar="D", help="gives the activity of this lung dose")


def _add_shunt(formulas: Any) -> None:
    shunt = _formula(formulas, "shunt", "lung shunt by planar images or SPECT/CT", calc_shunt.shunt)
    for organ in ("lungs", "liver"):
        for view in ("anterior", "posterior"):
            shunt.add_argument(f"--{organ}-{view}", type=float, metavar="N", help="planar counts")
    for organ in ("lungs", "liver"):
        shunt.add_argument(f"--{organ}-pixels", type=float, default=0.0, metavar="N", help="area, for background")
        for view in ("anterior", "posterior"):
            option = f"--{organ}-background-{view}"
            shunt.add_argument(option, type=float, default=0.0, metavar="N", help="counts per pixel beside it")
    shunt.add_argument("--spect-lungs", type=float, metavar="N", help="counts in the lungs in a SPECT")
    shunt.add_argument("--spect-liver", type=float, metavar="N", help="counts in the liver in a SPECT")
    shunt.add_argument(
        "--measured-share",
        type=float,
        default=1.0,
        metavar="S",
        help="share of the lungs with those counts (default 1)",
    )
    shunt.add_argument("--device", help="glass, resin or holmium, for cautions")


def _add_decay(formulas: Any) -> None:
    decay = _formula(formulas, "decay", "activity after a time", calc_formulas.decay)
    which = decay.add_mutually_exclusive_group(required=True)
    which.add_argument("--device", help="glass, resin or holmium")
    which.add_argument("--nuclide", help="such as Y-90, Ho-166, Lu-177")
    decay.add_argument("--activity", type=float, required=True, metavar="A", help="at the start [GBq]")
    decay.add_argument("--hours", type=float, required=True, metavar="T", help="elapsed; negative: before")


def _add_bed(formulas: Any) -> None:
    bed = _formula(formulas, "bed", "BED and EQD2 of a decaying dose rate", calc_biology.bed)
    bed.add_argument("--dose", type=float, required=True, metavar="D", help="[Gy]")
    bed.add_argument("--alpha-beta", type=float, metavar="R", help="[Gy]")
    bed.add_argument("--repair-h", type=float, metavar="T", help="half-time of repair")
    bed.add_argument("--tissue", help="stated values: normal-liver, tumour, kidney or marrow")
    which = bed.add_mutually_exclusive_group(required=True)
    which.add_argument("--effective-h", type=float, metavar="T", help="half-life of the dose rate")
    which.add_argument("--device", help="its physical half-life")
    which.add_argument("--nuclide", help="its physical half-life")
    bed.add_argument("--second-dose", type=float, metavar="D", help="of another source [Gy]")
    bed.add_argument("--second-effective-h", type=float, metavar="T")
    bed.add_argument("--delay-h", type=float, default=0.0, metavar="T", help="from first to second start (default 0)")
    bed.add_argument("--sweep-alpha-beta", type=float, nargs="+", metavar="R", help="also for these [Gy]")
    bed.add_argument("--sweep-repair-h", type=float, nargs="+", metavar="T", help="also for these")


def _formula(
    formulas: Any, name: str, text: str, calculate: Callable[[argparse.Namespace], Calculation]
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = formulas.add_parser(name, help=text)
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of a table")
    parser.set_defaults(run=_calc, calculate=calculate)
    return parser


def _device_and_shunt(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", required=True, help="glass, resin or holmium")
    _lungs_of(parser)


def _lungs_of(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lung-shunt", type=float, required=True, metavar="L", help="fraction, not per cent")
    parser.add_argument("--lung-kg", type=float, metavar="M", help="lung mass, best from CT (default 1.0, noted)")
    parser.add_argument("--convention", default=str(Convention.CLINICAL), help="energy per decay (default clinical)")


def _calc(options: argparse.Namespace) -> int:
    with collected_notices() as notices:
        calculation = options.calculate(options)
    _refuse_overflow(calculation)
    if options.json:
        print_json(_document(options, calculation) | {"notices": [asdict(notice) for notice in notices]})
    else:
        formula_summary(
            calculation.formula,
            calculation.equation,
            calculation.source,
            calculation.results,
            calculation.constants,
            notices,
        )
    return DONE


def _refuse_overflow(calculation: Calculation) -> None:
    for name, value in calculation.results.items():
        if not all(map(math.isfinite, value if name == "tumours_gy" else [] if name == "sweep" else [value])):
            raise InputError(
                f"'{name}' of the {calculation.formula} is not a finite number: check the sizes of the inputs."
            )


def _document(options: argparse.Namespace, calculation: Calculation) -> dict[str, Any]:
    typed = {name: value for name, value in vars(options).items() if name not in _NOT_INPUTS and value is not None}
    return {
        "software": f"radioembolization-planner {radioembolization.__version__}",
        "notice": RESEARCH_USE_ONLY,
        "formula": calculation.formula,
        "equation": calculation.equation,
        "source": calculation.source,
        **calculation.constants,
        "inputs": typed,
        **calculation.results,
    }
