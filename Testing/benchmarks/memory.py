"""Peak extra memory of each way to convolve, each in a process of its own.

``memory.py METHOD FILE`` prints the peak resident memory [MB] beyond what was held before the call; plans and
results count.  Where the system cannot reset the peak, the difference is a lower bound.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy import signal

from radioembolization.dose import Columns, SiteMaps, convolve
from radioembolization.dose.leaves import Leaves
from radioembolization.dose.near_field import NearField
from radioembolization.dose.site_maps import spread_leaves
from radioembolization.physics import VoxelKernel


@dataclass(frozen=True, eq=False)
class Task:
    """What is convolved: leaves and liver voxels of a grid, and the activity of one site in the liver box."""

    shape: tuple[int, int, int]
    box: tuple[slice, slice, slice]
    site: np.ndarray
    leaves: Leaves
    liver_voxels: np.ndarray
    kernel: VoxelKernel

    def site_map(self, dtype: type) -> np.ndarray:
        """Return the activity of the site on the whole grid."""
        activity = np.zeros(self.shape, dtype)
        activity[self.box] = self.site
        return activity


def leaf_doses(leaves: Leaves, near: NearField, shape: tuple[int, int, int]) -> SiteMaps:
    """Return the maps of all sites without tail, as ``compute_site_maps`` makes them of leaves."""
    return SiteMaps(shape, tuple(spread_leaves(leaves, near)), leaves.weights)


def itk_convolution(activity: np.ndarray, share: np.ndarray) -> Callable[[], object]:
    """Return SimpleITK's convolution of a map in float32, zero outside; the conversion is done before."""
    image, kernel = (sitk.GetImageFromArray(a.astype(np.float32)) for a in (activity, share))
    return lambda: sitk.FFTConvolution(image, kernel, False, sitk.FFTConvolutionImageFilter.ZERO_PAD)


def _work(method: str, task: Task) -> Callable[[], object]:
    share = task.kernel.energy_share
    near = NearField(share)
    if method == "engine":
        return lambda: leaf_doses(task.leaves, near, task.shape)
    if method == "engine + columns":
        columns = Columns(task.liver_voxels, task.shape)
        return lambda: leaf_doses(task.leaves, near, task.shape).at(columns)
    if method == "fftconvolve":
        activity = task.site_map(np.float64)
        return lambda: signal.fftconvolve(activity, share, mode="same")
    if method == "fftconvolve, box":
        return lambda: signal.fftconvolve(task.site, share, mode="full")
    if method == "SimpleITK":
        return itk_convolution(task.site_map(np.float32), share)
    if method == "convolve, full grid":
        filled = np.random.default_rng(0).random(task.shape, dtype=np.float32)
        return lambda: convolve(filled, task.kernel)
    raise ValueError(f"There is no method '{method}'.")


def peaks_mb(task: Task, methods: list[str]) -> dict[str, float]:
    """Return the peak extra memory of methods [MB]; NaN where it cannot be measured."""
    if sys.platform == "win32":
        return dict.fromkeys(methods, float("nan"))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "task.pickle"
        file.write_bytes(pickle.dumps(task))
        script = str(Path(__file__).resolve())
        return {
            method: float(
                subprocess.run(
                    [sys.executable, script, method, str(file)], check=True, capture_output=True, text=True
                ).stdout
            )
            for method in methods
        }


def _status_mb(entry: str) -> float:
    """Return an entry of the process status [MB]; the peak of its whole life where there is no such status."""
    status = Path("/proc/self/status")
    if status.is_file():
        lines = [line.split() for line in status.read_text().splitlines()]
        return next(int(words[1]) * 1024 for words in lines if words[0] == f"{entry}:") / 1e6
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # bytes on macOS


def _peak_mb(work: Callable[[], object]) -> float:
    reset = Path("/proc/self/clear_refs")
    if reset.exists():
        reset.write_text("5")
    before = _status_mb("VmRSS")
    result = work()
    peak = _status_mb("VmHWM") - before
    del result
    return peak


if __name__ == "__main__":
    from memory import Task

    print(_peak_mb(_work(sys.argv[1], pickle.loads(Path(sys.argv[2]).read_bytes()))))
