"""Codes before names, names in many languages, no guess where there is a choice, numbers that stay."""

from itertools import permutations

import pytest

from radioembolization.structures import Role, terminology
from radioembolization.structures.name_words import role_of_name
from radioembolization.structures.recognition import NamedSegment, natural_order, recognise, unique_names

LIVER, SPLEEN, MASS, TISSUE, LUNG = "10200004", "78961009", "4147007", "85756007", "39607008"


def named(*names: str) -> list[NamedSegment]:
    return [NamedSegment(name, name) for name in names]


@pytest.mark.parametrize(
    "name",
    [
        "liver",
        "LIVER",
        "Liver_mask",
        "wholeLiver",
        "Leber",
        "Lever",
        "foie",
        "le_foie",
        "FEGATO",
        "hígado",
        "fígado",
        "Karaciğer",
        "KARACİĞER",
        "wątroba",
        "ganze_Leber",
        "whole.liver",
        "CT-liver",
    ],
)
def test_livers(name):
    assert role_of_name(name) is Role.LIVER


@pytest.mark.parametrize(
    "name",
    [
        *("Tumor 1", "tumour_A", "Tumeur", "tumore 2", "tumori", "Tümör", "Lebertumor", "LiverTumor", "levertumor"),
        *("lesion", "Lésion hépatique", "Läsion_3", "Laesion", "LÄSION", "lesione", "lesión", "lesão", "lesões"),
        *("lezyon", "laesie", "metastasis", "Metastase", "Lebermetastasen", "métastase", "metástase", "metastaz"),
        *(
            "METS",
            "mets1",
            "HCC",
            "HCC2",
            "CHC",
            "GTV",
            "GTVp1",
            "GTV_liver",
            "NET",
            "NET_2",
            "hepatocellular carcinoma",
        ),
        *("lesion in segment 7", "Tumor, right lobe", "hepatic met 4", "lung cancer metastasis in the liver"),
    ],
)
def test_tumours(name):
    assert role_of_name(name) is Role.TUMOUR


@pytest.mark.parametrize(
    "name",
    [
        *(
            "lung",
            "lungs",
            "Lunge",
            "linke Lunge",
            "Lungenflügel rechts",
            "poumon gauche",
            "Poumon_Droit",
            "polmone sx",
        ),
        *("pulmón izquierdo", "pulmão direito", "linker long", "long_rechts", "longen"),
        *("sol akciğer", "Sağ Akciğer", "lungLeft", "lung_upper_lobe_left", "lung_middle_lobe_right", "Lung R"),
    ],
)
def test_lungs(name):
    assert role_of_name(name) is Role.LUNGS


@pytest.mark.parametrize(
    "name",
    [
        *("gallbladder", "Gall bladder", "Gallenblase", "vésicule biliaire", "cistifellea", "galblaas", "stomach"),
        *(
            "Magen",
            "estomac",
            "stomaco",
            "estómago",
            "duodenum",
            "Duodeno",
            "Zwölffingerdarm",
            "kidney_left",
            "Niere li",
        ),
        *(
            "rein droit",
            "rene sinistro",
            "riñón",
            "rim direito",
            "böbrek",
            "spleen",
            "Milz",
            "la rate",
            "milza",
            "bazo",
        ),
        *("baço", "milt", "dalak", "pancreas", "Pankreas", "páncreas"),
    ],
)
def test_other_organs(name):
    assert role_of_name(name) is Role.ORGAN


@pytest.mark.parametrize(
    "name",
    [
        *("", "Segment_1", "label 5", "body", "external", "normal liver", "normal_Leber", "gesunde Leber", "foie sain"),
        *("healthy liver", "hígado sano", "Leber ohne Tumor", "foie sans tumeur", "fegato senza lesioni", "Liver-GTV"),
        *("liver - tumor", "Lungs-GTV", "non-tumor liver", "liver ex GTV", "PTV liver", "CTV_1", "left liver lobe"),
        *("liver_segment_4", "liver_vessels", "hepatic artery", "portal vein", "perfused left", "Territorium rechts"),
        *("perfusion territory", "lung tumor", "Lungenmetastase", "nódulo pulmonar", "kidney tumor", "Nierentumor"),
        *("bone metastasis", "lymph node met", "kidney_cyst_left", "liver cyst", "Leberzyste", "tumor necrosis"),
        *("Tumornekrose", "tumor margin 5 mm", "tumor ring", "ablation of lesion 2", "urinary_bladder", "liver 2"),
        *("lung_vessels", "delivery", "Lungenarterie", "network", "method", "longitudinal", "rates"),
    ],
)
def test_what_shows_no_role(name):
    assert role_of_name(name) is None


def test_a_decoy_named_liver_loses_to_the_coded_one():
    for order in permutations([NamedSegment("a", "liver", TISSUE), NamedSegment("b", "Segment_1", LIVER)]):
        found = recognise(order)
        assert dict(found.roles) == {"b": Role.LIVER} and found.questions == ()
        assert found.reasons["b"] == f"code {LIVER}"


def test_a_code_that_says_something_else_is_believed_whatever_the_name():
    assert recognise([NamedSegment("a", "liver", SPLEEN)]).roles == {"a": Role.ORGAN}
    vessels = terminology.LIVER_VESSELS
    assert not recognise([NamedSegment("a", "liver", vessels.type.value, LIVER)]).roles


def test_a_mass_in_another_organ_is_no_tumour_of_the_liver():
    assert recognise([NamedSegment("a", "tumor", MASS, LIVER)]).of(Role.TUMOUR) == ("a",)
    assert recognise([NamedSegment("a", "tumor", MASS)]).of(Role.TUMOUR) == ("a",)
    assert not recognise([NamedSegment("a", "tumor", MASS, LUNG)]).roles


def test_of_several_livers_none_is_taken_and_the_question_names_them():
    found = recognise(named("liver", "Leber", "tumor"))
    assert dict(found.roles) == {"tumor": Role.TUMOUR}
    assert len(found.questions) == 1 and "'liver', 'Leber'" in found.questions[0]


def test_no_liver_at_all_is_a_question():
    assert "None shows it" in recognise(named("Segment_1", "Segment_2")).questions[0]
    assert recognise([]).questions == ()


def test_the_chosen_liver_ends_the_question():
    found = recognise(named("liver", "Leber", "x"), {"x": Role.LIVER, "gone": Role.TUMOUR})
    assert dict(found.roles) == {"x": Role.LIVER} and found.reasons == {"x": "chosen"} and not found.questions


def test_codes_left_by_a_template_say_nothing():
    found = recognise([NamedSegment(name, name, "12345") for name in ("liver", "tumor", "stomach")])
    assert list(found.roles.values()) == [Role.LIVER, Role.TUMOUR, Role.ORGAN]
    assert not recognise([NamedSegment("liver", "liver", "12345")]).roles


@pytest.mark.parametrize("code", ["T-62000", "10200004"])
def test_older_codes_are_known(code):
    assert recognise([NamedSegment("a", "Segment_1", code)]).of(Role.LIVER) == ("a",)


def test_every_terminology_we_write_is_recognised_as_what_it_is():
    expected = {
        Role.LIVER: ["LIVER"],
        Role.LUNGS: ["LUNGS", "LEFT_LUNG", "RIGHT_LUNG"],
        Role.TUMOUR: ["TUMOUR"],
        Role.ORGAN: ["SPLEEN", "LEFT_KIDNEY", "RIGHT_KIDNEY", "GALLBLADDER", "STOMACH", "DUODENUM", "PANCREAS"],
        None: ["BODY", "LIVER_VESSELS", "NECROSIS", "PERFUSED_VOLUME"],
    }
    for role, names in expected.items():
        for name in names:
            text = getattr(terminology, name).slicer_text
            segment = NamedSegment("a", "x", terminology.code_of_type(text), terminology.code_of_region(text))
            assert recognise([segment]).roles.get("a") is role, name


def test_lesions_in_natural_order_whatever_their_place():
    assert sorted(["Tumor 10", "tumor 2", "Tumor 1"], key=natural_order) == ["Tumor 1", "tumor 2", "Tumor 10"]


def test_segments_of_one_name_are_numbered_by_their_keys_and_keep_their_numbers():
    segments = [NamedSegment(f"Segment_{n}", "tumor") for n in (2, 10, 1)] + [NamedSegment("L", "liver")]
    expected = {"Segment_1": "tumor 1", "Segment_2": "tumor 2", "Segment_10": "tumor 3", "L": "liver"}
    for order in permutations(segments):
        assert unique_names(order) == expected
    more = [*segments, NamedSegment("Segment_11", "tumor")]
    assert unique_names(more) == {**expected, "Segment_11": "tumor 4"}


def test_numbers_pass_over_names_that_are_taken():
    segments = [NamedSegment("a", "tumor"), NamedSegment("b", "tumor"), NamedSegment("c", "tumor 1")]
    assert unique_names(segments) == {"a": "tumor 2", "b": "tumor 3", "c": "tumor 1"}
