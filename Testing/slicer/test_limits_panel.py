"""Limits as the panel shows and changes them."""

from __future__ import annotations

import pytest
import slicer_headless

from radioembolization.errors import LimitError
from radioembolization.planning import load_presets
from radioembolization.planning.limit_table import limit_from_table

slicer_headless.require_slicer()
import slicer_module_standins  # noqa: E402

slicer_module_standins.install()
from RadioembolizationPlannerLib.case import preset_limits  # noqa: E402
from RadioembolizationPlannerLib.limits import limit_row, new_limit, with_bound  # noqa: E402

pytestmark = pytest.mark.slicer

EANM = "EANM 2022, Table 3, 10.1007/s00259-021-05600-z"


def _published():
    return preset_limits("resin/bilobar")[0]


def test_a_limit_says_what_it_bounds_and_where_it_is_from():
    row = limit_row(_published())
    assert (row.name, row.sense, row.bound, row.unit) == ("mean dose, perfused normal liver", "at most", 40.0, "Gy")
    assert row.source == EANM
    lower = limit_row({"quantity": "territory_normal_liver", "at_least_gy": 70.0})
    assert (lower.sense, lower.bound, lower.source) == ("at least", 70.0, "user")


@pytest.mark.parametrize("name", sorted(load_presets()))
def test_every_limit_of_every_preset_has_a_row(name):
    rows = [limit_row(table) for table in preset_limits(name)]
    assert [row.bound for row in rows] == [limit.bound for limit in load_presets()[name].limits]


def test_a_changed_bound_notes_what_was_published():
    changed = with_bound(_published(), 35.0)
    assert changed["source"] == f"changed by the user from 40: {EANM}"
    limit = limit_from_table(changed)
    assert (limit.bound, limit.quantity) == (35.0, limit_from_table(_published()).quantity)


def test_a_bound_changed_twice_still_notes_what_was_published():
    twice = with_bound(with_bound(_published(), 35.0), 30.0)
    assert twice["source"] == f"changed by the user from 40: {EANM}" and twice["at_most_gy"] == 30.0


def test_the_published_bound_typed_again_is_the_published_limit():
    assert with_bound(with_bound(_published(), 35.0), 40.0) == _published()


def test_the_same_bound_changes_nothing():
    assert with_bound(_published(), 40.0) == _published()


def test_a_limit_of_the_user_has_no_other_source():
    own = new_limit("lungs", True, 25.0, {})
    assert with_bound(own, 20.0) == {"quantity": "lungs", "at_most_gy": 20.0}


def test_changing_a_bound_leaves_the_table_it_came_from():
    table = dict(_published())
    with_bound(table, 35.0)
    assert table == _published()


@pytest.mark.parametrize("bound", [float("nan"), float("inf"), -1.0])
def test_a_bound_that_is_no_dose_is_refused(bound):
    with pytest.raises(LimitError):
        with_bound(_published(), bound)


@pytest.mark.parametrize("table", [{}, {"quantity": "lungs"}, {"quantity": "wings", "at_most_gy": 1.0}])
def test_a_limit_that_is_none_is_refused(table):
    with pytest.raises(LimitError):
        with_bound(table, 1.0)
    with pytest.raises(LimitError):
        limit_row(table)


def test_a_new_limit_takes_the_entries_of_its_quantity():
    assert new_limit("dose_at_volume", False, 120.0, {"structure": "A", "percent": 70.0}) == {
        "quantity": "dose_at_volume",
        "structure": "A",
        "percent": 70.0,
        "at_least_gy": 120.0,
    }


@pytest.mark.parametrize(
    ("quantity", "entries", "told"),
    [
        ("mean_dose", {"structure": ""}, "needs a structure"),
        ("mean_dose", {}, "needs a structure"),
        ("dose_at_volume", {"structure": "A", "percent": None}, "needs percent"),
        ("lungs", {"structure": "A"}, "remove it"),
        ("wings", {}, "Unknown quantity 'wings'"),
    ],
)
def test_a_new_limit_that_lacks_something_says_what(quantity, entries, told):
    with pytest.raises(LimitError, match=told):
        new_limit(quantity, True, 10.0, entries)
