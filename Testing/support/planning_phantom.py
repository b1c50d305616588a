"""A liver with many nested injection sites, of any number of voxels, as dose rows for planning.

The rows are sums over sources: the perfused tissue of one compartment (normal liver or a tumour) in one
leaf of the arterial tree, blurred.  A site feeds the sources of all leaves below it, so that territories are
nested, and every voxel gets dose from few sources.  Anatomy, lung shunts and the tree do not depend on the
number of voxels; the perfusion heterogeneity is drawn for each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.ndimage import find_objects, gaussian_filter
from scipy.spatial import cKDTree

from radioembolization.dose import DosePerGBq, DoseSettings, StructureRows
from radioembolization.physics import RESIN_Y90
from radioembolization.structures import Role
from support import K_Y90

#: Semi-axes of the liver (z, y, x) [mm]: 1.8 L.
_SEMI_AXES_MM = np.array([57.3, 75.0, 100.0])
_KG_PER_ML = 1.05e-3
_LUNG_KG = 1.0
#: Gaussian with 90 % of its energy within 5.3 mm, as around a point of 90Y in water [mm].
_BLUR_MM = 2.1
#: Voxels of no source around the liver [mm].
_MARGIN_MM = 9.0
_TUMOUR_RADIUS_MM = (9.0, 30.0)
#: The superselective site reaches the part of a leaf within this many radii of the largest tumour's centre.
_FEEDER_RADII = 1.3
#: Perfusion heterogeneity: correlation [mm], and standard deviation of its logarithm.
_HETEROGENEITY_MM, _NORMAL_SPREAD, _TUMOUR_SPREAD = 3.0, 0.30, 0.45
#: Jitter of the tumour-to-normal ratio between sites over that of the flow to a leaf.
_RATIO_JITTER = 2.0 / 3.0


@dataclass(frozen=True, eq=False)
class _Anatomy:
    """What is the same at every voxel size.

    Parameters
    ----------
    leaf_centres_mm : ndarray (leaves, 3)
        Each point of the liver belongs to the leaf whose centre is nearest.
    tumour_centres_mm : ndarray (tumours, 3)
    tumour_radii_mm, tumour_to_normal : ndarray (tumours,)
    reaches : ndarray (sites, leaves + 1) of bool
        Which leaves a site feeds; the last column is the part of a leaf that the superselective site feeds.
    flow, ratio_factor : ndarray (sites, leaves + 1), (sites, tumours)
        What differs between the same tissue seen from different sites.
    lung_shunt : ndarray (sites,)
    """

    leaf_centres_mm: np.ndarray
    tumour_centres_mm: np.ndarray
    tumour_radii_mm: np.ndarray
    tumour_to_normal: np.ndarray
    reaches: np.ndarray
    flow: np.ndarray
    ratio_factor: np.ndarray
    lung_shunt: np.ndarray


@dataclass(frozen=True, eq=False)
class _Lattice:
    """Voxels of the liver on a grid (z, y, x).

    Parameters
    ----------
    inside : ndarray (z, y, x) of bool
    points_mm : ndarray (voxels, 3)
        Centres of the voxels of the liver, in the order of ``inside.ravel()``.
    voxel_mm : float
    """

    inside: np.ndarray
    points_mm: np.ndarray
    voxel_mm: float

    @property
    def voxel_kg(self) -> float:
        return 1e-3 * self.voxel_mm**3 * _KG_PER_ML


@dataclass(frozen=True, eq=False)
class _Sources:
    """Tissue of one compartment in one leaf, for all pairs that have voxels.

    Parameters
    ----------
    of_voxel : ndarray (voxels,) of int
        Source of each voxel of the liver.
    leaf, compartment : ndarray (sources,) of int
        Compartment 0 is the normal liver, k the tumour k.
    perfusion : ndarray (voxels,)
        Perfusion of each voxel over that of its compartment.
    """

    of_voxel: np.ndarray
    leaf: np.ndarray
    compartment: np.ndarray
    perfusion: np.ndarray


def planning_phantom(
    voxels: int, sites: int = 32, tumours: int = 5, seed: int = 0, *, jitter: float = 0.15
) -> DosePerGBq:
    """Return the dose rows of an ellipsoidal liver with spherical tumours and a nested arterial tree.

    Half of the sites, rounded up, are leaves of the tree; their common trunks follow, the last one the root.
    An even number of sites is completed by a superselective site, last, at the largest tumour.  A tumour may
    fill a leaf, so that a territory may hold no normal liver.

    Parameters
    ----------
    voxels : int
        About how many voxels the liver has; 1e3 to 3e6.
    sites : int
        3 to 64.
    tumours : int
        With ratios to the normal liver of 2 to 8, named ``"tumour 1"`` and so on.
    seed : int
    jitter : float
        Spread (of the logarithm) of the flow to the same leaf from different sites; at 0, sites along the tree
        divide the same perfusion, and a trunk is a sum of its branches.

    Returns
    -------
    DosePerGBq
        Rows (sites, voxels) in float32 and C order; the grid is the liver, so that what is absorbed beyond its
        surface counts as escaped.
    """
    if not 3 <= sites <= 64:
        raise ValueError(f"The phantom has 3 to 64 sites, not {sites}.")
    rng = np.random.default_rng(seed)
    anatomy = _anatomy(rng, sites, tumours, jitter)
    lattice = _lattice(voxels)
    sources = _sources(rng, anatomy, lattice)
    retained = K_Y90 * (1.0 - anatomy.lung_shunt)
    rows = _dose_rows(sources, _activity_per_perfusion(anatomy, sources), lattice, retained)
    leaf_of_voxel, compartment = sources.leaf[sources.of_voxel], sources.compartment[sources.of_voxel]
    return DosePerGBq(
        settings=DoseSettings(RESIN_Y90),
        site_names=tuple(str(number) for number in range(1, sites + 1)),
        lung_shunt=anatomy.lung_shunt,
        rows=rows,
        voxel_kg=np.full(len(leaf_of_voxel), lattice.voxel_kg),
        perfused=np.ascontiguousarray(anatomy.reaches[:, leaf_of_voxel]),
        structures=_structures(compartment, tumours, lattice),
        lung_gy_per_gbq=K_Y90 * anatomy.lung_shunt / _LUNG_KG,
        emitted_j_per_gbq=retained,
        absorbed_j_per_gbq=rows.sum(axis=1, dtype=float) * lattice.voxel_kg,
        lung_mass_kg=_LUNG_KG,
        lung_mass_method="entered",
    )


def _anatomy(rng: np.random.Generator, sites: int, tumours: int, jitter: float) -> _Anatomy:
    """Draw leaves, tumours, tree and lung shunts."""
    leaves = (sites + 1) // 2
    centres = _leaf_centres(rng, leaves)
    tumour_centres, radii = _tumours(rng, tumours)
    reaches = _tree(centres)
    if sites > len(reaches):
        reaches = np.vstack([reaches, np.arange(leaves + 1) == leaves])
        reaches[:, leaves] |= reaches[:, _leaf_of(tumour_centres[radii.argmax()], centres)]
    return _Anatomy(
        leaf_centres_mm=centres,
        tumour_centres_mm=tumour_centres,
        tumour_radii_mm=radii,
        tumour_to_normal=rng.uniform(2.0, 8.0, tumours),
        reaches=reaches,
        flow=np.exp(jitter * rng.standard_normal((sites, leaves + 1))),
        ratio_factor=np.exp(_RATIO_JITTER * jitter * rng.standard_normal((sites, tumours))),
        lung_shunt=np.clip(0.05 * np.exp(0.35 * rng.standard_normal(sites)), 0.01, 0.25),
    )


def _leaf_centres(rng: np.random.Generator, leaves: int) -> np.ndarray:
    """Return points (leaves, 3) [mm] far from each other, each chosen at random among the far ones."""
    candidates = rng.uniform(-1.0, 1.0, (4000, 3)) * _SEMI_AXES_MM
    candidates = candidates[((candidates / _SEMI_AXES_MM) ** 2).sum(axis=1) <= 0.9]
    chosen = [candidates[0]]
    nearest = np.full(len(candidates), np.inf)
    for _ in range(leaves - 1):
        nearest = np.minimum(nearest, ((candidates - chosen[-1]) ** 2).sum(axis=1))
        chosen.append(candidates[(nearest * rng.uniform(0.3, 1.0, len(candidates))).argmax()])
    return np.array(chosen)


def _tumours(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return centres (tumours, 3) and radii (tumours,) [mm] of spheres apart from each other in the liver."""
    centres, radii, largest = np.empty((0, 3)), np.empty(0), _TUMOUR_RADIUS_MM[1]
    while len(centres) < count:
        centre = rng.uniform(-0.85, 0.85, 3) * _SEMI_AXES_MM
        radius = rng.uniform(_TUMOUR_RADIUS_MM[0], largest)
        deep = ((centre / (_SEMI_AXES_MM - 0.7 * radius)) ** 2).sum() <= 1.0
        if deep and np.all(np.linalg.norm(centres - centre, axis=1) > radii + radius + 4.0):
            centres, radii = np.vstack([centres, centre]), np.append(radii, radius)
        else:
            largest = max(_TUMOUR_RADIUS_MM[0], 0.99 * largest)
    return centres, radii


def _tree(leaf_centres_mm: np.ndarray) -> np.ndarray:
    """Return which leaves each node of the tree feeds (2 leaves - 1, leaves + 1); near leaves share a trunk."""
    leaves = len(leaf_centres_mm)
    nodes = list(np.eye(leaves, leaves + 1, dtype=bool))
    for first, second, *_ in linkage(leaf_centres_mm, "ward"):
        nodes.append(nodes[int(first)] | nodes[int(second)])
    return np.array(nodes)


def _leaf_of(points_mm: np.ndarray, leaf_centres_mm: np.ndarray) -> np.ndarray:
    return cKDTree(leaf_centres_mm).query(points_mm)[1]


def _lattice(voxels: int) -> _Lattice:
    """Return cubic voxels so that about the wanted number of centres lies in the liver."""
    voxel_mm = float(np.cbrt(4.0 / 3.0 * np.pi * _SEMI_AXES_MM.prod() / voxels))
    counts = np.ceil(2.0 * (_SEMI_AXES_MM + _MARGIN_MM) / voxel_mm).astype(int)
    axes = [(np.arange(count) - 0.5 * (count - 1)) * voxel_mm for count in counts]
    squares = [(axis / semi) ** 2 for axis, semi in zip(axes, _SEMI_AXES_MM, strict=True)]
    inside = squares[0][:, None, None] + squares[1][:, None] + squares[2] <= 1.0
    points = np.stack([axis[index] for axis, index in zip(axes, np.nonzero(inside), strict=True)], axis=1)
    return _Lattice(inside, points, voxel_mm)


def _sources(rng: np.random.Generator, anatomy: _Anatomy, lattice: _Lattice) -> _Sources:
    """Assign every voxel to a leaf and a compartment, and draw its perfusion."""
    points, leaves = lattice.points_mm, len(anatomy.leaf_centres_mm)
    leaf = _leaf_of(points, anatomy.leaf_centres_mm)
    compartment = np.zeros(len(points), dtype=int)
    for number, (centre, radius) in enumerate(zip(anatomy.tumour_centres_mm, anatomy.tumour_radii_mm, strict=True)):
        compartment[_within(points, centre, radius)] = number + 1
    if anatomy.reaches[:, leaves].any():
        centre, radius = anatomy.tumour_centres_mm[anatomy.tumour_radii_mm.argmax()], anatomy.tumour_radii_mm.max()
        fed = leaf == _leaf_of(centre, anatomy.leaf_centres_mm)
        leaf[fed & _within(points, centre, _FEEDER_RADII * radius)] = leaves
    tumours = len(anatomy.tumour_radii_mm)
    pairs, of_voxel = np.unique(leaf * (tumours + 1) + compartment, return_inverse=True)
    spread = np.where(compartment > 0, _TUMOUR_SPREAD, _NORMAL_SPREAD)
    perfusion = np.exp(spread * _correlated(rng, lattice))
    return _Sources(of_voxel, pairs // (tumours + 1), pairs % (tumours + 1), perfusion)


def _within(points_mm: np.ndarray, centre_mm: np.ndarray, radius_mm: float) -> np.ndarray:
    """Return the points (voxels,) of bool in a sphere; the nearest one if no other is."""
    square = ((points_mm - centre_mm) ** 2).sum(axis=1)
    return square <= max(radius_mm**2, square.min())


def _correlated(rng: np.random.Generator, lattice: _Lattice) -> np.ndarray:
    """Return correlated normal values (voxels,) of standard deviation 1."""
    noise = rng.standard_normal(lattice.inside.shape, dtype=np.float32)
    smooth = gaussian_filter(noise, _HETEROGENEITY_MM / lattice.voxel_mm)
    return smooth[lattice.inside] / smooth.std()


def _activity_per_perfusion(anatomy: _Anatomy, sources: _Sources) -> np.ndarray:
    """Return the share of each site's activity (sites, sources) that a unit of perfusion of a source takes up."""
    ratio = np.ones((len(anatomy.reaches), 1 + len(anatomy.tumour_to_normal)))
    ratio[:, 1:] = anatomy.tumour_to_normal * anatomy.ratio_factor
    uptake = (anatomy.reaches * anatomy.flow)[:, sources.leaf] * ratio[:, sources.compartment]
    perfusion = np.bincount(sources.of_voxel, weights=sources.perfusion)
    return uptake / (uptake @ perfusion)[:, None]


def _dose_rows(
    sources: _Sources, activity_per_perfusion: np.ndarray, lattice: _Lattice, retained_j_per_gbq: np.ndarray
) -> np.ndarray:
    """Return the blurred sources summed for each site (sites, voxels) [Gy/GBq]."""
    gy = (activity_per_perfusion * retained_j_per_gbq[:, None] / lattice.voxel_kg).astype(np.float32)
    column = np.full(lattice.inside.shape, -1, dtype=np.int32)
    column[lattice.inside] = np.arange(len(sources.of_voxel))
    label = np.zeros(lattice.inside.shape, dtype=np.int32)
    label[lattice.inside] = sources.of_voxel + 1
    perfusion = np.zeros(lattice.inside.shape, dtype=np.float32)
    perfusion[lattice.inside] = sources.perfusion
    rows = np.zeros((len(gy), len(sources.of_voxel)), dtype=np.float32)
    for source, tight in enumerate(find_objects(label)):
        box = _grown(tight, int(np.ceil(4.0 * _BLUR_MM / lattice.voxel_mm)))
        own = np.where(label[box] == source + 1, perfusion[box], np.float32(0.0))
        blurred = gaussian_filter(own, _BLUR_MM / lattice.voxel_mm, mode="constant")
        reached = (column[box] >= 0) & (blurred > 0.0)
        columns, share = column[box][reached], blurred[reached]
        for site in np.flatnonzero(gy[:, source]):
            rows[site, columns] += gy[site, source] * share
    return rows


def _grown(box: tuple[slice, ...], by: int) -> tuple[slice, ...]:
    """Return a box grown on all sides, within the grid."""
    return tuple(slice(max(0, side.start - by), side.stop + by) for side in box)


def _structures(compartment: np.ndarray, tumours: int, lattice: _Lattice) -> tuple[StructureRows, ...]:
    """Return tumours, normal liver and whole liver."""

    def structure(name: str, role: Role, voxels: np.ndarray) -> StructureRows:
        mass_kg = len(voxels) * lattice.voxel_kg
        return StructureRows(name, role, voxels, mass_kg / _KG_PER_ML, mass_kg)

    return (
        *(structure(f"tumour {k}", Role.TUMOUR, np.flatnonzero(compartment == k)) for k in range(1, tumours + 1)),
        structure("normal liver", Role.NORMAL_LIVER, np.flatnonzero(compartment == 0)),
        structure("whole liver", Role.LIVER, np.arange(len(compartment))),
    )
