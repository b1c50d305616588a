"""Lung shunts of a session: computed, compared, kept in the scene, and given to the case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from slicer.i18n import tr as _

from radioembolization.errors import InputError, PlannerError
from radioembolization.territories.shunt.lung_shunt import LungShunt, ShuntMethod
from radioembolization.territories.shunt.planar_shunt import PlanarCounts, planar_shunt, planar_shunt_from_images
from radioembolization.territories.shunt.spect_shunt import SpectShuntSettings
from radioembolization.treatment import Treatment
from radioembolization.treatment.case import collected_notices, joined
from radioembolization.treatment.fingerprint import changed_parts
from RadioembolizationPlannerLib import scout_task
from RadioembolizationPlannerLib.known_shunts import KnownShunt, known_shunts, out_of_date, with_shunt
from RadioembolizationPlannerLib.planar_choice import PlanarChoice, planar_images

if TYPE_CHECKING:
    from RadioembolizationPlannerLib.session import PlanningSession

_ORGANS = ("lungs", "liver")


class ShuntDesk:
    """Computes lung shunts and knows which of them are still about the scene.

    Parameters
    ----------
    session : PlanningSession
    """

    def __init__(self, session: PlanningSession) -> None:
        self._session = session
        #: What has changed, in words, since the shunt by a method was computed; methods without changes are missing.
        self.changes: Mapping[ShuntMethod, tuple[str, ...]] = {}

    @property
    def known(self) -> tuple[KnownShunt, ...]:
        """All shunts; that of the case is marked as used."""
        return known_shunts(self._session.parameters)

    def by_spect(self, settings: SpectShuntSettings) -> None:
        """Start computing the shunt from scout, lungs and liver; errors as of ``PlanningSession.drawn``."""
        drawn = self._session.drawn()
        request = scout_task.ShuntRequest(drawn.scout, drawn.structures, drawn.ct, settings)
        made_from = request.digests()
        numbers = {"dome_margin_mm": settings.dome_margin_mm}

        def keep(found: scout_task.Found[LungShunt]) -> None:
            self._keep(KnownShunt(found.value, made_from, numbers=numbers, notices=found.notices))

        self._session.start(scout_task.spect_shunt, request, _("Lung shunt by SPECT/CT"), keep)

    def by_counts(self, counts: Mapping[str, float]) -> None:
        """Compute the planar shunt from numbers.

        Parameters
        ----------
        counts : mapping of str to float
            ``lungs_anterior``, ``lungs_posterior``, and the same of the liver; with a background also ``_pixels``,
            ``_background_anterior`` and ``_background_posterior`` of both.

        Raises
        ------
        LungShuntError
            As of ``PlanarCounts``; also if a number is missing.
        """
        organs = []
        for organ in _ORGANS:
            missing = [view for view in ("anterior", "posterior") if f"{organ}_{view}" not in counts]
            if missing:
                told = _("Enter the {view} counts of the {organ}: the planar shunt needs four numbers.")
                raise InputError(told.format(view=missing[0], organ=organ))
            start = f"{organ}_"
            own = {key.removeprefix(start): value for key, value in counts.items() if key.startswith(start)}
            organs.append(PlanarCounts(organ, **own))
        self._keep(KnownShunt(planar_shunt(*organs), numbers=dict(counts)))

    def by_images(self, choice: PlanarChoice) -> None:
        """Compute the planar shunt from images; errors as of ``planar_images`` and ``planar_shunt_from_images``."""
        images = planar_images(self._session.scene, choice)
        with collected_notices() as notices:
            shunt = planar_shunt_from_images(
                images.anterior, images.posterior, images.regions, choice.posterior_is_mirrored
            )
        self._keep(KnownShunt(shunt, images.digests, dict(choice.nodes), choice.numbers, tuple(notices)))

    def use(self, method: ShuntMethod) -> None:
        """Make the shunt by a method that of the case; all others are kept.

        Raises
        ------
        InputError
            If there is none, or its inputs have changed since.
        """
        self.look_again()
        chosen = self._one(method)
        changes = self.changes.get(method, ())
        if changes:
            told = _("The lung shunt by {method} is out of date ({changes}): compute it again.")
            raise InputError(told.format(method=method.words, changes="; ".join(changes)))
        marked = tuple(replace(one, shunt=replace(one.shunt, used=one.method is method)) for one in self.known)
        self._session.change(lung_shunt=chosen.shunt.fraction, lung_shunts=self._in_order(marked))
        self._session.say(_("The case uses the lung shunt by {method}.").format(method=method.words))

    def remove(self, method: ShuntMethod) -> None:
        """Forget the shunt by a method; if it is used, the case has none then."""
        gone = self._one(method)
        changes = {"lung_shunt": None} if gone.shunt.used else {}
        self._session.change(lung_shunts=tuple(one for one in self.known if one.method is not method), **changes)

    def look_again(self) -> None:
        """Note what has changed in the scene since each shunt was computed."""
        try:
            found = {one.method: self._changes_of(one) for one in self.known}
        except PlannerError:
            found = {}  # the parameters cannot be read, which is told elsewhere
        self.changes = {method: changes for method, changes in found.items() if changes}

    def forget(self) -> None:
        """Let go of what was compared."""
        self.changes = {}

    def told_in(self, treatment: Treatment) -> Treatment:
        """Return a treatment that tells if the lung shunt it was planned with is out of date."""
        told = [out_of_date(one, self.changes[one.method]) for one in self._used() if one.method in self.changes]
        return replace(treatment, notices=joined(treatment.notices, told)) if told else treatment

    def _keep(self, new: KnownShunt) -> None:
        """Put a shunt beside the others; if that of its method was used, the new one is."""
        known = self.known
        replaced = any(one.shunt.used for one in known if one.method is new.method)
        new = replace(new, shunt=replace(new.shunt, used=replaced))
        changes = {"lung_shunt": new.shunt.fraction} if replaced else {}
        self._session.change(lung_shunts=with_shunt(known, new), **changes)
        self.look_again()
        self._session.say(
            _("{percent:.2f} % by {method}").format(percent=100.0 * new.shunt.fraction, method=new.method.words)
        )

    def _used(self) -> list[KnownShunt]:
        return [one for one in self.known if one.shunt.used]

    def _one(self, method: ShuntMethod) -> KnownShunt:
        found = next((one for one in self.known if one.method is method), None)
        if found is None:
            raise InputError(_("There is no lung shunt by {method}: compute it first.").format(method=method.words))
        return found

    def _in_order(self, known: tuple[KnownShunt, ...]) -> tuple[KnownShunt, ...]:
        ordered: tuple[KnownShunt, ...] = ()
        for one in known:
            ordered = with_shunt(ordered, one)
        return ordered

    def _changes_of(self, known: KnownShunt) -> tuple[str, ...]:
        if not known.made_from:
            return ()
        try:
            if known.nodes:
                choice = PlanarChoice.from_record(known.nodes, known.numbers)
                return changed_parts(known.made_from, planar_images(self._session.scene, choice).digests)
            drawn = self._session.drawn()
            request = scout_task.ShuntRequest(drawn.scout, drawn.structures, drawn.ct)
            return changed_parts(known.made_from, request.digests())
        except PlannerError as error:
            return (str(error).rstrip("."),)
