"""Rows of what is uncertain: published spreads with their sources, chosen and changed by the user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from slicer.i18n import tr as _

from radioembolization.dose import Spread, published_spreads
from radioembolization.errors import PlannerError
from RadioembolizationPlannerLib.asked import is_for, uncertainty_of, with_entry
from RadioembolizationPlannerLib.parameters import PlannerParameters
from RadioembolizationPlannerLib.plan_analysis import american
from RadioembolizationPlannerLib.sections.editable_table import Column, Rows
from RadioembolizationPlannerLib.sections.table import typed_number

_SPREADS = "spreads"
_TITLE, _USE, _CENTER, _SD = range(4)
#: Numbers of a spread that the table shows, by column; a spread has at most one of each.
_NUMBERS = {_CENTER: ("mean", "median"), _SD: ("sd", "sd_log")}
_MOST = 1e6


def spread_rows() -> Rows:
    """Return the rows of all spreads that fit the device."""
    use = Column(_("Use"), choices=((_("yes"), "yes"), (_("no"), "no")))
    columns = (
        Column(_("Uncertain"), editable=False),
        use,
        Column(_("Middle"), _("Mean or median of what differs.")),
        Column(_("SD"), _("Standard deviation; of the logarithm where the unit is a factor.")),
        Column(_("Status"), editable=False),
    )
    return Rows(columns, _shown, _edited, parameter="uncertainty", tips=_tip)


def spreads_of(p: PlannerParameters) -> list[Spread]:
    """Return all spreads for the device, with the numbers of the user."""
    stated = p.uncertainty.get(_SPREADS) or {}
    return [_with_numbers(one, stated.get(one.name)) for one in published_spreads().values() if is_for(one, p.device)]


def chosen_names(p: PlannerParameters) -> set[str]:
    """Return the names of the spreads that are used; of a choice that is refused, those stated."""
    try:
        return {one.name for one in uncertainty_of(p).spreads}
    except PlannerError:
        stated = p.uncertainty.get(_SPREADS) or {}
        return {one.name for one in spreads_of(p) if stated.get(one.name, one.default) is not False}


def _with_numbers(one: Spread, stated: Any) -> Spread:
    return one.with_numbers(stated) if isinstance(stated, dict) else one


def _number_name(one: Spread, column: int) -> str | None:
    return next((name for name in _NUMBERS[column] if name in one.numbers), None)


def _shown(p: PlannerParameters) -> Sequence[Sequence[str | None]]:
    used = chosen_names(p)
    return [
        [
            american(one.title),
            "yes" if one.name in used else "no",
            *(_number_text(one, column) for column in (_CENTER, _SD)),
            _("changed") if one.changed else str(one.status),
        ]
        for one in spreads_of(p)
    ]


def _number_text(one: Spread, column: int) -> str | None:
    name = _number_name(one, column)
    return None if name is None else f"{one.numbers[name]:g}"


def _tip(p: PlannerParameters, row: int) -> str:
    one = spreads_of(p)[row]
    others = [name for name in one.numbers if name not in (*_NUMBERS[_CENTER], *_NUMBERS[_SD])]
    further = ", ".join(f"{name} {one.numbers[name]:g}" for name in others)
    unit, together = _("Unit: {unit}."), _("Correlation: {what}.")
    parts = (
        one.title,
        unit.format(unit=one.unit),
        one.source,
        one.note,
        together.format(what=one.correlation),
        further,
    )
    return "\n".join(american(part) for part in parts if part)


def _edited(p: PlannerParameters, row: int, column: int, text: str) -> dict[str, Any]:
    one, stated = spreads_of(p)[row], dict(p.uncertainty.get(_SPREADS) or {})
    if column == _USE:
        stated = _used(p, one, stated, text == "yes")
    elif column in _NUMBERS:
        name = _number_name(one, column)
        value = typed_number(text, -_MOST if name == "mean" else 0.0, _MOST)
        before = stated.get(one.name)
        numbers = {**(before if isinstance(before, dict) else {}), name: value}
        one.with_numbers(numbers)  # refuses what is not physical
        stated = {**_used(p, one, stated, True), one.name: numbers}
    return with_entry(p.uncertainty, _SPREADS, stated)


def _used(p: PlannerParameters, one: Spread, stated: dict[str, Any], use: bool) -> dict[str, Any]:
    """Return what is stated with a spread in use, or not; of those that act on the same, one is."""
    if not use:
        return {**stated, one.name: False}
    same = {other.name: False for other in spreads_of(p) if other.acts_on is one.acts_on and other.name != one.name}
    kept = stated.get(one.name)
    return {**stated, **same, one.name: kept if isinstance(kept, dict) else True}
