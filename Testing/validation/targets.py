"""Every row of the table of validation targets: what the program gives, and whether that is within tolerance."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import reference
from kernels import s_value
from page import percent, table
from scipy.optimize import minimize_scalar
from spheres import LU177_MEDIA, absorbed_share, plane_profile

from radioembolization.dose import (
    convolve,
    lung_dose_gy,
    partition_doses,
    single_compartment_activity_gbq,
)
from radioembolization.physics import (
    CORTICAL_BONE,
    HO166,
    LIVER,
    LUNG,
    Y90,
    Y90_POSITRONS_PER_DECAY,
    Convention,
    PointKernel,
    Tissue,
    VoxelKernel,
    beta_spectrum,
    nuclide_by_name,
    two_scale_kernel,
    voxel_kernel,
)
from radioembolization.physics.nuclide import JOULE_PER_MEV

TABLE = "validation_targets.csv"
TITLE = "Targets"
INTRO = """
Constants, kernels, spheres, plane profile and activity formulas of the program against published values, own Monte
Carlo and closed forms. Met: within the relative tolerance plus half the last printed digit, the latter at most as large
as the tolerance (tables do not print trailing zeros). Every value is computed by the product code.

"""
COLUMNS = ("id", "quantity", "target", "found", "deviation", "tolerance", "met")
#: Rows that no computation here answers, and why.
NOT_COMPUTED = {"M01": "needs Monte Carlo of patients"}
#: Voxel sides for sums over all offsets [mm].
_SIDES_MM = (2.21, 3.0, 4.42, 6.0, 9.28)


@dataclass(frozen=True)
class Result:
    """A target beside what the program gives.

    Parameters
    ----------
    name, quantity, unit : str
    expected, found : tuple of float
        A row can hold several values.
    allowed : tuple of float
        Largest absolute deviation of each, in the unit of the value.
    tolerance : str
        Relative tolerance of the table, or what stands for it.
    upper_limit : bool
        Whether the expected values are largest errors, so that less is met too.
    """

    name: str
    quantity: str
    unit: str
    expected: tuple[float, ...]
    found: tuple[float, ...]
    allowed: tuple[float, ...]
    tolerance: str
    upper_limit: bool = False

    @property
    def met(self) -> bool:
        """Whether all values are within what is allowed."""
        excess = [found - expected for found, expected in zip(self.found, self.expected, strict=True)]
        sizes = excess if self.upper_limit else [abs(value) for value in excess]
        return all(size <= allowed for size, allowed in zip(sizes, self.allowed, strict=True))


def write() -> str:
    """Return the table of all targets."""
    return INTRO + table(COLUMNS, [_cells(row) for row in reference.rows(TABLE)])


def result(row: Mapping[str, str]) -> Result:
    """Return the result for a row of the table.

    Raises
    ------
    LookupError
        If nothing here computes it.
    """
    printed = tuple(text.strip() for text in row["value"].split("/"))
    expected, digits = tuple(map(float, printed)), tuple(map(_half_digit, printed))
    found = _computation(row)()
    if row["id"] == "D-max":
        # The table states no tolerance; two standard deviations of the noise of both kernels are allowed.
        allowed = tuple(digit + 2.0 * sigma for digit, sigma in zip(digits, scaling_sigma_mev(), strict=True))
        return Result(row["id"], row["quantity"], row["unit"], expected, found, allowed, "noise of two kernels", True)
    relative = float(row["rel_tol"].split()[0])
    tolerances = [relative * abs(value) for value in expected]
    # Tables leave out trailing zeros (3 for 3.00), so the printed digits can understate what is known.
    allowed = tuple(size + min(size, digit) for size, digit in zip(tolerances, digits, strict=True))
    return Result(row["id"], row["quantity"], row["unit"], expected, found, allowed, f"{100 * relative:g} %")


def _computation(row: Mapping[str, str]) -> Callable[[], tuple[float, ...]]:
    if row["id"] in _BY_NAME:
        return _BY_NAME[row["id"]]
    for pattern, compute in _BY_QUANTITY:
        if match := re.match(pattern, row["quantity"]):
            return lambda: compute(*match.groups())
    raise LookupError(
        f"Target {row['id']} ({row['quantity']}) is not computed by Testing/validation/targets.py: add it."
    )


def _half_digit(printed: str) -> float:
    """Return half of the last printed digit: 0.05 for ``14.9``, 5e7 for ``3.33e10``."""
    mantissa, _, exponent = printed.lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    return 0.5 * 10.0 ** (int(exponent or 0) - decimals)


def _voxel(nuclide: str, side: str, *offset: str) -> tuple[float, ...]:
    z, y, x = (int(number) for number in offset)
    return (s_value(nuclide_by_name(nuclide), (float(side),) * 3, (z, y, x)),)


def _soft_sphere(nuclide: str, radius_mm: str, mass_g: str) -> tuple[float, ...]:
    tissue, density = LU177_MEDIA["soft"]
    return _sphere(nuclide, tissue.depth_factor * density * float(radius_mm) / 10.0, float(mass_g))


def _unit_density_sphere(nuclide: str, mass_g: str) -> tuple[float, ...]:
    return _sphere(nuclide, (3.0 * float(mass_g) / (4.0 * np.pi)) ** (1.0 / 3.0), float(mass_g))


def _sphere(name: str, radius_g_cm2: float, mass_g: float) -> tuple[float, ...]:
    nuclide = nuclide_by_name(name)
    energy_j = absorbed_share(nuclide, radius_g_cm2) * nuclide.total_mev * JOULE_PER_MEV
    return (energy_j / (mass_g * 1e-3),)


def _half_space(nuclide: str, depth_g_cm2: str) -> tuple[float, ...]:
    return (float(plane_profile(nuclide_by_name(nuclide), np.array([float(depth_g_cm2)]))[0]),)


def _ddep_j_per_gbq() -> float:
    """Return the energy of 90Y per GBq by DDEP: its beta energy and its half-life."""
    ddep = next(evaluation for evaluation in Y90.evaluations if evaluation.name == "DDEP")
    decays = 1e9 * ddep.half_life_h * 3600.0 / np.log(2.0)
    return float((ddep.beta_mev or 0.0) * JOULE_PER_MEV * decays)


def _energy_of_all_offsets() -> tuple[float, ...]:
    """Return the energy in all voxels of a kernel for the voxel size whose sum is furthest from the emitted energy."""
    sums = []
    for side in _SIDES_MM:
        kernel = two_scale_kernel(Y90, (side, side, side), 1.0)
        sums.append((1.0 - kernel.share_beyond) * Y90.total_mev)
    return (max(sums, key=lambda energy: abs(energy - Y90.total_mev)),)


def _uniform_medium() -> tuple[float, ...]:
    """Return the dose of interior voxels furthest from that of local deposition, for a kernel normalised to one."""
    kernel = voxel_kernel(Y90, (4.0, 4.0, 4.0), 1.0)
    share = kernel.energy_share / kernel.energy_share.sum()
    whole = VoxelKernel(kernel.nuclide_name, kernel.spacing_mm, kernel.density_g_per_cm3, share)
    inside = (slice(*(kernel.half_width[0] * np.array([1, -1]))),) * 3
    dose = convolve(np.ones((25, 25, 25), dtype=np.float32), whole)[inside]
    return (float(max(dose.ravel(), key=lambda value: abs(value - 1.0))),)


def _scaling_errors_mev(tissue: Tissue, factor: float) -> np.ndarray:
    """Return the errors of the energy within every radius in a tissue, by the kernel of water scaled [MeV]."""
    kernel, water = PointKernel.simulated_in(Y90, tissue), PointKernel.water(Y90)
    depth = factor * kernel.outer_radius_g_cm2
    used = depth < water.outer_radius_g_cm2[-1]
    scaled = np.array([water.fraction_within(t) for t in depth[used]])
    return (np.cumsum(kernel.energy_fraction)[used] - scaled) * Y90.total_mev


def _fitted_factor() -> tuple[float, ...]:
    worst = minimize_scalar(
        lambda factor: np.abs(_scaling_errors_mev(LUNG, factor)).max(), bounds=(0.98, 1.04), method="bounded"
    )
    return (float(worst.x),)


def _largest_scaling_errors() -> tuple[float, ...]:
    tissues = (LUNG, LIVER, CORTICAL_BONE)
    return tuple(float(np.abs(_scaling_errors_mev(t, t.depth_factor)).max()) for t in tissues)


@cache
def scaling_sigma_mev() -> tuple[float, ...]:
    """Return one standard deviation of the energy in both kernels, for lung, liver and bone [MeV]."""
    water = np.sum(PointKernel.water(Y90).sigma_fraction ** 2)
    others = (np.sum(PointKernel.simulated_in(Y90, t).sigma_fraction ** 2) for t in (LUNG, LIVER, CORTICAL_BONE))
    return tuple(float(np.sqrt(water + other)) * Y90.total_mev for other in others)


def _partition() -> tuple[float, ...]:
    k = Y90.energy_j_per_gbq(Convention.CLINICAL)
    normal, (tumour,) = partition_doses(2.0, k, 0.05, 1.4, [0.1], [5.0])
    return tumour, normal, lung_dose_gy(2.0, k, 0.05, 1.0)


def _lung_activities() -> tuple[float, ...]:
    constants = (_ddep_j_per_gbq(), *(Y90.energy_j_per_gbq(c) for c in (Convention.CLINICAL, Convention.VENDOR)))
    return tuple(30.0 * 0.1 / lung_dose_gy(1.0, k, 0.1, 1.0) for k in constants)


_BY_NAME: dict[str, Callable[[], tuple[float, ...]]] = {
    "C01": lambda: (Y90.half_life_h,),
    "C02": lambda: (beta_spectrum(Y90).mean_energy_mev,),
    "C04": lambda: (_ddep_j_per_gbq(),),
    "C05": lambda: (Y90.energy_j_per_gbq(Convention.CLINICAL),),
    "C06": lambda: (Y90.energy_j_per_gbq(Convention.VENDOR),),
    "C08": lambda: (HO166.energy_j_per_gbq(Convention.CLINICAL),),
    "C12": lambda: (Y90.decays_per_gbq * 1e-3,),
    "C13": lambda: (Y90_POSITRONS_PER_DECAY,),
    "E01": _energy_of_all_offsets,
    "E02": lambda: (PointKernel.water(Y90).fraction_within(1.1),),
    "E05": _uniform_medium,
    "V57": lambda: tuple(s_value(Y90, (3.0, 4.0, 4.0), offset) for offset in ((1, 0, 0), (0, 0, 1))),
    "D-lung": _fitted_factor,
    "D-max": _largest_scaling_errors,
    "P01": lambda: (single_compartment_activity_gbq(120.0, 1.5, Y90.energy_j_per_gbq(Convention.VENDOR), 0.05, 0.02),),
    "P02": lambda: (lung_dose_gy(3.0, Y90.energy_j_per_gbq(Convention.CLINICAL), 0.10, 1.0),),
    "P03": _lung_activities,
    "P04": _partition,
}
_BY_QUANTITY: tuple[tuple[str, Callable[..., tuple[float, ...]]], ...] = (
    (r"(\w+) VSV ([\d.]+) mm \((\d), ?(\d), ?(\d)\)", _voxel),
    (r"(\w+) sphere r=([\d.]+) mm, ([\d.]+) g, self S", _soft_sphere),
    (r"(\w+) sphere ([\d.]+) g unit density, self S", _unit_density_sphere),
    (r"(\w+) half space, D/D_inf at mass depth (-?[\d.]+) g/cm2", _half_space),
)


def _cells(row: Mapping[str, str]) -> list[str]:
    quantity = row["quantity"].replace("|", "/")
    if row["id"] in NOT_COMPUTED:
        return [row["id"], quantity, row["value"], "-", "-", "-", f"not computed: {NOT_COMPUTED[row['id']]}"]
    found = result(row)
    deviations = " / ".join(percent(a, b) for a, b in zip(found.found, found.expected, strict=True))
    if found.allowed[0] < 1e-5 * abs(found.expected[0]):
        deviations = f"{found.found[0] - found.expected[0]:+.0e}"
    values = " / ".join(f"{value:.5g}" for value in found.found)
    target = f"{row['value']} {row['unit']}" if row["unit"] not in ("1", "-") else row["value"]
    return [found.name, quantity, target, values, deviations, found.tolerance, "yes" if found.met else "**no**"]
