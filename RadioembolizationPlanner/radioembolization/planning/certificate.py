"""What proves the bound of a plan, and its check without any solver.

A certificate holds the planes that the proof uses, each with the activities it touches at, so that it can be computed
anew from the voxels; multipliers; and, where sites were chosen, the cuts and branches of the search.  The check
recomputes every plane in float64, the bound that the multipliers prove (``lagrangian``), and walks the branches.
Multipliers found with limited accuracy prove a bound all the same, perhaps a slightly weaker one: the bound stated is
the one that the check finds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.errors import CertificateRejected, InputError
from radioembolization.planning.cutting_planes import CuttingPlanes
from radioembolization.planning.goals import Goal
from radioembolization.planning.limits import MET_TOLERANCE, USED_GBQ, Limit
from radioembolization.planning.proof import Certificate, Multipliers, ProofNode
from radioembolization.planning.proof_check import ProofCheck, computed_planes
from radioembolization.planning.site_proof import Node
from radioembolization.planning.supports import Support

__all__ = ["Certificate", "Verdict", "certificate_of", "verify"]

#: Rows computed anew may differ by this from those stored, relative to the largest entry.
_SAME_ROW = 1e-5
#: Stored values may differ by this from those computed anew, relative.
_SAME_VALUE = 1e-6
#: By how much the bound may be above the threshold of the search, relative, tried in this order.
_WEAKER = (1e-9, 1e-7, 1e-6, 1e-5, 1e-4)
#: Dose rows rebuilt from images may differ by rounding: values, limits and bound may differ by this, relative.
_REBUILT = 1e-5
#: A plan that meets its limits to ``MET_TOLERANCE`` may be better than the bound by this, relative.
_BEYOND = 1e-4


@dataclass(frozen=True)
class Verdict:
    """What a check found.

    Parameters
    ----------
    value : float
        Goal value of the plan, evaluated anew.
    bound : float
        Goal value that no plan within the limits surpasses, proved anew.
    gap : float
        Relative gap between the two.
    checked : tuple of str
        What was checked, in sentences.
    """

    value: float
    bound: float
    gap: float
    checked: tuple[str, ...]


def certificate_of(
    planes: CuttingPlanes, multipliers: Sequence[np.ndarray], proof: Node | None, threshold: float
) -> Certificate | None:
    """Return the certificate of a finished solution; None if float64 does not confirm it.

    Parameters
    ----------
    planes : CuttingPlanes
    multipliers : sequence of ndarray (rows,)
        Of each cut of the search, or of the last linear program.
    proof : Node or None
    threshold : float
        Score that the search proved, or the bound of the linear program.
    """
    wanted = sorted({int(i) for y in (*multipliers, *_of_nodes(proof)) for i in np.flatnonzero(y > 0)})
    number = {row: k for k, row in enumerate(wanted)}
    origins = [planes.origins[row] for row in wanted]

    def short(y: np.ndarray) -> Multipliers:
        return {number[int(i)]: float(y[i]) for i in np.flatnonzero(y > 0)}

    cuts = tuple(short(y) for y in multipliers)
    nodes = None if proof is None else _renumbered(proof, short)
    try:
        choices = computed_planes(origins, planes.goal, planes.limits, planes.dose)
        exact = tuple(touching[origin.plane] for origin, touching in zip(origins, choices, strict=True))
        check = ProofCheck(origins, exact, cuts, planes.goal, planes.limits, planes.dose)
    except CertificateRejected:
        return None
    if nodes is None:
        threshold = check.proved()
    for weaker in _WEAKER:
        bound = float(threshold + weaker * max(1e-3, abs(threshold)))
        try:
            check.check(nodes, bound)
        except CertificateRejected:
            continue
        return Certificate(planes.dose.fingerprint, tuple(zip(origins, exact, strict=True)), cuts, nodes, bound)
    return None


def _of_nodes(node: Node | None) -> list[np.ndarray]:
    if node is None:
        return []
    own = [] if node.multipliers is None else [np.asarray(node.multipliers)]
    return own + [y for _, child in node.branches for y in _of_nodes(child)]


def _renumbered(node: Node, short: Callable[[np.ndarray], Multipliers]) -> ProofNode:
    branches = tuple((site, _renumbered(child, short)) for site, child in node.branches)
    multipliers = None if node.multipliers is None else short(np.asarray(node.multipliers))
    return ProofNode(branches, node.cut, node.packing, multipliers)


def verify(
    certificate: Certificate,
    goal: Goal,
    limits: Sequence[Limit],
    dose: DosePerGBq,
    activities_gbq: np.ndarray,
    value: float,
    *,
    same_rows: bool = True,
) -> Verdict:
    """Check a plan and its certificate in float64 over all voxels, without a solver.

    Parameters
    ----------
    certificate : Certificate
    goal, limits
        Of the prescription.
    dose : DosePerGBq
    activities_gbq : ndarray (sites,)
        Of the plan.
    value : float
        Goal value that the plan states.
    same_rows : bool
        Whether the dose rows must be those of the certificate to the last bit; rows rebuilt from images on another
        machine may differ by rounding.  Then stored planes are not compared, the bound is proved for the planes of
        the rebuilt rows, and may be weaker by a relative 1e-5.

    Raises
    ------
    CertificateRejected
        The message says what is wrong.
    """
    if same_rows:
        check_fingerprint(certificate, dose)
    try:
        _check_rows(dose)
        found = check_plan(goal, limits, dose, activities_gbq, value, same_rows=same_rows)
        certificate = certificate if same_rows else _weakened(certificate)
        proved_of = goal if certificate.level is None else _margin(goal, dose, certificate.level)
        exact = _planes(certificate, proved_of, limits, dose, same_rows)
        origins = [origin for origin, _ in certificate.planes]
        check = ProofCheck(origins, exact, certificate.cuts, proved_of, limits, dose)
        bound = _proved(check, certificate)
    except InputError as error:
        raise CertificateRejected(f"Goal and limits do not fit the dose rows: {error}") from error
    bound = bound if certificate.level is not None or goal.maximized else -bound
    better = found - bound if goal.maximized else bound - found
    if not better <= _BEYOND * max(1e-3, abs(bound)):
        raise CertificateRejected(f"The plan has {found:.8g} {goal.unit}, beyond its own bound of {bound:.8g}.")
    sites = "all choices of sites" if certificate.proof is not None else "all activities"
    rows = "SHA256 as stated" if same_rows else "rebuilt from the images"
    return Verdict(
        found,
        bound,
        abs(bound - found) / max(1e-3, abs(bound)),
        (
            f"dose rows: {rows}, {dose.rows.shape[0]} sites and {dose.rows.shape[1]} voxels",
            f"plan: {len(limits)} limits met and the goal as stated, in float64",
            f"planes: {len(exact)} computed anew from the voxels" + (" and as stored" if same_rows else ""),
            f"bound: proved for {sites} from {len(certificate.cuts)} sets of multipliers and "
            f"{_size(certificate.proof)} branches, without a solver",
        ),
    )


def check_fingerprint(certificate: Certificate, dose: DosePerGBq) -> None:
    """Refuse dose rows that are not those of a certificate to the last bit (``CertificateRejected``)."""
    if certificate.fingerprint != dose.fingerprint:
        raise CertificateRejected("The dose rows are not those of the certificate: their SHA256 differs.")


def _margin(goal: Goal, dose: DosePerGBq, level: float) -> Goal:
    margin = goal.margin(dose, level) if np.isfinite(level) else None
    if margin is None:
        raise CertificateRejected(f"The goal '{goal.name}' has no margin at a level of {level}.")
    return margin


def _planes(
    certificate: Certificate, goal: Goal, limits: Sequence[Limit], dose: DosePerGBq, same_rows: bool
) -> list[Support]:
    """Return the planes, computed anew; those stored must be the same."""
    choices = computed_planes([origin for origin, _ in certificate.planes], goal, limits, dose)
    planes = []
    for number, ((origin, stored), touching) in enumerate(zip(certificate.planes, choices, strict=True)):
        if same_rows:
            _check_row(number, stored, touching[origin.plane])
            planes.append(touching[origin.plane])
        else:  # planes of a goal come in an order that rounding may change
            planes.append(min(touching, key=lambda plane: _distance(plane, stored)))
    return planes


def _distance(plane: Support, stored: Support) -> float:
    return float(np.abs(plane.row - stored.row).max()) if plane.row.shape == stored.row.shape else np.inf


def _check_row(number: int, stored: Support, computed: Support) -> None:
    scale = max(float(np.abs(computed.row).max()), 1e-9)
    near = abs(stored.constant - computed.constant) <= _SAME_ROW * max(1.0, abs(computed.constant))
    if not (near and _distance(computed, stored) <= _SAME_ROW * scale):
        raise CertificateRejected(f"Row {number} of the certificate is not what the voxels give at its activities.")


def _weakened(certificate: Certificate) -> Certificate:
    """Return the certificate of a bound that is weaker by what rebuilt rows may differ."""
    level, bound = certificate.level, certificate.bound
    if level is None:
        return replace(certificate, bound=bound + _REBUILT * max(1e-3, abs(bound)))
    return replace(certificate, level=level + _REBUILT * max(1e-3, abs(level)), bound=max(bound, 0.0))


def _proved(check: ProofCheck, certificate: Certificate) -> float:
    """Return the bound that the proof proves: a score, or for goals by levels the level."""
    level, bound = certificate.level, certificate.bound
    if level is not None and not bound <= 0.0:
        raise CertificateRejected(f"The margin at {level:.8g} is bounded by {bound:.3g}: plans may surpass that level.")
    check.check(certificate.proof, bound)
    return bound if level is None else level


def _size(node: ProofNode | None) -> int:
    return 0 if node is None else 1 + sum(_size(child) for _, child in node.branches)


def _check_rows(dose: DosePerGBq) -> None:
    _ = dose.usable  # refuses what is no dose
    if not np.all(np.isfinite(dose.voxel_kg) & (dose.voxel_kg > 0)):
        raise CertificateRejected("The dose rows hold a voxel without mass.")


def check_plan(
    goal: Goal,
    limits: Sequence[Limit],
    dose: DosePerGBq,
    activities_gbq: np.ndarray,
    value: float,
    *,
    same_rows: bool = True,
) -> float:
    """Return the goal value of a plan, evaluated in float64; ``CertificateRejected`` if it or a limit is not met."""
    activities = np.asarray(activities_gbq, dtype=float)
    if activities.shape != (len(dose.site_names),) or not np.all(np.isfinite(activities) & (activities >= 0)):
        raise CertificateRejected("The plan needs one activity of zero or more for each site.")
    if np.any((activities > 0) & (activities <= USED_GBQ)):
        raise CertificateRejected(f"The plan has an activity below {USED_GBQ:g} GBq, which counts as unused: write 0.")
    found = goal.value(dose, activities)
    if not abs(found - value) <= (_SAME_VALUE if same_rows else _REBUILT) * max(1.0, abs(found)):
        raise CertificateRejected(f"The goal of the plan is {found:.8g} {goal.unit}, not {value:.8g} as it states.")
    for limit in limits:
        excess = limit.excess(dose, activities)
        if not excess <= (MET_TOLERANCE if same_rows else _REBUILT) * max(1.0, limit.bound):
            raise CertificateRejected(f"The plan exceeds its limit '{limit}' by {excess:.3g} {limit.quantity.unit}.")
    return found
