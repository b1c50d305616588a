"""Radioembolization devices: which nuclide, which spheres, how many, and how they are supplied."""

from __future__ import annotations

import math
from dataclasses import dataclass

from radioembolization.errors import InputError
from radioembolization.physics.nuclide import HO166, Y90, Convention, Nuclide
from radioembolization.physics.sourced import Sourced, Status


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
    bq_per_sphere_range : Sourced of (float, float)
        Least and most activity of one microsphere in use [Bq].
    diameter_um : Sourced of float
        Mean diameter of a sphere [um].
    diameter_range_um : Sourced of (float, float)
        Smallest and largest diameter [um].
    density_g_per_cm3 : Sourced of float
        Density of the sphere's material.
    vial_gbq : Sourced of tuple of float
        Activities a vial is supplied with at calibration [GBq]; empty if made for the patient.
    vial_tolerance : Sourced of float or None
        Relative tolerance of a vial's activity stated by the manufacturer.
    calibration : Sourced of str
        When the stated activity holds, and what is known of its accuracy.
    """

    name: str
    title: str
    nuclide: Nuclide
    bq_per_sphere: float
    source: str
    bq_per_sphere_range: Sourced[tuple[float, float]]
    diameter_um: Sourced[float]
    diameter_range_um: Sourced[tuple[float, float]]
    density_g_per_cm3: Sourced[float]
    vial_gbq: Sourced[tuple[float, ...]]
    vial_tolerance: Sourced[float | None]
    calibration: Sourced[str]

    def energy_j_per_gbq(self, convention: Convention) -> float:
        """Return the emitted energy per GBq [J/GBq]; ``vendor`` exists for glass only."""
        if convention == Convention.VENDOR and self != GLASS_Y90:
            raise InputError(
                f"Convention 'vendor' is the constant printed for glass microspheres; for {self.name} "
                "use 'clinical' or 'icrp107'."
            )
        return self.nuclide.energy_j_per_gbq(convention)

    @property
    def sphere_mass_ng(self) -> float:
        """Mass of a sphere of mean diameter [ng]: ``pi/6 d^3 rho``."""
        cubic_cm = math.pi / 6.0 * (self.diameter_um.value * 1e-4) ** 3
        return cubic_cm * self.density_g_per_cm3.value * 1e9

    def microspheres(self, activity_gbq: float) -> float:
        """Return the estimated number of microspheres that carry an activity [GBq]."""
        return activity_gbq * 1e9 / self.bq_per_sphere

    def mass_mg(self, activity_gbq: float) -> float:
        """Return the estimated mass of the microspheres that carry an activity [GBq], in mg."""
        return self.microspheres(activity_gbq) * self.sphere_mass_ng * 1e-6


_REVIEW_2019 = "PMC8583383 Table 4 (10.1007/s00270-019-02284-9)"
_REVIEW_2014 = "PMC6095426 Table 3 (10.2217/hep.14.6)"
_REVIEW_2015 = "10.4254/wjh.v7.i5.738 Table 1"
_INSERT = "TheraSphere package insert v12 (USA)"
_RESIN_PAGE = "SIR-Spheres product page of the manufacturer"
_NICE = "NICE TA985 section 2.1"

GLASS_Y90 = Device(
    name="glass",
    title="90Y glass microspheres",
    nuclide=Y90,
    bq_per_sphere=2500.0,
    source="PMC6095426 Table 3; 1250-2500 Bq in use, PMC8583383",
    bq_per_sphere_range=Sourced((1250.0, 2500.0), _REVIEW_2019, Status.CONFIRMED),
    diameter_um=Sourced(25.0, f"{_REVIEW_2019}; {_REVIEW_2015}", Status.CONFIRMED),
    diameter_range_um=Sourced((20.0, 30.0), f"{_INSERT}: the mean ranges from 20 to 30 um", Status.CONFIRMED),
    density_g_per_cm3=Sourced(3.4, f"3.4: {_REVIEW_2019}; 3.2: {_REVIEW_2014}; 3.6: {_REVIEW_2015}", Status.CONFLICT),
    vial_gbq=Sourced((3.0, 5.0, 7.0, 10.0, 15.0, 20.0), _INSERT, Status.CONFIRMED),
    vial_tolerance=Sourced(None, "not seen", Status.UNVERIFIED),
    calibration=Sourced(
        "activity at Sunday 12:00 Eastern time; sizes in steps of 0.5 GBq from 3 to 20 GBq on request",
        "common use; no document seen, check the calendar of the manufacturer",
        Status.UNVERIFIED,
    ),
)
RESIN_Y90 = Device(
    name="resin",
    title="90Y resin microspheres",
    nuclide=Y90,
    bq_per_sphere=50.0,
    source="PMC8583383 Table 4",
    bq_per_sphere_range=Sourced(
        (37.5, 75.0),
        f"3 GBq in 40 to 80 million spheres, {_REVIEW_2014}; 3 GBq in 44(3) million is 68 Bq, {_RESIN_PAGE}; about 50 "
        f"Bq, {_REVIEW_2019}",
        Status.CONFLICT,
    ),
    diameter_um=Sourced(32.0, f"{_REVIEW_2019}; 32(10) um, {_RESIN_PAGE}; 32.5, {_REVIEW_2015}", Status.CONFIRMED),
    diameter_range_um=Sourced((20.0, 60.0), f"{_REVIEW_2019}; {_REVIEW_2014}", Status.CONFIRMED),
    density_g_per_cm3=Sourced(
        1.6, f"1.6: {_REVIEW_2019}; 1.1: device page; 1.125 to 1.6: {_RESIN_PAGE}", Status.CONFLICT
    ),
    vial_gbq=Sourced((3.0,), "10.1118/1.2889621", Status.CONFIRMED),
    vial_tolerance=Sourced(0.10, f"10.1118/1.2889621; {_RESIN_PAGE}", Status.CONFIRMED),
    calibration=Sourced(
        "activity at the date and time on the label; assays found 19 to 26 % more than the label states",
        "+26 %: 10.1118/1.2889621; 10.1118/1.4735740 states +19 % and, for a 3.0 GBq vial, 3.72 GBq, which is +24 %; "
        "hour of calibration and early delivery not seen",
        Status.CONFLICT,
    ),
)
HOLMIUM_HO166 = Device(
    name="holmium",
    title="166Ho poly(L-lactic acid) microspheres",
    nuclide=HO166,
    bq_per_sphere=340.0,
    source="200-400 Bq at treatment, NICE TA985",
    bq_per_sphere_range=Sourced(
        (200.0, 400.0),
        f"at treatment, {_NICE}; 450 Bq in a review of the Royal College of Physicians, Table 1",
        Status.CONFLICT,
    ),
    diameter_um=Sourced(30.0, _REVIEW_2019, Status.CONFIRMED),
    diameter_range_um=Sourced(
        (20.0, 50.0),
        "review of the Royal College of Physicians, Table 1; 15 to 60 is also quoted, source not seen",
        Status.CONFLICT,
    ),
    density_g_per_cm3=Sourced(1.4, _REVIEW_2019, Status.CONFIRMED),
    vial_gbq=Sourced((), f"customised, patient-specific activity, {_NICE}", Status.CONFIRMED),
    vial_tolerance=Sourced(None, "not seen", Status.UNVERIFIED),
    calibration=Sourced(
        "made for the planned time of treatment; 2.55 % less per hour of delay",
        f"customised dose, {_NICE}; the loss follows from the half-life; terms of the manufacturer not seen",
        Status.UNVERIFIED,
    ),
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
