"""Dose maps and the tables of structures beside them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from radioembolization.dose.dvh import DoseVolumeHistogram
from radioembolization.dose.structure_dose import StructureDose
from radioembolization.errors import InputError
from radioembolization.files.image_file import write_volume
from radioembolization.files.replacing import replacing
from radioembolization.images import Volume

DOSE_FORMATS = (".nrrd", ".nii.gz")


def dose_stem(path: Path) -> str:
    """Return the name of a dose file without its extension.

    Raises
    ------
    InputError
        If the extension is not known; the message lists those that are.
    """
    for extension in DOSE_FORMATS:
        if path.name.endswith(extension):
            return path.name[: -len(extension)]
    raise InputError(f"'{path.name}' has no extension of a dose map: use {' or '.join(DOSE_FORMATS)}.")


def write_dose(
    dose: Volume,
    path: Path,
    provenance: Mapping[str, Any],
    structures: Sequence[tuple[StructureDose, DoseVolumeHistogram]] = (),
) -> dict[str, Path]:
    """Write a dose map, what it was made from, and the tables of structures; return the files by what they are.

    Each file appears complete or not at all, the map last.

    Parameters
    ----------
    dose : Volume
        [Gy].
    path : Path
        ``.nrrd`` (its header holds the provenance too) or ``.nii.gz``.
    provenance : mapping
        Goes beside the map as ``<path>.json``.
    structures : sequence of figures and histogram
        Go into ``<stem>_dvh.csv`` (one row per structure) and ``<stem>_dvh_curves.csv``.
    """
    stem = dose_stem(path)
    files = {"provenance": path.with_name(path.name + ".json")}
    text = json.dumps(dict(provenance), indent=2, ensure_ascii=False, allow_nan=False)
    texts = {files["provenance"]: text + "\n"}
    if structures:
        files |= {"DVH": path.with_name(f"{stem}_dvh.csv"), "DVH curves": path.with_name(f"{stem}_dvh_curves.csv")}
        texts |= {files["DVH"]: _figures(structures), files["DVH curves"]: _curves(structures)}
    for file, content in texts.items():
        with replacing(file) as temporary:
            temporary.write_text(content, encoding="utf-8", newline="\n")
    header = {key: value if isinstance(value, str) else json.dumps(value) for key, value in provenance.items()}
    write_volume(dose, path, {"unit": "Gy", **header} if path.name.endswith(".nrrd") else None)
    return {"dose": path, **files}


def _figures(structures: Sequence[tuple[StructureDose, DoseVolumeHistogram]]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, [field.name for field in fields(StructureDose)], lineterminator="\n")
    writer.writeheader()
    for figures, _ in structures:
        writer.writerow(asdict(figures))
    return stream.getvalue()


def _curves(structures: Sequence[tuple[StructureDose, DoseVolumeHistogram]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["structure", "dose_gy", "volume_percent"])
    for figures, curve in structures:
        for dose, share in zip(curve.dose_gy, curve.volume_share, strict=True):
            writer.writerow([figures.name, f"{dose:.6g}", f"{100 * share:.4f}"])
    return stream.getvalue()
