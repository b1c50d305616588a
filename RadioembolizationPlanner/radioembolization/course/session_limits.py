"""Limits of radioembolization after what earlier treatment has spent of the normal liver.

The rule: the largest D with ``BED(D) + BED of everything else <= BED(D_limit)``, all with the half-life of the same
device, takes the place of every limit D_limit on a mean dose of the normal liver.  Nothing recovers in between.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from radioembolization.course.kind_effects import KindEffects
from radioembolization.course.lesion_bed import LesionResponse
from radioembolization.errors import LimitError
from radioembolization.planning import (
    Limit,
    MeanDose,
    PerfusedNormalLiverDose,
    TerritoryNormalLiverDose,
)
from radioembolization.structures import NORMAL_LIVER


@dataclass(frozen=True)
class ReducedLimit:
    """A limit on the normal liver, and what is left of it.

    Parameters
    ----------
    name : str
    limit_gy, remaining_gy : float
        Mean dose of microspheres allowed without and after earlier treatment [Gy].
    spent_bed_gy : float
        BED of everything else [Gy].
    """

    name: str
    limit_gy: float
    remaining_gy: float
    spent_bed_gy: float


def limits_after(effects: KindEffects) -> tuple[tuple[Limit, ...], tuple[ReducedLimit, ...]]:
    """Return the limits of the sessions of a kind, for the schedule that spends most, and which were reduced.

    Raises
    ------
    LimitError
        If earlier treatment leaves nothing of a limit.
    """
    spent = float(effects.bed_before_gy(NORMAL_LIVER).max())
    slope = float(effects.slopes(NORMAL_LIVER).max())
    k = effects.curvature_per_gy(NORMAL_LIVER)
    limits, reduced = [], []
    for limit in effects.problem.problem.limits:
        if not _of_normal_liver(limit):
            limits.append(limit)
            continue
        allowed = limit.bound * (1.0 + k * limit.bound)
        remaining = LesionResponse(spent, slope, k).dose_gy(allowed)
        if remaining <= 0.0:
            raise LimitError(
                f"177Lu and earlier treatment leave nothing of the limit '{limit}': they spend {spent:.3g} Gy of its "
                f"{allowed:.3g} Gy BED."
            )
        reduced.append(ReducedLimit(limit.quantity.name, limit.bound, remaining, spent))
        limits.append(_at(limit, remaining))
    return tuple(limits), tuple(reduced)


def _of_normal_liver(limit: Limit) -> bool:
    """Whether a limit bounds a mean dose of the normal liver from above."""
    quantity = limit.quantity
    whole = isinstance(quantity, MeanDose) and quantity.structure == NORMAL_LIVER
    return limit.upper and (whole or isinstance(quantity, PerfusedNormalLiverDose | TerritoryNormalLiverDose))


def _at(limit: Limit, bound_gy: float) -> Limit:
    """Return a limit at a lower dose; what counts as perfused is lowered in proportion."""
    quantity = limit.quantity
    if isinstance(quantity, PerfusedNormalLiverDose):
        quantity = replace(quantity, full_from_gy=quantity.full_from_gy * bound_gy / limit.bound)
    return replace(limit, quantity=quantity, bound=bound_gy)
