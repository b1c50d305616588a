"""What is asked of a plan, and presets: published limits per device and intent, as data."""

from __future__ import annotations

import tomllib
import warnings
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources

from radioembolization.errors import AssumedBiology, LimitError, LimitOverride
from radioembolization.physics import Device
from radioembolization.planning.goals import Goal, WorstTumourPartMean
from radioembolization.planning.limit_table import limit_from_table
from radioembolization.planning.limits import Limit, Quantity
from radioembolization.planning.linear_quadratic import OfTissue
from radioembolization.planning.problem import Problem
from radioembolization.planning.quantities import InjectionActivity, InjectionSites, SiteActivity


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
    """What is asked of a plan.

    Parameters
    ----------
    goal : Goal
    limits : tuple of Limit
    at_most_sites : int, optional
        Largest number of injections.
    least_activity_gbq, most_activity_gbq : float, optional
        Smallest and largest activity of an injection that is made [GBq].
    forbidden_sites, required_sites : tuple of str
        Sites without any activity, and with at least the least activity.
    preset_name, notes, tumour_aim
        Of the preset, if it is from one.

    Raises
    ------
    LimitError
        If these contradict each other.
    """

    goal: Goal = field(default_factory=WorstTumourPartMean)
    limits: tuple[Limit, ...] = ()
    at_most_sites: int | None = None
    least_activity_gbq: float | None = None
    most_activity_gbq: float | None = None
    forbidden_sites: tuple[str, ...] = ()
    required_sites: tuple[str, ...] = ()
    preset_name: str = ""
    notes: tuple[str, ...] = ()
    tumour_aim: str = ""

    def __post_init__(self) -> None:
        least, most = self.least_activity_gbq, self.most_activity_gbq
        if least is not None and most is not None and least > most:
            raise LimitError(f"least_activity_gbq = {least:g} is above most_activity_gbq = {most:g}: exchange them.")
        if self.required_sites and not least:
            raise LimitError("required_sites need least_activity_gbq: how much a required injection has at least.")
        both = sorted(set(self.forbidden_sites) & set(self.required_sites))
        if both:
            raise LimitError(f"Sites {both} are both forbidden and required: decide on one.")
        if self.at_most_sites is not None and len(set(self.required_sites)) > self.at_most_sites:
            raise LimitError(
                f"{len(set(self.required_sites))} sites are required, but at_most_sites = {self.at_most_sites}: allow "
                "more injections, or require fewer."
            )

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
        limits = (*self.limits, *self._about_sites())
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
        parts: list[Goal | Quantity] = [self.goal, *(limit.quantity for limit in limits)]
        for part in parts:
            for assumption in part.biology.assumptions if isinstance(part, OfTissue) else ():
                warnings.warn(f"{part.name}: {assumption}", AssumedBiology, stacklevel=2)
        return problem

    def _about_sites(self) -> list[Limit]:
        """Return the limits on which sites are used and with how much activity."""
        limits = []
        if self.at_most_sites is not None:
            limits.append(InjectionSites().at_most(count=self.at_most_sites))
        if self.least_activity_gbq is not None:
            limits.append(InjectionActivity().at_least(gbq=self.least_activity_gbq))
        if self.most_activity_gbq is not None:
            limits.append(InjectionActivity().at_most(gbq=self.most_activity_gbq))
        limits += [SiteActivity(site).at_most(gbq=0.0) for site in dict.fromkeys(self.forbidden_sites)]
        for site in dict.fromkeys(self.required_sites):
            limits.append(SiteActivity(site).at_least(gbq=self.least_activity_gbq or 0.0))
        return limits


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
