"""Which segment is what: by its code, which is reliable, else by its name in several languages, never by its order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from radioembolization.structures.name_words import role_of_name
from radioembolization.structures.structure_set import Role
from radioembolization.structures.terminology import LIVER

#: Types by SNOMED CT, and by the codes of SNOMED RT that older DICOM files hold (PS3.16 annex of mapped codes).
_BY_CODE = {
    "10200004": Role.LIVER,  # liver structure
    "T-62000": Role.LIVER,
    "39607008": Role.LUNGS,  # lung structure
    "T-28000": Role.LUNGS,
    "45653009": Role.LUNGS,  # upper lobe of lung
    "72481006": Role.LUNGS,  # middle lobe of right lung
    "90572001": Role.LUNGS,  # lower lobe of lung
    "86049000": Role.TUMOUR,  # malignant neoplasm, primary
    "372087000": Role.TUMOUR,  # the same, as DICOM codes it since 2019
    "M-80003": Role.TUMOUR,
    "14799000": Role.TUMOUR,  # neoplasm, secondary
    "M-80006": Role.TUMOUR,
    "108369006": Role.TUMOUR,  # neoplasm
    "4147007": Role.TUMOUR,  # mass
    "M-03000": Role.TUMOUR,
    "52988006": Role.TUMOUR,  # lesion
    "28231008": Role.ORGAN,  # gallbladder structure
    "T-63000": Role.ORGAN,
    "69695003": Role.ORGAN,  # stomach structure
    "T-57000": Role.ORGAN,
    "38848004": Role.ORGAN,  # duodenum
    "T-58200": Role.ORGAN,
    "64033007": Role.ORGAN,  # kidney
    "T-71000": Role.ORGAN,
    "78961009": Role.ORGAN,  # spleen
    "T-C3000": Role.ORGAN,
    "15776009": Role.ORGAN,  # pancreas
    "T-65000": Role.ORGAN,
}
_LIVER_CODES = ("", LIVER.type.value, "T-62000")
#: Types of a segment nobody has said anything about: tissue or anatomical structure, and their older codes.
_GENERIC_TYPES = ("", "85756007", "T-D0050", "91723000", "123037004", "T-D000A", "T-D0005")


@dataclass(frozen=True)
class NamedSegment:
    """What recognition knows of a segment.

    Parameters
    ----------
    key : str
        Tells it from all others: an ID, or the name where names are unique.
    name : str
    code : str
        Of its type, empty if it has none.
    region : str
        Code of the organ the type is found in, empty if none is stated.
    """

    key: str
    name: str
    code: str = ""
    region: str = ""


@dataclass(frozen=True)
class Recognition:
    """Which segments have which role.

    Parameters
    ----------
    roles : mapping of str to Role
        By key, in the order of the segments.
    reasons : mapping of str to str
        By the same keys, what the role was concluded from: ``"chosen"``, ``"code 10200004"`` or ``"name"``.
    questions : tuple of str
        What only the user can decide, in whole sentences.
    """

    roles: Mapping[str, Role]
    reasons: Mapping[str, str]
    questions: tuple[str, ...] = ()

    def of(self, role: Role) -> tuple[str, ...]:
        """Return the keys of a role, in the order of the segments."""
        return tuple(key for key, found in self.roles.items() if found is role)


def recognise(segments: Sequence[NamedSegment], chosen: Mapping[str, Role] | None = None) -> Recognition:
    """Return the role of every segment that shows one; roles chosen already are kept.

    A code that says something is believed whatever the name is.  Where several segments could be the liver, only
    one whose code says so is taken, and only if there is one; otherwise none, with a question.

    Parameters
    ----------
    segments : sequence of NamedSegment
    chosen : mapping of str to Role, optional
        By key; keys that are no segment are passed over.
    """
    chosen = chosen or {}
    leftover = _leftover_codes(segments)
    roles: dict[str, Role] = {}
    reasons: dict[str, str] = {}
    for segment in segments:
        role, reason = chosen.get(segment.key), "chosen"
        if role is None and segment.code in _BY_CODE:
            role, reason = _role_of_code(segment), f"code {segment.code}"
        elif role is None and segment.code in (*_GENERIC_TYPES, *leftover):
            role, reason = role_of_name(segment.name), "name"
        if role is not None:
            roles[segment.key], reasons[segment.key] = role, reason
    names = {segment.key: segment.name for segment in segments}
    livers = _keep_one_liver(roles, reasons)
    return Recognition(roles, {key: reasons[key] for key in roles}, _questions(segments, roles, livers, names))


def _role_of_code(segment: NamedSegment) -> Role | None:
    """Return the role of a coded type: a tumour of another organ than the liver has none."""
    role = _BY_CODE[segment.code]
    return None if role is Role.TUMOUR and segment.region not in _LIVER_CODES else role


def _leftover_codes(segments: Sequence[NamedSegment]) -> set[str]:
    """Return the codes that say nothing, as three or more segments of different names have them: a template's."""
    names: dict[str, set[str]] = {}
    for segment in segments:
        names.setdefault(segment.code, set()).add(segment.name)
    return {code for code, found in names.items() if code not in _BY_CODE and len(found) > 2}


def _keep_one_liver(roles: dict[str, Role], reasons: Mapping[str, str]) -> tuple[str, ...]:
    """Take the role from livers until one is left or none; return those between which the user has to choose."""
    livers = [key for key, role in roles.items() if role is Role.LIVER]
    best = (
        [key for key in livers if reasons[key] == "chosen"]
        or [key for key in livers if reasons[key].startswith("code")]
        or livers
    )
    several = len(best) > 1 and reasons[best[0]] != "chosen"
    for key in livers:
        if key not in best or several:
            del roles[key]
    return tuple(best) if several else ()


def _questions(
    segments: Sequence[NamedSegment], roles: Mapping[str, Role], livers: Sequence[str], names: Mapping[str, str]
) -> tuple[str, ...]:
    questions = []
    if livers:
        several = ", ".join(f"'{names[key]}'" for key in livers)
        questions.append(f"Which of {several} is the whole liver? {len(livers)} segments show it: choose one.")
    elif segments and Role.LIVER not in roles.values():
        known = ", ".join(f"'{segment.name}'" for segment in segments)
        questions.append(f"Which segment is the whole liver? None shows it by code or name: there are {known}.")
    return tuple(questions)


def natural_order(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key by which ``"Tumor 10"`` comes after ``"Tumor 2"``, whatever their case."""
    parts = re.split(r"(\d+)", name.casefold())
    return tuple((1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts)


def unique_names(segments: Sequence[NamedSegment]) -> dict[str, str]:
    """Return a name for every key: its own, or numbered where several segments share it.

    Numbers follow the keys, not the order of the segments, and pass over names that others have already, so that a
    lesion keeps its number when segments are moved, added behind or taken away.
    """
    taken = {segment.name for segment in segments}
    keys: dict[str, list[str]] = {}
    for segment in segments:
        keys.setdefault(segment.name, []).append(segment.key)
    names = {}
    for name, own in keys.items():
        if len(own) == 1:
            names[own[0]] = name
            continue
        number = 0
        for key in sorted(own, key=natural_order):
            number = next(n for n in range(number + 1, number + 2 + len(taken)) if f"{name} {n}" not in taken)
            names[key] = f"{name} {number}"
    return {segment.key: names[segment.key] for segment in segments}
