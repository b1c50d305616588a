"""What is said of the sites of arteries in the panel: tables and sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from slicer.i18n import tr as _

from radioembolization.territories.arteries import ArterialTree
from radioembolization.treatment import Notice
from RadioembolizationPlannerLib.artery_record import SitesRecord, TreeSite
from RadioembolizationPlannerLib.parameters import PlannerParameters
from RadioembolizationPlannerLib.structure_desk import volume_text

#: Less of a tumor is rounding of voxels [mL].
_LEAST_ML = 0.005


def coverage_titles() -> list[str]:
    """Return the titles of the table of what sites reach."""
    return [_("Site"), _("Tumor %"), _("Normal liver mL"), _("Flows out to"), _("Tumors reached")]


def coverage_rows(record: SitesRecord, parameters: PlannerParameters) -> list[list[str]]:
    """Return what every site of the tree reaches."""
    names = {site.segment_id: site.name for site in parameters.sites}
    whole_ml = sum(record.tumor_ml.values())
    return [
        [
            names.get(site.segment_id, site.name),
            f"{100.0 * sum(site.tumor_ml.values()) / whole_ml:.3g}",
            f"{site.normal_liver_ml:.0f}",
            _outflow_text(site),
            _tumors_text(site),
        ]
        for site in record.sites
    ]


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


def tree_text(tree: ArterialTree) -> str:
    """Return in a sentence what a tree is."""
    told = _("{count} arteries, {length:.0f} cm together, from '{root}' with a radius of {radius:.1f} mm; {source}.")
    text = told.format(
        count=len(tree.arteries),
        length=sum(artery.length_mm for artery in tree.arteries) / 10.0,
        root=tree.root.name,
        radius=float(tree.root.radius_mm[0]),
        source=tree.source or _("of unknown source"),
    )
    return _("SYNTHETIC, no anatomy of the patient: {text}").format(text=text) if tree.synthetic else text


def warning_lines(notices: Sequence[Notice]) -> list[str]:
    """Return notices as lines for people."""
    return [_("WARNING: {message}").format(message=notice.message) for notice in notices]
