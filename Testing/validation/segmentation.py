"""Body, lungs and liver found in CT against drawn ones, in good scans and in degraded copies."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from page import FIGURES, Missing, figure, table

from radioembolization.errors import ImageError
from radioembolization.files import read_volume
from radioembolization.images import Unit, Volume
from radioembolization.phantom import synthetic_patient
from radioembolization.structures.segmentation import SegmentedStructures
from radioembolization.structures.segmentation.automatic import segment_ct

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from degraded_ct import Scan, copies
from support import SHARED

matplotlib.use("Agg")
import matplotlib.pyplot as plt

TITLE = "Automatic segmentation in CT"
NAMES = {"liver_ce_ct": "portal-venous CT, 5 mm", "lu177_patient": "low-dose CT, 4 mm"}
LIVER_LABELS = {"liver_ce_ct": (1, 2, 3), "lu177_patient": (1,)}
SEEDS = (1, 2, 3)
GOOD_DICE = 0.85
INTRO = f"""
Liver of `segment_ct` without seeds, against drawn livers (`liver_ce_ct`: our labels, `lu177_patient`: an expert's)
and the truth of synthetic patients; then in copies of both scans as bad scans would show them. A warning says that the
liver is uncertain or cut by the image; it is false where the Dice coefficient is {GOOD_DICE:g} or more and nothing was
cut. An image that is refused counts as warned. CPU seconds are those of the whole process.

"""
COLUMNS = ("scan", "copy", "Dice", "found / true mL", "quality", "CPU s", "findings about the liver")


@dataclass(frozen=True)
class _Run:
    scan: str
    copy: str
    dice: float | None
    warned: bool
    cut: bool
    cells: tuple[object, ...]


def write() -> str:
    """Return the section."""
    scans = {name: _scan(case) for case, name in NAMES.items()}
    runs = [_run(name, "as it is", lambda scan=scan: scan) for name, scan in scans.items()]
    runs += [_run(f"synthetic patient {seed}", "as it is", lambda seed=seed: _synthetic(seed)) for seed in SEEDS]
    for name, scan in scans.items():
        runs += [_run(name, copy, make) for copy, make in copies(*scan).items()]
    _draw(scans)
    text = INTRO + table(COLUMNS, [run.cells for run in runs]) + "\n" + _counted(runs[2 + len(SEEDS) :])
    return text + figure(
        "segmentation_ct.png", "Liver as found (red) and as drawn (green), lungs (cyan), body (yellow)"
    )


def _scan(case: str) -> Scan:
    folder = SHARED / "data" / case
    if not folder.is_dir():
        raise Missing(f"scan {case} is not on this machine")
    ct = read_volume(folder / "ct.nii.gz", Unit.HU)
    labels = read_volume(folder / "labels.nii.gz", Unit.LABEL).array
    return ct, np.isin(labels, LIVER_LABELS[case])


def _synthetic(seed: int) -> Scan:
    patient = synthetic_patient(seed)
    return patient.ct, patient.masks["liver"]


def _run(scan: str, copy: str, make: Callable[[], Scan]) -> _Run:
    ct, liver = make()
    cut = " cut" in copy and "window" not in copy
    start = time.process_time()
    try:
        found = segment_ct(ct)
    except ImageError as error:
        words = f"refused: {str(error).split(':')[0]}"
        return _Run(scan, copy, None, True, cut, (scan, copy, "", "", "", f"{time.process_time() - start:.0f}", words))
    seconds = time.process_time() - start
    run = _measured(scan, copy, found, liver, cut, seconds)
    print(*run.cells, sep=", ", flush=True)
    return run


def _measured(scan: str, copy: str, found: SegmentedStructures, liver: np.ndarray, cut: bool, seconds: float) -> _Run:
    true_ml = np.count_nonzero(liver) * found.grid.voxel_ml
    about = [one for one in found.all_findings if "liver" in one.structures]
    words = "; ".join(f"{one.check}{_reasons(one.message)}" for one in about)
    names = [one.name for one in found.structures]
    if "liver" not in names:
        return _Run(scan, copy, 0.0, True, cut, (scan, copy, "0", f"0 / {true_ml:.0f}", "", f"{seconds:.0f}", words))
    mask = found["liver"].mask
    value = dice(mask, liver)
    cells = (
        scan,
        copy,
        f"{value:.3f}",
        f"{found.volume_ml('liver'):.0f} / {true_ml:.0f}",
        f"{found['liver'].quality:.2f}",
        f"{seconds:.0f}",
        words or "none",
    )
    return _Run(scan, copy, value, bool(about), cut, cells)


def _reasons(message: str) -> str:
    start = "The liver is uncertain: "
    return f" ({message.removeprefix(start).split('. Check')[0]})" if message.startswith(start) else ""


def dice(one: np.ndarray, other: np.ndarray) -> float:
    """Return twice the common part of two masks over the sum of both."""
    return 2.0 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other))


def _counted(runs: Sequence[_Run]) -> str:
    low = [run for run in runs if run.dice is None or run.dice < GOOD_DICE]
    false = [run for run in runs if run.dice is not None and run.dice >= GOOD_DICE and run.warned]
    of_cut = sum(run.cut for run in false)
    return (
        f"Of {len(runs)} degraded copies, {len(low)} were refused or fell below a Dice coefficient of {GOOD_DICE:g}; "
        f"{sum(run.warned for run in low)} of these carry a warning or an error. {len(false)} of the others carry a "
        f"warning: {of_cut} of them of a liver that is really cut, {len(false) - of_cut} false.\n"
    )


def _draw(scans: dict[str, Scan]) -> None:
    plots, axes = plt.subplots(len(scans), 5, figsize=(15, 6), layout="constrained")
    for row, (name, (ct, liver)) in zip(axes, scans.items(), strict=True):
        found = segment_ct(ct)
        slices = np.flatnonzero(liver.any(axis=(1, 2)))
        chosen = slices[[int(share * (len(slices) - 1)) for share in (0.12, 0.35, 0.55, 0.75, 0.95)]]
        for axis, index in zip(row, chosen, strict=True):
            _slice(axis, ct, found, liver, int(index))
        row[0].set_title(name, fontsize=9)
    plots.savefig(FIGURES / "segmentation_ct.png", dpi=80)
    plt.close(plots)


def _slice(axis: plt.Axes, ct: Volume, found: SegmentedStructures, liver: np.ndarray, index: int) -> None:
    axis.imshow(ct.array[index], cmap="gray", vmin=-120, vmax=240, aspect=ct.grid.spacing_mm[1] / ct.grid.spacing_mm[2])
    colours = {"body": "gold", "right lung": "cyan", "left lung": "cyan", "liver": "red"}
    drawn = [(one.mask, colours[one.name]) for one in found.structures]
    for mask, colour in [(liver, "lime"), *drawn]:
        if mask[index].any():
            axis.contour(mask[index], [0.5], colors=colour, linewidths=0.8)
    axis.axis("off")
