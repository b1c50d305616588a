"""The arteries in the panel: extracted, offered, dragged; what the sites reach is in the table and the views."""

from __future__ import annotations

import re

import numpy as np
import pytest
import slicer_headless
from artery_scene import centerline_model, curve, drag, point_number, tree_lines, vessel_segment
from hands import pick, row_of, texts_of, type_into

from artery_case import small_tree

slicer_headless.require_slicer()
import slicer  # noqa: E402

pytestmark = [pytest.mark.slicer, pytest.mark.gui]

_TREE, _SITES = "Arteries", "ArterySites"


@pytest.fixture
def tree(small, scene):
    """The small case without sites but with the tree as curves, which are joined."""
    small.session.change(sites=(), site_points=None, lung_shunt=0.05, spacing_mm=6.0)
    for artery in small_tree().arteries:
        curve(scene, artery.name, artery.points_lps_mm, artery.radius_mm)
    small.ui(_TREE).arteriesButton.collapsed = False
    small.ui(_SITES).arterySitesButton.collapsed = False
    pick(small.ui(_TREE).arteriesSourceBox, "curves")
    small.click(_TREE, "extractButton")
    small.idle()
    return small


@pytest.fixture
def offered(tree):
    """The same with the sites that the tree offers."""
    tree.click(_SITES, "offerSitesButton")
    tree.idle()
    return tree


def _names(panel):
    return [row[0] for row in texts_of(panel.ui(_SITES).coverageTable)]


def _settle(panel):
    """Let the points be followed, and what they start be done."""
    section = panel.sections["ArterySitesSection"]
    panel.spin(0.02)
    panel.until(lambda: not section._later.active, 10.0)
    panel.idle()


def _volume_ml(panel, name):
    from RadioembolizationPlannerLib.segments import mask_from_segment

    source = mask_from_segment(panel.parameters.territories, panel.parameters.site(name).segment_id)
    return np.count_nonzero(source.mask) * source.grid.voxel_ml


def test_arteries_from_what_the_scene_holds(small, scene):
    ui = small.ui(_TREE)
    assert not ui.extractButton.enabled and "Choose where" in ui.extractButton.toolTip
    assert not small.ui(_SITES).offerSitesButton.enabled and small.ui(_TREE).arteriesLabel.text == ""
    node, segment_id = vessel_segment(scene, tree_lines())
    model = centerline_model(scene, tree_lines())
    root = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "root")
    root.AddControlPoint((-20.0, 0.0, -60.0))
    small.spin()
    ui.arteriesButton.collapsed = False
    ui.rootSelector.setCurrentNode(root)
    counts = {}
    for value in (f"segment|{node.GetID()}|{segment_id}", f"model|{model.GetID()}"):
        pick(ui.arteriesSourceBox, value)
        assert ui.gapBox.visible and not ui.growthSeedBox.visible and ui.arteryRadiusBox.visible == ("model" in value)
        small.click(_TREE, "extractButton")
        small.idle()
        counts[value[:5]] = int(ui.arteriesLabel.text.split()[0])
        assert small.parameters.arteries is not None and not small.session.status.failed
    assert counts == {"segme": counts["segme"], "model": 7} and counts["segme"] >= 7
    trees = [n for n in slicer.util.getNodesByClass("vtkMRMLTextNode") if "arteries" in n.GetName()]
    assert (
        len(trees) == 1 and len(slicer.util.getNodesByClass("vtkMRMLModelNode")) == 2
    )  # of the tree, of the centerlines
    _a_tree_of_the_scene(small, scene)
    segmentation = node.GetSegmentation()
    segmentation.AddEmptySegment("nothing", "nothing")
    ui.arteriesButton.collapsed = True
    ui.arteriesButton.collapsed = False
    pick(ui.arteriesSourceBox, f"segment|{node.GetID()}|nothing")
    small.click(_TREE, "extractButton")
    assert ui.arteriesLabel.text.startswith("Failed: Segment 'nothing' of 'CBCT' is empty")


def _a_tree_of_the_scene(panel, scene):
    """A tree that came with something else takes the place of that of the case."""
    from RadioembolizationPlannerLib.arteries import publish_tree

    before, brought = panel.parameters.arteries.GetID(), publish_tree(scene, small_tree(), (), "brought")
    panel.ui(_TREE).arteriesButton.collapsed = True
    panel.ui(_TREE).arteriesButton.collapsed = False
    pick(panel.ui(_TREE).arteriesSourceBox, f"tree|{brought.GetID()}")
    panel.click(_TREE, "extractButton")
    panel.idle()
    assert panel.parameters.arteries is brought and scene.GetNodeByID(before) is None
    assert "by hand" in panel.ui(_TREE).arteriesLabel.text


def test_the_tree_offers_sites_and_tells_what_they_reach(offered):
    """On the left lie B, 12^3 of 14^3 + 12^3 + 9^3 or 33 % of the tumors, and a part of C."""
    ui, sites = offered.ui(_SITES), offered.ui("Sites")
    assert "7 arteries" in offered.ui(_TREE).arteriesLabel.text
    assert ui.organsLabel.text == "Arteries of other organs: cystic → gallbladder."
    rows = {row[0]: row[1:] for row in texts_of(ui.coverageTable)}
    assert rows["proper hepatic"][0] == "100" and rows["proper hepatic"][2].startswith("gallbladder 2.3 %")
    left, right = (float(rows[name][0]) for name in ("left hepatic", "right hepatic"))
    assert left + right == pytest.approx(100.0, abs=0.1) and 33.0 < left < 42.0
    assert [row[0] for row in texts_of(sites.sitesTable)] == list(rows)
    assert sites.sitesTable.cellWidget(0, 1).currentText == "by the arteries"
    assert "together reach every tumor" in ui.arterySitesLabel.text
    ends = offered.parameters.territories.GetDisplayNode()
    shown = {s.name: ends.GetSegmentVisibility(s.segment_id) for s in offered.parameters.sites}
    assert [name for name, on in shown.items() if on] == ["left hepatic", "right anterior", "right posterior"]
    ui.coverageTable.setCurrentCell(list(rows).index("right hepatic"), 0)
    shown = {s.name: ends.GetSegmentVisibility(s.segment_id) for s in offered.parameters.sites}
    assert [name for name, on in shown.items() if on] == ["right hepatic"]
    assert offered.session.problem == ""
    _drag_and_look(offered)


def _drag_and_look(offered):
    """A dragged point snaps to the tree, and its territory follows."""
    points = offered.parameters.artery_points
    anterior = _volume_ml(offered, "right anterior")
    points.RemoveNthControlPoint(point_number(points, "right anterior"))
    _settle(offered)
    assert "right anterior" not in _names(offered) and offered.parameters.site("right anterior") is None
    drag(points, point_number(points, "right posterior"), (-34.0, -12.0, 4.0))  # beside the right anterior
    _settle(offered)
    x, y, z = points.GetNthControlPointPosition(point_number(points, "right posterior"))
    artery = small_tree().artery("right anterior")
    start, end = artery.points_lps_mm[[0, -1]]
    along = (end - start) / np.linalg.norm(end - start)
    off = np.array([-x, -y, z]) - start
    assert np.linalg.norm(off - (off @ along) * along) < 1e-6
    assert _volume_ml(offered, "right posterior") == pytest.approx(anterior)
    number = point_number(points, "right posterior")
    before = points.GetNthControlPointPosition(number)
    drag(points, number, (200.0, 0.0, 0.0))
    _settle(offered)
    label = offered.ui(_SITES).arterySitesLabel
    assert "lies off the tree" in label.text and points.GetNthControlPointPosition(number) == pytest.approx(before)
    assert offered.session.problem == ""
    points.AddControlPoint((40.0, -20.0, -4.0), "mine")  # LPS (-40, 20, -4), at the right posterior
    _settle(offered)
    assert "mine" in _names(offered) and offered.session.inputs().sites[-1].name == "mine"


def test_what_no_site_reaches_is_told(offered):
    """Without the sites on the right, A (11.5 mL) is reached by none, and of C what lies on the left is."""
    table, points = offered.ui("Sites").sitesTable, offered.parameters.artery_points
    table.setCurrentCell(row_of(table, "right hepatic"), 0)
    offered.click("Sites", "removeSiteButton")  # and its point with it
    for name in ("proper hepatic", "right hepatic beyond cystic", "right anterior", "right posterior"):
        points.RemoveNthControlPoint(point_number(points, name))
    _settle(offered)
    assert _names(offered) == ["left hepatic"] and points.GetNumberOfControlPoints() == 1
    told = re.match(
        r"WARNING: unperfused tumor, reached by none of these sites: A ([\d.]+) mL \(100 %\); C ([\d.]+) mL",
        offered.ui(_SITES).arterySitesLabel.text,
    )
    assert float(told[1]) == pytest.approx(4.0 / 3.0 * np.pi * 1.4**3, rel=0.05) and 1.5 < float(told[2]) < 3.0
    type_into(table, 0, 0, "whole left")
    _settle(offered)
    assert points.GetNthControlPointLabel(0) == "whole left" and offered.session.problem == ""
    points.RemoveAllControlPoints()
    _settle(offered)
    assert offered.parameters.sites == () and "No point is left" in offered.ui(_SITES).arterySitesLabel.text


def test_choices_make_the_sites_out_of_date_until_they_are_updated(offered):
    ui = offered.ui(_SITES)
    pick(ui.arteryBox, "right anterior")
    assert ui.fedOrganBox.currentData == "*"
    pick(ui.fedOrganBox, "stomach")
    offered.idle()
    assert "Out of date: setting of the arteries has changed. Press Update." in ui.arterySitesLabel.text
    assert "setting of the arteries" in offered.session.problem
    assert "right anterior → stomach (chosen)" in ui.organsLabel.text
    offered.click(_SITES, "offerSitesButton")
    offered.idle()
    assert "right anterior" not in _names(offered) and offered.session.problem == ""
    assert any("stomach" in row[3] for row in texts_of(ui.coverageTable))
    ui.smallestRadiusBox.value = 1.6
    pick(ui.arteryModelBox, "flow")
    offered.click(_SITES, "offerSitesButton")
    offered.idle()
    assert _names(offered) == ["proper hepatic", "right hepatic", "right hepatic beyond cystic"]
    assert all(site.supply is not None for site in offered.session.inputs().sites)
    offered.session.change(sites=())
    pick(ui.fedOrganBox, "*")
    assert offered.parameters.artery_options.organs == {}
    offered.session.scene.Clear(False)
    offered.spin(0.05)
    assert not ui.offerSitesButton.enabled and not ui.coverageTable.visible and ui.arteryBox.count == 0


@pytest.mark.process
def test_growing_can_be_cancelled(small):
    small.ui(_TREE).arteriesButton.collapsed = False
    pick(small.ui(_TREE).arteriesSourceBox, "grow")
    small.click(_TREE, "extractButton")
    assert small.session.runner.is_running and not small.ui(_TREE).extractButton.enabled
    small.click(_TREE, "cancelArteriesButton")
    small.until(lambda: not small.session.runner.is_running)
    assert small.ui(_TREE).arteriesLabel.text == "Cancelled. Nothing was changed."
    assert small.parameters.arteries is None
