"""What the user asks for beside the plan: parameters as the request of the core, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slicer.i18n import tr as _

from radioembolization.dose import Spread, Uncertainty, published_spreads
from radioembolization.dose.uncertainty import DEFAULT_COUNT
from radioembolization.errors import PlannerError
from radioembolization.files.analysis_tables import (
    analysis_from_tables,
    hour_of,
    report_table,
    uncertainty_table,
    vials_table,
)
from radioembolization.files.toml_table import Table
from radioembolization.physics import Device, device_by_name
from radioembolization.planning import SharedVials, WholeVials
from radioembolization.planning.vial_supply import Supply, usual_supply
from radioembolization.treatment import AnalysisRequest
from RadioembolizationPlannerLib.parameters import EVALUATED, NO_SCENARIOS, ROBUST, PlannerParameters

#: Entries of the vials that no calendar has: the hour of all sites, and of single ones.
INJECT_AT, OF_SITES = "inject_at", "inject_at_sites"
#: Largest number of vials, by how they are supplied.
MOST_VIALS: dict[type[Supply], str] = {WholeVials: "vials_per_site", SharedVials: "most_vials"}
_NOTHING = (None, "", [], {})


def asked_of(p: PlannerParameters) -> AnalysisRequest:
    """Return what the parameters ask for.

    Raises
    ------
    InputError
        In one of its named forms, if an entry is missing or impossible.
    """
    device, names = device_by_name(p.device), [site.name for site in p.sites]
    uncertain = {} if p.scenarios == NO_SCENARIOS else _uncertainty_entries(p)
    vials = _vial_entries(p, device) if p.with_vials else {}
    hours = {name: at for name, at in (p.vials.get(OF_SITES) or {}).items() if name in names and p.with_vials}
    tables = [Table(entries, where) for entries, where in ((uncertain, "Robustness"), (vials, "Vials"))]
    return analysis_from_tables(*tables, Table(dict(p.further), "Further results"), device, names, hours)


def uncertainty_of(p: PlannerParameters) -> Uncertainty:
    """Return what is uncertain, whether or not it is used; errors as of ``Uncertainty.from_table``."""
    entries = {key: value for key, value in _uncertainty_entries(p).items() if key != "robust"}
    return Uncertainty.from_table(entries, p.device)


def is_for(one: Spread, device: str) -> bool:
    """Return whether a spread was published for a device; those of other devices are kept, but not used."""
    return not one.devices or device in one.devices


def missing_of_vials(p: PlannerParameters) -> tuple[str, ...]:
    """Return in words what has to be entered for vials; nothing if the plan needs none."""
    lacking = []
    if p.with_vials and not p.vials.get("calibrations"):
        lacking.append(_("Vials: add the time for which a vial is calibrated."))
    if p.with_vials and not (p.vials.get(INJECT_AT) or p.vials.get(OF_SITES)):
        lacking.append(_("Vials: enter the time of injection."))
    return tuple(lacking)


def problem_of_request(p: PlannerParameters) -> str:
    """Return why what is asked for cannot be found out; empty if it can."""
    lacking = missing_of_vials(p)
    if lacking:
        return "\n".join(lacking)
    try:
        asked_of(p)
    except PlannerError as error:
        return str(error)
    return ""


def supply_of(device: Device) -> Supply | None:
    """Return how a device is supplied; None if that is not known."""
    try:
        return usual_supply(device)
    except PlannerError:
        return None


def with_entry(table: Mapping[str, Any], key: str, value: Any) -> dict[str, Any]:
    """Return a table with another entry; one of nothing is taken out."""
    kept = {name: entry for name, entry in table.items() if name != key}
    return kept if value in _NOTHING else {**kept, key: value}


def parameters_of_request(asked: AnalysisRequest) -> dict[str, Any]:
    """Return the parameters that ask for the same."""
    given = uncertainty_table(asked)
    robust, scenarios = given.pop("robust", False), NO_SCENARIOS
    if asked.uncertainty is not None:
        scenarios = ROBUST if robust else EVALUATED
    return {
        "with_vials": asked.vials is not None,
        "vials": {} if asked.vials is None else _entries_of(asked),
        "scenarios": scenarios,
        "uncertainty": given,
        "further": report_table(asked),
    }


def _entries_of(asked: AnalysisRequest) -> dict[str, Any]:
    hours = {site: hour_of(asked, site) for site in asked.vials.inject_at}
    return {**vials_table(asked.vials), OF_SITES: hours}


def _uncertainty_entries(p: PlannerParameters) -> dict[str, Any]:
    usual = {"count": DEFAULT_COUNT}  # something is stated, so that there is a table
    known, stated = published_spreads(), p.uncertainty.get("spreads") or {}
    kept = {name: value for name, value in stated.items() if name not in known or is_for(known[name], p.device)}
    return {**usual, **p.uncertainty, "spreads": kept, "robust": p.scenarios == ROBUST}


def _vial_entries(p: PlannerParameters, device: Device) -> dict[str, Any]:
    own = MOST_VIALS.get(type(supply_of(device)))
    left_out = {OF_SITES, *(key for key in MOST_VIALS.values() if key != own)}
    return {key: value for key, value in p.vials.items() if key not in left_out}
