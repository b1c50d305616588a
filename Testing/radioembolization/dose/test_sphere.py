"""Self dose of spheres against an independent table, its limits, and what is refused."""

import math

import pytest

from radioembolization.dose.sphere import sphere_absorbed_share, sphere_dose_gy
from radioembolization.errors import InputError
from radioembolization.physics import LU177, Y90, Convention
from support import SHARED

TABLE = SHARED / "physics-data" / "sphere_S_Lu-177.csv"
MEV = LU177.energy_mev(Convention.ICRP107)


@pytest.mark.real_data
@pytest.mark.skipif(not TABLE.is_file(), reason="the sphere table is not beside the repository")
def test_lutetium_spheres_agree_with_the_table():
    rows = [line.split(",") for line in TABLE.read_text().splitlines() if line.startswith("soft")]
    assert len(rows) == 15
    for _, radius_mm, mass_g, s_gy_per_bq_s in rows:
        # 1 Bq s is one decay; three digits of the table and another code: 0.7 %.
        mine = sphere_dose_gy(LU177, 1.0 / 3600e9, float(mass_g) / 1000.0, MEV, 1.03)
        assert mine == pytest.approx(float(s_gy_per_bq_s), rel=0.007), radius_mm


def test_shares_grow_from_nothing_to_nearly_all():
    shares = [sphere_absorbed_share(LU177, kg) for kg in (1e-9, 1e-6, 1e-3, 0.1, 1.0, 100.0)]
    assert shares == sorted(shares)
    # 1 ug: radius 0.06 mm, far below the range of the electrons; 100 kg: most photons are held too.
    assert shares[0] < 0.2
    assert shares[-1] > 0.9
    # From a gram on nearly all electrons (80.8 % of the energy) stay, of the photons only some.
    assert 0.78 < shares[2] < 0.83


def test_large_spheres_of_pure_electrons_approach_energy_over_mass():
    # 90Y: 0.9331 MeV electrons; 10 kg lose less than 2 % (bremsstrahlung and the edge).
    dose = sphere_dose_gy(Y90, Y90.half_life_h / math.log(2.0), 10.0, Y90.energy_mev(Convention.ICRP107))
    assert 0.98 * 4.977 < dose < 4.978


def test_density_does_not_matter_at_equal_mass_depth():
    # The share depends on radius x density, and so on mass x density^2.
    assert sphere_absorbed_share(LU177, 0.004, 1.0) == pytest.approx(
        sphere_absorbed_share(LU177, 0.001, 2.0), rel=1e-12
    )


@pytest.mark.parametrize("mass_kg", [0.0, -1.0, math.nan])
def test_a_mass_must_be_positive(mass_kg):
    with pytest.raises(InputError, match="Mass"):
        sphere_dose_gy(LU177, 1.0, mass_kg, MEV)
