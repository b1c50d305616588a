"""BED over uncertain parameters."""

import pytest

from radioembolization.biology import DoseComponent, bed_of_components_gy, eqd2_gy, swept_bed
from radioembolization.errors import InputError

COMPONENTS = [DoseComponent(40.0, 64.1), DoseComponent(8.0, 67.0, 500.0)]


def test_every_pair_is_computed_as_by_itself():
    rows = swept_bed(COMPONENTS, [2.0, 2.5, 8.0], [0.5, 2.5])
    assert [(row.alpha_beta_gy, row.repair_half_time_h) for row in rows] == [
        (2.0, 0.5),
        (2.0, 2.5),
        (2.5, 0.5),
        (2.5, 2.5),
        (8.0, 0.5),
        (8.0, 2.5),
    ]
    for row in rows:
        assert row.bed_gy == bed_of_components_gy(COMPONENTS, row.alpha_beta_gy, row.repair_half_time_h)
        assert row.eqd2_gy == eqd2_gy(row.bed_gy, row.alpha_beta_gy)


def test_disputed_ratio_of_liver_moves_bed_and_eqd2_apart():
    # 40 Gy of 90Y: BED 40 + 60.06 / ratio: 70.0 at 2, 47.5 at 8 Gy; EQD2 35.0 and 38.0 Gy.
    low, high = swept_bed([DoseComponent(40.0, 64.1)], [2.0, 8.0], [2.5])
    assert (low.bed_gy, high.bed_gy) == pytest.approx((70.03, 47.51), abs=5e-3)
    assert (low.eqd2_gy, high.eqd2_gy) == pytest.approx((35.02, 38.01), abs=5e-3)


@pytest.mark.parametrize(("ratios", "repairs"), [([], [1.0]), ([1.0], []), ([0.0], [1.0]), ([1.0], [-1.0])])
def test_impossible_sweeps_are_refused(ratios, repairs):
    with pytest.raises(InputError):
        swept_bed(COMPONENTS, ratios, repairs)
