"""Tables of a course file that say what is allowed: tissues, budgets, intervals, blood tests and weeks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any

from radioembolization.biology import TissueBiology, tissue_biology
from radioembolization.course.budget import OrganBudget, organ_budget
from radioembolization.course.constraints import Constraints, stated_constraints
from radioembolization.course.eligibility import Gate, Threshold
from radioembolization.course.exposure import Modality
from radioembolization.course.lutetium_dose import region_kind
from radioembolization.course.schedule import WeekGrid, weeks_within
from radioembolization.errors import CaseFileError
from radioembolization.files.course_tables import tables_by_name
from radioembolization.files.toml_table import Table
from radioembolization.physics import Sourced
from radioembolization.physics.sourced import Status
from radioembolization.planning import Provenance

#: Budgets where a course file names none.
DEFAULT_BUDGETS = ["kidney dose", "marrow dose"]
#: Tissue of a structure by what its name says it is.
_TISSUES = {"liver": "normal liver", "kidney": "kidney", "marrow": "marrow"}


def tissues_from(table: Table, lesions: tuple[str, ...], structures: Iterable[str]) -> dict[str, TissueBiology]:
    """Return the tissue parameters of all structures: stated, else those of the package.

    Raises
    ------
    CaseFileError
        If a structure is of no known tissue and the file states none.
    """
    stated = tables_by_name(table)
    found = {}
    for name in dict.fromkeys([*structures, *stated]):
        entry = stated.get(name, Table({}, f"[tissues.{name}]"))
        known = _known_tissue(name, lesions)
        ratio, repair = entry.number("alpha_beta_gy", None), entry.number("repair_half_time_h", None)
        source = entry.text("source", "user")
        entry.refuse_leftovers()
        if known is None and (ratio is None or repair is None):
            raise CaseFileError(
                f"No tissue parameters of '{name}' are known: add [tissues.{name}] with alpha_beta_gy and "
                "repair_half_time_h."
            )
        found[name] = _tissue(name, known, ratio, repair, source)
    return found


def _known_tissue(name: str, lesions: tuple[str, ...]) -> TissueBiology | None:
    if name in lesions:
        return tissue_biology("tumour")
    kind = _TISSUES.get(region_kind(name))
    return tissue_biology(kind) if kind else None


def _tissue(
    name: str, known: TissueBiology | None, ratio_gy: float | None, repair_h: float | None, source: str
) -> TissueBiology:
    ratio = known.alpha_beta_gy if ratio_gy is None and known else Sourced(ratio_gy or 0.0, source, Status.UNVERIFIED)
    repair = (
        known.repair_half_time_h if repair_h is None and known else Sourced(repair_h or 0.0, source, Status.UNVERIFIED)
    )
    for what, value in (("alpha_beta_gy", ratio), ("repair_half_time_h", repair)):
        if value.value <= 0.0:
            raise CaseFileError(f"[tissues.{name}].{what} must be positive, not {value.value:g}.")
    return TissueBiology(known.name if known else name, ratio, repair, known.alpha_beta_range_gy if known else None)


def budgets_from(table: Table) -> tuple[OrganBudget, ...]:
    """Return the budgets of organs: named ones of the package, and own ones.

    Raises
    ------
    CaseFileError, LimitError
        If a budget is unknown, or an own one has no bound or two.
    """
    found = [organ_budget(name) for name in table.texts("stated", DEFAULT_BUDGETS)]
    for entry in table.tables("own"):
        dose, bed = entry.number("at_most_gy", None), entry.number("at_most_bed_gy", None)
        if (dose is None) == (bed is None):
            raise CaseFileError(f"{entry.where} needs either at_most_gy (dose) or at_most_bed_gy.")
        structure = entry.text("structure")
        found.append(
            OrganBudget(
                name=entry.text("name"),
                structure=structure,
                denominator=entry.text("denominator", f"{'mean dose' if bed is None else 'BED'}, {structure}"),
                limit_gy=dose if dose is not None else bed or 0.0,
                is_bed=bed is not None,
                provenance=Provenance(entry.text("source", "user"), entry.text("evidence", "")),
            )
        )
        entry.refuse_leftovers()
    table.refuse_leftovers()
    return tuple(found)


def constraints_from(top: Table) -> Constraints:
    """Return the rules of the schedule with the intervals, blood tests and reasons that a file states.

    Raises
    ------
    CaseFileError, LimitError
        If an interval is unknown or its bounds contradict each other, or a reason breaks no rule.
    """
    rules = stated_constraints()
    for name, entry in tables_by_name(top.table("intervals")).items():
        keys = ("at_least_days", "usually_at_most_days", "at_most_days")
        changes: dict[str, Any] = {k: v for k in keys if (v := entry.number(k, None)) is not None}
        if source := entry.text("source", ""):
            changes["source"] = source
        entry.refuse_leftovers()
        rules = rules.with_interval(name, **changes)
    rules = replace(rules, gate=_gate(top, rules.gate))
    reasons = top.table("reasons")
    stated = reasons.everything()
    wrong = [name for name, reason in stated.items() if not isinstance(reason, str)]
    if wrong:
        raise CaseFileError(f"{reasons.where} must say why in quotes for {wrong}.")
    return rules.because(**stated)


def _gate(top: Table, gate: Gate) -> Gate:
    own = []
    for entry in top.tables("thresholds"):
        own.append(
            Threshold(
                Modality(entry.choice("modality", [Modality.LUTETIUM, Modality.RADIOEMBOLIZATION], "")),
                entry.text("analyte"),
                entry.number("at_least", None),
                entry.number("at_most", None),
                entry.text("source", "user"),
            )
        )
        entry.refuse_leftovers()
    changed = {(threshold.modality, threshold.analyte) for threshold in own}
    kept = tuple(t for t in gate.thresholds if (t.modality, t.analyte) not in changed)
    return replace(gate, thresholds=(*kept, *own))


def weeks_from(table: Table, constraints: Constraints) -> WeekGrid | None:
    """Return the weeks that may be chosen, where they are stated; None for all that the intervals allow.

    Raises
    ------
    CaseFileError, InputError
        If they are no rising whole weeks from 1 on.
    """
    stated = {}
    for key in (field.name for field in fields(WeekGrid)):
        if table.peek(key, None) is not None:
            weeks = table.list_of_numbers(key)
            if any(week != int(week) for week in weeks):
                raise CaseFileError(f"{table.where}.{key} must be whole weeks, not {weeks}.")
            stated[key] = tuple(int(week) for week in weeks)
        table.take(key, None)
    table.refuse_leftovers()
    return replace(weeks_within(constraints), **stated) if stated else None
