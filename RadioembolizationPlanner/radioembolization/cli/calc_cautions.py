"""What the reader of a formula's result must know, as named warnings."""

from __future__ import annotations

import warnings

from radioembolization.dose import STANDARD_LUNG_KG
from radioembolization.dose.lung_dose import FORMULA_TO_MONTE_CARLO
from radioembolization.errors import AssumedBiology, AssumedLungMass, LungDoseCaution
from radioembolization.physics import GLASS_Y90, RESIN_Y90, Y90, Device

_LUNG_LIMIT_GY = 30.0
_RESIN_CAUTION_GY = 13.0
_RESIN_CONTRAINDICATED_SHUNT = 0.20
_GLASS_SHUNTED_GBQ = 0.61


def warn_of_assumption(message: str) -> None:
    """Warn that a radiobiological parameter was not typed but taken from the table of tissues."""
    warnings.warn(message, AssumedBiology, stacklevel=2)


def warn_of_lungs(device: Device, activity_gbq: float, lung_shunt: float, lung_gy: float, assumed_mass: bool) -> None:
    """Warn of an assumed lung mass, of lung doses with reported toxicity, and of what labelling excludes.

    30 Gy: van Roekel, thesis Utrecht, pp. 29-41.  13 Gy after resin: 10.3389/fonc.2023.977160.  Resin above 20 % and
    glass above 0.61 GBq shunted: labelling.
    """
    if assumed_mass and lung_shunt > 0.0:
        message = (
            f"The lung mass of {STANDARD_LUNG_KG:g} kg is assumed, not measured; the lung dose is inversely "
            "proportional to it: give --lung-kg, best from CT."
        )
        warnings.warn(message, AssumedLungMass, stacklevel=2)
    for message in _cautions(device, activity_gbq * lung_shunt, lung_shunt, lung_gy):
        warnings.warn(message, LungDoseCaution, stacklevel=2)


def _cautions(device: Device, shunted_gbq: float, lung_shunt: float, lung_gy: float) -> list[str]:
    found = []
    stressed = lung_gy / FORMULA_TO_MONTE_CARLO
    if lung_gy > _LUNG_LIMIT_GY * (1.0 + 1e-9):
        found.append(
            f"The lung dose of {lung_gy:.1f} Gy is above the limit of {_LUNG_LIMIT_GY:g} Gy for one treatment."
        )
    elif device.nuclide == Y90 and stressed > _LUNG_LIMIT_GY:
        found.append(
            f"The lung dose of {lung_gy:.1f} Gy by shunt and mass underestimates Monte Carlo by about 40 % "
            f"(10.3390/app14177684): corrected it is {stressed:.1f} Gy, above {_LUNG_LIMIT_GY:g} Gy."
        )
    if device == RESIN_Y90 and lung_gy >= _RESIN_CAUTION_GY:
        found.append(
            f"Pneumonitis after resin is reported from {_RESIN_CAUTION_GY:g} Gy on (10.3389/fonc.2023.977160)."
        )
    if device == RESIN_Y90 and lung_shunt > _RESIN_CONTRAINDICATED_SHUNT:
        found.append(f"A lung shunt of {lung_shunt:.1%} is above 20 %, where labelling contraindicates resin.")
    if device == GLASS_Y90 and shunted_gbq > _GLASS_SHUNTED_GBQ:
        found.append(f"{shunted_gbq:.3f} GBq reach the lungs; labelling contraindicates glass above 0.61 GBq.")
    return found
