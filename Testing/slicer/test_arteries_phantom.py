"""The arteries of the synthetic patient, drawn as a segment: extracted in the panel, sites offered, and planned."""

from __future__ import annotations

import numpy as np
import pytest
import slicer_headless
from artery_scene import vessel_segment
from hands import pick, texts_of

from radioembolization.images import resample_mask
from radioembolization.phantom import synthetic_patient
from radioembolization.phantom.case import case_of

slicer_headless.require_slicer()

pytestmark = [pytest.mark.slicer, pytest.mark.gui, pytest.mark.process, pytest.mark.exhaustive, pytest.mark.slow]

#: Ends of the arteries are thinner than these voxels show.
_THINNEST_MM, _VOXEL_MM = 1.6, 1.0
#: Slack of a tip: an end is rounded by its radius, and thinning may take two voxels more.
_TIP_MM = _THINNEST_MM + 2.0 * np.sqrt(3.0) * _VOXEL_MM


@pytest.fixture(scope="module")
def patient():
    return synthetic_patient(spacing_mm=4.0)


@pytest.fixture
def extracted(panel, scene, patient):
    """The patient with no sites, and the tree of the drawn arteries."""
    from RadioembolizationPlannerLib.points import add_point, new_points
    from RadioembolizationPlannerLib.publish import publish_case
    from RadioembolizationPlannerLib.synthetic import take_case

    inputs = case_of(patient)
    take_case(panel.session, inputs, publish_case(scene, inputs))
    panel.session.change(sites=(), site_points=None, arteries=None, lung_shunt=0.04)
    lines = [(artery.points_lps_mm, np.maximum(artery.radius_mm, _THINNEST_MM)) for artery in patient.arteries]
    node, segment_id = vessel_segment(scene, lines, voxel_mm=_VOXEL_MM)
    root = new_points(scene, "root")
    add_point(root, patient.arteries[0].points_lps_mm[0], "blood comes in")
    panel.idle()
    ui = panel.ui("Arteries")
    ui.arteriesButton.collapsed = False
    ui.rootSelector.setCurrentNode(root)
    pick(ui.arteriesSourceBox, f"segment|{node.GetID()}|{segment_id}")
    panel.click("Arteries", "extractButton")
    panel.idle()
    assert not panel.session.status.failed, panel.session.status.text
    return panel


def test_the_arteries_of_the_synthetic_patient_give_a_plan(extracted, patient):
    from RadioembolizationPlannerLib.arteries import tree_of

    panel = extracted
    tree = tree_of(panel.parameters.arteries)
    assert (
        not tree.synthetic and np.linalg.norm(tree.root.points_lps_mm[0] - patient.arteries[0].points_lps_mm[0]) < 5.0
    )
    tips = np.array([tree.artery(tree.stretches[i].artery).tip_lps_mm for i in tree.terminal_stretches])
    parents = {artery.parent for artery in patient.arteries}
    ends = [artery for artery in patient.arteries if artery.name not in parents]
    away = {artery.name: np.linalg.norm(tips - artery.tip_lps_mm, axis=1).min() for artery in ends}
    assert len(tips) == len(ends) and max(away.values()) < _TIP_MM, away
    panel.ui("ArterySites").arterySitesButton.collapsed = False
    panel.click("ArterySites", "offerSitesButton")
    panel.idle()
    rows = texts_of(panel.ui("ArterySites").coverageTable)
    assert len(rows) == 14 and "together reach every tumor" in panel.ui("ArterySites").arterySitesLabel.text
    assert "gallbladder" in panel.ui("ArterySites").organsLabel.text
    assert _agreement(panel, patient, "right hepatic") > 0.93  # 0.96 found
    assert (
        _agreement(panel, patient, "left hepatic") > 0.8
    )  # 0.85: given volumes follow segments, not the nearest branch
    plan = panel.optimize(600.0)
    assert panel.session.status.text.startswith("Injected: ") and plan is not None


def _agreement(panel, patient, name):
    """Dice of the territory of an artery with that of the site of the tree that fits it best."""
    grid = patient.ct.grid
    true = patient.territories[name]
    masks = [resample_mask(s.perfused.mask, s.perfused.grid, grid) for s in panel.session.inputs().sites]
    return max(2.0 * np.count_nonzero(true & mask) / (true.sum() + mask.sum()) for mask in masks)
