"""Limits of radioembolization after what 177Lu and earlier treatment have spent.

The rule: the largest D with ``BED(D) + BED of everything else <= BED(D_limit)``, all with the half-life of the same
device, takes the place of every dose D_limit that a limit on the normal liver names.  Nothing recovers in between.
Every limit holds for all sessions of the course together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

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
    scale : float
        Largest ratio of a dose in ``loosest`` to that in ``limits``, at least 1.
    reduced : tuple of ReducedLimit
    """

    limits: tuple[Limit, ...]
    loosest: tuple[Limit, ...]
    scale: float
    reduced: tuple[ReducedLimit, ...]

    @property
    def scalable(self) -> bool:
        """Whether plans within ``loosest``, divided by ``scale``, are within ``limits``."""
        return all(limit.holds_down for limit in self.limits)


@dataclass(frozen=True, eq=False)
class _Left:
    """A limit, the dose or BED it names, and what is left of that for every schedule (schedules,) [Gy]."""

    limit: Limit
    level_gy: float
    least_gy: np.ndarray
    most_gy: np.ndarray


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
    for left in _left(effects):
        room &= left.least_gy > 0.0
        if not np.any(left.least_gy > 0.0):
            reasons.append(
                f"177Lu and earlier treatment leave nothing of the limit '{left.limit}': raise it, or give fewer cycles"
            )
    return room, tuple(reasons)


def limits_of_sessions(effects: KindEffects) -> SessionLimits:
    """Return the limits of the sessions of a kind; ``schedules_with_room`` tells which schedules leave something."""
    spent = float(effects.bed_before_gy(NORMAL_LIVER).max())
    changed = {id(left.limit): left for left in _left(effects)}
    tight, loose, ratios, reduced = [], [], [1.0], []
    for limit in (*effects.problem.problem.limits, *(left.limit for left in changed.values())):
        left = changed.pop(id(limit), None)
        if left is None:
            if limit in effects.problem.problem.limits:
                tight.append(limit)
                loose.append(limit)
            continue
        least, most = float(left.least_gy.min()), float(left.most_gy.max())
        tight.append(_lowered(limit, least))
        loose.append(_lowered(limit, most))
        ratios.append(most / least)
        if _named_gy(limit) is not None:
            reduced.append(ReducedLimit(limit.quantity.name, left.level_gy, least, spent))
    return SessionLimits(tuple(tight), tuple(loose), max(ratios), tuple(reduced))
