"""The torso of the synthetic patient: organ shapes and CT numbers."""

from __future__ import annotations

import numpy as np

from radioembolization.images import Grid
from radioembolization.phantom.shapes import (
    Ellipsoid,
    HalfSpace,
    bounding_box,
    common_part,
    filled,
    positions,
    smooth_noise,
)

#: Half width, half depth, lowest and highest position of the CT [mm].
_CT_X_MM, _CT_Y_MM, _CT_Z_MM = 186.0, 126.0, (-144.0, 288.0)

# Shapes of the reference adult in LPS millimetres; the origin is between the liver and the spine.
BODY = Ellipsoid((0.0, 0.0, 0.0), (174.0, 116.0, np.inf), 2.5)
_INSIDE = Ellipsoid((0.0, 0.0, 0.0), (148.0, 92.0, np.inf), 2.5)
_RIB_CAGE = Ellipsoid((0.0, 0.0, 0.0), (157.0, 100.0, np.inf), 2.5)
_VERTEBRA = Ellipsoid((0.0, 60.0, 0.0), (23.0, 18.0, np.inf), 2.5)
_ARCH = Ellipsoid((0.0, 88.0, 0.0), (13.0, 20.0, np.inf))
_DOME = Ellipsoid((-42.0, 0.0, -22.0), (102.0, 84.0, 94.0), 2.15)
_VISCERAL = HalfSpace((-25.0, 8.0, -26.0), (0.58, 0.30, -1.0))
_GASTRIC = HalfSpace((8.0, 12.0, 0.0), (0.55, 1.0, -0.1))
_LEFT_DOME = Ellipsoid((70.0, 5.0, -35.0), (82.0, 84.0, 82.0), 2.2)
_RIGHT_LUNG = Ellipsoid((-78.0, 4.0, 45.0), (64.0, 84.0, 195.0))
_LEFT_LUNG = Ellipsoid((80.0, 4.0, 45.0), (60.0, 82.0, 195.0))
_HEART = Ellipsoid((22.0, -28.0, 98.0), (58.0, 48.0, 54.0))
_MEDIASTINUM = Ellipsoid((0.0, 0.0, 200.0), (26.0, 90.0, 150.0), 4.0)
_SPLEEN = Ellipsoid((108.0, 44.0, -8.0), (25.0, 38.0, 50.0))
_LEFT_KIDNEY = Ellipsoid((62.0, 54.0, -72.0), (27.0, 25.0, 54.0))
_RIGHT_KIDNEY = Ellipsoid((-60.0, 56.0, -86.0), (27.0, 25.0, 54.0))
_GALLBLADDER = Ellipsoid((-50.0, -40.0, -62.0), (15.0, 29.0, 18.0))
_STOMACH = Ellipsoid((66.0, -8.0, -12.0), (46.0, 52.0, 58.0))
_AORTA = Ellipsoid((9.0, 30.0, 0.0), (10.0, 10.0, np.inf))
_CAVA = Ellipsoid((-24.0, 34.0, 0.0), (12.0, 11.0, np.inf))

#: Space kept between the liver and its neighbours [mm].
_GAP_MM = 4.0
_BLOOD_HU, _CT_NOISE_HU = 280.0, 10.0


def torso_grid(spacing_mm: float) -> Grid:
    """Return the CT grid: the torso from the kidneys to the apex of the lungs."""
    low = np.array([-_CT_X_MM, -_CT_Y_MM, _CT_Z_MM[0]])
    template = Grid((1, 1, 1), (1.0, 1.0, 1.0))
    return Grid.covering(template, low, np.array([_CT_X_MM, _CT_Y_MM, _CT_Z_MM[1]]), (spacing_mm,) * 3)


def liver_level(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Level of the liver: a dome cut by its visceral surface, with hollows for its neighbours."""
    wedge = common_part((_DOME(x, y, z), _VISCERAL(x, y, z), _GASTRIC(x, y, z)))
    for neighbour in (_VERTEBRA.inflated(9.0), _RIGHT_KIDNEY.inflated(_GAP_MM), _CAVA, _AORTA.inflated(6.0)):
        np.copyto(wedge, 2.0, where=neighbour(x, y, z) <= 1.0)
    np.copyto(wedge, 2.0, where=_GALLBLADDER(x, y, z) <= 1.0)
    return wedge


def organ_masks(grid: Grid, scale: float) -> dict[str, np.ndarray]:
    """Return the organs (z, y, x) of the reference adult enlarged by a scale, by name."""
    return {
        "liver": filled(liver_level, grid, scale),
        "lungs": filled(_lungs_level, grid, scale),
        "spleen": filled(_SPLEEN, grid, scale),
        "left kidney": filled(_LEFT_KIDNEY, grid, scale),
        "right kidney": filled(_RIGHT_KIDNEY, grid, scale),
        "gallbladder": filled(_GALLBLADDER, grid, scale),
        "stomach": filled(_stomach_level, grid, scale),
        "spine": filled(_spine_level, grid, scale),
        "body": filled(BODY, grid, scale),
    }


def _lungs_level(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    lungs = np.minimum(_RIGHT_LUNG(x, y, z), _LEFT_LUNG(x, y, z))
    lungs = np.where(z < -40.0, 2.0, lungs)
    for neighbour in (_DOME.inflated(6.0), _LEFT_DOME, _HEART, _MEDIASTINUM, _VERTEBRA.inflated(8.0), _SPLEEN):
        np.copyto(lungs, 2.0, where=neighbour(x, y, z) <= 1.0)
    np.copyto(lungs, 2.0, where=_INSIDE(x, y, z) > 1.0)
    return lungs


def _stomach_level(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    stomach = np.maximum(_STOMACH(x, y, z), _LEFT_DOME.inflated(-5.0)(x, y, z))
    wedge = common_part((_DOME(x, y, z), _VISCERAL(x, y, z), _GASTRIC(x, y, z)))
    for hollow in (wedge <= 1.10, _SPLEEN.inflated(_GAP_MM)(x, y, z) <= 1.0, _LEFT_KIDNEY(x, y, z) <= 1.1):
        np.copyto(stomach, 2.0, where=hollow)
    return stomach


def _spine_level(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    return np.minimum(_VERTEBRA(x, y, z), _ARCH(x, y, z)) + 0.0 * z


def ct_numbers(
    grid: Grid,
    masks: dict[str, np.ndarray],
    tumours: dict[str, np.ndarray],
    blood: np.ndarray,
    scale: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return the CT in late arterial phase [HU] (z, y, x), with noise, as integers.

    Parameters
    ----------
    grid : Grid
    masks, tumours : dict of str to ndarray of bool
        Organs and tumours by name.
    blood : ndarray (z, y, x)
        Share of each voxel that is lumen of a hepatic artery.
    scale : float
        Size relative to the reference adult.
    rng : numpy.random.Generator
    """
    x, y, z = positions(grid, scale)
    hu = np.full(grid.shape, -1000.0, dtype=np.float32)
    _fill_soft_tissue(hu, x, y, z, smooth_noise(grid, 16.0, rng))
    for name, value in (("spleen", 120.0), ("left kidney", 170.0), ("right kidney", 170.0), ("liver", 85.0)):
        hu[masks[name]] = value
    hu[masks["gallbladder"]] = 8.0
    for mask in tumours.values():
        hu[mask] = 118.0
    _fill_stomach(hu, masks["stomach"], y)
    _fill_spine(hu, masks["spine"], z)
    lungs = masks["lungs"]
    hu[lungs] = np.broadcast_to(-800.0 + 0.55 * y, hu.shape)[lungs]
    hu += blood * (_BLOOD_HU - hu)
    hu += _CT_NOISE_HU * rng.standard_normal(hu.shape, dtype=np.float32)
    hu[~masks["body"]] = -1000.0
    return np.rint(hu).astype(np.int16)


def _fill_soft_tissue(hu: np.ndarray, x: np.ndarray, y: np.ndarray, z: np.ndarray, bowel: np.ndarray) -> None:
    """Fill fat, muscle, ribs, what lies between the organs, heart and great vessels, slice by slice."""
    for k, level in enumerate(z.ravel()):
        here = np.full((1, 1, 1), level, dtype=np.float32)
        part = hu[k : k + 1]
        part[BODY(x, y, here) <= 1.0] = -95.0
        cage = _RIB_CAGE(x, y, here)
        part[cage <= 1.0] = 50.0
        tilted = np.cos((here + 0.35 * y) * (2.0 * np.pi / 27.0))
        part[(cage <= 1.0) & (_RIB_CAGE.inflated(-6.0)(x, y, here) > 1.0) & (tilted > 0.45)] = 450.0
        cavity = _INSIDE(x, y, here) <= 1.0
        part[cavity] = -85.0
        part[cavity & (bowel[k : k + 1] > 0.0) & (here < -30.0)] = 30.0
        for shape, value in ((_MEDIASTINUM, 20.0), (_HEART, 140.0), (_CAVA, 90.0), (_AORTA, _BLOOD_HU)):
            part[(shape(x, y, here) <= 1.0) & cavity] = value


def _fill_stomach(hu: np.ndarray, stomach: np.ndarray, y: np.ndarray) -> None:
    hu[stomach] = 25.0
    box = bounding_box(stomach)
    front = y[:, box[1]].ravel()
    air = stomach[box] & (y[:, box[1]] < front[0] + 0.22 * (front[-1] - front[0]))
    hu[box][air] = -950.0


def _fill_spine(hu: np.ndarray, spine: np.ndarray, z: np.ndarray) -> None:
    discs = np.broadcast_to(np.cos(z * (2.0 * np.pi / 32.0)) > 0.8, spine.shape)
    hu[spine] = np.where(discs[spine], 90.0, 230.0)
