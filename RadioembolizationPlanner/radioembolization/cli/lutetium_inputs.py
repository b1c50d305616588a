"""What the command ``lutetium`` is given, turned into regions, half-lives and time-integrated activities."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from radioembolization.course.curve_fit import Fit, Model, fit_time_activity
from radioembolization.course.lutetium_dose import MeasuredRegion, disjoint_regions, region_kind
from radioembolization.course.published_uptake import PUBLISHED, REST
from radioembolization.course.time_activity import TimeActivity, TimeIntegratedActivity, single_time_point
from radioembolization.course.uptake import checked_half_life
from radioembolization.errors import HalfLifeError, ImageError, InputError, PopulationUptake
from radioembolization.files import read_segmentation, read_volume
from radioembolization.images import Unit, Volume, activity_map

#: Key of a half-life that holds for all structures without their own.
ALL = ""
MODELS = {"mono": Model.MONO, "uptake": Model.UPTAKE, "bi": Model.BI}


@dataclass(frozen=True)
class HalfLife:
    """An assumed effective half-life [h] and its range."""

    hours: float
    range_h: tuple[float, float] | None = None


def maps_given(paths: Sequence[Path], hours: Sequence[float]) -> list[Volume]:
    """Read the activity maps [Bq/mL] of all time points, on one grid.

    Raises
    ------
    InputError
        If there is not one time for each map.
    ImageError
        If the grids differ.
    """
    if len(paths) != len(hours):
        raise InputError(f"{len(paths)} maps and {len(hours)} times (--hours): give one time for each map.")
    TimeActivity(tuple(hours), (1.0,) * len(hours))
    maps = [activity_map(read_volume(path, Unit.BQ_PER_ML)) for path in paths]
    for path, volume in zip(paths, maps, strict=True):
        if volume.grid != maps[0].grid:
            raise ImageError(f"'{path.name}' has another grid than '{paths[0].name}': register and resample it first.")
    return maps


def regions_given(path: Path, words: Sequence[str]) -> list[MeasuredRegion]:
    """Return the structures called ``NAME`` (a segment) or ``NAME=LABEL[+LABEL]`` (of a label map), without overlap."""
    segmentation = read_segmentation(path)
    regions = []
    for word in words:
        name, equals, labels = word.partition("=")
        references: list[str | int] = [name]
        if equals:
            references = [int(part) if part.strip().isdigit() else part for part in labels.split("+")]
        masks = [segmentation.mask(reference) for reference in references]
        regions.append(MeasuredRegion(name, np.logical_or.reduce([m.mask for m in masks]), segmentation.grid))
    return disjoint_regions(regions)


def half_lives_given(words: Sequence[str], names: Sequence[str]) -> dict[str, HalfLife]:
    """Return half-lives by structure from ``T``, ``NAME=T`` or ``NAME=T,LOW,HIGH`` [h]; ``rest`` is all else.

    Raises
    ------
    InputError
        If one cannot be read, or names no structure.
    HalfLifeError
        If one is longer than the physical half-life.
    """
    found = {}
    for word in words:
        name, equals, numbers = word.rpartition("=")
        try:
            values = [float(number) for number in numbers.split(",")]
        except ValueError:
            values = []
        if len(values) not in (1, 3):
            raise InputError(f"--half-life-h '{word}': write T, NAME=T or NAME=T,LOW,HIGH in hours.")
        key = REST if name == "rest" else name if equals else ALL
        if key not in (ALL, REST, *names):
            raise InputError(f"--half-life-h '{word}' names no structure: there are {', '.join(names)} and rest.")
        for value in values:
            checked_half_life(value, f"'{name or 'all structures'}'")
        found[key] = HalfLife(values[0], (values[1], values[2]) if len(values) == 3 else None)
    return found


def integral_of(
    name: str,
    hours: Sequence[float],
    activity_gbq: Sequence[float],
    half_lives: Mapping[str, HalfLife],
    model: Model | None,
    relative_sd: float | None,
) -> tuple[TimeIntegratedActivity, Fit | None]:
    """Return the time-integrated activity of a structure: a fit from two time points on, else an assumed half-life."""
    sd = None if relative_sd is None else tuple(relative_sd * activity for activity in activity_gbq)
    if len(hours) > 1:
        if half_lives:
            raise InputError("With several time points half-lives are fitted: leave out --half-life-h.")
        fit = fit_time_activity(_named_data(name, hours, activity_gbq, sd), model)
        return fit.integral, fit
    if model is not None:
        raise InputError("One time point cannot choose a curve: leave out --model.")
    assumed = half_lives.get(name) or half_lives.get(ALL) or _published(name)
    _named_data(name, hours, activity_gbq, sd)
    return single_time_point(hours[0], activity_gbq[0], assumed.hours, assumed.range_h, sd[0] if sd else None), None


def _named_data(
    name: str, hours: Sequence[float], activity_gbq: Sequence[float], sd: tuple[float, ...] | None
) -> TimeActivity:
    try:
        return TimeActivity(tuple(hours), tuple(activity_gbq), sd)
    except InputError as error:
        raise InputError(f"Structure '{name}': {error}") from error


def _published(name: str) -> HalfLife:
    kind = REST if name == REST else region_kind(name)
    found = PUBLISHED[kind]
    if found.half_life_h is None:
        raise HalfLifeError(f"No source states a half-life of the {kind}: give --half-life-h '{name}=HOURS'.")
    assumed = HalfLife(found.half_life_h.value, found.half_life_range_h)
    low_high = "without a range, so its uncertainty is not included"
    if assumed.range_h is not None:
        low_high = "range {:g} to {:g} h".format(*assumed.range_h)
    warnings.warn(
        f"Half-life of '{name}' is assumed: {found.half_life_h} h of published patients ({found.half_life_h.source}), "
        f"{low_high}. Give --half-life-h, or more time points.",
        PopulationUptake,
        stacklevel=3,
    )
    return assumed


def checked_percent(percent: float | None) -> float | None:
    """Return ``--sd-percent`` as a fraction; ``InputError`` if it is not above 0 and below 100."""
    if percent is not None and not (math.isfinite(percent) and 0.0 < percent < 100.0):
        raise InputError(f"--sd-percent {percent:g}: enter the uncertainty of each activity in per cent, such as 10.")
    return None if percent is None else percent / 100.0
