"""What is to be found out about a case beyond its plan: part of a case, as goal and limits are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from radioembolization.dose import Uncertainty
from radioembolization.errors import UncertaintyError, VialError
from radioembolization.planning import VialCalendar

#: Draws of the microspheres at most; each takes a dose calculation.
MOST_DRAWS = 1000


@dataclass(frozen=True)
class FrontRequest:
    """The goal against the bound of one limit.

    Parameters
    ----------
    limit : str
        As printed, or a part of that which no other limit has; empty for the limit that holds the goal back most.
    between : (float, float), optional
        Bounds in the unit of the limit; default the range that matters.
    """

    limit: str = ""
    between: tuple[float, float] | None = None


@dataclass(frozen=True)
class VialRequest:
    """The vials that can be had, and when each site is injected.

    Parameters
    ----------
    calendar : VialCalendar
    inject_at : mapping of str to datetime
        With time zone, by site; a site without an hour is not used.
    """

    calendar: VialCalendar
    inject_at: Mapping[str, datetime]

    def __post_init__(self) -> None:
        if not self.inject_at:
            raise VialError("No site has an hour of injection: state inject_at, as '2026-12-01T14:00'.")


@dataclass(frozen=True)
class MicrosphereRequest:
    """The plan with whole microspheres, drawn at random.

    Parameters
    ----------
    draws : int
        One dose calculation each.
    seed : int
        Of the random numbers.

    Raises
    ------
    UncertaintyError
        If a number is not whole, or impossible.
    """

    draws: int
    seed: int = 0

    def __post_init__(self) -> None:
        if not _is_whole(self.draws) or not 1 <= self.draws <= MOST_DRAWS:
            raise UncertaintyError(
                f"The number of draws of the microspheres must be a whole number from 1 to {MOST_DRAWS}, "
                f"not {self.draws!r}."
            )
        if not _is_whole(self.seed) or self.seed < 0:
            raise UncertaintyError(
                f"The seed of the microspheres must be zero or a positive whole number, not {self.seed!r}."
            )


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


@dataclass(frozen=True)
class AnalysisRequest:
    """What is to be found out.

    Parameters
    ----------
    explanation : bool
        Why the plan is as it is.
    front : FrontRequest, optional
    staircase : bool
        The goal against the number of injections.
    uncertainty : Uncertainty, optional
        What a plan comes to if things turn out differently.
    robust : bool
        Whether the plan has to withstand that; else the plan is only evaluated in scenarios.
    vials : VialRequest, optional
        The plan consists of these vials.
    microspheres : MicrosphereRequest, optional
        What the number of microspheres alone does to the doses of the plan; decides nothing about it.

    Raises
    ------
    UncertaintyError
        If a robust plan is asked for and nothing is uncertain.
    """

    explanation: bool = True
    front: FrontRequest | None = None
    staircase: bool = False
    uncertainty: Uncertainty | None = None
    robust: bool = False
    vials: VialRequest | None = None
    microspheres: MicrosphereRequest | None = None

    def __post_init__(self) -> None:
        if self.robust and self.uncertainty is None:
            raise UncertaintyError("A robust plan was asked for, but nothing is uncertain: state [uncertainty].")
