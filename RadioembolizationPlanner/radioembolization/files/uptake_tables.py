"""Uptakes of a course file: entered, measured by ``lutetium``, or published where nothing else is known."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radioembolization.course.lutetium_dose import region_kind
from radioembolization.course.published_uptake import CHANGE_PER_CYCLE, LESION, check_uptake, population_uptake
from radioembolization.course.uptake import Origin, RegionUptake
from radioembolization.errors import CaseFileError, ParameterMissing, PopulationUptake, UnusualUptake
from radioembolization.files.course_tables import read_json, tables_by_name
from radioembolization.files.toml_table import Table
from radioembolization.physics import Sourced
from radioembolization.physics.sourced import Status
from radioembolization.structures import NORMAL_LIVER

#: A shorter effective half-life [h] was entered in days: published ones are 51 to 110 h.
_SHORT_HALF_LIFE_H = 12.0
_LUTETIUM = "`lutetium --injected-gbq`"


@dataclass(frozen=True)
class UptakeReader:
    """Reads the uptakes of one course.

    Parameters
    ----------
    lesions : tuple of str
    grade : str
        ``G1`` or ``G2``, from which the change per cycle of lesions follows; empty if not stated.
    folder : Path
        Of the course file.
    """

    lesions: tuple[str, ...]
    grade: str
    folder: Path

    def read(self, table: Table, needed: Iterable[str]) -> dict[str, RegionUptake]:
        """Return the uptakes of a table, and published ones, each with a notice, of needed structures without any."""
        found = {name: self._uptake(name, entry) for name, entry in tables_by_name(table).items()}
        missing = [name for name in dict.fromkeys(needed) if name not in found]
        return found | {name: self._published(name, None) for name in missing}

    def files(self, table: Table) -> dict[str, Path]:
        """Return the documents that the uptakes of a table name, by structure."""
        entries = {name: e.get("measured") for name, e in table.peek("uptakes", {}).items() if isinstance(e, dict)}
        return {f"uptake of {name}": self.folder / text for name, text in entries.items() if isinstance(text, str)}

    def _uptake(self, name: str, table: Table) -> RegionUptake:
        change = table.number("change_per_cycle", None)
        document, entered = table.text("measured", ""), table.number("gy_per_gbq", None)
        if document and entered is not None:
            raise CaseFileError(f"{table.where} is both measured and entered: keep one of measured and gy_per_gbq.")
        if document:
            uptake = self._measured(name, table, self.folder / document, self._change(name, change))
        elif entered is not None:
            uptake = self._entered(name, table, entered, self._change(name, change))
        else:
            uptake = self._published(name, change)
        table.refuse_leftovers()
        _check_half_life(uptake)
        return uptake

    def _entered(self, name: str, table: Table, gy_per_gbq: float, change: float) -> RegionUptake:
        source = table.text("source", "entered")
        half_life_h = table.number("effective_half_life_h", None)
        if half_life_h is None:
            raise CaseFileError(f"{table.where} has no effective_half_life_h: add it [h].")
        low_high = table.numbers("range_gy_per_gbq", 2, ())
        check_uptake(self._kind(name), name, gy_per_gbq)
        return RegionUptake(
            region=name,
            gy_per_gbq=Sourced(gy_per_gbq, source, Status.UNVERIFIED),
            effective_half_life_h=Sourced(half_life_h, source, Status.UNVERIFIED),
            range_gy_per_gbq=(low_high[0], low_high[1]) if low_high else None,
            change_per_cycle=change,
            origin=Origin.ENTERED,
            sd_gy_per_gbq=table.number("sd_gy_per_gbq", None),
        )

    def _measured(self, name: str, table: Table, path: Path, change: float) -> RegionUptake:
        default = "liver" if name == NORMAL_LIVER else name
        region, cycle = table.text("region", default), table.number("cycle", 1.0)
        uptakes = {entry["region"]: entry for entry in read_json(path, _LUTETIUM).get("uptakes", [])}
        if region not in uptakes:
            known = ", ".join(uptakes) or f"none: it was made without {_LUTETIUM}"
            raise CaseFileError(f"{table.where}.region: '{path.name}' has no uptake of '{region}'; it has {known}.")
        if cycle != int(cycle) or cycle < 1:
            raise CaseFileError(f"{table.where}.cycle is the number of the cycle it was measured in, from 1 on.")
        uptake = _from_document(uptakes[region], name, (1.0 + change) ** (int(cycle) - 1), change, path.name)
        if uptake.origin is Origin.POPULATION:
            warnings.warn(
                f"Uptake of '{name}' is of published patients, not measured in '{path.name}': {uptake.gy_per_gbq} "
                "Gy/GBq.",
                PopulationUptake,
                stacklevel=2,
            )
        check_uptake(self._kind(name), name, uptake.gy_per_gbq.value)
        return uptake

    def _published(self, name: str, change: float | None) -> RegionUptake:
        return population_uptake(self._kind(name) or name, name, self.grade or None, change)

    def _kind(self, name: str) -> str:
        """Return under which name an uptake was published; empty for organs of which none was."""
        if name in self.lesions:
            return LESION
        kind = region_kind(name)
        return "" if kind == LESION else kind

    def _change(self, name: str, stated: float | None) -> float:
        if stated is not None or name not in self.lesions:
            return stated or 0.0
        if self.grade.upper() not in CHANGE_PER_CYCLE:
            raise ParameterMissing(
                f"Uptake of the lesion '{name}' changes from cycle to cycle: state grade = "
                f"{' or '.join(CHANGE_PER_CYCLE)}, or its change_per_cycle (0 for none)."
            )
        return CHANGE_PER_CYCLE[self.grade.upper()].value


def _from_document(entry: dict[str, Any], name: str, scale: float, change: float, file: str) -> RegionUptake:
    """Return an uptake of a ``lutetium`` document; ``scale`` is what its cycle had of the first cycle's uptake."""

    def sourced(key: str, factor: float) -> Sourced[float]:
        table = entry[key]
        return Sourced(float(table["value"]) / factor, f"{table['source']} ({file})", Status(table["status"]))

    low_high, sd = entry.get("range_gy_per_gbq"), entry.get("sd_gy_per_gbq")
    return RegionUptake(
        region=name,
        gy_per_gbq=sourced("gy_per_gbq", scale),
        effective_half_life_h=sourced("effective_half_life_h", 1.0),
        range_gy_per_gbq=None if low_high is None else (low_high[0] / scale, low_high[1] / scale),
        change_per_cycle=change,
        origin=Origin(entry["origin"]),
        sd_gy_per_gbq=None if sd is None else sd / scale,
    )


def _check_half_life(uptake: RegionUptake) -> None:
    half_life_h = uptake.effective_half_life_h.value
    if half_life_h < _SHORT_HALF_LIFE_H:
        warnings.warn(
            f"'{uptake.region}' has an effective half-life of {half_life_h:g} h, far below the 51 to 110 h in use: "
            f"enter hours, not days ({half_life_h:g} days are {24.0 * half_life_h:g} h).",
            UnusualUptake,
            stacklevel=2,
        )
