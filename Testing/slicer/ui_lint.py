"""What Qt forgives and a user meets: mistakes in .ui files, and in how the panel's Python uses their widgets."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from widget_facts import (
    all_signals,
    derives_from,
    has_attribute,
    is_known,
    normalized,
    property_access,
    signals_of,
    slots_of,
)
from widget_table import lineage, table, table_methods

_SCENE_SIGNAL, _SCENE_SLOT = "mrmlSceneChanged(vtkMRMLScene*)", "setMRMLScene(vtkMRMLScene*)"
_STYLES = ("styleSheet", "palette", "font")
#: Element of a value in a .ui file for the types of the table.
_ELEMENTS = {"bool": "bool", "int": "number", "double": "double", "QString": "string", "QStringList": "stringlist"}
_INTERACTIVE = (
    *("QAbstractButton", "QComboBox", "QAbstractSpinBox", "QLineEdit", "QAbstractSlider", "QTextEdit"),
    *("QAbstractItemView", "QPlainTextEdit", "ctkSliderWidget", "ctkDoubleSpinBox", "ctkPathLineEdit"),
    *("ctkDirectoryButton", "qMRMLNodeComboBox", "qMRMLSegmentsTableView", "qMRMLSegmentSelectorWidget"),
)
_CONTAINERS = ("ctkCollapsibleButton", "ctkCollapsibleGroupBox", "QGroupBox")


@dataclass(frozen=True)
class UiFile:
    """A .ui file: class of each widget by name."""

    path: Path
    root: ElementTree.Element = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> UiFile:
        return cls(path, ElementTree.parse(path).getroot())

    @property
    def classes(self) -> dict[str, str]:
        return {widget.get("name", ""): widget.get("class", "") for widget in self.widgets}

    @property
    def widgets(self) -> list[ElementTree.Element]:
        return list(self.root.iter("widget"))

    @property
    def connections(self) -> list[tuple[str, str, str, str]]:
        """Sender, signal, receiver and slot of each connection."""
        return [
            tuple((entry.findtext(key) or "").strip() for key in ("sender", "signal", "receiver", "slot"))
            for entry in self.root.iter("connection")
        ]


def ui_problems(path: Path) -> list[str]:
    """Return what is wrong with a .ui file, one sentence each."""
    ui = UiFile.read(path)
    unknown = [f"{w.get('name')}: no such class {w.get('class')}" for w in ui.widgets if not is_known(w.get("class"))]
    if unknown:
        return [f"{path.name}: {problem}" for problem in unknown]
    rules = (_declarations, _names, _properties, _scene_connections, _connections, _tool_tips, _styles)
    return [f"{path.name}: {problem}" for rule in rules for problem in rule(ui)]


def _declarations(ui: UiFile) -> Iterator[str]:
    used = {cls for cls in ui.classes.values() if lineage(cls)}
    declared = {entry.findtext("class", ""): entry for entry in ui.root.iter("customwidget")}
    yield from (f"{name} is used but not declared under customwidgets" for name in sorted(used - declared.keys()))
    for name, entry in declared.items():
        if name not in used and name not in {table()[cls].base for cls in used}:
            yield f"{name} is declared under customwidgets but not used"
        elif not derives_from(name, entry.findtext("extends", "")):
            yield f"{name} does not extend {entry.findtext('extends')}"
        elif entry.findtext("header") != f"{name}.h":
            yield f"{name} has the header {entry.findtext('header')}, not {name}.h"


def _names(ui: UiFile) -> Iterator[str]:
    elements = [e for kind in ("widget", "layout", "spacer", "action") for e in ui.root.iter(kind)]
    names = [
        element.get("name", "") for element in elements if element.get("name") is not None or element.tag != "layout"
    ]
    yield from (f"the name '{name}' is used {count} times" for name, count in Counter(names).items() if count > 1)
    yield from (f"'{name}' is no name for Python" for name in names if not name.isidentifier())


def _properties(ui: UiFile) -> Iterator[str]:
    for widget in ui.widgets:
        name, cls = widget.get("name"), widget.get("class", "")
        types = {prop: kind for entry in lineage(cls) for prop, kind in entry.properties.items()}
        for entry in widget.findall("property"):
            prop = entry.get("name", "")
            if entry.get("stdset") == "0":
                continue  # made at run time
            if not property_access(cls).get(prop, False):
                yield f"{name}: {cls} has no writable property '{prop}'"
            wanted = _ELEMENTS.get(types.get(prop, ""))
            if wanted and entry[0].tag != wanted:
                yield f"{name}: '{prop}' is a {types[prop]}, not a <{entry[0].tag}>"


def _scene_connections(ui: UiFile) -> Iterator[str]:
    root = ui.root.find("widget")
    if root.get("class") != "qMRMLWidget":
        yield f"the root is a {root.get('class')}, which hands no scene on: make it a qMRMLWidget"
    for name, cls in ui.classes.items():
        wanted = (root.get("name"), _SCENE_SIGNAL, name, _SCENE_SLOT)
        if name != root.get("name") and "setMRMLScene" in table_methods(cls) and wanted not in ui.connections:
            yield f"{name} ({cls}) never gets the scene: connect {_SCENE_SIGNAL} of the root to its {_SCENE_SLOT}"


def _connections(ui: UiFile) -> Iterator[str]:
    for sender, signal, receiver, slot in ui.connections:
        absent = [name for name in (sender, receiver) if name not in ui.classes]
        if absent:
            yield f"a connection names {absent}, which are no widgets"
            continue
        if normalized(signal) not in signals_of(ui.classes[sender]):
            yield f"{sender}: {ui.classes[sender]} has no signal '{signal}'"
        if not {normalized(slot), slot.partition("(")[0]} & slots_of(ui.classes[receiver]):
            yield f"{receiver}: {ui.classes[receiver]} has no slot '{slot}'"


def _tool_tips(ui: UiFile) -> Iterator[str]:
    for widget in ui.widgets:
        cls = widget.get("class", "")
        tip = widget.find("property[@name='toolTip']")
        interactive = derives_from(cls, *_INTERACTIVE) and not derives_from(cls, *_CONTAINERS)
        if interactive and (tip is None or not (tip.findtext("string") or "").strip()):
            yield f"{widget.get('name')} ({cls}) has no toolTip"


def _styles(ui: UiFile) -> Iterator[str]:
    for widget in ui.widgets:
        values = {entry.get("name"): [e.text for e in entry.iter() if e.text] for entry in widget.findall("property")}
        yield from (f"{widget.get('name')} has a {style} of its own" for style in _STYLES if style in values)
        if "minimumSize" in values and values["minimumSize"] == values.get("maximumSize"):
            yield f"{widget.get('name')} has a fixed size"


class PanelChecker(ast.NodeVisitor):
    """Checks how Python uses widgets: those it knows by ``ui.<name>``, and every literal signal."""

    def __init__(self, classes: dict[str, set[str]]) -> None:
        self._classes = classes
        self.problems: list[tuple[int, str]] = []

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr in ("connect", "disconnect") and node.args:
            signal = node.args[0]
            if isinstance(signal, ast.Constant) and isinstance(signal.value, str):
                self._check_signal(node, function.value, signal.value)
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        name = _widget_name(node)
        if name is not None and name not in self._classes:
            self._add(node, f"no .ui file has a widget '{name}'")
        owner = _widget_name(node.value)
        if owner in self._classes:
            self._check_attribute(node, owner)
        self.generic_visit(node)

    def _check_signal(self, node: ast.Call, owner: ast.expr, signal: str) -> None:
        name = _widget_name(owner)
        classes = self._classes.get(name or "", set())
        allowed = frozenset().union(*(signals_of(cls) for cls in classes)) if classes else all_signals()
        if normalized(signal) not in allowed:
            of = f"{name} ({', '.join(sorted(classes))})" if classes else "any known class"
            self._add(node, f"'{signal}' is no signal of {of}")

    def _check_attribute(self, node: ast.Attribute, owner: str) -> None:
        classes = self._classes[owner]
        if isinstance(node.ctx, ast.Store):
            if not any(property_access(cls).get(node.attr, False) for cls in classes):
                self._add(node, f"'{node.attr}' is no writable property of {owner} ({', '.join(sorted(classes))})")
        elif not any(has_attribute(cls, node.attr) for cls in classes):
            self._add(node, f"{owner} ({', '.join(sorted(classes))}) has no '{node.attr}'")

    def _add(self, node: ast.AST, text: str) -> None:
        self.problems.append((node.lineno, text))


def _widget_name(node: ast.expr) -> str | None:
    """Return ``name`` of the expressions ``ui.name`` and ``<anything>.ui.name``."""
    if not isinstance(node, ast.Attribute):
        return None
    owner = node.value
    is_ui = (isinstance(owner, ast.Name) and owner.id == "ui") or (
        isinstance(owner, ast.Attribute) and owner.attr == "ui"
    )
    return node.attr if is_ui else None


def panel_problems(path: Path, ui_files: list[Path]) -> list[str]:
    """Return what is wrong in a Python file with its use of the widgets of .ui files.

    A name that several .ui files use stands for a widget of any of their classes.
    """
    classes: dict[str, set[str]] = defaultdict(set)
    for ui_file in ui_files:
        ui = UiFile.read(ui_file)
        for element in (*ui.widgets, *ui.root.iter("layout")):  # both become attributes of ``ui``
            classes[element.get("name", "")].add(element.get("class", ""))
    checker = PanelChecker(dict(classes))
    checker.visit(ast.parse(path.read_text(encoding="utf-8")))
    return [f"{path.name}:{line}: {text}" for line, text in sorted(checker.problems)]
