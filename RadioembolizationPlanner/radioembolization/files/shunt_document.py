"""Lung shunts, ratios and foci as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from radioembolization.territories.shunt.lung_shunt import LungShunt
from radioembolization.treatment.scout_analysis import ScoutAnalysis


def shunt_document(shunt: LungShunt) -> dict[str, Any]:
    """Return a lung shunt with its method and what it was computed from."""
    return {
        "method": shunt.method.value,
        "fraction": float(shunt.fraction),
        "used": shunt.used,
        "standard_deviation": shunt.standard_deviation,
        "details": {name: float(value) for name, value in shunt.details.items()},
        "note": shunt.note,
    }


def scout_document(analysis: ScoutAnalysis) -> dict[str, Any]:
    """Return what a scout says: lung shunts, tumour-to-normal ratios, extrahepatic foci."""
    return {
        "lung_shunts": [shunt_document(shunt) for shunt in analysis.lung_shunts],
        "tumour_to_normal": [asdict(ratio) for ratio in analysis.tumour_to_normal],
        "foci": [asdict(focus) for focus in analysis.foci],
        "notices": [asdict(notice) for notice in analysis.notices],
    }
