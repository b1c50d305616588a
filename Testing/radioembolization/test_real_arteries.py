"""Candidate sites of a real arterial anatomy from its case file; the data are not part of the repository."""

import json

import numpy as np
import pytest

from radioembolization.cli import main
from radioembolization.files import read_case, read_segmentation
from radioembolization.images import resample_mask
from radioembolization.treatment import prepare
from support import REPOSITORY, SHARED, quiet

CASE = REPOSITORY / "Testing" / "cases" / "hra_liver_male_arteries.toml"
HRA = SHARED / "data" / "hra_liver_male"
LEFT, RIGHT = ("left hepatic artery",), ("right hepatic artery",)

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not HRA.is_dir(), reason="the Visible Human liver is not beside the repository"),
]


@pytest.fixture(scope="module")
def case():
    with quiet():
        return prepare(read_case(CASE))


def reached(case, names):
    return np.any([site.perfused for site in case.sites if site.name in names], axis=0)


def segments(case, labels):
    parts = [read_segmentation(HRA / "labels.nii.gz").mask(label) for label in labels]
    together = np.any([part.mask for part in parts], axis=0)
    return resample_mask(together, parts[0].grid, case.structures.grid)


def dice(a, b):
    return 2.0 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


def test_sites_are_the_expected_anatomy(case):
    by_name = {site.name: site for site in case.sites}
    expected = {"proper", "left", "right", "middle", "anterior", "posterior"}
    assert {name.split(" ")[0] for name in by_name} == expected  # no celiac, common or cystic
    proper, right = by_name["proper hepatic artery"], by_name["right hepatic artery"]
    assert set(right.outflow) == {"gallbladder"} and proper.outflow["gallbladder"] < right.outflow["gallbladder"]
    assert by_name["left hepatic artery"].upstream == "proper hepatic artery"
    np.testing.assert_array_equal(proper.perfused, case.structures.liver.mask)


def test_left_and_right_agree_with_the_segments(case):
    # Segment 1 is left out: it has arteries from both sides, which the atlas does not draw.
    without_1 = ~segments(case, [1])
    left, right = (reached(case, names) & without_1 for names in (LEFT, RIGHT))
    found = dice(left, segments(case, [2, 3, 4])), dice(right, segments(case, [5, 6, 7, 8]))
    print(f"Dice, left against segments 2 to 4: {found[0]:.3f}; right against 5 to 8: {found[1]:.3f}")
    assert found[0] >= 0.84 and found[1] >= 0.94


@pytest.mark.slow
def test_the_plan_over_these_sites_runs_end_to_end(tmp_path, capsys):
    assert main(["plan", str(CASE), "--out", str(tmp_path / "plan"), "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["case"]["synthetic"] and plan["arteries"]["count"] == 10 and not plan["arteries"]["synthetic"]
    assert plan["status"] == "optimal" and all(limit["met"] for limit in plan["limits"])
    used = [site for site in plan["sites"] if site["activity_gbq"] > 0]
    assert 1 <= len(used) <= 4 and len(plan["sites"]) == 8
    assert {"left", "right"} <= {name for site in used for name in site["name"].split(" ")}
    assert all(abs(t["share"]) < 0.01 for t in plan["unreached_tumours"])
    page = (tmp_path / "plan" / "report.html").read_text(encoding="utf-8")
    assert 'id="territories"' in page and "centrelines.json" in page
