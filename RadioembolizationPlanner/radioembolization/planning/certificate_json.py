"""Certificates as plain JSON: numbers in full precision, branches as nested lists; see docs/certificate.md.

A branch of the proof is one of

- ``["pack", cut, ...]``: cuts that share no site;
- ``["bound", [[plane, multiplier], ...]]``: multipliers that prove the bound;
- ``["branch", cut, [[site, branch], ...]]``, with multipliers as fourth entry if the cut is -1.
"""

from __future__ import annotations

import reprlib
from typing import Any

import numpy as np

from radioembolization.errors import CertificateRejected
from radioembolization.planning.cutting_planes import Origin
from radioembolization.planning.lagrangian import NONE
from radioembolization.planning.proof import Certificate, Multipliers, ProofNode
from radioembolization.planning.supports import Support

#: What a document of this form proves; other kinds of proof will have other names.
KIND = "certificate"
_ORIGINS = ("goal", "limit", "site")
_KEYS = {"kind", "fingerprint", "bound", "level", "planes", "cuts", "proof"}
_PLANE_KEYS = {"of", "index", "plane", "at_gbq", "row", "constant"}


def certificate_to_json(certificate: Certificate) -> dict[str, Any]:
    """Return a certificate as plain JSON types."""
    return {
        "kind": KIND,
        "fingerprint": certificate.fingerprint,
        "bound": certificate.bound,
        "level": certificate.level,
        "planes": [_plane(origin, plane) for origin, plane in certificate.planes],
        "cuts": [_pairs(cut) for cut in certificate.cuts],
        "proof": None if certificate.proof is None else _node(certificate.proof),
    }


def _plane(origin: Origin, plane: Support) -> dict[str, Any]:
    return {
        "of": origin.kind,
        "index": origin.index,
        "plane": origin.plane,
        "at_gbq": None if origin.at_gbq is None else [float(x) for x in origin.at_gbq],
        "row": [float(x) for x in plane.row],
        "constant": float(plane.constant),
    }


def _pairs(multipliers: Multipliers) -> list[list[float]]:
    return [[number, value] for number, value in sorted(multipliers.items())]


def _node(node: ProofNode) -> list[Any]:
    if node.packing:
        return ["pack", *node.packing]
    if not node.branches:
        return ["bound", _pairs(node.multipliers or {})]
    branch = ["branch", node.cut, [[site, _node(child)] for site, child in node.branches]]
    return branch if node.cut != NONE else [*branch, _pairs(node.multipliers or {})]


def certificate_from_json(document: object, sites: int) -> Certificate:
    """Return the certificate that a document states; whether it proves anything is not looked at.

    Parameters
    ----------
    document : dict
        As from ``json.loads``.
    sites : int
        Number of sites, which rows have and branches do not exceed.

    Raises
    ------
    CertificateRejected
        If an entry is missing, unknown or of the wrong kind; the message names it.
    """
    table = _table(document, _KEYS, "the certificate")
    if table["kind"] != KIND:
        raise CertificateRejected(f"The certificate is of kind {_shown(table['kind'])}, not '{KIND}'.")
    if not isinstance(table["fingerprint"], str):
        raise CertificateRejected("The fingerprint of the certificate is no text.")
    level = table["level"]
    return Certificate(
        table["fingerprint"],
        tuple(_read_plane(entry, number, sites) for number, entry in enumerate(_list(table["planes"], "planes"))),
        tuple(_read_pairs(entry, f"cut {n}") for n, entry in enumerate(_list(table["cuts"], "cuts"))),
        None if table["proof"] is None else _read_node(table["proof"], 0, sites),
        _number(table["bound"], "bound"),
        None if level is None else _number(level, "level"),
    )


def _read_plane(document: object, number: int, sites: int) -> tuple[Origin, Support]:
    where = f"plane {number}"
    table = _table(document, _PLANE_KEYS, where)
    if table["of"] not in _ORIGINS:
        raise CertificateRejected(f"In {where} of the certificate, 'of' is {_shown(table['of'])}.")
    at = None if table["at_gbq"] is None else _numbers(table["at_gbq"], f"{where}, at_gbq", sites)
    origin = Origin(
        table["of"], _whole(table["index"], f"{where}, index"), _whole(table["plane"], f"{where}, plane"), at
    )
    return origin, Support(_numbers(table["row"], f"{where}, row", sites), _number(table["constant"], where))


def _read_pairs(document: object, where: str) -> Multipliers:
    multipliers: dict[int, float] = {}
    for entry in _list(document, where):
        pair = _list(entry, where)
        if len(pair) != 2:
            raise CertificateRejected(f"In {where} of the certificate stands {_shown(pair)}, not a plane and a number.")
        number, multiplier = _whole(pair[0], where), _number(pair[1], where)
        if number in multipliers or multiplier < 0:
            raise CertificateRejected(f"In {where} of the certificate, plane {number} stands twice or below zero.")
        multipliers[number] = multiplier
    return multipliers


def _read_node(document: object, depth: int, sites: int) -> ProofNode:
    where = f"the branches at depth {depth}"
    if depth > sites:
        raise CertificateRejected(f"The branches of the certificate are deeper than its {sites} sites.")
    entries = _list(document, where)
    word = entries[0] if entries else None
    if word == "pack" and len(entries) > 1:
        return ProofNode(packing=tuple(_whole(entry, where) for entry in entries[1:]))
    if word == "bound" and len(entries) == 2:
        return ProofNode(multipliers=_read_pairs(entries[1], where))
    if word == "branch" and len(entries) in (3, 4):
        cut = NONE if _is(entries[1], NONE) else _whole(entries[1], where)
        if (cut == NONE) == (len(entries) == 4):
            branches = tuple(_read_branch(entry, depth, sites) for entry in _list(entries[2], where))
            multipliers = _read_pairs(entries[3], where) if cut == NONE else None
            return ProofNode(branches, cut, (), multipliers)
    raise CertificateRejected(f"Among {where} of the certificate stands {_shown(document)}.")


def _read_branch(document: object, depth: int, sites: int) -> tuple[int, ProofNode]:
    pair = _list(document, f"the branches at depth {depth}")
    if len(pair) != 2:
        raise CertificateRejected(f"A branch of the certificate is {_shown(pair)}, not a site and a branch.")
    return _whole(pair[0], "a branch"), _read_node(pair[1], depth + 1, sites)


def _table(document: object, keys: set[str], where: str) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise CertificateRejected(f"Instead of {where} stands {_shown(document)}.")
    if set(document) != keys:
        raise CertificateRejected(
            f"In {where}, {sorted(keys - set(document))} are missing and {sorted(set(document) - keys)} unknown."
        )
    return document


def _list(value: object, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise CertificateRejected(f"In {where} of the certificate stands {_shown(value)}, not a list.")
    return value


def _is(value: object, whole: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value == whole


def _whole(value: object, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 31:
        raise CertificateRejected(f"In {where} of the certificate stands {_shown(value)}, not a whole number.")
    return value


def _number(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e300:
        raise CertificateRejected(f"In {where} of the certificate stands {_shown(value)}, not a number.")
    return float(value)


def _numbers(value: object, where: str, count: int) -> np.ndarray:
    numbers = [_number(entry, where) for entry in _list(value, where)]
    if len(numbers) != count:
        raise CertificateRejected(f"{where} of the certificate has {len(numbers)} numbers, not {count}.")
    return np.array(numbers)


def _shown(value: object) -> str:
    return "a huge number" if isinstance(value, int) and abs(value) >= 1 << 64 else reprlib.repr(value)
