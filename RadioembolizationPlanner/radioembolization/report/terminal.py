"""Tables on the terminal, by rich."""

from __future__ import annotations

from typing import Any

from radioembolization.errors import MissingPackage

RESEARCH_USE_ONLY = "Research use only; not a medical device."


def terminal_console() -> Any:
    """Return the console on which tables are printed; ``MissingPackage`` without rich."""
    try:
        from rich.console import Console
    except ImportError as error:
        raise MissingPackage("Printing tables needs the package rich: pip install rich (or use --json).") from error
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=120)


def terminal_table(title: str, *columns: str) -> Any:
    """Return an empty table; columns with a unit in brackets are aligned to the right."""
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold")
    for number, column in enumerate(columns):
        left = number == 0 or "[" not in column
        table.add_column(column.replace("[", "\\["), justify="left" if left else "right", overflow="fold")
    return table
