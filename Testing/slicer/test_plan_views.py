"""Plans in views: where the slices go, what is hidden, what stands side by side."""

from __future__ import annotations

import numpy as np
import pytest
import slicer_headless

from radioembolization.errors import ImageError, InputError, PlanFileError
from radioembolization.structures import WHOLE_LIVER, Role

slicer_headless.require_slicer()
import slicer  # noqa: E402
import slicer_module_standins  # noqa: E402

slicer_module_standins.install()
from plan_cases import EXCEEDED_GBQ, by_hand, contents, put  # noqa: E402

from RadioembolizationPlannerLib import plans  # noqa: E402
from RadioembolizationPlannerLib.errors import PlanChanged  # noqa: E402
from RadioembolizationPlannerLib.parameters import PlannerParameters  # noqa: E402
from RadioembolizationPlannerLib.plan_views import (  # noqa: E402
    compare_plans,
    comparison_columns,
    curve_colors,
    curves_of,
    hottest_lps_mm,
    show_in_views,
)
from RadioembolizationPlannerLib.publish import publish_case  # noqa: E402

pytestmark = pytest.mark.slicer


def _dose(scene, array: np.ndarray):
    node = slicer.util.addVolumeFromArray(array)
    node.SetSpacing(2.0, 3.0, 4.0)
    node.SetOrigin(10.0, 20.0, 30.0)
    return node


def test_the_slices_go_to_the_middle_of_the_hot_voxels(scene):
    """Index (x, y, z) = (1, 2, 3): RAS 10 + 2 x 1, 20 + 3 x 2, 30 + 4 x 3; LPS turns the first two."""
    array = np.zeros((6, 5, 4), dtype=np.float32)
    array[3, 2, 1], array[0, 0, 0] = 100.0, 40.0
    assert hottest_lps_mm(_dose(scene, array)) == pytest.approx((-12.0, -26.0, 42.0))


def test_the_slices_follow_a_transform_and_need_a_matrix(scene):
    array = np.zeros((6, 5, 4), dtype=np.float32)
    array[3, 2, 1] = 100.0
    dose = _dose(scene, array)
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    slicer.util.updateTransformMatrixFromArray(
        transform, np.array([[1, 0, 0, 5.0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    )
    dose.SetAndObserveTransformNodeID(transform.GetID())
    assert hottest_lps_mm(dose) == pytest.approx((-17.0, -26.0, 42.0))
    warp = scene.AddNewNodeByClass("vtkMRMLGridTransformNode", "warp")
    dose.SetAndObserveTransformNodeID(warp.GetID())
    with pytest.raises(ImageError, match="'warp'"):
        hottest_lps_mm(dose)


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_a_dose_without_a_hot_place_is_shown_in_its_middle(scene, value):
    """Half of (5 - 1, 4 - 1, 3 - 1) steps from the first voxel."""
    dose = _dose(scene, np.full((3, 4, 5), value, dtype=np.float32))
    assert hottest_lps_mm(dose) == pytest.approx((-10.0 - 4.0, -20.0 - 4.5, 30.0 + 4.0))


def test_of_all_plans_only_the_shown_one_has_isodoses_and_sites_in_the_views(scene):
    first, second = put(scene), put(scene)
    show_in_views(scene, PlannerParameters(), first)
    for plan, visible in ((first, True), (second, False)):
        shown = plans.nodes_of(plan, plans.ISODOSES, plans.INJECTIONS)
        assert len(shown) > 2
        assert not plans.node_of(plan, plans.TERRITORIES).GetDisplayNode().GetVisibility()
        assert {bool(node.GetDisplayNode().GetVisibility()) for node in shown} == {visible}


def test_a_plan_without_its_dose_is_not_shown_and_nothing_is_hidden(scene):
    first, second = put(scene), put(scene, "lost")
    scene.RemoveNode(plans.node_of(second, plans.DOSE))
    with pytest.raises(PlanChanged, match="'lost'"):
        show_in_views(scene, PlannerParameters(), second)
    assert all(node.GetDisplayNode().GetVisibility() for node in plans.nodes_of(first, plans.ISODOSES))


# -- side by side ---------------------------------------------------------------------------------------------------


def test_figures_stand_in_one_row_for_both_plans(scene):
    plan, other = put(scene), put(scene, "more", by_hand(*EXCEEDED_GBQ))
    columns = comparison_columns((plan, other))
    rows = dict(zip(columns["Figure"], zip(columns["Plan 1"], columns["more"], strict=True), strict=True))
    assert rows["activity, left (GBq)"] == ("0.33", "3.3")
    assert rows["activity, proper (GBq)"] == ("0", "0")
    assert rows["total activity (GBq)"] == ("0.61", "6.1")
    assert rows["injections"] == ("2", "2")
    limit = next(value for title, value in rows.items() if title.startswith("limit: mean dose, perfused"))
    assert "EXCEEDED" not in limit[0] and limit[1].endswith("EXCEEDED")
    for structure in by_hand().plan.structures:
        assert rows[f"mean dose, {structure.name} (Gy)"][0] == f"{structure.mean_gy:.1f}"


@pytest.mark.parametrize("names", [("same", "same"), ("Figure", "Figure"), ("Figure", "other")])
def test_plans_of_one_name_keep_a_column_each(scene, names):
    plan, other = put(scene, names[0]), put(scene, names[1], by_hand(*EXCEEDED_GBQ))
    table, chart = compare_plans(scene, (plan, other))
    assert table.GetNumberOfColumns() == 3
    titles = [table.GetTable().GetColumnName(column) for column in range(3)]
    assert len(set(titles)) == 3 and titles[1].startswith(names[0])
    row = comparison_columns((plan, other))["Figure"].index("activity, left (GBq)")
    assert [table.GetTable().GetColumn(column).GetValue(row) for column in (1, 2)] == ["0.33", "3.3"]
    series = [chart.GetNthPlotSeriesNode(k).GetName() for k in range(chart.GetNumberOfPlotSeriesNodes())]
    assert len(set(series)) == len(series) == 2 * len(by_hand().histograms)


def test_a_new_comparison_takes_the_place_of_the_last(scene):
    plan, other = put(scene), put(scene)
    compare_plans(scene, (plan, other))
    before = {name for name, *_ in contents(scene).values()}
    count = scene.GetNumberOfNodes()
    compare_plans(scene, (other, plan))
    assert scene.GetNumberOfNodes() == count
    assert {name for name, *_ in contents(scene).values()} == before


@pytest.mark.parametrize("fault", ["text", "curves", "one plan"])
def test_a_comparison_that_fails_leaves_the_last_one(scene, fault):
    plan, other, third = put(scene), put(scene), put(scene, "third")
    compare_plans(scene, (plan, other))
    if fault == "text":
        third.SetText("{}")
    elif fault == "curves":
        scene.RemoveNode(plans.node_of(third, plans.CURVES))
    before = contents(scene)
    chosen = (plan, plan) if fault == "one plan" else (plan, third)
    with pytest.raises({"text": PlanFileError, "curves": PlanChanged, "one plan": InputError}[fault]):
        compare_plans(scene, chosen)
    assert contents(scene) == before


def test_the_curves_of_a_plan_are_those_of_its_histograms(scene, tmp_path):
    """Also after the scene was saved and loaded, which makes numbers of texts."""
    put(scene, "mine")
    histograms = {h.name if hasattr(h, "name") else k: h for k, h in dict(by_hand().histograms).items()}

    def check(plan) -> None:
        curves = curves_of(plan)
        assert set(curves.shares) == set(histograms)
        assert curves.shares["A"][0] == pytest.approx(1.0)
        # where half of tumour A lies: its median dose, within a step of the table
        median = curves.edges_gy[np.searchsorted(-curves.shares["A"], -0.5)]
        stated = next(s for s in by_hand().plan.structures if s.name == "A")
        assert median == pytest.approx(stated.d50_gy, abs=2 * curves.edges_gy[1])

    (plan,) = plans.plans_of(scene)
    check(plan)
    slicer.util.saveScene(str(tmp_path / "case.mrb"))
    scene.Clear(False)
    slicer.util.loadScene(str(tmp_path / "case.mrb"))
    check(plans.plans_of(scene)[0])


def test_curves_that_were_changed_by_hand_are_refused(scene):
    plan = put(scene, "mine")
    plans.node_of(plan, plans.CURVES).GetTable().RemoveColumn(0)
    with pytest.raises(PlanChanged, match="'mine'"):
        curves_of(plan)


def test_curves_have_the_colors_of_their_segments(scene):
    nodes = publish_case(scene, by_hand().case.inputs)
    nodes.segmentation.GetSegmentation().GetSegment("A").SetColor(0.1, 0.2, 0.3)
    roles = {**nodes.roles, "deleted": Role.TUMOUR}
    colors = curve_colors(PlannerParameters(segmentation=nodes.segmentation, roles=roles))
    assert colors["A"] == (0.1, 0.2, 0.3)
    assert colors[WHOLE_LIVER] == nodes.segmentation.GetSegmentation().GetSegment("liver").GetColor()
    assert curve_colors(PlannerParameters()) == {}
