"""Stand-ins of the sliders and spin boxes of CTK and MRML."""
# ruff: noqa: N801, N802, N815

from __future__ import annotations

from typing import Any, ClassVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDoubleSpinBox, QSlider, QWidget
from pythonqt_values import meta_object
from standin_base import declared, fill

_STEPS = 1000


class ctkDoubleSpinBox(declared("ctkDoubleSpinBox", QWidget)):
    """A spin box for fractions."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._spin = QDoubleSpinBox()
        fill(self, self._spin)
        self.setFocusProxy(self._spin)
        self._spin.valueChanged.connect(self._changed)
        self._spin.editingFinished.connect(lambda: self.emit("editingFinished()"))

    def _changed(self, value: float) -> None:
        self.emit("valueChanged(double)", value)
        self.emit("valueChanged(QString)", self._spin.text())

    def read(self, name: str, empty: Any) -> Any:
        if meta_object(self._spin).indexOfProperty(name) >= 0:
            value = self._spin.property(name)
            return int(value.value) if hasattr(value, "value") else value
        return super().read(name, empty)

    def write(self, name: str, value: Any) -> None:
        super().write(name, value)
        if meta_object(self._spin).indexOfProperty(name) >= 0:
            self._spin.setProperty(name, value)
        if name == "decimals":
            self.emit("decimalsChanged(int)", value)

    def setValue(self, value: float) -> None:
        self._spin.setValue(value)

    setValueAlways = setValueIfDifferent = setValue

    def setDecimals(self, decimals: int) -> None:
        self.write("decimals", decimals)

    def setReadOnly(self, read_only: bool) -> None:
        self.write("readOnly", read_only)

    def stepUp(self) -> None:
        self._spin.stepUp()

    def stepDown(self) -> None:
        self._spin.stepDown()


class ctkSliderWidget(declared("ctkSliderWidget", QWidget)):
    """A slider and a spin box of one value; ``tracking`` says whether dragging changes the value all along."""

    DEFAULTS: ClassVar[dict[str, Any]] = {"pageStep": 10.0, "tracking": True, "tickInterval": 0.0}
    _OF_SPIN_BOX = ("value", "minimum", "maximum", "singleStep", "decimals", "prefix", "suffix")

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._slider, self._spin = QSlider(Qt.Orientation.Horizontal), QDoubleSpinBox()
        self._slider.setRange(0, _STEPS)
        self._spin.setRange(0.0, 100.0)
        fill(self, self._slider, self._spin)
        self.setFocusProxy(self._spin)
        self._before: float | None = None
        self._spin.valueChanged.connect(self._changed)
        self._slider.sliderPressed.connect(self._pressed)
        self._slider.sliderMoved.connect(self._moved)
        self._slider.sliderReleased.connect(self._released)

    def read(self, name: str, empty: Any) -> Any:
        if name == "spinBoxVisible":
            return not self._spin.isHidden()
        return self._spin.property(name) if name in self._OF_SPIN_BOX else super().read(name, empty)

    def write(self, name: str, value: Any) -> None:
        super().write(name, value)
        if name in self._OF_SPIN_BOX:
            self._spin.setProperty(name, value)
            self._place_slider()
        if name == "spinBoxVisible":
            self._spin.setVisible(value)
        if name == "decimals":
            self.emit("decimalsChanged(int)", value)

    def setValue(self, value: float) -> None:
        self._spin.setValue(value)

    def setDecimals(self, decimals: int) -> None:
        self.write("decimals", decimals)

    def setSpinBoxVisible(self, visible: bool) -> None:
        self.write("spinBoxVisible", visible)

    def reset(self) -> None:
        self.setValue(0.0)

    def _changed(self, value: float) -> None:
        if not self._slider.isSliderDown():
            self._place_slider()
        if not self.read("tracking", True):
            self.emit("valueIsChanging(double)", value)
        if self._before is None:
            self.emit("valueChanged(double)", value)

    def _place_slider(self) -> None:
        low, high = self._spin.minimum(), self._spin.maximum()
        self._slider.setValue(round(_STEPS * (self._spin.value() - low) / (high - low)) if high > low else 0)

    def _pressed(self) -> None:
        if not self.read("tracking", True):
            self._before = self._spin.value()

    def _moved(self, step: int) -> None:
        low, high = self._spin.minimum(), self._spin.maximum()
        self._spin.setValue(low + (high - low) * step / _STEPS)

    def _released(self) -> None:
        before, self._before = self._before, None
        if before is not None and before != self._spin.value():
            self.emit("valueChanged(double)", self._spin.value())


class qMRMLSliderWidget(declared("qMRMLSliderWidget", ctkSliderWidget)):
    """A slider that takes its unit from the scene; here it keeps the unit of the .ui file."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene = None

    def mrmlScene(self) -> Any:
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        self._scene = scene

    def setQuantity(self, quantity: str) -> None:
        self.write("quantity", quantity)


class qMRMLSpinBox(declared("qMRMLSpinBox", ctkDoubleSpinBox)):
    """A spin box that takes its unit from the scene; here it keeps the unit of the .ui file."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene = None

    mrmlScene = qMRMLSliderWidget.mrmlScene
    setMRMLScene = qMRMLSliderWidget.setMRMLScene
    setQuantity = qMRMLSliderWidget.setQuantity
