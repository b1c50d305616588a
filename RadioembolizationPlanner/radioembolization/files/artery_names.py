"""Names of arteries as files and users write them: with blanks or with underscores."""

from __future__ import annotations

from collections.abc import Iterable


def readable(name: str) -> str:
    """Return a name with single blanks between its words, as file names have underscores there."""
    return " ".join(name.replace("_", " ").split()) or name


def as_called(name: str, known: Iterable[str]) -> str:
    """Return the known name that is meant, written with blanks or underscores; the name as it is if none or several."""
    names = list(known)
    same = [one for one in names if readable(one) == readable(name)]
    return same[0] if len(same) == 1 and name not in names else name
