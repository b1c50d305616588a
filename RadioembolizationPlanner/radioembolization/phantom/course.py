"""A course of treatment of the synthetic patient, who has disease outside the liver too."""

from __future__ import annotations

import numpy as np

from radioembolization.biology import tissue_biology
from radioembolization.course.budget import organ_budget
from radioembolization.course.eligibility import LabValue
from radioembolization.course.published_uptake import CHANGE_PER_CYCLE, LESION, PUBLISHED
from radioembolization.course.sessions import Session
from radioembolization.course.uptake import RegionUptake
from radioembolization.phantom.arteries import downstream_segments
from radioembolization.phantom.case import case_of
from radioembolization.phantom.patient import synthetic_patient
from radioembolization.physics import HOLMIUM_HO166, Sourced
from radioembolization.physics.sourced import Status
from radioembolization.structures import NORMAL_LIVER
from radioembolization.treatment.case import CaseInputs
from radioembolization.treatment.course_inputs import CourseInputs, hepatic_lesions

#: Mean and spread (log-normal) of the uptake of hepatic lesions [Gy/GBq] before it is kept to the published range.
_HEPATIC_GY_PER_GBQ, _HEPATIC_SPREAD = 2.0, 0.7
#: Extrahepatic lesions, which microspheres do not reach, take up much [Gy/GBq].
_EXTRAHEPATIC = ("bone metastasis", "lymph node")
_EXTRAHEPATIC_GY_PER_GBQ = (8.0, 10.4)
#: Uptake of organs [Gy/GBq]: inside the published ranges, and low enough for four cycles.
_ORGANS = {NORMAL_LIVER: ("liver", 0.15, 0.45), "kidney": ("kidney", 0.35, 0.65), "marrow": ("marrow", 0.02, 0.055)}
_SOURCE = "synthetic: made by the program within published ranges"
_LABS = {
    "bilirubin": (0.8, "mg/dL"),
    "albumin": (4.1, "g/dL"),
    "platelets": (210.0, "10^9/L"),
    "creatinine": (0.9, "mg/dL"),
}


def synthetic_course(seed: int = 1, spacing_mm: float = 3.0) -> CourseInputs:
    """Return a course of a synthetic patient: 177Lu and 166Ho, metastases in both lobes, two outside the liver.

    Uptakes differ from lesion to lesion and depend on the seed alone.  Blood tests are those of day 0: the gate asks
    for new ones before every later administration.

    Parameters
    ----------
    seed : int
    spacing_mm : float
        Of the CT, see ``synthetic_patient``.
    """
    case = case_of(synthetic_patient(seed, spacing_mm), device=HOLMIUM_HO166)
    uptakes = _uptakes(case, np.random.default_rng([seed, 177]))
    words = {**dict.fromkeys(uptakes, "tumour"), NORMAL_LIVER: "normal liver", "kidney": "kidney", "marrow": "marrow"}
    right, left = _lobes(case)
    return CourseInputs(
        case=case,
        uptakes=uptakes,
        tissues={name: tissue_biology(word) for name, word in words.items()},
        extrahepatic_lesions=_EXTRAHEPATIC,
        extrahepatic_disease=True,
        budgets=tuple(organ_budget(name) for name in ("kidney dose", "kidney BED", "marrow dose")),
        session_plans=((), (Session("whole liver"),), (right, left)),
        labs=tuple(LabValue(name, value, unit, day=0.0) for name, (value, unit) in _LABS.items()),
    )


def _uptakes(case: CaseInputs, rng: np.random.Generator) -> dict[str, RegionUptake]:
    low, high = PUBLISHED[LESION].range_gy_per_gbq or (0.0, np.inf)
    lesions = hepatic_lesions(case)
    drawn = _HEPATIC_GY_PER_GBQ * np.exp(_HEPATIC_SPREAD * rng.standard_normal(len(lesions)))
    values = dict(zip(lesions, np.clip(drawn, low, high).tolist(), strict=True))
    values |= {name: float(rng.uniform(*_EXTRAHEPATIC_GY_PER_GBQ)) for name in _EXTRAHEPATIC}
    found = {name: _uptake(name, value, LESION, CHANGE_PER_CYCLE["G1"].value) for name, value in values.items()}
    for name, (kind, least, most) in _ORGANS.items():
        found[name] = _uptake(name, float(rng.uniform(least, most)), kind, 0.0)
    return found


def _uptake(name: str, gy_per_gbq: float, kind: str, change: float) -> RegionUptake:
    half_life = PUBLISHED[kind].half_life_h
    assert half_life is not None
    return RegionUptake(
        region=name,
        gy_per_gbq=Sourced(round(gy_per_gbq, 3), _SOURCE, Status.UNVERIFIED),
        effective_half_life_h=Sourced(half_life.value, _SOURCE, Status.UNVERIFIED),
        range_gy_per_gbq=None if kind == LESION else PUBLISHED[kind].range_gy_per_gbq,
        change_per_cycle=change,
    )


def _lobes(case: CaseInputs) -> tuple[Session, Session]:
    """Return a session of the sites whose territory is the right lobe or part of it, and one of the left."""
    right = tuple(site.name for site in case.sites if set(downstream_segments(site.name)) <= {5, 6, 7, 8})
    left = tuple(site.name for site in case.sites if set(downstream_segments(site.name)) <= {1, 2, 3, 4})
    return Session("right lobe", right), Session("left lobe", left)
