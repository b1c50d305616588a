"""Registration recovers known transforms of real CT, and says when images have nothing to align."""

from __future__ import annotations

import sys
import time
import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from page import Missing, table
from scipy import ndimage

from radioembolization.errors import PlannerError
from radioembolization.files import read_volume
from radioembolization.images import Grid, Kind, Unit, Volume, register, transform_volume
from radioembolization.images.registration import Registration
from radioembolization.images.registration_start import turn_about
from radioembolization.images.transform import AffineTransform

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from registration_trials import Trial, affine_trial, error_mm, rigid_trial
from support import SHARED

#: Trials of each case.
RIGID, AFFINE, EMISSION = 50, 10, 5
NOISE_HU = 30.0
TOLERANCE_MM = 2.0
EMISSION_FWHM_MM = 15.0
EMISSION_TOLERANCE_MM = 10.0
_FWHM_PER_SIGMA = 2.3548

TITLE = "Registration: known transforms recovered"
INTRO = f"""
The moving image is the fixed CT under a known transform, resampled once, with Gaussian noise of {NOISE_HU:g} HU; what
the transform moves out of the grid is cut off, as a scan would. Rigid: shifts up to 30 mm in any direction, turns up
to 15 degrees about any axis through the body. Affine: the same with stretches of 0.9 to 1.1 along each axis and shears
up to 0.05. Error: mean distance between where points of the body, and of the liver, are put and where they belong. A
trial succeeds below {TOLERANCE_MM:g} mm over the body. Seeds 1, 2, ...; no start is given.

"""
COLUMNS = ("CT", "kind", "succeed", "error before mm", "body mm: median", "worst", "liver mm: worst")
EMISSION_TEXT = f"""
### Emission to CT

The map of known activity of the patient with 177Lu, blurred to {EMISSION_FWHM_MM:g} mm, with Poisson noise of a SPECT
(1 million counts in all), moved rigidly as above and registered directly to the CT without a mask, way back included.
The activity is nought outside five organs and three nodes, so there is no body outline to help: where a SPECT has a CT
of its own, register that instead.

"""
EMISSION_COLUMNS = ("trial", "error before mm", "liver mm after", "there and back mm", "said to be uncertain")
FAILURE_TEXT = """
### What has nothing to align

Each must end in an error or carry a doubt.

"""


@dataclass(frozen=True, eq=False)
class Case:
    """A CT with points of body and liver (n, 3) in LPS [mm]."""

    name: str
    ct: Volume
    body_lps_mm: np.ndarray
    liver_lps_mm: np.ndarray


def write() -> str:
    """Return the tables."""
    cases = [_case("liver_ce_ct", (1, 2, 3), ()), _case("lu177_patient", (1,), (10,))]
    rows, seconds = [], []
    for case in cases:
        rows.append(_row(case, Kind.RIGID, RIGID, seconds))
        rows.append(_row(case, Kind.AFFINE, AFFINE, seconds))
    text = INTRO + table(COLUMNS, rows)
    emission = [_emission_row(cases[1], seed) for seed in range(1, EMISSION + 1)]
    text += EMISSION_TEXT + table(EMISSION_COLUMNS, emission)
    print(f"registration: {np.mean(seconds):.1f} s per trial, at most {max(seconds):.1f} s", flush=True)
    return text + FAILURE_TEXT + table(("fixed", "moving", "outcome"), _failures(cases[1]))


def _case(name: str, liver: tuple[int, ...], not_body: tuple[int, ...]) -> Case:
    folder = SHARED / "data" / name
    if not folder.is_dir():
        raise Missing(f"the reference case `{name}` is absent")
    ct = read_volume(folder / "ct.nii.gz", Unit.HU)
    labels = read_volume(folder / "labels.nii.gz", Unit.LABEL).array
    body = np.argwhere((labels > 0) & ~np.isin(labels, not_body))
    rng = np.random.default_rng(0)
    body, inside = (rng.permutation(index)[:2000] for index in (body, np.argwhere(np.isin(labels, liver))))
    return Case(name, ct, ct.grid.to_lps(body), ct.grid.to_lps(inside))


def _row(case: Case, kind: Kind, count: int, seconds: list[float]) -> list[str]:
    make = rigid_trial if kind is Kind.RIGID else affine_trial
    make = partial(make, case.ct, case.body_lps_mm.mean(axis=0), NOISE_HU)
    before, body, liver = [], [], []
    for seed in range(1, count + 1):
        trial: Trial = make(seed)
        start = time.perf_counter()
        found = _registered(case.ct, trial.moving, kind, check_inverse=False)
        seconds.append(time.perf_counter() - start)
        before.append(error_mm(AffineTransform.identity(), trial.truth, case.body_lps_mm))
        body.append(np.inf if found is None else error_mm(found.transform, trial.truth, case.body_lps_mm))
        liver.append(np.inf if found is None else error_mm(found.transform, trial.truth, case.liver_lps_mm))
    succeed = sum(error < TOLERANCE_MM for error in body)
    return [
        f"`{case.name}`",
        str(kind),
        f"{succeed} of {count}",
        f"{min(before):.0f} to {max(before):.0f}",
        f"{np.median(body):.2f}",
        f"{max(body):.2f}",
        f"{max(liver):.2f}",
    ]


def _registered(fixed: Volume, moving: Volume, kind: Kind, check_inverse: bool) -> Registration | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return register(fixed, moving, kind, check_inverse=check_inverse)
        except PlannerError:
            return None


def _emission_row(case: Case, seed: int) -> list[str]:
    activity = read_volume(SHARED / "data" / case.name / "activity.nii.gz", Unit.BQ_PER_ML)
    rng = np.random.default_rng(1000 + seed)
    sigma = EMISSION_FWHM_MM / _FWHM_PER_SIGMA / np.array(activity.grid.spacing_mm)
    blurred = Volume(ndimage.gaussian_filter(activity.array.astype(float), sigma), activity.grid, Unit.COUNTS)
    trial = rigid_trial(case.ct, case.body_lps_mm.mean(axis=0), 0.0, seed)
    moved = transform_volume(blurred, trial.truth.inverse, activity.grid, 0.0).array.clip(min=0.0)
    noisy = rng.poisson(moved * (1e6 / moved.sum())).astype(np.float32)
    found = _registered(case.ct, Volume(noisy, activity.grid, Unit.COUNTS), Kind.RIGID, check_inverse=True)
    before = error_mm(AffineTransform.identity(), trial.truth, case.liver_lps_mm)
    if found is None:
        return [str(seed), f"{before:.1f}", "no result", "", "error"]
    back = found.quality.inverse_consistency_mm
    return [
        str(seed),
        f"{before:.1f}",
        f"{error_mm(found.transform, trial.truth, case.liver_lps_mm):.1f}",
        "none" if back is None else f"{back:.1f}",
        "yes" if found.is_uncertain else "no",
    ]


def _failures(case: Case) -> list[list[str]]:
    ct, rng = case.ct, np.random.default_rng(1)
    noise = Volume(rng.normal(0.0, 100.0, ct.array.shape).astype(np.float32), ct.grid, Unit.HU)
    flat = Volume(np.full(ct.array.shape, 40.0, np.float32), ct.grid, Unit.HU)
    half_turn = turn_about(case.body_lps_mm.mean(axis=0), 2, 180.0).moved(ct)
    legs = Grid(ct.grid.shape, ct.grid.spacing_mm, tuple(np.array(ct.grid.origin_mm) + np.array([0.0, 0.0, 900.0])))
    tube = Volume(np.where(ndimage.gaussian_filter(noise.array, 4) > 2.0, 50.0, -900.0), legs, Unit.HU)
    pairs = (("CT", "noise", noise), ("CT", "constant", flat), ("CT", "turned by 180 degrees", half_turn))
    return [[a, b, _outcome(ct, moving)] for a, b, moving in (*pairs, ("CT", "random blobs", tube))]


def _outcome(fixed: Volume, moving: Volume) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = register(fixed, moving)
        except PlannerError as error:
            return f"`{type(error).__name__}`"
    if not found.doubts:
        return "**no doubt**"
    return "; ".join(doubt.removeprefix("Registration uncertain: ").split(". Look")[0] for doubt in found.doubts)
