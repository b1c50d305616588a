"""What a planned course leaves on disk: JSON document, ledger table, page."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import radioembolization
from radioembolization.course.constraints import Constraints
from radioembolization.course.course import Course
from radioembolization.course.exposure import Exposure
from radioembolization.files.plan_file import RESEARCH_USE_ONLY
from radioembolization.files.replacing import replacing
from radioembolization.treatment import package_versions
from radioembolization.treatment.course_contrasts import contrasts, liver_limit_beds_gy, stresses
from radioembolization.treatment.planned_course import PlannedCourse

#: Version of the course document, ``course.schema.json``; the first number changes when a reader breaks.
COURSE_SCHEMA_VERSION = "1.0"


def course_document(planned: PlannedCourse) -> dict[str, Any]:
    """Return a course as a JSON document (see ``docs/course.md``); no clock, no path, no identifier."""
    course, problem, case = planned.course, planned.problem, planned.inputs.case
    document: dict[str, Any] = {
        "schema_version": COURSE_SCHEMA_VERSION,
        "notice": RESEARCH_USE_ONLY,
        "software": {
            "name": "radioembolization-planner",
            "version": radioembolization.__version__,
            "packages": package_versions(),
        },
        "case": {"name": case.name, "synthetic": planned.prepared.case.synthetic, "device": case.settings.device.name},
        "course": _course(course),
        "first_plan": None if planned.first_plan is None else _course(planned.first_plan),
        "changed": list(planned.changed),
        "effects": [asdict(effect) for effect in course.effects],
        "contrasts": [asdict(contrast) for contrast in contrasts(planned)],
        "budgets": [asdict(one) | {"left_gy": one.left_gy, "kept": one.kept} for one in course.balances],
        "normal_liver": {
            "reduced_limits": [asdict(one) for one in course.reduced],
            "limit_beds": [
                {"name": name, "limit_gy": dose, "bed_gy": bed, "device": case.settings.device.name}
                for name, (dose, bed) in liver_limit_beds_gy(problem).items()
            ],
        },
        "limits": [asdict(limit) for limit in course.limits],
        "stress": [asdict(one) | {"kept": one.kept} for one in stresses(planned)],
        "alternatives": [asdict(one) for one in course.alternatives],
        "ties": asdict(course.ties),
        "impossible": [{"kind": kind, "reasons": list(reasons)} for kind, reasons in course.impossible],
        "findings": [asdict(one) | {"blocks": one.blocks} for one in planned.findings],
        "may_be_given": planned.may_be_given,
        "uptakes": [asdict(uptake) for uptake in problem.uptakes.values()],
        "tissues": {name: asdict(tissue) for name, tissue in problem.tissues.items()},
        "rules": _rules(planned.inputs.constraints),
        "ledger": [_exposure(exposure, planned) for exposure in course.ledger.exposures],
        "explanation": list(course.explanation),
        "notices": [asdict(notice) for notice in planned.notices],
        "inputs": {part: {"sha256": digest} for part, digest in sorted((planned.hashes or {}).items())},
    }
    return dict(json.loads(json.dumps(document, allow_nan=False)))  # plain JSON types throughout


def _course(course: Course) -> dict[str, Any]:
    return {
        "kind": course.kind,
        "administrations": [asdict(one) for one in course.administrations],
        "objective": {
            "name": course.objective_name,
            "unit": course.unit,
            "value": course.objective,
            "bound": course.bound,
            "gap": course.gap,
        },
    }


def _rules(constraints: Constraints) -> dict[str, Any]:
    return {
        "intervals": [asdict(rule) for rule in constraints.intervals],
        "blood_tests": [asdict(threshold) for threshold in constraints.gate.thresholds],
        "lab_age_days": constraints.gate.lab_age_days,
        "reasons": dict(constraints.reasons),
    }


def _exposure(exposure: Exposure, planned: PlannedCourse) -> dict[str, Any]:
    """Return an administration; dates and identifiers stay in the files they came from."""
    return {
        "label": exposure.label,
        "day": exposure.day,
        "modality": str(exposure.modality),
        "device": exposure.device,
        "activity_gbq": exposure.activity_gbq,
        "measured": exposure.measured,
        "planned": exposure in planned.planned,
        "source": exposure.source,
        "fractions": exposure.fractions,
        "dose_gy": dict(exposure.dose_gy),
        "half_life_h": dict(exposure.half_life_h),
        "not_exposed": sorted(exposure.not_exposed),
    }


def write_course_results(planned: PlannedCourse, folder: Path, page_html: str | None = None) -> dict[str, Path]:
    """Write document, ledger and page into a folder; return the files by what they are.

    Each file takes its place when it is complete.
    """
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "course": ("course.json", json.dumps(course_document(planned), indent=2, ensure_ascii=False) + "\n"),
        "ledger": ("ledger.csv", _ledger_table(planned)),
    }
    if page_html is not None:
        texts["page"] = ("course.html", page_html)
    for name, text in texts.values():
        with replacing(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
    return {what: folder / name for what, (name, _) in texts.items()}


def _ledger_table(planned: PlannedCourse) -> str:
    """Return the ledger: a row for each structure and administration, with running totals."""
    stream, ledger = io.StringIO(), planned.course.ledger
    writer = csv.writer(stream, lineterminator="\n")
    columns = ("dose_gy", "bed_gy", "cross_bed_gy", "total_dose_gy", "total_bed_gy")
    writer.writerow(["structure", "administration", "day", "modality", *columns])
    for effect in planned.course.effects:
        totals = ledger.cumulative(effect.name)
        for entry, (_, dose, bed) in zip(ledger.entries(effect.name), totals, strict=True):
            exposure = entry.exposure
            numbers = (entry.dose_gy, entry.bed_gy, entry.cross_bed_gy, dose, bed)
            row = [effect.name, exposure.label, f"{exposure.day:g}", str(exposure.modality)]
            writer.writerow(row + [f"{number:.4f}" for number in numbers])
    return stream.getvalue()
