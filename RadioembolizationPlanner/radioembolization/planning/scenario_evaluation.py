"""What a plan, optimized or not, comes to in many scenarios: chances of its limits, tumour doses, histogram bands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.dose.scenario_voxels import ScenarioVoxels
from radioembolization.dose.scenarios import Scenarios
from radioembolization.errors import InputError
from radioembolization.planning.limits import MET_TOLERANCE, Limit
from radioembolization.planning.problem import Problem
from radioembolization.planning.scenario_limits import AS_PLANNED, values_in
from radioembolization.planning.scenario_scores import score_of
from radioembolization.structures import NORMAL_LIVER

#: Percentiles of scenarios: in P10 of all scenarios a value is lower.
PERCENTILES = (10.0, 50.0, 90.0)
#: Histograms of larger structures are made from every so many voxels, as many as this at most.
_MOST_VOXELS = 10_000
_POINTS = 101


@dataclass(frozen=True)
class Percentiles:
    """A value over scenarios; ten per cent of the scenarios have less than ``p10``."""

    p10: float
    p50: float
    p90: float
    mean: float
    lowest: float
    highest: float

    @staticmethod
    def of(values: np.ndarray) -> Percentiles:
        """Return the percentiles of values (scenarios,)."""
        p10, p50, p90 = (float(v) for v in np.percentile(values, PERCENTILES))
        return Percentiles(p10, p50, p90, float(values.mean()), float(values.min()), float(values.max()))


@dataclass(frozen=True)
class LimitChance:
    """How often a limit is met.

    Parameters
    ----------
    name, sense, unit : str
    limit : float
    probability : float or None
        Share of the scenarios in which it is met; None if it is known as planned only.
    value : Percentiles or None
    """

    name: str
    sense: str
    limit: float
    unit: str
    probability: float | None
    value: Percentiles | None


@dataclass(frozen=True)
class TumourChance:
    """Dose figures of a tumour over scenarios [Gy]."""

    name: str
    mean_gy: Percentiles
    d95_gy: Percentiles
    d70_gy: Percentiles


@dataclass(frozen=True)
class HistogramBand:
    """Percentiles over scenarios of the volume share that receives at least a dose.

    Parameters
    ----------
    name : str
    dose_gy : tuple of float
    p10_percent, p50_percent, p90_percent : tuple of float
        Of the volume, at each dose.
    """

    name: str
    dose_gy: tuple[float, ...]
    p10_percent: tuple[float, ...]
    p50_percent: tuple[float, ...]
    p90_percent: tuple[float, ...]


@dataclass(frozen=True)
class ScenarioEvaluation:
    """A plan in scenarios.

    Parameters
    ----------
    count : int
        Number of scenarios.
    seed : int or None
    goal : Percentiles
        Value of the goal.
    limits : tuple of LimitChance
        All limits but those on activities and sites, which do not depend on scenarios.
    all_limits : float
        Share of the scenarios in which all of these are met together.
    tumours : tuple of TumourChance
    bands : tuple of HistogramBand
        Of tumours and normal liver; empty if not asked for.
    """

    count: int
    seed: int | None
    goal: Percentiles
    limits: tuple[LimitChance, ...]
    all_limits: float
    tumours: tuple[TumourChance, ...]
    bands: tuple[HistogramBand, ...] = ()


def evaluate_scenarios(
    problem: Problem, scenarios: Scenarios, activities_gbq: np.ndarray, *, bands: bool = True
) -> ScenarioEvaluation:
    """Return what activities come to in scenarios; for any plan, and any scenarios of the same sites.

    Parameters
    ----------
    problem : Problem
        As planned: its goal and limits are evaluated in every scenario.
    scenarios : Scenarios
    activities_gbq : ndarray (sites,)
    bands : bool
        Whether histograms are made.

    Raises
    ------
    InputError
        If there is not one activity of zero or more for each site.
    LimitError
        If the goal is not known in scenarios.
    """
    x = _checked(activities_gbq, scenarios)
    chances, met = [], np.ones(len(scenarios), dtype=bool)
    for limit in problem.limits:
        if isinstance(limit.quantity, AS_PLANNED):
            continue
        values = values_in(limit.quantity, scenarios, x)
        fine = None if values is None else _is_met(limit, values)
        met &= True if fine is None else fine
        chances.append(_chance(limit, values, fine))
    names = scenarios.basis.tumour_names
    figures = {name: _Figures(scenarios, name, x) for name in (*names, *((NORMAL_LIVER,) if bands else ()))}
    return ScenarioEvaluation(
        count=len(scenarios),
        seed=scenarios.seed,
        goal=Percentiles.of(score_of(problem.goal, scenarios).values(x, exact=True)),
        limits=tuple(chances),
        all_limits=float(met.mean()),
        tumours=tuple(
            TumourChance(
                name,
                Percentiles.of(scenarios.mean_rows(name) @ x),
                Percentiles.of(figures[name].dose_at_volume(0.95)),
                Percentiles.of(figures[name].dose_at_volume(0.70)),
            )
            for name in names
        ),
        bands=tuple(figure.band() for figure in figures.values()) if bands else (),
    )


def check_sites(dose: DosePerGBq, scenarios: Scenarios) -> None:
    """Refuse scenarios of other sites than those of the dose rows (``InputError``)."""
    if scenarios.basis.site_names != dose.site_names:
        raise InputError(
            f"The scenarios are of the sites {', '.join(scenarios.basis.site_names)}, the dose rows of "
            f"{', '.join(dose.site_names)}: compute the scenarios for the same case."
        )


class _Figures:
    """Sorted doses of a structure in every scenario.

    Parameters
    ----------
    scenarios : Scenarios
    name : str
    activities_gbq : ndarray (sites,)
    """

    def __init__(self, scenarios: Scenarios, name: str, activities_gbq: np.ndarray) -> None:
        self.name = name
        every = max(1, scenarios.basis.region(name).count // _MOST_VOXELS)
        voxels = ScenarioVoxels(scenarios, name, every)
        self._sorted = []
        for _, doses, held in voxels.blocks(activities_gbq):
            self._sorted += [np.sort(d[h]) for d, h in zip(doses, held, strict=True)]

    def dose_at_volume(self, share: float) -> np.ndarray:
        """Return the dose (scenarios,) that a share of the voxels receives at least [Gy]."""
        return np.array([_reached(d, share) if len(d) else 0.0 for d in self._sorted])

    def band(self) -> HistogramBand:
        """Return the percentiles of the cumulative histogram."""
        highest = max((float(d[-1]) for d in self._sorted if len(d)), default=1.0)
        dose_gy = np.linspace(0.0, highest, _POINTS)
        shares = [100.0 * (1.0 - np.searchsorted(d, dose_gy) / max(len(d), 1)) for d in self._sorted]
        p10, p50, p90 = (tuple(float(v) for v in line) for line in np.percentile(shares, PERCENTILES, axis=0))
        return HistogramBand(self.name, tuple(float(v) for v in dose_gy), p10, p50, p90)


def _reached(rising_gy: np.ndarray, share: float) -> float:
    """Return the dose that a share of voxels with rising doses receives at least, between them linearly."""
    place = (1.0 - share) * (len(rising_gy) - 1)
    low = int(place)
    high = min(low + 1, len(rising_gy) - 1)
    return float(rising_gy[low] + (place - low) * (rising_gy[high] - rising_gy[low]))


def _is_met(limit: Limit, values: np.ndarray) -> np.ndarray:
    excess = values - limit.bound if limit.upper else limit.bound - values
    return np.asarray(excess <= MET_TOLERANCE * max(1.0, limit.bound))


def _chance(limit: Limit, values: np.ndarray | None, met: np.ndarray | None) -> LimitChance:
    return LimitChance(
        name=limit.quantity.name,
        sense="at most" if limit.upper else "at least",
        limit=limit.bound,
        unit=limit.quantity.unit,
        probability=None if met is None else float(met.mean()),
        value=None if values is None or not np.all(np.isfinite(values)) else Percentiles.of(values),
    )


def _checked(activities_gbq: np.ndarray, scenarios: Scenarios) -> np.ndarray:
    x, sites = np.asarray(activities_gbq, dtype=float), scenarios.basis.site_names
    if x.shape != (len(sites),) or not np.all(np.isfinite(x) & (x >= 0)):
        raise InputError(f"Activities must be one number of zero or more for each of the {len(sites)} sites.")
    return x
