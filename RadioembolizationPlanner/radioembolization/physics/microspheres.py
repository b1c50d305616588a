"""Radioembolization devices: which nuclide, how many microspheres."""

from __future__ import annotations

from dataclasses import dataclass

from radioembolization.errors import InputError
from radioembolization.physics.nuclide import HO166, Y90, Convention, Nuclide


@dataclass(frozen=True)
class Device:
    """A kind of microspheres.

    Parameters
    ----------
    name : str
        Name used in case files and on the command line: ``glass``, ``resin`` or ``holmium``.
    title : str
        Name for people.
    nuclide : Nuclide
    bq_per_sphere : float
        Typical activity of one microsphere at treatment [Bq]; it falls with the time since
        calibration and is only used to estimate microsphere numbers.
    source : str
        Source of ``bq_per_sphere``.
    """

    name: str
    title: str
    nuclide: Nuclide
    bq_per_sphere: float
    source: str

    def energy_j_per_gbq(self, convention: Convention) -> float:
        """Return the emitted energy per GBq [J/GBq]; ``vendor`` exists for glass only."""
        if convention == Convention.VENDOR and self != GLASS_Y90:
            raise InputError(
                f"Convention 'vendor' is the constant printed for glass microspheres; for {self.name} "
                "use 'clinical' or 'icrp107'."
            )
        return self.nuclide.energy_j_per_gbq(convention)

    def microspheres(self, activity_gbq: float) -> float:
        """Return the estimated number of microspheres that carry an activity [GBq]."""
        return activity_gbq * 1e9 / self.bq_per_sphere


GLASS_Y90 = Device(
    "glass", "90Y glass microspheres", Y90, 2500.0, "PMC6095426 Table 3; 1250-2500 Bq in use, PMC8583383"
)
RESIN_Y90 = Device("resin", "90Y resin microspheres", Y90, 50.0, "PMC8583383 Table 4")
HOLMIUM_HO166 = Device(
    "holmium", "166Ho poly(L-lactic acid) microspheres", HO166, 340.0, "200-400 Bq at treatment, NICE TA985"
)
DEVICES = (GLASS_Y90, RESIN_Y90, HOLMIUM_HO166)


def device_by_name(name: str) -> Device:
    """Return the device called ``glass``, ``resin`` or ``holmium``.

    Raises
    ------
    InputError
        If there is no such device.
    """
    for device in DEVICES:
        if device.name == name:
            return device
    raise InputError(f"Unknown device '{name}': use glass, resin or holmium.")
