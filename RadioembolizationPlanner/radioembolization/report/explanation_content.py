"""What the page says about the reasons behind a plan: its sites, other plans, who gives what to whom."""

from __future__ import annotations

from dataclasses import dataclass

from radioembolization.planning.contributions import Contributions
from radioembolization.planning.explanation import Explanation
from radioembolization.planning.explanation_words import dropped_sentence
from radioembolization.planning.limits import USED_GBQ
from radioembolization.planning.site_ranges import SiteRange
from radioembolization.report.formats import gbq, significant

#: Darkest shade of a cell; the text stays readable on it.
_DARKEST = 0.55


@dataclass(frozen=True)
class ExplainedSite:
    """One candidate site: what it is to nearly optimal plans, and why it is not used."""

    name: str
    need: str
    activity_gbq: float
    range_gbq: str
    dropped: str


@dataclass(frozen=True)
class OtherPlan:
    """A plan on other sites that is nearly as good."""

    injected: str
    goal_value: float
    loss: float


@dataclass(frozen=True)
class GivenDose:
    """Mean dose by a site, with its share as text and as the shade of a cell, 0 to 1."""

    mean_gy: float
    share: float
    shade: str


def explained_sites(explanation: Explanation) -> list[ExplainedSite]:
    """Return every site with what is known about it: those used first."""
    reasons = {
        site.site: dropped_sentence(site, explanation.goal_unit, explanation.maximized) for site in explanation.dropped
    }
    rows = [
        ExplainedSite(site.site, str(site.need), site.activity_gbq, _range(site), reasons.get(site.site, ""))
        for site in explanation.sites
    ]
    return sorted(rows, key=lambda row: row.activity_gbq <= USED_GBQ)


def _range(site: SiteRange) -> str:
    least = gbq(site.least_gbq) if site.least_gbq > USED_GBQ else "0"
    most = gbq(site.most_gbq) if site.most_gbq > USED_GBQ else "0"
    return least if least == most else f"{least} to {most}"


def reasons_without_ranges(explanation: Explanation) -> list[str]:
    """Return why sites are not used, where nothing else is known about sites."""
    if explanation.sites:
        return []
    return [dropped_sentence(site, explanation.goal_unit, explanation.maximized) for site in explanation.dropped]


def other_plans(explanation: Explanation) -> list[OtherPlan]:
    """Return the alternatives with what they inject."""
    return [
        OtherPlan(
            ", ".join(
                f"{site} {gbq(activity)} GBq"
                for site, activity in zip(other.sites, (a for a in other.activities_gbq if a > USED_GBQ), strict=True)
            ),
            other.goal_value,
            other.loss,
        )
        for other in explanation.alternatives
    ]


def alternatives_sentence(explanation: Explanation) -> str:
    """Say how far alternatives were looked for."""
    within = f"{significant(100.0 * explanation.within, 2)} % of the optimum"
    if not explanation.alternatives:
        return f"No other choice of as many sites comes within {within}." if explanation.alternatives_complete else ""
    known = "all choices of sites were looked at" if explanation.alternatives_complete else "there may be others"
    return f"Within {within}, none containing the sites of another; {known}."


def contribution_rows(table: Contributions) -> list[tuple[str, list[GivenDose], float]]:
    """Return a row for every structure: its name, the dose by each site, its mean dose."""
    return [
        (
            structure[:1].upper() + structure[1:],
            [
                GivenDose(doses[column], shares[column], f"{_DARKEST * shares[column]:.3f}")
                for doses, shares in zip(table.mean_gy, table.share, strict=True)
            ],
            table.total_gy[column],
        )
        for column, structure in enumerate(table.structures)
    ]
