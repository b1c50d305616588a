"""The gate before each session: blood tests entered anew, against editable thresholds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from radioembolization.course.exposure import Modality
from radioembolization.errors import CourseError, LimitError
from radioembolization.physics.checked_numbers import positive
from radioembolization.physics.sourced import Status


@dataclass(frozen=True)
class Analyte:
    """A quantity of a blood test.

    Parameters
    ----------
    name : str
    units : mapping of str to float
        Factor of each unit to the first.
    plausible : (float, float)
        Least and largest value that can be meant [first unit].
    """

    name: str
    units: Mapping[str, float] = field(hash=False)
    plausible: tuple[float, float]

    @property
    def unit(self) -> str:
        """Unit of thresholds."""
        return next(iter(self.units))

    def converted(self, value: float, unit: str) -> float:
        """Return a value in the first unit.

        Raises
        ------
        CourseError
            If the unit is unknown, or the value cannot be in it.
        """
        factor = self.units.get(unit.replace("µ", "u").replace("μ", "u"))
        if factor is None:
            raise CourseError(f"Unknown unit '{unit}' of {self.name}: use {', '.join(self.units)}.")
        low, high = self.plausible
        if not (math.isfinite(value) and low <= value * factor <= high):
            raise CourseError(
                f"{self.name.capitalize()} of {value:g} {unit} cannot be: between {low:g} and {high:g} {self.unit} is "
                "possible. Check value and unit."
            )
        return value * factor


@dataclass(frozen=True)
class LabValue:
    """One result: what, how much, in which unit, taken on which day of the course."""

    analyte: str
    value: float
    unit: str
    day: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.day):
            raise CourseError(f"The day of {self.analyte} must be a number of days, not {self.day:g}.")


@dataclass(frozen=True)
class Threshold:
    """What a result must be for a session of one kind.

    Parameters
    ----------
    modality : Modality
    analyte : str
    at_least, at_most : float or None
        In the first unit of the analyte.
    source : str
    status : Status

    Raises
    ------
    LimitError
        If there is no bound, or the two contradict each other.
    InputError
        If a bound is not a positive number.
    """

    modality: Modality
    analyte: str
    at_least: float | None = None
    at_most: float | None = None
    source: str = "user"
    status: Status = Status.UNVERIFIED

    def __post_init__(self) -> None:
        bounds = [bound for bound in (self.at_least, self.at_most) if bound is not None]
        if not bounds:
            raise LimitError(f"The threshold on {self.analyte} has no bound: state at_least or at_most.")
        for bound in bounds:
            positive(f"The threshold on {self.analyte}", bound, "")
        if len(bounds) == 2 and bounds[0] > bounds[1]:
            raise LimitError(f"The threshold on {self.analyte} is at least {bounds[0]:g} and at most {bounds[1]:g}.")

    def failure(self, value: float, unit: str) -> str:
        """Return in words how a value [unit of the threshold] misses; empty if it does not."""
        if self.at_most is not None and value > self.at_most:
            told = f"above {self.at_most:g} {unit}"
        elif self.at_least is not None and value < self.at_least:
            told = f"below {self.at_least:g} {unit}"
        else:
            return ""
        flag = "" if self.status is Status.CONFIRMED else f", {self.status}"
        return f"{self.analyte} {value:.3g} is {told} ({self.source}{flag})"


@dataclass(frozen=True)
class Gate:
    """All thresholds.

    Parameters
    ----------
    analytes : mapping of str to Analyte
    thresholds : tuple of Threshold
    lab_age_days : float
        Age a result may have at a session [days].
    """

    analytes: Mapping[str, Analyte] = field(hash=False)
    thresholds: tuple[Threshold, ...]
    lab_age_days: float

    def __post_init__(self) -> None:
        positive("The age of a blood test", self.lab_age_days, "days")
        unknown = sorted({t.analyte for t in self.thresholds} - set(self.analytes))
        if unknown:
            raise LimitError(f"Thresholds on {unknown}, of which no units are known: use {', '.join(self.analytes)}.")

    def check(
        self, modality: Modality, day: float, since_day: float, labs: Sequence[LabValue]
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return which analytes are missing for a session, and which thresholds are missed, in words.

        Parameters
        ----------
        modality : Modality
        day : float
            Of the session.
        since_day : float
            Day of the administration before; a result must be later.
        labs : sequence of LabValue

        Raises
        ------
        CourseError
            If a result is of something unknown, in an unknown unit, or cannot be.
        """
        values = [(lab, self._value(lab)) for lab in labs]
        missing, failures = [], []
        for threshold in (t for t in self.thresholds if t.modality is modality):
            usable = [
                (lab.day, value)
                for lab, value in values
                if lab.analyte == threshold.analyte and since_day < lab.day <= day <= lab.day + self.lab_age_days
            ]
            if not usable:
                missing.append(threshold.analyte)
                continue
            failure = threshold.failure(_latest_worst(usable, threshold), self.analytes[threshold.analyte].unit)
            failures += [failure] if failure else []
        return tuple(dict.fromkeys(missing)), tuple(failures)

    def _value(self, lab: LabValue) -> float:
        if lab.analyte not in self.analytes:
            raise CourseError(f"Unknown blood test '{lab.analyte}': use {', '.join(self.analytes)}.")
        return self.analytes[lab.analyte].converted(lab.value, lab.unit)


def _latest_worst(results: Sequence[tuple[float, float]], threshold: Threshold) -> float:
    """Return the latest value; of several on that day the one that misses, if any."""
    last = max(day for day, _ in results)
    values = [value for day, value in results if day == last]
    return next((value for value in values if threshold.failure(value, "")), values[0])
