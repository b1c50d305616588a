"""Dose and dose-volume histograms while activities are being changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from radioembolization.dose.dvh import StructureDVH, bin_width_gy, dvh_of_bins
from radioembolization.dose.live_histograms import LiveHistograms, LiveStructure
from radioembolization.errors import InputError
from radioembolization.images import Grid


@dataclass(frozen=True, eq=False)
class LiveResult:
    """What one change of activities gives.

    Parameters
    ----------
    names : tuple of str
        Of the structures.
    dose_gy : ndarray (voxels,) of float32
        Dose of the voxels that receive any [Gy]; overwritten by the next update.
    volume_gy : ndarray (z, y, x) of float32
        The same in the display volume [Gy]; overwritten by the next update.
    bin_gy : float
        Width of the bins [Gy]: they reach from 0 to the highest dose of this result.
    voxels_in_bin : ndarray (structures, bins)
        Volume of each structure in each bin [voxels].
    mean_gy : ndarray (structures,)
        Mean dose, of the voxels and not of the bins [Gy].
    voxel_ml : float
        Volume of a whole voxel [mL].
    """

    names: tuple[str, ...]
    dose_gy: np.ndarray
    volume_gy: np.ndarray
    bin_gy: float
    voxels_in_bin: np.ndarray
    mean_gy: np.ndarray
    voxel_ml: float

    @property
    def edges_gy(self) -> np.ndarray:
        """Doses (bins + 1,) between the bins [Gy]."""
        return self.bin_gy * np.arange(self.voxels_in_bin.shape[1] + 1)

    @cached_property
    def volume_share(self) -> np.ndarray:
        """Share of each structure (structures, bins + 1) that receives at least the dose at each edge."""
        above = np.zeros((len(self.names), self.voxels_in_bin.shape[1] + 1))
        np.cumsum(self.voxels_in_bin[:, ::-1], axis=1, out=above[:, -2::-1])
        above /= above[:, :1]
        return above

    def dvh(self, name: str) -> StructureDVH:
        """Return the histogram of a structure with its figures, which are within half a bin.

        Raises
        ------
        InputError
            If there is no such structure; the message lists those there are.
        """
        if name not in self.names:
            known = ", ".join(f"'{n}'" for n in self.names)
            raise InputError(f"There is no structure '{name}': use one of {known}.")
        index = self.names.index(name)
        return dvh_of_bins(self.voxels_in_bin[index], self.bin_gy, self.voxel_ml, float(self.mean_gy[index]))


class LiveDose:
    """From activities to dose, all histograms and the display volume in one step, by one thread.

    Everything that does not depend on the activities is computed once.  The rows are not copied if they are
    float32 in C order.  Besides them an object keeps 16 bytes for each voxel, 24 for each partly covered voxel
    of each structure, up to 12 MB of buffers, and the display volume; ``nbytes`` is the sum.  The product with
    the rows is left to BLAS: set ``OPENBLAS_NUM_THREADS=1`` before numpy is loaded to keep it to one thread.

    Parameters
    ----------
    gy_per_gbq : ndarray (sources, voxels) of float32
        Dose per activity of every source [Gy/GBq], not negative.  Sources are sites or parts of territories.
    voxels : ndarray (voxels,) of int
        Rising flat positions in the grid, in C order, of the voxels that receive dose.
    grid : Grid
    structures : sequence of LiveStructure
        Up to 64.
    site_to_source : ndarray (sites, sources), optional
        Activity of each source per activity injected at each site; without it every source is a site.
    bins : int
        Number of bins from 0 to the highest dose of an update.
    volume_gy : ndarray (z, y, x) of float32, optional
        Display volume to write into, in C order; without it a new one.  It is set to 0 at the beginning.

    Raises
    ------
    InputError
        If something above is not met.
    """

    def __init__(
        self,
        gy_per_gbq: np.ndarray,
        voxels: np.ndarray,
        grid: Grid,
        structures: Sequence[LiveStructure],
        *,
        site_to_source: np.ndarray | None = None,
        bins: int = 4096,
        volume_gy: np.ndarray | None = None,
    ) -> None:
        self._rows = _checked_rows(gy_per_gbq)
        sources, columns = self._rows.shape
        self._voxels = _checked_voxels(voxels, columns, grid)
        self._volume = _display_volume(volume_gy, grid)
        self._voxel_ml = grid.voxel_ml
        self._site_to_source = _checked_site_to_source(site_to_source, sources)
        self._histograms = LiveHistograms(structures, columns, bins)
        self._names = tuple(s.name for s in structures)
        self._mean_rows = np.array([_mean_row(self._rows, s) for s in structures])
        self._dose = np.zeros(columns, dtype=np.float32)

    @property
    def sites(self) -> int:
        """Number of activities of an update."""
        return self._rows.shape[0] if self._site_to_source is None else self._site_to_source.shape[0]

    @property
    def nbytes(self) -> int:
        """Memory kept, with rows and display volume [bytes]."""
        arrays = [value for value in vars(self).values() if isinstance(value, np.ndarray)]
        return sum(a.nbytes for a in arrays) + self._histograms.nbytes

    def update(self, activities_gbq: np.ndarray) -> LiveResult:
        """Return the dose of activities (sites,) [GBq], and write it into the display volume.

        Raises
        ------
        InputError
            If there is not one activity for each site, or one is negative or not finite.
        """
        of_source = self._source_activities(activities_gbq)
        with np.errstate(over="ignore"):
            np.dot(of_source.astype(np.float32), self._rows, out=self._dose)
        highest_gy = float(self._dose.max())
        if not highest_gy < np.inf:
            raise InputError(f"The dose exceeds the range of float32 at activities of {activities_gbq} GBq.")
        bin_gy = bin_width_gy(highest_gy, self._histograms.bins)
        voxels_in_bin = self._histograms.count(self._dose, bin_gy)
        self._volume.reshape(-1)[self._voxels] = self._dose
        return LiveResult(
            names=self._names,
            dose_gy=_read_only(self._dose),
            volume_gy=_read_only(self._volume),
            bin_gy=bin_gy,
            voxels_in_bin=voxels_in_bin,
            mean_gy=self._mean_rows @ of_source,
            voxel_ml=self._voxel_ml,
        )

    def _source_activities(self, activities_gbq: np.ndarray) -> np.ndarray:
        activities = np.asarray(activities_gbq, dtype=float)
        if activities.shape != (self.sites,):
            raise InputError(f"Activities of shape {activities.shape} for {self.sites} sites: give one for each site.")
        if not np.all((activities >= 0.0) & (activities < np.inf)):
            raise InputError(f"Activities must be finite and not negative, not {activities} GBq.")
        return activities if self._site_to_source is None else activities @ self._site_to_source


def _mean_row(rows: np.ndarray, structure: LiveStructure) -> np.ndarray:
    shares = structure.shares
    return np.array([row[structure.voxels] @ shares for row in rows]) / structure.volume_voxels


def _checked_rows(gy_per_gbq: np.ndarray) -> np.ndarray:
    rows = np.ascontiguousarray(gy_per_gbq, dtype=np.float32)
    if rows.ndim != 2 or not rows.size:
        raise InputError(f"Dose per GBq of shape {rows.shape}: give at least one source and one voxel.")
    lowest, highest = float(rows.min()), float(rows.max())
    if not (lowest >= 0.0 and highest < np.inf):
        raise InputError(
            f"Dose per GBq reaches from {lowest:g} to {highest:g} Gy/GBq: it must be finite and not negative; set the "
            "tiny negatives that a Fourier transform leaves to 0."
        )
    return rows


def _checked_voxels(voxels: np.ndarray, columns: int, grid: Grid) -> np.ndarray:
    flat = np.asarray(voxels)
    if flat.shape != (columns,) or not np.issubdtype(flat.dtype, np.integer):
        raise InputError(f"Voxels of shape {flat.shape} for {columns} columns: give one flat position for each column.")
    if flat[0] < 0 or flat[-1] >= grid.voxels or not np.all(flat[1:] > flat[:-1]):
        raise InputError(
            f"Flat positions must rise within a grid of {grid.voxels} voxels, as numpy.flatnonzero gives them; they "
            f"begin at {flat[0]} and end at {flat[-1]}."
        )
    return flat.astype(np.intp, copy=False)


def _checked_site_to_source(site_to_source: np.ndarray | None, sources: int) -> np.ndarray | None:
    if site_to_source is None:
        return None
    matrix = np.array(site_to_source, dtype=float)
    if matrix.ndim != 2 or matrix.shape[1] != sources or not len(matrix):
        raise InputError(f"A matrix of shape {matrix.shape} from sites to {sources} sources: give (sites, {sources}).")
    if not np.all((matrix >= 0.0) & (matrix < np.inf)):
        raise InputError("Activity of a source per activity of a site must be finite and not negative.")
    return matrix


def _display_volume(volume_gy: np.ndarray | None, grid: Grid) -> np.ndarray:
    if volume_gy is None:
        return np.zeros(grid.shape, dtype=np.float32)
    if volume_gy.shape != grid.shape or volume_gy.dtype != np.float32 or not volume_gy.flags.c_contiguous:
        raise InputError(
            f"A display volume of shape {volume_gy.shape} and {volume_gy.dtype}: give float32 of shape {grid.shape} "
            "in C order."
        )
    volume_gy[...] = 0.0
    return volume_gy


def _read_only(array: np.ndarray) -> np.ndarray:
    view = array.view()
    view.flags.writeable = False
    return view
