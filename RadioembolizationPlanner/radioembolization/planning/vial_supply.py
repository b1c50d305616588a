"""How activity is supplied: whole vials, vials shared by several injections, or made for the patient."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import combinations_with_replacement

from radioembolization.errors import VialError
from radioembolization.physics import GLASS_Y90, HOLMIUM_HO166, RESIN_Y90, Device

#: More vials for one injection than this are taken for a mistake.
_MOST_PER_SITE = 4


@dataclass(frozen=True)
class Supply(ABC):
    """A way in which activity comes to the sites."""

    #: Whether vials come in sizes.
    sized = True
    #: Whether less than is in the vials may be injected, so that a later hour only takes a larger part of them.
    drawn = False

    @property
    @abstractmethod
    def vials_per_site(self) -> int | None:
        """Most vials that are injected whole at a site; None if any activity can be injected."""

    def combinations(self, sizes: int) -> list[tuple[int, ...]]:
        """Return which of some vials (by number) an injection may consist of, few vials first."""
        most = self.vials_per_site or 0
        return [c for count in range(1, most + 1) for c in combinations_with_replacement(range(sizes), count)]


@dataclass(frozen=True)
class WholeVials(Supply):
    """One vial, or a few, injected whole at each site: glass microspheres.

    Parameters
    ----------
    most_per_site : int
    """

    most_per_site: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.most_per_site <= _MOST_PER_SITE:
            raise VialError(f"An injection takes 1 to {_MOST_PER_SITE} vials, not {self.most_per_site}.")

    @property
    def vials_per_site(self) -> int | None:
        return self.most_per_site


@dataclass(frozen=True)
class SharedVials(Supply):
    """Any activity is drawn from a vial, for one site or several, up to its content: resin microspheres.

    Parameters
    ----------
    most_vials : int or None
        Of the whole treatment; None for as many as it takes.
    """

    most_vials: int | None = None
    drawn = True

    def __post_init__(self) -> None:
        if self.most_vials is not None and self.most_vials < 1:
            raise VialError(f"A treatment takes at least one vial, not {self.most_vials}.")

    @property
    def vials_per_site(self) -> int | None:
        return None


@dataclass(frozen=True)
class MadeForPatient(Supply):
    """Any activity, made for the site and its hour: 166Ho microspheres."""

    sized = False

    @property
    def vials_per_site(self) -> int | None:
        return None


def usual_supply(device: Device) -> Supply:
    """Return how a device is usually supplied (``VialError`` if that is not known)."""
    usual = {GLASS_Y90.name: WholeVials(), RESIN_Y90.name: SharedVials(), HOLMIUM_HO166.name: MadeForPatient()}
    if device.name not in usual:
        raise VialError(f"It is not known how {device.title} are supplied: state the supply.")
    return usual[device.name]
