"""From an arterial tree to injection sites: territories, outflow and nesting on a tree and a liver drawn by hand."""

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

from hepatic_tree import artery, hepatic_tree
from radioembolization.dose import DoseSettings
from radioembolization.errors import TerritoryError
from radioembolization.files.artery_files import read_arteries
from radioembolization.files.image_file import read_image
from radioembolization.images import Grid
from radioembolization.phantom import case_of, synthetic_patient
from radioembolization.physics import RESIN_Y90
from radioembolization.planning import MeanDose, Prescription
from radioembolization.structures import Role
from radioembolization.territories import Pattern
from radioembolization.territories.arteries import ArterialTree
from radioembolization.territories.branches.branch_territories import FlowWeighted, NearestBranch
from radioembolization.territories.candidates.tree_point import UserPoint
from radioembolization.treatment import CaseInputs, SourceMask, SourceStructure, plan_treatment, prepare
from radioembolization.treatment.arterial_sites import ArterialRequest, arterial_sites, with_sites
from radioembolization.treatment.site_choice import SiteChoice
from support import SHARED, ellipsoid

GRID = Grid((24, 18, 38), (4.0, 4.0, 4.0), (-90.0, -34.0, 26.0))
Z, Y, X = np.moveaxis(GRID.to_lps(np.moveaxis(np.indices(GRID.shape), 0, -1)), -1, 0)[::-1]
LIVER = (np.abs(X + 10.0) < 65.0) & (np.abs(Y) < 24.0) & (np.abs(Z - 85.0) < 25.0)
SHUNT = 0.05


def structure(name, role, mask):
    return SourceStructure(name, role, SourceMask(mask, GRID))


STRUCTURES = (
    structure("liver", Role.LIVER, LIVER),
    structure("tumour", Role.TUMOUR, ellipsoid(GRID, (-50.0, 0.0, 85.0), 10.0)),
    structure("Gallenblase", Role.ORGAN, ellipsoid(GRID, (-20.0, 0.0, 46.0), 9.0)),
    structure("stomach", Role.ORGAN, ellipsoid(GRID, (30.0, 0.0, 48.0), 9.0)),
)
NEAREST, FLOW = NearestBranch(), FlowWeighted()


def made(tree=None, spacing_mm=(5.0, 5.0, 5.0), **options):
    request = ArterialRequest(tree or hepatic_tree(), SHUNT, **({"pattern": Pattern.FLOW} | options))
    return arterial_sites(request, STRUCTURES, spacing_mm)


def case_with(arterial, choices=None, **changes):
    fields = {
        "name": "by hand",
        "settings": DoseSettings(RESIN_Y90),
        "structures": STRUCTURES,
        "sites": (),
        "prescription": Prescription(limits=(MeanDose("normal liver").at_most(gy=40),)),
        "spacing_mm": (5.0, 5.0, 5.0),
    }
    return prepare(with_sites(CaseInputs(**(fields | changes)), arterial, choices))


@pytest.fixture(scope="module")
def nearest():
    return made(model=NEAREST)


@pytest.fixture(scope="module")
def by_flow():
    return made(model=FLOW)


def masks(arterial):
    return {site.name: site.perfused.mask for site in arterial.sites}


@pytest.mark.parametrize("model", [NEAREST, FLOW], ids=["nearest", "flow"])
def test_fractions_shunt_and_extrahepatic_share_add_up_to_one(model, nearest, by_flow):
    arterial = nearest if model is NEAREST else by_flow
    case = case_with(arterial)
    sums = np.asarray(case.territories.fractions.sum(axis=1)).ravel()
    for site, candidate, total in zip(case.sites, arterial.candidates, sums, strict=True):
        assert total + SHUNT + sum(candidate.outflow.values()) == pytest.approx(1.0, abs=1e-6)
        assert site.extrahepatic_share == pytest.approx(sum(site.outflow.values()))


def test_territories_are_not_resampled_again(nearest, by_flow):
    for arterial in (nearest, by_flow):
        case = case_with(arterial)
        assert case.structures.grid == arterial.grid
        assert np.array_equal(case.structures.liver.mask, arterial.territories.liver)
        for made_site, site in zip(arterial.sites, case.sites, strict=True):
            assert np.array_equal(made_site.perfused.mask, site.perfused)
            assert (made_site.supply is None) == (arterial is nearest)
            if site.supply is not None:
                assert np.array_equal(made_site.supply.array, site.supply)


def test_a_parent_reaches_the_union_of_its_children(nearest):
    mask = masks(nearest)
    ends = mask["segment 7"] | mask["right hepatic beyond segment 7"]
    assert np.array_equal(mask["right hepatic beyond cystic"], ends)
    assert not (mask["segment 7"] & mask["right hepatic beyond segment 7"]).any()
    assert np.array_equal(mask["proper hepatic"], mask["right hepatic"] | mask["left hepatic"])
    assert np.array_equal(mask["proper hepatic"], nearest.territories.liver)
    # Only ends supply: the plane halfway between the branching at x = -40 and that at x = 20 divides the lobes.
    assert nearest.grid.to_lps(np.argwhere(mask["right hepatic"]))[:, 0].max() <= -10.0
    assert nearest.grid.to_lps(np.argwhere(mask["left hepatic"]))[:, 0].min() >= -10.0


def test_a_parents_row_is_the_flow_weighted_sum_of_its_childrens(by_flow):
    case = case_with(by_flow)
    rows = {
        site.name: case.territories.fraction_map(i).ravel() / site.retained_share for i, site in enumerate(case.sites)
    }
    # 1.2 mm and 2 mm leave at the branching of segment 7; the cystic takes flow, but none from the liver's row.
    share = 1.2**3 / (1.2**3 + 2.0**3)
    together = share * rows["segment 7"] + (1 - share) * rows["right hepatic beyond segment 7"]
    assert rows["right hepatic beyond cystic"] == pytest.approx(together, abs=1e-6 * together.max())
    assert rows["right hepatic"] == pytest.approx(together, abs=1e-6 * together.max())
    right = 2.0**3 / (2.0**3 + 0.8**3) * 2.0**3 / (2.0**3 + 1.6**3)  # less the cystic
    left = 1.6**3 / (2.0**3 + 1.6**3)
    both = (right * rows["right hepatic"] + left * rows["left hepatic"]) / (right + left)
    assert rows["proper hepatic"] == pytest.approx(both, abs=1e-6 * both.max())


def test_outflow_goes_to_the_organs_as_they_are_drawn(nearest):
    sites = {site.name: site for site in nearest.sites}
    cystic = 0.8**3 / (0.8**3 + 2.0**3)
    assert sites["right hepatic"].outflow == pytest.approx({"Gallenblase": cystic})
    assert set(sites["proper hepatic"].outflow) == {"Gallenblase", "stomach"}
    assert nearest.organs == {"right gastric": "stomach", "cystic": "gallbladder"}
    assert [n for n in case_with(nearest).notices if n.name == "OutflowNowhere"] == []


def test_an_artery_without_a_telling_name_that_ends_in_a_drawn_organ_feeds_it():
    tree = hepatic_tree(branch=artery("branch 5", "left hepatic", (10, 0, 70), (28, 0, 48), 1.0))
    arterial = made(tree)
    assert arterial.organs["branch 5"] == "stomach"
    sites = {site.name: site for site in arterial.sites}
    assert sites["left hepatic"].outflow == pytest.approx({"stomach": 1.0 / (1.0 + 1.6**3)})
    assert "branch 5" not in made(tree, organ_arteries={"branch 5": ""}).organs


def test_sites_know_where_they_lie_and_what_lies_upstream(nearest):
    by_name = {candidate.name: candidate for candidate in nearest.candidates}
    for site in nearest.sites:
        assert site.position_lps_mm == by_name[site.name].position_lps_mm
        assert site.upstream == by_name[site.name].upstream
        assert site.lung_shunt == SHUNT and site.pattern is Pattern.FLOW
    # Both of one territory and without outflow between them: one site.  Around the cystic there are two.
    assert by_name["right hepatic beyond cystic"].upstream == "right hepatic"


def test_candidates_without_liver_are_left_out_with_a_notice():
    stub = artery("stub", "left hepatic", (30, 0, 70), (30, 90, 70), 1.5)
    outside = artery("left branch", "stub", (30, 60, 70), (60, 60, 70), 1.0)
    arterial = made(hepatic_tree(stub=stub, outside=outside))
    assert "left branch" not in masks(arterial)
    assert any(n.name == "CandidatesLeftOut" and "left branch" in n.message for n in arterial.notices)
    case = case_with(arterial)
    assert set(arterial.notices) <= set(case.notices)


def test_a_site_with_next_to_no_blood_of_any_voxel_is_left_out():
    # A thin twig beside a thick one: 0.1 % of the flow, nowhere more than a few per cent of the blood.
    twig = artery("twig", "segment 7", (-40, 0, 88), (-44, 0, 88), 0.12)
    arterial = made(hepatic_tree(twig=twig), model=FlowWeighted(watershed_mm=30.0), smallest_radius_mm=0.1)
    assert 0.0 < arterial.territories.volume_ml[-1] < 0.01, "its last terminal is the twig"
    assert "twig" not in masks(arterial) and "segment 7" in masks(arterial)
    assert any("twig" in n.message and n.name == "CandidatesLeftOut" for n in arterial.notices)
    case_with(arterial)


def test_a_subset_by_name_keeps_the_nested_relation():
    arterial = made(names=("proper hepatic", "segment 7"))
    assert [(site.name, site.upstream) for site in arterial.sites] == [
        ("proper hepatic", ""),
        ("segment 7", "proper hepatic"),
    ]
    with pytest.raises(TerritoryError, match="no site 'segment 8': use one of proper hepatic,"):
        made(names=("segment 8",))
    second = artery("second", "right hepatic", (-22, 0, 70), (-22, 20, 70), 0.5)
    with pytest.raises(TerritoryError, match="use 'right hepatic'"):
        made(hepatic_tree(second=second), names=("right hepatic beyond cystic",))


def test_points_of_the_user_only():
    arterial = made(points=(UserPoint("mine", (-30.0, 2.0, 70.0)),), candidates=False)
    assert [site.name for site in arterial.sites] == ["mine"]
    assert arterial.sites[0].position_lps_mm == pytest.approx((-30.0, 0.0, 70.0))


def test_choices_for_single_sites(nearest):
    choices = {
        "right hepatic": SiteChoice(lung_shunt=0.1, extrahepatic_share=0.0),
        "left hepatic": SiteChoice(outflow={"stomach": 0.02}),
        "proper hepatic": SiteChoice(extrahepatic_share=0.05),
        "segment 7": SiteChoice(pattern=Pattern.TUMOUR_TO_NORMAL, extrahepatic_share=0.3),
    }
    case = case_with(nearest, choices, tumour_to_normal={"tumour": 3.0})
    sites = {site.name: site for site in case.sites}
    assert (sites["right hepatic"].lung_shunt, dict(sites["right hepatic"].outflow)) == (0.1, {})
    assert (sites["left hepatic"].extrahepatic_share, sites["left hepatic"].outflow["stomach"]) == (0.02, 0.02)
    before = {site.name: site for site in nearest.sites}["proper hepatic"].outflow
    scaled = {organ: share * 0.05 / sum(before.values()) for organ, share in before.items()}
    assert sites["proper hepatic"].outflow == pytest.approx(scaled)
    assert sites["segment 7"].pattern is Pattern.TUMOUR_TO_NORMAL and sites["segment 7"].extrahepatic_share == 0.3
    with pytest.raises(TerritoryError, match="no site 'segment 8'"):
        case_with(nearest, {"segment 8": SiteChoice(lung_shunt=0.1)})
    with pytest.raises(TerritoryError, match="extrahepatic share"):
        case_with(nearest, {"left hepatic": SiteChoice(outflow={"stomach": 0.2}, extrahepatic_share=0.1)})


def test_a_tree_far_from_the_liver_is_refused():
    far = ArterialTree(
        tuple(replace(a, points_lps_mm=a.points_lps_mm + np.array([0.0, 300.0, 0.0])) for a in hepatic_tree().arteries)
    )
    with pytest.raises(TerritoryError, match="15 mm of the liver"):
        made(far)


def test_other_bad_input_is_refused():
    with pytest.raises(TerritoryError, match=r"has 2\.50 mm"):
        made(smallest_radius_mm=3.0)
    with pytest.raises(TerritoryError, match="no artery 'nowhere'"):
        made(organ_arteries={"nowhere": "stomach"})
    with pytest.raises(TerritoryError, match="off the tree"):
        made(points=(UserPoint("lost", (0.0, 60.0, 70.0)),))


def dice(a, b):
    return 2.0 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


@pytest.fixture(scope="module")
def patient_case():
    patient = synthetic_patient(1, 6.0)
    inputs = case_of(patient)
    request = ArterialRequest(ArterialTree(patient.arteries, synthetic=True), patient.lung_shunt)
    return inputs, arterial_sites(request, inputs.structures, inputs.spacing_mm)


def test_sites_of_the_synthetic_patient_agree_with_its_segments(patient_case):
    inputs, arterial = patient_case
    assert {site.name for site in arterial.sites} == {site.name for site in inputs.sites}
    assert next(c for c in arterial.candidates if c.name == "middle hepatic").merged == ("segment 4 branch",)
    case = prepare(with_sites(inputs, arterial))
    truth = {site.name: site.perfused for site in prepare(inputs).sites}
    agreement = {site.name: dice(site.perfused, truth[site.name]) for site in case.sites}
    # The segments are cut by planes, the territories by nearness: 0.96, 0.87 and between 0.67 and 0.94 for branches.
    assert agreement["right hepatic"] > 0.93 and agreement["left hepatic"] > 0.84
    assert min(agreement.values()) > 0.62
    assert any(n.name == "SyntheticData" and "arteries" in n.message for n in case.notices)


def test_a_plan_over_sites_of_a_tree(nearest):
    case = case_with(nearest)
    treatment = plan_treatment(case)
    activities = dict(zip((site.name for site in case.sites), treatment.plan.activities_gbq, strict=True))
    assert sum(activities.values()) > 0
    # The tumour lies in the territory of the branch to segment 7, and no activity goes where there is none.
    assert activities["left hepatic"] == activities["left hepatic beyond thin"] == 0.0


@pytest.mark.exhaustive
@pytest.mark.slow
def test_a_plan_over_the_sites_of_the_synthetic_patient(patient_case):
    inputs, arterial = patient_case
    treatment = plan_treatment(prepare(with_sites(inputs, arterial)))
    used = treatment.plan.activities_gbq > 0
    assert 1 <= np.count_nonzero(used) <= 4


@pytest.mark.real_data
@pytest.mark.filterwarnings("ignore:Gaps between vessels")
@pytest.mark.skipif(not (SHARED / "data" / "hra_liver_male").is_dir(), reason="the Visible Human's liver is not here")
def test_sites_of_a_real_tree_are_those_of_anatomy():
    folder = SHARED / "data" / "hra_liver_male"
    tree = read_arteries(folder / "centrelines.json")
    image = read_image(folder / "labels.nii.gz")
    labels = sitk.GetArrayFromImage(image)
    grid = Grid(labels.shape, image.GetSpacing()[::-1], image.GetOrigin(), image.GetDirection())
    structures = (
        SourceStructure("liver", Role.LIVER, SourceMask((labels >= 1) & (labels <= 8), grid)),
        SourceStructure("gallbladder", Role.ORGAN, SourceMask(labels == 10, grid)),
    )
    arterial = arterial_sites(ArterialRequest(tree, 0.03), structures, (4.0, 4.0, 4.0))
    middle = "middle hepatic artery branch of left hepatic artery"
    right = "right hepatic artery"
    upstream = {site.name: site.upstream for site in arterial.sites}
    assert upstream == {  # no celiac trunk, common hepatic or cystic
        "proper hepatic artery": "",
        "left hepatic artery": "proper hepatic artery",
        f"left hepatic artery beyond {middle}": "left hepatic artery",
        middle: "left hepatic artery",
        right: "proper hepatic artery",
        f"{right} beyond cystic artery": right,
        f"anterior segmental {right}": f"{right} beyond cystic artery",
        f"posterior segmental {right}": f"{right} beyond cystic artery",
    }
    to_gallbladder = {site.name: site.outflow.get("gallbladder", 0.0) for site in arterial.sites}
    assert {name for name, share in to_gallbladder.items() if share > 0} == {"proper hepatic artery", right}
    assert 0.05 < to_gallbladder["proper hepatic artery"] < to_gallbladder[right] < 0.2
    volume_ml = {site.name: np.count_nonzero(site.perfused.mask) * arterial.grid.voxel_ml for site in arterial.sites}
    assert volume_ml["proper hepatic artery"] == pytest.approx(1830.0, rel=0.02)
    assert volume_ml[right] + volume_ml["left hepatic artery"] == volume_ml["proper hepatic artery"]
