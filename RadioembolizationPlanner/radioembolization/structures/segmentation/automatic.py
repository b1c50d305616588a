"""Body, lungs and liver from one CT."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from radioembolization.errors import StructureError
from radioembolization.images import Volume, bounding_box
from radioembolization.structures.findings import Finding, Severity
from radioembolization.structures.segmentation.body import body_structure, find_body
from radioembolization.structures.segmentation.cavity import diaphragm_height
from radioembolization.structures.segmentation.ct_image import WorkingCt, working_ct
from radioembolization.structures.segmentation.liver import find_liver
from radioembolization.structures.segmentation.liver_findings import liver_findings, liver_quality
from radioembolization.structures.segmentation.liver_intensity import check_seeds
from radioembolization.structures.segmentation.liver_quality import liver_signs
from radioembolization.structures.segmentation.lungs import find_lungs, lung_structures
from radioembolization.structures.segmentation.segmented import SegmentedStructure, SegmentedStructures
from radioembolization.structures.terminology import LIVER

#: Called with what is being done, the step and the number of steps; an exception it raises ends the work.
Progress = Callable[[str, int, int], None]
Seeds = Sequence[tuple[float, float, float]]
_Lungs = tuple[np.ndarray, np.ndarray]
_STEPS = 4
#: What is kept around the body, and below and above the top of the right diaphragm, to find the liver in [mm].
_MARGIN_MM, _BELOW_DOME_MM, _ABOVE_DOME_MM = 9.0, 330.0, 60.0


def segment_ct(ct: Volume, seeds_lps_mm: Seeds = (), progress: Progress | None = None) -> SegmentedStructures:
    """Find body, left and right lung and liver in a CT, without deep learning.

    Structures are called ``"body"``, ``"right lung"``, ``"left lung"`` and ``"liver"``; what was not found is left
    out, with a finding that says so.

    Parameters
    ----------
    ct : Volume
        [HU], on any grid: portal-venous or without contrast.
    seeds_lps_mm : sequence of (x, y, z), optional
        Positions inside the liver (LPS) [mm]; none are needed.
    progress : callable, optional
        Called with what is being done, the step and the number of steps.

    Raises
    ------
    ImageError
        If the image is empty, not in HU, or too small; or a seed lies outside it.
    """
    report = progress or (lambda what, step, steps: None)
    report("Preparing the CT", 0, _STEPS)
    work = working_ct(ct)
    check_seeds(work, seeds_lps_mm)
    report("Finding the body", 1, _STEPS)
    body = find_body(work)
    report("Finding the lungs", 2, _STEPS)
    lungs = find_lungs(work, body)
    report("Finding the liver", 3, _STEPS)
    structures, findings = [body_structure(work, body), *lung_structures(work, *lungs)], _missing_lungs(lungs)
    try:
        structures.append(_liver(work, body, lungs, seeds_lps_mm))
    except StructureError as error:
        findings.append(Finding("liver not found", Severity.ERROR, str(error), ("liver",)))
    report("Structures found", _STEPS, _STEPS)
    return SegmentedStructures(ct.grid, tuple(structures), tuple(findings))


def segment_liver(
    ct: Volume, body: np.ndarray, lungs: Sequence[SegmentedStructure] = (), seeds_lps_mm: Seeds = ()
) -> SegmentedStructure:
    """Find the liver in a CT whose body and lungs are known.

    Parameters
    ----------
    ct : Volume
        [HU].
    body : ndarray (z, y, x) of bool
        On the grid of the CT.
    lungs : sequence of SegmentedStructure
        ``"right lung"`` and ``"left lung"``, as far as found.
    seeds_lps_mm : sequence of (x, y, z), optional
        Positions inside the liver (LPS) [mm].

    Raises
    ------
    StructureError
        If nothing looks like a liver.
    ImageError
        If the image is no CT in HU, or a seed lies outside it.
    """
    work = working_ct(ct)
    given = {lung.name: work.on_working_grid(lung.mask) for lung in lungs}
    nothing = np.zeros(work.grid.shape, dtype=bool)
    sides = (given.get("right lung", nothing), given.get("left lung", nothing))
    return _liver(work, work.on_working_grid(body), sides, seeds_lps_mm)


def _liver(work: WorkingCt, body: np.ndarray, lungs: _Lungs, seeds: Seeds) -> SegmentedStructure:
    box = _trunk(work, body, lungs[0])
    work, body, lungs = work.part(box), body[box], (lungs[0][box], lungs[1][box])
    found = find_liver(work, body, lungs, seeds)
    signs = liver_signs(work, found, lungs[0])
    middle = tuple(float(value) for value in work.grid.to_lps(np.argwhere(found.mask).mean(axis=0)))
    method = (
        f"random walker from {'seeds' if seeds else 'the thickest tissue'} near {found.hu.mode:.0f} HU "
        "inside rib cage and diaphragm, at 3 mm"
    )
    findings = liver_findings(signs, middle)  # type: ignore[arg-type]
    return SegmentedStructure("liver", LIVER, work.on_image(found.mask), method, liver_quality(signs), findings)


def _trunk(work: WorkingCt, body: np.ndarray, right_lung: np.ndarray) -> tuple[slice, ...]:
    """Return the box around the body that reaches from the lungs to below any liver."""
    filled = bounding_box(body)
    assert filled is not None  # find_body refuses an empty one
    margin = int(np.ceil(_MARGIN_MM / work.grid.spacing_mm[0]))
    ends = [[max(0, a - margin), min(n, b + margin)] for (a, b), n in zip(filled, body.shape, strict=True)]
    if right_lung.any():
        top = int(diaphragm_height(right_lung)[right_lung.any(axis=0)].max())
        ends[0][0] = max(ends[0][0], top - int(_BELOW_DOME_MM / work.grid.spacing_mm[0]))
        ends[0][1] = min(ends[0][1], top + int(_ABOVE_DOME_MM / work.grid.spacing_mm[0]))
    return tuple(slice(a, b) for a, b in ends)


def _missing_lungs(lungs: _Lungs) -> list[Finding]:
    missing = [f"{side} lung" for side, lung in zip(("right", "left"), lungs, strict=True) if not lung.any()]
    if not missing:
        return []
    message = (
        f"The CT shows no {' and no '.join(missing)}: lung dose and shunt need another image, and the top of the liver "
        "may be missing."
    )
    return [Finding("lung not found", Severity.WARNING, message, tuple(missing))]
