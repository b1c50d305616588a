"""Local deposition: every voxel keeps what it emits."""

import numpy as np

from radioembolization.dose.local_deposition import deposit_locally


def test_each_voxel_absorbs_its_own_energy():
    activity = np.random.default_rng(3).random((4, 5, 6))
    np.testing.assert_allclose(deposit_locally(activity), activity, rtol=1e-7)
