"""Words that names of segments are made of, in several languages, and the role they show together.

Languages: English, German, French, Italian, Spanish, Portuguese, Dutch, Turkish, and where a word is the same or close
also Danish, Norwegian, Swedish and Polish.  Words stand here without accents and in small letters; only those that are
no word of another kind in another of these languages stand for themselves.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

from radioembolization.structures.structure_set import Role


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LIVER = _words("liver livers leber lever foie fegato higado figado karaciger watroba")
_LUNGS = _words(
    "lung lungs lunge lungen lungenflugel poumon poumons polmone polmoni pulmon pulmones pulmao pulmoes "
    "long longen akciger akcigerler lunga lungor lungs pluco pluca"
)
_WHOLE = _words(
    "whole entire total all complete full ganze ganz gesamte gesamt totale entier entiere complet intero completo "
    "entero inteiro gehele hele tum butun"
)
_ARTICLES = _words("the die das der le la les l el il lo i o os as de het")
_MADE_AS = _words("ct mr mri pet spect seg segmentation mask maske masque roi voi contour label auto manual organ")
_SIDES = _words(
    "left right both l r lt rt li re links rechts linke rechte linker rechter linkes rechtes beide beider gauche droit "
    "droite gauches droits deux sinistro sinistra destro destra sinistri destri izquierdo izquierda derecho derecha "
    "esquerdo esquerda direito direita ambos entrambi sol sag sx dx bilateral"
)
_LOBES = _words(
    "lobe lobes upper middle lower lobus lappen oberlappen mittellappen unterlappen superior inferior medio moyen"
)
_TUMOUR_PARTS = re.compile(
    r"tumou?r|tumeur|l(e|a|ae)si(o|e)|lesoes|lesao|lezyon|metasta[sz]|neoplas|[ck]arcinom|hepatom"
)
_TUMOUR_WORDS = _words("hcc chc ccc icc net nets met mets crlm gtv gtvp gtvt herd herde rundherd rundherde")
_OTHER_ORGANS = re.compile(
    r"lung|poumon|polmon|pulmo|pulmao|akciger|\blong(en)?(tumor|meta|l[ae])|\blong\b|kidney|niere|renal|\brene?\b|\brein\b|"
    r"bobrek|spleen|milz|dalak|bone|knochen|\bos\b|lymph|brain|hirn|pancrea|pankrea|colon|rectum|prostat|breast|mamma|"
    r"stomach|\bmagen|adrenal"
)
_LIVER_PARTS = re.compile(r"liver|leber|\blever|foie|fegato|higado|figado|karaciger|hepat|epatic")
#: Parts, surroundings and opposites of what a name mentions.
_NO_ROLE = re.compile(
    r"perfus|territor|(?<!ab)normal|gesund|healthy|\bsain|\bsan[oi]\b|saudav|gezond|saglikli|vessel|gefass|"
    r"vaisseau|\bvas(os|i)\b|\bvein|\bvena|\bvene|arter|\bbody|\bbone|cyst|zyste|kyst|quist|\bcisti\b|necro|nekro|"
    r"thromb|margin|\bring\b|\brand|saum\b|shell|background|hintergrund|ablat|"
    r"\b(non|no|not|without|minus|outside|except|ex|ohne|nicht|sans|hors|senza|sin|sem|zonder|haric)\b|"
    r"\b(ptv|ctv|itv|bg)"
)
_ORGANS = re.compile(
    r"gall ?bladder|gallen?blase|galblaas|vesicule( biliaire)?|vesicula( biliar)?|cistifellea|colecisti|safra kesesi|"
    r"stomach|\bmagen\b|estomac|stomaco|estomago|\bmaag\b|^mide$|duoden|zwolffingerdarm|zwoelffingerdarm|twaalfvingerige|"
    r"onikiparmak|kidney|niere|\bnier(en)?\b|\breins?\b|\brene\b|\breni\b|rinon|\brins\b|\brim (direito|esquerdo)|"
    r"bobrek|spleen|\bmilz\b|^(la )?rate$|\bmilza\b|\bbazo\b|\bbaco\b|\bmilt\b|\bdalak\b|pancrea|pankrea|alvleesklier"
)


#: Letters that no accent can be taken from.
_UNMARKED = str.maketrans({"ı": "i", "ł": "l", "ø": "o", "æ": "ae"})


def plain(name: str) -> str:
    """Return a name as words in small letters without accents: ``"Läsion_2"`` and ``"läsion2"`` as ``"lasion 2"``."""
    spaced = re.sub(r"(?<=[a-zß-ÿ])(?=[A-ZÀ-Þ])", " ", name)
    letters = unicodedata.normalize("NFKD", spaced.casefold().translate(_UNMARKED))
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(re.findall(r"[^\W\d_]+|\d+", bare))


def role_of_name(name: str) -> Role | None:
    """Return the role that a name shows, None if it shows none.

    Liver and lungs must be all that a name speaks of, beside sides and lobes of the lungs; a tumour may be described.
    """
    text = plain(name)
    words = set(text.split())
    if not words or _NO_ROLE.search(text) or _is_difference(name):
        return None
    if _TUMOUR_PARTS.search(text) or words & _TUMOUR_WORDS:
        return None if _OTHER_ORGANS.search(text) and not _LIVER_PARTS.search(text) else Role.TUMOUR
    if words & _LUNGS and words <= _LUNGS | _WHOLE | _ARTICLES | _MADE_AS | _SIDES | _LOBES:
        return Role.LUNGS
    if words & _LIVER and words <= _LIVER | _WHOLE | _ARTICLES | _MADE_AS:
        return Role.LIVER
    return Role.ORGAN if _ORGANS.search(text) else None


def _is_difference(name: str) -> bool:
    """Return whether a name is a subtraction, as ``"Liver-GTV"`` is in radiotherapy."""
    parts = re.split(r"\s*[-−–]\s*", name)
    return any(
        role_of_name(left) in (Role.LIVER, Role.LUNGS) and role_of_name(right) is Role.TUMOUR
        for left, right in pairwise(parts)
    )
