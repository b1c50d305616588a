"""The record of a search over doses as numbers, texts and lists, and back.

Multipliers are two long arrays, one of whole numbers and one of float64, in the order of the boxes from the first one
down.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from radioembolization.errors import CertificateRejected
from radioembolization.planning.cutting_planes import Origin
from radioembolization.planning.volumes.record import BoxNode, Multipliers, Sparse, VolumeCertificate


def to_document(certificate: VolumeCertificate) -> dict[str, Any]:
    """Return a certificate as numbers, texts and lists."""
    whole, real = _Written(), _Written()
    _write(certificate.root, whole, real)
    return {
        "kind": "gap",
        "fingerprint": certificate.fingerprint,
        "matrix": certificate.matrix.tolist(),
        "widths": list(certificate.widths),
        "forms": [_packed(form.ravel(), "<f8") for form in certificate.forms],
        "planes": [
            [o.kind, o.index, o.plane, None if o.at_gbq is None else np.asarray(o.at_gbq).tolist()]
            for o in certificate.planes
        ],
        "counts": _packed(np.array(whole.values), "<i4"),
        "numbers": _packed(np.array(real.values), "<f8"),
        "bound": certificate.bound,
        "level": certificate.level,
    }


def from_document(document: Mapping[str, Any]) -> VolumeCertificate:
    """Return the certificate of a document; ``CertificateRejected`` if it is none."""
    try:
        matrix = np.array(document["matrix"], dtype=float)
        forms = [_unpacked(text, "<f8").reshape(-1, len(matrix)) for text in document["forms"]]
        planes = tuple(
            Origin(str(kind), int(index), int(plane), None if at is None else np.array(at, dtype=float))
            for kind, index, plane, at in document["planes"]
        )
        whole, real = _unpacked(document["counts"], "<i4"), _unpacked(document["numbers"], "<f8")
        root = _read(_Reading(whole), _Reading(real), len(forms))
        level = document["level"]
        return VolumeCertificate(
            str(document["fingerprint"]),
            matrix,
            tuple(float(width) for width in document["widths"]),
            tuple(forms),
            planes,
            root,
            float(document["bound"]),
            None if level is None else float(level),
        )
    except (KeyError, TypeError, ValueError, IndexError, zlib.error, RecursionError) as error:
        raise CertificateRejected(f"The certificate of dose-volume limits cannot be read: {error}") from error


def _packed(values: np.ndarray, kind: str) -> str:
    return base64.b64encode(zlib.compress(values.astype(kind).tobytes(), 6)).decode("ascii")


def _unpacked(text: str, kind: str) -> np.ndarray:
    return np.frombuffer(zlib.decompress(base64.b64decode(text, validate=True)), dtype=kind)


class _Written:
    def __init__(self) -> None:
        self.values: list[float] = []

    def add(self, *values: float) -> None:
        self.values += values

    def array(self, values: np.ndarray) -> None:
        self.values += values.tolist()


class _Reading:
    def __init__(self, values: np.ndarray) -> None:
        self._values, self._at = values, 0

    def take(self, count: int) -> np.ndarray:
        if not 0 <= count <= len(self._values) - self._at:
            raise ValueError("numbers are missing")
        self._at += count
        return self._values[self._at - count : self._at]

    def one(self) -> float:
        return float(self.take(1)[0])

    def whole(self) -> int:
        return int(self.take(1)[0])


def _write(node: BoxNode, whole: _Written, real: _Written) -> None:
    split = (-1, 0.0) if node.split is None else node.split
    whole.add(node.level, len(node.steps), int(node.bound is not None), split[0], len(node.parts))
    real.add(node.floor, split[1])
    for coordinate, above, y in node.steps:
        whole.add(coordinate, int(above))
        _write_multipliers(y, whole, real)
    if node.bound is not None:
        _write_multipliers(node.bound, whole, real)
    for part in node.parts:
        _write(part, whole, real)


def _write_multipliers(y: Multipliers, whole: _Written, real: _Written) -> None:
    real.add(y.floor)
    real.array(y.limits)
    for places, values in (y.planes, y.sides, *y.slopes):
        whole.add(len(places))
        whole.array(places)
        real.array(values)


def _read(whole: _Reading, real: _Reading, limits: int) -> BoxNode:
    level, count, bounded, coordinate, parts = (whole.whole() for _ in range(5))
    floor, at = real.one(), real.one()
    steps = []
    for _ in range(count):
        which, above = whole.whole(), bool(whole.whole())
        steps.append((which, above, _read_multipliers(whole, real, limits)))
    bound = _read_multipliers(whole, real, limits) if bounded else None
    if not 0 <= parts <= 2:
        raise ValueError("a box has more than two parts")
    below = tuple(_read(whole, real, limits) for _ in range(parts))
    return BoxNode(level, floor, tuple(steps), bound, None if coordinate < 0 else (coordinate, at), below)


def _read_multipliers(whole: _Reading, real: _Reading, limits: int) -> Multipliers:
    floor, each = real.one(), real.take(limits)
    parts: Sequence[Sparse] = [_read_sparse(whole, real) for _ in range(limits + 2)]
    return Multipliers(parts[0], floor, each, tuple(parts[2:]), parts[1])


def _read_sparse(whole: _Reading, real: _Reading) -> Sparse:
    places = whole.take(whole.whole())
    return places, real.take(len(places))
