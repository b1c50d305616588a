"""Radiobiological parameters of tissues and published response curves, each with source and status."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from radioembolization.biology.response import LogisticResponse, ProbitResponse
from radioembolization.errors import DeviceMismatch, InputError, ParameterMissing
from radioembolization.physics.sourced import Sourced, Status


@dataclass(frozen=True)
class TissueBiology:
    """How a tissue responds to dose rate, as far as sources say.

    There is no radiosensitivity alpha: values for external beams do not hold for microspheres (PMC6954459).

    Parameters
    ----------
    name : str
    alpha_beta_gy : Sourced of float
        Ratio alpha/beta [Gy].
    repair_half_time_h : Sourced of float
        Half-time of repair [h].
    alpha_beta_range_gy : (float, float) or None
        Least and largest ratio sources give [Gy]; sweep it.
    """

    name: str
    alpha_beta_gy: Sourced[float]
    repair_half_time_h: Sourced[float]
    alpha_beta_range_gy: tuple[float, float] | None


@dataclass(frozen=True)
class PublishedCurve:
    """A dose-response curve, or the part of it that a source gives.

    Parameters
    ----------
    name : str
    device : str
        ``glass``, ``resin``, ``holmium`` or ``external beam``: the only one it holds for.
    endpoint : str
        What the probability is of.
    quantity : str
        ``dose`` or ``BED``.
    model : str
        ``logistic`` or ``probit``.
    d50_gy : Sourced of float
        Dose or BED of 50 % probability [Gy].
    slope : float or None
        gamma (logistic) or m (probit); None where no source was found.
    n : float
        Volume parameter of the probit model.
    """

    name: str
    device: str
    endpoint: str
    quantity: str
    model: str
    d50_gy: Sourced[float]
    slope: float | None
    n: float

    def curve(self, device: str, slope: float | None = None) -> LogisticResponse | ProbitResponse:
        """Return the curve for treatments with a device.

        Parameters
        ----------
        device : str
            Must be that of the curve: the same BED of another device has another effect.
        slope : float, optional
            Takes the place of the published one.

        Raises
        ------
        DeviceMismatch
            If the curve is of another device.
        ParameterMissing
            If no slope was published and none is given.
        """
        if device != self.device:
            raise DeviceMismatch(
                f"'{self.name}' was found for {self.device}: it says nothing about {device}, "
                "where the same dose or BED has another effect."
            )
        used = self.slope if slope is None else slope
        if used is None:
            word = "gamma" if self.model == "logistic" else "m"
            raise ParameterMissing(f"'{self.name}' has no published slope: give {word} to get probabilities.")
        if self.model == "logistic":
            return LogisticResponse(self.d50_gy.value, used)
        return ProbitResponse(self.d50_gy.value, used, self.n)


def tissue_biology(name: str) -> TissueBiology:
    """Return the parameters of ``normal liver``, ``tumour``, ``kidney`` or ``marrow``; hyphens stand for spaces.

    Raises
    ------
    InputError
        If there is no such tissue.
    """
    return _named(TISSUE_BIOLOGY, "tissue", name)


def published_curve(name: str) -> PublishedCurve:
    """Return a published curve by its name in ``data/parameters.toml``; hyphens stand for spaces.

    Raises
    ------
    InputError
        If there is no such curve.
    """
    return _named(PUBLISHED_CURVES, "response curve", name)


def _named(known: Mapping[str, Any], kind: str, name: str) -> Any:
    wanted = name.casefold().replace("-", " ")
    for key, found in known.items():
        if key.casefold() == wanted:
            return found
    raise InputError(f"Unknown {kind} '{name}': use one of {', '.join(known)}.")


def _read() -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath("data/parameters.toml").read_text(encoding="utf-8"))


def _tissue(name: str, table: Mapping[str, Any]) -> TissueBiology:
    ratio, repair = table["alpha_beta_gy"], table["repair_half_time_h"]
    low, high = ratio.get("range", (None, None))
    return TissueBiology(name, _sourced(ratio), _sourced(repair), None if low is None else (low, high))


def _curve(name: str, table: Mapping[str, Any]) -> PublishedCurve:
    return PublishedCurve(
        name=name,
        device=table["device"],
        endpoint=table["endpoint"],
        quantity=table["quantity"],
        model=table["model"],
        d50_gy=Sourced(table["d50_gy"], table["source"], Status(table["status"])),
        slope=table.get("slope"),
        n=table.get("n", 1.0),
    )


def _sourced(table: Mapping[str, Any]) -> Sourced[float]:
    return Sourced(table["value"], table["source"], Status(table["status"]))


_TABLES = _read()
TISSUE_BIOLOGY = {name: _tissue(name, table) for name, table in _TABLES["tissues"].items()}
PUBLISHED_CURVES = {name: _curve(name, table) for name, table in _TABLES["curves"].items()}
