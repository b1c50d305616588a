"""Sessions of radioembolization: which sites may be injected when, as dose rows of one planning problem."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.errors import TerritoryError

#: Fields of dose rows with one entry for each site.
_BY_SITE = (
    "lung_shunt",
    "rows",
    "perfused",
    "lung_gy_per_gbq",
    "emitted_j_per_gbq",
    "absorbed_j_per_gbq",
    "extrahepatic_share",
)


@dataclass(frozen=True)
class Session:
    """One session.

    Parameters
    ----------
    name : str
        For people, such as ``right lobe``.
    sites : tuple of str
        Sites that may be injected in it; none for all.
    """

    name: str
    sites: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class SessionRows:
    """Dose rows of all sessions side by side.

    Parameters
    ----------
    dose : DosePerGBq
        One row for each site in each session that may inject it, and one for each other site, so that tumours are cut
        into the same parts whatever the sessions.  A site of several sessions is named with them.
    session_of : ndarray (rows,) of int
    site_of : ndarray (rows,) of int
        Site of each row in the rows of the case.
    allowed : ndarray (rows,) of bool
        False for sites of no session.
    """

    dose: DosePerGBq
    session_of: np.ndarray
    site_of: np.ndarray
    allowed: np.ndarray


def rows_of_sessions(dose: DosePerGBq, sessions: Sequence[Session]) -> SessionRows:
    """Return the dose rows of the sites of every session; those of the case if no site is in two.

    Raises
    ------
    TerritoryError
        If there is no session, or one names a site that does not exist.
    """
    if not sessions:
        raise TerritoryError("A radioembolization needs at least one session.")
    chosen = [(index, number) for number, one in enumerate(sessions) for index in _sites(dose, one)]
    times = Counter(index for index, _ in chosen)
    others = [(index, 0) for index in range(len(dose.site_names)) if index not in times]
    every = sorted([*chosen, *others])
    site_of, session_of = (np.array(values) for values in zip(*every, strict=True))
    allowed = np.array([site in times for site in site_of.tolist()])
    if len(every) == len(dose.site_names):
        return SessionRows(dose, session_of, site_of, allowed)
    names = tuple(
        dose.site_names[site] if times[site] < 2 else f"{dose.site_names[site]} ({sessions[number].name})"
        for site, number in every
    )
    picked: dict[str, Any] = {
        key: None if (values := getattr(dose, key)) is None else values[site_of] for key in _BY_SITE
    }
    return SessionRows(replace(dose, site_names=names, **picked), session_of, site_of, allowed)


def _sites(dose: DosePerGBq, session: Session) -> list[int]:
    unknown = [name for name in session.sites if name not in dose.site_names]
    if unknown:
        raise TerritoryError(
            f"Session '{session.name}' names {unknown}, which are no sites: use {', '.join(dose.site_names)}."
        )
    return [index for index, name in enumerate(dose.site_names) if not session.sites or name in session.sites]
