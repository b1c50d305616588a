"""The sites of a case as files: territories on their own grids, images of their own, and lines of the case file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from radioembolization.errors import CaseFileError
from radioembolization.files.image_file import write_volume
from radioembolization.files.segmentation_writer import write_segmentation
from radioembolization.files.tree_file import SUFFIX, write_tree_json
from radioembolization.images import Grid
from radioembolization.structures.terminology import PERFUSED_VOLUME
from radioembolization.treatment import CaseInputs, SourceSite

TREE_NAME = f"arteries{SUFFIX}"


def check_sites(inputs: CaseInputs) -> None:
    """Refuse sites that a case file cannot state (``CaseFileError``)."""
    flowing = [site.name for site in inputs.sites if site.supply is not None]
    if flowing:
        raise CaseFileError(
            f"Site '{flowing[0]}' has blood flow by voxel (flow-weighted territories), which a case file states by its "
            "arteries only: write [arteries] with model = 'flow', or use model = 'nearest'."
        )


def territory_name(site: SourceSite) -> str:
    """Return the name of the segment of a site's territory."""
    return f"territory of {site.name}"


def territory_files(inputs: CaseInputs, grid: Grid) -> dict[str, str]:
    """Return by site the file of its territory, where that lies on another grid than the structures."""
    others = list(dict.fromkeys(site.perfused.grid for site in inputs.sites if site.perfused.grid != grid))
    names = ["territories.seg.nrrd", *(f"territories-{number}.seg.nrrd" for number in range(2, len(others) + 1))]
    by_grid = dict(zip(others, names, strict=False))
    return {site.name: by_grid[site.perfused.grid] for site in inputs.sites if site.perfused.grid != grid}


def write_site_files(inputs: CaseInputs, grid: Grid, folder: Path) -> None:
    """Write territories on grids of their own, scouts of single sites, and the tree."""
    files = territory_files(inputs, grid)
    for name in dict.fromkeys(files.values()):
        held = [site for site in inputs.sites if files.get(site.name) == name]
        masks = {territory_name(site): site.perfused.mask for site in held}
        write_segmentation(masks, held[0].perfused.grid, folder / name, dict.fromkeys(masks, PERFUSED_VOLUME))
    for site in inputs.sites:
        if site.scout is not None:
            write_volume(site.scout, folder / _scout_name(inputs, site))
    if inputs.arteries is not None:
        write_tree_json(inputs.arteries, folder / TREE_NAME)


def tree_lines(inputs: CaseInputs) -> list[str]:
    """Return ``[arteries]``: the tree without candidates, as the sites have their territories already."""
    return [] if inputs.arteries is None else ["", "[arteries]", f'file = "{TREE_NAME}"', "candidates = false"]


def site_lines(
    inputs: CaseInputs, site: SourceSite, grid: Grid, inject_at: str, toml: Callable[[object], str]
) -> list[str]:
    """Return the table of a site; ``toml`` writes a value."""
    entries: dict[str, object] = {
        "name": site.name,
        "perfused_file": territory_files(inputs, grid).get(site.name),
        "perfused": territory_name(site),
        "nearest_to": site.nearest_to or None,
        "among": list(site.among) or None,
        "lung_shunt": site.lung_shunt,
        "scout": None if site.scout is None else _scout_name(inputs, site),
        "distribution": str(site.pattern),
        "inject_at": inject_at or None,
        "extrahepatic_share": site.extrahepatic_share or None,
        "upstream": site.upstream or None,
        "position_mm": _rounded(site.position_lps_mm),
    }
    lines = ["", "[[sites]]", *(f"{key} = {toml(value)}" for key, value in entries.items() if value is not None)]
    return lines + ([f"outflow = {_inline(site.outflow, toml)}"] if site.outflow else [])


def _scout_name(inputs: CaseInputs, site: SourceSite) -> str:
    return f"scout-{[s.name for s in inputs.sites].index(site.name) + 1}.nrrd"


def _rounded(position_lps_mm: tuple[float, float, float] | None) -> list[float] | None:
    return None if position_lps_mm is None else [float(np.round(p, 3)) for p in position_lps_mm]


def _inline(shares: Mapping[str, float], toml: Callable[[object], str]) -> str:
    return f"{{ {', '.join(f'{toml(organ)} = {float(share)!r}' for organ, share in shares.items())} }}"
