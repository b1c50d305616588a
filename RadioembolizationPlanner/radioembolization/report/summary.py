"""What the command line prints: a case before planning, a plan after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from radioembolization.planning import Plan
from radioembolization.report.analysis_terminal import print_microspheres
from radioembolization.report.summary_lines import summary_lines
from radioembolization.report.terminal import RESEARCH_USE_ONLY, terminal_console, terminal_table
from radioembolization.structures.findings import Finding
from radioembolization.territories.shunt.lung_shunt import shunt_text
from radioembolization.treatment import Case, Notice, Treatment


def plan_summary(treatment: Treatment, files: Mapping[str, Path]) -> None:
    """Print doses, limits, rules of thumb, explanation and notices; last the plan in a few lines, and the files."""
    console, plan = terminal_console(), treatment.plan
    console.print()
    console.print(_structures(treatment))
    console.print(_limits(plan))
    console.print(_compared(plan))
    explanation = None if treatment.analysis is None else treatment.analysis.explanation
    for line in plan.explanation if explanation is None else explanation.lines():
        console.print(line, markup=False)
    print_microspheres(treatment)
    _print_lung_shunts(console, treatment.case)
    _print_scout_share(console, treatment.case)
    print_notices(console, treatment.notices)
    console.print()
    console.print(_sites(plan))
    *lines, last = summary_lines(treatment)
    for line in lines:
        console.print(line, markup=False)
    for what, path in files.items():
        console.print(f"{what:14s} {path}", markup=False, soft_wrap=True)
    console.print(last)


def case_summary(case: Case, findings: Iterable[Finding] = ()) -> None:
    """Print what was understood of a case: structures, sites, prescription, notices, what does not fit together."""
    console, structures = terminal_console(), case.structures
    table = terminal_table("Structures", "structure", "role", "volume [mL]", "mass [kg]")
    for s in structures.all:
        table.add_row(s.name, str(s.role), f"{structures.volume_ml(s):.1f}", f"{structures.mass_kg(s):.3f}")
    if structures.lungs:
        table.add_row("lungs", f"mass: {structures.lungs.method}", "", f"{structures.lungs.mass_kg:.3f}")
    console.print(table)
    console.print(_candidates(case))
    grid = structures.grid
    spacing = " x ".join(f"{side:g}" for side in grid.spacing_mm[::-1])
    shape = " x ".join(str(n) for n in grid.shape[::-1])
    console.print(f"Planning grid: {shape} voxels of {spacing} mm (x, y, z).")
    console.print(f"Device: {case.inputs.settings.device.title}.")
    _print_lung_shunts(console, case)
    _print_scout_share(console, case)
    console.print(str(case.inputs.prescription.problem(case.inputs.settings.device)), markup=False)
    print_notices(console, case.notices)
    print_findings(console, findings)
    console.print("The case is valid; whether its limits can be met shows when it is planned. " + RESEARCH_USE_ONLY)


def print_findings(console: Any, findings: Iterable[Finding]) -> None:
    """Print what checks have found, with the place to look at."""
    for finding in findings:
        where = finding.position_lps_mm
        at = "" if where is None else f" Look at {where[0]:g}, {where[1]:g}, {where[2]:g} mm (LPS)."
        severity = str(finding.severity).capitalize()
        console.print(f"{severity}, {finding.check}: {finding.message}{at}", markup=False)


def _sites(plan: Plan) -> Any:
    table = terminal_table(
        f"Plan: {plan.settings.device.title}",
        "injection site",
        "activity [GBq]",
        "lung shunt [%]",
        "microspheres [million]",
        "normal liver of its territory [Gy]",
    )
    for site in plan.used_sites:
        territory = "" if site.territory_normal_liver_gy is None else f"{site.territory_normal_liver_gy:.1f}"
        figures = (f"{site.activity_gbq:.3f}", f"{100 * site.lung_shunt:.1f}", f"{site.microspheres / 1e6:.1f}")
        table.add_row(site.name, *figures, territory)
    table.add_row("total", f"{plan.activities_gbq.sum():.3f}")
    return table


def _structures(treatment: Treatment) -> Any:
    plan, rows, lungs = treatment.plan, treatment.dose_per_gbq, treatment.lung_voxels
    table = terminal_table(
        "Absorbed dose",
        "structure",
        "volume [mL]",
        "mean [Gy]",
        "D95 [Gy]",
        "D70 [Gy]",
        "D50 [Gy]",
        "max [Gy]",
        "perfused [%]",
    )
    for s in plan.structures:
        figures = (s.mean_gy, s.d95_gy, s.d70_gy, s.d50_gy, s.max_gy)
        table.add_row(
            s.name, f"{s.volume_ml:.1f}", *(f"{figure:.1f}" for figure in figures), f"{100 * s.perfused_share:.0f}"
        )
    if plan.lung_gy is not None:
        table.add_row(f"lungs ({rows.lung_mass_kg:.2f} kg, {rows.lung_mass_method})", "", f"{plan.lung_gy:.1f}")
    if lungs is not None:
        table.add_row(f"lungs by voxels ({lungs.mass_kg:.2f} kg)", "", f"{lungs.mean_gy:.1f}")
    return table


def _limits(plan: Plan) -> Any:
    table = terminal_table("Limits", "limit", "value [unit]", "bound [unit]", "met", "gain per unit [Gy]", "source")
    for limit in plan.limits:
        sign = "<=" if limit.sense == "at most" else ">="
        met = ("yes, binding" if limit.binding else "yes") if limit.met else "NO"
        gain = "" if limit.gain_per_unit is None else f"{limit.gain_per_unit:+.2f}"
        value = "" if limit.value is None else f"{limit.value:.3g} {limit.unit}"
        bound = f"{sign} {limit.limit:g} {limit.unit}"
        table.add_row(limit.name, value, bound, met, gain, limit.source)
    return table


def _compared(plan: Plan) -> Any:
    table = terminal_table(
        f"Compared: {plan.goal.name}",
        "plan",
        "goal [Gy]",
        "worst tumour mean [Gy]",
        "worst tumour D70 [Gy]",
        "normal liver mean [Gy]",
        "sites",
    )
    tumours = [s for s in plan.structures if s.role == "tumour"]
    normal = next(s.mean_gy for s in plan.structures if s.name == "normal liver")
    worst = (min(s.mean_gy for s in tumours), min(s.d70_gy for s in tumours))
    used = ", ".join(site.name for site in plan.used_sites)
    own = (plan.goal.value, *worst, normal)
    table.add_row("set by hand" if plan.by_hand else "optimized", *(f"{v:.1f}" for v in own), used)
    for b in plan.baselines:
        figures = (b.goal_value, b.tumour_mean_gy, b.tumour_d70_gy, b.normal_liver_gy)
        name = b.name if b.limits_met else f"{b.name} (misses a lower limit)"
        table.add_row(name, *(f"{v:.1f}" for v in figures), ", ".join(b.sites))
    return table


def _candidates(case: Case) -> Any:
    structures = case.structures
    columns = ["candidate site", "perfused liver [mL]", "normal liver [mL]", "lung shunt [%]"]
    table = terminal_table("Candidate sites", *columns, *(f"{t.name} [%]" for t in structures.tumours))
    voxel_ml = structures.grid.voxel_ml
    for site in case.sites:
        perfused = site.perfused & structures.liver.mask
        normal = np.count_nonzero(perfused & structures.normal_liver.mask)
        shares = (100 * np.count_nonzero(perfused & t.mask) / np.count_nonzero(t.mask) for t in structures.tumours)
        table.add_row(
            site.name,
            f"{np.count_nonzero(perfused) * voxel_ml:.0f}",
            f"{normal * voxel_ml:.0f}",
            f"{100 * site.lung_shunt:.1f}",
            *(f"{share:.0f}" for share in shares),
        )
    return table


def _print_lung_shunts(console: Any, case: Case) -> None:
    if case.inputs.lung_shunts:
        console.print(f"Lung shunt: {shunt_text(case.inputs.lung_shunts)}.")


def _print_scout_share(console: Any, case: Case) -> None:
    if case.scout_share_in_liver is not None:
        console.print(f"{case.scout_share_in_liver:.1%} of the scout counts lie inside the liver.")


def print_notices(console: Any, notices: tuple[Notice, ...]) -> None:
    for notice in notices:
        console.print(f"Note, {notice.name}: {notice.message}", markup=False)
