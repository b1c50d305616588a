"""The other process: runs one task of the core, tells its progress, leaves its result in a file.

Started by ``runner`` as a script with a folder as its only argument.  The folder holds ``request.pickle``; when the
task has ended, ``result.pickle`` lies in it, complete or not at all.  Progress goes to the standard output as lines of
JSON; whatever libraries print goes to the error stream.  Knows the core only, and nothing of Slicer; what a task needs
is imported by the task, so that the process is there at once.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":  # a script finds its own folder on the path, but packages are beside it
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from radioembolization.errors import PlannerError, WorkerDied
from RadioembolizationPlannerLib.parcel import arrays_in, pack, unpack

if TYPE_CHECKING:
    from radioembolization.treatment import CaseInputs, PreparedCase, Treatment

REQUEST, RESULT = "request.pickle", "result.pickle"
#: How a task ended.
DONE, REFUSED, BROKEN = "done", "refused", "broken"
#: What the runner writes when it is there; the end of its pipe after it means that it is gone.
HERE = b"."

#: Called with (what is done, step, steps); steps are 0 where they are not known.
Progress = Callable[[str, int, int], None]


def prepare(inputs: CaseInputs, progress: Progress) -> PreparedCase:
    """Bring a case onto its grid and compute its dose rows; needs no solver."""
    from radioembolization import treatment

    progress("structures", 0, 1)
    case = treatment.prepare(inputs)
    progress("structures", 1, 1)
    return treatment.compute_rows(case, progress)


def plan(given: CaseInputs | PreparedCase, progress: Progress) -> Treatment:
    """Plan a case and find out what it asks for; dose rows that are there already are not computed again."""
    from radioembolization.planning import Effort
    from radioembolization.treatment import PreparedCase, plan_and_analyse

    prepared = given if isinstance(given, PreparedCase) else prepare(given, progress)
    return plan_and_analyse(prepared, None, progress, Effort(progress=progress))


def main(folder: Path) -> None:
    """Run the task that a folder asks for."""
    lines = _own_output()
    _end_with_the_runner()
    name, request = unpack((folder / REQUEST).read_bytes())
    known = arrays_in(request)
    outcome = _outcome(name, request, lambda *step: _tell(lines, step))
    _leave(folder, outcome, known)


def _outcome(name: str, request: Any, progress: Progress) -> tuple[str, Any]:
    """Return how a task ended, and its result, its error, or the text of an error nobody expected."""
    try:
        module, _, function = name.partition(":")
        return DONE, getattr(importlib.import_module(module), function)(request, progress)
    except PlannerError as error:
        return REFUSED, error
    except MemoryError:
        text = "The calculation ran out of memory: close other programs, or choose a coarser planning grid."
        return REFUSED, WorkerDied(text)
    except BaseException as error:
        return BROKEN, _told(error)


def _told(error: BaseException) -> str:
    """Return an error in a line; where it was raised goes to the error stream."""
    traceback.print_exception(error)
    return f"{type(error).__name__}: {error}"


def _leave(folder: Path, outcome: tuple[str, Any], known: list[Any]) -> None:
    """Write the result, without the arrays of the request; another process sees it complete or not at all."""
    try:
        data = pack(outcome, known)
    except Exception as error:
        data = pack((BROKEN, f"the result cannot be handed over: {_told(error)}"))
    temporary = folder / f"{RESULT}.partial"
    temporary.write_bytes(data)
    os.replace(temporary, folder / RESULT)


def _own_output() -> int:
    """Keep the standard output for progress and send what libraries print to the error stream; return the former."""
    lines = os.dup(1)
    os.dup2(2, 1)
    return lines


def _tell(lines: int, step: tuple[str, int, int]) -> None:
    what, done, steps = step
    os.write(lines, json.dumps({"progress": [str(what), int(done), int(steps)]}).encode("ascii") + b"\n")


def _end_with_the_runner() -> None:
    """End this process, and those it started, when the process at the other end of the standard input is gone."""

    def watch() -> None:
        if os.read(0, 1) != HERE:
            return  # started by something that keeps the input to itself
        while os.read(0, 1):
            pass
        if hasattr(os, "killpg") and os.getpgid(0) == os.getpid():
            os.killpg(0, signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    main(Path(sys.argv[1]))
