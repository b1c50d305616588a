"""What every limit and goal is checked by: the line that model and numpy draw, and the planes that touch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cvxpy as cp
import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.planning.limits import Limit, Quantity
from radioembolization.planning.model import Model
from radioembolization.planning.supports import Support
from support import dose_rows


def bounded(quantity: Quantity, value: float, upper: bool) -> Limit:
    """Return the limit of a quantity, with its own unit."""
    return (quantity.at_most if upper else quantity.at_least)(**{quantity.keyword: value})


def feasible(limit: Limit, dose: DosePerGBq, activities: np.ndarray, caps: np.ndarray, solver: str = "HIGHS") -> bool:
    """Return whether the model's constraints of a limit hold for fixed activities."""
    model = Model(dose, caps)
    constraints = [*limit.constraints(model), *model.choice_constraints()]
    problem = cp.Problem(cp.Minimize(0), [*constraints, model.activities == activities])
    problem.solve(solver=solver)
    return problem.status == "optimal"


def voxel_rows(rng: np.random.Generator, sites: int, tumours: int = 2, voxels: int = 12) -> DosePerGBq:
    """Return random rows of structures with many voxels of unequal mass; tumours ``T0``, ``T1`` and so on.

    Every site perfuses some normal liver, and gives a little dose everywhere.
    """
    count = voxels * (tumours + 1)
    rows = rng.uniform(0.5, 60.0, (sites, count)) * (rng.random((sites, count)) < 0.6) + rng.uniform(0.1, 2.0, count)
    perfused = rows > 3.0
    perfused[:, -1] = True
    dose = dose_rows(
        rows,
        rng.uniform(0.01, 0.05, count),
        {f"T{i}": range(i * voxels, (i + 1) * voxels) for i in range(tumours)},
        normal=range(tumours * voxels, count),
        perfused=perfused,
        lung_shunt=rng.uniform(0.01, 0.1, sites),
    )
    return replace(dose, extrahepatic_share=rng.uniform(0.0, 0.02, sites))


def check_planes(
    value: Callable[[np.ndarray], float],
    planes: Callable[[np.ndarray], list[Support]],
    convex: bool,
    rng: np.random.Generator,
    sites: int,
    size: float = 1.0,
) -> None:
    """Assert that planes touch a function, stay on their side of it, and have its slope.

    In float64 heights agree to rounding.  The slope is that of the touching plane, by central differences: their
    error is of the order of the step squared, and at a kink of the function the point is skipped.
    """
    best = max if convex else min
    for _ in range(6):
        x = rng.uniform(0.05, size, sites) * (rng.random(sites) < 0.8)
        touching = planes(x)
        plane = best(touching, key=lambda p: p.at(x))
        assert plane.at(x) == _about(value(x))
        for _ in range(10):
            y = rng.uniform(0.0, 1.5 * size, sites) * (rng.random(sites) < 0.7)
            height = best(p.at(y) for p in touching)
            excess = height - value(y) if convex else value(y) - height
            assert excess <= 1e-9 * max(1.0, abs(value(y)))
        _check_slope(value, plane, x, 1e-6 * size)


def _check_slope(value: Callable[[np.ndarray], float], plane: Support, x: np.ndarray, step: float) -> None:
    for site in np.flatnonzero(x):
        move = step * (np.arange(len(x)) == site)
        up, here, down = value(x + move), value(x), value(x - move)
        smooth = abs(up - 2.0 * here + down) <= 1e-3 * abs(up - down) + 1e-9 * max(1.0, abs(here))
        if smooth:
            tolerance = 1e-4 * abs(plane.row[site]) + 1e-8 * max(1.0, abs(here)) / step * 1e-3
            assert abs((up - down) / (2.0 * step) - plane.row[site]) <= tolerance


def _about(value: float) -> Any:
    import pytest

    return pytest.approx(value, rel=1e-9, abs=1e-9)
