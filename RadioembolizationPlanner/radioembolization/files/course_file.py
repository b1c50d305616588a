"""The course file: a TOML text that names a case file and says what 177Lu gives, and what may be given when."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path

from radioembolization.course.course_problem import Repopulation
from radioembolization.course.eligibility import LabValue
from radioembolization.course.exposure import Exposure, Modality
from radioembolization.course.sessions import Session
from radioembolization.course.uptake import checked_cycle_gbq
from radioembolization.errors import CaseFileError, CourseError
from radioembolization.files.artery_names import as_called
from radioembolization.files.case_file import read_case
from radioembolization.files.course_rules import budgets_from, constraints_from, tissues_from, weeks_from
from radioembolization.files.course_tables import day_of, exposure_of, in_order, plans_from, read_table, start_of
from radioembolization.files.image_file import sha256_of
from radioembolization.files.toml_table import Table
from radioembolization.files.uptake_tables import UptakeReader
from radioembolization.structures import NORMAL_LIVER
from radioembolization.treatment import CaseInputs
from radioembolization.treatment.case import collected_notices
from radioembolization.treatment.course_inputs import CourseInputs, hepatic_lesions


def read_course(path: Path) -> CourseInputs:
    """Read a course file, its case and everything they name; see ``docs/course.md``.

    Paths in it are relative to the file.

    Raises
    ------
    CaseFileError
        If an entry is missing, unknown or of the wrong kind; the message names it.
    FileMissing, ParameterMissing, CourseError, HalfLifeError, DeviceMismatch, LimitError
        For what the entries say.
    """
    top = read_table(path)
    with collected_notices() as notices:
        case_path = path.parent / top.text("case")
        case = read_case(case_path)
        inputs = course_from_table(top, case, path)
    return replace(inputs, notices=tuple(notices))


def start_of_course(path: Path) -> datetime.date | None:
    """Return the date of day 0 of a course file, None if it states none."""
    return start_of(read_table(path))


def course_from_table(top: Table, case: CaseInputs, path: Path) -> CourseInputs:
    """Return the course that the entries of a course file state for a case; errors as of ``read_course``.

    Parameters
    ----------
    top : Table
        Without the entry ``case``, or with it taken.
    case : CaseInputs
    path : Path
        File of the course, to whose folder other files in it are relative.
    """
    start, outside = start_of(top), tuple(top.texts("extrahepatic_lesions", []))
    lesions = (*hepatic_lesions(case), *outside)
    cycles, others = top.table("cycles"), top.table("radioembolization")
    budgets = budgets_from(top.table("budgets"))
    needed = (*lesions, NORMAL_LIVER, *(budget.structure for budget in budgets))
    reader = UptakeReader(lesions, top.text("grade", ""), path.parent)
    files = {"course": path, **reader.files(top)}
    uptakes = reader.read(top.table("uptakes"), needed)
    constraints = constraints_from(top)
    history = _history(top, start)
    objective = top.table("objective")
    aim = objective.number("aim_bed_gy", None)
    inputs = CourseInputs(
        case=case,
        uptakes=uptakes,
        tissues=tissues_from(top.table("tissues"), lesions, uptakes),
        extrahepatic_lesions=outside,
        extrahepatic_disease=_extrahepatic_disease(top, outside),
        budgets=budgets,
        most_cycles=_whole(cycles, "at_most", 4),
        least_cycles=_whole(cycles, "at_least", 0),
        cycle_activities_gbq=_activities(cycles),
        session_plans=_session_plans(top.table("sessions"), others, case),
        weeks=weeks_from(top.table("weeks"), constraints),
        constraints=constraints,
        other_device_reason=others.text("other_device_reason", ""),
        history=history,
        cycles_given=_cycles_given(cycles, history),
        repopulation=_repopulation(top.table("repopulation")),
        aim_bed_gy=aim,
        weights=_weights(objective, aim, lesions),
        labs=_labs(top, start),
        hashes={part: sha256_of(file) for part, file in files.items()},
    )
    for table in (top, cycles, others, objective):
        table.refuse_leftovers()
    return inputs


def _whole(table: Table, key: str, default: int) -> int:
    number = table.number(key, float(default))
    if number != int(number) or number < 0:
        raise CaseFileError(f"{table.where}.{key} must be a whole number from 0 on, not {number:g}.")
    return int(number)


def _extrahepatic_disease(top: Table, lesions: tuple[str, ...]) -> bool | None:
    stated = top.take("extrahepatic_disease", None)
    if stated is not None and stated is not bool(lesions):
        raise CaseFileError(
            f"{top.where}.extrahepatic_disease is {str(stated).lower()}, but extrahepatic_lesions names "
            f"{len(lesions)}: name the lesions, or state false with none."
        )
    return True if lesions else stated


def _activities(cycles: Table) -> tuple[float, ...]:
    listed = cycles.list_of_numbers("activities_gbq") if cycles.peek("activities_gbq", None) is not None else [7.4]
    cycles.take("activities_gbq", None)
    return tuple(checked_cycle_gbq(activity) for activity in listed)


def _cycles_given(cycles: Table, history: tuple[Exposure, ...]) -> int:
    given = _whole(cycles, "given", 0)
    known = sum(exposure.modality is Modality.LUTETIUM for exposure in history)
    if given > known:
        raise CaseFileError(
            f"{cycles.where}.given is {given}, but the history holds {known} cycles of 177Lu: add them to [[history]]."
        )
    return given


def _session_plans(sessions: Table, others: Table, case: CaseInputs) -> tuple[tuple[Session, ...], ...]:
    known = {"whole liver": Session("whole liver")}
    sites = [site.name for site in case.sites]
    for name, chosen in sessions.everything().items():
        if not isinstance(chosen, list):
            raise CaseFileError(f"{sessions.where}.{name} must be a list of sites, not {chosen!r}.")
        chosen = [as_called(site, sites) for site in chosen]
        unknown = [site for site in chosen if site not in sites]
        if unknown:
            raise CaseFileError(f"{sessions.where}.{name} names {unknown}, which are no sites: use {', '.join(sites)}.")
        known[name] = Session(name, tuple(chosen))
    return plans_from(others.take("plans", [[], ["whole liver"]]), f"{others.where}.plans", known)


def _history(top: Table, start: datetime.date | None) -> tuple[Exposure, ...]:
    history = in_order([exposure_of(entry, start, measured=False) for entry in top.tables("history")])
    late = [exposure.label for exposure in history if exposure.day >= 0.0]
    if late:
        raise CourseError(
            f"{late} of the history are on day 0 or later, where the course begins: give them a negative day, or hand "
            "over what was delivered of the course with --after."
        )
    return history


def _labs(top: Table, start: datetime.date | None) -> tuple[LabValue, ...]:
    labs = []
    for entry in top.tables("labs"):
        value = entry.number("value", None)
        if value is None:
            raise CaseFileError(f"{entry.where} has no value.")
        labs.append(LabValue(entry.text("analyte"), value, entry.text("unit"), day_of(entry, start)))
        entry.refuse_leftovers()
    return tuple(labs)


def _repopulation(table: Table) -> Repopulation:
    rule = Repopulation(table.number("gy_per_day", 0.0), table.number("kick_off_days", 0.0))
    table.refuse_leftovers()
    return rule


def _weights(objective: Table, aim_bed_gy: float | None, lesions: tuple[str, ...]) -> dict[str, float]:
    weights = {name: float(weight) for name, weight in objective.mapping("weights").items()}
    unknown = [name for name in weights if name not in lesions]
    if unknown:
        raise CaseFileError(
            f"{objective.where}.weights names {unknown}, which are no lesions: use {', '.join(lesions)}."
        )
    if weights and aim_bed_gy is None:
        raise CaseFileError(f"{objective.where}.weights need aim_bed_gy: the lowest BED of any lesion has no weights.")
    negative = [name for name, weight in weights.items() if weight < 0.0]
    if negative:
        raise CaseFileError(f"{objective.where}.weights of {negative} are negative: use 0 to leave a lesion out.")
    return weights
