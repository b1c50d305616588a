"""Budgets of organs: how much dose or BED an organ may receive in a course, and what of it is left."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from radioembolization.course.exposure import Modality
from radioembolization.course.ledger import Ledger
from radioembolization.errors import DeviceMismatch, LimitError
from radioembolization.physics import Device
from radioembolization.physics.checked_numbers import positive
from radioembolization.physics.sourced import Status
from radioembolization.planning import Provenance

#: Relative slack with which a budget counts as kept.
_KEPT_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Balance:
    """A budget, what is spent of it and what is left.

    Parameters
    ----------
    name : str
    denominator : str
    limit_gy, spent_gy : float
        Dose or BED [Gy].
    provenance : Provenance
    status : Status
    cautions : tuple of str
        What the sum leaves out or takes for granted.
    """

    name: str
    denominator: str
    limit_gy: float
    spent_gy: float
    provenance: Provenance
    status: Status
    cautions: tuple[str, ...] = ()

    @property
    def left_gy(self) -> float:
        """What is left [Gy]; negative if it is overdrawn."""
        return self.limit_gy - self.spent_gy

    @property
    def kept(self) -> bool:
        """Whether no more is spent than allowed."""
        return self.spent_gy <= self.limit_gy * (1.0 + _KEPT_TOLERANCE)

    def __str__(self) -> str:
        flag = "" if self.status is Status.CONFIRMED else f" ({self.status})"
        return f"{self.name}: {self.spent_gy:.2f} of {self.limit_gy:g} Gy{flag}, {self.left_gy:.2f} Gy left"


@dataclass(frozen=True)
class OrganBudget:
    """What an organ may receive.

    Parameters
    ----------
    name : str
    structure : str
        As the ledger names it.
    denominator : str
        What is averaged over.
    limit_gy : float
        Dose or BED [Gy].
    is_bed : bool
        BED instead of dose.
    is_single : bool
        By one session of radioembolization, rather than by the whole history.
    devices : tuple of str
        Microspheres it was stated for; empty for whatever reaches the organ.
    provenance : Provenance
    status : Status

    Raises
    ------
    InputError
        If the limit is not a positive number.
    """

    name: str
    structure: str
    denominator: str
    limit_gy: float
    is_bed: bool = False
    is_single: bool = False
    devices: tuple[str, ...] = ()
    provenance: Provenance = field(default_factory=Provenance)
    status: Status = Status.UNVERIFIED

    def __post_init__(self) -> None:
        positive(f"The budget '{self.name}'", self.limit_gy, "Gy")
        if self.is_bed and self.is_single:
            raise LimitError(f"The budget '{self.name}' is a BED of one session: cross terms belong to no session.")

    def balance(self, ledger: Ledger) -> Balance:
        """Return what the administrations of a ledger have spent.

        Raises
        ------
        StructureError
            If an administration does not say what the organ receives.
        ParameterMissing
            If the budget is a BED and the organ has no tissue parameters.
        """
        cautions = ledger.cautions(self.structure) if self.is_bed else ()
        return Balance(
            self.name, self.denominator, self.limit_gy, self._spent_gy(ledger), self.provenance, self.status, cautions
        )

    def next_dose_gy(self, ledger: Ledger, half_life_h: float, day: float | None = None) -> float:
        """Return the largest dose [Gy] that one more administration may give, 0 if nothing is left.

        Parameters
        ----------
        ledger : Ledger
        half_life_h : float
            Half-life of its dose rate [h].
        day : float, optional
            When it is given; without it, far from all others.  Only a BED depends on it.
        """
        if self.is_bed:
            return ledger.response(self.structure, half_life_h, day).dose_gy(self.limit_gy)
        used = 0.0 if self.is_single else self._spent_gy(ledger)
        return max(0.0, self.limit_gy - used)

    def check_device(self, device: Device) -> None:
        """Refuse microspheres that the budget was not stated for.

        Raises
        ------
        DeviceMismatch
        """
        if self.devices and device.name not in self.devices:
            raise DeviceMismatch(
                f"The budget '{self.name}' was stated for {' and '.join(self.devices)} microspheres and does not hold "
                f"for {device.name}: use the budget of {device.name}."
            )

    def _spent_gy(self, ledger: Ledger) -> float:
        if self.is_bed:
            return ledger.bed_gy(self.structure)
        if self.is_single:
            sessions = [e for e in ledger.exposures if e.modality is Modality.RADIOEMBOLIZATION]
            return max((session.dose_of_gy(self.structure) for session in sessions), default=0.0)
        return ledger.dose_gy(self.structure)


@cache
def organ_budgets() -> dict[str, OrganBudget]:
    """Return the stated budgets by name."""
    text = resources.files(__package__).joinpath("data/budgets.toml").read_text(encoding="utf-8")
    return {name: _budget(name, table) for name, table in tomllib.loads(text).items()}


def organ_budget(name: str) -> OrganBudget:
    """Return a stated budget.

    Raises
    ------
    LimitError
        If there is none; the message lists those there are.
    """
    known = organ_budgets()
    if name not in known:
        raise LimitError(f"Unknown budget '{name}': use one of {'; '.join(known)}.")
    return known[name]


def lung_budgets(device: Device) -> tuple[OrganBudget, ...]:
    """Return the budgets of the lungs that were stated for a device: of one session, and of all."""
    return tuple(b for b in organ_budgets().values() if b.structure == "lungs" and device.name in b.devices)


def lung_dose_left_gy(ledger: Ledger, device: Device) -> float:
    """Return what the next session of a device may give to the lungs [Gy], by one session and with all history."""
    budgets = lung_budgets(device)
    return min(budget.next_dose_gy(ledger, device.nuclide.half_life_h) for budget in budgets)


def _budget(name: str, table: Mapping[str, Any]) -> OrganBudget:
    devices = tuple(table.get("devices", ()))
    return OrganBudget(
        name=name,
        structure=table["structure"],
        denominator=table["denominator"],
        limit_gy=table["limit_gy"],
        is_bed=table.get("bed", False),
        is_single=table.get("single", False),
        devices=devices,
        provenance=Provenance(table["source"], table["evidence"], ", ".join(devices)),
        status=Status(table["status"]),
    )
