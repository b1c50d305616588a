"""Which arteries feed other organs than the liver, by statement, by name or by where they end."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np
from scipy.spatial import cKDTree

from radioembolization.errors import TerritoryError
from radioembolization.images import Grid
from radioembolization.structures.name_words import plain
from radioembolization.territories.arteries import ArterialTree, Artery

#: What the name of an artery says about the organ it feeds; words in small letters without accents, the first match
#: counts.  Latin, English, German, French, Italian, Spanish, Portuguese and Dutch.
_FEEDS: tuple[tuple[str, str], ...] = (
    (
        "gallbladder",
        r"\bcysti(c|ca|que|sche|sch)\b|\bcistica\b|\bzystica\b|\bzystisch|gall ?bladder|gallenblas|galblaas",
    ),
    ("duodenum", r"duoden|\bgda\b|zwolffingerdarm|twaalfvingerige"),
    (
        "stomach",
        r"\bgastri(c|ca|cae|cas|que|ques|sche|sch)\b|gastro ?(epiplo|oment)|\b(rga|lga)\b|\bmagen|\bmaag|stomach|"
        r"estomac|estomago|stomaco|\bcoronaria ventriculi\b",
    ),
    ("spleen", r"\be?splen|\blienal|\bmilz|\bmilt|\bsplenique"),
    ("pancreas", r"pancrea|pankrea|alvleesklier"),
    ("diaphragm", r"\bphreni|\bfreni|\bdiafragma|\bdiaphragm|\bzwerchfell"),
    ("abdominal wall", r"falciform"),
    ("colon", r"\bcolic(a|ae)?\b|\bcolique|\bkolik|mesenterica inferior|inferior mesenteric"),
    ("kidney", r"\brenal(is|e)?\b|\bniere|\bnierslagader|\bsuprarenal|\badrenal"),
)
#: Vessels that feed far more than the liver; nobody injects microspheres there.
_TRUNK = (
    r"\baort|\bco?eliac|\bco?eliaque|\bzoliak|\bseliak|\b(superior mesenteric|mesenterica superior)|"
    r"mesenterique superieure|obere (gekros|mesenterial)|bovenste darm|\b(sma|ams)\b|"
    r"common hepatic|hepatic\w* communis|hepatique commune|(h)?epatica com(un|une|um)\b|\bcha\b|"
    r"gemeinsame leber|gemeenschappelijke lever"
)
_LIVER = (
    r"\bliver|hepat|epatic|\bleber|\blever|\bfoie\b|higado|figado|\bfegato|\bsegment|\bs [1-8]\b|\b(rha|lha|mha|pha)\b"
)
#: What follows only says where the artery comes from.
_ORIGIN = re.compile(
    r"\(|\b(branch|branches|ramus|rami|ast|zweig|branche|rameau|ramo|rama|tak) (of|from|der|des|de|du|della|van)\b|"
    r"\b(from|beyond|off|ex|aus|vom|von|depuis|issue?|desde|uit|arising)\b",
    re.IGNORECASE,
)


def organ_of_artery(name: str) -> str:
    """Return the organ that the name of an artery speaks of, ``""`` if of none but the liver.

    What follows "from" or "branch of" only says where the artery comes from:
    ``"left hepatic from left gastric"`` feeds the liver.
    """
    own = _own_name(name)
    return next((organ for organ, words in _FEEDS if re.search(words, own)), "")


def is_trunk(name: str) -> bool:
    """Return whether a name is that of the aorta, the celiac trunk, the common hepatic or superior mesenteric."""
    return bool(re.search(_TRUNK, _own_name(name)))


def organs_of_arteries(tree: ArterialTree, stated: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the organ of every artery that feeds another organ than the liver.

    What is stated counts first, then the name, then the organ of the artery it leaves, unless its name speaks of the
    liver: a left hepatic that leaves the left gastric feeds the liver.

    Parameters
    ----------
    tree : ArterialTree
    stated : mapping of str to str
        Organ by artery; an empty text says that the artery feeds the liver.

    Raises
    ------
    TerritoryError
        If an artery is stated that the tree does not have.
    """
    stated = stated or {}
    for name in stated:
        tree.artery(name)
    found: dict[str, str] = {}
    for artery in tree.arteries:
        inherited = "" if artery.parent is None or _speaks_of_liver(artery.name) else found.get(artery.parent, "")
        found[artery.name] = stated.get(artery.name, organ_of_artery(artery.name) or inherited)
    return {name: organ for name, organ in found.items() if organ}


def organs_by_territory(
    tree: ArterialTree,
    grid: Grid,
    liver: np.ndarray,
    organs: Mapping[str, np.ndarray],
    reach_mm: float = 15.0,
) -> dict[str, str]:
    """Return the organ of every artery that ends outside the liver and nearer to a drawn organ than to the liver.

    Arteries whose names say what they feed are left out, and so are those that end farther than ``reach_mm`` from
    every organ.  Those that end inside the liver are stated to feed it (``""``), whatever artery they leave.

    Parameters
    ----------
    tree : ArterialTree
    grid : Grid
    liver : ndarray (z, y, x) of bool
    organs : mapping of str to ndarray (z, y, x) of bool
        Gallbladder, stomach, duodenum as drawn.
    reach_mm : float
    """
    if not np.isfinite(reach_mm) or reach_mm <= 0:
        raise TerritoryError(f"The reach of an organ must be a positive length, not {reach_mm:g} mm.")
    trees = {name: cKDTree(grid.to_lps(np.argwhere(mask))) for name, mask in organs.items() if mask.any()}
    if not (trees and liver.any()):
        return {}
    to_liver = cKDTree(grid.to_lps(np.argwhere(liver)))
    found = {}
    for stretch in tree.terminal_stretches:
        name = tree.stretches[stretch].artery
        tip = tree.artery(name).tip_lps_mm
        if organ_of_artery(name) or _speaks_of_liver(name):
            continue
        if _inside(liver, grid, tip) and not any(_inside(mask, grid, tip) for mask in organs.values()):
            found[name] = ""
            continue
        away = {organ: float(other.query(tip)[0]) for organ, other in trees.items()}
        nearest = min(away, key=lambda organ: away[organ])
        if away[nearest] <= reach_mm and away[nearest] <= to_liver.query(tip)[0]:
            found[name] = nearest
    return found


def drawn_organs(drawn: Iterable[str]) -> dict[str, str]:
    """Return the organ of every drawn structure whose name, in one of several languages, is that of a fed organ.

    Of several structures of one organ the first counts.
    """
    found: dict[str, str] = {}
    for name in drawn:
        organ = next((organ for organ, words in _DRAWN.items() if re.search(words, plain(name))), "")
        if organ and organ not in found.values():
            found[name] = organ
    return found


#: Names of drawn organs that arteries feed.
_DRAWN = {
    "gallbladder": r"gall ?bladder|gallen?blase|galblaas|vesicule|vesicula|cistifellea|colecisti|safra kesesi",
    "stomach": r"stomach|\bmagen\b|estomac|stomaco|estomago|\bmaag\b|^mide$",
    "duodenum": r"duoden|zwolffingerdarm|zwoelffingerdarm|twaalfvingerige|onikiparmak",
    "spleen": r"spleen|\bmilz\b|^(la )?rate$|\bmilza\b|\bbazo\b|\bbaco\b|\bmilt\b|\bdalak\b",
    "pancreas": r"pancrea|pankrea|alvleesklier",
    "kidney": r"kidney|niere|\bnier(en)?\b|\breins?\b|\brene\b|\breni\b|rinon|bobrek",
}


def ends_inside(artery: Artery, grid: Grid, mask: np.ndarray) -> bool:
    """Return whether the end of an artery lies in a mask (z, y, x)."""
    return _inside(mask, grid, artery.tip_lps_mm)


def _own_name(name: str) -> str:
    """Return the words of a name before what it says of its origin."""
    text = re.sub(r"[_\s]+", " ", name).replace("œ", "oe")
    start = _ORIGIN.search(text)
    return plain(text[: start.start()]) if start and start.start() > 0 else plain(text)


def _speaks_of_liver(name: str) -> bool:
    return bool(re.search(_LIVER, _own_name(name)))


def _inside(mask: np.ndarray, grid: Grid, position_lps_mm: np.ndarray) -> bool:
    index = np.rint(grid.to_index(position_lps_mm)).astype(int)
    return bool(np.all((index >= 0) & (index < mask.shape)) and mask[tuple(index)])
