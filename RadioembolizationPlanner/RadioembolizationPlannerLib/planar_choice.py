"""Planar images and their regions in the scene, for the planar lung shunt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import slicer
from slicer.i18n import tr as _

from radioembolization.errors import ImageError, InputError
from radioembolization.images import Grid, Unit, Volume, resample_mask
from radioembolization.treatment.fingerprint import mask_digest, volume_digest
from RadioembolizationPlannerLib.scene import volume_from_node
from RadioembolizationPlannerLib.segments import mask_from_segment

VIEWS = ("anterior", "posterior")
REGIONS = ("lungs", "liver", "background")
_BETWEEN = "|"


@dataclass(frozen=True)
class PlanarChoice:
    """Two views and the regions on them.

    Parameters
    ----------
    nodes : mapping of str to str
        IDs of the images by ``VIEWS``, and of the segments by ``REGIONS`` as ``node|segment``; the background may be
        missing.
    planes : mapping of str to int
        Which plane of each image is the view, counted from 1.
    posterior_is_mirrored : bool
        Whether the posterior image is as seen from behind.
    """

    nodes: Mapping[str, str]
    planes: Mapping[str, int]
    posterior_is_mirrored: bool = True

    @classmethod
    def from_record(cls, nodes: Mapping[str, str], numbers: Mapping[str, float]) -> PlanarChoice:
        """Return the choice that a record keeps; see ``numbers``."""
        planes = {view: int(numbers.get(f"{view}_plane", 1)) for view in VIEWS}
        return cls(nodes, planes, bool(numbers.get("posterior_is_mirrored", 1.0)))

    @property
    def numbers(self) -> dict[str, float]:
        """What is kept of it beside the nodes."""
        planes = {f"{view}_plane": float(plane) for view, plane in self.planes.items()}
        return {**planes, "posterior_is_mirrored": float(self.posterior_is_mirrored)}

    def lacking(self) -> str:
        """Return what has still to be chosen; empty if nothing."""
        if not all(self.nodes.get(view) for view in VIEWS):
            return _("Choose the anterior and the posterior image.")
        if not all(self.nodes.get(name) for name in REGIONS[:2]):
            return _("Choose segments of the lungs and the liver, drawn on the anterior image.")
        return ""


@dataclass(frozen=True, eq=False)
class PlanarImages:
    """Views (rows, columns), regions on the anterior one, and digests of all by name."""

    anterior: np.ndarray
    posterior: np.ndarray
    regions: Mapping[str, np.ndarray]
    digests: Mapping[str, str]


def planar_images(scene: slicer.vtkMRMLScene, choice: PlanarChoice) -> PlanarImages:
    """Read the images and regions of a choice.

    Raises
    ------
    InputError
        If something is not chosen, or not in the scene any more.
    ImageError, StructureError
        If an image has no such plane, or a segment is empty.
    """
    lacking = choice.lacking()
    if lacking:
        raise InputError(lacking)
    volumes = {view: volume_from_node(_node(scene, choice.nodes[view], view), Unit.COUNTS) for view in VIEWS}
    views = {view: _plane(volumes[view], choice.planes[view], view) for view in VIEWS}
    digests = {f"{view} image": f"{volume_digest(volumes[view])} {choice.planes[view]}" for view in VIEWS}
    regions = {}
    for name in REGIONS:
        node_id, _bar, segment_id = choice.nodes.get(name, "").partition(_BETWEEN)
        if node_id:
            source = mask_from_segment(_node(scene, node_id, name), segment_id)
            digests[f"region of the {name}"] = mask_digest(source)
            regions[name] = _on_plane(source.mask, source.grid, volumes[VIEWS[0]].grid, choice.planes[VIEWS[0]])
    digests["orientation of the posterior image"] = str(choice.posterior_is_mirrored)
    return PlanarImages(views[VIEWS[0]], views[VIEWS[1]], regions, digests)


def _node(scene: slicer.vtkMRMLScene, node_id: str, what: str) -> slicer.vtkMRMLNode:
    node = scene.GetNodeByID(node_id)
    if node is None:
        raise InputError(_("The node chosen for '{what}' is not in the scene any more.").format(what=what))
    return node


def _plane(volume: Volume, number: int, view: str) -> np.ndarray:
    if not 1 <= number <= len(volume.array):
        raise ImageError(
            f"The {view} image has {len(volume.array)} planes, so none has the number {number}: choose another plane."
        )
    return volume.array[number - 1].astype(float)


def _on_plane(mask: np.ndarray, grid: Grid, image: Grid, number: int) -> np.ndarray:
    placed = mask if grid == image else resample_mask(mask, grid, image)
    return np.asarray(placed[number - 1])
