"""Every number on the page is a number of the plan, in the right place, with its unit."""

import re
from dataclasses import asdict, replace

import numpy as np
import pytest

from artery_case import write_artery_case
from radioembolization.files import read_case
from radioembolization.planning import LimitResult, vial_time_table
from radioembolization.territories.coverage import coverage, unreached_tumours
from radioembolization.treatment import AnalysisRequest, plan_treatment, prepare
from support import quiet

#: Sections whose tables hold numbers of the plan and its analysis.
SECTIONS = (
    *("sites", "vials", "doses", "limits", "goal", "explanation", "scenarios", "trade-offs", "comparison"),
    *("territories", "microspheres"),
)
#: Columns of text, with names, times and sources.
TEXT = {"Sites", "Unit", "Evidence and source", "Vials", "Injected", "Calibrated", "For", "Usable", "Source"}
TEXT |= {"No.", "Candidate site", "Downstream of", "To other organs"}
TEXT |= {"Injection site", "Model and numbers", "Why it is not used", "Need", "Status", "Plan", "Uncertainty"}
TEXT |= {"Structure", "Dose"}
#: What a column's unit multiplies the plan's own unit with.
FACTORS = {"%": 100.0, "millions": 1e-6, "g": 1000.0}


def numbers_of(value):
    """Return every number inside a nested structure of dicts, lists and tuples, but for curves."""
    if isinstance(value, dict):
        return [n for name, v in value.items() if name != "bands" for n in numbers_of(v)]
    if isinstance(value, list | tuple):
        return [n for v in value for n in numbers_of(v)]
    return [float(value)] if isinstance(value, int | float) and not isinstance(value, bool) else []


def printed_numbers(page):
    """Yield (section, column, printed word, factor) of every number in the tables of the plan."""
    for section in SECTIONS:
        for head, *rows in page.tables.get(section, []):
            full = [row for row in rows if len(row) == len(head)]
            for column, cell in (pair for row in full for pair in zip(head, row, strict=True)):
                name, _, unit = (part.strip(" ]") for part in column.partition("["))
                if name in TEXT or cell == "< 0.0001":
                    continue  # text, and the printed bound of a gap too small to print
                for word in cell.split():
                    if re.fullmatch(r"[+-]?[0-9.]+", word):
                        yield section, name, word, FACTORS.get(unit, 1.0)


def known_numbers(treatment):
    """Return every number of the plan, and the few of the case that its tables show."""
    territories, structures = treatment.case.territories, treatment.case.structures
    perfused = [territories.perfused(i) & structures.liver.mask for i in range(len(treatment.plan.sites))]
    return np.array(
        numbers_of(asdict(treatment.plan))
        + analysed_numbers(treatment)
        + [np.count_nonzero(mask) * structures.grid.voxel_ml for mask in perfused]
        + [site.extrahepatic_share for site in treatment.case.sites]
        + numbers_of([asdict(one) for one in coverage(territories)])
        + [n for one in unreached_tumours(territories) for n in (one.volume_ml, one.unreached_ml, one.share)]
        + [treatment.dose_per_gbq.lung_mass_kg]
    )


def analysed_numbers(treatment):
    """Return every number of the analysis, with what it defines but does not store."""
    found = treatment.analysis
    if found is None:
        return []
    numbers = numbers_of(asdict(replace(found, asked=AnalysisRequest())))
    if found.front is not None:
        numbers += [*found.front.prices, *(point.injections for point in found.front.points)]
    if found.vials is not None:
        calendar, times = found.asked.vials.calendar, {one.at for one in found.vials.chosen.injections}
        numbers += [*calendar.sizes_gbq, *numbers_of([asdict(e) for e in vial_time_table(calendar, sorted(times))])]
    if found.microspheres is not None:
        numbers += numbers_of([asdict(one) for one in found.microspheres.of_structures()])
    if found.robust is not None:
        numbers += [found.robust.uncertainty.probability]
    return numbers


def unknown_numbers(page, treatment):
    """Return the printed numbers that are no number of the treatment to the printed precision."""
    known = known_numbers(treatment)
    unknown = []
    for section, name, word, factor in printed_numbers(page):
        half_a_digit = 0.5 * 10.0 ** -len(word.partition(".")[2])
        if np.abs(known * factor - float(word)).min() > half_a_digit + 1e-9:
            unknown.append((section, name, word))
    return unknown


@pytest.mark.parametrize("patient", ["treatment", "flipped", "turned", "explained", "evaluated", "robust", "of_vials"])
def test_every_number_of_the_plan_tables_is_in_the_plan(patient, quick, request):
    treated = request.getfixturevalue(patient)
    page = quick(treated)
    assert unknown_numbers(page, treated) == []
    assert len(list(printed_numbers(page))) > 50


def test_every_number_on_sites_of_arteries_is_in_the_plan(tmp_path, quick):
    with quiet():
        treated = plan_treatment(prepare(read_case(write_artery_case(tmp_path))))
    page = quick(treated)
    assert unknown_numbers(page, treated) == []
    right = next(row for row in page.rows("territories") if row["Candidate site"] == "right hepatic")
    assert (right["Downstream of"], right["To other organs"]) == ("proper hepatic", "gallbladder 3.6 %")
    assert right["Territory"] in page.text["territories"] and "by hand" in page.text["territories"]


def test_a_number_that_is_not_in_the_plan_is_noticed(treatment, page):
    mean = f"{treatment.plan.structures[0].mean_gy:.1f}"
    forged = type(page)(page.html.replace(f">{mean}<", ">98.7<"))
    assert unknown_numbers(forged, treatment)


def test_a_number_that_is_not_in_the_analysis_is_noticed(robust, quick):
    page = quick(robust)
    for number in (
        f"{robust.analysis.in_scenarios.tumours[0].d70_gy.p10:.1f}",
        f"{robust.analysis.explanation.contributions.mean_gy[0][0]:.1f}",
    ):
        assert f">{number}<" in page.html
        forged = type(page)(page.html.replace(f">{number}<", ">987.6<"))
        assert unknown_numbers(forged, robust)


def test_structures_are_printed_in_full(treatment, quick):
    rows = {row["Structure"]: row for row in quick(treatment).rows("doses")}
    names = {"normal liver": "Normal liver, whole", "perfused normal liver": "Normal liver, perfused"}
    names["whole liver"] = "Whole liver"
    for s in treatment.plan.structures:
        row = rows[names.get(s.name, s.name)]
        assert [row[c] for c in ("Mean", "D95", "D70", "D50")] == [
            f"{v:.1f}" for v in (s.mean_gy, s.d95_gy, s.d70_gy, s.d50_gy)
        ]
        assert (row["Volume"], row["Mass"]) == (f"{s.volume_ml:.1f}", f"{1000 * s.mass_kg:.1f}")
    lungs = rows["Lungs (mass: entered)"]
    assert (lungs["Mass"], lungs["Mean"]) == ("900.0", f"{treatment.plan.lung_gy:.1f}")


def test_sites_limits_and_goal_are_printed_in_full(treatment, quick):
    page, plan = quick(treatment), treatment.plan
    for row, site in zip(page.rows("sites"), plan.used_sites, strict=True):
        assert row["Injection site"] == site.name
        assert float(row["Activity"]) == pytest.approx(site.activity_gbq, rel=5e-3)
        assert row["Lung shunt fraction"] == f"{100 * site.lung_shunt:.1f}"
        assert float(row["Microspheres"]) == pytest.approx(site.activity_gbq * 1e9 / 50.0 / 1e6, rel=5e-3)
    assert next(s.name for s in plan.sites if s not in plan.used_sites) in page.text["sites"]
    for row, limit in zip(page.rows("limits"), plan.limits, strict=True):
        assert row["Quantity limited"] == limit.name
        assert (row["Value"], row["Limit"]) == (f"{limit.value:.1f}", f"≤ {limit.limit:.1f}")
        assert (row["Met"], row["Binding"]) == ("yes", "yes" if limit.binding else "no")
        assert (row["One more unit buys"] == "–") == (limit.gain_per_unit is None)
        assert limit.source in row["Evidence and source"] and limit.evidence in row["Evidence and source"]
    (goal,) = page.rows("goal")
    assert (goal["This plan"], goal["Proven bound"]) == (f"{plan.goal.value:.1f}", f"{plan.goal.bound:.1f}")
    assert all(sentence in page.text["explanation"] for sentence in plan.explanation)


def test_the_plan_leads_the_comparison_and_its_margin_is_stated(treatment, quick):
    page, plan = quick(treatment), treatment.plan
    own, *rules = page.rows("comparison")
    assert own["Goal"] == f"{plan.goal.value:.1f}"
    assert own["Lowest tumour D70"] == f"{min(s.d70_gy for s in plan.structures if s.role == 'tumour'):.1f}"
    assert [row["Plan"] for row in rules] == [b.name for b in plan.baselines]
    margin = plan.goal.value - max(b.goal_value for b in plan.baselines)
    assert margin > 0.1 and f"{margin:+.2g} Gy" in page.text["comparison"]


def limited(treatment, **changes):
    """Return the treatment with its first limit changed."""
    first, *others = treatment.plan.limits
    return replace(treatment, plan=replace(treatment.plan, limits=(replace(first, **changes), *others)))


def test_a_limit_that_is_not_met_shouts(treatment, quick):
    page = quick(limited(treatment, value=41.04, limit=40.0, met=False))
    assert "1 of 2 limits NOT met" in page.text[""]
    assert page.rows("limits")[0]["Met"] == "NO by 1.0 Gy"
    assert page.rows("comparison")[0]["Limits met"] == "NO"


def test_an_override_is_printed_with_its_reason(treatment, quick):
    page = quick(limited(treatment, override_reason="tumour board of 3 May"))
    assert "Override: tumour board of 3 May" in page.rows("limits")[0]["Evidence and source"]


def test_at_least_and_gains_are_printed_with_their_sign(treatment, quick):
    row = quick(limited(treatment, sense="at least", gain_per_unit=-0.0123)).rows("limits")[0]
    assert row["Limit"] == "≥ 40.0" and row["One more unit buys"] == "-0.012 Gy per Gy"


def test_a_limit_result_with_other_units_prints_its_digits(treatment, quick):
    shunted = LimitResult("activity shunted to the lungs", 0.60494, 0.61, "GBq", "at most", True, False, "", "x", "")
    page = quick(replace(treatment, plan=replace(treatment.plan, limits=(shunted,))))
    assert (page.rows("limits")[0]["Value"], page.rows("limits")[0]["Limit"]) == ("0.605", "≤ 0.610")
    assert "the limit is met" in page.text[""]
