"""Two real anatomies planned from their case files; the data are not part of the repository."""

import json

import numpy as np
import pytest

from radioembolization.cli import main
from radioembolization.files import read_case, read_segmentation
from radioembolization.treatment import plan_treatment, prepare
from support import REPOSITORY, SHARED

CASES = REPOSITORY / "Testing" / "cases"
MAA = SHARED / "data" / "maa_spect_patient"
HRA = SHARED / "data" / "hra_liver_male"

pytestmark = pytest.mark.real_data
needs_maa = pytest.mark.skipif(not MAA.is_dir(), reason="the MAA SPECT patient is not beside the repository")
needs_hra = pytest.mark.skipif(not HRA.is_dir(), reason="the Visible Human liver is not beside the repository")


@pytest.fixture(scope="module")
def maa():
    return plan_treatment(prepare(read_case(CASES / "maa_spect_patient.toml")))


@needs_maa
def test_normal_liver_agrees_with_the_files_own_segment(maa):
    own = read_segmentation(MAA / "patient_2_Segmentation.seg.nrrd").mask("whole liver normal")
    own_ml = np.count_nonzero(own.mask) * own.grid.voxel_ml
    assert own_ml == pytest.approx(1443, abs=0.5)
    assert maa.case.structures.volume_ml(maa.case.structures.normal_liver) == pytest.approx(own_ml, rel=0.005)


@needs_maa
def test_share_of_counts_in_the_liver(maa):
    # 60 % as given for this patient; the rest is body background and lungs.
    assert maa.case.scout_share_in_liver == pytest.approx(0.60, abs=0.01)


@needs_maa
def test_plan_is_no_worse_than_the_best_single_site(maa):
    rows, goal = maa.dose_per_gbq, maa.case.inputs.prescription.goal
    singles = []
    for site in range(len(rows.site_names)):
        unit = np.eye(len(rows.site_names))[site]
        limits = maa.case.inputs.prescription.limits
        scales = [limit.quantity.largest_scale(rows, unit, limit.bound) for limit in limits]
        singles.append(goal.value(rows, unit * min(scales)))
    assert maa.plan.goal.value >= max(singles) * (1 - 1e-6)
    assert all(limit.met for limit in maa.plan.limits)


@needs_maa
def test_flipped_scout_is_where_the_tumours_are(maa):
    # A scout read with a wrong z direction would not show uptake in the tumours.
    assert all(ratio > 3 for ratio in maa.case.tumour_to_normal.values())


@needs_maa
def test_assumed_lung_mass_is_flagged(maa):
    assert "AssumedLungMass" in {notice.name for notice in maa.notices}
    assert maa.dose_per_gbq.lung_mass_kg == 1.0


@needs_hra
@pytest.mark.exhaustive
def test_visible_human_with_synthetic_lesions(tmp_path, capsys):
    assert main(["plan", str(CASES / "hra_liver_male.toml"), "--out", str(tmp_path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    liver = next(s for s in document["structures"] if s["name"] == "whole liver")
    assert liver["volume_ml"] == pytest.approx(167 + 107 + 99 + 271 + 418 + 264 + 293 + 193, rel=0.005)
    tumours = [s["name"] for s in document["structures"] if s["role"] == "tumour"]
    assert tumours == [f"synthetic lesion {number}" for number in range(1, 6)]
    assert document["case"]["synthetic"] is True
    assert sum(site["activity_gbq"] > 0 for site in document["sites"]) <= 4
    assert all(limit["met"] for limit in document["limits"])
    best = max(baseline["goal_value"] for baseline in document["baselines"])
    assert document["goal"]["value"] > 1.05 * best  # measured 1.17; the lesions lie in five segments
    assert "synthetic" in (tmp_path / "report.html").read_text(encoding="utf-8").lower()
