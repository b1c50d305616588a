"""Modules of other extensions, and of Slicer, that go well with a plan: detected and opened, never required."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from radioembolization.errors import MissingPackage


@dataclass(frozen=True)
class Neighbour:
    """A module worth opening.

    Parameters
    ----------
    module : str
        Name of the module.
    extension : str
        Name of the extension that brings it; empty for modules of Slicer itself.
    """

    module: str
    extension: str = ""


NEIGHBOURS = (
    Neighbour("SegmentEditor"),
    Neighbour("Segmentations"),
    Neighbour("Markups"),
    Neighbour("DICOM"),
    Neighbour("DoseVolumeHistogram", "SlicerRT"),
    Neighbour("Isodose", "SlicerRT"),
    Neighbour("DicomRtImportExport", "SlicerRT"),
    Neighbour("TotalSegmentator", "TotalSegmentator"),
    Neighbour("MONAIAuto3DSeg", "MONAIAuto3DSeg"),
    Neighbour("ExtractCenterline", "SlicerVMTK"),
    Neighbour("Elastix", "SlicerElastix"),
)


def available(modules: Any) -> tuple[Neighbour, ...]:
    """Return the neighbours that are there.

    Parameters
    ----------
    modules : object
        ``slicer.modules``, whose attributes are the names of modules in lower case.
    """
    return tuple(one for one in NEIGHBOURS if hasattr(modules, one.module.lower()))


def open_module(name: str) -> None:
    """Show a module in the place of ours.

    Raises
    ------
    MissingPackage
        If it is not there; the message names the extension that brings it.
    """
    import slicer

    if not hasattr(slicer.modules, name.lower()):
        brought_by = next((one.extension for one in NEIGHBOURS if one.module == name), "")
        how = f"install the extension {brought_by} with the Extensions Manager" if brought_by else "check its name"
        raise MissingPackage(f"Slicer has no module '{name}': {how}, and restart Slicer.")
    slicer.util.selectModule(name)
