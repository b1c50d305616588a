"""What a search over doses leaves behind: boxes, what narrows and bounds them.  Data only; ``check`` checks it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from radioembolization.planning.cutting_planes import Origin
from radioembolization.planning.volumes.argument import Weighing
from radioembolization.planning.volumes.tree import Stage

#: Numbers of multipliers that a certificate holds at most; about 5 MB in a file.
MOST_NUMBERS = 900_000
#: A bound is reached if it is below the one stated, or above it by no more than rounding, relative.
_REACHED = 1e-9

#: Positions of entries that are not zero, with their values.
Sparse = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Multipliers:
    """Multipliers of planes, of the floor, of dose-volume limits, slopes of their forms, and sides of the box."""

    planes: Sparse
    floor: float
    limits: np.ndarray
    slopes: tuple[Sparse, ...]
    sides: Sparse

    @property
    def size(self) -> int:
        """Numbers it holds."""
        return sum(2 * len(part[0]) for part in (self.planes, self.sides, *self.slopes)) + len(self.limits) + 1


@dataclass(frozen=True, eq=False)
class BoxNode:
    """A box of the search.

    Parameters
    ----------
    level : int
        Which width of cells.
    floor : float
        Score that the steps presume; minus infinity for any.
    steps : tuple of (int, bool, Multipliers)
        What narrows a coordinate, from above or below, all within the box as it was.
    bound : Multipliers or None
        Of a box that is not split.
    split : (int, float) or None
        Coordinate and value at which the narrowed box is split.
    parts : tuple of BoxNode
        Two if it is split: below and above; one for the narrowed box looked at again.
    """

    level: int
    floor: float
    steps: tuple[tuple[int, bool, Multipliers], ...] = ()
    bound: Multipliers | None = None
    split: tuple[int, float] | None = None
    parts: tuple[BoxNode, ...] = ()

    def walk(self) -> Iterator[BoxNode]:
        """Yield the node and all below it."""
        left = [self]
        while left:
            node = left.pop()
            yield node
            left += reversed(node.parts)


@dataclass(frozen=True, eq=False)
class VolumeCertificate:
    """A proof that no plan within limits, some of them on doses at volumes, has a better score than ``bound``.

    Parameters
    ----------
    fingerprint : str
        Of the dose rows.
    matrix : ndarray (coordinates, sites)
        The doses that boxes are made of.
    widths : tuple of float
        Of the cells of each level.
    forms : tuple of ndarray (forms, coordinates)
        Of each dose-volume limit.
    planes : tuple of Origin
    root : BoxNode
    bound : float
        Score: the value of a maximized goal, the negative of one to minimize.
    level : float or None
        For goals that are a dose at a volume: the value that no plan reaches, because boxes without any plan at it
        are all there are.
    """

    fingerprint: str
    matrix: np.ndarray
    widths: tuple[float, ...]
    forms: tuple[np.ndarray, ...]
    planes: tuple[Origin, ...]
    root: BoxNode
    bound: float
    level: float | None = None

    @property
    def size(self) -> int:
        """Numbers of multipliers it holds."""
        return sum(y.size for node in self.root.walk() for y in multipliers_of(node))


def multipliers_of(node: BoxNode) -> list[Multipliers]:
    """Return all multipliers of one node."""
    return [y for _, _, y in node.steps] + ([] if node.bound is None else [node.bound])


def recorded(stage: Stage, bound: float, used: dict[int, int]) -> BoxNode | None:
    """Return the record of a search as far as it is needed for a bound; None if boxes above it are left.

    Parameters
    ----------
    stage : Stage
        The root.
    bound : float
    used : dict of int to int
        Filled with the planes that have multipliers, by their number in the model, and their number in the record.
    """
    if stage.bound <= bound + _REACHED * abs(bound) and stage.weighing is not None:
        return BoxNode(stage.level, -np.inf, bound=_short(stage.weighing, used))
    steps = tuple((coordinate, above, _short(y, used)) for coordinate, above, y in stage.steps)
    parts = []
    for part in stage.parts:
        found = recorded(part, bound, used)
        if found is None:
            return None
        parts.append(found)
    if not parts and not stage.emptied:
        return None
    return BoxNode(stage.level, stage.floor, steps, None, stage.split, tuple(parts))


def _short(weighing: Weighing, used: dict[int, int]) -> Multipliers:
    planes = np.flatnonzero(weighing.planes > 0)
    numbers = np.array([used.setdefault(int(k), len(used)) for k in planes], dtype=int)
    return Multipliers(
        (numbers, weighing.planes[planes]),
        weighing.floor,
        weighing.limits,
        tuple(_sparse(slopes) for slopes in weighing.slopes),
        _sparse(weighing.sides),
    )


def _sparse(values: np.ndarray) -> Sparse:
    places = np.flatnonzero(values)
    return places, values[places]
