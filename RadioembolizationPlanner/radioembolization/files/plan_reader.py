"""Reading ``plan.json`` back: the plan it states, for a check; nothing in it is believed."""

from __future__ import annotations

import json
import math
import reprlib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from radioembolization.dose import DoseSettings, Method
from radioembolization.errors import CertificateRejected, FileMissing, PlanFileError
from radioembolization.physics import Convention, device_by_name
from radioembolization.planning import BaselineResult, GoalResult, LimitResult, Plan, SitePlan, StructureDose
from radioembolization.planning.certificate import Certificate
from radioembolization.planning.certificate_json import certificate_from_json
from radioembolization.planning.volumes.record import VolumeCertificate
from radioembolization.planning.volumes.record_document import from_document

Record = TypeVar("Record")


@dataclass(frozen=True)
class PlanFile:
    """What a plan file states.

    Parameters
    ----------
    plan : Plan
    name : str
        Of the case.
    hashes : dict of str to str
        SHA256 of each input by its part in the case.
    analysis : dict or None
        What was found out beside the plan, as it stands in the file; None before version 1.2.
    """

    plan: Plan
    name: str
    hashes: dict[str, str]
    analysis: dict[str, Any] | None = None

    @property
    def bq_per_sphere(self) -> dict[str, float]:
        """Activity of one microsphere at the injection [Bq] by site, of a plan that consists of vials.

        Raises
        ------
        PlanFileError
            If an injection is malformed.
        """
        vials = (self.analysis or {}).get("vials")
        if vials is None:
            return {}
        injections = [
            _table(entry, "injections") for entry in _take(_table(vials, "vials"), "injections", list, "vials")
        ]
        found = {_take(i, "site", str, "vials"): _take(i, "bq_per_sphere", float, "vials") for i in injections}
        if not all(bq > 0.0 for bq in found.values()):
            raise PlanFileError("the activity of a microsphere must be above zero.")
        return found


def read_plan(path: Path) -> PlanFile:
    """Read a plan file; see ``docs/plan-file.md``.  A plan of version 1.0 has no certificate.

    Raises
    ------
    FileMissing
        If there is no file.
    PlanFileError
        If it is no plan file, or an entry is missing or of the wrong kind.
    CertificateRejected
        If its certificate is malformed.
    """
    if not path.is_file():
        raise FileMissing(f"Plan file '{path}' does not exist.")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise PlanFileError(f"'{path.name}' is no plan file: {error}") from error
    return plan_from_text(text, path.name)


def plan_from_text(text: str, where: str) -> PlanFile:
    """Read the text of a plan file; ``where`` names it in errors, which are those of ``read_plan``."""
    try:
        return _plan_file(json.loads(text, parse_constant=_no_number, object_pairs_hook=_without_repetition))
    except PlanFileError as error:
        raise PlanFileError(f"'{where}': {error}") from error
    except (RecursionError, CertificateRejected) as error:
        told = str(error) if isinstance(error, CertificateRejected) else "its branches are too deep."
        raise CertificateRejected(f"'{where}': {told}") from error
    except (ValueError, OverflowError) as error:
        raise PlanFileError(f"'{where}' is no plan file: {error}") from error


def _no_number(text: str) -> float:
    raise PlanFileError(f"it holds {text}, which is no number.")


def _without_repetition(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for key, value in pairs:
        if key in table:
            raise PlanFileError(f"it holds the entry '{key}' twice in one place.")
        table[key] = value
    return table


def _plan_file(document: object) -> PlanFile:
    top = _table(document, "the file")
    version = _take(top, "schema_version", str, "the file")
    if version.split(".")[0] != "1":
        raise PlanFileError(f"it is of version {version}, which another program version reads.")
    case, constants = (_table(_take(top, key, dict, "the file"), key) for key in ("case", "constants"))
    lungs, inputs = top.get("lungs"), _table(_take(top, "inputs", dict, "the file"), "inputs")
    sites = _records(SitePlan, top, "sites")
    prescription = top.get("prescription")
    plan = Plan(
        status=_take(top, "status", str, "the file"),
        sites=sites,
        structures=_records(StructureDose, top, "structures"),
        lung_gy=None if lungs is None else _number(_take(_table(lungs, "lungs"), "mean_gy", float, "lungs"), "lungs"),
        goal=_goal(_take(top, "goal", dict, "the file")),
        limits=_records(LimitResult, top, "limits"),
        settings=_settings(case, constants),
        baselines=_records(BaselineResult, top, "baselines"),
        explanation=tuple(_take(top, "explanation", list, "the file")),
        prescription=None if prescription is None else _prescription(prescription),
        certificate=_certificate(top, len(sites)),
        unproved=str(top.get("unproved", "Plan files before version 1.1 hold no proof.")),
    )
    hashes = {
        part: str(_table(entry, "inputs").get("sha256", "")) for part, entry in inputs.items() if part != "lung_shunts"
    }
    analysis = top.get("analysis")
    found = None if analysis is None else _table(analysis, "analysis")
    return PlanFile(plan, _take(case, "name", str, "case"), hashes, found)


def _certificate(top: dict[str, Any], sites: int) -> Certificate | VolumeCertificate | None:
    document = top.get("certificate")
    if isinstance(document, dict) and document.get("kind") == "gap":
        return from_document(document)
    return None if document is None else certificate_from_json(document, sites)


def _goal(table: dict[str, Any]) -> GoalResult:
    """A goal without a bound has null in its place, and in the plan an infinity that refuses nothing."""
    nothing_better = -math.inf if table.get("sense") == "minimize" else math.inf
    without = {"bound": nothing_better, "gap": math.inf}
    known = {key: infinity if table.get(key, 0) is None else table.get(key) for key, infinity in without.items()}
    return _record(GoalResult, {"optimum": table.get("value"), **table, **known}, "goal")


def _prescription(value: object) -> dict[str, Any]:
    table = _table(value, "prescription")
    if set(table) != {"goal", "limits"}:
        raise PlanFileError("the prescription must consist of goal and limits.")
    return table


def _settings(case: dict[str, Any], constants: dict[str, Any]) -> DoseSettings:
    return DoseSettings(
        device_by_name(_take(case, "device", str, "case")),
        Convention(_take(constants, "energy_convention", str, "constants")),
        Method(_take(constants, "dose_method", str, "constants")),
    )


def _records(kind: type[Record], top: dict[str, Any], key: str) -> tuple[Record, ...]:
    return tuple(_record(kind, entry, key) for entry in _take(top, key, list, "the file"))


def _record(kind: type[Record], entry: object, where: str) -> Record:
    """Return a dataclass whose fields have the names and kinds of the entries of a table."""
    table = _table(entry, where)
    values = {}
    for one in fields(kind):  # type: ignore[arg-type]
        if one.name not in table:
            raise PlanFileError(f"{where} has no entry '{one.name}'.")
        values[one.name] = _of_kind(table[one.name], str(one.type), f"{where}.{one.name}")
    return kind(**values)


def _of_kind(value: object, kind: str, where: str) -> Any:
    if value is None and "None" in kind:
        return None
    if kind.startswith("tuple"):
        inner = "float" if "float" in kind else "str"
        return tuple(_of_kind(entry, inner, where) for entry in _is(value, list, where))
    if "float" in kind:
        return value if value in (math.inf, -math.inf) else _number(value, where)
    return _is(value, bool if "bool" in kind else str, where)


def _number(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e300:
        raise PlanFileError(f"{where} must be a number, not {reprlib.repr(value)}.")
    return float(value)


def _is(value: object, kind: type, where: str) -> Any:
    if not isinstance(value, kind):
        raise PlanFileError(f"{where} must be of kind {kind.__name__}, not {reprlib.repr(value)}.")
    return value


def _table(value: object, where: str) -> dict[str, Any]:
    table: dict[str, Any] = _is(value, dict, where)
    return table


def _take(table: dict[str, Any], key: str, kind: type, where: str) -> Any:
    if key not in table:
        raise PlanFileError(f"{where} has no entry '{key}'.")
    return _number(table[key], f"{where}.{key}") if kind is float else _is(table[key], kind, f"{where}.{key}")
