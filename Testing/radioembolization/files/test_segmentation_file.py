"""Overlapping segments survive a ``.seg.nrrd``; label maps are read by value or by given names."""

import numpy as np
import pytest
import SimpleITK as sitk

from radioembolization.errors import StructureError
from radioembolization.files import read_segmentation, write_segmentation
from radioembolization.images import Grid

GRID = Grid((6, 7, 8), (2.0, 1.5, 1.0), (1.0, 2.0, 3.0))


def block(*corners):
    mask = np.zeros(GRID.shape, bool)
    mask[tuple(slice(a, b) for a, b in corners)] = True
    return mask


MASKS = {
    "liver": block((1, 5), (1, 6), (1, 7)),
    "tumour": block((2, 3), (2, 4), (2, 5)),
    "lobe": block((1, 5), (1, 6), (1, 4)),
    "apart": block((5, 6), (6, 7), (7, 8)),
}


def test_overlapping_segments_round_trip(tmp_path):
    path = tmp_path / "s.seg.nrrd"
    write_segmentation(MASKS, GRID, path)
    again = read_segmentation(path)
    assert again.names == tuple(MASKS)
    assert again.grid == GRID
    for name, mask in MASKS.items():
        np.testing.assert_array_equal(again.mask(name).mask, mask)
    assert len(again.layers) == 3  # liver and apart share a layer; tumour and lobe overlap it and each other


def test_one_layer_is_written_as_a_plain_label_map(tmp_path):
    path = tmp_path / "s.seg.nrrd"
    write_segmentation({"liver": MASKS["liver"], "apart": MASKS["apart"]}, GRID, path)
    np.testing.assert_array_equal(read_segmentation(path).mask("apart").mask, MASKS["apart"])


@pytest.fixture
def label_map(tmp_path):
    path = tmp_path / "labels.nii.gz"
    labels = (MASKS["liver"] * 1 + MASKS["tumour"] * 4).astype(np.uint8)
    sitk.WriteImage(sitk.GetImageFromArray(labels), str(path))
    return path


def test_label_map_by_value_and_by_name(label_map):
    segmentation = read_segmentation(label_map, {"lesion": 5})
    np.testing.assert_array_equal(segmentation.mask(5).mask, MASKS["tumour"])
    np.testing.assert_array_equal(segmentation.mask("lesion").mask, MASKS["tumour"])


def test_unknown_segment_lists_those_there_are(label_map):
    with pytest.raises(StructureError, match=r"no segment 'leber'.*'lesion'"):
        read_segmentation(label_map, {"lesion": 5}).mask("leber")


def test_empty_label_is_an_error(label_map):
    with pytest.raises(StructureError, match=r"empty \(0 of 336 voxels\)"):
        read_segmentation(label_map).mask(9)


def test_fractional_labels_are_refused(tmp_path):
    path = tmp_path / "labels.nrrd"
    sitk.WriteImage(sitk.GetImageFromArray(np.full((3, 3, 3), 0.5, np.float32)), str(path))
    with pytest.raises(StructureError, match="fractional"):
        read_segmentation(path)


def test_two_segments_of_one_name_are_refused(tmp_path):
    path = tmp_path / "s.seg.nrrd"
    write_segmentation({"a": MASKS["liver"], "b": MASKS["apart"]}, GRID, path)
    image = sitk.ReadImage(str(path))
    image.SetMetaData("Segment1_Name", "a")
    sitk.WriteImage(image, str(path))
    with pytest.raises(StructureError, match="2 segments named 'a'"):
        read_segmentation(path).mask("a")
