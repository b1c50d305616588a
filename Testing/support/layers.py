"""The exact dose of a half-space of activity in plane layers, from the point kernel."""

import numpy as np

from radioembolization.physics import Nuclide, PointKernel


def dose_across_interface(nuclide: Nuclide, depth_g_cm2: np.ndarray) -> np.ndarray:
    """Return dose over equilibrium dose at mass depths from the surface of a half-space of activity.

    Positive outside.  Energy crosses a plane at mass depth t in direction cosine mu with what is left after
    t / mu; averaged over directions, ``H(t) = 1/2 int_0^1 F(t / mu) dmu``, F the share of energy not absorbed
    within a mass depth.  Inside it is ``1 - H``.  Layers only matter by their mass depth.
    """
    point = PointKernel.water(nuclide)
    radii = np.concatenate(([0.0], point.outer_radius_g_cm2))
    absorbed = np.concatenate(([0.0], np.cumsum(point.energy_fraction)))
    nodes, weights = np.polynomial.legendre.leggauss(400)
    cosines, weights = (nodes + 1.0) / 2.0, weights / 2.0
    depth = np.abs(np.asarray(depth_g_cm2, dtype=float))[..., None]
    left = 1.0 - np.interp(depth / cosines, radii, absorbed / absorbed[-1])
    outside = 0.5 * (left * weights).sum(axis=-1)
    return np.where(np.asarray(depth_g_cm2) > 0, outside, 1.0 - outside)


def averaged_over_voxels(nuclide: Nuclide, edges_cm: np.ndarray, density: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return that dose averaged over voxels between edges along the normal.

    Parameters
    ----------
    edges_cm : ndarray (voxels + 1,)
        The surface of the activity is at 0, on an edge.
    density : ndarray (voxels,)
        [g/cm3].
    inside : ndarray (voxels,) of bool
        Voxels of the half-space of activity.
    """
    depth = np.concatenate(([0.0], np.cumsum(np.diff(edges_cm) * density)))
    depth -= depth[np.abs(edges_cm).argmin()]
    fractions = (np.arange(20) + 0.5) / 20
    points = depth[:-1, None] + fractions * np.diff(depth)[:, None]
    assert np.all(points[inside] < 0) and np.all(points[~inside] > 0)
    return dose_across_interface(nuclide, points).mean(axis=1)
