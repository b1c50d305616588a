"""Segmentations: Slicer's ``.seg.nrrd`` with overlapping layers, and label maps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from radioembolization.errors import StructureError
from radioembolization.files.image_file import grid_of, read_image
from radioembolization.files.label_names import label_names
from radioembolization.images import Grid
from radioembolization.structures.recognition import NamedSegment
from radioembolization.structures.terminology import code_of_region, code_of_type
from radioembolization.treatment import SourceMask

_KEYS = ("ID", "Name", "Layer", "LabelValue", "Tags")


@dataclass(frozen=True)
class Segment:
    """Where a segment is stored: its layer and the label value in it; and what it says of itself.

    Parameters
    ----------
    name : str
    layer, label : int
    key : str
        Its ID, if the file has one.
    code, region : str
        Codes of its type and of the organ that is found in, empty if not stated.
    """

    name: str
    layer: int
    label: int
    key: str = ""
    code: str = ""
    region: str = ""


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

    @property
    def named_segments(self) -> tuple[NamedSegment, ...]:
        """What recognition needs to know of the segments, in their order; the key is the place in ``segments``."""
        return tuple(
            NamedSegment(f"{place:04d} {s.key}", s.name, s.code, s.region) for place, s in enumerate(self.segments)
        )

    def mask(self, reference: str | int) -> SourceMask:
        """Return the mask of a segment name, or of a label value of a label map.

        Raises
        ------
        StructureError
            If there is no such segment (the message lists those there are), or it is empty.
        """
        return self._mask(*self._find(reference), str(reference))

    def mask_of(self, segment: Segment) -> SourceMask:
        """Return the mask of a segment, which may share its name with others; ``StructureError`` if it is empty."""
        return self._mask(segment.layer, segment.label, segment.name)

    def holds(self, segment: Segment) -> bool:
        """Return whether a segment has any voxel."""
        return bool(np.any(self.layers[segment.layer] == segment.label))

    def _mask(self, layer: int, label: int, name: str) -> SourceMask:
        if (layer, label) not in self._cache:
            self._cache[layer, label] = self.layers[layer] == label
        mask = self._cache[layer, label]
        if not mask.any():
            raise StructureError(
                f"Segment '{name}' of '{self.source}' is empty (0 of {mask.size} voxels): draw it, or leave it "
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
        Names for the label values of a label map, before those that the file or a table beside it gives
        (``label_names``); a ``.seg.nrrd`` brings its own.

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
    segments = _segments_of(image) or _segments_named(labels or {}, label_names(path))
    return Segmentation(path.name, np.ascontiguousarray(layers), grid_of(image), segments)


def add_to_layers(layers: list[np.ndarray], mask: np.ndarray) -> tuple[int, int]:
    """Put a mask (z, y, x) into the first layer where nothing overlaps it, or a new one; return layer and label."""
    free = next((i for i, layer in enumerate(layers) if layer.max() < 255 and not np.any(layer[mask])), None)
    if free is None:
        layers.append(np.zeros(mask.shape, np.uint8))
        free = len(layers) - 1
    label = int(layers[free].max()) + 1
    layers[free][mask] = label
    return free, label


def _segments_named(given: Mapping[str, int], found: Mapping[int, str]) -> tuple[Segment, ...]:
    """Return segments of a label map: those given, then those whose value has a name only in the file."""
    segments = [Segment(name, 0, int(value)) for name, value in given.items()]
    known = set(given.values())
    segments += [Segment(name, 0, value) for value, name in found.items() if value not in known and name not in given]
    return tuple(segments)


def _segments_of(image: sitk.Image) -> tuple[Segment, ...]:
    keys = set(image.GetMetaDataKeys())
    segments = []
    index = 0
    while f"Segment{index}_ID" in keys:
        prefix = f"Segment{index}_"
        own = {key: image.GetMetaData(prefix + key) for key in _KEYS if prefix + key in keys}
        terminology = _terminology(own.get("Tags", ""))
        segments.append(
            Segment(
                name=own.get("Name", own["ID"]),
                layer=int(own.get("Layer", 0)),
                label=int(own.get("LabelValue", 1)),
                key=own["ID"],
                code=code_of_type(terminology),
                region=code_of_region(terminology),
            )
        )
        index += 1
    return tuple(segments)


def _terminology(tags: str) -> str:
    """Return the terminology among the tags of a segment, which stand as ``name:value|``."""
    return next((tag.partition(":")[2] for tag in tags.split("|") if tag.startswith("TerminologyEntry:")), "")
