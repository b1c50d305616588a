"""Where the arterial tree of a case comes from: files, a vessel segment or mask, or a program."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from radioembolization.errors import CaseFileError, InputError
from radioembolization.files.artery_files import read_arteries
from radioembolization.files.case_structures import CaseStructures, union
from radioembolization.files.image_file import read_volume
from radioembolization.files.toml_table import Table
from radioembolization.files.tree_file import SUFFIX, read_tree_json
from radioembolization.images import Grid, Unit, resample_mask
from radioembolization.structures import Role
from radioembolization.territories.arteries import ArterialTree
from radioembolization.territories.candidates.organ_arteries import drawn_organs
from radioembolization.territories.growth.grown_tree import grow_tree
from radioembolization.territories.skeleton import tree_from_mask
from radioembolization.treatment.planning_grid import planning_grid, the_liver

_SOURCES = ("file", "segment", "synthetic")
_MASKS = (".nrrd", ".nhdr", ".nii", ".nii.gz", ".mha", ".mhd")
#: Widest gap between vessels that is bridged [mm].
_GAP_MM = 5.0
#: Trees grow in the voxels of the liver, or in these if one is finer than the first [mm].
_FINE_MM, _GROWN_ON_MM = 1.2, 1.5


def read_tree(table: Table, folder: Path, drawn: CaseStructures) -> tuple[ArterialTree, tuple[Path, ...]]:
    """Return the tree that ``[arteries]`` names, and the files it was read from.

    Raises
    ------
    CaseFileError
        If not exactly one of file, segment and synthetic is given, or an entry is of the wrong kind.
    """
    given = [key for key in _SOURCES if table.peek(key, None) is not None]
    if len(given) != 1:
        said = " and ".join(given) or "none"
        raise CaseFileError(f"{table.where} needs one of file, segment and synthetic to have a tree from, not {said}.")
    whole = given == ["synthetic"] or _whole_tree(table.peek("file", ""))
    if whole and (senseless := [key for key in ("root", "gap_mm") if table.peek(key, None) is not None]):
        raise CaseFileError(
            f"{table.where}.{senseless[0]} is for separate vessels and masks: this tree has its root and is whole; "
            f"leave {' and '.join(senseless)} out."
        )
    if given == ["synthetic"]:
        return _grown(table.table("synthetic"), drawn), ()
    if whole:
        path = (folder / table.text("file")).resolve()
        return read_tree_json(path), (path,)
    root, gap_mm = _root(table), table.number("gap_mm", _GAP_MM)
    if given == ["segment"]:
        name = table.take("segment")
        vessels = union(name, drawn.segmentation)
        return _from_mask(vessels.mask, vessels.grid, root, gap_mm, f"segment '{name}'", table), ()
    paths = tuple((folder / text).resolve() for text in _names(table))
    masks = [path for path in paths if path.name.lower().endswith(_MASKS)]
    if not masks:
        return read_arteries(paths, root=root, gap_mm=gap_mm), paths
    if len(paths) > 1:
        raise CaseFileError(f"{table.where}.file: a vessel mask such as '{masks[0].name}' must be the only file.")
    image = read_volume(masks[0], Unit.LABEL)
    return _from_mask(image.array > 0, image.grid, root, gap_mm, f"vessel mask {masks[0].name}", table), paths


def _whole_tree(name: Any) -> bool:
    return isinstance(name, str) and name.lower().endswith(SUFFIX)


def _names(table: Table) -> list[str]:
    value = table.take("file")
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
        raise CaseFileError(f"{table.where}.file must be the name of a file or a list of names, not {value!r}.")
    return names


def _root(table: Table) -> str | tuple[float, ...] | None:
    value = table.take("root", None)
    if value is None or (isinstance(value, str) and value.strip()):
        return value
    if isinstance(value, list) and len(value) == 3 and all(_is_number(entry) for entry in value):
        return tuple(float(entry) for entry in value)
    raise CaseFileError(
        f"{table.where}.root must be the name of an artery or a position [x, y, z] in mm, not {value!r}."
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and bool(np.isfinite(value))


def _from_mask(
    mask: np.ndarray, grid: Grid, root: str | Sequence[float] | None, gap_mm: float, source: str, table: Table
) -> ArterialTree:
    if isinstance(root, str):
        raise CaseFileError(f"{table.where}.root '{root}': branches of a vessel mask have no names; give [x, y, z].")
    return tree_from_mask(mask, grid, root_lps_mm=root, gap_mm=gap_mm, source=source)


def _grown(table: Table, drawn: CaseStructures) -> ArterialTree:
    """Return a tree grown in the liver, with arteries to gallbladder and stomach if drawn.

    The liver is taken as drawn, as coarser voxels close its fissures and cut its bridges; only finer ones are joined.
    """
    seed, terminals = _whole(table, "seed", 1), _whole(table, "terminals", 64)
    inlet = table.numbers("inlet_mm", 3, ())
    table.refuse_leftovers()
    liver = the_liver(drawn.given).source
    fine = min(liver.grid.spacing_mm) < _FINE_MM
    grid = planning_grid(drawn.given, (_GROWN_ON_MM,) * 3) if fine else liver.grid
    organs = {s.name: s.source for s in drawn.given if s.role is Role.ORGAN}
    fed = {organ: organs[name] for name, organ in drawn_organs(organs).items() if organ in ("gallbladder", "stomach")}
    return grow_tree(
        resample_mask(liver.mask, liver.grid, grid),
        grid,
        seed=seed,
        terminals=terminals,
        inlet_lps_mm=inlet or None,  # type: ignore[arg-type]
        organs={organ: resample_mask(source.mask, source.grid, grid) for organ, source in fed.items()} or None,
    )


def _whole(table: Table, key: str, default: int) -> int:
    value = table.number(key, float(default))
    if value != int(value) or value < 0:
        raise InputError(f"{table.where}.{key} must be a whole number, not {value:g}.")
    return int(value)
