"""The command ``lutetium``: dose of organs and lesions from activity maps after 177Lu."""

from __future__ import annotations

import argparse
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import radioembolization
from radioembolization.cli.dose_inputs import density_given, medium_of
from radioembolization.cli.lutetium_inputs import (
    MODELS,
    checked_percent,
    half_lives_given,
    integral_of,
    maps_given,
    regions_given,
)
from radioembolization.cli.shared import DONE, checked_out, one_of, print_json, progress_shown
from radioembolization.course.curve_fit import Fit
from radioembolization.course.lutetium_dose import (
    MeasuredRegion,
    RegionDose,
    activity_in,
    check_against_injected,
    dose_of_region,
    map_of_decays,
    patient_uptake,
    region_shares,
)
from radioembolization.course.published_uptake import REST, completed
from radioembolization.course.time_activity import TimeIntegratedActivity
from radioembolization.course.uptake import RegionUptake, checked_cycle_gbq
from radioembolization.dose.activity_dose import ActivityDose, dose_of_activity
from radioembolization.dose.dvh import DoseVolumeHistogram
from radioembolization.files import sha256_of
from radioembolization.files.dose_file import dose_stem, write_dose
from radioembolization.images import Volume
from radioembolization.physics import LU177, SOFT_TISSUE, Convention
from radioembolization.report.lutetium_summary import lutetium_summary
from radioembolization.report.terminal import RESEARCH_USE_ONLY
from radioembolization.treatment.case import Notice, collected_notices

#: Organs of every budget; published uptake stands in, with a notice, where they were not measured.
_NEEDED = ("kidney", "liver", "marrow")


def add_commands(commands: Any) -> None:
    """Add the command to the subparsers of the command line."""
    command = commands.add_parser("lutetium", help="dose of organs and lesions from activity maps after 177Lu-DOTATATE")
    command.add_argument("activity", type=Path, nargs="+", metavar="ACTIVITY", help="map of each time point, Bq/mL")
    command.add_argument("--labels", type=Path, required=True, metavar="SEG", help=".seg.nrrd or label map")
    names = "NAME, or NAME=LABEL or NAME=LABEL+LABEL of a label map; named after the organ, else a lesion"
    command.add_argument("--structures", nargs="+", required=True, metavar="NAME[=LABEL]", help=names)
    command.add_argument(
        "--hours", type=float, nargs="+", required=True, metavar="H", help="after administration, each"
    )
    half_life = "effective, for one time point: T, NAME=T or NAME=T,LOW,HIGH; NAME 'rest' for all else"
    command.add_argument("--half-life-h", nargs="+", default=[], metavar="[NAME=]T", help=half_life)
    command.add_argument("--injected-gbq", type=float, metavar="A", help="administered; gives Gy/GBq")
    command.add_argument("--model", help="curve of several time points: mono, uptake, bi (default by AICc)")
    command.add_argument("--sd-percent", type=float, metavar="P", help="uncertainty of each activity [%%]")
    command.add_argument("--density", help=f"[g/cm3], a number (default {SOFT_TISSUE.density_g_per_cm3}) or a volume")
    command.add_argument("--ct", type=Path, help="CT in HU, for the mass of each voxel")
    command.add_argument("--out", type=Path, metavar="FILE", help="dose map, .nrrd or .nii.gz")
    command.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    command.set_defaults(run=_lutetium)


@dataclass(frozen=True, eq=False)
class _Found:
    """What the command found, before it is written."""

    result: ActivityDose
    doses: list[tuple[RegionDose, DoseVolumeHistogram]]
    fits: dict[str, Fit | None]
    uptakes: list[RegionUptake]
    rest: TimeIntegratedActivity | None


def _lutetium(options: argparse.Namespace) -> int:
    density = density_given(options.density, options.ct, SOFT_TISSUE)
    inputs = {"labels": options.labels, "ct": options.ct, "density": density if isinstance(density, Path) else None}
    inputs |= {f"activity at {hours:g} h": path for hours, path in zip(options.hours, options.activity, strict=False)}
    inputs = {part: path for part, path in inputs.items() if path is not None}
    if options.out is not None:
        dose_stem(checked_out(options.out, inputs.values()))
    if options.injected_gbq is not None:
        checked_cycle_gbq(options.injected_gbq)
    with progress_shown(quiet=options.json) as progress:
        with collected_notices() as notices:
            maps = maps_given(options.activity, options.hours)
            regions = regions_given(options.labels, options.structures)
            medium = medium_of(density, options.ct, maps[0].grid)
            found = _found(options, maps, regions, medium, lambda done, steps: progress("dose", done, steps))
        document = _document(found, options, notices, {part: sha256_of(path) for part, path in inputs.items()})
        doses = [(dose.figures, dvh) for dose, dvh in found.doses]
        files = write_dose(found.result.dose, options.out, document, doses) if options.out is not None else {}
    if options.json:
        print_json(document | {"files": {what: str(path) for what, path in files.items()}})
    else:
        lutetium_summary(found.result, [dose for dose, _ in found.doses], found.uptakes, notices, files)
    return DONE


def _found(
    options: argparse.Namespace,
    maps: list[Volume],
    regions: list[MeasuredRegion],
    medium: float | Volume,
    progress: Any,
) -> _Found:
    if options.injected_gbq is not None:
        for volume, hours in zip(maps, options.hours, strict=True):
            check_against_injected(volume, hours, options.injected_gbq)
    model = None if options.model is None else MODELS[one_of("--model", options.model, MODELS)]
    sd = checked_percent(options.sd_percent)
    half_lives = half_lives_given(options.half_life_h, [region.name for region in regions])
    shares = region_shares(regions, maps[0].grid)
    everywhere = {**shares, REST: 1.0 - sum(shares.values(), np.zeros(maps[0].grid.shape))}
    integrals: dict[str, TimeIntegratedActivity] = {}
    fits: dict[str, Fit | None] = {}
    for name, share in everywhere.items():
        measured = [activity_in(volume, share) for volume in maps]
        if name == REST and min(measured) <= 1e-6 * max(sum(i.gbq_h for i in integrals.values()), 1e-12):
            continue
        integrals[name], fits[name] = integral_of(name, options.hours, measured, half_lives, model, sd)
    rest = integrals.pop(REST, None)
    decays = map_of_decays(maps[len(maps) // 2], shares, integrals, rest)
    energy = LU177.energy_j_per_gbq(Convention.ICRP107)
    result = dose_of_activity(decays, LU177, energy, medium, SOFT_TISSUE, progress=progress)
    doses = [dose_of_region(result, region, shares[region.name], integrals[region.name]) for region in regions]
    return _Found(result, doses, fits, _uptakes([dose for dose, _ in doses], options.injected_gbq), rest)


def _uptakes(doses: list[RegionDose], injected_gbq: float | None) -> list[RegionUptake]:
    """Return the measured uptakes, and published ones of the organs that every budget needs."""
    if injected_gbq is None:
        return []
    measured = [patient_uptake(dose, injected_gbq) for dose in doses]
    by_kind = {dose.kind: uptake for dose, uptake in zip(doses, measured, strict=True)}
    return [*measured, *(u for kind, u in completed(by_kind, _NEEDED).items() if kind not in by_kind)]


def _document(
    found: _Found, options: argparse.Namespace, notices: list[Notice], hashes: dict[str, str]
) -> dict[str, Any]:
    result = found.result
    return {
        "software": f"radioembolization-planner {radioembolization.__version__}",
        "notice": RESEARCH_USE_ONLY,
        "nuclide": LU177.name,
        "convention": str(Convention.ICRP107),
        "hours": list(options.hours),
        "injected_gbq": options.injected_gbq,
        "method": str(result.method),
        "method_reason": result.reason,
        "tissue": result.tissue.name,
        "density_g_per_cm3": result.density_g_per_cm3,
        "emitted_j": result.emitted_j,
        "absorbed_j": result.absorbed_j,
        "escaped_share": result.escaped_share,
        "uncertainty": "of the time-integrated activity alone: not of calibration, segmentation or partial volume",
        "regions": [_region(dose, found.fits[dose.name], options.injected_gbq) for dose, _ in found.doses],
        "rest_of_body": None if found.rest is None else asdict(found.rest),
        "uptakes": [asdict(uptake) for uptake in found.uptakes],
        "notices": [asdict(notice) for notice in notices],
        "inputs": {part: {"sha256": digest} for part, digest in sorted(hashes.items())},
    }


def _region(dose: RegionDose, fit: Fit | None, injected_gbq: float | None) -> dict[str, Any]:
    integral = dose.integral
    low_high = integral.range_gbq_h
    return {
        "name": dose.name,
        "kind": dose.kind,
        "volume_ml": dose.figures.volume_ml,
        "mass_kg": dose.mass_kg,
        "mean_gy": dose.mean_gy,
        "sd_gy": dose.sd_gy,
        "range_gy": low_high and [dose.mean_gy * end / integral.gbq_h for end in low_high],
        "gy_per_gbq": None if injected_gbq is None else dose.mean_gy / injected_gbq,
        "sphere_gy": dose.sphere_gy,
        "d90_gy": dose.figures.d90_gy,
        "d50_gy": dose.figures.d50_gy,
        "time_integrated_gbq_h": integral.gbq_h,
        "sd_gbq_h": integral.sd_gbq_h,
        "effective_half_life_h": integral.effective_half_life_h,
        "time_integration": integral.method,
        "fit": None if fit is None else _fit(fit),
    }


def _fit(fit: Fit) -> dict[str, Any]:
    return {
        "model": str(fit.model),
        "amplitudes_gbq": list(fit.amplitudes_gbq),
        "half_lives_h": [math.log(2.0) / rate for rate in fit.rates_per_h],
        "reduced_chi2": fit.reduced_chi2,
        "degrees_of_freedom": fit.degrees_of_freedom,
        "aicc": fit.aicc if math.isfinite(fit.aicc) else None,
        "beyond_last_share": fit.beyond_last_share,
    }
