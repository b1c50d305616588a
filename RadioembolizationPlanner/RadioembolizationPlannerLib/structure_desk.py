"""What is done in a session to obtain structures: found in the CT, by other extensions, or grown from seeds."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import slicer
from slicer.i18n import tr as _

from radioembolization.errors import InputError, PlannerError
from radioembolization.images import Grid, Unit, Volume
from radioembolization.structures.findings import Finding, Severity
from radioembolization.structures.segmentation import SegmentedStructures
from RadioembolizationPlannerLib import tasks
from RadioembolizationPlannerLib.geometry import Position, flipped
from RadioembolizationPlannerLib.grow_seeds import grow_from_seeds
from RadioembolizationPlannerLib.new_segments import NewSegment, add_to_case, segments_of, segments_of_node
from RadioembolizationPlannerLib.scene import volume_from_node
from RadioembolizationPlannerLib.segmentators import Request, Segmentator, segmented_by
from RadioembolizationPlannerLib.segments import mask_from_segment

if TYPE_CHECKING:
    from RadioembolizationPlannerLib.session import PlanningSession


class StructureDesk:
    """Adds segments to the segmentation of the case; what is there stays.

    Parameters
    ----------
    session : PlanningSession
    """

    def __init__(self, session: PlanningSession) -> None:
        self._session = session
        #: Whether another extension is at work, for which Slicer waits.
        self.is_waiting = False
        #: What came of the last action, for people.
        self.told = ""

    def segment_ct(self, seeds: slicer.vtkMRMLMarkupsNode | None = None) -> None:
        """Start finding body, lungs and liver in the CT of the case.

        Parameters
        ----------
        seeds : vtkMRMLMarkupsNode, optional
            Its placed points lie inside the liver; none is needed.

        Raises
        ------
        InputError
            If there is no CT.
        ImageError
            If it cannot be read.
        """
        request = tasks.SegmentRequest(self._ct(), () if seeds is None else placed_points(seeds))
        self._may_start()
        self.told = ""
        self._session.start(tasks.segment, request, _("Segmenting the CT"), self.add_found)

    def run(self, segmentator: Segmentator, task: str, *, fast: bool = False) -> None:
        """Let another extension segment the CT of the case; Slicer waits until it is done.

        Raises
        ------
        InputError
            If there is no CT.
        MissingPackage, ToolFailed
            As of ``segmented_by``.
        """
        session, ct = self._session, self._session.parameters.ct
        grid = self._ct().grid
        self._may_start()
        self.told, self.is_waiting = "", True
        session.say(_("{name} is at work; Slicer waits for it…").format(name=segmentator.module))
        try:
            with segmented_by(session.scene, segmentator, Request(ct, task, fast), self._log) as found:
                self.add(segments_of_node(found, segmentator.module), grid)
        finally:
            self.is_waiting = False

    def grow(self, seed_ids: Sequence[str]) -> None:
        """Grow regions from seed segments of the case in its CT, else in its scout image.

        Raises
        ------
        InputError
            If there is neither image nor segmentation.
        StructureError
            As of ``grow_from_seeds``.
        """
        parameters = self._session.parameters
        if parameters.segmentation is None:
            raise InputError(_("Choose the segmentation that holds the seeds."))
        self._may_start()
        image = self._ct() if parameters.ct is not None or parameters.scout is None else self._scout()
        grown = grow_from_seeds(parameters.segmentation, seed_ids, image)
        self.add(grown, image.grid)

    def add(self, segments: Iterable[NewSegment], grid: Grid) -> list[str]:
        """Add segments to the case and tell of them; errors as of ``add_to_case``."""
        node, new = add_to_case(self._session, segments, grid)
        self._tell(_added_text(node, new))
        return new

    def add_found(self, found: SegmentedStructures) -> list[str]:
        """Add what was found in an image, and tell what is uncertain about it; errors as of ``add_to_case``."""
        node, new = add_to_case(self._session, segments_of(found), found.grid)
        names = [node.GetSegmentation().GetSegment(key).GetName() for key in new]
        shown = dict(zip((one.name for one in found.structures), names, strict=True))
        findings = [finding_text(one, shown) for one in found.all_findings]
        self._tell("\n".join([_added_text(node, new), *findings]))
        return new

    def _tell(self, text: str) -> None:
        self.told = text
        logging.info("%s", text)
        self._session.say(text)

    def _may_start(self) -> None:
        if self.is_waiting or self._session.runner.is_running:
            raise PlannerError(_("A calculation is running: wait for its end, or cancel it."))

    def _log(self, text: str) -> None:
        if text.strip():
            self._session.say(text.strip())
            slicer.app.processEvents()

    def _ct(self) -> Volume:
        ct = self._session.parameters.ct
        if ct is None:
            raise InputError(_("Choose the CT in section 1 first."))
        return volume_from_node(ct, Unit.HU)

    def _scout(self) -> Volume:
        return volume_from_node(self._session.parameters.scout, Unit.COUNTS)


def placed_points(points: slicer.vtkMRMLMarkupsNode) -> tuple[Position, ...]:
    """Return the LPS positions [mm] of the placed points of a markups node."""
    placed = slicer.vtkMRMLMarkupsNode.PositionDefined
    return tuple(
        flipped(points.GetNthControlPointPositionWorld(i))
        for i in range(points.GetNumberOfControlPoints())
        if points.GetNthControlPointPositionStatus(i) == placed
    )


def finding_text(finding: Finding, shown: Mapping[str, str]) -> str:
    """Return a finding in a line, with how much it matters, and with the names that structures have in the scene.

    Parameters
    ----------
    finding : Finding
    shown : mapping of str to str
        Names in the scene by those in the finding.
    """
    titles = {
        Severity.NOTICE: _("Note"),
        Severity.WARNING: _("WARNING"),
        Severity.ERROR: _("ERROR"),
    }
    message = finding.message
    for name in finding.structures:
        message = message.replace(f"'{name}'", f"'{shown.get(name, name)}'")
    return f"{titles[finding.severity]}: {message}"


def volume_text(volume_ml: float) -> str:
    """Return a volume [mL] with three digits, whole from 100 mL on."""
    return f"{volume_ml:.0f} mL" if volume_ml >= 100.0 else f"{volume_ml:.3g} mL"


def _added_text(node: slicer.vtkMRMLSegmentationNode, new: Sequence[str]) -> str:
    if not new:
        return _("Nothing was found, so nothing was added.")
    parts = []
    for key in new:
        source = mask_from_segment(node, key)
        volume_ml = float(np.count_nonzero(source.mask)) * source.grid.voxel_ml
        parts.append(f"{node.GetSegmentation().GetSegment(key).GetName()} ({volume_text(volume_ml)})")
    told = _("Added to '{segmentation}': {segments}. Look at them, and correct them in the Segment Editor.")
    return told.format(segmentation=node.GetName(), segments=", ".join(parts))
