"""Figures of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from page import FIGURES

from radioembolization.physics import LIVER, Y90, PointKernel
from radioembolization.physics.nuclide import JOULE_PER_MEV

if TYPE_CHECKING:
    from penred import Tally

_COLOURS = ("#1f5a96", "#d1622b", "#3b8f5a", "#8a5aa8")


def lanconelli(deviations: Mapping[str, Mapping[tuple[int, int, int], Sequence[tuple[float, float]]]]) -> None:
    """Draw the deviation of S values from a table by voxel size, one panel for each offset."""
    offsets = list(next(iter(deviations.values())))
    picture = Figure(figsize=(9.0, 5.6), layout="constrained")
    panels = picture.subplots(2, 2, sharex=True, sharey="row").ravel()
    names = ("self voxel", "face", "edge", "corner")
    for panel, offset, name in zip(panels, offsets, names, strict=True):
        panel.axhline(0.0, color="0.6", linewidth=0.8)
        for (nuclide, series), colour in zip(deviations.items(), _COLOURS, strict=True):
            side, deviation = np.array(series[offset]).reshape(-1, 2).T
            panel.plot(side, 100 * deviation, "o-", color=colour, markersize=3.5, linewidth=1.0, label=nuclide)
        panel.set_title(f"{name} {offset}", fontsize=10)
        panel.grid(color="0.92")
    panels[0].legend(frameon=False, fontsize=9, ncols=2)
    picture.supxlabel("voxel side [mm]", fontsize=10)
    picture.supylabel("program against Lanconelli 2012 [%]", fontsize=10)
    _save(picture, "lanconelli.png")


def half_space(
    depth_g_cm2: np.ndarray,
    exact: np.ndarray,
    engine: tuple[np.ndarray, np.ndarray, np.ndarray],
    reference: np.ndarray,
) -> None:
    """Draw the dose across the edge of a half space, and what differs from the closed form.

    Parameters
    ----------
    depth_g_cm2, exact : ndarray (depths,)
        Closed form of the point kernel.
    engine : three ndarrays (voxels,)
        Depths of voxel centres, their dose, and the closed form averaged over them.
    reference : ndarray (depths, 2)
        Depth and dose of a table.
    """
    picture = Figure(figsize=(7.0, 5.2), layout="constrained")
    upper, lower = picture.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    upper.plot(depth_g_cm2, exact, color="0.3", linewidth=1.2, label="point kernel, closed form")
    upper.plot(*engine[:2], "o", color=_COLOURS[0], markersize=4, label="convolution, 1 mm voxels")
    lower.axhline(0.0, color="0.6", linewidth=0.8)
    lower.plot(engine[0], 100 * (engine[1] - engine[2]), "o", color=_COLOURS[0], markersize=4)
    upper.plot(*reference.T, "x", color=_COLOURS[1], markersize=6, label="table (EGSnrc kernel)")
    difference = reference[:, 1] - np.interp(reference[:, 0], depth_g_cm2, exact)
    lower.plot(reference[:, 0], 100 * difference, "x", color=_COLOURS[1], markersize=6)
    upper.set_ylabel("dose / dose in an infinite source")
    lower.set_ylabel("minus closed form\n[% of D∞]")
    lower.set_xlabel("mass depth outside the edge of a half space of 90Y [g/cm²]")
    lower.set_xlim(-1.0, 1.0)
    upper.legend(frameon=False)
    for panel in (upper, lower):
        panel.grid(color="0.92")
    _save(picture, "half_space.png")


def spheres(errors: Mapping[str, Sequence[tuple[float, float]]]) -> None:
    """Draw the error of voxelised spheres by radius, for each nuclide and voxel size."""
    picture = Figure(figsize=(7.0, 5.0), layout="constrained")
    panel = picture.subplots()
    panel.axhline(0.0, color="0.6", linewidth=0.8)
    nuclides = list(dict.fromkeys(name.split(",")[0] for name in errors))
    markers = {"R/5": "^:", "R/10": "s:", "R/20": "o--", "extrapolated": "D-"}
    for name, points in errors.items():
        nuclide, size = name.split(", ")
        radius, error = np.array(sorted(points)).T
        colour = _COLOURS[nuclides.index(nuclide)]
        panel.semilogx(radius, 100 * error, markers[size], color=colour, markersize=4, linewidth=0.9, label=name)
    panel.set_xlabel("radius of the sphere [mm]")
    panel.set_ylabel("mean dose of the voxelised sphere\nagainst the exact integral [%]")
    panel.set_xticks([10, 20, 30, 60], ["10", "20", "30", "60"])
    panel.minorticks_off()
    panel.grid(color="0.92")
    picture.legend(frameon=False, fontsize=8, ncols=3, loc="outside lower center")
    _save(picture, "spheres.png")


def point_kernel(edges_cm: np.ndarray, tally: Tally) -> None:
    """Draw the energy deposited per radius by 90Y in liver: Monte Carlo, and the kernel of water scaled."""
    middle = (edges_cm[1:] + edges_cm[:-1]) / 2.0
    kg = 4.0 / 3.0 * np.pi * np.diff(edges_cm**3) * LIVER.density_g_per_cm3 * 1e-3
    to_mev_per_cm = kg / np.diff(edges_cm) / JOULE_PER_MEV
    found, sigma = tally.gy_per_decay.ravel() * to_mev_per_cm, tally.sigma.ravel() * to_mev_per_cm
    water = PointKernel.water(Y90)
    within = np.array([water.fraction_within(LIVER.water_depth_g_cm2(10 * r)) for r in edges_cm]) * Y90.total_mev
    ours = np.diff(within) / np.diff(edges_cm)
    picture = Figure(figsize=(7.0, 5.2), layout="constrained")
    upper, lower = picture.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    style = {"color": _COLOURS[1], "markersize": 2.5, "linewidth": 0.8}
    upper.errorbar(10 * middle, found, sigma, fmt="o", label="Monte Carlo in liver", **style)
    upper.stairs(ours, 10 * edges_cm, color=_COLOURS[0], label="kernel of water, scaled to liver")
    upper.set_ylabel("energy per decay and radius [MeV/cm]")
    lower.axhline(0.0, color="0.6", linewidth=0.8)
    good = (ours > 0.02 * ours.max()) & (middle < 1.1)
    lower.errorbar(10 * middle[good], 100 * (found / ours - 1)[good], 100 * (sigma / ours)[good], fmt="o", **style)
    lower.set_ylabel("Monte Carlo\nminus kernel [%]")
    lower.set_xlabel("distance from a point source of 90Y [mm]")
    upper.legend(frameon=False)
    for panel in (upper, lower):
        panel.grid(color="0.92")
    _save(picture, "point_kernel_liver.png")


def _save(picture: Figure, name: str) -> None:
    FIGURES.mkdir(exist_ok=True)
    picture.savefig(FIGURES / name, dpi=110, metadata={"Software": None})
