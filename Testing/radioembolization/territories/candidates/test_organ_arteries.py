"""Arteries of other organs: by name in several languages, by statement, by where they end."""

import numpy as np
import pytest

from hepatic_tree import artery, hepatic_tree
from radioembolization.errors import TerritoryError
from radioembolization.images import Grid
from radioembolization.territories.arteries import ArterialTree
from radioembolization.territories.candidates.organ_arteries import (
    drawn_organs,
    is_trunk,
    organ_of_artery,
    organs_by_territory,
    organs_of_arteries,
)


@pytest.mark.parametrize(
    ("organ", "names"),
    [
        ("gallbladder", "cystic_artery; Arteria cystica; A. cystica; artère cystique; arteria cística; "
         "arteria cistica; Gallenblasenarterie; CysticArtery; cystic from right hepatic"),
        ("stomach", "right gastric; Left_Gastric_Artery; arteria gastrica dextra; artère gastrique droite; "
         "arteria gástrica izquierda; linke Magenarterie; rechter maagslagader; RGA; A. gastroepiploica dextra; "
         "short gastric arteries; accessory left gastric (from left hepatic)"),
        ("duodenum", "gastroduodenal artery; arteria gastroduodenalis; artère gastro-duodénale; GDA; supraduodenal; "
         "Zwölffingerdarmarterie; arteria gastroduodenal; pancreaticoduodenal"),
        ("spleen", "splenic artery; arteria lienalis; artère splénique; arteria esplénica; Milzarterie; miltslagader"),
        ("diaphragm", "inferior phrenic; arteria phrenica inferior; Zwerchfellarterie"),
        ("abdominal wall", "falciform artery; A. falciformis"),
        ("", "right hepatic; left_hepatic_artery; segment 4 branch; "
         "middle_hepatic_artery_branch_of_left_hepatic_artery; arteria hepatica propria; branch 12; "
         "replaced left hepatic from left gastric; left hepatic (replaced, from left gastric); "
         "rechte Leberarterie; hepatic cyst feeder"),
    ],
)  # fmt: skip
def test_names_tell_the_organ(organ, names):
    assert {name: organ_of_artery(name.strip()) for name in names.split(";")} == dict.fromkeys(names.split(";"), organ)


def test_trunks_by_name():
    trunks = (
        "celiac trunk; Truncus coeliacus; tronc cœliaque; aorta; common_hepatic_artery; arteria hepatica communis; "
        "artère hépatique commune; superior mesenteric artery; SMA; arteria mesenterica superior; tronco celiaco"
    )
    others = (
        "proper hepatic; right hepatic; replaced right hepatic from superior mesenteric; hepatic artery; "
        "arteria hepatica propria; left hepatic branch of common hepatic; segment 4 branch"
    )
    assert [name for name in trunks.split("; ") if not is_trunk(name)] == []
    assert [name for name in others.split("; ") if is_trunk(name)] == []


def test_branches_inherit_the_organ_unless_they_speak_of_the_liver():
    tree = hepatic_tree(
        one=artery("branch 1", "right gastric", (10, 0, 50), (10, 20, 50), 0.5),
        two=artery("replaced left hepatic", "right gastric", (15, 0, 50), (15, 20, 50), 0.5),
    )
    assert organs_of_arteries(tree) == {"right gastric": "stomach", "cystic": "gallbladder", "branch 1": "stomach"}


def test_what_is_stated_counts_before_the_name():
    organs = organs_of_arteries(hepatic_tree(), {"cystic": "", "thin": "duodenum"})
    assert organs == {"right gastric": "stomach", "thin": "duodenum"}
    with pytest.raises(TerritoryError, match="no artery 'middle hepatic'"):
        organs_of_arteries(hepatic_tree(), {"middle hepatic": "stomach"})


def _tree_with_ends(ends):
    trunk = artery("trunk", None, (0, 0, 0), (0, 0, 10), 1.0)
    return ArterialTree((trunk, *(artery(name, "trunk", (0, 0, 10), end, 0.5) for name, end in ends.items())))


def test_by_where_arteries_end():
    grid = Grid((20, 20, 20), (2.0, 2.0, 2.0), (-20.0, -20.0, 0.0))
    liver, stomach = (np.zeros(grid.shape, dtype=bool) for _ in range(2))
    liver[:, :, :9] = True  # x <= -4
    stomach[:, :, 15:] = True  # x >= 10
    ends = {
        "branch 1": (-10, 0, 20),
        "branch 2": (0, 0, 20),  # 4 mm from the liver, 10 from the stomach
        "branch 3": (7, 0, 20),  # 11 and 3 mm
        "left hepatic": (8, 0, 20),  # its name speaks of the liver
        "cystic": (9, 0, 20),  # its name says where it goes
        "far": (9, 60, 20),
    }
    tree = _tree_with_ends(ends)
    assert organs_by_territory(tree, grid, liver, {"stomach": stomach}) == {
        "branch 1": "",
        "branch 3": "stomach",
    }
    assert organs_by_territory(tree, grid, liver, {"stomach": stomach}, reach_mm=2.0) == {"branch 1": ""}
    assert organs_by_territory(tree, grid, liver, {"stomach": stomach | liver})["branch 1"] == "stomach"
    assert organs_by_territory(tree, grid, liver, {}) == {}
    with pytest.raises(TerritoryError, match="positive"):
        organs_by_territory(tree, grid, liver, {"stomach": stomach}, reach_mm=-1.0)


def test_drawn_organs_in_other_languages():
    drawn = ("Gallenblase", "Magen (Wand)", "left kidney", "resection margin", "Zwölffingerdarm", "stomach 2")
    assert drawn_organs(drawn) == {
        "Gallenblase": "gallbladder",
        "Magen (Wand)": "stomach",
        "left kidney": "kidney",
        "Zwölffingerdarm": "duodenum",
    }
