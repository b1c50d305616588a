"""The analysis of a treatment as plain JSON: reasons, trade-offs, scenarios, vials, spheres; ``docs/plan-file.md``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any

import numpy as np

from radioembolization.files.analysis_tables import vials_table
from radioembolization.planning import (
    Injection,
    ParetoFront,
    Plan,
    RobustPlan,
    ScenarioEvaluation,
    Staircase,
    VialPlan,
    VialSet,
    vial_time_table,
)
from radioembolization.planning.explanation import Explanation
from radioembolization.treatment import Analysis, VialRequest

#: Decimals of the volume [%] and dose [Gy] of a band.
_DECIMALS = 3


def analysis_document(analysis: Analysis) -> dict[str, Any]:
    """Return everything that was found out; null for what was not asked."""
    front, steps, vials = analysis.front, analysis.staircase, analysis.vials
    asked = front is not None or steps is not None
    return {
        "explanation": None if analysis.explanation is None else _explanation(analysis.explanation),
        "trade_offs": {"front": _front(front), "staircase": _staircase(steps)} if asked else None,
        "scenarios": _scenarios(analysis),
        "vials": None if vials is None or analysis.asked.vials is None else _vials(vials, analysis.asked.vials),
        "nominal": None if analysis.nominal is None else _nominal(analysis.nominal),
        "microspheres": microspheres_document(analysis),
    }


def microspheres_document(analysis: Analysis) -> dict[str, Any] | None:
    """Return the doses over draws of whole microspheres; None if they were not asked for."""
    found, asked = analysis.microspheres, analysis.asked.microspheres
    if found is None or asked is None:
        return None
    return {
        "draws": found.draws,
        "seed": asked.seed,
        "bq_per_sphere": _plain(found.bq_per_sphere),
        "structures": _plain(found.of_structures()),
    }


def compact_text(value: Any, indent: str = "") -> str:
    """Return JSON with one entry a line, but lists of numbers or texts, and tables of them, on one line each."""
    deeper = f"{indent}  "
    if isinstance(value, list) and any(isinstance(entry, dict | list) for entry in value):
        return "[\n" + ",\n".join(deeper + compact_text(entry, deeper) for entry in value) + f"\n{indent}]"
    if isinstance(value, dict) and any(isinstance(entry, dict | list) and entry for entry in value.values()):
        lines = [f"{deeper}{json.dumps(key)}: {compact_text(entry, deeper)}" for key, entry in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _explanation(found: Explanation) -> dict[str, Any]:
    table = _plain(replace(found, summary=()), but=("summary",))
    table["prices"] = [_plain(price, but=("index",)) for price in found.prices]
    return {"lines": list(found.lines()), **table}


def _front(front: ParetoFront | None) -> dict[str, Any] | None:
    if front is None:
        return None
    points = [{**_plain(point), "injections": point.injections} for point in front.points]
    return {**_plain(front, but=("points",)), "points": points, "prices": list(front.prices)}


def _staircase(steps: Staircase | None) -> dict[str, Any] | None:
    return None if steps is None else _plain(steps)


def _scenarios(analysis: Analysis) -> dict[str, Any] | None:
    given, robust = analysis.asked.uncertainty, analysis.robust
    if given is None or analysis.in_scenarios is None:
        return None
    return {
        "uncertainty": given.to_json(),
        "plan": _evaluation(analysis.in_scenarios),
        "robust": None if robust is None else _robust(robust),
    }


def _evaluation(found: ScenarioEvaluation) -> dict[str, Any]:
    bands = [_plain(band, decimals=_DECIMALS) for band in found.bands]
    return {**_plain(found, but=("bands",)), "bands": bands}


def _robust(robust: RobustPlan) -> dict[str, Any]:
    evaluated = {
        "plan_planned_with": robust.robust_in,
        "nominal_planned_with": robust.nominal_in,
        "plan_fresh": robust.robust_fresh,
        "nominal_fresh": robust.nominal_fresh,
    }
    return {
        "status": robust.status,
        "goal": _plain(robust.goal),
        "nominal_goal": robust.nominal_goal,
        "activities_gbq": robust.robust.activities_gbq.tolist(),
        "price": robust.price,
        "price_share": robust.price_share,
        "only_as_planned": list(robust.only_as_planned),
        **{name: None if found is None else _plain(found, but=("bands",)) for name, found in evaluated.items()},
    }


def _vials(found: VialPlan, asked: VialRequest) -> dict[str, Any]:
    times = sorted(dict.fromkeys(asked.inject_at.values()))
    return {
        "calendar": {"device": asked.calendar.device.name, **vials_table(asked)},
        "inject_at": _plain(dict(asked.inject_at)),
        "status": found.status,
        **_set(found.chosen),
        "free_value": _plain(found.free_value),
        "free_bound": _plain(found.free_bound),
        "bound": _plain(found.bound),
        "gap": _plain(found.gap),
        "window": _plain(found.window),
        "orders": _plain(found.orders),
        "alternatives": [_set(other) for other in found.alternatives],
        "table": _plain(vial_time_table(asked.calendar, times)),
    }


def _set(chosen: VialSet) -> dict[str, Any]:
    table = _plain(chosen, but=("injections",))
    return {**table, "injections": [_injection(injection) for injection in chosen.injections]}


def _injection(injection: Injection) -> dict[str, Any]:
    vials = [_plain(vial, but=("device", "sense")) for vial in injection.vials]
    return {**_plain(injection, but=("vials",)), "vials": vials}


def _nominal(plan: Plan) -> dict[str, Any]:
    return {"status": plan.status, "activities_gbq": plan.activities_gbq.tolist(), "goal": _plain(plan.goal)}


def _plain(value: Any, but: Iterable[str] = (), decimals: int | None = None) -> Any:
    """Return dataclasses, times and numbers as JSON has them; numbers that are not finite as null."""
    if is_dataclass(value) and not isinstance(value, type):
        kept = [field.name for field in fields(value) if field.name not in but]
        return {name: _plain(getattr(value, name), decimals=decimals) for name in kept}
    if isinstance(value, Mapping):
        return {str(name): _plain(entry, decimals=decimals) for name, entry in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(entry, decimals=decimals) for entry in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return str(value)
    if isinstance(value, float | np.floating):
        number = float(value) if decimals is None else round(float(value), decimals)
        return number if np.isfinite(number) else None
    return value
