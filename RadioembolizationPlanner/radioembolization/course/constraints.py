"""Rules of a schedule: intervals, order and the gate of blood tests, editable, each with source and status."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

from radioembolization.course.eligibility import Analyte, Gate, Threshold
from radioembolization.course.exposure import Modality
from radioembolization.errors import LimitError
from radioembolization.physics.checked_numbers import positive
from radioembolization.physics.sourced import Sourced, Status

#: Names of the rules on order, for which a reason may be stated as for intervals.
EMBOLIZED_FIRST, INSTEAD_OF_CYCLES = "radioembolization before 177Lu", "radioembolization instead of cycles"
_TOLERANCE_DAYS = 1e-9


class Finding(StrEnum):
    """Kind of a violation."""

    INTERVAL = "interval"
    UNUSUAL_INTERVAL = "unusual interval"
    NEEDS_REASON = "needs a stated reason"
    NOT_ELIGIBLE = "not eligible"
    NOT_ELIGIBLE_UNTIL_ENTERED = "not eligible until entered"


@dataclass(frozen=True)
class IntervalRule:
    """Days from an administration to the next of a kind.

    Parameters
    ----------
    name : str
    earlier, later : Modality
        The later one keeps its distance from the last of the earlier kind before it.
    at_least_days : float
    at_most_days : float or None
        Holds for the first of the later kind only.
    usually_at_most_days : float or None
        Beyond it, the interval is allowed but told.
    source : str
    status : Status

    Raises
    ------
    LimitError
        If a bound is negative, or the bounds contradict each other.
    """

    name: str
    earlier: Modality
    later: Modality
    at_least_days: float
    at_most_days: float | None = None
    usually_at_most_days: float | None = None
    source: str = "user"
    status: Status = Status.UNVERIFIED

    def __post_init__(self) -> None:
        bounds = [self.at_least_days, *(b for b in (self.usually_at_most_days, self.at_most_days) if b is not None)]
        if not all(math.isfinite(b) and b >= 0.0 for b in bounds) or bounds != sorted(bounds):
            raise LimitError(
                f"The interval '{self.name}' has the bounds {', '.join(f'{b:g}' for b in bounds)} days: give rising "
                "numbers from 0 on, the least first."
            )

    def finding(self, days: float, first: bool) -> tuple[Finding, str] | None:
        """Return what is wrong with an interval; ``first`` of the later kind after the earlier administration."""
        if days < self.at_least_days - _TOLERANCE_DAYS:
            return Finding.INTERVAL, f"at least {in_weeks(self.at_least_days)} are needed"
        if first and self.at_most_days is not None and days > self.at_most_days + _TOLERANCE_DAYS:
            return Finding.INTERVAL, f"at most {in_weeks(self.at_most_days)} are allowed"
        if first and self.usually_at_most_days is not None and days > self.usually_at_most_days + _TOLERANCE_DAYS:
            return Finding.UNUSUAL_INTERVAL, f"usually at most {in_weeks(self.usually_at_most_days)}"
        return None


@dataclass(frozen=True)
class Constraints:
    """All rules of a schedule; ``stated_constraints()`` has those of the package.

    Parameters
    ----------
    intervals : tuple of IntervalRule
    gate : Gate
    full_course : Sourced of int
        Cycles of 177Lu that radioembolization may not replace where there is extrahepatic disease.
    reasons : mapping of str to str
        By rule: why it may be broken.
    """

    intervals: tuple[IntervalRule, ...]
    gate: Gate
    full_course: Sourced[int]
    reasons: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        positive("The number of cycles of a full course", self.full_course.value, "")
        known = [*(rule.name for rule in self.intervals), EMBOLIZED_FIRST, INSTEAD_OF_CYCLES]
        unknown = [name for name, reason in self.reasons.items() if name not in known or not reason.strip()]
        if unknown:
            raise LimitError(f"Reasons for {unknown} are empty or break no rule: use {'; '.join(known)}.")

    def with_interval(self, name: str, **changes: Any) -> Constraints:
        """Return the rules with another interval; its source is ``user`` unless stated.

        Raises
        ------
        LimitError
            If there is no such interval.
        """
        if name not in [rule.name for rule in self.intervals]:
            raise LimitError(f"Unknown interval '{name}': use {'; '.join(rule.name for rule in self.intervals)}.")
        changes = {"source": "user", "status": Status.UNVERIFIED, **changes}
        rules = tuple(replace(rule, **changes) if rule.name == name else rule for rule in self.intervals)
        return replace(self, intervals=rules)

    def because(self, **reasons_by_rule: str) -> Constraints:
        """Return the rules with reasons for breaking some; names with spaces as ``because(**{name: reason})``."""
        return replace(self, reasons={**self.reasons, **reasons_by_rule})


@cache
def stated_constraints() -> Constraints:
    """Return the rules of the package, each with source and status."""
    table = tomllib.loads(resources.files(__package__).joinpath("data/constraints.toml").read_text(encoding="utf-8"))
    analytes = {
        name: Analyte(name, a["units"], (a["plausible"][0], a["plausible"][1])) for name, a in table["analytes"].items()
    }
    thresholds = tuple(Threshold(**_typed(entry)) for entry in table["thresholds"])
    gate = Gate(analytes, thresholds, table["lab_age_days"]["value"])
    intervals = tuple(IntervalRule(name=name, **_typed(entry)) for name, entry in table["intervals"].items())
    course = table["full_course"]
    return Constraints(intervals, gate, Sourced(course["value"], course["source"], Status(course["status"])))


def _typed(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries of a table with modalities and status as such."""
    modalities = {key: Modality(table[key]) for key in ("earlier", "later", "modality") if key in table}
    return {**table, **modalities, "status": Status(table["status"])}


def in_weeks(days: float) -> str:
    """Return days as weeks, in words."""
    return f"{days / 7.0:.3g} weeks"
