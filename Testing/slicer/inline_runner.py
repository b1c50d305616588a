"""A runner without another process, for tests of what comes before and after a calculation.

What is calculated, and every callback, is the same; only the process, cancelling in the middle of work and the life of
the event loop meanwhile are not.  Tests of those carry the mark ``process``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from radioembolization.errors import PlannerError


class InlineRunner:
    """Runs a task when the event loop next comes round; the interface is that of ``Runner``."""

    def __init__(self, with_timer: bool = True) -> None:
        self._job: Callable[[], None] | None = None
        self._cancelled: Callable[[], None] | None = None
        self._timer = self._qt_timer() if with_timer else None  # without it, the caller polls or waits

    @property
    def is_running(self) -> bool:
        return self._job is not None

    def start(
        self,
        task: Callable[..., Any],
        request: Any,
        *,
        on_done: Callable[[Any], None],
        on_failed: Callable[[PlannerError], None],
        on_cancelled: Callable[[], None] = lambda: None,
        on_progress: Callable[..., None] = lambda what, step, steps: None,
    ) -> None:
        if self.is_running:
            raise RuntimeError("A calculation is running already.")

        def run() -> None:
            try:
                result = task(request, on_progress)
            except PlannerError as error:
                self._job = None
                on_failed(error)
            else:
                self._job = None
                on_done(result)

        self._job, self._cancelled = run, on_cancelled
        if self._timer is not None:
            self._timer.start()

    def cancel(self) -> None:
        if self._cancelled is not None and self._job is not None:
            self._job = self._cancelled_now

    def poll(self) -> None:
        if self._job is not None:
            self._job()

    def wait(self, timeout_s: float = float("inf")) -> None:
        while self.is_running:
            self.poll()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._job = None

    def _qt_timer(self) -> Any:
        import qt

        timer = qt.QTimer()
        timer.setSingleShot(True)
        timer.setInterval(0)
        timer.connect("timeout()", self.poll)
        return timer

    def _cancelled_now(self) -> None:
        self._job = None
        if self._cancelled is not None:
            self._cancelled()
