"""One administration of a course and what it gives to each structure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from radioembolization.errors import CourseError, HalfLifeError, StructureError
from radioembolization.physics import LU177, Device, device_by_name
from radioembolization.physics.checked_numbers import not_negative, positive

#: Slack on a physical half-life: evaluations of one nuclide differ by less.
_HALF_LIFE_SLACK = 1.01
#: An administration of more activity [GBq] was entered in MBq: vials hold 20, a cycle 7.4 to 15.
_LARGEST_ACTIVITY_GBQ = 100.0


class Modality(StrEnum):
    """What is given."""

    LUTETIUM = "177Lu"
    RADIOEMBOLIZATION = "radioembolization"
    EXTERNAL_BEAM = "external beam"


#: Mean doses [Gy] above which a number was entered in cGy or mGy: lesions received up to 77 Gy in a cycle
#: (PMC8978188), and a few hundred by microspheres.
_LARGEST_DOSE_GY = {Modality.LUTETIUM: 500.0, Modality.RADIOEMBOLIZATION: 5000.0, Modality.EXTERNAL_BEAM: 200.0}


@dataclass(frozen=True)
class Exposure:
    """One administration.

    Parameters
    ----------
    label : str
        ``177Lu cycle 2``, ``166Ho session 1``; no two of a ledger share it.
    day : float
        Day 0 is the first planned administration; earlier ones are negative.
    modality : Modality
    dose_gy : mapping of str to float
        Mean dose by structure [Gy].
    half_life_h : mapping of str to float
        Half-life of the dose rate by structure [h]; not for external beams.  Microspheres stay where they are: what is
        left out has the physical half-life of the device.
    device : str
        ``glass``, ``resin`` or ``holmium`` for radioembolization; empty otherwise.
    activity_gbq : float or None
        [GBq]
    measured : bool
        Delivered and measured, rather than predicted.
    source : str
    fractions : int
        External beams only: the dose of each is the dose over their number.
    last_day : float or None
        External beams only: day of the last fraction; None for all on one day.
    not_exposed : frozenset of str
        Structures that receive nothing worth counting; any other one without a dose is an error when asked for.
    patient : str
        Hash of the patient's identifier; empty if not stated.

    Raises
    ------
    CourseError
        If an entry contradicts another or cannot be meant.
    HalfLifeError
        If a half-life is missing, or longer than that of the nuclide.
    InputError
        If a number is not usable.
    """

    label: str
    day: float
    modality: Modality
    dose_gy: Mapping[str, float] = field(hash=False)
    half_life_h: Mapping[str, float] = field(default_factory=dict, hash=False)
    device: str = ""
    activity_gbq: float | None = None
    measured: bool = False
    source: str = ""
    fractions: int = 1
    last_day: float | None = None
    not_exposed: frozenset[str] = frozenset()
    patient: str = ""

    def __post_init__(self) -> None:
        if not self.label:
            raise CourseError(f"The administration on day {self.day:g} has no label: name it, as '177Lu cycle 2'.")
        object.__setattr__(self, "modality", Modality(self.modality))
        object.__setattr__(self, "dose_gy", dict(self.dose_gy))
        object.__setattr__(self, "not_exposed", frozenset(self.not_exposed))
        self._check_days()
        self._check_device()
        self._check_doses()
        self._check_activity()
        object.__setattr__(self, "half_life_h", self._half_lives_h())

    def dose_of_gy(self, structure: str) -> float:
        """Return the dose of a structure [Gy], 0 where it is declared as not exposed.

        Raises
        ------
        StructureError
            If nothing says what the structure receives.
        """
        if structure in self.dose_gy:
            return self.dose_gy[structure]
        if structure in self.not_exposed:
            return 0.0
        raise StructureError(
            f"'{self.label}' does not say what '{structure}' receives (only {', '.join(self.dose_gy) or 'nothing'}): "
            "add its dose, or name it in not_exposed."
        )

    @property
    def ends_day(self) -> float:
        """Day of the last fraction, or that of the administration."""
        return self.day if self.last_day is None else self.last_day

    @property
    def physical_half_life_h(self) -> float:
        """Half-life of the nuclide [h], infinite for external beams."""
        if self.modality is Modality.EXTERNAL_BEAM:
            return math.inf
        return LU177.half_life_h if self.modality is Modality.LUTETIUM else self._device.nuclide.half_life_h

    @property
    def _device(self) -> Device:
        return device_by_name(self.device)

    def _check_days(self) -> None:
        last = self.ends_day
        if not (math.isfinite(self.day) and math.isfinite(last)):
            raise CourseError(f"The day of '{self.label}' must be a number of days, not {self.day:g} to {last:g}.")
        if last < self.day:
            raise CourseError(f"'{self.label}' ends on day {last:g}, before it begins on day {self.day:g}.")

    def _check_device(self) -> None:
        beams = self.modality is Modality.EXTERNAL_BEAM
        if self.modality is Modality.RADIOEMBOLIZATION:
            device_by_name(self.device)
        elif self.device:
            raise CourseError(f"'{self.label}' is {self.modality} and has no device, but names '{self.device}'.")
        if not beams and (self.fractions != 1 or self.last_day is not None):
            raise CourseError(f"'{self.label}' is {self.modality}: only external beams have fractions and a last day.")
        if beams and self.half_life_h:
            raise CourseError(f"'{self.label}' is external beam: its dose has fractions, no half-life.")
        if isinstance(self.fractions, bool) or int(self.fractions) != self.fractions or self.fractions < 1:
            raise CourseError(f"'{self.label}' needs a whole number of fractions from 1 on, not {self.fractions}.")

    def _check_doses(self) -> None:
        most = _LARGEST_DOSE_GY[self.modality]
        for structure, dose in self.dose_gy.items():
            not_negative(f"Dose of '{structure}' by '{self.label}'", dose, "Gy")
            if dose > most:
                raise CourseError(
                    f"'{self.label}' gives {dose:g} Gy to '{structure}', above {most:g} Gy: enter Gy, not cGy or mGy."
                )
        both = sorted(self.not_exposed & set(self.dose_gy))
        if both:
            raise CourseError(f"'{self.label}' gives a dose to {both} and declares them as not exposed: keep one.")

    def _check_activity(self) -> None:
        if self.activity_gbq is None:
            return
        not_negative(f"Activity of '{self.label}'", self.activity_gbq, "GBq")
        if self.activity_gbq > _LARGEST_ACTIVITY_GBQ:
            raise CourseError(f"'{self.label}' has {self.activity_gbq:g} GBq: enter GBq, not MBq.")

    def _half_lives_h(self) -> dict[str, float]:
        """Return the half-life of every structure that receives something, checked."""
        if self.modality is Modality.EXTERNAL_BEAM:
            return {}
        physical = self.physical_half_life_h
        default = dict.fromkeys(self.dose_gy, physical) if self.modality is Modality.RADIOEMBOLIZATION else {}
        half_lives = {**default, **self.half_life_h}
        for structure, half_life_h in half_lives.items():
            positive(f"Half-life of '{structure}' by '{self.label}'", half_life_h, "h")
            if half_life_h > physical * _HALF_LIFE_SLACK:
                raise HalfLifeError(
                    f"'{self.label}' leaves '{structure}' with a half-life of {half_life_h:g} h, longer than the "
                    f"physical {physical:.1f} h: enter the effective half-life in hours."
                )
        missing = sorted(s for s, dose in self.dose_gy.items() if dose > 0.0 and s not in half_lives)
        if missing:
            raise HalfLifeError(f"'{self.label}' has no half-life of {missing}: add their effective half-lives [h].")
        return half_lives
