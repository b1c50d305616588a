"""Courses of treatment: of synthetic patients, and small ones against enumeration."""

from __future__ import annotations

import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
from page import table

from radioembolization.course.course import Course
from radioembolization.course.course_problem import CourseProblem
from radioembolization.course.plan_course import plan_course
from radioembolization.phantom.course import synthetic_course
from radioembolization.treatment import compute_rows, prepare

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from course_cases import random_course
from naive_course import best_value, every_schedule

SEEDS = (1, 2, 3)
SMALL = range(20)
TITLE = "Courses of treatment"
INTRO = """
Synthetic patients (3 mm) with up to four cycles of 177Lu and 166Ho in one session or one lobe after the other, within
the limits of the device after what 177Lu spends of the normal liver, kidney and marrow. The objective is the lowest BED
of any lesion or lesion part [Gy], with and without lesions outside the liver, which microspheres do not reach; there,
radioembolization alone is shown for comparison, but may not take the place of cycles. Gap: between the course and what
no course within these rules can reach. Tied: schedules within 1 % of the best, of all that can be given. Seconds are
of one run on the machine that wrote this page.

"""
COLUMNS = (
    "seed",
    "lesions outside",
    "177Lu alone",
    "radioembolization alone",
    "both",
    "lowest in the liver",
    "gap",
    "tied",
    "kind of course",
    "seconds",
)
ENUMERATION = """
### Against enumeration

Random courses of 2 to 4 sites and lesions, up to two cycles and few weeks: every kind and every schedule optimized by
itself, by bisection over linear programs with its own cross terms. A bound below the best of them would be wrong.

"""


def write() -> str:
    """Return the section."""
    rows = [_row(seed, outside) for seed in SEEDS for outside in (True, False)]
    return INTRO + table(COLUMNS, rows) + ENUMERATION + _enumerated()


def _row(seed: int, outside: bool) -> list[object]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        inputs = synthetic_course(seed)
        problem = inputs.problem(compute_rows(prepare(inputs.case)).dose_per_gbq)
    if not outside:
        problem = replace(problem, extrahepatic_lesions=())
    start = time.perf_counter()
    course = plan_course(problem)
    seconds = time.perf_counter() - start
    alone = [f"{one.objective:.1f}" for one in course.alternatives if one.objective is not None]
    return [
        seed,
        len(problem.extrahepatic_lesions),
        *alone,
        f"{_lowest_in_the_liver(course):.1f}",
        f"{course.gap:.0e}",
        f"{course.ties.schedules} of {course.ties.of}",
        course.kind,
        f"{seconds:.1f}",
    ]


def _lowest_in_the_liver(course: Course) -> float:
    beds = [one.lowest_part_bed_gy for one in course.effects if one.kind == "hepatic lesion"]
    return min(bed for bed in beds if bed is not None)


def _enumerated() -> str:
    problems = [random_course(np.random.default_rng(seed)) for seed in SMALL]
    found = [_compared(problem) for problem in problems]
    below, short, gaps, schedules = (np.array(column) for column in zip(*found, strict=True))
    rows = [
        ["courses; schedules of all kinds, each", f"{len(found)}; {schedules.min():.0f} to {schedules.max():.0f}"],
        ["least of bound over the best schedule, less 1", f"{below.min():+.1e}"],
        ["largest loss of the course to the best schedule", f"{short.max():.1e}"],
        ["largest gap that was stated", f"{gaps.max():.1e}"],
    ]
    return table(("", ""), rows)


def _compared(problem: CourseProblem) -> tuple[float, float, float, float]:
    course, values = plan_course(problem), [best_value(problem, one) for one in every_schedule(problem)]
    best = max(values)
    return course.bound / best - 1.0, 1.0 - course.objective / best, course.gap, float(len(values))
