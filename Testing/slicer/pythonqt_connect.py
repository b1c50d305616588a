"""``connect("signal(arguments)", slot)`` as PythonQt has it, except that mistakes are not forgiven.

PythonQt prints a line and returns False for a signal that does not exist, and prints what a slot raises.  Here the
first raises, and the second is collected in ``ERRORS`` for the test to find.
"""

from __future__ import annotations

import functools
import inspect
import traceback
import types
from collections.abc import Callable
from typing import Any

from PySide6 import QtCore
from pythonqt_values import meta_object
from shiboken6 import Shiboken
from widget_table import table_signals

#: What slots have raised since a test cleared it.
ERRORS: list[BaseException] = []
_CONNECTIONS: dict[tuple[int, str], list[tuple[Any, Any]]] = {}
_ALL = 99


@functools.cache
def normalized(signature: str) -> str:
    """Return a signature as Qt's meta objects write it."""
    return QtCore.QMetaObject.normalizedSignature(signature).data().decode()


def connect(q: QtCore.QObject, signature: str, target: Any, slot: str | None = None) -> bool:
    """Call a Python callable, or the slot of another object, when a signal is emitted."""
    if slot is not None:
        target = getattr(target, slot.partition("(")[0])
    if not callable(target):
        raise TypeError(f"{target!r} cannot be connected to '{signature}': it cannot be called.")
    signal = _found(q, signature)
    call = guarded(target, 0 if signal.endswith("()") else signal.count(",") + 1)
    name = stand_in_signals(type(q).__name__).get(signal)
    if name is not None:
        made = getattr(q, name).connect(call)
    else:
        made = QtCore.QObject.connect(q, QtCore.SIGNAL(signal), call)
    _connections(q, signal).append((target, made))
    return True


def disconnect(q: QtCore.QObject, signature: str, target: Any = None) -> bool:
    """Undo the oldest connection of a signal to a callable, or all without one; False if there is none."""
    signal = _found(q, signature)
    known = _connections(q, signal)
    chosen = [item for item in known if target is None or item[0] == target]
    for item in chosen if target is None else chosen[:1]:
        QtCore.QObject.disconnect(item[1])
        known.remove(item)
    return bool(chosen)


def guarded(target: Any, arguments: int = _ALL) -> Callable[..., None]:
    """Return a slot that hands a callable no more arguments than it takes, and keeps what it raises."""
    count = min(_arguments_taken(target), arguments)

    @functools.wraps(target, assigned=(), updated=())
    def call(*args: Any) -> None:
        from pythonqt_proxies import wrap

        try:
            target(*map(wrap, args[:count]))
        except Exception as error:
            ERRORS.append(error)

    del call.__wrapped__  # PySide6 would look at its signature
    return call


def report(errors: list[BaseException]) -> str:
    """Return the tracebacks of what slots have raised."""
    return "\n".join("".join(traceback.format_exception(error)) for error in errors)


class BoundSignal:
    """``widget.signal``: the other way to connect."""

    def __init__(self, q: QtCore.QObject, signature: str) -> None:
        self._q, self._signature = q, signature

    def connect(self, target: Any) -> None:
        connect(self._q, self._signature, target)

    def disconnect(self, target: Any = None) -> None:
        disconnect(self._q, self._signature, target)

    def emit(self, *args: Any) -> None:
        from pythonqt_proxies import unwrap

        name = stand_in_signals(type(self._q).__name__).get(self._signature, self._signature.partition("(")[0])
        getattr(self._q, name).emit(*map(unwrap, args))

    __call__ = emit


_SIGNATURES: dict[type, tuple[str, ...]] = {}


def signature_of(q: QtCore.QObject, name: str) -> str | None:
    """Return the signature of the signal of that name; one with overloads must be connected by its signature."""
    found = [signal for signal in signatures(q) if signal.startswith(f"{name}(")]
    if not found:
        return None
    longest = max(found, key=len)
    if any(signal not in (longest, f"{name}()") for signal in found):  # "name()" is one with its default arguments
        raise AttributeError(f"{type(q).__name__} has the signals {found}: connect one by its signature.")
    return longest


def has_signal(q: QtCore.QObject, name: str) -> bool:
    """Whether an object has a signal of that name, whatever its arguments."""
    return any(signal.startswith(f"{name}(") for signal in signatures(q))


def signatures(q: QtCore.QObject) -> tuple[str, ...]:
    """Return the signatures of all signals of an object, inherited ones included; they are those of its class."""
    if type(q) not in _SIGNATURES:
        _SIGNATURES[type(q)] = _signatures(q)
    return _SIGNATURES[type(q)]


def _signatures(q: QtCore.QObject) -> tuple[str, ...]:
    meta = meta_object(q)
    methods = [meta.method(i) for i in range(meta.methodCount())]
    kind = QtCore.QMetaMethod.MethodType.Signal
    of_qt = [method.methodSignature().data().decode() for method in methods if method.methodType() == kind]
    return (*table_signals(type(q).__name__), *(signal for signal in of_qt if not signal.startswith("_")))


@functools.cache
def stand_in_signals(class_name: str) -> dict[str, str]:
    """Return the signals of a stand-in by signature: name of the attribute that has the signal."""
    return {signal: f"_signal_{attribute_name(signal)}" for signal in table_signals(class_name)}


def attribute_name(signature: str) -> str:
    """Return a Python name for a signature."""
    return "".join(character if character.isalnum() else "_" for character in signature)


def _found(q: QtCore.QObject, signature: str) -> str:
    signal = normalized(signature)
    known = signatures(q)
    if signal not in known:
        name = signal.partition("(")[0]
        similar = [other for other in known if other.startswith(f"{name}(")]
        hint = f"it has {similar}" if similar else "check its name"
        raise AttributeError(f"{type(q).__name__} has no signal '{signature}': {hint}.")
    return signal


def _connections(q: QtCore.QObject, signal: str) -> list[tuple[Any, Any]]:
    key = (Shiboken.getCppPointer(q)[0], signal)
    if key not in _CONNECTIONS:
        _CONNECTIONS[key] = []
        q.destroyed.connect(lambda *_: _CONNECTIONS.pop(key, None))
    return _CONNECTIONS[key]


def _arguments_taken(target: Any) -> int:
    """PythonQt looks at functions and bound methods only; a partial or an object gets all arguments."""
    if not isinstance(target, types.FunctionType | types.MethodType):
        return _ALL
    code = getattr(target, "__code__", None) or getattr(target.__func__, "__code__", None)
    if code is None or code.co_flags & inspect.CO_VARARGS:
        return _ALL
    return code.co_argcount - isinstance(target, types.MethodType)
