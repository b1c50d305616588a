"""BED of exponential dose rates against closed forms, worked cases and the double integral done numerically."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radioembolization.biology import (
    DoseComponent,
    bed_gy,
    bed_of_components_gy,
    combined_protraction_factor,
    cross_bed_gy,
    dose_of_bed_gy,
    eqd2_gy,
    mutual_protraction,
    protraction_factor,
)
from radioembolization.errors import InputError

#: alpha/beta [Gy] and repair half-time [h] of the worked cases.
LIVER, TUMOUR, KIDNEY = (2.5, 2.5), (10.0, 1.5), (2.6, 2.8)
Y90_H, HO166_H = 64.1, 26.8
HOURS = st.floats(0.1, 2000.0)


def two_sided_nodes(count=10, halvings=24):
    """Return Gauss points and weights on [0, 1], panels halving towards both ends."""
    x, w = np.polynomial.legendre.leggauss(count)
    edges = np.concatenate([[0.0], 0.5 ** np.arange(halvings, 0, -1)])
    edges = np.concatenate([edges, 1.0 - edges[-2::-1]])
    middle, half = 0.5 * (edges[1:] + edges[:-1]), 0.5 * np.diff(edges)
    return (middle[:, None] + half[:, None] * x).ravel(), (half[:, None] * w).ravel()


def integrated(first_h, second_h, delay_h, repair_h):
    """Return g of two exponential dose rates by Gauss quadrature of its double integral, both orders of damage."""
    a, b, mu = (math.log(2.0) / t for t in (first_h, second_h, repair_h))
    x, w = two_sided_nodes()
    # The later damage at t = delay + u; the earlier one a time s before it.  Beyond 60 mean lives nothing is left.
    last_h = 60.0 / min(a, b)
    u, s = last_h * x, x
    t = delay_h + u
    reach_second, reach_first = u[:, None] * s, t[:, None] * s
    first_is_later = a * np.exp(-a * t) * u * ((b * np.exp(-b * (u[:, None] - reach_second) - mu * reach_second)) @ w)
    second_is_later = b * np.exp(-b * u) * t * ((a * np.exp(-a * (t[:, None] - reach_first) - mu * reach_first)) @ w)
    return last_h * float((first_is_later + second_is_later) @ w)


SWEEP = [
    (first, second, delay, repair)
    for first, second in (
        (64.1, 64.1),
        (64.1, 26.8),
        (26.8, 85.0),
        (85.0, 26.8),
        (159.5, 64.1),
        (2.5, 64.1),
        (1.0, 1.0),
    )
    for delay in (0.0, 1.0, 24.0, 168.0, 672.0)
    for repair in (0.5, 1.0, 2.5, 26.8, 64.1, 85.0)
]


@pytest.mark.parametrize(("first", "second", "delay", "repair"), SWEEP)
def test_cross_term_is_the_double_integral(first, second, delay, repair):
    # 0.05 % is asked for; the quadrature is good to 1e-9, so a wrong factor or order fails by far.  The sweep holds
    # repair as fast as either decay (64.1, 26.8, 85 and 1 h), where the closed form is a limit.
    exact = mutual_protraction(first, second, delay, repair)
    assert exact == pytest.approx(integrated(first, second, delay, repair), rel=1e-7, abs=1e-30)


@pytest.mark.parametrize("nearly", [1e-3, 1e-6, 1e-9, 1e-12, 1e-15])
def test_cross_term_passes_smoothly_through_equal_rates(nearly):
    equal = mutual_protraction(64.1, 26.8, 48.0, 64.1)
    for sign in (-1.0, 1.0):
        # g changes about as much as the repair time does.
        assert mutual_protraction(64.1, 26.8, 48.0, 64.1 * (1.0 + sign * nearly)) == pytest.approx(
            equal, rel=3 * nearly
        )


def test_all_rates_equal():
    # lambda_1 = lambda_2 = mu = l: g = exp(-l d) (1 + l d) / 2.
    rate = math.log(2.0) / 10.0
    assert mutual_protraction(10.0, 10.0, 7.0, 10.0) == pytest.approx(
        math.exp(-rate * 7.0) * (1.0 + rate * 7.0) / 2.0, rel=1e-14
    )


@settings(deadline=None)
@given(half_life=HOURS, repair=HOURS)
def test_a_source_in_parts_is_one_source(half_life, repair):
    assert mutual_protraction(half_life, half_life, 0.0, repair) == pytest.approx(protraction_factor(half_life, repair))
    parts = [DoseComponent(dose, half_life) for dose in (10.0, 20.0, 30.0)]
    assert bed_of_components_gy(parts, 2.5, repair) == pytest.approx(bed_gy(60.0, 2.5, repair, half_life), rel=1e-12)


def test_cross_term_of_177lu_and_166ho_dies_out():
    # Tumour: 19.08 Gy of 177Lu (85 h), then 139.65 Gy of 166Ho: printed 13.8 Gy at once, 3.6, 0.9, 0.06 Gy later.
    lutetium = DoseComponent(19.08, 85.0)
    for days, printed, digit in ((0, 13.8, 0.05), (7, 3.6, 0.05), (14, 0.9, 0.05), (28, 0.06, 0.005)):
        holmium = DoseComponent(139.65, HO166_H, 24.0 * days)
        assert cross_bed_gy(lutetium, holmium, *TUMOUR) == pytest.approx(printed, abs=digit)
        # Only the order in time counts, not that of the arguments.
        assert cross_bed_gy(holmium, lutetium, *TUMOUR) == cross_bed_gy(lutetium, holmium, *TUMOUR)


def test_order_in_time_counts():
    first = cross_bed_gy(DoseComponent(20.0, 85.0, 0.0), DoseComponent(100.0, 26.8, 168.0), *TUMOUR)
    other = cross_bed_gy(DoseComponent(20.0, 85.0, 168.0), DoseComponent(100.0, 26.8, 0.0), *TUMOUR)
    # The slower decay first leaves more for the second to meet.
    assert first > 2.0 * other


def test_worked_liver_of_166ho_after_177lu():
    # Four cycles of 2.0 Gy (67 h), then 46.55 Gy of 166Ho, weeks apart: 8.230 + 120.51 = 128.74, EQD2 71.5.
    lutetium = 4.0 * bed_gy(2.0, *LIVER, 67.0)
    holmium = bed_gy(46.55, *LIVER, HO166_H)
    assert lutetium == pytest.approx(8.230, abs=5e-4)
    assert holmium == pytest.approx(120.51, abs=0.01)
    assert eqd2_gy(lutetium + holmium, LIVER[0]) == pytest.approx(71.5, abs=0.05)
    # Budgets of 60 and 40 Gy: BED 182.87 and 94.61, of which 58.37 and 37.75 Gy are left.
    for limit, budget, left in ((60.0, 182.87, 58.37), (40.0, 94.61, 37.75)):
        assert bed_gy(limit, *LIVER, HO166_H) == pytest.approx(budget, abs=5e-3)
        assert dose_of_bed_gy(bed_gy(limit, *LIVER, HO166_H) - lutetium, *LIVER, HO166_H) == pytest.approx(
            left, abs=5e-3
        )
    # The same dose of resin is another BED.
    assert bed_gy(40.0, *LIVER, Y90_H) == pytest.approx(64.02, abs=5e-3)


def test_worked_kidney_and_tumour():
    assert 4.0 * bed_gy(4.44, *KIDNEY, 51.0) == pytest.approx(19.34, abs=5e-3)
    cycles = [bed_gy(dose, *TUMOUR, 85.0) for dose in 30.0 * 0.86 ** np.arange(4)]
    assert cycles == pytest.approx([31.561, 26.954, 23.042, 19.713], abs=1e-3)
    holmium = bed_gy(139.65, *TUMOUR, HO166_H)
    assert holmium == pytest.approx(243.02, abs=0.01)
    assert sum(cycles) + holmium == pytest.approx(344.29, abs=0.01)
    assert eqd2_gy(sum(cycles) + holmium, TUMOUR[0]) == pytest.approx(286.9, abs=0.05)


def test_bed_of_the_dose_half_of_livers_tolerate():
    # 52 Gy of resin in use and BED 93 Gy of 10.2967/jnumed.113.135301 are the same, to its last digit; its 250 Gy
    # of glass is 100 Gy.
    assert bed_gy(52.0, *LIVER, Y90_H) == pytest.approx(93.0, abs=0.5)
    assert dose_of_bed_gy(250.0, *LIVER, Y90_H) == pytest.approx(100.0, abs=0.5)


def test_slow_and_fast_repair():
    # No repair: D (1 + D / ab), as in one fraction.  Repair at once: D.
    assert bed_gy(10.0, 2.5, 1e12, 64.1) == pytest.approx(50.0, rel=1e-9)
    assert bed_gy(10.0, 2.5, 1e-12, 64.1) == pytest.approx(10.0, rel=1e-9)
    assert eqd2_gy(2.0 * (1.0 + 2.0 / 2.5), 2.5) == pytest.approx(2.0)


def test_voxels_at_once():
    doses = np.array([[0.0, 40.0], [60.0, 1.0]])
    beds = bed_gy(doses, *LIVER, Y90_H)
    assert beds.shape == doses.shape
    np.testing.assert_allclose(beds.ravel(), [bed_gy(float(dose), *LIVER, Y90_H) for dose in doses.ravel()])
    np.testing.assert_allclose(dose_of_bed_gy(beds, *LIVER, Y90_H), doses, rtol=1e-12)


@settings(deadline=None)
@given(dose=st.floats(0.0, 1000.0), more=st.floats(0.01, 100.0), ratio=st.floats(0.5, 50.0), repair=HOURS, half=HOURS)
def test_bed_is_at_least_the_dose_and_rises(dose, more, ratio, repair, half):
    bed = bed_gy(dose, ratio, repair, half)
    assert bed >= dose
    assert bed_gy(dose + more, ratio, repair, half) > bed
    assert bed_gy(dose, ratio * 1.1, repair, half) <= bed
    assert bed_gy(dose, ratio, repair * 1.1, half) >= bed
    assert dose_of_bed_gy(bed, ratio, repair, half) == pytest.approx(dose, rel=1e-9, abs=1e-12)


@settings(deadline=None)
@given(
    components=st.lists(st.tuples(st.floats(0.1, 200.0), HOURS, st.floats(0.0, 5000.0)), min_size=1, max_size=5),
    repair=HOURS,
    shift=st.floats(-1000.0, 1000.0),
)
def test_protraction_factor_lies_between_0_and_1(components, repair, shift):
    given_ = [DoseComponent(*component) for component in components]
    factor = combined_protraction_factor(given_, repair)
    assert 0.0 < factor <= 1.0 + 1e-12
    moved = [DoseComponent(c.dose_gy, c.effective_half_life_h, c.start_h + shift) for c in given_]
    assert combined_protraction_factor(moved, repair) == pytest.approx(factor, rel=1e-6)


@settings(deadline=None)
@given(first=HOURS, second=HOURS, repair=HOURS, delay=st.floats(0.0, 2000.0), more=st.floats(0.0, 500.0))
def test_mutual_term_is_symmetric_at_once_and_never_above_one(first, second, repair, delay, more):
    assert mutual_protraction(first, second, 0.0, repair) == pytest.approx(
        mutual_protraction(second, first, 0.0, repair), rel=1e-12
    )
    assert 0.0 <= mutual_protraction(first, second, delay, repair) <= 1.0
    # It need not fall with the delay at once (a slow first, a fast second source), but it dies out.
    last = 200.0 * max(first, repair) + more
    assert mutual_protraction(first, second, last, repair) < 1e-12


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bed_gy(-1.0, 2.5, 2.5, 64.1), "Dose must be zero or a positive number, not -1 Gy"),
        (lambda: bed_gy(math.nan, 2.5, 2.5, 64.1), "not nan Gy"),
        (lambda: bed_gy(np.array([1.0, -3.0]), 2.5, 2.5, 64.1), "not -3 Gy"),
        (lambda: bed_gy(1.0, 0.0, 2.5, 64.1), "alpha/beta must be a positive number, not 0 Gy"),
        (lambda: bed_gy(1.0, 2.5, 0.0, 64.1), "Repair half-time must be"),
        (lambda: bed_gy(1.0, 2.5, 2.5, 0.0), "Effective half-life must be"),
        (lambda: dose_of_bed_gy(-1.0, 2.5, 2.5, 64.1), "BED must be"),
        (lambda: eqd2_gy(1.0, math.nan), "alpha/beta must be"),
        (lambda: mutual_protraction(64.1, 26.8, -1.0, 2.5), "Delay must be"),
        (lambda: mutual_protraction(64.1, 26.8, 1.0, 0.0), "Repair half-time must be"),
        (lambda: DoseComponent(-1.0, 64.1), "Dose must be"),
        (lambda: DoseComponent(1.0, 0.0), "Effective half-life must be"),
        (lambda: DoseComponent(1.0, 64.1, math.nan), "start of a dose component"),
        (lambda: bed_of_components_gy([], 2.5, 2.5), "no dose component"),
        (lambda: combined_protraction_factor([DoseComponent(0.0, 64.1)], 2.5), "Total dose must be"),
    ],
)
def test_impossible_numbers_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
