"""What automatic segmentation returns: coded masks with their method, quality and findings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radioembolization.errors import StructureError
from radioembolization.images import Grid
from radioembolization.structures.findings import Finding, Severity
from radioembolization.structures.terminology import Terminology


@dataclass(frozen=True, eq=False)
class SegmentedStructure:
    """One structure found in an image.

    Parameters
    ----------
    name : str
    terminology : Terminology
    mask : ndarray (z, y, x) of bool
        Not empty; read-only.
    method : str
        How it was found, in words for a report.
    quality : float, optional
        Between 0 (do not use) and 1 (nothing speaks against it); None where a method judges nothing.
    findings : tuple of Finding
        What is uncertain about it.

    Raises
    ------
    StructureError
        If the mask is empty or the quality outside [0, 1].
    """

    name: str
    terminology: Terminology
    mask: np.ndarray
    method: str
    quality: float | None = None
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        mask = np.asarray(self.mask, dtype=bool).view()
        mask.flags.writeable = False
        object.__setattr__(self, "mask", mask)
        if not mask.any():
            raise StructureError(f"'{self.name}' has no voxels, so it is no structure.")
        if self.quality is not None and not 0.0 <= self.quality <= 1.0:
            raise StructureError(f"Quality {self.quality:g} of '{self.name}' is outside 0 to 1.")

    @property
    def is_uncertain(self) -> bool:
        """Whether anything about it carries a warning."""
        return any(finding.severity is not Severity.NOTICE for finding in self.findings)


@dataclass(frozen=True, eq=False)
class SegmentedStructures:
    """The structures found in one image, on its grid.

    Parameters
    ----------
    grid : Grid
    structures : tuple of SegmentedStructure
    findings : tuple of Finding
        About the image itself, or about what was not found.
    """

    grid: Grid
    structures: tuple[SegmentedStructure, ...]
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        wrong = [s.name for s in self.structures if s.mask.shape != self.grid.shape]
        if wrong:
            raise StructureError(f"Structures {wrong} are not on the grid of the image, {self.grid.shape}.")
        names = [s.name for s in self.structures]
        if len(set(names)) < len(names):
            raise StructureError(f"Structure names must be unique, not {names}.")

    def __getitem__(self, name: str) -> SegmentedStructure:
        for structure in self.structures:
            if structure.name == name:
                return structure
        raise StructureError(f"There is no structure '{name}': there are {[s.name for s in self.structures]}.")

    def volume_ml(self, name: str) -> float:
        """Volume of a structure [mL]."""
        return float(np.count_nonzero(self[name].mask)) * self.grid.voxel_ml

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        """Findings about the image, then those about each structure."""
        return (*self.findings, *(finding for s in self.structures for finding in s.findings))
