"""Time whole courses of treatment over all voxels of a phantom: every kind of course optimized and bounded.

Prints, asserts nothing.  Two session plans (the whole liver at once, one lobe after the other) and up to four cycles;
with disease outside the liver, which leaves fewer kinds to optimize, and with every order and two activities of a
cycle, which leaves more.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from timing import load, machine

from radioembolization.course.constraints import EMBOLIZED_FIRST, stated_constraints
from radioembolization.course.course_problem import CourseProblem
from radioembolization.course.plan_course import plan_course
from radioembolization.course.sessions import Session
from radioembolization.dose import DosePerGBq
from radioembolization.planning import InjectionActivity, InjectionSites, LungDose
from radioembolization.structures import Role

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from course_cases import course_problem, holmium, liver_limit
from planning_phantom import planning_phantom

LIMITS = (
    liver_limit(60.0),
    LungDose().at_most(gy=30.0),
    InjectionSites().at_most(count=4),
    InjectionActivity().at_least(gbq=0.1),
)
REASON = stated_constraints().because(**{EMBOLIZED_FIRST: "benchmark"})
COLUMNS = ("kinds", 5), ("schedules", 9), ("value Gy", 9), ("gap %", 7), ("tied", 6), ("first s", 8), ("again s", 8)
HEAD = f"{'course':40s} " + " ".join(f"{name:>{width}}" for name, width in COLUMNS)


def rows(voxels: int, sites: int, tumours: int) -> DosePerGBq:
    """Return rows of 166Ho."""
    dose = holmium(planning_phantom(voxels, sites, tumours))
    return replace(dose, rows=dose.rows.astype(np.float32))


def problem(dose: DosePerGBq, outside: bool = False, **changes: Any) -> CourseProblem:
    """Return a course whose lesions differ in their uptake of 177Lu by a factor of five."""
    tumours = [tumour.name for tumour in dose.with_role(Role.TUMOUR)]
    lesions = dict(zip(tumours, np.geomspace(1.0, 5.0, len(tumours)).tolist(), strict=True))
    lesions |= {"bone": 8.0} if outside else {}
    half = len(dose.site_names) // 2
    lobes = (Session("right", dose.site_names[:half]), Session("left", dose.site_names[half:]))
    fields = {"weeks": None, "session_plans": ((), (Session("whole liver"),), lobes)} | changes
    return course_problem(dose, lesions, limits=LIMITS, **fields)


def print_course(name: str, wanted: CourseProblem) -> None:
    """Time a course with nothing kept from before, and again; print both."""
    kinds: list[str] = []
    fresh = replace(wanted, dose=replace(wanted.dose))  # nothing kept from before
    start = time.perf_counter()
    course = plan_course(fresh, lambda kind, number, of: kinds.append(kind))
    first_s = time.perf_counter() - start
    start = time.perf_counter()
    plan_course(fresh)
    again_s = time.perf_counter() - start
    print(
        f"{name:40s} {len(kinds):5d} {course.ties.of:9d} {course.objective:9.2f} {100.0 * course.gap:7.3f} "
        f"{course.ties.schedules:6d} {first_s:8.1f} {again_s:8.1f}",
        flush=True,
    )


def main(arguments: list[str] | None = None) -> None:
    """Print the courses of every size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voxels", type=float, nargs="+", default=[1e5, 1e6])
    parser.add_argument("--sites", type=int, default=13)
    options = parser.parse_args([] if arguments is None else arguments)
    print(f"Courses of treatment over all voxels\n{machine()}")
    for voxels in options.voxels:
        dose = rows(int(voxels), options.sites, 9)
        print(f"\n{dose.rows.shape[1]} voxels, {options.sites} sites, 9 tumours; load {load():.1f}\n{HEAD}", flush=True)
        print_course("up to 4 cycles, 2 plans of sessions", problem(dose))
        print_course("the same, disease outside the liver", problem(dose, outside=True))
        print_course("a BED aimed at", problem(dose, aim_bed_gy=800.0))
        print_course("every order, two activities", problem(dose, constraints=REASON, cycle_activities_gbq=(5.5, 7.4)))


if __name__ == "__main__":
    main(sys.argv[1:])
