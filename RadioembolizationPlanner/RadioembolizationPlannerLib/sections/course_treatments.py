"""Rows of the course section about what is given: sessions, treatments, blood tests, intervals and reasons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slicer.i18n import tr as _

from radioembolization.course.constraints import EMBOLIZED_FIRST, INSTEAD_OF_CYCLES, stated_constraints
from radioembolization.course.exposure import Modality
from radioembolization.errors import InputError
from RadioembolizationPlannerLib.course_table import (
    DELIVERED,
    doses_from_text,
    doses_text,
    entry,
    plans_from_text,
    plans_text,
    with_entry,
)
from RadioembolizationPlannerLib.parameters import PlannerParameters
from RadioembolizationPlannerLib.sections.editable_table import Column, Rows, without
from RadioembolizationPlannerLib.sections.table import typed_number

_MOST = 1e6
_LABEL, _DAY, _WHAT, _DEVICE, _ACTIVITY, _DOSES = range(6)
_DAYS = {1: "at_least_days", 2: "usually_at_most_days", 3: "at_most_days"}
_REASON = 4
_ANALYTES = {"bilirubin": "mg/dL", "albumin": "g/dL", "platelets": "10^9/L", "creatinine": "mg/dL"}


# -- sessions ---------------------------------------------------------------------------------------------------


def session_rows() -> Rows:
    """Return the rows of sessions of radioembolization."""

    def shown(p: PlannerParameters) -> list[list[str | None]]:
        return [[name, ", ".join(sites)] for name, sites in (p.course.get("sessions") or {}).items()]

    def edited(p: PlannerParameters, row: int, column: int, text: str) -> dict[str, Any]:
        names = list(p.course["sessions"])
        if column == 1:
            return _with_sites(p, names[row], [site.strip() for site in text.split(",") if site.strip()])
        return _renamed_session(p, names[row], text)

    sites = Column(_("Sites"), _("Sites that may be injected in it, separated by commas; empty for all."))
    return Rows((Column(_("Session"), _("Name of the session.")), sites), shown, edited, stretched=1)


def with_session(p: PlannerParameters) -> dict[str, Any]:
    """Return the course with another session, of all sites."""
    sessions = dict(p.course.get("sessions") or {})
    name = next(name for number in range(1, len(sessions) + 2) if (name := f"session {number}") not in sessions)
    return with_entry(p.course, {**sessions, name: []}, "sessions")


def without_session(p: PlannerParameters, row: int) -> dict[str, Any]:
    """Return the course without a session; plans that name it go with it."""
    name = list(p.course["sessions"])[row]
    sessions = {key: sites for key, sites in p.course["sessions"].items() if key != name}
    plans = [plan for plan in entry(p.course, "radioembolization", "plans") if name not in plan]
    return with_entry(with_entry(p.course, sessions, "sessions"), plans, "radioembolization", "plans")


def session_plans_text(p: PlannerParameters) -> str:
    """Return which sessions may be given together, as it is typed."""
    return plans_text(entry(p.course, "radioembolization", "plans"))


def with_session_plans(p: PlannerParameters, text: str) -> dict[str, Any]:
    """Return the course with other plans of sessions; errors for names that are no session."""
    plans = plans_from_text(text)
    known = ["whole liver", *(p.course.get("sessions") or {})]
    unknown = sorted({name for plan in plans for name in plan if name not in known})
    if unknown:
        told = _("'{names}' is no session: use {known}, or 'none' for no radioembolization.")
        raise InputError(told.format(names=", ".join(unknown), known=", ".join(known)))
    return with_entry(p.course, plans, "radioembolization", "plans")


def _with_sites(p: PlannerParameters, name: str, sites: list[str]) -> dict[str, Any]:
    known = [site.name for site in p.sites]
    unknown = [site for site in sites if site not in known]
    if unknown:
        told = _("'{names}' is no candidate site: use {known}.")
        raise InputError(told.format(names=", ".join(unknown), known=", ".join(known)))
    return with_entry(p.course, {**p.course["sessions"], name: sites}, "sessions")


def _renamed_session(p: PlannerParameters, old: str, new: str) -> dict[str, Any]:
    if not new or new == old:
        return dict(p.course)
    if new in p.course["sessions"] or new in ("none", "whole liver") or any(sign in new for sign in ";+"):
        raise InputError(_("'{name}' cannot be the name of a session: choose another one.").format(name=new))
    sessions = {new if name == old else name: sites for name, sites in p.course["sessions"].items()}
    plans = [[new if name == old else name for name in plan] for plan in entry(p.course, "radioembolization", "plans")]
    return with_entry(with_entry(p.course, sessions, "sessions"), plans, "radioembolization", "plans")


# -- treatments -------------------------------------------------------------------------------------------------


def treatment_rows() -> Rows:
    """Return the rows of what was given: history before day 0, then what was delivered of the course."""

    def shown(p: PlannerParameters) -> list[list[str | None]]:
        return [_treatment_texts(one) for one in _treatments(p)]

    def edited(p: PlannerParameters, row: int, column: int, text: str) -> dict[str, Any]:
        treatments = _treatments(p)
        treatments[row] = _with_cell(p, treatments[row], column, text)
        return _with_treatments(p, treatments)

    kinds = tuple((str(modality), str(modality)) for modality in Modality)
    devices = (("–", ""), (_("90Y resin"), "resin"), (_("90Y glass"), "glass"), (_("166Ho"), "holmium"))
    doses = _("Mean doses such as 'tumor 1: 30; kidney: 4.4' [Gy]; '-' for not exposed. What a cycle of the course")
    doses += " " + _("leaves out is predicted, with a notice.")
    columns = (
        Column(_("Name"), _("No two treatments may share it.")),
        Column(_("Day"), _("From the first administration of the course; negative before it.")),
        Column(_("What"), _("What was given."), kinds),
        Column(_("Device"), _("Microspheres of a radioembolization."), devices),
        Column(_("GBq"), _("Administered activity in GBq.")),
        Column(_("Doses (Gy)"), doses),
    )
    return Rows(columns, shown, edited, stretched=_DOSES)


def with_treatment(p: PlannerParameters) -> dict[str, Any]:
    """Return the course with another treatment, whose day is still to be entered."""
    taken = {one.get("label") for one in _treatments(p)}
    label = next(name for number in range(1, len(taken) + 2) if (name := f"treatment {number}") not in taken)
    new = {"label": label, "modality": str(Modality.LUTETIUM)}
    return _with_treatments(p, [*_treatments(p), new])


def without_treatment(p: PlannerParameters, row: int) -> dict[str, Any]:
    """Return the course without a treatment."""
    return _with_treatments(p, without(_treatments(p), row))


def _treatments(p: PlannerParameters) -> list[dict[str, Any]]:
    return [dict(one) for key in ("history", DELIVERED) for one in p.course.get(key) or ()]


def _with_treatments(p: PlannerParameters, treatments: list[dict[str, Any]]) -> dict[str, Any]:
    history = [one for one in treatments if one.get("day", 0.0) < 0.0]
    later = [one for one in treatments if one.get("day", 0.0) >= 0.0]
    return with_entry(with_entry(p.course, history, "history"), later, DELIVERED)


def _treatment_texts(one: Mapping[str, Any]) -> list[str | None]:
    def number(key: str) -> str:
        return "" if one.get(key) is None else f"{one[key]:.6g}"

    doses = doses_text(one.get("dose_gy") or {}, one.get("not_exposed") or ())
    words = (one.get(key, "") for key in ("modality", "device"))
    return [one.get("label", ""), number("day"), *words, number("activity_gbq"), doses]


def _with_cell(p: PlannerParameters, one: Mapping[str, Any], column: int, text: str) -> dict[str, Any]:
    if column == _DOSES:
        doses, spared = doses_from_text(text)
        stated = {key: value for key, value in one.items() if key != "measured"}  # typed is what was measured
        return with_entry(with_entry(stated, doses, "dose_gy"), spared, "not_exposed")
    if column == _WHAT:
        is_own = text == Modality.RADIOEMBOLIZATION
        kept = {key: value for key, value in one.items() if key != "half_life_h"}
        return with_entry({**kept, "modality": text}, p.device if is_own else None, "device")
    if column in (_DAY, _ACTIVITY):
        value = typed_number(text, -_MOST if column == _DAY else 0.0, _MOST) if text else None
        return with_entry(one, value, "day" if column == _DAY else "activity_gbq")
    return with_entry(one, text, "label" if column == _LABEL else "device")


# -- blood tests ------------------------------------------------------------------------------------------------


def lab_rows() -> Rows:
    """Return the rows of blood tests."""
    keys = ("analyte", "value", "unit", "day")

    def shown(p: PlannerParameters) -> list[list[str | None]]:
        labs = p.course.get("labs") or ()
        return [[_text(lab.get(key, "")) for key in keys] for lab in labs]

    def edited(p: PlannerParameters, row: int, column: int, text: str) -> dict[str, Any]:
        labs = [dict(lab) for lab in p.course["labs"]]
        value = typed_number(text, -_MOST, _MOST) if keys[column] in ("value", "day") and text else text
        labs[row] = with_entry(labs[row], value, keys[column])
        if keys[column] == "analyte":
            labs[row]["unit"] = _ANALYTES[text]
        return with_entry(p.course, labs, "labs")

    columns = (
        Column(_("Blood test"), _("What was measured."), tuple((name, name) for name in _ANALYTES)),
        Column(_("Value"), _("Result in this unit.")),
        Column(_("Unit"), _("mg/dL or umol/L; albumin g/dL or g/L; platelets 10^9/L, 10^3/uL, /nL or /uL.")),
        Column(_("Day"), _("When it was taken, from the first administration of the course.")),
    )
    return Rows(columns, shown, edited)


def with_lab(p: PlannerParameters) -> dict[str, Any]:
    """Return the course with another blood test: the first that has none yet."""
    labs = list(p.course.get("labs") or ())
    there = {lab.get("analyte") for lab in labs}
    analyte = next((name for name in _ANALYTES if name not in there), "bilirubin")
    return with_entry(p.course, [*labs, {"analyte": analyte, "unit": _ANALYTES[analyte]}], "labs")


def without_lab(p: PlannerParameters, row: int) -> dict[str, Any]:
    """Return the course without a blood test."""
    return with_entry(p.course, without(p.course["labs"], row), "labs")


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"


# -- intervals and reasons --------------------------------------------------------------------------------------


def rule_rows() -> Rows:
    """Return the rows of intervals and of rules on order, with reasons for breaking them."""
    intervals = {rule.name: rule for rule in stated_constraints().intervals}
    names = [*intervals, EMBOLIZED_FIRST, INSTEAD_OF_CYCLES]

    def day(p: PlannerParameters, name: str, key: str) -> str | None:
        if name not in intervals:
            return None
        stated = entry(p.course, "intervals", name, key)
        value = getattr(intervals[name], key) if stated is None else stated
        return "" if value is None else f"{value:g}"

    def shown(p: PlannerParameters) -> list[list[str | None]]:
        reasons = p.course.get("reasons") or {}
        return [[name, *(day(p, name, key) for key in _DAYS.values()), reasons.get(name, "")] for name in names]

    def edited(p: PlannerParameters, row: int, column: int, text: str) -> dict[str, Any]:
        name = names[row]
        if column == _REASON:
            return with_entry(p.course, text, "reasons", name)
        value = typed_number(text, 0.0, _MOST) if text else None
        published = getattr(intervals[name], _DAYS[column])
        return with_entry(p.course, None if value == published else value, "intervals", name, _DAYS[column])

    columns = (
        Column(_("Rule"), editable=False),
        Column(_("At least"), _("Days; empty: as published.")),
        Column(_("Usually"), _("Days at most as a rule; empty: as published.")),
        Column(_("At most"), _("Days; empty: as published.")),
        Column(_("Reason"), _("Why this rule may be broken; every output prints it.")),
    )
    return Rows(columns, shown, edited, stretched=_REASON)
