"""Fixtures of the tests against real MRML (slicer-core) and of the panel, without the application."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

_HERE = Path(__file__).resolve().parent
collect_ignore = ["desktop"]  # scripts for Slicer itself; one has a name that pytest would take for a test
# Slicer puts the folder of a module file on the path; so do the tests.
sys.path[:0] = [str(_HERE), str(_HERE.parents[1] / "RadioembolizationPlanner")]

from panel_fixtures import panel, small  # noqa: E402, F401


@pytest.fixture
def scene() -> Any:
    """An empty MRML scene, also ``slicer.mrmlScene``."""
    import slicer_headless

    slicer_headless.require_slicer()
    booted = slicer_headless.boot()
    booted.Clear(False)
    return booted


@pytest.fixture
def qt_app(scene: Any) -> Iterator[Any]:
    """The Qt application behind ``qt``, ``ctk`` and ``slicer.qMRML...``; what slots raise fails the test."""
    layer = _layer()
    application = layer.install()
    layer.ERRORS.clear()
    yield application
    for widget in application.topLevelWidgets():
        widget.close()
        widget.deleteLater()
    layer.Observer.clear_all()
    application.sendPostedEvents(None, layer.DEFERRED_DELETE)
    application.processEvents()
    errors = list(layer.ERRORS)
    layer.ERRORS.clear()
    assert not errors, f"Slots have raised:\n{layer.report(errors)}"


@pytest.fixture
def slicer_widgets(qt_app: Any, request: pytest.FixtureRequest) -> Callable[[Any], Any]:
    """Make a visible parent with a layout for the widget class of a module: ``slicer_widgets(WidgetClass)``."""
    made = []

    def make(widget_class: Any, width: int = 480, height: int = 900) -> Any:
        import qt
        import slicer
        import slicer_module_standins

        slicer_module_standins.install()
        parent = slicer.qMRMLWidget()
        parent.setLayout(qt.QVBoxLayout())
        parent.setMRMLScene(slicer.mrmlScene)
        parent.setProperty("isEntered", True)  # of the real parent, a module widget
        widget = widget_class(parent)
        made.append(widget)
        widget.setup()
        if hasattr(widget, "session"):
            _lighten(widget.session, request.node)
        parent.resize(width, height)
        parent.show()
        qt_app.processEvents()
        return widget

    yield make
    for widget in made:
        widget.cleanup()


def _lighten(session: Any, test: pytest.Item) -> None:
    """Leave out what takes seconds where a test does not ask for it: reports, and a process for each calculation."""
    import inline_runner

    session.writes_reports = test.get_closest_marker("reports") is not None
    if test.get_closest_marker("process") is None:
        session.runner = inline_runner.InlineRunner()


def _layer() -> Any:
    """Return the stand-in of PythonQt; skip where PySide6 or a library of the system is missing."""
    reason = "PySide6 or a system library it needs is missing (pip install -e '.[slicer]'; .ci/system-packages): "
    try:
        return importlib.import_module("pythonqt_layer")
    except ImportError as error:
        if "PySide6" in str(error) or "shiboken6" in str(error) or ".so" in str(error):
            pytest.skip(reason + str(error))
        raise
