"""The command ``calc`` as a user meets it: worked cases, JSON, tables, notices, messages, exit codes."""

import json
import math

import pytest

from radioembolization.cli import main

#: Worked cases were computed by hand with the same constants; 0.5 % allows for their rounding.
WORKED = 0.005
PARTITION = "partition --device resin --lung-shunt 0.06 --normal-liver-kg 0.9 --tumour-kg 0.2 0.05 --tnr 4 2"
GLASS = "mird --device glass --mass-kg 1.4"
GLASS_LUNG = "lung --device glass"


@pytest.fixture
def run(capsys):
    """Return a function that runs ``calc`` and returns its exit code, standard output and error."""

    def run_command(line):
        code = main(["calc", *line.split()])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_command


@pytest.fixture
def calc(run):
    """Return a function that runs ``calc`` with ``--json`` and returns the document."""

    def run_json(line):
        code, printed, error = run(f"{line} --json")
        assert (code, error) == (0, ""), printed
        return json.loads(printed, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))

    return run_json


def names(document):
    return [notice["name"] for notice in document["notices"]]


def test_case_1_resin_with_two_tumours(calc):
    found = calc(f"{PARTITION} --activity 1.5421")
    assert found["activity_gbq"] == 1.5421
    assert found["normal_liver_gy"] == pytest.approx(40.0, rel=WORKED)
    assert found["tumours_gy"] == pytest.approx([160.0, 80.0], rel=WORKED)
    assert found["lung_gy"] == pytest.approx(4.60, rel=WORKED)
    assert found["microspheres"] == pytest.approx(30.8e6, rel=WORKED)
    # Energy over mass: 49.67 x 1.5421 x 0.94 / 1.15 kg.
    assert found["perfused_gy"] == pytest.approx(62.609, rel=1e-4)
    assert names(found) == ["AssumedLungMass"]


def test_case_1_from_the_dose_of_normal_liver(calc):
    found = calc(f"{PARTITION} --normal-liver-gy 40 --lung-kg 1.0")
    assert found["activity_gbq"] == pytest.approx(1.5421, abs=5e-5)
    assert found["tumours_gy"] == pytest.approx([160.0, 80.0], rel=1e-12)
    assert found["notices"] == []


def test_case_2_glass_bound_by_the_lung(calc):
    wanted = calc(f"{GLASS} --dose 120 --lung-shunt 0.18")
    assert wanted["activity_gbq"] == pytest.approx(4.1248, rel=WORKED)
    assert wanted["perfused_gy"] == pytest.approx(120.0)
    assert wanted["lung_gy"] == pytest.approx(36.9, rel=WORKED)
    assert names(wanted).count("LungDoseCaution") == 2  # above 30 Gy, and above 0.61 GBq in the lungs
    assert calc(f"{GLASS_LUNG} --activity 4.1248 --lung-shunt 0.18 --lung-kg 1.0")["lung_gy"] == pytest.approx(
        36.9, rel=WORKED
    )
    # At 30 Gy to 1 kg; to the 0.8 kg of CT; and at the 25 Gy left after an earlier treatment.
    for limit, lung_kg, activity, perfused in (
        (30, 1.0, 3.3555, 97.6),
        (30, 0.8, 2.6844, 78.1),
        (25, 1.0, 2.7962, 81.3),
    ):
        allowed = calc(f"{GLASS_LUNG} --limit-gy {limit} --lung-shunt 0.18 --lung-kg {lung_kg}")
        assert allowed["activity_gbq"] == allowed["activity_at_limit_gbq"] == pytest.approx(activity, rel=WORKED)
        assert allowed["lung_gy"] == pytest.approx(limit)
        given = calc(f"{GLASS} --activity {allowed['activity_gbq']} --lung-shunt 0.18 --lung-kg {lung_kg}")
        assert given["perfused_gy"] == pytest.approx(perfused, rel=WORKED)
    assert calc(f"{GLASS_LUNG} --limit-gy 30 --lung-shunt 0.18 --lung-kg 1")["shunted_gbq"] == pytest.approx(
        0.604, rel=WORKED
    )


def test_case_2_with_the_shunt_of_spect_passes_the_formula_but_not_monte_carlo(calc):
    found = calc(f"{GLASS} --dose 120 --lung-shunt 0.13 --lung-kg 1.0")
    assert found["activity_gbq"] == pytest.approx(3.8877, rel=WORKED)
    assert found["lung_gy"] == pytest.approx(25.1, rel=WORKED)
    (notice,) = found["notices"]
    assert notice["name"] == "LungDoseCaution"
    assert "corrected it is 41.8 Gy, above 30 Gy" in notice["message"]


def test_case_5_holmium(calc):
    rule = calc("holmium --liver-kg 1.9 --lung-shunt 0.02")
    assert rule["activity_gbq"] == pytest.approx(7.182, rel=WORKED)
    mird = "mird --device holmium --mass-kg 1.9 --dose 60"
    assert calc(f"{mird} --lung-shunt 0")["activity_gbq"] == pytest.approx(7.1834, rel=WORKED)
    assert calc(f"{mird} --lung-shunt 0.02")["activity_gbq"] == pytest.approx(7.330, rel=WORKED)
    partition = "partition --device holmium --lung-shunt 0.02 --normal-liver-kg 1.65 --tumour-kg 0.25 --tnr 3"
    found = calc(f"{partition} --activity 7.1834")
    assert found["normal_liver_gy"] == pytest.approx(46.55, rel=WORKED)
    assert found["tumours_gy"] == pytest.approx([139.65], rel=WORKED)
    assert found["lung_gy"] == pytest.approx(2.28, rel=WORKED)
    assert found["microspheres"] == pytest.approx(21.1e6, rel=WORKED)
    capped = calc(f"{partition} --normal-liver-gy 40")
    assert capped["activity_gbq"] == pytest.approx(6.1726, rel=WORKED)
    assert capped["tumours_gy"] == pytest.approx([120.0])


@pytest.mark.parametrize(
    ("line", "bed", "eqd2"),
    [
        ("--dose 46.55 --alpha-beta 2.5 --repair-h 2.5 --nuclide Ho-166", 120.51, None),
        ("--dose 46.55 --alpha-beta 2.5 --repair-h 2.5 --device holmium", 120.51, None),
        ("--dose 40 --alpha-beta 2.5 --repair-h 2.5 --effective-h 64.1", 64.02, 35.57),
        ("--dose 60 --alpha-beta 2.5 --repair-h 2.5 --effective-h 26.8", 182.87, None),
        ("--dose 139.65 --alpha-beta 10 --repair-h 1.5 --effective-h 26.8", 243.02, 202.52),
        ("--dose 4.44 --alpha-beta 2.6 --repair-h 2.8 --effective-h 51", 4.8346, None),
        ("--dose 2 --alpha-beta 2.5 --repair-h 2.5 --effective-h 67", 2.0576, None),
        ("--dose 46.55 --tissue normal-liver --device holmium", 120.51, None),
    ],
)
def test_bed_of_the_worked_cases(calc, line, bed, eqd2):
    found = calc(f"bed {line}")
    assert found["bed_gy"] == pytest.approx(bed, rel=WORKED)
    if eqd2 is not None:
        assert found["eqd2_gy"] == pytest.approx(eqd2, rel=WORKED)
    assert names(found) == (["AssumedBiology"] * 2 if "--tissue" in line else [])


@pytest.mark.parametrize(("days", "cross"), [(0, 13.8), (7, 3.6), (14, 0.9), (28, 0.06)])
def test_bed_of_two_sources_has_a_cross_term(calc, days, cross):
    tissue = "--alpha-beta 10 --repair-h 1.5"
    second = f"--second-dose 139.65 --second-effective-h 26.8 --delay-h {24 * days}"
    both = calc(f"bed --dose 19.08 --effective-h 85 {second} {tissue}")
    assert both["cross_bed_gy"] == pytest.approx(cross, abs=0.05 if days < 28 else 0.005)
    one = calc(f"bed --dose 19.08 --effective-h 85 {tissue}")["bed_gy"]
    other = calc(f"bed --dose 139.65 --effective-h 26.8 {tissue}")["bed_gy"]
    assert both["bed_gy"] == pytest.approx(one + other + both["cross_bed_gy"], rel=1e-12)
    assert both["dose_gy"] == pytest.approx(158.73)


def test_validation_targets_of_the_formulas(calc):
    # P01: 120 Gy, 1.5 kg, shunt 5 %, residual 2 %, constant 50: 3.867 GBq.
    p01 = "mird --device glass --dose 120 --mass-kg 1.5 --lung-shunt 0.05 --residual 0.02 --convention vendor"
    assert calc(p01)["activity_gbq"] == pytest.approx(3.867, rel=5e-4)
    # P02: 3 GBq, shunt 10 %, 1 kg: 14.90 Gy.
    p02 = calc("lung --device resin --activity 3 --lung-shunt 0.10 --lung-kg 1.0")
    assert p02["lung_gy"] == pytest.approx(14.90, rel=5e-4)
    assert "Pneumonitis after resin is reported from 13 Gy" in p02["notices"][0]["message"]
    # P03: activity in 1 kg of lung for 30 Gy, with 49.67 and 50.
    for convention, shunted in (("clinical", 0.6040), ("vendor", 0.600)):
        line = f"lung --device glass --limit-gy 30 --lung-shunt 0.5 --lung-kg 1.0 --convention {convention}"
        assert calc(line)["shunted_gbq"] == pytest.approx(shunted, rel=5e-4)
    # P04: 2 GBq, shunt 5 %, ratio 5, 0.1 kg in 1.4 kg.
    p04 = calc("partition --device resin --activity 2 --lung-shunt 0.05 --normal-liver-kg 1.4 --tumour-kg 0.1 --tnr 5")
    doses = (*p04["tumours_gy"], p04["normal_liver_gy"], p04["lung_gy"])
    assert doses == pytest.approx((248.4, 49.67, 4.967), rel=5e-4)


def test_residual_takes_from_dose_and_lungs(calc):
    line = "mird --device glass --activity 2 --mass-kg 1 --lung-shunt 0.1 --lung-kg 1"
    whole, less = calc(line), calc(f"{line} --residual 0.25")
    assert less["delivered_gbq"] == 1.5
    assert less["perfused_gy"] == pytest.approx(0.75 * whole["perfused_gy"])
    assert less["lung_gy"] == pytest.approx(0.75 * whole["lung_gy"])


def test_dose_and_activity_stand_beside_each_other(calc):
    found = calc(f"{GLASS} --dose 120 --activity 4 --lung-shunt 0.18")
    assert found["activity_gbq"] == 4.0
    assert found["perfused_gy"] == pytest.approx(49.67 * 4.0 * 0.82 / 1.4)
    assert found["prescribed_gy"] == 120.0
    assert found["prescribed_activity_gbq"] == pytest.approx(4.1248, abs=5e-5)


def test_bsa_and_its_reduction(calc):
    line = "bsa --height-m 1.75 --weight-kg 80 --tumour-ml 300 --liver-ml 1800"
    found = calc(f"{line} --lung-shunt 0.12")
    # BSA 1.9561 m2 by hand: 0.20247 x 1.75^0.725 x 80^0.425; one sixth of the liver is tumour; 20 % less.
    assert found["body_surface_m2"] == pytest.approx(1.9561, abs=1e-4)
    assert found["unreduced_activity_gbq"] == pytest.approx(1.9227, abs=1e-4)
    assert found["activity_gbq"] == pytest.approx(0.8 * 1.9227, abs=1e-4)
    assert found["shunt_reduction"] == 0.2
    assert "reduces the activity by 20%" in found["notices"][0]["message"]
    none = calc(f"{line} --lung-shunt 0.25")
    assert none["activity_gbq"] == 0.0
    assert any("labelling contraindicates resin" in notice["message"] for notice in none["notices"])
    assert calc(f"{line} --lung-shunt 0.05 --lobe-ml 1100")["formula"] == "modified BSA method, resin"


def test_decay_forwards_and_back(calc):
    found = calc("decay --device glass --activity 3 --hours 20")
    assert found["activity_gbq"] == pytest.approx(3.0 * 2.0 ** (-20.0 / 64.1), rel=1e-12)
    back = calc(f"decay --nuclide 90Y --activity {found['activity_gbq']!r} --hours -20")
    assert back["activity_gbq"] == pytest.approx(3.0, rel=1e-12)
    assert calc("decay --nuclide Lu-177 --activity 7.4 --hours 159.528")["activity_gbq"] == pytest.approx(3.7)


def test_convention_sets_the_energy(calc):
    found = calc(f"{PARTITION} --activity 1.5421 --convention icrp107")
    assert found["convention"] == "icrp107"
    assert found["energy_j_per_gbq"] == pytest.approx(49.771, abs=5e-4)
    assert found["normal_liver_gy"] == pytest.approx(40.0 * 49.771 / 49.67, rel=1e-4)


def test_document_says_what_was_computed_from_what(calc):
    found = calc(f"{PARTITION} --activity 1.5421")
    assert found["notice"] == "Research use only; not a medical device."
    assert found["formula"] == "partition model"
    assert "M_N + sum r_i M_i" in found["equation"]
    assert "van Roekel" in found["source"]
    assert (found["device"], found["nuclide"], found["convention"]) == ("resin", "Y-90", "clinical")
    assert found["inputs"] == {
        "device": "resin",
        "activity": 1.5421,
        "lung_shunt": 0.06,
        "normal_liver_kg": 0.9,
        "tumour_kg": [0.2, 0.05],
        "tnr": [4.0, 2.0],
    }


def test_table_shows_results_formula_source_and_notices(run):
    code, printed, error = run(f"{PARTITION} --activity 1.5421")
    assert (code, error) == (0, "")
    for text in ("tumour 2", "80.00", "Formula: D_N", "Source: van Roekel", "AssumedLungMass", "Research use only"):
        assert text in printed


def test_sweep(calc, run):
    line = "bed --dose 40 --alpha-beta 2.5 --repair-h 2.5 --effective-h 64.1"
    swept = calc(f"{line} --sweep-alpha-beta 2 8 --sweep-repair-h 0.5 2.5")["sweep"]
    assert [(row["alpha_beta_gy"], row["repair_half_time_h"]) for row in swept] == [
        (2, 0.5),
        (2, 2.5),
        (8, 0.5),
        (8, 2.5),
    ]
    assert swept[1]["bed_gy"] == pytest.approx(70.03, abs=5e-3)
    assert "repair half-time [h]" in run(f"{line} --sweep-alpha-beta 2 8")[1]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "lung --device glass --activity nan --lung-shunt 0.1",
            "Activity must be zero or a positive number, not nan GBq",
        ),
        ("lung --device glass --activity -1 --lung-shunt 0.1", "not -1 GBq"),
        ("lung --device glass --activity 1 --lung-shunt 18", "enter a fraction, not per cent"),
        ("lung --device glass --activity 1 --lung-shunt 1", "Lung shunt 1 is not in [0, 1)"),
        ("lung --device glass --activity 1 --lung-shunt 0.1 --lung-kg 0", "Lung mass must be"),
        ("lung --device glass --lung-shunt 0.1", "Give --activity to get the lung dose, --limit-gy"),
        ("lung --device glass --limit-gy 30 --lung-shunt 0", "limits an activity must be a positive number"),
        ("lung --device lead --activity 1 --lung-shunt 0.1", "Unknown device 'lead': use glass, resin or holmium"),
        ("mird --device glass --mass-kg 1 --lung-shunt 0", "Give --dose to get an activity"),
        ("mird --device glass --dose 1 --mass-kg 0 --lung-shunt 0", "Perfused mass must be"),
        ("mird --device glass --dose -5 --mass-kg 1 --lung-shunt 0", "Dose must be zero or"),
        ("mird --device glass --dose 1 --mass-kg 1 --lung-shunt 0 --residual 2", "Residual 2 is not in"),
        ("mird --device resin --dose 1 --mass-kg 1 --lung-shunt 0 --convention vendor", "for glass microspheres"),
        ("mird --device resin --dose 1 --mass-kg 1 --lung-shunt 0 --convention x", "--convention 'x' is not known"),
        ("mird --device glass --activity 1e300 --mass-kg 1e-20 --lung-shunt 0", "'perfused_gy' of the single"),
        (f"{PARTITION} 3 --activity 1", "2 tumour masses and 3 tumour-to-normal ratios"),
        ("partition --device resin --activity 1 --lung-shunt 0 --normal-liver-kg nan", "Mass of normal liver"),
        (
            "partition --device resin --activity 1 --lung-shunt 0 --normal-liver-kg 1 --tumour-kg 1 --tnr -3",
            "ratio of tumour 1 must be a positive number, not -3.",
        ),
        ("bsa --height-m 175 --weight-kg 80 --tumour-ml 1 --liver-ml 9 --lung-shunt 0", "Height 175 m is outside"),
        ("bsa --height-m 1.75 --weight-kg 80 --tumour-ml 10 --liver-ml 9 --lung-shunt 0", "must not decrease"),
        ("holmium --liver-kg 0 --lung-shunt 0", "Liver mass must be"),
        ("decay --nuclide U-235 --activity 1 --hours 1", "Unknown nuclide 'U-235'"),
        ("decay --nuclide Y-90 --activity 1 --hours inf", "A time of inf h"),
        ("bed --dose 40 --repair-h 2.5 --effective-h 64", "BED needs --alpha-beta"),
        ("bed --dose 40 --alpha-beta 2.5 --effective-h 64", "BED needs --repair-h"),
        ("bed --dose 40 --alpha-beta 2.5 --repair-h 0 --effective-h 64", "Repair half-time must be"),
        ("bed --dose 40 --alpha-beta 2.5 --repair-h 1 --effective-h 0", "Effective half-life must be"),
        ("bed --dose 40 --alpha-beta 0 --repair-h 1 --effective-h 64", "alpha/beta must be"),
        ("bed --dose 1e200 --alpha-beta 2.5 --repair-h 1 --effective-h 64", "not inf Gy"),
        ("bed --dose 40 --tissue spleen --effective-h 64", "Unknown tissue 'spleen'"),
        ("bed --dose 40 --alpha-beta 2 --repair-h 1 --effective-h 64 --delay-h 4", "belong to a second dose"),
        ("bed --dose 40 --alpha-beta 2 --repair-h 1 --effective-h 64 --second-dose 4", "give --second-effective-h"),
        (
            "bed --dose 4 --alpha-beta 2 --repair-h 1 --effective-h 6 --sweep-repair-h 0",
            "Repair half-time must be a positive number",
        ),
    ],
)
def test_nonsense_exits_with_2_and_says_why(run, line, message):
    code, printed, error = run(line)
    assert (code, printed) == (2, "")
    assert error.startswith("bad input: ")
    assert message in error
    code, printed, error = run(f"{line} --json")
    assert (code, error) == (2, "")
    assert message in json.loads(printed)["message"]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "cure",
        "partition --device resin --lung-shunt 0 --normal-liver-kg 1",
        f"{PARTITION} --activity 1 --normal-liver-gy 40",
        "decay --nuclide Y-90 --device glass --activity 1 --hours 1",
        "bed --dose 40 --alpha-beta 2 --repair-h 1",
        "mird --device glass --dose many --mass-kg 1 --lung-shunt 0",
    ],
)
def test_incomplete_command_lines_exit_with_2(line):
    with pytest.raises(SystemExit) as stopped:
        main(["calc", *line.split()])
    assert stopped.value.code == 2


def test_nothing_at_all_is_zero_not_an_error(calc):
    found = calc("partition --device resin --activity 0 --lung-shunt 0 --normal-liver-kg 1")
    assert (found["normal_liver_gy"], found["tumours_gy"], found["lung_gy"]) == (0.0, [], 0.0)
    assert found["notices"] == []
    zero = calc("bed --dose 0 --alpha-beta 2 --repair-h 1 --effective-h 64")
    assert (zero["bed_gy"], zero["eqd2_gy"]) == (0.0, 0.0)
    assert math.isclose(zero["dose_gy"], 0.0)
