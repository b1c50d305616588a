"""Left and right liver of the Visible Human Male from its own arteries."""

import pytest

from radioembolization.territories.branches.branch_territories import NearestBranch
from real_liver import FOLDER, left_and_right_dice, real_liver
from support import quiet


@pytest.mark.real_data
@pytest.mark.slow
@pytest.mark.skipif(not FOLDER.exists(), reason=f"needs {FOLDER.name}")
def test_left_and_right_agree_with_the_segments():
    patient, dice = real_liver(), {}
    for geodesic in (False, True):
        with quiet():
            found = NearestBranch(geodesic).territories(patient.tree, patient.liver, patient.grid, ("cystic artery",))
        dice[geodesic] = left, right = left_and_right_dice(found, patient)
        print(f"{'geodesic' if geodesic else 'Euclidean'}: left {left:.3f}, right {right:.3f}")
        assert left >= 0.84
        assert right >= 0.94
    assert dice[True] > dice[False]
