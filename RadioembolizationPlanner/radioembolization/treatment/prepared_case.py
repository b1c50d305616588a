"""A case with its dose rows, from which it can be planned again and again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from radioembolization.dose import DosePerGBq, compute_dose_per_gbq
from radioembolization.errors import AssumedBiology, LimitOverride
from radioembolization.planning import Prescription
from radioembolization.treatment.case import Case, Notice, collected_notices, joined

#: Notices that depend on goal and limits alone.
_OF_PRESCRIPTION = (LimitOverride.__name__, AssumedBiology.__name__)

#: Called with (what is done, step, steps).
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class PreparedCase:
    """A case with its dose rows, which depend on images, structures and sites but not on goal and limits.

    Parameters
    ----------
    case : Case
    dose_per_gbq : DosePerGBq
    notices : tuple of Notice
        Of the case and of its dose rows.
    """

    case: Case
    dose_per_gbq: DosePerGBq
    notices: tuple[Notice, ...]

    def with_prescription(self, prescription: Prescription) -> PreparedCase:
        """Return the case under another goal and other limits, on the same dose rows.

        Notices about the earlier goal and limits are left out; those about the new ones come with the plan.
        """
        case = replace(self.case, inputs=replace(self.case.inputs, prescription=prescription))
        kept, kept_of_case = (
            tuple(n for n in notices if n.name not in _OF_PRESCRIPTION) for notices in (self.notices, case.notices)
        )
        return replace(self, case=replace(case, notices=kept_of_case), notices=kept)


def compute_rows(case: Case, progress: Progress | None = None) -> PreparedCase:
    """Return a case with its dose rows; needs no solver."""
    with collected_notices() as notices:
        case.inputs.prescription.problem(case.inputs.settings.device)  # refuses limits of other devices before the work
        rows = compute_dose_per_gbq(
            case.territories,
            case.inputs.settings,
            lambda step, steps: report(progress, "dose per GBq", step, steps),
            case.density,
        )
    return PreparedCase(case, rows, joined(case.notices, notices))


def report(progress: Progress | None, what: str, step: int, steps: int) -> None:
    """Tell the progress, if anyone listens."""
    if progress:
        progress(what, step, steps)
