"""What is said about scenarios: how often limits are met, doses of the tumours, what was varied, microspheres."""

from __future__ import annotations

from dataclasses import dataclass

from radioembolization.dose import SphereScenarios
from radioembolization.dose.sphere_scenarios import DrawnDose
from radioembolization.dose.spreads import Spread
from radioembolization.planning import Plan, ScenarioEvaluation
from radioembolization.planning.plan import StructureDose, tumours
from radioembolization.planning.scenario_evaluation import LimitChance, TumourChance
from radioembolization.report.formats import fixed, in_unit, percent, significant
from radioembolization.treatment import Analysis, Treatment

_ALL = "All limits together"
#: What draws of whole microspheres leave out.
SPHERES_LEFT_OUT = (
    "Chance alone: spheres that travel together and vessels that take unequal parts make real doses more uneven, and "
    "nothing else is varied."
)


@dataclass(frozen=True)
class ChanceRow:
    """How often one limit is met, by the plan and by the nominal one."""

    name: str
    limit: str
    unit: str
    probability: float | None
    nominal: float | None
    chance: LimitChance | None = None


@dataclass(frozen=True)
class TumourRow:
    """Doses of one tumour: as planned, and over scenarios."""

    planned: StructureDose
    chance: TumourChance
    nominal: TumourChance | None


@dataclass(frozen=True)
class SphereRow:
    """One dose of one structure over draws of whole microspheres; the first row of a structure has the spheres."""

    name: str
    spheres: str
    varies_percent: str
    quantity: str
    dose: DrawnDose


def sphere_rows(found: SphereScenarios) -> list[SphereRow]:
    """Return mean, D95 and D70 of every structure."""
    rows = []
    for one in found.of_structures():
        varies = "–" if one.variation is None else percent(one.variation)
        rows.append(SphereRow(one.name, significant(one.spheres_per_voxel), varies, "mean", one.mean_gy))
        rows += [SphereRow(one.name, "", "", what, dose) for what, dose in (("D95", one.d95_gy), ("D70", one.d70_gy))]
    return rows


def spheres_sentence(treatment: Treatment) -> str:
    """Say what was drawn, with the strength of the spheres and the size of a voxel."""
    analysis = treatment.analysis or Analysis()
    found, asked = analysis.microspheres, analysis.asked.microspheres
    if found is None or asked is None:
        return ""
    each = sorted({fixed(bq, 0) for bq in found.bq_per_sphere.values()}, key=float)
    strength = f" of {each[0]}{f' to {each[-1]}' if len(each) > 1 else ''} Bq each" if each else ""
    voxel = " × ".join(f"{side:g}" for side in treatment.case.structures.grid.spacing_mm[::-1])
    return (
        f"{found.draws} draws (seed {asked.seed}) of whole microspheres{strength} in voxels of {voxel} mm, a dose "
        "calculation for each. Even: as planned, every voxel with the activity expected."
    )


def nominal_evaluation(analysis: Analysis) -> ScenarioEvaluation | None:
    """Return the evaluation of the nominal plan in the scenarios of the plan, where that is another one."""
    found, robust = analysis.in_scenarios, analysis.robust
    nominal = None if robust is None else robust.nominal_fresh
    return nominal if found is not None and nominal is not None and nominal.seed == found.seed else None


def chance_rows(evaluation: ScenarioEvaluation, nominal: ScenarioEvaluation | None) -> list[ChanceRow]:
    """Return a row for every limit, and one for all of them together."""
    others = [None] * len(evaluation.limits) if nominal is None else [c.probability for c in nominal.limits]
    rows = [
        ChanceRow(
            chance.name,
            f"{'≤' if chance.sense == 'at most' else '≥'} {in_unit(chance.limit, chance.unit)}",
            chance.unit,
            chance.probability,
            other,
            chance,
        )
        for chance, other in zip(evaluation.limits, others, strict=True)
    ]
    return [*rows, ChanceRow(_ALL, "", "", evaluation.all_limits, None if nominal is None else nominal.all_limits)]


def tumour_rows(plan: Plan, evaluation: ScenarioEvaluation, nominal: ScenarioEvaluation | None) -> list[TumourRow]:
    """Return a row for every tumour."""
    chances = {chance.name: chance for chance in evaluation.tumours}
    others = {} if nominal is None else {chance.name: chance for chance in nominal.tumours}
    return [TumourRow(t, chances[t.name], others.get(t.name)) for t in tumours(plan) if t.name in chances]


def spread_numbers(spread: Spread) -> str:
    """Return the numbers of a spread as they are written in a case file."""
    return ", ".join(f"{name} {value:g}" for name, value in spread.numbers.items())


def scenarios_sentence(analysis: Analysis) -> str:
    """Say which scenarios the numbers are of."""
    found, given = analysis.in_scenarios, analysis.asked.uncertainty
    if found is None:
        return ""
    unused = analysis.robust is not None
    text = f"{found.count} scenarios{' that were not used in planning' if unused else ''} (seed {found.seed})"
    if not unused:
        return f"{text}; the plan was made without them."
    asked = (
        ""
        if given is None
        else f" over {given.count} others, limits asked for in {100 * given.probability:g} % of them"
    )
    return f"{text}; planned{asked}."


def promised(analysis: Analysis) -> float | None:
    """Return the probability with which limits had to be met."""
    return None if analysis.robust is None else analysis.robust.uncertainty.probability
