"""Rows of the course section about what 177Lu gives: lesions outside the liver, uptakes, budgets of organs."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from radioembolization.course.budget import organ_budgets
from radioembolization.errors import InputError
from radioembolization.structures import NORMAL_LIVER, Role
from RadioembolizationPlannerLib.course_reader import (
    GY_PER_GBQ,
    HALF_LIFE,
    published_gy_per_gbq,
    published_half_life_h,
)
from RadioembolizationPlannerLib.course_table import entry, with_entry
from RadioembolizationPlannerLib.parameters import PlannerParameters
from RadioembolizationPlannerLib.sections.editable_table import Column, Rows
from RadioembolizationPlannerLib.sections.table import number_text, typed_number

_MOST = 1e6
_OUTSIDE = "extrahepatic_lesions"
_NAME, _UPTAKE, _HALF_LIFE = range(3)
_KEYS = {_UPTAKE: GY_PER_GBQ, _HALF_LIFE: HALF_LIFE}


def hepatic_lesions(p: PlannerParameters) -> tuple[str, ...]:
    """Return the names of the segments that are tumors."""
    if p.segmentation is None:
        return ()
    segments = p.segmentation.GetSegmentation()
    tumours = [segments.GetSegment(key) for key, role in p.roles.items() if role is Role.TUMOUR]
    return tuple(segment.GetName() for segment in tumours if segment is not None)


def extrahepatic_lesions(p: PlannerParameters) -> tuple[str, ...]:
    """Return the names of the lesions outside the liver."""
    return tuple(p.course.get("extrahepatic_lesions") or ())


def structures_in_liver_and_organs(p: PlannerParameters) -> list[str]:
    """Return every structure that needs an uptake, besides the lesions outside the liver."""
    known = organ_budgets()
    organs = [known[name].structure for name in entry(p.course, "budgets", "stated") or () if name in known]
    own = [budget.get("structure", "") for budget in entry(p.course, "budgets", "own") or ()]
    further = p.course.get("uptakes") or {}
    every = dict.fromkeys([*hepatic_lesions(p), NORMAL_LIVER, *organs, *own, *further])
    return [name for name in every if name not in extrahepatic_lesions(p)]


def uptake_rows() -> Rows:
    """Return the rows of uptakes of hepatic lesions and organs."""

    def shown(p: PlannerParameters) -> list[list[str | None]]:
        return [[name, *_uptake_texts(p, name), _origin(p, name)] for name in structures_in_liver_and_organs(p)]

    def edited(p: PlannerParameters, row: int, column: int, text: str) -> dict[str, Any]:
        return _with_uptake(p, structures_in_liver_and_organs(p)[row], column, text)

    columns = (Column(_("Structure"), editable=False), *_uptake_columns(), Column(_("Origin"), editable=False))
    return Rows(columns, shown, edited)


def outside_rows() -> Rows:
    """Return the rows of lesions outside the liver."""

    def shown(p: PlannerParameters) -> list[list[str | None]]:
        return [[name, *_uptake_texts(p, name)] for name in extrahepatic_lesions(p)]

    def edited(p: PlannerParameters, row: int, column: int, text: str) -> dict[str, Any]:
        name = extrahepatic_lesions(p)[row]
        return _renamed(p, name, text) if column == _NAME else _with_uptake(p, name, column, text)

    columns = (Column(_("Lesion"), _("Name of a lesion that only 177Lu reaches.")), *_uptake_columns())
    return Rows(columns, shown, edited)


def with_lesion(p: PlannerParameters) -> dict[str, Any]:
    """Return the course with another lesion outside the liver."""
    taken = {*extrahepatic_lesions(p), *structures_in_liver_and_organs(p)}
    name = next(name for number in range(1, len(taken) + 2) if (name := f"metastasis {number}") not in taken)
    return with_entry(with_entry(p.course, None, "extrahepatic_disease"), [*extrahepatic_lesions(p), name], _OUTSIDE)


def without_lesion(p: PlannerParameters, row: int) -> dict[str, Any]:
    """Return the course without one of the lesions outside the liver and its uptake."""
    names = list(extrahepatic_lesions(p))
    name = names.pop(row)
    return with_entry(with_entry(p.course, names, _OUTSIDE), None, "uptakes", name)


def budget_rows() -> Rows:
    """Return the rows of the stated budgets of organs; the lungs are limited by the prescription."""
    budgets = {name: budget for name, budget in organ_budgets().items() if budget.structure != "lungs"}

    def used(p: PlannerParameters) -> list[str]:
        return list(entry(p.course, "budgets", "stated") or ())

    def shown(p: PlannerParameters) -> list[list[str | None]]:
        return [[one.name, f"{one.limit_gy:g}", "yes" if one.name in used(p) else ""] for one in budgets.values()]

    def edited(p: PlannerParameters, row: int, column: int, text: str) -> dict[str, Any]:
        changed = list(budgets)[row]
        others = [name for name in used(p) if name != changed]
        kept = [name for name in organ_budgets() if name in others or (name == changed and text == "yes")]
        inner = {key: value for key, value in (p.course.get("budgets") or {}).items() if key != "stated"}
        return {**p.course, "budgets": {**inner, "stated": kept}}  # an empty list is none, not the default

    use = Column(
        _("Use"), _("Whether the course keeps this budget, history included."), ((_("yes"), "yes"), (_("no"), ""))
    )
    return Rows((Column(_("Budget"), editable=False), Column(_("At most (Gy)"), editable=False), use), shown, edited)


def _uptake_columns() -> tuple[Column, Column]:
    return (
        Column(_("Gy/GBq"), _("Mean dose per GBq of 177Lu in the first cycle. Empty: published value, flagged.")),
        Column(_("Half-life (h)"), _("Effective half-life of 177Lu there, in hours.")),
    )


def _uptake_texts(p: PlannerParameters, name: str) -> list[str]:
    uptake = entry(p.course, "uptakes", name) or {}
    return ["" if uptake.get(key) is None else f"{uptake[key]:.6g}" for key in _KEYS.values()]


def _origin(p: PlannerParameters, name: str) -> str:
    uptake = entry(p.course, "uptakes", name) or {}
    if "measured" in uptake:
        return _("measured: {file}").format(file=uptake["measured"])
    if GY_PER_GBQ in uptake:
        return uptake.get("source") or _("entered")
    lesions = (*hepatic_lesions(p), *extrahepatic_lesions(p))
    gy, hours = published_gy_per_gbq(name, lesions), published_half_life_h(name, lesions)
    if gy is None or hours is None:
        return _("MISSING: nothing published")
    return _("PUBLISHED: {gy} Gy/GBq, {hours} h").format(gy=number_text(gy), hours=number_text(hours))


def _with_uptake(p: PlannerParameters, name: str, column: int, text: str) -> dict[str, Any]:
    value = typed_number(text, 0.0, _MOST) if text else None
    return with_entry(p.course, value, "uptakes", name, _KEYS[column])


def _renamed(p: PlannerParameters, old: str, new: str) -> dict[str, Any]:
    """Return the course with another name of a lesion outside the liver, wherever it is an uptake."""
    if not new or new == old:
        return dict(p.course)
    if new in (*structures_in_liver_and_organs(p), *extrahepatic_lesions(p)):
        raise InputError(_("There is a structure called '{name}' already: choose another name.").format(name=new))
    uptake = entry(p.course, "uptakes", old)
    table = with_entry(p.course, [new if name == old else name for name in extrahepatic_lesions(p)], _OUTSIDE)
    return with_entry(with_entry(table, None, "uptakes", old), uptake, "uptakes", new)
