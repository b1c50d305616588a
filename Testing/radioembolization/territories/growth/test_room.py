"""Lines and ways that stay inside a mask."""

from __future__ import annotations

import numpy as np
import pytest

from radioembolization.images import Grid
from radioembolization.territories.growth.room import Room, largest_piece
from support import as_direction, box_mask, rotation

GRID = Grid((12, 30, 30), (3.0, 1.0, 1.0), (-4.0, 7.0, 2.0), as_direction(rotation((1, 2, 3), 30.0)))


def u_shape() -> Room:
    """Two arms along y, joined at low y."""
    mask = box_mask(GRID.shape, (0, 12), (0, 30), (0, 30))
    mask[:, 8:, 10:20] = False
    return Room(mask, GRID)


def test_positions_inside_on_a_turned_grid() -> None:
    room = u_shape()
    index = np.array([[5.0, 20.0, 5.4], [5.0, 20.0, 9.6], [5.0, 7.4, 15.0], [-0.6, 5.0, 5.0], [11.4, 29.4, 29.4]])
    assert room.contains(GRID.to_lps(index)).tolist() == [True, False, True, False, True]


def test_lines_are_seen_exactly() -> None:
    """Against ten thousand samples of each line; the corner of a voxel that a line cuts is not missed."""
    rng = np.random.default_rng(0)
    room = u_shape()
    room.mask[rng.random(GRID.shape) < 0.01] = False
    starts, ends = (GRID.to_lps(rng.uniform(0, 1, (80, 3)) * [11, 29, 9]) for _ in range(2))
    share = np.linspace(0.0, 1.0, 10001)[:, None]
    for start, end, seen in zip(starts, ends, room.sees(starts, ends), strict=True):
        assert seen == room.contains(start + share * (end - start)).all()
    assert 0.05 < room.sees(starts, ends).mean() < 0.95


def test_a_line_along_an_axis_and_one_of_no_length() -> None:
    room = u_shape()
    a, b, c = GRID.to_lps(np.array([[5.0, 20.0, 5.0], [5.0, 20.0, 25.0], [5.0, 2.0, 5.0]]))
    assert room.sees(np.stack([a, a, a]), np.stack([a, b, c])).tolist() == [True, False, True]


def test_the_way_goes_around_the_gap() -> None:
    room = u_shape()
    start, end = GRID.to_lps(np.array([[5.0, 25.0, 5.0], [5.0, 25.0, 25.0]]))
    way = room.way(start, end)
    assert way is not None
    assert np.allclose(way[[0, -1]], [start, end])
    assert room.sees(way[:-1], way[1:]).all()
    length = np.linalg.norm(np.diff(way, axis=0), axis=1).sum()
    # Around two corners at (7.5, 9.5) and (7.5, 19.5): 2 sqrt(17.5^2 + 4.5^2) + 10 = 46.1 mm; voxels add some.
    assert 46.0 < length < 1.25 * 46.1


def test_no_way_between_pieces() -> None:
    mask = box_mask(GRID.shape, (0, 12), (0, 30), (0, 30))
    mask[:, :, 14:16] = False
    room = Room(mask, GRID)
    start, end = GRID.to_lps(np.array([[5.0, 25.0, 5.0], [5.0, 25.0, 25.0]]))
    assert room.way(start, end) is None
    piece, share = largest_piece(mask)
    assert share == pytest.approx(0.5) and np.count_nonzero(piece) == 12 * 30 * 14


def test_a_cropped_room_is_where_it_was() -> None:
    mask = box_mask(GRID.shape, (3, 7), (10, 20), (5, 9))
    room = Room.around(mask, GRID)
    assert room.mask.shape == (4, 10, 4) and room.volume_ml == pytest.approx(0.48)
    assert np.allclose(room.places_lps_mm, GRID.to_lps(np.argwhere(mask)))
