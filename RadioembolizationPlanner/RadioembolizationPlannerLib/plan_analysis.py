"""What a plan file says beside the plan, as columns of tables: reasons, trade-offs, scenarios, vials."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import slicer

from RadioembolizationPlannerLib.tables import Columns

#: Part of a plan file; see ``docs/plan-file.md``.
Document = Mapping[str, Any]
_NAN = float("nan")


def document_of(plan: slicer.vtkMRMLTextNode | None) -> Document:
    """Return the file of a plan as plain JSON; empty without a plan, or if its text is no plan."""
    return {} if plan is None else _document(plan.GetText() or "")


@lru_cache(maxsize=8)
def _document(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def part_of(document: Document, *keys: str) -> Document:
    """Return a part of the analysis in a plan file; empty if it was not asked for, or the file is older."""
    found: Any = document.get("analysis")
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def site_names(document: Document) -> tuple[str, ...]:
    """Return all candidate sites, in the order of activities."""
    return tuple(site["name"] for site in document.get("sites", ()))


def activities_of(names: Sequence[str], entry: Document) -> dict[str, float]:
    """Return the activities [GBq] of a point, step or alternative by site."""
    return dict(zip(names, (float(a) for a in entry["activities_gbq"]), strict=True))


def american(text: str) -> str:
    """Return a sentence of the core as the panel spells it."""
    return text.replace("umour", "umor")


def titled(name: str, unit: str) -> str:
    """Return a name with its unit."""
    return american(f"{name} ({unit})" if unit else name)


def front_columns(front: Document) -> Columns:
    """Return the points of a front with the activity of each site."""
    points = front["points"]
    return {
        titled(front["limit"], front["limit_unit"]): [point["limit_bound"] for point in points],
        titled(front["goal"], front["goal_unit"]): [point["value"] for point in points],
        "Best possible": [_number(point["best_possible"]) for point in points],
        "Injections": [float(point["injections"]) for point in points],
        "Proof": [point["status"] for point in points],
        **_activity_columns(front["site_names"], points),
    }


def stairs_columns(stairs: Document, names: Sequence[str]) -> Columns:
    """Return the steps of a staircase with the activity of each site; those without a plan are left out."""
    steps = planned_steps(stairs)
    return {
        "Injections": [float(step["most_injections"]) for step in steps],
        titled(stairs["goal"], stairs["goal_unit"]): [step["value"] for step in steps],
        "Best possible": [_number(step["best_possible"]) for step in steps],
        "Sites": [", ".join(step["sites"]) for step in steps],
        "Proof": [step["status"] for step in steps],
        **_activity_columns(names, steps),
    }


def planned_steps(stairs: Document) -> list[Document]:
    """Return the steps of a staircase that have a plan."""
    return [step for step in stairs["steps"] if step["value"] is not None]


def _activity_columns(names: Sequence[str], entries: Sequence[Document]) -> dict[str, list[float]]:
    return {f"{name} (GBq)": [float(e["activities_gbq"][k]) for e in entries] for k, name in enumerate(names)}


def chance_columns(scenarios: Document) -> Columns:
    """Return how often limits are met by the plan, and by the nominal one where another was planned."""
    plan, nominal = scenarios["plan"], nominal_in(scenarios)
    columns = {
        "Limit": [*(_limit_text(limit) for limit in plan["limits"]), "all of these together"],
        "Met (%)": [*(_percent(limit["probability"]) for limit in plan["limits"]), 100.0 * plan["all_limits"]],
    }
    if nominal:
        columns["Met by the nominal plan (%)"] = [
            *(_percent(limit["probability"]) for limit in nominal["limits"]),
            100.0 * nominal["all_limits"],
        ]
    return columns


def tumor_columns(scenarios: Document) -> Columns:
    """Return the doses of tumors over scenarios, and those of the nominal plan where another was planned."""
    tumors, nominal = scenarios["plan"]["tumours"], nominal_in(scenarios)
    columns: dict[str, list[Any]] = {"Tumor": [tumor["name"] for tumor in tumors]}
    for title, key in (("Mean", "mean_gy"), ("D70", "d70_gy")):
        for level in ("p10", "p50"):
            columns[f"{title} {level.upper()} (Gy)"] = [tumor[key][level] for tumor in tumors]
    if nominal:
        for level in ("p10", "p50"):
            values = [tumor["mean_gy"][level] for tumor in nominal["tumours"]]
            columns[f"Mean {level.upper()}, nominal plan (Gy)"] = values
    return columns


def nominal_in(scenarios: Document) -> Document:
    """Return the nominal plan in the same scenarios; empty if the plan is the nominal one, or has vials besides."""
    robust = scenarios.get("robust") or {}
    return robust.get("nominal_fresh") or {}


def injection_columns(vials: Document) -> Columns:
    """Return what is injected at each site."""
    given = vials["injections"]
    return {
        "Site": [one["site"] for one in given],
        "Injected": [short_time(one["at"]) for one in given],
        "Vials": [" + ".join(f"{vial['calibrated_gbq']:.4g} GBq" for vial in one["vials"]) for one in given],
        "Prepared (GBq)": [one["activity_gbq"] for one in given],
        "Delivered (GBq)": [one["delivered_gbq"] for one in given],
        "Microspheres (million)": [one["microspheres"] / 1e6 for one in given],
        "Bq per sphere": [one["bq_per_sphere"] for one in given],
    }


def order_columns(vials: Document) -> Columns:
    """Return what to order, and when it can be used."""
    orders = vials["orders"]
    return {
        "Number": [str(line["count"]) for line in orders],
        "Vial (GBq)": [line["calibrated_gbq"] for line in orders],
        "Calibrated": [short_time(line["calibrated_at"]) for line in orders],
        "For": [", ".join(line["sites"]) for line in orders],
        "Injected": [short_time(line["injected_at"]) for line in orders],
        "Usable from": [short_time(line["earliest"]) for line in orders],
        "to": [short_time(line["latest"]) for line in orders],
    }


def need_columns(explanation: Document) -> Columns:
    """Return what each site is to nearly optimal plans."""
    sites = explanation["sites"]
    return {
        "Site": [site["site"] for site in sites],
        "Need": [site["need"] for site in sites],
        "Plan (GBq)": [site["activity_gbq"] for site in sites],
        "At least (GBq)": [site["least_gbq"] for site in sites],
        "At most (GBq)": [site["most_gbq"] for site in sites],
    }


def contribution_columns(explanation: Document) -> Columns:
    """Return the mean dose of each structure by each injected site."""
    table = explanation["contributions"]
    by_site = {f"{site} (Gy)": table["mean_gy"][row] for row, site in enumerate(table["sites"])}
    return {"Structure": table["structures"], **by_site, "All (Gy)": table["total_gy"]}


def alternative_columns(explanation: Document) -> Columns:
    """Return other sites with which the goal is nearly as good."""
    others = explanation["alternatives"]
    return {
        "Instead": [_given(other) for other in others],
        titled("Goal", explanation["goal_unit"]): [other["goal_value"] for other in others],
        "Lost (%)": [100.0 * other["loss"] for other in others],
    }


def _given(other: Document) -> str:
    used = [activity for activity in other["activities_gbq"] if activity > 0.0]
    return ", ".join(f"{name} {gbq:.3g} GBq" for name, gbq in zip(other["sites"], used, strict=False))


def short_time(text: str) -> str:
    """Return a time to the minute, with its offset."""
    from datetime import datetime

    return datetime.fromisoformat(text).isoformat(" ", "minutes")


def _limit_text(limit: Document) -> str:
    return american(f"{limit['name']} {limit['sense']} {limit['limit']:g} {limit['unit']}".rstrip())


def _percent(share: float | None) -> float:
    return _NAN if share is None else 100.0 * share


def _number(value: float | None) -> float:
    return _NAN if value is None else float(value)
