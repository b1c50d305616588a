"""What a planned treatment leaves on disk: JSON, dose volumes, DVH table, report."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import radioembolization
from radioembolization.files.analysis_document import analysis_document, compact_text
from radioembolization.files.image_file import write_volume
from radioembolization.files.rows_file import write_rows
from radioembolization.files.shunt_document import shunt_document
from radioembolization.files.sites_document import arteries_entry, site_entries, unreached_entries
from radioembolization.planning import Plan
from radioembolization.planning.certificate_json import certificate_to_json
from radioembolization.planning.volumes.record import VolumeCertificate
from radioembolization.planning.volumes.record_document import to_document
from radioembolization.treatment import Case, Treatment, package_versions

#: Version of the plan document, ``plan.schema.json``; the first number changes when a reader breaks.
PLAN_SCHEMA_VERSION = "1.3"
#: Dose rows, beside the plan, from which it can be checked.
ROWS_NAME = "dose_rows.npz"
RESEARCH_USE_ONLY = "Research use only; not a medical device."


def plan_document(treatment: Treatment) -> dict[str, Any]:
    """Return the plan as a JSON document (see ``docs/plan-file.md``); no clock, no path, no identifier."""
    plan, case = treatment.plan, treatment.case
    document: dict[str, Any] = {
        "schema_version": PLAN_SCHEMA_VERSION,
        "notice": RESEARCH_USE_ONLY,
        "software": _software(),
        "case": _case(case),
        "status": plan.status,
        "goal": _goal(plan),
        "sites": [asdict(site) | more for site, more in zip(plan.sites, site_entries(case), strict=True)],
        "structures": [asdict(structure) for structure in plan.structures],
        "unreached_tumours": unreached_entries(case),
        "arteries": arteries_entry(case.inputs.arteries),
        "lungs": _lungs(treatment),
        "limits": [asdict(limit) for limit in plan.limits],
        "baselines": [asdict(baseline) for baseline in plan.baselines],
        "explanation": list(plan.explanation),
        "notices": [asdict(notice) for notice in treatment.notices],
        "constants": _constants(treatment),
        "prescription": plan.prescription,
        "certificate": _certificate(plan),
        "unproved": plan.unproved,
        "analysis": None if treatment.analysis is None else analysis_document(treatment.analysis),
        "inputs": _inputs(case),
    }
    if case.inputs.include_identifiers and case.inputs.patient:
        document["patient"] = case.inputs.patient
    return dict(json.loads(json.dumps(document, allow_nan=False)))  # plain JSON types throughout


def _certificate(plan: Plan) -> dict[str, Any] | None:
    if plan.certificate is None:
        return None
    if isinstance(plan.certificate, VolumeCertificate):
        return to_document(plan.certificate)
    return certificate_to_json(plan.certificate)


def plan_text(document: dict[str, Any]) -> str:
    """Return a plan document as text: one entry a line, but every plane and cut of the certificate on its own line."""

    def text(key: str, value: Any) -> str:
        if key == "certificate" and value:
            return _certificate_text(value)
        return compact_text(value, "  ") if key == "analysis" else _json(value, 2)

    blocks = [f"  {_json(key)}: {text(key, value)}" for key, value in document.items()]
    return "{\n" + ",\n".join(blocks) + "\n}\n"


def _json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False).replace("\n", "\n  ")


def _certificate_text(certificate: dict[str, Any]) -> str:
    blocks = []
    for key, value in certificate.items():
        if key in ("planes", "cuts"):
            lines = ",\n".join(f"      {_json(entry)}" for entry in value)
            blocks.append(f"    {_json(key)}: [\n{lines}\n    ]")
        else:
            blocks.append(f"    {_json(key)}: {_json(value)}")
    return "{\n" + ",\n".join(blocks) + "\n  }"


def write_results(treatment: Treatment, folder: Path, report_html: str | None = None) -> dict[str, Path]:
    """Write plan, dose rows, dose, DVH and report into a folder; return the files by what they are.

    Everything is written into a temporary folder beside the target first and moved when complete.
    """
    existed = folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder))
    names = {"plan": "plan.json", "dose": "dose.nrrd", "dose (NIfTI)": "dose.nii.gz", "DVH": "dvh.csv"}
    names["dose rows"] = ROWS_NAME
    try:
        _write_all(treatment, staging, names)
        if report_html is not None:
            names["report"] = "report.html"
            (staging / names["report"]).write_text(report_html, encoding="utf-8", newline="\n")
        for name in names.values():
            os.replace(staging / name, folder / name)
    except BaseException:
        shutil.rmtree(staging if existed else folder, ignore_errors=True)
        raise
    staging.rmdir()
    return {what: folder / name for what, name in names.items()}


def _write_all(treatment: Treatment, folder: Path, names: dict[str, str]) -> None:
    (folder / names["plan"]).write_text(plan_text(plan_document(treatment)), encoding="utf-8", newline="\n")
    write_rows(treatment.dose_per_gbq, folder / names["dose rows"])
    write_volume(treatment.dose, folder / names["dose"], {"unit": "Gy", "notice": RESEARCH_USE_ONLY})
    write_volume(treatment.dose, folder / names["dose (NIfTI)"])
    (folder / names["DVH"]).write_text(_dvh_table(treatment), encoding="utf-8", newline="\n")


def _dvh_table(treatment: Treatment) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["structure", "dose_gy", "volume_percent"])
    for name, histogram in treatment.histograms.items():
        for dose, share in zip(histogram.dose_gy, histogram.volume_share, strict=True):
            writer.writerow([name, f"{dose:.4f}", f"{100 * share:.4f}"])
    return stream.getvalue()


def _software() -> dict[str, Any]:
    version = radioembolization.__version__
    return {"name": "radioembolization-planner", "version": version, "packages": package_versions()}


def _goal(plan: Plan) -> dict[str, Any]:
    """Return the goal; without any bound there is null in its place."""
    table = asdict(plan.goal)
    return table | {key: table[key] if np.isfinite(table[key]) else None for key in ("bound", "gap")}


def _case(case: Case) -> dict[str, Any]:
    inputs, grid = case.inputs, case.structures.grid
    return {
        "name": inputs.name,
        "synthetic": case.synthetic,
        "device": inputs.settings.device.name,
        "preset": inputs.prescription.preset_name,
        "tumour_aim": inputs.prescription.tumour_aim,
        "preset_notes": list(inputs.prescription.notes),
        "tumour_to_normal": {name: float(ratio) for name, ratio in case.tumour_to_normal.items()},
        "scout_share_in_liver": case.scout_share_in_liver,
        "source_volume_ml": dict(case.source_volume_ml),
        "grid": {
            "shape_zyx": list(grid.shape),
            "spacing_mm_zyx": list(grid.spacing_mm),
            "origin_mm_lps": list(grid.origin_mm),
            "direction": list(grid.direction),
        },
    }


def _inputs(case: Case) -> dict[str, Any]:
    """Return the digests of all files and, if the case has any, lung shunts by every method."""
    digests: dict[str, Any] = {part: {"sha256": digest} for part, digest in sorted(case.inputs.hashes.items())}
    shunts = [shunt_document(shunt) for shunt in case.inputs.lung_shunts]
    return digests | ({"lung_shunts": shunts} if shunts else {})


def _lungs(treatment: Treatment) -> dict[str, Any] | None:
    rows = treatment.dose_per_gbq
    if rows.lung_gy_per_gbq is None:
        return None
    activity = float(rows.lung_shunt @ treatment.plan.activities_gbq)
    return {
        "mean_gy": treatment.plan.lung_gy,
        "shunted_gbq": activity,
        "mass_kg": rows.lung_mass_kg,
        "mass_method": rows.lung_mass_method,
        "dose_method": "shunted activity spread evenly over the lung mass, k A L / m",
        "by_voxels": _lungs_by_voxels(treatment),
    }


def _lungs_by_voxels(treatment: Treatment) -> dict[str, float] | None:
    lungs = treatment.lung_voxels
    if lungs is None:
        return None
    return {
        "mean_gy": lungs.mean_gy,
        "from_shunt_gy": lungs.from_shunt_gy,
        "from_liver_gy": lungs.from_liver_gy,
        "mass_kg": lungs.mass_kg,
        "escaped_share": lungs.escaped_share,
    }


def _constants(treatment: Treatment) -> dict[str, Any]:
    settings, rows = treatment.plan.settings, treatment.dose_per_gbq
    device = settings.device
    return {
        "nuclide": device.nuclide.name,
        "half_life_h": device.nuclide.half_life_h,
        "energy_convention": str(settings.convention),
        "energy_j_per_gbq": settings.energy_j_per_gbq,
        "dose_method": str(settings.method),
        "liver_density_g_per_cm3": treatment.case.structures.density_g_per_cm3,
        "bq_per_microsphere": device.bq_per_sphere,
        "bq_per_microsphere_source": device.source,
        "energy_outside_grid": {
            name: float(np.round(share, 9)) for name, share in zip(rows.site_names, rows.escaped_share, strict=True)
        },
    }
