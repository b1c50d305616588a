"""The synthetic patient in the scene, and any case of the core as parameters of the planner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from radioembolization.planning.goal_table import goal_to_value
from radioembolization.planning.limit_table import limit_to_table
from radioembolization.treatment import CaseInputs
from RadioembolizationPlannerLib.asked import parameters_of_request
from RadioembolizationPlannerLib.known_shunts import KnownShunt
from RadioembolizationPlannerLib.parameters import PlannerParameters, SiteParameters
from RadioembolizationPlannerLib.publish import publish_case
from RadioembolizationPlannerLib.scene import CaseNodes

if TYPE_CHECKING:
    from RadioembolizationPlannerLib.session import PlanningSession


def load_synthetic_patient(session: PlanningSession, seed: int = 1, spacing_mm: float = 3.0) -> PlannerParameters:
    """Put the embedded synthetic patient into the scene and choose it in every section.

    Parameters
    ----------
    session : PlanningSession
    seed : int
        Which patient.
    spacing_mm : float
        Voxel size of its images [mm].
    """
    from radioembolization.phantom import synthetic_case

    inputs = synthetic_case(seed=seed, spacing_mm=spacing_mm)
    return take_case(session, inputs, publish_case(session.scene, inputs))


def take_case(session: PlanningSession, inputs: CaseInputs, nodes: CaseNodes) -> PlannerParameters:
    """Choose the nodes of a case, and everything else it says, in every section."""
    parameters = parameters_of(inputs, nodes)
    return session.change(**vars(parameters))


def parameters_of(inputs: CaseInputs, nodes: CaseNodes) -> PlannerParameters:
    """Return the parameters that describe a case whose images and structures are nodes."""
    given, segments = inputs.prescription, nodes.segmentation.GetSegmentation()
    by_name = {segments.GetSegment(segment_id).GetName(): segment_id for segment_id in nodes.roles}
    rules = dict.fromkeys(given.required_sites, "required") | dict.fromkeys(given.forbidden_sites, "forbidden")
    return PlannerParameters(
        scout=nodes.scout,
        ct=nodes.ct,
        segmentation=nodes.segmentation,
        site_points=nodes.site_points,
        arteries=nodes.arteries,
        case_name=inputs.name,
        device=inputs.settings.device.name,
        convention=str(inputs.settings.convention),
        method=str(inputs.settings.method),
        spacing_mm=min(inputs.spacing_mm),
        liver_density_g_per_cm3=inputs.liver_density_g_per_cm3,
        roles=dict(nodes.roles),
        lung_mass_kg=inputs.lung_mass_kg,
        lung_mass_assumed=inputs.lung_mass_assumed,
        lung_shunt=next((shunt.fraction for shunt in inputs.lung_shunts if shunt.used), None),
        lung_shunts=tuple(KnownShunt(shunt) for shunt in inputs.lung_shunts),
        sites=tuple(
            SiteParameters(
                name=site.name,
                segment_id=site.segment_id,
                lung_shunt=site.lung_shunt,
                extrahepatic_share=site.extrahepatic_share,
                pattern=str(site.pattern),
                rule=rules.get(site.name, "free"),
                nearest_to=site.nearest_to,
                among=site.among,
            )
            for site in nodes.sites
        ),
        tumour_to_normal={by_name[name]: ratio for name, ratio in inputs.tumour_to_normal.items() if name in by_name},
        preset=given.preset_name,
        limits=tuple(limit_to_table(limit) for limit in given.limits),
        goal=goal_to_value(given.goal),
        at_most_sites=given.at_most_sites,
        least_activity_gbq=given.least_activity_gbq,
        most_activity_gbq=given.most_activity_gbq,
        **parameters_of_request(inputs.analysis),
    )
