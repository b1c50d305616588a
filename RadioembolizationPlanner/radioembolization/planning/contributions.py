"""Which site gives which structure how much dose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.planning.limits import USED_GBQ
from radioembolization.planning.plan import PERFUSED_NORMAL_LIVER
from radioembolization.structures import NORMAL_LIVER

LUNGS = "lungs"


@dataclass(frozen=True)
class Contributions:
    """Mean dose of every structure by every site that is used; columns sum to the mean dose of the plan.

    Parameters
    ----------
    sites : tuple of str
        Those with activity.
    structures : tuple of str
        As in the plan, with the perfused normal liver; last the lungs, if their mass is known.
    mean_gy : tuple of tuple of float
        (sites, structures) [Gy]
    share : tuple of tuple of float
        (sites, structures), of the mean dose of the structure; 0 where that is zero.
    total_gy : tuple of float
        (structures,) mean dose [Gy]
    """

    sites: tuple[str, ...]
    structures: tuple[str, ...]
    mean_gy: tuple[tuple[float, ...], ...]
    share: tuple[tuple[float, ...], ...]
    total_gy: tuple[float, ...]

    def of(self, site: str, structure: str) -> float:
        """Return the mean dose of a structure by a site [Gy]."""
        return self.mean_gy[self.sites.index(site)][self.structures.index(structure)]


def contributions(dose: DosePerGBq, activities_gbq: np.ndarray) -> Contributions:
    """Return the mean dose of every structure by every site with activity.

    Parameters
    ----------
    dose : DosePerGBq
    activities_gbq : ndarray (sites,)
    """
    x = np.asarray(activities_gbq, dtype=float)
    used = np.flatnonzero(x > USED_GBQ)
    rows: dict[str, np.ndarray] = {}
    for structure in dose.structures:
        if len(structure.voxels):
            rows[structure.name] = dose.structure_row(structure.name)
        if structure.name == NORMAL_LIVER:
            injected = np.asarray(np.any(dose.perfused[used], axis=0))
            perfused = structure.voxels[injected[structure.voxels]]
            rows |= {PERFUSED_NORMAL_LIVER: dose.mean_row(perfused)} if len(perfused) else {}
    if dose.lung_gy_per_gbq is not None:
        rows[LUNGS] = dose.lung_gy_per_gbq
    gy = np.array(list(rows.values()))[:, used].T * x[used][:, None]
    total = gy.sum(axis=0)
    share = np.divide(gy, total, out=np.zeros_like(gy), where=total > 0)
    return Contributions(
        tuple(dose.site_names[site] for site in used),
        tuple(rows),
        tuple(tuple(float(v) for v in line) for line in gy),
        tuple(tuple(float(v) for v in line) for line in share),
        tuple(float(v) for v in total),
    )
