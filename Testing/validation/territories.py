"""Territories of arteries: closed forms, volumes by flow, and the left and right liver of the Visible Human."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
from page import Missing, table

from radioembolization.images import Grid
from radioembolization.phantom import synthetic_patient
from radioembolization.territories.arteries import ArterialTree
from radioembolization.territories.branches.branch_territories import FlowWeighted, NearestBranch
from radioembolization.territories.growth.grown_tree import grow_tree
from radioembolization.territories.vessels.tree_statistics import tree_statistics

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from painted_arteries import STRAIGHT, Painted, errors_of
from real_liver import FOLDER, left_and_right_dice, real_liver
from star_tree import straight
from support import as_direction, ellipsoid, rotation
from vessel_masks import turned

TITLE = "Territories of arteries"
MODELS = {
    "nearest, straight": NearestBranch(geodesic=False),
    "nearest, inside the liver": NearestBranch(),
    "by flow, 5 mm watersheds": FlowWeighted(),
    "by flow, sharp": FlowWeighted(watershed_mm=0.0),
}
INTRO = """
Two straight parallel vessels in a box divide it at the plane between them (voxels within 0.01 mm of it are ties), with
a logistic profile where watersheds are smooth. Three branches with flows 1 : 2 : 5 in an ellipsoid must have volumes in
that proportion.

"""
REAL = """
Left (left and middle hepatic artery) against segments 2 to 4, right (anterior and posterior) against 5 to 8, segment 1
left out, arteries and segments of the Visible Human Male (`hra_liver_male`, 1.5 mm). The radii of its vessels are an
artist's, so that territories by flow say little here; without knowing that the cystic artery feeds the gallbladder, all
models are worse.

"""

MASKS = """
Trees found in masks that were painted from the arteries of synthetic patients 1 to 6, those parts with a radius of at
least 1.5 voxels; a voxel is its longest side. Right: as many ends, or branches between branchings, as were painted.

"""
GROWN = """
Trees grown in the liver of synthetic patient 1 (3 mm, seed 1), without side arteries.

"""


def write() -> str:
    """Return the section."""
    if not FOLDER.exists():
        raise Missing(f"{FOLDER} is not here")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        text = INTRO + table(("grid", "voxels on the wrong side", "largest error of the profile"), _planes())
        text += "\n" + table(("watershed", "1", "2", "5", "largest relative error"), _flows())
        text += REAL + table(("model", "cystic artery", "left", "right"), _real())
        heads = ("voxels", "centreline, mean [voxels]", "95th percentile", "radius, mean", "95th percentile")
        text += MASKS + table((*heads, "ends right", "branches right"), _masks())
        heads = ("ends", "branches of Strahler order 1, 2, ...", "bifurcation ratio", "median stretch [mm]")
        return text + GROWN + table((*heads, "smallest radius [mm]"), _grown())


def _planes() -> list[tuple[object, ...]]:
    oblique = as_direction(rotation((1.0, 2.0, 0.5), 25.0))
    grids = {
        "2 mm": Grid((20, 22, 24), (2.0, 2.0, 2.0)),
        "4 x 1 x 1.6 mm": Grid((10, 44, 30), (4.0, 1.0, 1.6)),
        "2 mm, oblique": Grid((20, 22, 24), (2.0, 2.0, 2.0), (-20.0, -30.0, -10.0), oblique),
    }
    return [(name, *_plane(grid)) for name, grid in grids.items()]


def _plane(grid: Grid) -> tuple[str, str]:
    middle = grid.to_lps((np.array(grid.shape) - 1) / 2.0)
    x, _, z = grid.direction_matrix.T
    half = z * grid.spacing_mm[0] * grid.shape[0]
    branches = [
        straight(name, "trunk", middle + side * x - half, middle + side * x + half, 1.0, 120)
        for name, side in (("low", -10.0), ("high", 10.0))
    ]
    tree = ArterialTree((straight("trunk", None, middle - 3.0 * half, middle - 2.0 * half), *branches))
    liver = np.ones(grid.shape, dtype=bool)
    positions = grid.to_lps(np.moveaxis(np.indices(grid.shape), 0, -1)) - middle
    across, aside = positions @ x, positions @ grid.direction_matrix[:, 1]
    sharp, smooth = (
        model.territories(tree, liver, grid).reached([tree.terminal_stretches[-1]])
        for model in (NearestBranch(), FlowWeighted(watershed_mm=6.0))
    )
    wrong = np.count_nonzero(((sharp > 0.5) != (across > 0)) & (np.abs(across) > 0.01))
    difference = np.hypot(across + 10.0, aside) - np.hypot(across - 10.0, aside)
    error = np.max(np.abs(smooth - 1.0 / (1.0 + np.exp(-2.0 * difference / 6.0))))
    return f"{wrong} of {grid.voxels}", f"{error:.4f}"


def _flows() -> list[tuple[object, ...]]:
    grid = Grid((36, 42, 48), (2.0, 2.0, 2.0), (-47.0, -41.0, -35.0))
    liver, flow = ellipsoid(grid, (0, 0, 0), (45, 40, 34)), np.array([1.0, 2.0, 5.0])
    ends = np.array([(-25.0, 5.0, 0.0), (20.0, 12.0, 3.0), (5.0, -20.0, 8.0)])
    twigs = [straight(f"{f:g}", "trunk", 0.3 * end, end, f ** (1 / 3)) for f, end in zip(flow, ends, strict=True)]
    tree = ArterialTree((straight("trunk", None, (0, 0, -40), (0, 0, 0), 2.0), *twigs))
    rows: list[tuple[object, ...]] = []
    for width_mm in (0.0, 5.0, 10.0):
        volume = FlowWeighted(watershed_mm=width_mm).territories(tree, liver, grid).volume_ml
        share = 8.0 * volume / volume.sum()
        rows.append((f"{width_mm:g} mm", *(f"{s:.3f}" for s in share), f"{np.max(np.abs(share / flow - 1)):.2%}"))
    return rows


def _real() -> list[tuple[object, ...]]:
    patient, rows = real_liver(), []
    for name, model in MODELS.items():
        for without in (("cystic artery",), ()):
            found = model.territories(patient.tree, patient.liver, patient.grid, without)
            left, right = left_and_right_dice(found, patient)
            rows.append((name, "left out" if without else "supplies liver", f"{left:.3f}", f"{right:.3f}"))
    return rows


def _masks() -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for name, spacing, direction in (
        ("0.5 mm", (0.5,) * 3, STRAIGHT),
        ("0.8 mm", (0.8,) * 3, STRAIGHT),
        ("1 x 0.7 x 0.7 mm, oblique", (1.0, 0.7, 0.7), turned(2)),
    ):
        cases = [Painted(seed, spacing, direction) for seed in range(1, 7)]
        errors = [errors_of(case.tree, case) for case in cases]
        worst = [
            (np.mean(away), np.quantile(away, 0.95), np.mean(radius), np.quantile(radius, 0.95))
            for away, radius in errors
        ]
        away_mean, away_most, radius_mean, radius_most = np.max(worst, axis=0)
        found = [(len(case.tree.arteries), len(case.tree.terminal_stretches)) for case in cases]
        ends = sum(f[1] == case.branches()[1] for f, case in zip(found, cases, strict=True))
        branches = sum(f[0] == case.branches()[0] for f, case in zip(found, cases, strict=True))
        far = (f"{away_mean:.2f}", f"{away_most:.2f}", f"{radius_mean:.1%}", f"{radius_most:.1%}")
        rows.append((f"{name}, worst of 6", *far, f"{ends} of 6", f"{branches} of 6"))
    return rows


def _grown() -> list[tuple[object, ...]]:
    patient = synthetic_patient(1, 3.0)
    rows: list[tuple[object, ...]] = []
    for ends in (64, 250):
        tree = grow_tree(patient.masks["liver"], patient.ct.grid, seed=1, terminals=ends)
        found = tree_statistics(tree)
        thinnest = min(float(artery.radius_mm.min()) for artery in tree.arteries)
        ratio = f"{np.mean(found.bifurcation_ratios):.1f}"
        length = f"{np.median(found.stretch_length_mm):.0f}"
        rows.append((ends, ", ".join(map(str, found.branches)), ratio, length, f"{thinnest:.2f}"))
    return rows
