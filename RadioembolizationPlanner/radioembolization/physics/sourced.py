"""A value that travels with its source and with how far that source was confirmed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")


class Status(StrEnum):
    """How far a value was confirmed."""

    #: Read in the source, not contradicted by another.
    CONFIRMED = "confirmed"
    #: In use, but not read in a source: let the user change it.
    UNVERIFIED = "unverified"
    #: Sources disagree, as stated in the source text.
    CONFLICT = "conflict"


@dataclass(frozen=True)
class Sourced(Generic[T]):
    """A value, where it comes from, and how far it was confirmed.

    Parameters
    ----------
    value : T
    source : str
    status : Status
    """

    value: T
    source: str
    status: Status

    def __str__(self) -> str:
        """Return the value, marked where it is not confirmed."""
        return str(self.value) if self.status is Status.CONFIRMED else f"{self.value} ({self.status})"
