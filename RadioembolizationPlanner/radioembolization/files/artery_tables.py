"""``[arteries]`` of a case file: the arterial tree, how its branches supply the liver, and the sites it offers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from radioembolization.errors import CaseFileError
from radioembolization.files.artery_names import as_called
from radioembolization.files.artery_source import read_tree
from radioembolization.files.case_structures import CaseStructures
from radioembolization.files.markups_file import read_points
from radioembolization.files.site_tables import ArterySites
from radioembolization.files.toml_table import Table
from radioembolization.territories import Pattern
from radioembolization.territories.arteries import ArterialTree
from radioembolization.territories.branches.branch_territories import FlowWeighted, NearestBranch
from radioembolization.territories.candidates.candidate_list import MERGE_MM, SMALLEST_RADIUS_MM
from radioembolization.territories.candidates.candidate_site import CandidateSite
from radioembolization.territories.candidates.organ_arteries import is_trunk
from radioembolization.territories.candidates.tree_point import UserPoint
from radioembolization.treatment.arterial_sites import ArterialRequest, arterial_sites

#: Names in files of what is called so in the code.
_MODELS, _DISTANCES = ("nearest", "flow"), ("geodesic", "straight")


def read_artery_sites(
    table: Table,
    folder: Path,
    drawn: CaseStructures,
    spacing_mm: tuple[float, ...],
    shunt: float | None,
    has_scout: bool,
    named: Sequence[str] = (),
) -> ArterySites | None:
    """Read the table and make its sites; None if it is empty.

    Parameters
    ----------
    table : Table
    folder : Path
        Paths in the table are relative to it.
    drawn : CaseStructures
    spacing_mm : tuple of float
        Planning grid (z, y, x).
    shunt : float, optional
        Lung shunt of the sites.
    has_scout : bool
        Whether the case has a scout image to spread microspheres by.
    named : sequence of str
        Arteries that ``[[sites]]`` name; they are offered even if they are trunks.

    Raises
    ------
    CaseFileError
        If an entry is missing, unknown or of the wrong kind.
    TerritoryError, FileMissing
        If the tree cannot be used, or a point is off it.
    """
    if table.empty:
        return None
    z, y, x = spacing_mm
    tree, files = read_tree(table, folder, drawn)
    named = [as_called(name, tree.names) for name in named if isinstance(name, str)]
    points, point_files = _points(table, folder)
    exponent = table.number("exponent", 3.0)
    unasked = Pattern.SCOUT if has_scout else Pattern.TUMOUR_TO_NORMAL
    request = ArterialRequest(
        tree=tree,
        lung_shunt=0.0 if shunt is None else shunt,
        model=_model(table, exponent),
        smallest_radius_mm=table.number("smallest_radius_mm", SMALLEST_RADIUS_MM),
        merge_mm=table.number("merge_mm", MERGE_MM),
        points=points,
        organ_arteries={as_called(name, tree.names): organ for name, organ in _organs(table).items()},
        not_offered=[name for name in tree.names if is_trunk(name) and name not in named],
        pattern=Pattern(table.choice("distribution", list(Pattern), unasked)),
    )
    chosen_only = not table.flag("candidates", True)
    table.refuse_leftovers()
    if chosen_only and not points and not any(named):  # the tree is for outputs only
        return ArterySites({}, {}, True, (), tree, {"arteries": files})
    found = arterial_sites(request, drawn.given, (z, y, x))
    return ArterySites(
        sites={site.name: site for site in found.sites},
        of_artery=_of_artery(found.tree, found.candidates),
        chosen_only=chosen_only,
        always=tuple(candidate.name for candidate in found.candidates if candidate.placed_by_user),
        tree=found.tree,
        files={"arteries": files} | ({"points": point_files} if point_files else {}),
        notices=found.notices,
        stands_for={name: candidate.name for candidate in found.candidates for name in candidate.merged},
    )


def _model(table: Table, exponent: float) -> NearestBranch | FlowWeighted:
    kind = table.choice("model", list(_MODELS), "nearest")
    geodesic = table.choice("distance", list(_DISTANCES), "geodesic") == "geodesic"
    reach_mm, watershed_mm = table.number("reach_mm", 15.0), table.number("watershed_mm", None)
    if kind == "flow":
        return FlowWeighted(exponent, 5.0 if watershed_mm is None else watershed_mm, geodesic, reach_mm)
    if watershed_mm is not None:
        raise CaseFileError(f"{table.where}.watershed_mm is for model = 'flow': borders of nearest branches are sharp.")
    return NearestBranch(geodesic, reach_mm)


def _points(table: Table, folder: Path) -> tuple[tuple[UserPoint, ...], tuple[Path, ...]]:
    text = table.text("points", "")
    if not text:
        return (), ()
    path = (folder / text).resolve()
    return tuple(UserPoint(point.name, point.position_lps_mm) for point in read_points(path)), (path,)


def _organs(table: Table) -> dict[str, str]:
    organs = table.table("organs").everything()
    wrong = [name for name, organ in organs.items() if not isinstance(organ, str)]
    if wrong:
        raise CaseFileError(
            f'{table.where}.organs says by artery which organ it feeds, such as "my branch" = "stomach", or "" '
            f"for the liver; {wrong} do not."
        )
    return organs


def _of_artery(tree: ArterialTree, candidates: Sequence[CandidateSite]) -> dict[str, str]:
    """Return by artery the site nearest to its origin; an artery that another site stands for has that one."""
    found = {name: candidate.name for candidate in candidates for name in candidate.merged if name in tree.names}
    first: dict[str, CandidateSite] = {}
    for candidate in candidates:
        known = first.get(candidate.artery)
        if known is None or candidate.along_mm < known.along_mm:
            first[candidate.artery] = candidate
    return found | {artery: candidate.name for artery, candidate in first.items()}
