"""Text nodes that hold a file of the planner, with a record beside the text: what plans and courses share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import slicer

from radioembolization.errors import InputError
from RadioembolizationPlannerLib.errors import NewerScene
from RadioembolizationPlannerLib.stored_values import from_json, to_json


class Named(Protocol):
    """A record; its name is that of the node when it is made."""

    @property
    def name(self) -> str: ...


Record = TypeVar("Record", bound=Named)


@dataclass(frozen=True)
class RecordKind(Generic[Record]):
    """One kind of text node.

    Parameters
    ----------
    what : str
        For messages, such as ``plan``.
    attribute : str
        Marks the node; its value is the format of the record.
    record_attribute : str
        Holds the record as JSON.
    format : int
        Highest format that can be read.
    record : type
        Dataclass of the record.
    """

    what: str
    attribute: str
    record_attribute: str
    format: int
    record: type[Record]

    def all_in(self, scene: slicer.vtkMRMLScene) -> tuple[slicer.vtkMRMLTextNode, ...]:
        """Return the text nodes of this kind in a scene, in the order they were made."""
        count = scene.GetNumberOfNodesByClass("vtkMRMLTextNode")
        nodes = [scene.GetNthNodeByClass(index, "vtkMRMLTextNode") for index in range(count)]
        return tuple(node for node in nodes if self.is_of(node))

    def is_of(self, node: slicer.vtkMRMLNode) -> bool:
        """Whether a node is of this kind."""
        return bool(node.GetAttribute(self.attribute))

    def new(self, scene: slicer.vtkMRMLScene, text: str, record: Record) -> slicer.vtkMRMLTextNode:
        """Put a file and its record into a scene."""
        node = scene.AddNewNodeByClass("vtkMRMLTextNode", record.name)
        node.SetText(text)
        node.SetForceCreateStorageNode(True)  # its own file in a saved scene, however short
        self.write(node, record)
        return node

    def read(self, node: slicer.vtkMRMLTextNode) -> Record:
        """Return the record of a node.

        Raises
        ------
        NewerScene
            If a newer program wrote it.
        InputError
            If the node is not of this kind, or its record cannot be read.
        """
        name, stored = node.GetName(), node.GetAttribute(self.attribute)
        if not stored:
            raise InputError(f"'{name}' is no {self.what}: choose one made by the planner.")
        if not (stored.isdecimal() and int(stored) <= self.format):
            raise NewerScene(
                f"{self.what.capitalize()} '{name}' has format {stored}, this program reads up to {self.format}: "
                f"update the extension. The {self.what} is left as it is."
            )
        try:
            record: Record = from_json(node.GetAttribute(self.record_attribute) or "", self.record)
        except ValueError as error:
            raise InputError(f"The record of {self.what} '{name}' cannot be read ({error}): plan again.") from error
        return record

    def write(self, node: slicer.vtkMRMLTextNode, record: Record) -> None:
        """Store the record of a node."""
        node.SetAttribute(self.attribute, str(self.format))
        text = to_json(record)
        if node.GetAttribute(self.record_attribute) != text:
            node.SetAttribute(self.record_attribute, text)
