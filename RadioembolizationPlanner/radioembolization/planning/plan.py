"""A plan: activities with everything that is known about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from radioembolization.dose import DosePerGBq, DoseSettings, StructureRows, dose_at_volume_share
from radioembolization.errors import CertificateRejected
from radioembolization.planning.baselines import BaselineResult
from radioembolization.planning.certificate import Certificate
from radioembolization.planning.goals import Goal
from radioembolization.planning.limits import USED_GBQ, Limit, LimitResult
from radioembolization.planning.solve import Solution
from radioembolization.planning.volumes.check import proved_bound
from radioembolization.planning.volumes.record import VolumeCertificate
from radioembolization.structures import NORMAL_LIVER, Role

PERFUSED_NORMAL_LIVER = "perfused normal liver"
#: Status of a plan whose activities were set by hand.
BY_HAND = "manual"
#: The relative gap refers to the bound, but to no less than this [Gy].
_SMALLEST_BOUND_GY = 1e-3
_NOT_CONVEX = (
    "Dose-volume limits are not convex: the bound is that of a search over doses, whose steps are too many to be kept, "
    "or of the problem without these limits or without the rules of sites; it is not computed anew."
)
_NOT_CONFIRMED = "The bound of the solver was not confirmed by computing its proof anew in float64."


@dataclass(frozen=True)
class SitePlan:
    """What is injected at one candidate site.

    ``territory_normal_liver_gy`` is the mean dose of the perfused normal liver of its territory by all
    injections together; None where the territory holds none.
    """

    name: str
    activity_gbq: float
    lung_shunt: float
    microspheres: float
    territory_normal_liver_gy: float | None


@dataclass(frozen=True)
class StructureDose:
    """Dose figures of one structure.

    Dx is the dose that x % of the volume receive at least; ``perfused_share`` is the share of the volume
    inside the territories that are injected.
    """

    name: str
    role: str
    volume_ml: float
    mass_kg: float
    mean_gy: float
    d95_gy: float
    d70_gy: float
    d50_gy: float
    min_gy: float
    max_gy: float
    perfused_share: float


@dataclass(frozen=True)
class GoalResult:
    """The goal of the plan, and the bound no feasible plan can beat.

    ``optimum`` is that of the best plan found, which may take more injections; ``gap`` is the relative gap between it
    and the bound.
    """

    name: str
    value: float
    optimum: float
    bound: float
    gap: float
    unit: str
    sense: str


@dataclass(frozen=True)
class Plan:
    """A plan, optimized or set by hand; limits and doses are evaluated in numpy on all voxels.

    Parameters
    ----------
    status : str
        ``"optimal"``, what the solver could prove, or ``"manual"``: set by hand, and any limit may be exceeded.
    sites : tuple of SitePlan
        Every candidate site, unused ones with zero activity.
    structures : tuple of StructureDose
    lung_gy : float or None
        Mean lung dose by shunted activity.
    goal : GoalResult
    limits : tuple of LimitResult
    settings : DoseSettings
    baselines : tuple of BaselineResult
    explanation : tuple of str
        Sentences for people.
    prescription : mapping or None
        Goal and limits as in case files (``Problem.to_tables``); None if one has no name there.
    certificate : Certificate, VolumeCertificate or None
        What proves the bound of the goal.
    unproved : str
        Without a certificate: why nothing proves the bound.
    """

    status: str
    sites: tuple[SitePlan, ...]
    structures: tuple[StructureDose, ...]
    lung_gy: float | None
    goal: GoalResult
    limits: tuple[LimitResult, ...]
    settings: DoseSettings
    baselines: tuple[BaselineResult, ...] = ()
    explanation: tuple[str, ...] = ()
    prescription: Mapping[str, Any] | None = None
    certificate: Certificate | VolumeCertificate | None = field(default=None, compare=False)
    unproved: str = ""

    @property
    def activities_gbq(self) -> np.ndarray:
        """Activities (sites,) [GBq]."""
        return np.array([site.activity_gbq for site in self.sites])

    @property
    def used_sites(self) -> tuple[SitePlan, ...]:
        """Sites with activity."""
        return tuple(site for site in self.sites if site.activity_gbq > USED_GBQ)

    @property
    def by_hand(self) -> bool:
        """Whether the activities were set by hand, with no solver and no bound."""
        return self.status == BY_HAND

    @property
    def binding_limits(self) -> tuple[LimitResult, ...]:
        """Limits that hold the goal back."""
        return tuple(limit for limit in self.limits if limit.binding)


def assemble(
    goal: Goal,
    limits: Sequence[Limit],
    dose: DosePerGBq,
    solution: Solution,
    gains: Sequence[float | None],
) -> Plan:
    """Evaluate activities on all voxels and return them as a plan (without baselines)."""
    plan = evaluated(solution.activities_gbq, _goal_result(goal, dose, solution), limits, dose, solution.status)
    results = tuple(replace(result, gain_per_unit=gain) for result, gain in zip(plan.limits, gains, strict=True))
    return replace(plan, limits=results)


def evaluated(
    activities_gbq: np.ndarray, goal: GoalResult, limits: Sequence[Limit], dose: DosePerGBq, status: str
) -> Plan:
    """Return the plan of some activities (sites,) [GBq], evaluated on all voxels, with nothing said about others."""
    return Plan(
        status=status,
        sites=site_plans(dose, activities_gbq),
        structures=structure_doses(dose, activities_gbq),
        lung_gy=None if dose.lung_gy_per_gbq is None else float(dose.lung_gy_per_gbq @ activities_gbq),
        goal=goal,
        limits=tuple(LimitResult.of(limit, dose, activities_gbq) for limit in limits),
        settings=dose.settings,
    )


def site_plans(dose: DosePerGBq, activities_gbq: np.ndarray) -> tuple[SitePlan, ...]:
    """Return what is injected at each candidate site."""
    return tuple(
        SitePlan(name, float(a), float(shunt), dose.settings.device.microspheres(float(a)), territory_gy)
        for name, a, shunt, territory_gy in zip(
            dose.site_names, activities_gbq, dose.lung_shunt, _territory_doses(dose, activities_gbq), strict=True
        )
    )


def _territory_doses(dose: DosePerGBq, activities_gbq: np.ndarray) -> list[float | None]:
    """Return the mean dose of the perfused normal liver of every territory [Gy]."""
    normal = dose.structure(NORMAL_LIVER).voxels
    inside = [normal[perfused[normal]] for perfused in dose.perfused]
    return [float(dose.mean_row(voxels) @ activities_gbq) if len(voxels) else None for voxels in inside]


def structure_doses(dose: DosePerGBq, activities_gbq: np.ndarray) -> tuple[StructureDose, ...]:
    """Return the dose figures of every structure, and of the normal liver that is perfused."""
    voxel_gy = dose.dose_gy(activities_gbq)
    injected = np.any(dose.perfused[np.asarray(activities_gbq) > USED_GBQ], axis=0)
    doses = [_structure_dose(s, s.voxels, dose, voxel_gy, injected) for s in dose.structures]
    normal = dose.structure(NORMAL_LIVER)
    perfused = normal.voxels[injected[normal.voxels]]
    if len(perfused):
        position = [s.name for s in dose.structures].index(NORMAL_LIVER) + 1
        part = replace(normal, name=PERFUSED_NORMAL_LIVER)
        doses.insert(position, _structure_dose(part, perfused, dose, voxel_gy, injected))
    return tuple(doses)


def _structure_dose(
    structure: StructureRows, voxels: np.ndarray, dose: DosePerGBq, voxel_gy: np.ndarray, injected: np.ndarray
) -> StructureDose:
    inside, weights = voxel_gy[voxels], dose.voxel_kg[voxels]
    share = float(weights.sum() / dose.voxel_kg[structure.voxels].sum())
    return StructureDose(
        name=structure.name,
        role=str(structure.role),
        volume_ml=structure.volume_ml * share,
        mass_kg=structure.mass_kg * share,
        mean_gy=float(inside @ weights / weights.sum()),
        d95_gy=dose_at_volume_share(inside, 0.95),
        d70_gy=dose_at_volume_share(inside, 0.70),
        d50_gy=dose_at_volume_share(inside, 0.50),
        min_gy=float(inside.min()),
        max_gy=float(inside.max()),
        perfused_share=float(weights[injected[voxels]].sum() / weights.sum()),
    )


def _goal_result(goal: Goal, dose: DosePerGBq, solution: Solution) -> GoalResult:
    value = goal.value(dose, solution.activities_gbq)
    better = max if goal.maximized else min
    optimum = better(value, solution.optimum)
    gap = abs(solution.bound - optimum) / max(abs(solution.bound), _SMALLEST_BOUND_GY)
    sense = "maximize" if goal.maximized else "minimize"
    return GoalResult(goal.name, value, optimum, solution.bound, gap, goal.unit, sense)


def _with_gap(plan: Plan, record: VolumeCertificate, problem: tuple[Goal, Sequence[Limit], DosePerGBq]) -> Plan:
    """Return the plan with the record of its gap, if that stands up to being checked."""
    try:
        score = proved_bound(record, *problem)
    except CertificateRejected:
        return replace(plan, unproved=_NOT_CONFIRMED)
    goal = plan.goal
    bound = score if goal.sense == "maximize" else -score
    gap = abs(bound - goal.optimum) / max(abs(bound), _SMALLEST_BOUND_GY)
    return replace(plan, goal=replace(goal, bound=bound, gap=gap), certificate=record)


def certified(plan: Plan, solution: Solution, problem: tuple[Goal, Sequence[Limit], DosePerGBq]) -> Plan:
    """Return the plan with the certificate of its solution, or why there is none; its bound is what that proves."""
    if not np.isfinite(solution.bound):
        return replace(plan, unproved="The work was ended before any bound was proved.")
    if solution.volumes is not None:
        return _with_gap(plan, solution.volumes, problem)
    if solution.status == "gap" and solution.level is None:
        return replace(plan, unproved=_NOT_CONVEX)
    certificate = solution.certificate()
    if certificate is None or (solution.level is not None and certificate.bound > 0.0):
        return replace(plan, unproved=_NOT_CONFIRMED)
    if solution.level is not None:
        return replace(plan, certificate=replace(certificate, level=solution.level))
    goal = plan.goal
    bound = certificate.bound if goal.sense == "maximize" else -certificate.bound
    gap = abs(bound - goal.optimum) / max(abs(bound), _SMALLEST_BOUND_GY)
    return replace(plan, goal=replace(goal, bound=bound, gap=gap), certificate=certificate)


def tumours(plan: Plan) -> tuple[StructureDose, ...]:
    """Return the dose figures of the tumours of a plan."""
    return tuple(s for s in plan.structures if s.role == Role.TUMOUR)
