"""Write the lists of Python files and resources into the module's CMakeLists.txt.

Slicer packages only what these lists name.  Run it after adding, moving or deleting a file below
``RadioembolizationPlanner/``::

    python Testing/slicer/refresh_cmake_lists.py
"""

from __future__ import annotations

import logging
import re
from pathlib import Path

MODULE = Path(__file__).resolve().parents[2] / "RadioembolizationPlanner"
CMAKE_LISTS = MODULE / "CMakeLists.txt"
SCRIPTS, RESOURCES = "MODULE_PYTHON_SCRIPTS", "MODULE_PYTHON_RESOURCES"
_NOT_SHIPPED = re.compile(r"(^|/)(__pycache__|\..*|.*\.egg-info|CMakeLists\.txt)(/|$)|\.py[co]$|~$")


def files_on_disk(module: Path = MODULE) -> dict[str, list[str]]:
    """Return the sorted paths, relative to the module, that each list must name."""
    paths = sorted(p.relative_to(module).as_posix() for p in module.rglob("*") if p.is_file())
    shipped = [path for path in paths if not _NOT_SHIPPED.search(path)]
    return {
        SCRIPTS: [path for path in shipped if path.endswith(".py")],
        RESOURCES: [path for path in shipped if not path.endswith(".py")],
    }


def files_listed(text: str) -> dict[str, list[str]]:
    """Return the paths that the text of a CMakeLists.txt names in each list."""
    return {name: _list_of(name).search(text).group(2).split() for name in (SCRIPTS, RESOURCES)}


def refreshed(text: str, files: dict[str, list[str]]) -> str:
    """Return the text of a CMakeLists.txt with its lists replaced."""
    for name, paths in files.items():
        lines = "".join(f"  {path}\n" for path in paths)
        text = _list_of(name).sub(lambda found, lines=lines: f"{found.group(1)}\n{lines}  )", text)
    return text


def _list_of(name: str) -> re.Pattern[str]:
    return re.compile(rf"(set\({name})\s([^)]*)\)")


def main() -> None:
    """Rewrite the lists on disk."""
    before = CMAKE_LISTS.read_text(encoding="utf-8")
    after = refreshed(before, files_on_disk())
    CMAKE_LISTS.write_text(after, encoding="utf-8", newline="\n")
    counts = {name: len(paths) for name, paths in files_listed(after).items()}
    logging.info("%s: %s%s", CMAKE_LISTS, counts, "" if before == after else " (changed)")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main()
