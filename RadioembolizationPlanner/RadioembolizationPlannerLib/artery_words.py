"""What is said of the sites of arteries in the panel: tables and sentences."""

from __future__ import annotations

from collections.abc import Mapping

from slicer.i18n import tr as _

from radioembolization.territories.arteries import ArterialTree
from RadioembolizationPlannerLib.artery_record import SitesRecord, TreeSite
from RadioembolizationPlannerLib.parameters import PlannerParameters
from RadioembolizationPlannerLib.structure_desk import volume_text
from RadioembolizationPlannerLib.tables import Columns

#: Less of a tumor is rounding of voxels [mL].
_LEAST_ML = 0.005


def coverage_columns(record: SitesRecord, parameters: PlannerParameters) -> Columns:
    """Return what every site of the tree reaches."""
    names = {site.segment_id: site.name for site in parameters.sites}
    whole_ml = sum(record.tumor_ml.values())
    return {
        _("Site"): [names.get(site.segment_id, site.name) for site in record.sites],
        _("Tumor %"): [f"{100.0 * sum(site.tumor_ml.values()) / whole_ml:.3g}" for site in record.sites],
        _("Normal liver mL"): [f"{site.normal_liver_ml:.0f}" for site in record.sites],
        _("Flows out to"): [_outflow_text(site) for site in record.sites],
        _("Tumors reached"): [_tumors_text(site) for site in record.sites],
    }


def unreached_text(record: SitesRecord) -> str:
    """Return what of the tumors no site of the tree reaches."""
    told = [
        f"{name} {volume_text(missed_ml)} ({100.0 * missed_ml / record.tumor_ml[name]:.3g} %)"
        for name, missed_ml in record.unreached_ml.items()
        if missed_ml > _LEAST_ML
    ]
    if not told:
        return _("These sites together reach every tumor in full.")
    return _("WARNING: unperfused tumor, reached by none of these sites: {tumors}.").format(tumors="; ".join(told))


def organs_text(tree: ArterialTree | None, chosen: Mapping[str, str], found: Mapping[str, str]) -> str:
    """Return which arteries feed other organs, and which of them the user has said."""
    if tree is None:
        return ""
    said = {name: organ or _("liver") for name, organ in chosen.items() if name in tree.names}
    parts = [f"{name} → {organ}" for name, organ in found.items() if name not in said]
    parts += [_("{artery} → {organ} (chosen)").format(artery=name, organ=organ) for name, organ in said.items()]
    return _("Arteries of other organs: {arteries}.").format(arteries=", ".join(parts)) if parts else ""


def _outflow_text(site: TreeSite) -> str:
    return ", ".join(f"{organ} {100.0 * share:.2g} %" for organ, share in site.outflow.items()) or _("–")


def _tumors_text(site: TreeSite) -> str:
    reached = {name: share for name, share in site.tumor_share.items() if site.tumor_ml[name] > _LEAST_ML}
    return ", ".join(f"{name} {100.0 * share:.3g} %" for name, share in reached.items()) or _("–")
