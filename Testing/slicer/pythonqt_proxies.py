"""Proxies that give objects of PySide6 the attribute rules of PythonQt, the Qt binding of Slicer.

PythonQt looks an attribute of a C++ object up in this order: property (so ``label.text`` is a string and
``label.text()`` an error), method, signal, enumeration value, dynamic property, child of that ``objectName``.  It
refuses to make new attributes.  Enumeration values are integers and string lists come back as tuples.  An empty layout
is false, so ``slicer.util.childWidgetVariables`` does not find it.

Stricter than PythonQt, because what it does silently is nearly always a mistake: ``None``, NumPy scalars and
fractions for whole numbers are refused as values; keyword arguments are refused; a dialog that would wait for a user
raises.
"""

from __future__ import annotations

import enum
import types
import weakref
from collections.abc import Callable
from typing import Any

import pythonqt_connect
from PySide6 import QtCore, QtWidgets
from pythonqt_values import (
    MODAL,
    EnumValue,
    class_name,
    dynamic_names,
    properties,
    refuse_doubtful,
    refuse_modal,
    truth,
)
from shiboken6 import Shiboken
from widget_table import lineage, table_enums, table_methods

_PROXY_CLASSES: dict[type, type] = {}
#: Types that wrap and unwrap leave as they are.
_PLAIN = frozenset((bool, int, float, str, bytes, dict, type(None)))
_METHODS = (types.BuiltinFunctionType, types.MethodType, types.MethodDescriptorType)
_SLOTS = (types.FunctionType, types.MethodType)
#: What reads an attribute of the objects of a class.
_READERS: dict[tuple[type, str], Callable[[Any], Any]] = {}
_ALIVE: weakref.WeakValueDictionary[int, Proxy] = weakref.WeakValueDictionary()


class ProxyType(type):
    """Class of the proxies of one Qt class: constructor, enumerations, static methods."""

    _qt: type

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in MODAL.get(cls._qt.__name__, ()):
            return refuse_modal(f"{cls._qt.__name__}.{name}")
        enums = table_enums(cls._qt.__name__)
        return enums[name] if name in enums else wrap(getattr(cls._qt, name))

    def __call__(cls, *args: Any, **keywords: Any) -> Any:
        if "_derived" not in vars(cls):
            _no_keywords(keywords)
            return wrap(cls._qt(*map(unwrap, args)))
        new = object.__new__(cls)
        new.__init__(*args, **keywords)
        if "_q" not in vars(new):
            raise TypeError(f"{cls.__name__}.__init__ does not call qt.{cls._qt.__name__}.__init__.")
        return new


class Proxy(metaclass=ProxyType):
    """One object of Qt."""

    _qt: type

    def __init__(self, *args: Any) -> None:
        """Make the Qt object of an instance of a Python class that derives from a Qt class."""
        _adopt(self, self._qt(*map(unwrap, args)))

    def __init_subclass__(cls) -> None:
        if cls.__bases__ == (Proxy,):
            return
        cls._derived = True
        overridden = [name for name in vars(cls) if name.endswith("Event") or name in ("eventFilter", "sizeHint")]
        if overridden:
            raise NotImplementedError(f"The stand-in of PythonQt does not call overridden methods: {overridden}.")

    def __getattr__(self, name: str) -> Any:
        q = object.__getattribute__(self, "__dict__").get("_q")
        if q is None or (name.startswith("__") and name.endswith("__")):
            raise AttributeError(name)
        return _read(q, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if not _write(self._q, name, value):
            if not hasattr(type(self), "_derived"):
                raise AttributeError(
                    f"'{name}' does not exist on {class_name(self._q)} and creating new attributes on C++ objects is "
                    "not allowed"
                )
            object.__setattr__(self, name, value)

    def __eq__(self, other: object) -> bool:
        return self._q == unwrap(other)

    def __hash__(self) -> int:
        return hash(self._q)

    def __bool__(self) -> bool:
        return Shiboken.isValid(self._q) and truth(self._q)

    def __repr__(self) -> str:
        return f"{class_name(self._q)} (name: '{self._q.objectName() if isinstance(self._q, QtCore.QObject) else ''}')"


def wrap(value: Any) -> Any:
    """Return what Python sees of a value of PySide6."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, type):
        return _wrap_type(value)
    if isinstance(value, enum.Enum):
        return EnumValue(value)
    if isinstance(value, QtCore.SignalInstance):
        raise TypeError("A signal is bound to its object by the reading of the attribute.")
    if isinstance(value, Shiboken.Object):
        return _proxy_of(value)
    if type(value) in (list, tuple):
        return type(value)(map(wrap, value))
    if isinstance(value, _METHODS):
        return Method(value)
    return value


def unwrap(value: Any) -> Any:
    """Return what PySide6 is given for a value of Python."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, Proxy):
        return value._q
    if isinstance(value, ProxyType):
        return value._qt
    if isinstance(value, EnumValue):
        return value.member
    if isinstance(value, Method):
        return value.function
    if isinstance(value, _SLOTS):
        return pythonqt_connect.guarded(value)
    if type(value).__module__ == "numpy" and not isinstance(value, float | str):
        raise TypeError(f"Pass a plain Python number or list, not {type(value).__name__}: PythonQt may refuse it.")
    return type(value)(map(unwrap, value)) if type(value) in (list, tuple) else value


def proxy_class(qt_class: type) -> ProxyType:
    """Return the class that stands for a Qt class in Python; they do not inherit from one another."""
    if qt_class not in _PROXY_CLASSES:
        _PROXY_CLASSES[qt_class] = ProxyType(qt_class.__name__, (Proxy,), {"_qt": qt_class})
    return _PROXY_CLASSES[qt_class]


class Method:
    """A method or function of Qt."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        _no_keywords(keywords)
        return wrap(self.function(*map(unwrap, args)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Method) and self.function == other.function

    def __hash__(self) -> int:
        return hash(self.function)


def _wrap_type(value: type) -> Any:
    if issubclass(value, enum.Enum):
        return type(value.__name__, (int,), {})  # PythonQt knows the type, but no values below it
    return proxy_class(value) if issubclass(value, Shiboken.Object) else value


def _proxy_of(q: Any) -> Proxy:
    pointer = Shiboken.getCppPointer(q)[0] if Shiboken.isValid(q) else 0
    known = _ALIVE.get(pointer)
    if known is not None and known._q is q:
        return known
    new = object.__new__(proxy_class(type(q)))
    _adopt(new, q)
    return new


def _adopt(proxy: Proxy, q: Any) -> None:
    object.__setattr__(proxy, "_q", q)
    _ALIVE[Shiboken.getCppPointer(q)[0]] = proxy


def _no_keywords(keywords: dict[str, Any]) -> None:
    if keywords:
        raise TypeError(f"PythonQt takes no keyword arguments: {sorted(keywords)}.")


def _read(q: Any, name: str) -> Any:
    """Return an attribute of a Qt object by the rules of PythonQt."""
    if not isinstance(q, QtCore.QObject):
        return _read_value_type(q, name)
    if not Shiboken.isValid(q):
        raise ValueError(f"Trying to read '{name}' of a destroyed {type(q).__name__} object")
    reader = _READERS.get((type(q), name)) or _reader(q, "objectName" if name == "name" else name)
    if reader is None:
        return _dynamic_property_or_child(q, "objectName" if name == "name" else name)
    _READERS[type(q), name] = reader
    return reader(q)


def _reader(q: QtCore.QObject, name: str) -> Callable[[Any], Any] | None:
    """Return what reads an attribute that every object of the class of ``q`` has, None if they have none such."""
    if name in properties(q):
        return lambda q: property_value(q.property(name))
    if name == "className":
        return lambda q: lambda: class_name(q)
    if name in ("connect", "disconnect"):
        function = getattr(pythonqt_connect, name)
        return lambda q: lambda *args: function(q, *args)
    if name in ("exec_", "exec") and isinstance(q, QtWidgets.QDialog | QtWidgets.QMenu):
        return lambda q: refuse_modal(f"{class_name(q)}.exec")
    signature = pythonqt_connect.signature_of(q, name)
    if signature is not None:
        return lambda q: pythonqt_connect.BoundSignal(q, signature)
    if _is_reachable(q, name):
        return lambda q: wrap(getattr(q, "exec" if name == "exec_" else name))
    return None


def _read_value_type(q: Any, name: str) -> Any:
    if not hasattr(q, name):
        raise AttributeError(f"{type(q).__name__} has no attribute named '{name}'")
    return wrap(getattr(q, name))


def _is_reachable(q: QtCore.QObject, name: str) -> bool:
    """Whether Python can call a method; of the stand-ins, only what the table or their Qt base has."""
    classes = lineage(type(q).__name__)
    if not classes:
        return hasattr(q, name)
    if name in table_methods(type(q).__name__):
        if not hasattr(q, name):
            raise NotImplementedError(f"The stand-in of {type(q).__name__} lacks the method '{name}': write it.")
        return True
    return hasattr(getattr(QtWidgets, classes[-1].base), name)


def _dynamic_property_or_child(q: QtCore.QObject, name: str) -> Any:
    if name in dynamic_names(q):
        return property_value(q.property(name))
    for child in q.children():
        if child.objectName() == name:
            return wrap(child)
    raise AttributeError(f"{class_name(q)} has no attribute named '{name}'")


def child_widget_variables(widget: Proxy) -> Any:
    """Return what ``slicer.util.childWidgetVariables`` does; that one reads every child by way of its proxy."""
    ui, waiting, found = type("", (), {})(), [widget._q], []
    while waiting:
        q = waiting.pop()
        if Shiboken.isValid(q) and truth(q):
            waiting += q.children()
            found.append(q)
    for q in found:
        if q.objectName():
            setattr(ui, q.objectName(), wrap(q))
    return ui


def property_value(value: Any) -> Any:
    """Return the value of a property: enumerations as integers, lists as tuples."""
    if isinstance(value, enum.Enum):
        return int(value.value)
    return tuple(map(wrap, value)) if isinstance(value, list) else wrap(value)


def _write(q: Any, name: str, value: Any) -> bool:
    """Set a property by the rules of PythonQt; return False if there is nothing of that name."""
    if not isinstance(q, QtCore.QObject):
        return False
    name = "objectName" if name == "name" else name
    if name in properties(q):
        writable, type_name = properties(q)[name]
        if not writable:
            raise AttributeError(f"Property '{name}' of {class_name(q)} object is not writable")
        refuse_doubtful(q, name, type_name, value)
        if not q.setProperty(name, _property_argument(value)):
            raise AttributeError(
                f"Property '{name}' of type '{type_name}' of {class_name(q)} does not accept {value!r}"
            )
        return True
    if name in dynamic_names(q):
        q.setProperty(name, _property_argument(value))
        return True
    if pythonqt_connect.has_signal(q, name) or _is_reachable(q, name):
        raise AttributeError(f"'{name}' can not be overwritten on {class_name(q)} object")
    return False


def _property_argument(value: Any) -> Any:
    if isinstance(value, EnumValue):
        return value.member
    return list(map(unwrap, value)) if isinstance(value, tuple) else unwrap(value)
