"""What the whole number of microspheres alone does to the doses of a plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from radioembolization.dose.compute import dose_of_activity
from radioembolization.dose.dose_per_gbq import DoseSettings
from radioembolization.dose.dvh import dose_at_volume_share
from radioembolization.errors import UncertaintyError
from radioembolization.images import Volume
from radioembolization.structures import Structure
from radioembolization.territories import Territories
from radioembolization.territories.microsphere_statistics import drawn_around, expected_spheres


@dataclass(frozen=True)
class DrawnDose:
    """A dose [Gy] with the activity spread evenly, as expected, and its percentiles over the draws."""

    even: float
    p10: float
    p50: float
    p90: float


@dataclass(frozen=True)
class DrawnStructure:
    """What the number of microspheres does to one structure.

    Parameters
    ----------
    name : str
    spheres_per_voxel : float
        Expected, mean over the voxels of the structure that expect any.
    variation : float or None
        Coefficient of variation of the activity of such a voxel, ``1 / sqrt(spheres_per_voxel)`` where all spheres are
        alike; None where none is expected.
    mean_gy, d95_gy, d70_gy : DrawnDose
    """

    name: str
    spheres_per_voxel: float
    variation: float | None
    mean_gy: DrawnDose
    d95_gy: DrawnDose
    d70_gy: DrawnDose


@dataclass(frozen=True, eq=False)
class SphereScenarios:
    """Doses of tumours and normal liver over random draws of the microspheres.

    Parameters
    ----------
    structures : tuple of str
        Tumours, then normal liver.
    bq_per_sphere : mapping of str to float
        By site that is injected [Bq].
    spheres_per_voxel, variation : ndarray (structures,)
        As of ``DrawnStructure``; infinite variation where no sphere is expected.
    mean_gy, d95_gy, d70_gy : ndarray (draws, structures)
    even_mean_gy, even_d95_gy, even_d70_gy : ndarray (structures,)
        Without statistics: every voxel with the activity expected.
    """

    structures: tuple[str, ...]
    bq_per_sphere: Mapping[str, float]
    spheres_per_voxel: np.ndarray
    variation: np.ndarray
    mean_gy: np.ndarray
    d95_gy: np.ndarray
    d70_gy: np.ndarray
    even_mean_gy: np.ndarray
    even_d95_gy: np.ndarray
    even_d70_gy: np.ndarray

    @property
    def draws(self) -> int:
        """Number of draws."""
        return len(self.mean_gy)

    def percentiles(self, percent: Sequence[float] = (5.0, 50.0, 95.0)) -> dict[str, dict[str, tuple[float, ...]]]:
        """Return percentiles [Gy] over the draws by structure, of ``mean``, ``D95`` and ``D70``."""
        found = {"mean": self.mean_gy, "D95": self.d95_gy, "D70": self.d70_gy}
        of_all = {what: np.percentile(doses, percent, axis=0) for what, doses in found.items()}
        return {
            name: {what: tuple(map(float, values[:, index])) for what, values in of_all.items()}
            for index, name in enumerate(self.structures)
        }

    def of_structures(self) -> tuple[DrawnStructure, ...]:
        """Return what is known of every structure, with P10, P50 and P90 over the draws."""
        drawn = self.percentiles((10.0, 50.0, 90.0))
        even = {"mean": self.even_mean_gy, "D95": self.even_d95_gy, "D70": self.even_d70_gy}

        def of(index: int, name: str) -> DrawnStructure:
            mean, d95, d70 = (DrawnDose(float(even[what][index]), *drawn[name][what]) for what in even)
            varies = float(self.variation[index])
            finite = varies if np.isfinite(varies) else None
            return DrawnStructure(name, float(self.spheres_per_voxel[index]), finite, mean, d95, d70)

        return tuple(of(index, name) for index, name in enumerate(self.structures))


def sphere_scenarios(
    territories: Territories,
    settings: DoseSettings,
    activities_gbq: np.ndarray,
    draws: int,
    rng: np.random.Generator,
    bq_per_sphere: float | np.ndarray | None = None,
    density: Volume | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> SphereScenarios:
    """Evaluate a plan over random draws of its microspheres, one dose calculation for each.

    Parameters
    ----------
    territories : Territories
    settings : DoseSettings
    activities_gbq : ndarray (sites,)
    draws : int
    rng : numpy.random.Generator
    bq_per_sphere : float or ndarray (sites,), optional
        When they are injected; default: that typical of the device at treatment.
    density : Volume, optional
        [g/cm3], for ``Method.DENSITY``.
    progress : callable, optional
        Called with (draws done, draws); an exception it raises ends the computation.

    Raises
    ------
    UncertaintyError
        If no draw is asked for.
    InputError
        If an activity is negative or no number, or that of a sphere is not positive.
    """
    if draws < 1:
        raise UncertaintyError(f"{draws} draws of the microspheres were asked for: ask for at least one.")
    activities = np.asarray(activities_gbq, dtype=float)
    stated = settings.device.bq_per_sphere if bq_per_sphere is None else bq_per_sphere
    each_bq = np.broadcast_to(np.asarray(stated, dtype=float), activities.shape)
    kinds = _kinds(territories, activities, each_bq)
    structures = territories.structures
    chosen = (*structures.tumours, structures.normal_liver)

    def doses(activity: np.ndarray) -> np.ndarray:
        gy = dose_of_activity(activity, structures, settings, density).array
        inside = [np.maximum(gy[structure.mask], 0.0) for structure in chosen]
        return np.array(
            [(float(d.mean(dtype=float)), *(dose_at_volume_share(d, s) for s in (0.95, 0.70))) for d in inside]
        )

    even = doses(_total([spheres * (bq * 1e-9) for bq, spheres in kinds]))
    found = np.zeros((draws, len(chosen), 3))
    for number in range(draws):
        found[number] = doses(_total([drawn_around(spheres, bq, rng) for bq, spheres in kinds]))
        if progress:
            progress(number + 1, draws)
    names = tuple(structure.name for structure in chosen)
    of_sites = {
        site.name: float(bq) for site, bq, a in zip(territories.sites, each_bq, activities, strict=True) if a > 0
    }
    per_voxel = np.array([_statistics(kinds, structure) for structure in chosen])
    return SphereScenarios(names, of_sites, *per_voxel.T, *np.moveaxis(found, -1, 0), *even.T)


def _kinds(
    territories: Territories, activities_gbq: np.ndarray, bq_per_sphere: np.ndarray
) -> list[tuple[float, np.ndarray]]:
    """Return activities of spheres [Bq] that differ, each with the expected number (z, y, x) of such spheres."""
    differing = np.unique(bq_per_sphere[activities_gbq != 0])
    differing = differing if len(differing) else bq_per_sphere[:1]
    return [
        (float(bq), expected_spheres(territories, np.where(bq_per_sphere == bq, activities_gbq, 0.0), float(bq)))
        for bq in differing
    ]


def _total(maps: Sequence[np.ndarray]) -> np.ndarray:
    return maps[0] if len(maps) == 1 else np.sum(maps, axis=0)


def _statistics(kinds: Sequence[tuple[float, np.ndarray]], structure: Structure) -> tuple[float, float]:
    """Return the spheres per voxel that expects any, and the variation of its activity; 0 and infinite without any."""
    numbers = [(bq, spheres[structure.mask]) for bq, spheres in kinds]
    spheres = _total([of_kind for _bq, of_kind in numbers])
    if not np.any(spheres > 0):
        return 0.0, np.inf
    reached = spheres > 0
    activity, variance = (sum(float(n[reached].mean()) * bq**power for bq, n in numbers) for power in (1, 2))
    return float(spheres[reached].mean()), float(np.sqrt(variance) / activity)
