"""The case that the parameters describe: what is still missing, and the inputs of the core read from the scene."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import slicer
from slicer.i18n import tr as _

from radioembolization.dose import DoseSettings, Method
from radioembolization.errors import ImageError, StructureError
from radioembolization.images import Unit, Volume
from radioembolization.physics import Convention, device_by_name
from radioembolization.planning import Prescription, preset
from radioembolization.planning.goal_table import goal_from_value
from radioembolization.planning.limit_table import limit_from_table, limit_to_table
from radioembolization.structures import Role
from radioembolization.territories import Pattern
from radioembolization.treatment import CaseInputs, SourceMask, SourceSite, SourceStructure
from RadioembolizationPlannerLib.artery_reader import ArteryReader, notices_of_tree
from RadioembolizationPlannerLib.artery_record import check_up_to_date, is_of_tree, node_with, perfused_ids
from RadioembolizationPlannerLib.asked import asked_of, missing_of_vials
from RadioembolizationPlannerLib.errors import NothingToPlan
from RadioembolizationPlannerLib.geometry import Position, matrix_to_world
from RadioembolizationPlannerLib.known_shunts import case_shunts, known_shunts, shunt_notices
from RadioembolizationPlannerLib.parameters import PlannerParameters, SiteParameters
from RadioembolizationPlannerLib.publish import is_synthetic
from RadioembolizationPlannerLib.scene import points_of_sites, volume_from_node
from RadioembolizationPlannerLib.segments import mask_from_segment, segment_stamp
from RadioembolizationPlannerLib.tasks import CheckRequest

T = TypeVar("T")


def preset_limits(name: str) -> tuple[Mapping[str, Any], ...]:
    """Return the limits of a preset as tables of a case file."""
    return tuple(limit_to_table(limit) for limit in preset(name).limits)


def missing_inputs(parameters: PlannerParameters) -> tuple[str, ...]:
    """Return in words what has to be chosen before doses can be computed; no voxel is looked at."""
    p = parameters
    lacking = []
    if p.segmentation is None:
        lacking.append(_("Structures: choose the segmentation that holds liver, tumors and perfused volumes."))
    else:
        lacking += _missing_roles(p)
    if not p.sites:
        lacking.append(_("Sites: add at least one candidate injection site."))
    lacking += _missing_of_sites(p)
    if p.scout is None and any(site.pattern == Pattern.SCOUT for site in p.sites):
        lacking.append(_("Case: choose the scout image, or spread the microspheres by tumor-to-normal ratios."))
    if not p.limits:
        lacking.append(_("Prescription: choose a preset or add a limit."))
    return (*lacking, *missing_of_vials(p))


def _missing_roles(p: PlannerParameters) -> list[str]:
    present = set(p.segmentation.GetSegmentation().GetSegmentIDs())
    counts = Counter(role for segment_id, role in p.roles.items() if segment_id in present)
    lacking = []
    if counts[Role.LIVER] != 1:
        found = counts[Role.LIVER]
        lacking.append(_("Structures: give exactly one segment the role liver ({found} have it).").format(found=found))
    if not counts[Role.TUMOUR]:
        lacking.append(_("Structures: give at least one segment the role tumor."))
    return lacking


def _missing_of_sites(p: PlannerParameters) -> list[str]:
    present = perfused_ids(p)
    lacking = []
    for site in p.sites:
        if site.segment_id not in present:
            lacking.append(_("Sites: choose the perfused volume of '{name}'.").format(name=site.name))
        if site.lung_shunt is None and p.lung_shunt is None:
            lacking.append(_("Sites: enter the lung shunt of '{name}' or of the whole case.").format(name=site.name))
    twice = [name for name, count in Counter(site.name for site in p.sites).items() if count > 1]
    if twice:
        lacking.append(_("Sites: give each site a name of its own ({names} twice).").format(names=", ".join(twice)))
    return lacking


class CaseReader:
    """Reads the inputs of the core from the scene; what has not changed since is not read again."""

    def __init__(self) -> None:
        self._volumes: dict[str, tuple[Hashable, Volume]] = {}
        self._masks: dict[tuple[str, str], tuple[Hashable, SourceMask]] = {}
        self._arteries = ArteryReader()

    def forget(self) -> None:
        """Let go of everything read."""
        self._volumes.clear()
        self._masks.clear()
        self._arteries.forget()

    def read(self, parameters: PlannerParameters) -> CaseInputs:
        """Return the case.

        Raises
        ------
        NothingToPlan
            If inputs are missing.
        InputError
            In one of its named forms, for a node that cannot be used.
        """
        p = parameters
        lacking = missing_inputs(p)
        if lacking:
            raise NothingToPlan("\n".join(lacking))
        structures = tuple(self._structures(p))
        check_up_to_date(p, structures)
        sites = self._sites(p)
        ratios = {_segment_name(p, segment_id): ratio for segment_id, ratio in p.tumour_to_normal.items()}
        tumours = [s.name for s in structures if s.role is Role.TUMOUR]
        return CaseInputs(
            name=p.case_name,
            settings=DoseSettings(device_by_name(p.device), Convention(p.convention), Method(p.method)),
            structures=structures,
            sites=sites,
            prescription=prescription(p, tumours),
            scout=self._volume(p.scout, Unit.COUNTS),
            ct=self._volume(p.ct, Unit.HU),
            tumour_to_normal={name: ratio for name, ratio in ratios.items() if name in tumours},
            lung_mass_kg=p.lung_mass_kg,
            lung_mass_assumed=p.lung_mass_assumed and p.lung_mass_kg is not None,
            liver_density_g_per_cm3=p.liver_density_g_per_cm3,
            spacing_mm=(p.spacing_mm,) * 3,
            synthetic=any(is_synthetic(node) for node in (p.scout, p.ct, p.segmentation)),
            analysis=asked_of(p),
            lung_shunts=case_shunts(p),
            notices=(
                *shunt_notices(known_shunts(p), [site.lung_shunt for site in sites], device_by_name(p.device)),
                *notices_of_tree(p),
            ),
            arteries=self._arteries.tree(p),
        )

    def read_drawn(self, parameters: PlannerParameters) -> CheckRequest:
        """Return structures and images, which can be checked before sites and limits are there.

        Raises
        ------
        NothingToPlan
            If no segment has a role.
        InputError
            In one of its named forms, for a node that cannot be used.
        """
        p = parameters
        structures = () if p.segmentation is None else tuple(self._structures(p))
        if not structures:
            raise NothingToPlan(_("Structures: choose a segmentation and give its segments roles first."))
        scout, ct = self._volume(p.scout, Unit.COUNTS), self._volume(p.ct, Unit.HU)
        return CheckRequest(structures, ct, scout, p.liver_density_g_per_cm3)

    def read_perfused(self, parameters: PlannerParameters) -> dict[str, SourceMask]:
        """Return the perfused volume of every site that has one, by its name; errors as of ``mask_from_segment``."""
        p = parameters
        present = perfused_ids(p)
        return {site.name: self._mask(p, site.segment_id) for site in p.sites if site.segment_id in present}

    def _structures(self, p: PlannerParameters) -> list[SourceStructure]:
        present = p.segmentation.GetSegmentation().GetSegmentIDs()
        structures = []
        for segment_id, role in p.roles.items():
            if segment_id in present:
                structures.append(SourceStructure(_segment_name(p, segment_id), role, self._mask(p, segment_id)))
        twice = [name for name, count in Counter(s.name for s in structures).items() if count > 1]
        if twice:
            raise StructureError(
                f"Several structures of '{p.segmentation.GetName()}' are called {', '.join(twice)}: rename segments."
            )
        return structures

    def _sites(self, p: PlannerParameters) -> tuple[SourceSite, ...]:
        positions = points_of_sites(p.site_points, [site.name for site in p.sites])
        return tuple(self._site(p, site, positions.get(site.name)) for site in p.sites)

    def _site(self, p: PlannerParameters, site: SiteParameters, position: Position | None) -> SourceSite:
        perfused = self._mask(p, site.segment_id)
        if is_of_tree(site):
            return self._arteries.site(p, site, perfused)
        return SourceSite(
            name=site.name,
            perfused=perfused,
            lung_shunt=p.lung_shunt if site.lung_shunt is None else site.lung_shunt,
            pattern=Pattern(site.pattern),
            extrahepatic_share=site.extrahepatic_share,
            position_lps_mm=position,
            nearest_to=site.nearest_to,
            among=site.among,
        )

    def _volume(self, node: slicer.vtkMRMLScalarVolumeNode | None, unit: Unit) -> Volume | None:
        if node is None:
            return None
        image = node.GetImageData()
        stamp = (node, unit, node.GetMTime(), image and image.GetMTime(), _place(node))
        return _again(self._volumes, node.GetID() + unit, stamp, lambda: _read_volume(node, unit))

    def _mask(self, p: PlannerParameters, segment_id: str) -> SourceMask:
        node = node_with(p, segment_id)
        stamp = (node, segment_stamp(node, segment_id), _place(node))
        return _again(self._masks, (node.GetID(), segment_id), stamp, lambda: mask_from_segment(node, segment_id))


def prescription(parameters: PlannerParameters, tumours: list[str]) -> Prescription:
    """Return what the parameters ask of a plan; limits of a preset that were changed are stated by themselves.

    Raises
    ------
    LimitError
        If a goal, limit or rule of sites cannot be used.
    """
    p = parameters
    changes: dict[str, Any] = {
        "goal": goal_from_value(p.goal, tumours),
        "at_most_sites": p.at_most_sites,
        "least_activity_gbq": p.least_activity_gbq,
        "most_activity_gbq": p.most_activity_gbq,
        "forbidden_sites": tuple(site.name for site in p.sites if site.rule == "forbidden"),
        "required_sites": tuple(site.name for site in p.sites if site.rule == "required"),
    }
    chosen = preset(p.preset) if p.preset else None
    published = () if chosen is None else preset_limits(p.preset)
    own = [dict(table) for table in p.limits]
    if chosen is not None and own[: len(published)] == [dict(table) for table in published]:
        base = Prescription.from_preset(chosen, p.override_reason)
        own = own[len(published) :]
    else:
        base = Prescription()
        if chosen is not None:
            changed = _("Limits of the preset '{name}' were changed or taken out.").format(name=chosen.name)
            base = Prescription(notes=(*chosen.notes, changed), tumour_aim=chosen.tumour_aim)
    limits = [limit_from_table(table) for table in own]
    reasoned = [
        limit.because(replace(limit.provenance, override_reason=p.override_reason or limit.provenance.override_reason))
        for limit in limits
    ]
    return replace(base, limits=(*base.limits, *reasoned), **changes)


def _read_volume(node: slicer.vtkMRMLScalarVolumeNode, unit: Unit) -> Volume:
    """Read a volume; errors of its voxels or axes, which know no nodes, are told with its name."""
    try:
        return volume_from_node(node, unit)
    except ImageError as error:
        name = f"'{node.GetName()}'"
        raise error if name in str(error) else ImageError(f"Volume {name}: {error}") from error


def _segment_name(p: PlannerParameters, segment_id: str) -> str:
    segment = p.segmentation.GetSegmentation().GetSegment(segment_id)
    return "" if segment is None else segment.GetName()


def _place(node: slicer.vtkMRMLTransformableNode) -> bytes:
    return matrix_to_world(node).tobytes()


def _again(known: dict[Any, tuple[Hashable, T]], key: Any, stamp: Hashable, read: Callable[[], T]) -> T:
    """Return what is known for a key if its stamp is the same, else read it."""
    if key not in known or known[key][0] != stamp:
        known[key] = (stamp, read())
    return known[key][1]
