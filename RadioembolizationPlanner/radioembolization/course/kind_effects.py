"""What every schedule of a kind gives to lesions and organs, as far as 177Lu and earlier treatments go."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from radioembolization.course.course_problem import CourseProblem
from radioembolization.course.effects import Biology, Components, mutual_between_sessions
from radioembolization.course.exposure import Exposure, Modality
from radioembolization.course.external_beam import fractionated_bed_gy
from radioembolization.course.lesion_bed import LesionResponse
from radioembolization.course.schedule import Event, Kind, weeks_of
from radioembolization.course.uptake import cycle_doses_gy

_DAYS_PER_WEEK = 7.0


class KindEffects:
    """Schedules of a kind.

    Parameters
    ----------
    problem : CourseProblem
    kind : Kind
    weeks : ndarray (schedules, events), optional
        Without it, all that the intervals allow; there may be none.
    """

    def __init__(self, problem: CourseProblem, kind: Kind, weeks: np.ndarray | None = None) -> None:
        self.problem, self.kind = problem, kind
        self.weeks = self._allowed_weeks() if weeks is None else weeks
        events = np.array([event is Event.CYCLE for event in kind.events], dtype=bool)
        self.cycle_weeks, self.session_weeks = self.weeks[:, events], self.weeks[:, ~events]
        self._bed_before: dict[str, np.ndarray] = {}
        self._slopes: dict[str, np.ndarray] = {}

    def only(self, schedules: np.ndarray) -> KindEffects:
        """Return the effects of some schedules (schedules,) of bool."""
        return self if schedules.all() else KindEffects(self.problem, self.kind, self.weeks[schedules])

    @property
    def schedules(self) -> int:
        """Number of schedules."""
        return len(self.weeks)

    def cycle_dose_gy(self, structure: str, cycle: int) -> float:
        """Return what a cycle (from 1) of this course gives to a structure [Gy]."""
        number = self.problem.cycles_given + cycle
        return cycle_doses_gy(self.problem.uptakes[structure], number, self.kind.activity_gbq)

    def lutetium_dose_gy(self, structure: str) -> float:
        """Return what all cycles of the kind give to a structure [Gy]; 0 if it is no structure of the uptakes."""
        if structure not in self.problem.uptakes:
            return 0.0
        return sum(self.cycle_dose_gy(structure, cycle) for cycle in range(1, self.kind.cycles + 1))

    def earlier_dose_gy(self, structure: str) -> float:
        """Return what the history gave to a structure [Gy]; 0 where nothing is said of it."""
        return sum(exposure.dose_gy.get(structure, 0.0) for exposure in self.problem.history)

    def components(self, structure: str) -> Components:
        """Return the dose components of a structure besides those of the sessions to be planned."""
        cycles = range(1, self.kind.cycles + 1)
        doses = [self.cycle_dose_gy(structure, cycle) for cycle in cycles]
        half_life_h = self.problem.uptakes[structure].effective_half_life_h.value
        half_lives, weeks = [half_life_h] * len(doses), [self.cycle_weeks]
        for exposure in self.problem.history:
            dose = exposure.dose_of_gy(structure)
            if exposure.modality is not Modality.EXTERNAL_BEAM and dose > 0.0:
                doses.append(dose)
                half_lives.append(exposure.half_life_h[structure])
                weeks.append(np.full((self.schedules, 1), exposure.day / _DAYS_PER_WEEK))
        return Components(np.array(doses), np.array(half_lives), np.hstack(weeks))

    def bed_before_gy(self, structure: str) -> np.ndarray:
        """Return the BED (schedules,) of a structure without the sessions to be planned [Gy]."""
        if structure not in self._bed_before:
            biology = self.biology(structure)
            beams = sum(external_bed_gy(e, structure, biology) for e in self.problem.history)
            self._bed_before[structure] = self.components(structure).bed_gy(biology) + beams
        return self._bed_before[structure]

    def slopes(self, structure: str) -> np.ndarray:
        """Return the BED a structure gains per Gy of microspheres in each session (schedules, sessions), without
        the square of that dose."""
        if structure not in self._slopes:
            components, biology = self.components(structure), self.biology(structure)
            half_life_h, slopes = self.problem.microspheres_half_life_h, np.ones(self.session_weeks.shape)
            for session, week in enumerate(self.session_weeks.T):
                slopes[:, session] = components.slope_with(half_life_h, week, biology)
            self._slopes[structure] = slopes
        return self._slopes[structure]

    def biology(self, structure: str) -> Biology:
        """Return the tissue parameters of a structure."""
        tissue = self.problem.tissues[structure]
        return Biology(tissue.alpha_beta_gy.value, tissue.repair_half_time_h.value)

    def curvature_per_gy(self, structure: str) -> float:
        """Return k of ``BED = D (1 + k D)`` of the microspheres [1/Gy]."""
        return self.biology(structure).curvature_per_gy(self.problem.microspheres_half_life_h)

    @cached_property
    def growth_gy(self) -> np.ndarray:
        """BED that repopulation takes from every lesion between the first and the last administration of the course
        (schedules,) [Gy]."""
        rule, given = self.problem.repopulation, [e.day for e in self.problem.history if e.day >= 0.0]
        if not self.kind.events:
            return np.full(self.schedules, rule.gy_per_day * max(0.0, _span(given) - rule.kick_off_days))
        first = np.minimum(self.weeks[:, 0] * _DAYS_PER_WEEK, min(given, default=np.inf))
        days = self.weeks[:, -1] * _DAYS_PER_WEEK - first
        return rule.gy_per_day * np.maximum(0.0, days - rule.kick_off_days)

    @cached_property
    def optimistic(self) -> dict[str, LesionResponse]:
        """Responses of the hepatic lesions that no schedule surpasses."""
        return {name: self._optimistic(name) for name in self.problem.hepatic_lesions}

    def _optimistic(self, lesion: str) -> LesionResponse:
        base = float(np.max(self.bed_before_gy(lesion) - self.growth_gy))
        return LesionResponse(base, float(self.slopes(lesion).max()), self.curvature_per_gy(lesion))

    def lesion_bed_gy(self, lesion: str, dose_gy: np.ndarray) -> np.ndarray:
        """Return the BED of a lesion (schedules, parts), less repopulation [Gy].

        Parameters
        ----------
        lesion : str
        dose_gy : ndarray (sessions, parts)
            Mean dose of the lesion and of its parts by each session [Gy].
        """
        biology, k = self.biology(lesion), self.curvature_per_gy(lesion)
        bed = (self.bed_before_gy(lesion) - self.growth_gy)[:, None] + (k * dose_gy**2).sum(axis=0)[None, :]
        if not len(dose_gy):
            return bed
        bed = bed + self.slopes(lesion) @ dose_gy
        half_life_h = self.problem.microspheres_half_life_h
        for i in range(len(dose_gy)):
            for j in range(i + 1, len(dose_gy)):
                weeks = self.session_weeks[:, j] - self.session_weeks[:, i]
                mutual = mutual_between_sessions(half_life_h, weeks, biology) / biology.alpha_beta_gy
                bed = bed + 2.0 * mutual[:, None] * (dose_gy[i] * dose_gy[j])[None, :]
        return bed

    def extrahepatic_bed_gy(self) -> dict[str, np.ndarray]:
        """Return the BED (schedules,) of every extrahepatic lesion, less repopulation [Gy]."""
        return {name: self.bed_before_gy(name) - self.growth_gy for name in self.problem.extrahepatic_lesions}

    def _allowed_weeks(self) -> np.ndarray:
        """Return the weeks of all schedules within the intervals; sessions between cycles may not delay the next one
        beyond what is allowed between cycles."""
        problem, kind = self.problem, self.kind
        weeks = weeks_of(kind, problem.week_grid, last_weeks(problem.history))
        pair = (Modality.LUTETIUM, Modality.LUTETIUM)
        rules = [rule for rule in problem.constraints.intervals if (rule.earlier, rule.later) == pair]
        most_days = min(
            (r.at_most_days or np.inf for r in rules if r.name not in problem.constraints.reasons), default=np.inf
        )
        given = [e.day for e in problem.history if e.modality is Modality.LUTETIUM and e.day >= 0.0]
        if not kind.embolized_first or not (kind.cycles_before or given):
            return weeks
        last_day = _DAYS_PER_WEEK * weeks[:, kind.cycles_before - 1] if kind.cycles_before else max(given)
        next_day = _DAYS_PER_WEEK * weeks[:, kind.cycles_before + len(kind.sessions)]
        return weeks[next_day - last_day <= most_days]


def _span(days: list[float]) -> float:
    return max(days) - min(days) if days else 0.0


def last_weeks(history: Sequence[Exposure]) -> dict[Event, int]:
    """Return the week in which a cycle and a session were given last, rounded up; without those that never were."""
    weeks: dict[Event, int] = {}
    for exposure in sorted(history, key=lambda exposure: exposure.day):
        if exposure.modality is not Modality.EXTERNAL_BEAM:
            event = Event.CYCLE if exposure.modality is Modality.LUTETIUM else Event.SESSION
            weeks[event] = int(np.ceil(exposure.day / _DAYS_PER_WEEK))
    return weeks


def external_bed_gy(exposure: Exposure, structure: str, biology: Biology) -> float:
    """Return the BED of external beams ``D (1 + d / (alpha/beta))`` [Gy]; 0 for anything else."""
    if exposure.modality is not Modality.EXTERNAL_BEAM:
        return 0.0
    return fractionated_bed_gy(exposure.dose_of_gy(structure), exposure.fractions, biology.alpha_beta_gy)
