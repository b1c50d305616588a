"""Do the images and structures of a case fit together, before it is planned?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from radioembolization.errors import ImageError
from radioembolization.images import Grid, Volume
from radioembolization.structures import Role
from radioembolization.structures.consistency import (
    DrawnStructure,
    check_density,
    check_field_of_view,
    check_islands,
    check_overlap,
    check_scout,
    check_volume,
)
from radioembolization.structures.findings import Finding, Severity
from radioembolization.structures.segmentation.body import find_body
from radioembolization.structures.segmentation.ct_image import working_ct
from radioembolization.treatment.case import Case, CaseInputs, Notice, joined

#: The body is needed to a few millimetres only [mm].
_BODY_MM = 6.0
_WORST_FIRST = (Severity.ERROR, Severity.WARNING, Severity.NOTICE)


def check_case(inputs: CaseInputs) -> tuple[Finding, ...]:
    """Return everything about images and structures of a case that a user should look at, the worst first.

    Volumes, separate parts and overlaps of the structures; what lies outside the CT or the scout, or is cut by the CT's
    border; the density of the liver by CT; counts of the scout outside body, liver and lungs.  Nothing is changed.
    """
    drawn = [s for s in inputs.structures if s.source.mask.any()]
    structures = [DrawnStructure(s.name, s.role, s.source.mask, s.source.grid) for s in drawn]
    return check_structures(structures, inputs.ct, inputs.scout, inputs.liver_density_g_per_cm3)


def check_structures(
    structures: Sequence[DrawnStructure],
    ct: Volume | None,
    scout: Volume | None,
    liver_density_g_per_cm3: float,
) -> tuple[Finding, ...]:
    """Return the findings about structures and the images they are used with; see ``check_case``."""
    findings: list[Finding] = []
    for structure in structures:
        findings += check_volume(structure) + check_islands(structure)
        if ct is not None:
            findings += check_field_of_view(structure, ct.grid, "CT")
        if scout is not None and structure.role is not Role.ORGAN:
            findings += check_field_of_view(structure, scout.grid, "scout image", cuts=False)
        if ct is not None and structure.role is Role.LIVER:
            findings += check_density(structure, ct, liver_density_g_per_cm3)
    for first, second in combinations(structures, 2):
        findings += check_overlap(first, second)
    if scout is not None:
        findings += check_scout(scout, structures, None if ct is None else _body(ct))
    return tuple(sorted(findings, key=lambda finding: _WORST_FIRST.index(finding.severity)))


def with_findings(case: Case, findings: Sequence[Finding]) -> Case:
    """Return a case whose notices tell errors and warnings among some findings, so that they are in every output."""
    told = [Notice(_as_name(f.check), f.message) for f in findings if f.severity is not Severity.NOTICE]
    return replace(case, notices=joined(case.notices, told))


def _as_name(check: str) -> str:
    """Return the name of a check as those of warnings are written: ``IncompleteLiver``."""
    return "".join(word.capitalize() for word in check.split())


def _body(ct: Volume) -> tuple[np.ndarray, Grid] | None:
    """Return the body in a CT; None where the CT shows too little to find it in."""
    try:
        work = working_ct(ct, _BODY_MM)
        return find_body(work), work.grid
    except ImageError:
        return None
