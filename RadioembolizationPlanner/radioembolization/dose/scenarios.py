"""Scenarios: what a case may turn out to be, each a set of dose rows made from one basis without a convolution."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from radioembolization.dose.readings import Readings
from radioembolization.dose.scenario_basis import ScenarioBasis
from radioembolization.errors import TumoursMovedOut, UncertaintyError
from radioembolization.structures import Role

#: A tumour that receives less than this share of what is planned has left the territories.
_LOST = 0.05
#: A part of a tumour with a smaller share of its voxels is not counted, as in ``DosePerGBq``.
_SMALLEST_PART = 0.05


@dataclass(frozen=True, eq=False)
class Draws:
    """What differs from the plan in each scenario.

    Parameters
    ----------
    lung_shunt, extrahepatic_share : ndarray (scenarios, sites)
    ratio_factor : ndarray (scenarios, tumours)
        On the tumour-to-normal ratio.
    flow_factor : ndarray (scenarios, territories)
        On the flow to each smallest territory.
    catheter_share : ndarray (scenarios, sites)
        Share of the activity that spreads as from the next larger territory.
    scale : ndarray (scenarios, sites)
        Activity that reaches the patient over that planned: residual and calibration.
    shift_mm : ndarray (scenarios, 3)
        Displacement (z, y, x) of the anatomy against the activity, along the axes of the grid.
    tumour_factor : ndarray (scenarios, tumours)
        On the volume as drawn.
    liver_factor : ndarray (scenarios,)
    """

    lung_shunt: np.ndarray
    extrahepatic_share: np.ndarray
    ratio_factor: np.ndarray
    flow_factor: np.ndarray
    catheter_share: np.ndarray
    scale: np.ndarray
    shift_mm: np.ndarray
    tumour_factor: np.ndarray
    liver_factor: np.ndarray

    @staticmethod
    def as_planned(basis: ScenarioBasis, count: int) -> Draws:
        """Return scenarios in which everything is as planned; ``dataclasses.replace`` changes some of it."""
        sites, tumours = len(basis.site_names), len(basis.tumour_names)
        return Draws(
            lung_shunt=np.tile(basis.lung_shunt, (count, 1)),
            extrahepatic_share=np.tile(basis.extrahepatic_share, (count, 1)),
            ratio_factor=np.ones((count, tumours)),
            flow_factor=np.ones((count, int(basis.territory.max()) + 1)),
            catheter_share=np.zeros((count, sites)),
            scale=np.ones((count, sites)),
            shift_mm=np.zeros((count, 3)),
            tumour_factor=np.ones((count, tumours)),
            liver_factor=np.ones(count),
        )

    def __len__(self) -> int:
        return len(self.scale)


@dataclass(frozen=True, eq=False)
class Scenarios:
    """Dose rows of many scenarios.

    Parameters
    ----------
    basis : ScenarioBasis
    draws : Draws
    seed : int or None
        Of the random numbers they were drawn with; None if they were not drawn, or the seed is not known.

    Raises
    ------
    UncertaintyError
        If there is no scenario, a value is not physical, or every scenario moves all tumours out of the territories.

    Warns
    -----
    TumoursMovedOut
        If some scenarios move all tumours out of the territories.
    """

    basis: ScenarioBasis
    draws: Draws
    seed: int | None = None

    def __post_init__(self) -> None:
        _check(self.draws, self.basis)
        lost = int(np.count_nonzero(self.tumours_lost))
        if lost == len(self):
            raise UncertaintyError(
                f"All {lost} scenarios move every tumour out of the territories: check registration and spreads."
            )
        if lost:
            warnings.warn(
                f"{lost} of {len(self)} scenarios move every tumour out of the territories: no plan treats them there; "
                "check the spread of the displacement.",
                TumoursMovedOut,
                stacklevel=3,
            )

    def __len__(self) -> int:
        return len(self.draws)

    @cached_property
    def amounts(self) -> np.ndarray:
        """Activity in each source, organs last, (scenarios, sites, sources) [GBq] per GBq planned at each site."""
        basis, draws = self.basis, self.draws
        factor = draws.flow_factor[:, basis.territory]
        tumour = basis.compartment > 0
        factor[:, tumour] *= draws.ratio_factor[:, basis.compartment[tumour] - 1]
        spread = basis.weights * factor[:, None, :]
        spread /= spread.sum(axis=2, keepdims=True)
        larger = np.where(basis.next_larger >= 0, basis.next_larger, np.arange(len(basis.next_larger)))
        share = draws.catheter_share[:, :, None]
        spread = (1.0 - share) * spread + share * spread[:, larger]
        retained = 1.0 - draws.lung_shunt - draws.extrahepatic_share
        return basis.amounts(spread * (retained * draws.scale)[:, :, None], self.extrahepatic_per_gbq)

    @cached_property
    def _read(self) -> tuple[Readings, np.ndarray]:
        """The different readings, the last as planned, and which one each scenario has."""
        basis, draws = self.basis, self.draws
        tumours = [region for region in basis.regions if region.role is Role.TUMOUR]
        liver = next(region for region in basis.regions if region.role is Role.LIVER)
        offsets = np.rint(draws.shift_mm / np.array(basis.spacing_mm)).astype(np.int64)
        sizes = [tumour.voxels_for(draws.tumour_factor[:, i]) for i, tumour in enumerate(tumours)]
        rows = np.column_stack([offsets, *sizes, liver.voxels_for(draws.liver_factor)])
        different, of_scenario = np.unique(rows, axis=0, return_inverse=True)
        planned = [0, 0, 0, *(tumour.count for tumour in tumours), liver.count]
        different = np.vstack([different, planned])
        return Readings(basis, different[:, :3], different[:, 3:-1], different[:, -1]), of_scenario.ravel()

    @property
    def readings(self) -> Readings:
        """Where structures lie and how large they are drawn; the last reading is as planned."""
        return self._read[0]

    @property
    def reading(self) -> np.ndarray:
        """Reading of each scenario (scenarios,) of int."""
        return self._read[1]

    @cached_property
    def _means(self) -> dict[str, np.ndarray]:
        return {}

    def mean_rows(self, name: str) -> np.ndarray:
        """Return the mean dose of a structure per GBq planned at each site (scenarios, sites) [Gy/GBq]."""
        if name not in self._means:
            means = self.readings.sums(name).means[self.reading]
            self._means[name] = np.einsum("sb,sjb->sj", means, self.amounts, optimize=True)
        return self._means[name]

    def planned_mean_row(self, name: str) -> np.ndarray:
        """Return the mean dose of a structure per GBq (sites,) as planned, from the basis [Gy/GBq]."""
        basis = self.basis
        retained = 1.0 - basis.lung_shunt - basis.extrahepatic_share
        planned = basis.amounts(basis.weights * retained[:, None], basis.extrahepatic_share)
        return np.asarray(planned @ self.readings.sums(name).means[-1])

    def part_sums(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return dose summed over the voxels of each perfused part of a structure, and their number.

        Returns
        -------
        gy_per_gbq : ndarray (scenarios, parts, sites)
        voxels : ndarray (scenarios, parts)
        """
        sums = self.readings.sums(name)
        gy = np.einsum("spb,sjb->spj", sums.gy[self.reading], self.amounts, optimize=True)
        return gy, sums.voxels[self.reading]

    def tumour_part_rows(self, name: str) -> np.ndarray:
        """Return mean rows (scenarios, means, sites) of a tumour and of its parts in the same territories.

        A part that no territory reaches, or below 5 % of the tumour, stands for the whole tumour.
        """
        whole = self.mean_rows(name)
        gy, voxels = self.part_sums(name)
        fed = self.basis.members.any(axis=1)
        counted = fed & (voxels >= _SMALLEST_PART * voxels.sum(axis=1, keepdims=True)) & (voxels > 0)
        parts = np.where(counted[:, :, None], gy / np.maximum(voxels, 1)[:, :, None], whole[:, None, :])
        return np.concatenate([whole[:, None, :], parts[:, counted.any(axis=0)]], axis=1)

    @property
    def shunted_per_gbq(self) -> np.ndarray:
        """Activity in the lungs (scenarios, sites) per GBq planned."""
        return self.draws.lung_shunt * self.draws.scale

    @property
    def extrahepatic_per_gbq(self) -> np.ndarray:
        """Activity beyond liver and lungs (scenarios, sites) per GBq planned."""
        return self.draws.extrahepatic_share * self.draws.scale

    @property
    def lung_gy_per_gbq(self) -> np.ndarray | None:
        """Mean lung dose (scenarios, sites) [Gy] per GBq planned; None without a lung mass."""
        mass = self.basis.lung_mass_kg
        return None if mass is None else self.basis.settings.energy_j_per_gbq * self.shunted_per_gbq / mass

    @cached_property
    def tumours_lost(self) -> np.ndarray:
        """Scenarios (scenarios,) of bool in which every tumour has left the territories."""
        shares = []
        for name in self.basis.tumour_names:
            planned = float(self.planned_mean_row(name).sum())
            shares.append(self.mean_rows(name).sum(axis=1) / planned if planned > 0 else np.zeros(len(self)))
        return np.all(np.array(shares) < _LOST, axis=0)

    def rows(self, scenario: int, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the dose rows of one structure in one scenario.

        Returns
        -------
        rows : ndarray (sites, voxels)
            [Gy/GBq]
        voxels : ndarray (voxels,) of int
            Flat positions on the grid where the activity is, rising.
        """
        region, chosen = self.basis.region(name), self.reading[scenario : scenario + 1]
        uncertain, certain = self.readings.columns_of(region)
        held = uncertain[self.readings.holds(region, uncertain, chosen)[0]]
        columns = np.sort(np.concatenate([certain, held]))
        return self.amounts[scenario] @ self.basis.maps[:, columns].astype(float), self.basis.columns[columns]


def _check(draws: Draws, basis: ScenarioBasis) -> None:
    """Refuse no scenarios, and values that are not physical (``UncertaintyError``)."""
    if not len(draws):
        raise UncertaintyError("There are zero scenarios: draw at least one.")
    gone = draws.lung_shunt + draws.extrahepatic_share
    physical = {
        "lung shunt": (draws.lung_shunt >= 0) & (gone < 1.0),
        "extrahepatic share": draws.extrahepatic_share >= 0,
        "tumour-to-normal factor": (draws.ratio_factor > 0) & np.isfinite(draws.ratio_factor),
        "flow factor": (draws.flow_factor > 0) & np.isfinite(draws.flow_factor),
        "catheter share": (draws.catheter_share >= 0) & (draws.catheter_share <= 1),
        "scale of the activity": (draws.scale >= 0) & np.isfinite(draws.scale),
        "factor on the tumour volume": (draws.tumour_factor > 0) & np.isfinite(draws.tumour_factor),
        "factor on the liver volume": (draws.liver_factor > 0) & np.isfinite(draws.liver_factor),
    }
    for what, fine in physical.items():
        if not np.all(fine):
            wrong = int(np.count_nonzero(~np.all(fine.reshape(len(draws), -1), axis=1)))
            raise UncertaintyError(
                f"The {what} is not physical in {wrong} of {len(draws)} scenarios: narrow its spread."
            )
    furthest = np.abs(np.rint(draws.shift_mm / np.array(basis.spacing_mm))).max(axis=0)
    if np.any(furthest > basis.reach):
        raise UncertaintyError(
            f"Displacements reach {furthest.astype(int)} voxels, but the basis was computed for {basis.reach}: compute "
            "it for the same uncertainty."
        )
