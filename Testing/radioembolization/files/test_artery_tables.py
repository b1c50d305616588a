"""``[arteries]`` in a case file: which sites it makes, how ``[[sites]]`` change them, and every wrong entry."""

import json

import numpy as np
import pytest

from artery_case import ARTERIES, small_tree, write_artery_case
from radioembolization.errors import CaseFileError, InputError, TerritoryError
from radioembolization.files import read_case, write_volume
from radioembolization.files.markups_file import NamedPoint, write_points
from radioembolization.files.tree_file import read_tree_json, tree_from_text, tree_to_text, write_tree_json
from radioembolization.images import Unit, Volume
from radioembolization.territories import Pattern
from radioembolization.treatment import prepare
from small_case import GRID
from support import quiet

NAMES = (
    *("proper hepatic", "left hepatic", "right hepatic", "right hepatic beyond cystic"),
    *("right anterior", "right posterior"),
)


@pytest.fixture
def read(tmp_path):
    """Return a function that reads the small case with arteries and sites."""
    return lambda arteries=ARTERIES, sites="", changes=("", ""): read_case(
        write_artery_case(tmp_path, arteries, sites, changes)
    )


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return read_case(write_artery_case(tmp_path_factory.mktemp("plain")))


def by_name(inputs):
    return {site.name: site for site in inputs.sites}


def site(**entries):
    """Return the text of a ``[[sites]]`` table whose values are TOML."""
    return "\n[[sites]]\n" + "".join(f"{key} = {value}\n" for key, value in entries.items())


def test_every_branch_of_the_tree_is_a_site(plain):
    assert tuple(s.name for s in plain.sites) == NAMES
    assert [s.upstream for s in plain.sites] == ["", *NAMES[:1] * 2, NAMES[2], *NAMES[3:4] * 2]
    assert {s.pattern for s in plain.sites} == {Pattern.SCOUT} and {s.lung_shunt for s in plain.sites} == {0.05}
    # Murray: 0.6^3 / (0.6^3 + 1.8^3) of what is injected before the cystic artery leaves.
    assert by_name(plain)["right hepatic"].outflow == {"gallbladder": pytest.approx(0.216 / 6.048)}
    assert plain.arteries.names == small_tree().names and "arteries" in plain.hashes


def test_territories_nest_and_are_not_resampled(plain):
    case = prepare(plain)
    masks = {site.name: site.perfused for site in case.sites}
    for source in plain.sites:
        assert source.perfused.grid == case.structures.grid
    np.testing.assert_array_equal(masks["proper hepatic"], masks["left hepatic"] | masks["right hepatic"])
    np.testing.assert_array_equal(masks["right hepatic"], masks["right anterior"] | masks["right posterior"])
    np.testing.assert_array_equal(masks["proper hepatic"], case.structures.liver.mask)


def test_a_site_is_changed_by_its_name_and_another_called_by_its_artery(read):
    sites = site(name='"left hepatic"', lung_shunt=0.02, distribution='"flow"') + site(
        name='"RHA"', artery='"right hepatic"', extrahepatic_share=0.0, inject_at='"2026-12-01T09:00+01:00"'
    )
    vials = '\n[vials]\ncalibrations = ["2026-11-29T12:00+01:00"]\n'
    inputs = read(sites=sites + vials)
    changed = by_name(inputs)
    assert (changed["left hepatic"].lung_shunt, changed["left hepatic"].pattern) == (0.02, Pattern.FLOW)
    assert changed["left hepatic"].upstream == "proper hepatic"
    assert "right hepatic" not in changed and changed["right hepatic beyond cystic"].upstream == "RHA"
    assert (changed["RHA"].extrahepatic_share, dict(changed["RHA"].outflow)) == (0.0, {})  # coiled
    assert list(inputs.analysis.vials.inject_at) == ["RHA"]
    assert len(inputs.sites) == len(NAMES)


def test_trunks_are_offered_where_they_are_named(read):
    inputs = read(sites=site(name='"CHA"', artery='"common hepatic"'))
    assert inputs.sites[0].name == "CHA" and inputs.sites[1].name != "proper hepatic"


def test_only_points_and_named_arteries_with_candidates_false(read, tmp_path):
    write_points([NamedPoint("mine", (20.0, -8.0, -3.0))], tmp_path / "mine.mrk.json")
    arteries = ARTERIES + 'candidates = false\npoints = "mine.mrk.json"\n'
    inputs = read(arteries, site(name='"RHA"', artery='"right hepatic"'))
    assert {s.name for s in inputs.sites} == {"mine", "RHA"} and "points" in inputs.hashes
    assert all(s.upstream == "" for s in inputs.sites)
    x, y, z = by_name(inputs)["mine"].position_lps_mm
    assert np.array([x, y, z]) == pytest.approx(
        np.array([0.0, -10.0, -15.0]) + 1150 / 2450 * np.array([45.0, 5.0, 20.0])
    )  # foot on the line


def test_generated_sites_can_be_required(read):
    changes = (
        r"^at_most_sites = 2",
        'at_most_sites = 2\nleast_activity_gbq = 0.1\nrequired_sites = ["right anterior"]',
    )
    assert read(changes=changes).prescription.required_sites == ("right anterior",)
    with pytest.raises(CaseFileError, match=r"required_sites names \['left lobe'\].*use proper hepatic, left hepatic"):
        read(changes=(changes[0], changes[1].replace("right anterior", "left lobe")))


def test_flow_weighted_sites_have_a_supply_that_adds_up(read):
    inputs = by_name(read(ARTERIES + 'model = "flow"\nwatershed_mm = 8.0\nexponent = 2.7\ndistance = "straight"\n'))
    left, right = (inputs[name].supply.array for name in ("left hepatic", "right hepatic"))
    np.testing.assert_allclose(left + right, inputs["proper hepatic"].supply.array, atol=1e-5)
    shared = (left > 0.05) & (right > 0.05)
    assert shared.any() and (inputs["left hepatic"].perfused.mask & inputs["right hepatic"].perfused.mask).any()


def test_an_artery_of_another_organ_by_statement(read):
    inputs = read(ARTERIES + '[arteries.organs]\n"right posterior" = "stomach"\n')
    assert "right posterior" not in by_name(inputs) and "stomach" in by_name(inputs)["right hepatic"].outflow


def test_a_grown_tree_is_called_synthetic(read):
    inputs = read("\n[arteries]\nsynthetic = { seed = 3, terminals = 9 }\n")
    assert inputs.arteries.synthetic and len(inputs.sites) > 3
    case = prepare(inputs)
    assert case.synthetic and "SyntheticData" in {notice.name for notice in case.notices}


def _tube():
    """Return a mask of a thick Y in the liver."""
    positions = GRID.to_lps(np.moveaxis(np.indices(GRID.shape), 0, -1))
    mask = np.zeros(GRID.shape, dtype=bool)
    for start, end in (((0, -5, -50), (0, -5, 0)), ((0, -5, 0), (50, -5, 20)), ((0, -5, 0), (-50, -5, 20))):
        for share in np.linspace(0.0, 1.0, 60):
            centre = (1 - share) * np.array(start) + share * np.array(end)
            mask |= np.linalg.norm(positions - centre, axis=-1) < 7.0
    return mask


def test_a_vessel_mask_or_segment_becomes_the_tree(read, tmp_path):
    pytest.importorskip("skimage")
    write_volume(Volume(_tube().astype(np.uint8), GRID, Unit.LABEL), tmp_path / "vessels.nrrd")
    with quiet():
        inputs = read('\n[arteries]\nfile = "vessels.nrrd"\nroot = [0.0, -5.0, -50.0]\n')
    assert len(inputs.arteries.arteries) == 3 and len(inputs.sites) == 3
    np.testing.assert_allclose(inputs.arteries.root.points_lps_mm[0], (0.0, -5.0, -50.0), atol=8.0)
    with pytest.raises(CaseFileError, match="branches of a vessel mask have no names"):
        read('\n[arteries]\nfile = "vessels.nrrd"\nroot = "celiac trunk"\n')


@pytest.mark.parametrize(
    ("arteries", "sites", "error", "message"),
    [
        (ARTERIES + "gap = 5.0\n", "", CaseFileError, r"\[arteries\] has an unknown entry 'gap'"),
        ('\n[arteries]\nmodel = "flow"\n', "", CaseFileError, "needs one of file, segment and synthetic"),
        (ARTERIES + 'segment = "x"\n', "", CaseFileError, "one of file, segment and synthetic.*file and segment"),
        (ARTERIES + 'model = "murray"\n', "", CaseFileError, "one of nearest, flow"),
        (ARTERIES + "watershed_mm = 5\n", "", CaseFileError, "watershed_mm is for model = 'flow'"),
        (ARTERIES + 'model = "flow"\nwatershed_mm = -1\n', "", TerritoryError, "watersheds must not be negative"),
        (ARTERIES + "smallest_radius_mm = 9\n", "", TerritoryError, "the widest artery.*'proper hepatic', has 2.20 mm"),
        (
            ARTERIES + "[arteries.organs]\ncystic = 1\n",
            "",
            CaseFileError,
            r"organs says by artery.*\['cystic'\] do not",
        ),
        (ARTERIES + '[arteries.organs]\nsplenic = "spleen"\n', "", TerritoryError, "no artery 'splenic'"),
        ("\n[arteries]\nsynthetic = { sead = 1 }\n", "", CaseFileError, "unknown entry 'sead': did you mean 'seed'"),
        ("\n[arteries]\nsynthetic = { seed = 1.5 }\n", "", InputError, "seed must be a whole number"),
        (
            ARTERIES,
            site(name='"x"', artery='"LHA"'),
            CaseFileError,
            r"number 1.artery 'LHA' is no artery.*left hepatic",
        ),
        (ARTERIES, site(name='"x"', artery='"cystic"'), CaseFileError, "artery 'cystic', which offers no site"),
        (ARTERIES, site(name='"left"'), CaseFileError, "'left', which is no candidate.*use one of proper hepatic"),
        (ARTERIES, site(name='"x"', artery='"left hepatic"', perfused='"liver"'), CaseFileError, "both artery and"),
        (ARTERIES, site(name='"a"', artery='"left hepatic"') * 2, CaseFileError, "number 2 is at the same place as"),
        (
            "",
            site(name='"x"', artery='"left hepatic"'),
            CaseFileError,
            r"artery needs the arterial tree: add \[arteries\]",
        ),
        ("", site(name='"x"'), CaseFileError, "has no entry 'perfused'"),
    ],
)
def test_wrong_entries_are_named(read, arteries, sites, error, message):
    with pytest.raises(error, match=message), quiet():
        read(arteries, sites)


def test_every_site_needs_a_lung_shunt(read):
    with pytest.raises(CaseFileError, match="Site 'proper hepatic' of the arteries has no lung_shunt"):
        read(changes=(r"^shunt = 0.05\n", ""))


def test_a_tree_comes_back_from_json_as_it_was(tmp_path):
    write_tree_json(small_tree(), tmp_path / "a.tree.json")
    found = read_tree_json(tmp_path / "a.tree.json")
    assert (found.names, found.source, found.synthetic) == (small_tree().names, "by hand", False)
    for one, other in zip(found.arteries, small_tree().arteries, strict=True):
        np.testing.assert_array_equal(one.points_lps_mm, other.points_lps_mm)
        np.testing.assert_array_equal(one.radius_mm, other.radius_mm)
        assert one.parent == other.parent
    text = (tmp_path / "a.tree.json").read_text(encoding="utf-8")
    assert tree_to_text(small_tree()) == text == tree_to_text(tree_from_text(text))
    for wrong in (b"{}", b"\xff", b"[1]"):
        (tmp_path / "a.tree.json").write_bytes(wrong)
        with pytest.raises(InputError, match=r"'a\.tree\.json' is no arterial tree of this program"):
            read_tree_json(tmp_path / "a.tree.json")
    with pytest.raises(InputError, match="'arteries of the scene' is no arterial tree"):
        tree_from_text("", "arteries of the scene")


def test_an_unknown_vessel_segment_is_named(read):
    with pytest.raises(InputError, match="hepatic veins"):
        read('\n[arteries]\nsegment = "hepatic veins"\n')


def test_underscores_in_names_of_files_become_blanks_and_both_spellings_are_understood(read, tmp_path):
    """As in a table of centrelines whose vessels are called like files."""
    table = {
        artery.name.replace(" ", "_"): {
            "kind": "artery",
            "points_mm_LPS": artery.points_lps_mm.tolist(),
            "radius_mm": artery.radius_mm.tolist(),
        }
        for artery in small_tree().arteries
    }
    (tmp_path / "c.json").write_text(json.dumps(table), encoding="utf-8")
    arteries = (
        '\n[arteries]\nfile = "c.json"\nroot = "common_hepatic"\n[arteries.organs]\n"right_posterior" = "stomach"\n'
    )
    sites = site(name='"right_hepatic_beyond_cystic"', lung_shunt=0.01) + site(name='"LHA_2"', artery='"left_hepatic"')
    changes = (
        r"^at_most_sites = 2",
        'at_most_sites = 2\nleast_activity_gbq = 0.1\nrequired_sites = ["right_hepatic"]\n'
        'forbidden_sites = ["proper hepatic"]\n'
        '[[prescription.limits]]\nquantity = "site_activity"\nsite = "proper_hepatic"\nat_most_gbq = 1.0\n',
    )
    with quiet():
        inputs = read(arteries, sites, changes)
    assert [s.name for s in inputs.sites] == [
        *("proper hepatic", "LHA_2", "right hepatic", "right hepatic beyond cystic", "right anterior"),
    ]
    assert by_name(inputs)["right hepatic beyond cystic"].lung_shunt == 0.01
    assert inputs.prescription.required_sites == ("right hepatic",)
    assert inputs.prescription.limits[-1].quantity.site == "proper hepatic"
    trunk = read(arteries, site(name='"CHA"', artery='"common_hepatic"'))
    assert trunk.sites[0].name == "CHA"


def test_a_candidate_that_another_stands_for_names_it(read, tmp_path):
    write_points([NamedPoint("mine", (-13.0, -7.0, -10.0))], tmp_path / "mine.mrk.json")
    arteries = ARTERIES + 'points = "mine.mrk.json"\n'
    said = r"'right hepatic beyond cystic' reaches the same as 'mine', which stands for both: use 'mine'"
    with pytest.raises(CaseFileError, match=r"\[\[sites\]\] number 1: site " + said):
        read(arteries, site(name='"right hepatic_beyond cystic"', lung_shunt=0.01))
    changes = (r"^at_most_sites = 2", 'forbidden_sites = ["right hepatic beyond cystic"]')
    with pytest.raises(CaseFileError, match="forbidden_sites: site " + said):
        read(arteries, changes=changes)


@pytest.mark.parametrize(
    "arteries, sites, match",
    [
        (
            ARTERIES + 'root = "left hepatic"\n',
            "",
            r"\[arteries\]\.root is for separate vessels and masks.*leave root out",
        ),
        ("\n[arteries]\nsynthetic = { seed = 1 }\ngap_mm = 3\n", "", r"\.gap_mm is for separate.*leave gap_mm out"),
        (ARTERIES, site(name='"a"', artery=3), "artery must be a text"),
        (ARTERIES, site(name='"left hepatic"', upstream='"right hepatic"'), "upstream is for sites with a perfused"),
        (
            ARTERIES,
            site(name='"left hepatic"', scout='"scout.nrrd"', distribution='"flow"'),
            'scout of its own, which distribution = "flow" does not use',
        ),
    ],
)
def test_entries_that_would_say_nothing_are_refused(read, arteries, sites, match):
    with pytest.raises(CaseFileError, match=match):
        read(arteries, sites)
