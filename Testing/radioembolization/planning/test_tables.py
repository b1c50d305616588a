"""Limits and goals as entries of a case file: read, written and read again; every wrong entry is named."""

import json
import tomllib

import pytest

from radioembolization import planning
from radioembolization.errors import InputError, LimitError, ParameterMissing
from radioembolization.planning import (
    ColdestMean,
    DoseAtVolume,
    GastrointestinalDose,
    HepaticReserve,
    HottestMean,
    InjectionActivity,
    InjectionSites,
    LogTumourControl,
    LowestColdestMean,
    LowestDose,
    LowestDoseAtVolume,
    LowestEUD,
    LungDose,
    MaximumDose,
    MeanBED,
    MeanDose,
    MeanShortfall,
    MicrosphereConcentration,
    MinimumDose,
    PerfusedNormalLiverDose,
    Provenance,
    ShuntedActivity,
    SiteActivity,
    StructureMean,
    TerritoryNormalLiverDose,
    TotalActivity,
    VolumeAbove,
    VoxelShortfall,
    WeightedSum,
    WorstTumourMean,
    WorstTumourPartMean,
    load_presets,
)
from radioembolization.planning.goal_table import goal_from_value, goal_to_value
from radioembolization.planning.goals import Goal
from radioembolization.planning.limit_table import QUANTITY_ENTRIES, limit_from_table, limit_to_table
from radioembolization.planning.limits import Quantity

#: Each limit as it stands in a case file.
LIMITS = {
    'quantity = "whole_normal_liver"\nat_most_gy = 40': MeanDose("normal liver").at_most(gy=40),
    'quantity = "perfused_normal_liver"\nfull_from_gy = 7.5\nat_most_gy = 30': PerfusedNormalLiverDose(7.5).at_most(
        gy=30
    ),
    'quantity = "territory_normal_liver"\nat_most_gy = 40': TerritoryNormalLiverDose().at_most(gy=40),
    'quantity = "territory_normal_liver"\nat_least_gy = 88': TerritoryNormalLiverDose().at_least(gy=88),
    'quantity = "lungs"\nat_most_gy = 30': LungDose().at_most(gy=30),
    'quantity = "lungs"\nearlier_gy = 25\nat_most_gy = 50': LungDose(25.0).at_most(gy=50),
    'quantity = "mean_dose"\nstructure = "T1"\nat_least_gy = 205': MeanDose("T1").at_least(gy=205),
    'quantity = "maximum_dose"\nstructure = "stomach"\nat_most_gy = 49': MaximumDose("stomach").at_most(gy=49),
    'quantity = "minimum_dose"\nstructure = "T1"\nat_least_gy = 60': MinimumDose("T1").at_least(gy=60),
    'quantity = "hottest_mean"\nstructure = "normal liver"\npercent = 30\nat_most_gy = 60': HottestMean(
        "normal liver", 30
    ).at_most(gy=60),
    'quantity = "coldest_mean"\nstructure = "T1"\npercent = 5\nat_least_gy = 90': ColdestMean("T1", 5).at_least(gy=90),
    'quantity = "mean_bed"\nstructure = "normal liver"\nat_most_gy = 93': MeanBED("normal liver").at_most(gy=93),
    'quantity = "mean_bed"\nstructure = "T1"\nalpha_beta_gy = 10\nrepair_half_time_h = 1.5\nat_most_gy = 900': MeanBED(
        "T1", 10, 1.5
    ).at_most(gy=900),
    'quantity = "mean_bed"\nstructure = "kidneys"\ntissue = "kidney"\nat_most_gy = 40': MeanBED(
        "kidneys", tissue="kidney"
    ).at_most(gy=40),
    'quantity = "volume_above"\nstructure = "normal liver"\ngy = 40\nat_most_percent = 30': VolumeAbove(
        "normal liver", 40
    ).at_most(percent=30),
    'quantity = "volume_above"\nstructure = "T1"\ngy = 205\nat_least_percent = 70': VolumeAbove("T1", 205).at_least(
        percent=70
    ),
    'quantity = "dose_at_volume"\nstructure = "T1"\npercent = 95\nat_least_gy = 100': DoseAtVolume("T1", 95).at_least(
        gy=100
    ),
    'quantity = "dose_at_volume"\nstructure = "gallbladder"\npercent = 2\nat_most_gy = 60': DoseAtVolume(
        "gallbladder", 2
    ).at_most(gy=60),
    'quantity = "hepatic_reserve"\nbelow_gy = 10\nat_least_percent = 30': HepaticReserve(10).at_least(percent=30),
    'quantity = "gastrointestinal_deposit"\nmass_kg = 0.05\nat_most_gy = 49': GastrointestinalDose(0.05).at_most(gy=49),
    'quantity = "shunted_activity"\nat_most_gbq = 0.61': ShuntedActivity().at_most(gbq=0.61),
    'quantity = "total_activity"\nat_most_gbq = 3': TotalActivity().at_most(gbq=3),
    'quantity = "site_activity"\nsite = "left"\nat_least_gbq = 0.2': SiteActivity("left").at_least(gbq=0.2),
    'quantity = "injection_activity"\nat_least_gbq = 0.1': InjectionActivity().at_least(gbq=0.1),
    'quantity = "injection_activity"\nat_most_gbq = 3': InjectionActivity().at_most(gbq=3),
    'quantity = "injection_sites"\nat_most_count = 2': InjectionSites().at_most(count=2),
    'quantity = "microspheres"\nat_most_per_ml = 30000': MicrosphereConcentration().at_most(per_ml=3e4),
    'quantity = "microspheres"\nbq_per_sphere = 200\nat_most_per_ml = 3e4': MicrosphereConcentration(200).at_most(
        per_ml=3e4
    ),
}
TUMOURS = ["A", "B"]
GOALS = {
    '"worst_tumour_part_mean"': WorstTumourPartMean(),
    '"worst_tumour_mean"': WorstTumourMean(),
    '"lowest_dose"': LowestDose(),
    '{ structure_mean = "A" }': StructureMean("A"),
    "{ lowest_coldest_mean_percent = 30 }": LowestColdestMean(30.0),
    "{ lowest_dose_at_volume_percent = 70 }": LowestDoseAtVolume(70.0),
    "{ lowest_eud = { alpha_per_gy = 0.3 } }": LowestEUD(0.3),
    "{ lowest_eud = { alpha_per_gy = 0.3, alpha_beta_gy = 8, repair_half_time_h = 2 } }": LowestEUD(0.3, 8.0, 2.0),
    "{ log_tumour_control = { alpha_per_gy = 0.3, clonogens_per_ml = 1e6 } }": LogTumourControl(
        0.3, clonogens_per_ml=1e6
    ),
    "{ log_tumour_control = { alpha_per_gy = 0.3, clonogens = 1e8 } }": LogTumourControl(0.3, clonogens=1e8),
    "{ shortfall_below_gy = 205 }": MeanShortfall("A", 205.0) + MeanShortfall("B", 205.0),
    '{ shortfall_below_gy = 205, structure = "B" }': MeanShortfall("B", 205.0),
    "{ voxel_shortfall_below_gy = 205 }": VoxelShortfall("A", 205.0) + VoxelShortfall("B", 205.0),
    '{ voxel_shortfall_below_gy = 205, structure = "B" }': VoxelShortfall("B", 205.0),
    '[{ weight = 2, goal = "lowest_dose" }, { weight = 0.5, structure_mean = "A" }]': WeightedSum(
        ((2.0, LowestDose()), (0.5, StructureMean("A")))
    ),
    '[{ weight = 2, goal = [{ weight = 3, structure_mean = "A" }] }]': WeightedSum(((6.0, StructureMean("A")),)),
    '[{ weight = 3, shortfall_below_gy = 205 }, { voxel_shortfall_below_gy = 90, structure = "A" }]': WeightedSum(
        ((3.0, MeanShortfall("A", 205.0)), (3.0, MeanShortfall("B", 205.0)), (1.0, VoxelShortfall("A", 90.0)))
    ),
}


@pytest.mark.parametrize(("text", "limit"), LIMITS.items(), ids=[str(limit) for limit in LIMITS.values()])
def test_a_limit_is_read_written_and_read_again(text, limit):
    table = tomllib.loads(text)
    assert limit_from_table(table) == limit
    assert limit_to_table(limit) == table  # nothing more is written than was given
    assert limit_from_table(limit_to_table(limit)) == limit


def test_every_quantity_has_a_name_and_every_name_is_tested():
    quantities = {q for q in vars(planning).values() if isinstance(q, type) and issubclass(q, Quantity)}
    assert quantities == {type(limit.quantity) for limit in LIMITS.values()}
    assert {tomllib.loads(text)["quantity"] for text in LIMITS} == set(QUANTITY_ENTRIES)


def test_where_a_limit_comes_from_is_written_too():
    stated = Provenance("our protocol", "local practice", "resin", "comparison")
    limit = MeanDose("T1").at_most(gy=60).because(stated)
    assert limit_from_table(limit_to_table(limit)) == limit
    for preset in load_presets().values():
        for published in preset.limits:
            assert limit_from_table(limit_to_table(published)) == published


@pytest.mark.parametrize(("text", "goal"), GOALS.items(), ids=list(GOALS))
def test_a_goal_is_read_written_and_read_again(text, goal):
    assert goal_from_value(tomllib.loads(f"goal = {text}")["goal"], TUMOURS) == goal
    written = goal_to_value(goal)
    assert goal_from_value(json.loads(json.dumps(written)), []) == goal  # the names of the tumours are in it


def test_every_goal_has_a_name_in_files():
    goals = {g for g in vars(planning).values() if isinstance(g, type) and issubclass(g, Goal)} - {Goal}
    assert goals == {type(part) for goal in GOALS.values() for part in (goal, *(term for _, term in goal.terms))}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('quantity = "hottest_mean"\nstructure = "T1"\nat_most_gy = 3', "needs percent: add percent = a number"),
        ('quantity = "hottest_mean"\npercent = 30\nat_most_gy = 3', 'needs a structure: add structure = "name"'),
        ('quantity = "site_activity"\nat_most_gbq = 3', "needs a site"),
        ('quantity = "hepatic_reserve"\nat_least_percent = 30', "needs below_gy"),
        ('quantity = "hepatic_reserve"\nbelow_gy = 10\nat_most_percent = 30', "at least a share"),
        (
            'quantity = "volume_above"\nstructure = "T1"\ngy = 40\nat_most_gy = 30',
            r"limited in percent= \(%\), not in gy",
        ),
        ('quantity = "dose_at_volume"\nstructure = "T1"\npercent = 700\nat_least_gy = 30', "at most 100 %"),
        ('quantity = "mean_dose"\nstructure = 3\nat_most_gy = 30', "'structure' of a limit must be a text"),
        ('quantity = "mean_dose"\nstructure = ""\nat_most_gy = 30', "'structure' of a limit must be a text"),
        ('quantity = "lungs"\npercent = 30\nat_most_gy = 30', "'percent' belongs to a limit on 'hottest_mean' or "),
        ('quantity = "mean_bed"\nstructure = "T1"\nat_least_gy = 30\ntissue = "tumour"', "not a convex limit"),
        ('quantity = "minimum_dose"\nstructure = "T1"\nat_most_gy = 30', "not be a convex limit"),
        ('quantity = "total_activity"\nat_most_gbq = 3e9', "units confused"),
        ('quantity = "microspheres"\nat_least_per_ml = 3e4', "at most a number"),
    ],
)
def test_a_wrong_limit_is_named(text, message):
    with pytest.raises(LimitError, match=message):
        limit_from_table(tomllib.loads(text))


def test_a_bed_of_an_unknown_tissue_needs_its_parameters():
    with pytest.raises(ParameterMissing, match="needs alpha_beta_gy"):
        limit_from_table({"quantity": "mean_bed", "structure": "stomach", "at_most_gy": 40})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('"best"', "A goal must be 'worst_tumour_part_mean'"),
        ("3", "A goal must be"),
        ("[]", "A goal must be"),
        ('["lowest_dose"]', "A goal must be"),
        ("{ lowest_eud = 3 }", "A goal must be"),
        ("{ lowest_eud = {} }", "needs alpha_per_gy: no value for microspheres is published"),
        ("{ lowest_eud = { alpha_per_gy = 0.3, alpha = 1 } }", r"Unknown entries \['alpha'\]"),
        ('{ lowest_eud = { alpha_per_gy = "low" } }', "'alpha_per_gy' of a goal must be a number"),
        ("{ log_tumour_control = { alpha_per_gy = 0.3 } }", "either clonogens_per_ml or clonogens"),
        ("{ lowest_coldest_mean_percent = 0 }", "above 0 and at most 100"),
        ("{ lowest_coldest_mean_percent = true }", "must be a number"),
        ("{ voxel_shortfall_below_gy = -1 }", "must be positive"),
        ('{ structure_mean = "A", weight = 2 }', "A goal must be"),
        ('[{ weight = 0, structure_mean = "A" }]', "Weights of goals must be positive"),
        ('[{ weight = 1, structure_mean = "A" }, { weight = 1, shortfall_below_gy = 205 }]', "maximized goals only"),
        ('[{ structure_mean = "A" }, { lowest_eud = { alpha_per_gy = 0.3 } }]', "cannot be part of a weighted sum"),
        ('[{ structure_mean = "A" }, { lowest_dose_at_volume_percent = 70 }]', "cannot be part of a weighted sum"),
    ],
)
def test_a_wrong_goal_is_named(text, message):
    with pytest.raises(InputError, match=message):
        goal_from_value(tomllib.loads(f"goal = {text}")["goal"], TUMOURS)


def test_a_sum_over_tumours_needs_tumours():
    with pytest.raises(LimitError, match="sum over the tumours, but the case has none"):
        goal_from_value({"shortfall_below_gy": 205}, [])
