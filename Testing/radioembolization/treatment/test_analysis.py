"""Reasons, trade-offs, scenarios and vials of a case: which plan is the plan, and whether all parts agree about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from radioembolization.dose import Method, Uncertainty
from radioembolization.errors import LimitError, UncertaintyError, VialError
from radioembolization.files import plan_document, read_plan, write_results
from radioembolization.physics import GLASS_Y90, decay_factor
from radioembolization.planning import InjectionSites, MeanDose, Prescription, VialCalendar
from radioembolization.planning.recheck import recheck
from radioembolization.territories import Pattern
from radioembolization.treatment import (
    AnalysisRequest,
    FrontRequest,
    MicrosphereRequest,
    VialRequest,
    analysed,
    compute_rows,
    evaluate_treatment,
    plan_on_rows,
    prepare,
)
from radioembolization.treatment.front_limit import limit_of_front
from small_case import RATIOS, small_inputs

CALIBRATED, INJECTED = datetime(2026, 12, 1, 8, tzinfo=UTC), datetime(2026, 12, 1, 14, tzinfo=UTC)


def _vials(device, sizes_gbq, **more):
    calendar = VialCalendar.of(device, [CALIBRATED], sizes_gbq, **more)
    return VialRequest(calendar, dict.fromkeys(("proper", "left", "right"), INJECTED))


@pytest.fixture(scope="module")
def prepared():
    return compute_rows(prepare(small_inputs()))


@pytest.fixture(scope="module")
def nominal(prepared):
    return plan_on_rows(prepared)


@pytest.fixture(scope="module")
def uncertainty():
    return Uncertainty.default("resin", count=60, seed=3)


@pytest.fixture(scope="module")
def robust(nominal, uncertainty):
    return analysed(nominal, AnalysisRequest(uncertainty=uncertainty, robust=True))


@pytest.fixture(scope="module")
def in_vials(nominal):
    asked = _vials(nominal.plan.settings.device, [0.5, 1.0, 2.0])
    return analysed(nominal, AnalysisRequest(explanation=False, vials=asked))


def test_without_more_the_plan_stays_and_has_reasons(nominal):
    found = analysed(nominal)
    assert found.plan is nominal.plan and found.dose is nominal.dose
    assert found.analysis.explanation.summary == nominal.plan.explanation
    assert (found.analysis.front, found.analysis.robust, found.analysis.vials) == (None, None, None)
    binding = [limit.name for limit in nominal.plan.limits if limit.gain_per_unit]
    assert [price.limit for price in found.analysis.explanation.prices] == binding


def test_evaluating_in_scenarios_leaves_the_plan(nominal, uncertainty):
    found = analysed(nominal, AnalysisRequest(explanation=False, uncertainty=uncertainty))
    assert found.plan is nominal.plan and found.analysis.robust is None
    assert found.analysis.in_scenarios.count == 60 and found.analysis.in_scenarios.seed == 3


def test_a_robust_plan_is_the_plan_and_the_nominal_one_stands_beside_it(robust, nominal):
    analysis = robust.analysis
    np.testing.assert_array_equal(robust.plan.activities_gbq, analysis.robust.robust.activities_gbq)
    assert analysis.nominal is nominal.plan
    assert analysis.in_scenarios is analysis.robust.robust_fresh and analysis.in_scenarios.seed != 3
    assert analysis.in_scenarios.all_limits >= 0.95 > analysis.robust.nominal_fresh.all_limits
    assert any("costs" in line for line in robust.plan.explanation)
    # The dose volume is that of the robust activities: means of the tumours are those of the dose rows.
    for tumour in nominal.dose_per_gbq.structures[:3]:
        mean = float(nominal.dose_per_gbq.structure_row(tumour.name) @ robust.plan.activities_gbq)
        inside = robust.dose.array[next(s.mask for s in robust.case.structures.all if s.name == tumour.name)]
        assert inside.mean() == pytest.approx(mean, rel=1e-4)


def test_the_robust_plan_is_explained_over_scenarios(robust):
    explanation = robust.analysis.explanation
    assert "worst" in explanation.goal and all("worst" in price.limit for price in explanation.prices)
    row = robust.dose_per_gbq.structure_row("A") @ robust.plan.activities_gbq
    assert explanation.contributions.total_gy[explanation.contributions.structures.index("A")] == pytest.approx(row)
    assert explanation.summary == robust.plan.explanation


def test_a_robust_plan_that_is_not_certified_says_so_and_stands(robust, tmp_path):
    write_results(robust, tmp_path)
    stated = read_plan(tmp_path / "plan.json")
    found = recheck(stated.plan, robust.dose_per_gbq)
    assert found.bound is None and any("scenarios" in sentence for sentence in found.unproved)


def test_the_plan_of_vials_is_what_they_deliver(in_vials, nominal):
    vials = in_vials.analysis.vials
    np.testing.assert_allclose(in_vials.plan.activities_gbq, vials.chosen.activities_gbq)
    left = decay_factor(nominal.plan.settings.device.nuclide, 6.0)
    for injection in vials.chosen.injections:
        prepared = injection.delivered_gbq / (1.0 - injection.residual)
        assert prepared <= sum(vial.calibrated_gbq for vial in injection.vials) * left * (1 + 1e-9)
    assert in_vials.analysis.nominal is nominal.plan
    assert any(line.startswith("Vials: ") for line in in_vials.plan.explanation)


def test_a_plan_of_vials_stands_with_its_own_number_of_spheres(in_vials, tmp_path):
    write_results(in_vials, tmp_path)
    stated = read_plan(tmp_path / "plan.json")
    site = stated.plan.used_sites[0]
    assert site.microspheres == pytest.approx(site.activity_gbq * 1e9 / stated.bq_per_sphere[site.name])
    assert stated.bq_per_sphere[site.name] < in_vials.plan.settings.device.bq_per_sphere  # six hours after calibration
    assert recheck(stated.plan, in_vials.dose_per_gbq, bq_per_sphere=stated.bq_per_sphere).bound is None


@pytest.mark.exhaustive
def test_whole_vials_of_a_robust_plan_are_chosen_over_scenarios_and_shown_as_planned(uncertainty):
    glass = small_inputs(settings=replace(small_inputs().settings, device=GLASS_Y90))
    plain = replace(glass.prescription, limits=(MeanDose("normal liver").at_most(gy=60.0),), preset_name="")
    treatment = plan_on_rows(compute_rows(prepare(replace(glass, prescription=plain))))
    sizes, spreads = (0.4, 0.7, 1.0), Uncertainty.default("glass", count=20, seed=1)
    asked = AnalysisRequest(
        explanation=False, uncertainty=spreads, robust=True, vials=_vials(GLASS_Y90, sizes, residual=0.0)
    )
    found = analysed(treatment, asked)
    used = found.plan.activities_gbq[found.plan.activities_gbq > 0]
    delivered = np.array(sizes) * decay_factor(GLASS_Y90.nuclide, 6.0)
    assert len(used) and all(np.isclose(delivered, a, rtol=1e-9).any() for a in used)
    assert found.analysis.vials.chosen.value <= found.analysis.robust.goal.bound * (1 + 1e-9)
    assert found.plan.goal.name == treatment.plan.goal.name  # as planned, though chosen over scenarios
    assert [limit.name for limit in found.plan.limits] == [limit.name for limit in treatment.plan.limits]
    assert found.analysis.in_scenarios.count == 1000


@pytest.fixture(scope="module")
def glass_by_hand():
    """Glass at 3 mm, half a GBq into the whole liver, spread by known ratios."""
    sites = tuple(replace(site, pattern=Pattern.TUMOUR_TO_NORMAL) for site in small_inputs().sites)
    glass = small_inputs(
        settings=replace(small_inputs().settings, device=GLASS_Y90, method=Method.LOCAL),
        prescription=Prescription(limits=(MeanDose("normal liver").at_most(gy=60.0),)),
        sites=sites,
        tumour_to_normal=RATIOS,
        spacing_mm=(3.0, 3.0, 3.0),
    )
    return evaluate_treatment(compute_rows(prepare(glass)), np.array([0.5, 0.0, 0.0]))


def test_spheres_of_glass_in_each_tumour_are_those_by_hand(glass_by_hand):
    asked = AnalysisRequest(explanation=False, microspheres=MicrosphereRequest(8, 2))
    found = analysed(glass_by_hand, asked)
    assert found.plan is glass_by_hand.plan
    structures = found.case.structures
    voxels = {s.name: np.count_nonzero(s.mask) for s in (*structures.tumours, structures.normal_liver)}
    weight = sum(RATIOS.get(name, 1.0) * count for name, count in voxels.items())
    spheres = 0.5e9 * (1.0 - 0.05) / GLASS_Y90.bq_per_sphere  # 190 000 in the liver
    for one in found.analysis.microspheres.of_structures():
        by_hand = spheres * RATIOS.get(one.name, 1.0) / weight
        assert one.spheres_per_voxel == pytest.approx(by_hand, rel=1e-4)
        assert one.variation == pytest.approx(by_hand**-0.5, rel=1e-4)
        # As planned, from the dose rows; over the draws the mean varies by one over the root of all spheres.
        planned = next(s for s in found.plan.structures if s.name == one.name)
        assert one.mean_gy.even == pytest.approx(planned.mean_gy, rel=1e-4)
        assert one.d70_gy.even == pytest.approx(planned.d70_gy, rel=1e-2)
        assert one.mean_gy.p50 == pytest.approx(one.mean_gy.even, rel=3.0 / np.sqrt(by_hand * voxels[one.name]))
        assert one.d95_gy.p90 < one.d95_gy.even  # without range of electrons chance makes the coldest part colder


def test_the_same_seed_draws_the_same_spheres(glass_by_hand):
    first, again, other = (
        analysed(glass_by_hand, AnalysisRequest(explanation=False, microspheres=MicrosphereRequest(2, seed)))
        for seed in (4, 4, 5)
    )
    assert plan_document(first)["analysis"]["microspheres"] == plan_document(again)["analysis"]["microspheres"]
    assert not np.array_equal(first.analysis.microspheres.mean_gy, other.analysis.microspheres.mean_gy)


def test_spheres_of_a_plan_of_vials_have_the_strength_of_the_vials(in_vials, nominal):
    asked = replace(in_vials.analysis.asked, microspheres=MicrosphereRequest(2))
    found = analysed(nominal, asked)
    injections = found.analysis.vials.chosen.injections
    assert found.analysis.microspheres.bq_per_sphere == {one.site: one.bq_per_sphere for one in injections}
    assert max(found.analysis.microspheres.bq_per_sphere.values()) < nominal.plan.settings.device.bq_per_sphere
    planned = {s.name: s.mean_gy for s in found.plan.structures}
    for one in found.analysis.microspheres.of_structures():
        assert one.mean_gy.even == pytest.approx(planned[one.name], rel=1e-4)
    written = plan_document(found)["analysis"]["microspheres"]
    assert (written["draws"], written["seed"]) == (2, 0)
    assert [one["name"] for one in written["structures"]] == ["A", "B", "C", "normal liver"]
    assert plan_document(in_vials)["analysis"]["microspheres"] is None


def test_draws_of_spheres_can_be_ended(nominal):
    steps = []

    def stop(what, step, of):
        if what == "whole microspheres":
            steps.append((step, of))
            if step == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        analysed(nominal, AnalysisRequest(explanation=False, microspheres=MicrosphereRequest(9)), stop)
    assert steps == [(1, 9), (2, 9)]


def test_front_and_staircase_meet_at_the_plan(nominal):
    asked = AnalysisRequest(explanation=False, front=FrontRequest("perfused", (30.0, 40.0)), staircase=True)
    analysis = analysed(nominal, asked).analysis
    assert analysis.front.points[-1].limit_bound == pytest.approx(40.0)
    assert analysis.front.points[-1].value == pytest.approx(nominal.plan.goal.optimum, rel=1e-4)
    assert analysis.staircase.steps[1].value == pytest.approx(nominal.plan.goal.optimum, rel=1e-4)


def test_the_limit_of_a_front_is_named_or_the_one_that_binds_most(nominal):
    problem = nominal.case.inputs.prescription.problem(nominal.plan.settings.device)
    assert "perfused normal liver" in str(limit_of_front(problem, nominal.plan))
    assert "lungs" in str(limit_of_front(problem, nominal.plan, "LUNGS"))
    for name in ("spleen", "mean dose"):
        with pytest.raises(LimitError, match="of the limits of the plan"):
            limit_of_front(problem, nominal.plan, name)
    only_count = replace(problem, limits=(InjectionSites().at_most(count=2),))
    with pytest.raises(LimitError, match="No limit can be moved"):
        limit_of_front(only_count, replace(nominal.plan, limits=nominal.plan.limits[:1]))


def test_of_activities_set_by_hand_contributions_and_scenarios_are_known(prepared, uncertainty):
    by_hand = evaluate_treatment(prepared, np.array([0.5, 0.0, 0.0]))
    asked = AnalysisRequest(uncertainty=uncertainty, robust=True, front=FrontRequest(), staircase=True)
    found = analysed(by_hand, asked)
    assert found.plan is by_hand.plan and found.analysis.nominal is None
    assert (found.analysis.robust, found.analysis.front, found.analysis.staircase) == (None, None, None)
    assert found.analysis.in_scenarios.count == 60 and found.analysis.explanation.contributions.sites == ("proper",)


def test_the_analysis_is_in_the_plan_file_with_its_seed_and_hours(robust, in_vials):
    scenarios = plan_document(robust)["analysis"]["scenarios"]
    assert scenarios["uncertainty"]["seed"] == 3 and scenarios["uncertainty"]["count"] == 60
    assert {band["name"] for band in scenarios["plan"]["bands"]} == {"A", "B", "C", "normal liver"}
    p10, p90 = (scenarios["plan"]["tumours"][0]["mean_gy"][p] for p in ("p10", "p90"))
    assert p10 < p90
    vials = plan_document(in_vials)["analysis"]["vials"]
    assert vials["orders"][0]["injected_at"] == "2026-12-01T14:00:00+00:00"
    assert vials["table"][0]["elapsed_h"] == pytest.approx(6.0)


def test_progress_can_end_the_work(nominal, uncertainty):
    def stop(what, step, steps):
        if what == "robust plan":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        analysed(nominal, AnalysisRequest(uncertainty=uncertainty, robust=True), stop)


def test_requests_that_cannot_be_met_are_refused(nominal):
    with pytest.raises(UncertaintyError, match="nothing is uncertain"):
        AnalysisRequest(robust=True)
    with pytest.raises(VialError, match="hour of injection"):
        VialRequest(_vials(nominal.plan.settings.device, [1.0]).calendar, {})
