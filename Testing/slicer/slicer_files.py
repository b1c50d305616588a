"""Reading and writing of scenes and nodes for the headless application, with the real storage nodes.

Only the choice by file name and the order of calls are ours; in Slicer they are the IO manager's.
"""
# ruff: noqa: N802

from __future__ import annotations

import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import vtk

#: Longer endings first.
_TYPES = {
    "SegmentationFile": (".seg.nrrd", ".seg.nhdr", ".seg.vtm"),
    "MarkupsFile": (".mrk.json", ".fcsv"),
    "SceneFile": (".mrb", ".mrml"),
    "VolumeFile": (".nrrd", ".nhdr", ".nii.gz", ".nii", ".mha", ".mhd"),
    "TransformFile": (".h5", ".tfm"),
    "ModelFile": (".vtk", ".vtp", ".stl", ".ply", ".obj"),
    "TableFile": (".tsv", ".csv"),
    "ColorTableFile": (".ctbl", ".cxml"),
    "TextFile": (".txt", ".json", ".xml"),
}
_NODES = {
    "SegmentationFile": "vtkMRMLSegmentationNode",
    "TransformFile": "vtkMRMLLinearTransformNode",
    "ModelFile": "vtkMRMLModelNode",
    "TableFile": "vtkMRMLTableNode",
    "ColorTableFile": "vtkMRMLColorTableNode",
    "TextFile": "vtkMRMLTextNode",
}


class CoreIOManager:
    """Stands in for ``slicer.app.coreIOManager()``, which ``slicer.util.load...`` and ``save...`` call."""

    def __init__(self, scene: Any) -> None:
        self._scene = scene

    def fileType(self, path: str | Path) -> str:
        name = str(path).lower()
        for kind, endings in _TYPES.items():
            if name.endswith(endings):
                return kind
        return "NoFile"

    def fileWriterFileType(self, node: Any) -> str:
        return node.GetClassName()

    def loadNodes(self, kind: str, properties: dict, loaded: Any = None, messages: Any = None) -> bool:
        path = str(properties["fileName"])
        if not os.path.isfile(path):
            return _failed(messages, f"File not found: {path}")
        if kind == "SceneFile":
            return self._load_scene(path, clear=bool(properties.get("clear")))
        name = properties.get("name") or Path(path).name.split(".")[0]
        node = self._load_node(kind, path, name, labelmap=bool(properties.get("labelmap")))
        if node is None:
            return _failed(messages, f"Not readable as {kind}: {path}")
        if loaded is not None:
            loaded.AddItem(node)
        return True

    def saveNodes(self, kind: str, properties: dict, messages: Any = None) -> bool:
        path = str(properties["fileName"])
        if kind == "SceneFile":
            return self._save_scene(path)
        node = self._scene.GetNodeByID(properties["nodeID"])
        node.AddDefaultStorageNode(path)
        storage = node.GetStorageNode()
        if storage is None:
            return _failed(messages, f"{node.GetClassName()} cannot be written to a file.")
        storage.SetFileName(path)
        if "useCompression" in properties:
            storage.SetUseCompression(int(bool(properties["useCompression"])))
        return bool(storage.WriteData(node)) or _failed(messages, f"Not written: {path}")

    def _load_node(self, kind: str, path: str, name: str, *, labelmap: bool) -> Any:
        import slicer

        if kind == "VolumeFile":
            return slicer.modules.volumes.logic().AddArchetypeVolume(path, name, 1 if labelmap else 0)
        if kind == "MarkupsFile":
            return self._scene.GetNodeByID(slicer.modules.markups.logic().LoadMarkups(path, name) or "")
        if kind not in _NODES:
            return None
        node = self._scene.AddNewNodeByClass(_NODES[kind], name)
        if kind == "TextFile":  # an empty text has no default storage
            node.SetAndObserveStorageNodeID(self._scene.AddNewNodeByClass("vtkMRMLTextStorageNode").GetID())
        node.AddDefaultStorageNode(path)
        node.GetStorageNode().SetFileName(path)
        if not node.GetStorageNode().ReadData(node):
            self._scene.RemoveNode(node)
            return None
        if hasattr(node, "CreateDefaultDisplayNodes"):
            node.CreateDefaultDisplayNodes()
        return node

    def _save_scene(self, path: str) -> bool:
        if path.endswith(".mrb"):
            return bool(self._scene.WriteToMRB(path))
        if path.endswith(".mrml"):
            self._scene.SetURL(path)
            self._scene.SetRootDirectory(os.path.dirname(path))
            return bool(self._scene.Commit())
        os.makedirs(path, exist_ok=True)
        return bool(self._scene.SaveSceneToSlicerDataBundleDirectory(path))

    def _load_scene(self, path: str, *, clear: bool) -> bool:
        if clear:
            self._scene.Clear(False)
        if path.endswith(".mrb"):
            folder = tempfile.mkdtemp(prefix="mrb_")  # stays: storage nodes keep pointing at the files
            with zipfile.ZipFile(path) as bundle:
                bundle.extractall(folder)
            path = str(min(Path(folder).rglob("*.mrml")))
        self._scene.SetURL(path)
        self._scene.SetRootDirectory(os.path.dirname(path))
        return bool(self._scene.Import())


def _failed(messages: Any, text: str) -> bool:
    if messages is not None:
        messages.AddMessage(vtk.vtkCommand.ErrorEvent, text)
    return False
