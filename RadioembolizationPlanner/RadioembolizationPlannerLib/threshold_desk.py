"""Tumors in SPECT and PET: shown as a preview beside the case, added to it when the user wants them."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import slicer
from slicer.i18n import tr as _

from radioembolization.errors import InputError
from radioembolization.images import Unit, Volume
from radioembolization.structures import Role
from radioembolization.structures.editing import Region
from radioembolization.structures.segmentation import SegmentedStructures
from radioembolization.structures.segmentation.emission_methods import EmissionMethod
from radioembolization.structures.segmentation.hot_regions import find_hot_regions
from RadioembolizationPlannerLib.new_segments import add_segments, new_segmentation, segments_of, shown_name
from RadioembolizationPlannerLib.scene import volume_from_node
from RadioembolizationPlannerLib.segments import mask_from_segment, segment_stamp
from RadioembolizationPlannerLib.structure_desk import StructureDesk, finding_text, volume_text

if TYPE_CHECKING:
    from RadioembolizationPlannerLib.session import PlanningSession

_PREVIEW_OPACITY = 0.4
#: Finding that says the liver was brought to the grid of the image, as it always is.
_RESAMPLED = "resampled region"


@dataclass(frozen=True)
class ThresholdRequest:
    """What is looked for.

    Parameters
    ----------
    image : vtkMRMLScalarVolumeNode
        SPECT or PET.
    method : EmissionMethod
    within_liver : bool
        Only where the liver of the case is.
    minimum_ml : float
        Smaller regions are left out [mL].
    resolution_mm : float
        Full width at half maximum of the image [mm].
    """

    image: slicer.vtkMRMLScalarVolumeNode
    method: EmissionMethod
    within_liver: bool = True
    minimum_ml: float = 0.5
    resolution_mm: float = 10.0


class ThresholdDesk:
    """Looks for hot regions; its preview is a segmentation of its own, which no selector offers and no file keeps.

    Parameters
    ----------
    session : PlanningSession
    """

    def __init__(self, session: PlanningSession) -> None:
        self._session = session
        self._desk = StructureDesk(session)
        self._node: slicer.vtkMRMLSegmentationNode | None = None
        self._volume: tuple[Hashable, Volume] | None = None
        self._liver: tuple[Hashable, Region] | None = None
        #: What was found last, for people.
        self.told = ""

    @property
    def preview(self) -> slicer.vtkMRMLSegmentationNode | None:
        """The preview, if there is one in the scene."""
        there = self._node is not None and self._session.scene.IsNodePresent(self._node)
        return self._node if there else None

    def show(self, request: ThresholdRequest) -> SegmentedStructures:
        """Show what is found as a preview.

        Raises
        ------
        InputError
            If it is to lie in the liver, but no segment is the liver.
        ImageError, StructureError
            As of ``find_hot_regions``; the preview is gone then.
        """
        try:
            found = self._found(request)
        except Exception:
            self.end()
            raise
        node = self.preview or self._new_preview()
        node.GetSegmentation().RemoveAllSegments()
        add_segments(node, segments_of(found))
        self.told = _text_of(found)
        return found

    def add(self, request: ThresholdRequest) -> list[str]:
        """Add what is found to the case as numbered tumors, and end the preview; errors as of ``show``."""
        found = self._found(request)
        self.end()
        if not found.structures:
            self.told = _text_of(found)
            return []
        new = self._desk.add_found(found)
        self.told = self._desk.told
        return new

    def end(self) -> None:
        """Take the preview out of the scene."""
        if self.preview is not None:
            self._session.scene.RemoveNode(self._node)
        self._node, self.told = None, ""

    def forget(self) -> None:
        """End the preview and let go of the images read."""
        self.end()
        self._volume = self._liver = None

    def image(self, node: slicer.vtkMRMLScalarVolumeNode) -> Volume:
        """Return the voxels of an image, read again only if they have changed; errors as of ``volume_from_node``."""
        data, transform = node.GetImageData(), node.GetParentTransformNode()
        stamp = (node.GetID(), node.GetMTime(), data and data.GetMTime(), transform and transform.GetMTime())
        if self._volume is None or self._volume[0] != stamp:
            self._volume = (stamp, volume_from_node(node, Unit.COUNTS))
        return self._volume[1]

    def _found(self, request: ThresholdRequest) -> SegmentedStructures:
        image = self.image(request.image)
        within = self._within(image) if request.within_liver else None
        return find_hot_regions(
            image,
            request.method,
            within,
            minimum_ml=request.minimum_ml,
            resolution_mm=request.resolution_mm,
        )

    def _within(self, image: Volume) -> Region:
        """Return the liver on the grid of an image."""
        parameters = self._session.parameters
        livers = [key for key, role in parameters.roles.items() if role is Role.LIVER]
        if parameters.segmentation is None or not livers:
            raise InputError(_("Give a segment the role liver, or search the whole image."))
        node, key = parameters.segmentation, livers[0]
        transform = node.GetParentTransformNode()
        stamp = (node.GetID(), segment_stamp(node, key), transform and transform.GetMTime(), image.grid)
        if self._liver is None or self._liver[0] != stamp:
            source, name = mask_from_segment(node, key), node.GetSegmentation().GetSegment(key).GetName()
            self._liver = (stamp, Region(name, source.mask, source.grid).on(image.grid))
        return self._liver[1]

    def _new_preview(self) -> slicer.vtkMRMLSegmentationNode:
        self._node = new_segmentation(self._session.scene, _("threshold preview"))
        self._node.SetHideFromEditors(True)
        self._node.SetSaveWithScene(False)
        self._node.GetDisplayNode().SetOpacity2DFill(_PREVIEW_OPACITY)
        self._node.GetDisplayNode().SetSaveWithScene(False)
        return self._node


def _text_of(found: SegmentedStructures) -> str:
    """Return number and volume of the regions, and what is to be known of them before they are added."""
    names = {one.name: shown_name(one.name) for one in found.structures}
    lines = [finding_text(one, names) for one in found.all_findings if one.check != _RESAMPLED]
    if found.structures:
        volumes_ml = [found.volume_ml(one.name) for one in found.structures]
        told = _("Hot regions: {count}, together {total}; the largest {largest}, {method}.")
        total, largest = volume_text(sum(volumes_ml)), volume_text(volumes_ml[0])
        method = found.structures[0].method
        lines.insert(0, told.format(count=len(volumes_ml), total=total, largest=largest, method=method))
    return "\n".join(lines)
