"""The liver segments of the synthetic patient and the arteries that reach them."""

from __future__ import annotations

import numpy as np

from radioembolization.images import Grid
from radioembolization.phantom.shapes import positions
from radioembolization.territories.arteries import ArterialTree, Artery
from radioembolization.territories.growth.branch_names import Namer
from radioembolization.territories.growth.couinaud import SEGMENT_SHARES, cut_segments
from radioembolization.territories.growth.filling import fill_room
from radioembolization.territories.growth.growing_branches import Branches
from radioembolization.territories.growth.room import Room, largest_piece

#: Every artery with its parent, from the root on.
PARENTS: dict[str, str | None] = {
    "common hepatic": None,
    "proper hepatic": "common hepatic",
    "right gastric": "common hepatic",
    "left hepatic": "proper hepatic",
    "middle hepatic": "proper hepatic",
    "right hepatic": "proper hepatic",
    "segment 1 branch": "left hepatic",
    "segment 2 branch": "left hepatic",
    "segment 3 branch": "left hepatic",
    "segment 4 branch": "middle hepatic",
    "right anterior": "right hepatic",
    "right posterior": "right hepatic",
    "cystic": "right hepatic",
    "segment 5 branch": "right anterior",
    "segment 8 branch": "right anterior",
    "segment 6 branch": "right posterior",
    "segment 7 branch": "right posterior",
}
#: How far an artery goes from its parent towards the middle of the tips that it feeds.
_REACH = {
    "left hepatic": 0.5,
    "middle hepatic": 0.5,
    "right hepatic": 0.3,
    "right anterior": 0.5,
    "right posterior": 0.5,
}

# Fixed points of the reference adult [mm]: coeliac trunk, bifurcation at the gastroduodenal artery, hilum.
_COELIAC, _BIFURCATION, _HILUM = (8.0, 19.0, -42.0), (-12.0, 2.0, -54.0), (-27.0, 6.0, -33.0)
_FIXED_ENDS = {
    "common hepatic": _BIFURCATION,
    "proper hepatic": _HILUM,
    "right gastric": (30.0, -9.0, -20.0),
    "cystic": (-48.0, -22.0, -60.0),
}
#: Flow of the arteries to stomach and gallbladder, relative to the whole liver.
_SIDE_FLOW = {"right gastric": 0.04, "cystic": 0.015}
_ROOT_RADIUS_MM = 2.6
_TAPER, _TIP_TAPER = 0.9, 0.5
_POINTS = 16
#: Bending of an artery relative to its length.
_BEND = 0.12
#: Ends in each segment, and how many small branches leave the tip of its artery.
_ENDS_PER_SEGMENT, _FORKS_AT_TIP = 8, 2


def segment_labels(liver: np.ndarray, grid: Grid, scale: float, shares: np.ndarray) -> np.ndarray:
    """Return the Couinaud segment of every liver voxel as 1 to 8, and 0 outside (z, y, x); see ``cut_segments``."""
    z, y, x = np.nonzero(liver)
    axes = [axis.ravel() for axis in positions(grid, scale)]
    result = np.zeros(liver.shape, dtype=np.uint8)
    result[z, y, x] = cut_segments(axes[0][x], axes[1][y], axes[2][z], shares)
    return result


def segment_shares(rng: np.random.Generator) -> np.ndarray:
    """Return the share of the liver by segment (8,) of one patient."""
    shares = np.array(SEGMENT_SHARES) * rng.uniform(0.88, 1.12, size=8)
    return shares / shares.sum()


def downstream_segments(name: str) -> tuple[int, ...]:
    """Return the segments that an artery feeds; none for those to stomach and gallbladder."""
    if name.startswith("segment"):
        return (int(name.split()[1]),)
    children = (child for child, parent in PARENTS.items() if parent == name)
    return tuple(sorted(segment for child in children for segment in downstream_segments(child)))


def grow_arteries(
    labels: np.ndarray, grid: Grid, scale: float, shares: np.ndarray, rng: np.random.Generator
) -> tuple[Artery, ...]:
    """Return the hepatic arterial tree, root first.

    Radii follow Murray's law, ``r^3`` proportional to flow and flow to the volume fed; along an artery
    they taper.

    Parameters
    ----------
    labels : ndarray (z, y, x) of int
        Segments 1 to 8.
    grid : Grid
    scale : float
        Size relative to the reference adult.
    shares : ndarray (8,)
        Share of the liver by segment.
    rng : numpy.random.Generator
        For the bends.
    """
    tips = {segment: _middle_voxel(labels == segment, grid) for segment in range(1, 9)}
    ends: dict[str | None, np.ndarray] = {None: np.array(_COELIAC) * scale}
    arteries = []
    for name, parent in PARENTS.items():
        fed = downstream_segments(name)
        start = ends[parent]
        if name in _FIXED_ENDS:
            ends[name] = np.array(_FIXED_ENDS[name]) * scale
        else:
            aim = np.mean([tips[segment] for segment in fed], axis=0)
            ends[name] = start + _REACH.get(name, 1.0) * (aim - start)
        points = _bent_line(start, ends[name], rng)
        radius = _ROOT_RADIUS_MM * scale * _flow(name, shares) ** (1.0 / 3.0)
        last = _TIP_TAPER if name not in PARENTS.values() else _TAPER
        arteries.append(Artery(name, parent, points, radius * np.linspace(1.0, last, _POINTS)))
    return tuple(arteries)


def grow_small_branches(
    arteries: tuple[Artery, ...], labels: np.ndarray, grid: Grid, rng: np.random.Generator, source: str
) -> ArterialTree:
    """Return the tree of some arteries with small branches inside the segments, from the tips of their arteries.

    Parameters
    ----------
    arteries : tuple of Artery
        With one named ``segment k branch`` for each segment, which ends inside it.
    labels : ndarray (z, y, x) of int
        Segments 1 to 8.
    grid : Grid
    rng : numpy.random.Generator
    source : str
        Where the tree comes from, in words.
    """
    small: list[Artery] = []
    for artery in arteries:
        if artery.name.startswith("segment"):
            room = Room.around(largest_piece(labels == downstream_segments(artery.name)[0])[0], grid)
            small += _branches_from(artery, room, rng)
    return ArterialTree((*arteries, *small), source=source, synthetic=True)


def _branches_from(artery: Artery, room: Room, rng: np.random.Generator) -> list[Artery]:
    branches = Branches(artery.tip_lps_mm, owner=0)
    fill_room(branches, 0, room, 1, _ENDS_PER_SEGMENT, rng, forks_at_tip=_FORKS_AT_TIP)
    tip_mm = float(artery.radius_mm[-1])
    namer = Namer(branches, lambda flow: tip_mm * np.cbrt(flow / _ENDS_PER_SEGMENT))
    found: list[Artery] = []
    for number, piece in enumerate(branches.children()[0], start=1):
        found += namer.subtree(f"{artery.name} {number}", artery.name, [piece])
    return found


def _flow(name: str, shares: np.ndarray) -> float:
    """Flow relative to that of the root."""
    side = {n: f for n, f in _SIDE_FLOW.items() if _reaches(name, n)}
    fed = sum(float(shares[segment - 1]) for segment in downstream_segments(name))
    return (fed + sum(side.values())) / (1.0 + sum(_SIDE_FLOW.values()))


def _reaches(name: str, other: str) -> bool:
    at: str | None = other
    while at is not None and at != name:
        at = PARENTS[at]
    return at == name


def _middle_voxel(mask: np.ndarray, grid: Grid) -> np.ndarray:
    """Return the position of the voxel of a mask that is nearest to its centroid (x, y, z) [mm]."""
    places = grid.to_lps(np.argwhere(mask))
    nearest = np.argmin(np.linalg.norm(places - places.mean(axis=0), axis=1))
    return np.asarray(places[nearest])


def _bent_line(start: np.ndarray, end: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a quadratic curve (points, 3) between two points, bent sideways."""
    along = end - start
    sideways = np.cross(along, rng.standard_normal(3))
    sideways *= 2.0 * _BEND * float(np.linalg.norm(along)) / float(np.linalg.norm(sideways))
    t = np.linspace(0.0, 1.0, _POINTS)[:, None]
    return (1 - t) * start + t * end + t * (1 - t) * 2.0 * sideways


def blood_share(arteries: tuple[Artery, ...], grid: Grid) -> np.ndarray:
    """Return the share of every voxel that is arterial lumen, at most 1 (z, y, x)."""
    volume_mm3 = np.zeros(grid.shape, dtype=np.float32)
    upper = np.array(grid.shape) - 1
    step_mm = min(grid.spacing_mm) / 4.0
    for artery in arteries:
        length_mm = float(np.linalg.norm(np.diff(artery.points_lps_mm, axis=0), axis=1).sum())
        at = np.linspace(0.0, _POINTS - 1.0, max(2, int(length_mm / step_mm)))
        places = np.stack([np.interp(at, np.arange(_POINTS), axis) for axis in artery.points_lps_mm.T], axis=1)
        area_mm2 = np.pi * np.interp(at, np.arange(_POINTS), artery.radius_mm) ** 2
        index = np.clip(np.rint(grid.to_index(places)).astype(int), 0, upper)
        np.add.at(volume_mm3, tuple(index.T), area_mm2 * length_mm / len(at))
    return np.minimum(volume_mm3 / (1000.0 * grid.voxel_ml), 1.0)
