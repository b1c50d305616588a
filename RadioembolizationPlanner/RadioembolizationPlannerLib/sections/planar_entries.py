"""What is entered for the planar lung shunt: counts, or images with regions; a stored shunt brings it back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import slicer
from slicer.i18n import tr as _

from radioembolization.territories.shunt.lung_shunt import ShuntMethod
from RadioembolizationPlannerLib.known_shunts import KnownShunt
from RadioembolizationPlannerLib.planar_choice import REGIONS, VIEWS, PlanarChoice
from RadioembolizationPlannerLib.sections.section import choose, set_choices
from RadioembolizationPlannerLib.sections.table import Table, typed_number

_ORGANS = ("lungs", "liver")
_COUNTS = ("anterior", "posterior", "pixels", "background_anterior", "background_posterior")
_MOST_COUNTS = 1e15


class PlanarEntries:
    """The widgets of the planar lung shunt.

    Parameters
    ----------
    ui : object
        Named widgets of the part.
    """

    def __init__(self, ui: Any) -> None:
        self._ui = ui
        #: Nodes and numbers of the stored shunt that was shown last.
        self._shown: tuple[Mapping[str, str], Mapping[str, float]] | None = None
        self._table = Table(ui.planarTable, [_("Planar"), *count_titles()])
        self._table.set_rows(len(_ORGANS))
        for row, organ in enumerate((_("lungs"), _("liver"))):
            self._table.set_text(row, 0, organ)
        self._show_counts({})

    @property
    def selectors(self) -> Mapping[str, Any]:
        """Selectors of the images by ``VIEWS``."""
        return dict(zip(VIEWS, (self._ui.anteriorSelector, self._ui.posteriorSelector), strict=True))

    @property
    def region_boxes(self) -> Mapping[str, Any]:
        """Combo boxes of the regions by ``REGIONS``."""
        ui = self._ui
        return dict(zip(REGIONS, (ui.lungsRegionBox, ui.liverRegionBox, ui.backgroundRegionBox), strict=True))

    def counts(self) -> dict[str, float]:
        """Return the counts typed in; empty cells are left out.  Errors as of ``typed_number``."""
        texts = {key: self._table.text(*cell).strip() for key, cell in _cells().items()}
        return {key: typed_number(text, 0.0, _MOST_COUNTS) for key, text in texts.items() if text}

    def check(self, row: int, column: int) -> None:
        """Raise ``InputError`` if a cell that was typed into holds no number of counts."""
        text = self._table.text(row, column).strip()
        if column and text:
            typed_number(text, 0.0, _MOST_COUNTS)

    def empty(self, row: int, column: int) -> None:
        """Empty a cell."""
        self._table.set_text(row, column, "", editable=True, tip=count_titles()[column - 1])

    def choice(self) -> PlanarChoice:
        """Return the chosen images and regions."""
        images = {view: selector.currentNode() for view, selector in self.selectors.items()}
        nodes = {view: node.GetID() for view, node in images.items() if node is not None}
        regions = {name: box.currentData or "" for name, box in self.region_boxes.items()}
        planes = {view: int(box.value) for view, box in self._plane_boxes.items()}
        return PlanarChoice({**nodes, **regions}, planes, bool(self._ui.mirroredBox.checked))

    def offer(self, scene: slicer.vtkMRMLScene) -> None:
        """Offer the segments of a scene as regions; what is chosen stays so."""
        titles = {"lungs": _("lungs"), "liver": _("liver"), "background": _("no background")}
        for name, box in self.region_boxes.items():
            chosen = box.currentData
            set_choices(box, [(titles[name], ""), *_segments(scene)])
            choose(box, chosen if chosen and box.findData(chosen) >= 0 else "")

    def refill(self, scene: slicer.vtkMRMLScene, known: Sequence[KnownShunt]) -> None:
        """Show what the planar shunt was made from, if it is another than was shown last, as in a loaded scene."""
        planar = next((one for one in known if one.method is ShuntMethod.PLANAR), None)
        found = None if planar is None else (dict(planar.nodes), dict(planar.numbers))
        if found == self._shown:
            return
        self._shown = found
        if planar is not None and planar.nodes:
            self._show_choice(scene, PlanarChoice.from_record(planar.nodes, planar.numbers))
        elif planar is not None:
            self._show_counts(planar.numbers)

    def clear(self) -> None:
        """Forget what was entered for the case of another scene."""
        self._shown = None
        self._show_counts({})

    @property
    def _plane_boxes(self) -> Mapping[str, Any]:
        return dict(zip(VIEWS, (self._ui.anteriorPlaneBox, self._ui.posteriorPlaneBox), strict=True))

    def _show_counts(self, counts: Mapping[str, float]) -> None:
        titles = count_titles()
        for key, (row, column) in _cells().items():
            text = f"{counts[key]:.12g}" if key in counts else ""
            self._table.set_text(row, column, text, editable=True, tip=titles[column - 1])

    def _show_choice(self, scene: slicer.vtkMRMLScene, choice: PlanarChoice) -> None:
        for view, selector in self.selectors.items():
            selector.setCurrentNode(scene.GetNodeByID(choice.nodes.get(view, "")))
            self._plane_boxes[view].value = choice.planes[view]
        for name, box in self.region_boxes.items():
            value = choice.nodes.get(name, "")
            choose(box, value if box.findData(value) >= 0 else "")
        self._ui.mirroredBox.checked = choice.posterior_is_mirrored


def count_titles() -> list[str]:
    """Return the titles of the columns of counts."""
    return [_("Anterior"), _("Posterior"), _("Pixels"), _("Backgr. ant."), _("Backgr. post.")]


def _cells() -> dict[str, tuple[int, int]]:
    """Return row and column of every number."""
    columns = list(enumerate(_COUNTS, start=1))
    return {f"{organ}_{what}": (row, column) for row, organ in enumerate(_ORGANS) for column, what in columns}


def _segments(scene: slicer.vtkMRMLScene) -> Iterator[tuple[str, str]]:
    for index in range(scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode")):
        node = scene.GetNthNodeByClass(index, "vtkMRMLSegmentationNode")
        if not node.GetHideFromEditors():
            segments = node.GetSegmentation()
            for key in segments.GetSegmentIDs():
                yield f"{node.GetName()}: {segments.GetSegment(key).GetName()}", f"{node.GetID()}|{key}"
