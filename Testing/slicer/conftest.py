"""Fixtures of the tests against real MRML (slicer-core), without the application."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

_HERE = Path(__file__).resolve().parent
# Slicer puts the folder of a module file on the path; so do the tests.
sys.path[:0] = [str(_HERE), str(_HERE.parents[1] / "RadioembolizationPlanner")]


@pytest.fixture
def scene() -> Any:
    """An empty MRML scene, also ``slicer.mrmlScene``."""
    import slicer_headless

    slicer_headless.require_slicer()
    booted = slicer_headless.boot()
    booted.Clear(False)
    return booted
