"""The interactive loop gives what a direct computation gives, for any activities and overlapping structures."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import radioembolization.dose.live_histograms as live_histograms
from radioembolization.dose import LiveDose, LiveStructure, exact_dvh
from radioembolization.errors import InputError
from radioembolization.images import Grid

GRID = Grid((3, 4, 5), (2.0, 1.0, 5.0))  # voxels of 0.01 mL
VOXELS = np.array([1, 7, 8, 30, 59])
ROWS = np.array([[10.0, 0.0, 5.0, 0.0, 1.0], [0.0, 20.0, 5.0, 0.0, 3.0]], dtype=np.float32)
STRUCTURES = (
    LiveStructure("a", np.array([0, 1, 2])),
    LiveStructure("b", np.array([2, 1]), np.array([1.0, 0.25])),
    LiveStructure("c", np.array([4]), undosed_voxels=3.0),
)


def live(**changes):
    arguments = {"gy_per_gbq": ROWS, "voxels": VOXELS, "grid": GRID, "structures": STRUCTURES, "bins": 100}
    return LiveDose(**(arguments | changes))


def test_a_case_by_hand():
    # 2 and 1 GBq: 20, 20, 15, 0 and 5 Gy.
    result = live().update([2.0, 1.0])
    np.testing.assert_allclose(result.dose_gy, [20.0, 20.0, 15.0, 0.0, 5.0])
    volume = np.zeros(60)
    volume[VOXELS] = [20.0, 20.0, 15.0, 0.0, 5.0]
    np.testing.assert_allclose(result.volume_gy, volume.reshape(3, 4, 5))
    assert result.bin_gy == pytest.approx(0.2, rel=1e-5)
    # Voxels of 20 Gy are in the last bin, 15 Gy in the one that ends there, 5 Gy likewise: bins are a trifle wide.
    expected = np.zeros((3, 100))
    expected[0, [74, 99]] = [1.0, 2.0]
    expected[1, [74, 99]] = [1.0, 0.25]
    expected[2, [0, 24]] = [3.0, 1.0]
    np.testing.assert_array_equal(result.voxels_in_bin, expected)
    np.testing.assert_allclose(result.mean_gy, [55.0 / 3.0, (15.0 + 5.0) / 1.25, 1.25])
    np.testing.assert_allclose(result.volume_share[:, [0, 1, 74, 75, 100]], [
        [1.0, 1.0, 1.0, 2.0 / 3.0, 0.0],
        [1.0, 1.0, 1.0, 0.2, 0.0],
        [1.0, 0.25, 0.0, 0.0, 0.0],
    ])  # fmt: skip
    assert result.edges_gy[75] == pytest.approx(15.0, rel=1e-5)
    assert [result.dvh(n).volume_ml for n in "abc"] == pytest.approx([0.03, 0.0125, 0.04])


def test_display_volume_is_written_in_place():
    given_volume = np.full(GRID.shape, 7.0, dtype=np.float32)
    loop = live(volume_gy=given_volume)
    assert not given_volume.any()
    first = loop.update([2.0, 1.0])
    loop.update([0.0, 1.0])
    assert np.shares_memory(first.volume_gy, given_volume)
    np.testing.assert_allclose(given_volume.ravel()[VOXELS], ROWS[1])
    assert np.count_nonzero(given_volume) == 3
    with pytest.raises(ValueError, match="read-only"):
        first.volume_gy[0, 0, 0] = 1.0


def test_histograms_of_a_result_outlive_the_next():
    loop = live()
    first = loop.update([2.0, 1.0])
    before = first.voxels_in_bin.copy(), first.mean_gy.copy()
    loop.update([7.0, 0.5])
    np.testing.assert_array_equal(first.voxels_in_bin, before[0])
    np.testing.assert_array_equal(first.mean_gy, before[1])


def test_bins_follow_the_dose_and_clip_nothing():
    loop = live()
    small, large = loop.update([0.002, 0.001]), loop.update([2000.0, 1000.0])
    np.testing.assert_array_equal(small.voxels_in_bin, large.voxels_in_bin)
    assert large.bin_gy == pytest.approx(1e6 * small.bin_gy)
    assert large.dvh("a").maximum_gy == pytest.approx(20000.0, abs=large.bin_gy)


def test_no_activity():
    result = live().update([0.0, 0.0])
    assert not result.volume_gy.any()
    assert not result.mean_gy.any()
    np.testing.assert_array_equal(result.voxels_in_bin[:, 0], [3.0, 1.25, 4.0])
    for name in "abc":
        dvh = result.dvh(name)
        assert dvh.dose_at_volume(0.5) == pytest.approx(0.0, abs=1e-15)
        assert dvh.share_at_dose(1e-6) == 0.0


def test_sites_are_made_of_sources():
    # The second site feeds both territories, a quarter and three quarters.
    mixed = live(site_to_source=np.array([[1.0, 0.0], [0.25, 0.75], [0.0, 0.5]]))
    assert (live().sites, mixed.sites) == (2, 3)
    result, plain = mixed.update([1.0, 4.0, 2.0]), live().update([2.0, 4.0])
    np.testing.assert_allclose(result.dose_gy, plain.dose_gy)
    np.testing.assert_allclose(result.mean_gy, plain.mean_gy)
    np.testing.assert_array_equal(result.voxels_in_bin, plain.voxels_in_bin)


def test_memory_is_counted():
    loop = live(bins=50)
    more = live(bins=50, site_to_source=np.ones((1000, 2)))
    assert loop.nbytes >= ROWS.nbytes + 60 * 4 + 5 * (4 + 8 + 4) + 24
    assert more.nbytes - loop.nbytes == 16000


@st.composite
def cases(draw):
    """Rows, structures (overlapping, partly covered, some voxels in none) and activities."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sources, columns = draw(st.integers(1, 4)), draw(st.integers(1, 120))
    rows = random.gamma(1.0, 30.0, (sources, columns)).astype(np.float32)
    rows[random.random(rows.shape) < 0.3] = 0.0
    structures = []
    for number in range(draw(st.sampled_from([1, 3, 64]))):
        voxels = random.permutation(columns)[: random.integers(1, columns + 1)]
        shares = np.where(random.random(len(voxels)) < 0.6, 1.0, random.uniform(0.01, 1.0, len(voxels)))
        whole = random.random() < 0.5
        structures.append(LiveStructure(f"s{number}", voxels, None if whole else shares, float(random.integers(0, 3))))
    return rows, structures, random.exponential(2.0, (3, sources))


@settings(max_examples=60, deadline=None)
@given(cases(), st.sampled_from([2, 37, 4096]), st.booleans())
def test_histograms_agree_with_exact_ones_of_a_direct_computation(case, bins, rare_atoms):
    rows, structures, plans = case
    grid = Grid((2, 10, 12), (2.0, 2.0, 2.0))
    voxels = 2 * np.arange(rows.shape[1])
    with pytest.MonkeyPatch.context() as patch:
        # Few atoms and small chunks: most voxels are then counted one by one, in more than one round.
        patch.setattr(live_histograms, "_CHUNK", 16)
        if rare_atoms:
            patch.setattr(live_histograms, "_MOST_CELLS", 3 * bins)
        loop = LiveDose(rows, voxels, grid, structures, bins=bins)
    for activities in plans:
        result = loop.update(activities)
        direct = activities @ rows.astype(float)
        np.testing.assert_allclose(result.dose_gy, direct, rtol=2e-6, atol=1e-6)
        np.testing.assert_array_equal(result.volume_gy.ravel()[voxels], result.dose_gy)
        assert result.volume_gy.sum(dtype=float) == pytest.approx(result.dose_gy.sum(dtype=float))
        assert result.bin_gy == pytest.approx(direct.max() / bins, rel=1e-5)
        for index, structure in enumerate(structures):
            exact = _exact(structure, direct, grid)
            dvh = result.dvh(structure.name)
            assert result.mean_gy[index] == pytest.approx(exact.mean_gy, rel=1e-5)
            assert dvh.mean_gy == result.mean_gy[index]
            assert dvh.volume_ml == pytest.approx(exact.volume_ml)
            assert result.voxels_in_bin[index].sum() * grid.voxel_ml == pytest.approx(exact.volume_ml)
            # Half a bin, and the rounding of dose and of its bin to float32.
            within = 0.5 * result.bin_gy + 4e-6 * direct.max()
            for share in (0.0, 0.05, 0.5, 0.7, 0.98, 1.0):
                assert abs(dvh.dose_at_volume(share) - exact.dose_at_volume(share)) <= within
            assert abs(dvh.minimum_gy - exact.minimum_gy) <= within
            assert abs(dvh.maximum_gy - exact.maximum_gy) <= within
            rounding = 4e-6 * direct.max()
            assert np.all(result.volume_share[index] <= exact.shares_at(result.edges_gy - rounding) + 1e-12)
            assert np.all(result.volume_share[index] >= exact.shares_at(result.edges_gy + rounding) - 1e-12)


def _exact(structure, dose_gy, grid):
    """All voxels of a structure; whole ones without dose are added one by one."""
    undosed = np.zeros(int(structure.undosed_voxels))
    doses = np.append(dose_gy[structure.voxels], undosed)
    return exact_dvh(doses, np.append(structure.shares, undosed + 1.0), voxel_ml=grid.voxel_ml)


@pytest.mark.parametrize(("most_cells", "atoms"), [(4, 0), (12, 2), (400, 5)])
def test_atoms_that_do_not_fit_are_counted_voxel_by_voxel(monkeypatch, most_cells, atoms):
    monkeypatch.setattr(live_histograms, "_MOST_CELLS", most_cells)
    structures = [LiveStructure(f"s{k}", np.arange(k, 5)) for k in range(5)]
    histograms = live_histograms.LiveHistograms(structures, 6, 4)
    assert histograms.atoms == atoms
    counted = histograms.count(np.array([0.0, 1.0, 2.5, 3.0, 3.5, 2.0], dtype=np.float32), 1.0)
    np.testing.assert_array_equal(counted, [[1, 1, 1, 2], [0, 1, 1, 2], [0, 0, 1, 2], [0, 0, 0, 2], [0, 0, 0, 1]])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gy_per_gbq": -ROWS}, "reaches from -20 to -?0 Gy/GBq: it must be finite and not negative"),
        ({"gy_per_gbq": ROWS * np.float32(np.nan)}, "must be finite"),
        ({"gy_per_gbq": ROWS[0]}, r"Dose per GBq of shape \(5,\)"),
        ({"voxels": VOXELS[:4]}, r"Voxels of shape \(4,\) for 5 columns"),
        ({"voxels": VOXELS[::-1]}, "must rise within a grid of 60 voxels"),
        ({"voxels": VOXELS + 1}, "begin at 2 and end at 60"),
        ({"voxels": np.array([1, 1, 2, 3, 4])}, "must rise"),
        ({"structures": ()}, "0 structures: choose from 1 to 64"),
        ({"structures": [LiveStructure(f"s{k}", [0]) for k in range(65)]}, "65 structures"),
        ({"structures": [STRUCTURES[0], STRUCTURES[0]]}, "same name among a, a"),
        ({"structures": [LiveStructure("far", [2, 5])]}, "'far' reach from 2 to 5, but the dose rows have 5 columns"),
        ({"structures": [LiveStructure("far", [-1, 2])]}, "'far' reach from -1 to 2"),
        ({"structures": [LiveStructure("twin", [2, 1, 2])]}, "'twin' holds a voxel twice"),
        ({"bins": 1}, "1 bins: choose from 2"),
        ({"site_to_source": np.ones((3, 3))}, r"matrix of shape \(3, 3\) from sites to 2 sources"),
        ({"site_to_source": -np.ones((3, 2))}, "must be finite and not negative"),
        ({"volume_gy": np.zeros(GRID.shape)}, "float64: give float32"),
        ({"volume_gy": np.zeros(GRID.shape[::-1], dtype=np.float32).T}, "in C order"),
        ({"volume_gy": np.zeros((1, 2, 3), dtype=np.float32)}, r"shape \(1, 2, 3\)"),
    ],
)
def test_what_does_not_fit_is_refused(changes, message):
    with pytest.raises(InputError, match=message):
        live(**changes)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"voxels": []}, "There is no voxel in 'x'"),
        ({"voxels": np.ones(5, dtype=bool)}, "list of column positions, not a mask"),
        ({"voxels": [0, 1], "covered_share": [0.0, 0.0]}, "All covered shares of 'x' are 0"),
        ({"voxels": [0, 1], "covered_share": [0.5, 1.2]}, "covered shares of 'x' reach from 0.5 to 1.2"),
        ({"voxels": [0, 1], "covered_share": [0.5]}, "1 covered shares for 2 voxels"),
        ({"voxels": [0], "undosed_voxels": -1.0}, "is -1 voxels: give 0 or more"),
    ],
)
def test_structures_without_volume_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        LiveStructure("x", **arguments)


@pytest.mark.parametrize(
    ("activities", "message"),
    [
        ([1.0], r"shape \(1,\) for 2 sites"),
        ([1.0, -0.1], "not negative"),
        ([np.nan, 1.0], "finite"),
        ([1e38, 1.0], "exceeds the range of float32"),
    ],
)
def test_activities_that_make_no_dose_are_refused(activities, message):
    with pytest.raises(InputError, match=message):
        live().update(activities)


def test_unknown_structure_names_the_known():
    with pytest.raises(InputError, match="no structure 'd': use one of 'a', 'b', 'c'"):
        live().update([1.0, 1.0]).dvh("d")
