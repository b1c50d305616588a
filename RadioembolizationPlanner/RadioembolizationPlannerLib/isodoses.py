"""Isodoses: closed surfaces of equal dose, contours in slice views and shells in 3D."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import slicer
import vtk
import vtk.util.numpy_support

from radioembolization.errors import InputError
from radioembolization.report.slices import isodose_levels_gy
from radioembolization.treatment import Treatment
from RadioembolizationPlannerLib.colors import color_of_dose
from RadioembolizationPlannerLib.dose_display import highest_shown_gy
from RadioembolizationPlannerLib.geometry import matrix_to_world

#: Level [Gy] of a model, also of one read from a file.
_ATTRIBUTE = "RadioembolizationPlanner.IsodoseGy"
#: Opacity in 3D of the lowest and the highest level: the outer shells let the inner ones through.
_OPACITY_FROM, _OPACITY_TO = 0.05, 0.6
_CONTOUR_PIXELS = 2


@dataclass(frozen=True)
class Isodoses:
    """The models of a set of isodoses.

    Parameters
    ----------
    models : tuple of vtkMRMLModelNode
    levels_gy : tuple of float
        Level of each model [Gy], rising.
    not_reached_gy : tuple of float
        Levels asked for that no voxel exceeds [Gy]; they have no surface.
    """

    models: tuple[slicer.vtkMRMLModelNode, ...]
    levels_gy: tuple[float, ...]
    not_reached_gy: tuple[float, ...]


def default_levels_gy(treatment: Treatment) -> tuple[float, ...]:
    """Return the levels [Gy] that the report draws: at most six round ones up to the highest dose of the plan."""
    return isodose_levels_gy(float(treatment.dose.array.max()))


def publish_isodoses(
    scene: slicer.vtkMRMLScene,
    dose_node: slicer.vtkMRMLScalarVolumeNode,
    levels_gy: Iterable[float],
    name: str = "Isodose",
) -> Isodoses:
    """Put a closed surface for every level into a scene, in world space.

    Parameters
    ----------
    scene : vtkMRMLScene
    dose_node : vtkMRMLScalarVolumeNode
        [Gy]; linear parent transforms are applied.
    levels_gy : iterable of float
        [Gy].
    name : str
        Models are called after it and their level: ``"Isodose 40 Gy"``.

    Raises
    ------
    InputError
        If a level is not positive.
    ImageError
        If the dose is under a non-linear transform.
    """
    levels = _checked(levels_gy)
    surfaces = dict(zip(levels, _surfaces(dose_node, levels), strict=True))
    reached = [level for level in levels if surfaces[level] is not None]
    models = tuple(_new_model(scene, name, level) for level in reached)
    isodoses = Isodoses(models, tuple(reached), tuple(level for level in levels if level not in reached))
    for model, level in zip(models, reached, strict=True):
        model.SetAndObserveMesh(surfaces[level])
    _paint(isodoses, highest_shown_gy(dose_node))
    return isodoses


def update_isodoses(
    scene: slicer.vtkMRMLScene, isodoses: Isodoses, dose_node: slicer.vtkMRMLScalarVolumeNode, name: str = "Isodose"
) -> Isodoses:
    """Compute a set anew from the dose as it is now, in the same models, and return the set.

    A model whose level is not reached any more becomes empty and stays.  A level that had no model and is
    reached now gets one: what is in the result and not in the set before is new to the scene.  Colors and
    visibility are left as the user has them.
    """
    levels = tuple(sorted({*isodoses.levels_gy, *isodoses.not_reached_gy}))
    models = dict(zip(isodoses.levels_gy, isodoses.models, strict=True))
    highest_gy, empty = highest_shown_gy(dose_node), []
    for level, surface in zip(levels, _surfaces(dose_node, levels), strict=True):
        if surface is None:
            empty.append(level)
        if level in models:
            models[level].SetAndObserveMesh(surface or vtk.vtkPolyData())
        elif surface is not None:
            models[level] = _new_model(scene, name, level)
            models[level].SetAndObserveMesh(surface)
            _paint(Isodoses((models[level],), (level,), ()), highest_gy)
    drawn = tuple(sorted(models))
    return Isodoses(tuple(models[level] for level in drawn), drawn, tuple(empty))


def isodoses_of(models: Iterable[slicer.vtkMRMLModelNode]) -> Isodoses:
    """Return the set that models of a scene make up, such as those tied to a plan; other models are left out."""
    levels = {level_gy(model): model for model in models}
    levels.pop(None, None)
    drawn = tuple(sorted(levels))
    return Isodoses(tuple(levels[level] for level in drawn), drawn, ())


def level_gy(model: slicer.vtkMRMLModelNode) -> float | None:
    """Return the level of a model [Gy], or None if it is no isodose."""
    text = model.GetAttribute(_ATTRIBUTE)
    return None if text is None else float(text)


def isodose_surface(dose_gy: np.ndarray, level: float, ijk_to_world: np.ndarray) -> vtk.vtkPolyData | None:
    """Return the surface of a dose level, or None if no voxel exceeds it.

    Dose is interpolated linearly between the centres of voxels and taken as 0 beyond the grid, so that every
    surface is closed.  Normals point outward on right- and left-handed grids.

    Parameters
    ----------
    dose_gy : ndarray (z, y, x)
        [Gy].
    level : float
        [Gy].
    ijk_to_world : ndarray (4, 4)
        From the indices of voxels (x, y, z) to the world, in RAS [mm].
    """
    return _surface(_padded_image(dose_gy), level, ijk_to_world) if dose_gy.max() > level else None


def _checked(levels_gy: Iterable[float]) -> tuple[float, ...]:
    levels = tuple(sorted({float(level) for level in levels_gy}))
    wrong = [level for level in levels if not 0.0 < level < np.inf]
    if wrong:
        raise InputError(f"Isodose levels must be positive doses, not {wrong} Gy: leave them out.")
    return levels


def _surfaces(dose_node: slicer.vtkMRMLScalarVolumeNode, levels_gy: Sequence[float]) -> list[vtk.vtkPolyData | None]:
    """Return the surface of every level, None where the dose does not exceed it."""
    dose_gy = slicer.util.arrayFromVolume(dose_node)
    matrix = vtk.vtkMatrix4x4()
    dose_node.GetIJKToRASMatrix(matrix)
    to_world = matrix_to_world(dose_node) @ slicer.util.arrayFromVTKMatrix(matrix)
    image, highest = _padded_image(dose_gy), float(dose_gy.max())
    return [_surface(image, level, to_world) if highest > level else None for level in levels_gy]


def _padded_image(dose_gy: np.ndarray) -> vtk.vtkImageData:
    """Return the doses in index space with one voxel of 0 around them."""
    padded = np.pad(dose_gy.astype(np.float32), 1)
    image = vtk.vtkImageData()
    image.SetDimensions(*padded.shape[::-1])
    image.SetOrigin(-1.0, -1.0, -1.0)
    image.GetPointData().SetScalars(vtk.util.numpy_support.numpy_to_vtk(padded.ravel(), deep=True))
    return image


def _surface(image: vtk.vtkImageData, level: float, ijk_to_world: np.ndarray) -> vtk.vtkPolyData:
    contour = vtk.vtkFlyingEdges3D()
    contour.SetInputData(image)
    contour.SetValue(0, level)
    contour.ComputeScalarsOff()
    contour.ComputeGradientsOff()
    contour.ComputeNormalsOff()
    transform = vtk.vtkTransform()
    transform.SetMatrix(slicer.util.vtkMatrixFromArray(ijk_to_world))
    moved = vtk.vtkTransformPolyDataFilter()
    moved.SetTransform(transform)
    moved.SetInputConnection(contour.GetOutputPort())
    outward = moved
    if np.linalg.det(ijk_to_world[:3, :3]) < 0.0:  # a mirrored axis turns the order of corners around
        outward = vtk.vtkReverseSense()
        outward.SetInputConnection(moved.GetOutputPort())
        outward.ReverseCellsOn()
    normals = vtk.vtkPolyDataNormals()  # from the order of corners
    normals.SetInputConnection(outward.GetOutputPort())
    normals.ConsistencyOff()
    normals.SplittingOff()
    normals.Update()
    return normals.GetOutput()


def _new_model(scene: slicer.vtkMRMLScene, name: str, level: float) -> slicer.vtkMRMLModelNode:
    model = scene.AddNewNodeByClass("vtkMRMLModelNode", f"{name} {level:g} Gy")
    model.SetAttribute(_ATTRIBUTE, f"{level:g}")
    model.CreateDefaultDisplayNodes()
    return model


def _paint(isodoses: Isodoses, highest_gy: float) -> None:
    """Color models by their level on the scale of the dose, and show them in slice views and in 3D."""
    for model, level in zip(isodoses.models, isodoses.levels_gy, strict=True):
        share = min(level / highest_gy, 1.0)
        display = model.GetDisplayNode()
        with slicer.util.NodeModify(display):
            display.SetScalarVisibility(False)
            display.SetColor(*color_of_dose(level, highest_gy))
            display.SetOpacity(_OPACITY_FROM + share * (_OPACITY_TO - _OPACITY_FROM))
            display.SetBackfaceCulling(True)
            display.SetVisibility2D(True)
            display.SetSliceIntersectionThickness(_CONTOUR_PIXELS)
