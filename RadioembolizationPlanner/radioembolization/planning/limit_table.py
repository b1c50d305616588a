"""Limits as tables of a TOML file: the name of a quantity, its entries, a bound whose ending is the unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any

from radioembolization.errors import LimitError
from radioembolization.planning.limits import Limit, Provenance, Quantity
from radioembolization.planning.quantities import (
    ColdestMean,
    DoseAtVolume,
    GastrointestinalDose,
    HepaticReserve,
    HottestMean,
    InjectionActivity,
    InjectionSites,
    LargestInjectionActivity,
    LowestTerritoryNormalLiverDose,
    LungDose,
    MaximumDose,
    MeanBED,
    MeanDose,
    MicrosphereConcentration,
    MinimumDose,
    PerfusedNormalLiverDose,
    ShuntedActivity,
    SiteActivity,
    TerritoryNormalLiverDose,
    TotalActivity,
    VolumeAbove,
    VolumeReaching,
)
from radioembolization.structures import NORMAL_LIVER


@dataclass(frozen=True)
class _Kind:
    """A quantity by its name in files; its entries are the fields of its class.

    ``opposite`` is what bounds of the other direction are about, if that is another class.
    """

    quantity: type[Quantity]
    fixed: Mapping[str, object] = field(default_factory=dict)
    opposite: type[Quantity] | None = None

    @property
    def entries(self) -> dict[str, Field[Any]]:
        """Fields that a file states, by name."""
        return {f.name: f for f in fields(self.quantity) if f.name not in self.fixed}

    def is_of(self, quantity: Quantity) -> bool:
        """Whether a quantity has this name."""
        return type(quantity) in (self.quantity, self.opposite) and all(
            getattr(quantity, name) == value for name, value in self.fixed.items()
        )


_KINDS = {
    "whole_normal_liver": _Kind(MeanDose, {"structure": NORMAL_LIVER}),
    "perfused_normal_liver": _Kind(PerfusedNormalLiverDose),
    "territory_normal_liver": _Kind(TerritoryNormalLiverDose, opposite=LowestTerritoryNormalLiverDose),
    "lungs": _Kind(LungDose),
    "mean_dose": _Kind(MeanDose),
    "maximum_dose": _Kind(MaximumDose),
    "minimum_dose": _Kind(MinimumDose),
    "hottest_mean": _Kind(HottestMean),
    "coldest_mean": _Kind(ColdestMean),
    "mean_bed": _Kind(MeanBED),
    "volume_above": _Kind(VolumeAbove, opposite=VolumeReaching),
    "dose_at_volume": _Kind(DoseAtVolume),
    "hepatic_reserve": _Kind(HepaticReserve),
    "gastrointestinal_deposit": _Kind(GastrointestinalDose),
    "shunted_activity": _Kind(ShuntedActivity),
    "total_activity": _Kind(TotalActivity),
    "site_activity": _Kind(SiteActivity),
    "injection_activity": _Kind(InjectionActivity, opposite=LargestInjectionActivity),
    "injection_sites": _Kind(InjectionSites),
    "microspheres": _Kind(MicrosphereConcentration),
}
#: Entries of each quantity in files, by its name.
QUANTITY_ENTRIES = {name: tuple(kind.entries) for name, kind in _KINDS.items()}
_PROVENANCE = ("source", "evidence", "device", "override_reason")


def quantity_by_name(name: str, **entries: object) -> Quantity:
    """Return a quantity by its name in TOML files and its entries there.

    Raises
    ------
    LimitError
        If the name is unknown, an entry it needs is missing, or it would ignore one.
    """
    if name not in _KINDS:
        raise LimitError(f"Unknown quantity '{name}': use {', '.join(_KINDS)}.")
    known = _KINDS[name].entries
    for key in entries:
        if key not in known:
            raise LimitError(_not_of(key, name))
    for key, of_class in known.items():
        if key not in entries and of_class.default is MISSING:
            article, value = ("", "a number") if "float" in str(of_class.type) else ("a ", '"name"')
            raise LimitError(f"A limit on '{name}' needs {article}{key}: add {key} = {value}.")
    values = {key: _entry(key, value, str(known[key].type)) for key, value in entries.items()}
    return _KINDS[name].quantity(**_KINDS[name].fixed, **values)


def _not_of(key: str, name: str) -> str:
    owners = [other for other, kind in _KINDS.items() if key in kind.entries]
    if not owners:
        return f"Unknown entries ['{key}'] in the limit on '{name}'."
    return (
        f"'{key}' belongs to a limit on {' or '.join(repr(owner) for owner in owners)}; a limit on '{name}' would "
        "ignore it: remove it."
    )


def _entry(key: str, value: object, kind: str) -> object:
    if "float" in kind:
        return _number(key, value)
    if not isinstance(value, str) or not value:
        raise LimitError(f"'{key}' of a limit must be a text in quotes, not {value!r}.")
    return value


def _number(key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise LimitError(f"'{key}' of a limit must be a number, not {value!r}.")
    return float(value)


def limit_from_table(table: Mapping[str, object], device: str = "") -> Limit:
    """Return a limit from a TOML table: quantity, its entries, at_most or at_least with unit, source.

    Raises
    ------
    LimitError
        If a key is unknown or missing.
    """
    entries = dict(table)
    name = str(entries.pop("quantity", ""))
    stated = {key: str(entries.pop(key)) for key in _PROVENANCE if key in entries}
    bounds = {key: entries.pop(key) for key in list(entries) if key.startswith(("at_most_", "at_least_"))}
    quantity = quantity_by_name(name, **entries)
    if len(bounds) != 1:
        raise LimitError(
            f"The limit on {quantity.name} needs exactly one of at_most_{quantity.keyword} and "
            f"at_least_{quantity.keyword}, not {sorted(bounds) or 'none'}."
        )
    key, value = next(iter(bounds.items()))
    unit = key.removeprefix("at_most_").removeprefix("at_least_")
    bound = {unit: _number(key, value)}
    limit = quantity.at_most(**bound) if key.startswith("at_most_") else quantity.at_least(**bound)
    return limit.because(Provenance(**{"device": device, **stated}))


def limit_to_table(limit: Limit) -> dict[str, object]:
    """Return the table from which ``limit_from_table`` makes the limit.

    Raises
    ------
    LimitError
        If its quantity has no name in files.
    """
    quantity, stated = limit.quantity, limit.provenance
    name = next((name for name, kind in _KINDS.items() if kind.is_of(quantity)), None)
    if name is None:
        raise LimitError(f"The limit '{limit}' cannot be written to a case file: its quantity has no name there.")
    table: dict[str, object] = {"quantity": name}
    for key, of_class in _KINDS[name].entries.items():
        if getattr(quantity, key) != of_class.default:
            table[key] = getattr(quantity, key)
    table[f"{'at_most' if limit.upper else 'at_least'}_{quantity.keyword}"] = limit.bound
    usual = Provenance()
    return table | {key: getattr(stated, key) for key in _PROVENANCE if getattr(stated, key) != getattr(usual, key)}
