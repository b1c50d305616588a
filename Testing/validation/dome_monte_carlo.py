"""Monte Carlo of electrons in the voxel phantom of a dome of liver in lung, with pyPenred.

``python dome_monte_carlo.py 6e6`` writes the result of so many histories to ``data/dome_monte_carlo.csv``, with
which a test compares.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import penred
from page import Missing

from radioembolization.physics import LIVER, Y90

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from dome import LIVER_G_CM3, LUNG_G_CM3, SPACING, Dome, dome, fold, images, write_monte_carlo

#: Mass fractions by atomic number: ICRP/ICRU lung.
LUNG_COMPOSITION = {1: 0.103, 6: 0.105, 7: 0.031, 8: 0.749, 11: 0.002, 15: 0.002, 16: 0.003, 17: 0.003, 19: 0.002}
#: Energy at which an electron deposits on the spot [eV]; its range is 0.04 mm in liver, 0.15 mm in lung.
ELECTRON_CUT_EV = 5e4


def simulate(phantom: Dome, histories: int) -> tuple[np.ndarray, np.ndarray]:
    """Return folded dose over equilibrium dose and its standard deviation (z, i, j)."""
    try:
        from pyPenred import simulation
    except ImportError:
        raise Missing("pyPenred is not installed (extra `validation`, Python below 3.13)") from None
    rows = [row for row in penred.electron_rows(Y90) if row[1] > 100.0]
    with penred._scratch():
        for name, density, composition in (
            ("liver", LIVER_G_CM3, penred.COMPOSITION[LIVER]),
            ("lung", LUNG_G_CM3, LUNG_COMPOSITION),
        ):
            whole = sum(composition.values())
            elements = [(z, share / whole) for z, share in composition.items()]
            simulation.materials.create(name, density, elements, f"{name}.mat")
        Path("phantom.vox").write_text(_voxels(phantom), encoding="ascii")
        Path("activity.dat").write_text(_activity(phantom), encoding="ascii")
        Path("source.spc").write_text(penred._spectrum_file(rows), encoding="ascii")
        simulation.setConfigurationLog("configuration.log")
        simulation.setSimulationLog("simulation.log")
        run = simulation.create()
        run.configFromString("\n".join(_configuration(phantom, histories)) + "\n")
        run.simulate()
        result = run.getResults()["voxels"]
        found = (result[0] if isinstance(result, (list, tuple)) else result).data()[:2]
    dose, sigma = (np.array(values, dtype=float).reshape(phantom.density.shape) for values in found)
    per_electron = Y90.total_mev * 1e6 / sum(row[2] for row in rows)
    mass = LIVER_G_CM3 * np.prod(SPACING) * 1e-3
    scale = phantom.activity.sum(dtype=float) * mass / per_electron
    return fold(dose) * scale, np.sqrt(fold(sigma**2) / images()) * scale


def _voxels(phantom: Dome) -> str:
    """Return the phantom in PenRed's form: voxels, sides [cm], material and density factor, x fastest."""
    counts = " ".join(str(n) for n in reversed(phantom.density.shape))
    sides = " ".join(f"{side / 10:g}" for side in reversed(SPACING))
    return f"{counts}\n{sides}\n" + "".join(f"{1 + lung:d} 1.0\n" for lung in phantom.lung.ravel())


def _activity(phantom: Dome) -> str:
    """Return the source in PenRed's form of a measured distribution."""
    counts = " ".join(str(n) for n in reversed(phantom.activity.shape))
    lines = ["# Dimensions:", "# 3", "# Number of bins:", f"# {counts}", "# Limits [low,top):"]
    for n, side, axis in zip(reversed(phantom.activity.shape), reversed(SPACING), "xyz", strict=True):
        lines.append(f"# 0.0 {n * side / 10:.5E} {axis}")
    lines += ["# Printed sigmas:", "# 1", "# value | sigma |"]
    return "\n".join(lines) + "\n" + "".join(f"{value:.1f} 0.0\n" for value in phantom.activity.ravel())


def _configuration(phantom: Dome, histories: int) -> list[str]:
    lines = [f"sources/generic/s/nhist {histories:d}", 'sources/generic/s/kpar "electron"']
    lines.append('sources/generic/s/direction/type "SOLID_ANGLE"')
    for name, value in {"u": 0, "v": 0, "w": 1, "theta0": 0, "theta1": 180, "phi0": 0, "dphi": 360}.items():
        lines.append(f"sources/generic/s/direction/{name} {value:.1f}")
    lines += ['sources/generic/s/energy/type "FILE_SPECTRUM"', 'sources/generic/s/energy/filename "source.spc"']
    lines += ['sources/generic/s/spatial/type "3D_MEASURE"', 'sources/generic/s/spatial/filename "activity.dat"']
    lines += ['tallies/voxels/type "SPATIAL_DOSE_DISTRIB"', "tallies/voxels/print-xyz true"]
    for n, side, axis in zip(reversed(phantom.density.shape), reversed(SPACING), "xyz", strict=True):
        lines += [f"tallies/voxels/{axis}min 0.0", f"tallies/voxels/{axis}max {n * side / 10}"]
        lines.append(f"tallies/voxels/n{axis} {n}")
    lines += ['geometry/type "VOXEL"', 'geometry/filename "phantom.vox"', "geometry/ascii true"]
    lines += ["geometry/enclosure-margin 1.0e-3", "geometry/enclosure-material 2", "geometry/print-ASCII false"]
    for number, name in enumerate(("liver", "lung"), start=1):
        lines += [f"materials/{name}/number {number}", f'materials/{name}/filename "{name}.mat"']
        lines += [f"materials/{name}/eabs/{kind} {ELECTRON_CUT_EV:.3e}" for kind in ("electron", "positron")]
        lines += [f"materials/{name}/eabs/gamma {penred.PHOTON_CUT_EV:.3e}"]
        lines += [f"materials/{name}/{step} {penred.STEP}" for step in ("C1", "C2")]
        lines += [f"materials/{name}/{loss} 1.000e+04" for loss in ("WCC", "WCR")]
    lines += [f"simulation/threads {penred.THREADS}", f"simulation/seedPair {penred.SEED_PAIR}"]
    return [*lines, "simulation/max-time 100000000"]


if __name__ == "__main__":
    write_monte_carlo(*simulate(dome(), int(float(sys.argv[1]))), int(float(sys.argv[1])))
