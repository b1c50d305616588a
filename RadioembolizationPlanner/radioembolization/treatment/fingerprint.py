"""What a plan was made from, as digests: they tell later which inputs are not the same any more."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from scipy import ndimage

from radioembolization.images import Grid, Unit, Volume
from radioembolization.planning.goal_table import goal_to_value
from radioembolization.planning.limit_table import limit_to_table
from radioembolization.treatment.analysis_request import VialRequest
from radioembolization.treatment.case import CaseInputs, SourceMask, SourceSite, SourceSupply

#: The part of a case that decides the plan but no dose per GBq.
PRESCRIPTION = "prescription"
#: Parts that are there only where a case has them; they too decide the plan but no dose per GBq.
UNCERTAINTY, VIALS = "uncertainty", "choice of vials"
#: All parts that decide no dose per GBq.
NOT_OF_ROWS = (PRESCRIPTION, UNCERTAINTY, VIALS)
#: Decimals of a position or matrix [mm] beyond which two grids are the same.
_DECIMALS = 6

T = TypeVar("T", Volume, SourceMask, SourceSupply)
#: Digests of images and masks that are still in use; neither changes once it is made.
_KNOWN: WeakKeyDictionary[Volume | SourceMask | SourceSupply, str] = WeakKeyDictionary()


def input_digests(inputs: CaseInputs) -> dict[str, str]:
    """Return the SHA256 of every part of a case by its name: images, structures, sites, settings, prescription.

    The digest of a mask does not depend on how much empty space was stored around it.
    """
    digests = {
        "scout image": volume_digest(inputs.scout),
        "CT": volume_digest(inputs.ct),
        "device and dose settings": _of_text(inputs.settings.device.name, *map(str, _settings(inputs))),
        "lung mass": _of_text(inputs.lung_mass_kg, inputs.lung_mass_assumed),
        "tumor-to-normal ratios": _of_text(dict(inputs.tumour_to_normal)),
        PRESCRIPTION: _of_text(*_prescription(inputs)),
    }
    if inputs.analysis.uncertainty is not None:
        digests[UNCERTAINTY] = _of_text(inputs.analysis.uncertainty.to_json(), inputs.analysis.robust)
    if inputs.analysis.vials is not None:
        digests[VIALS] = _of_text(*_vials(inputs.analysis.vials))
    for structure in inputs.structures:
        digests[f"structure '{structure.name}'"] = _of_text(str(structure.role), mask_digest(structure.source))
    for site in inputs.sites:
        digests[f"site '{site.name}'"] = _of_text(*_site(site))
    return digests


def changed_parts(planned: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """Return in words which parts of a case differ from those a plan was made from."""
    new = [f"{part} is new" for part in now if part not in planned]
    gone = [f"{part} is missing" for part in planned if part not in now]
    changed = [f"{part} has changed" for part in planned if part in now and planned[part] != now[part]]
    return (*changed, *gone, *new)


def volume_digest(volume: Volume | None) -> str:
    """Return the SHA256 of the values and the placement of an image, whichever way its axes run.

    Slicer turns the axes of a left-handed image when it loads one.
    """
    return _of_text("none") if volume is None else _once(volume, _volume_digest)


def supply_digest(supply: SourceSupply) -> str:
    """Return the SHA256 of the values and the placement of a supply."""
    return _once(supply, lambda s: _volume_digest(Volume(s.array, s.grid, Unit.RELATIVE_FLOW)))


def mask_digest(source: SourceMask) -> str:
    """Return the SHA256 of the voxels of a mask and of the place of its bounding box."""
    return _once(source, _mask_digest)


def _once(image: T, digest: Callable[[T], str]) -> str:
    if image not in _KNOWN:
        _KNOWN[image] = digest(image)
    return _KNOWN[image]


def _volume_digest(volume: Volume) -> str:
    array, grid = _along_the_patient(volume.array, volume.grid)
    return _of_bytes(np.ascontiguousarray(array), _grid(grid))


def _mask_digest(source: SourceMask) -> str:
    boxes = ndimage.find_objects(source.mask.view(np.uint8))
    if not boxes or boxes[0] is None:
        return _of_text("empty")
    box = boxes[0]
    placed = source.grid.box(tuple(part.start for part in box), tuple(part.stop - part.start for part in box))
    mask, placed = _along_the_patient(source.mask[box], placed)
    return _of_bytes(np.packbits(mask), _grid(placed))


def _along_the_patient(array: np.ndarray, grid: Grid) -> tuple[np.ndarray, Grid]:
    """Return an image (z, y, x) with each axis turned to where its largest component is positive."""
    matrix = grid.direction_matrix
    turned = np.array([column[np.argmax(np.abs(column))] < 0 for column in matrix.T])  # (x, y, z)
    if not turned.any():
        return array, grid
    backwards = turned[::-1]
    corner = grid.to_lps(np.where(backwards, np.array(grid.shape) - 1, 0))
    direction = matrix * np.where(turned, -1.0, 1.0)
    there = replace(grid, origin_mm=tuple(corner.tolist()), direction=tuple(direction.ravel().tolist()))
    return np.flip(array, tuple(np.flatnonzero(backwards))), there


def _grid(grid: Grid) -> tuple[object, ...]:
    numbers = (*grid.spacing_mm, *grid.origin_mm, *grid.direction)
    return (*grid.shape, *(round(float(number), _DECIMALS) + 0.0 for number in numbers))


def _settings(inputs: CaseInputs) -> tuple[object, ...]:
    settings = inputs.settings
    lesions = inputs.synthetic_lesions
    return settings.convention, settings.method, inputs.liver_density_g_per_cm3, tuple(inputs.spacing_mm), lesions


def _prescription(inputs: CaseInputs) -> tuple[object, ...]:
    given = inputs.prescription
    rules = (given.at_most_sites, given.least_activity_gbq, given.most_activity_gbq)
    limits = [limit_to_table(limit) for limit in given.limits]
    return goal_to_value(given.goal), limits, rules, sorted(given.forbidden_sites), sorted(given.required_sites)


def _vials(asked: VialRequest) -> tuple[object, ...]:
    calendar, hours = asked.calendar, {site: at.timestamp() for site, at in asked.inject_at.items()}
    numbers = (calendar.sizes_gbq, calendar.bq_per_sphere, calendar.residual)
    calibrations = [at.timestamp() for at in calendar.calibrations]
    return calendar.device.name, calibrations, numbers, repr(calendar.supply), repr(calendar.sense), hours


def _site(site: SourceSite) -> tuple[object, ...]:
    position = None if site.position_lps_mm is None else [round(p, 3) + 0.0 for p in site.position_lps_mm]
    shares = (float(site.lung_shunt), float(site.extrahepatic_share))
    placed = (mask_digest(site.perfused), shares, str(site.pattern), position, site.nearest_to, list(site.among))
    return (*placed, *_arterial(site))


def _arterial(site: SourceSite) -> tuple[object, ...]:
    """Return what only sites of arteries, or with a scout of their own, have; nothing for others, as before these."""
    supply = None if site.supply is None else supply_digest(site.supply)
    scout = None if site.scout is None else volume_digest(site.scout)
    found = {"supply": supply, "scout": scout, "outflow": dict(site.outflow), "upstream": site.upstream}
    return (found,) if any(found.values()) else ()


def _of_text(*values: object) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode("utf-8")).hexdigest()


def _of_bytes(array: np.ndarray, described: tuple[object, ...]) -> str:
    digest = hashlib.sha256(array.reshape(-1).view(np.uint8).data)
    digest.update(json.dumps([str(array.dtype), *described]).encode("utf-8"))
    return digest.hexdigest()
