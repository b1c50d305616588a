"""Where a new branch joins a tree so that the volume of all vessels grows least."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_STEPS = 40


def fermat_points(corners_mm: np.ndarray, weights: np.ndarray, steps: int = _STEPS) -> np.ndarray:
    """Return the points with the least weighted sum of distances to three corners each.

    That is where the vessels to three points have the least volume, if a weight is the square of a radius.
    By Weiszfeld's fixed point from the centre of gravity, or a corner whose weight outpulls the other two.

    Parameters
    ----------
    corners_mm : ndarray (n, 3, 3)
        Three corners (x, y, z) each.
    weights : ndarray (n, 3)
        Positive.

    Returns
    -------
    ndarray (n, 3)
    """
    point = np.einsum("nc,ncx->nx", weights, corners_mm) / weights.sum(axis=1, keepdims=True)
    for _ in range(steps):
        away = np.maximum(np.linalg.norm(corners_mm - point[:, None], axis=2), 1e-9)
        pull = weights / away
        point = np.einsum("nc,ncx->nx", pull, corners_mm) / pull.sum(axis=1, keepdims=True)
    for corner in range(3):
        to_others = np.delete(corners_mm, corner, axis=1) - corners_mm[:, corner, None]
        unit = to_others / np.maximum(np.linalg.norm(to_others, axis=2, keepdims=True), 1e-9)
        pulled = np.linalg.norm(np.einsum("nc,ncx->nx", np.delete(weights, corner, axis=1), unit), axis=1)
        held = pulled <= weights[:, corner]
        point[held] = corners_mm[held, corner]
    return point


@dataclass(frozen=True, eq=False)
class Joins:
    """Ways to join one new end to existing branches, one for each branch.

    Parameters
    ----------
    points_lps_mm : ndarray (branches, 3)
        The bifurcation.
    cost : ndarray (branches,)
        Growth of the vessel volume, in units of (flow of an end)^(2 / exponent) times mm.
    """

    points_lps_mm: np.ndarray
    cost: np.ndarray


def best_joins(
    starts_mm: np.ndarray, ends_mm: np.ndarray, flow: np.ndarray, new_mm: np.ndarray, power: float, least_mm: float
) -> Joins:
    """Return the best bifurcation on every branch for a new end of flow 1.

    The cost leaves out what the branches upstream gain; ``Branches.widening`` adds it.

    Parameters
    ----------
    starts_mm, ends_mm : ndarray (branches, 3)
    flow : ndarray (branches,)
        In numbers of ends.
    new_mm : ndarray (3,)
        The new end.
    power : float
        Of flow in the cross-section, 2 / exponent.
    least_mm : float
        A bifurcation keeps this distance from all three points [mm]; branches where none does cost infinity.
    """
    corners = np.stack([starts_mm, ends_mm, np.broadcast_to(new_mm, starts_mm.shape)], axis=1)
    weights = np.stack([(flow + 1.0) ** power, flow**power, np.ones(len(flow))], axis=1)
    point = fermat_points(corners, weights)
    point = _kept_off(point, corners, least_mm)
    away = np.linalg.norm(corners - point[:, None], axis=2)
    cost = (weights * away).sum(axis=1) - weights[:, 1] * np.linalg.norm(ends_mm - starts_mm, axis=1)
    return Joins(point, np.where(away.min(axis=1) < 0.99 * least_mm, np.inf, cost))


def _kept_off(point: np.ndarray, corners: np.ndarray, least_mm: float) -> np.ndarray:
    """Move points that are too near to a corner away from it, towards the middle of the triangle."""
    away = np.linalg.norm(corners - point[:, None], axis=2)
    nearest = np.argmin(away, axis=1)
    corner = corners[np.arange(len(point)), nearest]
    inwards = corners.mean(axis=1) - corner
    inwards /= np.maximum(np.linalg.norm(inwards, axis=1, keepdims=True), 1e-9)
    return np.where(away.min(axis=1)[:, None] < least_mm, corner + least_mm * inwards, point)
