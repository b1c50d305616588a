"""Checks of structures by themselves: volumes, separate parts, overlaps, density."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from radioembolization.images import Unit, Volume, density_of_hu, resample_mask
from radioembolization.structures.consistency.drawn import DrawnStructure, middle_of
from radioembolization.structures.findings import Finding, Severity
from radioembolization.structures.structure_set import Role

#: Volumes outside are worth a second look [mL].  Healthy livers have about 1 to 2.5 L, those full of metastases
#: several litres; lungs up to 8 L at full inspiration (total lung capacity).
_PLAUSIBLE_ML = {Role.LIVER: (600.0, 6000.0), Role.LUNGS: (1000.0, 9000.0), Role.TUMOUR: (0.5, 3000.0)}
#: Parts that a whole structure of a role has.
_PARTS = {Role.LIVER: 1, Role.LUNGS: 2}
#: Volume of further parts to warn at [mL]; below, they are specks.
_ISLAND_ML = 1.0
#: Structures of which as much of the smaller lies in the other overlap, beyond a rim of one voxel.
_OVERLAP_SHARE = 0.02
#: Largest difference of the density by CT and the nominal one that passes.
_DENSITY_DIFFERENCE = 0.05
_ALL_NEIGHBOURS = np.ones((3, 3, 3), dtype=bool)


def check_volume(structure: DrawnStructure) -> list[Finding]:
    """Compare the volume of a liver, of lungs or of a tumour with what patients have."""
    low, high = _PLAUSIBLE_ML.get(structure.role, (0.0, np.inf))
    volume = structure.volume_ml
    if low <= volume <= high:
        return []
    side, than = ("smaller", low) if volume < low else ("larger", high)
    severity = Severity.NOTICE if structure.role is Role.TUMOUR and volume < low else Severity.WARNING
    return [
        Finding(
            "unusual volume",
            severity,
            f"'{structure.name}' ({structure.role}) has {volume:.3g} mL, {side} than the {than:g} mL of nearly all "
            "patients: check that the whole structure was drawn, on the right image and voxel size.",
            (structure.name,),
            middle_of(structure.positions_lps_mm),
        )
    ]


def check_islands(structure: DrawnStructure) -> list[Finding]:
    """Look for parts of a structure that do not hang together."""
    labels, count = ndimage.label(structure.part, _ALL_NEIGHBOURS)
    sizes = np.bincount(labels.ravel())[1:]
    order = np.argsort(-sizes, kind="stable")
    further = order[_PARTS.get(structure.role, 1) :]
    if not len(further) or structure.role in (Role.ORGAN, Role.NORMAL_LIVER):
        return []
    volume_ml = float(sizes[further].sum()) * structure.grid.voxel_ml
    where = middle_of(structure.part_grid.to_lps(np.argwhere(labels == further[0] + 1)))
    if structure.role is Role.TUMOUR:
        message = (
            f"'{structure.name}' has {count} separate parts; a plan counts them as one tumour: draw lesions that are "
            "to be judged one by one as structures of their own."
        )
        return [Finding("separate parts", Severity.NOTICE, message, (structure.name,), where)]
    message = (
        f"'{structure.name}' has {len(further)} islands of {volume_ml:.2g} mL in all beside its main "
        f"{'part' if count - len(further) == 1 else 'parts'}: remove them, or connect them."
    )
    severity = Severity.WARNING if volume_ml >= _ISLAND_ML else Severity.NOTICE
    return [Finding("islands", severity, message, (structure.name,), where)]


def check_overlap(first: DrawnStructure, second: DrawnStructure) -> list[Finding]:
    """Look whether two structures that exclude each other share more than the rim where they touch.

    Tumours lie in the liver, and organs may reach into it: liver is compared with lungs only.
    """
    roles = {first.role, second.role}
    if Role.LIVER in roles and Role.LUNGS not in roles:
        return []
    other = second.part if second.part_grid == first.part_grid else _on(first, second)
    shared = first.part & other
    inner = shared & ndimage.binary_erosion(first.part) & ndimage.binary_erosion(other)
    smaller_ml = min(first.volume_ml, second.volume_ml)
    shared_ml = float(np.count_nonzero(shared)) * first.grid.voxel_ml
    if not inner.any() or shared_ml < _OVERLAP_SHARE * smaller_ml:
        return []
    return [
        Finding(
            "overlap",
            Severity.WARNING,
            f"'{first.name}' and '{second.name}' share {shared_ml:.2g} mL ({shared_ml / smaller_ml:.0%} of the smaller "
            "one): subtract one from the other, or unite them.",
            (first.name, second.name),
            middle_of(first.part_grid.to_lps(np.argwhere(inner))),
        )
    ]


def _on(first: DrawnStructure, second: DrawnStructure) -> np.ndarray:
    """Return the second structure on the box of the first; exact where both were drawn on one lattice."""
    return resample_mask(second.part, second.part_grid, first.part_grid)


def check_density(liver: DrawnStructure, ct: Volume, nominal_g_per_cm3: float) -> list[Finding]:
    """Compare the mean density of the liver by CT numbers with the one that masses are computed with."""
    index = np.rint(ct.grid.to_index(liver.positions_lps_mm)).astype(int)
    inside = np.all((index >= 0) & (index < ct.grid.shape), axis=1)
    if ct.unit is not Unit.HU or not inside.any():
        return []
    hu = np.asarray(ct.array[tuple(index[inside].T)], dtype=np.float32)
    density = float(density_of_hu(hu).mean(dtype=float))
    if abs(density / nominal_g_per_cm3 - 1.0) <= _DENSITY_DIFFERENCE:
        return []
    return [
        Finding(
            "density",
            Severity.WARNING,
            f"The CT gives '{liver.name}' a mean density of {density:.3f} g/cm3 ({hu.mean():.0f} HU), "
            f"{density / nominal_g_per_cm3 - 1.0:+.0%} against the {nominal_g_per_cm3:g} g/cm3 that its mass is "
            "computed with: check that CT and structure belong together and the CT is in HU; contrast medium raises it "
            "a little.",
            (liver.name,),
            middle_of(liver.positions_lps_mm),
        )
    ]
