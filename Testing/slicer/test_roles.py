"""Roles proposed for segments: terminology before names, no guess where there is a choice."""

from __future__ import annotations

import pytest
import slicer_headless

from radioembolization.structures import Role
from radioembolization.structures.name_words import role_of_name

slicer_headless.require_slicer()
import slicer  # noqa: E402

from RadioembolizationPlannerLib.roles import proposed_roles, type_code  # noqa: E402

pytestmark = pytest.mark.slicer

TISSUE, LIVER, SPLEEN = "85756007^Tissue", "10200004^Liver", "78961009^Spleen"


def _terminology(code: str, modifier: str = "^^") -> str:
    return (
        "Segmentation category and type - 3D Slicer General Anatomy list~SCT^123037004^Anatomical Structure"
        f"~SCT^{code}~{modifier}~Anatomic codes - DICOM master list~^^~^^"
    )


def _segmentation(scene, *segments: tuple[str, str]):
    """Make segments of (name, terminology); their IDs are their names."""
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "anatomy")
    for name, terminology in segments:
        node.GetSegmentation().AddEmptySegment(name, name)
        if terminology:
            node.GetSegmentation().GetSegment(name).SetTerminology(terminology)
    return node


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("liver", Role.LIVER),
        ("Liver", Role.LIVER),
        ("whole_liver", Role.LIVER),
        ("liver_vessels", None),
        ("liver_segment_4", None),
        ("left liver lobe", None),
        ("normal liver", None),
        ("Perfused: left", None),
        ("perfused volume", None),
        ("territory of the left artery", None),
        ("Tumor 1", Role.TUMOUR),
        ("tumour_A", Role.TUMOUR),
        ("HCC", Role.TUMOUR),
        ("HCC2", Role.TUMOUR),
        ("GTV_1", Role.TUMOUR),
        ("liver metastasis", Role.TUMOUR),
        ("liver_lesions", Role.TUMOUR),
        ("lesion in segment 7", Role.TUMOUR),
        ("tumor, right lobe", Role.TUMOUR),
        ("liver without tumor", None),
        ("non-tumor liver", None),
        ("liver minus tumor", None),
        ("lungs", Role.LUNGS),
        ("Left lung", Role.LUNGS),
        ("lung_left", Role.LUNGS),
        ("lung_upper_lobe_left", Role.LUNGS),
        ("lung_lower_lobe_left", Role.LUNGS),
        ("lung_upper_lobe_right", Role.LUNGS),
        ("lung_middle_lobe_right", Role.LUNGS),
        ("lung_lower_lobe_right", Role.LUNGS),
        ("lung_vessels", None),
        ("lung_nodules", None),
        ("lung tumor", None),
        ("gallbladder", Role.ORGAN),
        ("gall bladder", Role.ORGAN),
        ("stomach", Role.ORGAN),
        ("kidney_cyst_left", None),
        ("portal_vein_and_splenic_vein", None),
        ("urinary_bladder", None),
        ("Segment_1", None),
        ("", None),
    ],
)
def test_names_of_totalsegmentator_of_the_phantom_and_of_people(name, role):
    assert role_of_name(name) is role


def test_terminology_is_believed_before_names(scene):
    """A segment called liver that is coded as spleen is none."""
    node = _segmentation(scene, ("liver", _terminology(SPLEEN)), ("Segment_1", _terminology(LIVER)))
    assert proposed_roles(node, {})["Segment_1"] is Role.LIVER
    assert proposed_roles(node, {}).get("liver") is not Role.LIVER


def test_a_coded_liver_wins_over_a_named_one(scene):
    node = _segmentation(scene, ("liver", _terminology(TISSUE)), ("Segment_1", _terminology(LIVER)))
    assert proposed_roles(node, {}) == {"Segment_1": Role.LIVER}


@pytest.mark.parametrize("terminology", ["", _terminology(TISSUE), "x~^^~SRT^T-D0050^Tissue", "broken"])
def test_without_a_telling_terminology_the_name_counts(scene, terminology):
    assert proposed_roles(_segmentation(scene, ("liver", terminology)), {}) == {"liver": Role.LIVER}


@pytest.mark.parametrize("terminology", [_terminology(TISSUE), _terminology(LIVER)])
def test_of_several_livers_none_is_proposed(scene, terminology):
    node = _segmentation(scene, ("liver", terminology), ("Liver", terminology), ("tumor", ""))
    assert proposed_roles(node, {}) == {"tumor": Role.TUMOUR}


def test_the_liver_that_was_chosen_stays_the_only_one(scene):
    node = _segmentation(scene, ("liver", ""), ("Segment_1", ""), ("tumor", ""))
    found = proposed_roles(node, {"Segment_1": Role.LIVER})
    assert found == {"Segment_1": Role.LIVER, "tumor": Role.TUMOUR}


def test_what_was_chosen_is_kept_and_what_is_gone_is_not(scene):
    node = _segmentation(scene, ("tumor", ""), ("stomach", ""))
    found = proposed_roles(node, {"tumor": Role.ORGAN, "deleted": Role.LIVER})
    assert found == {"tumor": Role.ORGAN, "stomach": Role.ORGAN}


@pytest.mark.parametrize(
    ("code", "role"),
    [
        ("10200004^Liver", Role.LIVER),
        ("39607008^Lung", Role.LUNGS),
        ("45653009^Upper lobe of lung", Role.LUNGS),
        ("90572001^Lower lobe of lung", Role.LUNGS),
        ("72481006^Middle lobe of right lung", Role.LUNGS),
        ("28231008^Gallbladder", Role.ORGAN),
        ("86049000^Neoplasm, Primary", Role.TUMOUR),
        ("14799000^Neoplasm, Secondary", Role.TUMOUR),
        ("52988006^Lesion", Role.TUMOUR),
        ("10024003^Base of lung", None),
    ],
)
def test_codes_as_totalsegmentator_and_the_segment_editor_write_them(scene, code, role):
    node = _segmentation(scene, ("Segment_1", _terminology(code, "SCT^7771000^Left")))
    assert proposed_roles(node, {}) == ({} if role is None else {"Segment_1": role})


def test_roles_come_in_the_order_of_the_segments(scene):
    node = _segmentation(scene, ("tumor", ""), ("gallbladder", ""), ("liver", _terminology(LIVER)))
    assert list(proposed_roles(node, {})) == ["tumor", "gallbladder", "liver"]


def test_the_type_is_the_third_field(scene):
    segment = slicer.vtkSegment()
    assert type_code(segment) == "85756007"  # Slicer calls a new segment a tissue
    for terminology, code in ((_terminology(LIVER), "10200004"), ("", ""), ("a~b", ""), ("a~b~c", "")):
        segment.SetTerminology(terminology)
        assert type_code(segment) == code
