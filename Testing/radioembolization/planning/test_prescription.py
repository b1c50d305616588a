"""Presets carry published limits with device, denominator, evidence and source; tables are read strictly."""

import warnings

import pytest

from radioembolization.errors import AssumedBiology, DeviceMismatch, LimitError, LimitOverride
from radioembolization.physics import GLASS_Y90, HOLMIUM_HO166, RESIN_Y90, device_by_name
from radioembolization.planning import (
    InjectionActivity,
    InjectionSites,
    LowestEUD,
    LungDose,
    MeanBED,
    MeanDose,
    PerfusedNormalLiverDose,
    Prescription,
    Provenance,
    StructureMean,
    TotalActivity,
    WorstTumourPartMean,
    load_presets,
    preset,
)
from radioembolization.planning.limit_table import limit_from_table, quantity_by_name

PRESETS = load_presets()
WHOLE = "mean dose, whole normal liver"
PERFUSED = "mean dose, perfused normal liver"
EACH = "mean dose, perfused normal liver of each territory"
LOWEST = "lowest mean dose, perfused normal liver of each territory"
LUNGS = ("mean dose, lungs", 30.0)
SHUNTED = ("activity shunted to the lungs", 0.61)

#: EANM 2022 (10.1007/s00259-021-05600-z), Tables 2 to 4; lung 30 Gy; glass labelling 0.61 GBq.
PUBLISHED = {
    "glass/metastases": {(WHOLE, 75.0), LUNGS, SHUNTED},
    "glass/hcc-lobar": {(PERFUSED, 120.0), (EACH, 120.0), (WHOLE, 75.0), LUNGS, SHUNTED},
    "glass/hcc-bilobar": {(WHOLE, 50.0), LUNGS, SHUNTED},
    "glass/hcc-bilobar-low-bilirubin": {(WHOLE, 90.0), LUNGS, SHUNTED},
    "glass/lobectomy": {(LOWEST, 88.0), (WHOLE, 75.0), LUNGS, SHUNTED},
    "glass/segmentectomy": {LUNGS, SHUNTED},
    "resin/unilobar": {(PERFUSED, 40.0), (EACH, 40.0), LUNGS},
    "resin/bilobar": {(PERFUSED, 40.0), LUNGS},
    "resin/bilobar-pretreated": {(PERFUSED, 30.0), LUNGS},
    "resin/lobectomy": {(LOWEST, 70.0), LUNGS},
    "resin/segmentectomy": {LUNGS},
    "holmium/unilobar": {(WHOLE, 60.0), LUNGS},
    "holmium/bilobar": {(WHOLE, 40.0), LUNGS},
    "holmium/bilobar-favourable": {(WHOLE, 60.0), LUNGS},
    "holmium/selective": {(WHOLE, 60.0), LUNGS},
}


def test_presets_hold_the_published_limits():
    found = {name: {(limit.quantity.name, limit.bound) for limit in chosen.limits} for name, chosen in PRESETS.items()}
    assert found == PUBLISHED


@pytest.mark.parametrize("chosen", PRESETS.values(), ids=PRESETS)
def test_every_limit_states_source_evidence_device_and_denominator(chosen):
    assert chosen.name == f"{chosen.device}/{chosen.intent}"
    assert chosen.title and chosen.tumour_aim and chosen.notes
    for limit in chosen.limits:
        # Only the intent to let the treated lobe shrink is a lower bound.
        assert limit.upper == (limit.quantity.name != LOWEST)
        assert limit.provenance.source not in ("", "user")
        assert limit.provenance.evidence
        assert limit.provenance.device == chosen.device == device_by_name(chosen.device).name
        assert not limit.provenance.override_reason
        name = limit.quantity.name
        assert "liver" not in name or "whole" in name or "perfused" in name


def test_166ho_counts_the_whole_and_resin_the_perfused_normal_liver():
    for chosen in PRESETS.values():
        names = " ".join(limit.quantity.name for limit in chosen.limits)
        assert not (chosen.device == "holmium" and "perfused" in names)
        assert not (chosen.device == "resin" and "whole" in names)


def test_a_lobectomy_says_that_its_lower_bound_is_an_intent():
    for name in ("glass/lobectomy", "resin/lobectomy"):
        assert any(
            "is a goal for the growth of the other lobe, not a tolerance" in note for note in PRESETS[name].notes
        )
    assert any("hepatic reserve above 30 %" in note for note in PRESETS["resin/lobectomy"].notes)


def test_neuroendocrine_use_is_called_extrapolated():
    for chosen in PRESETS.values():
        assert any("neuroendocrine" in note and "extrapolated" in note for note in chosen.notes)


def test_an_unknown_preset_names_those_there_are():
    with pytest.raises(LimitError, match=r"'resin/lobar'.*resin/unilobar"):
        preset("resin/lobar")


# A prescription.


def test_a_prescription_from_a_preset_with_changes():
    prescription = Prescription.from_preset(
        preset("resin/bilobar"), at_most_sites=2, least_activity_gbq=0.1, goal=StructureMean("T1")
    )
    problem = prescription.problem(RESIN_Y90)
    assert problem.goal == StructureMean("T1")
    assert problem.limits == (
        *preset("resin/bilobar").limits,
        InjectionSites().at_most(count=2),
        InjectionActivity().at_least(gbq=0.1),
    )
    assert (prescription.preset_name, prescription.notes) == ("resin/bilobar", preset("resin/bilobar").notes)


def test_the_goal_is_the_worst_tumour_unless_said_otherwise():
    assert Prescription().goal == WorstTumourPartMean()


@pytest.mark.parametrize("device", [GLASS_Y90, HOLMIUM_HO166], ids=lambda d: d.name)
def test_limits_of_resin_are_refused_for_other_devices(device):
    with pytest.raises(DeviceMismatch, match="resin"):
        Prescription.from_preset(preset("resin/unilobar")).problem(device)


def test_an_override_needs_a_reason_and_is_warned_of():
    prescription = Prescription.from_preset(preset("resin/unilobar"), override_reason="comparison of devices")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        problem = prescription.problem(GLASS_Y90)
    assert [w.category for w in caught] == [LimitOverride] * 3
    assert "40 Gy' of resin is used for glass: comparison of devices" in str(caught[0].message)
    assert all(limit.provenance.override_reason == "comparison of devices" for limit in problem.limits)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        prescription.problem(RESIN_Y90)  # no override where the device is right


def test_sites_that_are_forbidden_or_required_and_bounds_of_each_injection():
    prescription = Prescription(
        limits=(MeanDose("normal liver").at_most(gy=40),),
        least_activity_gbq=0.2,
        most_activity_gbq=3.0,
        forbidden_sites=("cystic", "cystic"),
        required_sites=("left",),
    )
    assert str(prescription.problem(RESIN_Y90)).splitlines() == [
        "maximize lowest mean dose of any tumour or tumour part",
        "subject to",
        "  mean dose, whole normal liver <= 40 Gy",
        "  activity of each injection >= 0.2 GBq",
        "  largest activity of any injection <= 3 GBq",
        "  activity at cystic <= 0 GBq",
        "  activity at left >= 0.2 GBq",
    ]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"required_sites": ("left",)}, "need least_activity_gbq"),
        ({"required_sites": ("left",), "least_activity_gbq": 0.0}, "need least_activity_gbq"),
        (
            {"required_sites": ("a", "b"), "forbidden_sites": ("b", "c"), "least_activity_gbq": 0.1},
            r"\['b'\] are both forbidden and required",
        ),
        (
            {"required_sites": ("a", "b"), "at_most_sites": 1, "least_activity_gbq": 0.1},
            "2 sites are required, but at_most_sites = 1",
        ),
        ({"least_activity_gbq": 2.0, "most_activity_gbq": 1.0}, "above most_activity_gbq"),
    ],
)
def test_wishes_that_contradict_each_other_are_refused(fields, message):
    with pytest.raises(LimitError, match=message):
        Prescription(**fields)


def test_assumed_biology_is_warned_of_and_typed_biology_is_not():
    assumed = Prescription(
        goal=LowestEUD(0.3), limits=(MeanBED("normal liver", repair_half_time_h=2.0).at_most(gy=90),)
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assumed.problem(RESIN_Y90)
    texts = [str(w.message) for w in caught if w.category is AssumedBiology]
    assert len(texts) == len(caught) == 3
    assert "alpha_beta_gy 10.0 (unverified) is that of 'tumour'" in texts[0]
    assert "mean BED, whole normal liver" in texts[2] and "alpha_beta_gy 2.5 (conflict)" in texts[2]
    typed = Prescription(goal=LowestEUD(0.3, 10.0, 1.5), limits=(MeanBED("normal liver", 2.5, 2.5).at_most(gy=90),))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        typed.problem(RESIN_Y90)


# Tables.


@pytest.mark.parametrize(
    ("table", "limit"),
    [
        ({"quantity": "whole_normal_liver", "at_most_gy": 40}, MeanDose("normal liver").at_most(gy=40)),
        ({"quantity": "mean_dose", "structure": "T1", "at_least_gy": 205}, MeanDose("T1").at_least(gy=205)),
        ({"quantity": "lungs", "at_most_gy": 50, "earlier_gy": 25}, LungDose(25.0).at_most(gy=50)),
        (
            {"quantity": "perfused_normal_liver", "at_most_gy": 30, "full_from_gy": 7.5},
            PerfusedNormalLiverDose(7.5).at_most(gy=30),
        ),
        ({"quantity": "total_activity", "at_most_gbq": 3.0}, TotalActivity().at_most(gbq=3)),
        ({"quantity": "injection_activity", "at_least_gbq": 0.1}, InjectionActivity().at_least(gbq=0.1)),
        ({"quantity": "injection_sites", "at_most_count": 2}, InjectionSites().at_most(count=2)),
    ],
    ids=lambda value: value.get("quantity") if isinstance(value, dict) else "",
)
def test_a_limit_from_a_table(table, limit):
    assert limit_from_table(table) == limit


def test_provenance_from_a_table():
    table = {"quantity": "lungs", "at_most_gy": 30, "source": "S", "evidence": "E", "override_reason": "R"}
    assert limit_from_table(table, device="glass").provenance == Provenance("S", "E", "glass", "R")
    assert limit_from_table({**table, "device": "resin"}, device="glass").provenance.device == "resin"
    assert limit_from_table({"quantity": "lungs", "at_most_gy": 30}).provenance == Provenance("user")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"quantity": "liver", "at_most_gy": 40}, r"Unknown quantity 'liver'.*whole_normal_liver"),
        ({"at_most_gy": 40}, "Unknown quantity"),
        ({"quantity": "mean_dose", "at_most_gy": 40}, "needs a structure"),
        ({"quantity": "lungs"}, "exactly one of at_most_gy and at_least_gy, not none"),
        ({"quantity": "lungs", "at_most_gy": 30, "at_least_gy": 1}, "exactly one"),
        ({"quantity": "lungs", "at_most_gbq": 0.61}, "limited in gy="),
        ({"quantity": "lungs", "at_most": 30}, "Unknown entries"),
        ({"quantity": "lungs", "at_most_gy": 30, "evidense": "x"}, r"Unknown entries \['evidense'\]"),
        ({"quantity": "lungs", "at_most_gy": -30}, "positive number"),
        ({"quantity": "lungs", "at_most_gy": "forty"}, "must be a number, not 'forty'"),
        ({"quantity": "lungs", "at_most_gy": "30"}, "must be a number"),
        ({"quantity": "lungs", "at_most_gy": True}, "must be a number"),
        ({"quantity": "lungs", "at_most_gy": 30, "earlier_gy": "none"}, "must be a number"),
    ],
)
def test_a_wrong_table_is_refused(table, message):
    with pytest.raises(LimitError, match=message):
        limit_from_table(table)


@pytest.mark.parametrize(
    "table",
    [
        {"quantity": "whole_normal_liver", "at_most_gy": 40, "earlier_gy": 20},
        {"quantity": "whole_normal_liver", "at_most_gy": 40, "structure": "left lobe"},
        {"quantity": "lungs", "at_most_gy": 30, "structure": "left lung"},
        {"quantity": "territory_normal_liver", "at_most_gy": 40, "full_from_gy": 10},
    ],
    ids=["earlier dose of the liver", "structure of the whole liver", "structure of the lungs", "full_from"],
)
def test_an_entry_that_the_quantity_would_ignore_is_refused(table):
    # Dropped in silence, each would leave a limit that means something else than what was written.
    with pytest.raises(LimitError, match="would ignore it"):
        limit_from_table(table)


def test_every_quantity_of_the_tables_has_one_name():
    with pytest.raises(LimitError, match="perfused_normal_liver"):
        quantity_by_name("perfused")
