"""The small case with a course around it: uptakes, sessions and extrahepatic disease, as text that tests change."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from radioembolization.dose import DoseSettings
from radioembolization.files import write_case
from radioembolization.physics import HOLMIUM_HO166
from radioembolization.planning import Prescription, preset
from small_case import small_inputs

COURSE = """\
case = "case.toml"
extrahepatic_lesions = ["bone"]
grade = "G1"

[cycles]
at_most = 2
activities_gbq = [7.4]

[sessions]
"left lobe" = ["left"]
"right lobe" = ["right"]

[radioembolization]
plans = [[], ["whole liver"], ["right lobe", "left lobe"]]

[weeks]
cycle_to_cycle = [7, 8]
cycle_to_session = [4, 5]
session_to_session = [4]

[uptakes.A]
gy_per_gbq = 5.0
effective_half_life_h = 85
[uptakes.B]
gy_per_gbq = 1.0
effective_half_life_h = 85
[uptakes.C]
gy_per_gbq = 3.0
effective_half_life_h = 85
[uptakes.bone]
gy_per_gbq = 9.0
effective_half_life_h = 80
[uptakes."normal liver"]
gy_per_gbq = 0.3
effective_half_life_h = 67
[uptakes.kidney]
gy_per_gbq = 0.5
effective_half_life_h = 51
[uptakes.marrow]
gy_per_gbq = 0.03
effective_half_life_h = 71
"""


def case_inputs(patient: str = ""):
    """Return the small case with 166Ho."""
    return small_inputs(
        settings=DoseSettings(HOLMIUM_HO166),
        prescription=Prescription.from_preset(preset("holmium/bilobar")),
        patient=patient,
    )


def write_small_course(folder: Path, text: str = COURSE, patient: str = "") -> Path:
    """Write the small case and a course file beside it; return the course file."""
    if not (folder / "case.toml").is_file():
        write_case(case_inputs(), folder)
    if patient:
        case = folder / "case.toml"
        case.write_text(case.read_text(encoding="utf-8") + f'\n[patient]\nidentifier = "{patient}"\n', encoding="utf-8")
    path = folder / "course.toml"
    path.write_text(text, encoding="utf-8")
    return path


def changed(old: str, new: str) -> str:
    """Return the course with one part replaced, which must be there."""
    assert COURSE.count(old) == 1, old
    return COURSE.replace(old, new)


@cache
def _planned(folder: Path):
    from radioembolization.files.course_file import read_course
    from radioembolization.treatment.planned_course import plan_course_of

    return plan_course_of(read_course(write_small_course(folder)))


def planned_small_course(folder: Path):
    """Return the small course, planned once for a folder."""
    return _planned(folder)
