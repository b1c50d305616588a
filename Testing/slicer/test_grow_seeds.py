"""Growing from seeds finds the border between two tissues, on any grid, and says what it needs."""

from __future__ import annotations

import numpy as np
import pytest
import slicer_headless
from scipy.spatial.transform import Rotation

from radioembolization.errors import StructureError
from radioembolization.images import Grid, Unit, Volume
from radioembolization.treatment import SourceMask
from support import ellipsoid

slicer_headless.require_slicer()

pytestmark = pytest.mark.slicer

_TURNED = tuple(Rotation.from_euler("xyz", [8.0, -12.0, 30.0], degrees=True).as_matrix().ravel())
GRIDS = {
    "along": Grid((24, 30, 36), (4.0, 3.0, 3.0), (-54.0, -45.0, -48.0)),
    "oblique": Grid((24, 30, 36), (4.0, 3.0, 3.0), (-30.0, -60.0, -35.0), _TURNED),
}


@pytest.fixture
def lib(scene):
    import slicer_module_standins

    slicer_module_standins.install()
    from RadioembolizationPlannerLib import grow_seeds

    return grow_seeds


def _case(scene, grid):
    """Return an image of a bright ball, a segmentation with a seed inside and one outside of it, and the ball."""
    from RadioembolizationPlannerLib.new_segments import NewSegment, add_segments, new_segmentation

    centre = tuple(grid.to_lps(np.array(grid.shape) / 2.0))
    ball = ellipsoid(grid, centre, 28.0)
    noise = np.random.default_rng(5).normal(0.0, 4.0, grid.shape)
    image = Volume((np.where(ball, 110.0, 20.0) + noise).astype(np.float32), grid, Unit.HU)
    shell = ellipsoid(grid, centre, 42.0) & ~ellipsoid(grid, centre, 38.0)
    node = new_segmentation(scene, "seeds")
    color = (0.2, 0.8, 0.4)
    seeds = [NewSegment("liver", SourceMask(ellipsoid(grid, centre, 10.0), grid), color)]
    seeds.append(NewSegment("rest", SourceMask(shell, grid), color))
    return image, node, add_segments(node, seeds), ball


@pytest.mark.parametrize("kind", GRIDS)
def test_each_voxel_goes_to_the_seed_it_resembles(lib, scene, kind):
    image, node, keys, ball = _case(scene, GRIDS[kind])
    inside, outside = lib.grow_from_seeds(node, keys, image)
    assert (inside.name, outside.name) == ("liver grown", "rest grown")
    assert inside.color == pytest.approx((0.2, 0.8, 0.4)) and "GrowCut" in inside.method
    part = inside.source.grid
    low = tuple(int(n) for n in np.rint(image.grid.to_index(np.array(part.origin_mm))))
    cut = ball[tuple(slice(a, a + n) for a, n in zip(low, part.shape, strict=True))]
    dice = 2.0 * np.count_nonzero(inside.source.mask & cut) / (np.count_nonzero(inside.source.mask) + ball.sum())
    assert dice > 0.97
    assert not (inside.source.mask & outside.source.mask).any()


def test_seeds_are_placed_by_their_position_not_by_their_voxels(lib, scene):
    """Seeds drawn on another grid, finer and shifted, grow to the same ball."""
    image, node, keys, ball = _case(scene, GRIDS["along"])
    fine = image.grid.refined((2, 2, 2))
    shifted = Grid(fine.shape, fine.spacing_mm, tuple(np.add(fine.origin_mm, (0.7, -0.4, 1.1))))
    from RadioembolizationPlannerLib.new_segments import NewSegment, add_segments

    centre = tuple(image.grid.to_lps(np.array(image.grid.shape) / 2.0))
    (key,) = add_segments(node, [NewSegment("fine", SourceMask(ellipsoid(shifted, centre, 10.0), shifted), (1, 0, 0))])
    inside, _ = lib.grow_from_seeds(node, [key, keys[1]], image)
    assert np.count_nonzero(inside.source.mask) == pytest.approx(ball.sum(), rel=0.03)


def test_one_seed_is_not_enough(lib, scene):
    image, node, keys, _ = _case(scene, GRIDS["along"])
    with pytest.raises(StructureError, match="needs at least two seeds"):
        lib.grow_from_seeds(node, keys[:1], image)


def test_a_seed_outside_the_image_is_named(lib, scene):
    image, node, keys, _ = _case(scene, GRIDS["along"])
    away = Grid(image.grid.shape, image.grid.spacing_mm, (900.0, 900.0, 900.0))
    with pytest.raises(StructureError, match="Seed 'liver' has no voxels in the image"):
        lib.grow_from_seeds(node, keys, Volume(image.array, away, Unit.HU))


def test_an_empty_seed_is_named(lib, scene):
    image, node, keys, _ = _case(scene, GRIDS["along"])
    node.GetSegmentation().AddEmptySegment("empty", "empty")
    with pytest.raises(StructureError, match="Segment 'empty' of 'seeds' is empty"):
        lib.grow_from_seeds(node, [keys[0], "empty"], image)
