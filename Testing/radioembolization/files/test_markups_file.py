"""Points in Slicer's markups files: both coordinate systems, names, descriptions, and every kind of broken file."""

import json

import pytest

from radioembolization.errors import FileMissing, InputError
from radioembolization.files.markups_file import NamedPoint, read_points, write_points

POINTS = (
    NamedPoint("right hepatic", (-12.25, 3.5, -40.0), "downstream of proper hepatic; 812 mL"),
    NamedPoint("linke Äste", (20.0, -1.0, 1e-3)),
)


def test_points_come_back_as_written(tmp_path):
    write_points(POINTS, tmp_path / "sites.mrk.json")
    assert read_points(tmp_path / "sites.mrk.json") == POINTS
    assert list(tmp_path.iterdir()) == [tmp_path / "sites.mrk.json"]


def _changed(tmp_path, change):
    write_points(POINTS, tmp_path / "sites.mrk.json")
    document = json.loads((tmp_path / "sites.mrk.json").read_text(encoding="utf-8"))
    change(document["markups"][0])
    (tmp_path / "sites.mrk.json").write_text(json.dumps(document), encoding="utf-8")
    return tmp_path / "sites.mrk.json"


@pytest.mark.parametrize("system", ["RAS", 0])
def test_positions_in_ras_are_turned(tmp_path, system):
    path = _changed(tmp_path, lambda markup: markup.update(coordinateSystem=system))
    assert read_points(path)[0].position_lps_mm == (12.25, -3.5, -40.0)


def test_points_that_were_not_placed_are_left_out(tmp_path):
    path = _changed(tmp_path, lambda markup: markup["controlPoints"][0].update(positionStatus="undefined"))
    assert [point.name for point in read_points(path)] == ["linke Äste"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m["controlPoints"].clear(), "no point that was placed"),
        (lambda m: m["controlPoints"][1].update(label=" "), "needs a name and three numbers"),
        (
            lambda m: m["controlPoints"][1].update(position=[1.0, 2.0]),
            "point 'linke Äste' needs a name and three numbers",
        ),
        (lambda m: m["controlPoints"][1].update(position=[1.0, "x", 2]), "three numbers"),
        (lambda m: m["controlPoints"][1].update(position=[1.0, float("nan"), 2]), "three numbers"),
        (lambda m: m.update(coordinateSystem="ijk"), "unknown coordinate system 'ijk'"),
        (lambda m: m.pop("controlPoints"), "no markups file"),
    ],
)
def test_broken_files_are_named(tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        read_points(_changed(tmp_path, change))


def test_missing_file_and_other_text_are_named(tmp_path):
    with pytest.raises(FileMissing, match=r"'points\.mrk\.json' do not exist"):
        read_points(tmp_path / "points.mrk.json")
    (tmp_path / "points.mrk.json").write_text("[1, 2", encoding="utf-8")
    with pytest.raises(InputError, match="no markups file"):
        read_points(tmp_path / "points.mrk.json")
