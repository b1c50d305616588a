"""Sites of a case file: perfused volumes from files of their own, scouts of their own, outflow to organs."""

import re

import numpy as np
import pytest

from radioembolization.errors import CaseFileError, InputError
from radioembolization.files import read_case, write_case, write_segmentation, write_volume
from radioembolization.images import Grid, Unit, Volume
from radioembolization.territories import Pattern
from radioembolization.treatment import prepare
from small_case import GRID, RATIOS, small_inputs
from support import ellipsoid, quiet

#: Its own grid: finer, and smaller than that of the structures.
OWN = Grid((40, 50, 60), (2.5, 2.5, 2.5), (-10.0, -60.0, -45.0))
LEFT = ellipsoid(OWN, (80.0, 0.0, 0.0), 78.0) & ellipsoid(OWN, (0.0, 0.0, 0.0), (68.0, 55.0, 50.0))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    write_case(small_inputs(tumour_to_normal=RATIOS), folder)
    return folder


@pytest.fixture
def read(written, tmp_path):
    """Return a function that reads the small case with another last site, whose files lie in ``tmp_path``."""

    def with_site(entries):
        text = (written / "case.toml").read_text(encoding="utf-8")
        text = re.sub(r'"([a-z]+(\.seg)?\.nrrd)"', lambda found: f'"{(written / found[1]).as_posix()}"', text)
        path = tmp_path / "edited.toml"
        path.write_text(f'{text}\n[[sites]]\nname = "own"\nlung_shunt = 0.05\n{entries}\n', encoding="utf-8")
        return read_case(path)

    return with_site


def agreement(inputs):
    """Return the Dice coefficient of the territory of the site on the planning grid with what was drawn."""
    case = prepare(inputs)
    grid = case.structures.grid
    truth = ellipsoid(grid, (80.0, 0.0, 0.0), 78.0) & ellipsoid(grid, (0.0, 0.0, 0.0), (68.0, 55.0, 50.0))
    return dice(case.sites[-1].perfused, truth)


def dice(a, b):
    return 2.0 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


@pytest.mark.parametrize(("kind", "value"), [("mask", 7), ("segment", 1), ("named", 1), ("label", 2)])
def test_a_perfused_volume_in_a_file_of_its_own_has_its_own_grid(read, tmp_path, kind, value):
    entries = 'perfused_file = "own.nrrd"'
    if kind in ("segment", "named"):
        masks = {"perfused": LEFT} | ({"other": ~LEFT} if kind == "named" else {})
        write_segmentation(masks, OWN, tmp_path / "own.seg.nrrd")
        entries = 'perfused_file = "own.seg.nrrd"' + ('\nperfused = "perfused"' if kind == "named" else "")
    else:
        labels = value * LEFT.astype(np.uint8) + (~LEFT).astype(np.uint8) * (kind == "label")
        write_volume(Volume(labels.astype(np.uint8), OWN, Unit.LABEL), tmp_path / "own.nrrd")
        entries += "\nperfused = 2" if kind == "label" else ""
    inputs = read(entries)
    assert inputs.sites[-1].perfused.grid.shape == OWN.shape and "perfused volume of own" in inputs.hashes
    assert agreement(inputs) > 0.98


def test_what_a_contrast_cbct_enhances_is_the_territory(read, tmp_path):
    image = np.where(LEFT, 260.0, 90.0) + np.random.default_rng(5).normal(0.0, 15.0, OWN.shape)
    write_volume(Volume(image.astype(np.float32), OWN, Unit.HU), tmp_path / "cbct.nrrd")
    inputs = read('perfused_file = "cbct.nrrd"')
    assert agreement(inputs) > 0.95


def test_an_uncertain_cbct_is_noticed(read, tmp_path):
    image = np.where(LEFT, 95.0, 90.0) + np.random.default_rng(5).normal(0.0, 15.0, OWN.shape)
    write_volume(Volume(image.astype(np.float32), OWN, Unit.HU), tmp_path / "cbct.nrrd")
    inputs = read('perfused_file = "cbct.nrrd"')
    notices = [notice.message for notice in inputs.notices if notice.name == "PerfusedVolumeUncertain"]
    assert any("perfused volume of own" in message for message in notices)


def test_several_segments_or_labels_have_to_be_named(read, tmp_path):
    write_segmentation({"a": LEFT, "b": ~LEFT}, OWN, tmp_path / "two.seg.nrrd")
    with pytest.raises(CaseFileError, match="has 2 segments: name in perfused which are meant: a, b"):
        read('perfused_file = "two.seg.nrrd"')
    labels = np.zeros(OWN.shape, np.uint8)
    labels[:, :20], labels[:, 30:] = 1, 2
    write_volume(Volume(labels, OWN, Unit.LABEL), tmp_path / "labels.nrrd")
    with pytest.raises(CaseFileError, match="is a label map: say in perfused"):
        read('perfused_file = "labels.nrrd"')


def test_a_scout_of_its_own_spreads_the_microspheres_of_its_site(read, tmp_path):
    spot = 50.0 * ellipsoid(GRID, (40.0, 10.0, 10.0), 15.0)
    write_volume(Volume(spot.astype(np.float32), GRID, Unit.COUNTS), tmp_path / "own.nrrd")
    with quiet():
        inputs = read('perfused = "territory of left"\nscout = "own.nrrd"')
        case = prepare(inputs)
    assert inputs.sites[-1].pattern is Pattern.SCOUT and "scout of own" in inputs.hashes
    fractions = case.territories.fraction_map(3)
    inside = ellipsoid(case.structures.grid, (40.0, 10.0, 10.0), 17.0)
    assert fractions[inside].sum() > 0.99 * 0.95 and fractions.sum() == pytest.approx(0.95)
    assert case.territories.fraction_map(1)[inside].sum() < 0.5  # the same territory by the scout of the case


def test_outflow_lodges_in_the_organ(read):
    inputs = read('perfused = "territory of left"\noutflow = { gallbladder = 0.02 }')
    assert inputs.sites[-1].extrahepatic_share == pytest.approx(0.02)
    case = prepare(inputs)
    organ = case.structures.organs[0].mask.ravel()
    lodged = case.territories.outflow.toarray()[3]
    assert lodged.sum() == pytest.approx(0.02) and lodged[~organ].sum() == 0.0
    assert case.territories.fraction_map(3).sum() == pytest.approx(1 - 0.05 - 0.02)
    shares = read('perfused = "territory of left"\nextrahepatic_share = 0.05\noutflow = { gallbladder = 0.02 }').sites[
        -1
    ]
    assert (shares.extrahepatic_share, dict(shares.outflow)) == (0.05, {"gallbladder": 0.02})


@pytest.mark.parametrize(
    ("entries", "error", "message"),
    [
        ('perfused_file = "none.nrrd"', InputError, "none.nrrd"),
        ('perfused = "territory of left"\nscout = "none.nrrd"', InputError, "none.nrrd"),
        ('perfused = "territory of left"\noutflow = 0.02', CaseFileError, "outflow must be a table of numbers"),
        (
            'perfused = "territory of left"\nextrahepatic_share = 0.01\noutflow = { gallbladder = 0.02 }',
            InputError,
            "0.02 are stated to flow out to gallbladder",
        ),
        ('perfused = "territory of left"\nupstream = "nobody"', InputError, "nobody"),
    ],
)
def test_wrong_entries_are_named(read, entries, error, message):
    with pytest.raises(error, match=message):
        prepare(read(entries))


def test_a_territory_outside_the_liver_is_refused(read, tmp_path):
    write_volume(Volume(ellipsoid(GRID, (0.0, 0.0, 66.0), 5.0).astype(np.uint8), GRID, Unit.LABEL), tmp_path / "o.nrrd")
    with pytest.raises(InputError, match="'own': its perfused volume has no voxel inside the liver"):
        prepare(read('perfused_file = "o.nrrd"'))
