"""Structures with their roles and masses, all on one grid."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import combinations

import numpy as np
from scipy import ndimage

from radioembolization.errors import SmallStructure, StructureError, TumourPartlyOutsideLiver, TumoursOverlap
from radioembolization.images import Grid

#: Reserved names of the two structures every plan has.
WHOLE_LIVER = "whole liver"
NORMAL_LIVER = "normal liver"
#: Density of liver and of tumours in it [g/cm3] (ICRU Report 44, as quoted with 166Ho practice).
DEFAULT_LIVER_DENSITY = 1.06
#: A structure of fewer voxels gets a warning.
_FEW_VOXELS = 30
#: A tumour with less than this share inside the liver is refused.
_TUMOUR_INSIDE_REFUSED = 0.5


class Role(StrEnum):
    """What a structure is to the planner."""

    LIVER = "liver"
    NORMAL_LIVER = "normal liver"
    TUMOUR = "tumour"
    LUNGS = "lungs"
    ORGAN = "other organ"


def lies_within(mask: np.ndarray, region: np.ndarray) -> bool:
    """Return whether a mask (z, y, x) lies in a region but for a rim of voxels that comes with resampling.

    At least nine tenths in the region, and all but a hundredth within one voxel of it.
    """
    volume = np.count_nonzero(mask)
    near = np.count_nonzero(mask & ndimage.binary_dilation(region))
    return bool(np.count_nonzero(mask & region) >= 0.90 * volume and near >= 0.99 * volume)


@dataclass(frozen=True, eq=False)
class Structure:
    """One structure.

    Parameters
    ----------
    name : str
    role : Role
    mask : ndarray (z, y, x) of bool
    """

    name: str
    role: Role
    mask: np.ndarray

    def __post_init__(self) -> None:
        mask = np.asarray(self.mask, dtype=bool).view()
        mask.flags.writeable = False
        object.__setattr__(self, "mask", mask)


@dataclass(frozen=True)
class LungMass:
    """Mass of both lungs [kg] and how it was found (``"CT density"``, ``"entered"``)."""

    mass_kg: float
    method: str

    def __post_init__(self) -> None:
        if not 0.05 <= self.mass_kg <= 5.0:
            raise StructureError(
                f"Lung mass {self.mass_kg:g} kg ({self.method}) is outside 0.05 to 5 kg: enter kilograms."
            )


@dataclass(frozen=True, eq=False)
class StructureSet:
    """The structures of a case on the planning grid.

    Normal liver is the liver minus all tumours minus all other organs, so that a voxel of normal
    liver is in no tumour.  The lungs enter through their mass only.

    Parameters
    ----------
    grid : Grid
    given : tuple of Structure
        One liver, at least one tumour, any number of other organs.
    density_g_per_cm3 : float
        Density of liver, tumours and organs.
    lungs : LungMass, optional

    Raises
    ------
    StructureError
        If there is not exactly one liver, no tumour, a structure is empty, two share a name, or a
        tumour is mostly outside the liver.
    """

    grid: Grid
    given: tuple[Structure, ...]
    density_g_per_cm3: float = DEFAULT_LIVER_DENSITY
    lungs: LungMass | None = None

    def __post_init__(self) -> None:
        if not 0.5 <= self.density_g_per_cm3 <= 2.0:
            raise StructureError(f"Liver density {self.density_g_per_cm3:g} g/cm3 is outside 0.5 to 2.0: enter g/cm3.")
        self._check_names()
        for structure in self.given:
            self._check_mask(structure)
        livers = [s.name for s in self.given if s.role is Role.LIVER]
        if len(livers) != 1:
            raise StructureError(f"A case needs exactly one liver, not {len(livers)} ({livers}).")
        if not self.tumours:
            raise StructureError("A case needs at least one tumour: name it in the case's structures.")
        for tumour in self.tumours:
            self._check_inside(tumour)
        self._check_overlaps()
        if not self.normal_liver.mask.any():
            raise StructureError("No normal liver is left: the tumours and other organs cover the whole liver.")

    @cached_property
    def liver(self) -> Structure:
        """The whole liver, tumours included, under its reserved name."""
        mask = next(s for s in self.given if s.role is Role.LIVER).mask
        return Structure(WHOLE_LIVER, Role.LIVER, mask)

    @cached_property
    def tumours(self) -> tuple[Structure, ...]:
        """All tumours, in the order given."""
        return tuple(s for s in self.given if s.role is Role.TUMOUR)

    @cached_property
    def organs(self) -> tuple[Structure, ...]:
        """Other organs (gallbladder, stomach, ...)."""
        return tuple(s for s in self.given if s.role is Role.ORGAN)

    @cached_property
    def normal_liver(self) -> Structure:
        """Liver minus tumours minus other organs."""
        mask = self.liver.mask.copy()
        for other in (*self.tumours, *self.organs):
            mask &= ~other.mask
        return Structure(NORMAL_LIVER, Role.NORMAL_LIVER, mask)

    @cached_property
    def all(self) -> tuple[Structure, ...]:
        """Tumours, normal liver, whole liver, other organs: everything a plan reports."""
        return (*self.tumours, self.normal_liver, self.liver, *self.organs)

    def volume_ml(self, structure: Structure) -> float:
        """Volume of a structure on the planning grid [mL]."""
        return float(np.count_nonzero(structure.mask)) * self.grid.voxel_ml

    def mass_kg(self, structure: Structure) -> float:
        """Mass of a structure at the density of the set [kg]."""
        return self.volume_ml(structure) * self.density_g_per_cm3 / 1000.0

    @property
    def voxel_kg(self) -> float:
        """Mass of one voxel [kg]."""
        return self.grid.voxel_ml * self.density_g_per_cm3 / 1000.0

    def _check_names(self) -> None:
        names = [s.name for s in self.given]
        repeated = {name for name in names if names.count(name) > 1}
        reserved = {s.name for s in self.given if s.role is not Role.LIVER} & {WHOLE_LIVER, NORMAL_LIVER}
        if repeated or reserved:
            raise StructureError(
                f"Structure names must be unique and not '{WHOLE_LIVER}' or '{NORMAL_LIVER}': "
                f"rename {sorted(repeated | reserved)}."
            )

    def _check_mask(self, structure: Structure) -> None:
        if structure.mask.shape != self.grid.shape:
            raise StructureError(
                f"Structure '{structure.name}' has shape {structure.mask.shape}, the planning grid {self.grid.shape}."
            )
        voxels = int(np.count_nonzero(structure.mask))
        if not voxels:
            raise StructureError(
                f"Structure '{structure.name}' ({structure.role}) has no voxels on the planning grid "
                f"(0 of {self.grid.voxels}): check the segment, its frame of reference and the voxel size."
            )
        if voxels < _FEW_VOXELS:
            warnings.warn(
                f"Structure '{structure.name}' has only {voxels} voxels of {self.grid.voxel_ml:.3g} mL: "
                "its dose-volume figures are coarse; use a finer grid.spacing_mm.",
                SmallStructure,
                stacklevel=2,
            )

    def _check_overlaps(self) -> None:
        for first, second in combinations(self.tumours, 2):
            shared = int(np.count_nonzero(first.mask & second.mask))
            if shared:
                warnings.warn(
                    f"Tumours '{first.name}' and '{second.name}' share {shared * self.grid.voxel_ml:.1f} mL, which "
                    "count for both: draw them apart, or unite them.",
                    TumoursOverlap,
                    stacklevel=4,
                )

    def _check_inside(self, tumour: Structure) -> None:
        inside = np.count_nonzero(tumour.mask & self.liver.mask) / np.count_nonzero(tumour.mask)
        if inside < _TUMOUR_INSIDE_REFUSED:
            raise StructureError(
                f"Tumour '{tumour.name}' has only {inside:.0%} of its volume inside the liver: check "
                "that tumour and liver share one frame of reference, or include it in the liver."
            )
        if not lies_within(tumour.mask, self.liver.mask):
            outside_ml = (1.0 - inside) * self.volume_ml(tumour)
            warnings.warn(
                f"{outside_ml:.1f} mL ({1.0 - inside:.0%}) of tumour '{tumour.name}' lie outside the liver "
                "and receive no microspheres in the model: extend the liver structure if they belong to it.",
                TumourPartlyOutsideLiver,
                stacklevel=2,
            )
