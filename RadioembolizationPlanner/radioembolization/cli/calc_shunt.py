"""The lung shunt behind ``calc shunt``: from typed counts of planar images, of a SPECT, or of both."""

from __future__ import annotations

import argparse
from typing import Any

from radioembolization.cli.calc_formulas import Calculation
from radioembolization.errors import InputError
from radioembolization.physics import device_by_name
from radioembolization.territories.shunt.lung_shunt import LungShunt, chosen_shunt, warn_of_disagreement, warn_of_shunt
from radioembolization.territories.shunt.planar_shunt import PlanarCounts, planar_shunt
from radioembolization.territories.shunt.spect_shunt import spect_shunt_of_counts

_PLANAR = ("lungs_anterior", "lungs_posterior", "liver_anterior", "liver_posterior")
_SPECT = ("spect_lungs", "spect_liver")
_EQUATION = (
    "L = GM_lungs / (GM_lungs + GM_liver), GM = sqrt((A - n a) (P - n p)); "
    "SPECT: L = (N_lungs / S) / (N_lungs / S + N_liver)"
)


def shunt(options: argparse.Namespace) -> Calculation:
    """Return lung shunts of planar counts and of counts in a SPECT, beside each other."""
    shunts, results = [], {}
    if _given(options, _PLANAR):
        shunts.append(_planar(options))
        results = {
            "planar_shunt": shunts[-1].fraction,
            "planar_lungs_mean": shunts[-1].details["lungs_geometric_mean"],
            "planar_liver_mean": shunts[-1].details["liver_geometric_mean"],
            "counting_error": shunts[-1].details["counting_error"],
        }
    if _given(options, _SPECT):
        shunts.append(spect_shunt_of_counts(options.spect_lungs, options.spect_liver, options.measured_share))
        results["spect_shunt"] = shunts[-1].fraction
    if not shunts:
        raise InputError("Give planar counts of lungs and liver in both views, or --spect-lungs with --spect-liver.")
    constants: dict[str, Any] = {"deviations": ", ".join(map(_deviation, shunts))}
    warn_of_disagreement(shunts)
    if options.device is not None:
        device = device_by_name(options.device)
        constants["device"] = device.name
        warn_of_shunt(chosen_shunt(shunts).fraction, device)
    return Calculation("lung shunt", _EQUATION, "van Roekel, thesis Utrecht, pp. 29-41", results, constants)


def _given(options: argparse.Namespace, names: tuple[str, ...]) -> bool:
    """Return whether all of some options were typed; some without the others are refused."""
    missing = [name for name in names if getattr(options, name) is None]
    if missing and len(missing) < len(names):
        raise InputError(f"Missing: {', '.join('--' + name.replace('_', '-') for name in missing)}.")
    return not missing


def _planar(options: argparse.Namespace) -> LungShunt:
    organs = [
        PlanarCounts(
            name=organ,
            anterior=getattr(options, f"{organ}_anterior"),
            posterior=getattr(options, f"{organ}_posterior"),
            pixels=getattr(options, f"{organ}_pixels"),
            background_anterior=getattr(options, f"{organ}_background_anterior"),
            background_posterior=getattr(options, f"{organ}_background_posterior"),
        )
        for organ in ("lungs", "liver")
    ]
    return planar_shunt(*organs)


def _deviation(shunt: LungShunt) -> str:
    return f"{100.0 * (shunt.standard_deviation or 0.0):.1f} percentage points of {shunt.method.words}"
