"""Overlapping segments survive a ``.seg.nrrd``; label maps are read by value or by given names."""

import gzip
import struct

import numpy as np
import pytest
import SimpleITK as sitk

from radioembolization.errors import FileMissing, StructureError
from radioembolization.files import read_segmentation, read_structures, write_segmentation, write_structures
from radioembolization.images import Grid
from radioembolization.structures import Role, terminology
from radioembolization.structures.recognition import recognise
from radioembolization.structures.segmentation import SegmentedStructure, SegmentedStructures

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


def test_codes_and_colours_are_written_and_codes_read(tmp_path):
    path = tmp_path / "s.seg.nrrd"
    kinds = {"liver": terminology.LIVER, "tumour": terminology.TUMOUR}
    write_segmentation(MASKS, GRID, path, kinds)
    found = {segment.name: (segment.code, segment.region) for segment in read_segmentation(path).segments}
    assert found == {
        "liver": ("10200004", ""),
        "tumour": ("4147007", "10200004"),
        "lobe": ("", ""),
        "apart": ("", ""),
    }
    header = sitk.ReadImage(str(path))
    assert header.GetMetaData("Segment0_Color") == "0.866667 0.509804 0.396078"  # 221 130 101 of 255
    assert header.GetMetaData("Segment0_Tags").startswith("TerminologyEntry:Segmentation category and type - DICOM")
    assert recognise(read_segmentation(path).named_segments).of(Role.TUMOUR) == ("0001 tumour",)


def test_structures_found_in_an_image_are_written_as_they_are(tmp_path):
    path = tmp_path / "s.seg.nrrd"
    found = SegmentedStructures(
        GRID,
        (
            SegmentedStructure("liver", terminology.LIVER, MASKS["liver"], "by hand"),
            SegmentedStructure("left lung", terminology.LEFT_LUNG, MASKS["apart"], "by hand"),
        ),
    )
    write_structures(found, path)
    again = read_segmentation(path)
    assert [segment.code for segment in again.segments] == ["10200004", "39607008"]
    np.testing.assert_array_equal(again.mask("left lung").mask, MASKS["apart"])


def _with_extension(path, text):
    """Put a header extension into a NIfTI file, as nifti1.h says: flag, size, code, text, padded to 16 bytes."""
    plain = gzip.decompress(path.read_bytes())
    start = int(struct.unpack("<f", plain[108:112])[0])
    content = text.encode()
    content += b"\0" * (-(len(content) + 8) % 16)
    extension = b"\1\0\0\0" + struct.pack("<ii", len(content) + 8, 0) + content
    header = plain[:108] + struct.pack("<f", 348 + len(extension)) + plain[112:348]
    path.write_bytes(gzip.compress(header + extension + plain[start:]))


def test_names_in_the_header_of_a_nifti_file(label_map):
    """The label table that TotalSegmentator writes."""
    _with_extension(
        label_map,
        '<?xml version="1.0"?><CaretExtension><VolumeInformation Index="0"><LabelTable>'
        '<Label Key="1" Red="1" Green="0.5" Blue="0" Alpha="1"><![CDATA[liver]]></Label>'
        '<Label Key="5" Red="0" Green="0.5" Blue="0" Alpha="1"><![CDATA[liver_tumor]]></Label>'
        "</LabelTable></VolumeInformation></CaretExtension>",
    )
    segmentation = read_segmentation(label_map)
    assert segmentation.names == ("liver", "liver_tumor")
    np.testing.assert_array_equal(segmentation.mask("liver_tumor").mask, MASKS["tumour"])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.json", '{"background": 0, "liver": 1, "big tumor": 5}'),
        ("labels.json", '{"labels": {"1": "liver", "5": "big tumor"}, "name": "x"}'),
        ("labels.ctbl", "# Color table\n0 Background 0 0 0 0\n1 liver 221 130 101 255\n5 big tumor 144 238 144 255\n"),
        (
            "labels.txt",
            '# ITK-SnAP\n0 0 0 0 0 0 0 "Clear Label"\n1 255 0 0 1 1 1 "liver"\n5 0 255 0 1 1 1 "big tumor"\n',
        ),
    ],
)
def test_names_in_a_table_beside(label_map, name, text):
    label_map.with_name(name).write_text(text)
    assert [(s.name, s.label) for s in read_segmentation(label_map).segments] == [("liver", 1), ("big tumor", 5)]
    own = read_segmentation(label_map, {"spot": 5})
    assert [(s.name, s.label) for s in own.segments] == [("spot", 5), ("liver", 1)]


def test_a_table_that_contradicts_itself_is_refused(label_map):
    label_map.with_name("labels.ctbl").write_text("1 liver 1 2 3 255\n1 spleen 1 2 3 255\n")
    with pytest.raises(StructureError, match=r"'labels\.ctbl' names label 1 twice, 'liver' and 'spleen'"):
        read_segmentation(label_map)


@pytest.mark.parametrize("text", ["[1, 2]", "{", '{"1": 2}'])
def test_other_files_beside_name_nothing(label_map, text):
    label_map.with_name("labels.json").write_text(text)
    assert read_segmentation(label_map).names == ()


def test_a_folder_of_one_file_for_each_structure(tmp_path):
    for name in ("liver", "spleen"):
        mask = MASKS["liver"] if name == "liver" else MASKS["tumour"]
        image = sitk.GetImageFromArray(mask.astype(np.uint8))
        sitk.WriteImage(image, str(tmp_path / f"{name}.nii.gz"))
    found = read_structures(tmp_path)
    assert found.names == ("liver", "spleen")
    np.testing.assert_array_equal(found.mask("spleen").mask, MASKS["tumour"])
    with pytest.raises(FileMissing, match="holds no structures"):
        (tmp_path / "empty").mkdir()
        read_structures(tmp_path / "empty")
