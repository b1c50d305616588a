"""Goals as values of a TOML file: a word, a table with one goal, or a list of tables with weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, fields

from radioembolization.errors import LimitError
from radioembolization.planning.goals import (
    Goal,
    LogTumourControl,
    LowestColdestMean,
    LowestDose,
    LowestDoseAtVolume,
    LowestEUD,
    MeanShortfall,
    StructureMean,
    VoxelShortfall,
    WeightedSum,
    WorstTumourMean,
    WorstTumourPartMean,
)

_WORDS: dict[str, type[Goal]] = {
    "worst_tumour_part_mean": WorstTumourPartMean,
    "worst_tumour_mean": WorstTumourMean,
    "lowest_dose": LowestDose,
}
#: Goals with one number, by the entry and the field that hold it.
_NUMBERS: dict[str, tuple[type[Goal], str]] = {
    "lowest_coldest_mean_percent": (LowestColdestMean, "percent"),
    "lowest_dose_at_volume_percent": (LowestDoseAtVolume, "percent"),
}
#: Goals on one structure, or each on every tumour.
_SHORTFALLS: dict[str, type[MeanShortfall] | type[VoxelShortfall]] = {
    "shortfall_below_gy": MeanShortfall,
    "voxel_shortfall_below_gy": VoxelShortfall,
}
#: Goals whose entry is a table of their fields.
_TABLES: dict[str, type[LowestEUD] | type[LogTumourControl]] = {
    "lowest_eud": LowestEUD,
    "log_tumour_control": LogTumourControl,
}
#: Every word and entry that stands for a goal in files.
GOAL_ENTRIES = (*_WORDS, "structure_mean", *_NUMBERS, *_SHORTFALLS, *_TABLES)
_KNOWN = (
    f"{', '.join(repr(word) for word in _WORDS)}, {{ structure_mean = 'name' }}, "
    f"{', '.join(f'{{ {key} = ... }}' for key in (*_NUMBERS, *_SHORTFALLS))}, "
    f"{', '.join(f'{{ {key} = {{ alpha_per_gy = ... }} }}' for key in _TABLES)} or a list of such tables, each with a "
    "weight"
)


def goal_from_value(value: object, tumours: Sequence[str]) -> Goal:
    """Return a goal from its value in a TOML file.

    Parameters
    ----------
    value : str, dict or list of dict
    tumours : sequence of str
        Names of the tumours, for goals that are a sum over them.

    Raises
    ------
    LimitError
        If it is no goal, or its numbers cannot be used.
    """
    if isinstance(value, str) and value in _WORDS:
        return _WORDS[value]()
    if isinstance(value, dict):
        return _from_table(value, tumours)
    if isinstance(value, list) and value and all(isinstance(part, dict) for part in value):
        return WeightedSum(tuple(term for part in value for term in _weighted(part, tumours)))
    raise LimitError(f"A goal must be {_KNOWN}, not {value!r}.")


def _weighted(table: dict[str, object], tumours: Sequence[str]) -> tuple[tuple[float, Goal], ...]:
    """Return the terms of one part of a weighted sum: ``{ weight = 2, goal = "word" }`` or with the entry of a goal."""
    entries = dict(table)
    weight = _number("weight", entries.pop("weight", 1.0))
    goal = goal_from_value(entries["goal"] if set(entries) == {"goal"} else entries, tumours)
    return tuple((weight * own, term) for own, term in goal.terms)


def _from_table(table: dict[str, object], tumours: Sequence[str]) -> Goal:
    if set(table) == {"structure_mean"}:
        return StructureMean(_text("structure_mean", table["structure_mean"]))
    for key, (kind, name) in _NUMBERS.items():
        if set(table) == {key}:
            return kind(**{name: _number(key, table[key])})
    for key, shortfall in _SHORTFALLS.items():
        if set(table) == {key, "structure"}:
            return shortfall(_text("structure", table["structure"]), _number(key, table[key]))
        if set(table) == {key}:
            if not tumours:
                raise LimitError(f"'{key}' is a sum over the tumours, but the case has none: add structure = 'name'.")
            return WeightedSum(tuple((1.0, shortfall(name, _number(key, table[key]))) for name in tumours))
    for key, survival in _TABLES.items():
        if set(table) == {key} and isinstance(table[key], dict):
            return _of_fields(key, survival, table[key])  # type: ignore[arg-type]
    raise LimitError(f"A goal must be {_KNOWN}, not {table!r}.")


def _of_fields(key: str, kind: type[LowestEUD] | type[LogTumourControl], table: dict[str, object]) -> Goal:
    known = [f.name for f in fields(kind)]
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise LimitError(f"Unknown entries {unknown} in the goal '{key}': use {', '.join(known)}.")
    missing = [f.name for f in fields(kind) if f.default is MISSING and f.name not in table]
    if missing:
        raise LimitError(f"The goal '{key}' needs {', '.join(missing)}: no value for microspheres is published.")
    return kind(**{name: _number(name, value) for name, value in table.items()})


def goal_to_value(goal: Goal) -> object:
    """Return the value from which ``goal_from_value`` makes the goal.

    Raises
    ------
    LimitError
        If the goal has no name in files.
    """
    if isinstance(goal, WeightedSum):
        return [_part(weight, term) for weight, term in goal.terms]
    for word, kind in _WORDS.items():
        if type(goal) is kind:
            return word
    return _to_table(goal)


def _part(weight: float, goal: Goal) -> dict[str, object]:
    value = goal_to_value(goal)
    return {"weight": weight, **(value if isinstance(value, dict) else {"goal": value})}


def _to_table(goal: Goal) -> dict[str, object]:
    if isinstance(goal, StructureMean):
        return {"structure_mean": goal.structure}
    for key, (kind, name) in _NUMBERS.items():
        if type(goal) is kind:
            return {key: getattr(goal, name)}
    for key, shortfall in _SHORTFALLS.items():
        if type(goal) is shortfall:
            return {key: goal.below_gy, "structure": goal.structure}
    for key, survival in _TABLES.items():
        if type(goal) is survival:
            return {key: {f.name: getattr(goal, f.name) for f in fields(goal) if getattr(goal, f.name) is not None}}
    raise LimitError(f"The goal '{goal.name}' cannot be written to a case file: it has no name there.")


def _number(key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise LimitError(f"'{key}' of a goal must be a number, not {value!r}.")
    return float(value)


def _text(key: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise LimitError(f"'{key}' of a goal must be a text in quotes, not {value!r}.")
    return value
