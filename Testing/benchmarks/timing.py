"""Times measured side by side, and the machine they were measured on."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from threadpoolctl import threadpool_info


@dataclass(frozen=True)
class Method:
    """One way to do the work.

    Parameters
    ----------
    name : str
    work : callable
    rounds : int
        How often it is measured.
    scale : float
        Factor from what one call does to the whole work.
    """

    name: str
    work: Callable[[], object]
    rounds: int
    scale: float = 1.0


@dataclass(frozen=True)
class Timing:
    """Times of the whole work [ms]; CPU is the least, of all threads."""

    wall_median_ms: float
    wall_min_ms: float
    cpu_ms: float


def side_by_side(methods: Sequence[Method]) -> dict[str, Timing]:
    """Time methods in rounds, in random order in each; those measured more than once are called once before."""
    random = np.random.default_rng(0)
    times: dict[str, list[tuple[float, float]]] = {method.name: [] for method in methods}
    for method in methods:
        if method.rounds > 1:
            method.work()
    for number in range(max(method.rounds for method in methods)):
        for index in random.permutation(len(methods)):
            method = methods[index]
            if number < method.rounds:
                cpu, wall = time.process_time(), time.perf_counter()
                method.work()
                wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
                times[method.name].append((wall, cpu))
    return {method.name: _timing(times[method.name], 1e3 * method.scale) for method in methods}


def _timing(times: list[tuple[float, float]], factor: float) -> Timing:
    wall, cpu = factor * np.array(times).T
    return Timing(float(np.median(wall)), float(wall.min()), float(cpu.min()))


def load() -> float:
    """Return the load average of the last minute; NaN where the system has none."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")


def machine() -> str:
    """Return processors, load, versions and the linear-algebra libraries loaded."""
    blas = {f"{i['internal_api']} {i['version']}, {i['num_threads']} threads" for i in threadpool_info()}
    return (
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} CPUs, load {load():.1f}; Python "
        f"{platform.python_version()}, numpy {np.__version__}, scipy {scipy.__version__}; {'; '.join(sorted(blas))}"
    )
