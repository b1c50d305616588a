"""Tumor-to-normal ratios and extrahepatic foci of a session: found in the scout, and whether that still holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import slicer
from slicer.i18n import tr as _

from radioembolization.errors import InputError, PlannerError
from radioembolization.structures.extrahepatic_foci import ExtrahepaticFocus, FocusRule
from radioembolization.structures.tumour_to_normal import TumourToNormal
from radioembolization.treatment import Treatment
from radioembolization.treatment.case import Notice, joined
from radioembolization.treatment.fingerprint import changed_parts
from RadioembolizationPlannerLib import scout_task
from RadioembolizationPlannerLib.layouts import jump_to
from RadioembolizationPlannerLib.points import add_point, new_points

if TYPE_CHECKING:
    from RadioembolizationPlannerLib.session import PlanningSession

T = TypeVar("T")


@dataclass(eq=False)
class Kept(Generic[T]):
    """What was found last, how to ask for it again, and what has changed since, in words."""

    value: T
    notices: tuple[Notice, ...]
    made_from: Mapping[str, str]
    ask: Callable[[], Any]
    changes: tuple[str, ...] = ()

    def look_again(self) -> None:
        """Note what has changed in the scene since."""
        try:
            self.changes = changed_parts(self.made_from, self.ask().digests())
        except PlannerError as error:
            self.changes = (str(error).rstrip("."),)


class ScoutDesk:
    """Asks what the scout says of tumors and of places outside the liver.

    Parameters
    ----------
    session : PlanningSession
    """

    def __init__(self, session: PlanningSession) -> None:
        self._session = session
        #: Ratios, with the reference asked for; None before the first time.
        self.ratios: Kept[tuple[TumourToNormal, ...]] | None = None
        self.reference = scout_task.ALL_NORMAL_LIVER
        #: Foci, those with most counts first; None before the first time.
        self.foci: Kept[tuple[ExtrahepaticFocus, ...]] | None = None

    def measure_ratios(self, reference: str = scout_task.ALL_NORMAL_LIVER) -> None:
        """Start measuring the ratio of every tumor against a reference.

        Parameters
        ----------
        reference : str
            ``ALL_NORMAL_LIVER``, ``OWN_TERRITORY`` or the name of a site.

        Raises
        ------
        InputError
            If there is no scout, or the site has no perfused volume; otherwise as of ``PlanningSession.drawn``.
        """

        def keep(kept: Kept[tuple[TumourToNormal, ...]]) -> None:
            self.ratios, self.reference = kept, reference

        self._start(scout_task.ratios, lambda: self._ratio_request(reference), _("Tumor-to-normal ratios"), keep)

    def find_foci(self, rule: FocusRule | None = None) -> None:
        """Start looking for hot spots outside liver and lungs; errors as of ``measure_ratios``."""

        def keep(kept: Kept[tuple[ExtrahepaticFocus, ...]]) -> None:
            self.foci = kept

        self._start(scout_task.foci, lambda: self._focus_request(rule), _("Extrahepatic foci"), keep)

    def enter_ratios(self) -> None:
        """Enter the measured ratios into the case; tumors whose ratio is typed in keep it.

        Raises
        ------
        InputError
            If they were not measured, or are out of date.
        """
        if self.ratios is None or self.ratios.changes:
            raise InputError(_("Measure the ratios first: there are none of the case as it is now."))
        parameters = self._session.parameters
        segments = parameters.segmentation.GetSegmentation()
        keys = {segments.GetSegment(key).GetName(): key for key in parameters.roles if segments.GetSegment(key)}
        measured = {keys[one.name]: one.ratio for one in self.ratios.value if one.name in keys and one.ratio > 0}
        self._session.change(tumour_to_normal={**measured, **parameters.tumour_to_normal})

    def jump(self, focus: ExtrahepaticFocus) -> None:
        """Show a focus in all slice views."""
        jump_to(self._session.scene, focus.position_lps_mm)

    def mark_foci(self) -> slicer.vtkMRMLMarkupsFiducialNode:
        """Put the foci into the scene as points.

        Raises
        ------
        InputError
            If there are none.
        """
        if self.foci is None or not self.foci.value:
            raise InputError(_("There is no focus to be marked."))
        points = new_points(self._session.scene, _("Extrahepatic foci"))
        for number, focus in enumerate(self.foci.value, start=1):
            label = _("focus {number}").format(number=number)
            near = f"{focus.distance_mm:.0f} mm, {focus.nearest_structure}; {focus.share_of_counts:.1%}"
            add_point(points, focus.position_lps_mm, label, near)
        points.SetLocked(True)
        return points

    def look_again(self) -> None:
        """Note what has changed in the scene since ratios and foci were found."""
        for kept in (self.ratios, self.foci):
            if kept is not None:
                kept.look_again()

    def told_in(self, treatment: Treatment) -> Treatment:
        """Return a treatment with what ratios and foci had to tell, if they are of the case as it is."""
        for kept in (self.ratios, self.foci):
            if kept is not None and not kept.changes:
                treatment = replace(treatment, notices=joined(treatment.notices, kept.notices))
        return treatment

    def forget(self) -> None:
        """Let go of what was found."""
        self.ratios = self.foci = None

    def _start(self, task: Callable, ask: Callable[[], Any], what: str, keep: Callable[[Kept], None]) -> None:
        request = ask()
        made_from = request.digests()

        def done(found: scout_task.Found) -> None:
            kept = Kept(found.value, found.notices, made_from, ask)
            kept.look_again()  # the scene may be another by now
            keep(kept)
            self._session.say(_("{what}: done.").format(what=what))

        self._session.start(task, request, what, done)

    def _ratio_request(self, reference: str) -> scout_task.RatioRequest:
        drawn, perfused = self._drawn(), self._session.perfused()
        if reference not in (scout_task.ALL_NORMAL_LIVER, scout_task.OWN_TERRITORY):
            if reference not in perfused:
                told = _("The site '{name}' has no perfused volume: choose one, or another reference.")
                raise InputError(told.format(name=reference))
            perfused = {reference: perfused[reference]}
        elif reference == scout_task.ALL_NORMAL_LIVER:
            perfused = {}
        spacing_mm = (self._session.parameters.spacing_mm,) * 3
        return scout_task.RatioRequest(drawn.scout, drawn.structures, spacing_mm, reference, perfused)

    def _focus_request(self, rule: FocusRule | None) -> scout_task.FocusRequest:
        drawn = self._drawn()
        return scout_task.FocusRequest(drawn.scout, drawn.structures, rule or FocusRule())

    def _drawn(self) -> Any:
        drawn = self._session.drawn()
        if drawn.scout is None:
            raise InputError(_("Choose the scout image in section 1 first."))
        return drawn


def position_text(position_lps_mm: tuple[float, float, float]) -> str:
    """Return a position as Slicer writes it: how far to the right or left, front or back, head or feet [mm]."""
    sides = zip(position_lps_mm, ("LR", "PA", "SI"), strict=True)
    return ", ".join(f"{pair[0] if value >= 0 else pair[1]} {abs(value):.0f}" for value, pair in sides)
