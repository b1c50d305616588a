"""The small case with vials, uncertainty and further results: planned and analysed once for all tests."""

from __future__ import annotations

from functools import cache
from typing import Any
from unittest.mock import patch

from hands import bare_nodes

from radioembolization.files.analysis_tables import analysis_from_tables
from radioembolization.files.toml_table import Table
from radioembolization.physics import RESIN_Y90
from radioembolization.treatment import (
    AnalysisRequest,
    CaseInputs,
    Treatment,
    analysis,
    compute_rows,
    plan_and_analyse,
    prepare,
)
from small_case import small_inputs

SITES = ("proper", "left", "right")
UNCERTAINTY: dict[str, Any] = {"count": 40, "seed": 3, "probability": 0.9, "robust": True}
VIALS: dict[str, Any] = {
    "calibrations": ["2026-03-15T12:00"],
    "time_zone": "America/New_York",
    "inject_at": "2026-03-16T09:00",
}
FURTHER: dict[str, Any] = {"front": True, "staircase": True, "microspheres": 2}


def request() -> AnalysisRequest:
    """Everything that can be asked for."""
    tables = [Table(dict(entries), "test") for entries in (UNCERTAINTY, VIALS, FURTHER)]
    return analysis_from_tables(*tables, RESIN_Y90, SITES, {})


@cache
def inputs() -> CaseInputs:
    """The small case that asks for everything."""
    return small_inputs(analysis=request())


@cache
def prepared() -> Any:
    """It with its dose rows."""
    return compute_rows(prepare(inputs()))


@cache
def analysed() -> Treatment:
    """It planned and analysed."""
    with patch.object(analysis, "FRESH_SCENARIOS", 100):
        return plan_and_analyse(prepared())


def take(panel: Any, scene: Any) -> Any:
    """Choose the case in the panel, with its doses and the plan of it; return the text node of the plan."""
    from RadioembolizationPlannerLib.synthetic import take_case

    take_case(panel.session, inputs(), bare_nodes(scene, inputs()))
    panel.session._doses_are(prepared())
    plan = panel.session._publish(analysed())
    panel.idle()
    return plan
