"""What the command line prints of a planned course."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from radioembolization.report.course_content import alternative_value, ledger_rows
from radioembolization.report.formats import gy, significant
from radioembolization.report.terminal import RESEARCH_USE_ONLY, terminal_console, terminal_table
from radioembolization.treatment.planned_course import PlannedCourse


def course_summary(planned: PlannedCourse, files: Mapping[str, Path]) -> None:
    """Print doses, budgets, alternatives, findings, explanation and notices; last the course itself and the files."""
    console = terminal_console()
    console.print()
    for table in (_structures(planned), _budgets(planned), _alternatives(planned)):
        console.print(table)
    for line in (*planned.changed, *planned.course.explanation):
        console.print(line, markup=False)
    for finding in planned.findings:
        console.print(f"{'In the way' if finding.blocks else 'Note'}, {finding}", markup=False)
    for notice in planned.notices:
        console.print(f"Note, {notice.name}: {notice.message}", markup=False)
    console.print()
    console.print(_course(planned))
    for what, path in files.items():
        console.print(f"{what:14s} {path}", markup=False, soft_wrap=True)
    console.print(RESEARCH_USE_ONLY)


def _course(planned: PlannedCourse) -> Any:
    table = terminal_table(
        f"Course: {planned.course.kind}", "administration", "week [1]", "activity [GBq]", "sites", "state"
    )
    for row in ledger_rows(planned):
        table.add_row(row.label, f"{row.week:.3g}", row.activity, row.sites, row.state)
    return table


def _structures(planned: PlannedCourse) -> Any:
    columns = ("177Lu [Gy]", "microspheres [Gy]", "BED [Gy]", "EQD2 [Gy]", "lowest part, BED [Gy]")
    table = terminal_table("Dose of the course", "structure", "kind", *columns)
    for e in planned.course.effects:
        lowest = "" if e.lowest_part_bed_gy is None else gy(e.lowest_part_bed_gy)
        figures = (e.lutetium_gy, e.microspheres_gy, e.bed_gy, e.eqd2_gy)
        table.add_row(e.name, e.kind, *(gy(figure) for figure in figures), lowest)
    return table


def _budgets(planned: PlannedCourse) -> Any:
    table = terminal_table("Budgets", "budget", "spent [Gy]", "limit [Gy]", "left [Gy]", "kept", "status")
    for b in planned.course.balances:
        figures = (b.spent_gy, b.limit_gy, b.left_gy)
        table.add_row(b.name, *(significant(f) for f in figures), "yes" if b.kept else "NO", str(b.status))
    return table


def _alternatives(planned: PlannedCourse) -> Any:
    table = terminal_table(
        f"Compared: {planned.course.objective_name}", "modalities", "best course", "[Gy]", "may be given"
    )
    for one in planned.course.alternatives:
        may = "yes" if not one.reasons else f"NO: {'; '.join(one.reasons)}"
        table.add_row(one.name, one.kind, alternative_value(one), may)
    return table
