"""Rigid and affine registration of two images of a patient."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from radioembolization.errors import NoOverlap, RegistrationFailed, RegistrationUncertain
from radioembolization.images.registration_images import Level, PreparedImage, prepared
from radioembolization.images.registration_judgement import check_plausible, doubts
from radioembolization.images.registration_quality import (
    RegistrationQuality,
    inverse_consistency_mm,
    rotation_degrees,
    scales,
)
from radioembolization.images.registration_samples import Samples
from radioembolization.images.registration_search import search
from radioembolization.images.registration_start import shifted, starts, starts_around
from radioembolization.images.transform import AffineTransform
from radioembolization.images.volume import Volume

#: Called with what is done, the step and the number of steps.
Progress = Callable[[str, int, int], None]

_STARTS = 2
_COARSE_STEP_MM, _FINE_STEP_MM = 4.0, 1.0
_DISTINCT_MM = 20.0
#: The finer result is kept unless a coarser one ranks so much higher.
_CLEARLY = 1.02
_SILENT: Progress = lambda what, step, steps: None  # noqa: E731


class Kind(StrEnum):
    """What a registration may do to the moving image."""

    RIGID = "rigid"
    AFFINE = "affine"


@dataclass(frozen=True, eq=False)
class Registration:
    """A transform between two images, with what speaks for and against it.

    Parameters
    ----------
    transform : AffineTransform
        From the moving to the fixed image.
    kind : Kind
    quality : RegistrationQuality
    doubts : tuple of str
        Why it may be wrong; each also a warning ``RegistrationUncertain``.
    """

    transform: AffineTransform
    kind: Kind
    quality: RegistrationQuality
    doubts: tuple[str, ...] = ()

    @property
    def is_uncertain(self) -> bool:
        """Whether anything speaks against it."""
        return bool(self.doubts)


def register(
    fixed: Volume,
    moving: Volume,
    kind: Kind = Kind.RIGID,
    *,
    fixed_mask: np.ndarray | None = None,
    moving_mask: np.ndarray | None = None,
    start: AffineTransform | None = None,
    seed: int = 1,
    check_inverse: bool = True,
    progress: Progress = _SILENT,
) -> Registration:
    """Find where a moving image lies in the space of a fixed one.

    Both images are averaged to 8 and 4 mm.  Placements by the frame of reference, the centres of the grids and of
    the bodies, with shifts and turns, are ranked by normalized mutual information and overlap; from the best, Mattes
    mutual information (IEEE Trans Med Imaging 22:120, 2003, doi:10.1109/TMI.2003.809072) is climbed at both levels.

    Parameters
    ----------
    fixed, moving : Volume
        CT in HU, counts, activity, or an MR image; the units need not agree.
    kind : Kind
        Affine starts from the rigid result.
    fixed_mask, moving_mask : ndarray (z, y, x) of bool, optional
        Only these voxels of either image count, such as a body without the table.
    start : AffineTransform, optional
        Search near this only.
    seed : int
        Same images and seed, same transform.
    check_inverse : bool
        Register the other way, too, from its own starts, to see failures.  Doubles the time.
    progress : callable
        Of (what, step, steps).

    Raises
    ------
    ImageError
        If an image is constant or a single slice, or a mask is empty or not on its grid.
    NoOverlap
        If the images do not meet at the start.
    RegistrationFailed
        If the search loses the images, or ends in no plausible place.

    Warns
    -----
    RegistrationUncertain
        If the result may be wrong; see ``registration_judgement``.
    """
    kind = Kind(kind)
    steps = 4 if check_inverse else 3
    progress("registration", 0, steps)
    images = prepared(fixed, fixed_mask, "fixed"), prepared(moving, moving_mask, "moving")
    samples = Samples.of(images[0].coarse, images[1].coarse, seed)
    places = starts(samples, _STARTS) if start is None else starts_around(samples, start)
    if not places:
        raise NoOverlap(_no_overlap(samples, start))
    progress("registration", 1, steps)
    coarse = _coarse(samples, places, kind, seed)
    progress("registration", 2, steps)
    first = AffineTransform.identity() if start is None else _allowed(start, kind)
    found = _preferred(samples, [_fine(images, coarse, kind, seed), coarse, first])
    progress("registration", 3, steps)
    back = _way_back(samples, found, start, kind, seed) if check_inverse else None
    quality = _quality(samples, found, first, back)
    check_plausible(found, first, quality)
    doubtful = doubts(quality, kept_start=found is first, inverse_checked=check_inverse)
    for doubt in doubtful:
        warnings.warn(doubt, RegistrationUncertain, stacklevel=2)
    progress("registration", steps, steps)
    return Registration(found, kind, quality, doubtful)


def _no_overlap(samples: Samples, start: AffineTransform | None) -> str:
    where = "however they are placed" if start is None else "at the start that was given"
    extents = [np.array(level.grid.shape) * level.grid.spacing_mm for level in (samples.fixed, samples.moving)]
    said = " and ".join(" x ".join(f"{side:.0f}" for side in extent[::-1]) + " mm" for extent in extents)
    return (
        f"The images ({said}, x y z) do not meet {where}: check that both show the same part of the patient, "
        "widen the masks, or give another start."
    )


def _coarse(samples: Samples, places: list[AffineTransform], kind: Kind, seed: int) -> AffineTransform:
    """Return the best rigid result at the coarse level, made affine if asked for."""
    fixed, moving = samples.fixed, samples.moving
    lost: RegistrationFailed | None = None
    found = []
    for place in places:
        try:
            found.append(
                search(fixed, moving, _allowed(place, Kind.RIGID), affine=False, seed=seed, step_mm=_COARSE_STEP_MM)
            )
        except RegistrationFailed as error:
            lost = error
    if not found:
        assert lost is not None  # there is at least one place
        raise lost
    best = _preferred(samples, [max(found, key=samples.score), *(_allowed(place, Kind.RIGID) for place in places)])
    if kind is Kind.AFFINE:
        best = _preferred(samples, [search(fixed, moving, best, affine=True, seed=seed), best])
    return best


def _fine(
    images: tuple[PreparedImage, PreparedImage], coarse: AffineTransform, kind: Kind, seed: int
) -> AffineTransform:
    levels: tuple[Level, Level] = images[0].fine, images[1].fine
    return search(*levels, coarse, affine=kind is Kind.AFFINE, seed=seed, step_mm=_FINE_STEP_MM)


def _way_back(
    samples: Samples, found: AffineTransform, start: AffineTransform | None, kind: Kind, seed: int
) -> AffineTransform | None:
    """Return the transform of the fixed image into the moving one, found without the way there."""
    swapped = Samples.of(samples.moving, samples.fixed, seed + 1)
    places = starts(swapped, _STARTS) if start is None else starts_around(swapped, start.inverse)
    if not places:
        return None
    try:
        return _coarse(swapped, places, kind, seed + 1)
    except RegistrationFailed:
        return None


def _quality(
    samples: Samples, found: AffineTransform, first: AffineTransform, back: AffineTransform | None
) -> RegistrationQuality:
    after = samples.score(found)
    shifts = [sign * _DISTINCT_MM * axis for axis in np.eye(3) for sign in (-1.0, 1.0)]
    beside = max(samples.score(shifted(found, shift)) for shift in shifts)
    centre = samples.foreground_moving.mean(axis=0)
    return RegistrationQuality(
        mutual_information_before=samples.information(first),
        mutual_information_after=samples.information(found),
        correlation_before=samples.correlation(first),
        correlation_after=samples.correlation(found),
        overlap_share=samples.overlap_share(found),
        distinctness=after / max(beside, 1e-3),
        inverse_consistency_mm=None if back is None else inverse_consistency_mm(found, back, samples.foreground_moving),
        rotation_degrees=rotation_degrees(found),
        shift_mm=float(np.linalg.norm(found.points(centre) - centre)),
        scales=scales(found),
    )


def _preferred(samples: Samples, transforms: list[AffineTransform]) -> AffineTransform:
    """Return the first transform, unless a later one ranks clearly higher."""
    best = transforms[0]
    for other in transforms[1:]:
        if samples.score(other) > samples.score(best) * _CLEARLY:
            best = other
    return best


def _allowed(transform: AffineTransform, kind: Kind) -> AffineTransform:
    """Return a transform, or the rigid one nearest to it where only those are allowed."""
    if kind is Kind.AFFINE or transform.is_rigid:
        return transform
    u, _, v = np.linalg.svd(transform.matrix[:3, :3])
    matrix = np.array(transform.matrix)
    matrix[:3, :3] = u @ v
    return AffineTransform(matrix)
