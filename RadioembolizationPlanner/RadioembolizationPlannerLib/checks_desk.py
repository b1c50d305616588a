"""Checks whether images and structures of the case fit together, asked for in a session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from slicer.i18n import tr as _

from radioembolization.errors import PlannerError
from radioembolization.structures.findings import Finding, Severity
from radioembolization.treatment import Treatment
from radioembolization.treatment.case import joined
from radioembolization.treatment.consistency import with_findings
from radioembolization.treatment.fingerprint import changed_parts, mask_digest, volume_digest
from RadioembolizationPlannerLib import tasks
from RadioembolizationPlannerLib.layouts import jump_to
from RadioembolizationPlannerLib.new_segments import shown_text

if TYPE_CHECKING:
    from RadioembolizationPlannerLib.session import PlanningSession


class ChecksDesk:
    """Holds what the last check found, and whether it is still about the case in the scene.

    Parameters
    ----------
    session : PlanningSession
    """

    def __init__(self, session: PlanningSession) -> None:
        self._session = session
        self._digests: Mapping[str, str] = {}
        #: What was found, the worst first; None before the first check.
        self.findings: tuple[Finding, ...] | None = None
        #: What has changed since, in words.
        self.changes: tuple[str, ...] = ()

    @property
    def is_current(self) -> bool:
        """Whether the case was checked as it is now."""
        return self.findings is not None and not self.changes

    def check(self) -> None:
        """Start checking; errors as of ``PlanningSession.drawn``."""
        request = self._session.drawn()
        digests = _digests(request)
        what = _("Checking images and structures")
        self._session.start(tasks.check, request, what, lambda findings: self._found(findings, digests))

    def look_again(self) -> None:
        """Note what has changed in the scene since the check."""
        if self.findings is None:
            return
        try:
            self.changes = changed_parts(self._digests, _digests(self._session.drawn()))
        except PlannerError as error:
            self.changes = (str(error),)

    def told_in(self, treatment: Treatment) -> Treatment:
        """Return a treatment with errors and warnings among its notices, if its case is the one that was checked."""
        if self.findings is None or _digests(treatment.case.inputs) != self._digests:
            return treatment
        case = with_findings(treatment.case, self.findings)
        return replace(treatment, case=case, notices=joined(case.notices, treatment.notices))

    def jump(self, finding: Finding) -> None:
        """Show in all slice views the place that a finding is about; nothing happens if it has none."""
        if finding.position_lps_mm is not None:
            jump_to(self._session.scene, finding.position_lps_mm)

    def forget(self) -> None:
        """Let go of what was found."""
        self.findings, self.changes, self._digests = None, (), {}

    def _found(self, findings: tuple[Finding, ...], digests: Mapping[str, str]) -> None:
        self.findings, self._digests = findings, digests
        self.look_again()  # the scene may be another by now
        self._session.say(summary(findings))


def summary(findings: tuple[Finding, ...]) -> str:
    """Return in words how many findings there are of each severity."""
    counts = {severity: sum(f.severity is severity for f in findings) for severity in Severity}
    if not findings:
        return _("Images and structures fit together: nothing was found.")
    told = _("Errors: {errors}, warnings: {warnings}, notes: {notes}.")
    return told.format(errors=counts[Severity.ERROR], warnings=counts[Severity.WARNING], notes=counts[Severity.NOTICE])


def shown_message(finding: Finding) -> str:
    """Return the message of a finding as the panel writes it; names in quotes stay as they are."""
    return shown_text(finding.message)


def _digests(checked: Any) -> dict[str, str]:
    """Return digests of what is checked in a ``CheckRequest`` or ``CaseInputs``."""
    return {
        "scout image": volume_digest(checked.scout),
        "CT": volume_digest(checked.ct),
        "density of the liver": f"{checked.liver_density_g_per_cm3:.6g}",
        **{f"structure '{s.name}'": f"{s.role} {mask_digest(s.source)}" for s in checked.structures},
    }
