"""Render windows without a screen, and what they show as an array or a file."""

from __future__ import annotations

import ctypes.util
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

#: Colors of dark backgrounds, below and above, and of what is written on them.
DARK = (0.07, 0.08, 0.10)
DARK_ABOVE = (0.17, 0.19, 0.24)
LIGHT = (0.92, 0.92, 0.92)
_SCREEN_DPI = 96


def require_rendering() -> None:
    """Skip the test that calls it where nothing can be drawn without a screen."""
    if sys.platform == "linux" and not ctypes.util.find_library("EGL"):
        pytest.skip("libEGL is not installed (apt-get install libegl1 libgl1-mesa-dri)")
    import vtk

    window = new_window((8, 8))
    window.AddRenderer(vtk.vtkRenderer())
    window.Render()
    if not window.SupportsOpenGL():
        pytest.skip("there is no driver for OpenGL without a screen (apt-get install libgl1-mesa-dri)")


def new_window(size: tuple[int, int]) -> Any:
    """Return a window of (width, height) pixels."""
    if sys.platform == "linux" and "DISPLAY" not in os.environ:
        os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
    import vtk

    window = vtk.vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetSize(*size)
    window.SetDPI(_SCREEN_DPI)
    window.SetAlphaBitPlanes(1)
    window.SetMultiSamples(0)  # with them, Mesa loses translucent surfaces
    return window


def _grabber(window: Any) -> Any:
    import vtk

    window.Render()
    grabber = vtk.vtkWindowToImageFilter()
    grabber.SetInput(window)
    grabber.SetInputBufferTypeToRGB()
    grabber.ReadFrontBufferOff()
    return grabber


def picture_of(window: Any) -> np.ndarray:
    """Return what a window shows as an array (rows, columns, 3) of bytes, top row first."""
    from vtk.util.numpy_support import vtk_to_numpy

    grabber = _grabber(window)
    grabber.Update()
    columns, rows, _ = grabber.GetOutput().GetDimensions()
    pixels = vtk_to_numpy(grabber.GetOutput().GetPointData().GetScalars())
    return pixels.reshape(rows, columns, -1)[::-1].copy()


def save_picture(window: Any, path: Path) -> None:
    """Write what a window shows as PNG."""
    import vtk

    grabber, writer = _grabber(window), vtk.vtkPNGWriter()
    writer.SetFileName(str(path))
    writer.SetInputConnection(grabber.GetOutputPort())
    writer.Write()
