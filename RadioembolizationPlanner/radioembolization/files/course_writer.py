"""Writing a course to disk: the case with its images, and the course file that names it."""

from __future__ import annotations

import json
from pathlib import Path

from radioembolization.biology import TISSUE_BIOLOGY
from radioembolization.course.budget import organ_budgets
from radioembolization.course.constraints import stated_constraints
from radioembolization.course.exposure import Exposure, Modality
from radioembolization.course.uptake import Origin, RegionUptake
from radioembolization.errors import CaseFileError
from radioembolization.files.case_writer import write_case
from radioembolization.files.replacing import replacing
from radioembolization.treatment.course_inputs import CourseInputs


def write_course(inputs: CourseInputs, folder: Path) -> Path:
    """Write a course with its case; return the course file ``course.toml``.

    Raises
    ------
    CaseFileError
        If the course cannot be said in a course file: own budgets, changed intervals or blood tests.
    """
    _check(inputs)
    write_case(inputs.case, folder)
    path = folder / "course.toml"
    with replacing(path) as temporary:
        temporary.write_text("\n".join(_lines(inputs)) + "\n", encoding="utf-8", newline="\n")
    return path


def _check(inputs: CourseInputs) -> None:
    rules = inputs.constraints
    if rules.intervals != stated_constraints().intervals or rules.gate != stated_constraints().gate:
        raise CaseFileError("Changed intervals or blood tests cannot be written: write the course file by hand.")
    own = [budget.name for budget in inputs.budgets if budget != organ_budgets().get(budget.name)]
    if own:
        raise CaseFileError(f"The budgets {own} are not stated ones and cannot be written: write the file by hand.")
    twice = [plan for plan in inputs.session_plans if len({session.name for session in plan}) < len(plan)]
    if twice:
        raise CaseFileError("A plan holds two sessions of one name: name them differently.")


def _lines(inputs: CourseInputs) -> list[str]:
    sessions = {session.name: session for plan in inputs.session_plans for session in plan}
    lines = [
        "# Research use only; not a medical device.  The entries are explained in docs/course.md.",
        f"case = {_toml('case.toml')}",
        f"extrahepatic_lesions = {_toml(list(inputs.extrahepatic_lesions))}",
    ]
    if inputs.extrahepatic_disease is False:
        lines.append("extrahepatic_disease = false")
    lines += [
        "",
        "[cycles]",
        f"at_most = {inputs.most_cycles}",
        f"at_least = {inputs.least_cycles}",
        f"given = {inputs.cycles_given}",
        f"activities_gbq = {_toml(list(inputs.cycle_activities_gbq))}",
        "",
        "[sessions]  # sites that may be injected; an empty list for all",
        *(f"{_toml(name)} = {_toml(list(session.sites))}" for name, session in sessions.items()),
        "",
        "[radioembolization]  # sessions that may be given together; [] for none",
        f"plans = {_toml([[session.name for session in plan] for plan in inputs.session_plans])}",
    ]
    if inputs.other_device_reason:
        lines.append(f"other_device_reason = {_toml(inputs.other_device_reason)}")
    lines += ["", "[budgets]", f"stated = {_toml([budget.name for budget in inputs.budgets])}"]
    lines += _objective(inputs)
    if inputs.repopulation.gy_per_day:
        lines += ["", "[repopulation]", f"gy_per_day = {inputs.repopulation.gy_per_day!r}"]
        lines.append(f"kick_off_days = {inputs.repopulation.kick_off_days!r}")
    if inputs.constraints.reasons:
        lines += ["", "[reasons]"]
        lines += [f"{_toml(rule)} = {_toml(why)}" for rule, why in inputs.constraints.reasons.items()]
    if inputs.weeks is not None:
        lines += ["", "[weeks]", *(f"{key} = {_toml(list(weeks))}" for key, weeks in vars(inputs.weeks).items())]
    for name, uptake in inputs.uptakes.items():
        lines += _uptake(name, uptake)
    own = {name: tissue for name, tissue in inputs.tissues.items() if tissue != TISSUE_BIOLOGY.get(tissue.name)}
    for name, tissue in own.items():
        lines += ["", f"[tissues.{_toml(name)}]", f"alpha_beta_gy = {tissue.alpha_beta_gy.value!r}"]
        lines += [f"repair_half_time_h = {tissue.repair_half_time_h.value!r}"]
    for exposure in inputs.history:
        lines += _exposure(exposure)
    for lab in inputs.labs:
        lines += ["", "[[labs]]", f"analyte = {_toml(lab.analyte)}", f"value = {lab.value!r}"]
        lines += [f"unit = {_toml(lab.unit)}", f"day = {lab.day!r}"]
    return lines


def _objective(inputs: CourseInputs) -> list[str]:
    if inputs.aim_bed_gy is None:
        return []
    weights = [f"{_toml(name)} = {weight!r}" for name, weight in inputs.weights.items()]
    return ["", "[objective]", f"aim_bed_gy = {inputs.aim_bed_gy!r}", f"weights = {{ {', '.join(weights)} }}"]


def _uptake(name: str, uptake: RegionUptake) -> list[str]:
    if uptake.origin is Origin.POPULATION:
        return []
    lines = [
        "",
        f"[uptakes.{_toml(name)}]",
        f"gy_per_gbq = {uptake.gy_per_gbq.value!r}",
        f"effective_half_life_h = {uptake.effective_half_life_h.value!r}",
        f"change_per_cycle = {uptake.change_per_cycle!r}",
        f"source = {_toml(uptake.gy_per_gbq.source)}",
    ]
    if uptake.range_gy_per_gbq is not None:
        lines.append(f"range_gy_per_gbq = {_toml(list(uptake.range_gy_per_gbq))}")
    if uptake.sd_gy_per_gbq is not None:
        lines.append(f"sd_gy_per_gbq = {uptake.sd_gy_per_gbq!r}")
    return lines


def _exposure(exposure: Exposure) -> list[str]:
    def table(values: dict[str, float]) -> str:
        return f"{{ {', '.join(f'{_toml(name)} = {value!r}' for name, value in values.items())} }}"

    lines = [
        "",
        "[[history]]",
        f"label = {_toml(exposure.label)}",
        f"modality = {_toml(str(exposure.modality))}",
        f"day = {exposure.day!r}",
        f"dose_gy = {table(dict(exposure.dose_gy))}",
        f"not_exposed = {_toml(sorted(exposure.not_exposed))}",
    ]
    if exposure.modality is Modality.EXTERNAL_BEAM:
        lines.append(f"fractions = {exposure.fractions}")
    else:
        lines.append(f"half_life_h = {table(dict(exposure.half_life_h))}")
    more = {"device": exposure.device or None, "activity_gbq": exposure.activity_gbq, "last_day": exposure.last_day}
    return lines + [f"{key} = {_toml(value)}" for key, value in more.items() if value is not None]


def _toml(value: object) -> str:
    """Return a text, number or list as TOML, which agrees with JSON."""
    return json.dumps(value, ensure_ascii=False)
