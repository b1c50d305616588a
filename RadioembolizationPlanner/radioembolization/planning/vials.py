"""Vials: what is in one at the hour of the injection, and what of it arrives.

``A(t) = A_cal 2^(-(t - t_cal) / T)``; the number of microspheres of a vial is constant, so that the activity of one
falls alike.  A share R stays in the delivery set: ``A_delivered = A (1 - R)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from radioembolization.errors import InputError, VialError
from radioembolization.physics import GLASS_Y90, HOLMIUM_HO166, RESIN_Y90, Device, Sourced, Status, decay_factor
from radioembolization.physics.checked_numbers import positive, share_below_one
from radioembolization.planning.vial_times import elapsed_h

_RESIDUALS_SEEN = "Hoang, JVIR: residual after infusions without stasis"
#: Median share of the prepared activity that stays in the delivery set, by name of the device; none found for 166Ho.
MEDIAN_RESIDUAL: dict[str, Sourced[float]] = {
    RESIN_Y90.name: Sourced(0.030, f"{_RESIDUALS_SEEN}; largest 20 %", Status.CONFIRMED),
    GLASS_Y90.name: Sourced(0.006, f"{_RESIDUALS_SEEN}; largest 16 %", Status.CONFIRMED),
}


@dataclass(frozen=True)
class DecaySense:
    """How far from its calibration an injection of a vial makes sense; not the shelf life a manufacturer states.

    Parameters
    ----------
    before_half_lives : float
        Longest time before calibration, as a vial delivered early; it then holds more than its label states.
    after_half_lives : float
        Longest time after calibration.
    """

    before_half_lives: float = 1.5
    after_half_lives: float = 5.0

    def __post_init__(self) -> None:
        for value in (self.before_half_lives, self.after_half_lives):
            if not 0.0 <= value <= 20.0:
                raise VialError(f"Decay sense is stated in 0 to 20 half-lives, not {value:g}.")

    def check(self, device: Device, hours: float) -> None:
        """Refuse an injection that many hours after calibration (``VialError``)."""
        half_lives = hours / device.nuclide.half_life_h
        if -self.before_half_lives <= half_lives <= self.after_half_lives:
            return
        when, most = ("before", self.before_half_lives) if hours < 0 else ("after", self.after_half_lives)
        raise VialError(
            f"The injection is {abs(hours):.1f} h {when} calibration, {abs(half_lives):.2f} half-lives of "
            f"{device.nuclide.name} ({device.nuclide.half_life_h:g} h), more than {most:g}: check dates and time "
            "zones, choose another calibration, or state a wider decay sense."
        )


@dataclass(frozen=True)
class Vial:
    """A vial as it is ordered.

    Parameters
    ----------
    device : Device
    calibrated_gbq : float
        Activity at calibration [GBq].
    calibrated_at : datetime
        With time zone.
    bq_per_sphere : float
        Activity of one microsphere at calibration [Bq].
    sense : DecaySense
    """

    device: Device
    calibrated_gbq: float
    calibrated_at: datetime
    bq_per_sphere: float
    sense: DecaySense = DecaySense()

    def __post_init__(self) -> None:
        try:
            positive("The size of a vial", self.calibrated_gbq, "GBq")
            positive("The activity of a microsphere", self.bq_per_sphere, "Bq")
        except InputError as error:
            raise VialError(str(error)) from None
        elapsed_h(self.calibrated_at, self.calibrated_at)  # refuses a time without zone

    def decay_to(self, at: datetime) -> float:
        """Return the activity at some time over that at calibration; ``VialError`` beyond decay sense."""
        hours = elapsed_h(self.calibrated_at, at)
        self.sense.check(self.device, hours)
        return decay_factor(self.device.nuclide, hours)

    def activity_gbq(self, at: datetime) -> float:
        """Return its activity at some time [GBq]."""
        return self.calibrated_gbq * self.decay_to(at)

    def bq_per_sphere_at(self, at: datetime) -> float:
        """Return the activity of one microsphere at some time [Bq]."""
        return self.bq_per_sphere * self.decay_to(at)

    @property
    def microspheres(self) -> float:
        """Number of microspheres, the same at any time."""
        return self.calibrated_gbq * 1e9 / self.bq_per_sphere

    @property
    def mass_mg(self) -> float:
        """Mass of the microspheres [mg]."""
        return self.microspheres * self.device.sphere_mass_ng * 1e-6

    def __str__(self) -> str:
        return f"{self.calibrated_gbq:g} GBq at {self.calibrated_at.isoformat(' ', 'minutes')}"


@dataclass(frozen=True)
class Injection:
    """What of some vials is injected at a site.

    Parameters
    ----------
    site : str
    vials : tuple of Vial
    at : datetime
    activity_gbq : float
        Prepared, at the time of injection [GBq].
    delivered_gbq : float
        That reaches the patient [GBq].
    residual : float
        Share of the prepared activity that stays in the delivery set.
    bq_per_sphere : float
        Activity of one microsphere at the injection [Bq].
    microspheres, mass_mg : float
        Of the delivered activity.
    """

    site: str
    vials: tuple[Vial, ...]
    at: datetime
    activity_gbq: float
    delivered_gbq: float
    residual: float
    bq_per_sphere: float
    microspheres: float
    mass_mg: float

    @staticmethod
    def of(site: str, vials: Sequence[Vial], at: datetime, residual: float, share: float = 1.0) -> Injection:
        """Return the injection of a share of the content of some vials.

        Raises
        ------
        VialError
            If there is no vial, the residual or the share is out of range, or decay makes no sense.
        """
        if not vials:
            raise VialError(f"The injection at site '{site}' has no vial.")
        if not 0.0 < share <= 1.0 + 1e-9:
            raise VialError(f"The injection at site '{site}' draws {100 * share:.3g} % of its vials: give 0 to 100 %.")
        kept = 1.0 - checked_residual(residual)
        activity = share * sum(vial.activity_gbq(at) for vial in vials)
        spheres = share * sum(vial.microspheres for vial in vials)
        return Injection(
            site=site,
            vials=tuple(vials),
            at=at,
            activity_gbq=activity,
            delivered_gbq=activity * kept,
            residual=residual,
            bq_per_sphere=activity * 1e9 / spheres,
            microspheres=spheres * kept,
            mass_mg=spheres * kept * vials[0].device.sphere_mass_ng * 1e-6,
        )


def checked_residual(residual: float) -> float:
    """Return a residual in [0, 1), or refuse it (``VialError``)."""
    try:
        return share_below_one("The residual in the delivery set", residual)
    except InputError as error:
        raise VialError(str(error)) from None


def median_residual(device: Device) -> float:
    """Return the published median residual of a device (``VialError`` if none was found)."""
    if device.name not in MEDIAN_RESIDUAL:
        what = "166Ho microspheres" if device == HOLMIUM_HO166 else device.title
        raise VialError(f"No published residual of {what} was found: state residual, as 0.02 for 2 %.")
    return MEDIAN_RESIDUAL[device.name].value
