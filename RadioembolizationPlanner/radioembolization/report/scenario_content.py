"""What the page says about scenarios: how often limits are met, doses of the tumours, what was varied."""

from __future__ import annotations

from dataclasses import dataclass

from radioembolization.dose.spreads import Spread
from radioembolization.planning import Plan, ScenarioEvaluation
from radioembolization.planning.plan import StructureDose, tumours
from radioembolization.planning.scenario_evaluation import LimitChance, TumourChance
from radioembolization.report.formats import in_unit
from radioembolization.treatment import Analysis

_ALL = "All limits together"


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
