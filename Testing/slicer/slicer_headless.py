"""A headless Slicer application on top of the slicer-core wheel.

slicer-core brings the real MRML nodes, module logics and ``slicer.util``, but no application.
``boot`` makes the three globals that ``slicer.util`` and module files expect: ``slicer.mrmlScene``,
``slicer.modules`` with the real logics, and ``slicer.app``, the only stand-in.
"""

# ruff: noqa: N802, N815

from __future__ import annotations

import os
import sys
import tempfile
import types
from collections.abc import Callable
from typing import Any

import pytest

#: Module name: class of its logic.
_LOGICS = {
    "Volumes": "vtkSlicerVolumesLogic",
    "Segmentations": "vtkSlicerSegmentationsModuleLogic",
    "SubjectHierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "Markups": "vtkSlicerMarkupsLogic",
    "Models": "vtkSlicerModelsLogic",
    "Tables": "vtkSlicerTablesLogic",
    "Texts": "vtkSlicerTextsLogic",
    "Plots": "vtkSlicerPlotsLogic",
    "Transforms": "vtkSlicerTransformLogic",
    "Units": "vtkSlicerUnitsLogic",
}
_APPLICATION_SIGNALS = ("startupCompleted()", "aboutToQuit()")


class HeadlessApplication:
    """Stands in for ``slicer.app`` as with ``--no-main-window --testing``: no layout manager, dialogs are logged."""

    applicationName = "Slicer"
    applicationVersion = "5.12.4"
    majorVersion, minorVersion, revision = 5, 12, "0"

    def __init__(self, scene: Any, logic: Any) -> None:
        from slicer_files import CoreIOManager

        self._scene, self._logic, self._files = scene, logic, CoreIOManager(scene)
        self._slots: dict[str, list[Callable[[], Any]]] = {signal: [] for signal in _APPLICATION_SIGNALS}
        self.temporaryPath = tempfile.mkdtemp(prefix="slicer_headless_")

    def mrmlScene(self) -> Any:
        return self._scene

    def applicationLogic(self) -> Any:
        return self._logic

    def coreIOManager(self) -> Any:
        return self._files

    ioManager = coreIOManager

    def layoutManager(self) -> None:
        return None

    def testingEnabled(self) -> bool:
        return True

    def processEvents(self, *_: Any) -> None:
        qt = sys.modules.get("qt")
        if qt is not None and hasattr(qt, "QApplication"):
            qt.QApplication.processEvents()

    def settings(self) -> Any:
        return sys.modules["qt"].QSettings()

    userSettings = settings

    def startupEnvironment(self) -> dict[str, str]:
        return dict(os.environ)

    def connect(self, signal: str, slot: Callable[[], Any]) -> bool:
        self._slots[signal].append(slot)
        return True

    def disconnect(self, signal: str, slot: Callable[[], Any]) -> bool:
        self._slots[signal].remove(slot)
        return True

    def emit(self, signal: str) -> None:
        """Call what is connected to a signal; the tests decide when."""
        for slot in list(self._slots[signal]):
            slot()

    def setOverrideCursor(self, *_: Any) -> None:
        pass

    def restoreOverrideCursor(self) -> None:
        pass

    def pauseRender(self) -> None:
        pass

    def resumeRender(self) -> None:
        pass


def require_slicer() -> None:
    """Skip the module or test that calls it where slicer-core is not installed."""
    pytest.importorskip(
        "slicer.util", exc_type=ImportError, reason="slicer-core is not installed (pip install -e '.[slicer]')"
    )


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
    slicer.moduleNames = types.SimpleNamespace()
    _add_module("Colors", logic.GetColorLogic())
    for name, class_name in _LOGICS.items():
        module_logic = getattr(slicer, class_name)()
        module_logic.SetMRMLApplicationLogic(logic)
        module_logic.SetMRMLScene(scene)
        logic.SetModuleLogic(name, module_logic)
        _add_module(name, module_logic)
    return scene


def _add_module(name: str, logic: Any) -> None:
    import slicer

    setattr(slicer.modules, name.lower(), types.SimpleNamespace(name=name, logic=lambda: logic))
    setattr(slicer.moduleNames, name, name)
