"""Activity of resin microspheres by body surface area: an empirical rule, not an absorbed dose."""

from __future__ import annotations

from radioembolization.errors import InputError
from radioembolization.physics.checked_numbers import not_negative, positive, share_below_one

_HEIGHT_M = (0.3, 2.6)
_WEIGHT_KG = (2.0, 500.0)
#: Lung shunt above which the activity is reduced, and by how much (van Roekel, thesis Utrecht, p. 30).
SHUNT_REDUCTIONS = ((0.20, 1.0), (0.15, 0.4), (0.10, 0.2))


def body_surface_m2(height_m: float, weight_kg: float) -> float:
    """Return the body surface area [m2], ``0.20247 h^0.725 w^0.425``.

    Du Bois and Du Bois 1916, 10.1001/archinte.1916.00080130010002.

    Parameters
    ----------
    height_m : float
        Height [m], 0.3 to 2.6: centimetres are refused.
    weight_kg : float
        Weight [kg], 2 to 500.

    Raises
    ------
    InputError
        If a number is outside its range or not a number.
    """
    for what, value, unit, (low, high) in (
        ("Height", height_m, "m", _HEIGHT_M),
        ("Weight", weight_kg, "kg", _WEIGHT_KG),
    ):
        if not low <= value <= high:
            raise InputError(f"{what} {value:g} {unit} is outside {low:g} to {high:g} {unit}: check the unit.")
    return 0.20247 * height_m**0.725 * weight_kg**0.425


def shunt_reduction(lung_shunt: float) -> float:
    """Return the fraction by which a lung shunt reduces the activity: 0.2 above 10 %, 0.4 above 15 %, 1 above 20 %.

    van Roekel, thesis Utrecht, p. 30.  Labelling contraindicates shunts above 20 %; the two lower steps were not seen
    in it.
    """
    share_below_one("Lung shunt", lung_shunt)
    return next((reduction for above, reduction in SHUNT_REDUCTIONS if lung_shunt > above), 0.0)


def bsa_activity_gbq(
    height_m: float, weight_kg: float, tumour_ml: float, liver_ml: float, lung_shunt: float = 0.0
) -> float:
    """Return the activity of resin microspheres for a whole liver [GBq].

    ``A = (BSA - 0.2 + V_T / V_liver) (1 - reduction)``; van Roekel, thesis Utrecht, p. 30; compared with the partition
    model by Kao et al. 2011, 10.1007/s12149-011-0499-6.

    Parameters
    ----------
    height_m, weight_kg : float
        As for ``body_surface_m2``.
    tumour_ml : float
        Volume of all tumours [mL].
    liver_ml : float
        Volume of the liver, tumours included [mL].
    lung_shunt : float
        Reduces the activity as ``shunt_reduction`` says.

    Raises
    ------
    InputError
        If a number is outside its range, or the tumours are larger than the liver.
    """
    return modified_bsa_activity_gbq(height_m, weight_kg, tumour_ml, liver_ml, liver_ml, lung_shunt)


def modified_bsa_activity_gbq(
    height_m: float, weight_kg: float, lobe_tumour_ml: float, lobe_ml: float, liver_ml: float, lung_shunt: float = 0.0
) -> float:
    """Return the activity of resin microspheres for a lobe [GBq], modified BSA method.

    ``A = (BSA - 0.2 + V_T,lobe / V_lobe) (V_lobe / V_liver) (1 - reduction)``.  Attributed to Kao et al. 2011,
    10.1007/s12149-011-0499-6 (abstract read, formula not).

    Parameters
    ----------
    height_m, weight_kg : float
        As for ``body_surface_m2``.
    lobe_tumour_ml, lobe_ml : float
        Volume of the tumours in the lobe, and of the lobe with them [mL].
    liver_ml : float
        Volume of the liver, tumours included [mL].
    lung_shunt : float
        Reduces the activity as ``shunt_reduction`` says.

    Raises
    ------
    InputError
        If a number is outside its range, or a part is larger than the whole.
    """
    not_negative("Tumour volume", lobe_tumour_ml, "mL")
    positive("Liver volume", liver_ml, "mL")
    if not lobe_tumour_ml <= positive("Lobe volume", lobe_ml, "mL") <= liver_ml:
        raise InputError(
            f"Volumes of tumour {lobe_tumour_ml:g}, lobe {lobe_ml:g} and liver {liver_ml:g} mL must not decrease: "
            "lobe and liver include the tumours in them."
        )
    involvement = lobe_tumour_ml / lobe_ml
    surface_term = body_surface_m2(height_m, weight_kg) - 0.2 + involvement
    if surface_term <= 0.0:
        raise InputError(f"The rule gives {surface_term:.3g} GBq for so small a body surface: it was not made for it.")
    return surface_term * lobe_ml / liver_ml * (1.0 - shunt_reduction(lung_shunt))
