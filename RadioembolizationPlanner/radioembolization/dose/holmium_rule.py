"""The activity rule of 166Ho microspheres: a fixed activity per mass of liver."""

from __future__ import annotations

from radioembolization.physics.checked_numbers import positive

#: 60 Gy divided by 15.87 J/GBq is 3.781 GBq/kg; printed as 3780 MBq/kg.
HOLMIUM_GBQ_PER_KG = 3.78
#: Whole-liver dose the rule is made for [Gy].
HOLMIUM_RULE_GY = 60.0


def holmium_rule_activity_gbq(liver_kg: float) -> float:
    """Return the activity of 166Ho microspheres [GBq], ``3.78 M``, for 60 Gy to the liver; ignores the lung shunt.

    van Roekel, thesis Utrecht, p. 30 (``A (MBq) = 3780 M (kg)``).

    Parameters
    ----------
    liver_kg : float
        Mass of the treated liver, tumours included [kg].

    Raises
    ------
    InputError
        If the mass is not a positive number.
    """
    return HOLMIUM_GBQ_PER_KG * positive("Liver mass", liver_kg, "kg")
