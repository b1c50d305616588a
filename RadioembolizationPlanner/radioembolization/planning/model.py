"""The variables of a plan: activities, and whether each site is used."""

from __future__ import annotations

import os
import sys
from functools import cache, cached_property
from typing import Any

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.errors import MissingPackage


def cvxpy() -> Any:
    """Import cvxpy when it is first needed.

    Raises
    ------
    MissingPackage
        With the command that installs it.
    """
    try:
        import cvxpy as cp
    except ImportError as error:
        raise MissingPackage(
            "Optimizing a plan needs the package cvxpy with the HiGHS solver: pip install 'cvxpy[highs]'."
        ) from error
    highspy()
    return cp


@cache
def highspy() -> Any:
    """Import highspy when it is first needed.

    Raises
    ------
    MissingPackage
        With the command that installs it.
    """
    try:
        import highspy as library
    except ImportError as error:
        raise MissingPackage("Optimizing a plan needs the HiGHS solver: pip install highspy.") from error
    _print_highs_banner_nowhere()
    return library


@cache
def _print_highs_banner_nowhere() -> None:
    """Make the first HiGHS object, which prints a banner to the standard output, with that output shut.

    Programs that read the command line's JSON need a clean standard output.
    """
    import highspy

    if sys.stdout is not None:  # as in a windowed application
        sys.stdout.flush()
    try:
        kept = os.dup(1)
    except OSError:  # no standard output at all
        highspy.Highs()
        return
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        try:
            highspy.Highs()
        finally:
            os.dup2(kept, 1)
            os.close(kept)


class Model:
    """cvxpy variables over dose rows, shared by one goal and its limits.

    Parameters
    ----------
    dose : DosePerGBq
    cap_gbq : ndarray (sites,)
        Largest activity of each site that any feasible plan can have [GBq].
    """

    def __init__(self, dose: DosePerGBq, cap_gbq: np.ndarray) -> None:
        self.dose = dose
        self.cap_gbq = cap_gbq
        self.activities = cvxpy().Variable(len(cap_gbq), bounds=[np.zeros(len(cap_gbq)), cap_gbq])
        self.uses_choice = False

    @cached_property
    def used(self) -> Any:
        """Binary variable (sites,): whether a site may have activity."""
        self.uses_choice = True
        return cvxpy().Variable(len(self.cap_gbq), boolean=True)

    def variable(self, size: int, lower: float, upper: float) -> Any:
        """Return a further bounded variable (size,)."""
        return cvxpy().Variable(size, bounds=[lower, upper])

    def choice_constraints(self) -> list[Any]:
        """Return what ties activities to the use of their site, if any limit asked for it."""
        return [self.activities <= np.diag(self.cap_gbq) @ self.used] if self.uses_choice else []
