"""Lung shunt by SPECT/CT: counts in lungs and liver, with what blur and a short field of view do to them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from radioembolization.errors import ImageError, LungsCropped, LungsExtrapolated, LungShuntError
from radioembolization.images import Grid, Volume, bounding_box, checked_counts, covered_share
from radioembolization.structures.consistency import DrawnStructure, check_field_of_view, check_overlap
from radioembolization.territories.shunt.lung_shunt import LungShunt, ShuntMethod

#: Less of the liver inside the scout is refused; a part of the lungs outside that is worth a warning.
_LEAST_LIVER, _LUNGS_OUTSIDE_WARNED = 0.98, 0.01
#: Lungs of which less than this is left to measure in, without dome and rim, are refused.
_LEAST_MEASURED = 0.10


@dataclass(frozen=True)
class SpectShuntSettings:
    """How counts of a scout become a lung shunt.

    Parameters
    ----------
    dome_margin_mm : float
        Lung nearer to the liver is left out: breathing and blur carry counts of the liver there [mm].
    resolution_mm : float
        Full width at half maximum of the image.  Lung within half of it inside its surface is left out, as its counts
        are partly those of the chest wall, and the liver is measured with all within it outside its surface [mm].
    least_lungs : float
        Smallest share of the lungs inside the image to go by.
    lung_volume_ml : float, optional
        Of both lungs, where the CT does not show all of them [mL].
    attenuation_corrected : bool, optional
        Whether the image is; None: not known.
    """

    dome_margin_mm: float = 20.0
    resolution_mm: float = 12.0
    least_lungs: float = 0.5
    lung_volume_ml: float | None = None
    attenuation_corrected: bool | None = None

    def __post_init__(self) -> None:
        numbers = (self.dome_margin_mm, self.resolution_mm, self.least_lungs, self.lung_volume_ml or 1.0)
        if not all(np.isfinite(numbers)) or min(numbers) < 0 or not 0.0 < self.least_lungs <= 1.0:
            raise LungShuntError(f"Numbers of the lung shunt by SPECT/CT are out of range: {self}.")


def spect_shunt(
    scout: Volume,
    liver: DrawnStructure,
    lungs: DrawnStructure,
    ct_grid: Grid | None = None,
    settings: SpectShuntSettings | None = None,
) -> LungShunt:
    """Return the lung shunt of a scout image: ``L = c V / (c V + N)``.

    c is the mean concentration of counts in the lungs away from the liver and from their own surface, V the volume of
    both lungs as drawn, N the counts in the liver and within the blur around it.  Where the scout is shorter than the
    lungs, V is still that of the whole lungs, and a warning says how much was not measured.

    Parameters
    ----------
    scout : Volume
        Counts on any grid.
    liver, lungs : DrawnStructure
        On the grid they were drawn on.
    ct_grid : Grid, optional
        Of the CT on which the lungs were drawn, to see whether it shows all of them; default their own grid.
    settings : SpectShuntSettings, optional

    Raises
    ------
    LungsCropped
        If most of the lungs was not measured, or their volume is not known because the CT cuts them.
    LungShuntError
        If counts are negative or missing, or lungs and liver overlap or lie outside.
    """
    settings = settings or SpectShuntSettings()
    counts, seen = _counts(scout)
    _check_apart(liver, lungs)
    shares = {one.role: covered_share(one.part, one.part_grid, seen) for one in (liver, lungs)}
    _check_liver(shares[liver.role], seen, liver)
    volume_ml = _lung_volume_ml(lungs, ct_grid or lungs.grid, settings)
    inside_ml = float(shares[lungs.role].sum(dtype=float)) * seen.voxel_ml
    _check_lungs_inside(inside_ml / volume_ml, settings)
    liver_mm = ndimage.distance_transform_edt(shares[liver.role] < 0.5, sampling=seen.spacing_mm)
    measured = _measured_lung(shares[lungs.role] >= 0.5, liver_mm, seen, settings)
    measured_ml = float(np.count_nonzero(measured)) * seen.voxel_ml
    if measured_ml < _LEAST_MEASURED * volume_ml:
        raise LungsCropped(
            f"Only {measured_ml:.0f} of {volume_ml:.0f} mL of lung are in the scout and away from the liver and the "
            "surface of the lungs: reduce dome_margin_mm, or use the planar lung shunt."
        )
    lung_counts = float(counts[measured].mean(dtype=float)) / seen.voxel_ml * volume_ml
    liver_counts = float(counts[liver_mm <= settings.resolution_mm].sum(dtype=float))
    _check_counts(lung_counts, liver_counts)
    details = {
        "lung_counts": lung_counts,
        "liver_counts": liver_counts,
        "lung_volume_ml": volume_ml,
        "measured_lung_ml": measured_ml,
        "outside_share": max(0.0, 1.0 - inside_ml / volume_ml),
        "dome_margin_mm": settings.dome_margin_mm,
    }
    fraction = lung_counts / (lung_counts + liver_counts)
    return LungShunt(fraction, ShuntMethod.SPECT, details, _note(details, settings))


def _counts(scout: Volume) -> tuple[np.ndarray, Grid]:
    """Return the counts and the grid of the planes that hold any: reconstructions leave the others empty."""
    try:
        image = checked_counts(scout).array
    except ImageError as error:
        raise LungShuntError(f"No lung shunt by SPECT/CT: {error}") from error
    box = bounding_box(image > 0)
    assert box is not None  # counts were checked
    part = image[tuple(slice(a, b) for a, b in box)]
    return part, scout.grid.box(tuple(a for a, _ in box), part.shape)


def _check_apart(liver: DrawnStructure, lungs: DrawnStructure) -> None:
    overlap = check_overlap(liver, lungs)
    if overlap:
        raise LungShuntError(f"No lung shunt by SPECT/CT: {overlap[0].message}")


def _check_liver(share: np.ndarray, seen: Grid, liver: DrawnStructure) -> None:
    inside = float(share.sum(dtype=float)) * seen.voxel_ml / liver.volume_ml
    if inside < _LEAST_LIVER:
        raise LungShuntError(
            f"Only {inside:.0%} of the liver lie inside the scout, so its counts are not known: check that scout and "
            "structures are aligned, or use the planar lung shunt."
        )


def _lung_volume_ml(lungs: DrawnStructure, ct_grid: Grid, settings: SpectShuntSettings) -> float:
    if settings.lung_volume_ml is not None:
        return settings.lung_volume_ml
    cut = check_field_of_view(lungs, ct_grid, "CT")
    if cut:
        raise LungsCropped(
            f"No lung shunt by SPECT/CT, as the volume of the lungs is not known. {cut[0].message} For the shunt, "
            "enter lung_volume_ml, or use the planar lung shunt."
        )
    return lungs.volume_ml


def _check_lungs_inside(inside: float, settings: SpectShuntSettings) -> None:
    if inside < settings.least_lungs:
        raise LungsCropped(
            f"Only {inside:.0%} of the lungs lie inside the scout (planes without any count are outside): too little "
            f"to go by, at least {settings.least_lungs:.0%} are needed. Extend the SPECT, or use the planar lung shunt."
        )
    if inside < 1.0 - _LUNGS_OUTSIDE_WARNED:
        warnings.warn(
            f"{1.0 - inside:.0%} of the lungs lie outside the scout; they were taken to have the mean concentration of "
            f"the rest, which multiplies the counts inside by {1.0 / inside:.2f}.",
            LungsExtrapolated,
            stacklevel=3,
        )


def _measured_lung(lung: np.ndarray, liver_mm: np.ndarray, grid: Grid, settings: SpectShuntSettings) -> np.ndarray:
    """Return the lung voxels (z, y, x) whose counts are their own.

    The image border is no surface of the lung: distances are measured as if it went on.
    """
    depth_mm = ndimage.distance_transform_edt(np.pad(lung, 1, mode="edge"), sampling=grid.spacing_mm)[1:-1, 1:-1, 1:-1]
    return np.asarray(lung & (liver_mm > settings.dome_margin_mm) & (depth_mm > 0.5 * settings.resolution_mm))


def _check_counts(lung_counts: float, liver_counts: float) -> None:
    for name, found in (("lungs", lung_counts), ("liver", liver_counts)):
        if not found > 0:
            raise LungShuntError(
                f"The scout has no counts in the {name}: check that scout and structures belong together, or enter the "
                "lung shunt."
            )


def _note(details: dict[str, float], settings: SpectShuntSettings) -> str:
    attenuation = {
        True: "the image is corrected for attenuation",
        False: "the image is NOT corrected for attenuation: the shunt is too high",
        None: "if the image is not corrected for attenuation, the shunt is too high",
    }[settings.attenuation_corrected]
    outside = details["outside_share"]
    cropped = f" {outside:.0%} of the lungs lie outside the image and were extrapolated;" * (outside > 0.005)
    return (
        f"SPECT/CT, mean concentration in {details['measured_lung_ml']:.0f} mL of lung more than "
        f"{settings.dome_margin_mm:g} mm from the liver, times {details['lung_volume_ml']:.0f} mL;{cropped} "
        f"{attenuation}."
    )


def spect_shunt_of_counts(lung_counts: float, liver_counts: float, measured_share: float = 1.0) -> LungShunt:
    """Return the lung shunt of counts that were measured elsewhere: ``L = (n / s) / (n / s + N)``.

    Parameters
    ----------
    lung_counts, liver_counts : float
        Counts n of a part of the lungs, and N of the liver.
    measured_share : float
        Share s of the volume of the lungs in which the n were counted.

    Raises
    ------
    LungShuntError
        If counts are not positive, or the share is not in (0, 1].
    LungsCropped
        If most of the lungs was not measured.
    """
    if not all(np.isfinite((lung_counts, liver_counts, measured_share))) or not 0.0 < measured_share <= 1.0:
        raise LungShuntError(
            f"Counts {lung_counts:g} and {liver_counts:g} or the measured share {measured_share:g} cannot be used: the "
            "share is a fraction in (0, 1], not per cent."
        )
    _check_counts(lung_counts, liver_counts)
    _check_lungs_inside(measured_share, SpectShuntSettings())
    whole = lung_counts / measured_share
    details = {"lung_counts": whole, "liver_counts": liver_counts, "outside_share": 1.0 - measured_share}
    return LungShunt(whole / (whole + liver_counts), ShuntMethod.SPECT, details, "Counts in a SPECT, as entered.")
