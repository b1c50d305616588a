"""What a proof consists of: planes, cuts, branches.  Data only; ``proof_check`` checks it, ``certificate`` makes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from radioembolization.planning.cutting_planes import Origin
from radioembolization.planning.lagrangian import NONE
from radioembolization.planning.supports import Support

#: Multipliers by the number of their plane.
Multipliers = Mapping[int, float]


@dataclass(frozen=True, eq=False)
class ProofNode:
    """A node of the proof: branches, or a reason why no plan below it is better.

    Parameters
    ----------
    branches : tuple of (int, ProofNode)
        Sites, each used in its branch and left out in those after it; they hold all sites of the cut ``cut`` that are
        not left out already.
    cut : int
        -1 for none: then plans of the sites used so far, and of those neither left out nor in a branch, are refuted
        by ``multipliers``.
    packing : tuple of int
        Cuts that no site used so far is in, that share no site and are more than the sites left.
    multipliers : mapping of int to float, or None
        By plane; rules of the sites used so far may have some.
    """

    branches: tuple[tuple[int, ProofNode], ...] = ()
    cut: int = NONE
    packing: tuple[int, ...] = ()
    multipliers: Multipliers | None = None


@dataclass(frozen=True, eq=False)
class Certificate:
    """A proof that no plan within the limits has a better score than ``bound``.

    Parameters
    ----------
    fingerprint : str
        Of the dose rows.
    planes : tuple of (Origin, Support)
        In float64; the check computes them anew from their origins and compares.
    cuts : tuple of mapping of int to float
        Multipliers by plane of each cut of the search; one mapping without a search.
    proof : ProofNode or None
        Branches; None without a choice of sites.
    bound : float
        Score: the value of a maximized goal, the negative of one to minimize; with ``level`` that of the margin.
    level : float or None
        For goals by levels (``Goal.margin``): the value that no plan surpasses, because the margin at it has a bound
        of zero or less.
    """

    fingerprint: str
    planes: tuple[tuple[Origin, Support], ...]
    cuts: tuple[Multipliers, ...]
    proof: ProofNode | None
    bound: float
    level: float | None = None
