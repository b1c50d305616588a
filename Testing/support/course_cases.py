"""Courses small enough to be enumerated: random lesions, uptakes and weeks, as problems of the course."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from radioembolization.biology import TissueBiology, tissue_biology
from radioembolization.course.course_problem import CourseProblem
from radioembolization.course.exposure import Exposure, Modality
from radioembolization.course.schedule import WeekGrid
from radioembolization.course.uptake import RegionUptake
from radioembolization.dose import DosePerGBq, DoseSettings
from radioembolization.physics import HOLMIUM_HO166, Sourced
from radioembolization.physics.sourced import Status
from radioembolization.planning import Limit, MeanDose, Provenance, WorstTumourMean, maximize
from radioembolization.structures import NORMAL_LIVER, Role
from support import dose_rows, random_rows

#: Half-lives of 177Lu of section 3 of the clinical specification [h].
HALF_LIFE_H = {NORMAL_LIVER: 67.0, "kidney": 51.0, "marrow": 71.0}
TUMOUR_HALF_LIFE_H = 85.0
WEEKS = WeekGrid((7, 9), (4, 12), (4, 6), (8, 10))


def sourced(value: float) -> Sourced[float]:
    return Sourced(value, "test", Status.UNVERIFIED)


def tissue(alpha_beta_gy: float, repair_h: float) -> TissueBiology:
    return TissueBiology("test", sourced(alpha_beta_gy), sourced(repair_h), None)


def uptake(region: str, gy_per_gbq: float, change: float = 0.0) -> RegionUptake:
    half_life_h = HALF_LIFE_H.get(region, TUMOUR_HALF_LIFE_H)
    return RegionUptake(region, sourced(gy_per_gbq), sourced(half_life_h), change_per_cycle=change)


def uptakes(lesions: dict[str, float], organs: dict[str, float], change: float = -0.14) -> dict[str, RegionUptake]:
    return {
        **{name: uptake(name, value, change) for name, value in lesions.items()},
        **{name: uptake(name, value) for name, value in organs.items()},
    }


def tissues(lesions: list[str]) -> dict[str, TissueBiology]:
    organs = {name: tissue_biology(name) for name in (NORMAL_LIVER, "kidney", "marrow")}
    return {**organs, **{name: tissue_biology("tumour") for name in lesions}}


def liver_limit(gy: float, device: str = "holmium") -> Limit:
    return MeanDose(NORMAL_LIVER).at_most(gy=gy).because(Provenance(device=device))


def holmium(dose: DosePerGBq) -> DosePerGBq:
    """Return the rows as those of 166Ho, a third of the dose per activity."""
    return replace(dose, settings=DoseSettings(HOLMIUM_HO166), rows=0.32 * dose.rows)


def two_lesions() -> DosePerGBq:
    """Return one site for each of two tumours, each with normal liver of its own."""
    rows = [[60.0, 2.0, 15.0, 0.0], [3.0, 50.0, 0.0, 12.0]]
    return holmium(dose_rows(rows, [0.05, 0.08, 0.7, 0.6], {"A": [0], "B": [1]}, normal=[2, 3]))


def course_problem(
    dose: DosePerGBq | None = None,
    lesions: dict[str, float] | None = None,
    organs: dict[str, float] | None = None,
    limits: tuple[Limit, ...] = (),
    **changes: Any,
) -> CourseProblem:
    """Return a problem of the rows; 60 Gy to the whole normal liver unless limits are given.

    Parameters
    ----------
    lesions, organs : dict of str to float
        Uptake in the first cycle [Gy/GBq]; lesions that are no tumours of the rows are extrahepatic.
    """
    rows = two_lesions() if dose is None else dose
    tumours = [tumour.name for tumour in rows.with_role(Role.TUMOUR)]
    lesions = {**dict.fromkeys(tumours, 3.0), **(lesions or {})}
    organs = {NORMAL_LIVER: 0.27, "kidney": 0.6, "marrow": 0.035, **(organs or {})}
    fields: dict[str, Any] = {
        "dose": rows,
        "problem": maximize(WorstTumourMean()).subject_to(*(limits or (liver_limit(60.0),))),
        "uptakes": uptakes(lesions, organs),
        "tissues": tissues(list(lesions)),
        "extrahepatic_lesions": tuple(name for name in lesions if name not in tumours),
        "weeks": WEEKS,
    }
    return CourseProblem(**(fields | changes))


def random_course(rng: np.random.Generator, **changes: Any) -> CourseProblem:
    """Return 2 to 4 sites, 2 to 4 lesions with uptakes of their own, sometimes one beyond the liver; few weeks."""
    dose = holmium(random_rows(rng, int(rng.integers(2, 5)), int(rng.integers(2, 5)), spill=0.02))
    lesions = {t.name: float(rng.uniform(0.3, 6.0)) for t in dose.with_role(Role.TUMOUR)}
    if rng.random() < 0.4:
        lesions["bone"] = float(rng.uniform(1.0, 6.0))
    fields: dict[str, Any] = {
        "limits": (liver_limit(float(rng.uniform(30.0, 60.0))),),
        "organs": {NORMAL_LIVER: float(rng.uniform(0.1, 1.0))},
        "most_cycles": int(rng.integers(1, 3)),
        "cycle_activities_gbq": (7.4,) if rng.random() < 0.7 else (5.5, 7.4),
        "weeks": WeekGrid((7, 8), (4, 9), (4,), (8,)),
    }
    return course_problem(dose, lesions, **(fields | changes))


def cycle(number: int, day: float, doses: dict[str, float], **more: Any) -> Exposure:
    half_lives = {name: HALF_LIFE_H.get(name, TUMOUR_HALF_LIFE_H) for name in doses}
    fields: dict[str, Any] = {"activity_gbq": 7.4} | more
    return Exposure(f"given cycle {number}", day, Modality.LUTETIUM, doses, half_lives, **fields)


def session_given(label: str, day: float, doses: dict[str, float], device: str = "holmium", **more: Any) -> Exposure:
    hidden = frozenset({"kidney", "marrow", "bone"} - set(doses))
    return Exposure(label, day, Modality.RADIOEMBOLIZATION, doses, device=device, not_exposed=hidden, **more)
