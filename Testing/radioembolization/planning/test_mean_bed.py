"""The mean biologically effective dose by hand, against the voxels, and in the model."""

import numpy as np
import pytest

from limit_checks import feasible, voxel_rows
from radioembolization.biology import bed_gy
from radioembolization.errors import InputError, LimitError, ParameterMissing
from radioembolization.physics import HOLMIUM_HO166, RESIN_Y90
from radioembolization.planning import Limit, MeanBED
from support import dose_rows

#: Two voxels of normal liver of 0.3 and 0.1 kg, two sites; 10 and 30 Gy/GBq from site 1, 0 and 40 from site 2.
ROWS = [[10.0, 30.0, 50.0], [0.0, 40.0, 50.0]]


def two_voxels(device=RESIN_Y90):
    return dose_rows(ROWS, [0.3, 0.1, 0.1], {"T": [2]}, normal=[0, 1], device=device)


def test_by_hand():
    # 2 GBq at site 1, 1 at site 2: 20 Gy in three quarters of the mass and 100 Gy in one: mean 40 Gy, mean square
    # 0.75 x 400 + 0.25 x 10000 = 2800 Gy^2.  90Y, alpha/beta 2.5 Gy, repair 2.5 h: k = 2.5 / (2.5 + 64.1) / 2.5.
    k = 2.5 / 66.6 / 2.5
    assert MeanBED("normal liver", 2.5, 2.5).value(two_voxels(), np.array([2.0, 1.0])) == pytest.approx(40 + 2800 * k)


def test_the_half_life_is_that_of_the_device():
    # 166Ho decays in 26.8 h: less time for repair, more effect.
    k = 2.5 / (2.5 + 26.8) / 2.5
    dose = two_voxels(HOLMIUM_HO166)
    assert MeanBED("normal liver", 2.5, 2.5).value(dose, np.array([2.0, 1.0])) == pytest.approx(40 + 2800 * k)


def test_it_is_the_mean_of_the_voxels():
    dose, rng = voxel_rows(np.random.default_rng(1), 5), np.random.default_rng(2)
    for _ in range(5):
        x = rng.uniform(0.0, 2.0, 5)
        rows = dose.voxel_rows("normal liver")
        beds = bed_gy(x @ rows.rows, 3.0, 2.0, 64.1)
        assert MeanBED("normal liver", 3.0, 2.0).value(dose, x) == pytest.approx(rows.share @ beds, rel=1e-12)


def test_the_gram_matrix_has_no_negative_direction():
    # More sites than independent rows: exact zeros in theory, rounding of 1e-16 of the largest in float64.
    dose = voxel_rows(np.random.default_rng(3), 30, tumours=1)
    gram = dose.voxel_rows("normal liver").gram
    values = np.linalg.eigvalsh(gram)
    assert np.array_equal(gram, gram.T)
    assert values.min() >= -1e-14 * values.max()


def test_gram_matrix_of_many_voxels_in_single_precision():
    # Blocks of 32768: 70 000 voxels need three.  Against einsum on float64 copies of the same float32 numbers.
    rng = np.random.default_rng(4)
    rows = rng.uniform(0.0, 50.0, (3, 70_001)).astype(np.float32)
    rows[:, -1] = [1.0, 2.0, 3.0]
    dose = dose_rows(rows, rng.uniform(1e-6, 2e-6, 70_001), {"T": [70_000]}, normal=range(70_000))
    object.__setattr__(dose, "rows", rows)
    part = dose.voxel_rows("normal liver")
    expected = np.einsum("iv,jv,v->ij", part.rows.astype(float), part.rows.astype(float), part.share)
    np.testing.assert_allclose(part.gram, expected, rtol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_scale_and_cap(seed):
    rng = np.random.default_rng(seed)
    dose, quantity = voxel_rows(rng, 4), MeanBED("normal liver")
    x = rng.uniform(0.1, 1.0, 4)
    scale = quantity.largest_scale(dose, x, 60.0)
    assert quantity.value(dose, scale * x) == pytest.approx(60.0, rel=1e-12)
    # A site alone can have less than its cap, which takes its dose as uniform; by how much, depends on the dose.
    cap = quantity.cap_gbq(dose, 60.0)
    assert np.all(scale * x <= cap)
    for site in range(4):
        alone = quantity.largest_scale(dose, np.eye(4)[site], 60.0)
        assert 0.5 * cap[site] <= alone <= cap[site]
    assert quantity.largest_scale(dose, np.zeros(4), 60.0) == np.inf


def test_model_and_numpy_draw_the_same_line():
    # The model has one square for every voxel; an interior-point solver meets rows to about 1e-8 of their size.
    rng = np.random.default_rng(6)
    dose, x, quantity = voxel_rows(rng, 4), rng.uniform(0.2, 1.0, 4), MeanBED("normal liver")
    value = quantity.value(dose, x)
    for factor, expected in ((1.0 + 1e-4, True), (1.0 - 1e-4, False)):
        assert feasible(Limit(quantity, factor * value), dose, x, np.full(4, 2.0), "CLARABEL") == expected


def test_a_lower_limit_is_refused():
    with pytest.raises(LimitError, match="not a convex limit"):
        MeanBED("normal liver").at_least(gy=60.0)


def test_the_name_tells_what_the_number_means():
    limit = MeanBED("normal liver", 3.0, 2.0).at_most(gy=93.0)
    assert str(limit) == "mean BED, whole normal liver (alpha/beta 3 Gy, repair 2 h) <= 93 Gy"


# What is not given is taken from the table of tissues and said.


def test_normal_liver_has_stated_parameters_that_are_assumptions():
    biology = MeanBED("normal liver").biology
    assert (biology.alpha_beta_gy, biology.repair_half_time_h) == (2.5, 2.5)
    assert len(biology.assumptions) == 2
    assert "alpha_beta_gy 2.5 (conflict) is that of 'normal liver', not given" in biology.assumptions[0]
    only_one = MeanBED("normal liver", alpha_beta_gy=8.0).biology
    assert [text.split()[0] for text in only_one.assumptions] == ["repair_half_time_h"]
    assert not MeanBED("normal liver", 2.5, 2.5).biology.assumptions


def test_other_structures_need_parameters_or_a_tissue():
    with pytest.raises(ParameterMissing, match="needs alpha_beta_gy"):
        MeanBED("kidneys")
    with pytest.raises(ParameterMissing, match="needs repair_half_time_h"):
        MeanBED("kidneys", 2.6)
    assert MeanBED("kidneys", tissue="kidney").biology.alpha_beta_gy == 2.6
    with pytest.raises(InputError, match="Unknown tissue 'spleen'"):
        MeanBED("spleen", tissue="spleen")


@pytest.mark.parametrize("parameters", [(0.0, 2.5), (-2.5, 2.5), (2.5, 0.0), (2.5, float("nan"))])
def test_impossible_parameters_are_refused(parameters):
    with pytest.raises(InputError, match="positive number"):
        MeanBED("normal liver", *parameters)
