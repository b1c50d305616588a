"""Monte Carlo of point and voxel sources with pyPenred (PENELOPE 2018), a development tool only.

Sources emit what ``physics.spectra`` says.  Electrons and photons are simulated apart, each with its
own number of histories, and added by their yields.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from page import Missing

from radioembolization.physics import LIVER, SOFT_TISSUE, Nuclide, Radiation, Tissue, beta_spectrum, emissions

#: Pair of seeds of PenRed's table with which each simulation starts; results repeat for the same threads.
SEED_PAIR, THREADS = 11, 2
#: Energy below which a particle deposits on the spot: electrons by nuclide [eV], photons [eV].
ELECTRON_CUT_EV = {"Y-90": 2e4, "Ho-166": 2e4}
OTHER_ELECTRON_CUT_EV, PHOTON_CUT_EV = 1e4, 5e3
#: PENELOPE's elastic and inelastic step parameters; small is accurate.
STEP = 0.05
#: Radius of the medium around the source, as mass depth [g/cm2].
MEDIUM_G_CM2 = 30.0
#: Mass fractions by atomic number: ICRU four-component soft tissue, ICRP/ICRU liver.
COMPOSITION: dict[Tissue, dict[int, float]] = {
    SOFT_TISSUE: {1: 0.101172, 6: 0.111, 7: 0.026, 8: 0.761828},
    LIVER: {
        1: 0.102,
        6: 0.139,
        7: 0.030,
        8: 0.716,
        11: 0.002,
        15: 0.003,
        16: 0.003,
        17: 0.002,
        19: 0.003,
    },
}
_GY_PER_EV_G = 1.602176634e-16
_RULE, _END = "X" * 64 + "\n   sphere\n" + "0" * 64 + "\n", "0" * 64 + "\n"
_SURFACE = "SURFACE (   1)   sphere\nINDICES=( 1, 1, 1, 0,-1)\n"
_BODY = "BODY    (   1)   medium\nMATERIAL(   1)\nSURFACE (   1), SIDE POINTER=(-1)\n"


@dataclass(frozen=True, eq=False)
class Tally:
    """Energy per mass and decay in bins, with one standard deviation.

    Parameters
    ----------
    gy_per_decay, sigma : ndarray
    histories : dict of str to int
        By kind of particle.
    """

    gy_per_decay: np.ndarray
    sigma: np.ndarray
    histories: dict[str, int]


def voxel_tally(
    nuclide: Nuclide, tissue: Tissue, spacing_mm: tuple[float, float, float], half_width: int, histories: dict[str, int]
) -> Tally:
    """Return the dose of a uniformly filled voxel to itself and its neighbours (z, y, x)."""
    z, y, x = (side / 10.0 for side in spacing_mm)
    source = ['type "BOX"', *(f"size/d{axis} {side}" for axis, side in zip("xyz", (x, y, z), strict=True))]
    bins = 2 * half_width + 1
    tally = ['type "SPATIAL_DOSE_DISTRIB"', "print-xyz true"]
    for axis, side in zip("xyz", (x, y, z), strict=True):
        tally += [f"{axis}min {-bins * side / 2}", f"{axis}max {bins * side / 2}", f"n{axis} {bins}"]
    result = _both_kinds(nuclide, tissue, source, {"voxels": tally}, histories)["voxels"]
    shape = (bins, bins, bins)  # x runs fastest
    return Tally(result.gy_per_decay.reshape(shape), result.sigma.reshape(shape), result.histories)


def radial_tallies(
    nuclide: Nuclide, tissue: Tissue, edges_cm: np.ndarray, radii_cm: tuple[float, ...], histories: dict[str, int]
) -> tuple[Tally, list[Tally]]:
    """Return the dose of a point source in equidistant shells (shells,), and in whole spheres of some radii (1,).

    Spheres have tallies of their own, because the energies of one decay in neighbouring shells are correlated.
    """
    tallies = {"shells": _spherical(edges_cm[0], edges_cm[-1], len(edges_cm) - 1)}
    tallies |= {f"sphere{number}": _spherical(0.0, radius, 1) for number, radius in enumerate(radii_cm)}
    shells, *spheres = _both_kinds(nuclide, tissue, ['type "POINT"'], tallies, histories).values()
    return shells, spheres


def _spherical(low_cm: float, high_cm: float, bins: int) -> list[str]:
    return ['type "SPHERICAL_DOSE_DISTRIB"', "print-xyz true", f"rmin {low_cm}", f"rmax {high_cm}", f"nr {bins}"]


def electron_rows(nuclide: Nuclide) -> list[tuple[float, float, float]]:
    """Return (low, high, yield) of beta bins, and of conversion and Auger lines with low = high [eV]."""
    kinds = (Radiation.CONVERSION_ELECTRON, Radiation.AUGER_ELECTRON)
    lines = [(x.energy_mev * 1e6,) * 2 + (x.yield_per_decay,) for x in emissions(nuclide) if x.radiation in kinds]
    if not any(x.radiation is Radiation.BETA_BRANCH for x in emissions(nuclide)):
        return lines
    spectrum = beta_spectrum(nuclide)
    energy, density = spectrum.energy_mev, spectrum.per_mev_per_decay
    whole = np.concatenate([[0.0], np.cumsum(np.diff(energy) * (density[1:] + density[:-1]) / 2.0)])
    low, high, share = energy[:-1:10] * 1e6, energy[10::10] * 1e6, np.diff(whole[::10])
    return [*zip(low, high, share, strict=True), *lines]


def photon_rows(nuclide: Nuclide) -> list[tuple[float, float, float]]:
    """Return gamma and X-ray lines (energy, energy, yield) [eV]."""
    return [(x.energy_mev * 1e6,) * 2 + (x.yield_per_decay,) for x in emissions(nuclide) if x.radiation.is_photon]


def _both_kinds(
    nuclide: Nuclide, tissue: Tissue, source: list[str], tallies: dict[str, list[str]], histories: dict[str, int]
) -> dict[str, Tally]:
    dose, variance = dict.fromkeys(tallies, np.zeros(1)), dict.fromkeys(tallies, np.zeros(1))
    for kind, rows in (("electron", electron_rows(nuclide)), ("gamma", photon_rows(nuclide))):
        if not histories.get(kind):
            continue
        # Lines below 100 eV go nowhere and carry nothing that matters.
        kept = [row for row in rows if row[1] > 100.0]
        yield_per_decay = sum(row[2] for row in kept)
        lines = list(_configuration(kind, nuclide, source, tallies, histories[kind]))
        for name, (values, sigma) in _simulate(lines, kept, tissue, list(tallies)).items():
            dose[name] = dose[name] + values * yield_per_decay
            variance[name] = variance[name] + (sigma * yield_per_decay) ** 2
    return {name: Tally(dose[name], np.sqrt(variance[name]), histories) for name in tallies}


def _simulate(
    configuration: list[str], rows: list[tuple[float, float, float]], tissue: Tissue, tallies: list[str]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the dose per particle [Gy] and its standard deviation, by tally."""
    try:
        from pyPenred import simulation
    except ImportError:
        raise Missing("pyPenred is not installed (extra `validation`, Python below 3.13)") from None
    with _scratch():
        fractions = COMPOSITION[tissue]
        whole = sum(fractions.values())
        elements = [(z, share / whole) for z, share in fractions.items()]
        simulation.materials.create("medium", tissue.density_g_per_cm3, elements, "medium.mat")
        Path("medium.geo").write_text(_geometry(MEDIUM_G_CM2 / tissue.density_g_per_cm3), encoding="ascii")
        Path("source.spc").write_text(_spectrum_file(rows), encoding="ascii")
        simulation.setConfigurationLog("configuration.log")
        simulation.setSimulationLog("simulation.log")
        run = simulation.create()
        run.configFromString("\n".join(configuration) + "\n")
        run.simulate()
        results, found = run.getResults(), {}
        for name in tallies:
            result = results[name]
            values, sigma = (result[0] if isinstance(result, (list, tuple)) else result).data()[:2]
            found[name] = np.array(values, dtype=float) * _GY_PER_EV_G, np.array(sigma, dtype=float) * _GY_PER_EV_G
    return found


def _configuration(
    kind: str, nuclide: Nuclide, source: list[str], tallies: dict[str, list[str]], histories: int
) -> Iterator[str]:
    cut = ELECTRON_CUT_EV.get(nuclide.name, OTHER_ELECTRON_CUT_EV)
    yield from (f"sources/generic/s/nhist {histories:d}", f'sources/generic/s/kpar "{kind}"')
    yield 'sources/generic/s/direction/type "SOLID_ANGLE"'
    for name, value in {"u": 0, "v": 0, "w": 1, "theta0": 0, "theta1": 180, "phi0": 0, "dphi": 360}.items():
        yield f"sources/generic/s/direction/{name} {value:.1f}"
    yield 'sources/generic/s/energy/type "FILE_SPECTRUM"'
    yield 'sources/generic/s/energy/filename "source.spc"'
    yield from (f"sources/generic/s/spatial/{line}" for line in source)
    yield from (f"sources/generic/s/spatial/position/{axis} 0.0" for axis in "xyz")
    yield from (f"tallies/{name}/{line}" for name, tally in tallies.items() for line in tally)
    yield from ('geometry/type "PEN_QUADRIC"', 'geometry/input-file "medium.geo"')
    yield from ('geometry/processed-geo-file "processed.geo"', "materials/m/number 1")
    yield from (f"materials/m/eabs/{name} {cut:.3e}" for name in ("electron", "positron"))
    yield from (f"materials/m/eabs/gamma {PHOTON_CUT_EV:.3e}", f"materials/m/C1 {STEP}", f"materials/m/C2 {STEP}")
    yield from (f"materials/m/WCC {min(cut, 1e4):.3e}", f"materials/m/WCR {min(cut, 1e4):.3e}")
    yield from ('materials/m/filename "medium.mat"', f"simulation/threads {THREADS}")
    yield from (f"simulation/seedPair {SEED_PAIR}", "simulation/max-time 100000000")


def _geometry(radius_cm: float) -> str:
    scales = "".join(f"{axis}-SCALE=(+{radius_cm:.15E},   0)              (DEFAULT=1.0)\n" for axis in "XYZ")
    return _RULE + _SURFACE + scales + _END + _BODY + _END + "END      " + "0" * 55 + "\n"


def _spectrum_file(rows: list[tuple[float, float, float]]) -> str:
    """Return a spectrum in PenRed's form: start of a bin and its weight in rising order, -1 at the end.

    A line is a bin of no width.  Bins are cut at the lines that fall inside them.
    """
    lines = sorted(row for row in rows if row[0] == row[1])
    entries: list[tuple[float, float]] = []
    for low, high, share in sorted(row for row in rows if row[1] > row[0]):
        start = low
        for energy, _, amount in (line for line in lines if low <= line[0] < high):
            if energy > start:
                entries.append((start, share * (energy - start) / (high - low)))
            entries.append((energy, amount))
            start = energy
        entries.append((start, share * (high - start) / (high - low)))
    top = max((row[1] for row in rows if row[1] > row[0]), default=0.0)
    for energy, _, amount in (line for line in lines if line[0] >= top):
        entries += [*([(top, 0.0)] if top else []), (energy, amount)]
        top = energy
    entries.append((top, -1.0))
    return "".join(f"{max(energy, 60.0):.6E} {weight:.8E}\n" for energy, weight in entries)


@contextmanager
def _scratch() -> Iterator[None]:
    """Work in a folder of its own, as the program writes its files into the current one."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)
