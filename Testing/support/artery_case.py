"""A hand-made arterial tree for the liver of ``small_case``, and that case as files."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from radioembolization.files import write_case
from radioembolization.files.tree_file import write_tree_json
from radioembolization.territories.arteries import ArterialTree, Artery
from small_case import RATIOS, small_inputs

ARTERIES = """
[arteries]
file = "small.tree.json"
"""


def _artery(name: str, parent: str | None, ends: tuple[tuple[float, ...], tuple[float, ...]], radius: float) -> Artery:
    return Artery(name, parent, np.linspace(*ends, 9), np.full(9, radius))


def small_tree() -> ArterialTree:
    """Return common and proper hepatic; left; right with cystic half way, anterior and posterior at its end."""
    hilum, fork = (0.0, -10.0, -15.0), (-25.0, -5.0, -5.0)
    return ArterialTree(
        (
            _artery("common hepatic", None, ((20.0, 0.0, -60.0), (0.0, -20.0, -45.0)), 2.5),
            _artery("proper hepatic", "common hepatic", ((0.0, -20.0, -45.0), hilum), 2.2),
            _artery("left hepatic", "proper hepatic", (hilum, (45.0, -5.0, 5.0)), 1.5),
            _artery("right hepatic", "proper hepatic", (hilum, fork), 1.8),
            _artery("cystic", "right hepatic", ((-12.5, -7.5, -10.0), (0.0, -45.0, -30.0)), 0.6),
            _artery("right anterior", "right hepatic", (fork, (-40.0, -25.0, 15.0)), 1.3),
            _artery("right posterior", "right hepatic", (fork, (-45.0, 25.0, -5.0)), 1.3),
        ),
        source="by hand",
    )


def write_artery_case(
    folder: Path, arteries: str = ARTERIES, sites: str = "", changes: tuple[str, str] = ("", "")
) -> Path:
    """Write the small case with sites made from the tree, and other tables behind; return the case file.

    ``changes`` are a pattern and what takes its place in the text.
    """
    write_case(small_inputs(tumour_to_normal=RATIOS, spacing_mm=(6.0, 6.0, 6.0)), folder)
    write_tree_json(small_tree(), folder / "small.tree.json")
    text = (folder / "case.toml").read_text(encoding="utf-8")
    text = text[: text.index("\n[[sites]]")].replace("[lungs]\n", "[lungs]\nshunt = 0.05\n") + arteries + sites
    if changes[0]:
        text, count = re.subn(*changes, text, count=1, flags=re.MULTILINE)
        assert count, changes[0]
    path = folder / "arterial.toml"
    path.write_text(text, encoding="utf-8")
    return path
