"""From the table of a course to the inputs of the core, by the core's own readers of course and measured files."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from radioembolization.course.exposure import Modality
from radioembolization.course.lutetium_dose import region_kind
from radioembolization.course.published_uptake import LESION, PUBLISHED
from radioembolization.errors import InputError, PopulationUptake
from radioembolization.files import course_file
from radioembolization.files.course_tables import read_table
from radioembolization.files.measured_file import read_measured
from radioembolization.treatment import CaseInputs
from radioembolization.treatment.case import collected_notices
from radioembolization.treatment.course_inputs import CourseInputs, hepatic_lesions
from radioembolization.treatment.planned_course import Delivered
from RadioembolizationPlannerLib.course_table import DELIVERED, LEFT, CourseTable, entry, toml_text

GY_PER_GBQ, HALF_LIFE = "gy_per_gbq", "effective_half_life_h"


def course_inputs(table: CourseTable, case: CaseInputs) -> CourseInputs:
    """Return the course that a table describes; errors as of ``read_course``.

    Raises
    ------
    InputError
        If a half-life is entered without the dose per GBq it belongs to.
    """
    _check_uptakes(table)
    lesions = (*hepatic_lesions(case), *table.get("extrahepatic_lesions", ()))
    with collected_notices() as notices:
        history = [_with_half_lives(one, table, lesions) for one in table.get("history", ())]
        stated = {key: value for key, value in table.items() if key not in (DELIVERED, LEFT)}
        with _as_file(stated | ({"history": history} if history else {})) as path:
            inputs = course_file.course_from_table(read_table(path), case, path)
    return replace(inputs, notices=tuple(notices))


def delivered_of(table: CourseTable, inputs: CourseInputs) -> Delivered:
    """Return what was given of a course and measured; errors as of ``read_measured``."""
    if not table.get(DELIVERED):
        raise InputError(
            _("Nothing of the course was given yet: add a treatment on day 0 or later, with its measured doses.")
        )
    with _as_file({key: table[key] for key in (DELIVERED, LEFT) if key in table}) as path:
        return read_measured(path, inputs)


def published_half_life_h(structure: str, lesions: tuple[str, ...]) -> float | None:
    """Return the published effective half-life of 177Lu in a structure [h], None without source."""
    known = PUBLISHED.get(LESION if structure in lesions else region_kind(structure))
    return None if known is None or known.half_life_h is None else known.half_life_h.value


def published_gy_per_gbq(structure: str, lesions: tuple[str, ...]) -> float | None:
    """Return the published dose of 177Lu in a structure per activity [Gy/GBq], None without source."""
    known = PUBLISHED.get(LESION if structure in lesions else region_kind(structure))
    return None if known is None or known.gy_per_gbq is None else known.gy_per_gbq.value


def _check_uptakes(table: CourseTable) -> None:
    for name, uptake in (table.get("uptakes") or {}).items():
        if HALF_LIFE in uptake and GY_PER_GBQ not in uptake:
            told = _("'{name}' has a half-life without Gy/GBq: enter both, or none for the published values.")
            raise InputError(told.format(name=name))


def _with_half_lives(treatment: Mapping[str, Any], table: CourseTable, lesions: tuple[str, ...]) -> Mapping[str, Any]:
    """Return an earlier cycle with the half-lives of its structures: stated, else entered, else published [h]."""
    if treatment.get("modality") != Modality.LUTETIUM:
        return treatment
    known = dict(treatment.get("half_life_h", {}))
    for name in treatment.get("dose_gy", {}):
        entered = entry(table, "uptakes", name, HALF_LIFE)
        half_life_h = known.get(name, entered or published_half_life_h(name, lesions))
        if half_life_h is None:
            continue  # the core says that it is missing
        if name not in known and entered is None:
            text = f"'{treatment.get('label')}': the half-life of '{name}' is of published patients, {half_life_h:g} h."
            warnings.warn(text, PopulationUptake, stacklevel=2)
        known[name] = half_life_h
    return {**treatment, "half_life_h": known}


@contextmanager
def _as_file(table: CourseTable) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "course.toml"
        path.write_text(toml_text(table), encoding="utf-8")
        yield path
