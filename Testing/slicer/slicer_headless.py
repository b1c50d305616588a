"""A headless Slicer application on top of the slicer-core wheel.

slicer-core brings the real MRML nodes, module logics and ``slicer.util``, but no application.
``boot`` makes the three globals that ``slicer.util`` and module files expect: ``slicer.mrmlScene``,
``slicer.modules`` with the real logics, and ``slicer.app``, the only stand-in.
"""

from __future__ import annotations

import types
from typing import Any

import pytest

#: Module name: class of its logic.
_LOGICS = {
    "Volumes": "vtkSlicerVolumesLogic",
    "Segmentations": "vtkSlicerSegmentationsModuleLogic",
    "SubjectHierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "Markups": "vtkSlicerMarkupsLogic",
    "Tables": "vtkSlicerTablesLogic",
    "Transforms": "vtkSlicerTransformLogic",
    "Units": "vtkSlicerUnitsLogic",
}


class HeadlessApplication:
    """Stands in for ``slicer.app``: no windows, no cursor, testing mode."""

    def __init__(self, scene: Any, logic: Any) -> None:
        self._scene, self._logic = scene, logic

    def mrmlScene(self) -> Any:  # noqa: N802
        return self._scene

    def applicationLogic(self) -> Any:  # noqa: N802
        return self._logic

    def layoutManager(self) -> None:  # noqa: N802
        return None

    def testingEnabled(self) -> bool:  # noqa: N802
        return True

    def setOverrideCursor(self, *_: Any) -> None:  # noqa: N802
        pass

    def restoreOverrideCursor(self) -> None:  # noqa: N802
        pass


def require_slicer() -> None:
    """Skip the module or test that calls it where slicer-core is not installed."""
    pytest.importorskip("slicer.util", reason="slicer-core is not installed (pip install -e '.[slicer]')")


def boot() -> Any:
    """Return the scene of the application, made on the first call."""
    import slicer
    import vtk

    if hasattr(slicer, "mrmlScene"):
        return slicer.mrmlScene
    window = vtk.vtkOutputWindow()
    window.SetDisplayModeToAlwaysStdErr()
    vtk.vtkOutputWindow.SetInstance(window)
    scene = slicer.vtkMRMLScene()
    logic = slicer.vtkSlicerApplicationLogic()
    logic.SetMRMLScene(scene)
    logic.GetColorLogic().SetMRMLScene(scene)
    logic.GetColorLogic().AddDefaultColorNodes()
    logic.SetModuleLogic("Colors", logic.GetColorLogic())  # the Volumes logic looks it up
    slicer.mrmlScene, slicer.app, slicer.modules = scene, HeadlessApplication(scene, logic), types.SimpleNamespace()
    for name, class_name in _LOGICS.items():
        module_logic = getattr(slicer, class_name)()
        module_logic.SetMRMLApplicationLogic(logic)
        module_logic.SetMRMLScene(scene)
        logic.SetModuleLogic(name, module_logic)
        module = types.SimpleNamespace(name=name, logic=lambda module_logic=module_logic: module_logic)
        setattr(slicer.modules, name.lower(), module)
    return scene
