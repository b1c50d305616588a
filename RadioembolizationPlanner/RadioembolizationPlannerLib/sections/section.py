"""What all sections of the panel share: their ``.ui`` file, and a way between widgets and parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import slicer
from slicer.i18n import tr as _

from radioembolization.errors import PlannerError
from RadioembolizationPlannerLib.events import Event
from RadioembolizationPlannerLib.neighbours import available, open_module
from RadioembolizationPlannerLib.parameters import PlannerParameters
from RadioembolizationPlannerLib.session import PlanningSession


class Section:
    """A step of planning as a collapsible part of the panel.

    A section shows parameters and changes them through the session; sections do not know each other.

    Parameters
    ----------
    session : PlanningSession
    resource_path : callable
        Returns the path of a file in the module's Resources.
    """

    #: File in Resources/UI, without its ending.
    name: ClassVar[str]
    #: Parameters that the section shows.
    shows: ClassVar[tuple[str, ...]] = ()
    #: Sections inside this one, in the widget ``partsArea`` of its file.
    part_types: ClassVar[tuple[type[Section], ...]] = ()

    def __init__(self, session: PlanningSession, resource_path: Callable[[str], str]) -> None:
        self.session = session
        self.widget = slicer.util.loadUI(resource_path(f"UI/{self.name}.ui"))
        self.ui = slicer.util.childWidgetVariables(self.widget)
        self.widget.setMRMLScene(session.scene)
        self._showing = False
        with self.showing():
            self.set_up()
        self.parts = tuple(part(session, resource_path) for part in self.part_types)
        for part in self.parts:
            self.ui.partsArea.layout().addWidget(part.widget)

    def with_parts(self) -> tuple[Section, ...]:
        """Return the section and those inside it."""
        return (self, *(inner for part in self.parts for inner in part.with_parts()))

    def set_up(self) -> None:
        """Fill and connect the widgets, once."""

    def show(self, parameters: PlannerParameters) -> None:
        """Let the widgets say what the parameters are."""

    def concerns(self, before: PlannerParameters | None, now: PlannerParameters) -> bool:
        """Return whether a change of parameters is to be shown."""
        return before is None or any(getattr(before, name) != getattr(now, name) for name in self.shows)

    def on_event(self, event: Event) -> None:
        """Hear of something else that has happened."""

    def enter(self) -> None:
        """Hear that the panel is open, again or for the first time."""

    def leave(self) -> None:
        """Take away what is only shown while the panel is open."""

    def scene_closes(self) -> None:
        """Let go of what was entered for the case of a scene and is not among its parameters."""

    def cleanup(self) -> None:
        """Stop whatever would call back after the panel is gone."""

    @contextmanager
    def showing(self) -> Iterator[None]:
        """While widgets are being set, what they signal is no choice of the user."""
        before, self._showing = self._showing, True
        try:
            yield
        finally:
            self._showing = before

    def slot(self, handler: Callable[..., Any]) -> Callable[..., None]:
        """Return what to connect a signal to, so that the handler is called for what the user does.

        What widgets signal while they are being set, or while a node is leaving the scene and selectors turn to
        another one, is no choice of the user.  What the planner refuses is told in the panel.
        """

        def called(*values: Any) -> None:
            if not (self._showing or self.session.node_is_leaving):
                self.attempt(lambda: handler(*values))

        return called

    def change(self, **changes: object) -> None:
        """Change parameters; what is refused is told in the panel."""
        if not self._showing:
            self.attempt(lambda: self.session.change(**changes))

    def attempt(self, action: Callable[[], Any]) -> Any:
        """Do something; what the planner refuses is told in the panel."""
        try:
            return action()
        except PlannerError as error:
            self.session.say(str(error), failed=True)
            return None


def set_ready(button: Any, lacking: str, tip: str) -> None:
    """Enable a button unless something is lacking; its tooltip says what, or what the button does."""
    button.enabled = not lacking
    button.toolTip = lacking or tip


def set_choices(box: Any, choices: list[tuple[str, str]]) -> None:
    """Fill a combo box with (text, value), unless it has them already."""
    if [(box.itemText(i), box.itemData(i)) for i in range(box.count)] != choices:
        box.clear()
        for text, value in choices:
            box.addItem(text, value)


def choose(box: Any, value: str) -> None:
    """Select the entry of a combo box with a value, none if there is no such entry."""
    box.setCurrentIndex(box.findData(value))


def set_number(box: Any, value: float | None) -> None:
    """Set a spin box; None is its lowest value, which stands for nothing entered."""
    box.value = box.minimum if value is None else value


def number_of(box: Any) -> float | None:
    """Return the number of a spin box, None at its lowest value."""
    return None if box.value <= box.minimum + 1e-9 else float(box.value)


def offer(button: Any, module: str) -> None:
    """Let a button open another module of Slicer; without that module the button says how to get it."""
    there = module in [neighbour.module for neighbour in available(slicer.modules)]
    button.enabled = there
    if not there:
        button.toolTip = _("Install the extension that brings the module {module} to use this.").format(module=module)
    button.connect("clicked(bool)", lambda _on: open_module(module))
