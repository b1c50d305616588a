"""Segmentations: Slicer's ``.seg.nrrd`` with overlapping layers, and label maps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from radioembolization.errors import StructureError
from radioembolization.files.image_file import grid_of, read_image, to_sitk, write_image
from radioembolization.images import Grid
from radioembolization.treatment import SourceMask


@dataclass(frozen=True)
class Segment:
    """Where a segment is stored: its layer and the label value in it."""

    name: str
    layer: int
    label: int


@dataclass(frozen=True, eq=False)
class Segmentation:
    """Segments on one grid, masks made on demand.

    Parameters
    ----------
    source : str
        File name, for messages.
    layers : ndarray (layers, z, y, x)
    grid : Grid
    segments : tuple of Segment
    """

    source: str
    layers: np.ndarray
    grid: Grid
    segments: tuple[Segment, ...] = ()
    _cache: dict[tuple[int, int], np.ndarray] = field(default_factory=dict, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all segments."""
        return tuple(segment.name for segment in self.segments)

    def mask(self, reference: str | int) -> SourceMask:
        """Return the mask of a segment name, or of a label value of a label map.

        Raises
        ------
        StructureError
            If there is no such segment (the message lists those there are), or it is empty.
        """
        layer, label = self._find(reference)
        if (layer, label) not in self._cache:
            self._cache[layer, label] = self.layers[layer] == label
        mask = self._cache[layer, label]
        if not mask.any():
            raise StructureError(
                f"Segment '{reference}' of '{self.source}' is empty (0 of {mask.size} voxels): draw it, or leave it "
                "out of the case."
            )
        return SourceMask(mask, self.grid)

    def _find(self, reference: str | int) -> tuple[int, int]:
        found = [s for s in self.segments if s.name == reference]
        if isinstance(reference, str) and len(found) > 1:
            raise StructureError(f"'{self.source}' has {len(found)} segments named '{reference}': rename them.")
        if found:
            return found[0].layer, found[0].label
        if isinstance(reference, int) and len(self.layers) == 1:
            return 0, reference
        known = ", ".join(f"'{name}'" for name in self.names) or "none (name labels under [structures.labels])"
        raise StructureError(f"There is no segment '{reference}' in '{self.source}': it has {known}.")


def read_segmentation(path: Path, labels: Mapping[str, int] | None = None) -> Segmentation:
    """Read a ``.seg.nrrd`` or a label map.

    Parameters
    ----------
    path : Path
    labels : mapping of str to int, optional
        Names for the label values of a label map; a ``.seg.nrrd`` brings its own.

    Raises
    ------
    FileMissing
        If the file cannot be read.
    StructureError
        If voxels are not whole numbers.
    """
    image = read_image(path)
    array = sitk.GetArrayFromImage(image)
    layers = np.moveaxis(array, -1, 0) if array.ndim == 4 else array[None]
    if not np.issubdtype(layers.dtype, np.integer):
        if not np.all(np.isfinite(layers)) or np.any(layers != np.round(layers)):
            raise StructureError(f"'{path.name}' has fractional voxel values: a segmentation holds whole labels.")
        layers = layers.astype(np.int32)
    segments = _segments_of(image) or tuple(Segment(name, 0, int(value)) for name, value in (labels or {}).items())
    return Segmentation(path.name, np.ascontiguousarray(layers), grid_of(image), segments)


def _segments_of(image: sitk.Image) -> tuple[Segment, ...]:
    keys = set(image.GetMetaDataKeys())
    segments = []
    index = 0
    while f"Segment{index}_ID" in keys:
        prefix = f"Segment{index}_"
        name_key = prefix + "Name" if prefix + "Name" in keys else prefix + "ID"
        layer = int(image.GetMetaData(prefix + "Layer")) if prefix + "Layer" in keys else 0
        label = int(image.GetMetaData(prefix + "LabelValue")) if prefix + "LabelValue" in keys else 1
        segments.append(Segment(image.GetMetaData(name_key), layer, label))
        index += 1
    return tuple(segments)


def write_segmentation(masks: Mapping[str, np.ndarray], grid: Grid, path: Path) -> None:
    """Write masks (z, y, x) that may overlap as a ``.seg.nrrd`` that Slicer reads.

    Masks share a layer where they do not overlap.
    """
    layers, places = _layers(masks)
    vector = len(layers) > 1
    image = to_sitk(np.stack(layers, axis=-1) if vector else layers[0], grid, vector=vector)
    z, y, x = grid.shape
    for index, (name, (layer, label)) in enumerate(places.items()):
        entries = {
            "ID": name,
            "Name": name,
            "Layer": str(layer),
            "LabelValue": str(label),
            "Color": " ".join(f"{c:.3f}" for c in _COLOURS[index % len(_COLOURS)]),
            "Extent": f"0 {x - 1} 0 {y - 1} 0 {z - 1}",
            "Tags": "",
        }
        for key, value in entries.items():
            image.SetMetaData(f"Segment{index}_{key}", value)
    image.SetMetaData("Segmentation_MasterRepresentation", "Binary labelmap")
    image.SetMetaData("Segmentation_ContainedRepresentationNames", "Binary labelmap|")
    image.SetMetaData("Segmentation_ReferenceImageExtentOffset", "0 0 0")
    write_image(image, path)


def _layers(masks: Mapping[str, np.ndarray]) -> tuple[list[np.ndarray], dict[str, tuple[int, int]]]:
    layers: list[np.ndarray] = []
    places: dict[str, tuple[int, int]] = {}
    for name, mask in masks.items():
        free = next((i for i, layer in enumerate(layers) if not np.any(layer[mask]) and layer.max() < 255), None)
        if free is None:
            layers.append(np.zeros(mask.shape, np.uint8))
            free = len(layers) - 1
        label = int(layers[free].max()) + 1
        layers[free][mask] = label
        places[name] = (free, label)
    return layers, places


_COLOURS = (
    (0.867, 0.510, 0.396),
    (0.945, 0.839, 0.569),
    (0.435, 0.722, 0.824),
    (0.565, 0.933, 0.565),
    (0.694, 0.478, 0.396),
    (0.847, 0.396, 0.310),
    (0.545, 0.588, 0.384),
    (0.753, 0.659, 0.843),
)
