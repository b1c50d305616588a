"""Budgets: worked cases, what is left found by giving it, and limits that belong to another device."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radioembolization.biology import bed_gy, tissue_biology
from radioembolization.course import (
    Exposure,
    Ledger,
    LiverBudget,
    Modality,
    OrganBudget,
    liver_budget,
    liver_budgets_of,
    lung_budgets,
    lung_dose_left_gy,
    organ_budget,
    organ_budgets,
)
from radioembolization.errors import DeviceMismatch, InputError, LimitError, ParameterMissing, StructureError
from radioembolization.physics import DEVICES, GLASS_Y90, HOLMIUM_HO166, RESIN_Y90
from radioembolization.physics.sourced import Status
from radioembolization.planning import LungDose, MeanDose, Provenance, load_presets
from radioembolization.structures import NORMAL_LIVER

LU, RE, EBRT = Modality.LUTETIUM, Modality.RADIOEMBOLIZATION, Modality.EXTERNAL_BEAM
TISSUES = {name: tissue_biology(name) for name in ("normal liver", "kidney", "marrow", "tumour")}


def cycles(count=4, weeks=16.0, **doses):
    """Return cycles of 177Lu; half-lives of section 3 of the clinical specification."""
    given_ = doses or {"normal liver": 2.0, "kidney": 4.44, "marrow": 0.26}
    half_lives = {"normal liver": 67.0, "kidney": 51.0, "marrow": 71.0}
    return tuple(
        Exposure(
            f"177Lu cycle {n + 1}", 7.0 * weeks * n, LU, given_, {k: half_lives[k] for k in given_},
            not_exposed=frozenset({"lungs"}),
        )
        for n in range(count)
    )  # fmt: skip


def session(label, day, device, **doses):
    return Exposure(label, day, RE, doses, device=device, not_exposed=frozenset({"kidney", "marrow"}))


def limit(device, gy):
    return MeanDose(NORMAL_LIVER).at_most(gy=gy).because(Provenance(device=device))


def test_kidney_and_marrow_of_four_cycles():
    ledger = Ledger(cycles(), TISSUES)
    kidney = organ_budget("kidney dose").balance(ledger)
    assert (kidney.spent_gy, kidney.left_gy, kidney.kept) == (pytest.approx(17.76), pytest.approx(5.24), True)
    bed = organ_budget("kidney BED").balance(ledger)
    assert bed.spent_gy == pytest.approx(19.34, rel=5e-3)
    assert bed.left_gy == pytest.approx(40.0 - 19.34, rel=5e-3)
    assert organ_budget("marrow dose").balance(ledger).left_gy == pytest.approx(2.0 - 1.04)
    # Five cycles keep 23 Gy, six do not.
    assert organ_budget("kidney dose").balance(Ledger(cycles(5))).kept
    overdrawn = organ_budget("kidney dose").balance(Ledger(cycles(6)))
    assert not overdrawn.kept
    assert overdrawn.left_gy == pytest.approx(23.0 - 26.64)
    assert organ_budget("kidney dose").next_dose_gy(Ledger(cycles(6)), 51.0) == 0.0
    assert "unverified" in str(kidney)


@pytest.mark.parametrize(
    ("budget", "cycle_limit"),
    [("kidney dose", 5), ("kidney dose, permissive", 6), ("kidney BED", 8), ("kidney BED, risk factors", 5)],
)
def test_cycles_that_fit(budget, cycle_limit):
    # 4.44 Gy and BED 4.8346 Gy a cycle: 23 / 4.44 = 5.2, 28 / 4.44 = 6.3, 40 / 4.8346 = 8.3, 28 / 4.8346 = 5.8.
    kept = [organ_budget(budget).balance(Ledger(cycles(n), TISSUES)).kept for n in range(1, 10)]
    assert kept == [n <= cycle_limit for n in range(1, 10)]


@settings(deadline=None)
@given(count=st.integers(1, 4), days=st.floats(0.1, 100.0), half_life_h=st.floats(5.0, 150.0))
def test_what_is_left_spends_a_bed_exactly(count, days, half_life_h):
    ledger, budget = Ledger(cycles(count, weeks=8.0), TISSUES), organ_budget("kidney BED")
    day = ledger.exposures[-1].day + days
    for when in (day, None):
        left = budget.next_dose_gy(ledger, half_life_h, when)
        more = Exposure("next", 1e5 if when is None else when, LU, {"kidney": left}, {"kidney": half_life_h})
        assert budget.balance(ledger.plus(more)).spent_gy == pytest.approx(40.0, rel=1e-9)


def test_lungs_of_one_session_and_of_all():
    # Worked case 2: after 25 Gy the cap of the next session is 25 Gy, not 30.
    assert lung_dose_left_gy(Ledger(()), GLASS_Y90) == 30.0
    history = Ledger((session("earlier", -200.0, "resin", lungs=25.0),))
    assert lung_dose_left_gy(history, GLASS_Y90) == pytest.approx(25.0)
    assert lung_dose_left_gy(Ledger((session("earlier", -200.0, "glass", lungs=12.0),)), GLASS_Y90) == 30.0
    spent = history.plus(session("second", 0.0, "glass", lungs=26.0))
    assert lung_dose_left_gy(spent, RESIN_Y90) == 0.0
    single, total = lung_budgets(GLASS_Y90)
    assert single.balance(spent).kept
    assert not total.balance(spent).kept
    assert not single.balance(history.plus(session("second", 0.0, "glass", lungs=31.0))).kept
    # 177Lu that says nothing about the lungs is no zero.
    silent = Exposure("177Lu cycle 1", 0.0, LU, {"kidney": 4.0}, {"kidney": 51.0})
    with pytest.raises(StructureError, match="'177Lu cycle 1' does not say what 'lungs' receives"):
        lung_dose_left_gy(history.plus(silent), GLASS_Y90)
    assert lung_dose_left_gy(history.plus(*cycles()), GLASS_Y90) == pytest.approx(25.0)


def test_lung_budgets_belong_to_devices():
    for device in DEVICES:
        budgets = lung_budgets(device)
        assert [b.is_single for b in budgets] == [True, False]
        for budget in budgets:
            budget.check_device(device)
    with pytest.raises(DeviceMismatch, match="stated for glass and resin microspheres and does not hold for holmium"):
        lung_budgets(GLASS_Y90)[0].check_device(HOLMIUM_HO166)
    assert all(b.status is Status.UNVERIFIED for b in lung_budgets(HOLMIUM_HO166))


@pytest.mark.parametrize(("limit_gy", "limit_bed_gy", "left_gy"), [(60.0, 182.87, 58.37), (40.0, 94.61, 37.75)])
def test_worked_budget_of_166ho_after_177lu(limit_gy, limit_bed_gy, left_gy):
    ledger, budget = Ledger(cycles(), TISSUES), liver_budget(limit("holmium", limit_gy), HOLMIUM_HO166)
    balance = budget.balance(ledger, HOLMIUM_HO166)
    assert balance.limit_gy == pytest.approx(limit_bed_gy, rel=5e-3)
    assert balance.spent_gy == pytest.approx(8.230, rel=5e-3)
    assert budget.dose_left_gy(ledger, HOLMIUM_HO166) == pytest.approx(left_gy, rel=5e-4)
    assert budget.dose_left_gy(Ledger((), TISSUES), HOLMIUM_HO166) == pytest.approx(limit_gy, rel=1e-12)


def test_a_limit_of_resin_is_refused_for_holmium():
    ledger, resin = Ledger(cycles(), TISSUES), liver_budget(limit("resin", 40.0), RESIN_Y90)
    assert resin.limit_bed_gy(ledger, RESIN_Y90) == pytest.approx(64.02, rel=5e-3)
    for ask in (resin.limit_bed_gy, resin.balance, resin.dose_left_gy):
        with pytest.raises(DeviceMismatch, match="published for resin microspheres"):
            ask(ledger, HOLMIUM_HO166)
    with pytest.raises(DeviceMismatch, match="published for resin"):
        liver_budget(limit("resin", 40.0), HOLMIUM_HO166)
    # Glass and resin share nuclide and BED, not their limits.
    with pytest.raises(DeviceMismatch):
        resin.dose_left_gy(ledger, GLASS_Y90)


def test_a_stated_reason_takes_the_dose_over_not_the_bed():
    ledger, liver = Ledger(cycles(), TISSUES), TISSUES["normal liver"]
    stated = limit("resin", 40.0)
    stated = stated.because(replace(stated.provenance, override_reason="local protocol"))
    taken = liver_budget(stated, HOLMIUM_HO166)
    expected = bed_gy(40.0, liver.alpha_beta_gy.value, liver.repair_half_time_h.value, 26.8)
    assert taken.limit_bed_gy(ledger, HOLMIUM_HO166) == pytest.approx(expected, rel=1e-3)
    assert taken.provenance.override_reason == "local protocol"


@settings(deadline=None)
@given(
    limit_gy=st.floats(20.0, 120.0),
    lutetium_gy=st.floats(0.0, 6.0),
    days=st.one_of(st.none(), st.floats(0.0, 60.0)),
    device=st.sampled_from(DEVICES),
)
def test_the_dose_left_spends_the_limit_exactly(limit_gy, lutetium_gy, days, device):
    ledger = Ledger(cycles(**{"normal liver": lutetium_gy}), TISSUES)
    budget = LiverBudget(device, limit_gy)
    day = None if days is None else ledger.exposures[-1].day + days
    left = budget.dose_left_gy(ledger, device, day)
    assert left <= limit_gy * (1.0 + 1e-12)
    if left > 0.0:
        more = session("next", 1e5 if day is None else day, device.name, **{"normal liver": left})
        balance = budget.balance(ledger.plus(more), device)
        assert balance.spent_gy == pytest.approx(balance.limit_gy, rel=1e-9)
    else:
        assert not budget.balance(ledger, device).left_gy > 0.0


def test_nothing_left_is_zero():
    spent = Ledger((session("first", -100.0, "holmium", **{"normal liver": 70.0}),), TISSUES)
    budget = LiverBudget(HOLMIUM_HO166, 60.0)
    assert budget.dose_left_gy(spent, HOLMIUM_HO166) == 0.0
    assert budget.balance(spent, HOLMIUM_HO166).left_gy < 0.0
    assert not budget.balance(spent, HOLMIUM_HO166).kept


def test_history_of_another_device_needs_a_reason():
    history = Ledger((session("glass", -400.0, "glass", **{"normal liver": 30.0}), *cycles()), TISSUES)
    budget = LiverBudget(HOLMIUM_HO166, 60.0)
    with pytest.raises(DeviceMismatch, match="'glass' was given with glass microspheres"):
        budget.dose_left_gy(history, HOLMIUM_HO166)
    told = budget.balance(history, HOLMIUM_HO166, other_device_reason="two years ago, other lobe")
    assert any("two years ago, other lobe" in caution for caution in told.cautions)
    assert told.spent_gy == pytest.approx(history.bed_gy(NORMAL_LIVER))
    beam = Exposure("beam", -400.0, EBRT, {"normal liver": 10.0}, fractions=5)
    assert "external beam" in budget.balance(Ledger((beam,), TISSUES), HOLMIUM_HO166).cautions[0]


def test_budgets_of_presets():
    (unilobar,) = liver_budgets_of("holmium/unilobar")
    assert (unilobar.limit_gy, unilobar.denominator) == (60.0, "mean dose, whole normal liver")
    perfused = [b.denominator for b in liver_budgets_of("resin/unilobar")]
    assert len(perfused) == 2
    assert "mean dose, perfused normal liver" in perfused
    # A growth goal is no budget; a segmentectomy has none.
    assert [b.limit_gy for b in liver_budgets_of("glass/lobectomy")] == [75.0]
    assert liver_budgets_of("glass/segmentectomy") == ()
    assert {b.status for b in liver_budgets_of("glass/hcc-lobar")} == {Status.CONFLICT}
    for name, chosen in load_presets().items():
        assert all(b.device.name == chosen.device and b.provenance.source for b in liver_budgets_of(name))


def test_every_budget_has_a_source_and_a_status():
    assert set(organ_budgets()) >= {"kidney dose", "kidney BED", "marrow dose", "lungs, all of 90Y"}
    for name, budget in organ_budgets().items():
        assert budget.name == name
        assert all((budget.denominator, budget.provenance.source, budget.provenance.evidence, budget.status))
        # What was not read in a source says so.
        if "not seen" in budget.provenance.source or "taken over" in budget.provenance.evidence:
            assert budget.status is not Status.CONFIRMED


def test_what_is_no_budget_is_refused():
    with pytest.raises(LimitError, match="Unknown budget 'kidneys'"):
        organ_budget("kidneys")
    with pytest.raises(InputError, match="positive number, not nan Gy"):
        OrganBudget("kidney", "kidney", "mean", float("nan"))
    with pytest.raises(InputError, match="positive number, not -40 Gy"):
        LiverBudget(RESIN_Y90, -40.0)
    with pytest.raises(LimitError, match="sets no budget"):
        liver_budget(LungDose().at_most(gy=30.0), GLASS_Y90)
    with pytest.raises(LimitError, match="sets no budget"):
        liver_budget(MeanDose(NORMAL_LIVER).at_least(gy=30.0), GLASS_Y90)
    with pytest.raises(LimitError, match="BED of one session"):
        OrganBudget("lungs", "lungs", "mean", 30.0, is_bed=True, is_single=True)
    with pytest.raises(ParameterMissing, match="'normal liver' has no tissue parameters"):
        LiverBudget(RESIN_Y90, 40.0).dose_left_gy(Ledger(cycles()), RESIN_Y90)
