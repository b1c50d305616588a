"""Lung shunts by every method, as they are kept in the scene: what each was made from, and which one is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from radioembolization.physics import Device
from radioembolization.territories.shunt.lung_shunt import (
    LungShunt,
    ShuntMethod,
    entered_shunt,
    warn_of_disagreement,
    warn_of_shunt,
)
from radioembolization.treatment.case import Notice, collected_notices, joined

if TYPE_CHECKING:
    from RadioembolizationPlannerLib.parameters import PlannerParameters


@dataclass(frozen=True)
class KnownShunt:
    """A lung shunt with what it was made from.

    Parameters
    ----------
    shunt : LungShunt
    made_from : mapping of str to str
        Digests by the name of the input; empty for numbers.
    nodes : mapping of str to str
        Planar images and their regions in the scene: IDs, of segments as ``node|segment``.
    numbers : mapping of str to float
        What was entered or chosen for it.
    notices : tuple of Notice
        What computing it had to tell.
    """

    shunt: LungShunt
    made_from: Mapping[str, str] = field(default_factory=dict)
    nodes: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "notices", tuple(self.notices))

    @property
    def method(self) -> ShuntMethod:
        """How it is known."""
        return self.shunt.method


def known_shunts(parameters: PlannerParameters) -> tuple[KnownShunt, ...]:
    """Return all shunts, that of the case marked as used.

    A lung shunt of the case that none of them gave was entered; it takes the place of the one entered before.
    """
    fraction = parameters.lung_shunt
    known = tuple(replace(one, shunt=replace(one.shunt, used=False)) for one in parameters.lung_shunts)
    if fraction is None:
        return known
    before = (old for old in parameters.lung_shunts if old.shunt.used and old.shunt.fraction == fraction)
    method = next((old.method for old in before), ShuntMethod.ENTERED)
    if method is ShuntMethod.ENTERED:
        known = (KnownShunt(entered_shunt(fraction)), *(one for one in known if one.method is not method))
    return tuple(replace(one, shunt=replace(one.shunt, used=one.method is method)) for one in known)


def with_shunt(known: Sequence[KnownShunt], new: KnownShunt) -> tuple[KnownShunt, ...]:
    """Return shunts with another one, which takes the place of that by the same method, in the order of methods."""
    kept = [one for one in known if one.method is not new.method]
    return tuple(sorted((*kept, new), key=lambda one: tuple(ShuntMethod).index(one.method)))


def case_shunts(parameters: PlannerParameters) -> tuple[LungShunt, ...]:
    """Return all shunts for the outputs of a case."""
    return tuple(one.shunt for one in known_shunts(parameters))


def shunt_notices(known: Sequence[KnownShunt], fractions: Sequence[float], device: Device) -> tuple[Notice, ...]:
    """Return what is to be told of the lung shunts of a case.

    Parameters
    ----------
    known : sequence of KnownShunt
    fractions : sequence of float
        That sites have.
    device : Device
    """
    used = next((one for one in known if one.shunt.used), None)
    with collected_notices() as notices:
        warn_of_disagreement([one.shunt for one in known])
        for fraction in sorted(set(fractions)):
            warn_of_shunt(fraction, device)
    return joined(() if used is None else used.notices, notices)


def out_of_date(known: KnownShunt, changes: Sequence[str]) -> Notice:
    """Return what is to be told of a shunt that is used although its inputs have changed, which is said in words."""
    return Notice(
        "LungShuntOutOfDate",
        f"The lung shunt of {known.shunt.fraction:.1%} by {known.method.words} was computed before these changes: "
        f"{'; '.join(changes)}. Compute it again.",
    )
