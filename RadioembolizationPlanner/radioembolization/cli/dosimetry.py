"""The commands for dosimetry alone: ``kernel`` (voxel S values) and ``dose`` (of an activity map)."""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import radioembolization
from radioembolization.cli.dose_inputs import (
    convention_called,
    default_density,
    density_given,
    medium_of,
    segments_of,
    spacing_given,
    tissue_called,
)
from radioembolization.cli.shared import DONE, checked_out, one_of, print_json, progress_shown
from radioembolization.dose.activity_dose import METHODS, ActivityDose, dose_of_activity
from radioembolization.dose.dose_per_gbq import Method
from radioembolization.dose.dvh import DoseVolumeHistogram
from radioembolization.dose.structure_dose import StructureDose, dose_in_structure
from radioembolization.files import Segmentation, read_volume, sha256_of
from radioembolization.files.dose_file import dose_stem, write_dose
from radioembolization.files.kernel_file import S_UNIT, kernel_writer, write_kernel
from radioembolization.images import Unit, activity_map
from radioembolization.physics import WATER, Convention, Nuclide, SValues, Tissue, nuclide_by_name, voxel_s_values
from radioembolization.report.dosimetry_summary import RESEARCH_USE_ONLY, dose_summary, kernel_summary
from radioembolization.structures import DEFAULT_LIVER_DENSITY
from radioembolization.treatment.case import Notice, collected_notices
from radioembolization.treatment.treatment import Progress

#: Density of the kernel of water without another wish [g/cm3]: that of published soft-tissue S values.
_KERNEL_DENSITY = 1.04
_AUTO = "auto"


def add_commands(commands: Any) -> None:
    """Add the commands to the subparsers of the command line."""
    kernel = commands.add_parser("kernel", help="write voxel S values of a nuclide")
    kernel.add_argument("nuclide", metavar="NUCLIDE", help="Y-90, Ho-166, Lu-177, Re-188, I-131, P-32 or Tc-99m")
    kernel.add_argument("--spacing", type=float, nargs=3, required=True, metavar=("X", "Y", "Z"), help="voxel [mm]")
    kernel.add_argument("--density", type=float, help=f"[g/cm3] (default {_KERNEL_DENSITY}, or that of --tissue)")
    kernel.add_argument("--out", type=Path, required=True, metavar="FILE", help=".csv, .txt or .nrrd")
    kernel.set_defaults(run=_kernel)

    dose = commands.add_parser("dose", help="absorbed dose of an activity map, all decays in place")
    dose.add_argument("activity", type=Path, metavar="ACTIVITY", help="map in Bq/mL, or in counts with --activity-gbq")
    dose.add_argument("--nuclide", required=True, help="see kernel")
    dose.add_argument("--activity-gbq", type=float, metavar="A", help="scale the whole map to this activity [GBq]")
    dose.add_argument("--density", help=f"[g/cm3], a number (default {DEFAULT_LIVER_DENSITY}) or a volume")
    dose.add_argument("--ct", type=Path, help="CT in HU, for the mass of each voxel")
    dose.add_argument("--method", default=_AUTO, help=f"{_AUTO} (default), {', '.join(METHODS)}")
    dose.add_argument("--structures", type=Path, metavar="SEG", help=".seg.nrrd or label map: dose of each segment")
    dose.add_argument("--out", type=Path, required=True, metavar="FILE", help=".nrrd or .nii.gz")
    dose.set_defaults(run=_dose)

    for command in (kernel, dose):
        command.add_argument("--tissue", default=WATER.name, help="scales the kernel of water (default water)")
        command.add_argument("--radius-mm", type=float, metavar="R", help="reach of the kernel [mm]")
        command.add_argument("--convention", default=str(Convention.ICRP107), help="energy per decay (default icrp107)")
        command.add_argument("--json", action="store_true", help="print one JSON document instead of tables")


def _kernel(options: argparse.Namespace) -> int:
    nuclide, convention = nuclide_by_name(options.nuclide), convention_called(options.convention)
    tissue = tissue_called(options.tissue)
    density = default_density(tissue, _KERNEL_DENSITY) if options.density is None else options.density
    kernel_writer(checked_out(options.out))
    x, y, z = spacing_given(options.spacing)
    with progress_shown(quiet=options.json) as progress:
        progress("kernel", 0, 2)
        values = voxel_s_values(nuclide, (z, y, x), density, options.radius_mm, tissue, convention)
        progress("kernel", 1, 2)
        document = _kernel_document(values)
        files = write_kernel(values, options.out, document)
        progress("kernel", 2, 2)
    if options.json:
        print_json(document | {"files": {what: str(path) for what, path in files.items()}})
    else:
        kernel_summary(values, files)
    return DONE


def _kernel_document(values: SValues) -> dict[str, Any]:
    return {
        **_head(values.nuclide, values.convention, values.tissue),
        "energy_mev_per_decay": values.energy_mev_per_decay,
        "spacing_mm": list(values.kernel.spacing_mm[::-1]),
        "voxels": list(values.s_mgy_per_mbq_s.shape[::-1]),
        "density_g_per_cm3": values.kernel.density_g_per_cm3,
        "radius_mm": values.radius_mm,
        "s_unit": S_UNIT,
        "self_s_mgy_per_mbq_s": values.self_mgy_per_mbq_s,
        "energy_share_inside": values.share_inside,
        "energy_share_beyond": values.kernel.share_beyond,
    }


@dataclass(frozen=True, eq=False)
class _Dosed:
    """What the dose command found, before it is written."""

    result: ActivityDose
    structures: list[tuple[StructureDose, DoseVolumeHistogram]]
    notices: list[Notice]


def _dose(options: argparse.Namespace) -> int:
    nuclide, convention = nuclide_by_name(options.nuclide), convention_called(options.convention)
    energy_j_per_gbq = nuclide.energy_j_per_gbq(convention)
    tissue = tissue_called(options.tissue)
    density = density_given(options.density, options.ct, tissue)
    method = one_of("--method", options.method, (_AUTO, *METHODS))
    inputs = {"activity": options.activity, "ct": options.ct, "structures": options.structures}
    if isinstance(density, Path):
        inputs["density"] = density
    inputs = {part: path for part, path in inputs.items() if path is not None}
    dose_stem(checked_out(options.out, inputs.values()))
    with progress_shown(quiet=options.json) as progress:
        progress("images", 0, 1)
        with collected_notices() as notices:
            unit = Unit.BQ_PER_ML if options.activity_gbq is None else Unit.COUNTS
            activity = activity_map(read_volume(options.activity, unit), options.activity_gbq)
            medium = medium_of(density, options.ct, activity.grid)
            segmentation = segments_of(options.structures)
            progress("images", 1, 1)
            result = dose_of_activity(
                activity,
                nuclide,
                energy_j_per_gbq,
                medium,
                tissue,
                None if method == _AUTO else Method(method),
                options.radius_mm,
                lambda done, steps: progress("dose", done, steps),
            )
            structures = _structure_doses(result, segmentation, progress)
        found = _Dosed(result, structures, notices)
        document = _dose_document(found, convention, {part: sha256_of(path) for part, path in inputs.items()})
        progress("files", 0, 1)
        files = write_dose(result.dose, options.out, document, structures)
        progress("files", 1, 1)
    if options.json:
        print_json(document | {"files": {what: str(path) for what, path in files.items()}})
    else:
        dose_summary(result, str(convention), [figures for figures, _ in structures], notices, files)
    return DONE


def _structure_doses(
    result: ActivityDose, segmentation: Segmentation | None, progress: Progress
) -> list[tuple[StructureDose, DoseVolumeHistogram]]:
    found = []
    for number, name in enumerate(segmentation.names if segmentation else (), start=1):
        source = segmentation.mask(name)  # type: ignore[union-attr]
        found.append(dose_in_structure(result, name, source.mask, source.grid))
        progress("structures", number, len(segmentation.names))  # type: ignore[union-attr]
    return found


def _dose_document(found: _Dosed, convention: Convention, hashes: dict[str, str]) -> dict[str, Any]:
    result, grid = found.result, found.result.dose.grid
    density = "each voxel its own, energy carried in the activity-weighted mean"
    return {
        **_head(result.nuclide, convention, result.tissue),
        "assumption": "all decays in place (permanent implant); dose to infinity",
        "activity_gbq": result.activity_gbq,
        "energy_j_per_gbq": result.nuclide.energy_j_per_gbq(convention),
        "method": str(result.method),
        "method_reason": result.reason,
        "density": "one" if isinstance(result.voxel_kg, float) else density,
        "density_g_per_cm3": result.density_g_per_cm3,
        "kernel_radius_mm": result.kernel_radius_mm,
        "emitted_j": result.emitted_j,
        "absorbed_j": result.absorbed_j,
        "escaped_share": result.escaped_share,
        "beyond_kernel_share": result.beyond_kernel_share,
        "max_gy": float(result.dose.array.max()),
        "spacing_mm": list(grid.spacing_mm[::-1]),
        "voxels": list(grid.shape[::-1]),
        "structures": [asdict(figures) for figures, _ in found.structures],
        "notices": [asdict(notice) for notice in found.notices],
        "inputs": {part: {"sha256": digest} for part, digest in sorted(hashes.items())},
    }


def _head(nuclide: Nuclide, convention: Convention, tissue: Tissue) -> dict[str, Any]:
    return {
        "software": f"radioembolization-planner {radioembolization.__version__}",
        "notice": RESEARCH_USE_ONLY,
        "nuclide": nuclide.name,
        "half_life_h": nuclide.half_life_h,
        "convention": str(convention),
        "tissue": tissue.name,
    }
