"""A planning session on the small case, for tests without a panel."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from small_case import small_inputs


class Clock:
    """Tells a later minute at every call."""

    def __init__(self) -> None:
        self._calls = 0

    def __call__(self) -> datetime:
        self._calls += 1
        return datetime(2026, 3, 4, 5, 0, 0, tzinfo=UTC) + timedelta(minutes=self._calls)


def small_session(scene: Any, **changes: Any) -> Any:
    """Return a session whose scene holds the small case; any field of its inputs can be replaced."""
    session, inputs = empty_session(scene), small_inputs(**changes)
    from RadioembolizationPlannerLib.publish import publish_case
    from RadioembolizationPlannerLib.synthetic import take_case

    take_case(session, inputs, publish_case(scene, inputs))
    session.refresh()
    return session


def empty_session(scene: Any) -> Any:
    """Return a session on a scene as it is; the caller polls its runner."""
    import slicer_module_standins

    slicer_module_standins.install()
    from RadioembolizationPlannerLib.parameters import ParameterStore
    from RadioembolizationPlannerLib.runner import Runner
    from RadioembolizationPlannerLib.session import PlanningSession

    logic = slicer_module_standins.ScriptedLoadableModuleLogic()
    logic.moduleName = "RadioembolizationPlanner"
    return PlanningSession(scene, lambda: ParameterStore(logic.getParameterNode()), Runner(), clock=Clock())


def computed(session: Any) -> Any:
    """Return a session whose doses are computed, in this process."""
    from RadioembolizationPlannerLib import worker

    session._doses_are(worker.prepare(session.inputs(), lambda *step: None))
    return session
