"""Limits as the panel shows and changes them: tables of a case file, each change noted in the source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slicer.i18n import tr as _

from radioembolization.planning.limit_table import limit_from_table, limit_to_table, quantity_by_name

LimitTable = Mapping[str, Any]

#: Where a changed limit keeps what was published.
_CHANGED_FROM = "changed by the user from"
#: What the evidence of a changed limit begins with: it is that of another number.
_EVIDENCE_OF = "for the published bound: "


@dataclass(frozen=True)
class LimitRow:
    """A limit for people."""

    name: str
    sense: str
    bound: float
    unit: str
    source: str


def limit_row(table: LimitTable) -> LimitRow:
    """Return what a limit says; ``LimitError`` if its table cannot be used."""
    limit = limit_from_table(table)
    sense = _("at most") if limit.upper else _("at least")
    return LimitRow(limit.quantity.name, sense, limit.bound, limit.quantity.unit, limit.provenance.source)


def with_bound(table: LimitTable, bound: float) -> dict[str, Any]:
    """Return a limit with another bound; its source says what it was changed from, unless it is that again.

    Raises
    ------
    LimitError
        If the bound cannot be used.
    """
    limit_from_table(table)
    key = next(key for key in table if key.startswith(("at_most_", "at_least_")))
    if bound == table[key]:
        return dict(table)
    source = str(table.get("source", "user"))
    changed = {**table, key: float(bound)}
    if source.startswith(_CHANGED_FROM):
        published, _colon, origin = source.removeprefix(_CHANGED_FROM).partition(": ")
        if published.strip() == f"{bound:g}":
            changed |= {"source": origin, "evidence": str(table["evidence"]).removeprefix(_EVIDENCE_OF)}
    elif source != "user":
        changed["source"] = f"{_CHANGED_FROM} {table[key]:g}: {source}"
        changed["evidence"] = f"{_EVIDENCE_OF}{table.get('evidence', '')}"
    limit_from_table(changed)
    return changed


def new_limit(quantity: str, upper: bool, bound: float, entries: Mapping[str, object]) -> dict[str, Any]:
    """Return the table of a limit of the user's own.

    Parameters
    ----------
    quantity : str
        Name of the quantity in case files.
    upper : bool
        Whether it is bounded from above.
    bound : float
    entries : mapping of str to object
        Entries of the quantity; empty texts are left out.

    Raises
    ------
    LimitError
        If an entry is missing or cannot be used.
    """
    given = {key: value for key, value in entries.items() if value not in ("", None)}
    sense = "at_most" if upper else "at_least"
    keyword = quantity_by_name(quantity, **given).keyword
    table = {"quantity": quantity, **given, f"{sense}_{keyword}": float(bound)}
    return limit_to_table(limit_from_table(table))
