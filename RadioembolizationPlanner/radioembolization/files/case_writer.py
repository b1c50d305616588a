"""Writing a case to disk: images, segmentation and the case file that names them."""

from __future__ import annotations

import json
from pathlib import Path

from radioembolization.errors import CaseFileError
from radioembolization.files.analysis_tables import hour_of, report_table, uncertainty_table, vials_table
from radioembolization.files.image_file import write_volume
from radioembolization.files.replacing import replacing
from radioembolization.files.segmentation_writer import write_segmentation
from radioembolization.files.site_writer import (
    check_sites,
    site_lines,
    territory_name,
    tree_lines,
    write_site_files,
)
from radioembolization.planning import Limit, Prescription, preset
from radioembolization.planning.goal_table import goal_to_value
from radioembolization.planning.limit_table import limit_to_table
from radioembolization.structures import Role
from radioembolization.structures.terminology import LIVER, LUNGS, PERFUSED_VOLUME, TUMOUR
from radioembolization.treatment import AnalysisRequest, CaseInputs

_KINDS = {Role.LIVER: LIVER, Role.LUNGS: LUNGS, Role.TUMOUR: TUMOUR}


def write_case(inputs: CaseInputs, folder: Path) -> Path:
    """Write a case whose structures share one grid; return the case file.

    ``case.toml``, ``segmentation.seg.nrrd`` and, where the case has them, ``scout.nrrd``, ``ct.nrrd``,
    ``arteries.tree.json``, scouts of single sites, and ``territories.seg.nrrd`` for territories on another grid.
    The case file comes last, so that it never names a missing file.

    Raises
    ------
    CaseFileError
        If the case cannot be said in a case file: structures on several grids, a preset with changed limits, or
        sites with blood flow by voxel.
    LimitError
        If a goal or limit has no name in files.
    """
    _check(inputs)
    folder.mkdir(parents=True, exist_ok=True)
    masks = {s.name: s.source.mask for s in inputs.structures}
    grid = inputs.structures[0].source.grid
    territories = {territory_name(site): site.perfused.mask for site in inputs.sites if site.perfused.grid == grid}
    kinds = {s.name: _KINDS[s.role] for s in inputs.structures if s.role in _KINDS}
    kinds |= dict.fromkeys(territories, PERFUSED_VOLUME)
    write_segmentation(masks | territories, grid, folder / "segmentation.seg.nrrd", kinds)
    write_site_files(inputs, grid, folder)
    for name, volume in (("scout", inputs.scout), ("ct", inputs.ct)):
        if volume is not None:
            write_volume(volume, folder / f"{name}.nrrd")
    path = folder / "case.toml"
    with replacing(path) as temporary:
        temporary.write_text(_case_text(inputs), encoding="utf-8", newline="\n")
    return path


def _check(inputs: CaseInputs) -> None:
    if len({s.source.grid for s in inputs.structures}) != 1:
        raise CaseFileError("Structures are on different grids: resample them to one first.")
    check_sites(inputs)
    _prescription_lines(inputs.prescription)  # refuses what cannot be said


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
    lines += ["", *_prescription_lines(inputs.prescription)]
    lines += _analysis_lines(inputs.analysis)
    lines += tree_lines(inputs)
    for site in inputs.sites:
        lines += site_lines(inputs, site, inputs.structures[0].source.grid, hour_of(inputs.analysis, site.name), _toml)
    return "\n".join(lines) + "\n"


def _analysis_lines(asked: AnalysisRequest) -> list[str]:
    tables = {"uncertainty": uncertainty_table(asked), "report": report_table(asked)}
    tables["vials"] = {} if asked.vials is None else vials_table(asked.vials)
    lines = []
    for name, table in tables.items():
        if table:
            lines += ["", f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in table.items())]
    return lines


def _prescription_lines(given: Prescription) -> list[str]:
    reason, own = _beyond_preset(given)
    entries: dict[str, object] = {
        "preset": given.preset_name or None,
        "override_reason": reason or None,
        "goal": goal_to_value(given.goal) if given.goal != Prescription().goal else None,
        "at_most_sites": given.at_most_sites,
        "least_activity_gbq": given.least_activity_gbq,
        "most_activity_gbq": given.most_activity_gbq,
        "forbidden_sites": list(given.forbidden_sites) or None,
        "required_sites": list(given.required_sites) or None,
    }
    lines = ["[prescription]", *(f"{key} = {_toml(value)}" for key, value in entries.items() if value is not None)]
    for limit in own:
        lines += ["", "[[prescription.limits]]"]
        lines += [f"{key} = {_toml(value)}" for key, value in limit_to_table(limit).items()]
    return lines


def _beyond_preset(given: Prescription) -> tuple[str, tuple[Limit, ...]]:
    """Return the reason for which a preset is overridden, and the limits beside those of the preset."""
    if not given.preset_name:
        return "", given.limits
    reason = given.limits[0].provenance.override_reason if given.limits else ""
    published = Prescription.from_preset(preset(given.preset_name), reason).limits
    if given.limits[: len(published)] != published:
        raise CaseFileError(
            f"The limits of preset '{given.preset_name}' were changed, which a case file cannot say: leave out "
            "preset_name to write every limit by itself."
        )
    return reason, given.limits[len(published) :]


def _toml(value: object) -> str:
    """Return a text, number, truth value, list or table as TOML, which agrees with JSON apart from tables."""
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {_toml(entry)}' for key, entry in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(_toml(entry) for entry in value)}]"
    return json.dumps(value, ensure_ascii=False)
