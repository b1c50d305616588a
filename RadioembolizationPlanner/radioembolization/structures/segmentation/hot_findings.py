"""What speaks against a hot region being the tumour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radioembolization.structures.findings import Finding, Severity
from radioembolization.structures.segmentation.hot_spots import HotSpot

#: A region bounded by the edge of what was searched, over more than this share of its surface, is cut by it.
_EDGE_SHARE = 0.25
#: Volumes of spheres below this number of resolution widths are not to be relied on; see the validation page.
_TINY_WIDTHS = 2.0
#: A region that takes more than this share of what was searched has leaked.
_LEAK_SHARE = 0.5
#: The surface of a blurred sphere lies at 38 % of its contrast or above; thresholds below this share take in its halo.
_HALO_SHARE = 0.3
#: A threshold closer to the background than this number of its standard deviations follows noise.
_LEAST_DEVIATIONS = 2.0


@dataclass(frozen=True, eq=False)
class Lesion:
    """A hot region and where it came from.

    Parameters
    ----------
    name : str
    mask : ndarray (z, y, x) of bool
    spot : HotSpot
        Its hottest start.
    threshold : float, optional
    was_cut : bool
        Whether it ran into something hotter.
    """

    name: str
    mask: np.ndarray
    spot: HotSpot
    threshold: float | None
    was_cut: bool

    def finding(self, check: str, severity: Severity, message: str) -> Finding:
        """Return a finding at the maximum of the lesion."""
        at = self.spot.emission.grid.to_lps(np.array(self.spot.index))
        return Finding(check, severity, f"'{self.name}' {message}", (self.name,), tuple(float(p) for p in at))  # type: ignore[arg-type]


def findings_of(lesion: Lesion) -> tuple[Finding, ...]:
    """Return all that was found about a hot region."""
    checks = (_low_threshold, _leak, _edge, _tiny, _cut, _no_local_background)
    return tuple(finding for check in checks if (finding := check(lesion)) is not None)


def _low_threshold(lesion: Lesion) -> Finding | None:
    spot, threshold = lesion.spot, lesion.threshold
    if threshold is None:
        return None
    if threshold <= spot.background:
        text = (
            f"ends at {threshold:.4g}, under its background of {spot.background:.4g} (contrast "
            f"{spot.maximum / spot.background:.2g}:1): choose a method that looks at background."
        )
        return lesion.finding("threshold under background", Severity.ERROR, text)
    if threshold < spot.background + _LEAST_DEVIATIONS * spot.scatter:
        scatter = f"{spot.background:.4g} +- {spot.scatter:.2g}"
        text = f"ends at {threshold:.4g}, within the scatter of its background, {scatter}: check its outline."
        return lesion.finding("threshold near background", Severity.WARNING, text)
    share = (threshold - spot.background) / (spot.maximum - spot.background)
    if share < _HALO_SHARE:
        text = (
            f"ends at {share:.0%} of its contrast to background, blurred spheres end at 38% or above: it takes in "
            "the halo, and is too large. Choose a method that looks at background."
        )
        return lesion.finding("threshold in the halo", Severity.WARNING, text)
    return None


def _leak(lesion: Lesion) -> Finding | None:
    share = np.count_nonzero(lesion.mask) / np.count_nonzero(lesion.spot.emission.allowed)
    if share <= _LEAK_SHARE:
        return None
    return lesion.finding(
        "leak", Severity.WARNING, f"takes {share:.0%} of the region searched: raise the threshold, or check the region."
    )


def _edge(lesion: Lesion) -> Finding | None:
    share = edge_share(lesion.mask, lesion.spot.emission.allowed)
    if share <= _EDGE_SHARE:
        return None
    text = f"ends over {share:.0%} of its surface at the edge of the region searched or of the image: look beyond it."
    return lesion.finding("touches the edge", Severity.WARNING, text)


def edge_share(mask: np.ndarray, allowed: np.ndarray) -> float:
    """Return the share of a mask's outer voxel sides beyond which nothing was searched, or the image ends."""
    inside, searched = np.pad(mask, 1), np.pad(allowed, 1)
    sides = edge = 0
    for axis in range(3):
        for step in (-1, 1):
            surface = inside & ~np.roll(inside, step, axis)
            sides += int(np.count_nonzero(surface))
            edge += int(np.count_nonzero(surface & ~np.roll(searched, step, axis)))
    return edge / sides


def _tiny(lesion: Lesion) -> Finding | None:
    emission = lesion.spot.emission
    volume_mm3 = np.count_nonzero(lesion.mask) * emission.grid.voxel_ml * 1000.0
    diameter_mm = (6.0 * volume_mm3 / np.pi) ** (1.0 / 3.0)
    if diameter_mm >= _TINY_WIDTHS * emission.resolution_mm:
        return None
    text = (
        f"is as large as a sphere of {diameter_mm:.0f} mm, the image resolves {emission.resolution_mm:g} mm: its "
        "volume may be wrong by half or more. Take it from CT or MR."
    )
    return lesion.finding("small against resolution", Severity.WARNING, text)


def _cut(lesion: Lesion) -> Finding | None:
    if not lesion.was_cut:
        return None
    text = "runs into something hotter and was cut at the valley between them: check the border."
    return lesion.finding("hotter neighbour", Severity.WARNING, text)


def _no_local_background(lesion: Lesion) -> Finding | None:
    if lesion.spot.is_local:
        return None
    text = "has too little around it to measure its background; that of the whole region was taken."
    return lesion.finding("no local background", Severity.NOTICE, text)
