"""What the page says beyond the fields of a plan: rows, comparisons and sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from radioembolization import __version__
from radioembolization.dose import Method
from radioembolization.physics import Convention
from radioembolization.planning import GoalResult, Limit, LimitResult, Plan, Prescription, load_presets
from radioembolization.planning.limits import Quantity
from radioembolization.planning.plan import PERFUSED_NORMAL_LIVER, StructureDose, tumours
from radioembolization.report.formats import in_unit, signed, significant
from radioembolization.structures import NORMAL_LIVER, WHOLE_LIVER
from radioembolization.territories import Pattern
from radioembolization.treatment import Treatment, package_versions

CONVENTIONS: Mapping[Convention, str] = {
    Convention.CLINICAL: "constant of clinical practice",
    Convention.ICRP107: "all electrons and photons of ICRP Publication 107",
    Convention.VENDOR: "constant printed by the manufacturer",
}
METHODS: Mapping[Method, str] = {
    Method.FFT: "convolution with a dose kernel, homogeneous medium",
    Method.LOCAL: "local deposition in each voxel",
    Method.DENSITY: "convolution with a dose kernel, corrected for the density of each voxel from CT",
}
PATTERNS: Mapping[Pattern, str] = {
    Pattern.SCOUT: "scout counts",
    Pattern.TUMOUR_TO_NORMAL: "tumour-to-normal ratios",
}
#: Names of liver structures as they are printed, with their denominator.
_PRINTED = {NORMAL_LIVER: "Normal liver, whole", PERFUSED_NORMAL_LIVER: "Normal liver, perfused", WHOLE_LIVER: None}


@dataclass(frozen=True)
class SiteRow:
    """One site that is used: what is injected, and where it goes."""

    name: str
    activity_gbq: float
    perfused_liver_ml: float
    territory_normal_liver_gy: float | None
    lung_shunt: float
    extrahepatic_share: float
    microspheres: float
    escaped_share: float
    pattern: str
    position_lps_mm: tuple[float, float, float] | None


def used_site_rows(treatment: Treatment) -> list[SiteRow]:
    """Return the sites with activity, with the liver volume they perfuse."""
    used = {site.name for site in treatment.plan.used_sites}
    return [_site_row(treatment, i) for i, site in enumerate(treatment.plan.sites) if site.name in used]


def _site_row(treatment: Treatment, index: int) -> SiteRow:
    planned, site = treatment.plan.sites[index], treatment.case.sites[index]
    structures = treatment.case.structures
    perfused = treatment.case.territories.perfused(index) & structures.liver.mask
    return SiteRow(
        name=planned.name,
        activity_gbq=planned.activity_gbq,
        perfused_liver_ml=float(np.count_nonzero(perfused)) * structures.grid.voxel_ml,
        territory_normal_liver_gy=planned.territory_normal_liver_gy,
        lung_shunt=planned.lung_shunt,
        extrahepatic_share=site.extrahepatic_share,
        microspheres=planned.microspheres,
        escaped_share=float(treatment.dose_per_gbq.escaped_share[index]),
        pattern=PATTERNS[site.pattern],
        position_lps_mm=site.position_lps_mm,
    )


def unused_site_names(plan: Plan) -> list[str]:
    """Return the names of the candidates without activity."""
    used = {site.name for site in plan.used_sites}
    return [site.name for site in plan.sites if site.name not in used]


def printed_name(structure: StructureDose) -> str:
    """Return the name of a structure as it is printed: normal liver with its denominator."""
    return _PRINTED.get(structure.name) or structure.name[:1].upper() + structure.name[1:]


def organs_and_liver(plan: Plan) -> list[StructureDose]:
    """Return every structure that is not a tumour."""
    treated = tumours(plan)
    return [s for s in plan.structures if s not in treated]


def unperfused_share(plan: Plan) -> float:
    """Return the share of the normal liver that no injected territory perfuses."""
    return 1.0 - next(s.perfused_share for s in plan.structures if s.name == NORMAL_LIVER)


def preset_title(prescription: Prescription) -> str:
    """Return the device and intent of a prescription in words."""
    known = load_presets().get(prescription.preset_name)
    if known is None:
        return prescription.preset_name or "limits of the user, no preset"
    same = _bounds(prescription.limits) == _bounds(known.limits)
    return f"{known.title} (preset {known.name}{'' if same else ', limits changed by the user'})"


def _bounds(limits: Sequence[Limit]) -> list[tuple[Quantity, float, bool]]:
    return [(limit.quantity, limit.bound, limit.upper) for limit in limits]


def verdict(plan: Plan) -> str:
    """Return whether the limits are met, in a few words."""
    failed = [limit for limit in plan.limits if not limit.met]
    if not plan.limits:
        return "no limits were set"
    if failed:
        return f"{len(failed)} of {len(plan.limits)} limits NOT met"
    words = {1: "the limit is met", 2: "both limits are met"}
    return words.get(len(plan.limits), f"all {len(plan.limits)} limits are met")


def limit_text(limit: LimitResult) -> str:
    """Return a bound with its sign."""
    return f"{'≤' if limit.sense == 'at most' else '≥'} {in_unit(limit.limit, limit.unit)}"


def excess_text(limit: LimitResult) -> str:
    """Return by how much a limit is missed; empty if it is met."""
    if limit.value is None or limit.met:
        return ""
    return f"by {significant(abs(limit.value - limit.limit), 2)} {limit.unit}"


def gain_text(limit: LimitResult, goal: GoalResult) -> str:
    """Return what a looser limit would change the goal by, or a dash."""
    if limit.gain_per_unit is None:
        return "–"
    return f"{signed(limit.gain_per_unit, 2)} {goal.unit} per {limit.unit}"


def software_versions() -> list[tuple[str, str]]:
    """Return the packages a plan is computed with, and their versions."""
    return [("radioembolization", __version__), *package_versions().items()]
