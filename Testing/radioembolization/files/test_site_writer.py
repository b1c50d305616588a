"""Cases whose sites come from arteries are written and read again exactly; what files cannot state is refused."""

from dataclasses import replace

import numpy as np
import pytest

from artery_case import ARTERIES, small_tree, write_artery_case
from radioembolization.errors import CaseFileError
from radioembolization.files import read_case, write_case
from radioembolization.images import Unit, Volume
from radioembolization.treatment import SourceMask, prepare
from small_case import GRID
from support import quiet


def test_sites_of_arteries_are_written_and_read_exactly(tmp_path):
    inputs = read_case(write_artery_case(tmp_path))
    own = Volume(np.ones(GRID.shape, np.float32), GRID, Unit.COUNTS)
    changed = replace(inputs.sites[1], scout=own, outflow={"gallbladder": 0.01}, extrahepatic_share=0.03)
    inputs = replace(inputs, sites=(inputs.sites[0], changed, *inputs.sites[2:]))
    again = read_case(write_case(inputs, tmp_path / "again"))
    assert again.arteries.names == small_tree().names and again.arteries.source == "by hand"
    for one, other in zip(again.sites, inputs.sites, strict=True):
        assert (one.name, one.upstream, dict(one.outflow)) == (other.name, other.upstream, dict(other.outflow))
        assert one.extrahepatic_share == other.extrahepatic_share and one.pattern == other.pattern
        np.testing.assert_array_equal(one.perfused.mask, other.perfused.mask)
        np.testing.assert_allclose(one.perfused.grid.origin_mm, other.perfused.grid.origin_mm, atol=1e-6)
        np.testing.assert_allclose(one.position_lps_mm, other.position_lps_mm, atol=5e-4)
        assert (one.scout is None) == (other.scout is None)
    with quiet():
        first, second = prepare(inputs).territories, prepare(again).territories
    assert abs(first.fractions - second.fractions).max() < 1e-9
    assert abs(first.outflow - second.outflow).max() < 1e-9


def test_territories_on_several_grids_go_to_several_files(tmp_path):
    inputs = read_case(write_artery_case(tmp_path))
    coarse = GRID.box((0, 0, 0), (30, 40, 44))
    moved = replace(inputs.sites[1], perfused=SourceMask(np.ones(coarse.shape, bool), coarse))
    drawn = replace(inputs.sites[2], perfused=SourceMask(inputs.structures[0].source.mask, GRID), upstream="")
    inputs = replace(inputs, sites=(inputs.sites[0], moved, drawn), arteries=None)
    again = read_case(write_case(inputs, tmp_path / "again"))
    names = {path.name for path in (tmp_path / "again").iterdir()}
    assert {"territories.seg.nrrd", "territories-2.seg.nrrd", "segmentation.seg.nrrd"} <= names
    assert [site.perfused.grid.shape for site in again.sites] == [site.perfused.grid.shape for site in inputs.sites]


def test_blood_flow_by_voxel_is_refused_before_anything_is_written(tmp_path):
    inputs = read_case(write_artery_case(tmp_path, ARTERIES + 'model = "flow"\n'))
    with pytest.raises(CaseFileError, match=r"'proper hepatic' has blood flow by voxel.*model = 'flow'"):
        write_case(inputs, tmp_path / "again")
    assert not (tmp_path / "again").exists()
