"""Stand-ins of the logics of extensions that segment, with the signatures of their public source.

Checked at lassoan/SlicerTotalSegmentator, commit 6a82370 (``TotalSegmentator/TotalSegmentator.py``), and at
lassoan/SlicerMONAIAuto3DSeg, commit 9cdf2df (``MONAIAuto3DSeg/MONAIAuto3DSeg.py``, ``MONAIAuto3DSegLib``).  As theirs,
these logics replace what the output segmentation holds, and write in the space of the image without its transform.
"""
# ruff: noqa: N802

from __future__ import annotations

import types
from typing import Any, ClassVar

import numpy as np

#: Segment ID, code, whether the extension knows a terminology for it.
_ORGANS = {"liver": "10200004", "spleen": "78961009", "lung_upper_lobe_left": "45653009", "colon": "71854001"}
_MODELS = (
    {
        "id": "abdominal-organs-3mm-v2.0.0",
        "title": "Abdominal organs TS2 - quick",
        "imagingModality": "CT",
        "inputs": [{"title": "Input volume"}],
        "segmentNames": ["Colon", "Liver", "Spleen"],
        "deprecated": False,
    },
    {
        "id": "abdominal-organs-v1.0.0",
        "title": "Abdominal organs TS2",
        "imagingModality": "CT",
        "inputs": [{"title": "Input volume"}],
        "segmentNames": ["Liver"],
        "deprecated": True,
    },
    {
        "id": "prostate-v1.0.0",
        "title": "Prostate",
        "imagingModality": "MRI",
        "inputs": [{"title": "T2"}, {"title": "ADC"}],
        "segmentNames": ["Prostate"],
        "deprecated": False,
    },
    {
        "id": "abdominal-organs-v2.0.0",
        "title": "Abdominal organs TS2",
        "imagingModality": "CT",
        "inputs": [{"title": "Input volume"}],
        "segmentNames": ["Colon", "Liver", "Spleen"],
        "deprecated": False,
    },
)


class _Logic:
    """What both have: messages go to a callback, packages are asked for before anything runs."""

    made: ClassVar[list[Any]]
    fails: Exception | None = None

    def __init__(self) -> None:
        self.logCallback = None
        self.calls: list[dict[str, Any]] = []
        self.is_set_up = False
        self.made.append(self)

    def setupPythonRequirements(self, upgrade=False):
        self.is_set_up = True

    def _note(self, **call: Any) -> None:
        assert self.is_set_up, "the packages of the extension were not asked for"
        self.calls.append(call)
        self.logCallback("Processing started")
        if self.fails is not None:
            raise self.fails


class TotalSegmentatorLogic(_Logic):
    made: ClassVar[list[Any]] = []

    def process(
        self,
        inputVolume,
        outputSegmentation,
        quality=None,
        cpu=False,
        task=None,
        subset=None,
        interactive=False,
        sequenceBrowserNode=None,
    ):
        self._note(quality=quality, cpu=cpu, task=task, subset=subset, interactive=interactive)
        names = [name for name in subset if name in _ORGANS] if subset else [task]
        _replace(outputSegmentation, inputVolume, names)


class MONAIAuto3DSegLogic(_Logic):
    made: ClassVar[list[Any]] = []
    models = _MODELS

    def process(
        self,
        inputNodes,
        outputSegmentation,
        model=None,
        cpu=False,
        waitForCompletion=True,
        sequenceBrowserNode=None,
        eventCallback=None,
        customEventCallbackData=None,
    ):
        self._note(images=list(inputNodes), model=model, cpu=cpu, waitForCompletion=waitForCompletion)
        _replace(outputSegmentation, inputNodes[0], list(_ORGANS))


def _replace(output: Any, image: Any, names: list[str]) -> None:
    """Let each structure be a slab of three slices of the image, placed as the file of the image would be."""
    import slicer
    import vtk

    from radioembolization.structures.terminology import Code, Terminology
    from radioembolization.treatment import SourceMask
    from RadioembolizationPlannerLib.geometry import grid_from_ijk_to_ras
    from RadioembolizationPlannerLib.segments import segment_from_mask

    output.GetSegmentation().RemoveAllSegments()
    matrix = vtk.vtkMatrix4x4()
    image.GetIJKToRASMatrix(matrix)
    shape = slicer.util.arrayFromVolume(image).shape
    grid = grid_from_ijk_to_ras(slicer.util.arrayFromVTKMatrix(matrix), shape)
    for number, name in enumerate(names):
        mask = np.zeros(shape, dtype=bool)
        mask[3 * number : 3 * number + 3, 5:-5, 5:-5] = True
        segment = segment_from_mask(name.replace("_", " "), SourceMask(mask, grid), (1.0, 0.0, 0.0))
        if name in _ORGANS:
            known = Terminology(Code("123037004", "Anatomical Structure"), Code(_ORGANS[name], name))
            segment.SetTag(segment.GetTerminologyEntryTagName(), known.slicer_text)
        output.GetSegmentation().AddSegment(segment, name)
    output.SetNodeReferenceID(output.GetReferenceImageGeometryReferenceRole(), image.GetID())
    output.SetReferenceImageGeometryParameterFromVolumeNode(image)


def install(monkeypatch: Any, *logics: type) -> None:
    """Let Slicer have the extensions of some logics, and no others of this file."""
    import sys

    import slicer

    for logic in (TotalSegmentatorLogic, MONAIAuto3DSegLogic):
        name = logic.__name__.removesuffix("Logic")
        logic.made.clear()
        monkeypatch.setattr(logic, "fails", None)
        if logic in logics:
            module = types.ModuleType(name)
            setattr(module, logic.__name__, logic)
            monkeypatch.setitem(sys.modules, name, module)
            monkeypatch.setattr(slicer.modules, name.lower(), types.SimpleNamespace(name=name), raising=False)
        else:
            monkeypatch.delitem(sys.modules, name, raising=False)
            monkeypatch.delattr(slicer.modules, name.lower(), raising=False)
