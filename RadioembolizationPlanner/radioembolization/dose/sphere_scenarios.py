"""What the whole number of microspheres alone does to the doses of a plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from radioembolization.dose.compute import dose_of_activity
from radioembolization.dose.dose_per_gbq import DoseSettings
from radioembolization.dose.dvh import dose_at_volume_share
from radioembolization.errors import UncertaintyError
from radioembolization.images import Volume
from radioembolization.territories import Territories
from radioembolization.territories.microsphere_statistics import drawn_around, expected_spheres


@dataclass(frozen=True, eq=False)
class SphereScenarios:
    """Doses of tumours and normal liver over random draws of the microspheres.

    Parameters
    ----------
    structures : tuple of str
        Tumours, then normal liver.
    bq_per_sphere : float
    mean_gy, d70_gy : ndarray (draws, structures)
    even_mean_gy, even_d70_gy : ndarray (structures,)
        Without statistics: every voxel with the activity expected.
    """

    structures: tuple[str, ...]
    bq_per_sphere: float
    mean_gy: np.ndarray
    d70_gy: np.ndarray
    even_mean_gy: np.ndarray
    even_d70_gy: np.ndarray

    def percentiles(self, percent: Sequence[float] = (5.0, 50.0, 95.0)) -> dict[str, dict[str, tuple[float, ...]]]:
        """Return percentiles [Gy] over the draws by structure, of ``mean`` and of ``D70``."""
        mean, d70 = (np.percentile(doses, percent, axis=0).T for doses in (self.mean_gy, self.d70_gy))
        return {
            name: {"mean": tuple(map(float, of_mean)), "D70": tuple(map(float, of_d70))}
            for name, of_mean, of_d70 in zip(self.structures, mean, d70, strict=True)
        }


def sphere_scenarios(
    territories: Territories,
    settings: DoseSettings,
    activities_gbq: np.ndarray,
    draws: int,
    rng: np.random.Generator,
    bq_per_sphere: float | None = None,
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
    bq_per_sphere : float, optional
        Default: that typical of the device at treatment.
    density : Volume, optional
        [g/cm3], for ``Method.DENSITY``.
    progress : callable, optional
        Called with (draws done, draws); an exception it raises ends the computation.

    Raises
    ------
    UncertaintyError
        If no draw is asked for.
    """
    if draws < 1:
        raise UncertaintyError(f"{draws} draws of the microspheres were asked for: ask for at least one.")
    activity_bq = settings.device.bq_per_sphere if bq_per_sphere is None else bq_per_sphere
    spheres, structures = expected_spheres(territories, activities_gbq, activity_bq), territories.structures
    chosen = (*structures.tumours, structures.normal_liver)

    def doses(activity: np.ndarray) -> np.ndarray:
        gy = dose_of_activity(activity, structures, settings, density).array
        inside = [np.maximum(gy[structure.mask], 0.0) for structure in chosen]
        return np.array([(float(d.mean(dtype=float)), dose_at_volume_share(d, 0.70)) for d in inside])

    even = doses(spheres * (activity_bq * 1e-9))
    found = np.zeros((draws, len(chosen), 2))
    for number in range(draws):
        found[number] = doses(drawn_around(spheres, activity_bq, rng))
        if progress:
            progress(number + 1, draws)
    names = tuple(structure.name for structure in chosen)
    return SphereScenarios(names, activity_bq, found[..., 0], found[..., 1], even[:, 0], even[:, 1])
