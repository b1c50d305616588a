"""How the energy of electrons runs out along a ray: a point kernel as a sum of exponentials."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from radioembolization.physics.nuclide import Nuclide
from radioembolization.physics.photon_tail import ELECTRON_REACH_G_CM2, PhotonTail
from radioembolization.physics.point_kernel import PointKernel

#: Exponentials in the sum; eight leave 0.1 % (90Y) to 0.5 % of the energy at a wrong depth.
_TERMS = 8
#: Decay constants tried [cm2/g].
_TRIED = np.arange(0.5, 12.01, 0.25)
#: Depths at which the fit is made: inside the electrons' reach, and beyond, where nothing is left.
_INSIDE, _OUTSIDE = 800, 400


@dataclass(frozen=True, eq=False)
class RayKernel:
    """Energy of a point source that is left beyond a mass depth, apart from the tail of photons.

    ``left(t) = sum_j weights_j exp(-j decay t)``, one at the source.

    Parameters
    ----------
    share : float
        Share of the emitted energy that is carried along rays.
    decay_per_g_cm2 : float
        [cm2/g], for mass depth in water.
    weights : ndarray (terms,)
        Add up to one; of both signs, because electrons lose energy at first slowly and then end.
    error : float
        Largest error of ``left``.
    """

    share: float
    decay_per_g_cm2: float
    weights: np.ndarray
    error: float

    def left(self, depth_g_cm2: np.ndarray) -> np.ndarray:
        """Return the energy left, as a share of ``share``, beyond mass depths in water [g/cm2]."""
        return np.asarray(_powers(self.decay_per_g_cm2, np.asarray(depth_g_cm2)) @ self.weights)


@lru_cache(maxsize=16)
def ray_kernel(nuclide: Nuclide) -> RayKernel:
    """Return the ray kernel of a nuclide, fitted to its point kernel in water minus the smooth tail."""
    point = PointKernel.water(nuclide)
    tail = PhotonTail.of(point, 10.0, 10.0 * ELECTRON_REACH_G_CM2)
    depth = np.linspace(0.0, ELECTRON_REACH_G_CM2, _INSIDE + 1)
    absorbed = np.array([point.fraction_within(t) for t in depth]) - _tail_within(tail, depth)
    left = np.concatenate((1.0 - absorbed / absorbed[-1], np.zeros(_OUTSIDE)))
    beyond = np.linspace(ELECTRON_REACH_G_CM2, 3.0 * ELECTRON_REACH_G_CM2, _OUTSIDE + 1)[1:]
    fits = [_fit(decay, np.concatenate((depth, beyond)), left) for decay in _TRIED]
    decay, weights, error = min(fits, key=lambda fit: fit[2])
    return RayKernel(float(absorbed[-1]), decay, weights, error)


def _fit(decay: float, depth: np.ndarray, left: np.ndarray) -> tuple[float, np.ndarray, float]:
    """Return decay constant, least-squares weights that add up to one, and the largest error."""
    powers = _powers(decay, depth)
    free = powers[:, 1:] - powers[:, :1]
    others = np.linalg.lstsq(free, left - powers[:, 0], rcond=1e-10)[0]
    weights = np.concatenate(([1.0 - others.sum()], others))
    return float(decay), weights, float(np.abs(powers @ weights - left).max())


def _powers(decay: float, depth: np.ndarray) -> np.ndarray:
    return np.exp(-decay * depth[..., None] * np.arange(1, _TERMS + 1))


def _tail_within(tail: PhotonTail, depth_g_cm2: np.ndarray) -> np.ndarray:
    """Return the energy share of the tail within mass depths of water, by the midpoint rule."""
    radius = depth_g_cm2 * 10.0
    middle = (radius[1:] + radius[:-1]) / 2.0
    return np.concatenate(([0.0], np.cumsum(4.0 * np.pi * middle**2 * np.diff(radius) * tail.share_per_mm3(middle))))
