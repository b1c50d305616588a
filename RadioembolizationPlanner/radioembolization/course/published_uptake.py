"""Published uptake of 177Lu-DOTATATE, never used without a notice."""

from __future__ import annotations

import tomllib
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from radioembolization.course.uptake import CYCLE_GBQ, Origin, RegionUptake, cycle_dose_range_gy
from radioembolization.errors import InputError, ParameterMissing, PopulationUptake, UnusualUptake
from radioembolization.physics import Sourced, Status

LESION, REST = "lesion", "rest of body"


@dataclass(frozen=True)
class Published:
    """What was published of one kind of region; None where no source was found.

    Parameters
    ----------
    gy_per_gbq, half_life_h : Sourced of float or None
        [Gy/GBq], [h].
    range_gy_per_gbq, half_life_range_h : (float, float) or None
    range_of : str
        Who the range is of.
    """

    gy_per_gbq: Sourced[float] | None
    range_gy_per_gbq: tuple[float, float] | None
    range_of: str
    half_life_h: Sourced[float] | None
    half_life_range_h: tuple[float, float] | None


def _published(table: Mapping[str, Any]) -> Published:
    dose, half_life = table.get("gy_per_gbq", {}), table.get("half_life_h", {})
    return Published(_sourced(dose), _range(dose), dose.get("range_of", ""), _sourced(half_life), _range(half_life))


def _sourced(table: Mapping[str, Any]) -> Sourced[float] | None:
    return Sourced(table["value"], table["source"], Status(table["status"])) if table else None


def _range(table: Mapping[str, Any]) -> tuple[float, float] | None:
    return tuple(table["range"]) if "range" in table else None


_TABLES = tomllib.loads(resources.files(__package__).joinpath("data/lutetium.toml").read_text(encoding="utf-8"))
#: Published uptake by kind of region.
PUBLISHED: dict[str, Published] = {kind: _published(table) for kind, table in _TABLES["regions"].items()}
#: Published change of the uptake of lesions per cycle by grade.
CHANGE_PER_CYCLE: dict[str, Sourced[float]] = {
    grade: Sourced(table["value"], table["source"], Status(table["status"]))
    for grade, table in _TABLES["change_per_cycle"].items()
}


def population_uptake(
    kind: str, name: str | None = None, grade: str | None = None, change_per_cycle: float | None = None
) -> RegionUptake:
    """Return the published uptake of a kind of region, with a notice.

    Parameters
    ----------
    kind : str
        ``kidney``, ``liver``, ``marrow`` or ``lesion``.
    name : str, optional
        Name of the structure; default the kind.
    grade : str, optional
        ``G1`` or ``G2``: published change of the uptake of lesions per cycle.
    change_per_cycle : float, optional
        Takes the place of the grade; 0 for lesions whose uptake is to stay.

    Raises
    ------
    InputError
        If there is no such kind or grade.
    ParameterMissing
        If a source is missing: half-life of the spleen, or change of a lesion without grade or number.
    """
    known = PUBLISHED.get(kind.casefold())
    if known is None or known.gy_per_gbq is None:
        kinds = [each for each, found in PUBLISHED.items() if found.gy_per_gbq is not None]
        raise InputError(f"There is no published uptake of '{kind}': use one of {', '.join(kinds)}.")
    if known.half_life_h is None:
        raise ParameterMissing(f"No source states the effective half-life of the {kind}: measure or enter its uptake.")
    change, basis = _change(kind.casefold(), grade, change_per_cycle)
    uptake = RegionUptake(
        region=name or kind,
        gy_per_gbq=known.gy_per_gbq,
        effective_half_life_h=known.half_life_h,
        range_gy_per_gbq=known.range_gy_per_gbq,
        change_per_cycle=change,
        origin=Origin.POPULATION,
    )
    warnings.warn(_notice(uptake, known, basis), PopulationUptake, stacklevel=2)
    return uptake


def _change(kind: str, grade: str | None, change_per_cycle: float | None) -> tuple[float, str]:
    if kind != LESION:
        return change_per_cycle or 0.0, ""
    if change_per_cycle is not None:
        return change_per_cycle, f", {change_per_cycle:+.0%} per cycle as entered"
    if grade is None:
        raise ParameterMissing("Uptake of lesions changes per cycle: give grade G1 or G2, or the change (0 for none).")
    if grade.upper() not in CHANGE_PER_CYCLE:
        raise InputError(
            f"No change of uptake was published for grade '{grade}': use {' or '.join(CHANGE_PER_CYCLE)}, or enter it."
        )
    change = CHANGE_PER_CYCLE[grade.upper()]
    return change.value, f", {change.value:+.0%} per cycle as published for {grade.upper()} ({change.source})"


def _notice(uptake: RegionUptake, known: Published, basis: str) -> str:
    text = f"Uptake of '{uptake.region}' is of published patients: {uptake.gy_per_gbq} Gy/GBq{basis}"
    doses = cycle_dose_range_gy(uptake, 1, CYCLE_GBQ)
    if doses is not None and uptake.range_gy_per_gbq is not None:
        low, high = uptake.range_gy_per_gbq
        text += (
            f"; from {low:g} to {high:g} Gy/GBq ({known.range_of}), which for {CYCLE_GBQ:g} GBq is {doses[0]:.2g} to "
            f"{doses[1]:.3g} Gy"
        )
    return f"{text}. Half-life {uptake.effective_half_life_h} h. Enter the patient's own where measured."


def completed(uptakes: Mapping[str, RegionUptake], needed: Iterable[str]) -> dict[str, RegionUptake]:
    """Return uptakes with published ones, each with a notice, for the organs that have none.

    Parameters
    ----------
    uptakes : mapping of str to RegionUptake
        By kind of region.
    needed : iterable of str
        Kinds that must be there, such as ``kidney``.
    """
    return {**uptakes, **{kind: population_uptake(kind) for kind in needed if kind not in uptakes}}


def check_uptake(kind: str, name: str, gy_per_gbq: float) -> None:
    """Give a notice where an uptake is outside what was published for the organ, by 1000 as with a wrong unit or less.

    Parameters
    ----------
    kind : str
        See ``population_uptake``; others are not checked.
    name : str
        Name of the structure.
    gy_per_gbq : float
    """
    known = PUBLISHED.get(kind)
    if known is None or known.range_gy_per_gbq is None:
        return
    low, high = known.range_gy_per_gbq
    if low <= gy_per_gbq <= high:
        return
    unit, tumour = "", "" if kind == LESION else " and exclude tumour from organs"
    if gy_per_gbq * 100.0 < low or gy_per_gbq > 100.0 * high:
        unit = " Near a factor of 1000: check MBq against GBq and the unit of the map."
    warnings.warn(
        f"'{name}' has {gy_per_gbq:.3g} Gy/GBq ({gy_per_gbq * CYCLE_GBQ:.3g} Gy in a cycle of {CYCLE_GBQ:g} GBq), "
        f"outside {low:g} to {high:g} Gy/GBq ({low * CYCLE_GBQ:.2g} to {high * CYCLE_GBQ:.3g} Gy; "
        f"{known.range_of}): plan with both ends{tumour}.{unit}",
        UnusualUptake,
        stacklevel=2,
    )
