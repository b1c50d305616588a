"""The best course of treatment, and why it is as it is, in sentences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from radioembolization.course.course import Administration, Alternative, Course, optimal_course
from radioembolization.course.course_problem import CourseProblem
from radioembolization.course.sequence import TIED_WITHIN
from radioembolization.course.session_limits import check_devices

#: A gap below this is that of rounding.
_CLOSED = 1e-5


def plan_course(problem: CourseProblem, progress: Callable[[str, int, int], None] | None = None) -> Course:
    """Return the best course of treatment with its bound and its explanation.

    Parameters
    ----------
    problem : CourseProblem
    progress : callable, optional
        Called with (kind of course, number, how many kinds); an exception it raises ends the work.

    Raises
    ------
    DeviceMismatch
        If a limit is of another device, or the history has another device and no reason is stated.
    Infeasible
        If no kind of course can be given; the message names the reasons.
    """
    cautions = check_devices(problem)
    course = optimal_course(problem, progress)
    lines = [_what(course), *_proof(course), *_worst(course), *_side_by_side(course), *_ties(course), *_organs(course)]
    lines += [
        f"The limit '{one.name}' of {one.limit_gy:g} Gy is reduced to {one.remaining_gy:.4g} Gy by "
        f"{one.spent_bed_gy:.3g} Gy BED of earlier treatment."
        for one in course.reduced
        if one.spent_bed_gy > 0.0
    ]
    lines += cautions
    lines += [f"Reason stated for '{rule}': {reason}." for rule, reason in problem.constraints.reasons.items()]
    return replace(course, explanation=tuple(lines))


def _what(course: Course) -> str:
    given = [f"{one.label} in week {one.week}: {_activities(one)}" for one in course.administrations]
    return f"Course: {course.kind}. " + ("; ".join(given) + "." if given else "Nothing is given.")


def _activities(one: Administration) -> str:
    return ", ".join(f"{site} {gbq:.3g} GBq" for site, gbq in one.sites) or f"{one.activity_gbq:.3g} GBq"


def _proof(course: Course) -> list[str]:
    if course.gap <= _CLOSED:
        return [f"Proof: no course within these rules has a better {course.objective_name} than {course.bound:.4g} Gy."]
    return [
        f"Proof: no course within these rules has a {course.objective_name} beyond {course.bound:.4g} Gy; this one has "
        f"{course.objective:.4g} Gy, {course.gap:.2%} less."
    ]


def _worst(course: Course) -> list[str]:
    lesions = [effect for effect in course.effects if effect.kind != "organ"]
    if not lesions:
        return []
    bed, worst = min(((effect.lowest_part_bed_gy or 0.0, effect) for effect in lesions), key=lambda pair: pair[0])
    only = "; microspheres cannot reach it" if worst.kind == "extrahepatic lesion" else ""
    return [f"The {worst.kind} with the lowest BED is {worst.name}: {bed:.4g} Gy{only}."]


def _side_by_side(course: Course) -> list[str]:
    return [_alternative(one) for one in course.alternatives if one.kind != course.kind]


def _alternative(one: Alternative) -> str:
    if one.objective is None:
        return f"{one.name}: not possible ({'; '.join(one.reasons)})."
    reserve = f" (may not be given: {'; '.join(one.reasons)})" if one.reasons else ""
    return f"{one.name}, at best: {one.objective:.4g} Gy with {one.kind}{reserve}."


def _ties(course: Course) -> list[str]:
    ties = course.ties
    if ties.schedules <= 1:
        return []
    ranges = ", ".join(f"{label} in week {first} to {last}" for label, first, last in ties.weeks if first != last)
    text = (
        f"{ties.schedules} of {ties.of} schedules are within {TIED_WITHIN:.0%} of the best and count as equal"
        + (f" ({ranges})" if ranges else "")
        + "; the best was taken, and of exact equals the earliest."
    )
    others = [kind for kind in ties.kinds if kind != course.kind]
    return [text, *([f"Equal kinds of course: {'; '.join(others)}."] if others else [])]


def _organs(course: Course) -> list[str]:
    lines = []
    for balance in course.balances:
        flag = "" if balance.kept else ", EXCEEDED"
        lines.append(f"{balance.name}: {balance.spent_gy:.3g} of {balance.limit_gy:g} Gy{flag} ({balance.status}).")
    return lines
