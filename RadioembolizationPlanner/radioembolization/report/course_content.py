"""What the page of a course says beyond the fields of the course: rows and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from radioembolization.biology import TissueBiology
from radioembolization.course.course import Administration, Alternative, Course, StructureEffect
from radioembolization.course.exposure import Exposure
from radioembolization.course.uptake import RegionUptake
from radioembolization.physics import Sourced
from radioembolization.physics.sourced import Status
from radioembolization.report.formats import gbq, gy, significant
from radioembolization.treatment.planned_course import PlannedCourse

#: The order in which kinds of structures stand, with their titles.
KINDS = {
    "hepatic lesion": "Lesions in the liver",
    "extrahepatic lesion": "Lesions outside the liver",
    "organ": "Organs",
}


@dataclass(frozen=True)
class LedgerRow:
    """One administration, given or planned."""

    label: str
    week: float
    activity: str
    sites: str
    state: str


def ledger_rows(planned: PlannedCourse) -> list[LedgerRow]:
    """Return history and course in order of time."""
    sites = {one.label: _sites(one) for one in planned.course.administrations}
    return [
        LedgerRow(
            label=exposure.label,
            week=exposure.day / 7.0,
            activity="–" if exposure.activity_gbq is None else gbq(exposure.activity_gbq),
            sites=sites.get(exposure.label, ""),
            state=_state(exposure, planned),
        )
        for exposure in planned.course.ledger.exposures
    ]


def _sites(one: Administration) -> str:
    return ", ".join(f"{name} {gbq(activity)} GBq" for name, activity in one.sites)


def _state(exposure: Exposure, planned: PlannedCourse) -> str:
    if exposure in planned.planned:
        return "planned"
    return "given, measured" if exposure.measured else "given"


def effects_by_kind(course: Course) -> list[tuple[str, list[StructureEffect]]]:
    """Return what structures receive, by kind, each with its title."""
    groups = [(title, [effect for effect in course.effects if effect.kind == kind]) for kind, title in KINDS.items()]
    return [(title, effects) for title, effects in groups if effects]


def proof_sentence(course: Course) -> str:
    """Return what the bound of a course means."""
    return (
        f"No course within these rules, of any kind and with any weeks, brings the {course.objective_name} beyond "
        f"{gy(course.bound)} {course.unit}; this one is at {gy(course.objective)} {course.unit}. The bound of every "
        "kind holds for all of its schedules at once. It is about this model of the patient: uptakes, tissue "
        "parameters, dose rows and limits as they stand here."
    )


def ties_sentence(course: Course) -> str:
    """Return how many schedules are as good."""
    ties = course.ties
    if ties.schedules <= 1:
        return "No other schedule is within 1 % of the best."
    return (
        f"{ties.schedules} of {ties.of} schedules are within 1 % of the best and count as equal: choose among them by "
        "what the patient and the clinic need. The best is shown, of exact equals the earliest."
    )


def alternative_value(one: Alternative) -> str:
    """Return the objective of an alternative, or a dash."""
    return "–" if one.objective is None else gy(one.objective)


def sourced_text(number: Sourced[float]) -> str:
    """Return a number with its status if it is not confirmed."""
    return significant(number.value) + ("" if number.status is Status.CONFIRMED else f" ({number.status})")


def uptake_range(uptake: RegionUptake) -> str:
    """Return the range of an uptake [Gy/GBq], or a dash."""
    if uptake.range_gy_per_gbq is None:
        return "–"
    return " to ".join(f"{end:g}" for end in uptake.range_gy_per_gbq)


def tissues_grouped(tissues: Mapping[str, TissueBiology]) -> list[tuple[str, TissueBiology]]:
    """Return tissues, each with the names of the structures that have it."""
    found: dict[tuple[str, Sourced[float], Sourced[float]], list[str]] = {}
    for name, tissue in tissues.items():
        found.setdefault((tissue.name, tissue.alpha_beta_gy, tissue.repair_half_time_h), []).append(name)
    return [(", ".join(names), tissues[names[0]]) for names in found.values()]


def impossible_by_reason(course: Course) -> list[tuple[str, list[str]]]:
    """Return the reasons for which kinds of course cannot be given, each with the kinds."""
    found: dict[str, list[str]] = {}
    for kind, reasons in course.impossible:
        found.setdefault("; ".join(reasons), []).append(kind)
    return list(found.items())
