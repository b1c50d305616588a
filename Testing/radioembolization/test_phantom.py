"""The synthetic patient is what it says it is: anatomy, tumours, arteries, truth and scout image."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from radioembolization.errors import InputError
from radioembolization.images import Unit, lung_mass_kg_from_ct, resample_counts
from radioembolization.phantom import SyntheticPatient, case_of, synthetic_case, synthetic_patient
from radioembolization.phantom.activity import SCOUT_BACKGROUND, SCOUT_COUNTS, SCOUT_FWHM_MM, scout_image
from radioembolization.phantom.arteries import PARENTS
from radioembolization.physics import GLASS_Y90, HOLMIUM_HO166
from radioembolization.structures import Role
from radioembolization.treatment import plan_treatment, prepare
from series import series

SEEDS = (1, 2, 3)  # every property of the first in every run, of the others where it is asked for
SPACING_MM = 6.0
VOXEL_ML = SPACING_MM**3 / 1000.0


@pytest.fixture(scope="module")
def patients() -> dict[int, SyntheticPatient]:
    return {seed: synthetic_patient(seed, SPACING_MM) for seed in SEEDS}


@pytest.fixture(scope="module", params=series((*SEEDS, 4, 5), 1))
def patient(request: pytest.FixtureRequest, patients: dict[int, SyntheticPatient]) -> SyntheticPatient:
    return patients.get(request.param) or synthetic_patient(request.param, SPACING_MM)


def ml(mask: np.ndarray, patient: SyntheticPatient) -> float:
    return float(np.count_nonzero(mask)) * patient.ct.grid.voxel_ml


def voxel(position_lps_mm: np.ndarray, patient: SyntheticPatient) -> tuple[int, ...]:
    return tuple(np.rint(patient.ct.grid.to_index(position_lps_mm)).astype(int))


# --- a seed is one patient ---


def test_a_seed_gives_identical_arrays(patients: dict[int, SyntheticPatient]) -> None:
    first, again = patients[2], synthetic_patient(2, SPACING_MM)
    for one, other in ((first.ct, again.ct), (first.scout, again.scout)):
        assert one.grid == other.grid
        assert np.array_equal(one.array, other.array)
    assert np.array_equal(first.true_share, again.true_share)
    assert first.tumour_to_normal == again.tumour_to_normal
    for name, mask in {**first.masks, **first.segments}.items():
        assert np.array_equal(mask, {**again.masks, **again.segments}[name])


def test_another_seed_is_another_patient(patients: dict[int, SyntheticPatient]) -> None:
    assert len({p.lung_shunt for p in patients.values()}) == len(SEEDS)
    assert len({tuple(p.tumour_to_normal.values()) for p in patients.values()}) == len(SEEDS)
    assert len({np.count_nonzero(p.masks["liver"]) for p in patients.values()}) == len(SEEDS)


def test_the_global_random_generator_plays_no_part(patients: dict[int, SyntheticPatient]) -> None:
    state = np.random.get_state()  # noqa: NPY002
    synthetic_patient(2, SPACING_MM)
    assert np.array_equal(state[1], np.random.get_state()[1])  # noqa: NPY002


def test_spacing_changes_the_voxels_and_not_the_patient(patients: dict[int, SyntheticPatient]) -> None:
    coarse, fine = patients[1], synthetic_patient(1, 4.0)
    assert fine.ct.grid.spacing_mm == (4.0, 4.0, 4.0)
    assert fine.lung_shunt == coarse.lung_shunt
    assert fine.tumour_to_normal == coarse.tumour_to_normal
    for one, other in zip(fine.arteries, coarse.arteries, strict=True):
        assert np.array_equal(one.points_lps_mm, other.points_lps_mm)
    for name, mask in fine.tumours.items():
        # Volumes are met to the nearest voxel; centres of the same shape differ by less than half of one.
        assert abs(ml(mask, fine) - ml(coarse.tumours[name], coarse)) <= VOXEL_ML
        centres = [p.ct.grid.to_lps(np.argwhere(p.tumours[name])).mean(axis=0) for p in (fine, coarse)]
        assert np.linalg.norm(centres[0] - centres[1]) < SPACING_MM / 2.0
    for name, mask in fine.segments.items():
        assert ml(mask, fine) == pytest.approx(ml(coarse.segments[name], coarse), rel=0.06)


@pytest.mark.parametrize(("seed", "spacing_mm"), [(-1, 6.0), (1, 0.0), (1, 25.0), (1, float("nan"))])
def test_impossible_requests_are_refused(seed: int, spacing_mm: float) -> None:
    with pytest.raises(InputError, match="seed"):
        synthetic_patient(seed, spacing_mm)


def test_masks_are_read_only(patients: dict[int, SyntheticPatient]) -> None:
    with pytest.raises(ValueError, match="read-only"):
        patients[1].masks["liver"][0, 0, 0] = True


# --- anatomy ---


def test_volumes_are_those_of_an_adult(patient: SyntheticPatient) -> None:
    # Ranges of adults; 2 % beyond for voxels of 6 mm.
    ranges = {
        "liver": (1600, 2000),
        "lungs": (3000, 4300),
        "spleen": (120, 320),
        "left kidney": (110, 210),
        "right kidney": (110, 210),
        "gallbladder": (15, 60),
        "stomach": (150, 700),
    }
    for name, (low, high) in ranges.items():
        assert 0.98 * low <= ml(patient.masks[name], patient) <= 1.02 * high, name


def test_organs_do_not_overlap(patient: SyntheticPatient) -> None:
    organs = [mask for name, mask in patient.masks.items() if name != "body"]
    assert np.max(np.sum(organs, axis=0)) == 1
    assert not (np.any(organs, axis=0) & ~patient.masks["body"]).any()


def test_organs_lie_where_they_belong(patient: SyntheticPatient) -> None:
    """x to the patient's left, y to the back, z to the head: a swapped or mirrored axis fails."""
    centre = {name: patient.ct.grid.to_lps(np.argwhere(mask)).mean(axis=0) for name, mask in patient.masks.items()}
    assert centre["liver"][0] < -20.0 < 20.0 < centre["spleen"][0]
    assert centre["right kidney"][0] < centre["spine"][0] < centre["left kidney"][0]
    assert centre["stomach"][0] > 20.0
    assert min(centre["spine"][1], centre["left kidney"][1]) > centre["liver"][1] + 30.0
    assert centre["gallbladder"][2] < centre["liver"][2] < centre["lungs"][2]


def test_stomach_keeps_a_distance_and_gallbladder_touches(patient: SyntheticPatient) -> None:
    near_liver = ndimage.binary_dilation(patient.masks["liver"], iterations=1)
    assert (near_liver & patient.masks["gallbladder"]).any()
    assert not (patient.masks["liver"] & (patient.masks["gallbladder"] | patient.masks["stomach"])).any()


def test_ct_numbers(patient: SyntheticPatient) -> None:
    assert patient.ct.unit is Unit.HU
    ct, masks = patient.ct.array, patient.masks
    normal = masks["liver"] & ~np.any(list(patient.tumours.values()), axis=0)
    assert 60.0 < np.median(ct[normal]) < 110.0
    assert ct[normal].std() == pytest.approx(10.0, abs=6.0)  # noise of 10 HU, and some arteries
    assert np.median(ct[np.any(list(patient.tumours.values()), axis=0)]) > np.median(ct[normal]) + 15.0
    assert -850.0 < ct[masks["lungs"]].mean() < -750.0
    assert ct[masks["spine"]].mean() > 150.0
    assert np.all(ct[~masks["body"]] == -1000)
    assert 0.6 < lung_mass_kg_from_ct(patient.ct, masks["lungs"]) < 1.2


def test_segments_partition_the_liver(patient: SyntheticPatient) -> None:
    assert list(patient.segments) == [f"segment {number}" for number in range(1, 9)]
    count = np.sum(list(patient.segments.values()), axis=0)
    assert np.array_equal(count, patient.masks["liver"].astype(count.dtype))
    for name, mask in patient.segments.items():
        assert np.count_nonzero(mask) > 0.03 * np.count_nonzero(patient.masks["liver"]), name
        # One piece, but for the specks that oblique planes cut from it on coarse voxels.
        parts = np.bincount(ndimage.label(mask, np.ones((3, 3, 3)))[0].ravel())[1:]
        assert parts.max() > 0.97 * parts.sum(), name


def test_segments_lie_as_couinaud_named_them(patient: SyntheticPatient) -> None:
    centre = {
        int(name.split()[1]): patient.ct.grid.to_lps(np.argwhere(mask)).mean(axis=0)
        for name, mask in patient.segments.items()
    }
    assert centre[2][0] > centre[4][0] > centre[5][0]  # from the left: lateral, medial, anterior
    assert centre[6][1] > centre[5][1] and centre[7][1] > centre[8][1]  # posterior behind anterior
    assert centre[8][2] > centre[5][2] and centre[7][2] > centre[6][2] and centre[2][2] > centre[3][2]
    assert centre[1][1] > centre[4][1]  # the caudate lies behind


# --- tumours ---


def test_tumours_are_few_disjoint_and_in_both_lobes(patient: SyntheticPatient) -> None:
    masks = list(patient.tumours.values())
    assert 6 <= len(masks) <= 12
    assert np.max(np.sum(masks, axis=0)) == 1
    assert not (np.any(masks, axis=0) & ~patient.masks["liver"]).any()
    burden = np.count_nonzero(np.any(masks, axis=0)) / np.count_nonzero(patient.masks["liver"])
    assert 0.05 <= burden <= 0.25
    right = np.any([patient.segments[f"segment {number}"] for number in (5, 6, 7, 8)], axis=0)
    in_right = [np.count_nonzero(mask & right) > np.count_nonzero(mask & ~right) for mask in masks]
    assert any(in_right) and not all(in_right)


def test_tumour_volumes(patient: SyntheticPatient) -> None:
    volumes = [ml(mask, patient) for mask in patient.tumours.values()]
    assert min(volumes) >= 2.0 - VOXEL_ML / 2.0 and max(volumes) <= 120.0 + VOXEL_ML / 2.0
    assert volumes == sorted(volumes, reverse=True)


def test_one_tumour_is_poorly_perfused(patient: SyntheticPatient) -> None:
    ratios = np.array(list(patient.tumour_to_normal.values()))
    assert set(patient.tumour_to_normal) == set(patient.tumours)
    assert ratios.min() >= 2.0 and ratios.max() <= 8.0
    assert np.count_nonzero(ratios < 2.5) == 1 and np.count_nonzero(ratios < 3.0) == 1
    poor = patient.tumours[min(patient.tumour_to_normal, key=lambda name: patient.tumour_to_normal[name])]
    inner = ndimage.distance_transform_edt(poor)
    core = inner == inner.max()
    assert patient.true_share[core].mean() < 0.6 * patient.true_share[poor & (inner <= 1.0)].mean()


# --- arteries ---


def test_arteries_are_one_tree_with_its_root_first(patient: SyntheticPatient) -> None:
    seen: dict[str, object] = {}
    for artery in patient.arteries:
        assert artery.name not in seen
        assert (artery.parent is None) == (not seen)  # only the first has no parent ...
        assert artery.parent is None or artery.parent in seen  # ... and parents come first: no cycle
        seen[artery.name] = artery
    assert set(seen) == set(PARENTS)


def test_children_begin_where_their_parent_ends(patient: SyntheticPatient) -> None:
    by_name = {artery.name: artery for artery in patient.arteries}
    for artery in patient.arteries:
        if artery.parent is not None:
            assert np.allclose(artery.points_lps_mm[0], by_name[artery.parent].tip_lps_mm, atol=1e-9)


def test_radii_follow_murray(patient: SyntheticPatient) -> None:
    by_name = {artery.name: artery for artery in patient.arteries}
    for artery in patient.arteries:
        assert np.all(np.diff(artery.radius_mm) < 0)
        children = [a for a in patient.arteries if a.parent == artery.name]
        if children:
            assert artery.radius_mm[0] ** 3 == pytest.approx(sum(c.radius_mm[0] ** 3 for c in children), rel=1e-9)
    assert 2.0 < by_name["common hepatic"].radius_mm[0] < 3.5


def test_segmental_tips_end_inside_their_segments(patient: SyntheticPatient) -> None:
    for artery in patient.arteries:
        if artery.name.startswith("segment"):
            mask = patient.segments[artery.name.removesuffix(" branch")]
            assert mask[voxel(artery.tip_lps_mm, patient)], artery.name


def test_cystic_and_right_gastric_reach_their_organs(patient: SyntheticPatient) -> None:
    by_name = {artery.name: artery for artery in patient.arteries}
    for name, organ in (("cystic", "gallbladder"), ("right gastric", "stomach")):
        places = patient.ct.grid.to_lps(np.argwhere(patient.masks[organ]))
        assert np.linalg.norm(places - by_name[name].tip_lps_mm, axis=1).min() < 10.0


def test_small_branches_grow_from_the_segmental_tips(patient: SyntheticPatient) -> None:
    tree = patient.tree
    assert tree.synthetic and tree.arteries[: len(PARENTS)] == patient.arteries
    small = tree.arteries[len(PARENTS) :]
    assert len(tree.terminal_stretches) == 8 * 8 + 2  # eight in each segment, stomach and gallbladder
    for artery in small:
        mask = patient.segments[" ".join(artery.name.split()[:2])]
        # Grown on voxels of 3 mm: on those of this CT a place at a border may belong to the next segment.
        near = ndimage.binary_dilation(mask, iterations=1)
        assert all(near[voxel(place, patient)] for place in artery.points_lps_mm), artery.name
    for artery in patient.arteries:
        if artery.name.startswith("segment"):
            first = tree.children(artery.name)
            assert len(first) == 2
            assert all(np.array_equal(child.points_lps_mm[0], artery.tip_lps_mm) for child in first)
            assert np.sum([c.radius_mm[0] ** 3 for c in first]) == pytest.approx(artery.radius_mm[-1] ** 3, rel=1e-6)


def test_a_seed_grows_the_same_small_branches(patients: dict[int, SyntheticPatient]) -> None:
    """Also on another CT, and without a part in anything else that is drawn."""
    again = synthetic_patient(1, 9.0)
    for one, other in zip(again.tree.arteries, patients[1].tree.arteries, strict=True):
        assert one.name == other.name and np.array_equal(one.points_lps_mm, other.points_lps_mm)
    tips = [patient.tree.artery("segment 5 branch 1").tip_lps_mm for patient in patients.values()]
    assert np.linalg.norm(tips[0] - tips[1]) > 1.0


def test_a_territory_is_the_union_of_its_branches(patient: SyntheticPatient) -> None:
    for name, territory in patient.territories.items():
        children = [child for child, parent in PARENTS.items() if parent == name and child in patient.territories]
        if children:
            together = np.sum([patient.territories[child] for child in children], axis=0)
            assert np.array_equal(together, territory.astype(together.dtype)), name
        else:
            assert np.array_equal(territory, patient.segments[name.removesuffix(" branch")])
    assert np.array_equal(patient.territories["common hepatic"], patient.masks["liver"])
    assert set(PARENTS) - set(patient.territories) == {"cystic", "right gastric"}


# --- truth and scout ---


def test_truth_adds_up(patient: SyntheticPatient) -> None:
    share = patient.true_share
    assert share.dtype == np.float32 and share.min() >= 0.0
    liver, lungs = patient.masks["liver"], patient.masks["lungs"]
    # Sums of float32 numbers with a relative rounding of 6e-8 each.
    assert share[liver].sum(dtype=float) == pytest.approx(1.0 - patient.lung_shunt, rel=1e-6)
    assert share[lungs].sum(dtype=float) == pytest.approx(patient.lung_shunt, rel=1e-6)
    assert not share[~(liver | lungs)].any()
    assert 0.03 <= patient.lung_shunt <= 0.08


def test_true_concentrations_have_the_stated_ratios(patient: SyntheticPatient) -> None:
    normal = patient.masks["liver"] & ~np.any(list(patient.tumours.values()), axis=0)
    reference = patient.true_share[normal].mean(dtype=float)
    for name, mask in patient.tumours.items():
        assert patient.true_share[mask].mean(dtype=float) / reference == pytest.approx(
            patient.tumour_to_normal[name], rel=1e-4
        )
    # Segments within 15 %, a smooth field of 8 % inside them: uneven, but no voxel of normal liver is cold.
    spread = patient.true_share[normal].std() / reference
    assert 0.04 < spread < 0.20


def test_lungs_are_filled_by_mass(patient: SyntheticPatient) -> None:
    lungs = patient.masks["lungs"]
    per_gram = patient.true_share[lungs] / np.maximum(patient.ct.array[lungs] + 1000.0, 1.0)
    assert np.ptp(per_gram) < 1e-4 * per_gram.mean()


def test_the_scout_has_its_own_grid_and_realistic_counts(patient: SyntheticPatient) -> None:
    scout, ct = patient.scout, patient.ct
    assert scout.unit is Unit.COUNTS
    assert scout.grid.spacing_mm == (4.42, 4.42, 4.42)
    assert scout.grid.shape != ct.grid.shape and scout.grid.origin_mm != ct.grid.origin_mm
    offset = scout.grid.to_lps((np.array(scout.grid.shape) - 1) / 2) - ct.grid.to_lps((np.array(ct.grid.shape) - 1) / 2)
    assert np.linalg.norm(offset) > 4.42
    # Poisson: the total is within five standard deviations, and counts are whole numbers.
    assert scout.array.sum(dtype=float) == pytest.approx(SCOUT_COUNTS, abs=5.0 * np.sqrt(SCOUT_COUNTS))
    assert scout.array.min() >= 0 and np.array_equal(scout.array, np.rint(scout.array))


def test_the_scout_recovers_the_lung_shunt(patient: SyntheticPatient) -> None:
    counts, _ = resample_counts(patient.scout, patient.ct.grid)
    lungs = counts.array[patient.masks["lungs"]].sum(dtype=float)
    liver = counts.array[patient.masks["liver"]].sum(dtype=float)
    # The blur takes 7 to 9 % of the liver counts out of its contour, which raises the ratio by 8 % of itself,
    # and lung loses less than it gains from the liver below; the background (1 % in the body, a seventh of
    # it in the lungs) adds 0.0015.  Poisson noise of 1.5e5 lung counts is 0.3 % of the ratio.
    assert -0.001 < lungs / (lungs + liver) - patient.lung_shunt < 0.006


def test_the_blur_is_the_stated_gaussian(patients: dict[int, SyntheticPatient]) -> None:
    """A point in the middle of the body: mean at the point, standard deviation FWHM / 2.355, all counts."""
    grid, body = patients[1].ct.grid, patients[1].masks["body"]
    point = np.zeros(grid.shape, dtype=np.float32)
    at = tuple(n // 2 for n in grid.shape)
    point[at] = 1.0
    image = scout_image(point, body, grid, np.random.default_rng(0))
    places = image.grid.to_lps(np.argwhere(image.array > 0))
    weights = image.array[image.array > 0].astype(float)
    near = np.all(np.abs(places - grid.to_lps(np.array(at))) < 30.0, axis=1)
    assert weights[near].sum() == pytest.approx(SCOUT_COUNTS * (1.0 - SCOUT_BACKGROUND), rel=0.003)
    mean = np.average(places[near], axis=0, weights=weights[near])
    assert mean == pytest.approx(grid.to_lps(np.array(at)), abs=0.05)
    variance = np.average((places[near] - mean) ** 2, axis=0, weights=weights[near])
    # Both voxels add their own uniform spread, size^2 / 12 each.  The background in the cube of 60 mm
    # (a share of 1e-4 at 300 mm^2) adds 0.03 mm^2, and the cut at 30 mm takes next to nothing.
    expected = (SCOUT_FWHM_MM / 2.3548) ** 2 + (SPACING_MM**2 + 4.42**2) / 12.0
    assert variance == pytest.approx(np.full(3, expected), rel=0.01)


# --- the case ---


def test_sites_of_the_case(patient: SyntheticPatient) -> None:
    inputs = case_of(patient)
    names = [site.name for site in inputs.sites]
    assert len(names) == 13
    assert not {"cystic", "right gastric", "common hepatic"} & set(names)
    for site in inputs.sites:
        assert np.array_equal(site.perfused.mask, patient.territories[site.name])
        assert site.lung_shunt == patient.lung_shunt
        line = next(a for a in patient.arteries if a.name == site.name).points_lps_mm
        assert site.position_lps_mm is not None
        # Between two points of a polyline bent by 12 %, never farther than half a step (of at most 8 mm).
        assert np.linalg.norm(line - np.array(site.position_lps_mm), axis=1).min() < 4.0
    different = {np.packbits(site.perfused.mask).tobytes() for site in inputs.sites}
    assert len(different) == 13


def test_prepare_accepts_the_case(patient: SyntheticPatient) -> None:
    inputs = case_of(patient)
    case = prepare(inputs)
    assert case.synthetic
    assert {s.role for s in inputs.structures} == {Role.LIVER, Role.TUMOUR, Role.LUNGS, Role.ORGAN}
    assert len(case.structures.tumours) == len(patient.tumours)
    assert case.scout is not None and case.scout_share_in_liver is not None
    # All but the shunt, the background and what the blur carries over the edge of the liver.
    assert 0.75 < case.scout_share_in_liver < 1.0 - patient.lung_shunt
    # The scout shows the order of perfusion: blur lowers ratios, so none is above the truth by more than noise.
    for name, seen in case.tumour_to_normal.items():
        assert 0.9 < seen < 1.1 * patient.tumour_to_normal[name]


@pytest.mark.exhaustive
def test_the_case_can_be_planned() -> None:
    """As test_synthetic_plans does in every run."""
    treatment = plan_treatment(prepare(synthetic_case(1, 8.0)))
    plan = treatment.plan
    assert 2 <= len(plan.used_sites) <= 4
    assert all(limit.met for limit in plan.limits)
    assert all(b.limits_met and plan.goal.value > b.goal_value for b in plan.baselines)


@pytest.mark.parametrize("device", series([GLASS_Y90, HOLMIUM_HO166], 1), ids=lambda device: device.name)
def test_other_devices_bring_their_own_limits(device, patients: dict[int, SyntheticPatient]) -> None:  # type: ignore[no-untyped-def]
    inputs = case_of(patients[1], device=device, at_most_sites=2, planning_spacing_mm=8.0)
    assert inputs.prescription.preset_name.startswith(device.name)
    assert inputs.spacing_mm == (8.0, 8.0, 8.0)
    assert prepare(inputs).structures.grid.spacing_mm == (8.0, 8.0, 8.0)
