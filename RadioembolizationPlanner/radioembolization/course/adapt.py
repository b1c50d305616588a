"""Planning the rest of a course after something of it was delivered and measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from radioembolization.course.course import Administration, Course
from radioembolization.course.course_problem import CourseProblem
from radioembolization.course.exposure import Exposure, Modality
from radioembolization.course.sessions import Session
from radioembolization.course.uptake import Origin, RegionUptake
from radioembolization.errors import CourseError
from radioembolization.physics import Sourced
from radioembolization.physics.sourced import Status

#: A change of an objective that is told [Gy], and of an uptake (share).
_TOLD_GY, _TOLD_SHARE = 0.05, 0.005


def after(
    problem: CourseProblem, delivered: Sequence[Exposure], left: tuple[tuple[Session, ...], ...] | None = None
) -> CourseProblem:
    """Return the problem of what is left of a course.

    Measured doses take the place of predicted ones: they enter the history, and the uptakes of later cycles follow
    from them, with the change per cycle as before.

    Parameters
    ----------
    problem : CourseProblem
    delivered : sequence of Exposure
        In the order of time; their days count from the first administration of the course.
    left : tuple of tuple of Session, optional
        Sessions that may still be given; without it, none if one was delivered, else those of the problem.

    Raises
    ------
    CourseError
        If nothing was delivered, or more cycles than planned, or a cycle has no activity.
    """
    if not delivered:
        raise CourseError("Nothing was delivered: give at least one administration with its measured doses.")
    cycles = [exposure for exposure in delivered if exposure.modality is Modality.LUTETIUM]
    if problem.cycles_given + len(cycles) > problem.most_cycles:
        raise CourseError(
            f"{problem.cycles_given + len(cycles)} cycles were delivered, more than the {problem.most_cycles} of the "
            "course: raise most_cycles."
        )
    earlier = [one for one in problem.history if one.modality is Modality.LUTETIUM]
    of_course = (*earlier[len(earlier) - problem.cycles_given :], *cycles)
    embolized = any(exposure.modality is Modality.RADIOEMBOLIZATION for exposure in delivered)
    return replace(
        problem,
        history=(*problem.history, *delivered),
        cycles_given=problem.cycles_given + len(cycles),
        uptakes={name: _measured(uptake, of_course) for name, uptake in problem.uptakes.items()},
        session_plans=left if left is not None else (((),) if embolized else problem.session_plans),
    )


def _measured(uptake: RegionUptake, cycles: Sequence[Exposure]) -> RegionUptake:
    """Return an uptake as the mean of what all cycles of the course were measured to give, brought to the first."""
    values, half_lives = [], []
    for number, cycle in enumerate(cycles):
        if not cycle.measured or uptake.region not in cycle.dose_gy:
            continue
        if not cycle.activity_gbq:
            raise CourseError(f"'{cycle.label}' was measured without its activity: add activity_gbq.")
        change = (1.0 + uptake.change_per_cycle) ** number
        values.append(cycle.dose_gy[uptake.region] / (cycle.activity_gbq * change))
        half_lives.append(cycle.half_life_h[uptake.region])
    if not values:
        return uptake
    source = f"measured in {len(values)} cycle{'s' if len(values) > 1 else ''} of this course"
    return replace(
        uptake,
        gy_per_gbq=Sourced(float(np.mean(values)), source, Status.CONFIRMED),
        effective_half_life_h=Sourced(float(np.mean(half_lives)), source, Status.CONFIRMED),
        origin=Origin.PATIENT,
        sd_gy_per_gbq=float(np.std(values, ddof=1)) if len(values) > 1 else uptake.sd_gy_per_gbq,
    )


def changes(before: CourseProblem, planned: Course, now: CourseProblem, replanned: Course) -> tuple[str, ...]:
    """Return in words what has changed from one plan of a course to the next, and why."""
    lines = []
    for name, uptake in before.uptakes.items():
        old, new = uptake.gy_per_gbq.value, now.uptakes[name].gy_per_gbq.value
        if abs(new - old) > _TOLD_SHARE * max(old, 1e-9):
            lines.append(f"{name} took up {new:.3g} instead of {old:.3g} Gy/GBq ({new / old - 1.0:+.0%}).")
    new_cycles = now.cycles_given - before.cycles_given
    kept = planned.administrations[len(now.history) - len(before.history) :]
    was = [(one.event, one.week) for one in kept]
    will = [(one.event, one.week) for one in replanned.administrations]
    lines.append(f"Cycles of the course given since: {new_cycles}.")
    lines.append("The rest of the schedule stays." if was == will else f"Rest of the course: {replanned.kind}.")
    lines += _changed_activities(kept, replanned)
    difference = replanned.objective - planned.objective
    if abs(difference) > _TOLD_GY:
        lines.append(
            f"The {planned.objective_name} becomes {replanned.objective:.4g} instead of {planned.objective:.4g} Gy "
            f"({difference:+.3g})."
        )
    return tuple(lines)


def _changed_activities(kept: Sequence[Administration], replanned: Course) -> list[str]:
    sites: dict[str, list[float]] = {}
    for position, administrations in enumerate((kept, replanned.administrations)):
        for one in administrations:
            for site, gbq in one.sites:
                sites.setdefault(site, [0.0, 0.0])[position] += gbq
    return [
        f"{site}: {new:.3g} GBq instead of {old:.3g}."
        for site, (old, new) in sites.items()
        if abs(new - old) > _TOLD_SHARE * max(old, new)
    ]
