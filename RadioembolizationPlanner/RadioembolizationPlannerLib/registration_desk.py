"""Registration of two images of the scene: what is asked, what is moved, and what is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import slicer
from slicer.i18n import tr as _

from radioembolization.errors import InputError, PlannerError
from radioembolization.images import Unit, Volume
from radioembolization.images.registration import Kind
from radioembolization.structures.editing import Region
from RadioembolizationPlannerLib import tasks
from RadioembolizationPlannerLib.geometry import matrix_to_world
from RadioembolizationPlannerLib.registered_nodes import last_registration, move_nodes, take_back
from RadioembolizationPlannerLib.scene import volume_from_node
from RadioembolizationPlannerLib.segments import mask_from_segment

if TYPE_CHECKING:
    from RadioembolizationPlannerLib.session import PlanningSession

#: An image of the scene that is not said to be a CT is one if it has values below this [HU].
_CT_BELOW = -200.0


@dataclass(frozen=True)
class SegmentChoice:
    """A segment of a segmentation."""

    segmentation: slicer.vtkMRMLSegmentationNode
    segment_id: str

    def region(self) -> Region:
        """Return its voxels in the world; errors as of ``mask_from_segment``."""
        source = mask_from_segment(self.segmentation, self.segment_id)
        segment = self.segmentation.GetSegmentation().GetSegment(self.segment_id)
        return Region(segment.GetName(), source.mask, source.grid)


@dataclass(frozen=True)
class RegistrationChoice:
    """What is to be registered.

    Parameters
    ----------
    fixed, moving : vtkMRMLScalarVolumeNode, optional
        Both are needed in the end.
    kind : Kind
    fixed_segment, moving_segment : SegmentChoice, optional
        Only they and a rim count.
    rim_mm : float
        [mm].
    also : tuple of vtkMRMLTransformableNode
        What goes along with the moving image.
    """

    fixed: slicer.vtkMRMLScalarVolumeNode | None
    moving: slicer.vtkMRMLScalarVolumeNode | None
    kind: Kind = Kind.RIGID
    fixed_segment: SegmentChoice | None = None
    moving_segment: SegmentChoice | None = None
    rim_mm: float = 20.0
    also: tuple[slicer.vtkMRMLTransformableNode, ...] = ()

    def lacking(self) -> str:
        """Return in words why this cannot be registered; empty if it can."""
        if self.fixed is None:
            return _("Choose the fixed image: the CT, or another one that stays where it is.")
        if self.moving is None:
            return _("Choose the moving image: the one that is to be brought to the fixed one.")
        if self.fixed is self.moving:
            return _("Choose two different images.")
        return ""

    @property
    def nodes(self) -> tuple[slicer.vtkMRMLTransformableNode, ...]:
        """What is moved."""
        return (self.moving, *(node for node in self.also if node not in (self.moving, self.fixed)))

    def places(self) -> tuple[bytes, ...]:
        """Return where both images lie; errors as of ``matrix_to_world``."""
        return tuple(matrix_to_world(node).tobytes() for node in (self.fixed, self.moving))


class RegistrationDesk:
    """Moves images of the scene onto others, and takes that back.

    Parameters
    ----------
    session : PlanningSession
    """

    def __init__(self, session: PlanningSession) -> None:
        self._session = session
        #: What came of the last action, for people.
        self.told = ""

    def register(self, choice: RegistrationChoice) -> None:
        """Start registering; the moving image and what goes along are moved in the end.

        Raises
        ------
        InputError
            If an image is not chosen, or cannot be used.
        StructureError
            If a segment cannot be used.
        """
        if choice.lacking():
            raise InputError(choice.lacking())
        places = choice.places()
        for node in choice.nodes:
            matrix_to_world(node)  # refused now rather than in the end
        request = tasks.RegisterRequest(
            self._image(choice.fixed),
            self._image(choice.moving),
            choice.kind,
            None if choice.fixed_segment is None else choice.fixed_segment.region(),
            None if choice.moving_segment is None else choice.moving_segment.region(),
            choice.rim_mm,
        )
        self.told = ""
        what = _("Registering '{moving}'").format(moving=choice.moving.GetName())
        self._session.start(tasks.register, request, what, lambda result: self._apply(result, choice, places))

    def can_take_back(self) -> bool:
        """Whether there is a registration in the scene."""
        return bool(last_registration(self._session.scene))

    def take_back(self) -> None:
        """Put what the last registration moved back where it was."""
        names = take_back(self._session.scene)
        told = _("Taken back: {names}.").format(names=", ".join(names)) if names else _("Nothing was under it anymore.")
        self._tell(told)

    def _apply(self, result: tasks.Registered, choice: RegistrationChoice, places: tuple[bytes, ...]) -> None:
        scene = self._session.scene
        for node in (choice.fixed, choice.moving):
            if not scene.IsNodePresent(node):
                raise InputError(_("'{name}' was deleted meanwhile: nothing was moved.").format(name=node.GetName()))
        if choice.places() != places:
            raise PlannerError(_("An image was moved meanwhile: register again. Nothing was moved."))
        nodes = [node for node in choice.nodes if scene.IsNodePresent(node)]
        name = _("{moving} to {fixed}").format(moving=choice.moving.GetName(), fixed=choice.fixed.GetName())
        told = quality_text(result, choice)
        made = move_nodes(scene, nodes, result.registration.transform, name, told)
        head = _("Moved by '{transforms}': {nodes}.").format(
            transforms="', '".join(node.GetName() for node in made), nodes=", ".join(node.GetName() for node in nodes)
        )
        self._tell(f"{head} {told}", within=nodes)

    def _tell(self, told: str, within: list[slicer.vtkMRMLNode] | None = None) -> None:
        """Tell what was done, and if images of the case cannot be used any more because of it."""
        before, self.told = self._session.problem, told
        self._session.refresh()
        problem = self._session.problem
        if problem != before and any(f"'{node.GetName()}'" in problem for node in within or ()):
            self.told += "\n" + _("WARNING: {problem}").format(problem=problem)
        self._session.say(self.told)

    def _image(self, node: slicer.vtkMRMLScalarVolumeNode) -> Volume:
        parameters = self._session.parameters
        volume = volume_from_node(node, Unit.COUNTS)
        is_ct = node is parameters.ct or (node is not parameters.scout and float(volume.array.min()) < _CT_BELOW)
        return Volume(volume.array, volume.grid, Unit.HU) if is_ct else volume


def quality_text(result: tasks.Registered, choice: RegistrationChoice) -> str:
    """Return the figures of a registration and what speaks against it, for people."""
    quality = result.registration.quality
    moved = _("{kind}, by {shift:.1f} mm and {turn:.1f}°")
    parts = [
        moved.format(kind=str(result.registration.kind), shift=quality.shift_mm, turn=quality.rotation_degrees),
        _("mutual information {before:.3f} before, {after:.3f} after (1: none, 2: all)").format(
            before=quality.mutual_information_before, after=quality.mutual_information_after
        ),
        _("{share:.0%} of the smaller body lies in the other image").format(share=quality.overlap_share),
    ]
    if result.registration.kind is Kind.AFFINE:
        low, _middle, high = quality.scales
        parts.append(_("stretched by {low:.2f} to {high:.2f}").format(low=low, high=high))
    if quality.inverse_consistency_mm is not None:
        back = _("registered the other way round, points come back within {miss:.1f} mm")
        parts.append(back.format(miss=quality.inverse_consistency_mm))
    if result.dice_after is not None:
        dice = _("Dice of the structures {before:.2f} before, {after:.2f} after")
        parts.append(dice.format(before=result.dice_before, after=result.dice_after))
    figures = _("{figures}. Compare both images before you plan on them.").format(figures="; ".join(parts))
    warnings = [_("WARNING: {doubt}").format(doubt=doubt) for doubt in result.registration.doubts]
    return "\n".join([figures[:1].upper() + figures[1:], *warnings])
