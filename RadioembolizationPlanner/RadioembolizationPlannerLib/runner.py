"""The core in a process of its own: progress, results and errors come back, and it can be cancelled.

A task is a function of a module, ``task(request, progress) -> result``, such as those of ``worker``.  Request and
result are pickled into a private folder that is removed in the end.  Callbacks are only ever called from ``poll``, so
whoever polls decides the thread; in Slicer that is a timer of the main thread (``qt_timer``).  Nothing here knows MRML.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from radioembolization.errors import PlannerError
from RadioembolizationPlannerLib import worker
from RadioembolizationPlannerLib.child_process import ChildProcess
from RadioembolizationPlannerLib.worker import Progress

#: A cancelled process that is still there after this time is killed [s].
KILLED_AFTER_S = 2.0
#: How often a timer polls [ms].
POLLED_EVERY_MS = 100

Task = Callable[[Any, Progress], Any]


class Timer(Protocol):
    """What calls ``poll`` while a task runs."""

    def start(self) -> None:
        """Call from now on."""

    def stop(self) -> None:
        """Call no more."""


def qt_timer(poll: Callable[[], None]) -> Timer:
    """Return a timer of the Qt event loop, not started."""
    import qt

    timer = qt.QTimer()
    timer.setInterval(POLLED_EVERY_MS)
    timer.connect("timeout()", poll)
    return timer


class Runner:
    """Runs one task at a time.

    Parameters
    ----------
    make_timer : callable, optional
        Makes the timer that calls ``poll``: ``qt_timer`` in Slicer; without it, the caller polls.
    """

    def __init__(self, make_timer: Callable[[Callable[[], None]], Timer] | None = None) -> None:
        self._job: _Job | None = None
        self._timer = None if make_timer is None else make_timer(self.poll)

    @property
    def is_running(self) -> bool:
        """Whether a task runs; one that is cancelled does until ``on_cancelled`` is called."""
        return self._job is not None

    def start(
        self,
        task: Task,
        request: Any,
        *,
        on_done: Callable[[Any], None],
        on_failed: Callable[[PlannerError], None],
        on_cancelled: Callable[[], None] = lambda: None,
        on_progress: Progress = lambda what, step, steps: None,
    ) -> None:
        """Start a task; exactly one of ``on_done``, ``on_failed`` and ``on_cancelled`` will be called, once.

        Parameters
        ----------
        task : callable
            Function at the top of a module that the other process can import.
        request : object
            Handed to the task.  Its arrays must stay as they are until the end: the result holds those of them that
            the task hands on, not copies.
        on_done, on_failed, on_cancelled : callable
            Called with the result, with the error of the task or ``WorkerDied``, with nothing.
        on_progress : callable
            Called with (what is done, step, steps).

        Raises
        ------
        RuntimeError
            If a task is running.
        WorkerDied
            If the other process cannot be started.
        """
        if self.is_running:
            raise RuntimeError("A calculation is running already: wait for its end, or cancel it first.")
        self._job = _Job(ChildProcess(task, request), on_done, on_failed, on_cancelled, on_progress)
        if self._timer is not None:
            self._timer.start()

    def cancel(self) -> None:
        """Ask the task to end; ``on_cancelled`` is called by a later ``poll``.  Nothing happens if none runs."""
        if self._job is not None and self._job.cancelled_at_s is None:
            self._job.cancelled_at_s = time.monotonic()
            self._job.child.terminate()

    def poll(self) -> None:
        """Call back with what has happened since the last time."""
        job = self._job
        if job is None:
            return
        ended = job.child.has_ended()
        for step in job.child.new_steps():
            if self._job is job and job.cancelled_at_s is None:
                job.on_progress(*step)
        if ended and self._job is job:  # else stopped by on_progress
            self._finish(job)
        elif job.cancelled_at_s is not None and time.monotonic() - job.cancelled_at_s > KILLED_AFTER_S:
            job.child.kill()

    def wait(self, timeout_s: float = float("inf")) -> None:
        """Poll until the task has ended; ``TimeoutError`` if it takes longer."""
        until = time.monotonic() + timeout_s
        while self.is_running:
            if time.monotonic() > until:
                raise TimeoutError(f"The calculation has not ended within {timeout_s:g} s.")
            time.sleep(0.01)
            self.poll()

    def stop(self) -> None:
        """End a task at once, without calling anyone back, as the panel or Slicer closes."""
        if self._timer is not None:
            self._timer.stop()
        if self._job is not None:
            self._job.child.discard()
            self._job = None

    def _finish(self, job: _Job) -> None:
        """Clean up, then call back: the callback may start the next task."""
        outcome = None if job.cancelled_at_s is not None else job.child.outcome()
        self.stop()
        if outcome is None:
            job.on_cancelled()
        elif outcome[0] == worker.DONE:
            job.on_done(outcome[1])
        else:
            job.on_failed(outcome[1])


def run_blocking(task: Task, request: Any, on_progress: Progress = lambda what, step, steps: None) -> Any:
    """Run a task in its own process and return its result; its error is raised.  For scripts and tests."""
    runner, results, errors = Runner(), [], []
    runner.start(task, request, on_done=results.append, on_failed=errors.append, on_progress=on_progress)
    try:
        runner.wait()
    finally:
        runner.stop()
    if errors:
        raise errors[0]
    return results[0]


@dataclass
class _Job:
    """A child and whom to tell of it."""

    child: ChildProcess
    on_done: Callable[[Any], None]
    on_failed: Callable[[PlannerError], None]
    on_cancelled: Callable[[], None]
    on_progress: Progress
    cancelled_at_s: float | None = None
