"""Which rules a schedule does not keep: intervals, order, and blood tests before each session."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

from radioembolization.course.constraints import (
    EMBOLIZED_FIRST,
    INSTEAD_OF_CYCLES,
    Constraints,
    Finding,
    IntervalRule,
    in_weeks,
)
from radioembolization.course.eligibility import Gate, LabValue
from radioembolization.course.exposure import Modality
from radioembolization.errors import CourseError
from radioembolization.physics.sourced import Status


class Administration(Protocol):
    """What a schedule needs to know of an administration; an ``Exposure`` is one."""

    @property
    def label(self) -> str: ...
    @property
    def day(self) -> float: ...
    @property
    def modality(self) -> Modality: ...
    @property
    def measured(self) -> bool: ...


@dataclass(frozen=True)
class Appointment:
    """An administration without doses, as far as a schedule goes."""

    label: str
    day: float
    modality: Modality
    measured: bool = False


@dataclass(frozen=True)
class Violation:
    """A rule that a schedule does not keep.

    Parameters
    ----------
    finding : Finding
    rule : str
        Name of the rule.
    text : str
        What, where and how to fix it.
    labels : tuple of str
        Of the administrations concerned.
    past : bool
        Whether all of them were given already.
    reason : str
        Stated for breaking the rule; empty for none.
    """

    finding: Finding
    rule: str
    text: str
    labels: tuple[str, ...]
    past: bool = False
    reason: str = ""

    @property
    def blocks(self) -> bool:
        """Whether the schedule may not be given as it stands."""
        return not (self.past or self.reason or self.finding is Finding.UNUSUAL_INTERVAL)

    def __str__(self) -> str:
        told = f" Reason stated: {self.reason}." if self.reason else ""
        return f"{self.finding}: {self.text}{told}"


def check_schedule(
    administrations: Sequence[Administration],
    constraints: Constraints,
    labs: Sequence[LabValue] = (),
    extrahepatic_disease: bool | None = None,
) -> list[Violation]:
    """Return every rule that a schedule does not keep, in words.

    Parameters
    ----------
    administrations : sequence of Administration
        History and plan, in order of time.
    constraints : Constraints
    labs : sequence of LabValue
    extrahepatic_disease : bool or None
        None if not known, which asks for a reason as its presence does.

    Raises
    ------
    CourseError
        If they are out of order, a day is not a number, or a blood test cannot be.
    """
    _check_order(administrations)
    found = [v for rule in constraints.intervals for v in _interval_violations(administrations, rule)]
    found += _embolized_first(administrations)
    found += _instead_of_cycles(administrations, constraints, extrahepatic_disease)
    found = [replace(violation, reason=constraints.reasons.get(violation.rule, "")) for violation in found]
    return found + _gate_violations(administrations, constraints.gate, labs)


def _check_order(administrations: Sequence[Administration]) -> None:
    for one in administrations:
        if not math.isfinite(one.day):
            raise CourseError(f"The day of '{one.label}' must be a number of days, not {one.day:g}.")
    for one, other in pairwise(administrations):
        if other.day < one.day:
            raise CourseError(
                f"'{other.label}' on day {other.day:g} stands after '{one.label}' on day {one.day:g}: a negative "
                "interval. Give the administrations in order of time."
            )
        if other.measured and not one.measured and one.day >= 0.0:
            raise CourseError(f"'{other.label}' was given, but '{one.label}' before it was not: correct the days.")


def _interval_violations(administrations: Sequence[Administration], rule: IntervalRule) -> list[Violation]:
    found = []
    for number, later in enumerate(administrations):
        if later.modality is not rule.later:
            continue
        places = [i for i in range(number) if administrations[i].modality is rule.earlier]
        if not places:
            continue
        earlier, between = administrations[places[-1]], administrations[places[-1] + 1 : number]
        first = all(one.modality is not rule.later for one in between)
        finding = rule.finding(days := later.day - earlier.day, first)
        if finding:
            flag = "" if rule.status is Status.CONFIRMED else f", {rule.status}"
            text = f"'{later.label}' is {in_weeks(days)} after '{earlier.label}', {finding[1]} ({rule.source}{flag})."
            past = _given(earlier) and _given(later)
            found.append(Violation(finding[0], rule.name, text, (earlier.label, later.label), past))
    return found


def _embolized_first(administrations: Sequence[Administration]) -> list[Violation]:
    """Return every planned or given cycle that directly follows a session."""
    found = []
    radionuclides = [one for one in administrations if one.modality is not Modality.EXTERNAL_BEAM]
    for one, other in pairwise(radionuclides):
        if one.modality is Modality.RADIOEMBOLIZATION and other.modality is Modality.LUTETIUM:
            text = (
                f"'{other.label}' follows '{one.label}': no prospective source has radioembolization before 177Lu. "
                "Give all cycles first, or state a reason."
            )
            past = _given(one) and _given(other)
            found.append(Violation(Finding.NEEDS_REASON, EMBOLIZED_FIRST, text, (one.label, other.label), past))
    return found


def _instead_of_cycles(
    administrations: Sequence[Administration], constraints: Constraints, extrahepatic_disease: bool | None
) -> list[Violation]:
    sessions = [one for one in administrations if one.modality is Modality.RADIOEMBOLIZATION and not _given(one)]
    cycles = sum(one.modality is Modality.LUTETIUM for one in administrations)
    full = constraints.full_course.value
    if not sessions or cycles >= full or extrahepatic_disease is False:
        return []
    there = (
        "There is extrahepatic disease"
        if extrahepatic_disease
        else "Whether there is extrahepatic disease is not stated"
    )
    text = (
        f"{there}, and radioembolization is planned with {cycles} of {full} cycles of 177Lu: it reaches the liver "
        "only. Plan all cycles, or state a reason."
    )
    return [Violation(Finding.NEEDS_REASON, INSTEAD_OF_CYCLES, text, tuple(one.label for one in sessions))]


def _gate_violations(
    administrations: Sequence[Administration], gate: Gate, labs: Sequence[LabValue]
) -> list[Violation]:
    found = []
    for number, session in enumerate(administrations):
        if _given(session) or session.modality is Modality.EXTERNAL_BEAM:
            continue
        before = [one.day for one in administrations[:number] if one.modality is not Modality.EXTERNAL_BEAM]
        since = before[-1] if before else -math.inf
        missing, failures = gate.check(session.modality, session.day, since, labs)
        if missing:
            text = (
                f"'{session.label}' on day {session.day:g} needs {', '.join(missing)} of at most "
                f"{gate.lab_age_days:g} days before and after the administration before it: enter them."
            )
            found.append(Violation(Finding.NOT_ELIGIBLE_UNTIL_ENTERED, "blood tests", text, (session.label,)))
        if failures:
            text = f"'{session.label}' on day {session.day:g}: {'; '.join(failures)}."
            found.append(Violation(Finding.NOT_ELIGIBLE, "blood tests", text, (session.label,)))
    return found


def _given(administration: Administration) -> bool:
    return administration.measured or administration.day < 0.0
