"""Why a plan is as it is: what holds it back, what each site is for, what else would do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radioembolization.dose import DosePerGBq
from radioembolization.planning.alternatives import Alternative, NearlyOptimal, chosen_alternatives, nearly_optimal
from radioembolization.planning.contributions import Contributions, contributions
from radioembolization.planning.dropped_sites import DroppedSite, dropped_sites
from radioembolization.planning.effort import Effort
from radioembolization.planning.explanation_words import (
    alternative_sentences,
    contribution_sentences,
    dropped_sentence,
    price_sentences,
    range_sentences,
)
from radioembolization.planning.limits import USED_GBQ
from radioembolization.planning.near_optimal import WITHIN, least_score
from radioembolization.planning.plan import Plan
from radioembolization.planning.price_intervals import LimitPrices, price_intervals
from radioembolization.planning.problem import Problem
from radioembolization.planning.site_ranges import SiteRange, site_ranges

_MOST_ALTERNATIVES = 5
_NOT_WITH_VOLUMES = (
    "With dose-volume limits or goals there are no shadow prices, ranges of activity or proved alternatives."
)


@dataclass(frozen=True)
class Explanation:
    """What is known about a plan beyond its numbers.

    Parameters
    ----------
    summary : tuple of str
        Sentences that come with the plan: what is injected, what binds, what is proved, how it compares.
    goal, goal_unit : str
    within : float
        Share of the optimum that plans in ``sites`` and ``alternatives`` may lose.
    prices : tuple of LimitPrices
        What one more unit of each binding limit buys, and up to which bound.
    sites : tuple of SiteRange
        Every site: essential, exchangeable or useless, with its range of activity.
    dropped : tuple of DroppedSite
        Why each site without activity is not used.
    contributions : Contributions
    alternatives : tuple of Alternative
    alternatives_complete : bool
        Whether all choices of sites were looked at.
    remark : str
        What is not known of this plan, and why.
    """

    summary: tuple[str, ...]
    goal: str
    goal_unit: str
    maximized: bool
    within: float
    prices: tuple[LimitPrices, ...]
    sites: tuple[SiteRange, ...]
    dropped: tuple[DroppedSite, ...]
    contributions: Contributions
    alternatives: tuple[Alternative, ...]
    alternatives_complete: bool
    remark: str = ""

    @property
    def price_lines(self) -> tuple[str, ...]:
        """What binds, and what one more unit of it buys."""
        return tuple(price_sentences(self.prices, self.goal, self.maximized))

    @property
    def site_lines(self) -> tuple[str, ...]:
        """What each site is for, and why the others are not used."""
        of_dropped = (dropped_sentence(site, self.goal_unit, self.maximized) for site in self.dropped)
        return (*range_sentences(self.sites, self.within), *of_dropped)

    def lines(self) -> tuple[str, ...]:
        """Return everything as sentences: the summary, prices, sites, contributions, alternatives."""
        return (
            *self.summary,
            *self.price_lines,
            *self.site_lines,
            *contribution_sentences(self.contributions),
            *alternative_sentences(self.alternatives, self.alternatives_complete, self.within, self.goal_unit),
            *([self.remark] if self.remark else []),
        )


def explain_plan(
    problem: Problem, dose: DosePerGBq, plan: Plan, effort: Effort | None = None, within: float = WITHIN
) -> Explanation:
    """Return why a plan is as it is.

    Parameters
    ----------
    problem : Problem
        The plan's.
    dose : DosePerGBq
    plan : Plan
        Of one set by hand, or beyond a limit, only the contributions are known.
    effort : Effort, optional
        Its time limit ends the work on each part.
    within : float
        Share of the optimum that other plans may lose; as much as the plan itself, if it has lost more for fewer
        injections.
    """
    x, optimum = plan.activities_gbq, plan.goal.optimum
    own = frozenset(np.flatnonzero(x > USED_GBQ).tolist())
    meets = bool(own) and not plan.by_hand and all(limit.met for limit in plan.limits)
    known: NearlyOptimal | None = None
    if meets:
        score = least_score(problem.goal, optimum, within, problem.goal.value(dose, x))
        within = abs(abs(optimum) - abs(score)) / max(1e-3, abs(optimum))
        known = nearly_optimal(problem, dose, len(own), score, effort)
    others = () if known is None else chosen_alternatives(problem, dose, own, optimum, known, _MOST_ALTERNATIVES)
    ranges = site_ranges(problem, dose, x, optimum, within, effort, known) if meets else ()
    return Explanation(
        summary=plan.explanation,
        goal=problem.goal.name,
        goal_unit=problem.goal.unit,
        maximized=problem.goal.maximized,
        within=within,
        prices=price_intervals(problem, dose, x, effort) if meets else (),
        sites=ranges,
        dropped=dropped_sites(problem, dose, x) if meets else (),
        contributions=contributions(dose, x),
        alternatives=others,
        alternatives_complete=known is not None and known.complete,
        remark=_remark(meets, ranges),
    )


def _remark(meets: bool, ranges: tuple[SiteRange, ...]) -> str:
    if not meets:
        return "Set by hand, or injecting nothing: no prices, ranges or alternatives are known of such a plan."
    return "" if ranges else _NOT_WITH_VOLUMES
