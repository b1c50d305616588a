"""Trees from masks of vessels whose centrelines and radii are known."""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pytest

from radioembolization.errors import (
    ArterialRootAssumed,
    ArteriesJoined,
    MissingPackage,
    PlannerWarning,
    TerritoryError,
    VesselLoopsBroken,
    VesselPiecesLeftOut,
)
from radioembolization.images import Grid
from radioembolization.territories.arteries import ArterialTree
from radioembolization.territories.skeleton import centreline_of_mask, tree_from_mask
from vessel_masks import Line, distance_to, grid_around, line, painted, turned

STRAIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
#: A trunk of radius 3 mm that divides into radii 2.2 and 1.8 mm, 50 degrees apart.
TRUNK = line((0, 0, 0), (0, 0, 40), radius=3.0)
THICK = line((0, 0, 40), (20, 0, 70), radius=2.2)
THIN = line((0, 0, 40), (-22, 5, 66), radius=1.8)
Y = [TRUNK, THICK, THIN]


def tree_of(
    lines: list[Line], spacing: tuple[float, float, float] = (0.7, 0.7, 0.7), direction=STRAIGHT, **options: object
) -> ArterialTree:
    grid = grid_around(lines, spacing, direction)
    return tree_from_mask(painted(lines, grid), grid, **options)


@pytest.mark.parametrize("radius", [1.1, 2.0, 4.0])
def test_a_straight_tube_keeps_its_axis_and_radius(radius: float) -> None:
    tube = [line((0, 0, 0), (25, 20, 30), radius=radius)]
    tree = tree_of(tube, root_lps_mm=(0, 0, 0))
    assert tree.names == ("branch 1",)
    away, _ = distance_to(tube, tree.root.points_lps_mm)
    # the digital wall lies within half a voxel of the real one, and thinning stays within one voxel of the middle
    assert away.max() < 0.7
    assert tree.root.radius_mm == pytest.approx(radius, rel=0.06)
    # round ends: thinning stops between the end of the axis and the tip of the cap
    assert abs(tree.root.length_mm - np.linalg.norm((25, 20, 30))) < 2 * radius
    assert np.linalg.norm(tree.root.points_lps_mm[0]) < radius + 0.7


@pytest.mark.parametrize(
    ("spacing", "direction"),
    [
        ((0.7, 0.7, 0.7), STRAIGHT),
        ((1.0, 0.7, 0.7), turned(3)),
        ((0.7, 0.7, 1.0), turned(4)),
        ((1.5, 0.7, 0.7), turned(5)),
    ],
)
def test_a_fork_is_the_same_tree_on_every_grid(spacing: tuple[float, float, float], direction: tuple) -> None:
    tree = tree_of(Y, spacing, direction, root_lps_mm=(0, 0, 0))
    assert {artery.name: artery.parent for artery in tree.arteries} == {
        "branch 1": None,
        "branch 1.1": "branch 1",
        "branch 1.2": "branch 1",
    }
    for name, (_, radius) in zip(tree.names, Y, strict=True):
        assert np.median(tree.artery(name).radius_mm) == pytest.approx(radius[0], rel=0.06)
    away, _ = distance_to(Y, np.concatenate([artery.points_lps_mm for artery in tree.arteries]))
    assert away.mean() < 0.5 * max(spacing) and np.quantile(away, 0.95) < max(spacing)
    assert np.linalg.norm(tree.root.tip_lps_mm - (0, 0, 40)) < 3.0
    assert np.linalg.norm(tree.artery("branch 1.2").tip_lps_mm - (-22, 5, 66)) < 1.8 + 0.7
    # the tree branches where the daughters start, with no stump beyond
    assert [stretch.parent for stretch in tree.stretches] == [-1, 0, 0]
    assert tree.flow_share()[1] == pytest.approx(2.2**3 / (2.2**3 + 1.8**3), abs=0.05)


def test_radii_follow_a_taper() -> None:
    cone = [line((0, 0, 0), (0, 0, 80), radius=(4.0, 1.6))]
    tree = tree_of(cone, root_lps_mm=(0, 0, 0))
    _, radius = distance_to(cone, tree.root.points_lps_mm)
    inner = (tree.root.along_mm > 4) & (tree.root.along_mm < tree.root.length_mm - 4)
    assert tree.root.radius_mm[inner] == pytest.approx(radius[inner], rel=0.08)


def test_the_root_is_the_thickest_end_or_the_nearest_to_a_position() -> None:
    assert tree_of(Y).root.points_lps_mm[0] == pytest.approx((0, 0, 0), abs=3.5)
    assert "guessed" in tree_of(Y, source="a CBCT").source and "a CBCT" in tree_of(Y, source="a CBCT").source
    other = tree_of(Y, root_lps_mm=(20, 3, 71))
    assert other.root.points_lps_mm[0] == pytest.approx((20, 0, 70), abs=3.0)
    assert len(other.arteries) == 3 and np.median(other.artery("branch 1.1").radius_mm) == pytest.approx(3.0, rel=0.06)
    with pytest.raises(TerritoryError, match=r"more than 20 mm"):
        tree_of(Y, root_lps_mm=(0, 0, -40))
    with pytest.raises(TerritoryError, match="root"):
        tree_of(Y, root_lps_mm=(0, 0, np.nan))


def test_a_guessed_root_with_a_rival_is_a_warning() -> None:
    rival = [TRUNK, line((0, 0, 40), (20, 0, 70), radius=2.8), THIN]
    with pytest.warns(ArterialRootAssumed, match="nearly as thick"):
        tree_of(rival)


def test_a_ring_is_broken_with_a_warning_where_it_is_thinnest() -> None:
    angle = np.linspace(0.0, 2.0 * np.pi, 60)
    radius = 2.2 - 0.8 * np.exp(-(((angle - np.pi / 2) / 0.5) ** 2))  # thinnest at (0, 15, 0)
    ring = (15.0 * np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1), radius)
    lines = [ring, line((0, -45, 0), (0, -15, 0), radius=2.6)]
    with pytest.warns(VesselLoopsBroken) as caught:
        tree = tree_of(lines, root_lps_mm=(0, -45, 0))
    message = next(str(w.message) for w in caught if issubclass(w.category, VesselLoopsBroken))
    assert "1 loop(s)" in message
    x, y, z = (float(number) for number in message.split("(")[2].split(")")[0].split(","))
    assert np.linalg.norm(np.array([x, y, z]) - (0, 15, 0)) < 4.0
    # a path of voxels is up to a fifth longer than the line it follows
    assert float(message.split(" mm round")[0].split()[-1]) == pytest.approx(2 * np.pi * 15, rel=0.2)
    assert len(tree.arteries) == 3
    assert sum(a.length_mm for a in tree.arteries[1:]) == pytest.approx(2 * np.pi * 15, rel=0.1)


def test_a_gap_of_3_mm_is_bridged_and_one_of_12_mm_is_not() -> None:
    def pieces(gap: float) -> list[Line]:
        far = 30 + 2.0 + gap + 2.0  # both ends are round
        return [line((0, 0, 0), (0, 0, 30), radius=2.0), line((0, 0, far), (0, 0, far + 30), radius=2.0)]

    with pytest.warns(ArteriesJoined, match=r"1 gap\(s\).*: (2\.\d|3\.\d) mm"):
        tree = tree_of(pieces(3.0), root_lps_mm=(0, 0, 0))
    assert len(tree.arteries) == 1
    assert tree.root.length_mm == pytest.approx(67, abs=4)
    assert tree.root.radius_mm == pytest.approx(2.0, rel=0.15)
    with pytest.raises(TerritoryError, match=r"50 % of its volume .* nearest gap is 1[12]\.\d mm"):
        tree_of(pieces(12.0), root_lps_mm=(0, 0, 0))
    with pytest.warns(ArteriesJoined):
        assert len(tree_of(pieces(12.0), gap_mm=13.0, root_lps_mm=(0, 0, 0)).arteries) == 1


def test_a_side_branch_behind_a_gap_joins_the_middle_of_its_parent() -> None:
    lines = [line((0, 0, 0), (0, 0, 60), radius=3.0), line((8, 0, 30), (35, 0, 40), radius=1.5)]
    with pytest.warns(ArteriesJoined):
        tree = tree_of(lines, root_lps_mm=(0, 0, 0))
    assert len(tree.arteries) == 3
    assert tree.root.tip_lps_mm == pytest.approx((0, 0, 30), abs=2.0)


def test_a_small_piece_far_away_is_left_out_with_a_warning() -> None:
    lines = [*Y, line((45, 40, 0), (45, 40, 7), radius=1.2)]
    with pytest.warns(VesselPiecesLeftOut, match=r"1 vessel piece\(s\) with [12]\.\d % .* 5 mm"):
        tree = tree_of(lines, root_lps_mm=(0, 0, 0))
    assert len(tree.arteries) == 3


@pytest.mark.parametrize("seed", [1, 2, pytest.param(3, marks=pytest.mark.exhaustive)])
def test_noise_makes_no_branches(seed: int) -> None:
    rng = np.random.default_rng(seed)
    grid = grid_around(Y, (0.7, 0.7, 0.7), STRAIGHT)
    mask = painted(Y, grid)
    # salt in the background, holes in the lumen, and a rough wall: a fifth of the voxels within 0.5 mm flipped
    rough = painted([(points, radius + 0.5) for points, radius in Y], grid)
    shell = rough & ~painted([(points, radius - 0.5) for points, radius in Y], grid)
    noisy = mask ^ (shell & (rng.random(mask.shape) < 0.2))
    noisy ^= ~shell & (rng.random(mask.shape) < 0.001)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PlannerWarning)
        tree = tree_from_mask(noisy, grid, root_lps_mm=(0, 0, 0))
    assert 3 <= len(tree.arteries) <= 5  # stated bound: at most one false branch, which splits another
    away, _ = distance_to(Y, np.concatenate([artery.points_lps_mm for artery in tree.arteries]))
    assert away.mean() < 0.7
    assert np.median(tree.root.radius_mm) == pytest.approx(3.0, rel=0.2)


def test_coarse_thinning_keeps_the_tree_and_its_radii() -> None:
    grid = grid_around(Y, (0.7, 0.7, 0.7), turned(6))
    mask = painted(Y, grid)
    tree = tree_from_mask(mask, grid, root_lps_mm=(0, 0, 0), most_voxels=mask.size // 10)
    assert len(tree.arteries) == 3
    for name, (_, radius) in zip(tree.names, Y, strict=True):
        assert np.median(tree.artery(name).radius_mm) == pytest.approx(radius[0], rel=0.1)


def _empty(mask: np.ndarray, grid: Grid) -> None:
    mask[:] = False


def _one_voxel(mask: np.ndarray, grid: Grid) -> None:
    mask[:] = False
    mask[9, 9, 9] = True


def _ball(mask: np.ndarray, grid: Grid) -> None:
    mask[:] = np.linalg.norm(np.indices(mask.shape).T - 15, axis=-1).T < 10


@pytest.mark.parametrize(("spoil", "message"), [(_empty, "no voxel"), (_one_voxel, "elongated"), (_ball, "elongated")])
def test_a_mask_without_vessels_is_refused(spoil, message: str) -> None:
    grid = Grid((30, 30, 30), (0.7, 0.7, 0.7))
    mask = np.zeros(grid.shape, dtype=bool)
    spoil(mask, grid)
    for read in (tree_from_mask, centreline_of_mask):
        with pytest.raises(TerritoryError, match=message):
            read(mask, grid)


def test_a_mask_of_another_grid_is_refused() -> None:
    with pytest.raises(TerritoryError, match="shape"):
        tree_from_mask(np.ones((3, 4, 5), dtype=bool), Grid((5, 4, 3), (1.0, 1.0, 1.0)))


@pytest.mark.parametrize("wrong", [{"gap_mm": -1.0}, {"gap_mm": np.nan}, {"smallest_mm": -3.0}])
def test_negative_lengths_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(TerritoryError, match=f"{next(iter(wrong))} must be a length"):
        tree_of([TRUNK], **wrong)


def test_one_vessel_with_a_spur_gives_its_longest_path() -> None:
    lines = [line((0, 0, 0), (0, 0, 60), radius=2.0), line((0, 0, 30), (9, 0, 30), radius=1.2)]
    grid = grid_around(lines, (0.7, 0.7, 0.7), turned(7))
    points, radius = centreline_of_mask(painted(lines, grid), grid)
    away, _ = distance_to(lines[:1], points)
    assert away.mean() < 0.5 and len(points) == len(radius)
    assert np.linalg.norm(points[0] - points[-1]) == pytest.approx(60, abs=4)
    assert np.median(radius) == pytest.approx(2.0, rel=0.05)


def test_without_scikit_image_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "skimage.morphology", None)
    with pytest.raises(MissingPackage, match="scikit-image"):
        tree_of([TRUNK])


def test_names_and_points_do_not_depend_on_chance() -> None:
    one, other = tree_of(Y), tree_of(Y)
    assert one.names == other.names
    assert all(np.array_equal(one.artery(name).points_lps_mm, other.artery(name).points_lps_mm) for name in one.names)
