"""The command line: ``demo | plan | check | explain | front | robust | vials | certify | kernel | dose | lutetium |
course | rtdose | register | segment | sites | calc``.

Exit codes: 0 done, 2 bad input, 3 infeasible limits, 4 a plan that does not stand up to ``certify``,
5 one that does but has no certificate of its bound, 1 anything else.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence

import radioembolization
from radioembolization.cli import (
    analysis,
    calc,
    certify,
    course,
    dosimetry,
    lutetium,
    planning,
    registration,
    rtdose,
    segment,
    shunt,
    sites,
)
from radioembolization.cli.shared import BAD_INPUT, FAILED, INFEASIBLE, REJECTED, fail
from radioembolization.errors import CertificateRejected, Infeasible, InputError, MissingPackage, PlannerError

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    try:
        return int(options.run(options))
    except Infeasible as error:
        contradicting = list(error.irreducible)
        return fail("infeasible", error, INFEASIBLE, options.json, excess=error.excess, irreducible=contradicting)
    except CertificateRejected as error:
        return fail("rejected", error, REJECTED, options.json)
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (InputError, OSError) as error:
        return fail("bad input", error, BAD_INPUT, options.json)
    except (MissingPackage, PlannerError) as error:
        return fail("failed", error, FAILED, options.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="radioembolization-planner",
        description="Plans hepatic radioembolization: injection sites and activities, optimized, with proof; and "
        "computes dose from activity. Research use only; not a medical device.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {radioembolization.__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    planning.add_commands(commands)
    analysis.add_commands(commands)
    certify.add_commands(commands)
    dosimetry.add_commands(commands)
    lutetium.add_commands(commands)
    course.add_commands(commands)
    rtdose.add_commands(commands)
    registration.add_commands(commands)
    segment.add_commands(commands)
    sites.add_commands(commands)
    shunt.add_commands(commands)
    calc.add_commands(commands)
    return parser
