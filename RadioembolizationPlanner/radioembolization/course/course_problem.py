"""What a course of treatment is planned from: doses, uptakes, limits, what may be given and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from radioembolization.biology import TissueBiology
from radioembolization.course.budget import OrganBudget
from radioembolization.course.constraints import EMBOLIZED_FIRST, INSTEAD_OF_CYCLES, Constraints, stated_constraints
from radioembolization.course.exposure import Exposure
from radioembolization.course.schedule import WeekGrid, weeks_within
from radioembolization.course.sessions import Session
from radioembolization.course.uptake import RegionUptake
from radioembolization.dose import DosePerGBq
from radioembolization.errors import InputError
from radioembolization.physics.checked_numbers import not_negative, positive
from radioembolization.planning import Problem
from radioembolization.structures import NORMAL_LIVER, Role

#: Rates of repopulation above this are an artefact of a small alpha [Gy/day]: ln 2 / (alpha T_d).
LARGEST_REPOPULATION_GY_PER_DAY = 0.1


@dataclass(frozen=True)
class Repopulation:
    """Loss of BED by tumour growth during treatment: ``rate x max(0, days - kick_off)``.

    Parameters
    ----------
    gy_per_day : float
        ``ln 2 / (alpha T_d)``; with alpha 0.35/Gy and a doubling time of 100 days, 0.020 Gy a day.
    kick_off_days : float
        Time before it begins.

    Raises
    ------
    InputError
        If the rate would let the schedule be chosen by it: above 0.1 Gy a day, which comes from a
        radiosensitivity that was fitted to something else.
    """

    gy_per_day: float = 0.0
    kick_off_days: float = 0.0

    def __post_init__(self) -> None:
        not_negative("Repopulation", self.gy_per_day, "Gy/day")
        not_negative("Time before repopulation", self.kick_off_days, "days")
        if self.gy_per_day > LARGEST_REPOPULATION_GY_PER_DAY:
            raise InputError(
                f"A repopulation of {self.gy_per_day:g} Gy/day would choose the intervals by itself: it comes from too "
                f"small an alpha. Use at most {LARGEST_REPOPULATION_GY_PER_DAY:g} (0.35/Gy and 100 days give 0.020)."
            )


@dataclass(frozen=True, eq=False)
class CourseProblem:
    """A course to be planned.

    Parameters
    ----------
    dose : DosePerGBq
        Of radioembolization; its tumours are the hepatic lesions.
    problem : Problem
        Limits of radioembolization; its goal is not used.
    uptakes : mapping of str to RegionUptake
        By structure: every hepatic lesion by its name, ``normal liver``, organs with a budget, extrahepatic lesions.
    tissues : mapping of str to TissueBiology
        By structure.
    extrahepatic_lesions : tuple of str
        Lesions that only 177Lu reaches.
    budgets : tuple of OrganBudget
        Of organs that 177Lu reaches.
    most_cycles, least_cycles : int
    cycle_activities_gbq : tuple of float
        Activities that a cycle may have [GBq].
    session_plans : tuple of tuple of Session
        Sessions that may be given together; with ``()``, radioembolization may be left out.
    weeks : WeekGrid, optional
        Choices of weeks between administrations; without it, those of the constraints.
    constraints : Constraints
        Intervals, order and reasons for breaking them: radioembolization comes last, and takes the place of no cycle
        where there is extrahepatic disease, unless a reason is stated.
    other_device_reason : str
        Why the BED of other microspheres in the history may be set against the limit of this device.
    history : tuple of Exposure
        Earlier treatments and what was delivered of this course.
    cycles_given : int
        Cycles of this course among the history.
    repopulation : Repopulation
    aim_bed_gy : float or None
        With it, the dose that lesions are short of this BED is minimized, in sum by weights; without it, the lowest
        BED of any lesion is maximized.
    weights : mapping of str to float
        Of lesions in that sum; 1 for those not named.
    """

    dose: DosePerGBq
    problem: Problem
    uptakes: Mapping[str, RegionUptake]
    tissues: Mapping[str, TissueBiology]
    extrahepatic_lesions: tuple[str, ...] = ()
    budgets: tuple[OrganBudget, ...] = ()
    most_cycles: int = 4
    least_cycles: int = 0
    cycle_activities_gbq: tuple[float, ...] = (7.4,)
    session_plans: tuple[tuple[Session, ...], ...] = ((), (Session("whole liver"),))
    weeks: WeekGrid | None = None
    constraints: Constraints = field(default_factory=stated_constraints)
    other_device_reason: str = ""
    history: Sequence[Exposure] = ()
    cycles_given: int = 0
    repopulation: Repopulation = field(default_factory=Repopulation)
    aim_bed_gy: float | None = None
    weights: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.least_cycles <= self.most_cycles:
            raise InputError(f"{self.least_cycles} to {self.most_cycles} cycles cannot be given: exchange the numbers.")
        if not self.cycle_activities_gbq or not self.session_plans:
            raise InputError("A course needs at least one activity of a cycle and one plan of sessions (maybe empty).")
        for activity in self.cycle_activities_gbq:
            positive("Activity of a cycle", activity, "GBq")
        if not self.hepatic_lesions:
            raise InputError("The liver of this course has no tumours: draw those that radioembolization may treat.")
        if self.aim_bed_gy is not None:
            positive("BED aimed at", self.aim_bed_gy, "Gy")
        needed = [*self.hepatic_lesions, *self.extrahepatic_lesions, NORMAL_LIVER, *(b.structure for b in self.budgets)]
        for what, known in (("uptake", self.uptakes), ("tissue parameters", self.tissues)):
            missing = [name for name in dict.fromkeys(needed) if name not in known]
            if missing:
                raise InputError(f"The course has no {what} of {missing}: add them, or leave these structures out.")

    @property
    def week_grid(self) -> WeekGrid:
        """Choices of weeks between administrations."""
        return self.weeks or weeks_within(self.constraints)

    @property
    def may_embolize_first(self) -> bool:
        """Whether a reason is stated for radioembolization before cycles."""
        return EMBOLIZED_FIRST in self.constraints.reasons

    @property
    def may_replace_cycles(self) -> bool:
        """Whether radioembolization may take the place of cycles."""
        return not self.extrahepatic_lesions or INSTEAD_OF_CYCLES in self.constraints.reasons

    @property
    def hepatic_lesions(self) -> tuple[str, ...]:
        """Names of the tumours in the liver."""
        return tuple(tumour.name for tumour in self.dose.with_role(Role.TUMOUR))

    @property
    def lesions(self) -> tuple[str, ...]:
        """Names of all lesions."""
        return (*self.hepatic_lesions, *self.extrahepatic_lesions)

    @property
    def microspheres_half_life_h(self) -> float:
        """Physical half-life of the device [h]."""
        return self.dose.settings.device.nuclide.half_life_h

    def weight(self, lesion: str) -> float:
        """Return the weight of a lesion."""
        return float(self.weights.get(lesion, 1.0))
