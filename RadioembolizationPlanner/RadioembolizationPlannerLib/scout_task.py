"""What a scout image says, found in another process: lung shunt, tumor-to-normal ratios, extrahepatic foci."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from radioembolization.images import Unit, Volume, checked_counts, resample_counts, resample_mask
from radioembolization.structures import Role, Structure, StructureSet
from radioembolization.structures.consistency import DrawnStructure
from radioembolization.structures.extrahepatic_foci import ExtrahepaticFocus, FocusRule, extrahepatic_foci
from radioembolization.structures.tumour_to_normal import (
    Reference,
    TumourToNormal,
    territory_references,
    tumour_to_normal,
)
from radioembolization.territories.shunt.lung_shunt import LungShunt
from radioembolization.territories.shunt.spect_shunt import SpectShuntSettings
from radioembolization.treatment import SourceMask, SourceStructure
from radioembolization.treatment.case import Notice, collected_notices
from radioembolization.treatment.fingerprint import mask_digest, volume_digest
from radioembolization.treatment.planning_grid import planning_grid
from radioembolization.treatment.scout_analysis import shunt_by_spect
from RadioembolizationPlannerLib.worker import Progress

#: References of tumor-to-normal ratios that are no site: all normal liver, the smallest territory with the tumor.
ALL_NORMAL_LIVER, OWN_TERRITORY = "", "*"

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Found(Generic[T]):
    """What was found, and what there is to be told of it."""

    value: T
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, eq=False)
class ShuntRequest:
    """Scout, structures and CT whose lung shunt is asked for."""

    scout: Volume | None
    structures: tuple[SourceStructure, ...]
    ct: Volume | None = None
    settings: SpectShuntSettings = field(default_factory=SpectShuntSettings)

    def digests(self) -> dict[str, str]:
        """Return the digests of what the shunt depends on."""
        needed = [s for s in self.structures if s.role in (Role.LIVER, Role.LUNGS)]
        return {**_digests(self.scout, needed), "CT": volume_digest(self.ct)}


@dataclass(frozen=True, eq=False)
class RatioRequest:
    """Scout and structures whose ratios are asked for, on the planning grid; perfused volumes by site.

    ``reference`` is ``ALL_NORMAL_LIVER``, ``OWN_TERRITORY`` or the name of a site.
    """

    scout: Volume
    structures: tuple[SourceStructure, ...]
    spacing_mm: tuple[float, float, float]
    reference: str = ALL_NORMAL_LIVER
    perfused: Mapping[str, SourceMask] = field(default_factory=dict)

    def digests(self) -> dict[str, str]:
        """Return the digests of what the ratios depend on."""
        needed = [s for s in self.structures if s.role is not Role.LUNGS]
        territories = {} if self.reference == ALL_NORMAL_LIVER else self.perfused
        return {
            **_digests(self.scout, needed),
            "voxel size": repr(self.spacing_mm),
            **{f"perfused volume of '{name}'": mask_digest(source) for name, source in territories.items()},
        }


@dataclass(frozen=True, eq=False)
class FocusRequest:
    """Scout and structures outside of which hot spots are looked for."""

    scout: Volume
    structures: tuple[SourceStructure, ...]
    rule: FocusRule = field(default_factory=FocusRule)

    def digests(self) -> dict[str, str]:
        """Return the digests of what the foci depend on."""
        return _digests(self.scout, [s for s in self.structures if s.role is not Role.TUMOUR])


def spect_shunt(request: ShuntRequest, progress: Progress) -> Found[LungShunt]:
    """Return the lung shunt by SPECT/CT; errors as of ``shunt_by_spect``."""
    progress("lung shunt", 0, 1)
    with collected_notices() as notices:
        shunt = shunt_by_spect(request.scout, _drawn(request.structures), request.ct, request.settings)
    return Found(shunt, tuple(notices))


def ratios(request: RatioRequest, progress: Progress) -> Found[tuple[TumourToNormal, ...]]:
    """Return tumor-to-normal ratios; errors as of ``tumour_to_normal``."""
    progress("ratios", 0, 1)
    with collected_notices():  # of the structures, which are told with the plan
        grid = planning_grid(request.structures, request.spacing_mm)
        masks = {name: resample_mask(source.mask, source.grid, grid) for name, source in request.perfused.items()}
        placed = (
            Structure(s.name, s.role, resample_mask(s.source.mask, s.source.grid, grid))
            for s in request.structures
            if s.role is not Role.LUNGS
        )
        structures = StructureSet(grid, tuple(placed))
        scout = Volume(resample_counts(checked_counts(request.scout), grid)[0].array, grid, Unit.COUNTS)
    own = territory_references(structures, masks) if request.reference == OWN_TERRITORY else {}
    site = masks.get(request.reference)
    reference = None if site is None else Reference(f"normal liver of {request.reference}", site)
    with collected_notices() as notices:
        found = tumour_to_normal(structures, scout, reference, own)
    return Found(found, tuple(notices))


def foci(request: FocusRequest, progress: Progress) -> Found[tuple[ExtrahepaticFocus, ...]]:
    """Return extrahepatic foci; errors as of ``extrahepatic_foci``."""
    progress("foci", 0, 1)
    with collected_notices() as notices:
        found = extrahepatic_foci(request.scout, _drawn(request.structures), request.rule)
    return Found(found, tuple(notices))


def _drawn(structures: Sequence[SourceStructure]) -> list[DrawnStructure]:
    return [DrawnStructure(s.name, s.role, s.source.mask, s.source.grid) for s in structures]


def _digests(scout: Volume | None, structures: Sequence[SourceStructure]) -> dict[str, str]:
    return {
        "scout image": volume_digest(scout),
        **{f"structure '{s.name}'": f"{s.role} {mask_digest(s.source)}" for s in structures},
    }
