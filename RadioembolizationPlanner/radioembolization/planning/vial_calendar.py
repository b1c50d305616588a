"""The vials that can be ordered: data of the user, as sizes and calibration times differ by country and change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from radioembolization.errors import VialError
from radioembolization.physics import Device
from radioembolization.planning.vial_supply import Supply, usual_supply
from radioembolization.planning.vials import DecaySense, Vial, checked_residual, median_residual

#: More sizes than this are taken for a mistake in the step.
_MOST_SIZES = 400


@dataclass(frozen=True)
class VialCalendar:
    """Sizes and calibrations of one device.

    Parameters
    ----------
    device : Device
    calibrations : tuple of datetime
        With time zone, the earliest first.
    sizes_gbq : tuple of float
        Activities at calibration [GBq], ascending; empty if made for the patient.
    bq_per_sphere : float
        Activity of one microsphere at calibration [Bq].
    residual : float
        Share of the prepared activity that stays in the delivery set, in [0, 1).
    supply : Supply
    sense : DecaySense
    source : str
        Where sizes and calibrations come from.
    """

    device: Device
    calibrations: tuple[datetime, ...]
    sizes_gbq: tuple[float, ...]
    bq_per_sphere: float
    residual: float
    supply: Supply
    sense: DecaySense = field(default_factory=DecaySense)
    source: str = "user"

    def __post_init__(self) -> None:
        checked_residual(self.residual)
        if not self.calibrations:
            raise VialError("The vial calendar has no calibration: state when the activity on the label holds.")
        if self.supply.sized and not self.sizes_gbq:
            raise VialError(f"The vial calendar of {self.device.title} has no sizes: state sizes_gbq or a step.")
        for calibration in self.calibrations:
            for size in self.sizes_gbq or (1.0,):
                Vial(self.device, size, calibration, self.bq_per_sphere, self.sense)  # refuses what is no vial
        object.__setattr__(self, "calibrations", tuple(sorted(set(self.calibrations))))
        object.__setattr__(self, "sizes_gbq", tuple(sorted(set(self.sizes_gbq))))

    @staticmethod
    def of(
        device: Device,
        calibrations: Sequence[datetime],
        sizes_gbq: Sequence[float] | None = None,
        bq_per_sphere: float | None = None,
        residual: float | None = None,
        supply: Supply | None = None,
        sense: DecaySense | None = None,
        source: str | None = None,
    ) -> VialCalendar:
        """Return the calendar with what is known of the device where nothing is stated.

        Raises
        ------
        VialError
        """
        stated = sizes_gbq is not None
        return VialCalendar(
            device,
            tuple(calibrations),
            tuple(sizes_gbq) if sizes_gbq is not None else device.vial_gbq.value,
            device.bq_per_sphere if bq_per_sphere is None else bq_per_sphere,
            median_residual(device) if residual is None else residual,
            supply or usual_supply(device),
            sense or DecaySense(),
            source or ("user" if stated else f"default sizes, {device.vial_gbq.source}; check what can be ordered"),
        )

    @staticmethod
    def from_table(table: Mapping[str, Any], device: Device) -> VialCalendar:
        """Return the calendar of a table as in case files; see ``vial_table``."""
        from radioembolization.planning.vial_table import calendar_from_table

        return calendar_from_table(table, device)

    def vials_for(self, at: datetime) -> tuple[Vial, ...]:
        """Return the vials (of 1 GBq if made for the patient) whose decay to some time makes sense.

        Raises
        ------
        VialError
            If there is none; says by how much the best calibration is off.
        """
        found, refused = [], None
        for calibration in self.calibrations:
            vials = [
                Vial(self.device, size, calibration, self.bq_per_sphere, self.sense)
                for size in self.sizes_gbq or (1.0,)
            ]
            try:
                vials[0].decay_to(at)
                found += vials
            except VialError as error:
                refused = error
        if not found:
            raise refused or VialError("The vial calendar has no calibration.")
        return tuple(found)


def sizes_in_steps_gbq(first_gbq: float, last_gbq: float, step_gbq: float) -> tuple[float, ...]:
    """Return the sizes from the first to the last in equal steps [GBq] (``VialError`` if there are none, or too many).

    >>> sizes_in_steps_gbq(3.0, 4.5, 0.5)
    (3.0, 3.5, 4.0, 4.5)
    """
    if not (np.isfinite([first_gbq, last_gbq, step_gbq]).all() and 0.0 < first_gbq <= last_gbq and step_gbq > 0.0):
        raise VialError(
            f"Vial sizes from {first_gbq:g} to {last_gbq:g} GBq in steps of {step_gbq:g} GBq are no sizes: all three "
            "must be above zero, the first not above the last."
        )
    count = int(np.floor((last_gbq - first_gbq) / step_gbq + 1e-9)) + 1
    if count > _MOST_SIZES:
        raise VialError(f"{count} vial sizes are more than {_MOST_SIZES}: give a larger step.")
    return tuple(round(float(first_gbq + k * step_gbq), 9) for k in range(count))
