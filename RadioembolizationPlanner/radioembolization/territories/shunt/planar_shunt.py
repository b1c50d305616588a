"""Lung shunt by planar scintigraphy: geometric means of an anterior and a posterior view."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from radioembolization.errors import LungShuntError, PlanarViewsDisagree
from radioembolization.territories.shunt.lung_shunt import LungShunt, ShuntMethod

#: Regions that share more of the smaller one than this are refused: counts would be in both.
_OVERLAP_REFUSED = 0.02
_SOURCE = "geometric means, not corrected for attenuation, which overestimates the shunt (10.1007/s00270-020-02638-8)"


@dataclass(frozen=True)
class PlanarCounts:
    """Counts of one organ in both views.

    Parameters
    ----------
    name : str
    anterior, posterior : float
        All counts in the region of the organ.
    pixels : float
        Area of the region; needed with background only.
    background_anterior, background_posterior : float
        Counts per pixel beside the organ.

    Raises
    ------
    LungShuntError
        If a number is negative or missing, or the background takes all counts.
    """

    name: str
    anterior: float
    posterior: float
    pixels: float = 0.0
    background_anterior: float = 0.0
    background_posterior: float = 0.0

    def __post_init__(self) -> None:
        background = (self.background_anterior, self.background_posterior)
        for view, counts in (("anterior", self.anterior), ("posterior", self.posterior)):
            if not (np.isfinite(counts) and counts > 0):
                raise LungShuntError(
                    f"The {view} counts of the {self.name} are {counts:g}: planar shunts need counts above zero in "
                    "both views of lungs and liver."
                )
        if not all(np.isfinite(value) and value >= 0 for value in (*background, self.pixels)):
            raise LungShuntError(
                f"Background or area of the {self.name} is negative: give counts per pixel and pixels."
            )
        if any(background) and not self.pixels:
            raise LungShuntError(f"A background needs the area of the {self.name}: give its number of pixels.")
        if min(self.net) <= 0:
            raise LungShuntError(
                f"Of the counts of the {self.name} nothing is left without background (anterior {self.net[0]:.4g}, "
                f"posterior {self.net[1]:.4g}): move the background region, or leave it out."
            )

    @property
    def net(self) -> tuple[float, float]:
        """Counts without background, anterior and posterior."""
        return (
            self.anterior - self.pixels * self.background_anterior,
            self.posterior - self.pixels * self.background_posterior,
        )

    @property
    def geometric_mean(self) -> float:
        """``sqrt(anterior * posterior)`` of the counts without background."""
        return float(np.sqrt(self.net[0]) * np.sqrt(self.net[1]))


def planar_shunt(lungs: PlanarCounts, liver: PlanarCounts) -> LungShunt:
    """Return the lung shunt of two organs: ``L = GM_lungs / (GM_lungs + GM_liver)``.

    ``GM = sqrt((A - n a) (P - n p))`` with counts A and P of the views, n pixels, and backgrounds a and p per pixel.
    van Roekel, thesis Utrecht, pp. 29-41.  The tumour-to-lung fraction of Kao et al. is another quantity
    (10.1007/s00270-013-0783-z).
    """
    means = lungs.geometric_mean, liver.geometric_mean
    # Var(ln GM) = (1 / A + 1 / P) / 4 of Poisson counts; d L = L (1 - L) d ln(GM_lungs / GM_liver)
    fraction = means[0] / (means[0] + means[1])
    relative = sum(_relative_variance(organ) for organ in (lungs, liver))
    details = {
        "lungs_geometric_mean": means[0],
        "liver_geometric_mean": means[1],
        "counting_error": fraction * (1.0 - fraction) * float(np.sqrt(relative)),
    }
    subtracted = any((lungs.pixels * lungs.background_anterior, liver.pixels * liver.background_anterior))
    note = f"Planar, {_SOURCE}; {'background subtracted' if subtracted else 'no background subtracted'}."
    return LungShunt(fraction, ShuntMethod.PLANAR, details, note)


def _relative_variance(organ: PlanarCounts) -> float:
    """Return the variance of the logarithm of a geometric mean by counting; net counts with the variance of all."""
    views = zip((organ.anterior, organ.posterior), organ.net, strict=True)
    return 0.25 * sum(counts / net**2 for counts, net in views)


def planar_shunt_from_images(
    anterior: np.ndarray,
    posterior: np.ndarray,
    regions: Mapping[str, np.ndarray],
    posterior_is_mirrored: bool = True,
) -> LungShunt:
    """Return the lung shunt of two planar images.

    Parameters
    ----------
    anterior, posterior : ndarray (rows, columns)
        Counts.
    regions : mapping of str to ndarray (rows, columns) of bool
        ``lungs``, ``liver`` and, if it is to be subtracted, ``background``, drawn on the anterior image.
    posterior_is_mirrored : bool
        Whether the posterior image is as seen from behind, as scanners record it; then it is turned over before the
        regions are laid on it.

    Raises
    ------
    LungShuntError
        If counts are negative, a region is missing, empty or off the image, or lungs and liver overlap.
    """
    for name, image in (("anterior", anterior), ("posterior", posterior)):
        _check_image(name, image, anterior.shape)
    for name in ("lungs", "liver"):
        _check_region(name, regions.get(name), anterior.shape)
    _check_overlaps(regions)
    back = posterior[:, ::-1] if posterior_is_mirrored else posterior
    _check_sides(anterior, back)
    background = regions.get("background")
    per_pixel = (0.0, 0.0)
    if background is not None:
        _check_region("background", background, anterior.shape)
        per_pixel = float(anterior[background].mean()), float(back[background].mean())
    lungs, liver = (
        PlanarCounts(
            name,
            float(anterior[regions[name]].sum(dtype=float)),
            float(back[regions[name]].sum(dtype=float)),
            float(np.count_nonzero(regions[name])),
            *per_pixel,
        )
        for name in ("lungs", "liver")
    )
    return planar_shunt(lungs, liver)


def rectangle(shape: tuple[int, ...], corners: tuple[float, ...], name: str) -> np.ndarray:
    """Return a region (rows, columns) of bool from its corners: first column, first row, last column, last row.

    Raises
    ------
    LungShuntError
        If it is empty or reaches beyond the image.
    """
    left, top, right, bottom = (round(corner) for corner in corners)
    if not (0 <= left <= right < shape[1] and 0 <= top <= bottom < shape[0]):
        raise LungShuntError(
            f"The rectangle of the {name}, {list(corners)}, is not within the image of {shape[1]} columns and "
            f"{shape[0]} rows: give first column, first row, last column, last row, counted from 0."
        )
    region = np.zeros(shape, dtype=bool)
    region[top : bottom + 1, left : right + 1] = True
    return region


def _check_image(name: str, image: np.ndarray, shape: tuple[int, ...]) -> None:
    if image.ndim != 2 or image.shape != shape:
        raise LungShuntError(
            f"The {name} image has shape {image.shape}, the anterior one {shape}: give two planar images of one size."
        )
    if image.min() < 0 or not image.max() > 0:
        raise LungShuntError(
            f"The {name} image has counts from {image.min():g} to {image.max():g}: planar images have no negative "
            "counts, and some above zero. Check scaling and data type."
        )


def _check_region(name: str, region: np.ndarray | None, shape: tuple[int, ...]) -> None:
    if region is None or region.shape != shape or not region.any():
        found = "missing" if region is None else f"of shape {region.shape} with {int(region.sum())} pixels"
        raise LungShuntError(f"The region of the {name} is {found}: draw it on the anterior image, of shape {shape}.")


def _check_overlaps(regions: Mapping[str, np.ndarray]) -> None:
    lungs, liver = regions["lungs"], regions["liver"]
    shared = np.count_nonzero(lungs & liver)
    if shared > _OVERLAP_REFUSED * min(lungs.sum(), liver.sum()):
        raise LungShuntError(f"Lungs and liver share {shared} pixels, whose counts would be in both: draw them apart.")


def _check_sides(anterior: np.ndarray, back: np.ndarray) -> None:
    def likeness(image: np.ndarray) -> float:
        return float(np.sum(np.sqrt(anterior) * np.sqrt(image)))

    if likeness(back[:, ::-1]) > likeness(back):
        warnings.warn(
            "The posterior image fits the anterior one better turned over the other way: check posterior_is_mirrored.",
            PlanarViewsDisagree,
            stacklevel=3,
        )
