"""Every row of the table of validation targets is met by the product code, or said to be out of reach."""

import csv
import sys

import pytest

from support import REPOSITORY, SHARED

sys.path.append(str(REPOSITORY / "Testing" / "validation"))
import spheres
import targets

from radioembolization.physics import HO166, LU177, WATER, Y90

TABLE = SHARED / "physics-data" / targets.TABLE
pytestmark = pytest.mark.skipif(not TABLE.is_file(), reason="reference data ../shared/physics-data are not present")


def _rows():
    if not TABLE.is_file():
        return []
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines))


ROWS = _rows()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_the_target_is_met(row):
    # A row that nothing computes raises; only the rows below are excused.
    if row["id"] in targets.NOT_COMPUTED:
        pytest.skip(targets.NOT_COMPUTED[row["id"]])
    result = targets.result(row)
    assert len(result.found) == len(result.expected)
    assert result.met, result


def test_only_rows_about_patients_are_excused():
    assert len(ROWS) >= 48
    assert set(targets.NOT_COMPUTED) <= {row["id"] for row in ROWS}
    assert not [name for name in targets.NOT_COMPUTED if name[0] in "CEVSDHP"]


def test_a_row_without_a_check_fails():
    new = {"id": "V99", "quantity": "60Co VSV of a new kind", "value": "1", "unit": "-", "rel_tol": "0.01"}
    with pytest.raises(LookupError, match="V99"):
        targets.result(new)


@pytest.mark.parametrize(("name", "factor"), [("V02", 1.04), ("V57", 0.96), ("S03", 1.03), ("H0", 1.03), ("E05", 1.01)])
def test_a_wrong_target_is_not_met(name, factor):
    # The tolerances still tell: 1 to 1.5 % and half a digit, 1e-6 for E05.
    (row,) = [row for row in ROWS if row["id"] == name]
    value = " / ".join(f"{float(part) * factor:.6g}" for part in row["value"].split("/"))
    assert not targets.result({**row, "value": value}).met


@pytest.mark.parametrize(
    ("printed", "half"), [("50", 0.5), ("14.90", 0.005), ("3.3292e11", 5e6), ("1.93e-10", 5e-13), ("0.500", 5e-4)]
)
def test_half_of_the_last_printed_digit(printed, half):
    assert targets._half_digit(printed) == pytest.approx(half)


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("nuclide", "tolerance"),
    [
        (Y90, 0.003),
        pytest.param(HO166, 0.003, marks=pytest.mark.exhaustive),
        pytest.param(LU177, 0.006, marks=pytest.mark.exhaustive),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_convolved_spheres_approach_the_closed_form(nuclide, tolerance):
    # 10 g of water, R = 13.4 mm, from R/5, R/10 and R/20.  The order of the error changes where voxels are as
    # large as the range of the electrons (177Lu: 0.7 mm at R/20), so extrapolation leaves some of it.
    sphere = spheres.Sphere(nuclide, WATER, 1.0, 13.365, 10.0, 0.0)
    found = [sphere.in_voxels(voxels) / sphere.exact() - 1.0 for voxels in (5.0, 10.0, 20.0)]
    assert found[0] < found[1] < found[2] < 0.0
    assert spheres.extrapolate(*found) == pytest.approx(0.0, abs=tolerance)


def test_convolved_half_space_is_the_closed_form():
    # Single precision and the quadrature of the kernel; near the edge 1 % of dose is 0.1 mm.
    depth, dose = spheres.plane_in_voxels()
    assert dose == pytest.approx(spheres.plane_in_slices(depth), abs=1e-3)
