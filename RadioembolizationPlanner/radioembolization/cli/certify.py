"""The command ``certify``: a plan file checked without any solver."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from radioembolization.cli.shared import DONE, UNPROVED, print_json
from radioembolization.dose import DosePerGBq, compute_dose_per_gbq
from radioembolization.errors import CertificateRejected
from radioembolization.files import ROWS_NAME, PlanFile, read_case, read_plan, read_rows
from radioembolization.planning.problem import Problem
from radioembolization.planning.recheck import Recheck, recheck
from radioembolization.treatment import CaseInputs, prepare

#: Rows rebuilt from the images may differ from those stored by this share of the largest dose.
_SAME_ROWS = 1e-5


@dataclass(frozen=True)
class _Rebuilt:
    """Dose rows computed anew from the images; ``difference`` is the largest, over the largest dose."""

    dose: DosePerGBq
    difference: float
    inputs: int


def add_commands(commands: Any) -> None:
    """Add the command to the subparsers of the command line."""
    certify = commands.add_parser(
        "certify",
        help="check the doses, limits and bound of a plan file, without a solver",
        description="Exit code 0: everything stands. 4: something does not, with the reason. 5: doses and limits "
        "stand, but the file has no certificate of its bound.",
    )
    certify.add_argument("plan", type=Path, metavar="PLAN.json")
    certify.add_argument("--rows", type=Path, metavar="FILE", help=f"dose rows (default {ROWS_NAME} beside the plan)")
    certify.add_argument("--rebuild", type=Path, metavar="CASE.toml", help="compute the dose rows from the images too")
    certify.add_argument("--json", action="store_true", help="print one JSON document instead of sentences")
    certify.set_defaults(run=_certify)


def _certify(options: argparse.Namespace) -> int:
    stated = read_plan(options.plan)
    rows = read_rows(options.rows or options.plan.parent / ROWS_NAME)
    found = recheck(stated.plan, rows, bq_per_sphere=stated.bq_per_sphere)
    rebuilt = None if options.rebuild is None else _rebuild(stated, rows, read_case(options.rebuild))
    document = _document(stated, found, rebuilt)
    if options.json:
        print_json(document)
    else:
        _print(document)
    return DONE if found.bound is not None else UNPROVED


def _rebuild(stated: PlanFile, stored: DosePerGBq, inputs: CaseInputs) -> _Rebuilt:
    """Check that a case is the one of the plan, and the plan on dose rows computed from its images."""
    if dict(inputs.hashes) != stated.hashes:
        parts = {*inputs.hashes, *stated.hashes}
        changed = sorted(part for part in parts if inputs.hashes.get(part) != stated.hashes.get(part))
        raise CertificateRejected(f"The case is not that of the plan: the SHA256 of {', '.join(changed)} differ.")
    problem = inputs.prescription.problem(inputs.settings.device)
    if stated.plan.prescription is None or Problem.from_tables(stated.plan.prescription) != problem:
        raise CertificateRejected("The prescription of the plan is not that of the case.")
    case = prepare(inputs)
    dose = compute_dose_per_gbq(case.territories, case.inputs.settings, None, case.density)
    difference = _difference(stored, dose)
    recheck(stated.plan, dose, same_rows=False, bq_per_sphere=stated.bq_per_sphere)
    return _Rebuilt(dose, difference, len(stated.hashes))


def _difference(stored: DosePerGBq, rebuilt: DosePerGBq) -> float:
    """Return the largest difference of two sets of dose rows over the largest dose; refuse others than small ones."""
    if stored.site_names != rebuilt.site_names or stored.rows.shape != rebuilt.rows.shape:
        raise CertificateRejected("Sites or voxels of the stored dose rows are not those of the case.")
    same = np.array_equal(stored.perfused, rebuilt.perfused) and len(stored.structures) == len(rebuilt.structures)
    for one, other in zip(stored.structures, rebuilt.structures, strict=False):
        same = same and (one.name, one.role) == (other.name, other.role) and np.array_equal(one.voxels, other.voxels)
    if not same:
        raise CertificateRejected("Structures or territories of the stored dose rows are not those of the case.")
    difference = _largest(stored.rows, rebuilt.rows)
    pairs: list[tuple[np.ndarray | None, np.ndarray | None]] = [
        (stored.voxel_kg, rebuilt.voxel_kg),
        (stored.lung_shunt, rebuilt.lung_shunt),
        (stored.lung_gy_per_gbq, rebuilt.lung_gy_per_gbq),
        (stored.extrahepatic_share, rebuilt.extrahepatic_share),
    ]
    pairs += [
        (np.array([one.volume_ml, one.mass_kg]), np.array([other.volume_ml, other.mass_kg]))
        for one, other in zip(stored.structures, rebuilt.structures, strict=True)
    ]
    others = max(_largest(one, other) for one, other in pairs)
    if not max(difference, others) <= _SAME_ROWS:
        raise CertificateRejected(
            f"The stored dose rows differ from those of the images by {max(difference, others):.2g} of the largest "
            f"value; {_SAME_ROWS:g} is rounding."
        )
    return difference


def _largest(one: np.ndarray | None, other: np.ndarray | None) -> float:
    if one is None or other is None:
        return 0.0 if one is None and other is None else np.inf
    return float(np.max(np.abs(one - other)) / max(float(np.max(np.abs(other))), 1e-300))


def _document(stated: PlanFile, found: Recheck, rebuilt: _Rebuilt | None) -> dict[str, Any]:
    goal, checked, unproved = stated.plan.goal, list(found.checked), list(found.unproved)
    if rebuilt is None:
        unproved.append("that the dose rows follow from the images: use --rebuild CASE.toml")
    else:
        checked.append(f"inputs: SHA256 of {rebuilt.inputs} files as stated, prescription as in the case")
        checked.append(
            f"rebuilt: dose rows computed from the images differ by {rebuilt.difference:.2g} of the largest dose; plan "
            "and bound stand on them too"
        )
    return {
        "status": "stands" if found.bound is not None else "stands, but nothing proves a bound",
        "case": stated.name,
        "goal": goal.name,
        "unit": goal.unit,
        "sense": goal.sense,
        "value": found.value,
        "bound": found.bound,
        "gap": found.gap,
        "checked": checked,
        "not_proved": unproved,
        "largest_difference_of_rows": None if rebuilt is None else rebuilt.difference,
    }


def _print(document: dict[str, Any]) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    unit = f" {document['unit']}" if document["unit"] else ""
    for line in document["checked"]:
        console.print(f"Checked: {line}.", markup=False)
    for line in document["not_proved"]:
        console.print(f"Not proved: {line.rstrip('.')}.", markup=False)
    text = f"{document['case']}: {document['status']}. {document['sense']} {document['goal']}: {document['value']:.6g}"
    if document["bound"] is not None:
        text += f"{unit}; no plan within the limits surpasses {document['bound']:.6g}"
        unit += f" (gap {document['gap']:.2g})"
    console.print(f"{text}{unit}.", markup=False)
