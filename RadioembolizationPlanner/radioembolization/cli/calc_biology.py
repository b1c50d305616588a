"""The biologically effective dose behind ``calc bed``."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from radioembolization.biology import (
    DoseComponent,
    bed_of_components_gy,
    combined_protraction_factor,
    cross_bed_gy,
    eqd2_gy,
    swept_bed,
    tissue_biology,
)
from radioembolization.cli.calc_cautions import warn_of_assumption
from radioembolization.cli.calc_formulas import Calculation, nuclide_of
from radioembolization.errors import InputError, ParameterMissing

_DALE = "Dale 1985, 10.1259/0007-1285-58-690-515"


def bed(options: argparse.Namespace) -> Calculation:
    """Return BED and EQD2 of one or two exponential dose rates."""
    ratio, repair_h = _biology(options)
    effective_h = nuclide_of(options).half_life_h if options.effective_h is None else options.effective_h
    components = _components(options, effective_h)
    total = bed_of_components_gy(components, ratio, repair_h)
    results: dict[str, Any] = {"dose_gy": sum(c.dose_gy for c in components), "bed_gy": total}
    results["eqd2_gy"] = eqd2_gy(total, ratio)
    if len(components) == 2:
        results["cross_bed_gy"] = cross_bed_gy(components[0], components[1], ratio, repair_h)
    if results["dose_gy"] > 0.0:
        results["protraction_factor"] = combined_protraction_factor(components, repair_h)
    if options.sweep_alpha_beta or options.sweep_repair_h:
        swept = swept_bed(components, options.sweep_alpha_beta or [ratio], options.sweep_repair_h or [repair_h])
        results["sweep"] = [asdict(row) for row in swept]
    constants = {"alpha_beta_gy": ratio, "repair_half_time_h": repair_h, "effective_half_life_h": effective_h}
    equation, source = "BED = D (1 + G D / (alpha/beta)), G = T_rep / (T_rep + T_eff)", _DALE
    if len(components) == 2:
        constants["second_effective_half_life_h"] = options.second_effective_h
        equation = "BED = BED_1 + BED_2 + 2 D_1 D_2 g / (alpha/beta), g of both half-lives and the delay"
        source += "; cross term: integrated in closed form, docs/methods.md"
    equation += "; EQD2 = BED / (1 + 2 / (alpha/beta))"
    return Calculation("biologically effective dose", equation, source, results, constants)


def _biology(options: argparse.Namespace) -> tuple[float, float]:
    """Return alpha/beta and repair half-time as typed, or those of a tissue with a caution each."""
    tissue = None if options.tissue is None else tissue_biology(options.tissue)
    chosen = []
    for option, given, name in (
        ("--alpha-beta", options.alpha_beta, "alpha_beta_gy"),
        ("--repair-h", options.repair_h, "repair_half_time_h"),
    ):
        if given is None and tissue is None:
            raise ParameterMissing(f"BED needs {option}: give it, or --tissue for a stated value of a tissue.")
        if given is None:
            stated = getattr(tissue, name)
            warn_of_assumption(f"{option} {stated} is that of '{options.tissue}': {stated.source}.")
            given = stated.value
        chosen.append(given)
    return chosen[0], chosen[1]


def _components(options: argparse.Namespace, effective_h: float) -> list[DoseComponent]:
    first = DoseComponent(options.dose, effective_h)
    if options.second_dose is None:
        if options.second_effective_h is not None or options.delay_h != 0.0:
            raise InputError("--second-effective-h and --delay-h belong to a second dose: give --second-dose.")
        return [first]
    if options.second_effective_h is None:
        raise InputError("A second dose needs its own half-life: give --second-effective-h.")
    return [first, DoseComponent(options.second_dose, options.second_effective_h, options.delay_h)]
