"""Centrelines in JSON: a table of vessels by name, and curves of 3D Slicer (.mrk.json)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from radioembolization.errors import ArterialTreeError
from radioembolization.files.vessel_radius import radius_or_assumed
from radioembolization.territories.vessels.vessel import Vessel, is_vein

#: Control points of a curve closer than this [mm] are taken as its centreline; between others it is a smooth curve.
CONTROL_STEP_MM = 2.0


def read_json_vessels(path: Path, radius_mm: float | None) -> list[Vessel]:
    """Read the vessels of a JSON file: a table of centrelines or curves of 3D Slicer.

    Raises
    ------
    ArterialTreeError
        If the file is neither, or a vessel in it cannot be used.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise ArterialTreeError(f"File '{path.name}' is empty or no JSON: {error}.") from error
    if isinstance(document, Mapping) and "markups" in document:
        name = path.name.removesuffix(".json").removesuffix(".mrk")
        try:
            return curve_vessels(document, name=name, radius_mm=radius_mm)
        except (AttributeError, KeyError, IndexError, TypeError) as error:
            raise ArterialTreeError(
                f"'{path.name}' is no markups file of Slicer ({error!r}): save the curves as .mrk.json anew."
            ) from error
    if not isinstance(document, Mapping) or not all(isinstance(entry, Mapping) for entry in document.values()):
        raise ArterialTreeError(
            f"File '{path.name}' holds no centrelines: expected is a table of vessels by name, each with "
            "points_mm_LPS and radius_mm, or a markups file of 3D Slicer."
        )
    return centreline_vessels(document, file=path.name, radius_mm=radius_mm)


def centreline_vessels(
    document: Mapping[str, Any], *, file: str = "centrelines", radius_mm: float | None = None
) -> list[Vessel]:
    """Return the arteries of a table name -> kind, ``points_mm_LPS`` (points, 3), ``radius_mm`` (points)."""
    arteries = {
        name: entry
        for name, entry in document.items()
        if entry.get("kind", "vein" if is_vein(name) else "artery") == "artery"
    }
    if not arteries:
        raise ArterialTreeError(f"File '{file}' has no artery (none of its {len(document)} entries is of kind artery).")
    found = []
    for name, entry in arteries.items():
        points = _numbers(entry.get("points_mm_LPS"), f"Vessel '{name}' of '{file}': points_mm_LPS")
        radius = entry.get("radius_mm")
        radius = None if radius is None else _numbers(radius, f"Vessel '{name}' of '{file}': radius_mm")
        found.append(Vessel(name, points, radius_or_assumed(radius, len(points), radius_mm, f"centreline '{name}'")))
    return found


def curve_vessels(document: Mapping[str, Any], *, name: str, radius_mm: float | None = None) -> list[Vessel]:
    """Return the open curves and lines of a markups document of 3D Slicer; a curve without name has the file's.

    Radii are the values of the measurement "Radius" at the control points, as the VMTK extension writes them.
    """
    curves = [one for one in document.get("markups") or [] if one.get("type") in ("Curve", "Line")]
    if not curves:
        kinds = ", ".join(sorted({str(one.get("type")) for one in document.get("markups") or []})) or "nothing"
        raise ArterialTreeError(f"Markups file '{name}' has no open curve (only {kinds}): draw the arteries as curves.")
    own = [str(curve.get("name") or "") for curve in curves]
    own = [given or (name if number == 1 else f"{name} {number}") for number, given in enumerate(own, start=1)]
    return [_curve(curve, called, radius_mm) for curve, called in zip(curves, own, strict=True)]


def _curve(curve: Mapping[str, Any], name: str, radius_mm: float | None) -> Vessel:
    defined = [point.get("positionStatus", "defined") == "defined" for point in curve.get("controlPoints") or []]
    placed = [point for point, there in zip(curve.get("controlPoints") or [], defined, strict=True) if there]
    points = _numbers([point.get("position") for point in placed], f"Curve '{name}': control points")
    points = points.reshape(-1, 3) * _to_lps_mm(curve, name)
    measured = [m for m in curve.get("measurements") or [] if m.get("name") == "Radius" and m.get("controlPointValues")]
    radius = None
    if measured:
        radius = _numbers(measured[0]["controlPointValues"], f"Curve '{name}': Radius").ravel()
        radius = radius[np.array(defined)] if len(radius) == len(defined) else radius
    radius = radius_or_assumed(radius, len(points), radius_mm, f"curve '{name}'")
    return smooth(Vessel(name, points, radius))


def _to_lps_mm(curve: Mapping[str, Any], name: str) -> np.ndarray:
    system = str(curve.get("coordinateSystem", "LPS"))
    units = curve.get("coordinateUnits", "mm")
    if system not in ("LPS", "RAS") or (units if isinstance(units, str) else units[0]) != "mm":
        raise ArterialTreeError(f"Curve '{name}' is in {system} and {units}: save it in LPS or RAS and millimetres.")
    return np.array([-1.0, -1.0, 1.0]) if system == "RAS" else np.ones(3)


def smooth(vessel: Vessel) -> Vessel:
    """Return a vessel with a smooth curve through points that are farther apart than ``CONTROL_STEP_MM``."""
    points, radius = vessel.points_lps_mm, vessel.radius_mm
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    if steps.max() <= CONTROL_STEP_MM or len(points) < 3 or steps.min() <= 0:
        return vessel
    count = int(np.ceil(steps.sum() / CONTROL_STEP_MM)) * 2
    at = np.union1d(np.arange(len(points)), np.linspace(0, len(points) - 1, count))
    from scipy.interpolate import CubicSpline  # half a second, for curves only

    curve = CubicSpline(np.arange(len(points)), points, axis=0, bc_type="natural")
    return Vessel(vessel.name, curve(at), np.interp(at, np.arange(len(points)), radius))


def _numbers(values: Any, what: str) -> np.ndarray:
    if not isinstance(values, list):
        raise ArterialTreeError(f"{what} are missing: a list of numbers is expected.")
    try:
        return np.array(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise ArterialTreeError(f"{what} are no numbers: repair the file.") from error
