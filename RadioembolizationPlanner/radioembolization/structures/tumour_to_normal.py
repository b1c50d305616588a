"""Tumour-to-normal ratios from a scout image."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from radioembolization.errors import InputError, LesionWithoutCounts, PartialVolumeLoss, StructureError
from radioembolization.images import Volume
from radioembolization.structures.segmentation.blurred_sphere import FWHM_PER_SIGMA, mean_recovery
from radioembolization.structures.structure_set import NORMAL_LIVER, StructureSet

#: Resolution of a 99mTc SPECT [mm].
SPECT_RESOLUTION_MM = 12.0
#: Lesions that keep less of their contrast than this are worth a warning: spheres below twice the resolution.
_RECOVERY_WARNED = 0.5
#: A territory is the reference of a tumour of which it holds at least this share.
_SHARE_IN_TERRITORY = 0.5


@dataclass(frozen=True)
class TumourToNormal:
    """How much more a tumour takes up than normal liver.

    Parameters
    ----------
    name : str
        Of the tumour.
    ratio : float
        Of mean concentrations, tumour over reference, not corrected for blur.
    standard_error : float
        Of the ratio, by the scatter of the voxels in both regions.
    volume_ml : float
        Of the tumour inside the liver [mL].
    reference : str
        What normal liver it is compared with.
    expected_recovery : float
        Share of its contrast that a sphere of this volume keeps at the resolution of the image.
    """

    name: str
    ratio: float
    standard_error: float
    volume_ml: float
    reference: str
    expected_recovery: float


@dataclass(frozen=True, eq=False)
class Reference:
    """Normal liver that a tumour is compared with: a name and a mask (z, y, x), of which normal liver counts."""

    name: str
    mask: np.ndarray


def tumour_to_normal_ratios(
    structures: StructureSet, scout: Volume, within: np.ndarray | None = None
) -> dict[str, float]:
    """Return the ratio of mean counts per voxel, tumour over normal liver, for each tumour.

    The ratio is one of concentrations (not of activities), over the part of the tumour inside the liver.
    Blurring by the scanner lowers it for small lesions; nothing is corrected here.

    Parameters
    ----------
    structures : StructureSet
    scout : Volume
        Counts per voxel on the grid of the structures.
    within : ndarray (z, y, x) of bool, optional
        Reference region of normal liver, for instance one perfused volume; default all of it.

    Returns
    -------
    dict of str to float
        By tumour name.

    Raises
    ------
    StructureError
        If the reference region holds no normal liver or no counts.
    """
    reference = None if within is None else Reference("given region", within)
    found = _measured(structures, scout, reference, {}, SPECT_RESOLUTION_MM)
    return {one.name: one.ratio for one in found}


def tumour_to_normal(
    structures: StructureSet,
    scout: Volume,
    reference: Reference | None = None,
    own_references: Mapping[str, Reference] | None = None,
    resolution_mm: float = SPECT_RESOLUTION_MM,
) -> tuple[TumourToNormal, ...]:
    """Return the tumour-to-normal ratio of each tumour with its uncertainty and the blur to expect.

    The standard error of a mean is ``s sqrt(rho / (1 - rho))`` with the standard deviation s of the voxels and the mean
    correlation rho of all pairs of them, that of white noise smoothed by a Gaussian, in a sphere of the volume V:
    ``rho = recovery(V, sqrt(2) FWHM) (2 sqrt(pi) sigma)^3 / V``, for large V one over the number of independent volumes
    of 5.9 mL at 12 mm.  Differences inside a tumour and its blurred edge count as scatter, so the error is rather too
    large than too small.

    Parameters
    ----------
    structures : StructureSet
    scout : Volume
        Counts per voxel on the grid of the structures.
    reference : Reference, optional
        Default: all normal liver.
    own_references : mapping of str to Reference, optional
        By tumour, instead; see ``territory_references``.
    resolution_mm : float
        Full width at half maximum of the image [mm].

    Raises
    ------
    StructureError
        If a reference holds no normal liver or no counts.
    InputError
        If the resolution is no positive number.
    """
    if not (np.isfinite(resolution_mm) and resolution_mm > 0):
        raise InputError(f"The resolution of the scout, {resolution_mm:g} mm, must be above zero.")
    found = _measured(structures, scout, reference, own_references or {}, resolution_mm)
    for one in found:
        _warn(one, resolution_mm)
    return found


def territory_references(structures: StructureSet, perfused: Mapping[str, np.ndarray]) -> dict[str, Reference]:
    """Return for each tumour the smallest territory that holds at least half of it and normal liver.

    Parameters
    ----------
    structures : StructureSet
    perfused : mapping of str to ndarray (z, y, x) of bool
        Perfused volume by the name of the site.
    """
    by_size = sorted(perfused.items(), key=lambda item: (int(np.count_nonzero(item[1])), item[0]))
    normal, references = structures.normal_liver.mask, {}
    for tumour in structures.tumours:
        least = _SHARE_IN_TERRITORY * np.count_nonzero(tumour.mask)
        for name, mask in by_size:
            if np.count_nonzero(mask & tumour.mask) >= least and (mask & normal).any():
                references[tumour.name] = Reference(f"normal liver of {name}", mask)
                break
    return references


def _measured(
    structures: StructureSet,
    scout: Volume,
    reference: Reference | None,
    own: Mapping[str, Reference],
    resolution_mm: float,
) -> tuple[TumourToNormal, ...]:
    liver, normal = structures.liver.mask, structures.normal_liver.mask
    everywhere = reference or Reference(NORMAL_LIVER, normal)
    known: dict[int, tuple[float, float]] = {}
    found = []
    for tumour in structures.tumours:
        compared = own.get(tumour.name, everywhere)
        if id(compared) not in known:
            known[id(compared)] = _mean_and_error(scout, compared.mask & normal, resolution_mm)
        (mean_normal, error_normal) = known[id(compared)]
        if not mean_normal > 0:
            raise StructureError(
                "The normal liver of the reference region has no scout counts, so no tumour-to-normal ratio "
                "exists: enter ratios, or check the region."
            )
        inside = tumour.mask & liver
        mean, error = _mean_and_error(scout, inside, resolution_mm)
        volume_ml = float(np.count_nonzero(inside)) * scout.grid.voxel_ml
        ratio_error = float(np.hypot(error, mean / mean_normal * error_normal)) / mean_normal
        recovery = mean_recovery(volume_ml, resolution_mm)
        found.append(TumourToNormal(tumour.name, mean / mean_normal, ratio_error, volume_ml, compared.name, recovery))
    return tuple(found)


def _mean_and_error(scout: Volume, mask: np.ndarray, resolution_mm: float) -> tuple[float, float]:
    """Return the mean of a region and its standard error; zeros for an empty one."""
    values = scout.array[mask].astype(float)
    if not len(values):
        return 0.0, 0.0
    volume_ml = len(values) * scout.grid.voxel_ml
    independent_ml = (2.0 * np.sqrt(np.pi) * resolution_mm / FWHM_PER_SIGMA) ** 3 / 1000.0
    correlation = independent_ml / volume_ml * mean_recovery(volume_ml, np.sqrt(2.0) * resolution_mm)
    correlation = max(correlation, 1.0 / (len(values) + 1.0))  # of voxels larger than the resolution
    return float(values.mean()), float(values.std() * np.sqrt(correlation / (1.0 - correlation)))


def _warn(one: TumourToNormal, resolution_mm: float) -> None:
    if one.ratio == 0.0:
        warnings.warn(
            f"The scout has no counts in tumour '{one.name}': by it nothing gets there. Check that they are aligned, "
            "or enter its tumour-to-normal ratio.",
            LesionWithoutCounts,
            stacklevel=3,
        )
    elif one.expected_recovery < _RECOVERY_WARNED:
        warnings.warn(
            f"Tumour '{one.name}' has {one.volume_ml:.1f} mL; at a resolution of {resolution_mm:g} mm a sphere of that "
            f"volume keeps {one.expected_recovery:.0%} of its contrast. Its ratio of {one.ratio:.1f} is "
            "not corrected for that and may be too low.",
            PartialVolumeLoss,
            stacklevel=3,
        )
