"""Density: dose of 90Y and 166Ho where liver meets lung, against the exact answer and against Monte Carlo."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from itertools import pairwise, product
from pathlib import Path

import density_figure
import numpy as np
from page import figure, percent, table

from radioembolization.dose import convolve
from radioembolization.dose.medium import Medium
from radioembolization.physics import HO166, Y90, Nuclide, two_scale_kernel

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import dome_monte_carlo

import dome
from layers import averaged_over_voxels, dose_across_interface

Spacing = tuple[float, float, float]
METHODS = ("convolution", "convolution / density", "program")
#: Allowed deviation, as a share of the equilibrium dose: plane layers, and the phantom beyond two sigma of noise.
LAYER_GOAL, DOME_GOAL = 0.02, 0.03
#: Voxel centres this close to the surface are looked at [cm]; further away the ends of the box are felt.
_LOOKED_AT_CM = 2.4
SPACINGS: tuple[Spacing, ...] = ((2.0, 2.0, 2.0), (3.0, 4.0, 4.0), (0.5, 2.0, 2.0))
LUNGS_G_CM3 = (0.2, 0.3, 0.5)
#: Half thickness and half width of the box [mm]; photons of 166Ho need more of it.
BOX_MM = {Y90.name: (48.0, 52.0), HO166.name: (80.0, 120.0)}
OBLIQUE_NORMAL = (1.0, 0.6, 0.3)
#: Voxel side, half width of the box [mm], and parts in which a voxel is cut along each axis for its exact dose.
OBLIQUE_BOXES = ((2.0, 52.0, 8), (1.0, 40.0, 6))
#: Histories of the run with every ``make validation``.
HISTORIES = 3_000_000
TITLE = "Density: liver beside lung"
INTRO = f"""
Lung beside the liver absorbs a third of what liver would per volume, so electrons run three times as far. Three
methods: *convolution*, homogeneous, energy over the mass of a voxel of the reference density; *convolution / density*,
the same energy over the mass that the voxel has (local density correction); *program*, `Medium.corrected`, the density
method of the planner.

### Plane layers against the exact answer

A half-space of water with uniform activity beside lung without, both of water composition. In layers dose depends on
mass depth alone, so the point kernel gives it exactly (averaged over each voxel). Largest deviation within
{10 * _LOOKED_AT_CM:g} mm of the surface, in per cent of the equilibrium dose; where several normals are named, the
worst. `water alone`: largest deviation of the convolution where the lung is replaced by water, which is what the ends
of the finite box cost: 166Ho misses photons from outside. Goal: {100 * LAYER_GOAL:g} %.

"""
OBLIQUE = """
An oblique plane, normal {normal} (z, y, x), lung 0.3 g/cm3: the surface crosses voxels, which take the
mean density and activity of what is in them. The exact dose of such a voxel is its energy over its mass.

"""
OBLIQUE_FOOT = """
More than with layers along voxel faces, and above their goal: a mixed voxel is taken as one density with its activity
evenly spread, and a ray is as wide as a voxel, so the surface is known to a fraction of a voxel only. In smaller voxels
the deviation is smaller.
"""
DOME = """
### A dome of liver in lung against Monte Carlo

A phantom of {shape} voxels of 3 mm: liver (1.06 g/cm3) with a spherical top of {radius:g} mm radius bulging into lung
(0.3 g/cm3), each with its composition; uniform 90Y in the liver to {depth:g} mm below the surface and {across:g} mm
from the axis ({active} voxels). PENELOPE 2018 transports the electrons in the *same voxels* and tallies the dose in
them, so the steps of the surface are the same for both. Images around the axis of the dome are averaged. {histories}
histories; one sigma is {noise:.1f} % of the equilibrium dose at most, {typical:.1f} % on average where dose is above
half of it. Deviations from Monte Carlo in per cent of the equilibrium dose, over voxels with 1 % of it or more; `rms`
is without noise (variances subtracted), `95 %` and `largest` include it; `beyond` counts voxels that deviate by more
than {goal:g} % (the goal) plus two sigma.

"""
DIRECTION = f"""
What is left of the program's deviation comes mainly from its voxels: a ray carries energy in beams as wide as a voxel,
which blurs the corners of the steps. In voxels of half the side (same phantom) half of it goes in the lung; four times
as many directions change nothing.

Mean over all voxels at a distance from the sphere, up to {dome.ACTIVE_RADIUS_MM:g} mm from the axis, where noise is
small; in brackets the deviation in per cent of the equilibrium dose:

"""
BIAS = """
### Bias of the dose to the lung

Mean dose of all lung of the phantom from activity in the liver (the *spill*) against Monte Carlo, beside what d'Andrea
et al. 2024 (10.3390/app14177684) publish for the lungs of patients, where activity is in the lung too. For
orientation only: the phantom has no shunt, so methods without transport give its lung nothing.

"""
FOOT = """
Energy over local mass gets the mean of a lung nearly right, because in layers the energy that leaves the liver does not
depend on what is beyond; but it puts it into the first millimetres instead of three times as deep, so that dose beside
the liver is far too high and further away missing. Energy over reference mass misses the ratio of the densities.
"""


def write(histories: float = 1.0) -> str:
    """Compute plane layers, and simulate the dome with a factor on its histories."""
    against_monte_carlo = _dome_text(max(10_000, int(HISTORIES * histories)))  # first: it may be missing
    columns = ("nuclide", "voxel mm (z, y, x)", "lung g/cm3", "normal", *METHODS, "water alone", "met")
    text = INTRO + table(columns, _rows())
    text += OBLIQUE.format(normal=OBLIQUE_NORMAL) + table(
        ("voxel mm", "voxels", *METHODS), [row for case in OBLIQUE_BOXES for row in _oblique_rows(*case)]
    )
    return text + OBLIQUE_FOOT + against_monte_carlo


@dataclass(frozen=True)
class Layers:
    """A half-space of activity in water, and layers of lung and water beyond.

    Parameters
    ----------
    nuclide : Nuclide
    spacing_mm : tuple of float
        (z, y, x).
    axis : int
        Of the normal.
    lung_g_cm3 : float
    further_mm : tuple of float
        Thicknesses of lung and of further layers, alternately; the last goes on to the end.
    """

    nuclide: Nuclide
    spacing_mm: Spacing
    axis: int
    lung_g_cm3: float
    further_mm: tuple[float, ...] = ()

    def deviations(self) -> list[float]:
        """Return the largest deviation by method, and that of the convolution in water alone."""
        half, lateral = BOX_MM[self.nuclide.name]
        sides = [2 * (half if axis == self.axis else lateral) for axis in range(3)]
        shape = [2 * round(side / spacing / 2) for side, spacing in zip(sides, self.spacing_mm, strict=True)]
        count = shape[self.axis]
        edges = (np.arange(count + 1) - count // 2) * self.spacing_mm[self.axis] / 10.0
        middle = (edges[1:] + edges[:-1]) / 2.0
        profile = np.where(middle < 0, 1.0, self.lung_g_cm3)
        for number, end in enumerate(np.cumsum(self.further_mm) / 10.0):
            profile[middle > end] = self.lung_g_cm3 if number % 2 else 1.0
        along = tuple(slice(None) if axis == self.axis else None for axis in range(3))
        activity = np.broadcast_to((middle < 0)[along], shape).astype(np.float32)
        density = np.broadcast_to(profile[along], shape).astype(np.float32)
        line = tuple(slice(None) if axis == self.axis else n // 2 for axis, n in enumerate(shape))
        near = np.abs(middle) < _LOOKED_AT_CM
        exact, alone = (averaged_over_voxels(self.nuclide, edges, p, middle < 0) for p in (profile, np.ones(count)))
        found = _methods(self.nuclide, activity, density, self.spacing_mm)
        errors = [np.abs(found[method][line] - exact)[near].max() for method in METHODS]
        return [float(e) for e in (*errors, np.abs(found["convolution"][line] - alone)[near].max())]


def _methods(nuclide: Nuclide, activity: np.ndarray, density: np.ndarray, spacing_mm: Spacing) -> dict[str, np.ndarray]:
    """Return dose over equilibrium dose in water by method."""
    plain = convolve(activity, two_scale_kernel(nuclide, spacing_mm, 1.0))
    medium = Medium(density, 1.0, spacing_mm, water=True)
    return dict(zip(METHODS, (plain, plain / medium.relative, medium.corrected(plain, activity, nuclide)), strict=True))


def _rows() -> list[list[str]]:
    cases: list[tuple[str, list[Layers]]] = [
        ("z, y, x", [Layers(Y90, spacing, axis, lung) for axis in range(3)])
        for spacing, lung in product(SPACINGS, LUNGS_G_CM3)
    ]
    cases.append(("z", [Layers(Y90, SPACINGS[0], 0, 0.3, (8.0,))]))
    cases.append(("z", [Layers(Y90, SPACINGS[0], 0, 0.3, (8.0, 4.0))]))
    cases += [("z", [Layers(HO166, SPACINGS[0], 0, lung)]) for lung in LUNGS_G_CM3]
    return [_row(normal, layers) for normal, layers in cases]


def _row(normal: str, layers: list[Layers]) -> list[str]:
    worst = np.max([case.deviations() for case in layers], axis=0)
    first = layers[0]
    lung = f"{first.lung_g_cm3:g}"
    if first.further_mm:
        lung += f", {first.further_mm[0]:g} mm, then water" + (
            f" {first.further_mm[1]:g} mm, then lung" if len(first.further_mm) > 1 else ""
        )
    met = "yes" if worst[METHODS.index("program")] <= LAYER_GOAL else "no"
    sides = " x ".join(f"{side:g}" for side in first.spacing_mm)
    return [first.nuclide.name, sides, lung, normal, *(f"{100 * value:.1f}" for value in worst), met]


def _oblique_rows(side: float, half: float, cuts: int) -> list[list[str]]:
    """Return rows for voxels of one side in a box of one half width [mm], each cut for its exact dose."""
    count, lung = round(2 * half / side), 0.3
    normal = np.array(OBLIQUE_NORMAL) / np.linalg.norm(OBLIQUE_NORMAL)
    fine = (np.arange(count * cuts) + 0.5) * side / cuts - half
    steps = np.linspace(-20.0, 20.0, 8001)  # water depth [g/cm2] of the table of the exact dose
    known = dose_across_interface(Y90, steps)
    density, activity, energy = (np.zeros((count,) * 3) for _ in range(3))
    for plane in range(count):
        z = fine[plane * cuts : (plane + 1) * cuts]
        distance = (normal[0] * z[:, None, None] + normal[1] * fine[:, None] + normal[2] * fine) / 10.0
        weight = np.where(distance < 0, 1.0, lung)
        dose = np.interp(distance * weight, steps, known)
        for total, values in ((density, weight), (activity, distance < 0), (energy, weight * dose)):
            total[plane] = values.reshape(cuts, count, cuts, count, cuts).mean(axis=(0, 2, 4))
    found = _methods(Y90, activity.astype(np.float32), density.astype(np.float32), (side,) * 3)
    inner = np.zeros(density.shape, dtype=bool)
    edge = count // 3
    inner[edge:-edge, edge:-edge, edge:-edge] = True
    rows = []
    mixed = (activity > 0) & (activity < 1)
    for name, where in (("pure water", activity == 1), ("mixed", mixed), ("pure lung", activity == 0)):
        at = inner & where
        deviations = [np.abs(found[method] - energy / density)[at].max() for method in METHODS]
        rows.append([f"{side:g}", name, *(f"{100 * value:.1f}" for value in deviations)])
    return rows


def _dome_text(histories: int) -> str:
    phantom = dome.dome()
    dose, sigma = dome_monte_carlo.simulate(phantom, histories)
    found = {method: dome.fold(values) for method, values in dome.doses(phantom).items()}
    density_figure.dome_profile(found, dose, sigma)
    halved = dome.fold(dome.dose_of_halved_voxels(phantom))
    received, lung = dose >= 0.01, dome.fold(phantom.lung.astype(float)) > 0.5
    text = DOME.format(
        shape=" x ".join(str(n) for n in dome.SHAPE),
        radius=dome.RADIUS_MM,
        depth=dome.ACTIVE_DEPTH_MM,
        across=dome.ACTIVE_RADIUS_MM,
        active=int(phantom.activity.sum()),
        histories=histories,
        noise=100 * sigma[received].max(),
        typical=100 * sigma[received & (dose > 0.5)].mean(),
        goal=100 * DOME_GOAL,
    )
    once = received & np.tri(dose.shape[1], dtype=bool)  # one of the two images that folding leaves
    rows = [
        _dome_row(name, method, values - dose, sigma, once & where)
        for name, where in (("liver", ~lung), ("lung", lung))
        for method, values in (found | {"program, half voxels": halved}).items()
    ]
    text += table(("tissue", "method", "voxels", "rms", "95 %", "largest", "its sigma", "beyond"), rows)
    text += DIRECTION + table(
        ("distance mm", "Monte Carlo", "sigma", *METHODS), _distance_rows(phantom, dose, sigma, found)
    )
    text += figure("density.png", "Dose through a dome of liver in lung by Monte Carlo and three methods")
    return text + BIAS + table(("method", "this phantom, spill", "published"), _bias_rows(found, dose, lung)) + FOOT


def _dome_row(name: str, method: str, difference: np.ndarray, sigma: np.ndarray, where: np.ndarray) -> list[str]:
    size, noise = np.abs(difference[where]), sigma[where]
    rms = np.sqrt(max(0.0, (size**2 - noise**2).mean()))
    beyond = np.count_nonzero(size > DOME_GOAL + 2.0 * noise)
    numbers = (rms, np.percentile(size, 95), size.max(), noise[size.argmax()])
    return [name, method, str(size.size), *(f"{100 * value:.1f}" for value in numbers), str(beyond)]


def _distance_rows(
    phantom: dome.Dome, dose: np.ndarray, sigma: np.ndarray, found: dict[str, np.ndarray]
) -> list[list[str]]:
    outside, lung = dome.fold(phantom.outside_mm), dome.fold(phantom.lung.astype(float)) > 0.5
    within = dome.fold(phantom.across_mm) < dome.ACTIVE_RADIUS_MM
    rows = []
    for low, high in pairwise((-12, -9, -6, -3, 0, 3, 6, 9, 12, 18, 24)):
        at = within & (outside >= low) & (outside < high) & (lung == (low >= 0))
        share = 1.0 / np.count_nonzero(at)
        expected, *means = ((share * values[at]).sum() for values in (dose, *(found[name] for name in METHODS)))
        twice = np.broadcast_to(2.0 - np.eye(at.shape[1]), at.shape)[at]  # off the diagonal each voxel is there twice
        noise = share * np.sqrt((twice * sigma[at] ** 2).sum())
        deviations = [f"{mean:.4f} ({100 * (mean - expected):+.2f} %)" for mean in means]
        rows.append([f"{low} to {high}", f"{expected:.4f}", f"{noise:.4f}", *deviations])
    return rows


def _bias_rows(found: dict[str, np.ndarray], dose: np.ndarray, lung: np.ndarray) -> list[list[str]]:
    expected = dose[lung].sum()
    bias = {method: percent(values[lung].sum(), expected, 1) for method, values in found.items()}
    return [
        ["partition (MIRD)", "-100 %", "-40 %"],
        ["local deposition", "-100 %", "-27 %"],
        ["convolution / density", bias["convolution / density"], "-28 %"],
        ["convolution", bias["convolution"], "-88 %"],
        ["program", bias["program"], ""],
    ]
