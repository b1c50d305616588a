"""Tissues whose dose point kernels are those of water at a scaled mass depth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radioembolization.errors import InputError


@dataclass(frozen=True)
class Tissue:
    """A homogeneous medium.

    Density alone scales lengths: equal mass depth, equal absorption.  Composition shifts that by up to
    5 %, which one factor per tissue takes up.  The factors are fits to Monte Carlo point kernels of
    90Y; with them the energy within any radius is that of water to 0.07 % of the emitted energy (soft
    tissues, lung) or 0.44 % (cortical bone).  For photons only mass scaling is known to hold.

    Parameters
    ----------
    name : str
    density_g_per_cm3 : float
    depth_factor : float
        Mass depth in water that absorbs as much as one unit of mass depth in the tissue, uncertain by
        about 0.001, by 0.004 for cortical bone.
    source : str
    """

    name: str
    density_g_per_cm3: float
    depth_factor: float
    source: str

    def __post_init__(self) -> None:
        """Refuse a density or factor that is not positive."""
        if not (self.density_g_per_cm3 > 0.0 and self.depth_factor > 0.0):
            raise InputError(
                f"Density and depth factor of '{self.name}' must be positive, not {self.density_g_per_cm3} g/cm3 and "
                f"{self.depth_factor}."
            )

    def water_depth_g_cm2(self, length_mm: float) -> float:
        """Return the mass depth in water [g/cm2] that absorbs as much as a length in the tissue [mm]."""
        return self.depth_factor * self.density_g_per_cm3 * length_mm / 10.0


_KERNEL = "fit to own PENELOPE 2018 point kernel of 90Y"
WATER = Tissue("water", 1.0, 1.0, "reference medium of the point kernels, at unit density")
SOFT_TISSUE = Tissue(
    "soft tissue",
    1.04,
    0.994,
    "ICRU four-component soft tissue; factor of liver, checked against own PENELOPE voxel S values of 90Y and 166Ho "
    "(a fit to all offsets gives 0.993 and 0.994)",
)
LIVER = Tissue("liver", 1.06, 0.994, f"ICRP/ICRU composition at 1.06 g/cm3; {_KERNEL}")
LUNG = Tissue("lung", 0.296, 1.011, f"ICRP/ICRU composition at 0.296 g/cm3; {_KERNEL}")
CORTICAL_BONE = Tissue("cortical bone", 1.92, 0.955, f"ICRP/ICRU composition at 1.92 g/cm3; {_KERNEL}")
TISSUES = (WATER, SOFT_TISSUE, LIVER, LUNG, CORTICAL_BONE)


def depth_factor(density_g_per_cm3: np.ndarray) -> np.ndarray:
    """Return the depth factor of the tissue that a density is likely to be.

    Linear in density between lung, liver and cortical bone, constant outside.

    Parameters
    ----------
    density_g_per_cm3 : ndarray of any shape
    """
    known = (LUNG, LIVER, CORTICAL_BONE)
    return np.interp(density_g_per_cm3, [t.density_g_per_cm3 for t in known], [t.depth_factor for t in known])


def tissue_by_name(name: str) -> Tissue:
    """Return the tissue of a name such as ``"soft tissue"``.

    Raises
    ------
    InputError
        If there is no such tissue.
    """
    for tissue in TISSUES:
        if tissue.name == name.casefold():
            return tissue
    raise InputError(f"Unknown tissue '{name}': use one of {', '.join(tissue.name for tissue in TISSUES)}.")
