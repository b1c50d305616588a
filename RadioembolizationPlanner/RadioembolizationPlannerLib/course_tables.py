"""The tables of a course, made from its document; column names end in their unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from RadioembolizationPlannerLib.course_result import LedgerLine
from RadioembolizationPlannerLib.tables import Columns


def administration_columns(document: Mapping[str, Any]) -> Columns:
    """Return what was and will be given, in order of time."""
    ledger = document["ledger"]
    sites = {one["label"]: one["sites"] for one in document["course"]["administrations"]}
    return {
        "Administration": [one["label"] for one in ledger],
        "Week": [one["day"] / 7.0 for one in ledger],
        "Activity (GBq)": [_number(one["activity_gbq"]) for one in ledger],
        "Sites": [", ".join(f"{name} {gbq:.3g} GBq" for name, gbq in sites.get(one["label"], ())) for one in ledger],
        "State": [_state(one) for one in ledger],
    }


def _state(one: Mapping[str, Any]) -> str:
    if one["planned"]:
        return "planned"
    return "given, measured" if one["measured"] else "given"


def effect_columns(document: Mapping[str, Any]) -> Columns:
    """Return what every structure receives, history included."""
    effects = document["effects"]
    return {
        "Structure": [one["name"] for one in effects],
        "Kind": [one["kind"] for one in effects],
        "177Lu (Gy)": [round(one["lutetium_gy"], 2) for one in effects],
        "Microspheres (Gy)": [round(one["microspheres_gy"], 2) for one in effects],
        "BED (Gy)": [round(one["bed_gy"], 2) for one in effects],
        "EQD2 (Gy)": [round(one["eqd2_gy"], 2) for one in effects],
        "BED of its worst part (Gy)": [_number(one["lowest_part_bed_gy"], 2) for one in effects],
    }


def ledger_columns(lines: Sequence[LedgerLine]) -> Columns:
    """Return dose and BED of every structure after each administration."""
    return {
        "Structure": [line.structure for line in lines],
        "Administration": [line.administration for line in lines],
        "Day": [line.day for line in lines],
        "Dose (Gy)": [round(line.dose_gy, 3) for line in lines],
        "BED (Gy)": [round(line.bed_gy, 3) for line in lines],
        "Cross terms (Gy)": [round(line.cross_bed_gy, 3) for line in lines],
        "Total dose (Gy)": [round(line.total_dose_gy, 3) for line in lines],
        "Total BED (Gy)": [round(line.total_bed_gy, 3) for line in lines],
    }


def limit_columns(document: Mapping[str, Any]) -> Columns:
    """Return the budgets of organs and the limits of the sessions, with what earlier treatment leaves of them."""
    budgets, limits = document["budgets"], document["limits"]
    return {
        "Budget or limit": [*(one["name"] for one in budgets), *(one["name"] for one in limits)],
        "Value": [*(one["spent_gy"] for one in budgets), *(_number(one["value"]) for one in limits)],
        "Bound": [*(one["limit_gy"] for one in budgets), *(one["limit"] for one in limits)],
        "Unit": [*("Gy" for _ in budgets), *(one["unit"] for one in limits)],
        "Status": [
            *("kept" if one["kept"] else "exceeded" for one in budgets),
            *("kept" if one["met"] else "exceeded" for one in limits),
        ],
    }


def alternative_columns(document: Mapping[str, Any]) -> Columns:
    """Return the best course with one modality left out, and with both."""
    alternatives, objective = document["alternatives"], document["course"]["objective"]
    return {
        "Course": [one["name"] for one in alternatives],
        "Kind": [one["kind"] for one in alternatives],
        f"{objective['name']} ({objective['unit']})": [_number(one["objective"], 2) for one in alternatives],
        "Why not": ["; ".join(one["reasons"]) for one in alternatives],
    }


def notice_columns(document: Mapping[str, Any]) -> Columns:
    """Return what the schedule does not keep, and the notices: published values that stand in among them."""
    findings, notices = document["findings"], document["notices"]
    return {
        "Notice": [*(one["finding"] for one in findings), *(one["name"] for one in notices)],
        "Message": [*(one["text"] for one in findings), *(one["message"] for one in notices)],
    }


def _number(value: float | None, digits: int = 6) -> float:
    """Return a number for a table of numbers, NaN where there is none."""
    return float("nan") if value is None else round(value, digits)
