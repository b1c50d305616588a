"""The smooth part of a dose point kernel: what photons carry away, continued inwards without a peak."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from radioembolization.errors import InputError
from radioembolization.physics.point_kernel import PointKernel

#: No electron of the nuclides goes further [g/cm2] (90Y, the longest: 1.11 g/cm2).
ELECTRON_REACH_G_CM2 = 1.2
#: Degree in ln t of the polynomial for ln(dE/dt); chi2 per degree of freedom is 0.8 to 1.3 for all nuclides.
_DEGREE = 5
#: The tail fades out from this share of its end on.
_FADING_FROM = 0.75
#: Nodes of a three-point rule for the triangle of base 2 (autocorrelation of a unit voxel): exact to degree 5.
_NODES = np.array([-math.sqrt(0.4), 0.0, math.sqrt(0.4)])
_WEIGHTS = np.array([5.0, 14.0, 5.0]) / 24.0


@dataclass(frozen=True, eq=False)
class PhotonTail:
    """Energy density around a point source, by photons beyond a joint and smooth inside it.

    Beyond the joint it is the point kernel itself: a polynomial in ln t fitted to ln(dE/dt) of the
    Monte Carlo shells, scaled to hold exactly their energy.  Inside, where electrons deposit too, it is
    the quadratic in r^2 with the same value, slope and curvature at the joint, so it varies over no
    shorter length than the joint's radius and can be sampled coarsely.  Kernel minus tail is what is
    left for the fine grid, and ends at the joint.

    Parameters
    ----------
    joint_mm : float
        Radius of the joint in the medium [mm].
    end_mm : float
        Outermost radius [mm]; zero beyond.  Over its last quarter the tail fades out, because a coarse grid
        cannot follow a step.
    log_density : Polynomial
        ln of energy share per mm, as a function of ln r [r in mm].
    inner : tuple of 3 floats
        Coefficients of the inner quadratic in (r^2 - joint^2) [share/mm3].
    share : float
        Energy share in the whole tail.
    faded_share : float
        Energy share that fading out leaves to what is absorbed beyond the tail.
    """

    joint_mm: float
    end_mm: float
    log_density: np.polynomial.Polynomial
    inner: tuple[float, float, float]
    share: float
    faded_share: float

    @staticmethod
    def of(kernel: PointKernel, mm_per_g_cm2: float, joint_mm: float) -> PhotonTail:
        """Fit the tail of a point kernel.

        Parameters
        ----------
        kernel : PointKernel
        mm_per_g_cm2 : float
            Length in the medium of one unit of the kernel's mass depth.
        joint_mm : float
            At least the reach of the electrons.

        Raises
        ------
        InputError
            If electrons reach beyond the joint, or the joint lies at the end of the kernel.
        """
        edges = np.concatenate(([0.0], kernel.outer_radius_g_cm2)) * mm_per_g_cm2
        low, high = ELECTRON_REACH_G_CM2 * mm_per_g_cm2, edges[-1]
        if not low * (1 - 1e-9) <= joint_mm <= 0.5 * high:
            raise InputError(
                f"The joint of two kernel scales at {joint_mm:g} mm is outside {low:g} to {0.5 * high:g} mm, the "
                "range between the reach of electrons and half that of the kernel: use smaller voxels or lower density."
            )
        middle, width = (edges[1:] + edges[:-1]) / 2.0, np.diff(edges)
        used = middle > low
        depth, energy, sigma = middle[used], kernel.energy_fraction[used], kernel.sigma_fraction[used]
        fit = np.polynomial.Polynomial.fit(
            np.log(depth), np.log(energy / width[used]), _DEGREE, w=energy / np.maximum(sigma, 1e-12)
        )
        beyond = float(kernel.energy_fraction.sum()) - kernel.fraction_within(joint_mm / mm_per_g_cm2)
        fit = fit + math.log(beyond / _integral(lambda r: np.exp(fit(np.log(r))), joint_mm, high))
        inner = _inner_quadratic(fit, joint_mm)
        tail = PhotonTail(joint_mm, high, fit, inner, 0.0, 0.0)

        def between(first: float, last: float) -> float:
            return _integral(lambda r: 4.0 * np.pi * r**2 * tail.share_per_mm3(r), first, last)

        start = _FADING_FROM * high
        outside = between(joint_mm, start) + between(start, high)
        return PhotonTail(joint_mm, high, fit, inner, between(0.0, joint_mm) + outside, beyond - outside)

    def share_per_mm3(self, radius_mm: np.ndarray) -> np.ndarray:
        """Return the energy share per mm3 at distances from a point source [mm]."""
        radius = np.asarray(radius_mm, dtype=float)
        outer = np.maximum(radius, self.joint_mm)
        density = np.exp(self.log_density(np.log(outer))) / (4.0 * np.pi * outer**2)
        offset = radius**2 - self.joint_mm**2
        quadratic = self.inner[0] + offset * (self.inner[1] + offset * self.inner[2])
        start = _FADING_FROM * self.end_mm
        faded = np.clip((radius - start) / (self.end_mm - start), 0.0, 1.0)
        density = density * (1.0 - faded**3 * (10.0 - 15.0 * faded + 6.0 * faded**2))
        return np.where(radius < self.joint_mm, quadratic, density)

    def between_voxels(
        self, offsets_mm: tuple[np.ndarray, np.ndarray, np.ndarray], spacing_mm: tuple[float, float, float]
    ) -> np.ndarray:
        """Return the energy share from a uniform source voxel to voxels at offsets.

        Parameters
        ----------
        offsets_mm : three ndarrays
            Offsets of the voxel centres along each axis (z, y, x) [mm].
        spacing_mm : tuple of float
            Sides (z, y, x) of source and target voxel [mm].

        Returns
        -------
        ndarray (len(offsets_mm[0]), len(offsets_mm[1]), len(offsets_mm[2]))
        """
        shares = np.zeros(tuple(len(offset) for offset in offsets_mm))
        for index in np.ndindex(3, 3, 3):
            weight = np.prod(_WEIGHTS[list(index)])
            z, y, x = (o + _NODES[i] * s for o, i, s in zip(offsets_mm, index, spacing_mm, strict=True))
            radius = np.sqrt(z[:, None, None] ** 2 + y[None, :, None] ** 2 + x[None, None, :] ** 2)
            shares += weight * self.share_per_mm3(radius)
        return shares * math.prod(spacing_mm)


def _inner_quadratic(fit: np.polynomial.Polynomial, joint_mm: float) -> tuple[float, float, float]:
    """Return value and derivatives by u = r^2 (Taylor) of exp(fit(ln r)) / (4 pi r^2) at the joint."""
    u = joint_mm**2
    half = 0.5 * math.log(u)
    value = math.exp(fit(half)) / (4.0 * math.pi * u)
    first = 0.5 * fit.deriv(1)(half) - 1.0
    second = 0.25 * fit.deriv(2)(half)
    return value, value * first / u, value * (first**2 + second - first) / (2.0 * u**2)


def _integral(function: Callable[[np.ndarray], np.ndarray], low: float, high: float) -> float:
    nodes, weights = np.polynomial.legendre.leggauss(200)
    half = (high - low) / 2.0
    return float(half * np.sum(weights * function(low + half * (nodes + 1.0))))
