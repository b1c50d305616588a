"""The measured file: what was delivered of a course, and what each structure received."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from pathlib import Path
from warnings import warn

from radioembolization.course.exposure import Exposure, Modality
from radioembolization.course.uptake import checked_cycle_gbq, cycle_doses_gy
from radioembolization.errors import CaseFileError, CourseError, PredictedDose
from radioembolization.files.course_tables import exposure_of, in_order, plans_from, read_json, read_table, start_of
from radioembolization.files.image_file import sha256_of
from radioembolization.files.toml_table import Table
from radioembolization.structures import NORMAL_LIVER
from radioembolization.treatment.case import collected_notices
from radioembolization.treatment.course_inputs import CourseInputs
from radioembolization.treatment.planned_course import Delivered


def read_measured(path: Path, course: CourseInputs) -> Delivered:
    """Read what was delivered of a course; see ``docs/course.md``.

    Where a cycle does not say what a structure received, the predicted dose stands in, with a notice.

    Raises
    ------
    CaseFileError, FileMissing
        If an entry is missing, unknown or of the wrong kind.
    CourseError
        If administrations are out of order, before day 0, without activity, or of another patient.
    """
    top = read_table(path)
    reader = _Reader(course, path.parent, start_of(top))
    with collected_notices() as notices:
        given = [reader.exposure(entry) for entry in top.tables("delivered")]
    known = {session.name: session for plan in course.session_plans for session in plan}
    left = top.take("sessions_left", None)
    sessions = None if left is None else plans_from(left, f"{top.where}.sessions_left", known)
    top.refuse_leftovers()
    if not given:
        raise CaseFileError(f"{top.where} has no [[delivered]]: add what was given, with its measured doses.")
    early = [exposure.label for exposure in given if exposure.day < 0.0]
    if early:
        raise CourseError(f"{early} were given before day 0: put them into [[history]] of the course file.")
    return Delivered(
        exposures=in_order(given),
        predicted=tuple(name for name in course.uptakes if name not in reader.measured),
        sessions_left=sessions,
        notices=tuple(notices),
        hashes={"measured": sha256_of(path), **reader.hashes},
    )


@dataclass
class _Reader:
    """Reads administrations in their order; counts cycles and remembers which structures were measured."""

    course: CourseInputs
    folder: Path
    start: datetime.date | None
    cycles: int = 0
    measured: set[str] = field(default_factory=set)
    hashes: dict[str, str] = field(default_factory=dict)

    def exposure(self, table: Table) -> Exposure:
        """Return an administration with the doses of its document and, for cycles, predicted ones where none are."""
        is_cycle = table.peek("modality", "") == Modality.LUTETIUM
        doses, half_lives = self._of_document(table)
        entered = set(table.peek("dose_gy", {})) if isinstance(table.peek("dose_gy", {}), dict) else set()
        known = {*doses, *entered, *table.peek("not_exposed", [])}
        half_lives = {n: u.effective_half_life_h.value for n, u in self.course.uptakes.items()} | half_lives
        if is_cycle:
            self.cycles += 1
            self.measured |= {*doses, *entered}
            return exposure_of(table, self.start, True, self._predicted(table, known) | doses, half_lives)
        spared = set(self.course.extrahepatic_lesions) | {budget.structure for budget in self.course.budgets}
        return exposure_of(table, self.start, True, doses, {}, spared - {"lungs", NORMAL_LIVER})

    def _predicted(self, table: Table, known: set[str]) -> dict[str, float]:
        """Return what a cycle was predicted to give to structures it was not measured in [Gy]."""
        missing = [name for name in self.course.uptakes if name not in known]
        activity, label = table.peek("activity_gbq", None), table.peek("label", "")
        if not isinstance(activity, int | float):
            raise CaseFileError(f"{table.where} has no activity_gbq: enter what was administered [GBq].")
        number = self.course.cycles_given + self.cycles
        checked_cycle_gbq(activity)
        if missing:
            warn(f"'{label}' was not measured in {', '.join(missing)}: predicted doses stand in.", PredictedDose, 3)
        return {name: cycle_doses_gy(self.course.uptakes[name], number, activity) for name in missing}

    def _of_document(self, table: Table) -> tuple[dict[str, float], dict[str, float]]:
        """Return doses [Gy] and half-lives [h] of the ``lutetium`` document that an administration names."""
        name, regions = table.text("document", ""), table.take("regions", {})
        if not name:
            return {}, {}
        path = self.folder / name
        found = {entry["name"]: entry for entry in read_json(path, "`lutetium`").get("regions", [])}
        self.hashes[f"measured {name}"] = sha256_of(path)
        structures = {n: str(regions.get(n, "liver" if n == NORMAL_LIVER else n)) for n in self.course.uptakes}
        unknown = [f"{n} = '{r}'" for n, r in regions.items() if n not in self.course.uptakes or r not in found]
        if unknown:
            raise CaseFileError(
                f"{table.where}.regions: {', '.join(unknown)} fit no structure of the course or no region of "
                f"'{name}', which has {', '.join(found) or 'none'}."
            )
        there = {n: found[region] for n, region in structures.items() if region in found}
        doses = {n: float(entry["mean_gy"]) for n, entry in there.items()}
        return doses, {n: float(entry["effective_half_life_h"]) for n, entry in there.items()}
