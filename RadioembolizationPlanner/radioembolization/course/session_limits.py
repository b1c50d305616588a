"""Limits of radioembolization after what 177Lu and earlier treatment have spent.

The rule: the largest D with ``BED(D) + BED of everything else <= BED(D_limit)``, all with the half-life of the same
device, takes the place of every dose D_limit that a limit on the normal liver names.  Nothing recovers in between.
Doses of sessions of the device itself add up, too: no more than D_limit less what they gave.
Every limit holds for all sessions of the course together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from radioembolization.course.budget import OrganBudget, lung_budgets
from radioembolization.course.course_problem import CourseProblem
from radioembolization.course.kind_effects import KindEffects
from radioembolization.course.ledger import Ledger
from radioembolization.course.lesion_bed import dose_for_bed_gy
from radioembolization.course.liver_budget import bounds_normal_liver, liver_budget
from radioembolization.planning import (
    HepaticReserve,
    Limit,
    LungDose,
    MeanBED,
    MeanDose,
    PerfusedNormalLiverDose,
    VolumeAbove,
)
from radioembolization.structures import NORMAL_LIVER

LUNGS = "lungs"


@dataclass(frozen=True)
class ReducedLimit:
    """A limit on the normal liver, and what is left of it.

    Parameters
    ----------
    name : str
    limit_gy, remaining_gy : float
        Dose of microspheres that the limit names, without and after earlier treatment [Gy]; BED for a limit on it.
    spent_bed_gy : float
        BED of everything else [Gy].
    """

    name: str
    limit_gy: float
    remaining_gy: float
    spent_bed_gy: float


@dataclass(frozen=True, eq=False)
class SessionLimits:
    """Limits of all sessions of a kind of course.

    Parameters
    ----------
    limits : tuple of Limit
        They hold for every schedule of the kind.
    loosest : tuple of Limit
        No schedule of the kind allows more.
    least_gy, most_gy : tuple of float
        For each limit the dose or BED that it names in the two; infinite where it is the same.
    reduced : tuple of ReducedLimit
    """

    limits: tuple[Limit, ...]
    loosest: tuple[Limit, ...]
    least_gy: tuple[float, ...]
    most_gy: tuple[float, ...]
    reduced: tuple[ReducedLimit, ...] = ()

    @staticmethod
    def loosest_of(many: Sequence[SessionLimits]) -> SessionLimits:
        """Return the limits that no schedule of several kinds surpasses."""
        best = [int(np.argmax(column)) for column in zip(*(one.most_gy for one in many), strict=True)]
        loosest = tuple(many[kind].loosest[place] for place, kind in enumerate(best))
        most = tuple(many[kind].most_gy[place] for place, kind in enumerate(best))
        return SessionLimits(loosest, loosest, most, most)

    def scale_from(self, other: SessionLimits) -> float:
        """Return the largest ratio of a dose or BED in other, loosest limits to that in these, at least 1."""
        pairs = zip(other.most_gy, self.least_gy, strict=True)
        return max([1.0, *(most / least for most, least in pairs if np.isfinite(least))])


@dataclass(frozen=True, eq=False)
class _Left:
    """A limit, and what is left of the dose or BED that it names (schedules,) [Gy]; infinite if that never changes.

    ``most_gy`` is a bound of the same for sites of any session; the two differ by unrepaired damage only.
    """

    limit: Limit
    level_gy: float = np.inf
    least_gy: np.ndarray = field(default_factory=lambda: np.array([np.inf]))
    most_gy: np.ndarray = field(default_factory=lambda: np.array([np.inf]))

    def at(self, level_gy: float) -> Limit:
        """Return the limit at a lower dose or BED."""
        return _lowered(self.limit, level_gy) if np.isfinite(level_gy) else self.limit


def check_devices(problem: CourseProblem) -> tuple[str, ...]:
    """Return what limits and history take for granted, in words.

    Raises
    ------
    DeviceMismatch
        If a limit is of another device, or the history has another device and no reason is stated.
    """
    if not any(problem.session_plans):
        return ()
    device, history = problem.dose.settings.device, Ledger(tuple(problem.history), problem.tissues)
    cautions: list[str] = []
    for limit in problem.problem.limits:
        limit.check_device(device)
        if bounds_normal_liver(limit) and limit.bound > 0.0:
            budget = liver_budget(limit, device)
            cautions += budget.balance(history, device, other_device_reason=problem.other_device_reason).cautions
    for budget_ in problem.budgets:
        budget_.check_device(device)
    return tuple(dict.fromkeys(cautions))


def schedules_with_room(effects: KindEffects) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return for which schedules every limit leaves something (schedules,), and in words what leaves nothing."""
    room, reasons = np.ones(effects.schedules, dtype=bool), []
    for left in _all_left(effects):
        room &= left.least_gy > 0.0
        if not np.any(left.least_gy > 0.0):
            reasons.append(
                f"177Lu and earlier treatment leave nothing of the limit '{left.limit}': raise it, or give fewer cycles"
            )
    return room, tuple(reasons)


def limits_of_sessions(effects: KindEffects) -> SessionLimits:
    """Return the limits of the sessions of a kind, all schedules of which leave something (``schedules_with_room``)."""
    every, spent = _all_left(effects), float(effects.bed_before_gy(NORMAL_LIVER).max())
    reduced = [
        ReducedLimit(left.limit.quantity.name, left.level_gy, float(left.least_gy.min()), spent)
        for left in every
        if _named_gy(left.limit) is not None
    ]
    least, most = ([float(np.min(one.least_gy)) for one in every], [float(np.max(one.most_gy)) for one in every])
    return SessionLimits(
        tuple(left.at(level) for left, level in zip(every, least, strict=True)),
        tuple(left.at(level) for left, level in zip(every, most, strict=True)),
        tuple(least),
        tuple(most),
        tuple(reduced),
    )


def _all_left(effects: KindEffects) -> list[_Left]:
    liver = [_left_of_liver(effects, limit) for limit in effects.problem.problem.limits]
    return liver + [_left_of_organ(effects, budget) for budget in _budgets_of_sessions(effects.problem)]


def _left_of_liver(effects: KindEffects, limit: Limit) -> _Left:
    level = _named_gy(limit)
    if level is None:
        return _Left(limit)
    spent, slopes = effects.bed_before_gy(NORMAL_LIVER), effects.slopes(NORMAL_LIVER)
    if isinstance(limit.quantity, MeanBED):  # slope D + k D^2 is at most slope (D + k D^2)
        left = level - spent
        return _Left(limit, level, left / slopes.max(axis=1), left)
    k = effects.curvature_per_gy(NORMAL_LIVER)
    left = level * (1.0 + k * level) - spent
    still = max(0.0, level - _given_gy(effects.problem))
    least, most = (dose_for_bed_gy(left, slope, k) for slope in (slopes.max(axis=1), slopes.min(axis=1)))
    return _Left(limit, level, np.minimum(least, still), np.minimum(most, still))


def _given_gy(problem: CourseProblem) -> float:
    """Return the dose of the normal liver by sessions of this device that were given [Gy].

    Their doses add to those to be planned, as they would if all were planned together; by BED alone a session given
    earlier would leave more.
    """
    device = problem.dose.settings.device.name
    return sum(exposure.dose_of_gy(NORMAL_LIVER) for exposure in problem.history if exposure.device == device)


def _left_of_organ(effects: KindEffects, budget: OrganBudget) -> _Left:
    """Return the limit on microspheres that the budget of an organ sets which they reach."""
    quantity = LungDose() if budget.structure == LUNGS else MeanDose(budget.structure)
    limit = quantity.at_most(gy=budget.limit_gy).because(replace(budget.provenance, device=""))
    if budget.is_single:
        return _Left(limit)
    if not budget.is_bed:
        given = effects.earlier_dose_gy(budget.structure) + effects.lutetium_dose_gy(budget.structure)
        left = np.full(effects.schedules, budget.limit_gy - given)
        return _Left(limit, budget.limit_gy, left, left)
    left, slopes = budget.limit_gy - effects.bed_before_gy(budget.structure), effects.slopes(budget.structure)
    k = effects.curvature_per_gy(budget.structure)
    least, most = (dose_for_bed_gy(left, slope, k) for slope in (slopes.max(axis=1), slopes.min(axis=1)))
    return _Left(limit, budget.limit_gy, least, most)


def _budgets_of_sessions(problem: CourseProblem) -> list[OrganBudget]:
    """Return the budgets of organs that microspheres reach; that of the lungs for all sessions if history has some."""
    budgets = [budget for budget in problem.budgets if budget.structure in (LUNGS, NORMAL_LIVER)]
    if any(exposure.dose_gy.get(LUNGS) for exposure in problem.history):
        stated = lung_budgets(problem.dose.settings.device)
        budgets += [budget for budget in stated if not budget.is_single and budget not in budgets]
    return budgets


def _named_gy(limit: Limit) -> float | None:
    """Return the dose or BED of the normal liver that a limit names and earlier treatment takes from; None if none."""
    quantity = limit.quantity
    if isinstance(quantity, HepaticReserve):
        return quantity.below_gy
    if bounds_normal_liver(limit):
        return limit.bound
    if not limit.upper or getattr(quantity, "structure", "") != NORMAL_LIVER:
        return None
    return quantity.gy if isinstance(quantity, VolumeAbove) else limit.bound


def _lowered(limit: Limit, to_gy: float) -> Limit:
    """Return a limit at a lower dose or BED; what counts as perfused is lowered in proportion."""
    quantity = limit.quantity
    if isinstance(quantity, HepaticReserve):
        return replace(limit, quantity=replace(quantity, below_gy=to_gy))
    if isinstance(quantity, VolumeAbove):
        return replace(limit, quantity=replace(quantity, gy=to_gy))
    if isinstance(quantity, PerfusedNormalLiverDose):
        quantity = replace(quantity, full_from_gy=quantity.full_from_gy * to_gy / limit.bound)
    return replace(limit, quantity=quantity, bound=to_gy)
