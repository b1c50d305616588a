"""The case file: a TOML text that names images, structures, sites and the prescription."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from radioembolization.dose import DoseSettings, Method
from radioembolization.errors import CaseFileError, LimitError
from radioembolization.files.analysis_tables import analysis_from_tables
from radioembolization.files.artery_names import as_called
from radioembolization.files.artery_tables import read_artery_sites
from radioembolization.files.case_images import read_case_images
from radioembolization.files.case_structures import read_case_structures
from radioembolization.files.image_file import sha256_of_files
from radioembolization.files.shunt_tables import read_shunts
from radioembolization.files.site_tables import merged_away, read_sites
from radioembolization.files.toml_table import Table, loaded_toml
from radioembolization.physics import Convention, device_by_name
from radioembolization.planning import Prescription, preset
from radioembolization.planning.goal_table import goal_from_value
from radioembolization.planning.limit_table import limit_from_table
from radioembolization.structures import DEFAULT_LIVER_DENSITY, Role
from radioembolization.territories.shunt.lung_shunt import warn_of_shunt
from radioembolization.treatment import CaseInputs, SourceSite, SourceStructure, SyntheticLesions
from radioembolization.treatment.case import DEFAULT_SPACING_MM, collected_notices, joined


def read_case(path: Path) -> CaseInputs:
    """Read a case file and everything it names; see ``docs/case-file.md``.

    Paths in it are relative to the file.

    Raises
    ------
    CaseFileError
        If an entry is missing, unknown or of the wrong kind; the message names it.
    FileMissing, ImageError, StructureError, LimitError
        For what the file refers to.
    """
    top = Table(loaded_toml(path), path.name)
    images, structures, lungs = top.table("images"), top.table("structures"), top.table("lungs")
    prescription, patient = top.table("prescription"), top.table("patient")
    dose, grid, lesions = top.table("dose"), top.table("grid"), top.table("synthetic_lesions")
    uncertainty, vials, further = top.table("uncertainty"), top.table("vials"), top.table("report")
    arteries = top.table("arteries")
    top.take("segment", None)  # what to segment, which planning does not need
    device_name = dose.text("device")
    spacing_mm = grid.numbers("spacing_mm", 3, DEFAULT_SPACING_MM[::-1])[::-1]
    with collected_notices() as notices:
        pictures = read_case_images(images, path.parent)
        drawn = read_case_structures(structures, path.parent, pictures)
        shunts = read_shunts(lungs, path.parent, pictures, drawn.given)
        shunt = shunts.fraction
        tables = top.tables("sites")
        named = [table.peek("artery", "") for table in tables]
        offered = read_artery_sites(arteries, path.parent, drawn, spacing_mm, shunt, pictures.scout is not None, named)
        read = read_sites(tables, path.parent, drawn, shunt, offered)
        for fraction in sorted({site.lung_shunt for site in read.sites}):
            warn_of_shunt(fraction, device_by_name(device_name))
    given, sites = drawn.given, read.sites
    used = {"case": (path,), "structures": drawn.files, **pictures.files, **read.files, **shunts.files}
    used |= {} if offered is None else offered.files
    settings = _settings(dose, device_name)
    inputs = CaseInputs(
        name=top.text("name"),
        settings=settings,
        structures=given,
        sites=sites,
        prescription=_prescription(prescription, given, lesions, sites, {} if offered is None else offered.stands_for),
        scout=pictures.scout,
        ct=pictures.ct,
        tumour_to_normal={k: float(v) for k, v in top.mapping("tumour_to_normal").items()},
        lung_mass_kg=lungs.number("mass_kg", None),
        lung_mass_assumed=lungs.flag("assumed", False),
        liver_density_g_per_cm3=structures.number("density_g_per_cm3", DEFAULT_LIVER_DENSITY),
        spacing_mm=spacing_mm,  # type: ignore[arg-type]
        synthetic_lesions=_lesions(lesions),
        synthetic=top.flag("synthetic", False),
        hashes={part: sha256_of_files(files) for part, files in sorted(used.items())},
        notices=joined(notices, () if offered is None else offered.notices),
        patient=patient.text("identifier", ""),
        include_identifiers=patient.flag("include_in_output", False),
        analysis=analysis_from_tables(
            uncertainty, vials, further, settings.device, (s.name for s in sites), read.hours
        ),
        arteries=None if offered is None else offered.tree,
        lung_shunts=shunts.shunts,
    )
    for table in (top, images, structures, lungs, prescription, patient, dose, grid, lesions, further, arteries):
        table.refuse_leftovers()
    return inputs


def _settings(dose: Table, device_name: str) -> DoseSettings:
    return DoseSettings(
        device=device_by_name(device_name),
        convention=Convention(dose.choice("convention", list(Convention), Convention.CLINICAL)),
        method=Method(dose.choice("method", list(Method), Method.FFT)),
    )


def _prescription(
    table: Table,
    given: tuple[SourceStructure, ...],
    lesions: Table,
    sites: tuple[SourceSite, ...],
    stands_for: Mapping[str, str],
) -> Prescription:
    name = table.text("preset", "")
    reason = table.text("override_reason", "")
    base = Prescription.from_preset(preset(name), reason) if name else Prescription()
    own = tuple(limit_from_table(_with_known_site(entry, sites)) for entry in table.tables("limits"))
    at_most = table.take("at_most_sites", None)
    if at_most is not None and (not isinstance(at_most, int) or isinstance(at_most, bool) or at_most < 1):
        raise CaseFileError(f"{table.where}.at_most_sites must be a whole number of at least 1, not {at_most!r}.")
    tumours = [s.name for s in given if s.role is Role.TUMOUR]
    tumours += [f"synthetic lesion {i}" for i in range(1, len(lesions.peek("volumes_ml", [])) + 1)]
    try:
        goal = goal_from_value(table.take("goal", "worst_tumour_part_mean"), tumours)
    except LimitError as error:
        raise CaseFileError(f"{table.where}.goal: {error}") from error
    return replace(
        base,
        goal=goal,
        limits=(*base.limits, *own),
        at_most_sites=at_most,
        least_activity_gbq=table.number("least_activity_gbq", None),
        most_activity_gbq=table.number("most_activity_gbq", None),
        forbidden_sites=_site_names("forbidden_sites", table, sites, stands_for),
        required_sites=_site_names("required_sites", table, sites, stands_for),
    )


def _with_known_site(entry: Table, sites: tuple[SourceSite, ...]) -> dict[str, Any]:
    values = entry.everything()
    if isinstance(values.get("site"), str):
        values["site"] = as_called(values["site"], [site.name for site in sites])
    return values


def _site_names(
    key: str, table: Table, sites: tuple[SourceSite, ...], stands_for: Mapping[str, str]
) -> tuple[str, ...]:
    known = [site.name for site in sites]
    names = [as_called(name, known) for name in table.texts(key, [])]
    unknown = [name for name in names if name not in known]
    if unknown and (instead := merged_away(unknown[0], stands_for)):
        raise CaseFileError(f"{table.where}.{key}: {instead}.")
    if unknown:
        raise CaseFileError(f"{table.where}.{key} names {unknown}, which are no sites: use {', '.join(known)}.")
    return tuple(names)


def _lesions(table: Table) -> SyntheticLesions | None:
    if table.empty:
        return None
    volumes, ratios = table.list_of_numbers("volumes_ml"), table.list_of_numbers("tumour_to_normal")
    if len(volumes) != len(ratios) or not volumes or min(*volumes, *ratios) <= 0:
        raise CaseFileError(f"{table.where} needs as many positive tumour_to_normal as volumes_ml.")
    return SyntheticLesions(int(table.number("seed", 1)), tuple(volumes), tuple(ratios))
