"""DICOM SEG made by highdicom is read with its codes, whatever its kind, orientation and omitted frames."""

import highdicom as hd
import numpy as np
import pydicom
import pytest
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from dicom_images import FRAME, write_series
from radioembolization.errors import FractionalSegmentation, FrameOfReferenceMismatch, StructureError
from radioembolization.files import read_dicom_series, read_structures
from radioembolization.files.reference_image import ReferenceImage
from radioembolization.images import Grid, Unit
from radioembolization.structures import Role
from radioembolization.structures.recognition import recognise

LIVER, MASS = Code("10200004", "SCT", "Liver"), Code("4147007", "SCT", "Mass")
SHAPE = (6, 7, 8)
GRID = Grid(SHAPE, (5.0, 2.0, 1.5))


def block(*corners):
    mask = np.zeros(SHAPE, bool)
    mask[tuple(slice(a, b) for a, b in corners)] = True
    return mask


MASKS = np.stack([block((1, 5), (1, 6), (1, 7)), block((2, 3), (2, 4), (2, 5))], axis=-1)


def described(number, label, kind, **more):
    return hd.seg.SegmentDescription(
        number, label, codes.SCT.Organ, kind, hd.seg.SegmentAlgorithmTypeValues.MANUAL, **more
    )


def write_seg(folder, pixels, kind="BINARY", orientation=(1, 0, 0, 0, 1, 0), **changed):
    """Write a SEG on a CT whose slices run along the normal of the orientation; return both paths."""
    normal = np.cross(orientation[:3], orientation[3:])
    paths = write_series(
        folder / "ct", [tuple(5.0 * n * normal) for n in range(6)], shape=(7, 8), orientation=orientation
    )
    seg = hd.seg.Segmentation(
        source_images=[pydicom.dcmread(path) for path in paths],
        pixel_array=pixels,
        segmentation_type=kind,
        segment_descriptions=[
            described(1, "whole organ", LIVER),
            described(2, "spot", MASS, anatomic_regions=[LIVER]),
        ],
        series_instance_uid="2.25.30",
        series_number=9,
        sop_instance_uid="2.25.31",
        instance_number=1,
        manufacturer="test",
        manufacturer_model_name="test",
        software_versions="1",
        device_serial_number="1",
    )
    for keyword, value in changed.items():
        setattr(seg, keyword, value)
    seg.save_as(folder / "seg.dcm")
    return folder / "seg.dcm", folder / "ct"


@pytest.mark.parametrize("orientation", [(1, 0, 0, 0, 1, 0), (1, 0, 0, 0, -1, 0), (0, 1, 0, 0, 0, -1)])
def test_overlapping_segments_lie_where_their_image_does(tmp_path, orientation):
    path, folder = write_seg(tmp_path, MASKS.astype(np.uint8), orientation=orientation)
    ct = read_dicom_series(folder, Unit.HU)
    found = read_structures(path, reference=ReferenceImage("the CT", ct.volume.grid, ct.frame_of_reference))
    assert found.names == ("whole organ", "spot")
    for number, name in enumerate(found.names):
        mask = found.mask(name)
        index = ct.volume.grid.to_index(mask.grid.to_lps(np.argwhere(mask.mask)))
        expected = {tuple(i) for i in np.argwhere(MASKS[..., number])}
        assert {tuple(i) for i in np.rint(index).astype(int)} == expected


def test_codes_tell_what_the_names_do_not(tmp_path):
    path, _ = write_seg(tmp_path, MASKS.astype(np.uint8))
    found = read_structures(path)
    assert [(s.code, s.region) for s in found.segments] == [("10200004", ""), ("4147007", "10200004")]
    assert list(recognise(found.named_segments).roles.values()) == [Role.LIVER, Role.TUMOUR]


def test_shares_are_cut_at_one_half_and_it_is_said(tmp_path):
    shares = MASKS * 0.8
    shares[0, 0, 0, 0], shares[3, 3, 3, 0] = 0.4, 0.6
    path, _ = write_seg(tmp_path, shares.astype(np.float32), "FRACTIONAL")
    with pytest.warns(FractionalSegmentation, match="PROBABILITY"):
        mask = read_structures(path).mask("whole organ").mask
    np.testing.assert_array_equal(mask[mask.any(axis=(1, 2))], MASKS[1:5, ..., 0])


def test_an_empty_segment_is_refused_when_it_is_used(tmp_path):
    pixels = MASKS.copy()
    pixels[..., 1] = False
    path, _ = write_seg(tmp_path, pixels.astype(np.uint8))
    found = read_structures(path)
    with pytest.raises(StructureError, match=r"Segment .spot. of .seg\.dcm. is empty"):
        found.mask("spot")
    assert found.mask("whole organ").mask.sum() == MASKS[..., 0].sum()


def test_another_frame_of_reference_is_refused(tmp_path):
    path, _ = write_seg(tmp_path, MASKS.astype(np.uint8), FrameOfReferenceUID="2.25.99")
    with pytest.raises(FrameOfReferenceMismatch, match=rf"2\.25\.99, the CT in {FRAME}"):
        read_structures(path, reference=ReferenceImage("the CT", GRID, FRAME))


def test_a_folder_with_its_images_beside_it(tmp_path):
    write_seg(tmp_path, MASKS.astype(np.uint8))
    assert read_structures(tmp_path).source == "seg.dcm"
