"""Administrations: what they must state, and entries that cannot be meant."""

import math

import pytest

from radioembolization.course import Exposure, Modality
from radioembolization.errors import CourseError, HalfLifeError, InputError, StructureError

LU, RE, EBRT = Modality.LUTETIUM, Modality.RADIOEMBOLIZATION, Modality.EXTERNAL_BEAM


def test_microspheres_keep_the_physical_half_life():
    session = Exposure("166Ho session 1", 0.0, RE, {"tumour": 120.0, "lungs": 2.0}, {"lungs": 20.0}, device="holmium")
    # 26.8 h (ICRP-107), to the digit in use clinically; what is stated is kept.
    assert session.half_life_h["tumour"] == pytest.approx(26.8, rel=2e-3)
    assert session.half_life_h["lungs"] == 20.0
    glass = Exposure("glass", 0.0, RE, {"tumour": 120.0}, device="glass")
    assert glass.half_life_h["tumour"] == pytest.approx(64.1, rel=2e-3)


def test_a_dose_is_stated_or_declared_as_none():
    cycle = Exposure("177Lu cycle 1", 0.0, LU, {"kidney": 4.44}, {"kidney": 51.0}, not_exposed=frozenset({"lungs"}))
    assert cycle.dose_of_gy("kidney") == 4.44
    assert cycle.dose_of_gy("lungs") == 0.0
    with pytest.raises(StructureError, match=r"'177Lu cycle 1' does not say what 'spleen' receives \(only kidney\)"):
        cycle.dose_of_gy("spleen")


def test_entries_are_copied():
    doses = {"kidney": 4.44}
    cycle = Exposure("177Lu cycle 1", 0.0, LU, doses, {"kidney": 51.0})
    doses["kidney"] = 99.0
    assert cycle.dose_of_gy("kidney") == 4.44


def test_an_unexposed_structure_needs_no_half_life():
    assert Exposure("177Lu cycle 1", 0.0, LU, {"lungs": 0.0}).dose_of_gy("lungs") == 0.0


BAD = {
    "no label": ({"label": ""}, CourseError, "no label"),
    "day NaN": ({"day": math.nan}, CourseError, "number of days"),
    "negative dose": ({"dose_gy": {"kidney": -1.0}}, InputError, "zero or a positive number, not -1 Gy"),
    "NaN dose": ({"dose_gy": {"kidney": math.nan}}, InputError, "not nan Gy"),
    "mGy": ({"dose_gy": {"kidney": 4440.0}}, CourseError, "enter Gy, not cGy or mGy"),
    "no half-life": ({"half_life_h": {}}, HalfLifeError, r"no half-life of \['kidney'\]"),
    "half-life zero": ({"half_life_h": {"kidney": 0.0}}, InputError, "positive number, not 0 h"),
    "half-life in minutes": ({"half_life_h": {"kidney": 3060.0}}, HalfLifeError, "longer than the physical 159.5 h"),
    "MBq": ({"activity_gbq": 7400.0}, CourseError, "enter GBq, not MBq"),
    "NaN activity": ({"activity_gbq": math.nan}, InputError, "not nan GBq"),
    "device": ({"device": "glass"}, CourseError, "has no device"),
    "fractions": ({"fractions": 5}, CourseError, "only external beams have fractions"),
    "both": ({"not_exposed": frozenset({"kidney"})}, CourseError, "keep one"),
    "no device": ({"modality": RE}, InputError, "Unknown device ''"),
    "wrong device": ({"modality": RE, "device": "Glass"}, InputError, "Unknown device 'Glass'"),
    "beam with half-life": ({"modality": EBRT}, CourseError, "no half-life"),
    "no fraction": ({"modality": EBRT, "half_life_h": {}, "fractions": 0}, CourseError, "whole number of fractions"),
    "half a fraction": ({"modality": EBRT, "half_life_h": {}, "fractions": 2.5}, CourseError, "whole number"),
    "beam in cGy": ({"modality": EBRT, "half_life_h": {}, "dose_gy": {"liver": 4500.0}}, CourseError, "enter Gy"),
    "ends early": ({"modality": EBRT, "half_life_h": {}, "last_day": -3.0}, CourseError, "before it begins"),
}


@pytest.mark.parametrize(("changes", "error", "message"), BAD.values(), ids=BAD)
def test_what_cannot_be_meant_is_refused(changes, error, message):
    good = {
        "label": "177Lu cycle 1",
        "day": 0.0,
        "modality": LU,
        "dose_gy": {"kidney": 4.44},
        "half_life_h": {"kidney": 51.0},
    }
    Exposure(**good)
    with pytest.raises(error, match=message):
        Exposure(**{**good, **changes})


def test_high_but_published_doses_are_accepted():
    # 77 Gy in a cycle (PMC8978188), more than 400 Gy in a segmentectomy.
    Exposure("177Lu cycle 1", 0.0, LU, {"tumour": 77.0}, {"tumour": 110.0}, activity_gbq=14.8)
    Exposure("segmentectomy", 0.0, RE, {"tumour": 1500.0}, device="glass", activity_gbq=20.0)
