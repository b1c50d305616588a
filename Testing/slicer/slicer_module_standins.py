"""Stand-ins for the parts of Slicer's Python that module files import and slicer-core lacks.

Only what the module file and its tests use: the four base classes of scripted modules and the
translation functions.
"""
# ruff: noqa: N802

from __future__ import annotations

import logging
import os
import sys
import types
import unittest
from typing import Any


class ScriptedLoadableModule:
    """Module descriptor: sets the attributes that Slicer reads from the parent."""

    def __init__(self, parent: Any) -> None:
        super().__init__()
        self.parent, self.moduleName = parent, type(self).__name__
        for name in ("title", "helpText", "acknowledgementText"):
            setattr(parent, name, "")
        for name in ("categories", "dependencies", "contributors"):
            setattr(parent, name, [])

    def resourcePath(self, name: str) -> str:
        return os.path.join(os.path.dirname(self.parent.path), "Resources", name)


class ScriptedLoadableModuleWidget:
    """Panel of a module; without a parent it makes a window of its own, as Slicer does for scripts."""

    def __init__(self, parent: Any = None) -> None:
        import slicer

        super().__init__()
        self.moduleName, self.developerMode = type(self).__name__.removesuffix("Widget"), False
        if parent is None:
            import qt

            self.parent = slicer.qMRMLWidget()
            self.parent.setLayout(qt.QVBoxLayout())
            self.parent.setMRMLScene(slicer.mrmlScene)
        else:
            self.parent = parent
        self.layout = self.parent.layout()
        if parent is None:
            self.setup()
            self.parent.show()

    def resourcePath(self, name: str) -> str:
        folder = os.path.dirname(sys.modules[type(self).__module__].__file__)
        return os.path.join(folder, "Resources", name)

    def setup(self) -> None:
        pass

    def cleanup(self) -> None:
        pass

    def enter(self) -> None:
        pass

    def exit(self) -> None:
        pass


class ScriptedLoadableModuleLogic:
    """Logic of a module: gives the parameter node, one in each scene unless the module says otherwise."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__()
        self.moduleName = type(self).__name__.removesuffix("Logic")
        self.isSingletonParameterNode = True

    def getParameterNode(self) -> Any:
        import slicer

        scene = slicer.mrmlScene
        if self.isSingletonParameterNode:
            known = [scene.GetSingletonNode(self.moduleName, "vtkMRMLScriptedModuleNode")]
        else:
            known = self.getAllParameterNodes()
        node = next((node for node in known if node is not None), None)
        if node is None:
            return scene.AddNode(self.createParameterNode())
        if node.GetAttribute("ModuleName") != self.moduleName:
            node.SetAttribute("ModuleName", self.moduleName)  # closing the scene may have taken it away
        return node

    def getAllParameterNodes(self) -> list[Any]:
        import slicer

        nodes = slicer.util.getNodesByClass("vtkMRMLScriptedModuleNode")
        return [node for node in nodes if node.GetAttribute("ModuleName") == self.moduleName]

    def createParameterNode(self) -> Any:
        import slicer

        node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
        node.UnRegister(None)
        if self.isSingletonParameterNode:
            node.SetSingletonTag(self.moduleName)
        node.SetAttribute("ModuleName", self.moduleName)
        node.SetName(slicer.mrmlScene.GenerateUniqueName(self.moduleName))
        return node


class ScriptedLoadableModuleTest(unittest.TestCase):
    """Test of a module."""

    def delayDisplay(self, message: str, *_: Any, **__: Any) -> None:
        logging.info(message)


def install() -> None:
    """Make ``slicer.ScriptedLoadableModule`` and ``slicer.i18n`` importable."""
    import slicer

    bases = types.ModuleType("slicer.ScriptedLoadableModule")
    classes = (
        ScriptedLoadableModule,
        ScriptedLoadableModuleWidget,
        ScriptedLoadableModuleLogic,
        ScriptedLoadableModuleTest,
    )
    for base in classes:
        setattr(bases, base.__name__, base)
    bases.__all__ = [base.__name__ for base in classes]
    translation = types.ModuleType("slicer.i18n")
    translation.tr = lambda text: text
    translation.translate = lambda context, text: text
    for module in (bases, translation):
        sys.modules[module.__name__] = module
        setattr(slicer, module.__name__.split(".")[1], module)
