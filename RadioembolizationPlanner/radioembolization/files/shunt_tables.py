"""The tables ``[lungs]``, ``[lungs.planar]`` and ``[lungs.spect]`` of the case file: lung shunts by every method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from radioembolization.errors import CaseFileError, FileMissing
from radioembolization.files.case_images import CaseImages
from radioembolization.files.toml_table import Table
from radioembolization.structures.consistency import DrawnStructure
from radioembolization.territories.shunt.lung_shunt import LungShunt, ShuntMethod, entered_shunt, side_by_side
from radioembolization.territories.shunt.planar_shunt import (
    PlanarCounts,
    planar_shunt,
    planar_shunt_from_images,
    rectangle,
)
from radioembolization.territories.shunt.spect_shunt import SpectShuntSettings
from radioembolization.treatment import SourceStructure
from radioembolization.treatment.scout_analysis import shunt_by_spect

_ORGANS = ("lungs", "liver")


@dataclass(frozen=True)
class CaseShunts:
    """Lung shunts of a case.

    Parameters
    ----------
    shunts : tuple of LungShunt
        All that were given or computed, the one to use marked.
    files : mapping of str to tuple of Path
        What was read: ``"planar"``, if there are planar images.
    """

    shunts: tuple[LungShunt, ...] = ()
    files: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)

    @property
    def fraction(self) -> float | None:
        """The one to use; None if there is none."""
        return next((shunt.fraction for shunt in self.shunts if shunt.used), None)


def read_shunts(lungs: Table, folder: Path, images: CaseImages, structures: Sequence[SourceStructure]) -> CaseShunts:
    """Read and compute the lung shunts of ``[lungs]``; see ``docs/lung-shunt.md``.

    Raises
    ------
    CaseFileError
        If an entry is missing, unknown or of the wrong kind.
    LungShuntError, FileMissing
        If counts, regions or images cannot be used.
    """
    entry = lungs.take("shunt", None)
    planar, spect = lungs.table("planar"), lungs.table("spect")
    shunts: list[LungShunt] = []
    files: dict[str, tuple[Path, ...]] = {}
    preferred = None
    if isinstance(entry, str):
        preferred = _method(entry, lungs)
    elif entry is not None:
        shunts.append(entered_shunt(_number(entry, lungs)))
        preferred = ShuntMethod.ENTERED
    if preferred is ShuntMethod.PLANAR and planar.empty:
        raise CaseFileError(
            f'{lungs.where}.shunt = "planar" needs [lungs.planar]: give counts, or images with regions.'
        )
    if not planar.empty:
        found, paths = _planar(planar, folder)
        shunts.append(found)
        files |= {"planar": paths} if paths else {}
    if preferred is ShuntMethod.SPECT or not spect.empty:
        settings = _spect_settings(spect)
        drawn = [
            DrawnStructure(s.name, s.role, s.source.mask, s.source.grid) for s in structures if s.source.mask.any()
        ]
        shunts.append(shunt_by_spect(images.scout, drawn, images.ct, settings))
    return CaseShunts(side_by_side(shunts, preferred) if shunts else (), files)


def _method(word: str, lungs: Table) -> ShuntMethod:
    allowed = [ShuntMethod.PLANAR.value, ShuntMethod.SPECT.value]
    if word not in allowed:
        raise CaseFileError(f"{lungs.where}.shunt must be a fraction such as 0.05, or one of {', '.join(allowed)}.")
    return ShuntMethod(word)


def _number(entry: object, lungs: Table) -> float:
    return Table({"shunt": entry}, lungs.where).number("shunt", 0.0)


def _spect_settings(table: Table) -> SpectShuntSettings:
    known = SpectShuntSettings()
    corrected = table.take("attenuation_corrected", None)
    if corrected is not None and not isinstance(corrected, bool):
        raise CaseFileError(f"{table.where}.attenuation_corrected must be true or false, not {corrected!r}.")
    settings = SpectShuntSettings(
        dome_margin_mm=table.number("dome_margin_mm", known.dome_margin_mm),
        resolution_mm=table.number("resolution_mm", known.resolution_mm),
        least_lungs=table.number("least_lungs", known.least_lungs),
        lung_volume_ml=table.number("lung_volume_ml", None),
        attenuation_corrected=corrected,
    )
    table.refuse_leftovers()
    return settings


def _planar(table: Table, folder: Path) -> tuple[LungShunt, tuple[Path, ...]]:
    if isinstance(table.peek("anterior", None), str) or isinstance(table.peek("posterior", None), str):
        return _planar_images(table, folder)
    organs = [_counts_of(organ, table) for organ in _ORGANS]
    table.refuse_leftovers()
    return planar_shunt(*organs), ()


def _counts_of(organ: str, table: Table) -> PlanarCounts:
    """Return the counts of an organ; both views must be there."""
    anterior, posterior = (table.number(f"{organ}_{view}", None) for view in ("anterior", "posterior"))
    if anterior is None or posterior is None:
        missing = "anterior" if anterior is None else "posterior"
        raise CaseFileError(f"{table.where} has no entry '{organ}_{missing}': give the counts of both views.")
    return PlanarCounts(
        organ,
        anterior,
        posterior,
        table.number(f"{organ}_pixels", 0.0),
        *(table.number(f"{organ}_background_{view}", 0.0) for view in ("anterior", "posterior")),
    )


def _planar_images(table: Table, folder: Path) -> tuple[LungShunt, tuple[Path, ...]]:
    paths = [(folder / table.text(view)).resolve() for view in ("anterior", "posterior")]
    frames = [table.number(f"{view}_frame", None) for view in ("anterior", "posterior")]
    views = [_planar_image(path, frame) for path, frame in zip(paths, frames, strict=True)]
    regions, used = {}, list(dict.fromkeys(paths))
    for name in (*_ORGANS, "background"):
        entry = table.take(name) if name in _ORGANS else table.take(name, None)
        if isinstance(entry, str):
            used.append((folder / entry).resolve())
            regions[name] = _planar_image(used[-1], None) > 0
        elif entry is not None:
            corners = Table({name: entry}, table.where).numbers(name, 4, ())
            regions[name] = rectangle(views[0].shape, corners, name)
    mirrored = table.flag("posterior_is_mirrored", True)
    table.refuse_leftovers()
    return planar_shunt_from_images(views[0], views[1], regions, mirrored), tuple(used)


def _planar_image(path: Path, frame: float | None) -> np.ndarray:
    """Read one planar image (rows, columns), or a frame of several, counted from 1."""
    if not path.is_file():
        raise FileMissing(f"File '{path.name}' does not exist in '{path.parent}': check the path.")
    try:
        array = np.squeeze(sitk.GetArrayFromImage(sitk.ReadImage(str(path))))
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise FileMissing(f"File '{path.name}' is no image this program reads: {reason}") from error
    if array.ndim == 2 and frame in (None, 1.0):
        return array.astype(float)
    if array.ndim != 3 or frame is None or frame != int(frame) or not 1 <= frame <= len(array):
        raise CaseFileError(
            f"'{path.name}' holds images of shape {array.shape}: a planar view is one image; with several, say "
            "which by anterior_frame and posterior_frame, counted from 1."
        )
    return array[int(frame) - 1].astype(float)
