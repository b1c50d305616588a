"""Arterial trees in a scene: made of what it holds, kept exactly, and their sites as the core has them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import slicer_headless
import slicer_module_standins
from artery_scene import (
    SPACING_MM,
    artery_session,
    centerline_model,
    curve,
    done,
    drag,
    point_number,
    tree_lines,
    vessel_segment,
    with_sites,
)
from inline_runner import InlineRunner
from session_driver import computed, empty_session

from artery_case import small_tree
from radioembolization.errors import PlannerError, TerritoryError
from radioembolization.images import Grid
from radioembolization.territories.branches.branch_territories import FlowWeighted, NearestBranch
from radioembolization.treatment import SourceSupply
from radioembolization.treatment.arterial_sites import ArterialRequest, arterial_sites
from radioembolization.treatment.arterial_sites import with_sites as core_with_sites
from radioembolization.treatment.fingerprint import input_digests
from small_case import small_inputs
from vessel_masks import line

slicer_headless.require_slicer()
import slicer  # noqa: E402

pytestmark = pytest.mark.slicer

_ROOT = (20.0, 0.0, -60.0)


@pytest.fixture(autouse=True)
def _standins(scene):
    slicer_module_standins.install()


def _same(tree, other):
    assert tree.names == other.names and (tree.source, tree.synthetic) == (other.source, other.synthetic)
    for one, two in zip(tree.arteries, other.arteries, strict=True):
        assert one.parent == two.parent
        assert np.array_equal(one.points_lps_mm, two.points_lps_mm) and np.array_equal(one.radius_mm, two.radius_mm)


def test_a_tree_comes_back_exactly_and_its_tubes_are_as_wide(scene):
    from RadioembolizationPlannerLib.arteries import model_of, names_of, publish_tree, tree_of

    tree = small_tree()
    node = publish_tree(scene, tree, (), "arteries")
    _same(tree_of(node), tree)
    model, names = model_of(node), names_of(node)
    points = slicer.util.arrayFromModelPoints(model) * (-1, -1, 1)
    arteries = slicer.util.arrayFromModelPointData(model, "Artery")
    for number, artery in enumerate(tree.arteries):
        start, end = artery.points_lps_mm[[0, -1]]
        along = (end - start) / np.linalg.norm(end - start)
        off = points[arteries == number] - start
        away = np.linalg.norm(off - np.outer(off @ along, along), axis=1)
        assert away == pytest.approx(artery.radius_mm[0], abs=1e-3)  # points of models are single precision
    labels = [names.GetNthControlPointLabel(i) for i in range(names.GetNumberOfControlPoints())]
    assert labels == list(tree.names) and names.GetLocked()


def test_a_case_brings_its_tree_into_the_scene(scene, tmp_path):
    from RadioembolizationPlannerLib.arteries import model_of
    from RadioembolizationPlannerLib.publish import publish_case
    from RadioembolizationPlannerLib.scene import read_again
    from RadioembolizationPlannerLib.synthetic import take_case

    given = small_inputs(arteries=replace(small_tree(), synthetic=True))
    session = empty_session(scene)
    nodes = publish_case(scene, given)
    take_case(session, given, nodes)
    model = model_of(nodes.arteries)
    assert model.GetName() == f"{given.name}: arteries (synthetic)" and model.GetPolyData().GetNumberOfPoints() > 0
    assert input_digests(session.inputs()) == input_digests(read_again(given, nodes)) == input_digests(given)
    assert slicer.util.saveScene(str(tmp_path / "case.mrb"))
    scene.Clear(False)
    session.scene_closes()
    slicer.util.loadScene(str(tmp_path / "case.mrb"))
    inputs = session.inputs()
    _same(inputs.arteries, given.arteries)
    assert input_digests(inputs) == input_digests(given)
    _replaced_by_its_own(session)
    first = session.parameters.sites[0]
    session.change(sites=(replace(first, segment_id="liver"),), site_points=None)
    assert session.inputs().arteries is None  # sites of other volumes are not of this tree


def _replaced_by_its_own(session):
    """Sites that the tree offers take the place of those of the same names, and their points."""
    from RadioembolizationPlannerLib.artery_sites_desk import ArterySitesDesk

    points = session.parameters.site_points
    for index, label in enumerate(("proper hepatic", "left")):
        points.AddControlPoint((0.0, 0.0, 10.0 * index), label)
    renamed = [replace(s, name=f"{s.name} hepatic") for s in session.parameters.sites if s.name != "left"]
    session.change(sites=(*renamed, session.parameters.site("left")), lung_shunt=0.05)
    points.RemoveNthControlPoint(point_number(points, "proper"))
    assert {"proper hepatic", "right hepatic"} < {site.name for site in session.inputs().sites}
    session.runner = InlineRunner(with_timer=False)
    desk = ArterySitesDesk(session)
    session.change(spacing_mm=SPACING_MM)
    desk.offer()
    done(session)
    assert desk.told.startswith("Sites of the same names were replaced: proper hepatic, right hepatic.")
    assert [points.GetNthControlPointLabel(i) for i in range(points.GetNumberOfControlPoints())] == ["left"]
    assert len([site for site in session.inputs().sites if site.name == "proper hepatic"]) == 1


@pytest.mark.parametrize(
    ("own", "named"),
    [
        ({"outflow": {"gallbladder": 0.1}, "extrahepatic_share": 0.1}, "an outflow"),
        ({"upstream": "proper"}, "an upstream site"),
        ({"scout": small_inputs().scout}, "a scout"),
        ({"supply": SourceSupply(np.ones((2, 2, 2), dtype=np.float32), Grid((2, 2, 2), (1, 1, 1)))}, "a blood flow"),
    ],
)
def test_what_no_segment_holds_is_refused_and_nothing_is_published(scene, own, named):
    from RadioembolizationPlannerLib.publish import publish_case

    given = small_inputs()
    count = scene.GetNumberOfNodes()
    with pytest.raises(TerritoryError, match=rf"Site '{given.sites[1].name}' has {named} of its own, which a segment"):
        publish_case(scene, replace(given, sites=(given.sites[0], replace(given.sites[1], **own))))
    assert scene.GetNumberOfNodes() == count


def test_a_moved_model_moves_its_tree_and_makes_the_sites_out_of_date(scene):
    from RadioembolizationPlannerLib.arteries import model_of, tree_of

    session, desk = with_sites(scene)
    node = session.parameters.arteries
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = slicer.util.vtkMatrixFromArray(np.array([[0, -1, 0, 5], [1, 0, 0, 0], [0, 0, 1, -2], [0, 0, 0, 1.0]]))
    transform.SetMatrixTransformToParent(matrix)
    model_of(node).SetAndObserveTransformNodeID(transform.GetID())
    x, y, z = _ROOT  # RAS (-x, -y, z) -> (y + 5, -x, z - 2), back in LPS
    assert tree_of(node).root.points_lps_mm[0] == pytest.approx((-y - 5.0, x, z - 2.0))
    assert tree_of(node).root.radius_mm == pytest.approx(2.5)
    assert desk.reasons() == ("arterial tree has changed",)


@pytest.mark.parametrize(("options", "model"), [({}, NearestBranch()), ({"model": "flow"}, FlowWeighted())])
def test_the_case_is_that_of_the_core_also_in_a_loaded_scene(scene, tmp_path, options, model):
    """The digests are those of everything that decides a plan."""
    from RadioembolizationPlannerLib.artery_sites_desk import ArterySitesDesk

    session, desk = with_sites(scene, **options)
    given = small_inputs(sites=(), spacing_mm=(SPACING_MM,) * 3)
    core = core_with_sites(
        given, arterial_sites(ArterialRequest(small_tree(), 0.05, model), given.structures, given.spacing_mm)
    )
    wanted = input_digests(core)
    inputs = session.inputs()
    assert input_digests(inputs) == wanted and [s.name for s in inputs.sites] == [s.name for s in core.sites]
    assert [s.upstream for s in inputs.sites] == [s.upstream for s in core.sites]
    assert dict(inputs.sites[0].outflow) == pytest.approx(dict(core.sites[0].outflow)) and inputs.sites[0].outflow
    assert desk.reasons() == ()
    points = slicer.util.arrayFromMarkupsControlPoints(session.parameters.artery_points)
    desk.update()  # at the points of the list, the same sites
    done(session)
    assert input_digests(session.inputs()) == wanted
    assert slicer.util.saveScene(str(tmp_path / "case.mrb"))
    scene.Clear(False)
    session.scene_closes()
    slicer.util.loadScene(str(tmp_path / "case.mrb"))
    loaded = session.inputs()
    assert input_digests(loaded) == wanted
    _same(loaded.arteries, small_tree())
    assert ArterySitesDesk(session).reasons() == ()
    assert slicer.util.arrayFromMarkupsControlPoints(session.parameters.artery_points) == pytest.approx(points)


def test_a_plan_is_out_of_date_with_the_reason_once_the_tree_has_changed(scene):
    from RadioembolizationPlannerLib.artery_desk import ArteryDesk
    from RadioembolizationPlannerLib.plan_record import record_of

    session, desk = with_sites(scene)
    computed(session)
    session.change(activities_gbq={"left hepatic": 0.5})
    session.writes_reports = False
    plan = session.keep_activities()
    assert record_of(plan).stale == ()
    tree = small_tree()
    ArteryDesk(session).take(type(tree)(tree.arteries[:-1], "shorter"))
    session.refresh()
    assert "arterial tree has changed" in record_of(plan).stale[0] and "press Update" in record_of(plan).stale[0]
    desk.offer()
    done(session)
    assert any(reason.startswith("site 'right anterior'") for reason in record_of(plan).stale)
    ArteryDesk(session).take(tree)
    desk.offer()
    done(session)
    assert record_of(plan).stale == ()


def test_the_tree_of_a_vessel_segment(scene):
    """Ends are where they were drawn, within one radius and the diagonal of a voxel."""
    from RadioembolizationPlannerLib.artery_desk import ArteryDesk
    from RadioembolizationPlannerLib.artery_sites_desk import ArterySitesDesk
    from RadioembolizationPlannerLib.artery_sources import Joining

    session = artery_session(scene)
    desk = ArteryDesk(session)
    desk.from_segment(*vessel_segment(scene, tree_lines()), Joining(_ROOT))
    done(session)
    tree = ArterySitesDesk(session).tree()
    assert "segment 'hepatic arteries'" in tree.source and desk.told.startswith(f"{len(tree.arteries)} arteries")
    assert np.linalg.norm(tree.root.points_lps_mm[0] - _ROOT) < 2.5 + 2.6
    ends = np.array([tree.artery(tree.stretches[i].artery).tip_lps_mm for i in tree.terminal_stretches])
    for tip in ((45.0, -5.0, 5.0), (0.0, -45.0, -30.0), (-40.0, -25.0, 15.0), (-45.0, 25.0, -5.0)):
        assert np.linalg.norm(ends - tip, axis=1).min() < 1.6 + 2.6
    assert len(ends) == 4


def test_the_tree_of_a_centerline_model_and_of_curves(scene):
    from RadioembolizationPlannerLib.artery_desk import ArteryDesk
    from RadioembolizationPlannerLib.artery_sites_desk import ArterySitesDesk
    from RadioembolizationPlannerLib.artery_sources import Joining, line_models

    session = artery_session(scene)
    desk, sites = ArteryDesk(session), ArterySitesDesk(session)
    model = centerline_model(scene, tree_lines())
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    model.SetAndObserveTransformNodeID(transform.GetID())
    shift = np.eye(4)
    shift[:3, 3] = (1.0, 2.0, 3.0)
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(shift))
    desk.from_model(model, Joining(_ROOT))
    done(session)
    assert len(sites.tree().arteries) == 7 and list(line_models(scene)) == [model]
    assert sites.tree().root.points_lps_mm[0] == pytest.approx(np.add(_ROOT, (-1.0, -2.0, 3.0)), abs=1e-4)
    curves = [curve(scene, a.name, a.points_lps_mm, a.radius_mm) for a in small_tree().arteries]
    curves.append(curve(scene, "portal vein", np.array([[0, 0, 0], [0, 0, 50.0]]), np.full(2, 6.0)))
    desk.from_curves(curves, Joining())
    done(session)
    tree = sites.tree()
    assert tree.names == small_tree().names and tree.root.name == "common hepatic"
    assert {a.name: a.parent for a in tree.arteries} == {a.name: a.parent for a in small_tree().arteries}
    assert tree.artery("cystic").radius_mm[-1] == 0.6 and "portal vein" in desk.told


def test_centerlines_without_radius_need_one(scene):
    from RadioembolizationPlannerLib.artery_desk import ArteryDesk
    from RadioembolizationPlannerLib.artery_sources import Joining

    session = artery_session(scene)
    desk = ArteryDesk(session)
    model = centerline_model(scene, tree_lines(), radius=False)
    with pytest.raises(PlannerError, match="state no radius"):
        desk.from_model(model, Joining(_ROOT))
    desk.from_model(model, Joining(_ROOT, radius_mm=1.2))
    done(session)
    assert "WARNING" in desk.told and "1.2 mm was taken" in desk.told


def test_a_synthetic_tree_says_so(scene):
    from RadioembolizationPlannerLib.arteries import model_of
    from RadioembolizationPlannerLib.artery_desk import ArteryDesk
    from RadioembolizationPlannerLib.artery_sites_desk import ArterySitesDesk

    session = artery_session(scene)
    desk, sites = ArteryDesk(session), ArterySitesDesk(session)
    desk.grow(seed=3, terminals=16)
    done(session)
    assert desk.told.startswith("SYNTHETIC") and "synthetic" in model_of(session.parameters.arteries).GetName()
    assert "belongs to no patient" in model_of(session.parameters.arteries).GetDescription()
    sites.offer()
    done(session)
    assert session.inputs().arteries.synthetic and len(session.inputs().sites) > 5


def test_what_cannot_become_a_tree_says_why(scene):
    from RadioembolizationPlannerLib.artery_desk import ArteryDesk
    from RadioembolizationPlannerLib.artery_sites_desk import ArterySitesDesk
    from RadioembolizationPlannerLib.artery_sources import Joining, root_of

    session = artery_session(scene)
    desk, sites = ArteryDesk(session), ArterySitesDesk(session)
    apart = [line((0, 0, 0), (40, 0, 0), radius=2.0), line((0, 60, 0), (40, 60, 0), radius=2.0)]
    desk.from_segment(*vessel_segment(scene, apart), Joining())
    with pytest.raises(PlannerError, match="piece"):
        done(session)
    empty = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "empty")
    empty.GetSegmentation().AddEmptySegment("nothing", "nothing")
    with pytest.raises(PlannerError, match="'nothing' of 'empty' is empty"):
        desk.from_segment(empty, "nothing", Joining())
    with pytest.raises(PlannerError, match="Check the curves"):
        desk.from_curves([], Joining())
    with pytest.raises(PlannerError, match="no point that is placed"):
        root_of(scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "nowhere"))
    with pytest.raises(PlannerError, match="Extract the arterial tree first"):
        sites.offer()
    assert session.parameters.arteries is None
    far = small_tree()
    arteries = tuple(type(a)(a.name, a.parent, a.points_lps_mm + 500.0, a.radius_mm) for a in far.arteries)
    desk.take(type(far)(arteries))
    sites.offer()
    with pytest.raises(PlannerError, match="liver"):
        done(session)
    assert session.parameters.sites == () and session.parameters.territories is None


def test_points_that_cannot_be_sites_go_back(scene):
    session, desk = with_sites(scene)
    points = session.parameters.artery_points
    number = point_number(points, "right anterior")
    before = points.GetNthControlPointPosition(number)
    for place, why in (((200.0, 0.0, 0.0), "off the tree"), ((-2.0, -38.0, -26.0), "feeds no liver")):
        drag(points, number, place)
        assert not desk.follow_points()
        assert why in desk.told_of_points and points.GetNthControlPointPosition(number) == pytest.approx(before)
    points.AddControlPoint((300.0, 0.0, 0.0), "nowhere")
    assert not desk.follow_points() and points.GetNumberOfControlPoints() == 6
    drag(points, number, (-33.0, -15.0, 6.0))
    assert desk.follow_points() and desk.told_of_points == ""
    assert desk.reasons() == ("point of site 'right anterior' was moved",)


def test_a_share_that_was_typed_stays_when_territories_follow(scene):
    session, desk = with_sites(scene)
    sites = [
        replace(s, extrahepatic_share=0.0, lung_shunt=0.1, rule="forbidden") if s.name == "right hepatic" else s
        for s in session.parameters.sites
    ]
    session.change(sites=tuple(sites))
    desk.update()
    done(session)
    right = session.parameters.site("right hepatic")
    assert (right.extrahepatic_share, right.lung_shunt, right.rule) == (0.0, 0.1, "forbidden")
    found = next(site for site in session.inputs().sites if site.name == "right hepatic")
    assert found.outflow == {} and found.extrahepatic_share == 0.0
    assert session.parameters.site("proper hepatic").extrahepatic_share > 0.01
