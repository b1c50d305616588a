"""Where a registration starts: placements by frame, geometry and body, and the best of them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from radioembolization.images.grid import Grid
from radioembolization.images.registration_samples import Samples
from radioembolization.images.transform import AffineTransform

#: Shifts along and across the body that are tried from each placement [mm].
_ALONG_MM = (-150.0, -100.0, -70.0, -45.0, -20.0, 20.0, 45.0, 70.0, 100.0, 150.0)
_ACROSS_MM = (-25.0, 25.0)
_TURNS_DEGREES = (-12.0, 12.0)
#: Steps of the improvement by coordinates: halved so often, from these.
_STEP_MM, _STEP_DEGREES, _HALVINGS = 16.0, 8.0, 2
_APART_MM = 15.0


def starts(samples: Samples, count: int) -> list[AffineTransform]:
    """Return the most promising placements of the moving image, the best first, by mutual information.

    Tried are the frame of reference as it is, centres of the grids, centres of the foregrounds, and shifts and
    small turns from these.

    Returns
    -------
    list of AffineTransform
        At most ``count``; empty if no placement brings the images together.
    """
    placed = list(_placements(samples))
    ranked = _ranked(samples, [*placed, *_shifted(placed)])
    best = [improved(samples, transform) for transform in _apart(ranked, samples, count)]
    return [transform for _, transform in _ranked(samples, best)]


def starts_around(samples: Samples, start: AffineTransform) -> list[AffineTransform]:
    """Return a given start, improved by small steps; empty if it does not bring the images together."""
    return [improved(samples, start)] if samples.score(start) > 0.0 else []


def improved(samples: Samples, transform: AffineTransform) -> AffineTransform:
    """Return a transform after the best of small shifts and turns, step by step smaller."""
    score = samples.score(transform)
    first = (turned(transform, samples, axis, degrees) for axis in range(3) for degrees in _TURNS_DEGREES)
    score, transform = _better(samples, score, transform, first)
    for halving in range(_HALVINGS):
        mm, degrees = _STEP_MM / 2**halving, _STEP_DEGREES / 2**halving
        for axis in range(3):
            shifts = [shifted(transform, sign * mm * np.eye(3)[axis]) for sign in (-1.0, 1.0)]
            turns = [turned(transform, samples, axis, sign * degrees) for sign in (-1.0, 1.0)]
            score, transform = _better(samples, score, transform, [*shifts, *turns])
    return transform


def shifted(transform: AffineTransform, shift_lps_mm: np.ndarray) -> AffineTransform:
    """Return a transform followed by a shift (3,) [mm]."""
    matrix = np.eye(4)
    matrix[:3, 3] = shift_lps_mm
    return AffineTransform(matrix).after(transform)


def turned(transform: AffineTransform, samples: Samples, axis: int, degrees: float) -> AffineTransform:
    """Return a transform followed by a turn about an LPS axis through the moved foreground's centre."""
    centre = transform.points(samples.foreground_moving.mean(axis=0))
    return turn_about(centre, axis, degrees).after(transform)


def turn_about(centre_lps_mm: np.ndarray, axis: int, degrees: float) -> AffineTransform:
    """Return the turn about an LPS axis (0, 1, 2) through a position (3,) [mm]."""
    a, b = (axis + 1) % 3, (axis + 2) % 3
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    matrix = np.eye(4)
    matrix[[a, b, a, b], [a, b, b, a]] = cos, cos, -sin, sin
    matrix[:3, 3] = centre_lps_mm - matrix[:3, :3] @ centre_lps_mm
    return AffineTransform(matrix)


def _placements(samples: Samples) -> Iterable[AffineTransform]:
    identity = AffineTransform.identity()
    yield identity
    for fixed, moving in (
        (_middle(samples.fixed.grid), _middle(samples.moving.grid)),
        (samples.fixed.centre_lps_mm, samples.moving.centre_lps_mm),
        (_middle(samples.fixed.grid), samples.moving.centre_lps_mm),
        (samples.fixed.centre_lps_mm, _middle(samples.moving.grid)),
    ):
        yield shifted(identity, fixed - moving)


def _middle(grid: Grid) -> np.ndarray:
    return grid.to_lps((np.array(grid.shape) - 1) / 2.0)


def _shifted(placed: Iterable[AffineTransform]) -> Iterable[AffineTransform]:
    x, y, z = np.eye(3)
    for transform in placed:
        yield from (shifted(transform, mm * z) for mm in _ALONG_MM)
        yield from (shifted(transform, mm * axis) for axis in (x, y) for mm in _ACROSS_MM)


def _ranked(samples: Samples, transforms: Iterable[AffineTransform]) -> list[tuple[float, AffineTransform]]:
    scored = [(samples.score(transform), transform) for transform in transforms]
    return sorted((pair for pair in scored if pair[0] > 0.0), key=lambda pair: -pair[0])


def _better(
    samples: Samples, score: float, transform: AffineTransform, others: Iterable[AffineTransform]
) -> tuple[float, AffineTransform]:
    """Return the best of a transform and others, with its score."""
    for other in others:
        if (value := samples.score(other)) > score:
            score, transform = value, other
    return score, transform


def _apart(ranked: Iterable[tuple[float, AffineTransform]], samples: Samples, count: int) -> list[AffineTransform]:
    """Return the best transforms that place the moving image differently."""
    chosen: list[AffineTransform] = []
    for _, transform in ranked:
        centre = transform.points(samples.foreground_moving.mean(axis=0))
        places = [other.points(samples.foreground_moving.mean(axis=0)) for other in chosen]
        if all(np.linalg.norm(centre - place) > _APART_MM for place in places):
            chosen.append(transform)
        if len(chosen) == count:
            break
    return chosen
