"""What is chosen about the sites of an arterial tree; nothing here knows Slicer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from radioembolization.errors import InputError
from radioembolization.territories.arteries import ArterialTree
from radioembolization.territories.branches.branch_territories import FlowWeighted, NearestBranch
from radioembolization.territories.candidates.candidate_list import SMALLEST_RADIUS_MM
from radioembolization.territories.candidates.tree_point import UserPoint
from radioembolization.treatment.arterial_sites import ArterialRequest

#: How branches divide the liver.
NEAREST, FLOW = MODELS = ("nearest", "flow")


@dataclass(frozen=True)
class ArteryOptions:
    """How sites are made of an arterial tree; see ``ArterialRequest``.

    Parameters
    ----------
    model : str
        One of ``MODELS``.
    watershed_mm : float
        Width of the borders between territories, for ``FLOW`` [mm].
    smallest_radius_mm : float
        Thinner arteries are offered no site [mm].
    organs : mapping of str to str
        Organ by artery, before what names and drawn organs say; "" for the liver.
    """

    model: str = NEAREST
    watershed_mm: float = 5.0
    smallest_radius_mm: float = SMALLEST_RADIUS_MM
    organs: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise InputError(f"Unknown model of territories '{self.model}': use one of {', '.join(MODELS)}.")

    def deciding(self) -> dict[str, object]:
        """Return what decides territories of sites at given points."""
        watershed = {"watershed_mm": self.watershed_mm} if self.model == FLOW else {}
        return {"model": self.model, "organs": dict(self.organs), **watershed}

    def request(self, tree: ArterialTree, points: tuple[UserPoint, ...] = ()) -> ArterialRequest:
        """Return what sites to make: at the points, or without any, those that the tree offers.

        Organs of arteries that the tree does not have count for nothing.  Lung shunts are those of the case, and
        given to the sites when it is read.
        """
        return ArterialRequest(
            tree=tree,
            lung_shunt=0.0,
            model=FlowWeighted(watershed_mm=self.watershed_mm) if self.model == FLOW else NearestBranch(),
            smallest_radius_mm=self.smallest_radius_mm,
            points=points,
            organ_arteries={name: organ for name, organ in self.organs.items() if name in tree.names},
            candidates=not points,
        )
