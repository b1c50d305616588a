"""The course as the user describes it: entries of a course file as a table, changed without touching what is there."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from slicer.i18n import tr as _

from radioembolization.errors import InputError

CourseTable = Mapping[str, Any]

#: What a course file that says nothing means, see ``docs/course.md``.
DEFAULTS: dict[str, Any] = {
    "cycles": {"at_least": 0, "at_most": 4, "activities_gbq": [7.4]},
    "radioembolization": {"plans": [[], ["whole liver"]]},
    "budgets": {"stated": ["kidney dose", "marrow dose"]},
}
#: What was given of the course: entries of a measured file.
DELIVERED, LEFT = "delivered", "sessions_left"
_NOTHING = (None, "", [], {})


def entry(table: CourseTable, *keys: str) -> Any:
    """Return an entry of a course by its keys: stated, else the default, else None."""
    for tree in (table, DEFAULTS):
        found: Any = tree
        for key in keys:
            found = found.get(key) if isinstance(found, Mapping) else None
        if found is not None:
            return found
    return None


def with_entry(table: CourseTable, value: Any, *keys: str) -> dict[str, Any]:
    """Return a course with another entry; None, an empty text, list or table take it out."""
    key, inner = keys[0], keys[1:]
    if inner:
        below = table.get(key)
        value = with_entry(below if isinstance(below, Mapping) else {}, value, *inner)
    changed = {name: kept for name, kept in table.items() if name != key}
    return changed if value in _NOTHING else {**changed, key: value}


def course_digests(table: CourseTable, *, delivered: bool) -> dict[str, str]:
    """Return the SHA256 of every part of a course by its name.

    Parameters
    ----------
    table : mapping
    delivered : bool
        Whether what was delivered counts, as it does for plans of the rest of a course.
    """
    parts = [key for key in dict.fromkeys([*DEFAULTS, *table]) if delivered or key not in (DELIVERED, LEFT)]
    return {f"course: {_in_words(part)}": _digest(_complete(table, part)) for part in parts}


def _complete(table: CourseTable, part: str) -> Any:
    stated, usual = table.get(part), DEFAULTS.get(part)
    return {**usual, **stated} if isinstance(stated, Mapping) and usual else (stated or usual)


def _in_words(part: str) -> str:
    return part.replace("_", " ")


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode("utf-8")).hexdigest()


def toml_text(table: CourseTable) -> str:
    """Return a table as TOML, one line for each top entry."""
    return "".join(f"{_key(key)} = {_toml(value)}\n" for key, value in table.items() if value is not None)


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        inner = (f"{_key(key)} = {_toml(one)}" for key, one in value.items() if one is not None)
        return f"{{ {', '.join(inner)} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(one) for one in value)}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _toml(key)


def numbers_from_text(text: str) -> list[float]:
    """Return numbers separated by spaces or semicolons; ``InputError`` if one is none."""
    words = text.replace(";", " ").split()
    return [_number(word, text) for word in words]


def numbers_text(numbers: Sequence[float]) -> str:
    """Return numbers as ``numbers_from_text`` reads them."""
    return " ".join(f"{number:g}" for number in numbers)


def plans_from_text(text: str) -> list[list[str]]:
    """Return the plans of ``none; whole liver; right lobe + left lobe``: names of the sessions of each."""
    plans = [one.strip() for one in text.split(";") if one.strip()]
    return [[] if one == "none" else [name.strip() for name in one.split("+")] for one in plans]


def plans_text(plans: Sequence[Sequence[str]]) -> str:
    """Return plans of sessions as ``plans_from_text`` reads them."""
    return "; ".join(" + ".join(plan) if plan else "none" for plan in plans)


def doses_from_text(text: str) -> tuple[dict[str, float], list[str]]:
    """Return the doses [Gy] by structure of ``tumor 1: 30; kidney: 4.4; bone: -``, and who is not exposed.

    Raises
    ------
    InputError
        If a part is no name and number.
    """
    doses, spared = dict[str, float](), list[str]()
    for part in (one.strip() for one in text.split(";")):
        name, separator, value = (one.strip() for one in part.rpartition(":"))
        if not part:
            continue
        if not name or not separator:
            told = _("'{part}' is no dose: write 'structure: Gy', separated by semicolons, and '-' for not exposed.")
            raise InputError(told.format(part=part))
        if name in doses or name in spared:
            raise InputError(_("The structure '{name}' has two doses: keep one.").format(name=name))
        if value in ("-", "–"):
            spared.append(name)
        else:
            doses[name] = _number(value, part)
    return doses, spared


def doses_text(doses_gy: Mapping[str, float], not_exposed: Sequence[str] = ()) -> str:
    """Return doses as ``doses_from_text`` reads them."""
    return "; ".join([*(f"{name}: {dose:.6g}" for name, dose in doses_gy.items()), *(f"{n}: -" for n in not_exposed)])


def _number(word: str, text: str) -> float:
    try:
        value = float(word.replace(",", "."))
    except ValueError:
        value = float("nan")
    if not abs(value) < 1e300:
        raise InputError(_("'{word}' in '{text}' is no number.").format(word=word, text=text))
    return value
