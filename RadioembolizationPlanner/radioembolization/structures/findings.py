"""What a check of images and structures has found, with the place to look at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters."""

    NOTICE = "notice"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """One thing that a user should know or mend before planning.

    Parameters
    ----------
    check : str
        Name of the check, such as ``"incomplete liver"``; the same for every case.
    severity : Severity
    message : str
        What, where, and how to mend it, in one or two sentences.
    structures : tuple of str
        Names of the structures it is about.
    position_lps_mm : tuple of float, optional
        Where to look (x, y, z) in LPS [mm].
    """

    check: str
    severity: Severity
    message: str
    structures: tuple[str, ...] = ()
    position_lps_mm: tuple[float, float, float] | None = None
