"""What the candidate sites of a case leave on disk, for Slicer and for programs."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from radioembolization.errors import InputError
from radioembolization.files.markups_file import NamedPoint, write_points
from radioembolization.files.segmentation_writer import write_segmentation
from radioembolization.files.sites_document import sites_document
from radioembolization.files.tree_writer import SYNTHETIC_MARK, write_tree
from radioembolization.structures.terminology import PERFUSED_VOLUME
from radioembolization.treatment import Case

Colour = tuple[float, float, float]


def write_sites(
    case: Case, folder: Path, figure_svg: str = "", colours: Mapping[str, Colour] | None = None
) -> dict[str, Path]:
    """Write territories, sites, tree, record and figure into a folder; return the files by what they are.

    All are written beside the target first and moved when complete, the record last.

    Parameters
    ----------
    case : Case
    folder : Path
    figure_svg : str
        Figure, if there is one.
    colours : mapping of str to (red, green, blue), optional
        Colours from 0 to 1 of the territories by site.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--out '{folder}' is a file: name a folder.")
    existed = folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder))
    try:
        names = _write_all(case, sites_document(case), staging, figure_svg, colours or {})
        for name in names.values():
            os.replace(staging / name, folder / name)
    except BaseException:
        shutil.rmtree(staging if existed else folder, ignore_errors=True)
        raise
    staging.rmdir()
    return {what: folder / name for what, name in names.items()}


def _write_all(
    case: Case, document: dict[str, Any], folder: Path, figure_svg: str, colours: Mapping[str, Colour]
) -> dict[str, str]:
    names = {"territories": "territories.seg.nrrd"}
    masks = {site.name: site.perfused & case.structures.liver.mask for site in case.sites}
    kinds = {name: replace(PERFUSED_VOLUME, colour=colours.get(name, PERFUSED_VOLUME.colour)) for name in masks}
    notice = SYNTHETIC_MARK if case.synthetic else ""
    write_segmentation(masks, case.structures.grid, folder / names["territories"], kinds, notice)
    points = _points(case, document)
    if points:
        names["sites"] = "sites.mrk.json"
        write_points(points, folder / names["sites"])
    if case.inputs.arteries is not None:
        names["arteries"] = "arteries.vtk"
        write_tree(case.inputs.arteries, folder / names["arteries"])
    if figure_svg:
        names["figure"] = "sites.svg"
        (folder / names["figure"]).write_text(figure_svg, encoding="utf-8", newline="\n")
    names["record"] = "sites.json"
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    (folder / names["record"]).write_text(text, encoding="utf-8", newline="\n")
    return names


def _points(case: Case, document: dict[str, Any]) -> list[NamedPoint]:
    """Return the sites that have a position, with what they reach in words."""
    tree = case.inputs.arteries
    synthetic = ["SYNTHETIC arteries"] if tree is not None and tree.synthetic else []
    points = []
    for entry in document["sites"]:
        if entry["position_lps_mm"] is None:
            continue
        words = [f"downstream of {entry['upstream']}"] if entry["upstream"] else []
        words += [f"territory {entry['coverage']['territory_ml']:.0f} mL", *synthetic]
        points.append(NamedPoint(entry["name"], tuple(entry["position_lps_mm"]), "; ".join(words)))
    return points
