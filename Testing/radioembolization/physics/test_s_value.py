"""Voxel S values against published ones, direct Monte Carlo and the energy per decay."""

import numpy as np
import pytest

from radioembolization.errors import InputError
from radioembolization.physics import HO166, LU177, NUCLIDES, SOFT_TISSUE, Y90, Convention, voxel_s_values
from support import MEV_TO_J


def at(values, i=0, j=0, k=0):
    """Return S at an offset along (x, y, z)."""
    z, y, x = values.kernel.half_width
    return values.s_mgy_per_mbq_s[z + k, y + j, x + i]


def test_the_thin_axis_is_z_where_it_is_given_first():
    # PENELOPE Monte Carlo, 4 x 4 x 3 mm (x, y, z), 1.04 g/cm3: the neighbour at 3 mm gets more.
    values = voxel_s_values(Y90, (3.0, 4.0, 4.0), 1.04)
    assert at(values, k=1) == pytest.approx(0.2071, rel=0.015)
    assert at(values, i=1) == pytest.approx(0.1469, rel=0.015)
    assert at(values, j=1) == pytest.approx(0.1469, rel=0.015)


@pytest.mark.parametrize(
    ("nuclide", "side_mm", "expected", "tolerance"),
    [
        (Y90, 3.0, 1.61, 0.03),  # MIRD Pamphlet 17, EGS4
        (Y90, 3.0, 1.59, 0.015),  # Lanconelli 2012, three digits
        (Y90, 2.21, 3.0, 0.015),  # Lanconelli 2012
        (LU177, 4.8, 0.1916, 0.015),  # own PENELOPE Monte Carlo in soft tissue
    ],
)
def test_the_source_voxel_agrees_with_published_values(nuclide, side_mm, expected, tolerance):
    values = voxel_s_values(nuclide, (side_mm,) * 3, 1.04)
    assert values.self_mgy_per_mbq_s == pytest.approx(expected, rel=tolerance)
    assert values.self_mgy_per_mbq_s == at(values)


def _nuclides_and_conventions():
    """Those of three nuclides; the rest where it is asked for."""
    for nuclide in NUCLIDES.values():
        marks = (pytest.mark.exhaustive,) if nuclide not in (Y90, HO166, LU177) else ()
        for convention in nuclide.emitted_j_per_gbq:
            yield pytest.param(nuclide.name, convention, marks=marks, id=f"{nuclide.name}-{convention}")


@pytest.mark.parametrize(("name", "convention"), list(_nuclides_and_conventions()))
def test_the_sum_times_mass_is_the_energy_per_decay(name, convention):
    nuclide = NUCLIDES[name]
    values = voxel_s_values(nuclide, (3.0, 4.0, 5.0), 1.04, convention=convention)
    kg = 3.0 * 4.0 * 5.0 * 1.04e-6
    mev = values.s_mgy_per_mbq_s.sum() * 1e-9 * kg / MEV_TO_J
    # Written out: k [J/GBq] over the decays of 1 GBq.
    decays = 1e9 * nuclide.half_life_h * 3600.0 / np.log(2.0)
    expected = nuclide.energy_j_per_gbq(convention) / decays / MEV_TO_J
    assert mev == pytest.approx(expected * (1.0 - values.kernel.share_beyond), rel=1e-9)
    assert values.energy_mev_per_decay == pytest.approx(expected, rel=1e-12)
    assert values.share_inside + values.kernel.share_beyond == pytest.approx(1.0, abs=1e-12)
    assert values.voxel_kg == pytest.approx(kg, rel=1e-12)


def test_a_beta_emitter_is_complete_to_half_a_per_cent():
    # 90Y within 14 mm: 99.6 % of 0.9331 MeV.
    values = voxel_s_values(Y90, (3.0,) * 3, 1.04)
    assert values.s_mgy_per_mbq_s.sum() * 1e-9 * values.voxel_kg / MEV_TO_J == pytest.approx(0.9331, rel=0.005)


def test_conventions_differ_by_their_constants_only():
    clinical = voxel_s_values(HO166, (4.0,) * 3, 1.06, convention=Convention.CLINICAL)
    icrp = voxel_s_values(HO166, (4.0,) * 3, 1.06)
    ratio = clinical.s_mgy_per_mbq_s / icrp.s_mgy_per_mbq_s
    np.testing.assert_allclose(ratio, 15.87 / 16.200, rtol=1e-9)


def test_radius_is_that_of_the_largest_sphere_of_whole_voxels():
    # 14 mm: 4 voxels of 4 mm (16 mm and half a voxel more), 5 of 3 mm.
    values = voxel_s_values(Y90, (3.0, 4.0, 4.0), 1.04)
    assert values.kernel.half_width == (5, 4, 4)
    assert values.radius_mm == pytest.approx(16.5)
    assert voxel_s_values(Y90, (3.0, 4.0, 4.0), 1.04, radius_mm=9.0).kernel.half_width == (3, 3, 3)


def test_tissue_shifts_energy_as_its_depth_factor_says():
    water = voxel_s_values(Y90, (3.0,) * 3, 1.04)
    soft = voxel_s_values(Y90, (3.0,) * 3, 1.04, tissue=SOFT_TISSUE)
    scaled = voxel_s_values(Y90, (3.0,) * 3, 1.04 * 0.994)  # same depth in water, mass 0.6 % less
    assert soft.self_mgy_per_mbq_s == pytest.approx(0.994 * scaled.self_mgy_per_mbq_s, rel=1e-9)
    assert soft.self_mgy_per_mbq_s < water.self_mgy_per_mbq_s


def test_the_values_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        voxel_s_values(Y90, (3.0,) * 3, 1.04).s_mgy_per_mbq_s[0, 0, 0] = 1.0


@pytest.mark.parametrize(
    ("nuclide", "spacing", "density", "more", "message"),
    [
        (LU177, (4.0,) * 3, 1.04, {"convention": Convention.CLINICAL}, r"Lu-177 .*'clinical'.*icrp107"),
        (LU177, (1.0,) * 3, 1.04, {"radius_mm": 200.0}, r"would have 6\.4e\+07 voxels.*smaller radius"),
        (Y90, (4.0,) * 3, 0.001, {}, "too small"),
        (Y90, (4.0,) * 3, 1.04, {"radius_mm": 0.0}, "radius 0 mm"),
        (Y90, (4.0,) * 3, 1.04, {"radius_mm": -3.0}, "radius -3 mm"),
        (Y90, (4.0,) * 3, 1.04, {"radius_mm": np.nan}, "radius nan mm"),
        (Y90, (4.0,) * 3, 5.0, {}, "Density 5"),
        (Y90, (4.0,) * 3, np.nan, {}, "Density nan"),
        (Y90, (4.0, 4.0, 0.0), 1.04, {}, "spacing"),
    ],
)
def test_what_cannot_be_is_refused(nuclide, spacing, density, more, message):
    with pytest.raises(InputError, match=message):
        voxel_s_values(nuclide, spacing, density, **more)
