"""What is done in a session with arteries: a tree is extracted or grown, its sites are offered and follow their points."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import slicer
from slicer.i18n import tr as _

from radioembolization.errors import InputError, TerritoryError
from radioembolization.territories.arteries import ArterialTree
from radioembolization.territories.candidates.candidate_list import candidate_sites
from radioembolization.territories.candidates.tree_point import UserPoint
from radioembolization.treatment import Notice
from radioembolization.treatment.case import collected_notices
from RadioembolizationPlannerLib import artery_task
from RadioembolizationPlannerLib.arteries import publish_tree, remove_tree, tree_digest, tree_of
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
from RadioembolizationPlannerLib.artery_sources import (
    Joining,
    curves_request,
    mask_request,
    model_request,
    tree_in_model,
)
from RadioembolizationPlannerLib.geometry import flipped

if TYPE_CHECKING:
    from RadioembolizationPlannerLib.session import PlanningSession


class ArteryDesk:
    """Makes the arterial tree of a case and its sites.

    Parameters
    ----------
    session : PlanningSession
    """

    def __init__(self, session: PlanningSession) -> None:
        self._session = session
        self._known: tuple[str, ArterialTree] | None = None
        #: What came of the last tree, of the last sites, for people.
        self.told, self.told_of_sites = "", ""
        #: While points are being set, that is no choice of the user.
        self.is_placing = False

    # -- the tree -----------------------------------------------------------------------------------------------

    def from_segment(self, segmentation: slicer.vtkMRMLSegmentationNode, segment_id: str, joining: Joining) -> None:
        """Start extracting the tree of a vessel segment; errors as of ``mask_from_segment``."""
        self._extract(artery_task.tree_of_mask, mask_request(segmentation, segment_id, joining))

    def from_model(self, model: slicer.vtkMRMLModelNode, joining: Joining) -> None:
        """Take the tree that a model holds, or start joining its centerlines; errors as of ``model_request``."""
        tree = tree_in_model(model) if joining.root_lps_mm is None else None
        if tree is not None:
            self._take(artery_task.FoundTree(tree, ()))
        else:
            self._extract(artery_task.tree_of_vessels, model_request(model, joining))

    def from_curves(self, curves: list[slicer.vtkMRMLMarkupsCurveNode], joining: Joining) -> None:
        """Start joining curves; errors as of ``curves_request``."""
        self._extract(artery_task.tree_of_vessels, curves_request(curves, joining))

    def grow(self, seed: int, terminals: int, inlet_lps_mm: artery_task.Position | None = None) -> None:
        """Start growing a synthetic tree in the liver of the case; errors as of ``PlanningSession.drawn``."""
        spacing = (self._session.parameters.spacing_mm,) * 3
        request = artery_task.GrowRequest(self._session.drawn().structures, spacing, seed, terminals, inlet_lps_mm)
        self._extract(artery_task.grown_tree, request, _("Growing arteries"))

    def _extract(self, task: Callable[..., Any], request: object, what: str = "") -> None:
        self._session.start(task, request, what or _("Extracting the arteries"), self._take)
        self.told = ""

    def _take(self, found: artery_task.FoundTree) -> None:
        session = self._session
        before = session.parameters.arteries
        if before is not None:
            remove_tree(session.scene, before)
        name = f"{session.parameters.case_name}: arteries"
        session.change(arteries=publish_tree(session.scene, found.tree, found.notices, name))
        self.told = "\n".join([tree_text(found.tree), *_warnings(found.notices)])
        logging.info("%s", self.told)
        session.say(self.told)

    def tree(self) -> ArterialTree | None:
        """Return the tree of the case, None if there is none; errors as of ``tree_of``."""
        node = self._session.parameters.arteries
        if node is None:
            return None
        digest = tree_digest(node)
        if self._known is None or self._known[0] != digest:
            self._known = (digest, tree_of(node))
        return self._known[1]

    # -- its sites ----------------------------------------------------------------------------------------------

    def offer(self) -> None:
        """Start finding the sites that the tree offers, in place of those of a tree that are there.

        Raises
        ------
        InputError
            If there is no tree, or no liver and tumor.
        """
        self._find_sites(())

    def update(self) -> None:
        """Start finding what the sites at the points of the list reach; errors as of ``offer``."""
        points = placed(self._session.parameters.artery_points)
        if not points:
            raise InputError(_("The list of sites has no points: add one on the tree, or offer sites."))
        self._find_sites(points)

    def clear_sites(self) -> None:
        """Take the sites of the tree out of the case."""
        session = self._session
        session.change(sites=tuple(site for site in session.parameters.sites if not is_of_tree(site)))
        self.told_of_sites = _("No point is left, so the tree has no sites.")

    def _find_sites(self, points: tuple[PlacedPoint, ...]) -> None:
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
        self.told_of_sites = ""

    def _publish(
        self, found: artery_task.FoundSites, digests: Mapping[str, str], points: tuple[PlacedPoint, ...] | None
    ) -> None:
        session = self._session
        self.is_placing = True
        try:
            changes = publish_sites(session.scene, session.parameters, found, digests, points)
        finally:
            self.is_placing = False
        replaced = [site.name for site in session.parameters.sites if not is_of_tree(site)]
        session.change(**changes)
        left = [site.name for site in session.parameters.sites if not is_of_tree(site)]
        gone = ", ".join(name for name in replaced if name not in left)
        told = _("Sites of the same names were replaced: {names}.").format(names=gone) if gone else ""
        self.told_of_sites = "\n".join(filter(None, [told, *_warnings(found.notices)]))
        session.say(_("{count} sites of the arteries are ready.").format(count=len(found.sites)))

    def reasons(self) -> tuple[str, ...]:
        """Return in words why the sites are out of date; errors as of ``PlanningSession.drawn``."""
        parameters = self._session.parameters
        if not any(is_of_tree(site) for site in parameters.sites):
            return ()
        return out_of_date(parameters, self._session.drawn().structures)

    # -- points that the user moves -----------------------------------------------------------------------------

    def follow_points(self) -> bool:
        """Put points that were moved or added onto the tree; return whether sites have to follow.

        What cannot be a site is told, and goes back to where it was, or goes.
        """
        p, record = self._session.parameters, record_of(self._session.parameters)
        points, tree = p.artery_points, self.tree()
        if self.is_placing or points is None or record is None or tree is None:
            return False
        self.told_of_sites = "\n".join(
            filter(None, [self._settle(point, record, tree) for point in placed(points) if is_moved(point, record)])
        )
        now = placed(points)
        same = not any(is_moved(point, record) for point in now) and {point.key for point in now} == set(record.points)
        return not same

    def _settle(self, point: PlacedPoint, record: SitesRecord, tree: ArterialTree) -> str:
        """Put a point onto the tree; return what there is to say of it."""
        organs = {**record.organs, **self._session.parameters.artery_options.organs}
        known = {name: organ for name, organ in organs.items() if name in tree.names}
        told: list[str] = []
        position = record.points.get(point.key)
        try:
            with collected_notices() as notices:
                site = candidate_sites(
                    tree,
                    points=(UserPoint(point.label, point.position_lps_mm),),
                    organ_arteries=known,
                    smallest_radius_mm=self._session.parameters.artery_options.smallest_radius_mm,
                    generated=False,
                )[0]
            position = site.position_lps_mm
            told = [notice.message for notice in notices]
        except TerritoryError as error:
            told = [str(error)]
        self._place(point.key, position)
        return "\n".join(told)

    def _place(self, key: str, position_lps_mm: tuple[float, ...] | None) -> None:
        """Move a point; without a position, remove it."""
        points = self._session.parameters.artery_points
        index, self.is_placing = points.GetNthControlPointIndexByID(key), True
        try:
            if position_lps_mm is None:
                points.RemoveNthControlPoint(index)
            else:
                points.SetNthControlPointPositionWorld(index, flipped(position_lps_mm))
        finally:
            self.is_placing = False


def tree_text(tree: ArterialTree) -> str:
    """Return in a sentence what a tree is."""
    length_cm = sum(artery.length_mm for artery in tree.arteries) / 10.0
    told = _("{count} arteries, {length:.0f} cm together, from '{root}' with a radius of {radius:.1f} mm; {source}.")
    text = told.format(
        count=len(tree.arteries),
        length=length_cm,
        root=tree.root.name,
        radius=float(tree.root.radius_mm[0]),
        source=tree.source or _("of unknown source"),
    )
    return _("SYNTHETIC, no anatomy of the patient: {text}").format(text=text) if tree.synthetic else text


def _warnings(notices: tuple[Notice, ...]) -> list[str]:
    return [_("WARNING: {message}").format(message=notice.message) for notice in notices]
