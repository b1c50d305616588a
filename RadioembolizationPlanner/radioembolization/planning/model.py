"""The variables of a plan: activities, and whether each site is used."""

from __future__ import annotations

from functools import cached_property
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
    return cp


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

    def choice_constraints(self) -> list[Any]:
        """Return what ties activities to the use of their site, if any limit asked for it."""
        return [self.activities <= np.diag(self.cap_gbq) @ self.used] if self.uses_choice else []
