"""BED over a range of uncertain parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from radioembolization.biology.bed import DoseComponent, bed_of_components_gy, eqd2_gy
from radioembolization.errors import InputError


@dataclass(frozen=True)
class SweptBED:
    """BED and EQD2 of the same doses under one set of parameters."""

    alpha_beta_gy: float
    repair_half_time_h: float
    bed_gy: float
    eqd2_gy: float


def swept_bed(
    components: Sequence[DoseComponent], alpha_beta_gy: Sequence[float], repair_half_time_h: Sequence[float]
) -> list[SweptBED]:
    """Return the BED for every pair of parameters, ratios first.

    Parameters
    ----------
    components : sequence of DoseComponent
    alpha_beta_gy : sequence of float
        Ratios alpha/beta [Gy].
    repair_half_time_h : sequence of float
        Half-times of repair [h].

    Raises
    ------
    InputError
        If nothing is to be swept, or a number is not positive.
    """
    if not (len(alpha_beta_gy) and len(repair_half_time_h)):
        raise InputError("A sweep needs at least one alpha/beta and one repair half-time.")
    rows = []
    for ratio, repair_h in product(alpha_beta_gy, repair_half_time_h):
        bed = bed_of_components_gy(components, ratio, repair_h)
        rows.append(SweptBED(ratio, repair_h, bed, eqd2_gy(bed, ratio)))
    return rows
