"""Transforms in files: what is written comes back, ITK's own direction, Slicer's conventions, errors."""

import numpy as np
import pytest
import SimpleITK as sitk

from radioembolization.errors import CaseFileError, FileMissing, ImageError, InputError
from radioembolization.files import read_case, read_transform, write_case, write_transform
from radioembolization.files.landmark_file import read_landmarks
from radioembolization.images import AffineTransform
from registration_trials import about
from small_case import small_inputs
from support import rotation

TURN = about(np.array([5.0, -7.0, 11.0]), rotation((1.0, 2.0, 3.0), 12.0), np.array([3.0, -4.0, 25.0]))
AFFINE = TURN.after(AffineTransform(np.array([[1.1, 0.05, 0, 0], [0, 0.9, 0, 0], [0, 0, 1.05, 2], [0, 0, 0, 1.0]])))


@pytest.mark.parametrize("ending", [".tfm", ".txt", ".h5", ".mat"])
@pytest.mark.parametrize("transform", [TURN, AFFINE], ids=["rigid", "affine"])
def test_what_is_written_comes_back(tmp_path, transform, ending):
    write_transform(transform, tmp_path / f"t{ending}")
    found = read_transform(tmp_path / f"t{ending}")
    np.testing.assert_allclose(found.matrix, transform.matrix, atol=1e-9)
    assert found.is_rigid == transform.is_rigid


def test_the_file_holds_the_way_from_fixed_to_moving(tmp_path):
    """That is what ITK resamples with: a point of the fixed image is looked up in the moving one."""
    write_transform(TURN, tmp_path / "t.tfm")
    moving = np.array([10.0, 20.0, 30.0])
    found = sitk.ReadTransform(str(tmp_path / "t.tfm")).TransformPoint(TURN.points(moving).tolist())
    np.testing.assert_allclose(found, moving, atol=1e-9)


def test_transforms_with_a_centre_and_chains_are_read(tmp_path):
    euler = sitk.Euler3DTransform((10.0, 20.0, 30.0), 0.1, -0.2, 0.3, (1.0, 2.0, 3.0))
    chain = sitk.CompositeTransform([euler, sitk.TranslationTransform(3, (5.0, 0.0, 0.0))])
    for name, transform in (("euler.tfm", euler), ("chain.tfm", chain), ("chain.h5", chain)):
        sitk.WriteTransform(transform, str(tmp_path / name))
        fixed = (7.0, -8.0, 9.0)
        np.testing.assert_allclose(
            read_transform(tmp_path / name).points(transform.TransformPoint(fixed)), fixed, atol=1e-9
        )


def test_what_is_no_linear_transform_is_refused(tmp_path):
    with pytest.raises(FileMissing, match="does not exist"):
        read_transform(tmp_path / "absent.tfm")
    (tmp_path / "words.tfm").write_text("not a transform", encoding="utf-8")
    with pytest.raises(FileMissing, match="no transform"):
        read_transform(tmp_path / "words.tfm")
    (tmp_path / "ct.nrrd").write_bytes(b"NRRD0004")
    with pytest.raises(ImageError, match="no name of a transform"):
        read_transform(tmp_path / "ct.nrrd")
    with pytest.raises(ImageError, match="no name of a transform"):
        write_transform(TURN, tmp_path / "t.nrrd")
    sitk.WriteTransform(sitk.BSplineTransform(3), str(tmp_path / "bends.tfm"))
    with pytest.raises(ImageError, match="bends space"):
        read_transform(tmp_path / "bends.tfm")
    sitk.WriteTransform(sitk.Euler2DTransform(), str(tmp_path / "flat.tfm"))
    with pytest.raises(ImageError, match="2 dimensions"):
        read_transform(tmp_path / "flat.tfm")
    mirror = sitk.AffineTransform((-1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0), (0.0, 0, 0))
    sitk.WriteTransform(mirror, str(tmp_path / "mirror.tfm"))
    with pytest.raises(ImageError, match=r"mirror.tfm.*mirrors"):
        read_transform(tmp_path / "mirror.tfm")


@pytest.fixture
def case(tmp_path):
    """Return a case file whose scout and CT are moved by ``move.tfm``."""
    path = write_case(small_inputs(), tmp_path)
    text = path.read_text(encoding="utf-8")
    assert "[images]\n" in text
    moved = "[images]\nscout_transform = 'move.tfm'\nct_transform = 'move.tfm'\n"
    path.write_text(text.replace("[images]\n", moved), encoding="utf-8")
    return path


def test_scout_and_ct_of_a_case_are_moved_without_resampling(case):
    write_transform(TURN, case.parent / "move.tfm")
    inputs, before = read_case(case), small_inputs()
    for image, as_it_was in ((inputs.scout, before.scout), (inputs.ct, before.ct)):
        np.testing.assert_array_equal(image.array, as_it_was.array)
        index = np.array([[0, 0, 0], [3, 5, 7]])
        np.testing.assert_allclose(image.grid.to_lps(index), TURN.points(as_it_was.grid.to_lps(index)), atol=1e-6)
    assert {"scout_transform", "ct_transform"} <= set(inputs.hashes)


def test_an_affine_transform_of_a_case_is_refused(case):
    write_transform(AFFINE, case.parent / "move.tfm")
    with pytest.raises(CaseFileError, match=r"scout_transform.*affine"):
        read_case(case)


def test_a_transform_without_its_image_is_refused(case):
    text = "\n".join(line for line in case.read_text(encoding="utf-8").splitlines() if not line.startswith("ct ="))
    case.write_text(text, encoding="utf-8")
    write_transform(TURN, case.parent / "move.tfm")
    with pytest.raises(CaseFileError, match="ct_transform moves an image that is not named"):
        read_case(case)


def test_landmarks(tmp_path):
    table = tmp_path / "pairs.csv"
    table.write_text("name,fixed_x,fixed_y,fixed_z,moving_x,moving_y,moving_z\ndome,1,2,3,4,5,6.5\n", encoding="utf-8")
    fixed, moving = read_landmarks(table)
    np.testing.assert_array_equal(fixed, [[1.0, 2.0, 3.0]])
    np.testing.assert_array_equal(moving, [[4.0, 5.0, 6.5]])
    for text, message in (
        ("name,fixed_x\n", "lack the columns"),
        ("name,fixed_x,fixed_y,fixed_z,moving_x,moving_y,moving_z\n", "no rows"),
        ("name,fixed_x,fixed_y,fixed_z,moving_x,moving_y,moving_z\na,1,2,x,4,5,6\n", "line 2: fixed_z 'x'"),
        ("name,fixed_x,fixed_y,fixed_z,moving_x,moving_y,moving_z\na,1,2,3,4,5\n", "line 2: moving_z"),
    ):
        table.write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match=message):
            read_landmarks(table)
    with pytest.raises(FileMissing, match="do not exist"):
        read_landmarks(tmp_path / "absent.csv")
