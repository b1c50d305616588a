"""The ledger against the double integral done numerically, its own sums, and the worked case of 166Ho after 177Lu."""

import math
import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from radioembolization.biology import TissueBiology, tissue_biology
from radioembolization.course import Exposure, Ledger, Modality, VoxelExposure, VoxelLedger
from radioembolization.course.external_beam import left_out_bed_gy
from radioembolization.errors import CourseError, ImageError, ParameterMissing, StructureError
from radioembolization.images import Grid, Unit, Volume
from radioembolization.physics.sourced import Sourced, Status

LU, RE, EBRT = Modality.LUTETIUM, Modality.RADIOEMBOLIZATION, Modality.EXTERNAL_BEAM


def tissue(alpha_beta_gy, repair_h, name="tumour"):
    def stated(value):
        return Sourced(value, "test", Status.UNVERIFIED)

    return TissueBiology(name, stated(alpha_beta_gy), stated(repair_h), None)


def cycle(day, dose_gy, half_life_h, structure="tumour", **more):
    return Exposure(f"177Lu on day {day:g}", day, LU, {structure: dose_gy}, {structure: half_life_h}, **more)


def integrated_bed(parts, alpha_beta_gy, repair_h):
    """Return D + 2/(alpha/beta) int R(t) int R(w) exp(-mu (t - w)) dw dt by stepping through time.

    ``parts`` are (day, dose, half-life).  Two coupled equations, dE/dt = R - mu E and dQ/dt = R E, between the starts;
    nothing of the closed form is used.
    """
    mu = math.log(2.0) / repair_h
    starts = sorted({24.0 * day for day, _, _ in parts})
    last = starts[-1] + 50.0 * max([repair_h, *(half_life for _, _, half_life in parts)])
    state = np.zeros(2)
    for begin, end in pairwise([*starts, last]):
        running = [(24.0 * day, dose, math.log(2.0) / t) for day, dose, t in parts if 24.0 * day <= begin]

        def change(t, y, running=running):
            rate = sum(dose * k * math.exp(-k * (t - start)) for start, dose, k in running)
            return [rate - mu * y[0], rate * y[0]]

        state = solve_ivp(change, (begin, end), state, method="LSODA", rtol=1e-9, atol=1e-11).y[:, -1]
    return sum(dose for _, dose, _ in parts) + 2.0 * state[1] / alpha_beta_gy


PARTS = st.lists(
    st.tuples(
        st.integers(-60, 60), st.floats(1.0, 80.0), st.sampled_from([2.5, 10.0, 26.8, 51.0, 64.1, 85.0, 110.0, 150.0])
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda part: part[0],
)


@settings(deadline=None, max_examples=60)
@given(parts=PARTS, repair_h=st.sampled_from([0.5, 1.5, 2.5, 10.0, 26.8, 64.1]), ratio=st.floats(1.5, 12.0))
def test_totals_are_the_double_integral(parts, repair_h, ratio):
    # 0.05 % of the quadratic part; the sweep holds repair as fast as a decay, and decays alike, where the closed form
    # is a limit.
    ledger = Ledger(tuple(cycle(*part) for part in parts), {"tumour": tissue(ratio, repair_h)})
    dose = sum(part[1] for part in parts)
    assert ledger.bed_gy("tumour") - dose == pytest.approx(integrated_bed(parts, ratio, repair_h) - dose, rel=5e-4)


@pytest.mark.parametrize("gap_days", [0.25, 1.0, 3.0, 7.0, 14.0])
@pytest.mark.parametrize("half_lives_h", [(85.0, 26.8), (26.8, 85.0), (64.1, 64.1), (1.5, 1.5), (85.0, 1.5)])
def test_cross_terms_are_the_double_integral(gap_days, half_lives_h):
    parts = [(0.0, 20.0, half_lives_h[0]), (gap_days, 60.0, half_lives_h[1])]
    ledger = Ledger(tuple(cycle(*part) for part in parts), {"tumour": tissue(10.0, 1.5)})
    first, second = ledger.entries("tumour")
    alone = [integrated_bed([part], 10.0, 1.5) for part in parts]
    assert first.cross_bed_gy == 0.0
    # What dies out below 1e-5 Gy is beyond the stepping.
    expected = integrated_bed(parts, 10.0, 1.5) - sum(alone)
    assert second.cross_bed_gy == pytest.approx(expected, rel=5e-4, abs=1e-5)


@settings(deadline=None)
@given(parts=PARTS, seed=st.randoms(use_true_random=False))
def test_totals_are_the_sums_of_entries_in_any_order(parts, seed):
    exposures = [cycle(*part) for part in parts]
    shuffled = list(exposures)
    seed.shuffle(shuffled)
    ledger = Ledger(tuple(shuffled), {"tumour": tissue(10.0, 1.5)})
    entries = ledger.entries("tumour")
    assert [e.exposure.day for e in entries] == sorted(e.day for e in exposures)
    assert ledger.dose_gy("tumour") == pytest.approx(sum(e.dose_gy for e in entries))
    assert ledger.bed_gy("tumour") == pytest.approx(sum(e.bed_gy + e.cross_bed_gy for e in entries))
    assert ledger.eqd2_gy("tumour") == pytest.approx(ledger.bed_gy("tumour") / 1.2)
    # Running totals are those of the ledgers that end there.
    for day, dose, bed in ledger.cumulative("tumour"):
        assert dose == pytest.approx(ledger.until(day).dose_gy("tumour"))
        assert bed == pytest.approx(ledger.until(day).bed_gy("tumour"))
    assert ledger.cumulative("tumour")[-1][2] == pytest.approx(ledger.bed_gy("tumour"))


@settings(deadline=None)
@given(parts=PARTS, day=st.floats(-70.0, 70.0), dose=st.floats(0.0, 100.0))
def test_response_is_the_ledger_with_one_more(parts, day, dose):
    ledger = Ledger(tuple(cycle(*part) for part in parts), {"tumour": tissue(10.0, 1.5)})
    more = Exposure("166Ho", day, RE, {"tumour": dose}, {"tumour": 26.8}, device="holmium")
    response = ledger.response("tumour", 26.8, day)
    assert response.bed_gy(dose) == pytest.approx(ledger.plus(more).bed_gy("tumour"), rel=1e-12)
    assert ledger.response("tumour", 26.8).bed_gy(dose) <= response.bed_gy(dose) * (1.0 + 1e-12)


def case_5(gap_weeks=16.0):
    """Return four cycles of 177Lu and 60 Gy of 166Ho, so far apart that BEDs simply add."""
    cycles = [
        Exposure(
            f"177Lu cycle {number + 1}",
            7.0 * gap_weeks * number,
            LU,
            {"normal liver": 2.0, "kidney": 4.44, "tumour": 30.0 * 0.86**number},
            {"normal liver": 67.0, "kidney": 51.0, "tumour": 85.0},
        )
        for number in range(4)
    ]
    day = 7.0 * gap_weeks * 4
    doses = {"normal liver": 46.55, "tumour": 139.65, "lungs": 2.28}
    session = Exposure("166Ho", day, RE, doses, device="holmium", not_exposed=frozenset({"kidney"}))
    tissues = {name: tissue_biology(name) for name in ("normal liver", "kidney", "tumour")}
    return Ledger((*cycles, session), tissues)


@pytest.mark.parametrize(
    ("structure", "dose_gy", "lutetium_bed_gy", "bed_gy", "eqd2_gy"),
    [
        ("kidney", 17.76, 19.34, 19.34, None),
        ("normal liver", 8.0 + 46.55, 8.230, 128.74, 71.5),
        ("tumour", 97.07 + 139.65, 101.27, 344.29, 286.9),
    ],
)
def test_worked_case_of_166ho_after_177lu(structure, dose_gy, lutetium_bed_gy, bed_gy, eqd2_gy):
    ledger = case_5()
    assert ledger.dose_gy(structure) == pytest.approx(dose_gy, rel=5e-4)
    assert ledger.bed_gy(structure) == pytest.approx(bed_gy, rel=5e-3)
    assert ledger.cumulative(structure)[3][2] == pytest.approx(lutetium_bed_gy, rel=5e-3)
    if eqd2_gy:
        assert ledger.eqd2_gy(structure) == pytest.approx(eqd2_gy, rel=5e-3)
        session = ledger.entries(structure)[-1]
        assert session.bed_gy == pytest.approx(bed_gy - lutetium_bed_gy, rel=5e-3)
        assert session.cross_bed_gy < 1e-8


def test_intervals_in_use_add_almost_nothing():
    # 8 weeks between cycles and 4 weeks to 166Ho: 0.06 Gy are printed for 28 days, after the last cycle.
    apart, usual = case_5(), case_5()
    exposures = [e if e.modality is LU else None for e in usual.exposures]
    cycles = [Exposure(e.label, 56.0 * i, LU, e.dose_gy, e.half_life_h) for i, e in enumerate(exposures) if e]
    session = apart.exposures[-1]
    last = Exposure("166Ho", 56.0 * 3 + 28.0, RE, session.dose_gy, device="holmium")
    more = Ledger((*cycles, last), apart.tissues).bed_gy("tumour") - apart.bed_gy("tumour")
    assert 0.05 < more < 0.07


def test_every_structure_must_be_accounted_for():
    ledger = case_5()
    with pytest.raises(StructureError, match="'177Lu cycle 1' does not say what 'lungs' receives"):
        ledger.dose_gy("lungs")
    with pytest.raises(StructureError, match="'Tumor'"):
        ledger.dose_gy("Tumor")
    with pytest.raises(ParameterMissing, match="'lungs' has no tissue parameters"):
        Ledger((ledger.exposures[-1],)).bed_gy("lungs")
    assert ledger.dose_gy("kidney") == pytest.approx(17.76)


def test_external_beam_has_fractions_and_no_cross_term():
    beam = Exposure("beam", -400.0, EBRT, {"normal liver": 30.0}, fractions=15, last_day=-380.0)
    lutetium = cycle(0.0, 2.0, 67.0, "normal liver")
    ledger = Ledger((beam, lutetium), {"normal liver": tissue_biology("normal liver")})
    # 15 x 2 Gy: 30 (1 + 2 / 2.5) = 54.
    assert [e.bed_gy for e in ledger.entries("normal liver")] == pytest.approx([54.0, 2.0576], rel=1e-4)
    assert ledger.bed_gy("normal liver") == pytest.approx(56.0576, rel=1e-4)
    assert ledger.cautions("normal liver") == ()
    # EQD2 of fractions of 2 Gy is their dose.
    assert Ledger((beam,), ledger.tissues).eqd2_gy("normal liver") == pytest.approx(30.0)


@pytest.mark.parametrize("beam_days", [(5.0, 5.0), (-2.0, -1.0), (-3.0, 4.0), (0.01, 0.01)])
def test_short_rest_is_told_with_a_bound(beam_days):
    liver = tissue_biology("normal liver")
    beam = Exposure("beam", beam_days[0], EBRT, {"normal liver": 20.0}, fractions=4, last_day=beam_days[1])
    lutetium = cycle(0.0, 3.0, 67.0, "normal liver")
    (told,) = Ledger((beam, lutetium), {"normal liver": liver}).cautions("normal liver")
    assert "'beam' and '177Lu on day 0'" in told
    bound = left_out_bed_gy(beam, lutetium, "normal liver", liver)
    # A fraction as a very fast decay, at any times within the days of the beams.  It lasts so long after its start
    # that it meets mu / lambda = 0.4 % less repair than a fraction would.
    for times in ([beam_days[0]] * 4, [beam_days[1]] * 4, np.linspace(*beam_days, 4)):
        exact = 0.0
        for time in times:
            parts = [(0.0, 3.0, 67.0), (float(time), 5.0, 0.01)]
            alone = sum(integrated_bed([part], 2.5, 2.5) for part in parts)
            exact += integrated_bed(parts, 2.5, 2.5) - alone
        assert exact <= bound * (1.0 + 5e-3)
        if beam_days[0] == beam_days[1] == 5.0:
            assert exact == pytest.approx(bound, rel=1e-2)


@pytest.mark.parametrize(("half_life_h", "repair_h"), [(67.0, 2.5), (26.8, 26.8), (10.0, 40.0)])
def test_the_bound_is_reached_at_the_worst_time(half_life_h, repair_h):
    # g(t) = int rho(w) exp(-mu |t - w|) dw, the largest over a fine grid of times of one fraction.
    rate, mu = math.log(2.0) / half_life_h, math.log(2.0) / repair_h
    w = np.linspace(0.0, 30.0 * half_life_h, 40_001)
    times = np.linspace(0.0, 2.0 * half_life_h, 401)
    largest = max(np.trapezoid(rate * np.exp(-rate * w - mu * np.abs(t - w)), w) for t in times)
    beam = Exposure("beam", -1.0, EBRT, {"tumour": 5.0}, last_day=9.0)
    bound = left_out_bed_gy(beam, cycle(0.0, 3.0, half_life_h), "tumour", tissue(2.5, repair_h))
    assert bound == pytest.approx(2.0 * 5.0 * 3.0 * largest / 2.5, rel=1e-4)


def test_one_patient_one_label():
    one, other = cycle(0.0, 5.0, 85.0, patient="a" * 64), cycle(56.0, 5.0, 85.0, patient="b" * 64)
    with pytest.raises(CourseError, match=r"2 patients \(aaaaaaaa, bbbbbbbb\)"):
        Ledger((one, other))
    with pytest.raises(CourseError, match="called"):
        Ledger((one, one))
    unnamed = cycle(56.0, 5.0, 85.0)
    told = Ledger((one, unnamed), {"tumour": tissue_biology("tumour")}).cautions("tumour")
    assert told == ("'177Lu on day 56' does not say which patient it belongs to.",)
    with pytest.raises(CourseError, match="2 patients"):
        Ledger((one, unnamed)).plus(cycle(112.0, 5.0, 85.0, patient="c"))


@pytest.mark.parametrize(
    ("name", "modality", "cgy"),
    [("kidney", LU, 444.0), ("marrow", LU, 26.0), ("normal liver", LU, 200.0), ("normal liver", RE, 4655.0)],
)
def test_doses_in_cgy_are_refused_by_tissue(name, modality, cgy):
    more = {"device": "holmium"} if modality is RE else {"half_life_h": {name: 51.0}}
    tissues = {name: tissue_biology(name)}
    assert Ledger((Exposure("one", 0.0, modality, {name: cgy / 100.0}, **more),), tissues).dose_gy(name) == cgy / 100.0
    with pytest.raises(CourseError, match="enter Gy, not cGy or mGy"):
        Ledger((Exposure("one", 0.0, modality, {name: cgy}, **more),), tissues)


def test_a_ledger_travels_to_another_process():
    ledger = case_5()
    assert pickle.loads(pickle.dumps(ledger)).bed_gy("tumour") == ledger.bed_gy("tumour")


GRID = Grid((2, 3, 4), (2.0, 2.0, 2.0))


def maps(doses, days=(0.0, 3.0), grids=(GRID, GRID)):
    half_lives = ({"tumour": 85.0, "normal liver": 67.0}, {"tumour": 26.8, "normal liver": 26.8})
    return tuple(
        VoxelExposure(f"map {i}", day, Volume(dose, grid, Unit.GY), half)
        for i, (day, dose, grid, half) in enumerate(zip(days, doses, grids, half_lives, strict=True))
    )


def voxel_ledger(doses, **more):
    masks = {"tumour": np.zeros(GRID.shape, bool), "normal liver": np.zeros(GRID.shape, bool)}
    masks["tumour"][0], masks["normal liver"][1, 1:] = True, True
    return VoxelLedger(maps(doses, **more), masks, {name: tissue_biology(name) for name in masks})


def test_every_voxel_is_a_ledger():
    generator = np.random.default_rng(3)
    doses = generator.uniform(0.0, 90.0, (2, *GRID.shape))
    ledger = voxel_ledger(doses)
    for name, half_lives in (("tumour", (85.0, 26.8)), ("normal liver", (67.0, 26.8))):
        mask = ledger.masks[name]
        expected = []
        for first, second in zip(doses[0][mask], doses[1][mask], strict=True):
            parts = (cycle(0.0, first, half_lives[0], name), cycle(3.0, second, half_lives[1], name))
            expected.append(Ledger(parts, {name: tissue_biology(name)}).bed_gy(name))
        np.testing.assert_allclose(ledger.bed_gy(name), expected, rtol=1e-12)
        np.testing.assert_allclose(ledger.dose_gy(name), doses.sum(axis=0)[mask])
        assert ledger.mean_bed_gy(name) == pytest.approx(np.mean(expected))
        np.testing.assert_allclose(ledger.bed_map().array[mask], expected, rtol=1e-12)
    assert np.all(ledger.bed_map().array[1, 0] == 0.0)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), days=st.tuples(st.floats(-9.0, 9.0), st.floats(-9.0, 9.0)))
def test_mean_bed_is_at_least_the_bed_of_mean_doses(seed, days):
    # g is positive definite (its kernel exp(-mu |t - w|) is), so BED is convex in the doses.
    doses = np.random.default_rng(seed).uniform(0.0, 80.0, (2, *GRID.shape))
    uneven = voxel_ledger(doses, days=days)
    means = [np.full(GRID.shape, dose[0].mean()) for dose in doses]
    even = voxel_ledger(means, days=days)
    assert uneven.mean_bed_gy("tumour") >= even.mean_bed_gy("tumour") * (1.0 - 1e-12)
    assert np.mean(uneven.dose_gy("tumour")) == pytest.approx(np.mean(even.dose_gy("tumour")))


def test_single_precision_maps_are_summed_in_double():
    doses = np.random.default_rng(5).uniform(0.0, 90.0, (2, *GRID.shape)).astype(np.float32)
    assert voxel_ledger(doses).mean_bed_gy("tumour") == voxel_ledger(doses.astype(float)).mean_bed_gy("tumour")


def test_maps_that_do_not_belong_together_are_refused():
    doses = np.ones((2, *GRID.shape))
    shifted = Grid(GRID.shape, GRID.spacing_mm, (1.0, 0.0, 0.0))
    with pytest.raises(ImageError, match="'map 1' is on another grid than that of 'map 0'"):
        voxel_ledger(doses, grids=(GRID, shifted))
    with pytest.raises(CourseError, match="negative voxels"):
        voxel_ledger(-doses)
    with pytest.raises(ImageError, match="NaN"):
        voxel_ledger(doses * np.nan)
    with pytest.raises(CourseError, match="give Gy"):
        VoxelExposure("map", 0.0, Volume(doses[0], GRID, Unit.HU), {"tumour": 85.0})
    with pytest.raises(CourseError, match="number of days"):
        voxel_ledger(doses, days=(0.0, math.nan))
    with pytest.raises(StructureError, match="no half-life of 'tumour'"):
        one = VoxelExposure("map", 0.0, Volume(doses[0], GRID, Unit.GY), {})
        VoxelLedger((one,), {"tumour": doses[0] > 0}, {"tumour": tissue_biology("tumour")}).bed_gy("tumour")
    both = VoxelLedger(maps(doses), {"a": doses[0] > 0, "b": doses[0] > 0})
    with pytest.raises(ParameterMissing):
        both.bed_gy("a")
    with pytest.raises(StructureError, match="no mask of 'c'"):
        both.bed_gy("c")
    patients = [VoxelExposure(p, 0.0, Volume(doses[0], GRID, Unit.GY), {"tumour": 85.0}, p) for p in ("one", "two")]
    with pytest.raises(CourseError, match="2 patients"):
        VoxelLedger(tuple(patients), {})
    shared = dict.fromkeys(("tumour", "normal liver"), doses[0] > 0)
    with pytest.raises(StructureError, match="shares voxels"):
        VoxelLedger(maps(doses), shared, {name: tissue_biology(name) for name in shared}).bed_map()
