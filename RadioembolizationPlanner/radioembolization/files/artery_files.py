"""Reading the arterial tree from files of centrelines, curves or surfaces."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from radioembolization.errors import ArterialRootThin, ArterialTreeError, FileMissing, VeinsLeftOut
from radioembolization.files.artery_names import as_called, readable
from radioembolization.files.centreline_file import read_json_vessels
from radioembolization.files.centreline_polydata import (
    Polylines,
    polylines_of,
    vessels_from_polydata,
    written_tree,
)
from radioembolization.files.vessel_surface import read_glb_surfaces, read_stl_vessel, vessel_of_surface
from radioembolization.files.vtk_package import silent, vtk_for
from radioembolization.territories.arteries import ArterialTree
from radioembolization.territories.vessels.linking import link_vessels
from radioembolization.territories.vessels.root import CLEARLY_THICKER
from radioembolization.territories.vessels.vessel import Vessel, is_vein

PathLike = str | os.PathLike[str]
#: Per cent of the points of an artery that are at most as wide as what is compared: ends are often drawn too thin.
_WIDE = 90.0


def read_arteries(
    paths: PathLike | Sequence[PathLike],
    *,
    root: str | Sequence[float] | None = None,
    gap_mm: float = 5.0,
    names: Mapping[str, str] | None = None,
    radius_mm: float | None = None,
) -> ArterialTree:
    """Read an arterial tree from one or several files.

    Parameters
    ----------
    paths : path or sequence of paths
        ``.json`` (table of centrelines), ``.mrk.json`` (curves of 3D Slicer), ``.vtk`` or ``.vtp`` (centrelines of
        VMTK, or a tree written by this program), ``.stl`` (one vessel each), ``.glb`` (named vessels). Vessels
        whose names say that they are veins are left out. Underscores of names become blanks.
    root : str, position or None
        The vessel that feeds all, or a place at its beginning (x, y, z) in LPS [mm]; see ``link_vessels``.
    gap_mm : float
        Widest gap between the walls of two vessels that is bridged.
    names : mapping of str to str, optional
        New names of vessels by the name in the file, with blanks or underscores.
    radius_mm : float, optional
        Radius of centrelines and curves that state none [mm].

    Raises
    ------
    FileMissing
        If a file does not exist or is of another kind.
    ArterialTreeError
        If the vessels in the files make no tree.
    MissingPackage
        If a file needs vtk or scikit-image and it is not installed.
    """
    files = [Path(paths)] if isinstance(paths, str | os.PathLike) else [Path(path) for path in paths]
    if not files:
        raise ArterialTreeError("No file of arteries was named: give at least one.")
    if len(files) == 1 and root is None and files[0].suffix.lower() in (".vtk", ".vtp"):
        tree = written_tree(_read_polylines(_existing(files[0])))
        if tree is not None:
            return _renamed_tree(tree, names)
    vessels, veins = [], []
    for path in files:
        arteries, others = read_vessels(path, radius_mm=radius_mm)
        vessels += [replace(vessel, name=readable(vessel.name)) for vessel in arteries]
        veins += [readable(name) for name in others]
    source = ", ".join(path.name for path in files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
    if not vessels:
        raise ArterialTreeError(f"There is no artery in {source}: by their names all are veins ({', '.join(veins)}).")
    if veins:
        warnings.warn(
            VeinsLeftOut(f"Left out of the arteries of {source}, by their names: {', '.join(veins)}."), stacklevel=2
        )
    tree = link_vessels(_renamed(vessels, names), root=root, gap_mm=gap_mm, source=source)
    _warn_of_thin_root(tree)
    return tree


def read_vessels(path: Path, *, radius_mm: float | None = None) -> tuple[list[Vessel], list[str]]:
    """Read the separate vessels of a file, and the names of those left out as veins.

    Raises
    ------
    FileMissing, ArterialTreeError, MissingPackage
    """
    readers: dict[str, Callable[[], list[Vessel]]] = {
        ".json": lambda: read_json_vessels(path, radius_mm),
        ".vtk": lambda: vessels_from_polydata(_read_polylines(path), name=path.stem, radius_mm=radius_mm),
        ".vtp": lambda: vessels_from_polydata(_read_polylines(path), name=path.stem, radius_mm=radius_mm),
        ".stl": lambda: [read_stl_vessel(path)],
    }
    if path.suffix.lower() not in (*readers, ".glb"):
        raise FileMissing(
            f"Arteries are read from {', '.join(readers)}, .glb and .mrk.json, not from '{path.name}'; in a case "
            "file also from one vessel mask (NRRD, NIfTI)."
        )
    _existing(path)
    if path.suffix.lower() == ".glb":
        surfaces = read_glb_surfaces(path)
        veins = [name for name in surfaces if is_vein(name)]
        return [vessel_of_surface(name, surfaces[name]) for name in surfaces if name not in veins], veins
    if path.suffix.lower() == ".stl" and is_vein(path.stem):
        return [], [path.stem]
    found = readers[path.suffix.lower()]()
    veins = [vessel.name for vessel in found if is_vein(vessel.name)]
    return [vessel for vessel in found if vessel.name not in veins], veins


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise FileMissing(f"File '{path.name}' does not exist in '{path.parent}': check the path.")
    if path.stat().st_size == 0:
        raise FileMissing(f"File '{path.name}' is empty: export it anew.")
    return path


def _read_polylines(path: Path) -> Polylines:
    """Read the lines of a VTK file; points are LPS unless it says "SPACE=RAS", as 3D Slicer does."""
    vtk = vtk_for(path)
    reader: Any
    if path.suffix.lower() == ".vtk":
        reader = silent(vtk.vtkPolyDataReader())
        reader.SetFileName(str(path))
        good = bool(reader.IsFilePolyData())
        for kind in ("Scalars", "Fields"):
            getattr(reader, f"ReadAll{kind}On")()
    else:
        reader = silent(vtk.vtkXMLPolyDataReader())
        good = bool(reader.CanReadFile(str(path)))
        reader.SetFileName(str(path))
    if not good:
        raise FileMissing(f"File '{path.name}' is no VTK polydata: export the centrelines as a model.")
    reader.Update()
    data = polylines_of(reader.GetOutput())
    header = reader.GetHeader() or "" if path.suffix.lower() == ".vtk" else ""
    ras = "SPACE=RAS" in header or "RAS" in "".join(data.fields.get("SPACE", ()))
    return polylines_of(reader.GetOutput(), ras=True) if ras else data


def _warn_of_thin_root(tree: ArterialTree) -> None:
    """Warn where the root is clearly thinner than an artery that it feeds, as if blood flowed backwards."""
    radius_mm = {artery.name: float(np.percentile(artery.radius_mm, _WIDE)) for artery in tree.arteries}
    widest = max(radius_mm, key=lambda name: radius_mm[name])
    if radius_mm[widest] > CLEARLY_THICKER * radius_mm[tree.root.name]:
        warnings.warn(
            ArterialRootThin(
                f"The root '{tree.root.name}' of the arterial tree has a radius of {radius_mm[tree.root.name]:.1f} mm, "
                f"but '{widest}', which it feeds, {radius_mm[widest]:.1f} mm: state another root if blood does not "
                "come in there."
            ),
            stacklevel=3,
        )


def _renamed(vessels: Sequence[Vessel], names: Mapping[str, str] | None) -> list[Vessel]:
    new = _new_names([vessel.name for vessel in vessels], names)
    return [replace(vessel, name=new.get(vessel.name, vessel.name)) for vessel in vessels]


def _renamed_tree(tree: ArterialTree, names: Mapping[str, str] | None) -> ArterialTree:
    new = {name: name for name in tree.names} | _new_names(tree.names, names)
    arteries = tuple(
        replace(artery, name=new[artery.name], parent=None if artery.parent is None else new[artery.parent])
        for artery in tree.arteries
    )
    return replace(tree, arteries=arteries)


def _new_names(known: Sequence[str], names: Mapping[str, str] | None) -> dict[str, str]:
    found = {as_called(name, known): new for name, new in (names or {}).items()}
    unknown = sorted(set(found) - set(known))
    if unknown:
        raise ArterialTreeError(f"No vessel is called {', '.join(unknown)}: rename one of {', '.join(known)}.")
    return found
