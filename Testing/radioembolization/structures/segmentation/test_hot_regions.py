"""Tumours in SPECT and PET: known spheres are found, numbered, measured, and warned about."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from blurred_spheres import PET, SPECT, image_of_sphere
from radioembolization.errors import ImageError, NegativeCountsSetToZero, StructureError
from radioembolization.files.image_file import read_volume
from radioembolization.files.segmentation_file import read_segmentation
from radioembolization.images import Grid, Unit, Volume
from radioembolization.structures.editing import Region
from radioembolization.structures.findings import Severity
from radioembolization.structures.segmentation import (
    NESTLE,
    BackgroundAdaptive,
    FixedValue,
    GradientEdge,
    ShareOfMaximum,
    SizeAdaptive,
    find_hot_regions,
)
from radioembolization.structures.segmentation.hot_findings import edge_share
from support import SHARED, as_direction, box_mask, ellipsoid, rotation

METHODS = [
    ShareOfMaximum(0.41),
    ShareOfMaximum(0.5, of_peak=True),
    BackgroundAdaptive(),
    SizeAdaptive(),
    GradientEdge(),
]
GRID = Grid((32, 40, 40), (4.0, 3.0, 3.0), (-58.5, -58.5, -62.0))
#: Centres (x, y, z), radii [mm] and uptake over a background of 1; none symmetric to another.
SPHERES = (((-25.0, 12.0, -30.0), 11.0, 10.0), ((24.0, -20.0, 18.0), 15.0, 8.0), ((20.0, 26.0, -20.0), 9.0, 6.0))
LIVER = Region("liver", ellipsoid(GRID, (0.0, 0.0, 0.0), (56.0, 52.0, 58.0)), GRID)


def phantom(grid=GRID, spheres=SPHERES, fwhm_mm=6.0):
    array = LIVER.mask.astype(float) * 1.0 if grid is GRID else ellipsoid(grid, (0, 0, 0), (56, 52, 58)).astype(float)
    for centre, radius, uptake in spheres:
        array[ellipsoid(grid, centre, radius)] = uptake
    blurred = ndimage.gaussian_filter(array, fwhm_mm / 2.3548 / np.array(grid.spacing_mm))
    return Volume((100.0 * blurred).astype(np.float32), grid, Unit.COUNTS)


def checks(found):
    return {finding.check for finding in found.all_findings}


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_each_lesion_of_a_liver_is_found_once_largest_first(method):
    found = find_hot_regions(phantom(), method, LIVER, resolution_mm=6.0)
    assert [s.name for s in found.structures] == ["tumour 1", "tumour 2", "tumour 3"]
    for structure, (centre, radius, _) in zip(found.structures, (SPHERES[1], SPHERES[0], SPHERES[2]), strict=True):
        middle = GRID.to_lps(np.argwhere(structure.mask).mean(axis=0))
        np.testing.assert_allclose(middle, centre, atol=1.5)  # half a voxel
        volume = found.volume_ml(structure.name)
        # 40 % in volume is 12 % in radius, one voxel of 3 mm at most.
        assert volume == pytest.approx(4.0 / 3.0 * np.pi * radius**3 / 1000.0, rel=0.45)


def test_turned_and_flipped_grids_give_the_same_lesions():
    direction = as_direction(rotation((0.0, 0.0, 1.0), 90.0) @ np.diag([1.0, 1.0, -1.0]))
    turned = Grid(GRID.shape, GRID.spacing_mm, (58.5, -58.5, 62.0), direction)
    one = find_hot_regions(phantom(), BackgroundAdaptive(), LIVER, resolution_mm=6.0)
    other = find_hot_regions(phantom(turned), BackgroundAdaptive(), LIVER, resolution_mm=6.0)
    assert "resampled region" in checks(other)
    for a, b in zip(one.structures, other.structures, strict=True):
        places = (g.to_lps(np.argwhere(s.mask).mean(axis=0)) for g, s in ((GRID, a), (turned, b)))
        np.testing.assert_allclose(*places, atol=1.0)


def test_a_fixed_value_finds_every_region_above_it():
    image = phantom()
    found = find_hot_regions(image, FixedValue(350.0), minimum_ml=0.0)
    union = np.logical_or.reduce([s.mask for s in found.structures])
    np.testing.assert_array_equal(union, image.array >= 350.0)
    assert found.structures[0].method.startswith("above 350 (fixed value)")


def test_a_share_is_that_of_each_lesions_own_maximum():
    image = phantom()
    found = find_hot_regions(image, ShareOfMaximum(0.5), LIVER, resolution_mm=6.0)
    for structure in found.structures:
        inside = image.array[structure.mask]
        assert inside.min() >= 0.5 * inside.max()
        rim = ndimage.binary_dilation(structure.mask) & ~structure.mask
        assert image.array[rim].max() < 0.5 * inside.max()
        assert f"above {0.5 * inside.max():.4g} (50% of the maximum" in structure.method


def test_a_seed_finds_its_lesion_only():
    found = find_hot_regions(phantom(), BackgroundAdaptive(), LIVER, [(20.0, 25.0, -19.0)], resolution_mm=6.0)
    assert len(found.structures) == 1
    assert found["tumour 1"].mask[tuple(np.rint(GRID.to_index(np.array(SPHERES[2][0]))).astype(int))]


def test_touching_lesions_become_one_and_small_ones_are_left_out():
    twins = (((-10.0, 0.0, 0.0), 12.0, 8.0), ((8.0, 0.0, 0.0), 12.0, 8.0), ((35.0, 25.0, 10.0), 6.0, 9.0))
    found = find_hot_regions(phantom(spheres=twins), BackgroundAdaptive(), LIVER, minimum_ml=2.0, resolution_mm=6.0)
    assert [s.name for s in found.structures] == ["tumour 1"]
    assert "small hot regions" in checks(found)


def test_a_seed_beside_something_hotter_is_cut_at_the_valley():
    pair = (((-14.0, 0.0, 0.0), 13.0, 20.0), ((14.0, 0.0, 0.0), 10.0, 7.0))
    found = find_hot_regions(phantom(spheres=pair), NESTLE, LIVER, [(14.0, 0.0, 0.0)], resolution_mm=6.0)
    index = np.argwhere(found["tumour 1"].mask)
    assert GRID.to_lps(index)[:, 0].min() > -5.0  # the hotter one lies beyond
    assert "hotter neighbour" in checks(found)


def test_equal_lesions_are_numbered_by_position():
    equal = (((20.0, 3.0, 18.0), 10.0, 8.0), ((-22.0, 0.0, -18.0), 10.0, 8.0))
    both = [find_hot_regions(phantom(spheres=s), FixedValue(400.0)) for s in (equal, equal[::-1])]
    for found in both:
        sizes = [s.mask.sum() for s in found.structures]
        assert sizes == sorted(sizes, reverse=True)
        np.testing.assert_array_equal(found["tumour 1"].mask, both[0]["tumour 1"].mask)


@pytest.mark.parametrize("scanner", [PET, SPECT], ids=lambda s: s.name)
@pytest.mark.parametrize("contrast", [4.0, 8.0])
def test_volumes_of_noisy_spheres(scanner, contrast):
    # 37 mm: mean errors of the validation page with twice their standard deviation; a wrong threshold is far off.
    image, centre = image_of_sphere(scanner, 37.0, contrast, np.random.default_rng(5))
    for method, low, high in (
        (SizeAdaptive(), -0.06, 0.08),
        (BackgroundAdaptive(), -0.15, 0.02),
        (GradientEdge(), -0.42, -0.05),
    ):
        found = find_hot_regions(image, method, None, [centre], resolution_mm=scanner.fwhm_mm)
        assert low < found.volume_ml("tumour 1") / 26.52 - 1.0 < high  # pi / 6 x 3.7^3


def test_the_size_adaptive_threshold_is_exact_without_noise():
    fine = replace(SPECT, spacing_mm=(2.0, 2.0, 2.0))
    for diameter in (13.0, 17.0, 28.0):
        image, centre = image_of_sphere(fine, diameter, 5.0, None)
        found = find_hot_regions(image, SizeAdaptive(), None, [centre], resolution_mm=14.0)
        radius = (3000.0 * found.volume_ml("tumour 1") / (4.0 * np.pi)) ** (1.0 / 3.0)
        assert radius == pytest.approx(diameter / 2.0, abs=0.4)  # a fifth of a voxel


def test_low_contrast_puts_a_share_of_the_maximum_under_background():
    image, centre = image_of_sphere(PET, 28.0, 2.0, None)
    found = find_hot_regions(image, ShareOfMaximum(0.41), None, [centre], resolution_mm=6.0)
    assert {"threshold under background", "leak"} <= checks(found)
    errors = [f for f in found.all_findings if f.severity is Severity.ERROR]
    assert "contrast 2:1" in errors[0].message
    np.testing.assert_allclose(errors[0].position_lps_mm, centre, atol=5.0)


def test_small_and_cut_lesions_are_warned_about():
    image, centre = image_of_sphere(SPECT, 22.0, 8.0, None)
    assert "small against resolution" in checks(
        find_hot_regions(image, SizeAdaptive(), None, [centre], resolution_mm=14.0)
    )
    half = Region("half", GRID.to_lps(np.moveaxis(np.indices(GRID.shape), 0, -1))[..., 0] > 24.0, GRID)
    assert "touches the edge" in checks(find_hot_regions(phantom(), BackgroundAdaptive(), half, resolution_mm=6.0))
    assert "touches the edge" not in checks(find_hot_regions(phantom(), BackgroundAdaptive(), LIVER, resolution_mm=6.0))


def test_the_edge_share_of_a_box_in_a_corner():
    mask = box_mask((10, 10, 10), (0, 2), (0, 3), (0, 4))
    assert edge_share(mask, np.ones_like(mask)) == pytest.approx(0.5)  # three of six sides, opposite ones equal


def test_a_liver_without_lesions_has_none():
    noise = np.random.default_rng(3).poisson(30.0, GRID.shape)
    image = Volume(noise.astype(np.float32), GRID, Unit.COUNTS)
    found = find_hot_regions(image, BackgroundAdaptive(), LIVER)
    assert not found.structures
    assert checks(found) == {"no hot region"}


def test_activity_per_volume_is_accepted_and_ripple_set_to_zero():
    array = phantom().array.copy()
    array[0, 0, 0] = -1.0
    image = Volume(array, GRID, Unit.BQ_PER_ML)
    with pytest.warns(NegativeCountsSetToZero):
        assert len(find_hot_regions(image, BackgroundAdaptive(), LIVER, resolution_mm=6.0).structures) == 3


def bad(array=None, unit=Unit.COUNTS, method=None, within=None, **options):
    image = Volume(np.ones(GRID.shape, dtype=np.float32) if array is None else array, GRID, unit)
    return find_hot_regions(image, method or BackgroundAdaptive(), within, **options)


def test_bad_images_are_refused():
    with pytest.raises(ImageError, match="no counts"):
        bad(np.zeros(GRID.shape, dtype=np.float32))
    with pytest.raises(ImageError, match="All voxels of the image are 1"):
        bad()
    with pytest.raises(ImageError, match="not in HU"):
        bad(unit=Unit.HU)
    negative = phantom().array - 200.0
    with pytest.raises(ImageError, match="negative counts"):
        bad(negative)
    dark = np.where(LIVER.mask, 0.0, 5.0).astype(np.float32)
    with pytest.raises(ImageError, match="no counts in 'liver'"):
        bad(dark, within=LIVER)


def test_bad_regions_and_seeds_are_refused():
    good = phantom().array
    far = Grid((4, 4, 4), (3.0, 3.0, 3.0), (900.0, 0.0, 0.0))
    with pytest.raises(StructureError, match="no voxels on the other grid"):
        bad(good, within=Region("far", np.ones((4, 4, 4), dtype=bool), far))
    with pytest.raises(StructureError, match=r"seed at LPS \(500, 0, 0\) mm lies outside the image"):
        bad(good, seeds_lps_mm=[(500.0, 0.0, 0.0)])
    with pytest.raises(StructureError, match="outside the region that is searched"):
        bad(good, within=LIVER, seeds_lps_mm=[(58.0, 58.0, 60.0)])
    with pytest.raises(StructureError, match="No voxel reaches 5000, the highest is"):
        bad(good, method=FixedValue(5000.0))
    with pytest.raises(StructureError, match=r"Nothing around the seed .* reaches the threshold 900"):
        bad(good, method=FixedValue(900.0), seeds_lps_mm=[SPHERES[2][0]])


@pytest.mark.parametrize(
    "make",
    [
        lambda: ShareOfMaximum(0.0),
        lambda: ShareOfMaximum(1.0),
        lambda: ShareOfMaximum(41.0),
        lambda: FixedValue(-1.0),
        lambda: FixedValue(np.nan),
        lambda: BackgroundAdaptive(0.5, 1.5),
        lambda: SizeAdaptive(0.0),
        lambda: GradientEdge(-0.5),
        lambda: bad(phantom().array, resolution_mm=0.0),
        lambda: bad(phantom().array, resolution_mm=140.0),
        lambda: bad(phantom().array, minimum_ml=-1.0),
        lambda: bad(phantom().array, least_contrast=0.5),
    ],
)
def test_numbers_out_of_range_are_refused(make):
    with pytest.raises(StructureError, match="must"):
        make()


@pytest.mark.exhaustive
@pytest.mark.real_data
@pytest.mark.filterwarnings("ignore::radioembolization.errors.NegativeCountsSetToZero")
def test_a_real_scout_shows_its_tumours():
    folder = SHARED / "data" / "maa_spect_patient"
    if not folder.is_dir():
        pytest.skip(f"no reference data at {folder}")
    scout = read_volume(folder / "patient_2_SPECT.nrrd", Unit.COUNTS)
    drawn = read_segmentation(folder / "patient_2_Segmentation.seg.nrrd")
    liver, *tumours = (Region(n, drawn.mask(n).mask, drawn.mask(n).grid) for n in ("liver", "Tumor 1", "Tumor 2"))
    found = find_hot_regions(scout, SizeAdaptive(), liver, resolution_mm=15.0, minimum_ml=2.0)
    union = np.logical_or.reduce([t.on(scout.grid).mask for t in tumours])
    mask = found["tumour 1"].mask  # the two drawn ones touch
    assert 2.0 * (mask & union).sum() / (mask.sum() + union.sum()) > 0.9
