"""What a case file says about its sites: ``[[sites]]``, with perfused volumes or with arteries of the tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from radioembolization.errors import CaseFileError
from radioembolization.files.artery_names import as_called
from radioembolization.files.case_images import read_case_image_of_files
from radioembolization.files.case_structures import CaseStructures
from radioembolization.files.perfused_files import perfused_volume
from radioembolization.files.toml_table import Table
from radioembolization.images import Unit, Volume
from radioembolization.territories import Pattern
from radioembolization.territories.arteries import ArterialTree
from radioembolization.treatment import Notice, SourceSite
from radioembolization.treatment.site_choice import SiteChoice, chosen


@dataclass(frozen=True, eq=False)
class CaseSites:
    """Sites as read.

    Parameters
    ----------
    sites : tuple of SourceSite
    hours : mapping of str to value
        ``inject_at`` of the sites that state it.
    files : mapping of str to tuple of Path
        What was read for them, by part of the case.
    """

    sites: tuple[SourceSite, ...]
    hours: Mapping[str, Any]
    files: Mapping[str, tuple[Path, ...]]


@dataclass(frozen=True, eq=False)
class ArterySites:
    """Sites that an arterial tree offers, and how a case file may call them.

    Parameters
    ----------
    sites : mapping of str to SourceSite
        By name, those upstream first.
    of_artery : mapping of str to str
        Name of the site at the origin of each artery; artery names that stand for no site are missing.
    chosen_only : bool
        Whether sites that nobody names are left out; the names in ``always`` stay.
    always : tuple of str
        Sites at points of the user.
    tree : ArterialTree
    files : mapping of str to tuple of Path
        What the tree and the points were read from, by part of the case.
    notices : tuple of Notice
        What making the sites had to tell.
    stands_for : mapping of str to str
        By the name of a candidate that reaches what another reaches, the site that is offered in its place.
    """

    sites: Mapping[str, SourceSite]
    of_artery: Mapping[str, str]
    chosen_only: bool
    always: tuple[str, ...]
    tree: ArterialTree
    files: Mapping[str, tuple[Path, ...]]
    notices: tuple[Notice, ...] = ()
    stands_for: Mapping[str, str] = field(default_factory=dict)


def merged_away(name: str, stands_for: Mapping[str, str]) -> str:
    """Return what to say of a candidate that another one stands for; empty if none does."""
    name = as_called(name, stands_for)
    other = stands_for.get(name, "")
    return f"site '{name}' reaches the same as '{other}', which stands for both: use '{other}'" if other else ""


def read_sites(
    tables: Sequence[Table], folder: Path, drawn: CaseStructures, shunt: float | None, offered: ArterySites | None
) -> CaseSites:
    """Read ``[[sites]]``; sites that an arterial tree offers come first.

    Parameters
    ----------
    tables : sequence of Table
    folder : Path
        Paths in the tables are relative to it.
    drawn : CaseStructures
    shunt : float, optional
        Lung shunt of sites that state none.
    offered : ArterySites, optional

    Raises
    ------
    CaseFileError
        If an entry is missing, unknown or of the wrong kind.
    """
    own: list[SourceSite] = []
    changed: dict[str, SourceSite] = {}  # name as offered -> site
    hours: dict[str, Any] = {}
    files: dict[str, tuple[Path, ...]] = {}
    for table in tables:
        base = _offered(table, offered)
        site = _site(table, folder, drawn, shunt, base, files)
        if base is None:
            own.append(site)
        elif base.name in changed:
            raise CaseFileError(f"{table.where} is at the same place as site '{changed[base.name].name}': name one.")
        else:
            changed[base.name] = site
        if (at := table.take("inject_at", None)) is not None:
            hours[site.name] = at
        table.refuse_leftovers()
    made = _together(offered, changed)
    if shunt is None and (
        without := [site.name for site in made if site.name not in {s.name for s in changed.values()}]
    ):
        raise CaseFileError(_no_shunt(f"Site '{without[0]}' of the arteries"))
    return CaseSites((*made, *own), hours, files)


def _offered(table: Table, offered: ArterySites | None) -> SourceSite | None:
    """Return the site of the tree that a table is about; None if it has a perfused volume of its own."""
    artery, name = table.text("artery", ""), table.peek("name", "")
    own = any(table.peek(key, None) is not None for key in ("perfused", "perfused_file"))
    if artery and own:
        raise CaseFileError(f"{table.where} has both artery and a perfused volume: state one of them.")
    if artery and offered is None:
        raise CaseFileError(f"{table.where}.artery needs the arterial tree: add [arteries].")
    if own or offered is None:
        return None
    artery = as_called(artery, offered.tree.names)
    if artery and artery not in offered.tree.names:
        raise CaseFileError(
            f"{table.where}.artery '{artery}' is no artery of the tree: use one of {', '.join(offered.tree.names)}."
        )
    found = offered.of_artery.get(artery, "") if artery else as_called(str(name), offered.sites)
    if found not in offered.sites and (instead := merged_away(found, offered.stands_for)):
        raise CaseFileError(f"{table.where}: {instead}.")
    if found not in offered.sites:
        what = f"artery '{artery}', which offers no site" if artery else f"'{name}', which is no candidate"
        raise CaseFileError(
            f"{table.where} is {what} (too thin, of another organ, or a trunk), and has no perfused volume: use one "
            f"of {', '.join(offered.sites)}."
        )
    return offered.sites[found]


def _together(offered: ArterySites | None, changed: Mapping[str, SourceSite]) -> list[SourceSite]:
    """Return the sites of the tree with what the file says of them; ``upstream`` names sites that are there."""
    if offered is None:
        return []
    kept = {name for name in offered.sites if not offered.chosen_only or name in offered.always or name in changed}
    renamed = {name: site.name for name, site in changed.items()}

    def upstream(name: str) -> str:
        above = offered.sites[name].upstream
        while above and above not in kept:
            above = offered.sites[above].upstream
        return renamed.get(above, above)

    return [
        replace(changed.get(name, offered.sites[name]), upstream=upstream(name))
        for name in offered.sites
        if name in kept
    ]


def _site(
    table: Table,
    folder: Path,
    drawn: CaseStructures,
    shunt: float | None,
    base: SourceSite | None,
    files: dict[str, tuple[Path, ...]],
) -> SourceSite:
    name = table.text("name")
    if base is not None and as_called(name, [base.name]) == base.name:
        name = base.name
    lung_shunt = table.number("lung_shunt", shunt)
    if lung_shunt is None:
        raise CaseFileError(_no_shunt(table.where))
    site = base or SourceSite(name, perfused_volume(table, name, folder, drawn, files), lung_shunt)
    scout, outflow = _scout(table, name, folder, files), table.peek("outflow", None)
    if base is not None and table.peek("upstream", None) is not None:
        raise CaseFileError(
            f"{table.where}.upstream is for sites with a perfused volume of their own: what lies upstream of an artery "
            "follows from the tree; leave it out."
        )
    choice = SiteChoice(
        lung_shunt=lung_shunt,
        pattern=_pattern(table, scout, site),
        scout=scout,
        extrahepatic_share=table.number("extrahepatic_share", None),
        outflow=None if outflow is None else {k: float(v) for k, v in table.mapping("outflow").items()},
    )
    return replace(
        chosen(site, choice),
        name=name,
        position_lps_mm=table.numbers("position_mm", 3, ()) or site.position_lps_mm,  # type: ignore[arg-type]
        nearest_to=table.text("nearest_to", ""),
        among=tuple(table.texts("among", [])),
        upstream=site.upstream if base else table.text("upstream", ""),
    )


def _pattern(table: Table, scout: Volume | None, site: SourceSite) -> Pattern:
    unasked = Pattern.SCOUT if scout is not None else site.pattern
    pattern = Pattern(table.choice("distribution", list(Pattern), unasked))
    if scout is not None and pattern is not Pattern.SCOUT:
        raise CaseFileError(
            f'{table.where} has a scout of its own, which distribution = "{pattern}" does not use: leave one out.'
        )
    return pattern


def _no_shunt(where: str) -> str:
    return f"{where} has no lung_shunt and the case has no lungs.shunt: enter a fraction (0.05 for 5 %)."


def _scout(table: Table, name: str, folder: Path, files: dict[str, tuple[Path, ...]]) -> Volume | None:
    """Return the image of an injection of its own at a site."""
    text = table.text("scout", "")
    if not text:
        return None
    volume, files[f"scout of {name}"] = read_case_image_of_files((folder / text).resolve(), Unit.COUNTS)
    return volume
