"""Energy left along a ray against the tables it comes from."""

import numpy as np
import pytest

from radioembolization.physics import LU177, NUCLIDES, Y90, PointKernel, ray_kernel


@pytest.mark.parametrize("nuclide", NUCLIDES.values(), ids=lambda n: n.name)
def test_all_energy_is_left_at_the_source_and_none_at_the_end(nuclide):
    kernel = ray_kernel(nuclide)
    assert kernel.weights.sum() == pytest.approx(1.0, abs=1e-9)
    assert kernel.left(np.array([0.0]))[0] == pytest.approx(1.0, abs=1e-9)
    assert np.abs(kernel.left(np.array([1.5, 2.0, 3.0]))).max() <= kernel.error
    assert 0.0 < kernel.share < 1.0


@pytest.mark.parametrize(("nuclide", "error"), [(Y90, 0.0015), (LU177, 0.006)], ids=["Y-90", "Lu-177"])
def test_energy_left_is_that_of_the_table(nuclide, error):
    # 90Y has no photons but bremsstrahlung, 177Lu keeps its electrons within 2 mm: what is absorbed within t,
    # less the little that the tail holds there, is 1 - left.
    kernel, point = ray_kernel(nuclide), PointKernel.water(nuclide)
    assert kernel.error <= error
    for depth in (0.05, 0.1, 0.2, 0.4, 0.8, 1.1):
        absorbed = kernel.share * (1.0 - kernel.left(np.array([depth]))[0])
        tail = 0.02 * point.fraction_within(1.2) if nuclide is LU177 else 0.0003
        assert absorbed == pytest.approx(point.fraction_within(depth), abs=error + tail)
