"""Bring a case onto one planning grid, with every check that needs no dose."""

from __future__ import annotations

import warnings

import numpy as np

from radioembolization.errors import (
    AssumedLungMass,
    ImageError,
    LungMassMissing,
    SmallStructure,
    StructureError,
    SyntheticData,
)
from radioembolization.images import (
    Grid,
    Unit,
    Volume,
    checked_counts,
    lung_mass_kg_from_ct,
    resample_counts,
    resample_linear,
    resample_mask,
)
from radioembolization.planning import LungDose
from radioembolization.structures import (
    WHOLE_LIVER,
    LungMass,
    Role,
    Structure,
    StructureSet,
    place_lesions,
    tumour_to_normal_ratios,
)
from radioembolization.territories import InjectionSite, nearest_part, territories_from_sites
from radioembolization.treatment.case import Case, CaseInputs, SourceMask, SourceSite, collected_notices, joined
from radioembolization.treatment.densities import planning_density
from radioembolization.treatment.planning_grid import planning_grid

#: Change of a structure's volume on the planning grid that is worth a warning.
_VOLUME_CHANGE_WARNED = 0.05


def prepare(inputs: CaseInputs) -> Case:
    """Return the case on its planning grid.

    The grid has the axes of the liver's own grid, the spacing asked for, and covers liver, tumours
    and other organs with a margin.

    Raises
    ------
    InputError
        In one of its named forms, for anything missing, empty or impossible.
    """
    with collected_notices() as notices:
        inputs.prescription.problem(inputs.settings.device)  # refuses limits of other devices early
        grid = planning_grid(inputs.structures, inputs.spacing_mm)
        ct = None if inputs.ct is None else resample_linear(inputs.ct, grid, outside=-1000.0)
        structures, ratios = _structures(inputs, grid)
        scout, share = _scout(inputs, structures)
        if scout is not None and not ratios:
            ratios = tumour_to_normal_ratios(structures, scout)
        sites = tuple(_site(site, structures) for site in inputs.sites)
        territories = territories_from_sites(sites, structures, scout, ratios)
        density = planning_density(inputs, structures)
        _warn_of_changed_volumes(inputs, structures)
    return Case(
        inputs=inputs,
        structures=structures,
        territories=territories,
        scout=scout,
        ct=ct,
        tumour_to_normal=ratios,
        source_volume_ml={_name(s.name, s.role): _source_ml(s.source) for s in inputs.structures},
        scout_share_in_liver=share,
        notices=joined(inputs.notices, notices),
        density=density,
    )


def _structures(inputs: CaseInputs, grid: Grid) -> tuple[StructureSet, dict[str, float]]:
    given = [
        Structure(s.name, s.role, resample_mask(s.source.mask, s.source.grid, grid))
        for s in inputs.structures
        if s.role is not Role.LUNGS
    ]
    ratios = dict(inputs.tumour_to_normal)
    if inputs.synthetic:
        warnings.warn(
            f"The case '{inputs.name}' is a synthetic patient made by the program.",
            SyntheticData,
            stacklevel=2,
        )
    if inputs.arteries is not None and inputs.arteries.synthetic:
        warnings.warn(
            f"The {len(inputs.arteries.arteries)} arteries of the case '{inputs.name}' were made by the program and "
            "are no patient's: territories and candidate sites from them are for research only.",
            SyntheticData,
            stacklevel=2,
        )
    if inputs.synthetic_lesions is not None:
        lesions = _synthetic_lesions(inputs, given, grid)
        ratios |= dict(zip((s.name for s in lesions), inputs.synthetic_lesions.tumour_to_normal, strict=True))
        given += lesions
    structures = StructureSet(grid, tuple(given), inputs.liver_density_g_per_cm3, _lung_mass(inputs))
    unknown = sorted(set(ratios) - {t.name for t in structures.tumours})
    if unknown:
        raise StructureError(f"Tumour-to-normal ratios are given for {unknown}, which are no tumours of the case.")
    return structures, ratios


def _synthetic_lesions(inputs: CaseInputs, given: list[Structure], grid: Grid) -> list[Structure]:
    asked = inputs.synthetic_lesions
    assert asked is not None
    liver = next(s for s in given if s.role is Role.LIVER).mask
    lesions = place_lesions(liver, grid, asked.volumes_ml, np.random.default_rng(asked.seed))
    warnings.warn(
        f"{len(lesions)} lesions were placed by the program (seed {asked.seed}); they are no findings.",
        SyntheticData,
        stacklevel=3,
    )
    return [
        Structure(f"synthetic lesion {number}", Role.TUMOUR, lesion.mask)
        for number, lesion in enumerate(lesions, start=1)
    ]


def _lung_mass(inputs: CaseInputs) -> LungMass | None:
    lungs = [s.source for s in inputs.structures if s.role is Role.LUNGS]
    if lungs and inputs.ct is not None and inputs.lung_mass_kg is None:
        mask = np.any([resample_mask(s.mask, s.grid, inputs.ct.grid) for s in lungs], axis=0)
        if not mask.any():
            raise StructureError("The lungs have no voxels on the CT: check the structure, or enter [lungs] mass_kg.")
        return LungMass(lung_mass_kg_from_ct(inputs.ct, mask), "CT density")
    if inputs.lung_mass_kg is None:
        if any(isinstance(limit.quantity, LungDose) for limit in inputs.prescription.limits):
            raise LungMassMissing(
                "The prescription limits the lung dose, but the case has neither a lung structure with a CT "
                "nor an entered lung mass: give structures.lungs and images.ct, or [lungs] mass_kg (and "
                "assumed = true if it is a standard value such as 1.0)."
            )
        return None
    if inputs.lung_mass_assumed:
        warnings.warn(
            f"The lung mass of {inputs.lung_mass_kg:g} kg is an assumption of the case, not measured from CT; "
            "the lung dose is inversely proportional to it.",
            AssumedLungMass,
            stacklevel=4,
        )
    return LungMass(inputs.lung_mass_kg, "assumed" if inputs.lung_mass_assumed else "entered")


def _scout(inputs: CaseInputs, structures: StructureSet) -> tuple[Volume | None, float | None]:
    if inputs.scout is None:
        return None, None
    counts = checked_counts(inputs.scout)
    scout, _ = resample_counts(counts, structures.grid)
    in_liver = float(scout.array[structures.liver.mask].sum(dtype=float))
    return Volume(scout.array, scout.grid, Unit.COUNTS), in_liver / float(counts.array.sum(dtype=float))


def _site(site: SourceSite, structures: StructureSet) -> InjectionSite:
    perfused = resample_mask(site.perfused.mask, site.perfused.grid, structures.grid)
    if site.nearest_to:
        by_name = {s.name: s.mask for s in structures.all}
        missing = [name for name in (site.nearest_to, *site.among) if name not in by_name]
        if missing:
            raise StructureError(f"Site '{site.name}' refers to structures {missing}, which the case does not have.")
        names = site.among or tuple(t.name for t in structures.tumours)
        if site.nearest_to not in names:
            names = (*names, site.nearest_to)
        seeds = tuple(by_name[name] for name in names)
        perfused = nearest_part(perfused, structures.grid.spacing_mm, seeds, names.index(site.nearest_to))
    return InjectionSite(
        name=site.name,
        perfused=perfused,
        lung_shunt=site.lung_shunt,
        extrahepatic_share=site.extrahepatic_share,
        pattern=site.pattern,
        position_lps_mm=site.position_lps_mm,
        supply=None if site.supply is None else _supply(site, perfused, structures.grid),
        scout=None if site.scout is None else _own_counts(site.name, site.scout, structures.grid),
        outflow=dict(site.outflow),
        upstream=site.upstream,
    )


def _own_counts(name: str, scout: Volume, grid: Grid) -> np.ndarray:
    """Return the counts (z, y, x) of an injection at a site on a grid; errors name the site."""
    try:
        return resample_counts(checked_counts(scout), grid)[0].array
    except ImageError as error:
        raise type(error)(f"Scout of site '{name}': {error}") from error


def _supply(site: SourceSite, perfused: np.ndarray, grid: Grid) -> np.ndarray:
    """Return the supply (z, y, x) of a site on a grid; none beyond the part that ``nearest_to`` leaves."""
    assert site.supply is not None
    given = Volume(site.supply.array, site.supply.grid, Unit.RELATIVE_FLOW)
    flow = given.array if given.grid == grid else resample_linear(given, grid, outside=0.0).array
    return np.where(perfused, flow, np.float32(0.0)) if site.nearest_to else flow


def _warn_of_changed_volumes(inputs: CaseInputs, structures: StructureSet) -> None:
    for given, placed in ((s, t) for s in inputs.structures for t in structures.all if t.name == _name(s.name, s.role)):
        before, after = _source_ml(given.source), structures.volume_ml(placed)
        if abs(after - before) > _VOLUME_CHANGE_WARNED * before:
            warnings.warn(
                f"Structure '{given.name}' has {after:.2f} mL on the planning grid against {before:.2f} mL as "
                "drawn: use a finer grid.spacing_mm.",
                SmallStructure,
                stacklevel=3,
            )


def _source_ml(source: SourceMask) -> float:
    return float(np.count_nonzero(source.mask)) * source.grid.voxel_ml


def _name(name: str, role: Role) -> str:
    return WHOLE_LIVER if role is Role.LIVER else name
