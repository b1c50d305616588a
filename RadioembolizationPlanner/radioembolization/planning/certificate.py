"""What proves the bound of a plan, and its check without any solver.

A certificate holds the planes that the proof uses, each with the activities it touches at, so that it can be computed
anew from the voxels; multipliers; and, where sites were chosen, the cuts and branches of the search.  The check
recomputes every plane in float64, the bound that the multipliers prove (``lagrangian``), and walks the branches.
Multipliers found with limited accuracy prove a bound all the same, perhaps a slightly weaker one: the bound stated is
the one that the check finds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.errors import CertificateRejected
from radioembolization.planning.choice import SiteRules
from radioembolization.planning.cutting_planes import LOOSER, CuttingPlanes, Origin
from radioembolization.planning.goals import Goal
from radioembolization.planning.lagrangian import NONE, Argument, Rows
from radioembolization.planning.limits import Limit, activity_caps_gbq
from radioembolization.planning.search import Node
from radioembolization.planning.supports import Support

#: Rows computed anew may differ by this from those stored, relative to the largest entry.
_SAME_ROW = 1e-5
#: Stored values may differ by this from those computed anew, relative.
_SAME_VALUE = 1e-6
#: By how much the bound may be above the threshold of the search, relative, tried in this order.
_WEAKER = (1e-6, 1e-5, 1e-4)


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


@dataclass(frozen=True, eq=False)
class Certificate:
    """A proof that no plan within the limits has a better score than ``bound``.

    Parameters
    ----------
    fingerprint : str
        Of the dose rows.
    planes : tuple of (Origin, Support)
    cuts : tuple of dict of int to float
        Multipliers by plane of each cut of the search; one dict without a search.
    proof : Node or None
        Branches; None without a choice of sites.
    bound : float
        Score.
    """

    fingerprint: str
    planes: tuple[tuple[Origin, Support], ...]
    cuts: tuple[dict[int, float], ...]
    proof: Node | None
    bound: float


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
    exact = _computed(origins, planes.goal, planes.limits, planes.dose)

    def short(y: np.ndarray) -> dict[int, float]:
        return {number[int(i)]: float(y[i]) for i in np.flatnonzero(y > 0)}

    for weaker in _WEAKER:
        certificate = Certificate(
            planes.dose.fingerprint,
            tuple(zip(origins, exact, strict=True)),
            tuple(short(y) for y in multipliers),
            None if proof is None else _renumbered(proof, short),
            threshold + weaker * max(1e-3, abs(threshold)),
        )
        try:
            _Checker(certificate, planes.goal, planes.limits, planes.dose, exact).check()
        except CertificateRejected:
            continue
        return certificate
    return None


def _of_nodes(node: Node | None) -> list[np.ndarray]:
    if node is None:
        return []
    own = [] if node.multipliers is None else [np.asarray(node.multipliers)]
    return own + [y for _, child in node.branches for y in _of_nodes(child)]


def _renumbered(node: Node, short: Callable[[np.ndarray], dict[int, float]]) -> Node:
    branches = tuple((site, _renumbered(child, short)) for site, child in node.branches)
    multipliers = None if node.multipliers is None else short(np.asarray(node.multipliers))
    return Node(branches, node.cut, node.packing, multipliers)


def _computed(origins: Sequence[Origin], goal: Goal, limits: Sequence[Limit], dose: DosePerGBq) -> tuple[Support, ...]:
    """Return the planes of some origins, computed in float64 from all voxels."""
    rules = SiteRules.together(limit.rules(dose) for limit in limits)
    known: dict[tuple[str, int, bytes], list[Support]] = {}
    planes = []
    for origin in origins:
        try:
            if origin.kind == "site":
                planes.append(rules.if_used[origin.index][1])
                continue
            at = np.zeros(len(dose.site_names)) if origin.at_gbq is None else np.asarray(origin.at_gbq, dtype=float)
            key = (origin.kind, origin.index, at.tobytes())
            if key not in known:
                owner: Any = goal.terms[origin.index][1] if origin.kind == "goal" else limits[origin.index]
                known[key] = owner.supports(dose, at, exact=True)
            planes.append(known[key][origin.plane])
        except (IndexError, ValueError) as error:
            raise CertificateRejected(f"A row of the certificate comes from nothing there is ({error}).") from error
    return tuple(planes)


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
        machine may differ by rounding.

    Raises
    ------
    CertificateRejected
        The message says what is wrong.
    """
    activities = np.asarray(activities_gbq, dtype=float)
    if same_rows and certificate.fingerprint != dose.fingerprint:
        raise CertificateRejected("The dose rows are not those of the certificate: their SHA256 differs.")
    found = _check_plan(goal, limits, dose, activities, value)
    exact = _computed([origin for origin, _ in certificate.planes], goal, limits, dose)
    for number, ((_, stored), computed) in enumerate(zip(certificate.planes, exact, strict=True)):
        _check_row(number, stored, computed)
    _Checker(certificate, goal, limits, dose, exact).check()
    bound = certificate.bound if goal.maximized else -certificate.bound
    gap = abs(bound - found) / max(1e-3, abs(bound))
    sites = "all choices of sites" if certificate.proof is not None else "all activities"
    branches = _size(certificate.proof)
    return Verdict(
        found,
        bound,
        gap,
        (
            f"dose rows: {'SHA256 as stated' if same_rows else 'rebuilt from the images'}",
            f"plan: {len(limits)} limits met and the goal as stated, in float64 on {dose.rows.shape[1]} voxels",
            f"planes: {len(exact)} computed anew from the voxels",
            f"bound: proved for {sites} from {len(certificate.cuts)} sets of multipliers and {branches} branches, "
            "without a solver",
        ),
    )


def _size(node: Node | None) -> int:
    return 0 if node is None else 1 + sum(_size(child) for _, child in node.branches)


def _check_plan(goal: Goal, limits: Sequence[Limit], dose: DosePerGBq, activities: np.ndarray, value: float) -> float:
    if activities.shape != (len(dose.site_names),) or not np.all(np.isfinite(activities) & (activities >= 0)):
        raise CertificateRejected("The plan needs one activity of zero or more for each site.")
    found = goal.value(dose, activities)
    if abs(found - value) > _SAME_VALUE * max(1.0, abs(found)):
        raise CertificateRejected(f"The goal of the plan is {found:.8g} {goal.unit}, not {value:.8g} as it states.")
    for limit in limits:
        if not limit.is_met(dose, activities):
            raise CertificateRejected(
                f"The plan exceeds its limit '{limit}' by {limit.excess(dose, activities):.3g} {limit.quantity.unit}."
            )
    return found


def _check_row(number: int, stored: Support, computed: Support) -> None:
    scale = max(float(np.abs(computed.row).max()), 1e-9)
    far = stored.row.shape != computed.row.shape or np.abs(stored.row - computed.row).max() > _SAME_ROW * scale
    if far or abs(stored.constant - computed.constant) > _SAME_ROW * max(1.0, abs(computed.constant)):
        raise CertificateRejected(f"Row {number} of the certificate is not what the voxels give at its activities.")


class _Checker:
    """Walks a certificate with planes computed anew."""

    def __init__(
        self,
        certificate: Certificate,
        goal: Goal,
        limits: Sequence[Limit],
        dose: DosePerGBq,
        planes: Sequence[Support],
    ) -> None:
        self.certificate, self.bound = certificate, certificate.bound
        self.cap = activity_caps_gbq(limits, dose) * LOOSER
        self.rules = SiteRules.together(limit.rules(dose) for limit in limits)
        self.most = min(self.rules.most_sites or len(self.cap), len(self.cap))
        self.origins = [origin for origin, _ in certificate.planes]
        self.rows = _rows(self.origins, planes, goal)
        self.cuts = [self._argument(cut, None) for cut in certificate.cuts]
        self.masks = [self._needed(argument) for argument in self.cuts]

    def _argument(self, multipliers: dict[int, float], used: set[int] | None) -> Argument:
        """Return what multipliers say; rules of sites count only where the site is used."""
        y = np.zeros(len(self.origins))
        for number, multiplier in multipliers.items():
            origin = self.origins[number] if 0 <= number < len(self.origins) else None
            if origin is None or not np.isfinite(multiplier):
                raise CertificateRejected(f"A multiplier belongs to row {number}, which the certificate does not have.")
            if origin.kind == "site" and (used is None or self.rules.if_used[origin.index][0] not in used):
                raise CertificateRejected("A rule that holds only for a used site was used where it need not be.")
            y[number] = multiplier
        return Argument.of(self.rows, y)

    def _needed(self, argument: Argument) -> set[int] | None:
        needed = argument.needed(self.bound, self.cap)
        return None if needed is None else {int(site) for site in np.flatnonzero(needed)}

    def check(self) -> None:
        """Raise ``CertificateRejected`` unless the bound is proved."""
        if self.certificate.proof is None:
            zero = np.zeros(len(self.cap))
            proved = min((argument.bound(zero, self.cap) for argument in self.cuts), default=np.inf)
            if proved > self.bound:
                raise CertificateRejected(
                    f"The multipliers prove a score of {proved:.8g}, not the bound of {self.bound:.8g}."
                )
            return
        self._walk(self.certificate.proof, [], set())

    def _walk(self, node: Node, used: list[int], out: set[int]) -> None:
        if node.packing:
            self._check_packing(node.packing, used, out)
        elif node.branches:
            self._check_branches(node, used, out)
        else:
            self._check_alone(node, used, None if len(used) >= self.most else out)

    def _check_packing(self, packing: Sequence[int], used: list[int], out: set[int]) -> None:
        seen: set[int] = set()
        for cut in packing:
            needed = self.masks[cut] if 0 <= cut < len(self.masks) else None
            if needed is None or needed & set(used) or (needed - out) & seen:
                raise CertificateRejected(f"A branch of the search ({_named(used)}) is not closed by its cuts.")
            seen |= needed - out
        empty = any(not self.masks[cut] - out for cut in packing)  # type: ignore[operator]
        if len(packing) <= self.most - len(used) and not empty:
            raise CertificateRejected(f"A branch of the search ({_named(used)}) is closed by too few cuts.")

    def _check_branches(self, node: Node, used: list[int], out: set[int]) -> None:
        if node.cut == NONE:
            self._check_alone(node, used, None)
            needed: set[int] | None = set(range(len(self.cap))) - set(used)
        else:
            needed = self.masks[node.cut] if 0 <= node.cut < len(self.masks) else None
            if needed is None or needed & set(used):
                raise CertificateRejected(f"The search ({_named(used)}) branches on a cut that proves nothing.")
        missing = (needed or set()) - out - {site for site, _ in node.branches}
        if missing:
            raise CertificateRejected(f"The search ({_named(used)}) leaves out the branch of site {min(missing) + 1}.")
        out = set(out)
        if len(used) >= self.most:
            return
        for site, child in node.branches:
            if site in used or not 0 <= site < len(self.cap):
                raise CertificateRejected(f"The search ({_named(used)}) branches on site {site + 1}, which it cannot.")
            self._walk(child, [*used, site], out)
            out.add(site)

    def _check_alone(self, node: Node, used: list[int], out: set[int] | None) -> None:
        """Check the multipliers of a node; ``out`` None means only the used sites may have activity."""
        if node.multipliers is None:
            raise CertificateRejected(f"A branch of the search ({_named(used)}) has no proof.")
        argument = self._argument(node.multipliers, set(used))
        sites = np.arange(len(self.cap))
        allowed = np.isin(sites, used) if out is None else ~np.isin(sites, list(out))
        proved = argument.bound(np.zeros(len(self.cap)), np.where(allowed, self.cap, 0.0))
        if proved > self.bound:
            raise CertificateRejected(
                f"A branch of the search ({_named(used)}) reaches {proved:.8g}, above the bound of {self.bound:.8g}."
            )


def _named(used: Sequence[int]) -> str:
    return "sites " + ", ".join(str(site + 1) for site in used) if used else "its root"


def _rows(origins: Sequence[Origin], planes: Sequence[Support], goal: Goal) -> Rows:
    """Return the planes as rows of the linear program, see ``lagrangian``."""
    of_goal = np.array([origin.kind == "goal" for origin in origins], dtype=bool)
    sign = np.where(of_goal, -1.0, 1.0)
    matrix = sign[:, None] * np.array([plane.row for plane in planes])
    right = -sign * np.array([plane.constant for plane in planes])
    term = np.where(of_goal, [origin.index for origin in origins], NONE)
    return Rows(matrix, right, term, np.array([weight for weight, _ in goal.terms]))
