"""Synthetic trees in any liver: inside it, by Murray's law, named by segments, the same for a seed."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from radioembolization.errors import LiverInPieces, TerritoryError
from radioembolization.images import Grid
from radioembolization.territories.arteries import ArterialTree
from radioembolization.territories.growth.couinaud import couinaud_segments
from radioembolization.territories.growth.grown_tree import grow_tree
from radioembolization.territories.growth.room import largest_piece
from support import SHARED, box_mask, ellipsoid

GRID = Grid((36, 40, 60), (4.0, 4.0, 4.0), (-120.0, -80.0, -70.0))
BALL = ellipsoid(GRID, (0, 0, 0), 60.0)
ELONGATED = ellipsoid(GRID, (0, 0, 0), (100.0, 70.0, 60.0))
L_SHAPE = box_mask(GRID.shape, (4, 30), (5, 35), (5, 20)) | box_mask(GRID.shape, (4, 30), (5, 17), (5, 55))
#: The only ones that may leave the liver.
OUTSIDE = ("proper hepatic", "cystic", "right gastric")


@pytest.fixture(scope="module")
def tree() -> ArterialTree:
    return grow_tree(ELONGATED, GRID, seed=1)


def share_outside(tree: ArterialTree, liver: np.ndarray, grid: Grid) -> float:
    """Share of samples, twenty to each step of a centreline, that lie in voxels outside."""
    samples = []
    for artery in tree.arteries:
        if artery.name not in OUTSIDE:
            line, along = artery.points_lps_mm, np.linspace(0.0, 1.0, 20)[:, None, None]
            samples.append((line[:-1] + along * np.diff(line, axis=0)).reshape(-1, 3))
    index = np.rint(grid.to_index(np.concatenate(samples))).astype(int)
    return float(np.mean(~liver[tuple(np.clip(index, 0, np.array(grid.shape) - 1).T)]))


def terminal_tips(tree: ArterialTree) -> dict[str, np.ndarray]:
    return {
        tree.stretches[number].artery: tree.artery(tree.stretches[number].artery).tip_lps_mm
        for number in tree.terminal_stretches
    }


def assert_murray(tree: ArterialTree, exponent: float) -> int:
    """Check the radii at every bifurcation; return how many there are."""
    found = 0
    for number, stretch in enumerate(tree.stretches):
        daughters = [other for other in tree.stretches if other.parent == number]
        if daughters:
            before = tree.artery(stretch.artery).radius_mm[stretch.last]
            # A daughter that is another artery starts with its own radius, one that goes on has it one point later.
            beyond = [tree.artery(d.artery).radius_mm[d.first + (d.artery == stretch.artery)] for d in daughters]
            assert before**exponent == pytest.approx(np.sum(np.array(beyond) ** exponent), rel=1e-6), stretch
            found += len(daughters) > 1
    return found


def test_the_tree_says_that_it_is_synthetic(tree: ArterialTree) -> None:
    assert tree.synthetic and "synthetic" in tree.source and "seed 1" in tree.source


@pytest.mark.parametrize(("liver", "inlet"), [(BALL, None), (L_SHAPE, None), (L_SHAPE, (100.0, -40.0, -65.0))])
def test_every_branch_of_any_liver_is_inside(liver: np.ndarray, inlet: tuple[float, float, float] | None) -> None:
    grown = grow_tree(liver, GRID, seed=3, terminals=48, inlet_lps_mm=inlet)
    assert share_outside(grown, liver, GRID) == 0.0
    assert len(grown.terminal_stretches) == 48
    if inlet is not None:
        assert grown.root.points_lps_mm[0] == pytest.approx(inlet)


def test_murray_at_every_bifurcation(tree: ArterialTree) -> None:
    assert assert_murray(tree, 3.0) >= 60  # binary inside; two trifurcations of the trunk at most
    grown = grow_tree(ELONGATED, GRID, seed=2, exponent=2.5, terminals=40, root_radius_mm=2.0)
    assert assert_murray(grown, 2.5) >= 36
    assert grown.root.radius_mm[0] == pytest.approx(2.0)


def test_terminals_share_the_flow_equally(tree: ArterialTree) -> None:
    """From the radii alone, as ``flow_share`` reads them."""
    assert len(tree.terminal_stretches) == 64
    assert tree.flow_share(3.0)[list(tree.terminal_stretches)] == pytest.approx(1.0 / 64.0, rel=1e-6)


def test_terminals_share_the_flow_by_the_tissue_nearest_to_them() -> None:
    labels = couinaud_segments(ELONGATED, GRID)
    grown = grow_tree(ELONGATED, GRID, seed=1, segments=labels, by_volume=True)
    tips, share = terminal_tips(grown), grown.flow_share(3.0)[list(grown.terminal_stretches)]
    assert_murray(grown, 3.0)
    for segment in (4, 8):
        mine = [n for n, name in enumerate(tips) if name.startswith(f"segment {segment} ")]
        places = GRID.to_lps(np.argwhere(largest_piece(labels == segment)[0]))
        away = np.linalg.norm(places[:, None] - np.array(list(tips.values()))[mine], axis=2)
        near = away <= away.min(axis=1, keepdims=True) + 1e-6  # ends are voxels, so some tissue is as near to two
        ends_near = near.sum(axis=1)
        total = share[mine] / share[mine].sum() * len(places)
        assert np.all(total <= near.sum(axis=0) + 1e-6) and np.all(total >= near[ends_near == 1].sum(axis=0) - 1e-6)
        assert total.max() > 1.3 * total.min()


def test_terminals_lie_in_the_segment_they_are_named_by(tree: ArterialTree) -> None:
    labels = couinaud_segments(ELONGATED, GRID)
    count = np.zeros(9, dtype=int)
    for name, tip in terminal_tips(tree).items():
        segment = int(name.split()[1])
        assert labels[tuple(np.rint(GRID.to_index(tip)).astype(int))] == segment
        count[segment] += 1
    share = np.bincount(labels[ELONGATED], minlength=9)[1:] / np.count_nonzero(ELONGATED)
    assert np.all(np.abs(count[1:] - 64 * share) <= 1.0)  # each segment has its share of the ends


def test_the_named_arteries_are_those_of_the_liver(tree: ArterialTree) -> None:
    parents = {artery.name: artery.parent for artery in tree.arteries}
    assert parents["proper hepatic"] is None and parents["right posterior"] == "right hepatic"
    assert parents["segment 4 branch"] == "middle hepatic" and parents["segment 6 branch"] == "right posterior"
    assert parents["segment 8 branch 1"] == "segment 8 branch"
    assert all(parents[name] == name.rpartition(".")[0] for name in parents if "." in name)
    right = tree.downstream("right hepatic")
    assert {int(name.split()[1]) for name in right if name.startswith("segment")} == {5, 6, 7, 8}


def test_statistics_are_plausible(tree: ArterialTree) -> None:
    """Strahler orders of 64 ends; casts of livers have bifurcation ratios of 2 to 4."""
    order = np.ones(len(tree.stretches), dtype=int)
    for number in range(len(tree.stretches) - 1, -1, -1):
        below = sorted((order[i] for i, s in enumerate(tree.stretches) if s.parent == number), reverse=True)
        if below:
            order[number] = below[0] + (len(below) > 1 and below[1] == below[0])
    starts = [n for n, s in enumerate(tree.stretches) if s.parent < 0 or order[s.parent] != order[n]]
    count = np.bincount(order[starts])[1:]
    assert 4 <= order.max() <= 6
    assert np.all((count[:-2] / count[1:-1] > 1.8) & (count[:-2] / count[1:-1] < 5.5)), count
    lengths = [np.linalg.norm(np.diff(tree.stretch_points_lps_mm(n), axis=0), axis=1).sum() for n in range(len(order))]
    assert 10.0 < np.median(lengths) < 40.0


def test_a_seed_is_one_tree(tree: ArterialTree) -> None:
    again, other = grow_tree(ELONGATED, GRID, seed=1), grow_tree(ELONGATED, GRID, seed=2)
    assert again.names == tree.names
    assert all(
        np.array_equal(a.points_lps_mm, b.points_lps_mm) for a, b in zip(again.arteries, tree.arteries, strict=True)
    )
    assert not np.allclose(other.artery("segment 5 branch").tip_lps_mm, tree.artery("segment 5 branch").tip_lps_mm)


def test_the_guessed_inlet_is_below_the_liver(tree: ArterialTree) -> None:
    inlet, hilum = tree.root.points_lps_mm[[0, -1]]
    voxel = tuple(np.rint(GRID.to_index(hilum)).astype(int))
    assert ELONGATED[voxel] and inlet[2] < hilum[2]
    assert 5.0 < np.linalg.norm(inlet - hilum) < 31.0


def test_arteries_to_gallbladder_and_stomach() -> None:
    organs = {
        "gallbladder": ellipsoid(GRID, (-30.0, -30.0, -64.0), 8.0),
        "stomach": ellipsoid(GRID, (80.0, 0.0, -40.0), 15.0),
        "spleen": ELONGATED,
    }
    grown = grow_tree(ELONGATED, GRID, seed=1, organs=organs)
    assert_murray(grown, 3.0)
    for name, parent, organ in (
        ("cystic", "right hepatic", "gallbladder"),
        ("right gastric", "proper hepatic", "stomach"),
    ):
        assert grown.artery(name).parent == parent
        assert organs[organ][tuple(np.rint(GRID.to_index(grown.artery(name).tip_lps_mm)).astype(int))]
    flow = grown.flow_share(3.0)
    side = {grown.stretches[n].artery: flow[n] for n in grown.terminal_stretches}
    # 4 % and 1.5 % of the flow of the liver on top of it.
    assert side["right gastric"] == pytest.approx(0.04 / 1.055, rel=1e-6)
    assert side["cystic"] == pytest.approx(0.015 / 1.055, rel=1e-6)


def test_an_inlet_inside_the_liver_and_part_of_the_segments() -> None:
    labels = np.where(np.isin(couinaud_segments(ELONGATED, GRID), (5, 8)), 5, 0)
    right = labels == 5
    grown = grow_tree(
        right, GRID, seed=1, terminals=5, segments=labels, inlet_lps_mm=tuple(GRID.to_lps(np.argwhere(right)[0]))
    )
    assert grown.names[:4] == ("proper hepatic", "right hepatic", "right anterior", "segment 5 branch")
    assert share_outside(grown, right, GRID) == 0.0 and len(grown.terminal_stretches) == 5


# --- bad input ---


def test_an_inlet_far_from_the_liver_is_refused() -> None:
    with pytest.raises(TerritoryError, match=r"lies \d+ mm from the liver.*nearest liver"):
        grow_tree(BALL, GRID, seed=1, inlet_lps_mm=(0.0, 0.0, -160.0))
    assert grow_tree(BALL, GRID, seed=1, inlet_lps_mm=(0.0, 0.0, -160.0), reach_mm=120.0).synthetic


def test_a_liver_in_pieces() -> None:
    halves = BALL.copy()
    halves[:, :, 28:32] = False
    with pytest.raises(TerritoryError, match="in pieces"):
        grow_tree(halves, GRID, seed=1)
    speck = BALL | box_mask(GRID.shape, (0, 2), (0, 2), (0, 3))
    with pytest.warns(LiverInPieces, match="not connected"):
        grown = grow_tree(speck, GRID, seed=1, terminals=16)
    assert share_outside(grown, BALL, GRID) == 0.0


def test_too_many_terminals_say_how_many_fit() -> None:
    small = ellipsoid(GRID, (0, 0, 0), 24.0)  # 58 mL in 900 voxels: 232 by volume, 113 by voxels
    with pytest.raises(TerritoryError, match=r"ask for \d+ at most") as refused:
        grow_tree(small, GRID, seed=1, terminals=5000)
    fit = int(str(refused.value).split("ask for ")[1].split()[0])
    assert 90 < fit <= 113
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(grow_tree(small, GRID, seed=1, terminals=fit).terminal_stretches) == fit


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"terminals": 7}, "at least 8"),
        ({"terminals": 0}, "at least 1"),
        ({"seed": -1}, "seed"),
        ({"exponent": 0.0}, "positive exponent"),
        ({"root_radius_mm": float("nan")}, "radius of its root"),
        ({"segments": np.zeros(GRID.shape, dtype=int)}, "labels 1 to 8"),
    ],
)
def test_numbers_without_sense_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(TerritoryError, match=message):
        grow_tree(BALL, GRID, **{"seed": 1, **change})  # type: ignore[arg-type]


def test_an_empty_liver_is_refused() -> None:
    with pytest.raises(TerritoryError, match="0 voxels"):
        grow_tree(np.zeros(GRID.shape, dtype=bool), GRID, seed=1)


# --- real livers ---


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["hra_liver_male", pytest.param("liver_ce_ct", marks=pytest.mark.exhaustive)])
def test_livers_of_real_shape(name: str) -> None:
    sitk = pytest.importorskip("SimpleITK")
    path = SHARED / "data" / name / "labels.nii.gz"
    if not path.exists():
        pytest.skip("the reference data are not here")
    image = sitk.ReadImage(str(path))
    labels = sitk.GetArrayFromImage(image)
    grid = Grid(labels.shape, image.GetSpacing()[::-1], image.GetOrigin(), image.GetDirection())
    drawn = name == "hra_liver_male"
    liver = (labels >= 1) & (labels <= 8) if drawn else (labels >= 1) & (labels <= 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LiverInPieces)
        grown = grow_tree(liver, grid, seed=1, segments=labels if drawn else None)
    assert share_outside(grown, liver, grid) == 0.0 and len(grown.terminal_stretches) == 64
    assert_murray(grown, 3.0)
    if drawn:
        for artery, tip in terminal_tips(grown).items():
            assert labels[tuple(np.rint(grid.to_index(tip)).astype(int))] == int(artery.split()[1])
