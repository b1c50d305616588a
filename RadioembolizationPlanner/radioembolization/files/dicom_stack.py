"""What is wrong with the places of slices: slices of other orientation, twice, missing, uneven or tilted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from radioembolization.errors import DicomError

#: Slices nearer to each other than this are at one place [mm].
_SAME_PLACE_MM = 0.01
#: Cosines of the orientations of one series differ by less.
_PARALLEL = 1e-3
#: Steps between slices may differ by this share of the usual one; from this multiple on slices are missing.
_UNEVEN, _MISSING = 0.01, 1.5
#: Gantry tilt [degrees] that is none.
_LEAST_TILT_DEGREES = 0.05


def check_stack(
    positions_mm: np.ndarray, orientations: Sequence[tuple[float, ...]], names: Sequence[str], where: str
) -> None:
    """Refuse slices that make no regular stack, naming the slices.

    Parameters
    ----------
    positions_mm : ndarray (slices, 3)
        LPS positions of their first pixels.
    orientations : sequence of tuple of 6 float
    names : sequence of str
        Of the slices, for messages.
    where : str
        Of the folder, for messages.

    Raises
    ------
    DicomError
    """
    turned = np.abs(np.array(orientations) - np.array(orientations[0])).max(axis=1) > _PARALLEL
    if turned.any():
        several = [name for name, other in zip(names, turned, strict=True) if other == (turned.mean() < 0.5)]
        raise DicomError(
            f"{len(several)} of {len(names)} slices in '{where}' have another orientation than the rest, such as "
            f"'{several[0]}': a localizer may be among them. Take it out of the folder, or choose another series."
        )
    normal = np.cross(orientations[0][:3], orientations[0][3:])
    order = np.argsort(positions_mm @ normal, kind="stable")
    along = (positions_mm @ normal)[order]
    steps = np.diff(along)
    if len(steps):
        _check_steps(steps, along, [names[i] for i in order], where)
        _check_tilt(positions_mm[order], normal, where)


def _check_steps(steps: np.ndarray, along: np.ndarray, names: Sequence[str], where: str) -> None:
    twice = np.flatnonzero(steps < _SAME_PLACE_MM)
    if len(twice):
        at = twice[0]
        raise DicomError(
            f"'{where}' has {len(twice)} slices at the place of another, such as '{names[at]}' and '{names[at + 1]}': "
            "copies, or several time points or phases in one series. Keep one of each."
        )
    usual = float(np.median(steps))
    gaps = np.flatnonzero(steps > _MISSING * usual)
    if len(gaps):
        missing = int(sum(round(steps[gap] / usual) - 1 for gap in gaps))
        at = gaps[0]
        raise DicomError(
            f"{missing} slices of '{where}' are missing: between '{names[at]}' and '{names[at + 1]}' lie "
            f"{steps[at]:.4g} mm instead of {usual:.4g} mm (from {along[at]:.1f} to {along[at + 1]:.1f} mm along the "
            "stack). Export the whole series."
        )
    if float(np.abs(steps - usual).max()) > max(_SAME_PLACE_MM, _UNEVEN * usual):
        raise DicomError(
            f"The slices of '{where}' are unevenly spaced, by {steps.min():.4g} to {steps.max():.4g} mm: resample the "
            "series to even spacing (Slicer does so when it loads it) and use the result as NRRD."
        )


def _check_tilt(positions_mm: np.ndarray, normal: np.ndarray, where: str) -> None:
    run = positions_mm[-1] - positions_mm[0]
    rise = float(run @ normal)
    aside = float(np.linalg.norm(run - rise * normal))
    tilt = float(np.degrees(np.arctan2(aside, rise)))
    if tilt > _LEAST_TILT_DEGREES and aside > _SAME_PLACE_MM:
        raise DicomError(
            f"The gantry was tilted by {tilt:.1f} degrees when '{where}' was taken, so that its slices make no "
            "rectangular stack: load it in Slicer with the acquisition transform, harden that, use the result as NRRD."
        )
