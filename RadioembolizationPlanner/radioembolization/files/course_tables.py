"""Tables that course file and measured file share: days, administrations, sessions, and files they name."""

from __future__ import annotations

import datetime
import json
import tomllib
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

from radioembolization.course.exposure import Exposure, Modality
from radioembolization.course.sessions import Session
from radioembolization.errors import CaseFileError, CourseError, FileMissing
from radioembolization.files.toml_table import Table
from radioembolization.treatment.course_inputs import patient_hash


def read_table(path: Path) -> Table:
    """Return the entries of a TOML file.

    Raises
    ------
    FileMissing, CaseFileError
        If it does not exist or is not TOML.
    """
    if not path.is_file():
        raise FileMissing(f"'{path}' does not exist.")
    try:
        return Table(tomllib.loads(path.read_text(encoding="utf-8")), path.name)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CaseFileError(f"'{path.name}' is not valid TOML: {error}.") from error


def tables_by_name(table: Table) -> dict[str, Table]:
    """Return the sub-tables of a table whose entries are names, such as ``[uptakes.kidney]``."""
    found = {}
    for name, value in table.everything().items():
        where = f"{table.where.rstrip(']')}.{name}]"
        if not isinstance(value, dict):
            raise CaseFileError(f"{where} must be a table, not {value!r}.")
        found[name] = Table(value, where)
    return found


def start_of(table: Table) -> datetime.date | None:
    """Return the date of day 0, if the file states it."""
    value = table.take("start", None)
    return None if value is None else _date(table, "start", value)


def day_of(table: Table, start: datetime.date | None) -> float:
    """Return the day of an entry, from its ``day`` or its ``date``.

    Raises
    ------
    CaseFileError
        If there is neither or both, or a date without the ``start`` of the course.
    """
    day, date = table.number("day", None), table.take("date", None)
    if (day is None) == (date is None):
        raise CaseFileError(f"{table.where} needs either day (of the course, negative before it) or date.")
    if day is not None:
        return day
    if start is None:
        raise CaseFileError(f"{table.where}.date needs the date of day 0: add start = YYYY-MM-DD to the course file.")
    return float((_date(table, "date", date) - start).days)


def _date(table: Table, key: str, value: Any) -> datetime.date:
    if isinstance(value, datetime.datetime) or not isinstance(value, datetime.date):
        raise CaseFileError(f"{table.where}.{key} must be a date such as 2026-03-02 (no quotes), not {value!r}.")
    return value


def exposure_of(
    table: Table,
    start: datetime.date | None,
    measured: bool,
    more_dose_gy: dict[str, float] | None = None,
    more_half_life_h: dict[str, float] | None = None,
    more_not_exposed: Iterable[str] = (),
) -> Exposure:
    """Return an administration from its table; what the table states goes before what else is known.

    Raises
    ------
    CaseFileError, CourseError, HalfLifeError, InputError
        If an entry is missing, contradicts another or cannot be meant.
    """
    day, fractions, last_day = day_of(table, start), table.number("fractions", 1.0), table.number("last_day", None)
    dose_gy = {**(more_dose_gy or {}), **_numbers(table, "dose_gy")}
    stated = _numbers(table, "half_life_h")
    modality = Modality(table.choice("modality", list(Modality), ""))
    exposure = Exposure(
        label=table.text("label"),
        day=day,
        modality=modality,
        dose_gy=dose_gy,
        half_life_h={**{k: v for k, v in (more_half_life_h or {}).items() if k in dose_gy}, **stated},
        device=table.text("device", ""),
        activity_gbq=table.number("activity_gbq", None),
        measured=table.flag("measured", measured),
        source=table.text("source", ""),
        fractions=int(fractions) if fractions == int(fractions) else fractions,  # type: ignore[arg-type]
        last_day=last_day,
        not_exposed=frozenset({*table.texts("not_exposed", []), *(set(more_not_exposed) - set(dose_gy))}),
        patient=patient_hash(table.text("patient", "")),
    )
    table.refuse_leftovers()
    return exposure


def _numbers(table: Table, key: str) -> dict[str, float]:
    return {name: float(value) for name, value in table.mapping(key).items()}


def in_order(exposures: list[Exposure]) -> tuple[Exposure, ...]:
    """Return administrations, refused if they do not stand in order of time.

    Raises
    ------
    CourseError
    """
    for one, other in pairwise(exposures):
        if other.day < one.day:
            raise CourseError(
                f"'{other.label}' on day {other.day:g} stands after '{one.label}' on day {one.day:g}: give the "
                "administrations in order of time, or correct the days."
            )
    return tuple(exposures)


def plans_from(value: Any, where: str, known: dict[str, Session]) -> tuple[tuple[Session, ...], ...]:
    """Return plans of sessions from lists of their names; the empty list is none.

    Raises
    ------
    CaseFileError
        If a name is not known, or the value is no list of lists.
    """
    if not isinstance(value, list) or not value or not all(isinstance(plan, list) for plan in value):
        raise CaseFileError(f'{where} must be a list of lists of sessions, such as [[], ["right", "left"]].')
    unknown = sorted({str(name) for plan in value for name in plan if name not in known})
    if unknown:
        raise CaseFileError(f"{where} names {unknown}, which are no sessions: use {', '.join(known)}.")
    return tuple(tuple(known[name] for name in plan) for plan in value)


def read_json(path: Path, what: str) -> dict[str, Any]:
    """Return a JSON document.

    Raises
    ------
    FileMissing, CaseFileError
        If it does not exist or is not a JSON document.
    """
    if not path.is_file():
        raise FileMissing(f"'{path}' does not exist: name the document of {what}.")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CaseFileError(f"'{path.name}' is not valid JSON: {error}.") from error
    if not isinstance(document, dict):
        raise CaseFileError(f"'{path.name}' is not a document of {what}.")
    return document
