"""What all commands share: exit codes, JSON, progress, and checks of what was typed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from radioembolization.errors import FileMissing, InputError
from radioembolization.treatment.treatment import Progress

DONE, FAILED, BAD_INPUT, INFEASIBLE, REJECTED, UNPROVED = 0, 1, 2, 3, 4, 5


def print_json(document: dict[str, Any]) -> None:
    """Print one JSON document to the standard output."""
    json.dump(document, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def fail(status: str, error: Exception, code: int, as_json: bool, **more: Any) -> int:
    """Print an error, as JSON or in words, and return the exit code."""
    if as_json:
        print_json({"status": status, "error": type(error).__name__, "message": str(error), **more})
    else:
        sys.stderr.write(f"{status}: {type(error).__name__}: {error}\n")
    return code


@contextmanager
def progress_shown(quiet: bool) -> Iterator[Progress]:
    """Show progress bars on the error stream, so that the output stays clean."""
    if quiet or not sys.stderr.isatty():
        yield lambda what, step, steps: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bars

    with Bars(console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, Any] = {}

        def progress(what: str, step: int, steps: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=steps)
            bars.update(tasks[what], completed=step, total=steps)

        yield progress


def one_of(option: str, word: str, allowed: Iterable[str]) -> str:
    """Return a word if it is allowed; ``InputError`` with those that are if not."""
    known = [str(entry) for entry in allowed]
    if word.casefold() not in known:
        raise InputError(f"{option} '{word}' is not known: use one of {', '.join(known)}.")
    return word.casefold()


def checked_out(path: Path, inputs: Iterable[Path] = ()) -> Path:
    """Return the path of a file to write; errors before anything is computed if it cannot be.

    Raises
    ------
    FileMissing
        If its folder does not exist.
    InputError
        If it is a folder, or one of the inputs.
    """
    if not path.parent.is_dir():
        raise FileMissing(f"The folder '{path.parent}' of --out does not exist: create it first.")
    if path.is_dir():
        raise InputError(f"--out '{path}' is a folder: name a file in it.")
    if any(path.exists() and given.exists() and path.samefile(given) for given in inputs):
        raise InputError(f"--out '{path}' is one of the inputs: write to another file.")
    return path
