"""One process that runs one task of ``worker``: started, listened to, ended, cleaned up after."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from radioembolization.errors import WorkerDied
from RadioembolizationPlannerLib import worker
from RadioembolizationPlannerLib.parcel import arrays_in, pack, unpack

#: Lines of the error stream that go into an error.
_LINES_TOLD = 5
#: So long is waited for the last lines of a process that has ended, and for the end of one that was killed [s].
_PATIENCE_S = 1.0
_ON_WINDOWS = os.name == "nt"


def python_executable() -> str:
    """Return a Python that can import what this one can: PythonSlicer inside Slicer.

    Slicer puts PythonSlicer on the path of its own process; what ``sys.executable`` is there need not be a Python.

    Raises
    ------
    WorkerDied
        If there is none.
    """
    in_slicer = getattr(sys.modules.get("slicer"), "app", None) is not None
    this = Path(sys.executable or "")
    beside = this.with_name("PythonSlicer" + this.suffix) if sys.executable else this
    for found in (shutil.which("PythonSlicer"), str(beside)) if in_slicer else ():
        if found and Path(found).is_file():
            return found
    if not this.name.lower().startswith("python"):
        raise WorkerDied(
            f"No Python was found to calculate with: neither PythonSlicer on the path nor a Python at '{this}'. "
            "Reinstall Slicer, or start it with its own launcher."
        )
    return str(this)


class ChildProcess:
    """A task in its own process, with a private folder for request, result and error stream.

    It ends with this process, however that ends.

    Parameters
    ----------
    task : callable
        Function at the top of a module.
    request : object
        Its arrays must stay as they are: those that are in the result too are taken from here.
    """

    def __init__(self, task: Callable[..., Any], request: Any) -> None:
        folder = Path(tempfile.mkdtemp(prefix="radioembolization-"))  # for this user only
        try:
            name = f"{task.__module__}:{task.__qualname__}"
            (folder / worker.REQUEST).write_bytes(pack((name, request)))
            self._process = _started(folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self._folder, self._known = folder, arrays_in(request)
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._reader = threading.Thread(target=_read, args=(self._process.stdout, self._lines), daemon=True)
        self._reader.start()
        self._end = weakref.finalize(self, _discard, self._process, folder)  # at the latest when Python ends

    def has_ended(self) -> bool:
        """Whether the process is gone and every line it wrote has been read."""
        if self._process.poll() is None:
            return False
        self._reader.join(_PATIENCE_S)
        return True

    def new_steps(self) -> list[tuple[str, int, int]]:
        """Return the steps told since the last time; other lines are logged."""
        steps = []
        with contextlib.suppress(queue.Empty):
            while True:
                line = self._lines.get_nowait()
                step = _step(line)
                if step is None:
                    logging.debug("Calculation: %s", line.decode("utf-8", "replace").rstrip())
                else:
                    steps.append(step)
        return steps

    def outcome(self) -> tuple[str, Any]:
        """Return how an ended task ended (``DONE``, ``REFUSED``, ``BROKEN`` of ``worker``), and its result or error."""
        told = (self._folder / "stderr.txt").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        for line in told:
            logging.debug("Calculation: %s", line)
        path = self._folder / worker.RESULT
        if not path.is_file():
            return worker.BROKEN, _died(self._process.returncode, told[-_LINES_TOLD:])
        try:
            how, result = unpack(path.read_bytes(), self._known)
        except Exception as error:
            how, result = worker.BROKEN, f"the result cannot be read: {type(error).__name__}: {error}"
        if how == worker.BROKEN:
            result = WorkerDied(
                f"The calculation ended by an error of the program: {result.rstrip('.')}. "
                "The Python console and the log have the details; please report them."
            )
            logging.error("Calculation ended by an error of the program:\n%s", "\n".join(told))
        return how, result

    def terminate(self) -> None:
        """Ask the process, and those it started, to end."""
        _close(self._process.stdin)
        _signal(self._process, force=False)

    def kill(self) -> None:
        """End the process, and those it started."""
        _signal(self._process, force=True)

    def discard(self) -> None:
        """End the process if it has not ended, and remove its folder."""
        self._end()


def _started(folder: Path) -> subprocess.Popen[bytes]:
    apart: dict[str, Any] = {"start_new_session": True}
    if _ON_WINDOWS:
        apart = {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
    command = [python_executable(), worker.__file__, str(folder)]
    try:
        with open(folder / "stderr.txt", "wb") as errors:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, **apart)
    except OSError as error:
        raise WorkerDied(f"The process of the calculation cannot be started ({command[0]}): {error}.") from error
    with contextlib.suppress(OSError):  # it may have ended already
        process.stdin.write(worker.HERE)
        process.stdin.flush()
    return process


def _read(stream: IO[bytes], lines: queue.SimpleQueue[bytes]) -> None:
    with stream:
        for line in stream:
            lines.put(line)


def _step(line: bytes) -> tuple[str, int, int] | None:
    """Return the step that a line tells, or None for a line of something else."""
    try:
        what, step, steps = json.loads(line)["progress"]
        return str(what), int(step), int(steps)
    except (ValueError, TypeError, LookupError):
        return None


def _died(code: int, last_lines: list[str]) -> WorkerDied:
    how = f"exit code {code}"
    if code < 0:
        with contextlib.suppress(ValueError):
            how = f"signal {signal.Signals(-code).name}"
    told = f" Its last words: {' | '.join(last_lines)}" if last_lines else ""
    return WorkerDied(
        f"The process of the calculation ended without a result ({how}). If memory is short, close other programs or "
        f"choose a coarser planning grid; then start it again.{told}"
    )


def _signal(process: subprocess.Popen[bytes], *, force: bool) -> None:
    """End a process that has not been waited for, and those it started."""
    if process.poll() is not None:
        return
    if _ON_WINDOWS:  # a launcher is between: the whole tree must go
        tree = ["taskkill", "/T", "/F", "/PID", str(process.pid)]
        subprocess.run(tree, capture_output=True, check=False, creationflags=subprocess.CREATE_NO_WINDOW)
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL if force else signal.SIGTERM)


def _discard(process: subprocess.Popen[bytes], folder: Path) -> None:
    _signal(process, force=True)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_PATIENCE_S)
    _close(process.stdin)  # the thread that reads it closes the standard output
    shutil.rmtree(folder, ignore_errors=True)


def _close(stream: IO[bytes] | None) -> None:
    with contextlib.suppress(OSError):
        stream.close()
