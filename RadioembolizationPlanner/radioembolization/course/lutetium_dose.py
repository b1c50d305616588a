"""From activity maps after 177Lu to time-integrated activity, dose by voxels, and dose of organs and lesions."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from radioembolization.course.published_uptake import LESION, PUBLISHED, check_uptake
from radioembolization.course.time_activity import TimeIntegratedActivity
from radioembolization.course.uptake import Origin, RegionUptake, checked_cycle_gbq
from radioembolization.dose.activity_dose import ActivityDose
from radioembolization.dose.dvh import DoseVolumeHistogram
from radioembolization.dose.sphere import sphere_dose_gy
from radioembolization.dose.structure_dose import StructureDose, dose_in_structure
from radioembolization.errors import InputError, PartialVolumeLoss, StructureError, UnlikelyActivity
from radioembolization.images import Grid, Unit, Volume, covered_share, total_gbq
from radioembolization.physics import LU177, Convention, Sourced, Status, decay_factor

#: Below this volume [mL] a sphere is thinner than three times a SPECT resolution of 13 mm, and loses activity.
_SMALL_ML = 30.0
#: Activity in a map over what can be left of the injection: noticed, and refused as another unit.
_MORE_NOTICED, _MORE_REFUSED, _LESS_NOTICED = 1.1, 5.0, 1.0 / 300.0


@dataclass(frozen=True, eq=False)
class MeasuredRegion:
    """An organ or lesion in which activity is measured.

    Parameters
    ----------
    name : str
    mask : ndarray (z, y, x) of bool
        Without the lesions in it, see ``disjoint_regions``.
    grid : Grid
        That of the mask.
    """

    name: str
    mask: np.ndarray
    grid: Grid

    @property
    def kind(self) -> str:
        """``kidney``, ``liver``, ``spleen`` or ``marrow`` if its name says so, else ``lesion``."""
        return region_kind(self.name)


@dataclass(frozen=True)
class RegionDose:
    """Dose of one region after one administration.

    Parameters
    ----------
    name, kind : str
    mass_kg : float
    integral : TimeIntegratedActivity
    figures : StructureDose
        Of the voxel dose, cross-fire from everywhere included.
    sphere_gy : float
        Self dose of a sphere of the same mass and time-integrated activity [Gy].
    """

    name: str
    kind: str
    mass_kg: float
    integral: TimeIntegratedActivity
    figures: StructureDose
    sphere_gy: float

    @property
    def mean_gy(self) -> float:
        """Mean dose by voxels [Gy]."""
        return self.figures.mean_gy

    @property
    def sd_gy(self) -> float | None:
        """Standard uncertainty of the mean dose by that of the time-integrated activity alone [Gy]; None if unknown."""
        relative = self.integral.relative_sd
        return None if relative is None else relative * self.mean_gy


def region_kind(name: str) -> str:
    """Return what kind of region a structure is, by its name: ``Left Kidney`` is a kidney; a lesion if no organ."""
    words = name.casefold()
    if any(word in words for word in ("tumour", "tumor", "lesion", "metastas")):
        return LESION
    organs = [kind for kind in PUBLISHED if kind != LESION and (kind in words or f"{kind}s" in words)]
    return organs[0] if organs else LESION


def disjoint_regions(regions: list[MeasuredRegion]) -> list[MeasuredRegion]:
    """Return the regions without overlap: organs lose the lesions in them, later lesions what earlier ones have.

    Raises
    ------
    StructureError
        If nothing is left of one, or two have the same name.
    """
    names = [region.name for region in regions]
    if len(set(names)) < len(names):
        raise StructureError(f"Structures {names} share a name: rename them.")
    taken: list[MeasuredRegion] = []
    for region in sorted(regions, key=lambda region: region.kind != LESION):
        mask = region.mask.copy()
        for other in taken:
            if other.grid != region.grid:
                raise StructureError(
                    f"'{region.name}' and '{other.name}' are on different grids: draw them in one file."
                )
            mask &= ~other.mask
        if not mask.any():
            raise StructureError(f"Nothing of '{region.name}' lies outside the other structures: check the labels.")
        taken.append(MeasuredRegion(region.name, mask, region.grid))
    return sorted(taken, key=lambda region: names.index(region.name))


def region_shares(regions: list[MeasuredRegion], grid: Grid) -> dict[str, np.ndarray]:
    """Return the share of each voxel (z, y, x) of a grid that each region covers.

    Raises
    ------
    StructureError
        If a region lies outside the grid.
    """
    shares = {region.name: covered_share(region.mask, region.grid, grid) for region in regions}
    for name, share in shares.items():
        if not share.any():
            raise StructureError(f"'{name}' lies outside the activity map: register them, or check the patient.")
        ml = float(share.sum(dtype=float)) * grid.voxel_ml
        if ml < _SMALL_ML:
            warnings.warn(
                f"'{name}' has {ml:.1f} mL: SPECT shows less activity in structures below {_SMALL_ML:g} mL than there "
                "is, which is not corrected; its dose may be too low.",
                PartialVolumeLoss,
                stacklevel=2,
            )
    return shares


def activity_in(activity: Volume, share: np.ndarray) -> float:
    """Return the activity of a map [Bq/mL] in a region [GBq]."""
    return float(np.sum(activity.array.astype(float) * share)) * activity.grid.voxel_ml * 1e-9


def check_against_injected(activity: Volume, hours: float, injected_gbq: float) -> None:
    """Compare the activity in a map with what decay can have left of the injection.

    Parameters
    ----------
    activity : Volume
        [Bq/mL].
    hours : float
        After the administration [h].
    injected_gbq : float

    Raises
    ------
    InputError
        If the map holds more than five times as much, or the injected activity is in another unit.
    """
    left = checked_cycle_gbq(injected_gbq) * decay_factor(LU177, hours)
    found = total_gbq(activity)
    text = f"The map at {hours:g} h holds {found:.3g} GBq; decay alone leaves {left:.3g} of {injected_gbq:g} GBq"
    if found > _MORE_REFUSED * left:
        raise InputError(f"{text}: check the unit of the map (Bq/mL) and of the injected activity (GBq).")
    if found > _MORE_NOTICED * left or found < _LESS_NOTICED * left:
        warnings.warn(f"{text}: check units, calibration and times.", UnlikelyActivity, stacklevel=2)


def map_of_decays(
    activity: Volume,
    shares: Mapping[str, np.ndarray],
    integrals: Mapping[str, TimeIntegratedActivity],
    elsewhere: TimeIntegratedActivity | None = None,
) -> Volume:
    """Return the map whose complete decay in place has as many decays as the cleared activity.

    Each region keeps the pattern of one measured map and is scaled to its time-integrated activity; then
    ``A = TIA ln 2 / T_phys``.  The decays of every region are kept exactly, also where regions share voxels.

    Parameters
    ----------
    activity : Volume
        Measured map [Bq/mL].
    shares : mapping of str to ndarray (z, y, x)
        Share of each voxel covered by each region, together at most 1.
    integrals : mapping of str to TimeIntegratedActivity
        Of each region.
    elsewhere : TimeIntegratedActivity, optional
        Of all activity outside the regions; without it that is left out.

    Returns
    -------
    Volume
        [Bq/mL], for ``dose.dose_of_activity``.

    Raises
    ------
    InputError
        If a region has no activity in the map.
    """
    uncovered = np.maximum(1.0 - sum(shares.values(), np.zeros(activity.grid.shape)), 0.0)
    hours = np.zeros(activity.grid.shape)
    parts = [(name, share, integrals[name]) for name, share in shares.items()]
    if elsewhere is not None:
        parts.append(("rest of the map", uncovered, elsewhere))
    for name, share, integral in parts:
        measured = activity_in(activity, share)
        if not measured > 0.0:
            raise InputError(f"'{name}' has no activity in the map: leave it out, or check labels and registration.")
        hours += share * (integral.gbq_h / measured)
    equal = activity.array.astype(float) * hours * (math.log(2.0) / LU177.half_life_h)
    return Volume(equal, activity.grid, Unit.BQ_PER_ML)


def dose_of_region(
    result: ActivityDose, region: MeasuredRegion, share: np.ndarray, integral: TimeIntegratedActivity
) -> tuple[RegionDose, DoseVolumeHistogram]:
    """Return the dose of a region by voxels, and that of a sphere of its mass.

    Parameters
    ----------
    result : ActivityDose
        Of the map of ``map_of_decays``.
    region : MeasuredRegion
    share : ndarray (z, y, x)
        Share of each voxel covered by the region.
    integral : TimeIntegratedActivity
    """
    figures, dvh = dose_in_structure(result, region.name, region.mask, region.grid)
    mass_kg = float(np.sum(share * result.voxel_kg))
    density = mass_kg * 1000.0 / figures.volume_ml
    sphere = sphere_dose_gy(LU177, integral.gbq_h, mass_kg, LU177.energy_mev(Convention.ICRP107), density)
    return RegionDose(region.name, region.kind, mass_kg, integral, figures, sphere), dvh


def patient_uptake(dose: RegionDose, injected_gbq: float, change_per_cycle: float = 0.0) -> RegionUptake:
    """Return the measured uptake of a region; a value outside what was published for the organ gives a notice.

    Parameters
    ----------
    dose : RegionDose
    injected_gbq : float
        Administered activity [GBq].
    change_per_cycle : float
        See ``RegionUptake``.
    """
    gbq = checked_cycle_gbq(injected_gbq)
    check_uptake(dose.kind, dose.name, dose.mean_gy / gbq)
    source = f"measured in this patient: {dose.integral.method}"
    return RegionUptake(
        region=dose.name,
        gy_per_gbq=Sourced(dose.mean_gy / gbq, source, Status.CONFIRMED),
        effective_half_life_h=Sourced(dose.integral.effective_half_life_h, source, Status.CONFIRMED),
        change_per_cycle=change_per_cycle,
        origin=Origin.PATIENT,
        sd_gy_per_gbq=None if dose.sd_gy is None else dose.sd_gy / gbq,
    )
