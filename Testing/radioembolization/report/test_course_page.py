"""The page of a course holds the course, and its timeline the totals of the ledger."""

import re
from dataclasses import replace

import pytest

from radioembolization.course import Finding, Violation
from radioembolization.course.uptake import Origin
from radioembolization.errors import StructureError
from radioembolization.report.course_page import course_page
from radioembolization.report.figures import timeline_figure
from radioembolization.report.formats import gy
from radioembolization.report.timeline import _spread, panels
from radioembolization.treatment.course_contrasts import contrasts, liver_limit_beds_gy, stresses
from small_course import planned_small_course


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    return planned_small_course(tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def page(planned, read_page):
    return read_page(course_page(planned))


def test_the_page_is_whole_and_holds_everything_itself(page):
    assert page.mismatched == [] and page.open == []
    assert all(source.startswith("data:") for source in page.sources) and len(page.sources) == 1
    assert "<script" not in page.html and "http" not in re.sub(r"10\.\d{4,}/\S+", "", page.text[""])
    assert page.html.count("Research use only; not a medical device") >= 3  # top, foot and print header
    assert page.sections == [
        *("course", "alternatives", "timeline", "structures", "budgets", "findings", "proof", "uptakes", "notices"),
        "software",
    ]


def test_the_same_course_gives_the_same_page(planned, page):
    assert course_page(planned) == page.html


def test_administrations_are_those_of_the_course(page, planned):
    rows = page.rows("course")
    assert [row["Administration"] for row in rows] == [one.label for one in planned.course.administrations]
    assert [float(row["Week"]) for row in rows] == [one.week for one in planned.course.administrations]
    assert {row["State"] for row in rows} == {"planned"}
    session = rows[-1]["Injection sites"]
    assert all(site in session for site, _ in planned.course.administrations[-1].sites)


def test_structures_have_their_dose_bed_and_eqd2(page, planned):
    rows = {row["Structure"]: row for row in page.rows("structures")}
    for effect in planned.course.effects:
        row = rows[effect.name]
        figures = (effect.lutetium_gy, effect.microspheres_gy, effect.bed_gy, effect.eqd2_gy)
        assert [row[c] for c in ("177Lu", "Microspheres", "BED", "EQD2")] == [gy(figure) for figure in figures]


def test_the_three_stand_side_by_side_and_each_lesion_without_either(page, planned):
    rows = page.rows("alternatives")
    assert [row["Modalities"] for row in rows] == ["177Lu alone", "radioembolization alone", "both"]
    assert [row["Objective"] for row in rows] == [gy(one.objective) for one in planned.course.alternatives]
    lesions = {row["Lesion"]: row for row in page.rows("alternatives", table=1)}
    assert set(lesions) == {"A", "B", "C", "bone"}
    assert lesions["bone"]["Without 177Lu"] == "0.0"
    assert lesions["B"]["Without radioembolization"] == gy(contrasts(planned)[1].without_radioembolization_gy)


def test_limits_findings_ties_and_impossible_kinds_are_told(page, planned):
    budgets = page.rows("budgets")
    assert [row["Budget of an organ"] for row in budgets] == ["kidney dose", "marrow dose"]
    assert all("unverified" in row["Status, evidence and source"] for row in budgets)
    findings = page.rows("findings")
    assert len(findings) == len(planned.findings) and all(row["In the way"] == "yes" for row in findings)
    assert "NOT YET" in page.text[""]
    assert f"{planned.course.ties.schedules} of {planned.course.ties.of} schedules" in page.text["findings"]
    for kind, reasons in planned.course.impossible:
        assert kind in page.text["proof"] and all(reason in page.text["proof"] for reason in reasons)


def test_a_course_without_anything_in_its_way_says_so(planned, read_page):
    page = read_page(course_page(replace(planned, findings=())))
    assert "yes, by the rules below" in page.text[""] and "Every interval is kept" in page.text["findings"]
    stated = Violation(Finding.NEEDS_REASON, "rule", "text", ("a",), reason="because of this")
    page = read_page(course_page(replace(planned, findings=(stated,))))
    assert "yes, by the rules below" in page.text[""] and "because of this" in page.text["findings"]


def test_population_values_stand_out(planned, read_page):
    kidney = replace(planned.problem.uptakes["kidney"], origin=Origin.POPULATION, range_gy_per_gbq=(0.27, 2.0))
    problem = replace(planned.problem, uptakes={**planned.problem.uptakes, "kidney": kidney})
    changed = replace(planned, problem=problem)
    (stress,) = stresses(changed)
    assert stress.spent_range_gy == pytest.approx((2 * 7.4 * 0.27, 2 * 7.4 * 2.0)) and not stress.kept
    page = read_page(course_page(changed))
    assert "POPULATION" in page.text["uptakes"]
    rows = page.rows("budgets", table=2)
    assert rows[0]["Kept at the upper end"] == "NO" and rows[0]["Range"] == "0.27 to 2.0"


def test_names_cannot_write_html(planned, read_page):
    case = replace(planned.inputs.case, name="<b>bold</b>")
    page = read_page(course_page(replace(planned, inputs=replace(planned.inputs, case=case))))
    assert "&lt;b&gt;bold" in page.html and "<b>bold" not in page.html


def test_the_curves_end_at_the_totals_of_the_ledger(planned):
    ledger, curves = planned.course.ledger, {panel.title: panel for panel in panels(planned)}
    assert curves["Kidney, dose"].steps[-1][1] == pytest.approx(2 * 7.4 * 0.5)
    assert curves["Kidney, dose"].steps[0] == (0.0, pytest.approx(7.4 * 0.5))
    assert curves["Kidney, dose"].limits == (("kidney dose", 23.0),)
    assert curves["Normal liver, BED"].steps[-1][1] == pytest.approx(ledger.bed_gy("normal liver"))
    worst = min(ledger.bed_gy(name) for name in planned.problem.lesions)
    assert curves["Lowest mean BED of a lesion"].steps[-1][1] == pytest.approx(worst)


def test_the_limit_of_the_liver_is_the_bed_of_its_own_device(planned):
    # 40 Gy of 166Ho with alpha/beta 2.5 Gy and repair in 2.5 h: 40 (1 + 40/2.5 x 2.5/(2.5 + 26.8)) = 94.6 Gy.
    (dose, bed), *_ = liver_limit_beds_gy(planned.problem).values()
    assert (dose, bed) == (40.0, pytest.approx(94.61, rel=2e-3))


def test_the_timeline_is_drawn_with_its_words(planned):
    figure = timeline_figure(planned)
    assert figure.startswith("<?xml") and figure == timeline_figure(planned)


def test_labels_beside_a_panel_do_not_touch():
    placed = _spread([("limit", 10.0, "red"), ("value", 9.9, "blue"), ("low", 1.0, "blue")], top=12.0)
    heights = [height for _, height, _ in placed]
    assert heights[0] - heights[1] >= 0.2 * 12.0 and heights[2] == 1.0


def test_a_treatment_that_does_not_speak_of_a_structure_is_an_error(planned):
    with pytest.raises(StructureError, match="add its dose"):
        planned.course.ledger.dose_gy("spleen")
