"""A case written to files and read again is the same case; every wrong entry is named."""

import re
from dataclasses import replace

import numpy as np
import pytest

from radioembolization.errors import CaseFileError, DeviceMismatch, FileMissing, InputError, LimitError, StructureError
from radioembolization.files import read_case, write_case
from radioembolization.planning import (
    LowestColdestMean,
    LungDose,
    MeanDose,
    MeanShortfall,
    Prescription,
    Provenance,
    StructureMean,
    VolumeAbove,
    VoxelShortfall,
    WeightedSum,
    preset,
)
from radioembolization.territories import Pattern
from radioembolization.treatment import plan_treatment, prepare
from small_case import RATIOS, small_inputs


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("case")
    write_case(small_inputs(tumour_to_normal=RATIOS), path)
    return path


@pytest.fixture
def edited(folder):
    """Return a function that reads the case with one change of its text."""

    def read(pattern="", replacement="", append=""):
        text = (folder / "case.toml").read_text(encoding="utf-8")
        if pattern:
            text, count = re.subn(pattern, replacement, text, count=1, flags=re.MULTILINE)
            assert count, pattern
        path = folder / "edited.toml"
        path.write_text(text + append, encoding="utf-8")
        return read_case(path)

    return read


def test_written_case_gives_the_same_plan(folder):
    direct = plan_treatment(prepare(small_inputs(tumour_to_normal=RATIOS)))
    from_files = plan_treatment(prepare(read_case(folder / "case.toml")))
    np.testing.assert_allclose(from_files.plan.activities_gbq, direct.plan.activities_gbq, rtol=1e-6)
    assert [s.name for s in from_files.plan.structures] == [s.name for s in direct.plan.structures]
    assert from_files.case.sites[0].position_lps_mm == (0.0, -50.0, 0.0)


def test_hashes_name_the_parts_and_not_the_files(folder):
    inputs = read_case(folder / "case.toml")
    assert sorted(inputs.hashes) == ["case", "ct", "scout", "structures"]
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in inputs.hashes.values())


def test_spacing_is_x_y_z_in_the_file(edited):
    inputs = edited(r"^spacing_mm = .*", "spacing_mm = [2.0, 3.0, 4.0]")
    assert inputs.spacing_mm == (4.0, 3.0, 2.0)


@pytest.mark.parametrize(
    ("pattern", "replacement", "error", "message"),
    [
        (r"^liver = ", "leber = ", CaseFileError, r"\[structures\] has an unknown entry 'leber': did you mean 'liver'"),
        (r"^\[grid\]", "[grit]", CaseFileError, r"unknown entry 'grit': did you mean 'grid'"),
        (r"^spacing_mm", "spacing", CaseFileError, r"unknown entry 'spacing': did you mean 'spacing_mm'"),
        (r"^mass_kg = .*", 'mass_kg = "one"', CaseFileError, r"mass_kg must be a number, not 'one'"),
        (r"^device = .*", 'device = "glas"', InputError, r"Unknown device 'glas'"),
        (r"^convention = .*", 'convention = "mird"', CaseFileError, r"one of clinical, icrp107, vendor"),
        (r"^method = .*", 'method = "mc"', CaseFileError, r"one of local, fft"),
        (r"^scout = .*", 'scout = "absent.nrrd"', FileMissing, r"absent\.nrrd"),
        (r'^liver = "liver"', 'liver = "Leber"', StructureError, r"no segment 'Leber'"),
        (r"^tumours = .*", 'tumours = "A"', CaseFileError, r"\[structures\]\.tumours must be a list"),
        (r"^preset = .*", 'preset = "resin/both"', LimitError, r"Unknown preset 'resin/both'.*resin/bilobar"),
        (r"^at_most_sites = .*", "at_most_sites = 0", CaseFileError, r"at_most_sites must be a whole number"),
        (r"^lung_shunt = .*", "", CaseFileError, r"\[\[sites\]\] number 1 has no lung_shunt"),
        (r"^distribution = .*", 'distribution = "even"', CaseFileError, r"one of scout, tumour_to_normal"),
        (r"^name = ", "name : ", CaseFileError, r"not valid TOML"),
        (r"^name = .*", 'name = ""', CaseFileError, r"name must be a text"),
        (r"^position_mm = .*", "position_mm = [1, 2]", CaseFileError, r"position_mm must be a list of 3 numbers"),
        (r"^synthetic = .*", 'synthetic = "no"', CaseFileError, r"synthetic must be true or false"),
    ],
)
def test_wrong_entries_are_named(edited, pattern, replacement, error, message):
    with pytest.raises(error, match=message):
        edited(pattern, replacement)


def test_missing_case_file_is_named(tmp_path):
    with pytest.raises(FileMissing, match=r"none\.toml"):
        read_case(tmp_path / "none.toml")


def test_own_limits_are_added_to_the_preset(edited):
    limits = '\n[[prescription.limits]]\nquantity = "mean_dose"\nstructure = "gallbladder"\nat_most_gy = 25\n'
    assert [str(limit) for limit in edited(append=limits).prescription.limits] == [
        "mean dose, perfused normal liver <= 40 Gy",
        "mean dose, lungs <= 30 Gy",
        "mean dose, gallbladder <= 25 Gy",
    ]


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ('quantity = "mean_dose"\nat_most_gy = 25', "needs a structure"),
        ('quantity = "lung"\nat_most_gy = 25', "Unknown quantity 'lung'"),
        ('quantity = "lungs"\nat_most_gbq = 25', r"limited in gy= \(Gy\), not in gbq"),
        ('quantity = "lungs"', "exactly one of at_most_gy"),
        ('quantity = "lungs"\nat_most_gy = 25\nreason = "x"', r"Unknown entries \['reason'\]"),
        ('quantity = "lungs"\nat_most_gy = -1', "must be a positive number"),
    ],
)
def test_wrong_limits_are_named(edited, limit, message):
    with pytest.raises(LimitError, match=message):
        edited(append=f"\n[[prescription.limits]]\n{limit}\n")


def test_preset_of_another_device_needs_a_reason(edited):
    with pytest.raises(DeviceMismatch, match="published for glass"):
        prepare(edited(r"^preset = .*", 'preset = "glass/metastases"'))
    reason = 'preset = "glass/metastases"\noverride_reason = "protocol of our centre"'
    case = prepare(edited(r"^preset = .*", reason))
    assert any(n.name == "LimitOverride" and "protocol of our centre" in n.message for n in case.notices)


def test_goals(edited):
    shortfall = edited(r"^preset", "goal = { shortfall_below_gy = 205 }\npreset").prescription.goal
    assert shortfall == WeightedSum(tuple((1.0, MeanShortfall(name, 205.0)) for name in RATIOS))
    assert edited(r"^preset", 'goal = { structure_mean = "A" }\npreset').prescription.goal == StructureMean("A")
    with pytest.raises(CaseFileError, match=r"\[prescription\]\.goal: A goal must be"):
        edited(r"^preset", 'goal = "best"\npreset')


def test_sites_that_are_forbidden_and_required(edited):
    wishes = 'forbidden_sites = ["left"]\nrequired_sites = ["right"]\nleast_activity_gbq = 0.2\nmost_activity_gbq = 3\n'
    prescription = edited(r"^preset", wishes + "preset").prescription
    assert (prescription.forbidden_sites, prescription.required_sites) == (("left",), ("right",))
    assert prescription.most_activity_gbq == 3.0
    with pytest.raises(CaseFileError, match=r"forbidden_sites names \['lift'\], which are no sites: use proper, left"):
        edited(r"^preset", 'forbidden_sites = ["lift"]\npreset')
    with pytest.raises(LimitError, match="required_sites need least_activity_gbq"):
        edited(r"^preset", 'required_sites = ["left"]\npreset')


def test_lung_doses_of_one_session_and_of_all_stand_side_by_side(edited):
    limits = '\n[[prescription.limits]]\nquantity = "lungs"\nat_most_gy = 50\nearlier_gy = 25\n'
    assert [str(limit) for limit in edited(append=limits).prescription.limits][1:] == [
        "mean dose, lungs <= 30 Gy",
        "mean dose, lungs (with 25 Gy before) <= 50 Gy",
    ]


@pytest.mark.parametrize(
    "prescription",
    [
        Prescription.from_preset(preset("resin/bilobar"), at_most_sites=2),
        Prescription.from_preset(preset("glass/lobectomy"), "comparison", goal=LowestColdestMean(30.0)),
        Prescription(
            goal=MeanShortfall("A", 120.0) + 0.5 * VoxelShortfall("B", 90.0),
            limits=(
                VolumeAbove("normal liver", 40.0).at_most(percent=30),
                LungDose(25.0).at_most(gy=50).because(Provenance("our protocol", 'called "strict"')),
            ),
            least_activity_gbq=0.1,
            most_activity_gbq=2.5,
            forbidden_sites=("left",),
            required_sites=("right",),
        ),
    ],
    ids=["preset", "preset of another device with a goal", "limits of the user"],
)
def test_a_written_prescription_is_read_again(prescription, tmp_path):
    path = write_case(small_inputs(tumour_to_normal=RATIOS, prescription=prescription), tmp_path)
    assert read_case(path).prescription == prescription


def test_limits_beside_a_preset_are_written_and_changed_ones_refused(tmp_path):
    base = Prescription.from_preset(preset("resin/bilobar"))
    more = replace(base, limits=(*base.limits, MeanDose("gallbladder").at_most(gy=25)))
    assert read_case(write_case(small_inputs(prescription=more), tmp_path)).prescription == more
    changed = replace(base, limits=(replace(base.limits[0], bound=55.0), *base.limits[1:]))
    with pytest.raises(CaseFileError, match="preset 'resin/bilobar' were changed"):
        write_case(small_inputs(prescription=changed), tmp_path / "new")


def test_labels_named_tumours_and_parts(edited):
    inputs = edited(
        r"^tumours = .*",
        'tumours = { "lesion left" = "B", "lesions right" = ["A", "C"] }',
        append='\n[[sites]]\nname = "part"\nperfused = "liver"\nnearest_to = "lesion left"\nlung_shunt = 0.05\n',
    )
    inputs.tumour_to_normal.clear()
    case = prepare(inputs)
    assert [t.name for t in case.structures.tumours] == ["lesion left", "lesions right"]
    assert case.sites[-1].pattern is Pattern.SCOUT
    part = case.sites[-1].perfused
    left, right = (t.mask for t in case.structures.tumours)
    assert part[left].all() and not part[right].any()


def test_ratio_of_an_unknown_tumour_is_refused(edited):
    with pytest.raises(StructureError, match=r"\['Z'\]"):
        prepare(edited(r'^"A" = .*', '"A" = 4.0\n"Z" = 3.0'))


def test_case_on_several_grids_cannot_be_written(tmp_path):
    other = small_inputs()
    moved = other.structures[1].source.grid.box((1, 0, 0), other.structures[1].source.grid.shape)
    structure = replace(other.structures[1], source=replace(other.structures[1].source, grid=moved))
    with pytest.raises(CaseFileError, match="different grids"):
        write_case(replace(other, structures=(other.structures[0], structure)), tmp_path / "new")
    assert not (tmp_path / "new").exists()
