"""Tasks for the tests of the runner: importable by the other process, quick, and as bad as tasks can be."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from radioembolization.errors import Infeasible


def count(request: int, progress: Any) -> list[int]:
    for step in range(request):
        progress("counting", step, request)
    return list(range(request))


def refuse(request: dict[str, float], progress: Any) -> None:
    raise Infeasible("The limits contradict each other: lung dose by 3 Gy.", request)


def stumble(request: str, progress: Any) -> None:
    raise ZeroDivisionError(request)


def run_out_of_memory(request: Any, progress: Any) -> None:
    raise MemoryError


def leave(code: int, progress: Any) -> None:
    sys.stderr.write("the solver said something\nand then this\n")
    sys.stderr.flush()
    os._exit(code)


def be_killed(request: Any, progress: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def return_a_lock(request: Any, progress: Any) -> Any:
    import threading

    return threading.Lock()


def return_what_only_this_process_knows(request: Any, progress: Any) -> Any:
    return _Unreadable()


class _Unreadable:
    def __reduce__(self) -> Any:
        return int, ("no number",)


def chatter(request: Any, progress: Any) -> str:
    """Print as libraries do, also past Python, and write what is no step into the stream of steps."""
    print("a line of a library")
    sys.stdout.flush()
    os.write(1, b"a line past Python\n")
    for descriptor in range(3, 20):  # the stream of steps is one of these
        try:
            os.write(descriptor, b'\xff not JSON\n{"progress": 3}\n{"progress": ["short"]}\n[]\n')
        except OSError:
            continue
    progress("after the noise", 1, 1)
    os.write(1, b"no end of line")
    return "done"


def sleep(request: dict[str, Any], progress: Any) -> None:
    """Write the process numbers, of one more process too, and work for long."""
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    temporary = Path(request["file"] + ".partial")
    temporary.write_text(f"{os.getpid()} {other.pid}", encoding="utf-8")
    temporary.replace(request["file"])
    if request.get("stubborn"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    progress("sleeping", 0, 1)
    time.sleep(60)


def modules(request: Any, progress: Any) -> list[str]:
    """Return the modules that were imported."""
    return sorted(sys.modules)


def path(request: Any, progress: Any) -> list[str]:
    return list(sys.path)
