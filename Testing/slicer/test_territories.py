"""The territories of the injected sites are segments that may overlap."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import slicer_headless

from radioembolization.treatment import plan_treatment, prepare
from small_case import small_inputs

slicer_headless.require_slicer()

from RadioembolizationPlannerLib.segments import mask_from_segment  # noqa: E402
from RadioembolizationPlannerLib.territories import publish_territories  # noqa: E402

pytestmark = pytest.mark.slicer


@pytest.fixture(scope="module")
def planned():
    """The small case, planned by the core alone."""
    return plan_treatment(prepare(small_inputs()))


def test_every_injected_site_is_a_segment_with_the_voxels_of_its_territory(scene, planned):
    node = publish_territories(scene, planned)
    segmentation = node.GetSegmentation()
    ids = [segmentation.GetNthSegmentID(n) for n in range(segmentation.GetNumberOfSegments())]
    used = [site.name for site in planned.plan.used_sites]
    assert [segmentation.GetSegment(i).GetName() for i in ids] == used and 0 < len(used) < len(planned.case.sites)
    perfused = {site.name: site.perfused for site in planned.case.sites}
    for segment_id, name in zip(ids, used, strict=True):
        found = mask_from_segment(node, segment_id)
        assert found.grid == planned.case.structures.grid
        assert np.array_equal(found.mask, perfused[name])


def test_overlapping_territories_keep_all_their_voxels(scene, planned):
    """With all three sites injected, the territory of one covers those of the others."""
    everywhere = tuple(replace(site, activity_gbq=0.5) for site in planned.plan.sites)
    node = publish_territories(scene, replace(planned, plan=replace(planned.plan, sites=everywhere)))
    ids = [node.GetSegmentation().GetNthSegmentID(n) for n in range(3)]
    for segment_id, site in zip(ids, planned.case.sites, strict=True):
        assert np.array_equal(mask_from_segment(node, segment_id).mask, site.perfused)
    proper, left, _ = planned.case.sites
    assert (proper.perfused & left.perfused).any()


def test_territories_have_colors_of_their_own_and_let_the_image_through(scene, planned):
    node = publish_territories(scene, planned)
    segmentation = node.GetSegmentation()
    colors = {segmentation.GetNthSegment(n).GetColor() for n in range(segmentation.GetNumberOfSegments())}
    assert len(colors) == segmentation.GetNumberOfSegments()
    assert 0.0 < node.GetDisplayNode().GetOpacity2DFill() < 0.6
    assert 0.0 < node.GetDisplayNode().GetOpacity3D() < 0.6
