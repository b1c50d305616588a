"""The ledger voxel by voxel: dose maps of several administrations on one grid, their BED with all cross terms."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from radioembolization.biology import TissueBiology, mutual_protraction
from radioembolization.course.ledger import check_entries
from radioembolization.errors import CourseError, ImageError, ParameterMissing, StructureError
from radioembolization.images import Grid, Unit, Volume
from radioembolization.physics.checked_numbers import positive

_HOURS_PER_DAY = 24.0


@dataclass(frozen=True, eq=False)
class VoxelExposure:
    """One administration with its dose map.

    Parameters
    ----------
    label : str
    day : float
    dose : Volume
        [Gy]
    half_life_h : mapping of str to float
        Half-life of the dose rate by structure [h]; physical for microspheres.
    patient : str
        Hash of the patient's identifier; empty if not stated.

    Raises
    ------
    CourseError
        If the map is not in Gy, a dose is negative, or the day is no number.
    InputError
        If a half-life is not positive.
    """

    label: str
    day: float
    dose: Volume
    half_life_h: Mapping[str, float]
    patient: str = ""

    def __post_init__(self) -> None:
        if self.dose.unit is not Unit.GY:
            raise CourseError(f"The dose map of '{self.label}' is in {self.dose.unit}: give Gy.")
        if not math.isfinite(self.day):
            raise CourseError(f"The day of '{self.label}' must be a number of days, not {self.day:g}.")
        if float(self.dose.array.min()) < 0.0:
            raise CourseError(f"The dose map of '{self.label}' has negative voxels: repair it.")
        for structure, half_life_h in self.half_life_h.items():
            positive(f"Half-life of '{structure}' by '{self.label}'", half_life_h, "h")


@dataclass(frozen=True, eq=False)
class VoxelLedger:
    """Dose maps of all administrations to one patient, on one grid.

    Parameters
    ----------
    exposures : tuple of VoxelExposure
        In any order.
    masks : mapping of str to ndarray (z, y, x) of bool
        Structures on the grid of the maps.
    tissues : mapping of str to TissueBiology
        By structure.

    Raises
    ------
    CourseError
        If there is no map, two share a label, or they are of different patients.
    ImageError
        If a map or mask is on another grid.
    """

    exposures: tuple[VoxelExposure, ...]
    masks: Mapping[str, np.ndarray]
    tissues: Mapping[str, TissueBiology] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.exposures:
            raise CourseError("A ledger of voxels needs at least one dose map.")
        object.__setattr__(self, "exposures", tuple(sorted(self.exposures, key=lambda exposure: exposure.day)))
        check_entries([exposure.label for exposure in self.exposures], [e.patient for e in self.exposures])
        for exposure in self.exposures:
            if exposure.dose.grid != self.grid:
                raise ImageError(
                    f"The dose map of '{exposure.label}' is on another grid than that of '{self.exposures[0].label}': "
                    "register and resample it first."
                )
        for structure, mask in self.masks.items():
            if mask.shape != self.grid.shape:
                raise ImageError(f"The mask of '{structure}' has shape {mask.shape}, the dose maps {self.grid.shape}.")

    @property
    def grid(self) -> Grid:
        """Grid of all maps."""
        return self.exposures[0].dose.grid

    def dose_gy(self, structure: str) -> np.ndarray:
        """Return the total dose of the voxels of a structure (voxels,) [Gy]."""
        total: np.ndarray = self._doses_gy(structure).sum(axis=0)
        return total

    def bed_gy(self, structure: str) -> np.ndarray:
        """Return the BED of the voxels of a structure (voxels,) [Gy], ``sum_i D_i + D^T g D / (alpha/beta)``.

        Raises
        ------
        StructureError
            If there is no such mask, it is empty, or a map has no half-life of the structure.
        ParameterMissing
            If the structure has no tissue parameters.
        """
        doses, tissue = self._doses_gy(structure), self._tissue(structure)
        matrix = self._protraction(structure, tissue.repair_half_time_h.value)
        bed: np.ndarray = doses.sum(axis=0)
        bed += np.einsum("iv,ij,jv->v", doses, matrix, doses) / tissue.alpha_beta_gy.value
        return bed

    def mean_bed_gy(self, structure: str) -> float:
        """Return the mean BED of the voxels of a structure [Gy]; above the BED of its mean doses unless uniform."""
        return float(np.mean(self.bed_gy(structure)))

    def bed_map(self) -> Volume:
        """Return the BED of all structures (z, y, x) [Gy], zero outside them.

        Raises
        ------
        StructureError
            If two share voxels, which would have two tissues.
        """
        array, taken = np.zeros(self.grid.shape), np.zeros(self.grid.shape, dtype=bool)
        for structure, mask in self.masks.items():
            inside = np.asarray(mask, dtype=bool)
            if np.any(taken & inside):
                raise StructureError(f"'{structure}' shares voxels with another structure: a voxel has one tissue.")
            taken |= inside
            array[inside] = self.bed_gy(structure)
        return Volume(array, self.grid, Unit.GY)

    def _doses_gy(self, structure: str) -> np.ndarray:
        """Return the doses (exposures, voxels) of a structure, float64 [Gy]."""
        if structure not in self.masks:
            raise StructureError(f"There is no mask of '{structure}': use one of {', '.join(self.masks) or 'none'}.")
        mask = np.asarray(self.masks[structure], dtype=bool)
        if not mask.any():
            raise StructureError(f"'{structure}' has no voxels on the grid of the dose maps.")
        return np.array([exposure.dose.array[mask] for exposure in self.exposures], dtype=float)

    def _tissue(self, structure: str) -> TissueBiology:
        if structure not in self.tissues:
            raise ParameterMissing(f"'{structure}' has no tissue parameters: add its alpha/beta and repair half-time.")
        return self.tissues[structure]

    def _protraction(self, structure: str, repair_half_time_h: float) -> np.ndarray:
        """Return g_ij (exposures, exposures) of unit doses."""
        missing = [exposure.label for exposure in self.exposures if structure not in exposure.half_life_h]
        if missing:
            raise StructureError(f"{missing} have no half-life of '{structure}': add it [h].")
        count = len(self.exposures)
        matrix = np.empty((count, count))
        for i, one in enumerate(self.exposures):
            for j, other in enumerate(self.exposures[i:], start=i):
                delay_h = _HOURS_PER_DAY * (other.day - one.day)
                pair_h = one.half_life_h[structure], other.half_life_h[structure]
                matrix[i, j] = matrix[j, i] = mutual_protraction(*pair_h, delay_h, repair_half_time_h)
        return matrix
