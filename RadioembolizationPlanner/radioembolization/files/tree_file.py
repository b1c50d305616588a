"""The arterial tree as JSON, exactly and without a further package: what written cases and scenes hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from radioembolization.errors import FileMissing, InputError
from radioembolization.files.replacing import replacing
from radioembolization.files.tree_writer import SYNTHETIC_MARK
from radioembolization.territories.arteries import ArterialTree, Artery

#: How the name of such a file ends.
SUFFIX = ".tree.json"


def write_tree_json(tree: ArterialTree, path: Path) -> None:
    """Write a tree; positions are LPS [mm].  The file appears complete or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(tree_to_text(tree), encoding="utf-8", newline="\n")


def read_tree_json(path: Path) -> ArterialTree:
    """Read a tree that ``write_tree_json`` wrote.

    Raises
    ------
    FileMissing
        If the file does not exist.
    InputError
        As of ``tree_from_text``; also if the file is no text.
    """
    if not path.is_file():
        raise FileMissing(f"Arteries '{path.name}' do not exist in '{path.parent}': check the path.")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise _no_tree(path.name, error) from error
    return tree_from_text(text, path.name)


def tree_to_text(tree: ArterialTree) -> str:
    """Return a tree as the text of a file; positions are LPS [mm]."""
    document: dict[str, Any] = {
        "format": "arterial tree",
        "notice": SYNTHETIC_MARK if tree.synthetic else "",
        "synthetic": tree.synthetic,
        "source": tree.source,
        "arteries": [
            {
                "name": artery.name,
                "parent": artery.parent,
                "points_lps_mm": artery.points_lps_mm.tolist(),
                "radius_mm": artery.radius_mm.tolist(),
            }
            for artery in tree.arteries
        ],
    }
    return json.dumps(document, ensure_ascii=False, allow_nan=False) + "\n"


def tree_from_text(text: str, name: str = "the text") -> ArterialTree:
    """Return the tree of a text that ``tree_to_text`` made.

    Parameters
    ----------
    text : str
    name : str
        Of the file or node that holds it, for messages.

    Raises
    ------
    InputError
        If it is no such text; ``TerritoryError`` if its arteries make no tree.
    """
    try:
        document = json.loads(text)
        arteries = tuple(
            Artery(
                str(entry["name"]),
                None if entry["parent"] is None else str(entry["parent"]),
                np.array(entry["points_lps_mm"], dtype=float),
                np.array(entry["radius_mm"], dtype=float),
            )
            for entry in document["arteries"]
        )
        source, synthetic = str(document["source"]), bool(document["synthetic"])
    except InputError:
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise _no_tree(name, error) from error
    return ArterialTree(arteries, source, synthetic)


def _no_tree(name: str, error: Exception) -> InputError:
    return InputError(f"'{name}' is no arterial tree of this program ({error!r}): write it anew, or give centrelines.")
