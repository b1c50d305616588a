"""A plan as files: complete and consistent, in the place of an earlier export, or not at all."""

from __future__ import annotations

import csv
import errno
import json
import os
import types
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import slicer_headless

from radioembolization.errors import ImageError, InputError, PlanFileError
from radioembolization.files import read_plan
from radioembolization.files.image_file import read_volume
from radioembolization.files.planning_images import read_planning_images
from radioembolization.files.planning_series import write_planning_images
from radioembolization.files.rtdose import read_rtdose
from radioembolization.images import Unit, Volume
from small_case import small_inputs

slicer_headless.require_slicer()
import slicer  # noqa: E402
import slicer_module_standins  # noqa: E402

slicer_module_standins.install()
from plan_cases import AT, by_hand, contents, put  # noqa: E402

from RadioembolizationPlannerLib import export, plans  # noqa: E402
from RadioembolizationPlannerLib.approval import approve, plan_digest  # noqa: E402
from RadioembolizationPlannerLib.errors import NewerScene, PlanChanged  # noqa: E402
from RadioembolizationPlannerLib.export import export_plan, planning_images_of  # noqa: E402
from RadioembolizationPlannerLib.plan_record import PLAN_ATTRIBUTE, record_of  # noqa: E402
from RadioembolizationPlannerLib.publish import publish_volume  # noqa: E402
from RadioembolizationPlannerLib.scene import volume_from_node  # noqa: E402

pytestmark = pytest.mark.slicer

ALWAYS = {"plan.json", "record.json", "dose.nrrd", "dose.nii.gz", "rtdose.dcm", "report.html"}
TABLES = {"injections.csv", "limits.csv", "doses.csv", "notices.csv", "dvh.csv"}
STUDY, FRAME = "StudyInstanceUID", "FrameOfReferenceUID"


@pytest.fixture
def plan(scene):
    return put(scene, "mine")


@pytest.fixture
def ct(scene):
    return publish_volume(scene, small_inputs().ct, "CT")


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def _bytes(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _dicom(path: Path):
    import pydicom

    return pydicom.dcmread(path)


def _rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


# -- what is written ------------------------------------------------------------------------------------------------


def test_every_file_is_there_and_named(plan, ct, tmp_path):
    files = export_plan(plan, tmp_path / "new" / "folder", AT, ct)
    folder = tmp_path / "new" / "folder"
    assert _names(folder) == ALWAYS | TABLES | {"planning_images"}
    assert {path.name for path in files.values()} == _names(folder)
    assert all(path.exists() for path in files.values())


def test_the_plan_file_is_the_text_and_can_be_read(plan, tmp_path):
    files = export_plan(plan, tmp_path, AT)
    assert files["plan"].read_text(encoding="utf-8") == plan.GetText()
    assert read_plan(files["plan"]).name == "small case"
    assert files["report"].read_text(encoding="utf-8") == "<p>report</p>"


def test_the_record_says_all_that_is_known(plan, tmp_path):
    approve(plan, "A. Physicist", AT)
    files = export_plan(plan, tmp_path, AT)
    stated = json.loads(files["record"].read_text(encoding="utf-8"))
    assert stated["approval"] == {"by": "A. Physicist", "at": AT.isoformat(), "digest": plan_digest(plan)}
    assert stated["inputs"] == dict(record_of(plan).inputs) and stated["stale"] == []
    assert stated["notice"] == "Research use only; not a medical device."
    assert set(stated["files"]) == _names(tmp_path)


def test_every_dose_is_that_of_the_scene_in_its_place(plan, tmp_path):
    files = export_plan(plan, tmp_path, AT)
    dose = volume_from_node(plans.node_of(plan, plans.DOSE), Unit.GY)
    for what in ("dose", "dose (NIfTI)"):
        found = read_volume(files[what], Unit.GY)
        assert np.array_equal(found.array, dose.array)
        assert found.grid.origin_mm == pytest.approx(dose.grid.origin_mm, abs=1e-4)
        assert found.grid.spacing_mm == pytest.approx(dose.grid.spacing_mm, abs=1e-5)
    found = read_rtdose(files["RT Dose"])
    assert found.grid.shape == dose.grid.shape
    assert found.grid.origin_mm == pytest.approx(dose.grid.origin_mm, abs=1e-6)
    assert np.abs(found.array - dose.array).max() < 1e-6 * dose.array.max()


def test_a_dose_under_a_transform_is_written_where_it_is_shown(plan, scene, tmp_path):
    before = volume_from_node(plans.node_of(plan, plans.DOSE), Unit.GY).grid.origin_mm
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    shift = np.eye(4)
    shift[:3, 3] = (10.0, -20.0, 30.0)  # RAS
    slicer.util.updateTransformMatrixFromArray(transform, shift)
    plans.node_of(plan, plans.DOSE).SetAndObserveTransformNodeID(transform.GetID())
    files = export_plan(plan, tmp_path, AT)
    for found in (read_rtdose(files["RT Dose"]), read_volume(files["dose"], Unit.GY)):
        assert np.subtract(found.grid.origin_mm, before) == pytest.approx([-10.0, 20.0, 30.0], abs=1e-4)


def test_the_tables_are_those_of_the_scene(plan, tmp_path):
    files = export_plan(plan, tmp_path, AT)
    curves = plans.node_of(plan, plans.CURVES)
    rows = _rows(files["dvh"])
    assert rows[0] == [curves.GetColumnName(k) for k in range(curves.GetNumberOfColumns())]
    assert len(rows) - 1 == curves.GetNumberOfRows()
    table = np.array(rows[1:], dtype=float)
    for column, name in enumerate(rows[0]):
        assert np.array_equal(table[:, column], slicer.util.arrayFromTableColumn(curves, name))
    stated = read_plan(files["plan"]).plan
    injections = {row[0]: float(row[1]) for row in _rows(files["injections"])[1:]}
    assert injections == {site.name: pytest.approx(site.activity_gbq) for site in stated.sites}
    assert [row[0] for row in _rows(files["limits"])[1:]] == [limit.name for limit in stated.limits]
    means = {row[0]: float(row[2]) for row in _rows(files["doses"])[1:]}
    assert means == {s.name: pytest.approx(s.mean_gy, abs=0.0051) for s in stated.structures}  # to a hundredth


def test_names_with_commas_quotes_and_line_breaks_stay_one_cell(scene, tmp_path):
    table = scene.AddNewNodeByClass("vtkMRMLTableNode", "t")
    import vtk

    column = vtk.vtkStringArray()
    column.SetName('a "name", quoted')
    column.InsertNextValue("first\nsecond; third, fourth")
    table.AddColumn(column)
    (tmp_path / "t.csv").write_text(export.csv_text(table), encoding="utf-8", newline="")
    assert _rows(tmp_path / "t.csv") == [['a "name", quoted'], ["first\nsecond; third, fourth"]]


def test_what_a_plan_does_not_have_is_not_written(scene, tmp_path):
    plan = put(scene, report="")
    scene.RemoveNode(plans.node_of(plan, plans.NOTICES))
    files = export_plan(plan, tmp_path, AT)
    assert _names(tmp_path) == (ALWAYS | TABLES) - {"report.html", "notices.csv"}
    assert "report" not in files and "notices" not in files


def test_exporting_changes_nothing_in_the_scene(plan, ct, scene, tmp_path):
    before = contents(scene)
    export_plan(plan, tmp_path, AT, ct)
    assert contents(scene) == before


# -- DICOM ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def series(scene, tmp_path, monkeypatch):
    """A CT that was loaded from DICOM: its node, its files, and the database that knows them."""
    images = write_planning_images(small_inputs().ct, tmp_path / "pacs", patient_name="A^B", patient_id="7")
    files = {str(_dicom(path).SOPInstanceUID): str(path) for path in (tmp_path / "pacs").iterdir()}
    database = types.SimpleNamespace(fileForInstance=lambda uid: files.get(uid, ""))
    monkeypatch.setattr(slicer, "dicomDatabase", database, raising=False)
    node = publish_volume(scene, small_inputs().ct, "CT of the hospital")
    node.SetAttribute("DICOM.instanceUIDs", " ".join(images.instance_uids))
    return types.SimpleNamespace(node=node, images=images, files=files)


def test_plans_on_a_dicom_image_land_in_its_study(scene, series, tmp_path):
    first, second = put(scene), put(scene, "", by_hand(0.0, 0.2, 0.2))
    exports = [
        export_plan(plan, tmp_path / plan.GetName(), AT + timedelta(days=days), series.node)
        for days, plan in enumerate((first, second))
    ]
    found = [_dicom(files["RT Dose"]) for files in exports]
    assert [dataset[STUDY].value for dataset in found] == [series.images.identity[STUDY]] * 2
    assert [dataset[FRAME].value for dataset in found] == [series.images.identity[FRAME]] * 2
    assert {(str(dataset.PatientID), str(dataset.PatientName)) for dataset in found} == {("7", "A^B")}
    assert found[0].SOPInstanceUID != found[1].SOPInstanceUID
    assert all("planning images" not in files for files in exports)


def test_plans_on_an_image_from_elsewhere_land_in_one_study_too(scene, ct, tmp_path):
    plans_made = (put(scene), put(scene, "", by_hand(0.0, 0.2, 0.2)))
    exports = [
        export_plan(plan, tmp_path / plan.GetName(), AT + timedelta(days=days), ct)
        for days, plan in enumerate(plans_made)
    ]
    studies = {_dicom(files["RT Dose"])[STUDY].value for files in exports}
    images = [read_planning_images(files["planning images"]) for files in exports]
    assert studies == {images[0].identity[STUDY]} == {images[1].identity[STUDY]}
    assert str(_dicom(exports[0]["RT Dose"]).PatientID) == "small case"
    assert images[0].grid.shape == small_inputs().ct.grid.shape


@pytest.mark.parametrize("moved", ["parent transform", "hardened transform"])
def test_a_moved_dicom_image_is_not_the_series_any_more(plan, scene, series, tmp_path, moved):
    """The dose lies where the moved image does; in the frame of the series it would be 30 mm off."""
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "registration")
    shift = np.eye(4)
    shift[2, 3] = 30.0
    slicer.util.updateTransformMatrixFromArray(transform, shift)
    series.node.SetAndObserveTransformNodeID(transform.GetID())
    if moved == "hardened transform":
        series.node.HardenTransform()
    files = export_plan(plan, tmp_path / "out", AT, series.node)
    assert _dicom(files["RT Dose"])[FRAME].value != series.images.identity[FRAME]
    written = read_planning_images(files["planning images"]).grid
    assert written.origin_mm[2] == pytest.approx(series.images.grid.origin_mm[2] + 30.0)


def test_a_dicom_image_in_its_place_is_the_series(series):
    assert planning_images_of(series.node).series_uid == series.images.series_uid


def test_a_dicom_image_whose_axes_slicer_turned_is_the_series(scene, series):
    turned = Volume(
        series_array := small_inputs().ct.array[::-1],
        replace(
            small_inputs().ct.grid,
            origin_mm=(*small_inputs().ct.grid.origin_mm[:2], small_inputs().ct.grid.origin_mm[2] + 4.0 * 35),
            direction=(1.0, 0, 0, 0, 1.0, 0, 0, 0, -1.0),
        ),
        Unit.HU,
    )
    assert series_array.shape[0] == 36
    node = publish_volume(scene, turned, "turned")
    node.SetAttribute("DICOM.instanceUIDs", series.node.GetAttribute("DICOM.instanceUIDs"))
    assert planning_images_of(node).series_uid == series.images.series_uid


@pytest.mark.parametrize("fault", ["unknown to the database", "file deleted", "no database"])
def test_a_series_that_cannot_be_found_is_written_anew(plan, series, tmp_path, monkeypatch, fault):
    uid, path = next(iter(series.files.items()))
    if fault == "unknown to the database":
        del series.files[uid]
    elif fault == "file deleted":
        os.remove(path)
    else:
        monkeypatch.delattr(slicer, "dicomDatabase")
    files = export_plan(plan, tmp_path / "out", AT, series.node)
    assert _dicom(files["RT Dose"])[STUDY].value != series.images.identity[STUDY]
    assert files["planning images"].is_dir()


def test_a_scout_with_ripple_below_zero_is_written(plan, scene, tmp_path):
    array = small_inputs().scout.array.copy()
    array[0, 0, 0] = -0.5
    scout = publish_volume(scene, Volume(array, small_inputs().scout.grid, Unit.COUNTS), "scout")
    files = export_plan(plan, tmp_path, AT, scout, Unit.COUNTS)
    assert len(list(files["planning images"].iterdir())) == 1


def test_long_names_are_cut_for_dicom(scene, ct, tmp_path):
    inputs = small_inputs(name="case " * 30)
    treatment = by_hand()
    case = replace(treatment.case, inputs=inputs)
    files = export_plan(put(scene, "plan " * 30, replace(treatment, case=case)), tmp_path, AT, ct)
    assert len(_dicom(files["RT Dose"]).PatientID) <= 64


# -- where there is something already ----------------------------------------------------------------------------


def test_other_files_of_the_folder_stay(plan, ct, tmp_path):
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "sub").mkdir()
    for _ in range(2):
        export_plan(plan, tmp_path, AT, ct)
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "mine"
    assert _names(tmp_path) == ALWAYS | TABLES | {"planning_images", "notes.txt", "sub"}


def test_nothing_of_an_earlier_plan_is_left_among_the_files_of_another(scene, ct, tmp_path):
    export_plan(put(scene), tmp_path, AT, ct)
    other = put(scene, "other", by_hand(0.0, 0.2, 0.2), report="")
    export_plan(other, tmp_path, AT)
    assert _names(tmp_path) == (ALWAYS | TABLES) - {"report.html"}
    assert (tmp_path / "plan.json").read_text(encoding="utf-8") == other.GetText()


@pytest.mark.parametrize("name", ["plan.json", "report.html", "planning_images"])
def test_files_of_the_user_with_our_names_are_not_overwritten(plan, ct, tmp_path, name):
    if name == "planning_images":
        (tmp_path / name).mkdir()
        (tmp_path / name / "keep.txt").write_text("mine", encoding="utf-8")
    else:
        (tmp_path / name).write_text("mine", encoding="utf-8")
    before = _bytes(tmp_path)
    with pytest.raises(InputError, match=f"of no exported plan .*{name}.*choose an empty folder"):
        export_plan(plan, tmp_path, AT, ct)
    assert _bytes(tmp_path) == before


@pytest.mark.parametrize("record", ["{", "[]", '{"files": ["plan.json"]}', '{"notice": "x", "files": 5}'])
def test_a_record_of_something_else_makes_no_file_ours(plan, tmp_path, record):
    (tmp_path / "record.json").write_text(record, encoding="utf-8")
    (tmp_path / "plan.json").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match=r"plan\.json"):
        export_plan(plan, tmp_path, AT)
    assert (tmp_path / "plan.json").read_text(encoding="utf-8") == "mine"


def test_a_record_cannot_name_files_elsewhere(plan, tmp_path):
    outside = tmp_path / "outside.txt"
    outside.write_text("mine", encoding="utf-8")
    folder = tmp_path / "out"
    export_plan(plan, folder, AT)
    record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    record["files"].append("../outside.txt")
    (folder / "record.json").write_text(json.dumps(record), encoding="utf-8")
    export_plan(plan, folder, AT)
    assert outside.exists()


# -- what goes wrong ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("deep", [False, True])
def test_a_file_in_the_place_of_the_folder(plan, tmp_path, deep):
    (tmp_path / "taken").write_text("mine", encoding="utf-8")
    folder = tmp_path / "taken" / "deeper" if deep else tmp_path / "taken"
    with pytest.raises(InputError, match=r"cannot be written to.*Choose another folder"):
        export_plan(plan, folder, AT)
    assert _names(tmp_path) == {"taken"}


_FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _fails(*_args: object, **_more: object) -> None:
    raise _FULL


@pytest.mark.parametrize("step", ["_write", "write_volume", "write_planning_images", "write_rtdose", "_write_record"])
@pytest.mark.parametrize("earlier", [False, True])
def test_a_full_disk_leaves_what_was_there(scene, ct, tmp_path, monkeypatch, step, earlier):
    folder = tmp_path / "out"
    if earlier:
        export_plan(put(scene, "", by_hand(0.0, 0.2, 0.2)), folder, AT, ct)
    before = _bytes(tmp_path)
    monkeypatch.setattr(export, step, _fails)
    with pytest.raises(InputError, match=r"'mine' could not be written to .*No space left.*free space"):
        export_plan(put(scene, "mine"), folder, AT, ct)
    assert _bytes(tmp_path) == before
    assert folder.exists() == earlier


def test_simpleitk_fails_in_its_own_way(plan, tmp_path, monkeypatch):
    def fail(*_args: object) -> None:
        raise RuntimeError("sitk::ERROR: no space")

    monkeypatch.setattr(export, "write_volume", fail)
    with pytest.raises(InputError, match="sitk::ERROR: no space"):
        export_plan(plan, tmp_path, AT)
    assert _names(tmp_path) == set()


@pytest.mark.parametrize(
    "after", [0, 13, 23, *(pytest.param(after, marks=pytest.mark.exhaustive) for after in (1, 5, 12, 17))]
)
def test_a_failure_amid_the_exchange_leaves_the_earlier_export_whole(scene, ct, tmp_path, monkeypatch, after):
    """12 files move out and 12 in; on Windows a file that is open in another program does not move."""
    export_plan(put(scene, "", by_hand(0.0, 0.2, 0.2)), tmp_path, AT, ct)
    before, real, count = _bytes(tmp_path), os.replace, 0

    def sometimes(source: Path, target: Path) -> None:
        nonlocal count
        if ".partial-" in str(source) and ".partial-" in str(target):
            return real(source, target)  # each file is written aside, too
        count += 1
        if count == after + 1:
            raise PermissionError(errno.EACCES, "used by another program", str(source))
        return real(source, target)

    monkeypatch.setattr(os, "replace", sometimes)
    with pytest.raises(InputError, match=r"used by another program.*close the files"):
        export_plan(put(scene, "mine"), tmp_path, AT, ct)
    monkeypatch.undo()
    assert _bytes(tmp_path) == before


@pytest.mark.parametrize(
    ("fault", "error"),
    [("no dose", PlanChanged), ("no numbers", ImageError), ("newer", NewerScene), ("no text", PlanFileError)],
)
def test_a_plan_that_is_not_whole_is_not_exported(plan, scene, tmp_path, fault, error):
    dose = plans.node_of(plan, plans.DOSE)
    if fault == "no dose":
        scene.RemoveNode(dose)
    elif fault == "no numbers":
        slicer.util.arrayFromVolume(dose)[0, 0, 0] = np.nan
    elif fault == "newer":
        plan.SetAttribute(PLAN_ATTRIBUTE, "2")
    else:
        plan.SetText("")
    before = contents(scene)
    with pytest.raises(error):
        export_plan(plan, tmp_path / "out", AT)
    assert _names(tmp_path) == set() and contents(scene) == before


def test_a_plan_changed_after_its_approval_is_exported_without_it(plan, tmp_path):
    approve(plan, "A. Physicist", AT)
    dose = plans.node_of(plan, plans.DOSE)
    slicer.util.arrayFromVolume(dose)[10, 10, 10] += 1.0
    files = export_plan(plan, tmp_path, AT)
    stated = json.loads(files["record"].read_text(encoding="utf-8"))
    assert stated["approval"] is None and "revoked" in stated["history"][-1]
    assert record_of(plan).approval is None
