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
        self.parent, self.moduleName = parent, type(self).__name__
        for name in ("title", "helpText", "acknowledgementText"):
            setattr(parent, name, "")
        for name in ("categories", "dependencies", "contributors"):
            setattr(parent, name, [])


class ScriptedLoadableModuleWidget:
    """Panel of a module."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__()
        self.parent, self.layout = parent, parent.layout()

    def resourcePath(self, name: str) -> str:
        folder = os.path.dirname(sys.modules[type(self).__module__].__file__)
        return os.path.join(folder, "Resources", name)

    def setup(self) -> None:
        pass


class ScriptedLoadableModuleLogic:
    """Logic of a module."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__()
        self.moduleName = type(self).__name__.removesuffix("Logic")


class ScriptedLoadableModuleTest(unittest.TestCase):
    """Test of a module."""

    def delayDisplay(self, message: str, *_: Any, **__: Any) -> None:
        logging.info(message)


def install() -> None:
    """Make ``slicer.ScriptedLoadableModule`` and ``slicer.i18n`` importable."""
    import slicer

    bases = types.ModuleType("slicer.ScriptedLoadableModule")
    for base in (
        ScriptedLoadableModule,
        ScriptedLoadableModuleWidget,
        ScriptedLoadableModuleLogic,
        ScriptedLoadableModuleTest,
    ):
        setattr(bases, base.__name__, base)
    translation = types.ModuleType("slicer.i18n")
    translation.tr = lambda text: text
    translation.translate = lambda context, text: text
    for module in (bases, translation):
        sys.modules[module.__name__] = module
        setattr(slicer, module.__name__.split(".")[1], module)
