"""``qt``, ``ctk`` and the widgets of ``slicer`` on top of PySide6, so that a panel runs in a real event loop.

``install()`` makes the modules importable; module code written for Slicer then runs unchanged, offscreen.  Import
this file only after ``slicer_headless.boot()``: the stand-ins of the MRML widgets work on real nodes.
"""

from __future__ import annotations

import ctypes
import os
import sys
import tempfile
import types

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import slicer
import slicer.util
import standin_ctk  # noqa: F401
import standin_numbers  # noqa: F401
import standin_segments  # noqa: F401
import standin_table  # noqa: F401
from PySide6 import QtCore, QtGui, QtWidgets
from pythonqt_connect import ERRORS, report  # noqa: F401
from pythonqt_loader import QUiLoader
from pythonqt_proxies import child_widget_variables, proxy_class, wrap
from standin_base import STAND_INS
from standin_qmrml import Observer  # noqa: F401
from widget_table import table

#: Events by which ``deleteLater`` deletes; ``processEvents`` leaves them out.
DEFERRED_DELETE = int(QtCore.QEvent.Type.DeferredDelete)
#: Of PySide6 only; PythonQt has other ways to these.
_NOT_IN_PYTHONQT = {"Signal", "Slot", "Property", "SIGNAL", "SLOT", "SignalInstance", "ClassInfo", "QEnum", "QFlag"}


def install() -> QtWidgets.QApplication:
    """Make ``qt``, ``ctk`` and ``slicer.qMRML...`` available; return the application."""
    application = QtWidgets.QApplication.instance() or _application()
    if "qt" in sys.modules and hasattr(sys.modules["qt"], "QUiLoader"):
        return application
    qt, ctk = types.ModuleType("qt"), types.ModuleType("ctk")
    for module in (QtCore, QtGui, QtWidgets):
        for name in dir(module):
            if not name.startswith("_") and name not in _NOT_IN_PYTHONQT:
                setattr(qt, name, wrap(getattr(module, name)))
    qt.QUiLoader = proxy_class(QUiLoader)
    namespaces = {"ctk": ctk, "slicer": slicer}
    for name, stand_in in STAND_INS.items():
        setattr(namespaces[table()[name].namespace], name, proxy_class(stand_in))
    sys.modules.update(qt=qt, ctk=ctk)
    slicer.util.childWidgetVariables = child_widget_variables
    return application


def _application() -> QtWidgets.QApplication:
    """Start the application with settings of its own, not those of the person who runs the tests."""
    QtCore.QSettings.setDefaultFormat(QtCore.QSettings.Format.IniFormat)
    folder = tempfile.mkdtemp(prefix="slicer_settings_")
    QtCore.QSettings.setPath(QtCore.QSettings.Format.IniFormat, QtCore.QSettings.Scope.UserScope, folder)
    QtCore.QStandardPaths.setTestModeEnabled(True)
    _make_none_immortal()
    application = QtWidgets.QApplication(["Slicer"])
    application.setOrganizationName("Slicer")
    application.setStyle("Fusion")
    return application


def _make_none_immortal() -> None:
    """Give ``None`` references that are never given back, as Python 3.12 does by itself.

    PySide6 6.12 counts on it: every ``None`` that one of its methods returns takes a reference away, and Python 3.11
    ends when none is left.
    """
    if sys.version_info < (3, 12):
        ctypes.c_ssize_t.from_address(id(None)).value += 1 << 40
