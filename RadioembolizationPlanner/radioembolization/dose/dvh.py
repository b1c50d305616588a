"""Dose-volume histograms: exact by sorting, or in bins; voxels on a border count by their covered share.

A voxel counts with the share of it that belongs to the structure, so volumes are in voxels here.  Fill the
structure in order of rising dose: ``Q(t)`` is the dose at the filled volume t, a step function.  With the
total volume W and a window of one voxel, ``w = min(1, W)``,

    Vx = share of the volume with a dose of at least x,
    Dx = 1/w * integral of Q over [h, h + w],   h = (W - w) (1 - x).

Dx is thus a dose averaged over one voxel volume.  For whole voxels this is the linear interpolation between
sorted doses of ``numpy.quantile`` at 1 - x (type 7 of Hyndman and Fan, 10.1080/00031305.1996.10473566), D100
being the minimum and D0 the maximum.  With shares it does not change when a voxel is divided, and no sliver
on a border decides it: D100 can lie above the minimum, which counts the sliver.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radioembolization.errors import InputError

#: Covered shares are float32: this close to 0 and 1 they are rounding.
_SHARE_ROUNDING = 1e-6
#: Bins reach a little beyond the maximum, so that rounding to float32 leaves no voxel above them.
_HEADROOM = 2e-6
#: Where all doses are below, bins still have a width [Gy].
_SMALLEST_RANGE_GY = 1e-20


@dataclass(frozen=True, eq=False)
class DoseVolumeHistogram:
    """A cumulative dose-volume histogram as it is drawn.

    Parameters
    ----------
    dose_gy : ndarray (points,)
        Rising doses [Gy].
    volume_share : ndarray (points,)
        Share of the volume that receives at least that dose.
    """

    dose_gy: np.ndarray
    volume_share: np.ndarray


@dataclass(frozen=True, eq=False)
class StructureDVH:
    """The dose in a structure by volume, with its figures; see the top of the file for the definitions.

    Parameters
    ----------
    dose_gy : ndarray (steps,)
        Rising doses [Gy] of its voxels, or centres of its filled bins.
    filled : ndarray (steps + 1,)
        Volume below each step, and of all [voxels].
    voxel_ml : float
        Volume of a whole voxel [mL].
    mean_gy : float
        Mean dose over the volume, of the voxels even where they are binned [Gy].
    bin_gy : float
        Width of the bins [Gy]; 0 if exact.  Minimum, maximum and Dx differ from the exact ones by at most
        half of it, and Vx lies between the exact ones half of it above and below.
    """

    dose_gy: np.ndarray
    filled: np.ndarray
    voxel_ml: float
    mean_gy: float
    bin_gy: float = 0.0

    @property
    def minimum_gy(self) -> float:
        """Lowest dose of any voxel with a part in the structure, however small [Gy]."""
        return float(self.dose_gy[0])

    @property
    def maximum_gy(self) -> float:
        """Highest dose of any voxel with a part in the structure, however small [Gy]."""
        return float(self.dose_gy[-1])

    @property
    def volume_ml(self) -> float:
        """Volume of the structure [mL]."""
        return float(self.filled[-1] * self.voxel_ml)

    def dose_at_volume(self, share: float) -> float:
        """Return Dx [Gy]: the dose that a share of the volume receives at least (0.70 for D70).

        Raises
        ------
        InputError
            If the share is not from 0 to 1.
        """
        _check_share(share)
        window = min(1.0, self.filled[-1])
        start = (self.filled[-1] - window) * (1.0 - share)
        stop = min(start + window, self.filled[-1])
        first = np.searchsorted(self.filled, start, side="right") - 1
        last = np.searchsorted(self.filled, stop, side="left")
        inside = self.dose_gy[first:last]
        overlap = np.minimum(self.filled[first + 1 : last + 1], stop) - np.maximum(self.filled[first:last], start)
        return float(np.clip(np.average(inside, weights=overlap), inside[0], inside[-1]))

    def share_at_dose(self, dose_gy: float) -> float:
        """Return Vx: the share of the volume that receives at least a dose [Gy]."""
        return float(self.shares_at(np.array(dose_gy, dtype=float)))

    def volume_at_dose_ml(self, dose_gy: float) -> float:
        """Return Vx [mL]: the volume that receives at least a dose [Gy]."""
        return self.volume_ml * self.share_at_dose(dose_gy)

    def curve(self, points: int = 400) -> DoseVolumeHistogram:
        """Return the cumulative curve at evenly spaced doses from 0 to the maximum."""
        doses = np.linspace(0.0, self.maximum_gy, points)
        return DoseVolumeHistogram(doses, self.shares_at(doses))

    def shares_at(self, dose_gy: np.ndarray) -> np.ndarray:
        """Return the share of the volume that receives at least each dose [Gy]."""
        below = np.searchsorted(self.dose_gy, dose_gy, side="left")
        return 1.0 - self.filled[below] / self.filled[-1]


def exact_dvh(
    dose_gy: np.ndarray, covered_share: np.ndarray | None = None, *, voxel_ml: float, name: str = "the structure"
) -> StructureDVH:
    """Return the dose-volume histogram of a structure, exact by sorting.

    Parameters
    ----------
    dose_gy : ndarray (voxels,)
        Dose of its voxels [Gy].
    covered_share : ndarray (voxels,), optional
        Share of each voxel, from 0 to 1, that belongs to the structure; without it all are whole.
    voxel_ml : float
        Volume of a whole voxel [mL].
    name : str
        For messages.

    Raises
    ------
    InputError
        If there is no voxel, a dose is not finite, or the shares are not from 0 to 1 or all 0.
    """
    doses, shares = _parts(dose_gy, covered_share, name)
    mean_gy = float(np.average(doses, weights=shares))
    if shares is None:
        return StructureDVH(np.sort(doses), np.arange(len(doses) + 1.0), voxel_ml, mean_gy)
    order = np.argsort(doses, kind="stable")
    return StructureDVH(doses[order], np.append(0.0, np.cumsum(shares[order])), voxel_ml, mean_gy)


def binned_dvh(
    dose_gy: np.ndarray,
    covered_share: np.ndarray | None = None,
    *,
    voxel_ml: float,
    bins: int = 4096,
    name: str = "the structure",
) -> StructureDVH:
    """Return the dose-volume histogram of a structure in bins from 0 to its maximum dose.

    Parameters and errors are those of ``exact_dvh``; besides, no dose may be negative.
    """
    doses, shares = _parts(dose_gy, covered_share, name)
    if doses.min() < 0.0:
        raise InputError(f"The lowest dose of {name} is {doses.min():g} Gy: set negative doses to 0 before binning.")
    bin_gy = bin_width_gy(float(doses.max()), bins)
    voxels = np.bincount((doses / bin_gy).astype(np.intp), shares, minlength=bins)
    return dvh_of_bins(voxels, bin_gy, voxel_ml, float(np.average(doses, weights=shares)))


def dvh_of_bins(voxels: np.ndarray, bin_gy: float, voxel_ml: float, mean_gy: float) -> StructureDVH:
    """Return the histogram of volumes (bins,) [voxels] in bins from 0 Gy; each counts with the centre of its bin."""
    used = np.flatnonzero(voxels)
    return StructureDVH(bin_gy * (used + 0.5), np.append(0.0, np.cumsum(voxels[used])), voxel_ml, mean_gy, bin_gy)


def bin_width_gy(highest_gy: float, bins: int) -> float:
    """Return the width [Gy] of equal bins from 0 that hold a highest dose, in float32 too."""
    return max(highest_gy, _SMALLEST_RANGE_GY) * (1.0 + _HEADROOM) / bins


def checked_shares(covered_share: np.ndarray, voxels: int, name: str) -> np.ndarray:
    """Return covered shares (voxels,) as float64 from 0 to 1; ``InputError`` if they are something else."""
    shares = np.asarray(covered_share, dtype=float).ravel()
    if len(shares) != voxels:
        raise InputError(f"{len(shares)} covered shares for {voxels} voxels of {name}: give one for each voxel.")
    if not np.all((shares >= -_SHARE_ROUNDING) & (shares <= 1.0 + _SHARE_ROUNDING)):
        raise InputError(
            f"The covered shares of {name} reach from {shares.min():g} to {shares.max():g}: give the share of each "
            "voxel that belongs to the structure, from 0 to 1 (neither per cent nor mL)."
        )
    if not np.any(shares > 0.0):
        raise InputError(f"All covered shares of {name} are 0: leave it out, or check that it lies on the dose grid.")
    return np.where(shares > 1.0 - _SHARE_ROUNDING, 1.0, np.maximum(shares, 0.0))


def dose_at_volume_share(dose_gy: np.ndarray, share: float) -> float:
    """Return Dx [Gy] of whole voxels: ``exact_dvh(...).dose_at_volume(share)`` without sorting them all."""
    doses, _ = _parts(dose_gy, None, "the structure")
    _check_share(share)
    return float(np.quantile(doses, 1.0 - share))


def dose_volume_histogram(dose_gy: np.ndarray, points: int = 400) -> DoseVolumeHistogram:
    """Return the cumulative histogram of voxel doses [Gy] at evenly spaced doses from 0 to the maximum."""
    return exact_dvh(dose_gy, voxel_ml=1.0).curve(points)


def _check_share(share: float) -> None:
    if not 0.0 <= share <= 1.0:
        raise InputError(f"A dose was asked for {share:g} of the volume: give a share from 0 to 1 (0.70 for D70).")


def _parts(dose_gy: np.ndarray, covered_share: np.ndarray | None, name: str) -> tuple[np.ndarray, np.ndarray | None]:
    """Return doses and shares of the voxels with a part in the structure."""
    doses = np.asarray(dose_gy, dtype=float).ravel()
    if not len(doses):
        raise InputError(f"There is no voxel in {name}: leave it out, or check that it lies on the dose grid.")
    finite = np.isfinite(doses)
    if not finite.all():
        raise InputError(
            f"{np.count_nonzero(~finite)} of {len(doses)} doses of {name} are not finite (first: voxel "
            f"{np.argmin(finite)}): check the activities and the dose per GBq."
        )
    if covered_share is None:
        return doses, None
    shares = checked_shares(covered_share, len(doses), name)
    return doses[shares > 0.0], shares[shares > 0.0]
