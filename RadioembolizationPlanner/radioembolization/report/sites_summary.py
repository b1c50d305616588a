"""What the command line prints of candidate sites: the tree, what each site reaches, what none reaches."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from radioembolization.report.formats import fixed, ml, percent
from radioembolization.report.summary import print_notices
from radioembolization.report.terminal import RESEARCH_USE_ONLY, terminal_console, terminal_table
from radioembolization.report.territory_content import (
    TerritoryRow,
    territory_rows,
    tree_sentence,
    unperfused_line,
)
from radioembolization.territories.arteries import ArterialTree
from radioembolization.territories.candidates.site_radius import artery_at, radius_at_mm
from radioembolization.territories.vessels.tree_statistics import tree_statistics
from radioembolization.treatment import Case

#: A tree is printed up to this many arteries; the file has all.
_MOST_ARTERIES = 60
#: Sites beside each other in one table.
_SITES_IN_A_ROW = 9
#: With more tables than this, only the most selective site of each tumour is printed; it covers this share.
_MOST_TABLES, _COVERED = 3, 0.95


def sites_summary(case: Case, files: Mapping[str, Path]) -> None:
    """Print tree, candidate sites with their territories, unperfused tumours, notices and files."""
    console, tree, rows = terminal_console(), case.inputs.arteries, territory_rows(case)
    if case.synthetic:
        console.print("SYNTHETIC DATA: part of this case was made by the program.", style="bold")
    if tree is not None:
        console.print(f"Arterial tree: {tree_sentence(tree)}.", markup=False)
        console.print(_tree(tree))
        console.print(_statistics(tree), markup=False)
    console.print(_sites(case, rows))
    tables = range(0, len(rows), _SITES_IN_A_ROW)
    if len(tables) > _MOST_TABLES:
        console.print(_most_selective(case, rows))
    for first in tables if len(tables) <= _MOST_TABLES else ():
        console.print(_covered(case, rows[first : first + _SITES_IN_A_ROW]))
    print_notices(console, case.notices)
    console.print(unperfused_line(case), markup=False)
    for what, path in files.items():
        console.print(f"{what:14s} {path}", markup=False, soft_wrap=True)
    console.print(RESEARCH_USE_ONLY)


def _tree(tree: ArterialTree) -> Any:
    """Return the tree as it branches, with lengths and median radii."""
    from rich.tree import Tree

    shown = tree.arteries[:_MOST_ARTERIES]
    made: dict[str | None, Any] = {}
    for artery in shown:
        radius_mm = float(np.median(artery.radius_mm))
        words = f"{artery.name}: {fixed(artery.length_mm, 0)} mm long, radius {fixed(radius_mm, 1)} mm"
        words = words.replace("[", "\\[")
        made[artery.name] = Tree(words) if artery.parent is None else made[artery.parent].add(words)
    if len(shown) < len(tree.arteries):
        made[tree.root.name].add(f"... and {len(tree.arteries) - len(shown)} more")
    return made[tree.root.name]


def _statistics(tree: ArterialTree) -> str:
    """Return Strahler branches and Murray's exponent of a tree as a sentence."""
    found = tree_statistics(tree)
    branches = ", ".join(str(number) for number in found.branches)
    quartiles, without = found.exponent_quartiles, found.branchings_without_exponent
    exponent = "no exponent of Murray's law fits"
    if quartiles is not None:
        low, median, high = (fixed(value, 1) for value in quartiles)
        exponent = f"exponent of Murray's law {median} (quartiles {low} to {high})"
    unfit = f", none at {without} of {without + len(found.murray_exponents)} branchings" if without else ""
    return f"Branches of Strahler order 1, 2, ...: {branches}; {exponent}{unfit}."


def _sites(case: Case, rows: list[TerritoryRow]) -> Any:
    table = terminal_table(
        "Candidate sites",
        "no.",
        "candidate site",
        "after",
        "radius [mm]",
        "territory [mL]",
        "normal [mL]",
        "shunt [%]",
        "other organs",
    )
    numbers = {row.name: str(row.number) for row in rows}
    for row, site in zip(rows, case.sites, strict=True):
        table.add_row(
            str(row.number),
            row.name.replace("[", "\\["),
            numbers.get(row.upstream, ""),
            _radius(site.position_lps_mm, case.inputs.arteries),
            ml(row.coverage.territory_ml),
            ml(row.coverage.normal_liver_ml),
            percent(row.lung_shunt),
            row.outflow_text,
        )
    return table


def _radius(position_lps_mm: tuple[float, float, float] | None, tree: ArterialTree | None) -> str:
    found = artery_at(tree, position_lps_mm)
    return "" if tree is None or found is None else fixed(radius_at_mm(tree, found), 2)


def _covered(case: Case, rows: list[TerritoryRow]) -> Any:
    """Return the share of each tumour that each site, by its number, reaches."""
    table = terminal_table("Covered share of each tumour", "tumour", *(f"no. {row.number} [%]" for row in rows))
    for tumour in case.structures.tumours:
        shares = (percent(row.coverage.tumour_share[tumour.name]) for row in rows)
        table.add_row(tumour.name.replace("[", "\\["), *shares)
    return table


def _most_selective(case: Case, rows: list[TerritoryRow]) -> Any:
    """Return the site of the smallest territory that holds each tumour."""
    table = terminal_table(
        f"Most selective site that covers {100 * _COVERED:.0f} % of a tumour; sites.json has all",
        "tumour",
        "no.",
        "candidate site",
        "territory [mL]",
        "covered [%]",
    )
    for tumour in case.structures.tumours:
        holding = [row for row in rows if row.coverage.tumour_share[tumour.name] >= _COVERED]
        if not holding:
            table.add_row(tumour.name, "", "none")
            continue
        best = min(holding, key=lambda row: row.coverage.territory_ml)
        shares = (ml(best.coverage.territory_ml), percent(best.coverage.tumour_share[tumour.name]))
        table.add_row(tumour.name, str(best.number), best.name, *shares)
    return table
