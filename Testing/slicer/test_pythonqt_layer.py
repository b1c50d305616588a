"""The stand-in of PythonQt keeps its rules, and the stand-in widgets do on real nodes what Slicer's do."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest
import slicer_headless

slicer_headless.require_slicer()
import slicer  # noqa: E402

pytestmark = [pytest.mark.slicer, pytest.mark.gui]

_UI = """<ui version="4.0"><class>Demo</class>
<widget class="qMRMLWidget" name="Demo"><layout class="QVBoxLayout" name="demoLayout">
 <item><widget class="ctkCollapsibleButton" name="inputsButton">
  <property name="text"><string>Inputs</string></property>
  <layout class="QFormLayout" name="inputsLayout">
   <item row="0" column="0"><widget class="QLabel" name="ctLabel">
    <property name="text"><string>CT:</string></property></widget></item>
   <item row="0" column="1"><widget class="qMRMLNodeComboBox" name="ctSelector">
    <property name="nodeTypes"><stringlist><string>vtkMRMLScalarVolumeNode</string></stringlist></property>
    <property name="addEnabled"><bool>false</bool></property>
    <property name="removeEnabled"><bool>false</bool></property></widget></item>
   <item row="1" column="0"><widget class="QLabel" name="segmentsLabel">
    <property name="text"><string>Segments:</string></property></widget></item>
   <item row="1" column="1"><widget class="qMRMLSegmentsTableView" name="segmentsTable">
    <property name="statusColumnVisible"><bool>false</bool></property></widget></item>
  </layout></widget></item>
 <item><widget class="ctkCollapsibleButton" name="doseButton">
  <property name="text"><string>Dose</string></property>
  <property name="collapsed"><bool>true</bool></property>
  <layout class="QFormLayout" name="doseLayout">
   <item row="0" column="1"><widget class="ctkSliderWidget" name="activitySlider">
    <property name="maximum"><double>10.0</double></property>
    <property name="value"><double>2.5</double></property>
    <property name="suffix"><string> GBq</string></property></widget></item>
   <item row="1" column="1"><widget class="qMRMLTableView" name="limitsTable">
    <property name="firstRowLocked"><bool>true</bool></property></widget></item>
  </layout></widget></item>
 <item><widget class="QCheckBox" name="showBox"><property name="text"><string>Show dose</string></property>
  <property name="checked"><bool>true</bool></property></widget></item>
 <item><widget class="QPushButton" name="planButton"><property name="text"><string>Plan</string></property>
  </widget></item>
</layout></widget>
<customwidgets/>
<connections>
 <connection><sender>Demo</sender><signal>mrmlSceneChanged(vtkMRMLScene*)</signal>
  <receiver>ctSelector</receiver><slot>setMRMLScene(vtkMRMLScene*)</slot></connection>
 <connection><sender>showBox</sender><signal>toggled(bool)</signal>
  <receiver>planButton</receiver><slot>setEnabled(bool)</slot></connection>
 <connection><sender>showBox</sender><signal>toggled(bool)</signal>
  <receiver>activitySlider</receiver><slot>setVisible(bool)</slot></connection>
</connections></ui>"""


@pytest.fixture
def qt(qt_app):
    import qt

    return qt


@pytest.fixture
def ctk(qt_app):
    import ctk

    return ctk


@pytest.fixture
def errors(qt_app):
    """What slots raised; for the tests that let them raise."""
    from pythonqt_connect import ERRORS

    yield ERRORS
    ERRORS.clear()


@pytest.fixture
def demo(qt_app, scene, tmp_path):
    """Root widget and named widgets of the .ui file above."""
    path = tmp_path / "Demo.ui"
    path.write_text(_UI, encoding="utf-8")
    root = slicer.util.loadUI(str(path))
    root.setMRMLScene(scene)
    return root, slicer.util.childWidgetVariables(root)


def _volume(name: str = "CT") -> object:
    return slicer.util.addVolumeFromArray(np.zeros((2, 2, 2), dtype=np.int16), name=name)


def _delete(widget) -> None:
    """Delete a widget as C++ does, with its children."""
    from shiboken6 import Shiboken

    Shiboken.delete(widget._q)


def _segmentation(scene, *names: str) -> object:
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Anatomy")
    node.CreateDefaultDisplayNodes()
    for name in names:
        node.GetSegmentation().AddEmptySegment(name.lower(), name, (0.9, 0.3, 0.2))
    return node


def test_widgets_by_name_are_those_that_slicer_finds(demo):
    import importlib.util

    spec = importlib.util.find_spec("slicer.util")
    original = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(original)
    root, found = demo
    assert vars(found) == vars(original.childWidgetVariables(root))
    assert {"ctSelector", "planButton", "inputsLayout"} <= set(vars(found))


class TestAttributes:
    def test_a_property_is_an_attribute_and_hides_its_getter(self, qt):
        label = qt.QLabel("dose")
        assert label.text == "dose"
        label.text = "activity"
        label.setToolTip("in GBq")
        assert (label.text, label.toolTip) == ("activity", "in GBq")
        with pytest.raises(TypeError, match="not callable"):
            label.text()

    def test_name_is_the_object_name(self, qt):
        label = qt.QLabel()
        label.name = "doseLabel"
        assert label.objectName == label.name == "doseLabel" and label.className() == "QLabel"

    def test_unknown_attributes_can_be_neither_read_nor_written(self, qt):
        button = qt.QPushButton("Plan")
        for access in (lambda: button.enable, lambda: setattr(button, "enable", True)):
            with pytest.raises(AttributeError, match="enable"):
                access()
        with pytest.raises(AttributeError, match="not allowed"):
            qt.QTableWidgetItem("a").color = 1

    def test_methods_and_signals_cannot_be_overwritten(self, qt):
        for name in ("click", "clicked"):
            with pytest.raises(AttributeError, match="can not be overwritten"):
                setattr(qt.QPushButton(), name, print)

    def test_a_read_only_property_cannot_be_written(self, qt):
        with pytest.raises(AttributeError, match="not writable"):
            qt.QComboBox().count = 3

    @pytest.mark.parametrize("value", [None, np.int64(3), 2.5, "3"])
    def test_a_whole_number_is_given_as_such(self, qt, value):
        box = qt.QSpinBox()
        with pytest.raises(AttributeError, match="does not accept"):
            box.value = value
        box.value = 3
        assert box.value == 3

    def test_numpy_numbers_are_refused_by_methods_too(self, qt):
        with pytest.raises(TypeError, match="plain Python number"):
            qt.QSpinBox().setValue(np.int64(3))

    def test_keyword_arguments_are_refused(self, qt):
        with pytest.raises(TypeError, match="keyword"):
            qt.QLabel(text="dose")

    def test_children_are_found_by_name(self, qt):
        parent = qt.QWidget()
        child = qt.QLabel("dose", parent)
        child.name = "doseLabel"
        assert parent.doseLabel == child and parent.doseLabel is child

    def test_properties_made_at_run_time_are_attributes(self, qt):
        label = qt.QLabel()
        label.setProperty("SlicerParameterName", "activity")
        assert label.SlicerParameterName == "activity"

    def test_lists_of_strings_come_as_tuples(self, qt_app):
        selector = slicer.qMRMLNodeComboBox()
        selector.nodeTypes = ["vtkMRMLModelNode"]
        assert selector.nodeTypes == ("vtkMRMLModelNode",)

    def test_an_empty_layout_is_false(self, qt):
        panel = qt.QWidget()
        layout = qt.QVBoxLayout(panel)
        assert panel and not layout
        layout.addWidget(qt.QLabel("dose"))
        assert layout
        assert not qt.QIcon() and not qt.QUrl() and qt.QUrl("file:///a") and not qt.QModelIndex()

    def test_a_destroyed_object_is_false(self, qt):
        parent = qt.QWidget()
        child = qt.QLabel("dose", parent)
        assert child
        _delete(parent)
        assert not child

    def test_the_facts_of_a_class_outlive_its_objects(self, qt):
        parent = qt.QWidget()
        assert qt.QSpinBox(parent).className() == "QSpinBox" and parent.children()
        _delete(parent)
        assert qt.QSpinBox._qt.staticMetaObject.className() == "QSpinBox"

    def test_classes_do_not_derive_from_one_another(self, qt):
        assert isinstance(qt.QPushButton(), qt.QPushButton)
        assert not isinstance(qt.QPushButton(), qt.QWidget)


class TestEnumerations:
    def test_values_are_integers_without_the_name_of_their_type(self, qt):
        assert qt.Qt.AlignRight == 2 and qt.Qt.AlignRight | qt.Qt.AlignVCenter == 0x82
        assert qt.Qt.UserRole + 1 == 257
        with pytest.raises(AttributeError):
            _ = qt.Qt.AlignmentFlag.AlignRight

    def test_methods_take_them_and_properties_give_integers(self, qt):
        label = qt.QLabel()
        label.setAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
        assert label.alignment == 0x82 and type(label.alignment) is int
        label.alignment = qt.Qt.AlignLeft
        assert label.alignment == 1
        box = qt.QWidget()
        box.setSizePolicy(qt.QSizePolicy.Expanding, qt.QSizePolicy.Fixed)
        item = qt.QTableWidgetItem("a")
        item.setCheckState(qt.Qt.Checked)
        assert item.checkState() == qt.Qt.Checked


class TestSignals:
    def test_surplus_arguments_are_dropped_for_functions_and_methods(self, qt, errors):
        button, seen = qt.QPushButton(), []
        button.checkable = True
        button.connect("toggled(bool)", lambda: seen.append("none"))
        button.connect("toggled(bool)", lambda on: seen.append(on))
        button.connect("toggled(bool)", functools.partial(seen.append))
        button.checked = True
        assert seen == ["none", True, True] and not errors
        button.connect("toggled(bool)", functools.partial(lambda: None))  # gets the argument, as in Slicer
        button.checked = False
        assert [type(error) for error in errors] == [TypeError]

    def test_the_arguments_are_those_of_the_signature(self, qt):
        button, seen = qt.QPushButton(), []
        button.connect("clicked()", lambda *args: seen.append(args))
        button.connect("clicked(bool)", lambda *args: seen.append(args))
        button.click()
        assert seen == [(), (False,)]

    @pytest.mark.parametrize("signal", ["cliked(bool)", "clicked(int)", "clicked"])
    def test_a_signal_that_does_not_exist_raises(self, qt, signal):
        with pytest.raises(AttributeError, match="has no signal"):
            qt.QPushButton().connect(signal, print)

    def test_disconnecting_stops_the_calls(self, qt):
        button, seen = qt.QPushButton(), []
        button.connect("clicked()", seen.append)
        slot = functools.partial(seen.append, "clicked")
        button.connect("clicked()", slot)
        assert button.disconnect("clicked()", seen.append) and button.disconnect("clicked()", slot)
        assert not button.disconnect("clicked()", slot)
        button.click()
        assert not seen

    def test_what_a_slot_raises_is_kept(self, qt, errors):
        def fail():
            raise ValueError("no plan")

        button = qt.QPushButton()
        button.connect("clicked()", fail)
        button.click()
        (error,) = errors
        assert str(error) == "no plan"

    def test_blocked_signals_are_not_heard(self, qt):
        box, seen = qt.QDoubleSpinBox(), []
        box.connect("valueChanged(double)", seen.append)
        was = box.blockSignals(True)
        box.value = 3.0
        box.blockSignals(was)
        box.value = 4.0
        assert seen == [4.0]

    def test_signals_are_attributes_unless_they_have_overloads(self, qt_app, qt):
        button, seen = qt.QPushButton(), []
        button.clicked.connect(lambda: seen.append(1))
        button.clicked()
        assert seen == [1]
        with pytest.raises(AttributeError, match="by its signature"):
            _ = slicer.qMRMLNodeComboBox().currentNodeChanged

    def test_a_timer_fires_in_the_event_loop(self, qt, qt_app):
        seen, loop, timer = [], qt.QEventLoop(), qt.QTimer()
        timer.interval = 1
        timer.connect("timeout()", lambda: seen.append(1) or (loop.quit() if len(seen) == 2 else None))
        timer.start()
        qt.QTimer.singleShot(2000, loop.quit)
        loop.exec_()
        timer.stop()
        assert len(seen) == 2


class TestWidgetsMadeInPython:
    def test_a_table_with_widgets_in_its_cells(self, qt):
        table, changed = qt.QTableWidget(), []
        table.setColumnCount(2)
        table.setHorizontalHeaderLabels(["Segment", "Role"])
        table.horizontalHeader().setSectionResizeMode(1, qt.QHeaderView.Stretch)
        table.setSelectionBehavior(qt.QAbstractItemView.SelectRows)
        table.insertRow(table.rowCount)
        item, box = qt.QTableWidgetItem("Liver"), qt.QComboBox()
        item.setData(qt.Qt.UserRole, "segment_1")
        item.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable)
        table.setItem(0, 0, item)
        box.addItem("tumor", "TUMOUR")
        box.addItem("liver", "LIVER")
        table.setCellWidget(0, 1, box)
        box.connect("currentIndexChanged(int)", lambda index: changed.append(box.itemData(index)))
        box.setCurrentIndex(box.findData("LIVER"))
        assert changed == ["LIVER"] and (box.currentText, box.currentData) == ("liver", "LIVER")
        assert table.cellWidget(0, 1) is box and table.item(0, 0).data(qt.Qt.UserRole) == "segment_1"
        assert table.rowCount == 1 and not table.item(0, 0).flags() & qt.Qt.ItemIsEditable

    def test_a_python_class_may_derive_from_a_widget_and_have_attributes(self, qt):
        class Row(qt.QWidget):
            def __init__(self, site):
                super().__init__()
                self.site, self.toolTip = site, "A site."
                qt.QHBoxLayout(self).addWidget(qt.QLabel(site))

        row = Row("left")
        assert row.site == "left" and row.toolTip == "A site." and row.layout().count() == 1
        with pytest.raises(NotImplementedError, match="paintEvent"):
            type("Painted", (qt.QWidget,), {"paintEvent": lambda self, event: None})

    def test_dialogs_never_wait_and_can_be_answered(self, qt, monkeypatch):
        for wait in (qt.QDialog().exec_, lambda: qt.QFileDialog.getOpenFileName(None, "Case")):
            with pytest.raises(RuntimeError, match="would wait for a user"):
                wait()
        monkeypatch.setattr(qt.QFileDialog, "getOpenFileName", lambda *_: "case.toml")
        assert qt.QFileDialog.getOpenFileName(None, "Case") == "case.toml"
        slicer.util.errorDisplay("told, not shown")


class TestCtk:
    def test_a_collapsible_button_hides_and_shows_its_contents(self, qt, ctk, qt_app):
        section, seen = ctk.ctkCollapsibleButton(), []
        layout = qt.QVBoxLayout(section)
        label, hidden = qt.QLabel("contents"), qt.QLabel("hidden by the panel")
        layout.addWidget(label)
        layout.addWidget(hidden)
        hidden.setVisible(False)
        section.connect("contentsCollapsed(bool)", seen.append)
        section.show()
        height = section.sizeHint.height()
        section.collapsed = True
        assert not label.visible and not section.checked and section.sizeHint.height() < height
        section.click()
        assert label.visible and not hidden.visible and not section.collapsed
        assert seen == [True, False]

    def test_what_is_shown_in_a_collapsed_part_is_seen_once_it_is_open(self, demo):
        root, ui = demo
        root.show()
        assert not ui.activitySlider.visible and not ui.limitsTable.visible and ui.doseButton.collapsed
        ui.activitySlider.visible = True
        assert not ui.activitySlider.visible
        ui.limitsTable.visible = False
        ui.doseButton.collapsed = False
        assert ui.activitySlider.visible and not ui.limitsTable.visible
        ui.limitsTable.visible = True
        ui.activitySlider.visible = False
        ui.doseButton.collapsed = True
        assert not ui.limitsTable.visible
        ui.doseButton.collapsed = False
        assert ui.limitsTable.visible and not ui.activitySlider.visible

    def test_only_what_python_can_call_in_slicer_can_be_called(self, ctk):
        for widget, name in ((ctk.ctkCollapsibleButton(), "setCollapsed"), (ctk.ctkSliderWidget(), "setRange")):
            with pytest.raises(AttributeError, match=name):
                getattr(widget, name)

    def test_a_slider_without_tracking_tells_its_value_when_it_is_released(self, ctk):
        from pythonqt_proxies import unwrap

        slider, changing, changed = ctk.ctkSliderWidget(), [], []
        slider.maximum = 10.0
        slider.tracking = False
        slider.connect("valueIsChanging(double)", changing.append)
        slider.connect("valueChanged(double)", changed.append)
        handle = unwrap(slider)._slider
        handle.setSliderDown(True)
        handle.setSliderPosition(500)
        assert (slider.value, changing, changed) == (5.0, [5.0], [])
        handle.setSliderDown(False)
        assert changed == [5.0]
        slider.setValue(7.0)
        assert changed == [5.0, 7.0] and handle.value() == 700

    def test_a_spin_box_keeps_its_bounds_and_decimals(self, ctk):
        box = ctk.ctkDoubleSpinBox()
        box.decimals, box.maximum = 1, 5.0
        box.value = 9.0
        assert box.value == 5.0 and box.cleanText == "5.0"

    def test_items_of_a_checkable_combo_box_are_checked_one_by_one(self, qt, ctk):
        box, seen = ctk.ctkCheckableComboBox(), []
        box.addItem("left")
        box.addItem("right")
        box.connect("checkedIndexesChanged()", lambda: seen.append(len(box.checkedIndexes())))
        box.setCheckState(box.model().index(1, 0), qt.Qt.Checked)
        assert seen == [1] and box.checkedIndexes()[0].row() == 1 and not box.allChecked()

    def test_a_path_and_a_folder(self, ctk):
        line, button, seen = ctk.ctkPathLineEdit(), ctk.ctkDirectoryButton(), []
        line.connect("currentPathChanged(QString)", seen.append)
        button.connect("directoryChanged(QString)", seen.append)
        line.filters = ctk.ctkPathLineEdit.Files
        line.currentPath, button.directory = "case.toml", "out"
        assert seen == ["case.toml", "out"] and line.currentPath == "case.toml"


class TestNodeComboBox:
    @pytest.fixture
    def selector(self, qt_app, scene):
        selector = slicer.qMRMLNodeComboBox()
        selector.nodeTypes = ["vtkMRMLScalarVolumeNode"]
        return selector

    def test_it_is_disabled_and_empty_without_a_scene(self, selector, scene):
        _volume()
        assert not selector.enabled and selector.nodeCount() == 0
        selector.setMRMLScene(scene)
        assert selector.enabled and selector.nodeCount() == 1

    def test_a_node_chosen_before_the_scene_is_chosen_with_it(self, selector, scene):
        _volume("A")
        node = _volume("B")
        selector.setCurrentNode(node)
        selector.setMRMLScene(scene)
        assert selector.currentNode() is node

    def test_it_lists_nodes_that_pass_its_filters(self, selector, scene):
        selector.setMRMLScene(scene)
        ct, labels = _volume("CT"), scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")
        assert selector.nodeCount() == 2
        selector.showChildNodeTypes = False
        assert selector.nodeCount() == 1
        selector.showChildNodeTypes = True
        selector.hideChildNodeTypes = ["vtkMRMLLabelMapVolumeNode"]
        assert selector.nodeCount() == 1
        selector.hideChildNodeTypes = []
        ct.SetHideFromEditors(True)
        assert selector.nodeFromIndex(0) is labels and selector.nodeCount() == 1
        selector.showHidden = True
        selector.addAttribute("vtkMRMLScalarVolumeNode", "DicomRtImport.DoseVolume", "1")
        assert selector.nodeCount() == 0
        ct.SetAttribute("DicomRtImport.DoseVolume", "1")
        assert selector.nodeFromIndex(0) is ct

    def test_with_none_the_choice_stays_none(self, selector, scene):
        selector.noneEnabled = True
        selector.setMRMLScene(scene)
        _volume()
        assert selector.currentNode() is None and selector.currentNodeID == ""

    def test_without_none_and_actions_the_first_node_is_taken(self, selector, scene):
        selector.addEnabled = selector.removeEnabled = False
        selector.setMRMLScene(scene)
        node = _volume()
        assert selector.currentNode() is node

    def test_its_signals_come_in_the_order_of_slicer(self, selector, scene):
        selector.noneEnabled = True
        selector.setMRMLScene(scene)
        node, seen = _volume(), []
        for signal in ("currentNodeChanged(vtkMRMLNode*)", "currentNodeChanged(bool)", "currentNodeIDChanged(QString)"):
            selector.connect(signal, seen.append)
        selector.setCurrentNode(node)
        selector.setCurrentNode(node)
        selector.setCurrentNode(None)
        assert seen == [node, True, node.GetID(), None, False, ""]

    def test_a_new_name_is_shown_and_a_removed_node_goes(self, selector, scene):
        selector.noneEnabled = True
        selector.setMRMLScene(scene)
        node = _volume()
        selector.currentNodeID = node.GetID()
        scene.RemoveNode(node)
        assert selector.currentNode() is None and selector.nodeCount() == 0

    def test_a_new_node_gets_base_name_and_attribute(self, selector, scene):
        selector.setMRMLScene(scene)
        selector.baseName = "Dose"
        selector.addAttribute("vtkMRMLScalarVolumeNode", "DicomRtImport.DoseVolume", "1")
        seen = []
        selector.connect("nodeAddedByUser(vtkMRMLNode*)", seen.append)
        node = selector.addNode()
        assert seen == [node] and selector.currentNode() is node
        assert node.GetName() == "Dose" and node.GetAttribute("DicomRtImport.DoseVolume") == "1"

    def test_closing_the_scene_empties_it(self, selector, scene):
        selector.setMRMLScene(scene)
        selector.setCurrentNode(_volume())
        scene.Clear(False)
        assert selector.currentNode() is None and selector.nodeCount() == 0


class TestSegmentsAndTables:
    def test_segments_follow_the_node(self, qt_app, scene):
        view, node, seen = slicer.qMRMLSegmentsTableView(), _segmentation(scene, "Liver", "Tumor"), []
        view.connect("selectionChanged(QItemSelection,QItemSelection)", lambda: seen.append(view.selectedSegmentIDs()))
        view.setSegmentationNode(node)
        assert view.segmentCount == 2
        view.setSelectedSegmentIDs(["tumor"])
        assert seen[-1] == ["tumor"]
        node.GetSegmentation().AddEmptySegment("lungs", "Lungs")
        assert view.displayedSegmentIDs() == ["liver", "tumor", "lungs"] and view.selectedSegmentIDs() == ["tumor"]
        view.tableWidget().item(0, 3).setText("Whole liver")
        assert node.GetSegmentation().GetSegment("liver").GetName() == "Whole liver"

    def test_a_segment_is_chosen_of_the_chosen_node(self, qt_app, scene):
        selector, seen = slicer.qMRMLSegmentSelectorWidget(), []
        selector.connect("currentSegmentChanged(QString)", seen.append)
        selector.setMRMLScene(scene)
        selector.setCurrentNode(_segmentation(scene, "Liver", "Tumor"))
        selector.setCurrentSegmentID("tumor")
        assert seen[-1] == "tumor" == selector.currentSegmentID()
        selector.multiSelection = True
        selector.setSelectedSegmentIDs(["liver", "tumor"])
        assert selector.selectedSegmentIDs() == ["liver", "tumor"]

    def test_a_table_view_shows_the_node_and_writes_back(self, qt_app, scene):
        import vtk

        node, view = scene.AddNewNodeByClass("vtkMRMLTableNode", "Limits"), slicer.qMRMLTableView()
        for name in ("Limit", "Gy"):
            column = vtk.vtkStringArray()
            column.SetName(name)
            column.InsertNextValue("lungs" if name == "Limit" else "30")
            node.AddColumn(column)
        view.setMRMLTableNode(node)
        model = view.tableModel()
        assert (model.rowCount(), model.index(0, 1).data()) == (2, "Gy")
        view.setFirstRowLocked(True)
        assert (model.rowCount(), model.index(0, 1).data()) == (1, "30")
        model.setData(model.index(0, 1), "25")
        assert node.GetCellText(0, 1) == "25"


class TestUiFiles:
    def test_selectors_get_the_scene_along_the_connections(self, demo):
        _root, ui = demo
        node = _volume()
        assert ui.ctSelector.currentNode() is node

    def test_without_the_connection_a_selector_stays_empty(self, qt_app, scene, tmp_path):
        path = tmp_path / "Broken.ui"
        path.write_text(_UI.replace("<receiver>ctSelector", "<receiver>segmentsTable", 1), encoding="utf-8")
        root = slicer.util.loadUI(str(path))
        root.setMRMLScene(scene)
        _volume()
        assert slicer.util.childWidgetVariables(root).ctSelector.nodeCount() == 0

    def test_properties_and_connections_of_the_file_are_in_force(self, demo):
        _root, ui = demo
        assert (ui.activitySlider.value, ui.activitySlider.suffix, ui.doseButton.collapsed) == (2.5, " GBq", True)
        ui.showBox.checked = False
        assert not ui.planButton.enabled and ui.activitySlider.isHidden()

    def test_an_empty_layout_is_not_among_the_named_children(self, qt_app, tmp_path):
        """``slicer.util.findChildren`` leaves out what is false."""
        path = tmp_path / "Layouts.ui"
        empty = 'name="demoLayout"><item><layout class="QVBoxLayout" name="emptyLayout"/></item>'
        path.write_text(_UI.replace('name="demoLayout">', empty), encoding="utf-8")
        ui = slicer.util.childWidgetVariables(slicer.util.loadUI(str(path)))
        assert hasattr(ui, "demoLayout") and hasattr(ui, "inputsLayout") and not hasattr(ui, "emptyLayout")
        assert not hasattr(ui, "doseLayout")  # all that is in it is hidden

    def test_a_class_without_stand_in_is_refused(self, qt_app, tmp_path):
        path = tmp_path / "Foreign.ui"
        path.write_text(_UI.replace("ctkSliderWidget", "ctkRangeWidget"), encoding="utf-8")
        with pytest.raises(LookupError, match="ctkRangeWidget"):
            slicer.util.loadUI(str(path))

    def test_a_panel_runs_and_is_photographed(self, demo, scene, qt_app, tmp_path):
        root, ui = demo
        _volume("CT of the liver")
        ui.segmentsTable.setSegmentationNode(_segmentation(scene, "Liver", "Tumor"))
        ui.doseButton.collapsed = False
        root.resize(420, 620)
        root.show()
        qt_app.processEvents()
        path = Path(tmp_path) / "panel.png"
        assert root.grab().save(str(path))
        pixels = _pixels(path)
        assert pixels.shape[:2] == (620, 420)
        assert len(np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0)) > 50  # text and frames were drawn


def _pixels(path: Path) -> np.ndarray:
    from matplotlib.image import imread

    return np.round(imread(path) * 255).astype(np.uint8)
