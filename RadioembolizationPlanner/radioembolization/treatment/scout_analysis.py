"""What a scout image says of a patient: lung shunt by every method, tumour-to-normal ratios, extrahepatic foci."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from radioembolization.errors import InputError, ShuntNotComputed
from radioembolization.images import Volume
from radioembolization.structures import Role, StructureSet
from radioembolization.structures.consistency import DrawnStructure
from radioembolization.structures.extrahepatic_foci import ExtrahepaticFocus, FocusRule, extrahepatic_foci
from radioembolization.structures.tumour_to_normal import TumourToNormal, territory_references, tumour_to_normal
from radioembolization.territories.shunt.lung_shunt import LungShunt, ShuntMethod, warn_of_disagreement
from radioembolization.territories.shunt.spect_shunt import SpectShuntSettings, spect_shunt
from radioembolization.treatment.case import Case, CaseInputs, Notice, collected_notices, joined


@dataclass(frozen=True)
class ScoutAnalysis:
    """What a scout image says.

    Parameters
    ----------
    lung_shunts : tuple of LungShunt
        By every method that the case gives or allows; the one that sites use is marked.
    tumour_to_normal : tuple of TumourToNormal
        Against all normal liver, then against that of the smallest territory that holds the tumour.
    foci : tuple of ExtrahepaticFocus
    notices : tuple of Notice
    """

    lung_shunts: tuple[LungShunt, ...]
    tumour_to_normal: tuple[TumourToNormal, ...]
    foci: tuple[ExtrahepaticFocus, ...]
    notices: tuple[Notice, ...]


def analyse_scout(case: Case, rule: FocusRule | None = None) -> ScoutAnalysis:
    """Return what the scout of a case says.

    The lung shunt by SPECT/CT is computed also where the case does not ask for it; if it cannot be, a notice says why.

    Parameters
    ----------
    case : Case
        With a scout.
    rule : FocusRule, optional

    Raises
    ------
    InputError
        If the case has no scout.
    """
    inputs = case.inputs
    if inputs.scout is None or case.scout is None:
        raise InputError(f"The case '{case.name}' has no scout image: add images.scout.")
    structures = drawn_structures(inputs)
    with collected_notices() as notices:
        shunts = _with_spect(inputs, structures, inputs.scout)
        ratios = _ratios(case, case.structures, case.scout)
        foci = extrahepatic_foci(inputs.scout, structures, rule)
    return ScoutAnalysis(shunts, ratios, foci, joined(case.notices, notices))


def drawn_structures(inputs: CaseInputs) -> tuple[DrawnStructure, ...]:
    """Return the structures of a case that have voxels, each on its own grid."""
    drawn = (s for s in inputs.structures if s.source.mask.any())
    return tuple(DrawnStructure(s.name, s.role, s.source.mask, s.source.grid) for s in drawn)


def shunt_by_spect(
    scout: Volume | None,
    structures: Sequence[DrawnStructure],
    ct: Volume | None = None,
    settings: SpectShuntSettings | None = None,
) -> LungShunt:
    """Return the lung shunt by scout, liver and lungs.

    Parameters
    ----------
    scout : Volume or None
    structures : sequence of DrawnStructure
        Lungs in several structures, as left and right, count together.
    ct : Volume, optional
        On which the lungs were drawn, to see whether it shows all of them.
    settings : SpectShuntSettings, optional

    Raises
    ------
    InputError
        If one of the three is missing, or several lungs lie on different grids.
    LungShuntError
        As of ``spect_shunt``.
    """
    by_role = {s.role: s for s in structures}
    missing = [] if scout is not None else ["images.scout"]
    missing += [f"structures.{role.value}" for role in (Role.LIVER, Role.LUNGS) if role not in by_role]
    if missing or scout is None:
        raise InputError(f"A lung shunt by SPECT/CT needs {' and '.join(missing)}: add them, or enter the shunt.")
    ct_grid = None if ct is None else ct.grid
    return spect_shunt(scout, by_role[Role.LIVER], _all_lungs(structures), ct_grid, settings)


def _all_lungs(structures: Sequence[DrawnStructure]) -> DrawnStructure:
    """Return all structures of role lungs as one."""
    lungs = [s for s in structures if s.role is Role.LUNGS]
    if any(s.grid != lungs[0].grid for s in lungs):
        names = ", ".join(f"'{s.name}'" for s in lungs)
        raise InputError(f"The lungs ({names}) lie on different grids: join them in one structure for the lung shunt.")
    mask = np.any([s.mask for s in lungs], axis=0)
    return DrawnStructure(" and ".join(s.name for s in lungs), Role.LUNGS, mask, lungs[0].grid)


def _with_spect(inputs: CaseInputs, structures: Sequence[DrawnStructure], scout: Volume) -> tuple[LungShunt, ...]:
    known = inputs.lung_shunts
    if any(shunt.method is ShuntMethod.SPECT for shunt in known):
        return known
    try:
        found = shunt_by_spect(scout, structures, inputs.ct)
    except InputError as error:
        warnings.warn(f"None was computed beside the others. {error}", ShuntNotComputed, stacklevel=2)
        return known
    shunts = (*known, replace(found, used=False))
    warn_of_disagreement(shunts)
    return shunts


def _ratios(case: Case, structures: StructureSet, scout: Volume) -> tuple[TumourToNormal, ...]:
    overall = tumour_to_normal(structures, scout)
    drawn = {s.name for s in case.inputs.structures}  # lesions placed by the program are not in the scout
    overall = tuple(one for one in overall if one.name in drawn)
    territories = territory_references(structures, {site.name: site.perfused for site in case.sites})
    whole = int(structures.normal_liver.mask.sum())
    partial = {
        name: reference
        for name, reference in territories.items()
        if int((reference.mask & structures.normal_liver.mask).sum()) < whole
    }
    if not partial:
        return overall
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # said once
        local = tumour_to_normal(structures, scout, own_references=partial)
    return (*overall, *(one for one in local if one.name in partial and one.name in drawn))
