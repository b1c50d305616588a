"""Isodoses lie where the dose has their level, closed and facing outward, on every kind of grid."""

from __future__ import annotations

import numpy as np
import pytest
import slicer_headless

from radioembolization.errors import InputError
from radioembolization.images import Grid, Unit, Volume
from radioembolization.treatment import plan_treatment, prepare
from small_case import small_inputs

slicer_headless.require_slicer()
import slicer  # noqa: E402
import vtk  # noqa: E402
from vtk.util.numpy_support import vtk_to_numpy  # noqa: E402

from RadioembolizationPlannerLib.colors import color_of_dose  # noqa: E402
from RadioembolizationPlannerLib.dose_display import show_dose  # noqa: E402
from RadioembolizationPlannerLib.isodoses import (  # noqa: E402
    default_levels_gy,
    isodoses_of,
    level_gy,
    publish_isodoses,
    update_isodoses,
)
from RadioembolizationPlannerLib.publish import publish_dose  # noqa: E402

pytestmark = pytest.mark.slicer

_C, _S = np.cos(np.radians(30.0)), np.sin(np.radians(30.0))
_OBLIQUE = (_C, -_S, 0.0, _S, _C, 0.0, 0.0, 0.0, 1.0)
_STRAIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
_FLIPPED = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
_OBLIQUE_FLIPPED = (_C, 0.0, _S, 0.0, -1.0, 0.0, -_S, 0.0, _C)
_ISOTROPIC, _ANISOTROPIC = (3.0, 3.0, 3.0), (4.0, 2.0, 3.0)
_SIGMA_MM, _PEAK_GY, _CENTRE_LPS = 20.0, 200.0, np.array([13.0, -21.0, 34.0])
_LEVELS_GY = (40.0, 65.0, 120.0)


def _grid(spacing_mm, direction) -> Grid:
    """Return a grid around the centre, which lies at no special place between voxels."""
    shape = tuple(int(150.0 / s) for s in spacing_mm)
    at_zero = Grid(shape, spacing_mm, (0.0, 0.0, 0.0), direction)
    middle = at_zero.to_lps(np.array(shape) / 2.0 + (0.3, -0.2, 0.15))
    return Grid(shape, spacing_mm, tuple(_CENTRE_LPS - middle), direction)


def _gaussian(scene, grid: Grid, peak_gy: float = _PEAK_GY, centre_lps=_CENTRE_LPS):
    positions = grid.to_lps(np.moveaxis(np.indices(grid.shape), 0, -1))
    squared = ((positions - centre_lps) ** 2).sum(axis=-1)
    dose = peak_gy * np.exp(-squared / (2.0 * _SIGMA_MM**2))
    return publish_dose(scene, Volume(dose.astype(np.float32), grid, Unit.GY), "dose")


def _radius_mm(level: float) -> float:
    return _SIGMA_MM * np.sqrt(2.0 * np.log(_PEAK_GY / level))


def _radius_of_mm(volume_mm3: float) -> float:
    """Return the radius of a ball; negative for a surface that is inside out."""
    return float(np.cbrt(3.0 * volume_mm3 / (4.0 * np.pi)))


def _corners(model) -> np.ndarray:
    """Return the corners (triangles, 3, 3) of a model in RAS [mm]."""
    mesh = model.GetPolyData()
    points = vtk_to_numpy(mesh.GetPoints().GetData()).astype(float)
    return points[vtk_to_numpy(mesh.GetPolys().GetConnectivityArray()).reshape(-1, 3)]


def _signed_volume_mm3(model) -> float:
    """Return the enclosed volume by the divergence theorem: positive if the triangles face outward."""
    corners = _corners(model)
    corners = corners - corners.mean(axis=(0, 1))
    return float(np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6.0)


def _centroid(model) -> np.ndarray:
    corners = _corners(model)
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    return np.average(corners.mean(axis=1), axis=0, weights=areas)


def _open_edges(model) -> int:
    edges = vtk.vtkFeatureEdges()
    edges.SetInputData(model.GetPolyData())
    edges.BoundaryEdgesOn()
    edges.NonManifoldEdgesOn()
    edges.FeatureEdgesOff()
    edges.ManifoldEdgesOff()
    edges.Update()
    return edges.GetOutput().GetNumberOfCells()


def _mass_properties_mm3(model) -> float:
    properties = vtk.vtkMassProperties()
    properties.SetInputData(model.GetPolyData())
    return properties.GetVolume()


@pytest.mark.parametrize(
    ("spacing_mm", "direction"),
    [
        (_ISOTROPIC, _STRAIGHT),
        (_ANISOTROPIC, _STRAIGHT),
        (_ISOTROPIC, _OBLIQUE),
        (_ANISOTROPIC, _OBLIQUE),
        (_ISOTROPIC, _FLIPPED),
        (_ANISOTROPIC, _OBLIQUE_FLIPPED),
    ],
    ids=["straight", "anisotropic", "oblique", "oblique anisotropic", "z flipped", "all"],
)
def test_surfaces_enclose_the_sphere_of_a_gaussian_dose(scene, spacing_mm, direction):
    """The radius of a ball of the enclosed volume is right to 0.12 mm, a twenty-fifth of a voxel.

    Along an edge of length h, linear interpolation is off by h^2/8 f''/f' at most: 0.08 mm for the outermost
    level on 4 mm.  Flat triangles with edges a lie a^2/(12 R) within the sphere on average: 0.07 mm for the
    innermost level, R = 20 mm, and the diagonal of 3 mm voxels.  A shift by half a voxel or a swapped axis
    would move the centroid by a millimetre and more.
    """
    grid = _grid(spacing_mm, direction)
    isodoses = publish_isodoses(scene, _gaussian(scene, grid), _LEVELS_GY)
    assert isodoses.levels_gy == _LEVELS_GY and isodoses.not_reached_gy == ()
    for model, level in zip(isodoses.models, _LEVELS_GY, strict=True):
        assert _radius_of_mm(_mass_properties_mm3(model)) == pytest.approx(_radius_mm(level), abs=0.12)
        assert _radius_of_mm(_signed_volume_mm3(model)) == pytest.approx(_radius_mm(level), abs=0.12)
        assert _centroid(model) == pytest.approx(_CENTRE_LPS * (-1.0, -1.0, 1.0), abs=0.05)
        assert _open_edges(model) == 0


@pytest.mark.parametrize("direction", [_OBLIQUE, _OBLIQUE_FLIPPED], ids=["right-handed", "left-handed"])
def test_normals_point_away_from_the_dose(scene, direction):
    model = publish_isodoses(scene, _gaussian(scene, _grid(_ANISOTROPIC, direction)), [65.0]).models[0]
    normals = vtk_to_numpy(model.GetPolyData().GetPointData().GetNormals())
    away = vtk_to_numpy(model.GetPolyData().GetPoints().GetData()) - _CENTRE_LPS * (-1.0, -1.0, 1.0)
    cosines = (normals * away).sum(axis=1) / np.linalg.norm(away, axis=1)
    assert cosines.min() > 0.9


def test_surfaces_follow_the_transform_of_the_dose(scene):
    dose = _gaussian(scene, _grid(_ANISOTROPIC, _OBLIQUE))
    matrix = np.array([[_C, 0.0, -_S, 11.0], [0.0, 1.0, 0.0, -7.0], [_S, 0.0, _C, 5.0], [0.0, 0.0, 0.0, 1.0]])
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "registration")
    slicer.util.updateTransformMatrixFromArray(transform, matrix)
    dose.SetAndObserveTransformNodeID(transform.GetID())
    model = publish_isodoses(scene, dose, [65.0]).models[0]
    moved = matrix @ [*(_CENTRE_LPS * (-1.0, -1.0, 1.0)), 1.0]
    assert _centroid(model) == pytest.approx(moved[:3], abs=0.05)
    assert _radius_of_mm(_signed_volume_mm3(model)) == pytest.approx(_radius_mm(65.0), abs=0.12)
    assert model.GetParentTransformNode() is None


def test_a_surface_that_leaves_the_grid_is_closed_at_its_border(scene):
    """With the centre on the first layer, half the sphere and at most a layer of one voxel are inside."""
    grid = _grid(_ISOTROPIC, _OBLIQUE)
    corner = grid.to_lps(np.array([0.0, grid.shape[1] / 2, grid.shape[2] / 2]))
    model = publish_isodoses(scene, _gaussian(scene, grid, centre_lps=corner), [65.0]).models[0]
    radius = _radius_mm(65.0)
    half = 2.0 / 3.0 * np.pi * radius**3
    assert _open_edges(model) == 0
    assert 0.99 * half < _signed_volume_mm3(model) < half + np.pi * radius**2 * _ISOTROPIC[0]


def test_names_levels_and_colors(scene):
    dose = _gaussian(scene, _grid(_ISOTROPIC, _OBLIQUE))
    show_dose(dose, highest_gy=150.0, from_gy=10.0)
    isodoses = publish_isodoses(scene, dose, [120.0, 40.0, 40.0])
    assert [model.GetName() for model in isodoses.models] == ["Isodose 40 Gy", "Isodose 120 Gy"]
    assert [level_gy(model) for model in isodoses.models] == [40.0, 120.0]
    low, high = (model.GetDisplayNode() for model in isodoses.models)
    assert low.GetColor() == pytest.approx(color_of_dose(40.0, 150.0))
    assert high.GetColor() == pytest.approx(color_of_dose(120.0, 150.0))
    assert 0.0 < low.GetOpacity() < high.GetOpacity() < 1.0
    assert low.GetVisibility2D() and low.GetVisibility() and not low.GetScalarVisibility()


def test_a_set_is_found_again_among_the_models_of_a_scene(scene):
    isodoses = publish_isodoses(scene, _gaussian(scene, _grid(_ISOTROPIC, _OBLIQUE)), [40.0, 120.0])
    other = scene.AddNewNodeByClass("vtkMRMLModelNode", "vessel")
    assert level_gy(other) is None
    assert isodoses_of([isodoses.models[1], other, isodoses.models[0]]) == isodoses


def test_levels_that_no_voxel_exceeds_are_left_out_and_named(scene):
    isodoses = publish_isodoses(scene, _gaussian(scene, _grid(_ISOTROPIC, _OBLIQUE)), [65.0, 500.0])
    assert isodoses.levels_gy == (65.0,) and isodoses.not_reached_gy == (500.0,)
    assert scene.GetNumberOfNodesByClass("vtkMRMLModelNode") == 1


def test_levels_that_are_no_doses_are_refused(scene):
    with pytest.raises(InputError, match=r"positive doses, not \[-5.0, 0.0\] Gy"):
        publish_isodoses(scene, _gaussian(scene, _grid(_ISOTROPIC, _OBLIQUE)), [0.0, -5.0, 40.0])


def test_an_update_follows_the_dose_in_the_same_models(scene):
    """Doubling the dose moves the surface of a level to where half the level was."""
    dose = _gaussian(scene, _grid(_ISOTROPIC, _OBLIQUE))
    first = publish_isodoses(scene, dose, [130.0, 250.0])
    first.models[0].GetDisplayNode().SetVisibility(False)
    slicer.util.arrayFromVolume(dose)[:] *= 2.0
    slicer.util.arrayFromVolumeModified(dose)
    second = update_isodoses(scene, first, dose)
    assert second.levels_gy == (130.0, 250.0) and second.not_reached_gy == ()
    assert second.models[0] is first.models[0] and not second.models[0].GetDisplayNode().GetVisibility()
    assert _radius_of_mm(_signed_volume_mm3(second.models[0])) == pytest.approx(_radius_mm(65.0), abs=0.12)
    assert second.models[1].GetName() == "Isodose 250 Gy"

    slicer.util.arrayFromVolume(dose)[:] *= 0.5
    third = update_isodoses(scene, second, dose)
    assert third.models == second.models and third.not_reached_gy == (250.0,)
    assert third.models[1].GetPolyData().GetNumberOfPoints() == 0
    assert third.models[0].GetPolyData().GetNumberOfPoints() > 0


def test_default_levels_are_round_and_below_the_highest_dose():
    treatment = plan_treatment(prepare(small_inputs()))
    levels = default_levels_gy(treatment)
    assert 3 <= len(levels) <= 6 and list(levels) == sorted(levels)
    assert levels[0] > 0.0 and levels[-1] < treatment.dose.array.max()
