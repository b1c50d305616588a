"""The formulas behind ``calc``: from typed numbers to results, with the equation, its source and cautions."""

from __future__ import annotations

import argparse
import warnings
from dataclasses import dataclass, field
from typing import Any

from radioembolization.cli.calc_cautions import warn_of_lungs
from radioembolization.cli.dose_inputs import convention_called
from radioembolization.dose import (
    STANDARD_LUNG_KG,
    body_surface_m2,
    decayed_activity_gbq,
    holmium_rule_activity_gbq,
    lung_dose_gy,
    lung_limited_activity_gbq,
    modified_bsa_activity_gbq,
    partition_activity_gbq,
    partition_doses,
    single_compartment_activity_gbq,
    single_compartment_dose_gy,
)
from radioembolization.dose.body_surface import shunt_reduction
from radioembolization.errors import InputError, LungDoseCaution
from radioembolization.physics import HOLMIUM_HO166, RESIN_Y90, Device, Nuclide, device_by_name, nuclide_by_name

_THESIS = "van Roekel, thesis Utrecht, pp. 29-41"


@dataclass(frozen=True)
class Calculation:
    """One formula applied.

    Parameters
    ----------
    formula, equation, source : str
        What was computed, how, and where that is from.
    results : dict
        By name with unit: numbers, and ``tumours_gy`` a list.
    constants : dict
        Device, nuclide, convention and energy used, as they apply.
    """

    formula: str
    equation: str
    source: str
    results: dict[str, Any]
    constants: dict[str, Any] = field(default_factory=dict)


def partition(options: argparse.Namespace) -> Calculation:
    """Return the partition model, for an activity or for a dose of normal liver."""
    device, energy, constants = _device(options)
    shunt, masses = options.lung_shunt, (options.normal_liver_kg, options.tumour_kg, options.tnr)
    activity = options.activity
    if activity is None:
        activity = partition_activity_gbq(options.normal_liver_gy, energy, shunt, *masses)
    normal_gy, tumours_gy = partition_doses(activity, energy, shunt, *masses)
    perfused_kg = options.normal_liver_kg + sum(options.tumour_kg)
    results = {
        "activity_gbq": activity,
        "normal_liver_gy": normal_gy,
        "tumours_gy": tumours_gy,
        "perfused_gy": single_compartment_dose_gy(activity, perfused_kg, energy, shunt),
        **_lungs(options, device, activity, energy),
        "microspheres": device.microspheres(activity),
    }
    equation = "D_N = k A (1 - L) / (M_N + sum r_i M_i), D_i = r_i D_N, r a ratio of concentrations"
    return Calculation("partition model", equation, f"{_THESIS}, for any number of tumours", results, constants)


def mird(options: argparse.Namespace) -> Calculation:
    """Return the single compartment, for a dose, for an activity, or both beside each other."""
    device, energy, constants = _device(options)
    mass_kg, shunt, residual = options.mass_kg, options.lung_shunt, options.residual
    if options.dose is None and options.activity is None:
        raise InputError("Give --dose to get an activity, --activity to get a dose, or both to compare them.")
    results: dict[str, Any] = {}
    activity = options.activity
    if options.dose is not None:
        wanted = single_compartment_activity_gbq(options.dose, mass_kg, energy, shunt, residual)
        if activity is None:
            activity = wanted
        else:
            results = {"prescribed_gy": options.dose, "prescribed_activity_gbq": wanted}
    delivered = activity * (1.0 - residual)
    results = {
        "activity_gbq": activity,
        "delivered_gbq": delivered,
        "perfused_gy": single_compartment_dose_gy(activity, mass_kg, energy, shunt, residual),
        **_lungs(options, device, delivered, energy),
        "microspheres": device.microspheres(delivered),
        **results,
    }
    equation = "A = D M / (k (1 - L) (1 - R)), M with tumours, R left in the delivery set"
    source = f"TheraSphere package insert; {_THESIS}"
    return Calculation("single compartment (MIRD)", equation, source, results, constants)


def bsa(options: argparse.Namespace) -> Calculation:
    """Return the BSA method, or the modified one for a lobe."""
    constants = _constants(RESIN_Y90, options.convention)
    shunt = options.lung_shunt
    lobe_ml = options.liver_ml if options.lobe_ml is None else options.lobe_ml
    volumes = (options.height_m, options.weight_kg, options.tumour_ml, lobe_ml, options.liver_ml)
    activity, reduction = modified_bsa_activity_gbq(*volumes, shunt), shunt_reduction(shunt)
    if reduction > 0.0:
        message = (
            f"A lung shunt of {shunt:.1%} reduces the activity by {reduction:.0%} (above 10, 15, 20 %: 20, 40, 100)."
        )
        warnings.warn(message, LungDoseCaution, stacklevel=2)
    results = {
        "activity_gbq": activity,
        "unreduced_activity_gbq": modified_bsa_activity_gbq(*volumes),
        "shunt_reduction": reduction,
        "body_surface_m2": body_surface_m2(options.height_m, options.weight_kg),
        **_lungs(options, RESIN_Y90, activity, constants["energy_j_per_gbq"]),
    }
    surface = "BSA = 0.20247 h^0.725 w^0.425"
    if options.lobe_ml is None:
        equation = f"A = (BSA - 0.2 + V_T / V_liver) (1 - reduction), {surface}"
        return Calculation("BSA method, resin", equation, f"{_THESIS}; 10.1007/s12149-011-0499-6", results, constants)
    equation = f"A = (BSA - 0.2 + V_T,lobe / V_lobe) (V_lobe / V_liver) (1 - reduction), {surface}"
    source = "attributed to Kao et al. 2011, 10.1007/s12149-011-0499-6 (unverified)"
    return Calculation("modified BSA method, resin", equation, source, results, constants)


def holmium(options: argparse.Namespace) -> Calculation:
    """Return the 3780 rule of 166Ho and the dose it gives with the lung shunt."""
    constants = _constants(HOLMIUM_HO166, options.convention)
    activity, energy = holmium_rule_activity_gbq(options.liver_kg), constants["energy_j_per_gbq"]
    results = {
        "activity_gbq": activity,
        "perfused_gy": single_compartment_dose_gy(activity, options.liver_kg, energy, options.lung_shunt),
        **_lungs(options, HOLMIUM_HO166, activity, energy),
        "microspheres": HOLMIUM_HO166.microspheres(activity),
    }
    source = "van Roekel, thesis Utrecht, p. 30"
    return Calculation("3780 rule, 166Ho", "A = 3.78 GBq/kg M, for 60 Gy without shunt", source, results, constants)


def lung(options: argparse.Namespace) -> Calculation:
    """Return the lung dose of an activity, or the activity of a lung dose, or both beside each other."""
    device, energy, constants = _device(options)
    if options.activity is None and options.limit_gy is None:
        raise InputError("Give --activity to get the lung dose, --limit-gy to get the activity it allows, or both.")
    allowed: dict[str, Any] = {}
    lung_kg = STANDARD_LUNG_KG if options.lung_kg is None else options.lung_kg
    if options.limit_gy is not None:
        limited = lung_limited_activity_gbq(options.limit_gy, energy, options.lung_shunt, lung_kg)
        allowed = {"activity_at_limit_gbq": limited}
    activity = allowed["activity_at_limit_gbq"] if options.activity is None else options.activity
    lungs = _lungs(options, device, activity, energy)
    results = {"activity_gbq": activity, **lungs, "shunted_gbq": activity * options.lung_shunt, **allowed}
    source = f"{_THESIS}; underestimates Monte Carlo by about 40 %, 10.3390/app14177684"
    return Calculation("lung dose", "D = k A L / m", source, results, constants)


def decay(options: argparse.Namespace) -> Calculation:
    """Return the activity after, or before, a time."""
    nuclide = nuclide_of(options)
    left = decayed_activity_gbq(options.activity, nuclide, options.hours)
    results = {
        "activity_gbq": left,
        "start_activity_gbq": options.activity,
        "hours": options.hours,
        "decay_factor": decayed_activity_gbq(1.0, nuclide, options.hours),
    }
    constants = {"nuclide": nuclide.name, "half_life_h": nuclide.half_life_h}
    return Calculation("decay", "A(t) = A 2^(-t / T)", "half-life: ICRP Publication 107", results, constants)


def _device(options: argparse.Namespace) -> tuple[Device, float, dict[str, Any]]:
    device = device_by_name(options.device)
    constants = _constants(device, options.convention)
    return device, constants["energy_j_per_gbq"], constants


def _constants(device: Device, convention: str) -> dict[str, Any]:
    called = convention_called(convention)
    energy = device.energy_j_per_gbq(called)
    names = {"device": device.name, "nuclide": device.nuclide.name}
    return {**names, "convention": str(called), "energy_j_per_gbq": energy}


def nuclide_of(options: argparse.Namespace) -> Nuclide:
    """Return the nuclide named, or that of the device named."""
    return nuclide_by_name(options.nuclide) if options.device is None else device_by_name(options.device).nuclide


def _lungs(options: argparse.Namespace, device: Device, activity_gbq: float, energy: float) -> dict[str, float]:
    """Return the lung dose and the mass it was computed with; warns of an assumed mass and of doses to beware of."""
    lung_kg = STANDARD_LUNG_KG if options.lung_kg is None else options.lung_kg
    dose = lung_dose_gy(activity_gbq, energy, options.lung_shunt, lung_kg)
    warn_of_lungs(device, activity_gbq, options.lung_shunt, dose, assumed_mass=options.lung_kg is None)
    return {"lung_gy": dose, "lung_kg": lung_kg}
