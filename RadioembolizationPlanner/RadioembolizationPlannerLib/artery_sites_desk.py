"""What is done in a session with the sites of an arterial tree: they are offered, and follow their points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from slicer.i18n import tr as _

from radioembolization.errors import InputError, TerritoryError
from radioembolization.territories.arteries import ArterialTree
from radioembolization.territories.candidates.candidate_list import candidate_sites
from radioembolization.territories.candidates.tree_point import UserPoint
from radioembolization.treatment.case import collected_notices
from RadioembolizationPlannerLib import artery_task
from RadioembolizationPlannerLib.arteries import tree_digest, tree_of
from RadioembolizationPlannerLib.artery_publish import publish_sites
from RadioembolizationPlannerLib.artery_record import (
    PlacedPoint,
    SitesRecord,
    is_moved,
    is_of_tree,
    made_from,
    out_of_date,
    placed,
    record_of,
)
from RadioembolizationPlannerLib.artery_words import warning_lines
from RadioembolizationPlannerLib.geometry import flipped
from RadioembolizationPlannerLib.points import remove_points

if TYPE_CHECKING:
    from RadioembolizationPlannerLib.session import PlanningSession


class ArterySitesDesk:
    """Makes sites of the arterial tree of the case.

    Parameters
    ----------
    session : PlanningSession
    """

    def __init__(self, session: PlanningSession) -> None:
        self._session = session
        self._known: tuple[str, ArterialTree] | None = None
        #: What there is to say of the sites, and of points that were moved last, for people.
        self.told, self.told_of_points = "", ""
        #: While points are being set, that is no choice of the user.
        self.is_placing = False

    def tree(self) -> ArterialTree | None:
        """Return the tree of the case, None if there is none; errors as of ``tree_of``."""
        node = self._session.parameters.arteries
        if node is None:
            return None
        digest = tree_digest(node)
        if self._known is None or self._known[0] != digest:
            self._known = (digest, tree_of(node))
        return self._known[1]

    def offer(self) -> None:
        """Start finding the sites that the tree offers, in place of those of a tree that are there.

        Raises
        ------
        InputError
            If there is no tree, or no liver and tumor.
        """
        self._find(())

    def update(self) -> None:
        """Start finding what the sites at the points of the list reach; without a point, there are no such sites.

        Raises
        ------
        InputError
            As of ``offer``.
        """
        points = placed(self._session.parameters.artery_points)
        if points:
            self._find(points)
        else:
            self._clear()

    def reasons(self) -> tuple[str, ...]:
        """Return in words why the sites are out of date; errors as of ``PlanningSession.drawn``."""
        parameters = self._session.parameters
        if not any(is_of_tree(site) for site in parameters.sites):
            return ()
        return out_of_date(parameters, self._session.drawn().structures)

    def follow_points(self) -> bool:
        """Put points that were moved or added onto the tree; return whether sites have to follow.

        What cannot be a site is told, and goes back to where it was, or goes.
        """
        p, record, tree = self._session.parameters, record_of(self._session.parameters), self.tree()
        if p.artery_points is None or record is None or tree is None:
            return False
        moved = [point for point in placed(p.artery_points) if is_moved(point, record)]
        self.told_of_points = "\n".join(filter(None, [self._settle(point, record, tree) for point in moved]))
        now = placed(p.artery_points)
        return any(is_moved(point, record) for point in now) or {point.key for point in now} != set(record.points)

    def _find(self, points: tuple[PlacedPoint, ...]) -> None:
        p, tree = self._session.parameters, self.tree()
        if tree is None:
            raise InputError(_("Extract the arterial tree first."))
        drawn = self._session.drawn()
        wanted = tuple(UserPoint(point.label, point.position_lps_mm) for point in points)
        request = artery_task.SitesRequest(
            p.artery_options.request(tree, wanted), drawn.structures, (p.spacing_mm,) * 3, drawn.liver_density_g_per_cm3
        )
        digests = made_from(p, drawn.structures)
        self._session.start(
            artery_task.sites_of_tree,
            request,
            _("Territories of the arteries"),
            lambda found: self._publish(found, digests, points or None),
        )
        self.told = ""

    def _publish(
        self, found: artery_task.FoundSites, digests: Mapping[str, str], points: tuple[PlacedPoint, ...] | None
    ) -> None:
        session, before = self._session, self._session.parameters
        with self._placing():
            changes = publish_sites(session.scene, before, found, digests, points)
        left = {site.name for site in changes["sites"] if not is_of_tree(site)}
        gone = [site.name for site in before.sites if not is_of_tree(site) and site.name not in left]
        told = _("Sites of the same names were replaced: {names}.").format(names=", ".join(gone)) if gone else ""
        with self._placing():
            remove_points(before.site_points, gone)
        self.told = "\n".join(filter(None, [told, *warning_lines(found.notices)]))
        session.change(**changes)
        session.say(_("{count} sites of the arteries are ready.").format(count=len(found.sites)))

    def _clear(self) -> None:
        """Take the sites of the tree out of the case."""
        session = self._session
        self.told = _("No point is left, so the tree has no sites.")
        session.change(sites=tuple(site for site in session.parameters.sites if not is_of_tree(site)))

    def _settle(self, point: PlacedPoint, record: SitesRecord, tree: ArterialTree) -> str:
        """Put a point onto the tree, or back; return what there is to say of it."""
        options = self._session.parameters.artery_options
        organs = {name: organ for name, organ in {**record.organs, **options.organs}.items() if name in tree.names}
        position: tuple[float, ...] | None = record.points.get(point.key)
        try:
            with collected_notices() as notices:
                site = candidate_sites(
                    tree,
                    points=(UserPoint(point.label, point.position_lps_mm),),
                    organ_arteries=organs,
                    smallest_radius_mm=options.smallest_radius_mm,
                    generated=False,
                )[0]
            position, told = site.position_lps_mm, "\n".join(warning_lines(notices))
        except TerritoryError as error:
            told = str(error)
        self._place(point.key, position)
        return told

    def _place(self, key: str, position_lps_mm: tuple[float, ...] | None) -> None:
        """Move a point; without a position, remove it."""
        points = self._session.parameters.artery_points
        index = points.GetNthControlPointIndexByID(key)
        with self._placing():
            if position_lps_mm is None:
                points.RemoveNthControlPoint(index)
            else:
                points.SetNthControlPointPositionWorld(index, flipped(position_lps_mm))

    @contextmanager
    def _placing(self) -> Iterator[None]:
        self.is_placing = True
        try:
            yield
        finally:
            self.is_placing = False
