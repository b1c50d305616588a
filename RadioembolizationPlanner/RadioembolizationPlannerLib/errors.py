"""Errors that only exist where there is a scene."""

from __future__ import annotations

from radioembolization.errors import PlannerError


class NewerScene(PlannerError):
    """A scene was saved by a newer version of the program."""


class PlanChanged(PlannerError):
    """A stored plan is not what was approved, or not what its file says."""


class NothingToPlan(PlannerError):
    """Inputs are missing; the message lists them."""
