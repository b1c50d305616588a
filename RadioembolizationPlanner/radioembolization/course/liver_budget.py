"""The normal liver: the limit of a device, less the BED that earlier treatment has spent.

The rule: the largest D with ``BED(D) + BED of everything earlier <= BED(D_limit)``, both with the half-life of the same
device, tissue parameters of the ledger and no recovery in between.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from radioembolization.biology import bed_gy
from radioembolization.course.budget import Balance
from radioembolization.course.exposure import Modality
from radioembolization.course.ledger import Ledger
from radioembolization.errors import DeviceMismatch, LimitError, ParameterMissing
from radioembolization.physics import Device, device_by_name
from radioembolization.physics.checked_numbers import positive
from radioembolization.physics.sourced import Status
from radioembolization.planning import (
    Limit,
    MeanDose,
    PerfusedNormalLiverDose,
    Provenance,
    TerritoryNormalLiverDose,
    preset,
)
from radioembolization.structures import NORMAL_LIVER

#: Presets whose sources contradict each other; the others were read in the table they name.
_CONFLICTS = {"glass/hcc-lobar": Status.CONFLICT}


@dataclass(frozen=True)
class LiverBudget:
    """What microspheres of one device may give to the normal liver.

    Parameters
    ----------
    device : Device
        The only one it holds for.
    limit_gy : float
        Mean dose allowed without other treatment [Gy].
    denominator : str
        Whole or perfused normal liver.
    provenance : Provenance
    status : Status

    Raises
    ------
    InputError
        If the limit is not a positive number.
    """

    device: Device
    limit_gy: float
    denominator: str = "mean dose, whole normal liver"
    provenance: Provenance = field(default_factory=Provenance)
    status: Status = Status.UNVERIFIED

    def __post_init__(self) -> None:
        positive(f"The {self.device.name} limit of the normal liver", self.limit_gy, "Gy")

    @property
    def name(self) -> str:
        """Device and dose."""
        return f"{self.denominator}, {self.limit_gy:g} Gy of {self.device.name}"

    def limit_bed_gy(self, ledger: Ledger, device: Device, structure: str = NORMAL_LIVER) -> float:
        """Return the BED of the limit [Gy], with the tissue parameters of a ledger.

        Parameters
        ----------
        ledger : Ledger
        device : Device
            That is to be given; the BED of one device says nothing about another.
        structure : str
            As the ledger names it.

        Raises
        ------
        DeviceMismatch
            If the device is not that of the budget.
        ParameterMissing
            If the ledger has no tissue parameters of the structure.
        """
        if device.name != self.device.name:
            raise DeviceMismatch(
                f"The limit of {self.limit_gy:g} Gy, and its BED, were published for {self.device.name} microspheres: "
                f"the same BED of {device.name} has another effect. Choose a limit of {device.name}."
            )
        tissue = ledger.tissues.get(structure)
        if tissue is None:
            raise ParameterMissing(f"'{structure}' has no tissue parameters: add its alpha/beta and repair half-time.")
        half_life_h = self.device.nuclide.half_life_h
        return bed_gy(self.limit_gy, tissue.alpha_beta_gy.value, tissue.repair_half_time_h.value, half_life_h)

    def balance(
        self, ledger: Ledger, device: Device, structure: str = NORMAL_LIVER, other_device_reason: str = ""
    ) -> Balance:
        """Return the BED that a ledger has spent of the limit's.

        Parameters
        ----------
        ledger, device, structure
            As for ``limit_bed_gy``.
        other_device_reason : str
            Why the BED of another device in the history may be added to that of this one; empty refuses it.

        Raises
        ------
        DeviceMismatch
            If the device is not that of the budget, or the history holds another without a reason.
        """
        limit = self.limit_bed_gy(ledger, device, structure)
        cautions = (*ledger.cautions(structure), *self._about_history(ledger, structure, other_device_reason))
        spent = ledger.bed_gy(structure)
        return Balance(self.name, self.denominator, limit, spent, self.provenance, self.status, cautions)

    def dose_left_gy(
        self,
        ledger: Ledger,
        device: Device,
        day: float | None = None,
        structure: str = NORMAL_LIVER,
        other_device_reason: str = "",
    ) -> float:
        """Return the largest mean dose that a session may give [Gy], 0 if nothing is left; raises as ``balance``.

        Parameters
        ----------
        day : float, optional
            When it is given, so that cross terms count; without it, far from all others.
        """
        balance = self.balance(ledger, device, structure, other_device_reason)
        return ledger.response(structure, self.device.nuclide.half_life_h, day).dose_gy(balance.limit_gy)

    def _about_history(self, ledger: Ledger, structure: str, other_device_reason: str) -> list[str]:
        cautions = []
        for exposure in ledger.exposures:
            if exposure.dose_of_gy(structure) == 0.0:
                continue
            if exposure.modality is Modality.EXTERNAL_BEAM:
                cautions.append(
                    f"'{exposure.label}' is counted by its BED, which is worse tolerated by external beam than by "
                    "glass (10.2967/jnumed.113.135301)."
                )
            if exposure.modality is not Modality.RADIOEMBOLIZATION or exposure.device == self.device.name:
                continue
            if not other_device_reason:
                raise DeviceMismatch(
                    f"'{exposure.label}' was given with {exposure.device} microspheres: its BED cannot be set against "
                    f"the limit of {self.device.name}. State other_device_reason to add it nevertheless."
                )
            cautions.append(
                f"The BED of '{exposure.label}' ({exposure.device}) is set against the limit of {self.device.name}: "
                f"{other_device_reason}."
            )
        return cautions


def liver_budget(limit: Limit, device: Device, status: Status = Status.UNVERIFIED) -> LiverBudget:
    """Return the budget that a planning limit on a mean dose of the normal liver sets.

    Raises
    ------
    DeviceMismatch
        If the limit is of another device and has no override_reason.
    LimitError
        If it is no upper limit on a mean dose of the normal liver.
    """
    limit.check_device(device)
    if not bounds_normal_liver(limit):
        raise LimitError(f"'{limit}' sets no budget: use an upper limit on a mean dose of the normal liver.")
    return LiverBudget(device, limit.bound, limit.quantity.name, limit.provenance, status)


def liver_budgets_of(preset_name: str) -> tuple[LiverBudget, ...]:
    """Return the budgets of the normal liver in a preset such as ``holmium/unilobar``; none for segmentectomies."""
    chosen = preset(preset_name)
    device, status = device_by_name(chosen.device), _CONFLICTS.get(chosen.name, Status.CONFIRMED)
    return tuple(liver_budget(limit, device, status) for limit in chosen.limits if bounds_normal_liver(limit))


def bounds_normal_liver(limit: Limit) -> bool:
    """Whether a limit bounds a mean dose of the normal liver from above."""
    quantity = limit.quantity
    whole = isinstance(quantity, MeanDose) and quantity.structure == NORMAL_LIVER
    return limit.upper and (whole or isinstance(quantity, PerfusedNormalLiverDose | TerritoryNormalLiverDose))
