"""Every .ui file and every use of its widgets is sound; and the lint sees what it is there to see."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import REPOSITORY

pytest.importorskip(
    "PySide6.QtWidgets", exc_type=ImportError, reason="PySide6 is not installed (pip install -e '.[slicer]')"
)

from ui_lint import panel_problems, ui_problems
from widget_facts import all_signals, has_attribute, is_known
from widget_table import table

MODULE = REPOSITORY / "RadioembolizationPlanner"
UI_FILES = sorted((MODULE / "Resources" / "UI").glob("*.ui"))
PANEL_FILES = [MODULE / "RadioembolizationPlanner.py", *sorted((MODULE / "RadioembolizationPlannerLib").rglob("*.py"))]
pytestmark = pytest.mark.gui

_SOUND = """<ui version="4.0"><class>Panel</class>
<widget class="qMRMLWidget" name="Panel"><layout class="QVBoxLayout" name="panelLayout">
 <item><widget class="qMRMLNodeComboBox" name="ctSelector">
  <property name="toolTip"><string>CT of the liver.</string></property>
  <property name="nodeTypes"><stringlist><string>vtkMRMLScalarVolumeNode</string></stringlist></property>
  <property name="noneEnabled"><bool>true</bool></property>
 </widget></item>
 <item><widget class="QPushButton" name="planButton"><property name="toolTip"><string>Plans.</string></property>
  <property name="text"><string>Plan</string></property></widget></item>
</layout></widget>
<customwidgets>
 <customwidget><class>qMRMLWidget</class><extends>QWidget</extends><header>qMRMLWidget.h</header></customwidget>
 <customwidget><class>qMRMLNodeComboBox</class><extends>QWidget</extends><header>qMRMLNodeComboBox.h</header></customwidget>
</customwidgets>
<connections><connection><sender>Panel</sender><signal>mrmlSceneChanged(vtkMRMLScene*)</signal>
 <receiver>ctSelector</receiver><slot>setMRMLScene(vtkMRMLScene*)</slot></connection></connections></ui>"""
_COMBO = "<class>qMRMLNodeComboBox</class>"
_CONNECTION = _SOUND[_SOUND.index("<connection>") : _SOUND.index("</connections>")]


@pytest.fixture
def ui_file(tmp_path):
    def write(text: str) -> Path:
        path = tmp_path / "Panel.ui"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def lint_code(tmp_path, ui_file):
    def lint(code: str) -> list[str]:
        path = tmp_path / "panel.py"
        path.write_text(code, encoding="utf-8")
        return panel_problems(path, [ui_file(_SOUND)])

    return lint


@pytest.mark.parametrize("path", UI_FILES, ids=lambda path: path.name)
def test_ui_file_is_sound(path):
    assert not ui_problems(path)


@pytest.mark.parametrize("path", PANEL_FILES, ids=lambda path: path.relative_to(MODULE).as_posix())
def test_python_uses_widgets_as_they_are(path):
    assert not panel_problems(path, UI_FILES)


def test_there_is_something_to_check():
    assert UI_FILES and len(PANEL_FILES) > 5


def test_a_sound_ui_file_passes(ui_file):
    assert ui_problems(ui_file(_SOUND)) == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('class="QPushButton"', 'class="QPushButon"', "no such class QPushButon"),
        (_COMBO, "<class>ctkSliderWidget</class>", "qMRMLNodeComboBox is used but not declared"),
        (_COMBO, "<class>qMRMLTableView</class>", "qMRMLTableView is declared under customwidgets but not used"),
        (f"{_COMBO}<extends>QWidget", f"{_COMBO}<extends>QComboBox", "does not extend QComboBox"),
        ("<header>qMRMLNodeComboBox.h", "<header>qMRMLNodeCombobox.h", "not qMRMLNodeComboBox.h"),
        ('name="planButton"', 'name="ctSelector"', "'ctSelector' is used 2 times"),
        ('name="planButton"', 'name="plan button"', "'plan button' is no name"),
        ('name="noneEnabled"', 'name="noneEnable"', "no writable property 'noneEnable'"),
        ('<property name="text">', '<property name="txt">', "QPushButton has no writable property 'txt'"),
        ("<bool>true</bool>", "<string>true</string>", "'noneEnabled' is a bool, not a <string>"),
        (_CONNECTION, "", "ctSelector (qMRMLNodeComboBox) never gets the scene"),
        ('class="qMRMLWidget" name', 'class="QWidget" name', "the root is a QWidget"),
        ("<receiver>ctSelector", "<receiver>segmentSelector", "['segmentSelector'], which are no widgets"),
        ("<signal>mrmlSceneChanged(vtkMRMLScene*)", "<signal>sceneChanged()", "no signal 'sceneChanged()'"),
        ("<slot>setMRMLScene(vtkMRMLScene*)", "<slot>setScene(vtkMRMLScene*)", "no slot 'setScene"),
        ("<string>Plans.</string>", "<string> </string>", "planButton (QPushButton) has no toolTip"),
        ('<property name="text"><string>', '<property name="styleSheet"><string>', "has a styleSheet of its own"),
        (
            '<property name="text"><string>Plan</string></property>',
            "".join(
                f'<property name="{name}"><size><width>90</width><height>20</height></size></property>'
                for name in ("minimumSize", "maximumSize")
            ),
            "planButton has a fixed size",
        ),
    ],
)
def test_each_rule_for_ui_files_sees_its_mistake(ui_file, old, new, problem):
    assert old in _SOUND
    problems = ui_problems(ui_file(_SOUND.replace(old, new, 1)))
    assert any(problem in text for text in problems), problems


@pytest.mark.parametrize(
    "code",
    [
        'self.ui.ctSelector.connect("currentNodeChanged(vtkMRMLNode*)", f)',
        'ui.planButton.connect("clicked( bool )", f)',
        'timer.connect("timeout()", f)',
        'slicer.app.connect("aboutToQuit()", f)',
        'self.panel.ui.planButton.enabled = False\nself.ui.ctSelector.currentNodeID = ""',
        "self.ui.ctSelector.setCurrentNode(node)\nself.ui.planButton.setText('a')\nself.ui.planButton.click()",
        "self.ui.panelLayout.addWidget(widget)",
        "socket.connect(address)",
    ],
)
def test_right_use_passes(lint_code, code):
    assert lint_code(code) == []


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ('self.ui.planButton.connect("cliked(bool)", f)', "'cliked(bool)' is no signal of planButton (QPushButton)"),
        ('self.ui.planButton.connect("valueChanged(double)", f)', "is no signal of planButton"),
        ('ui.ctSelector.disconnect("currentNodeChanged()", f)', "is no signal of ctSelector"),
        ('timer.connect("timeOut()", f)', "'timeOut()' is no signal of any known class"),
        ("self.ui.planButton.enable = True", "'enable' is no writable property of planButton"),
        ("self.ui.ctSelector.nodeType = []", "'nodeType' is no writable property"),
        ("self.ui.ctSelector.setNodeTypes([])", "ctSelector (qMRMLNodeComboBox) has no 'setNodeTypes'"),
        ("print(self.ui.resultLabel.text)", "no .ui file has a widget 'resultLabel'"),
    ],
)
def test_each_rule_for_python_sees_its_mistake(lint_code, code, problem):
    (found,) = lint_code(code)
    assert problem in found and found.startswith("panel.py:1:")


def test_table_names_headers_and_bases_that_exist():
    for name, entry in table().items():
        assert is_known(entry.base) and entry.header.endswith(f"/{name}.h")
        assert entry.read_only <= entry.properties.keys()


def test_facts_of_qt_come_from_qt():
    assert {"clicked(bool)", "currentNodeChanged(vtkMRMLNode*)"} <= all_signals()
    assert has_attribute("ctkCollapsibleButton", "setChecked")  # of QAbstractButton
    assert not has_attribute("ctkCollapsibleButton", "setCollapsed")  # public in C++, but no slot
