"""Time plans over all voxels of a phantom with many sites, side by side with the models written voxel by voxel.

Prints, asserts nothing.  ``--naive`` also measures, once and each in a process of its own with its peak memory, the
naive models of large phantoms (minutes).  *First*: with nothing kept from before, the rows of each structure are
copied; *again*: median of the rounds.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from timing import Method, load, machine, side_by_side

from radioembolization.dose import DosePerGBq
from radioembolization.planning import (
    Effort,
    HottestMean,
    InjectionActivity,
    InjectionSites,
    Limit,
    LowestDose,
    LungDose,
    MeanDose,
    Problem,
    Replanner,
    VolumeAbove,
    maximize,
)
from radioembolization.planning.solve import Solution, optimize

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from naive_models import NaiveLimits, SiteRule, best_plan, lowest_dose
from planning_phantom import planning_phantom

SITES = 32
NORMAL = "normal liver"
MEAN, LUNGS = MeanDose(NORMAL).at_most(gy=50), LungDose().at_most(gy=30)
HOTTEST = HottestMean(NORMAL, percent=30).at_most(gy=60)
VOLUME = VolumeAbove(NORMAL, gy=40).at_most(percent=30)
FOUR, EIGHT = InjectionSites().at_most(count=4), InjectionSites().at_most(count=8)
AT_LEAST = InjectionActivity().at_least(gbq=0.2)
#: The plan asked for, not the fewest injections nearly as good.
PLAIN = Effort(fewer_within=None)
HEAD = f"{'plan':42s} {'value Gy':>9} {'gap %':>9} {'limits':>6} sites {'first ms':>10} {'again ms':>10} {'CPU ms':>10}"
#: Largest phantom whose naive models run beside the plans, and time each naive model may take [s].
_BESIDE_VOXELS, _NAIVE_LIMIT_S = 100_000, 900

LIMITS, TAIL_LIMITS = NaiveLimits(50.0, 30.0), NaiveLimits(50.0, 30.0, 60.0)
#: Naive models by the plan they are beside, and by name.
NAIVE: dict[str, dict[str, Callable[[DosePerGBq], tuple[float, np.ndarray]]]] = {
    "lowest dose": {
        "tumour rows, HiGHS": lambda dose: best_plan(lowest_dose, dose, LIMITS),
        "tumour rows, Clarabel": lambda dose: best_plan(lowest_dose, dose, LIMITS, solver="CLARABEL"),
        "dose of every voxel a variable, Clarabel": lambda dose: best_plan(
            lowest_dose, dose, LIMITS, solver="CLARABEL", doses_as_variables=True
        ),
    },
    "hottest mean": {
        "a variable per voxel, Clarabel": lambda dose: best_plan(lowest_dose, dose, TAIL_LIMITS, solver="CLARABEL")
    },
    "at most 4 sites": {
        "tumour rows and binaries, HiGHS": lambda dose: best_plan(lowest_dose, dose, LIMITS, SiteRule(4))
    },
}


@dataclass(frozen=True, eq=False)
class Case:
    """A plan to time.

    Parameters
    ----------
    name : str
    limits : tuple of Limit
        On the lowest dose of any tumour voxel, maximized.
    effort : Effort
    only : ndarray (sites,) of bool, optional
        Sites that may be used.
    rounds : int
        How often it is measured; 1 is the first call only.
    """

    name: str
    limits: tuple[Limit, ...]
    effort: Effort = PLAIN
    only: np.ndarray | None = None
    rounds: int = 5

    @property
    def problem(self) -> Problem:
        return maximize(LowestDose()).subject_to(*self.limits)

    def solve(self, dose: DosePerGBq) -> Solution:
        """Return activities and bound, without baselines and explanation."""
        return optimize(self.problem.goal, self.problem.limits, dose, only=self.only, effort=self.effort)


@dataclass(frozen=True)
class Times:
    """Wall times of a case: with nothing kept from before, and median of the rounds [ms]."""

    first_ms: float
    again_ms: float


def cases(voxels: int) -> tuple[Case, ...]:
    """Return the plans of 32 sites that depend on no other."""
    rounds = 5 if voxels <= _BESIDE_VOXELS else 3
    return (
        Case("lowest dose", (MEAN, LUNGS), rounds=rounds),
        Case("hottest mean", (MEAN, LUNGS, HOTTEST), rounds=rounds),
        Case("at most 4 sites", (MEAN, LUNGS, FOUR), rounds=rounds),
        Case("hottest mean, at most 4 sites", (MEAN, LUNGS, HOTTEST, FOUR), rounds=rounds),
        Case("the same, fewer injections preferred", (MEAN, LUNGS, HOTTEST, FOUR), Effort(), rounds=2),
        Case("the same, each at least 0.2 GBq", (MEAN, LUNGS, HOTTEST, FOUR, AT_LEAST), rounds=2),
    )


def volume_cases(given: np.ndarray, budget_s: float) -> tuple[Case, ...]:
    """Return plans under an exact dose-volume limit: for given sites, and for all."""
    return (
        Case("exact V40 <= 30 %, 4 given sites", (MEAN, LUNGS, VOLUME), only=given, rounds=1),
        Case(
            f"exact V40 <= 30 %, all sites, {budget_s:.0f} s",
            (MEAN, LUNGS, VOLUME),
            effort=replace(PLAIN, time_limit_s=budget_s, volume_gap=1e-3),
            rounds=1,
        ),
    )


def print_case(case: Case, dose: DosePerGBq, naive: bool) -> tuple[Solution, Times]:
    """Time a case, beside its naive models if wanted, and print both."""
    fresh = replace(dose)  # nothing kept from before
    start = time.perf_counter()
    solution = case.solve(fresh)
    first_ms = 1e3 * (time.perf_counter() - start)
    methods = [Method(case.name, lambda: case.solve(dose), case.rounds)] if case.rounds > 1 else []
    values: dict[str, float] = {}
    for name, model in NAIVE.get(case.name, {}).items() if naive else ():
        methods.append(Method(name, lambda name=name, model=model: values.update({name: model(dose)[0]}), 1))
    timings = side_by_side(methods) if methods else {}
    own = timings.pop(case.name, None)
    times = Times(first_ms, own.wall_median_ms if own else first_ms)
    again = f"{times.again_ms:10.1f} {own.cpu_ms:10.1f}" if own else f"{'-':>10} {'-':>10}"
    print(f"{_plan_line(case, dose, solution)} {first_ms:10.1f} {again}", flush=True)
    for name, timing in timings.items():
        print(_naive_line(name, values[name], timing.wall_median_ms, times), flush=True)
    return solution, times


def _plan_line(case: Case, dose: DosePerGBq, solution: Solution) -> str:
    value = case.problem.goal.value(dose, solution.activities_gbq)
    gap = (solution.bound - value) / abs(solution.bound)
    met = all(limit.is_met(dose, solution.activities_gbq) for limit in case.limits)
    used = np.count_nonzero(solution.activities_gbq > 0)
    return f"{case.name:42s} {value:9.3f} {100 * gap:9.4f} {'met' if met else 'NOT':>6} {used:5d}"


def _naive_line(name: str, value: float, wall_ms: float, own: Times, more: str = "") -> str:
    ratios = f"{wall_ms / own.first_ms:.1f} x first, {wall_ms / own.again_ms:.1f} x again"
    return f"  naive, {name:40s} {value:9.3f} {wall_ms:10.0f} ms = {ratios}{more}"


def print_whole_plan(dose: DosePerGBq) -> None:
    """Time a plan as the user gets it, with its comparisons and explanations."""
    problem = Case("", (MEAN, LUNGS, HOTTEST, FOUR)).problem
    start = time.perf_counter()
    problem.solve(dose)
    print(f"whole plan, hottest mean and at most 4 sites: {time.perf_counter() - start:.1f} s", flush=True)


def bounds(moves: int) -> Iterator[tuple[float, float]]:
    """Return moves of two sliders: bounds on mean and hottest mean of the normal liver [Gy]."""
    random = np.random.default_rng(1)
    mean, hottest = 50.0, 60.0
    for move in range(moves):
        if move % 2:
            mean = float(np.clip(mean + random.uniform(-6.0, 6.0), 25.0, 60.0))
        else:
            hottest = float(np.clip(hottest + random.uniform(-8.0, 8.0), 35.0, 90.0))
        yield mean, hottest


def print_slider(dose: DosePerGBq, moves: int) -> None:
    """Time changes of a limit, each optimized again and verified on all voxels; print median and worst."""
    problem = Case("", (MEAN, LUNGS, HOTTEST)).problem
    start = time.perf_counter()
    replanner = Replanner(problem, dose)
    replanner.solve(problem)
    first_ms = 1e3 * (time.perf_counter() - start)
    times, gaps, excess = [], [], []
    for mean, hottest in bounds(moves):
        limits = (MeanDose(NORMAL).at_most(gy=mean), LUNGS, HottestMean(NORMAL, percent=30).at_most(gy=hottest))
        changed = replace(problem, limits=limits)
        start = time.perf_counter()
        solution = replanner.solve(changed)
        times.append(1e3 * (time.perf_counter() - start))
        gaps.append(1.0 - problem.goal.value(dose, solution.activities_gbq) / solution.bound)
        excess.append(max(limit.excess(dose, solution.activities_gbq) / limit.bound for limit in limits))
    print(
        f"slider, {moves} moves of two limits: first {first_ms:.1f} ms; median {np.median(times):.1f} ms, "
        f"95 % {np.quantile(times, 0.95):.1f} ms, worst {max(times):.1f} ms; largest gap {100 * max(gaps):.4f} %, "
        f"largest excess {max(excess):.1e}",
        flush=True,
    )


def print_naive_in_processes(voxels: int, own: dict[str, Times]) -> None:
    """Measure each naive model of a phantom once, in a process of its own."""
    for plan, models in NAIVE.items():
        for name in models:
            command = [sys.executable, str(Path(__file__).resolve()), "--child", plan, name, str(voxels)]
            try:
                done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=_NAIVE_LIMIT_S)
            except subprocess.TimeoutExpired:
                print(f"  naive, {name:40s} not solved in {_NAIVE_LIMIT_S} s", flush=True)
                continue
            except subprocess.CalledProcessError as error:
                print(f"  naive, {name:40s} {error.stderr.strip().splitlines()[-1]}", flush=True)
                continue
            found = json.loads(done.stdout.splitlines()[-1])
            more = f", peak {found['before_gb']:.1f} -> {found['peak_gb']:.1f} GB"
            print(_naive_line(name, found["value"], found["wall_ms"], own[plan], more), flush=True)


def _child(plan: str, name: str, voxels: int) -> None:
    """Solve one naive model and print its time and peak memory."""
    dose = planning_phantom(voxels, SITES)
    before_gb = _peak_gb()
    start = time.perf_counter()
    value, _ = NAIVE[plan][name](dose)
    wall_ms = 1e3 * (time.perf_counter() - start)
    print(json.dumps({"value": value, "wall_ms": wall_ms, "before_gb": before_gb, "peak_gb": _peak_gb()}))


def _peak_gb() -> float:
    """Return the peak resident memory of this process [GB]; that of its parent counts in where no status is kept."""
    status = Path("/proc/self/status")
    if status.is_file():
        lines = [line.split() for line in status.read_text().splitlines()]
        return next(int(words[1]) * 1024 for words in lines if words[0] == "VmHWM:") / 1e9
    import resource  # not on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e9  # bytes on macOS


def bench(voxels: int, options: argparse.Namespace) -> None:
    """Time all plans of one phantom."""
    start = time.perf_counter()
    dose = planning_phantom(voxels, SITES)
    built_s = time.perf_counter() - start
    print(f"\n{dose.rows.shape[1]} voxels, {SITES} sites, built in {built_s:.1f} s; load {load():.1f}\n{HEAD}")
    beside = voxels <= _BESIDE_VOXELS
    found = {case.name: print_case(case, dose, beside) for case in cases(voxels)}
    print_slider(dose, options.moves)
    if options.whole:
        print_whole_plan(dose)
    given = found["hottest mean, at most 4 sites"][0].activities_gbq > 0
    for case in volume_cases(given, options.volume_budget):
        print_case(case, dose, False)
    if options.naive and not beside:
        print_naive_in_processes(voxels, {name: times for name, (_, times) in found.items()})


def main(arguments: list[str] | None = None) -> None:
    """Print every size, then eight of 64 sites."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voxels", type=float, nargs="+", default=[1e5, 1e6])
    parser.add_argument("--naive", action="store_true", help="naive models of large phantoms too; minutes")
    parser.add_argument("--whole", action="store_true", help="a plan with its comparisons and explanations too")
    parser.add_argument("--moves", type=int, default=60, help="moves of the sliders")
    parser.add_argument("--volume-budget", type=float, default=60.0, help="of the dose-volume limit, all sites [s]")
    parser.add_argument("--child", nargs=3, metavar=("PLAN", "NAME", "VOXELS"), help=argparse.SUPPRESS)
    options = parser.parse_args([] if arguments is None else arguments)
    if options.child:
        _child(options.child[0], options.child[1], int(options.child[2]))
        return
    print(f"Plans over all voxels\n{machine()}")
    for voxels in options.voxels:
        bench(int(voxels), options)
    print(f"\n100000 voxels, 64 sites\n{HEAD}")
    dose = planning_phantom(100_000, 64)
    for limits in ((MEAN, LUNGS, EIGHT), (MEAN, LUNGS, HOTTEST, EIGHT)):
        name = "at most 8 of 64 sites" + (" and hottest mean" if HOTTEST in limits else "")
        print_case(Case(name, limits, replace(PLAIN, time_limit_s=120.0), rounds=1), dose, False)


if __name__ == "__main__":
    main(sys.argv[1:])
