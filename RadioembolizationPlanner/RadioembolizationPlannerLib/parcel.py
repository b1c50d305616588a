"""Values on their way between two processes: arrays that both sides have are named, not sent."""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np


def arrays_in(value: Any) -> list[np.ndarray]:
    """Return the arrays in dataclasses, mappings, tuples and lists, each once, in an order that pickling keeps."""
    return list({id(array): array for array in _arrays(value)}.values())


def _arrays(value: Any) -> Iterator[np.ndarray]:
    if isinstance(value, np.ndarray):
        yield value
    elif is_dataclass(value) and not isinstance(value, type):
        for one in fields(value):
            yield from _arrays(getattr(value, one.name))
    elif isinstance(value, Mapping):
        for entry in value.values():
            yield from _arrays(entry)
    elif isinstance(value, tuple | list):
        for entry in value:
            yield from _arrays(entry)


def pack(value: Any, known: Sequence[np.ndarray] = ()) -> bytes:
    """Return a value as bytes; arrays among ``known`` are named by their position."""
    stream = io.BytesIO()
    _Packer(stream, known).dump(value)
    return stream.getvalue()


def unpack(data: bytes, known: Sequence[np.ndarray] = ()) -> Any:
    """Return the value that ``pack`` made bytes of; ``known`` are the same arrays on this side."""
    return _Unpacker(io.BytesIO(data), known).load()


class _Packer(pickle.Pickler):
    def __init__(self, stream: io.BytesIO, known: Sequence[np.ndarray]) -> None:
        super().__init__(stream, protocol=5)
        self._positions = {id(array): position for position, array in enumerate(known)}

    def persistent_id(self, value: Any) -> int | None:
        return self._positions.get(id(value)) if isinstance(value, np.ndarray) else None


class _Unpacker(pickle.Unpickler):
    def __init__(self, stream: io.BytesIO, known: Sequence[np.ndarray]) -> None:
        super().__init__(stream)
        self._known = known

    def persistent_load(self, position: int) -> np.ndarray:
        return self._known[position]
