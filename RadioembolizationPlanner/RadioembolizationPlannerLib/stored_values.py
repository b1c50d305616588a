"""Typed values as JSON texts: what is read has the kind that was written, or is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints


def to_json(value: Any) -> str:
    """Return a value of numbers, texts, tuples, mappings and dataclasses as JSON."""
    return json.dumps(value, ensure_ascii=False, default=lambda one: asdict(one) if is_dataclass(one) else dict(one))


def from_json(text: str, kind: Any) -> Any:
    """Return the value of a text.

    Parameters
    ----------
    text : str
    kind : type or type hint
        Such as ``float | None``, ``tuple[float, ...]``, ``Mapping[str, Role]`` or a dataclass; of ``Any``,
        nothing is checked.

    Raises
    ------
    ValueError
        If the text is no JSON, or of another kind; the message says where.
    """
    return _typed(json.loads(text, parse_constant=_refused), kind, "it")


@cache
def hints_of(dataclass: type) -> dict[str, Any]:
    """Return the type hint of every field of a dataclass."""
    return get_type_hints(dataclass)


def _typed(value: Any, kind: Any, where: str) -> Any:
    origin, parts = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if origin in (Union, UnionType):
        return None if value is None else _typed(value, next(part for part in parts if part is not NoneType), where)
    if origin is tuple:
        entries = enumerate(_of(value, list, where))
        return tuple(_typed(entry, parts[0], f"entry {number} of {where}") for number, entry in entries)
    if origin in (dict, Mapping):
        return {key: _typed(entry, parts[1], f"'{key}' of {where}") for key, entry in _of(value, dict, where).items()}
    if is_dataclass(kind):
        return _record(_of(value, dict, where), kind, where)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return kind(value) if issubclass(kind, Enum) else _of(value, kind, where)


def _record(table: dict[str, Any], kind: Callable[..., Any], where: str) -> Any:
    hints = hints_of(kind)
    unknown = [key for key in table if key not in hints]
    if unknown:
        raise ValueError(f"{where} has unknown entries {unknown}")
    try:
        return kind(**{key: _typed(entry, hints[key], f"'{key}' of {where}") for key, entry in table.items()})
    except TypeError as error:
        raise ValueError(f"{where} is incomplete: {error}") from error


def _of(value: Any, kind: type, where: str) -> Any:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ValueError(f"{where} is no {kind.__name__}")
    if kind is float and not math.isfinite(value):
        raise ValueError(f"{where} is no number")
    return value


def _refused(text: str) -> float:
    raise ValueError(f"it holds {text}, which is no number")
