"""Checks of whole cases: what fits passes in silence, what was spoilt is told with its place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from radioembolization.files import read_case
from radioembolization.images import Grid, Volume
from radioembolization.phantom import synthetic_case
from radioembolization.structures import Role
from radioembolization.structures.findings import Severity
from radioembolization.treatment import CaseInputs, SourceMask, prepare
from radioembolization.treatment.consistency import check_case, with_findings
from support import SHARED, quiet


@pytest.fixture(scope="module")
def inputs() -> CaseInputs:
    with quiet():
        return synthetic_case(seed=1, spacing_mm=6.0)


def moved(volume: Volume, by_lps_mm: tuple[float, float, float]) -> Volume:
    origin = tuple(np.array(volume.grid.origin_mm) + by_lps_mm)
    return Volume(volume.array, replace(volume.grid, origin_mm=origin), volume.unit)


def cropped(volume: Volume, first_slice: int, last_slice: int) -> Volume:
    part = volume.array[first_slice:last_slice]
    return Volume(part, volume.grid.box((first_slice, 0, 0), part.shape), volume.unit)


def checks(inputs: CaseInputs, worse_than: Severity = Severity.NOTICE) -> set[str]:
    return {finding.check for finding in check_case(inputs) if finding.severity is not worse_than}


def liver_slices(inputs: CaseInputs) -> np.ndarray:
    liver = next(s for s in inputs.structures if s.role is Role.LIVER)
    return np.flatnonzero(liver.source.mask.any(axis=(1, 2)))


def test_a_consistent_case_is_passed_in_silence(inputs):
    assert not check_case(inputs)


def test_a_ct_that_ends_in_the_liver_is_told_before_planning(inputs):
    middle = int(liver_slices(inputs).mean())
    found = check_case(replace(inputs, ct=cropped(inputs.ct, middle, inputs.ct.grid.shape[0])))
    (liver,) = [f for f in found if f.structures == ("liver",)]
    assert liver.check == "field of view" and "lie outside the CT" in liver.message


def test_a_liver_drawn_up_to_the_last_slice_is_incomplete(inputs):
    first = int(liver_slices(inputs).min()) + 3
    ct = cropped(inputs.ct, first, inputs.ct.grid.shape[0])
    structures = tuple(
        replace(s, source=SourceMask(s.source.mask[first:], ct.grid)) if s.role is Role.LIVER else s
        for s in inputs.structures
    )
    (finding,) = [f for f in check_case(replace(inputs, ct=ct, structures=structures)) if f.check == "incomplete liver"]
    assert "towards the foot" in finding.message
    assert finding.position_lps_mm[2] == pytest.approx(ct.grid.origin_mm[2], abs=ct.grid.spacing_mm[0])


def test_a_scout_of_another_frame_of_reference_is_an_error(inputs):
    far = replace(inputs, scout=moved(inputs.scout, (900.0, 0.0, 0.0)))
    assert {f.severity for f in check_case(far) if f.check == "field of view"} == {Severity.ERROR}


def test_a_misaligned_scout_is_told(inputs):
    assert "misaligned scout" in checks(replace(inputs, scout=moved(inputs.scout, (0.0, 0.0, 45.0))))


def test_errors_come_first(inputs):
    far = replace(inputs, scout=moved(inputs.scout, (0.0, 0.0, 160.0)), liver_density_g_per_cm3=1.3)
    severities = [f.severity for f in check_case(far)]
    assert severities[0] is Severity.ERROR
    assert severities == sorted(severities, key=[Severity.ERROR, Severity.WARNING, Severity.NOTICE].index)


def test_a_density_that_the_ct_does_not_show_is_told(inputs):
    assert checks(replace(inputs, liver_density_g_per_cm3=1.3)) == {"density"}


def test_findings_travel_with_the_case_as_notices(inputs):
    wrong = replace(inputs, liver_density_g_per_cm3=1.3)
    with quiet():
        case = with_findings(prepare(wrong), check_case(wrong))
    assert [n.name for n in case.notices].count("Density") == 1


def test_a_ct_that_shows_no_body_is_no_reason_to_fail(inputs):
    grid = Grid((3, 20, 20), (5.0, 5.0, 5.0), inputs.ct.grid.origin_mm)
    small = Volume(np.full(grid.shape, 40, np.int16), grid, inputs.ct.unit)
    assert "field of view" in checks(replace(inputs, ct=small))


@pytest.mark.real_data
@pytest.mark.skipif(not SHARED.is_dir(), reason="the reference data are not there")
def test_the_real_work_up_is_consistent():
    from support import REPOSITORY

    with quiet():
        case = read_case(REPOSITORY / "Testing" / "cases" / "maa_spect_patient.toml")
    assert not checks(case)
