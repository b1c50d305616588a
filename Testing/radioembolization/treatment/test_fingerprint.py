"""Every part of a case has a digest of its own that nothing else moves."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from radioembolization.dose import DoseSettings, Method, Uncertainty
from radioembolization.images import Grid, Unit, Volume
from radioembolization.physics import GLASS_Y90, RESIN_Y90, Convention
from radioembolization.planning import MeanDose, Prescription, VialCalendar, WorstTumourMean, preset
from radioembolization.structures import Role
from radioembolization.territories import Pattern
from radioembolization.territories.arteries import ArterialTree, Artery
from radioembolization.treatment import (
    AnalysisRequest,
    CaseInputs,
    FrontRequest,
    MicrosphereRequest,
    Notice,
    SourceMask,
    SourceStructure,
    SourceSupply,
    VialRequest,
)
from radioembolization.treatment.case import SyntheticLesions
from radioembolization.treatment.fingerprint import (
    NOT_OF_ROWS,
    changed_parts,
    input_digests,
    mask_digest,
    volume_digest,
)
from small_case import GRID, small_inputs
from support import as_direction, rotation

INPUTS = small_inputs()
DIGESTS = input_digests(INPUTS)
RESIN = INPUTS.prescription


def _changed(inputs: CaseInputs) -> tuple[str, ...]:
    return changed_parts(DIGESTS, input_digests(inputs))


def _with_structure(index: int, **changes: object) -> CaseInputs:
    structures = list(INPUTS.structures)
    structures[index] = replace(structures[index], **changes)
    return replace(INPUTS, structures=tuple(structures))


def _with_site(index: int, **changes: object) -> CaseInputs:
    sites = list(INPUTS.sites)
    sites[index] = replace(sites[index], **changes)
    return replace(INPUTS, sites=tuple(sites))


def _one_voxel_less(source: SourceMask) -> SourceMask:
    mask = source.mask.copy()
    mask[tuple(np.argwhere(mask)[0])] = False
    return SourceMask(mask, source.grid)


def _with_one_voxel(volume: Volume) -> Volume:
    array = volume.array.copy()
    array[0, 0, 0] += 1
    return replace(volume, array=array)


def _shifted(grid: Grid, mm: float) -> Grid:
    return replace(grid, origin_mm=(grid.origin_mm[0] + mm, *grid.origin_mm[1:]))


SUPPLY = SourceSupply(np.ones(GRID.shape, np.float32), GRID)
SETTINGS, LUNGS, RATIOS = "device and dose settings", "lung mass", "tumor-to-normal ratios"
CHANGES = {
    "a count": (replace(INPUTS, scout=_with_one_voxel(INPUTS.scout)), "scout image"),
    "place of the scout": (
        replace(INPUTS, scout=replace(INPUTS.scout, grid=_shifted(INPUTS.scout.grid, 0.1))),
        "scout image",
    ),
    "no scout": (replace(INPUTS, scout=None), "scout image"),
    "a HU": (replace(INPUTS, ct=_with_one_voxel(INPUTS.ct)), "CT"),
    "no CT": (replace(INPUTS, ct=None), "CT"),
    "device": (replace(INPUTS, settings=DoseSettings(GLASS_Y90)), SETTINGS),
    "convention": (replace(INPUTS, settings=DoseSettings(RESIN_Y90, Convention.ICRP107)), SETTINGS),
    "method": (replace(INPUTS, settings=DoseSettings(RESIN_Y90, method=Method.LOCAL)), SETTINGS),
    "liver density": (replace(INPUTS, liver_density_g_per_cm3=1.05), SETTINGS),
    "planning grid": (replace(INPUTS, spacing_mm=(4.0, 4.0, 4.1)), SETTINGS),
    "synthetic lesions": (replace(INPUTS, synthetic_lesions=SyntheticLesions(1, (9.0,), (4.0,))), SETTINGS),
    "lung mass": (replace(INPUTS, lung_mass_kg=1.001), LUNGS),
    "assumed lung mass": (replace(INPUTS, lung_mass_assumed=True), LUNGS),
    "ratio": (replace(INPUTS, tumour_to_normal={"A": 4.0}), RATIOS),
    "role": (_with_structure(4, role=Role.TUMOUR), "structure 'gallbladder'"),
    "a voxel of a tumour": (_with_structure(1, source=_one_voxel_less(INPUTS.structures[1].source)), "structure 'A'"),
    "place of a tumour": (
        _with_structure(1, source=replace(INPUTS.structures[1].source, grid=_shifted(GRID, 0.01))),
        "structure 'A'",
    ),
    "a voxel of a territory": (_with_site(1, perfused=_one_voxel_less(INPUTS.sites[1].perfused)), "site 'left'"),
    "shunt": (_with_site(1, lung_shunt=0.051), "site 'left'"),
    "extrahepatic share": (_with_site(1, extrahepatic_share=0.01), "site 'left'"),
    "pattern": (_with_site(1, pattern=Pattern.TUMOUR_TO_NORMAL), "site 'left'"),
    "catheter tip": (_with_site(0, position_lps_mm=(0.0, -50.0, 0.01)), "site 'proper'"),
    "no catheter tip": (_with_site(0, position_lps_mm=None), "site 'proper'"),
    "supply": (_with_site(1, supply=SUPPLY), "site 'left'"),
    "own scout": (_with_site(1, scout=INPUTS.scout), "site 'left'"),
    "outflow": (_with_site(2, extrahepatic_share=0.0, outflow={"gallbladder": 0.0}), "site 'right'"),
    "upstream": (_with_site(1, upstream="proper"), "site 'left'"),
    "nearest to": (_with_site(1, nearest_to="A"), "site 'left'"),
    "among": (_with_site(1, among=("A",)), "site 'left'"),
    "goal": (replace(INPUTS, prescription=replace(RESIN, goal=WorstTumourMean())), "prescription"),
    "bound": (
        replace(INPUTS, prescription=replace(RESIN, limits=(MeanDose("A").at_most(gy=100.0), *RESIN.limits[1:]))),
        "prescription",
    ),
    "injections": (replace(INPUTS, prescription=replace(RESIN, at_most_sites=3)), "prescription"),
    "least activity": (replace(INPUTS, prescription=replace(RESIN, least_activity_gbq=0.1)), "prescription"),
    "most activity": (replace(INPUTS, prescription=replace(RESIN, most_activity_gbq=9.0)), "prescription"),
    "forbidden site": (replace(INPUTS, prescription=replace(RESIN, forbidden_sites=("left",))), "prescription"),
    "required site": (
        replace(INPUTS, prescription=replace(RESIN, least_activity_gbq=0.1, required_sites=("left",))),
        "prescription",
    ),
    "reason for another device": (
        replace(INPUTS, prescription=Prescription.from_preset(preset("resin/bilobar"), "trial", at_most_sites=2)),
        "prescription",
    ),
}
_HOUR = datetime(2026, 12, 1, 14, tzinfo=UTC)
_CALENDAR = VialCalendar.of(RESIN_Y90, [_HOUR], [1.0, 2.0])
_ASKED = AnalysisRequest(uncertainty=Uncertainty.default("resin"), vials=VialRequest(_CALENDAR, {"left": _HOUR}))
WITH_ANALYSIS = replace(INPUTS, analysis=_ASKED)
#: Changes of what is asked beside the plan, each with the part it is of.
ANALYSES = {
    "seed": (replace(_ASKED, uncertainty=Uncertainty.default("resin", seed=5)), "uncertainty"),
    "robust": (replace(_ASKED, robust=True), "uncertainty"),
    "hour": (
        replace(_ASKED, vials=VialRequest(_CALENDAR, {"left": _HOUR + timedelta(minutes=1)})),
        "choice of vials",
    ),
    "sizes": (
        replace(_ASKED, vials=VialRequest(replace(_CALENDAR, sizes_gbq=(1.0,)), {"left": _HOUR})),
        "choice of vials",
    ),
}
#: What a case is called and where it is from decides no plan.
NO_CHANGES = {
    "name": "other",
    "hashes": {"scout": "0"},
    "notices": (Notice("StructuresRecognised", "liver by name"),),
    "patient": "P",
    "include_identifiers": True,
    "synthetic": True,
    "arteries": ArterialTree((Artery("proper", None, np.array([[0.0, 0, 0], [0, 0, 9.0]]), np.ones(2)),)),
    "lung_shunts": ("by another method",),
}


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_is_told_of_its_own_part_and_of_no_other(change):
    inputs, part = CHANGES[change]
    assert _changed(inputs) == (f"{part} has changed",)


@pytest.mark.parametrize("field", NO_CHANGES)
def test_names_and_origins_decide_no_plan(field):
    assert _changed(replace(INPUTS, **{field: NO_CHANGES[field]})) == ()


@pytest.mark.parametrize("change", ANALYSES)
def test_uncertainty_and_vials_make_a_plan_stale_but_no_dose_rows(change):
    asked, part = ANALYSES[change]
    before, now = input_digests(WITH_ANALYSIS), input_digests(replace(INPUTS, analysis=asked))
    assert changed_parts(before, now) == (f"{part} has changed",) and part in NOT_OF_ROWS


def test_reasons_trade_offs_and_spheres_decide_no_plan_and_vials_no_clock():
    spheres = MicrosphereRequest(20, 3)
    more = AnalysisRequest(explanation=False, front=FrontRequest("lungs"), staircase=True, microspheres=spheres)
    assert _changed(replace(INPUTS, analysis=more)) == ()
    assert set(changed_parts(DIGESTS, input_digests(WITH_ANALYSIS))) == {
        "uncertainty is new",
        "choice of vials is new",
    }
    elsewhere = {"left": _HOUR.astimezone(timezone(timedelta(hours=1)))}
    same = replace(_ASKED, vials=VialRequest(_CALENDAR, elsewhere))
    assert input_digests(replace(INPUTS, analysis=same)) == input_digests(WITH_ANALYSIS)


def test_these_tests_know_every_field_of_a_case():
    touched = {f.name for f in fields(CaseInputs) for case, _ in CHANGES.values() if _differs(case, f.name)}
    assert touched | {*NO_CHANGES, "analysis"} == {f.name for f in fields(CaseInputs)}


def _differs(case: CaseInputs, name: str) -> bool:
    return getattr(case, name) is not getattr(INPUTS, name)


def test_each_part_of_a_supply_and_of_an_own_scout_counts():
    shifted = SourceSupply(SUPPLY.array, _shifted(GRID, 0.1))
    other = SourceSupply(SUPPLY.array * np.float32(1.01), GRID)
    cases = [_with_site(1, supply=supply) for supply in (SUPPLY, shifted, other)]
    cases += [_with_site(1, scout=scout) for scout in (INPUTS.scout, _with_one_voxel(INPUTS.scout))]
    cases += [_with_site(1, extrahepatic_share=0.02, outflow={organ: 0.01}) for organ in ("gallbladder", "stomach")]
    assert len({input_digests(case)["site 'left'"] for case in cases}) == len(cases)
    again = SourceSupply(SUPPLY.array.copy(), GRID)
    assert input_digests(_with_site(1, supply=again)) == input_digests(cases[0])


def test_the_same_case_made_again_has_the_same_digests():
    assert _changed(small_inputs()) == ()


def test_the_order_of_structures_and_sites_does_not_matter():
    turned = replace(INPUTS, structures=INPUTS.structures[::-1], sites=INPUTS.sites[::-1])
    assert _changed(turned) == ()


def test_new_and_missing_parts_are_named():
    fewer = replace(INPUTS, structures=INPUTS.structures[:-1])
    assert _changed(fewer) == ("structure 'gallbladder' is missing",)
    assert changed_parts(input_digests(fewer), DIGESTS) == ("structure 'gallbladder' is new",)
    renamed = _with_structure(4, name="gall")
    assert _changed(renamed) == ("structure 'gallbladder' is missing", "structure 'gall' is new")


def test_empty_space_around_a_mask_does_not_matter():
    source = INPUTS.structures[1].source
    padded = np.pad(source.mask, ((1, 2), (3, 4), (5, 6)))
    origin = np.array(GRID.origin_mm) - np.array(GRID.spacing_mm)[::-1] * (5, 3, 1)  # (x, y, z) before the mask
    assert mask_digest(SourceMask(padded, Grid(padded.shape, GRID.spacing_mm, tuple(origin)))) == mask_digest(source)


def test_empty_space_does_not_matter_on_an_oblique_grid():
    """Cropping computes the origin anew; its last bits differ."""
    oblique = Grid(GRID.shape, (2.9, 1.7, 1.3), (-88.1, 3.3, 7.7), as_direction(rotation((1, 2, 3), 25.0)))
    mask = INPUTS.structures[1].source.mask
    inside = tuple(slice(int(low) - 1, int(high) + 2) for low, high in zip(*_ends(mask), strict=True))
    cropped = SourceMask(mask[inside], oblique.box([part.start for part in inside], mask[inside].shape))
    assert mask_digest(cropped) == mask_digest(SourceMask(mask, oblique))


def _ends(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    indices = np.argwhere(mask)
    return indices.min(axis=0), indices.max(axis=0)


@pytest.mark.parametrize("degrees", [0.01, 90.0])
def test_a_rotation_matters(degrees):
    source = INPUTS.structures[1].source
    turned = replace(source.grid, direction=as_direction(rotation((0, 0, 1), degrees)))
    assert mask_digest(SourceMask(source.mask, turned)) != mask_digest(source)
    assert volume_digest(replace(INPUTS.ct, grid=turned)) != volume_digest(INPUTS.ct)


def test_spacing_matters():
    source = INPUTS.structures[1].source
    assert mask_digest(SourceMask(source.mask, replace(GRID, spacing_mm=(4.0, 4.0, 4.001)))) != mask_digest(source)


def test_masks_of_the_same_bits_and_another_shape_differ():
    """Packed bits alone would not tell 1 x 8 voxels from 8 x 1."""
    row, column = np.ones((1, 1, 8), dtype=bool), np.ones((1, 8, 1), dtype=bool)
    digests = {mask_digest(SourceMask(mask, Grid(mask.shape, (1.0, 1.0, 1.0)))) for mask in (row, column)}
    assert len(digests) == 2


def test_all_empty_masks_are_the_same():
    nothing = np.zeros(GRID.shape, dtype=bool)
    assert mask_digest(SourceMask(nothing, GRID)) == mask_digest(SourceMask(nothing, _shifted(GRID, 5.0)))


def test_memory_layout_does_not_matter():
    turned = np.asfortranarray(INPUTS.ct.array)
    assert volume_digest(Volume(turned, GRID, Unit.HU)) == volume_digest(INPUTS.ct)
    mask = INPUTS.structures[1].source.mask
    assert mask_digest(SourceMask(np.asfortranarray(mask), GRID)) == mask_digest(SourceMask(mask, GRID))


@pytest.mark.parametrize("axes", [(0,), (1,), (2,), (0, 2), (0, 1, 2)])
def test_the_way_the_axes_run_does_not_matter(axes):
    """Where each voxel lies is the same; worked out for each axis by hand."""
    grid = Grid(GRID.shape, (2.9, 1.7, 1.3), (-88.1, 3.3, 7.7), as_direction(rotation((1, 2, 3), 25.0)))
    matrix, origin = np.array(grid.direction).reshape(3, 3), np.array(grid.origin_mm)
    for axis in axes:
        column = 2 - axis
        origin = origin + matrix[:, column] * grid.spacing_mm[axis] * (grid.shape[axis] - 1)
        matrix[:, column] *= -1.0
    there = replace(grid, origin_mm=tuple(origin), direction=as_direction(matrix))
    array, mask = INPUTS.ct.array, INPUTS.structures[1].source.mask
    turned = volume_digest(Volume(np.flip(array, axes), there, Unit.HU))
    assert turned == volume_digest(Volume(array, grid, Unit.HU))
    assert turned != volume_digest(Volume(array, there, Unit.HU))
    assert mask_digest(SourceMask(np.flip(mask, axes), there)) == mask_digest(SourceMask(mask, grid))
    assert mask_digest(SourceMask(mask, there)) != mask_digest(SourceMask(mask, grid))


def test_minus_zero_is_zero():
    for zero in (0.0, -0.0):
        assert mask_digest(SourceMask(np.ones((2, 2, 2), dtype=bool), Grid((2, 2, 2), (1, 1, 1), (zero,) * 3))) == (
            mask_digest(SourceMask(np.ones((2, 2, 2), dtype=bool), Grid((2, 2, 2), (1, 1, 1), (0.0,) * 3)))
        )


def test_structures_are_known_by_their_names_not_by_their_objects():
    structures = (*INPUTS.structures[:1], SourceStructure("B", Role.TUMOUR, INPUTS.structures[1].source))
    digests = input_digests(replace(INPUTS, structures=structures))
    assert digests["structure 'B'"] == DIGESTS["structure 'A'"]
