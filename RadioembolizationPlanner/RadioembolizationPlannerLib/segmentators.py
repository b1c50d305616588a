"""Segmentation by other extensions of Slicer, one way to call them all; none of them is required.

They write into a segmentation of their own, whose segments are then copied: they replace what a segmentation holds.
Each runs its network in another process, but waits for it; what it tells meanwhile is shown, so that the panel lives.
"""

from __future__ import annotations

import importlib
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import slicer
from slicer.i18n import tr as _

from radioembolization.errors import MissingPackage, ToolFailed
from radioembolization.structures import terminology
from radioembolization.structures.terminology import Terminology, code_of_type

#: Task of the liver, the lungs and the organs beside the liver; every segmentator has it.
ORGANS = "organs"
#: What TotalSegmentator calls them (totalsegmentator_snomed_mapping.csv of the extension).
_TOTAL_SUBSET = (
    *("liver", "spleen", "kidney_left", "kidney_right", "gallbladder", "stomach", "duodenum", "pancreas"),
    *("lung_upper_lobe_left", "lung_lower_lobe_left"),
    *("lung_upper_lobe_right", "lung_middle_lobe_right", "lung_lower_lobe_right"),
)
#: Codes of those organs, for models that know more.
_ORGAN_CODES = {
    *("10200004", "78961009", "64033007", "28231008", "69695003", "38848004", "15776009"),
    *("39607008", "45653009", "90572001", "72481006"),
}
#: Codes of a segment about which nothing was said: tissue, in SNOMED CT and in its older codes.
_SAYS_NOTHING = ("", "85756007", "T-D0050")
#: For what an extension leaves without a code, by its name there.
_BY_NAME = {"liver_lesions": terminology.TUMOUR, "liver_tumor": terminology.TUMOUR, "liver": terminology.LIVER}
_BY_NAME["liver_vessels"] = terminology.LIVER_VESSELS

Log = Callable[[str], None]


@dataclass(frozen=True)
class Request:
    """What a segmentator is asked for.

    Parameters
    ----------
    ct : vtkMRMLScalarVolumeNode
    task : str
        One of its ``tasks``.
    fast : bool
        Coarser and quicker, where it can.
    """

    ct: slicer.vtkMRMLScalarVolumeNode
    task: str = ORGANS
    fast: bool = False


class Segmentator:
    """An extension that segments a CT."""

    #: Name of the module, and of the extension that brings it.
    module: ClassVar[str]
    #: What it can be asked for.
    tasks: ClassVar[tuple[str, ...]]

    @classmethod
    def is_there(cls) -> bool:
        """Whether the extension is installed."""
        return hasattr(slicer.modules, cls.module.lower())

    @classmethod
    def hint(cls) -> str:
        """Return how to get the extension."""
        told = _("Install the extension {extension} with the Extensions Manager and restart Slicer to use this.")
        return told.format(extension=cls.module)

    def run(self, request: Request, output: slicer.vtkMRMLSegmentationNode, log: Log) -> None:
        """Fill a segmentation; its own errors as they come."""
        raise NotImplementedError

    def _logic(self, log: Log) -> Any:
        logic = getattr(importlib.import_module(self.module), f"{self.module}Logic")()
        logic.logCallback = log
        logic.setupPythonRequirements()
        return logic


class TotalSegmentator(Segmentator):
    """Extension TotalSegmentator (https://github.com/lassoan/SlicerTotalSegmentator)."""

    module = "TotalSegmentator"
    tasks = (ORGANS, "liver_segments", "liver_vessels", "liver_lesions")

    def run(self, request: Request, output: slicer.vtkMRMLSegmentationNode, log: Log) -> None:
        """Fill a segmentation."""
        organs = request.task == ORGANS
        self._logic(log).process(
            request.ct,
            output,
            quality="fast" if request.fast else "normal",
            task="total" if organs else request.task,
            subset=list(_TOTAL_SUBSET) if organs else None,
        )


class MonaiAuto3DSeg(Segmentator):
    """Extension MONAIAuto3DSeg (https://github.com/lassoan/SlicerMONAIAuto3DSeg)."""

    module = "MONAIAuto3DSeg"
    tasks = (ORGANS,)

    def run(self, request: Request, output: slicer.vtkMRMLSegmentationNode, log: Log) -> None:
        """Fill a segmentation, and keep the organs that matter."""
        logic = self._logic(log)
        model = _model_with_liver(logic.models, fast=request.fast)
        logic.process([request.ct], output, model=model, waitForCompletion=True)
        segments = output.GetSegmentation()
        for key in list(segments.GetSegmentIDs()):
            if code_of_type(segments.GetSegment(key).GetTerminology() or "") not in _ORGAN_CODES:
                segments.RemoveSegment(key)


SEGMENTATORS: tuple[type[Segmentator], ...] = (TotalSegmentator, MonaiAuto3DSeg)


@contextmanager
def segmented_by(
    scene: slicer.vtkMRMLScene, segmentator: Segmentator, request: Request, log: Log
) -> Iterator[slicer.vtkMRMLSegmentationNode]:
    """Let an extension segment a CT; its segmentation, in the space of the CT, is there as long as the block runs.

    Raises
    ------
    MissingPackage
        If the extension is not installed.
    ToolFailed
        If it fails, or finds nothing.
    """
    if not segmentator.is_there():
        raise MissingPackage(f"Slicer has no module '{segmentator.module}': {segmentator.hint()}")
    output = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", f"{segmentator.module} (being made)")
    output.SetSaveWithScene(False)
    try:
        _run(segmentator, request, output, log)
        if not scene.IsNodePresent(output) or not scene.IsNodePresent(request.ct):
            raise ToolFailed(_("The scene was closed while {name} ran: start again.").format(name=segmentator.module))
        if not output.GetSegmentation().GetNumberOfSegments():
            told = _("{name} found nothing in '{ct}': see its messages in the log, and whether the CT shows the liver.")
            raise ToolFailed(told.format(name=segmentator.module, ct=request.ct.GetName()))
        output.SetAndObserveTransformNodeID(request.ct.GetTransformNodeID())
        _complete_codes(output)
        yield output
    finally:
        if scene.IsNodePresent(output):
            scene.RemoveNode(output)


def _run(segmentator: Segmentator, request: Request, output: slicer.vtkMRMLSegmentationNode, log: Log) -> None:
    try:
        segmentator.run(request, output, log)
    except subprocess.CalledProcessError as error:
        told = _("{name} ended with the code {code}: its messages are in the log. Memory or the graphics card may be "
                 "too small; try the fast mode.")  # fmt: skip
        raise ToolFailed(told.format(name=segmentator.module, code=error.returncode)) from error
    except Exception as error:
        told = _("{name} failed ({kind}: {error}): see the log, and try its own module.")
        text = str(error).rstrip(".")
        raise ToolFailed(told.format(name=segmentator.module, kind=type(error).__name__, error=text)) from error


def _model_with_liver(models: list[dict[str, Any]], *, fast: bool) -> str:
    """Return the ID of the first current model that finds the liver in one CT; quick ones are called so."""
    able = [
        model
        for model in models
        if not model.get("deprecated")
        and model.get("imagingModality") == "CT"
        and len(model.get("inputs", [1])) == 1
        and any(name.casefold() == "liver" for name in model.get("segmentNames") or ())
    ]
    wanted = [model for model in able if ("quick" in model["title"].casefold()) == fast]
    if not able:
        raise ToolFailed(_("MONAIAuto3DSeg lists no model that finds the liver in a CT: update the extension."))
    return str((wanted or able)[0]["id"])


def _complete_codes(output: slicer.vtkMRMLSegmentationNode) -> None:
    """Give segments that have no code the one of their name."""
    segments = output.GetSegmentation()
    for key in segments.GetSegmentIDs():
        segment = segments.GetSegment(key)
        known: Terminology | None = _BY_NAME.get(key) or _BY_NAME.get(segment.GetName())
        if known is not None and code_of_type(segment.GetTerminology() or "") in _SAYS_NOTHING:
            segment.SetTerminology(known.slicer_text)
            segment.SetColor(*known.colour)
