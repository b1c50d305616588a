"""Roles proposed for segments: by their terminology, which is reliable, else by their names."""

from __future__ import annotations

import re
from collections.abc import Mapping

import slicer

from radioembolization.structures import Role

#: SNOMED CT codes of types and of their modifiers' parents (https://browser.ihtsdotools.org).
_BY_CODE = {
    "10200004": Role.LIVER,  # liver structure
    "39607008": Role.LUNGS,  # lung structure
    "45653009": Role.LUNGS,  # upper lobe of lung
    "72481006": Role.LUNGS,  # middle lobe of right lung
    "90572001": Role.LUNGS,  # lower lobe of lung
    "86049000": Role.TUMOUR,  # malignant neoplasm, primary
    "14799000": Role.TUMOUR,  # neoplasm, secondary
    "108369006": Role.TUMOUR,  # neoplasm
    "4147007": Role.TUMOUR,  # mass
    "52988006": Role.TUMOUR,  # lesion
    "28231008": Role.ORGAN,  # gallbladder structure
    "69695003": Role.ORGAN,  # stomach structure
    "38848004": Role.ORGAN,  # duodenum
    "64033007": Role.ORGAN,  # kidney
    "78961009": Role.ORGAN,  # spleen
    "15776009": Role.ORGAN,  # pancreas
}
#: Names in the languages of TotalSegmentator, of our own phantom and of common use; the first that fits counts.
_BY_NAME = (
    (re.compile(r"perfus|territor|normal|vessel|vein|arter|body|bone|cyst", re.I), None),
    (re.compile(r"\b(non|no|not|without|minus|outside|except)\b", re.I), None),
    (re.compile(r"lungs? .*(tumou?r|lesion|metasta|nodul|mass)", re.I), None),
    (re.compile(r"^lungs?( (upper|middle|lower) lobe)?( (left|right))?$|^(left|right|both) lungs?$", re.I), Role.LUNGS),
    (re.compile(r"tumou?r|lesion|metasta|\bhcc|\bgtv", re.I), Role.TUMOUR),
    (re.compile(r"^(whole )?liver$", re.I), Role.LIVER),
    (re.compile(r"gall ?bladder|stomach|duodenum|kidney|spleen|pancreas", re.I), Role.ORGAN),
)
#: Terminology of a segment nobody has said anything about: tissue, in SNOMED CT and in its older codes.
_GENERIC_TYPES = ("", "85756007", "T-D0050")


def proposed_roles(segmentation: slicer.vtkMRMLSegmentationNode, chosen: Mapping[str, Role]) -> dict[str, Role]:
    """Return a role for every segment that shows one; roles chosen already are kept.

    Where several segments could be the liver, only those whose terminology says so are proposed, and only if
    there is one; otherwise the user decides.

    Parameters
    ----------
    segmentation : vtkMRMLSegmentationNode
    chosen : mapping of str to Role
        By segment ID.
    """
    present = segmentation.GetSegmentation().GetSegmentIDs()
    segments = {segment_id: segmentation.GetSegmentation().GetSegment(segment_id) for segment_id in present}
    codes = {segment_id: type_code(segment) for segment_id, segment in segments.items()}
    leftover = _leftover_codes(segments, codes)
    coded, named = {}, {}
    for segment_id, segment in segments.items():
        code = codes[segment_id]
        if code in _BY_CODE:
            coded[segment_id] = _BY_CODE[code]
        elif code in (*_GENERIC_TYPES, *leftover) and (role := role_of_name(segment.GetName())) is not None:
            named[segment_id] = role
    livers = [segment_id for segment_id, role in coded.items() if role is Role.LIVER]
    if livers:
        named = {segment_id: role for segment_id, role in named.items() if role is not Role.LIVER}
    proposed = {**named, **coded, **{key: role for key, role in chosen.items() if key in present}}
    if list(proposed.values()).count(Role.LIVER) > 1:
        kept = [segment_id for segment_id, role in chosen.items() if role is Role.LIVER]
        proposed = {key: role for key, role in proposed.items() if role is not Role.LIVER or key in kept}
    return {segment_id: proposed[segment_id] for segment_id in present if segment_id in proposed}


def _leftover_codes(segments: Mapping[str, slicer.vtkSegment], codes: Mapping[str, str]) -> set[str]:
    """Return the codes that say nothing, as three or more segments of different names have them: a template's."""
    names: dict[str, set[str]] = {}
    for segment_id, code in codes.items():
        names.setdefault(code, set()).add(segments[segment_id].GetName())
    return {code for code, found in names.items() if code not in _BY_CODE and len(found) > 2}


def role_of_name(name: str) -> Role | None:
    """Return the role that a name shows, None if it shows none."""
    return next((role for pattern, role in _BY_NAME if pattern.search(name.replace("_", " "))), None)


def type_code(segment: slicer.vtkSegment) -> str:
    """Return the code of the type in the terminology of a segment, empty if it has none.

    Slicer stores a terminology as fields between tildes: context, category, type, ...; each field is
    scheme^code^meaning.
    """
    fields = (segment.GetTerminology() or "").split("~")
    parts = fields[2].split("^") if len(fields) > 2 else []
    return parts[1] if len(parts) > 1 else ""
