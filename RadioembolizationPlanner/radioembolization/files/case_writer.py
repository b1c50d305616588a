"""Writing a case to disk: images, segmentation and the case file that names them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from radioembolization.errors import CaseFileError
from radioembolization.files.image_file import write_volume
from radioembolization.files.replacing import replacing
from radioembolization.files.segmentation_file import write_segmentation
from radioembolization.planning import WorstTumourPartMean
from radioembolization.structures import Role
from radioembolization.treatment import CaseInputs, SourceSite


def write_case(inputs: CaseInputs, folder: Path) -> Path:
    """Write a case whose structures and territories share one grid; return the case file.

    ``case.toml``, ``segmentation.seg.nrrd`` and, where the case has them, ``scout.nrrd`` and
    ``ct.nrrd``.  The case file comes last, so that it never names a missing file.

    Raises
    ------
    CaseFileError
        If the case cannot be said in a case file: structures on several grids, a prescription that is
        not a preset, or another goal than the default one.
    """
    _check(inputs)
    folder.mkdir(parents=True, exist_ok=True)
    masks = {s.name: s.source.mask for s in inputs.structures}
    masks |= {_territory(site): site.perfused.mask for site in inputs.sites}
    write_segmentation(masks, inputs.structures[0].source.grid, folder / "segmentation.seg.nrrd")
    for name, volume in (("scout", inputs.scout), ("ct", inputs.ct)):
        if volume is not None:
            write_volume(volume, folder / f"{name}.nrrd")
    path = folder / "case.toml"
    with replacing(path) as temporary:
        temporary.write_text(_case_text(inputs), encoding="utf-8", newline="\n")
    return path


def _check(inputs: CaseInputs) -> None:
    grids = {s.source.grid for s in inputs.structures} | {site.perfused.grid for site in inputs.sites}
    if len(grids) != 1:
        raise CaseFileError("Structures and territories are on different grids: resample them to one first.")
    if not inputs.prescription.preset_name or inputs.prescription.goal != WorstTumourPartMean():
        raise CaseFileError("Only a preset with the default goal can be written to a case file.")


def _territory(site: SourceSite) -> str:
    return f"territory of {site.name}"


def _case_text(inputs: CaseInputs) -> str:
    def names(role: Role) -> list[str]:
        return [s.name for s in inputs.structures if s.role is role]

    lines = [
        "# Research use only; not a medical device.  The entries are explained in docs/case-file.md.",
        f"name = {_toml(inputs.name)}",
        f"synthetic = {_toml(inputs.synthetic)}",
        "",
        "[dose]",
        f"device = {_toml(inputs.settings.device.name)}",
        f"convention = {_toml(str(inputs.settings.convention))}",
        f"method = {_toml(str(inputs.settings.method))}",
        "",
        "[images]",
        *([f"scout = {_toml('scout.nrrd')}"] if inputs.scout is not None else []),
        *([f"ct = {_toml('ct.nrrd')}"] if inputs.ct is not None else []),
        "",
        "[structures]",
        f"file = {_toml('segmentation.seg.nrrd')}",
        f"liver = {_toml(names(Role.LIVER)[0])}",
        f"tumours = {_toml(names(Role.TUMOUR))}",
        *([f"lungs = {_toml(names(Role.LUNGS))}"] if names(Role.LUNGS) else []),
        f"organs = {_toml(names(Role.ORGAN))}",
        f"density_g_per_cm3 = {inputs.liver_density_g_per_cm3!r}",
        "",
        "[grid]",
        f"spacing_mm = {_toml(list(inputs.spacing_mm[::-1]))}  # x, y, z",
    ]
    if inputs.lung_mass_kg is not None:
        lines += ["", "[lungs]", f"mass_kg = {inputs.lung_mass_kg!r}", f"assumed = {_toml(inputs.lung_mass_assumed)}"]
    if inputs.tumour_to_normal:
        lines += ["", "[tumour_to_normal]"]
        lines += [f"{_toml(name)} = {ratio!r}" for name, ratio in inputs.tumour_to_normal.items()]
    lines += ["", "[prescription]", f"preset = {_toml(inputs.prescription.preset_name)}"]
    if inputs.prescription.at_most_sites is not None:
        lines.append(f"at_most_sites = {inputs.prescription.at_most_sites}")
    if inputs.prescription.least_activity_gbq is not None:
        lines.append(f"least_activity_gbq = {inputs.prescription.least_activity_gbq!r}")
    for site in inputs.sites:
        lines += _site_lines(site)
    return "\n".join(lines) + "\n"


def _site_lines(site: SourceSite) -> list[str]:
    lines = [
        "",
        "[[sites]]",
        f"name = {_toml(site.name)}",
        f"perfused = {_toml(_territory(site))}",
        f"lung_shunt = {site.lung_shunt!r}",
        f"distribution = {_toml(str(site.pattern))}",
    ]
    if site.extrahepatic_share:
        lines.append(f"extrahepatic_share = {site.extrahepatic_share!r}")
    if site.position_lps_mm is not None:
        lines.append(f"position_mm = {_toml([float(np.round(p, 3)) for p in site.position_lps_mm])}")
    return lines


def _toml(value: object) -> str:
    """Return a string, list of strings or numbers, or truth value as TOML (which agrees with JSON there)."""
    return json.dumps(value, ensure_ascii=False)
