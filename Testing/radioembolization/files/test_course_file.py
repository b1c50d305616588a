"""Course and measured files say what is planned; whatever cannot be meant is refused or flagged by name."""

import json

import pytest

from radioembolization.course.exposure import Modality
from radioembolization.course.uptake import Origin
from radioembolization.errors import (
    CaseFileError,
    CourseError,
    DeviceMismatch,
    FileMissing,
    HalfLifeError,
    InputError,
    LimitError,
    ParameterMissing,
)
from radioembolization.files.course_file import read_course
from radioembolization.files.course_writer import write_course
from radioembolization.files.measured_file import read_measured
from radioembolization.phantom.course import synthetic_course
from small_course import COURSE, changed, write_small_course

HISTORY = """
[[history]]
label = "earlier cycle"
modality = "177Lu"
day = -300
activity_gbq = 7.4
dose_gy = { kidney = 3.4, marrow = 0.2, "normal liver" = 2.1, A = 20, B = 9, C = 11, bone = 30 }
half_life_h = { kidney = 51, marrow = 71, "normal liver" = 67, A = 85, B = 85, C = 85, bone = 85 }
"""
KIDNEY = """[uptakes.kidney]
gy_per_gbq = 0.5
effective_half_life_h = 51
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("course")
    write_small_course(folder)
    return folder


@pytest.fixture
def read(folder):
    """Return a function that reads the course as a text says it."""
    return lambda text=COURSE: read_course(write_small_course(folder, text))


def names(notices):
    return [notice.name for notice in notices]


def test_every_entry_arrives(read):
    more = HISTORY + (
        '[[labs]]\nanalyte = "albumin"\nvalue = 41\nunit = "g/L"\nday = -2\n'
        '[[budgets.own]]\nname = "my spleen"\nstructure = "spleen"\nat_most_bed_gy = 30\n'
        "[uptakes.spleen]\ngy_per_gbq = 0.8\neffective_half_life_h = 60\nrange_gy_per_gbq = [0.5, 1.1]\n"
        "sd_gy_per_gbq = 0.1\nsource = 'mine'\n[tissues.spleen]\nalpha_beta_gy = 3\nrepair_half_time_h = 2\n"
        '[intervals."177Lu to radioembolization"]\nat_least_days = 35\n'
        '[reasons]\n"radioembolization before 177Lu" = "obstruction"\n'
        "[repopulation]\ngy_per_day = 0.02\nkick_off_days = 28\n"
        "[objective]\naim_bed_gy = 150\nweights = { bone = 2 }\n"
        '[[thresholds]]\nmodality = "177Lu"\nanalyte = "platelets"\nat_least = 100\n'
    )
    budgets = '[budgets]\nstated = ["kidney BED"]\n'
    course = read(COURSE.replace("at_most = 2", "at_most = 3\nat_least = 2\ngiven = 1") + budgets + more)
    assert (course.most_cycles, course.least_cycles, course.cycles_given) == (3, 2, 1)
    assert [[s.name for s in plan] for plan in course.session_plans] == [
        [],
        ["whole liver"],
        ["right lobe", "left lobe"],
    ]
    assert course.session_plans[2][0].sites == ("right",)
    assert course.weeks.cycle_to_cycle == (7, 8) and course.weeks.session_to_cycle[0] == 8
    spleen = course.uptakes["spleen"]
    assert (spleen.range_gy_per_gbq, spleen.sd_gy_per_gbq, spleen.gy_per_gbq.source) == ((0.5, 1.1), 0.1, "mine")
    assert spleen.change_per_cycle == 0.0 and course.uptakes["A"].change_per_cycle == -0.06
    assert course.tissues["spleen"].alpha_beta_gy.value == 3 and course.tissues["A"].name == "tumour"
    assert [(b.name, b.limit_gy, b.is_bed) for b in course.budgets] == [
        ("kidney BED", 40.0, True),
        ("my spleen", 30.0, True),
    ]
    assert course.history[0].modality is Modality.LUTETIUM and course.history[0].dose_gy["B"] == 9.0
    assert (course.labs[0].value, course.labs[0].unit, course.labs[0].day) == (41.0, "g/L", -2.0)
    rule = next(r for r in course.constraints.intervals if r.name == "177Lu to radioembolization")
    assert (rule.at_least_days, rule.at_most_days, rule.source) == (35.0, 140.0, "user")
    assert course.constraints.reasons == {"radioembolization before 177Lu": "obstruction"}
    assert (course.repopulation.gy_per_day, course.repopulation.kick_off_days) == (0.02, 28.0)
    assert course.aim_bed_gy == 150.0 and course.weights == {"bone": 2.0}
    platelets = [t for t in course.constraints.gate.thresholds if t.analyte == "platelets"]
    assert sorted(t.at_least for t in platelets) == [50.0, 100.0]
    assert course.extrahepatic_disease is True and set(course.hashes) == {"course"}


def test_dates_become_days(read):
    text = "start = 2026-03-02\n" + COURSE + HISTORY.replace("day = -300", "date = 2026-02-10")
    assert read(text).history[0].day == -20.0
    with pytest.raises(CaseFileError, match="start = YYYY-MM-DD"):
        read(COURSE + HISTORY.replace("day = -300", "date = 2026-02-10"))
    with pytest.raises(CaseFileError, match=r"either day .* or date"):
        read(COURSE + HISTORY.replace("day = -300", ""))


def test_a_missing_kidney_is_that_of_published_patients_and_flagged(read):
    course = read(changed(KIDNEY, ""))
    kidney = course.uptakes["kidney"]
    assert kidney.origin is Origin.POPULATION and kidney.gy_per_gbq.value == 0.43
    assert kidney.range_gy_per_gbq == (0.27, 0.91)
    (notice,) = course.notices
    assert notice.name == "PopulationUptake" and "2 to 6.73 Gy" in notice.message  # 7.4 GBq x 0.27, 0.91


def test_a_liver_dose_outside_the_published_range_is_flagged_with_the_range(read):
    course = read(changed("gy_per_gbq = 0.3\n", "gy_per_gbq = 2.9\n"))
    (notice,) = course.notices
    assert notice.name == "UnusualUptake" and "plan with both ends" in notice.message
    assert "0.89 to 16.7 Gy" in notice.message  # of 7.4 GBq at 0.12 and 2.26 Gy/GBq


def test_an_uptake_per_mbq_is_flagged(read):
    course = read(changed("gy_per_gbq = 0.5\n", "gy_per_gbq = 0.0005\n"))
    assert "check MBq against GBq" in course.notices[0].message


def test_a_half_life_in_days_is_flagged(read):
    course = read(changed("effective_half_life_h = 51\n", "effective_half_life_h = 2.1\n"))
    assert names(course.notices) == ["UnusualUptake"] and "enter hours, not days" in course.notices[0].message


def test_uptakes_measured_by_lutetium_are_taken_over(read, folder):
    sourced = {"source": "measured in this patient", "status": "confirmed"}
    document = {
        "uptakes": [
            {
                "region": "T1",
                "gy_per_gbq": {"value": 3.0, **sourced},
                "effective_half_life_h": {"value": 90.0, **sourced},
                "range_gy_per_gbq": None,
                "change_per_cycle": 0.0,
                "origin": "patient",
                "sd_gy_per_gbq": 0.3,
            }
        ]
    }
    (folder / "cycle2.json").write_text(json.dumps(document))
    old = "[uptakes.A]\ngy_per_gbq = 5.0\neffective_half_life_h = 85\n"
    course = read(changed(old, '[uptakes.A]\nmeasured = "cycle2.json"\nregion = "T1"\ncycle = 2\n'))
    lesion = course.uptakes["A"]
    assert lesion.origin is Origin.PATIENT and lesion.effective_half_life_h.value == 90.0
    assert lesion.gy_per_gbq.value == pytest.approx(3.0 / 0.94)  # the second cycle has 6 % less than the first
    assert lesion.sd_gy_per_gbq == pytest.approx(0.3 / 0.94) and "uptake of A" in course.hashes
    with pytest.raises(CaseFileError, match="no uptake of 'A'; it has T1"):
        read(changed(old, '[uptakes.A]\nmeasured = "cycle2.json"\n'))
    with pytest.raises(FileMissing, match=r"cycle9\.json"):
        read(changed(old, '[uptakes.A]\nmeasured = "cycle9.json"\n'))


REFUSED = {
    "activity in MBq": (("[7.4]", "[7400]"), InputError, "7400 MBq are 7.4 GBq"),
    "half-life above the physical": (("= 51\n", "= 200\n"), HalfLifeError, "longer than the physical"),
    "half-life below zero": (("= 51\n", "= -1\n"), InputError, "kidney"),
    "no half-life": (("effective_half_life_h = 51\n", ""), CaseFileError, r"uptakes\.kidney\] has no effective"),
    "no case": (('case = "case.toml"', ""), CaseFileError, "no entry 'case'"),
    "no change of lesions": (('grade = "G1"', ""), ParameterMissing, "grade = G1 or G2"),
    "unknown grade": (('"G1"', '"G4"'), ParameterMissing, "G1 or G2"),
    "unknown entry": (("at_most = 2", "at_mots = 2"), CaseFileError, "did you mean 'at_most'"),
    "half a cycle": (("at_most = 2", "at_most = 2.5"), CaseFileError, "whole number"),
    "given without history": (("at_most = 2", "at_most = 2\ngiven = 1"), CaseFileError, r"add them to \[\[history"),
    "unknown site": (('["left"]', '["lefd"]'), CaseFileError, "use proper, left, right"),
    "unknown session": (('"left lobe"]]', '"left lob"]]'), CaseFileError, "no sessions: use"),
    "plans that are no lists": (('[[], ["whole liver"],', '["whole liver",'), CaseFileError, "list of lists"),
    "weeks backwards": (("[7, 8]", "[8, 7]"), InputError, "rising whole weeks"),
    "half weeks": (("[7, 8]", "[7.5]"), CaseFileError, "whole weeks"),
}


@pytest.mark.parametrize(("change", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_entry_is_refused(read, change, error, message):
    with pytest.raises(error, match=message):
        read(changed(*change))


LATER = HISTORY.replace("earlier cycle", "later cycle").replace("-300", "-310")
BEAM = '[[history]]\nlabel = "resin"\nmodality = "radioembolization"\ndevice = "resin"\nday = -90\n'
ADDED = {
    "history out of order": (HISTORY + LATER, CourseError, "'later cycle' on day -310 stands after"),
    "history in the future": (HISTORY.replace("-300", "3"), CourseError, "negative day"),
    "history in MBq": (HISTORY.replace("7.4", "7400"), CourseError, "enter GBq, not MBq"),
    "history in cGy": (HISTORY.replace("bone = 30 }", "bone = 3000 }"), CourseError, "enter Gy, not cGy"),
    "other microspheres": (BEAM, DeviceMismatch, "other_device_reason"),
    "negative interval": ('[intervals."177Lu to 177Lu"]\nat_least_days = -7', LimitError, "rising numbers from 0"),
    "contradicting interval": ('[intervals."177Lu to 177Lu"]\nat_least_days = 200', LimitError, "rising numbers"),
    "unknown interval": ('[intervals."Lu to Lu"]\nat_least_days = 50', LimitError, "Unknown interval"),
    "reason for nothing": ('[reasons]\n"whatever" = "because"', LimitError, "break no rule"),
    "growth that chooses": ("[repopulation]\ngy_per_day = 1.7", InputError, "too small an alpha"),
    "weights without aim": ("[objective]\nweights = { bone = 2 }", CaseFileError, "need aim_bed_gy"),
    "weight of no lesion": ("[objective]\naim_bed_gy = 9\nweights = { D = 2 }", CaseFileError, "no lesions"),
    "unknown budget": ('[budgets]\nstated = ["kidneys"]', LimitError, "Unknown budget"),
    "budget without bound": ('[[budgets.own]]\nname = "x"\nstructure = "kidney"', CaseFileError, "either at_most_gy"),
    "tissue unknown": ("[uptakes.pancreas]\ngy_per_gbq = 1\neffective_half_life_h = 60", CaseFileError, "pancreas"),
    "measured and entered": ('[uptakes.spleen]\ngy_per_gbq = 1\nmeasured = "x"', CaseFileError, "keep one"),
}


@pytest.mark.parametrize(("text", "error", "message"), ADDED.values(), ids=ADDED)
def test_a_wrong_table_is_refused(read, text, error, message):
    with pytest.raises(error, match=message):
        read(COURSE + text)


def test_contradicting_disease_is_refused(read):
    with pytest.raises(CaseFileError, match="extrahepatic_disease is false"):
        read("extrahepatic_disease = false\n" + COURSE)


def test_history_of_another_patient_is_refused_and_no_identifier_is_kept(tmp_path):
    foreign = HISTORY.replace("modality", 'patient = "P-2"\nmodality', 1)
    with pytest.raises(CourseError, match="another patient"):
        read_course(write_small_course(tmp_path, COURSE + foreign, patient="P-1"))
    own = read_course(write_small_course(tmp_path, COURSE + foreign.replace("P-2", "P-1")))
    assert own.history[0].patient and "P-1" not in repr(own.history)


def test_a_written_course_reads_as_it_was(tmp_path):
    course = synthetic_course(3, spacing_mm=10.0)
    again = read_course(write_course(course, tmp_path))
    for name in ("tissues", "extrahepatic_lesions", "extrahepatic_disease", "budgets", "session_plans", "labs"):
        assert getattr(again, name) == getattr(course, name), name
    assert {n: (u.gy_per_gbq.value, u.range_gy_per_gbq, u.change_per_cycle) for n, u in again.uptakes.items()} == {
        n: (u.gy_per_gbq.value, u.range_gy_per_gbq, u.change_per_cycle) for n, u in course.uptakes.items()
    }
    assert all("synthetic" in uptake.gy_per_gbq.source for uptake in again.uptakes.values())


MEASURED = """
[[delivered]]
label = "177Lu cycle 1"
modality = "177Lu"
day = 0
activity_gbq = 7.0
dose_gy = { A = 21.0, kidney = 4.2 }
half_life_h = { A = 80 }
"""


def test_measured_doses_and_predicted_ones_where_none_are(read, folder):
    course = read()
    (folder / "measured.toml").write_text(MEASURED)
    delivered = read_measured(folder / "measured.toml", course)
    (cycle,) = delivered.exposures
    assert cycle.measured and (cycle.dose_gy["A"], cycle.half_life_h["A"]) == (21.0, 80.0)
    assert cycle.dose_gy["B"] == pytest.approx(7.0 * 1.0) and cycle.half_life_h["kidney"] == 51.0
    assert set(delivered.predicted) == {"B", "C", "bone", "normal liver", "marrow"}
    assert names(delivered.notices) == ["PredictedDose"] and set(delivered.hashes) == {"measured"}


def test_doses_of_a_lutetium_document_are_taken(read, folder):
    regions = [{"name": "liver", "mean_gy": 2.5, "effective_half_life_h": 60.0}]
    (folder / "cycle1.json").write_text(json.dumps({"regions": regions}))
    text = MEASURED.replace("dose_gy = {", 'document = "cycle1.json"\ndose_gy = {')
    (folder / "measured.toml").write_text(text)
    delivered = read_measured(folder / "measured.toml", read())
    (cycle,) = delivered.exposures
    assert (cycle.dose_gy["normal liver"], cycle.half_life_h["normal liver"]) == (2.5, 60.0)
    assert "normal liver" not in delivered.predicted and "measured cycle1.json" in delivered.hashes
    (folder / "measured.toml").write_text(text + 'regions = { A = "T9" }\n')
    with pytest.raises(CaseFileError, match=r"A = 'T9'.*which has liver"):
        read_measured(folder / "measured.toml", read())


SECOND = MEASURED.replace("cycle 1", "cycle 2")
BAD_MEASURED = {
    "nothing": ("", CaseFileError, r"no \[\[delivered\]\]"),
    "before the course": (MEASURED.replace("day = 0", "day = -1"), CourseError, "before day 0"),
    "out of order": (MEASURED.replace("day = 0", "day = 60") + SECOND, CourseError, "stands after"),
    "no activity": (MEASURED.replace("activity_gbq = 7.0\n", ""), CaseFileError, "activity_gbq"),
    "activity in MBq": (MEASURED.replace("= 7.0", "= 7000"), InputError, "7000 MBq are 7 GBq"),
    "unknown sessions": ('sessions_left = [["lobe"]]' + MEASURED, CaseFileError, "no sessions"),
    "no modality": (MEASURED.replace('modality = "177Lu"\n', ""), CaseFileError, "modality must be one of"),
}


@pytest.mark.parametrize(("text", "error", "message"), BAD_MEASURED.values(), ids=BAD_MEASURED)
def test_a_wrong_measured_file_is_refused(read, folder, text, error, message):
    (folder / "measured.toml").write_text(text)
    with pytest.raises(error, match=message):
        read_measured(folder / "measured.toml", read())
