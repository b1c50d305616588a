"""What a case is made of, before and after everything is on the planning grid."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from radioembolization.dose import DoseSettings
from radioembolization.errors import PlannerWarning
from radioembolization.images import Grid, Volume
from radioembolization.planning import Prescription
from radioembolization.structures import DEFAULT_LIVER_DENSITY, Role, StructureSet
from radioembolization.territories import InjectionSite, Pattern, Territories
from radioembolization.territories.arteries import ArterialTree
from radioembolization.territories.shunt.lung_shunt import LungShunt
from radioembolization.treatment.analysis_request import AnalysisRequest

DEFAULT_SPACING_MM = (2.5, 2.5, 2.5)


@dataclass(frozen=True)
class Notice:
    """A named warning that travels with the plan into every output."""

    name: str
    message: str


@contextmanager
def collected_notices() -> Iterator[list[Notice]]:
    """Collect planner warnings raised inside as notices, each once; other warnings pass through."""
    notices: list[Notice] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield notices
    for warning in caught:
        if issubclass(warning.category, PlannerWarning):
            notice = Notice(warning.category.__name__, str(warning.message))
            if notice not in notices:
                notices.append(notice)
        else:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)


def joined(earlier: Iterable[Notice], later: Iterable[Notice]) -> tuple[Notice, ...]:
    """Return notices one after another, each once."""
    return tuple(dict.fromkeys((*earlier, *later)))


@dataclass(frozen=True, eq=False)
class SourceMask:
    """A mask (z, y, x) on the grid it was drawn on."""

    mask: np.ndarray
    grid: Grid


@dataclass(frozen=True, eq=False)
class SourceStructure:
    """A structure on its own grid."""

    name: str
    role: Role
    source: SourceMask


@dataclass(frozen=True, eq=False)
class SourceSupply:
    """Relative blood flow per voxel (z, y, x) through a site, float32, on the grid it was computed on."""

    array: np.ndarray
    grid: Grid


@dataclass(frozen=True, eq=False)
class SourceSite:
    """A candidate site with its perfused volume on its own grid.

    ``nearest_to`` keeps only the part of the perfused volume that is nearer to that structure than to
    any other of ``among``.  ``supply``, ``scout`` (counts of an injection of its own), ``outflow`` and
    ``upstream`` are those of ``InjectionSite``, on grids of their own.
    """

    name: str
    perfused: SourceMask
    lung_shunt: float
    pattern: Pattern = Pattern.SCOUT
    extrahepatic_share: float = 0.0
    position_lps_mm: tuple[float, float, float] | None = None
    nearest_to: str = ""
    among: tuple[str, ...] = ()
    supply: SourceSupply | None = None
    scout: Volume | None = None
    outflow: Mapping[str, float] = field(default_factory=dict)
    upstream: str = ""


@dataclass(frozen=True)
class SyntheticLesions:
    """Lesions to place in a liver without tumours; they are named synthetic in every output."""

    seed: int
    volumes_ml: tuple[float, ...]
    tumour_to_normal: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class CaseInputs:
    """A case as it comes from files, from the phantom or from a Slicer scene.

    Parameters
    ----------
    name : str
        Free name, printed in every output; do not use the patient's.
    settings : DoseSettings
    structures : tuple of SourceStructure
        Roles liver, tumour, lungs (mass only) and other organ.
    sites : tuple of SourceSite
    prescription : Prescription
    scout, ct : Volume, optional
        On their own grids, in counts and HU.
    tumour_to_normal : mapping of str to float
        Concentration ratio by tumour, for sites spread by it.
    lung_mass_kg : float, optional
        Entered lung mass; without it, it is computed from a lung structure and the CT.
    lung_mass_assumed : bool
        Whether the entered mass is an assumption (1.0 kg) rather than a measurement.
    liver_density_g_per_cm3 : float
    spacing_mm : tuple of float
        Planning grid (z, y, x).
    synthetic_lesions : SyntheticLesions, optional
    synthetic : bool
        Whether the whole case is made by the program.
    hashes : mapping of str to str
        SHA256 of each input by its part in the case.
    notices : tuple of Notice
        What reading the inputs had to tell.
    patient : str
        Identifier; goes into no output unless ``include_identifiers``.
    include_identifiers : bool
    analysis : AnalysisRequest
        What is to be found out beside the plan; a robust plan or vials change the plan itself.
    arteries : ArterialTree, optional
        The tree that the sites were made from, for outputs.
    lung_shunts : tuple of LungShunt
        Lung shunts by every method that the case has, for outputs; sites hold the one that is used.
    """

    name: str
    settings: DoseSettings
    structures: tuple[SourceStructure, ...]
    sites: tuple[SourceSite, ...]
    prescription: Prescription
    scout: Volume | None = None
    ct: Volume | None = None
    tumour_to_normal: Mapping[str, float] = field(default_factory=dict)
    lung_mass_kg: float | None = None
    lung_mass_assumed: bool = False
    liver_density_g_per_cm3: float = DEFAULT_LIVER_DENSITY
    spacing_mm: tuple[float, float, float] = DEFAULT_SPACING_MM
    synthetic_lesions: SyntheticLesions | None = None
    synthetic: bool = False
    hashes: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()
    patient: str = ""
    include_identifiers: bool = False
    analysis: AnalysisRequest = field(default_factory=AnalysisRequest)
    arteries: ArterialTree | None = None
    lung_shunts: tuple[LungShunt, ...] = ()


@dataclass(frozen=True, eq=False)
class Case:
    """A case on the planning grid, checked, ready for dose.

    Parameters
    ----------
    inputs : CaseInputs
    structures : StructureSet
    territories : Territories
    scout, ct : Volume or None
        On the planning grid.
    tumour_to_normal : mapping of str to float
    source_volume_ml : mapping of str to float
        Volume of each structure on the grid it was drawn on.
    scout_share_in_liver : float or None
        Counts inside the liver as a share of all counts of the scout image.
    notices : tuple of Notice
    density : Volume, optional
        [g/cm3] on the planning grid, for ``Method.DENSITY``.
    """

    inputs: CaseInputs
    structures: StructureSet
    territories: Territories
    scout: Volume | None
    ct: Volume | None
    tumour_to_normal: Mapping[str, float]
    source_volume_ml: Mapping[str, float]
    scout_share_in_liver: float | None
    notices: tuple[Notice, ...]
    density: Volume | None = None

    @property
    def name(self) -> str:
        """Name of the case."""
        return self.inputs.name

    @property
    def sites(self) -> tuple[InjectionSite, ...]:
        """Candidate sites with their perfused volumes on the planning grid."""
        return self.territories.sites

    @property
    def synthetic(self) -> bool:
        """Whether anything in the case was made by the program."""
        tree = self.inputs.arteries
        return (
            self.inputs.synthetic or self.inputs.synthetic_lesions is not None or (tree is not None and tree.synthetic)
        )
