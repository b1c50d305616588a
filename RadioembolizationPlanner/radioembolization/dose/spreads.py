"""What is uncertain and by how much: published spreads with their sources, and the choice of a user among them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from radioembolization.dose.distributions import Distribution, LogNormal, Mixture, Normal
from radioembolization.errors import UncertaintyError
from radioembolization.physics.sourced import Status

#: Numbers of a spread that a user may change.
_NUMBERS = ("mean", "sd", "median", "sd_log", "highest", "probability", "stasis_from", "stasis_to", "common_share")


class ActsOn(StrEnum):
    """What a spread changes."""

    LUNG_SHUNT = "lung_shunt"
    RATIO = "ratio"
    FLOW = "flow"
    SHIFT = "shift"
    CATHETER = "catheter"
    TUMOUR_VOLUME = "tumour_volume"
    LIVER_VOLUME = "liver_volume"
    RESIDUAL = "residual"
    CALIBRATION = "calibration"
    VIAL = "vial"


@dataclass(frozen=True)
class Spread:
    """One thing that may differ from what is planned.

    Parameters
    ----------
    name, title : str
    acts_on : ActsOn
    model : str
        ``normal``, ``lognormal``, ``half_normal`` or ``stasis``.
    numbers : mapping of str to float
        Parameters of the model, in the unit of the spread.
    unit : str
    largest : float
        Largest standard deviation (of the logarithm for lognormal) that is accepted.
    cut_sd : float
        Values further from the median than as many standard deviations are not drawn.
    devices : tuple of str
        Those it was published for; empty for any.
    default : bool
        Whether it is chosen where nothing is said.
    correlation, source, note : str
    status : Status
    changed : bool
        Whether a user changed its numbers.

    Raises
    ------
    UncertaintyError
        If a number is negative, missing or beyond anything physical.
    """

    name: str
    title: str
    acts_on: ActsOn
    model: str
    numbers: Mapping[str, float]
    unit: str
    largest: float
    cut_sd: float
    devices: tuple[str, ...]
    default: bool
    correlation: str
    status: Status
    source: str
    note: str
    changed: bool = False

    def __post_init__(self) -> None:
        for number, value in self.numbers.items():
            if not np.isfinite(value) or (number != "mean" and value < 0):
                raise UncertaintyError(f"Spread '{self.name}': {number} = {value:g} must be a number of zero or more.")
        if self.sd > self.largest:
            raise UncertaintyError(
                f"Spread '{self.name}': a standard deviation of {self.sd:g} is larger than physical (at most "
                f"{self.largest:g}, unit: {self.unit}): check the unit."
            )
        if self.model in ("lognormal", "stasis") and self.numbers["median"] <= 0:
            raise UncertaintyError(f"Spread '{self.name}': the median of a lognormal spread must be positive.")
        for number in ("highest", "probability", "stasis_from", "stasis_to", "common_share"):
            if self.numbers.get(number, 0.0) > 1.0:
                raise UncertaintyError(f"Spread '{self.name}': {number} = {self.numbers[number]:g} is more than 1.")

    @property
    def sd(self) -> float:
        """Standard deviation, of the logarithm for lognormal values."""
        return float(self.numbers.get("sd_log", self.numbers.get("sd", 0.0)))

    @property
    def distribution(self) -> Distribution:
        """The distribution of its values."""
        number, cut = self.numbers, self.cut_sd * self.sd
        if self.model == "normal":
            return Normal(number["mean"], self.sd, number["mean"] - cut, number["mean"] + cut)
        if self.model == "half_normal":
            return Normal(0.0, self.sd, 0.0, 1.0)
        median = number["median"]
        highest = number.get("highest", np.inf)
        usual = LogNormal(median, self.sd, median * np.exp(-cut), min(highest, median * np.exp(min(cut, 700.0))))
        if self.model == "lognormal":
            return usual
        return Mixture(usual, number["probability"], number["stasis_from"], number["stasis_to"])

    def with_numbers(self, changes: Mapping[str, Any]) -> Spread:
        """Return the spread with other numbers.

        Raises
        ------
        UncertaintyError
            If it has no such number, or the value is impossible.
        """
        for number, value in changes.items():
            if number not in self.numbers:
                known = ", ".join(self.numbers)
                raise UncertaintyError(f"Spread '{self.name}' has no number '{number}': change one of {known}.")
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise UncertaintyError(f"Spread '{self.name}': {number} must be a number, not {value!r}.")
        numbers = {**self.numbers, **{number: float(value) for number, value in changes.items()}}
        return replace(self, numbers=numbers, changed=self.changed or numbers != dict(self.numbers))

    def check_device(self, device: str) -> None:
        """Refuse a spread published for other devices, unless its numbers are a user's (``UncertaintyError``)."""
        if self.devices and device not in self.devices and not self.changed:
            raise UncertaintyError(
                f"Spread '{self.name}' was published for {' and '.join(self.devices)}, not for {device}: leave it out, "
                "or state numbers of your own."
            )


@cache
def published_spreads() -> dict[str, Spread]:
    """Return all spreads of ``data/uncertainty.toml`` by name."""
    text = resources.files(__package__).joinpath("data/uncertainty.toml").read_text(encoding="utf-8")
    return {name: _spread(name, table) for name, table in tomllib.loads(text).items()}


def spread(name: str) -> Spread:
    """Return a published spread; ``UncertaintyError`` with the known names if there is none."""
    spreads = published_spreads()
    if name not in spreads:
        raise UncertaintyError(f"There is no uncertainty '{name}': use one of {', '.join(spreads)}.")
    return spreads[name]


def _spread(name: str, table: Mapping[str, Any]) -> Spread:
    return Spread(
        name=name,
        title=table["title"],
        acts_on=ActsOn(table["acts_on"]),
        model=table["model"],
        numbers={number: float(table[number]) for number in _NUMBERS if number in table},
        unit=table["unit"],
        largest=float(table["largest"]),
        cut_sd=float(table.get("cut_sd", np.inf)),
        devices=tuple(table["devices"]),
        default=bool(table["default"]),
        correlation=table["correlation"],
        status=Status(table["status"]),
        source=table["source"],
        note=table["note"],
    )
