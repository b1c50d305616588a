"""A stated plan against dose rows: every figure computed anew in float64, its bound proved without a solver."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.errors import CertificateRejected, InputError
from radioembolization.planning.certificate import Verdict, check_fingerprint, check_plan, verify
from radioembolization.planning.limits import LimitResult
from radioembolization.planning.plan import Plan, site_plans, structure_doses
from radioembolization.planning.problem import Problem
from radioembolization.planning.proof import Certificate
from radioembolization.planning.volumes.check import verify_volumes
from radioembolization.planning.volumes.record import VolumeCertificate

#: Figures computed anew may differ by this, relative, and in their unit below one; with rebuilt rows by more.
_SAME, _REBUILT = 1e-9, 1e-5
#: Words of a limit that do not follow from the dose rows, and what the solver found beside the plan.
_NOT_OF_ROWS = {"evidence", "source", "override_reason", "gain_per_unit"}


@dataclass(frozen=True)
class Recheck:
    """What stands up to being computed anew.

    Parameters
    ----------
    value : float
        Goal value of the plan; as stated if nothing tells how to compute it.
    bound, gap : float or None
        What is proved; None without a certificate.
    checked, unproved : tuple of str
        What was checked, and what is not proved, in sentences.
    """

    value: float
    bound: float | None
    gap: float | None
    checked: tuple[str, ...]
    unproved: tuple[str, ...]


def recheck(
    plan: Plan, dose: DosePerGBq, *, same_rows: bool = True, bq_per_sphere: Mapping[str, float] | None = None
) -> Recheck:
    """Compute everything a plan states about doses, limits, goal and bound anew, and compare.

    Parameters
    ----------
    plan : Plan
        As read from a file.
    dose : DosePerGBq
    same_rows : bool
        Whether they must be the rows the certificate was made with, to the last bit.
    bq_per_sphere : mapping of str to float, optional
        Activity of one microsphere at the injection [Bq], by site, where the plan consists of vials; that of the device
        elsewhere.

    Raises
    ------
    CertificateRejected
        With the first figure that differs, or what the certificate lacks.
    """
    tolerance = _SAME if same_rows else _REBUILT
    if isinstance(plan.certificate, Certificate) and same_rows:
        check_fingerprint(plan.certificate, dose)
    try:
        _check_doses(plan, dose, tolerance, bq_per_sphere or {})
        checked = [f"dose figures: {len(plan.structures)} structures and {len(plan.sites)} sites, in float64"]
        if plan.prescription is None:
            unproved = ["goal, limits and bound: the file does not hold the prescription", *_always(plan)]
            return Recheck(plan.goal.value, None, None, tuple(checked), tuple(unproved))
        problem = Problem.from_tables(plan.prescription)
        problem.check_devices(dose.settings.device)
        _check_limits(plan, problem, dose, tolerance)
        _check_goal(plan, problem)
        exceeded = [limit.name for limit in plan.limits if not limit.met]
        checked.append(f"limits: {len(problem.limits)} values" + (", each met" if not exceeded else ""))
        if plan.by_hand and exceeded:
            checked[-1] += f", but {len(exceeded)} NOT met by activities set by hand: {'; '.join(exceeded)}"
        must_be_met = () if plan.by_hand else problem.limits
        asked = (problem.goal, must_be_met, dose, plan.activities_gbq, plan.goal.value)
        why_not = _why_not_proved(plan, dose, same_rows)
        if plan.certificate is None or why_not:
            value = check_plan(*asked, same_rows=same_rows)
            unproved = [f"the bound: {why_not}", *_always(plan)]
            return Recheck(value, None, None, tuple(checked), tuple(unproved))
        if isinstance(plan.certificate, VolumeCertificate):
            verdict, tolerance = verify_volumes(plan.certificate, *asked), _REBUILT
        else:
            verdict = verify(plan.certificate, *asked, same_rows=same_rows)
    except (InputError, OverflowError, RecursionError) as error:
        raise CertificateRejected(f"What the plan asks for does not fit the dose rows: {error}") from error
    _check_bound(plan, verdict, tolerance)
    return Recheck(verdict.value, verdict.bound, verdict.gap, (*checked, *verdict.checked), tuple(_always(plan)))


def _why_not_proved(plan: Plan, dose: DosePerGBq, same_rows: bool) -> str:
    """Return why nothing proves the bound; empty if something may."""
    if plan.by_hand and (plan.certificate is not None or math.isfinite(plan.goal.bound)):
        raise CertificateRejected("A plan set by hand has no bound, but the file states one.")
    if plan.certificate is None:
        return plan.unproved
    others = plan.certificate.fingerprint != dose.fingerprint and not same_rows
    if isinstance(plan.certificate, VolumeCertificate) and others:
        return "the boxes of doses were made for other dose rows; check them on the rows stored with the plan"
    return ""


def _always(plan: Plan) -> list[str]:
    """Return what no certificate proves."""
    sentences = []
    if abs(plan.goal.optimum - plan.goal.value) > 1e-6 * max(1e-3, abs(plan.goal.optimum)):
        sentences.append(
            f"optimum: the plan with more injections that reaches {plan.goal.optimum:.6g} {plan.goal.unit} is not in "
            "the file"
        )
    sentences += [
        "gains per unit, rules of thumb and explanation: results beside the plan, not computed anew",
        "plans with an activity above zero but below 1e-6 GBq, which count as not using the site",
    ]
    return sentences


def _check_doses(plan: Plan, dose: DosePerGBq, tolerance: float, bq_per_sphere: Mapping[str, float]) -> None:
    if tuple(site.name for site in plan.sites) != dose.site_names:
        raise CertificateRejected("The sites of the plan are not those of the dose rows, in their order.")
    if plan.settings != dose.settings:
        raise CertificateRejected("Device, energy convention or dose method are not those of the dose rows.")
    activities = plan.activities_gbq
    if not np.all(np.isfinite(activities) & (activities >= 0)):
        raise CertificateRejected("The plan needs an activity of zero or more for each site.")
    for stated, found in zip(plan.sites, site_plans(dose, activities), strict=True):
        if found.name in bq_per_sphere:
            found = replace(found, microspheres=found.activity_gbq * 1e9 / bq_per_sphere[found.name])
        _compare(f"site '{stated.name}'", asdict(stated), asdict(found), tolerance)
    structures = structure_doses(dose, activities)
    if [s.name for s in plan.structures] != [s.name for s in structures]:
        raise CertificateRejected("The structures of the plan are not those of the dose rows, in their order.")
    for one, other in zip(plan.structures, structures, strict=True):
        _compare(f"structure '{one.name}'", asdict(one), asdict(other), tolerance)
    lung_gy = None if dose.lung_gy_per_gbq is None else float(dose.lung_gy_per_gbq @ activities)
    _compare("lungs", {"mean_gy": plan.lung_gy}, {"mean_gy": lung_gy}, tolerance)


def _check_limits(plan: Plan, problem: Problem, dose: DosePerGBq, tolerance: float) -> None:
    if len(plan.limits) != len(problem.limits):
        raise CertificateRejected(f"The plan states {len(plan.limits)} limits, its prescription {len(problem.limits)}.")
    for stated, limit in zip(plan.limits, problem.limits, strict=True):
        found = asdict(LimitResult.of(limit, dose, plan.activities_gbq))
        skipped = _NOT_OF_ROWS if tolerance == _SAME else _NOT_OF_ROWS | {"binding"}
        wanted = {key: value for key, value in asdict(stated).items() if key not in skipped}
        _compare(f"limit '{limit}'", wanted, {key: found[key] for key in wanted}, tolerance)


def _check_goal(plan: Plan, problem: Problem) -> None:
    goal, stated = problem.goal, plan.goal
    sense = "maximize" if goal.maximized else "minimize"
    if (stated.name, stated.unit, stated.sense) != (goal.name, goal.unit, sense):
        raise CertificateRejected(f"The goal of the plan is to {stated.sense} {stated.name}, its prescription another.")


def _check_bound(plan: Plan, verdict: Verdict, tolerance: float) -> None:
    """Check that the plan states the bound that was proved, and an optimum between it and its value."""
    stated, sign = plan.goal, 1.0 if plan.goal.sense == "maximize" else -1.0
    _compare("goal", {"bound": stated.bound}, {"bound": verdict.bound}, 2.0 * tolerance)
    slack = 1e-4 * max(1e-3, abs(verdict.bound))
    if not sign * stated.value <= sign * stated.optimum <= sign * verdict.bound + slack:
        raise CertificateRejected(f"The optimum of {stated.optimum:.8g} does not lie between the plan and its bound.")
    gap = abs(stated.bound - stated.optimum) / max(1e-3, abs(stated.bound))
    _compare("goal", {"gap": stated.gap}, {"gap": gap}, tolerance)


def _compare(where: str, stated: Mapping[str, object], found: Mapping[str, object], tolerance: float) -> None:
    for key, value in stated.items():
        if not _same(value, found[key], tolerance):
            raise CertificateRejected(f"The {key} of {where} is {found[key]} computed anew, not {value} as stated.")


def _same(stated: object, found: object, tolerance: float) -> bool:
    if isinstance(stated, float) and isinstance(found, float):
        return stated == found or math.isclose(stated, found, rel_tol=tolerance, abs_tol=tolerance)
    return stated == found
