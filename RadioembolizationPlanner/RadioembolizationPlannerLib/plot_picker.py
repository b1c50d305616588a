"""Points that the user selects in a plot view; without the application there are no such views."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import slicer

_SELECTED = "dataSelected(vtkStringArray*,vtkCollection*)"


class PlotPicker:
    """Calls back with the series and the row of the first point that is selected in any plot view.

    Parameters
    ----------
    picked : callable
        Called with the ID of a series node and the row of its table.
    """

    def __init__(self, picked: Callable[[str, int], None]) -> None:
        self._picked = picked
        self._views: list[Any] = []

    def follow(self) -> None:
        """Listen to the plot views there are now, and let the mouse select points in them."""
        for view in _plot_views():
            if view not in self._views:
                view.connect(_SELECTED, self._on_selected)
                self._views.append(view)
            node = view.mrmlPlotViewNode()
            if node is not None:
                node.SetInteractionMode(slicer.vtkMRMLPlotViewNode.InteractionModeSelectPoints)

    def stop(self) -> None:
        """Listen to none, and let the mouse move the plots again."""
        for view in self._views:
            view.disconnect(_SELECTED, self._on_selected)
            node = view.mrmlPlotViewNode()
            if node is not None:
                node.SetInteractionMode(slicer.vtkMRMLPlotViewNode.InteractionModePanView)
        self._views.clear()

    def _on_selected(self, series_ids: Any, selections: Any) -> None:
        for index in range(min(series_ids.GetNumberOfValues(), selections.GetNumberOfItems())):
            rows = selections.GetItemAsObject(index)
            if rows.GetNumberOfValues():
                self._picked(series_ids.GetValue(index), int(rows.GetValue(0)))
                return


def _plot_views() -> Iterator[Any]:
    manager = slicer.app.layoutManager()
    for index in range(0 if manager is None else manager.plotViewCount):
        yield manager.plotWidget(index).plotView()
