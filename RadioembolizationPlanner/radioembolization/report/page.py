"""The report: one self-contained HTML page to read, print and file."""

from __future__ import annotations

from importlib import resources
from typing import Any

from radioembolization.errors import MissingPackage
from radioembolization.planning.plan import StructureDose, tumours
from radioembolization.report import comparison_content, content, formats, proof_content, territory_content
from radioembolization.report.analysis_page import FILTERS, analysis_parts
from radioembolization.report.embedded import data_uri, svg_uri
from radioembolization.report.figures import dvh_figure, sites_figure, slice_figure, territories_figure
from radioembolization.territories.coverage import unreached_tumours
from radioembolization.territories.perfusion import PERFUSED_FROM
from radioembolization.territories.shunt.lung_shunt import shunt_text
from radioembolization.treatment import Case, Treatment

_FILTERS = {
    "gy": formats.gy,
    "gbq": formats.gbq,
    "ml": formats.ml,
    "kg": formats.kg,
    "grams": formats.grams,
    "percent": formats.percent,
    "small_percent": formats.small_percent,
    "millions": formats.millions,
    "significant": formats.significant,
    "in_unit": formats.in_unit,
    "shunt_text": shunt_text,
    "printed_name": content.printed_name,
    "limit_text": content.limit_text,
    "excess_text": content.excess_text,
    **FILTERS,
}


def page(treatment: Treatment) -> str:
    """Return the report of a planned treatment as one HTML page.

    Everything is inside the page: style, figures, no scripts, no requests.  The same treatment gives
    the same page.  The patient's identifier is printed only if the case asks for it.

    Parameters
    ----------
    treatment : Treatment

    Raises
    ------
    MissingPackage
        If jinja2 or matplotlib is not installed.
    """
    plan, case = treatment.plan, treatment.case
    inputs = case.inputs
    sites = content.used_site_rows(treatment)
    return template("page.html.j2").render(
        perfused_from=PERFUSED_FROM,
        treatment=treatment,
        plan=plan,
        case=case,
        inputs=inputs,
        settings=plan.settings,
        device=plan.settings.device,
        prescription=inputs.prescription,
        synthetic_text=territory_content.synthetic_text(inputs),
        preset_title=content.preset_title(inputs.prescription),
        convention=content.CONVENTIONS[plan.settings.convention],
        method=content.METHODS[plan.settings.method],
        verdict=content.verdict(plan),
        kind=comparison_content.plan_kind(treatment),
        all_met=all(limit.met for limit in plan.limits),
        sites=sites,
        total_gbq=float(plan.activities_gbq.sum()),
        has_extrahepatic=any(site.extrahepatic_share > 0 for site in sites),
        unused=content.unused_site_names(plan),
        tumours=tumours(plan),
        unperfused_share=content.unperfused_share(plan),
        others=content.organs_and_liver(plan),
        gains=[content.gain_text(limit, plan.goal) for limit in plan.limits],
        goals=[(goal, *proof_content.bound_texts(goal)) for goal in proof_content.goals(treatment)],
        goal_sentence=proof_content.proof_sentence(treatment),
        certificate_line=proof_content.certificate_line(plan),
        comparison=comparison_content.comparison_rows(treatment),
        has_rules=bool((comparison_content.nominal_beside(treatment) or plan).baselines),
        margin=comparison_content.margin_sentence(treatment),
        pictures=_slice_pictures(treatment),
        dvh=svg_uri(dvh_figure(treatment)),
        bars=svg_uri(sites_figure(treatment)),
        versions=content.software_versions(),
        **_territories(case),
        **analysis_parts(treatment),
    )


def _territories(case: Case) -> dict[str, Any]:
    """Return what the page says of the candidate sites; a figure where the case has an arterial tree."""
    tree = case.inputs.arteries
    return {
        "territories": territory_content.territory_rows(case),
        "unreached": unreached_tumours(case.territories),
        "unperfused_line": territory_content.unperfused_line(case),
        "tree_sentence": "" if tree is None else territory_content.tree_sentence(tree),
        "territory_picture": "" if tree is None else svg_uri(territories_figure(case)),
    }


def _slice_pictures(treatment: Treatment) -> list[tuple[StructureDose, str]]:
    """Return the tumours with the highest and the lowest mean dose, with their pictures."""
    ordered = sorted(tumours(treatment.plan), key=lambda t: -t.mean_gy)
    shown = ordered[:1] if len(ordered) == 1 else [ordered[0], ordered[-1]]
    return [(tumour, data_uri(slice_figure(treatment, tumour.name), "image/png")) for tumour in shown]


def template(file_name: str) -> Any:
    """Return a template of this folder with the style of all pages.

    Raises
    ------
    MissingPackage
        If jinja2 is not installed.
    """
    try:
        import jinja2
        from markupsafe import Markup
    except ImportError as error:
        raise MissingPackage("The report page needs the package jinja2: pip install jinja2.") from error
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FunctionLoader(_text),
    )
    environment.filters.update(_FILTERS)
    environment.globals["style"] = Markup(_text("page.css"))
    return environment.get_template(file_name)


def _text(file_name: str) -> str:
    return resources.files(__package__).joinpath(file_name).read_text(encoding="utf-8")
