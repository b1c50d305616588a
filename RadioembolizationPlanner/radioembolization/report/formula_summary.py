"""What the command line prints of a formula: results, equation, source and notices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from radioembolization.report.formats import fixed, significant
from radioembolization.report.terminal import RESEARCH_USE_ONLY, terminal_console, terminal_table
from radioembolization.treatment import Notice

#: Ends of names of results: their unit and the digits they are printed with.
_UNITS = {
    "_gy": ("Gy", lambda value: fixed(value, 2)),
    "_gbq": ("GBq", lambda value: fixed(value, 4)),
    "_kg": ("kg", lambda value: fixed(value, 3)),
    "_m2": ("m2", lambda value: fixed(value, 3)),
    "_h": ("h", lambda value: f"{value:g}"),
}
_NAMES = {
    "eqd2": "EQD2",
    "bed": "BED",
    "cross bed": "BED of the cross term",
    "lung": "lungs",
    "alpha beta": "alpha/beta",
}


def formula_summary(
    formula: str,
    equation: str,
    source: str,
    results: Mapping[str, Any],
    constants: Mapping[str, Any],
    notices: Sequence[Notice],
) -> None:
    """Print the results of a formula as a table, then how they were found and what to beware of."""
    console = terminal_console()
    table = terminal_table(formula[0].upper() + formula[1:], "quantity", "value", "unit")
    table.columns[1].justify = "right"
    for name, value in results.items():
        for row in _rows(name, value):
            table.add_row(*row)
    console.print(table)
    if "sweep" in results:
        console.print(_sweep(results["sweep"]))
    lines = [f"Formula: {equation}.", f"Source: {source}."]
    if constants:
        lines.append("With " + ", ".join(_constant(name, value) for name, value in constants.items()) + ".")
    lines += [f"{notice.name}: {notice.message}" for notice in notices]
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)
    console.print(RESEARCH_USE_ONLY)


def _rows(name: str, value: Any) -> list[tuple[str, str, str]]:
    if name == "sweep":
        return []
    if name == "tumours_gy":
        return [(f"tumour {number}", fixed(dose, 2), "Gy") for number, dose in enumerate(value, start=1)]
    if name == "microspheres":
        return [("microspheres, estimated", significant(value / 1e6), "million")]
    if name == "lung_kg":
        return [("lung mass", fixed(value, 3), "kg")]
    for end, (unit, text) in _UNITS.items():
        if name.endswith(end):
            return [(_words(name.removesuffix(end)), text(value), unit)]
    return [(_words(name), f"{value:.4g}", "h" if name == "hours" else "")]


def _words(name: str) -> str:
    words = name.replace("_", " ")
    return _NAMES.get(words, words)


def _constant(name: str, value: Any) -> str:
    if name == "energy_j_per_gbq":
        return f"k = {value:g} J/GBq"
    for end in ("_gy", "_h"):
        if name.endswith(end):
            return f"{_words(name.removesuffix(end))} {value:g} {_UNITS[end][0]}"
    return f"{_words(name)} {value}"


def _sweep(rows: Sequence[Mapping[str, float]]) -> Any:
    table = terminal_table("Swept", "alpha/beta [Gy]", "repair half-time [h]", "BED [Gy]", "EQD2 [Gy]")
    for row in rows:
        figures = (f"{row['repair_half_time_h']:g}", fixed(row["bed_gy"], 2), fixed(row["eqd2_gy"], 2))
        table.add_row(f"{row['alpha_beta_gy']:g}", *figures)
    return table
