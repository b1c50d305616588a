"""The check of a proof: planes computed anew, bounds of multipliers with the rounding counted in, branches walked.

It uses no solver and believes nothing of the proof but its numbers: whatever they are, a bound that passes holds for
every plan within the limits whose activities are zero or above ``USED_GBQ``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.errors import CertificateRejected, InputError
from radioembolization.planning.choice import SiteRules
from radioembolization.planning.cutting_planes import LOOSER, Origin
from radioembolization.planning.goals import Goal
from radioembolization.planning.lagrangian import NEGLIGIBLE, NONE, Argument, Rows
from radioembolization.planning.limits import Limit, activity_caps_gbq
from radioembolization.planning.proof import Multipliers, ProofNode
from radioembolization.planning.supports import Support

#: Sums in float64 over all voxels, and over the planes, are wrong by less than this of the sum of absolute values.
ROUNDING = 1e-10


@dataclass(frozen=True, eq=False)
class SafeArgument:
    """What multipliers prove (``Argument``), with what rounding may have taken from it added.

    Multipliers so large that their terms cancel would otherwise prove anything.

    Parameters
    ----------
    argument : Argument
    sizes : Argument
        The same sums over absolute values.
    """

    argument: Argument
    sizes: Argument

    @staticmethod
    def of(rows: Rows, multipliers: np.ndarray) -> SafeArgument:
        """Return what multipliers (rows,) say."""
        y = rows.admissible(multipliers)
        scaled = (rows.term == NONE) & (rows.right >= 0)
        right, matrix = np.abs(rows.right), np.abs(rows.matrix)
        fixed, free = y * ~scaled, y * scaled
        sizes = Argument(float(fixed @ right), float(free @ right), fixed @ matrix, free @ matrix)
        return SafeArgument(Argument.of(rows, multipliers), sizes)

    def bound(self, upper: np.ndarray) -> float:
        """Return the bound for activities from zero to upper (sites,); infinite if nothing follows."""
        gain, price = self.argument.gain, self.argument.price
        ratios = gain[price > 0] / price[price > 0]
        factors = [1.0, *np.unique(ratios[np.isfinite(ratios) & (ratios > 0.5)])]
        return min(self._at(factor, upper) for factor in factors)

    def _at(self, factor: float, upper: np.ndarray) -> float:
        each = self._gain(factor) * upper
        total = self._fixed + factor * self._scaled + float(np.sum(np.maximum(each, 0.0)))
        return total if np.isfinite(total) else np.inf

    def _gain(self, factor: float) -> np.ndarray:
        size = self.sizes.gain + factor * self.sizes.price
        return self.argument.gain - factor * self.argument.price + ROUNDING * size

    @property
    def _fixed(self) -> float:
        return self.argument.fixed + ROUNDING * self.sizes.fixed

    @property
    def _scaled(self) -> float:
        return self.argument.scaled + ROUNDING * self.sizes.scaled

    def needed(self, threshold: float, upper: np.ndarray) -> frozenset[int] | None:
        """Return the sites of which every plan above a threshold uses one; None if nothing follows.

        The constant part is scaled to end a little below the threshold; the sites left out add no more than that.
        """
        small = NEGLIGIBLE * max(1e-3, abs(threshold))
        room = threshold - small - self._fixed
        if not (room >= 0 and np.isfinite(self._scaled)):
            return None
        factor = room / self._scaled if self._scaled > 0 else 0.0
        negligible = self._gain(factor) * upper <= small / len(upper)
        return frozenset(int(site) for site in np.flatnonzero(~negligible))


def computed_planes(
    origins: Sequence[Origin], goal: Goal, limits: Sequence[Limit], dose: DosePerGBq
) -> tuple[tuple[Support, ...], ...]:
    """Return the planes that touch at the activities of some origins, in float64; ``Origin.plane`` counts them.

    Raises
    ------
    CertificateRejected
        If there is nothing that an origin names.
    """
    rules = SiteRules.together(limit.rules(dose) for limit in limits)
    known: dict[tuple[str, int, bytes], tuple[Support, ...]] = {}
    planes = []
    for number, origin in enumerate(origins):
        at = _checked_at(number, origin, len(dose.site_names))
        key = (origin.kind, origin.index, at.tobytes())
        if key not in known:
            known[key] = _touching(number, origin, at, goal, limits, rules, dose)
        if not 0 <= origin.plane < len(known[key]):
            raise CertificateRejected(f"Row {number} of the certificate is plane {origin.plane}, which there is not.")
        planes.append(known[key])
    return tuple(planes)


def _checked_at(number: int, origin: Origin, sites: int) -> np.ndarray:
    at = np.zeros(sites) if origin.at_gbq is None else np.asarray(origin.at_gbq, dtype=float)
    if at.shape != (sites,) or not np.all(np.isfinite(at) & (at >= 0)):
        raise CertificateRejected(f"Row {number} of the certificate touches at no activities of {sites} sites.")
    return at


def _touching(
    number: int,
    origin: Origin,
    at: np.ndarray,
    goal: Goal,
    limits: Sequence[Limit],
    rules: SiteRules,
    dose: DosePerGBq,
) -> tuple[Support, ...]:
    owners: dict[str, Sequence[Any]] = {"goal": goal.terms, "limit": limits, "site": rules.if_used}
    if not 0 <= origin.index < len(owners.get(origin.kind, ())):
        raise CertificateRejected(
            f"Row {number} of the certificate is of {origin.kind} {origin.index}, which there is not."
        )
    owner = owners[origin.kind][origin.index]
    if origin.kind == "site":
        return (owner[1],)
    if origin.kind == "limit" and (owner.rules(dose) is not None or owner.volume_bound is not None):
        raise CertificateRejected(
            f"Row {number} of the certificate is a plane of '{owner}', which is no bound that a plane can touch."
        )
    function = owner[1] if origin.kind == "goal" else owner
    try:
        with np.errstate(all="ignore"):
            planes = tuple(function.supports(dose, at, exact=True))
    except (NotImplementedError, InputError) as error:
        raise CertificateRejected(f"Row {number} of the certificate cannot be computed: {error}") from error
    if not all(np.all(np.isfinite(plane.row)) and np.isfinite(plane.constant) for plane in planes):
        raise CertificateRejected(f"Row {number} of the certificate touches at activities without a finite plane.")
    return planes


def checked_caps_gbq(limits: Sequence[Limit], dose: DosePerGBq) -> np.ndarray:
    """Return the largest activity (sites,) [GBq] of any plan within the limits, to ``LOOSER``.

    Caps of one site rest on no other site lowering what a limit bounds.  Convolution may leave doses a little below
    zero; where they all together take less from a bound than ``LOOSER`` adds, the caps hold all the same.

    Raises
    ------
    CertificateRejected
        If they take more.
    """
    caps = activity_caps_gbq(limits, dose)
    zero = np.zeros(len(caps))
    linear_caps = np.full(len(caps), np.inf)
    for limit in limits:
        if limit.upper and limit.quantity.linear:
            (plane,) = limit.supports(dose, zero, exact=True)
            _check_lowered(limit, np.maximum(-plane.row, 0.0) @ caps, -0.5 * plane.constant)
            linear_caps = np.minimum(linear_caps, limit.cap_gbq(dose))
    if not np.all(np.isfinite(linear_caps)):
        lowest = np.maximum(-dose.rows.min(axis=1).astype(float), 0.0) @ caps
        for limit in limits:
            if limit.upper and not limit.quantity.linear:
                _check_lowered(limit, lowest, 0.1 * limit.bound if limit.quantity.unit == "Gy" else 0.0)
    return caps


def _check_lowered(limit: Limit, lowered: float, bound: float) -> None:
    if not lowered <= (LOOSER - 1.0) * max(bound, 0.0):
        raise CertificateRejected(f"Doses below zero take {lowered:.3g} from the limit '{limit}': it caps no site.")


class ProofCheck:
    """Walks a proof with planes computed anew.

    Parameters
    ----------
    origins, planes : sequence of Origin and Support
    cuts : sequence of Multipliers
    goal, limits, dose
    bound : float
        Score that no plan is to surpass; it may be set anew before ``walk``.

    Raises
    ------
    CertificateRejected
        If there is no plane, multipliers are of planes that are not there, or a rule of used sites is in a cut.
    """

    def __init__(
        self,
        origins: Sequence[Origin],
        planes: Sequence[Support],
        cuts: Sequence[Multipliers],
        goal: Goal,
        limits: Sequence[Limit],
        dose: DosePerGBq,
    ) -> None:
        if not origins:
            raise CertificateRejected("The certificate has no rows, from which nothing follows.")
        self.upper = checked_caps_gbq(limits, dose) * LOOSER
        self.rules = SiteRules.together(limit.rules(dose) for limit in limits)
        self.most = min(self.rules.most_sites or len(self.upper), len(self.upper))
        self.origins = origins
        self.rows = _rows(origins, planes, goal)
        self.cuts = [self._argument(cut, frozenset()) for cut in cuts]
        self.bound = np.inf
        self._masks: list[frozenset[int] | None] = []

    def proved(self) -> float:
        """Return the score that the multipliers prove for all activities, whatever sites are used."""
        return min((cut.bound(self.upper) for cut in self.cuts), default=np.inf)

    def check(self, proof: ProofNode | None, bound: float) -> None:
        """Raise ``CertificateRejected`` unless it is proved that no plan has a better score than ``bound``."""
        if not np.isfinite(bound):
            raise CertificateRejected(f"A bound of {bound} says nothing.")
        if proof is None:
            if not self.proved() <= bound:
                raise CertificateRejected(
                    f"The multipliers prove a score of {self.proved():.10g}, not the bound of {bound:.10g}."
                )
            return
        self.bound = bound
        self._masks = [cut.needed(bound, self.upper) for cut in self.cuts]
        self._walk(proof, frozenset(), frozenset())

    def _argument(self, multipliers: Multipliers, used: frozenset[int]) -> SafeArgument:
        """Return what multipliers say; rules of sites count only where the site is used."""
        y = np.zeros(len(self.origins))
        for number, multiplier in multipliers.items():
            origin = self.origins[number] if 0 <= number < len(self.origins) else None
            if origin is None:
                raise CertificateRejected(f"A multiplier belongs to row {number}, which the certificate does not have.")
            if not (np.isfinite(multiplier) and multiplier >= 0):
                raise CertificateRejected(f"The multiplier of row {number} is {multiplier}, not a number from zero on.")
            if origin.kind == "site" and self.rules.if_used[origin.index][0] not in used:
                raise CertificateRejected("A rule that holds only for a used site was used where it need not be.")
            y[number] = multiplier
        with np.errstate(all="ignore"):
            return SafeArgument.of(self.rows, y)

    def _walk(self, node: ProofNode, used: frozenset[int], out: frozenset[int]) -> None:
        """Check that no plan that uses some sites, and none of others, is better than the bound."""
        if node.packing:
            self._check_packing(node.packing, used, out)
        elif node.branches:
            self._check_branches(node, used, out)
        else:
            self._check_alone(node, used, None if len(used) >= self.most else out)

    def _mask(self, cut: int, used: frozenset[int]) -> frozenset[int]:
        """Return the sites of a cut of which a better plan uses a further one."""
        needed = self._masks[cut] if 0 <= cut < len(self._masks) else None
        if needed is None or needed & used:
            raise CertificateRejected(f"The search ({_named(used)}) rests on cut {cut}, which proves nothing there.")
        return needed

    def _check_packing(self, packing: Sequence[int], used: frozenset[int], out: frozenset[int]) -> None:
        left = [self._mask(cut, used) - out for cut in packing]
        if not all(left):
            return  # a better plan would use a site of none
        if len(frozenset[int]().union(*left)) < sum(len(sites) for sites in left):
            raise CertificateRejected(f"A branch of the search ({_named(used)}) is closed by cuts that share a site.")
        if len(left) <= self.most - len(used):
            raise CertificateRejected(f"A branch of the search ({_named(used)}) is closed by too few cuts.")

    def _check_branches(self, node: ProofNode, used: frozenset[int], out: frozenset[int]) -> None:
        every = frozenset(range(len(self.upper)))
        tried = frozenset(site for site, _ in node.branches)
        if node.cut == NONE:
            self._check_alone(node, used, None if len(used) >= self.most else out | tried)
        elif missing := self._mask(node.cut, used) - out - tried:
            raise CertificateRejected(f"The search ({_named(used)}) leaves out the branch of site {min(missing) + 1}.")
        if len(used) >= self.most:
            return
        for site, child in node.branches:
            if site not in every - used - out:
                raise CertificateRejected(f"The search ({_named(used)}) branches on site {site + 1}, which it cannot.")
            self._walk(child, used | {site}, out)
            out = out | {site}

    def _check_alone(self, node: ProofNode, used: frozenset[int], out: frozenset[int] | None) -> None:
        """Check the multipliers of a node; ``out`` None means only the used sites may have activity."""
        if node.multipliers is None:
            raise CertificateRejected(f"A branch of the search ({_named(used)}) has no proof.")
        sites = np.arange(len(self.upper))
        allowed = np.isin(sites, list(used)) if out is None else ~np.isin(sites, list(out))
        proved = self._argument(node.multipliers, used).bound(np.where(allowed, self.upper, 0.0))
        if not proved <= self.bound:
            raise CertificateRejected(
                f"A branch of the search ({_named(used)}) reaches {proved:.8g}, above the bound of {self.bound:.8g}."
            )


def _named(used: frozenset[int]) -> str:
    return "sites " + ", ".join(str(site + 1) for site in sorted(used)) if used else "its root"


def _rows(origins: Sequence[Origin], planes: Sequence[Support], goal: Goal) -> Rows:
    """Return the planes as rows of the linear program, see ``lagrangian``."""
    of_goal = np.array([origin.kind == "goal" for origin in origins], dtype=bool)
    sign = np.where(of_goal, -1.0, 1.0)
    matrix = sign[:, None] * np.array([plane.row for plane in planes])
    right = -sign * np.array([plane.constant for plane in planes])
    term = np.where(of_goal, [origin.index for origin in origins], NONE)
    return Rows(matrix, right, term, np.array([weight for weight, _ in goal.terms]))
