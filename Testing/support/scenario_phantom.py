"""The liver of ``planning_phantom`` as a basis for scenarios: the same rows, with the dose of every source kept."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import find_objects, gaussian_filter

import planning_phantom as phantom
from radioembolization.dose import DoseSettings, ScenarioBasis, Uncertainty
from radioembolization.dose.scenario_basis import largest_factor, reach_voxels
from radioembolization.dose.scenario_regions import Region
from radioembolization.dose.spreads import ActsOn
from radioembolization.physics import RESIN_Y90
from radioembolization.structures import NORMAL_LIVER, WHOLE_LIVER, Role
from support import K_Y90


def phantom_basis(
    voxels: int, uncertainty: Uncertainty, sites: int = 32, tumours: int = 5, seed: int = 0
) -> ScenarioBasis:
    """Return the basis of ``planning_phantom(voxels, sites, tumours, seed)``: as planned, its rows are those.

    Dose beyond the surface of the liver is kept too, where scenarios can displace a structure to.
    """
    rng = np.random.default_rng(seed)
    anatomy = phantom._anatomy(rng, sites, tumours, 0.15)
    lattice = phantom._lattice(voxels)
    sources = phantom._sources(rng, anatomy, lattice)
    spacing_mm = (lattice.voxel_mm,) * 3
    reach = reach_voxels(uncertainty, spacing_mm)
    label = np.zeros(lattice.inside.shape, dtype=np.int32)
    label[lattice.inside] = sources.of_voxel + 1
    regions = _regions(sources, lattice, tumours, uncertainty, reach)
    columns = np.flatnonzero(np.any([region.candidates(reach) for region in regions], axis=0))
    perfusion = np.bincount(sources.of_voxel, weights=sources.perfusion)
    weights = phantom._activity_per_perfusion(anatomy, sources) * perfusion
    members, leaf_part = np.unique(anatomy.reaches, axis=1, return_inverse=True)
    return ScenarioBasis(
        settings=DoseSettings(RESIN_Y90),
        site_names=tuple(str(number) for number in range(1, sites + 1)),
        maps=_maps(sources, lattice, label, perfusion, columns),
        columns=columns,
        shape=lattice.inside.shape,
        spacing_mm=spacing_mm,
        reach=reach,
        weights=weights / weights.sum(axis=1, keepdims=True),
        territory=sources.leaf,
        compartment=sources.compartment,
        regions=regions,
        group=leaf_part.ravel()[_leaf_of(columns, lattice, label, sources)],
        members=members.T.copy(),
        lung_shunt=anatomy.lung_shunt,
        extrahepatic_share=np.zeros(sites),
        lung_mass_kg=phantom._LUNG_KG,
        voxel_kg=lattice.voxel_kg,
    )


def _regions(
    sources: phantom._Sources,
    lattice: phantom._Lattice,
    tumours: int,
    uncertainty: Uncertainty,
    reach: tuple[int, int, int],
) -> tuple[Region, ...]:
    compartment = np.full(lattice.inside.shape, -1)
    compartment[lattice.inside] = sources.compartment[sources.of_voxel]
    spacing_mm = (lattice.voxel_mm,) * 3
    tumour, liver = (largest_factor(uncertainty, what) for what in (ActsOn.TUMOUR_VOLUME, ActsOn.LIVER_VOLUME))
    whole = Region.of(WHOLE_LIVER, Role.LIVER, lattice.inside, spacing_mm, reach, liver)
    return (
        *(
            Region.of(f"tumour {k}", Role.TUMOUR, compartment == k, spacing_mm, reach, tumour)
            for k in range(1, tumours + 1)
        ),
        Region(NORMAL_LIVER, Role.NORMAL_LIVER, whole.count, whole.rank, whole.most),
        whole,
    )


def _maps(
    sources: phantom._Sources, lattice: phantom._Lattice, label: np.ndarray, perfusion: np.ndarray, columns: np.ndarray
) -> np.ndarray:
    """Return the dose per GBq in each source (sources, columns) [Gy/GBq]."""
    blur = phantom._BLUR_MM / lattice.voxel_mm
    place = np.full(label.size, -1, dtype=np.int32)
    place[columns] = np.arange(len(columns))
    place = place.reshape(label.shape)
    amount = np.zeros(label.shape, dtype=np.float32)
    amount[lattice.inside] = sources.perfusion
    maps = np.zeros((len(perfusion), len(columns)), dtype=np.float32)
    for source, tight in enumerate(find_objects(label)):
        box = phantom._grown(tight, int(np.ceil(4.0 * blur)))
        own = np.where(label[box] == source + 1, amount[box], np.float32(0.0))
        blurred = gaussian_filter(own, blur, mode="constant")
        kept = place[box] >= 0
        maps[source, place[box][kept]] = blurred[kept] * np.float32(K_Y90 / lattice.voxel_kg / perfusion[source])
    return maps


def _leaf_of(
    columns: np.ndarray, lattice: phantom._Lattice, label: np.ndarray, sources: phantom._Sources
) -> np.ndarray:
    """Return the leaf of each column; beyond the liver, that of the nearest voxel."""
    from scipy.ndimage import distance_transform_edt

    nearest = distance_transform_edt(~lattice.inside, return_distances=False, return_indices=True)
    home = np.ravel_multi_index([axis.ravel()[columns] for axis in nearest], label.shape)
    return sources.leaf[label.ravel()[home] - 1]
