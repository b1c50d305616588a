"""What the command line prints of a scout: lung shunts, tumour-to-normal ratios, extrahepatic foci."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from radioembolization.report.formats import fixed, ml, percent, significant
from radioembolization.report.terminal import RESEARCH_USE_ONLY, terminal_console, terminal_table
from radioembolization.structures.extrahepatic_foci import ExtrahepaticFocus
from radioembolization.structures.tumour_to_normal import TumourToNormal
from radioembolization.territories.shunt.lung_shunt import LungShunt
from radioembolization.treatment import Case
from radioembolization.treatment.scout_analysis import ScoutAnalysis


def scout_summary(case: Case, analysis: ScoutAnalysis) -> None:
    """Print lung shunts, ratios and foci, then notices."""
    console = terminal_console()
    if analysis.lung_shunts:
        console.print(_shunts(analysis.lung_shunts))
    if not any(shunt.used for shunt in analysis.lung_shunts):
        sites = ", ".join(sorted({f"{percent(site.lung_shunt)} %" for site in case.sites}))
        console.print(f"The sites state lung shunts of their own: {sites}.", markup=False)
    console.print(_ratios(analysis.tumour_to_normal))
    if analysis.foci:
        console.print(_foci(analysis.foci))
    else:
        console.print("No extrahepatic focus was found.")
    lines = [f"Lung shunt, {shunt.method.words}: {shunt.note}" for shunt in analysis.lung_shunts if shunt.note]
    lines.append("Ratios are of mean concentrations, not corrected for blur; 1 SE by the scatter of the voxels.")
    lines += [f"Note, {notice.name}: {notice.message}" for notice in analysis.notices]
    for line in (*lines, RESEARCH_USE_ONLY):
        console.print(line, markup=False, soft_wrap=True)


def _shunts(shunts: Sequence[LungShunt]) -> Any:
    table = terminal_table("Lung shunt", "method", "fraction [%]", "1 SD [points]", "used")
    for shunt in shunts:
        deviation = "" if shunt.standard_deviation is None else fixed(100.0 * shunt.standard_deviation, 1)
        table.add_row(shunt.method.words, fixed(100.0 * shunt.fraction, 2), deviation, "yes" if shunt.used else "")
    return table


def _ratios(ratios: Sequence[TumourToNormal]) -> Any:
    columns = ("tumour", "compared with", "ratio [1]", "1 SE [1]", "volume [mL]", "expected recovery [%]")
    table = terminal_table("Tumour-to-normal ratios", *columns)
    for one in ratios:
        figures = (significant(one.ratio), significant(one.standard_error, 2), ml(one.volume_ml))
        table.add_row(one.name, one.reference, *figures, fixed(100.0 * one.expected_recovery, 0))
    return table


def _foci(foci: Sequence[ExtrahepaticFocus]) -> Any:
    columns = ("nearest structure", "distance [mm]", "volume [mL]", "counts [%]", "peak over liver mean [1]")
    table = terminal_table("Extrahepatic foci", "x, y, z in LPS [mm]", *columns)
    for focus in foci:
        place = ", ".join(fixed(p, 0) for p in focus.position_lps_mm)
        figures = (
            ml(focus.volume_ml),
            fixed(100.0 * focus.share_of_counts, 2),
            significant(focus.peak_over_liver_mean, 2),
        )
        table.add_row(place, focus.nearest_structure, fixed(focus.distance_mm, 0), *figures)
    return table
