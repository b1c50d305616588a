"""What a planning session tells those who listen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Event(Enum):
    """What listeners are told of."""

    PARAMETERS = auto()
    CASE = auto()
    STATUS = auto()
    DOSES = auto()
    LIVE = auto()
    PLANS = auto()
    COMPARISON = auto()


@dataclass(frozen=True)
class Status:
    """What is going on, for people.

    Parameters
    ----------
    text : str
    failed : bool
        Whether the text is an error.
    step, steps : int
        Progress of what runs; steps are 0 where they are not known.
    """

    text: str = ""
    failed: bool = False
    step: int = 0
    steps: int = 0
