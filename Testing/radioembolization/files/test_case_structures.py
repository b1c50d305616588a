"""Structures a case file leaves open are recognised and told; entries win; what is unclear is a question."""

import json
import re

import numpy as np
import pytest
import SimpleITK as sitk

from contour_files import circle, write_rtstruct
from dicom_images import write_series
from radioembolization.cli import main
from radioembolization.errors import CaseFileError, FrameOfReferenceMismatch, StructureError, UnnamedLabels
from radioembolization.files import read_case, read_segmentation, write_case, write_segmentation
from radioembolization.structures import Role, terminology
from radioembolization.treatment import prepare
from small_case import GRID, RATIOS, small_inputs


@pytest.fixture
def case(tmp_path):
    """Return a case file, and a function that reads it with other lines under ``[structures]``."""
    path = write_case(small_inputs(tumour_to_normal=RATIOS), tmp_path)
    text = path.read_text(encoding="utf-8")
    start = re.search(r"^\[structures\]\n", text, re.MULTILINE).end()
    end = text.index("\n[grid]")

    def read(lines):
        path.write_text(text[:start] + lines + "\n" + text[end:], encoding="utf-8")
        return read_case(path)

    return path, read


def renamed(folder, names, kinds=None):
    """Write the segments of the case again under other names."""
    old = read_segmentation(folder / "segmentation.seg.nrrd")
    masks = {names.get(name, name): old.mask(name).mask for name in old.names}
    write_segmentation(masks, GRID, folder / "segmentation.seg.nrrd", kinds)
    return masks


def roles(inputs):
    return {s.name: s.role for s in inputs.structures}


def test_all_is_recognised_told_and_kept_with_the_plan(case):
    path, _ = case
    renamed(path.parent, {"liver": "Leber", "A": "Tumor 10", "B": "Tumor 2", "C": "Läsion"})
    inputs = _without_ratios(path, 'file = "segmentation.seg.nrrd"')
    assert list(roles(inputs).items())[:4] == [
        ("liver", Role.LIVER),
        ("Läsion", Role.TUMOUR),
        ("Tumor 2", Role.TUMOUR),
        ("Tumor 10", Role.TUMOUR),
    ]
    (notice,) = [n for n in inputs.notices if n.name == "StructuresRecognised"]
    assert "liver: 'Leber' (by name)" in notice.message and "'Tumor 2' (by name), 'Tumor 10'" in notice.message
    assert notice in prepare(inputs).notices


def _without_ratios(path, lines):
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"^\[structures\]\n.*?\n\n", f"[structures]\n{lines}\n\n", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"^\[tumour_to_normal\]\n.*?\n\n", "", text, flags=re.DOTALL | re.MULTILINE)
    path.write_text(text, encoding="utf-8")
    return read_case(path)


def test_a_decoy_named_liver_loses_to_the_coded_one(case):
    path, _ = case
    masks = renamed(
        path.parent, {"liver": "whole organ", "A": "liver"}, {"whole organ": terminology.LIVER, "B": terminology.TUMOUR}
    )
    inputs = _without_ratios(path, 'file = "segmentation.seg.nrrd"')
    assert roles(inputs) == {"liver": Role.LIVER, "B": Role.TUMOUR} | {
        name: role for name, role in roles(inputs).items() if role is Role.ORGAN
    }
    np.testing.assert_array_equal(inputs.structures[0].source.mask, masks["whole organ"])
    assert "'whole organ' (by code 10200004)" in inputs.notices[0].message


def test_entries_win_and_what_they_name_is_not_recognised_again(case):
    _path, read = case
    inputs = read('file = "segmentation.seg.nrrd"\ntumours = ["A", "B", "C"]\norgans = []')
    assert [name for name, role in roles(inputs).items() if role is Role.TUMOUR] == ["A", "B", "C"]
    assert Role.ORGAN not in roles(inputs).values()
    inputs = read('file = "segmentation.seg.nrrd"\ntumours = { "all" = ["A", "B", "C"] }\nrecognise = true')
    assert roles(inputs)["all"] is Role.TUMOUR and len([r for r in roles(inputs).values() if r is Role.TUMOUR]) == 1


def test_with_a_liver_nothing_else_is_recognised_unless_asked(case):
    path, read = case
    renamed(path.parent, {"A": "tumor A"})
    given = 'file = "segmentation.seg.nrrd"\nliver = "liver"'
    assert roles(read(given)) == {"liver": Role.LIVER} and not read(given).notices
    asked = read(f"{given}\nrecognise = true")
    assert roles(asked)["tumor A"] is Role.TUMOUR


def test_without_a_liver_and_without_recognition_the_entry_is_missing(case):
    with pytest.raises(CaseFileError, match=r"\[structures\] has no entry 'liver'"):
        case[1]('file = "segmentation.seg.nrrd"\nrecognise = false')


def test_two_livers_are_a_question_with_the_line_that_answers_it(case):
    path, read = case
    renamed(path.parent, {"A": "Leber"})
    with pytest.raises(StructureError, match=r"Which of 'liver', 'Leber' is the whole liver\?.*add liver = "):
        read('file = "segmentation.seg.nrrd"')


def test_recognised_but_empty_segments_are_left_out_and_told(case):
    path, _ = case
    masks = renamed(path.parent, {"A": "tumor A", "B": "tumor B"})
    masks["tumor B"] = np.zeros_like(masks["tumor B"])
    write_segmentation(masks, GRID, path.parent / "segmentation.seg.nrrd")
    inputs = _without_ratios(path, 'file = "segmentation.seg.nrrd"')
    assert "tumor A" in roles(inputs) and "tumor B" not in roles(inputs)
    assert "Empty and left out: tumor B" in inputs.notices[0].message


def _label_map(folder):
    old = read_segmentation(folder / "segmentation.seg.nrrd")
    labels = old.mask("liver").mask.astype(np.uint8)
    for value, name in enumerate("ABC", start=2):
        labels[old.mask(name).mask] = value
    image = sitk.GetImageFromArray(labels)
    image.SetOrigin(GRID.origin_mm)
    image.SetSpacing(GRID.spacing_mm[::-1])
    sitk.WriteImage(image, str(folder / "labels.nii.gz"))
    return labels


def test_an_unnamed_label_map_leads_to_a_question_with_the_lines_to_add(case, capsys):
    path, read = case
    labels = _label_map(path.parent)
    with pytest.raises(UnnamedLabels) as caught:
        read('file = "labels.nii.gz"')
    message = str(caught.value)
    assert f'"label 3" = 3    # {np.sum(labels == 3) * 0.064:.1f} mL, mean ' in message and " HU" in message
    assert main(["check", str(path), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"] == "UnnamedLabels"
    lines = message[message.index("[structures.labels]") :]
    for value, name in {1: "liver", 2: "tumour 1", 3: "tumour 2", 4: "tumour 3"}.items():
        lines = lines.replace(f'"label {value}"', f'"{name}"')
    with pytest.raises(StructureError, match="territory"):  # sites name segments of the other file
        read(f'file = "labels.nii.gz"\nliver = [1, 2, 3, 4]\n{lines}')


def test_check_prints_how_structures_were_recognised(case, capsys):
    path, _ = case
    renamed(path.parent, {"A": "tumor A"})
    _without_ratios(path, 'file = "segmentation.seg.nrrd"')
    assert main(["check", str(path)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "StructuresRecognised" in out and "tumor A" in out


def test_images_and_contours_from_dicom(tmp_path):
    """A whole case of DICOM: CT series, RT structure set, territories among its contours."""
    heights = np.arange(0.0, 60.0, 5.0)
    write_series(tmp_path / "ct", [(-40.0, -40.0, z) for z in heights], shape=(40, 54), RescaleIntercept="-1000")
    liver = [circle((0, 0, z), 30.0) for z in heights]
    tumour = [circle((5, 0, z), 8.0) for z in heights[4:8]]
    write_rtstruct(tmp_path / "rs.dcm", {"Leber": liver, "GTV 1": tumour, "perfused": liver})
    text = (
        'name = "dicom"\n[dose]\ndevice = "resin"\n[images]\nct = "ct"\n[structures]\nfile = "rs.dcm"\n'
        '[[sites]]\nname = "whole"\nperfused = "perfused"\nlung_shunt = 0.05\ndistribution = "tumour_to_normal"\n'
        '[tumour_to_normal]\n"GTV 1" = 3.0\n[prescription]\npreset = "resin/unilobar"\n[lungs]\nmass_kg = 1.0\n'
    )
    (tmp_path / "case.toml").write_text(text)
    inputs = read_case(tmp_path / "case.toml")
    assert roles(inputs) == {"liver": Role.LIVER, "GTV 1": Role.TUMOUR}
    assert inputs.ct.grid.shape == (12, 40, 54) and sorted(inputs.hashes) == ["case", "ct", "structures"]
    assert [t.name for t in prepare(inputs).structures.tumours] == ["GTV 1"]
    write_rtstruct(tmp_path / "rs.dcm", {"Leber": liver}, frame="2.25.77")
    with pytest.raises(FrameOfReferenceMismatch):
        read_case(tmp_path / "case.toml")


def test_a_series_is_chosen_in_the_case_file(case):
    path, _read = case
    for series in ("2.25.3", "2.25.4"):
        write_series(path.parent / "ct", [(0, 0, 0), (0, 0, 5.0)], series=series)
    text = path.read_text(encoding="utf-8").replace('ct = "ct.nrrd"', 'ct = "ct"\nct_series = "2.25.4"')
    path.write_text(text, encoding="utf-8")
    assert read_case(path).ct.grid.shape == (2, 3, 4)
