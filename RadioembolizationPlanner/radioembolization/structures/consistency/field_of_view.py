"""Does an image show the whole of a structure?"""

from __future__ import annotations

import numpy as np

from radioembolization.images import Grid
from radioembolization.structures.consistency.drawn import DrawnStructure, middle_of
from radioembolization.structures.findings import Finding, Severity
from radioembolization.structures.structure_set import Role

#: Shares of a structure outside an image from which to warn, and to refuse.
_OUTSIDE_WARNED, _OUTSIDE_REFUSED = 0.005, 0.5
#: Area on the border of an image from which a structure counts as cut [cm2].
_CUT_CM2 = 2.0
#: What is found where a structure is cut, by its role, and what follows.
_CUTS = {
    Role.LIVER: (
        "incomplete liver",
        "volume, mass and the limits on normal liver are those of a part; use a scan that shows all of it",
    ),
    Role.LUNGS: (
        "cropped lungs",
        "a lung mass from this CT is too small, and the lung dose by it too high; enter the lung mass, or use a scan "
        "of the whole chest",
    ),
}
_DIRECTIONS = (("right", "left"), ("front", "back"), ("foot", "head"))


def check_field_of_view(structure: DrawnStructure, image: Grid, called: str, *, cuts: bool = True) -> list[Finding]:
    """Look whether a structure reaches out of an image, or ends exactly where the image ends.

    Parameters
    ----------
    structure : DrawnStructure
    image : Grid
    called : str
        What the image is, for the message: ``"CT"``.
    cuts : bool
        Whether a structure that ends at the border was drawn on this image, and may go on beyond it.
    """
    index = image.to_index(structure.positions_lps_mm)
    out = np.any((index < -0.5 - 1e-3) | (index > np.array(image.shape) - 0.5 + 1e-3), axis=1)
    share = float(out.mean())
    if share > _OUTSIDE_WARNED:
        return [_outside(structure, called, share, structure.positions_lps_mm[out])]
    return _cut(structure, image, called, index) if cuts and structure.role is not Role.ORGAN else []


def _outside(structure: DrawnStructure, called: str, share: float, where: np.ndarray) -> Finding:
    whole = share > _OUTSIDE_REFUSED
    mend = (
        "they hardly belong to one frame of reference: register them, or choose the right image"
        if whole
        else "use an image that shows all of it, or check that the two are aligned"
    )
    return Finding(
        "field of view",
        Severity.ERROR if whole else Severity.WARNING,
        f"{share:.0%} of '{structure.name}' ({structure.role}) lie outside the {called}: {mend}.",
        (structure.name,),
        middle_of(where),
    )


def _cut(structure: DrawnStructure, image: Grid, called: str, index: np.ndarray) -> list[Finding]:
    """Find the sides of the image on which a structure ends."""
    findings = []
    for axis in range(3):
        # The structure is cut where it reaches the middle of the last voxels, be it drawn on finer ones.
        reach = 0.5 * _extent_along(structure.part_grid, image, axis)
        for last, near in ((False, index[:, axis] < reach), (True, index[:, axis] > image.shape[axis] - 1.0 - reach)):
            area_cm2 = _area_cm2(structure, image, index[near], axis)
            if area_cm2 >= _CUT_CM2:
                side = _side(image, axis, last)
                findings.append(_cut_finding(structure, called, side, area_cm2, structure.positions_lps_mm[near]))
    return findings


def _extent_along(drawn: Grid, image: Grid, axis: int) -> float:
    """Return the extent of a drawn voxel along an axis (z, y, x) of the image, in its voxels."""
    along = np.abs(drawn.direction_matrix.T @ image.direction_matrix[:, 2 - axis])
    return float(along @ np.array(drawn.spacing_mm[::-1]) / image.spacing_mm[axis])


def _area_cm2(structure: DrawnStructure, image: Grid, index: np.ndarray, axis: int) -> float:
    """Return the area that some voxels cover of a side of the image."""
    if not len(index):
        return 0.0
    others = [a for a in range(3) if a != axis]
    columns = np.unique(np.rint(index[:, others]).astype(int), axis=0)
    pixel_mm2 = image.spacing_mm[others[0]] * image.spacing_mm[others[1]]
    thick_mm = _extent_along(structure.part_grid, image, axis) * image.spacing_mm[axis]
    drawn_mm2 = structure.grid.voxel_ml * 1e3 / thick_mm
    return len(columns) * max(pixel_mm2, drawn_mm2) / 100.0


def _side(image: Grid, axis: int, last: bool) -> str:
    """Return the side of the patient at which an axis (z, y, x) of an image begins or ends."""
    vector = image.direction_matrix[:, 2 - axis] * (1.0 if last else -1.0)
    along = int(np.abs(vector).argmax())
    return _DIRECTIONS[along][int(vector[along] > 0)]


def _cut_finding(structure: DrawnStructure, called: str, side: str, area_cm2: float, where: np.ndarray) -> Finding:
    check, consequence = _CUTS.get(structure.role, ("cut structure", "use a scan that shows all of it"))
    return Finding(
        check,
        Severity.WARNING,
        f"'{structure.name}' ends where the {called} ends, towards the {side} ({area_cm2:.0f} cm2): {consequence}.",
        (structure.name,),
        middle_of(where),
    )
