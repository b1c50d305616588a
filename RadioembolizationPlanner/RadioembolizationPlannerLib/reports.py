"""Reports of plans that were made in this process, written one after another by another one."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

from radioembolization.treatment import Treatment
from RadioembolizationPlannerLib import tasks
from RadioembolizationPlannerLib.runner import Runner


class ReportWriter:
    """Writes reports while the user goes on.

    Parameters
    ----------
    runner : Runner, optional
        Used for reports only; without it, a report is written at once.
    """

    def __init__(self, runner: Runner | None = None) -> None:
        self._runner = runner
        self._waiting: deque[tuple[Treatment, Callable[[str], None]]] = deque()

    @property
    def is_writing(self) -> bool:
        """Whether reports are still to come."""
        return bool(self._waiting) or (self._runner is not None and self._runner.is_running)

    def write(self, treatment: Treatment, done: Callable[[str], None]) -> None:
        """Call ``done`` with the report page of a treatment, empty if none can be made; never if stopped before."""
        if self._runner is None:
            done(tasks.report_if_possible(treatment))
        else:
            self._waiting.append((treatment, done))
            self._next()

    def stop(self) -> None:
        """Write nothing more."""
        self._waiting.clear()
        if self._runner is not None:
            self._runner.stop()

    def _next(self) -> None:
        if self._runner.is_running or not self._waiting:
            return
        treatment, done = self._waiting.popleft()

        def ended(page: str) -> None:
            done(page)
            self._next()

        def failed(error: Exception) -> None:
            logging.warning("The report of '%s' could not be written: %s", treatment.case.name, error)
            ended("")

        self._runner.start(tasks.report, treatment, on_done=ended, on_failed=failed, on_cancelled=lambda: ended(""))
