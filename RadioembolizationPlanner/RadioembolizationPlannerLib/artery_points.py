"""Notices when the user has moved, added or removed a point of the sites of arteries."""

from __future__ import annotations

from collections.abc import Callable

import slicer
from slicer.util import VTKObservationMixin


class PointFollower(VTKObservationMixin):
    """Observes a list of points; while one is dragged, nothing is told.

    Parameters
    ----------
    changed : callable
        Called after a point was let go, placed or removed.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        VTKObservationMixin.__init__(self)
        self._changed = changed
        self._points: slicer.vtkMRMLMarkupsNode | None = None

    def follow(self, points: slicer.vtkMRMLMarkupsNode | None) -> None:
        """Observe a list, and no other."""
        if points is self._points:
            return
        self.stop()
        self._points = points
        markups = slicer.vtkMRMLMarkupsNode
        events = (markups.PointEndInteractionEvent, markups.PointPositionDefinedEvent, markups.PointRemovedEvent)
        for event in events if points is not None else ():
            self.addObserver(points, event, self._on_point)

    def stop(self) -> None:
        """Observe nothing."""
        self.removeObservers()
        self._points = None

    def _on_point(self, _caller: object, _event: object) -> None:
        self._changed()
