"""Compare the dose engine with plain convolution, side by side in one run.

Prints, asserts nothing.  The work is the near part of the 90Y kernel for 16 nested sites; the kernel is built
before.  Row A is the liver of the product's synthetic patient (prepared at 2 mm, then placed on each grid, since
the case makes no grid of a chosen size; three sites are added to its 13), row B the Visible Human Male.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from memory import Task, itk_convolution, leaf_doses, peaks_mb
from phantoms import GRIDS, SITES, Phantom, atlas_liver, on_grid, recut, synthetic_liver
from scipy import signal
from timing import Method, Timing, load, machine, side_by_side

from radioembolization.dose import Columns, SiteMaps
from radioembolization.dose.far_field import far_field
from radioembolization.dose.leaves import Leaves, split_into_leaves
from radioembolization.dose.near_field import NearField, forget_plans
from radioembolization.dose.site_maps import compute_site_maps
from radioembolization.physics import HO166, LIVER, Y90, Nuclide, TwoScaleKernel, two_scale_kernel

_DENSITY = 1.06
FULL, BOX, OVERLAP, ITK = (
    "fftconvolve f64, full grid",
    "fftconvolve f64, box",
    "oaconvolve f64, box",
    "SimpleITK f32, full",
)
WARM, DENSE, COLD = "engine, warm", "  with 16 dense columns", "  cold, plans forgotten"
TAIL, WHOLE = "  dense columns and tail", "  all, from fractions"
#: Least ratios: (grid, reference, method, by CPU or wall, threshold).
_GOALS = [
    ("SPECT", FULL, WARM, "wall", 600),
    ("PET", FULL, WARM, "wall", 1500),
    ("2 mm", FULL, WARM, "wall", 800),
    ("2 mm", FULL, DENSE, "wall", 500),
    ("2 mm", FULL, COLD, "wall", 350),
    ("2 mm", BOX, WARM, "CPU", 25),
    ("2 mm", ITK, WARM, "wall", 2500),
    ("CT", FULL, WARM, "wall", 500),
]
_MEMORY_GOALS_MB = {"2 mm": 40.0, "CT": 350.0}
#: Rounds of the peers; one site is measured.
_PEER_ROUNDS = {"SPECT": 5, "PET": 3, "2 mm": 3, "CT": 1}


def methods(phantom: Phantom, leaves: Leaves, kernel: TwoScaleKernel, rounds: int, quick: bool) -> list[Method]:
    """Return all ways to get the doses of 16 sites."""
    shape, share = phantom.grid.shape, kernel.near.energy_share
    near, columns, far = NearField(share), Columns(phantom.liver_voxels, phantom.grid.shape), far_field(kernel, shape)
    fractions, box, whole = phantom.fractions, phantom.site_in_box(0), phantom.site_map(0)

    def cold() -> SiteMaps:
        forget_plans()
        return leaf_doses(leaves, near, shape)

    def tail() -> np.ndarray:
        maps = leaf_doses(leaves, near, shape)
        gathered = np.stack([far.gather(source) for source in leaves.sources])
        gathered = np.tensordot(leaves.weights, gathered, axes=1)
        return SiteMaps(shape, maps.near, maps.weights, far, gathered).at(columns)

    peers = 1 if quick else _PEER_ROUNDS[grid_name(phantom)]
    return [
        Method(FULL, lambda: signal.fftconvolve(whole, share, mode="same"), peers, SITES),
        Method(ITK, itk_convolution(whole, share), peers, SITES),
        Method(BOX, lambda: signal.fftconvolve(box, share, mode="full"), max(3, peers), SITES),
        Method(OVERLAP, lambda: signal.oaconvolve(box, share, mode="full"), peers, SITES),
        Method(WARM, lambda: leaf_doses(leaves, near, shape), rounds),
        Method(DENSE, lambda: leaf_doses(leaves, near, shape).at(columns), rounds),
        Method(COLD, cold, rounds),
        Method(TAIL, tail, rounds),
        Method(WHOLE, lambda: compute_site_maps(fractions, shape, kernel).at(columns), max(2, rounds // 3)),
    ]


def grid_name(phantom: Phantom) -> str:
    """Return the name of a phantom's grid."""
    return next(name for name, grid in GRIDS.items() if grid == phantom.grid)


def error(phantom: Phantom, maps: SiteMaps, share: np.ndarray) -> tuple[float, float]:
    """Return the largest error of sites' near dose by their largest dose, and that of the reference itself.

    The reference is float64 fftconvolve on the box, checked by direct summation in 200 voxels.
    """
    half = [n // 2 for n in share.shape]
    random, worst, worst_reference = np.random.default_rng(3), 0.0, 0.0
    for site in (0, SITES // 2, SITES - 1):
        source = phantom.site_in_box(site)
        reference = signal.fftconvolve(source, share, mode="full")
        padded = np.pad(source, [(2 * h, 2 * h) for h in half])
        for place in random.choice(np.argwhere(reference > 1e-3 * reference.max()), 200):
            window = padded[tuple(slice(p, p + n) for p, n in zip(place, share.shape, strict=True))]
            direct = float((window * share).sum())
            worst_reference = max(worst_reference, abs(direct - reference[tuple(place)]) / reference.max())
        total = maps.combined(np.eye(SITES)[site])
        start = [b.start - h for b, h in zip(phantom.box, half, strict=True)]
        low = [max(0, -s) for s in start]
        here = reference[tuple(slice(a, None) for a in low)]
        target = tuple(slice(s + a, s + a + n) for s, a, n in zip(start, low, here.shape, strict=True))
        found = total[target]
        here = here[tuple(slice(0, n) for n in found.shape)]
        worst = max(worst, float(np.abs(found - here).max()) / float(reference.max()))
    return worst, worst_reference


def two_scales(phantom: Phantom, nuclide: Nuclide, rounds: int) -> dict[str, float | str]:
    """Compare a kernel on two scales with the whole kernel in float64, in the liver."""
    grid = phantom.grid
    kernel = two_scale_kernel(nuclide, grid.spacing_mm, _DENSITY, LIVER)
    source = phantom.site_in_box(0)
    offsets = [np.arange(n) * side for n, side in zip(source.shape, grid.spacing_mm, strict=True)]
    octant = kernel.tail.between_voxels((offsets[0], offsets[1], offsets[2]), grid.spacing_mm)
    near = np.asarray(kernel.near.energy_share)
    corner = near[tuple(slice(n // 2, n // 2 + m) for n, m in zip(near.shape, source.shape, strict=True))]
    octant[tuple(slice(0, n) for n in corner.shape)] += corner
    share = np.pad(octant, [(n - 1, 0) for n in octant.shape], mode="reflect")
    columns = Columns(phantom.liver_voxels, grid.shape)
    times = side_by_side(
        [
            Method("whole", lambda: signal.fftconvolve(source, share, mode="same"), 2, SITES),
            Method("engine", lambda: compute_site_maps(phantom.fractions, grid.shape, kernel).at(columns), rounds),
        ]
    )
    wide = signal.fftconvolve(source, share, mode="full")
    reference = wide[tuple(slice(n - 1, 2 * n - 1) for n in source.shape)][phantom.leaf >= 0]
    found = compute_site_maps(phantom.fractions, grid.shape, kernel).at(columns)[0]
    inside = phantom.amount[phantom.leaf >= 0] > 0
    off = np.abs(found - reference[inside])
    return {
        "nuclide": nuclide.name,
        "near_voxels": near.shape[0],
        "local_error": float((off / reference[inside]).max()),
        "error_of_max": float(off.max() / reference.max()),
        "whole_kernel_ms": times["whole"].wall_median_ms,
        "engine_ms": times["engine"].wall_median_ms,
    }


def leaf_scaling(phantom: Phantom, kernel: TwoScaleKernel, rounds: int) -> dict[str, Timing]:
    """Time the whole liver as one leaf and as 64, and the largest leaf alone."""
    near, shape = NearField(kernel.near.energy_share), phantom.grid.shape
    cuts = {count: split_into_leaves(recut(phantom, count).fractions, shape) for count in (1, 64)}
    largest = max(split_into_leaves(phantom.fractions, shape).sources, key=lambda source: source.values.size)
    moved = Leaves((largest,), np.ones((1, 1), np.float32))
    calls = {"1 leaf": cuts[1], "64 leaves": cuts[64], "moved leaf": moved}
    return side_by_side([Method(name, lambda c=c: leaf_doses(c, near, shape), rounds) for name, c in calls.items()])


def bench(row: str, phantom: Phantom, rounds: int, quick: bool, memory: bool) -> dict[str, object]:
    """Measure one grid, print it and return what was printed."""
    name, grid = grid_name(phantom), phantom.grid
    kernel = two_scale_kernel(Y90, grid.spacing_mm, _DENSITY, LIVER)
    leaves = split_into_leaves(phantom.fractions, grid.shape)
    before = load()
    times = side_by_side(methods(phantom, leaves, kernel, rounds, quick))
    share = kernel.near.energy_share
    worst, of_reference = error(phantom, leaf_doses(leaves, NearField(share), grid.shape), share)
    print(
        f"\n{row} {name}: {phantom.liver.name}, {len(phantom.liver_voxels) * grid.voxel_ml:.0f} mL, box "
        f"{phantom.leaf.shape} of {grid.shape}, {len(leaves.sources)} leaves, kernel {share.shape}; "
        f"load {before:.1f} to {load():.1f}\n"
        f"  16 sites [ms]                 wall median   wall min        CPU  {FULL} / this: wall    CPU   min wall"
    )
    reference = times[FULL]
    for method, time in times.items():
        print(
            f"  {method:28s} {time.wall_median_ms:12.1f} {time.wall_min_ms:10.1f} {time.cpu_ms:10.1f} "
            f"{reference.wall_median_ms / time.wall_median_ms:37.1f} {reference.cpu_ms / time.cpu_ms:6.0f} "
            f"{reference.wall_min_ms / time.wall_min_ms:10.0f}"
        )
    print(
        f"  error of the engine {worst:.1e} of the largest dose ({_met(worst <= 2e-6, 'goal 2e-6')}); reference, by "
        f"direct summation, {of_reference:.0e}"
    )
    goals = []
    for grid_of_goal, peer, method, kind, least in _GOALS:
        if grid_of_goal == name:
            by = "cpu_ms" if kind == "CPU" else "wall_median_ms"
            ratio = getattr(times[peer], by) / getattr(times[method], by)
            goals.append({"peer": peer, "method": method.strip(), "by": kind, "ratio": ratio, "goal": least})
            goal = _met(ratio >= least, f"goal {least}x")
            print(f"  {peer} / {method.strip()}, {kind}: {ratio:.0f}x ({goal}; error {worst:.0e})")
    result: dict[str, object] = {"row": row, "liver": phantom.liver.name, "grid": name, "load": [before, load()]}
    result |= {"times": {k.strip(): asdict(t) for k, t in times.items()}, "error": worst, "goals": goals}
    if name != "CT" or not quick:
        result["leaves"] = _print_leaves(name, leaf_scaling(phantom, kernel, max(5, rounds)))
    if name != "CT":
        result["two_scales"] = [_print_two_scales(two_scales(phantom, n, 3)) for n in (Y90, HO166)]
    else:
        print("  two scales: not measured here, the whole kernel in float64 needs 10 GB")
    if memory:
        result["peak_mb"] = _print_memory(phantom, leaves, kernel)
    return result


def _print_leaves(name: str, times: dict[str, Timing]) -> dict[str, object]:
    one, many, moved = (times[key] for key in ("1 leaf", "64 leaves", "moved leaf"))
    wall, cpu = many.wall_median_ms / one.wall_median_ms, many.cpu_ms / one.cpu_ms
    scaling = f" ({_met(cpu <= 1.6, 'goal 1.6x')})" if name == "2 mm" else ""
    goal = f" ({_met(moved.wall_median_ms <= 5.0, 'goal 5 ms')})" if name == "2 mm" else ""
    print(
        f"  whole liver as 1 leaf {one.wall_median_ms:.1f} ms, as 64 {many.wall_median_ms:.1f} ms: {wall:.2f}x wall, "
        f"{cpu:.2f}x CPU{scaling}; largest leaf again {moved.wall_median_ms:.1f} ms{goal}"
    )
    return {key: asdict(time) for key, time in times.items()}


def _print_two_scales(found: dict[str, float | str]) -> dict[str, float | str]:
    local = float(found["local_error"])
    print(
        f"  two scales {found['nuclide']}: near part {found['near_voxels']} voxels wide; error in liver {local:.3%} "
        f"of the local dose ({_met(local <= 5e-4, 'goal 0.05 %')}); from fractions {found['engine_ms']:.0f} ms, "
        f"whole\n    kernel in float64 on the box {found['whole_kernel_ms']:.0f} ms (1 site measured): "
        f"{float(found['whole_kernel_ms']) / float(found['engine_ms']):.0f}x"
    )
    return found


def _print_memory(phantom: Phantom, leaves: Leaves, kernel: TwoScaleKernel) -> dict[str, float]:
    task = Task(phantom.grid.shape, phantom.box, phantom.site_in_box(0), leaves, phantom.liver_voxels, kernel.near)
    name = grid_name(phantom)
    wanted = ["engine", "engine + columns", "fftconvolve, box", "fftconvolve", "SimpleITK"]
    peaks = peaks_mb(task, wanted + (["convolve, full grid"] if name == "CT" else []))
    print("  peak extra memory [MB]: " + ", ".join(f"{method} {peak:.0f}" for method, peak in peaks.items()))
    for limit, method in ((_MEMORY_GOALS_MB.get(name), "engine + columns"), (4000.0, "convolve, full grid")):
        if limit and method in peaks:
            print(f"    {method}: {_met(peaks[method] <= limit, f'goal {limit:.0f} MB')}")
    return peaks


def _met(met: bool, goal: str) -> str:
    return f"{goal} {'met' if met else 'NOT MET'}"


def main(arguments: list[str] | None = None) -> None:
    """Measure the grids on both livers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grids", nargs="+", choices=list(GRIDS), default=list(GRIDS))
    parser.add_argument("--repeats", type=int, default=9, help="rounds of the engine")
    parser.add_argument("--quick", action="store_true", help="peers once, no memory, only the synthetic liver")
    parser.add_argument("--json", type=Path, help="also write all numbers to this file")
    options = parser.parse_args(arguments)
    print(f"dose engine: {machine()}")
    print(
        "full-grid and box peers: 1 site measured, times 16; dense columns: lookups of boxes kept from an earlier call"
    )
    results = []
    livers = {"A": synthetic_liver} if options.quick else {"A": synthetic_liver, "B": atlas_liver}
    for row, make in livers.items():
        try:
            liver = make()
        except FileNotFoundError as error:
            print(f"\n{row}: skipped, {error}")
            continue
        for name in options.grids:
            memory = row == "A" and not options.quick
            results.append(bench(row, on_grid(liver, GRIDS[name]), options.repeats, options.quick, memory))
    if options.json:
        options.json.write_text(json.dumps({"machine": machine(), "results": results}, indent=1))


if __name__ == "__main__":
    main()
