"""Presets: published limits per device and intent, as data."""

from __future__ import annotations

import tomllib
import warnings
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources

from radioembolization.errors import LimitError, LimitOverride
from radioembolization.physics import Device
from radioembolization.planning.goals import Goal, WorstTumourPartMean
from radioembolization.planning.limits import Limit, Provenance, Quantity
from radioembolization.planning.problem import Problem
from radioembolization.planning.quantities import (
    InjectionActivity,
    InjectionSites,
    LungDose,
    MeanDose,
    PerfusedNormalLiverDose,
    ShuntedActivity,
    TerritoryNormalLiverDose,
    TotalActivity,
)
from radioembolization.structures import NORMAL_LIVER


@dataclass(frozen=True)
class Preset:
    """The limits of one device and intent.

    Parameters
    ----------
    name : str
        ``device/intent``, for instance ``resin/unilobar``.
    device : str
    intent : str
    title : str
    limits : tuple of Limit
    notes : tuple of str
        Cautions printed with the plan.
    tumour_aim : str
        Published tumour dose aims, in words; not a limit.
    """

    name: str
    device: str
    intent: str
    title: str
    limits: tuple[Limit, ...]
    notes: tuple[str, ...] = ()
    tumour_aim: str = ""


@dataclass(frozen=True)
class Prescription:
    """What is asked of a plan: a goal, limits, at most how many injections, at least how much in each."""

    goal: Goal = field(default_factory=WorstTumourPartMean)
    limits: tuple[Limit, ...] = ()
    at_most_sites: int | None = None
    least_activity_gbq: float | None = None
    preset_name: str = ""
    notes: tuple[str, ...] = ()
    tumour_aim: str = ""

    @staticmethod
    def from_preset(chosen: Preset, override_reason: str = "", **changes: object) -> Prescription:
        """Return the prescription of a preset, with changed fields.

        ``override_reason`` lets the limits be used for another device than the preset's.
        """
        base = Prescription(
            limits=tuple(
                limit.because(replace(limit.provenance, override_reason=override_reason)) for limit in chosen.limits
            ),
            preset_name=chosen.name,
            notes=chosen.notes,
            tumour_aim=chosen.tumour_aim,
        )
        return replace(base, **changes)  # type: ignore[arg-type]

    def problem(self, device: Device) -> Problem:
        """Return the planning problem for a device.

        Raises
        ------
        DeviceMismatch
            If a limit was made for another device and no reason is stated.
        """
        limits = self.limits
        if self.at_most_sites is not None:
            limits = (*limits, InjectionSites().at_most(count=self.at_most_sites))
        if self.least_activity_gbq is not None:
            limits = (*limits, InjectionActivity().at_least(gbq=self.least_activity_gbq))
        problem = Problem(self.goal, limits)
        problem.check_devices(device)
        for limit in limits:
            if limit.provenance.device not in ("", device.name):
                warnings.warn(
                    f"The limit '{limit}' of {limit.provenance.device} is used for {device.name}: "
                    f"{limit.provenance.override_reason}",
                    LimitOverride,
                    stacklevel=2,
                )
        return problem


def quantity_by_name(
    name: str, structure: str = "", earlier_gy: float = 0.0, full_from_gy: float | None = None
) -> Quantity:
    """Return a quantity by the name used in TOML files.

    ``mean_dose`` needs a structure; the others (``whole_normal_liver``, ``perfused_normal_liver``,
    ``territory_normal_liver``, ``lungs``, ``shunted_activity``, ``total_activity``,
    ``injection_activity``, ``injection_sites``) stand alone.

    Raises
    ------
    LimitError
        If the name is unknown, or ``mean_dose`` comes without a structure.
    """
    if name == "mean_dose":
        if not structure:
            raise LimitError("A limit on 'mean_dose' needs a structure: add structure = \"name\".")
        return MeanDose(structure)
    quantities: dict[str, Quantity] = {
        "whole_normal_liver": MeanDose(NORMAL_LIVER),
        "perfused_normal_liver": PerfusedNormalLiverDose(*([] if full_from_gy is None else [full_from_gy])),
        "territory_normal_liver": TerritoryNormalLiverDose(),
        "lungs": LungDose(earlier_gy),
        "shunted_activity": ShuntedActivity(),
        "total_activity": TotalActivity(),
        "injection_activity": InjectionActivity(),
        "injection_sites": InjectionSites(),
    }
    if name not in quantities:
        raise LimitError(f"Unknown quantity '{name}': use mean_dose, {', '.join(quantities)}.")
    return quantities[name]


#: Entries of a limit that only one quantity understands.
_ENTRY_OF = {"structure": "mean_dose", "earlier_gy": "lungs", "full_from_gy": "perfused_normal_liver"}


def _number(key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise LimitError(f"'{key}' of a limit must be a number, not {value!r}.")
    return float(value)


def limit_from_table(table: dict[str, object], device: str = "") -> Limit:
    """Return a limit from a TOML table: quantity, structure, at_most or at_least with unit, source.

    Raises
    ------
    LimitError
        If a key is unknown or missing.
    """
    entries = dict(table)
    name = str(entries.pop("quantity", ""))
    for key, owner in _ENTRY_OF.items():
        if key in entries and name != owner:
            raise LimitError(
                f"'{key}' belongs to a limit on '{owner}'; a limit on '{name}' would ignore it: remove it."
            )
    full_from = entries.pop("full_from_gy", None)
    quantity = quantity_by_name(
        name,
        str(entries.pop("structure", "")),
        _number("earlier_gy", entries.pop("earlier_gy", 0.0)),
        None if full_from is None else _number("full_from_gy", full_from),
    )
    provenance = Provenance(
        source=str(entries.pop("source", "user")),
        evidence=str(entries.pop("evidence", "")),
        device=str(entries.pop("device", device)),
        override_reason=str(entries.pop("override_reason", "")),
    )
    bounds = {key: entries.pop(key) for key in list(entries) if key.startswith(("at_most_", "at_least_"))}
    if entries:
        raise LimitError(f"Unknown entries {sorted(entries)} in the limit on {quantity.name}.")
    if len(bounds) != 1:
        raise LimitError(
            f"The limit on {quantity.name} needs exactly one of at_most_{quantity.keyword} and "
            f"at_least_{quantity.keyword}, not {sorted(bounds) or 'none'}."
        )
    key, value = next(iter(bounds.items()))
    unit = key.removeprefix("at_most_").removeprefix("at_least_")
    bound = {unit: _number(key, value)}
    limit = quantity.at_most(**bound) if key.startswith("at_most_") else quantity.at_least(**bound)
    return limit.because(provenance)


@cache
def load_presets() -> dict[str, Preset]:
    """Return all presets of the package by name."""
    presets = {}
    folder = resources.files(__package__).joinpath("presets")
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".toml"):
            continue
        table = tomllib.loads(file.read_text(encoding="utf-8"))
        device = table["device"]
        shared = table.get("limits", [])
        for intent, entry in table["intents"].items():
            limits = tuple(limit_from_table(limit, device) for limit in (*entry.get("limits", []), *shared))
            name = f"{device}/{intent}"
            notes = (*table.get("notes", []), *entry.get("notes", []))
            presets[name] = Preset(name, device, intent, entry["title"], limits, notes, entry.get("tumour_aim", ""))
    return presets


def preset(name: str) -> Preset:
    """Return the preset ``device/intent``.

    Raises
    ------
    LimitError
        If there is none; the message lists those there are.
    """
    presets = load_presets()
    if name not in presets:
        raise LimitError(f"Unknown preset '{name}': use one of {', '.join(presets)}.")
    return presets[name]
