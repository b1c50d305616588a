"""The whole panel in its event loop, driven as by a user."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


class Panel:
    """The widget of the module with shortcuts for tests.

    Parameters
    ----------
    widget : RadioembolizationPlannerWidget
    application : QApplication
    """

    def __init__(self, widget: Any, application: Any) -> None:
        self.widget, self.session = widget, widget.session
        self._application = application
        self.sections = {section.name: section for section in widget.sections}

    def ui(self, section: str) -> Any:
        """The widgets of a section by name, for instance ``ui("Plan")``."""
        return self.sections[f"{section}Section"].ui

    @property
    def parameters(self) -> Any:
        return self.session.parameters

    def spin(self, seconds: float = 0.0) -> None:
        """Let the event loop run."""
        until = time.monotonic() + seconds
        while True:
            self._application.processEvents()
            if time.monotonic() >= until:
                return
            time.sleep(0.005)

    def until(self, condition: Callable[[], bool], seconds: float = 120.0) -> None:
        """Let the event loop run until something is true."""
        limit = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < limit, f"Not within {seconds:g} s; status: {self.session.status}"
            self.spin(0.02)

    def idle(self, seconds: float = 120.0) -> None:
        """Wait until nothing is calculated, reports are written, and changed inputs have been read."""
        self.until(lambda: not (self.session.runner.is_running or self.session.is_writing_reports), seconds)
        self.widget.watcher.read_now()
        self.spin()

    def click(self, section: str, button: str) -> None:
        """Click a button that is enabled."""
        self.spin()  # a user clicks between events, never within one
        widget = getattr(self.ui(section), button)
        assert widget.enabled, f"{button} is disabled: {widget.toolTip}"
        widget.click()
        self.spin()

    def optimize(self, seconds: float = 120.0) -> Any:
        """Optimize and return the text node of the new plan."""
        before = self.parameters.shown_plan
        self.click("Plan", "optimizeButton")
        self.idle(seconds)
        assert not self.session.status.failed, self.session.status.text
        assert self.parameters.shown_plan is not before
        return self.parameters.shown_plan
