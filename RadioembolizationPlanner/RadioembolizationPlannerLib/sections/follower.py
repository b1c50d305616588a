"""What came of an action, shown in the part of the panel where it was started."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from RadioembolizationPlannerLib.session import PlanningSession


class Follower:
    """Writes into a label what runs, what failed or what came of it, if it was started here.

    Parameters
    ----------
    session : PlanningSession
    label : QLabel
    """

    def __init__(self, session: PlanningSession, label: Any) -> None:
        self._session, self._label = session, label
        self._follows, self._kept = False, ""

    def start(self) -> None:
        """Follow the next action, which is started now."""
        self._follows, self._kept = True, ""

    def show(self, told: str) -> None:
        """Show how it stands; ``told`` is what came of the last action that succeeded."""
        status, runs = self._session.status, self._session.runner.is_running
        if self._follows:
            failed = _("Failed: {message}").format(message=status.text) if status.failed else ""
            self._kept = status.text if runs else failed or ("" if told else status.text)
            self._follows = runs
        self._label.text = self._kept or told
        self._label.visible = bool(self._label.text)
