"""Sites of an arterial tree, from a scene to the core; what has not changed since is not read again."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

import slicer
from slicer.i18n import tr as _

from radioembolization.errors import InputError
from radioembolization.images import Unit
from radioembolization.territories import Pattern
from radioembolization.territories.arteries import ArterialTree
from radioembolization.treatment import Notice, SourceMask, SourceSite, SourceSupply
from radioembolization.treatment.site_choice import SiteChoice, chosen
from RadioembolizationPlannerLib.arteries import TREES, tree_digest, tree_of
from RadioembolizationPlannerLib.artery_record import SUPPLIES, SUPPLY_OF, SitesRecord, TreeSite, is_of_tree, record_of
from RadioembolizationPlannerLib.geometry import matrix_to_world
from RadioembolizationPlannerLib.parameters import PlannerParameters, SiteParameters
from RadioembolizationPlannerLib.scene import volume_from_node

T = TypeVar("T")


class ArteryReader:
    """Reads the arterial tree of a case and its sites."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Hashable, Any]] = {}

    def forget(self) -> None:
        """Let go of everything read."""
        self._known.clear()

    def tree(self, parameters: PlannerParameters) -> ArterialTree | None:
        """Return the tree of the case if it has sites of it, or that it came with; errors as of ``tree_of``."""
        node = parameters.arteries
        if node is None:
            return None
        came_with = TREES.read(node).came_with
        if not any(is_of_tree(site) or site.segment_id in came_with for site in parameters.sites):
            return None
        return self._again(node.GetID(), tree_digest(node), lambda: tree_of(node))

    def site(self, parameters: PlannerParameters, site: SiteParameters, perfused: SourceMask) -> SourceSite:
        """Return a site of the tree as the core has it; errors as of ``site_of_tree``."""
        node = parameters.territories
        record = self._again(node.GetID(), node.GetMTime(), lambda: record_of(parameters))
        volume = supply_volume(parameters, site.segment_id)
        supply = None if volume is None else self._supply(volume, perfused)
        return site_of_tree(parameters, record, site, perfused, supply)

    def _supply(self, node: slicer.vtkMRMLScalarVolumeNode, perfused: SourceMask) -> SourceSupply:
        image = node.GetImageData()
        place = matrix_to_world(node).tobytes()
        stamp = (node.GetMTime(), image and image.GetMTime(), place, perfused.grid)
        return self._again(node.GetID(), stamp, lambda: supply_from(node, perfused))

    def _again(self, key: str, stamp: Hashable, read: Callable[[], T]) -> T:
        if key not in self._known or self._known[key][0] != stamp:
            self._known[key] = (stamp, read())
        return self._known[key][1]


def notices_of_tree(parameters: PlannerParameters) -> tuple[Notice, ...]:
    """Return what there was to warn of when the tree and its sites were made."""
    record = record_of(parameters)
    if record is None or parameters.arteries is None or not any(is_of_tree(site) for site in parameters.sites):
        return ()
    return (*TREES.read(parameters.arteries).notices, *record.notices)


def site_of_tree(
    parameters: PlannerParameters,
    record: SitesRecord | None,
    site: SiteParameters,
    perfused: SourceMask,
    supply: SourceSupply | None,
) -> SourceSite:
    """Return a site of the tree as the core has it, with what the user chose for it.

    Raises
    ------
    InputError
        If its record is not there.
    """
    known = None if record is None else record.site(site.segment_id)
    if known is None:
        told = _("The territory of site '{name}' belongs to no tree: press Update in Sites of the arteries.")
        raise InputError(told.format(name=site.name))
    x, y, z = known.position_lps_mm
    shunt = parameters.lung_shunt if site.lung_shunt is None else site.lung_shunt
    made = SourceSite(
        name=site.name,
        perfused=perfused,
        lung_shunt=shunt,
        pattern=Pattern(site.pattern),
        extrahepatic_share=known.leaving,
        position_lps_mm=(x, y, z),
        nearest_to=site.nearest_to,
        among=site.among,
        supply=supply,
        outflow=dict(known.outflow),
        upstream=_upstream(record, known, parameters.sites),
    )
    return chosen(made, SiteChoice(extrahepatic_share=site.extrahepatic_share))


def supply_volume(parameters: PlannerParameters, segment_id: str) -> slicer.vtkMRMLScalarVolumeNode | None:
    """Return the volume of blood flow through a site, None if its blood is even."""
    node = parameters.territories
    volumes = [node.GetNthNodeReference(SUPPLIES, i) for i in range(node.GetNumberOfNodeReferences(SUPPLIES))]
    return next((v for v in volumes if v is not None and v.GetAttribute(SUPPLY_OF) == segment_id), None)


def supply_from(volume: slicer.vtkMRMLScalarVolumeNode, perfused: SourceMask) -> SourceSupply:
    """Return the blood flow in a volume, which lies on the grid of the territories."""
    found = volume_from_node(volume, Unit.RELATIVE_FLOW)
    same = found.grid.shape == perfused.grid.shape  # on one grid, but for rounding
    return SourceSupply(found.array, perfused.grid if same else found.grid)


def _upstream(record: SitesRecord, site: TreeSite, sites: Sequence[SiteParameters]) -> str:
    """Return the name of the next site on the way to the root that the case has."""
    names = {one.segment_id: one.name for one in sites}
    above = site.upstream
    while above and above not in names:
        next_site = record.site(above)
        above = "" if next_site is None else next_site.upstream
    return names.get(above, "")
