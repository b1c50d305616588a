"""The VTK package, imported when a file needs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from radioembolization.errors import MissingPackage


def vtk_for(what: Path | str) -> Any:
    """Return the package vtk.

    Raises
    ------
    MissingPackage
        If it is not installed; the message names what needs it.
    """
    try:
        import vtk
        import vtk.util.numpy_support
    except ImportError as error:
        name = what.name if isinstance(what, Path) else what
        raise MissingPackage(f"'{name}' needs the package vtk: pip install vtk.") from error
    return vtk


def silent(reader: Any) -> Any:
    """Return a reader of VTK that prints nothing of a bad file; the caller says what is wrong with it."""
    for one in (reader, reader.GetExecutive()):
        for event in ("ErrorEvent", "WarningEvent"):
            one.AddObserver(event, lambda *_: None)
    return reader
