"""Reasons, trade-offs, scenarios and vials on the page: each number in its place, and only what there is."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from radioembolization.planning.alternatives import Alternative
from radioembolization.report.vial_content import clock

BASE = ("sites", "doses", "limits", "goal", "explanation")
REST = ("comparison", "territories", "figures", "notices", "inputs", "prescription", "software")


@pytest.mark.parametrize(
    ("patient", "parts"),
    [
        ("treatment", (*BASE, *REST)),
        ("explained", (*BASE, "trade-offs", *REST)),
        ("evaluated", (*BASE, "scenarios", *REST)),
        ("of_vials", ("sites", "vials", *BASE[1:], "microspheres", *REST)),
        ("robust", ("sites", "vials", *BASE[1:], "scenarios", "microspheres", "trade-offs", *REST)),
    ],
)
def test_only_sections_that_exist_are_there(patient, parts, quick, request):
    page = quick(request.getfixturevalue(patient))
    assert tuple(page.sections) == parts
    assert page.mismatched == [] and page.open == []
    assert all(source.startswith("data:image/") for source in page.sources)
    assert ("uncertainty scenarios" in page.text["software"]) == ("scenarios" not in parts)
    assert ("Residual in the delivery set" in page.text["sites"]) == ("vials" not in parts)


def test_vials_are_printed_with_their_decay(of_vials, quick):
    page, vials = quick(of_vials), of_vials.analysis.vials
    rows = page.rows("vials")
    assert [row["Injection site"] for row in rows] == [site.name for site in of_vials.plan.used_sites]
    for row, one in zip(rows, vials.chosen.injections, strict=True):
        (vial,) = one.vials
        hours = (one.at - vial.calibrated_at).total_seconds() / 3600.0
        held = vial.calibrated_gbq * 2.0 ** (-hours / 64.1)
        assert float(row["Prepared"]) == pytest.approx(held, rel=5e-3)
        assert float(row["Delivered"]) == pytest.approx(held * (1 - 0.006), rel=5e-3)
        assert float(row["Activity of one"]) == pytest.approx(2500 * held / vial.calibrated_gbq, rel=5e-3)
        assert f"1 × {vial.calibrated_gbq:g} GBq calibrated {clock(vial.calibrated_at)}" in row["Vials"]
        assert row["Injected"] == clock(one.at)
    site = page.rows("sites")[0]
    assert (site["Activity"], site["Microspheres"]) == (rows[0]["Delivered"], rows[0]["Microspheres"])


def test_the_ordering_list_and_every_vial_at_its_hour(of_vials, quick):
    page, vials = quick(of_vials), of_vials.analysis.vials
    for row, line in zip(page.rows("vials", 1), vials.orders, strict=True):
        assert (row["Number"], row["Size"], row["For"]) == (
            str(line.count),
            f"{line.calibrated_gbq:g}",
            ", ".join(line.sites),
        )
        assert row["Usable"] == f"{clock(line.earliest)} to {clock(line.latest)}"
    tables = [table for table in page.tables["vials"] if table[0][0].startswith("Size")]
    assert len(tables) == len({one.at for one in vials.chosen.injections})
    (head, *rows), first = tables[0], vials.chosen.injections[0]
    assert len(head) == 3 and [row[0] for row in rows] == ["1", "1.5", "2", "3", "5"]
    hours = (first.at - of_vials.analysis.asked.vials.calendar.calibrations[0]).total_seconds() / 3600.0
    assert float(rows[-1][1]) == pytest.approx(5.0 * 0.994 * 2.0 ** (-hours / 64.1), rel=5e-3)
    assert page.html.count('class="number chosen"') == len(vials.orders)
    assert "No vials of the calendar at the stated hours" in page.text["goal"]
    assert f"above {vials.bound:.1f} Gy" in page.text["goal"]


def test_the_source_of_a_calendar_is_escaped(of_vials, quick):
    asked = of_vials.analysis.asked
    calendar = replace(asked.vials.calendar, source="<b>form</b> & more")
    asked = replace(asked, vials=replace(asked.vials, calendar=calendar))
    page = quick(replace(of_vials, analysis=replace(of_vials.analysis, asked=asked)))
    assert "<b>" not in page.html and "<b>form</b> & more" in page.text["vials"]


def test_chances_and_tumours_of_the_robust_and_the_nominal_plan(robust, quick):
    page, found, nominal = quick(robust), robust.analysis.in_scenarios, robust.analysis.robust.nominal_fresh
    *rows, together = page.rows("scenarios")
    for row, chance, other in zip(rows, found.limits, nominal.limits, strict=True):
        assert (row["Limit"], row["Bound"]) == (chance.name, f"≤ {chance.limit:.1f}")
        assert row["Met"] == f"{100 * chance.probability:.1f}"
        assert row["Met by the nominal plan"] == f"{100 * other.probability:.1f}"
        assert row["P90"] == f"{chance.value.p90:.1f}"
    assert together["Met"] == f"{100 * found.all_limits:.1f}" != together["Met by the nominal plan"]
    planned = {s.name: s for s in robust.plan.structures}
    for row, chance in zip(page.rows("scenarios", 1), found.tumours, strict=True):
        assert row["Mean as planned"] == f"{planned[chance.name].mean_gy:.1f}"
        assert row["D70 as planned"] == f"{planned[chance.name].d70_gy:.1f}"
        assert (row["Mean, P10"], row["Mean, P50"]) == (f"{chance.mean_gy.p10:.1f}", f"{chance.mean_gy.p50:.1f}")
        assert (row["D70, P10"], row["D95, P10"]) == (f"{chance.d70_gy.p10:.1f}", f"{chance.d95_gy.p10:.1f}")
    text = page.text["scenarios"]
    assert f"50 scenarios that were not used in planning (seed {found.seed})" in text and "in 95 % of them" in text
    spreads = robust.analysis.asked.uncertainty.spreads
    assert [row["Uncertainty"] for row in page.rows("scenarios", 2)] == [spread.title for spread in spreads]
    assert all(spread.source in text for spread in spreads)


def test_a_plan_that_is_only_evaluated_stands_alone(evaluated, quick):
    page = quick(evaluated)
    assert "Met by the nominal plan" not in page.rows("scenarios")[0]
    assert "20 scenarios (seed 3); the plan was made without them." in page.text["scenarios"]
    assert "asked for" not in page.text["scenarios"]


def test_doses_over_whole_microspheres_stand_beside_the_even_ones(of_vials, quick):
    page, found = quick(of_vials), of_vials.analysis.microspheres
    rows, structures = page.rows("microspheres"), found.of_structures()
    assert [row["Structure"] for row in rows[::3]] == ["Tumour A", "Tumour B", "normal liver"]
    for row, one in zip(rows[::3], structures, strict=True):
        assert float(row["Spheres per voxel"]) == pytest.approx(one.spheres_per_voxel, rel=5e-3)
        assert row["Varies by"] == f"{100 * one.variation:.1f}"
    for row, dose in zip(rows, (d for s in structures for d in (s.mean_gy, s.d95_gy, s.d70_gy)), strict=True):
        assert [row[c] for c in ("Even", "P10", "P50", "P90")] == [
            f"{gy:.1f}" for gy in (dose.even, dose.p10, dose.p50, dose.p90)
        ]
    assert [row["Dose"] for row in rows[:3]] == ["mean", "D95", "D70"]
    strengths = sorted(f"{one.bq_per_sphere:.0f}" for one in of_vials.analysis.vials.chosen.injections)
    text = page.text["microspheres"]
    assert "4 draws (seed 6)" in text and "voxels of 5 × 5 × 5 mm" in text and f"{strengths[-1]} Bq each" in text
    assert "spheres that travel together" in text
    # Forged numbers are noticed by the rule of the page numbers; here only that nothing is asked for by itself.
    assert "Whole microspheres" not in quick(replace(of_vials, analysis=None)).html


def test_the_goal_over_scenarios_is_proved_and_the_one_as_planned_is_not(robust, quick):
    page, over = quick(robust), robust.analysis.robust.goal
    planned, scenarios = page.rows("goal")
    assert planned["Proven bound"] == "none" and scenarios["Goal"].endswith(over.name)
    assert scenarios["This plan"] == f"{robust.analysis.vials.chosen.value:.1f}"
    assert scenarios["Proven bound"] == f"{robust.analysis.vials.bound:.1f}"
    assert "in the scenarios drawn" in page.text["goal"]
    alone = replace(robust, analysis=replace(robust.analysis, vials=None), plan=robust.analysis.robust.robust)
    assert quick(alone).rows("goal")[1]["Proven bound"] == f"{over.bound:.1f}"


def test_the_certificate_line_says_what_there_is(treatment, robust, quick):
    text = quick(treatment).text["goal"]
    assert treatment.plan.certificate.fingerprint in text and "certify plan.json" in text
    assert f"Certificate: none. {robust.plan.unproved}" in quick(robust).text["goal"]


def test_the_nominal_plan_stands_beside_another_one(robust, treatment, quick):
    page = quick(robust)
    own, nominal, *rules = page.rows("comparison")
    assert own["Plan"] == "this plan (robust, of vials)" and nominal["Plan"].startswith("nominal plan")
    assert own["Goal"] == f"{robust.plan.goal.value:.1f}" and nominal["Goal"] == f"{treatment.plan.goal.value:.1f}"
    assert float(own["Goal"]) < float(nominal["Goal"])
    assert [row["Plan"] for row in rules] == [rule.name for rule in treatment.plan.baselines]
    assert page.text["comparison"].count("Of the nominal plan: Margin") == 1
    assert "robust, of vials" in page.text[""]


def test_reasons_are_told_site_by_site(explained, quick):
    page, found = quick(explained), explained.analysis.explanation
    text = page.text["explanation"]
    assert found.price_lines and all(line in text for line in found.price_lines)
    rows = {row["Injection site"]: row for row in page.rows("explanation")}
    assert set(rows) == {site.site for site in found.sites} == {site.name for site in explained.plan.sites}
    for site in found.sites:
        assert rows[site.site]["Need"] == str(site.need)
        assert float(rows[site.site]["Activity"]) == pytest.approx(site.activity_gbq, rel=5e-3)
        ends = [float(word) for word in rows[site.site]["Range of good plans"].split(" to ")]
        assert ends == pytest.approx([site.least_gbq, site.most_gbq][: len(ends)], rel=5e-3, abs=1e-6)
    for dropped in found.dropped:
        assert rows[dropped.site]["Why it is not used"].startswith(f"{dropped.site} is not used")


def test_contributions_sum_to_the_doses_of_the_plan(explained, quick):
    page, plan = quick(explained), explained.plan
    head, *rows = page.tables["explanation"][-1]
    used = [site.name for site in plan.used_sites]
    assert [cell.split("[")[0].strip() for cell in head] == ["Mean dose", *used, "All sites"]
    means = {s.name.lower(): s.mean_gy for s in plan.structures} | {"lungs": plan.lung_gy}
    for name, *doses, total in rows:
        assert total == f"{means[name.lower()]:.1f}"
        assert sum(map(float, doses)) == pytest.approx(float(total), abs=0.05 * len(doses) + 0.05)
    assert page.html.count("rgba(31, 95, 139") == len(rows) * len(used)


def test_points_and_steps_with_what_is_bought(explained, quick):
    page, front = quick(explained), explained.analysis.front
    rows = page.rows("trade-offs")
    ends = (front.points[0], front.points[-1])
    assert [row["Bound"] for row in (rows[0], rows[-1])] == [f"{point.limit_bound:.1f}" for point in ends]
    assert [row["Goal"] for row in (rows[0], rows[-1])] == [f"{point.value:.1f}" for point in ends]
    assert len(rows) == len(front.points) and rows[-1]["One more unit buys"] == "–"
    for row, (a, b) in zip(rows, pairwise(front.points), strict=False):
        slope = (b.value - a.value) / (b.limit_bound - a.limit_bound)
        assert float(row["One more unit buys"]) == pytest.approx(slope, rel=6e-2, abs=5e-3)
    for row, step in zip(page.rows("trade-offs", 1), explained.analysis.staircase.steps, strict=True):
        assert (row["Injections, at most"], row["Goal"]) == (str(step.most_injections), f"{step.value:.1f}")
        assert (row["Sites"], row["Status"]) == (", ".join(step.sites), "proved")


def test_many_points_are_thinned_with_the_ends_kept(explained, quick):
    front = explained.analysis.front
    point = front.points[-1]
    points = tuple(replace(point, limit_bound=b, value=2 * b, best_possible=2 * b) for b in np.linspace(10.0, 88.0, 79))
    analysis = replace(explained.analysis, front=replace(front, points=points, points_only="rules about sites"))
    page = quick(replace(explained, analysis=analysis))
    bounds = [float(row["Bound"]) for row in page.rows("trade-offs")]
    assert len(bounds) == 20 and (bounds[0], bounds[-1]) == (10.0, 88.0) and bounds == sorted(bounds)
    assert "The table has 20 of 79 points." in page.text["trade-offs"]
    assert "Points only: rules about sites." in page.text["trade-offs"]


def test_what_is_not_known_is_said(explained, quick):
    found = explained.analysis.explanation
    bare = replace(found, sites=(), prices=(), alternatives=(), alternatives_complete=False, remark="Set by hand.")
    page = quick(replace(explained, analysis=replace(explained.analysis, explanation=bare)))
    text = page.text["explanation"]
    assert "Set by hand." in text and "What each site is for" not in text and "What binds" not in text
    assert found.dropped and all(f"{site.site} is not used" in text for site in found.dropped)


def test_alternatives_are_listed_with_what_they_lose(explained, quick):
    found = explained.analysis.explanation
    other = Alternative(("proper hepatic artery",), (1.25, 0.0, 0.0), 61.25, 0.0042, explained.plan.limits)
    changed = replace(found, alternatives=(other,), alternatives_complete=True)
    page = quick(replace(explained, analysis=replace(explained.analysis, explanation=changed)))
    (row,) = page.rows("explanation", 1)
    assert row == {"Injected": "proper hepatic artery 1.25 GBq", "Goal": "61.2", "Below the optimum": "0.42"}
    assert "all choices of sites were looked at" in page.text["explanation"]
