"""What a case file says about segmentation: images, and ``[segment]`` with what to find in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from radioembolization.errors import CaseFileError
from radioembolization.files.case_images import CaseImages, read_case_image, read_case_images
from radioembolization.files.case_structures import read_case_structures
from radioembolization.files.toml_table import Table, loaded_toml
from radioembolization.images import Unit, Volume
from radioembolization.structures import Role
from radioembolization.structures.editing import Region
from radioembolization.structures.segmentation.ct_lesions import LesionKind
from radioembolization.structures.segmentation.emission_methods import (
    BackgroundAdaptive,
    EmissionMethod,
    FixedValue,
    ShareOfMaximum,
    SizeAdaptive,
)
from radioembolization.structures.segmentation.gradient_edge import GradientEdge
from radioembolization.treatment.segment import EmissionTumours, SegmentRequest

#: Methods by their names in files; each takes the one number it knows.
_METHODS: dict[str, Callable[[Table], EmissionMethod]] = {
    "share of maximum": lambda table: ShareOfMaximum(table.number("share", 0.41)),
    "share of peak": lambda table: ShareOfMaximum(table.number("share", 0.50), of_peak=True),
    "adaptive": lambda _table: BackgroundAdaptive(),
    "size": lambda _table: SizeAdaptive(),
    "gradient": lambda _table: GradientEdge(),
    "fixed": lambda table: FixedValue(_needed(table, "value")),
}


def read_segment_request(path: Path) -> SegmentRequest:
    """Read from a case file what to segment; see ``docs/segmentation.md``.

    ``[images]`` and ``[segment]`` are read; ``[structures]`` if ``organs = false``, for the liver; everything else that
    a case file may hold is left alone.

    Raises
    ------
    CaseFileError
        If an entry is missing, unknown or of the wrong kind; the message names it.
    FileMissing, ImageError, StructureError
        For what the file refers to.
    """
    top = Table(loaded_toml(path), path.name)
    images, wanted = top.table("images"), top.table("segment")
    pictures = read_case_images(images, path.parent)
    organs = wanted.flag("organs", pictures.ct is not None)
    lesions = wanted.choice("lesions", ["none", *LesionKind], "none")
    request = SegmentRequest(
        ct=pictures.ct,
        organs=organs,
        liver=None if organs else _drawn_liver(top, path, pictures),
        seeds_lps_mm=_positions(wanted, "seeds_mm"),
        lesions=None if lesions == "none" else LesionKind(lesions),
        tumours=_tumours(wanted, path, pictures),
        perfused_in=_perfused_in(wanted, path, pictures),
        necrosis_below_hu=wanted.number("necrosis_below_hu", None),
    )
    for table in (images, wanted):
        table.refuse_leftovers()
    return request


def _drawn_liver(top: Table, path: Path, images: CaseImages) -> Region | None:
    structures = top.table("structures")
    if structures.empty:
        return None
    drawn = read_case_structures(structures, path.parent, images)
    liver = next(s for s in drawn.given if s.role is Role.LIVER)
    return Region(liver.name, liver.source.mask, liver.source.grid)


def _tumours(wanted: Table, path: Path, images: CaseImages) -> EmissionTumours | None:
    if wanted.peek("tumours", None) is None:
        return None
    table = wanted.table("tumours")
    image = _image(table, path, images, Unit.COUNTS)
    method = table.choice("method", list(_METHODS), "share of maximum")
    tumours = EmissionTumours(
        image=image,
        method=_METHODS[method](table),
        within_liver=table.choice("within", ["liver", "image"], "liver") == "liver",
        seeds_lps_mm=_positions(table, "seeds_mm"),
        minimum_ml=table.number("minimum_ml", 0.5),
        resolution_mm=table.number("resolution_mm", 10.0),
    )
    table.refuse_leftovers()
    return tumours


def _perfused_in(wanted: Table, path: Path, images: CaseImages) -> Volume | None:
    if wanted.peek("perfused", None) is None:
        return None
    table = wanted.table("perfused")
    unit = Unit.COUNTS if table.peek("image", "scout") == "scout" else Unit.HU
    image = _image(table, path, images, unit)
    table.refuse_leftovers()
    return image


def _image(table: Table, path: Path, images: CaseImages, unit: Unit) -> Volume:
    """Return the image a table names: ``scout`` of the case, or a file of its own."""
    name = table.text("image", "scout")
    if name != "scout":
        return read_case_image((path.parent / name).resolve(), unit, table.text("series", ""))
    if images.scout is None:
        raise CaseFileError(f"{table.where}.image is the scout, but images.scout is missing: name a file.")
    return images.scout


def _positions(table: Table, key: str) -> tuple[tuple[float, float, float], ...]:
    value = table.take(key, [])
    good = isinstance(value, list) and all(
        isinstance(p, list) and len(p) == 3 and all(isinstance(v, (int, float)) for v in p) for p in value
    )
    if not good:
        raise CaseFileError(f"{table.where}.{key} must be a list of positions [[x, y, z], ...] in mm, not {value!r}.")
    return tuple((float(x), float(y), float(z)) for x, y, z in value)


def _needed(table: Table, key: str) -> float:
    value = table.number(key, None)
    if value is None:
        raise CaseFileError(f"{table.where} needs {key} for its method: add it; see docs/segmentation.md.")
    return value
