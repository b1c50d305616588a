"""The command ``register``: where one image lies in the space of another."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np

from radioembolization.cli.shared import DONE, print_json, progress_shown
from radioembolization.errors import ImageError, InputError
from radioembolization.files import read_dicom_series, read_volume, sha256_of, write_volume
from radioembolization.files.landmark_file import read_landmarks
from radioembolization.files.transform_file import read_transform, write_transform
from radioembolization.images import Unit, Volume
from radioembolization.images.registration import Kind, Registration, register
from radioembolization.images.registration_quality import dice_after, landmark_error
from radioembolization.images.transformed import transform_volume
from radioembolization.report.registration_figures import checkerboard_figure, overlay_figure
from radioembolization.report.terminal import RESEARCH_USE_ONLY, terminal_console
from radioembolization.treatment.case import collected_notices

_UNITS = {"ct": Unit.HU, "counts": Unit.COUNTS, "activity": Unit.BQ_PER_ML, "other": Unit.LABEL}
_SAME_SPACE_MM = 0.01


def add_commands(commands: Any) -> None:
    """Add the command to the subparsers of the command line."""
    parser = commands.add_parser("register", help="align an image with another (rigid or affine)")
    parser.add_argument("fixed", type=Path, metavar="FIXED", help="image that stays (.nrrd, .nii.gz, DICOM folder)")
    parser.add_argument("moving", type=Path, metavar="MOVING", help="image that is moved")
    for name in ("fixed", "moving"):
        parser.add_argument(f"--{name}-unit", choices=sorted(_UNITS), default="ct", help="what it is (default ct)")
        parser.add_argument(f"--{name}-mask", type=Path, metavar="MASK", help="only what is not 0 counts")
        parser.add_argument(f"--{name}-liver", type=Path, metavar="MASK", help="with the other one: Dice of livers")
    parser.add_argument("--affine", action="store_true", help="scales and shears too (default rigid)")
    parser.add_argument("--start", type=Path, metavar="TFM", help="transform to start from")
    parser.add_argument("--landmarks", type=Path, metavar="CSV", help="pairs of points: error before and after")
    parser.add_argument("--seed", type=int, default=1, help="of the sampling (default 1)")
    parser.add_argument("--resample", action="store_true", help="write the moving image on the fixed grid, too")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where results go")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of words")
    parser.set_defaults(run=_register)


def _register(options: argparse.Namespace) -> int:
    if (options.fixed_liver is None) != (options.moving_liver is None):
        raise InputError("--fixed-liver and --moving-liver go together: give both or none.")
    if options.seed < 1:
        raise InputError(f"--seed {options.seed} must be at least 1.")
    fixed = _image(options.fixed, _UNITS[options.fixed_unit])
    moving = _image(options.moving, _UNITS[options.moving_unit])
    landmarks = read_landmarks(options.landmarks) if options.landmarks else None
    with collected_notices(), progress_shown(quiet=options.json) as progress:
        found = register(
            fixed,
            moving,
            Kind.AFFINE if options.affine else Kind.RIGID,
            fixed_mask=_mask(options.fixed_mask, fixed),
            moving_mask=_mask(options.moving_mask, moving),
            start=read_transform(options.start) if options.start else None,
            seed=options.seed,
            progress=progress,
        )
    document = _document(options, fixed, moving, found, landmarks)
    _write(options, fixed, moving, found, document)
    if options.json:
        print_json(document)
    else:
        _print(document)
    return DONE


def _image(path: Path, unit: Unit) -> Volume:
    if path.is_dir():
        return read_dicom_series(path, unit).volume
    return read_volume(path, unit)


def _mask(path: Path | None, image: Volume) -> np.ndarray | None:
    """Return a mask that lies on the grid of its image."""
    if path is None:
        return None
    mask = read_volume(path, Unit.LABEL)
    same = mask.grid.shape == image.grid.shape
    ends = np.array([(0, 0, 0), np.array(mask.grid.shape) - 1])
    if not same or not np.allclose(mask.grid.to_lps(ends), image.grid.to_lps(ends), atol=_SAME_SPACE_MM):
        raise ImageError(
            f"Mask '{path.name}' lies on another grid than its image ({mask.grid.shape} at {mask.grid.origin_mm} "
            f"against {image.grid.shape} at {image.grid.origin_mm}): draw it on that image, or resample it."
        )
    return mask.array > 0


def _document(
    options: argparse.Namespace,
    fixed: Volume,
    moving: Volume,
    found: Registration,
    landmarks: tuple[np.ndarray, np.ndarray] | None,
) -> dict[str, Any]:
    files = {"transform": "transform.tfm", "checkerboard": "checkerboard.png", "overlay": "overlay.png"}
    if options.resample:
        files["resampled"] = "resampled.nii.gz"
    document: dict[str, Any] = {
        "notice": RESEARCH_USE_ONLY,
        "kind": str(found.kind),
        "uncertain": found.is_uncertain,
        "doubts": list(found.doubts),
        "quality": dataclasses.asdict(found.quality),
        "matrix_moving_to_fixed_lps": found.transform.matrix.tolist(),
        "seed": options.seed,
        "inputs": {name: {"sha256": sha256_of(path)} for name, path in _inputs(options)},
        "files": {name: str(options.out / file) for name, file in files.items()},
    }
    if landmarks is not None:
        before, after = landmark_error(*landmarks), landmark_error(*landmarks, found.transform)
        document["landmarks"] = {"before": dataclasses.asdict(before), "after": dataclasses.asdict(after)}
    if options.fixed_liver is not None:
        fixed_liver, moving_liver = (read_volume(p, Unit.LABEL) for p in (options.fixed_liver, options.moving_liver))
        document["liver_dice"] = dice_after(
            fixed_liver.array > 0, fixed_liver.grid, moving_liver.array > 0, moving_liver.grid, found.transform
        )
    return document


def _inputs(options: argparse.Namespace) -> list[tuple[str, Path]]:
    names = ("fixed", "moving", "fixed_mask", "moving_mask", "fixed_liver", "moving_liver", "start", "landmarks")
    given = [(name, getattr(options, name)) for name in names]
    return [(name, path) for name, path in given if path is not None and path.is_file()]


def _write(
    options: argparse.Namespace, fixed: Volume, moving: Volume, found: Registration, document: dict[str, Any]
) -> None:
    options.out.mkdir(parents=True, exist_ok=True)
    write_transform(found.transform, options.out / "transform.tfm")
    (options.out / "checkerboard.png").write_bytes(checkerboard_figure(fixed, moving, found.transform))
    (options.out / "overlay.png").write_bytes(overlay_figure(fixed, moving, found.transform))
    if options.resample:
        outside = -1000.0 if moving.unit is Unit.HU else 0.0
        write_volume(transform_volume(moving, found.transform, fixed.grid, outside), options.out / "resampled.nii.gz")
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    (options.out / "quality.json").write_text(text, encoding="utf-8", newline="\n")


def _print(document: dict[str, Any]) -> None:
    quality = document["quality"]
    lines = [
        f"{document['kind'].capitalize()}: turned by {quality['rotation_degrees']:.1f} degrees, "
        f"moved by {quality['shift_mm']:.1f} mm",
        f"mutual information {quality['mutual_information_before']:.3f} before, "
        f"{quality['mutual_information_after']:.3f} after; there and back "
        + ("not found" if (back := quality["inverse_consistency_mm"]) is None else f"{back:.1f} mm"),
    ]
    if "landmarks" in document:
        before, after = document["landmarks"]["before"], document["landmarks"]["after"]
        lines.append(
            f"{after['count']} landmarks: mean {before['mean_mm']:.1f} mm before, {after['mean_mm']:.1f} mm after "
            f"(at most {after['max_mm']:.1f})"
        )
    if "liver_dice" in document:
        lines.append(f"Dice of the livers: {document['liver_dice']:.3f}")
    lines += document["doubts"]
    lines += [f"{name}: {path}" for name, path in document["files"].items()]
    console = terminal_console()
    for line in (*lines, document["notice"]):
        console.print(line, soft_wrap=True, markup=False, highlight=False)
