"""Structures from the images of a case: organs and lesions in CT, tumours in emission images, perfused volume."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from radioembolization.errors import ImageError, StructureError
from radioembolization.images import Grid, Unit, Volume, resample_mask
from radioembolization.structures.editing import Region
from radioembolization.structures.findings import Finding, Severity
from radioembolization.structures.segmentation import SegmentedStructure, SegmentedStructures
from radioembolization.structures.segmentation.automatic import segment_ct
from radioembolization.structures.segmentation.ct_lesions import LesionKind, lesion_candidates
from radioembolization.structures.segmentation.emission_methods import EmissionMethod
from radioembolization.structures.segmentation.hot_regions import find_hot_regions
from radioembolization.structures.segmentation.necrosis import necrotic_core
from radioembolization.structures.segmentation.perfused_volume import (
    perfused_from_cbct,
    perfused_from_scout,
)
from radioembolization.structures.terminology import LIVER, TUMOUR

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class EmissionTumours:
    """Tumours to look for in a SPECT or PET; parameters as of ``find_hot_regions``."""

    image: Volume
    method: EmissionMethod
    within_liver: bool = True
    seeds_lps_mm: tuple[tuple[float, float, float], ...] = ()
    minimum_ml: float = 0.5
    resolution_mm: float = 10.0


@dataclass(frozen=True, eq=False)
class SegmentRequest:
    """What to find, and in which images.

    Parameters
    ----------
    ct : Volume, optional
        [HU].
    organs : bool
        Whether body, lungs and liver are found in the CT.
    liver : Region, optional
        A liver drawn before; used in the place of the one that is found.
    seeds_lps_mm : tuple of (x, y, z)
        Positions inside the liver [mm].
    lesions : LesionKind, optional
        CT lesions to look for in the liver.
    tumours : EmissionTumours, optional
    perfused_in : Volume, optional
        Contrast cone-beam CT [HU] or scout [counts].
    necrosis_below_hu : float, optional
        Look for necrotic cores of all tumours in the CT, below this number.
    given : SegmentedStructures, optional
        Found by another program; used in the place of built-in ones of the same name.
    """

    ct: Volume | None = None
    organs: bool = True
    liver: Region | None = None
    seeds_lps_mm: tuple[tuple[float, float, float], ...] = ()
    lesions: LesionKind | None = None
    tumours: EmissionTumours | None = None
    perfused_in: Volume | None = None
    necrosis_below_hu: float | None = None
    given: SegmentedStructures | None = None

    @property
    def image(self) -> Volume:
        """The image on whose grid structures are returned: the CT, else the emission image or cone-beam CT.

        Raises
        ------
        ImageError
            If there is none.
        """
        emission = None if self.tumours is None else self.tumours.image
        for image in (self.ct, emission, self.perfused_in):
            if image is not None:
                return image
        raise ImageError("There is no image to find structures in: give images.ct, or [segment.tumours] with an image.")


def segment_images(request: SegmentRequest, progress: Progress | None = None) -> SegmentedStructures:
    """Find structures in the images of a case, all on the grid of its CT, or of its emission image without a CT.

    Raises
    ------
    ImageError, StructureError
        If an image or a liver that something needs is missing, or as of the methods.
    """
    tell = progress or (lambda what, step, steps: None)
    collected = _Collected(request.image.grid)
    if request.given is not None:
        collected.add(request.given)
    if request.organs and request.ct is not None:
        collected.add_others(segment_ct(request.ct, request.seeds_lps_mm, progress))
    if request.liver is not None:
        drawn = SegmentedStructure(
            "liver", LIVER, request.liver.on(collected.grid).mask, f"drawn before ('{request.liver.name}')"
        )
        collected.use(drawn)
    steps = _steps(request)
    for step, (what, find) in enumerate(steps):
        tell(what, step, len(steps))
        collected.add(find(collected))
    return collected.result()


class _Collected:
    """Structures found so far, on one grid, with unique names."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self._structures: dict[str, SegmentedStructure] = {}
        self._findings: list[Finding] = []

    def add(self, found: SegmentedStructures) -> None:
        self._findings += found.findings
        for structure in found.structures:
            placed = self._placed(structure, found.grid)
            if placed is not None:
                self._structures[placed.name] = placed

    def add_others(self, found: SegmentedStructures) -> None:
        """Add what is not there yet by another program."""
        new = tuple(s for s in found.structures if s.name not in self._structures)
        self.add(SegmentedStructures(found.grid, new, found.findings))

    def use(self, structure: SegmentedStructure) -> None:
        self._structures[structure.name] = structure

    def _placed(self, structure: SegmentedStructure, grid: Grid) -> SegmentedStructure | None:
        mask = structure.mask if grid == self.grid else resample_mask(structure.mask, grid, self.grid)
        if not mask.any():
            text = f"'{structure.name}' lies outside the CT, or is smaller than its voxels, and was left out."
            self._findings.append(Finding("left out", Severity.WARNING, text, (structure.name,)))
            return None
        return replace(structure, name=self._free(structure.name), mask=mask)

    def _free(self, name: str) -> str:
        """Return a name that is not taken: numbers go on, ``tumour 1`` after ``tumour 3`` becomes ``tumour 4``."""
        stem, number = name.rstrip("0123456789").rstrip(), 2
        if name not in self._structures:
            return name
        while f"{stem} {number}" in self._structures:
            number += 1
        return f"{stem} {number}"

    @property
    def liver(self) -> Region:
        if "liver" not in self._structures:
            raise StructureError(
                "Tumours and perfused volumes are looked for inside the liver, and there is none: give a CT in which "
                "it can be found, or a segmentation with a liver under [structures]."
            )
        return Region("liver", self._structures["liver"].mask, self.grid)

    @property
    def tumours(self) -> Sequence[Region]:
        return [Region(s.name, s.mask, self.grid) for s in self._structures.values() if s.terminology == TUMOUR]

    def result(self) -> SegmentedStructures:
        if not self._structures:
            said = " ".join(finding.message for finding in self._findings)
            raise StructureError(f"Nothing was found in the images. {said}".strip())
        return SegmentedStructures(self.grid, tuple(self._structures.values()), tuple(self._findings))


def _steps(request: SegmentRequest) -> list[tuple[str, Callable[[_Collected], SegmentedStructures]]]:
    steps: list[tuple[str, Callable[[_Collected], SegmentedStructures]]] = []
    if request.lesions is not None:
        steps.append(("lesions in CT", lambda so_far: _ct_lesions(request, so_far)))
    if request.tumours is not None:
        steps.append(("tumours in emission image", lambda so_far: _emission(request, so_far)))
    if request.perfused_in is not None:
        steps.append(("perfused volume", lambda so_far: _perfused(request, so_far)))
    if request.necrosis_below_hu is not None:
        steps.append(("necrosis", lambda so_far: _necrosis(request, so_far)))
    return steps


def _ct_of(request: SegmentRequest, what: str) -> Volume:
    if request.ct is None:
        raise ImageError(f"{what} are looked for in a CT: give images.ct.")
    return request.ct


def _ct_lesions(request: SegmentRequest, so_far: _Collected) -> SegmentedStructures:
    assert request.lesions is not None
    ct = _ct_of(request, "Lesions")
    return SegmentedStructures(ct.grid, lesion_candidates(ct, so_far.liver.mask, request.lesions))


def _emission(request: SegmentRequest, so_far: _Collected) -> SegmentedStructures:
    asked = request.tumours
    assert asked is not None
    within = so_far.liver if asked.within_liver else None
    return find_hot_regions(
        asked.image, asked.method, within, asked.seeds_lps_mm, asked.minimum_ml, asked.resolution_mm
    )


def _perfused(request: SegmentRequest, so_far: _Collected) -> SegmentedStructures:
    image = request.perfused_in
    assert image is not None
    if image.unit is Unit.HU:
        return perfused_from_cbct(image, so_far.liver)
    return perfused_from_scout(image, so_far.liver)


def _necrosis(request: SegmentRequest, so_far: _Collected) -> SegmentedStructures:
    ct, below_hu = _ct_of(request, "Necrotic cores"), request.necrosis_below_hu
    assert below_hu is not None
    if not so_far.tumours:
        return SegmentedStructures(
            ct.grid, (), (Finding("necrosis", Severity.NOTICE, "There is no tumour to look for necrosis in."),)
        )
    found = [necrotic_core(ct, tumour, below_hu) for tumour in so_far.tumours]
    cores = [structure for one in found for structure in one.structures]
    findings = [finding for one in found for finding in one.findings]
    return SegmentedStructures(ct.grid, tuple(_numbered(cores)), tuple(findings))


def _numbered(cores: list[SegmentedStructure]) -> list[SegmentedStructure]:
    return [replace(core, name=f"necrosis {number}") for number, core in enumerate(cores, start=1)]
