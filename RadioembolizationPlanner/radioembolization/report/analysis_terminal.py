"""What the command line prints of one aspect of a plan: reasons, trade-offs, scenarios or vials."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from radioembolization.planning import ParetoFront, RobustPlan, ScenarioEvaluation, Staircase, VialPlan
from radioembolization.planning.contributions import Contributions
from radioembolization.planning.scenario_evaluation import LimitChance, TumourChance
from radioembolization.report.scenario_content import SPHERES_LEFT_OUT, sphere_rows, spheres_sentence
from radioembolization.report.terminal import terminal_console, terminal_table
from radioembolization.treatment import Analysis, Treatment


def print_explanation(treatment: Treatment) -> None:
    """Print the reasons behind a plan, and which site gives which structure how much."""
    console, found = terminal_console(), _analysis(treatment).explanation
    if found is None:
        return
    for line in found.lines():
        console.print(line, markup=False)
    console.print(_contributions(found.contributions))


def print_front(treatment: Treatment) -> None:
    """Print the points of the front and the steps of the staircase."""
    console, analysis = terminal_console(), _analysis(treatment)
    if analysis.front is not None:
        _print_front(console, analysis.front)
    if analysis.staircase is not None:
        console.print(_steps(analysis.staircase))


def print_robust(treatment: Treatment) -> None:
    """Print the robust beside the nominal plan: activities, chances of the limits, doses of the tumours."""
    console, robust = terminal_console(), _analysis(treatment).robust
    if robust is None or robust.robust_fresh is None or robust.nominal_fresh is None:
        return
    fresh, nominal = robust.robust_fresh, robust.nominal_fresh
    console.print(_activities(robust))
    console.print(_chances(fresh, nominal))
    console.print(_tumours(fresh, nominal))
    print_microspheres(treatment)
    for line in treatment.plan.explanation:
        console.print(line, markup=False)


def print_microspheres(treatment: Treatment) -> None:
    """Print the doses over draws of whole microspheres, if they were asked for."""
    console, analysis = terminal_console(), _analysis(treatment)
    if analysis.microspheres is None:
        return
    columns = ("even [Gy]", "P10 [Gy]", "P50 [Gy]", "P90 [Gy]")
    table = terminal_table("Whole microspheres", "structure", "spheres [per voxel]", "varies by [%]", "dose", *columns)
    for row in sphere_rows(analysis.microspheres):
        doses = (f"{gy:.1f}" for gy in (row.dose.even, row.dose.p10, row.dose.p50, row.dose.p90))
        table.add_row(row.name, row.spheres, row.varies_percent, row.quantity, *doses)
    console.print(table)
    console.print(f"{spheres_sentence(treatment)} {SPHERES_LEFT_OUT}", markup=False)


def print_vials(treatment: Treatment) -> None:
    """Print what is injected from which vials, what to order, and the next best vials."""
    console, vials = terminal_console(), _analysis(treatment).vials
    if vials is None:
        return
    console.print(_injections(vials))
    console.print(_orders(vials))
    if vials.alternatives:
        console.print(_next_best(vials))
    window = vials.window
    console.print(
        f"All injections together can be {window.earlier_h:.1f} h earlier ({window.ends_early_by or 'no end'}) to "
        f"{window.later_h:.1f} h later ({window.ends_late_by or 'no end'}).",
        markup=False,
    )
    for line in treatment.plan.explanation:
        console.print(line, markup=False)


def _analysis(treatment: Treatment) -> Analysis:
    return treatment.analysis or Analysis()


def _contributions(found: Contributions) -> Any:
    table = terminal_table("Mean dose by site", "structure", *(f"{site} [Gy]" for site in found.sites), "total [Gy]")
    for column, structure in enumerate(found.structures):
        doses = (line[column] for line in found.mean_gy)
        table.add_row(structure, *(f"{gy:.1f}" for gy in doses), f"{found.total_gy[column]:.1f}")
    return table


def _print_front(console: Any, front: ParetoFront) -> None:
    unit = front.goal_unit or "-"
    per_unit = f"gain to next [{unit} per {front.limit_unit}]"
    table = terminal_table(
        f"{front.goal} over the limit on: {front.limit}",
        *(f"limit [{front.limit_unit}]", f"goal [{unit}]", f"no better than [{unit}]", per_unit),
        *("injections", "status"),
    )
    for point, price in zip(front.points, [*front.prices, None], strict=True):
        gain = "" if price is None else f"{price:+.3g}"
        numbers = (f"{point.limit_bound:.4g}", f"{point.value:.4g}", f"{point.best_possible:.4g}", gain)
        table.add_row(*numbers, str(point.injections), point.status)
    console.print(table)
    if front.points_only:
        console.print(f"Points only: {front.points_only}", markup=False)
    if front.infeasible_beyond is not None:
        console.print(f"No plan is within tighter bounds than {front.infeasible_beyond:.4g} {front.limit_unit}.")
    if front.no_effect_beyond is not None:
        console.print(f"Looser bounds than {front.no_effect_beyond:.4g} {front.limit_unit} change nothing.")


def _steps(found: Staircase) -> Any:
    unit = found.goal_unit or "-"
    columns = ("injections at most", f"goal [{unit}]", f"no better than [{unit}]", "sites", "status")
    table = terminal_table(f"{found.goal} over the number of injections", *columns)
    for step in found.steps:
        value = "none" if step.value is None else f"{step.value:.4g}"
        numbers = (str(step.most_injections), value, f"{step.best_possible:.4g}")
        table.add_row(*numbers, ", ".join(step.sites), step.status)
    return table


def _activities(robust: RobustPlan) -> Any:
    table = terminal_table("Activities", "injection site", "robust [GBq]", "nominal [GBq]")
    for site, other in zip(robust.robust.sites, robust.nominal.sites, strict=True):
        if site in robust.robust.used_sites or other in robust.nominal.used_sites:
            table.add_row(site.name, f"{site.activity_gbq:.3f}", f"{other.activity_gbq:.3f}")
    return table


def _chances(fresh: ScenarioEvaluation, nominal: ScenarioEvaluation) -> Any:
    table = terminal_table(
        f"Limits met in {fresh.count} scenarios not used in planning",
        *("limit", "bound [unit]", "robust [%]", "P90 [unit]", "nominal [%]", "P90, nominal [unit]"),
    )
    for one, other in zip(fresh.limits, nominal.limits, strict=True):
        sign = "<=" if one.sense == "at most" else ">="
        table.add_row(one.name, f"{sign} {one.limit:g} {one.unit}", *_chance(one), *_chance(other))
    table.add_row("all together", "", f"{100 * fresh.all_limits:.1f}", "", f"{100 * nominal.all_limits:.1f}")
    return table


def _chance(limit: LimitChance) -> tuple[str, str]:
    known = "not known" if limit.probability is None else f"{100 * limit.probability:.1f}"
    return known, "" if limit.value is None else f"{limit.value.p90:.3g} {limit.unit}"


def _tumours(fresh: ScenarioEvaluation, nominal: ScenarioEvaluation) -> Any:
    columns = ("mean P10 [Gy]", "mean P50 [Gy]", "D70 P10 [Gy]", "nominal mean P10 [Gy]", "nominal mean P50 [Gy]")
    table = terminal_table("Tumours over these scenarios", "tumour", *columns)
    for one, other in zip(fresh.tumours, nominal.tumours, strict=True):
        table.add_row(one.name, *_doses(one), f"{other.mean_gy.p10:.1f}", f"{other.mean_gy.p50:.1f}")
    return table


def _doses(tumour: TumourChance) -> tuple[str, str, str]:
    return f"{tumour.mean_gy.p10:.1f}", f"{tumour.mean_gy.p50:.1f}", f"{tumour.d70_gy.p10:.1f}"


def _injections(found: VialPlan) -> Any:
    table = terminal_table(
        "Injections",
        *("site", "vials", "at", "prepared [GBq]", "delivered [GBq]", "microspheres [million]", "per sphere [Bq]"),
    )
    for one in found.chosen.injections:
        activities = (f"{one.activity_gbq:.3f}", f"{one.delivered_gbq:.3f}")
        spheres = (f"{one.microspheres / 1e6:.2f}", f"{one.bq_per_sphere:.0f}")
        table.add_row(one.site, ", ".join(map(str, one.vials)), _clock(one.at), *activities, *spheres)
    return table


def _orders(found: VialPlan) -> Any:
    table = terminal_table("To order", "vials", "size [GBq]", "calibrated", "for", "use from", "use until")
    for line in found.orders:
        times = (_clock(line.earliest), _clock(line.latest))
        size, sites = f"{line.calibrated_gbq:.4g}", ", ".join(line.sites)
        table.add_row(str(line.count), size, _clock(line.calibrated_at), sites, *times)
    return table


def _next_best(found: VialPlan) -> Any:
    unit = found.plan.goal.unit or "-"
    table = terminal_table("The next best vials", "vials", f"goal [{unit}]", "lost [%]")
    for other in found.alternatives:
        vials = "; ".join(f"{one.site}: {', '.join(map(str, one.vials))}" for one in other.injections)
        table.add_row(vials, f"{other.value:.4g}", f"{100 * other.loss:.2f}")
    return table


def _clock(at: datetime) -> str:
    return at.isoformat(" ", "minutes")
