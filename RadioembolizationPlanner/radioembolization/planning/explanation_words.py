"""What is known about a plan, as sentences for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from radioembolization.planning.alternatives import Alternative
from radioembolization.planning.contributions import Contributions
from radioembolization.planning.dropped_sites import DroppedSite, Reason
from radioembolization.planning.price_intervals import LimitPrices, PriceInterval
from radioembolization.planning.prices import STEP
from radioembolization.planning.site_ranges import Need, SiteRange

#: Prices after this many further breakpoints are not said in words.
_MOST_PIECES = 3
#: Combinations of more sites than this are not spelled out.
_MOST_PARTS = 3


def price_sentences(prices: Sequence[LimitPrices], goal: str, maximized: bool) -> Iterator[str]:
    """Say what one more unit of each binding limit buys, and up to which bound.

    Prices with other sites allowed are said only where they differ from those on the sites of the plan.
    """
    said: dict[int, list[str]] = {}
    for price in prices:
        pieces = _in_words(price, maximized, goal)
        if said.get(price.index) == pieces:
            continue
        said[price.index] = pieces
        where = "with other sites allowed" if price.all_sites else "on the same sites"
        where += f", measured over {100.0 * STEP:g} % of the limit" if _is_local(price) else ""
        step = f"{'+' if price.upper else '-'}1 {price.unit} {_plain(price.limit)}"
        if not pieces:
            yield f"{step} buys nothing {where}: another limit holds the goal as well."
            continue
        end = price.no_effect_beyond
        beyond = "" if end is None else f"; beyond {_number(end)} {price.unit} nothing"
        yield f"{step} buys {', then '.join(pieces)} ({where}){beyond}."


def _in_words(price: LimitPrices, maximized: bool, goal: str) -> list[str]:
    """Return what one unit buys in each of the next pieces; pieces that read the same are one."""
    unit, less = f" {price.goal_unit}" if price.goal_unit else "", "" if maximized else " less"
    found: list[tuple[str, PriceInterval]] = []
    for piece in price.loosening:
        amount = f"{_number(abs(piece.per_unit), 2)}{unit}{less}"
        if not piece.per_unit:
            break
        if found and found[-1][0] == amount:
            found.pop()
        found.append((amount, piece))
    texts = []
    for number, (amount, piece) in enumerate(found[:_MOST_PIECES]):
        word, end = ("up to", piece.valid_to) if price.upper else ("down to", piece.valid_from)
        texts.append(f"{amount}{'' if number else f' {goal}'} {word} {_number(end)} {price.unit}")
    return texts


def _is_local(price: LimitPrices) -> bool:
    """Whether a price is that near the bound only, and nothing is known of where it ends."""
    first, ends = price.intervals[:1], (price.no_effect_beyond, price.infeasible_beyond)
    width = first[0].valid_to - first[0].valid_from if first else 0.0
    return len(price.intervals) == 1 and ends == (None, None) and width <= 1.01 * STEP * price.limit_bound


def _plain(limit: str) -> str:
    """Return the name of a limited quantity as part of a sentence: 'mean dose of whole normal liver'."""
    return limit.replace(", ", " of ", 1)


def range_sentences(sites: Sequence[SiteRange], within: float) -> Iterator[str]:
    """Say what each site with any use is to all plans within a share of the optimum; others in one sentence."""
    plan = f"plan within {_share(within)} of the optimum"
    for site in sites:
        ends = f"{_number(site.least_gbq)} to {_number(site.most_gbq)} GBq"
        if site.need is Need.ESSENTIAL:
            yield f"{site.site} is essential: every {plan} uses it, with {ends}."
        elif site.need is Need.EXCHANGEABLE:
            yield f"{site.site} is exchangeable: plans within {_share(within)} of the optimum give it {ends}."
        elif site.need is Need.UNKNOWN:
            yield f"{site.site}: {ends} in any {plan}; whether it can be left out, or used at all, is not known."
    useless = [site.site for site in sites if site.need is Need.USELESS]
    if useless:
        yield f"Of no use within {_share(within)} of the optimum: {', '.join(useless)}."


def dropped_sentence(site: DroppedSite, goal_unit: str, maximized: bool) -> str:
    """Say why a site is not used."""
    unit, name = f" {goal_unit}" if goal_unit else "", f"{site.site} is not used"
    if site.reason is Reason.FORBIDDEN:
        return f"{name}: the prescription forbids it."
    if site.reason is Reason.NO_TUMOUR:
        return f"{name}: its territory holds no tumour."
    if site.reason is Reason.UNKNOWN or site.gain_per_gbq is None or site.price_per_gbq is None:
        return f"{name}; there are no prices that would say why."
    would = f"1 GBq there would {'raise' if maximized else 'lower'} the goal by {_number(site.gain_per_gbq)}{unit}"
    costs = " and ".join(f"{_number(c.per_gbq)} {c.unit} {_plain(c.limit)}" for c in site.costs[:2]) or "nothing"
    takes = f"takes {costs}, worth {_number(site.price_per_gbq)}{unit} at the sites used"
    few = len(site.instead_gbq) <= _MOST_PARTS
    instead = " and ".join(f"{_number(gbq)} GBq at {other}" for other, gbq in site.instead_gbq if few)
    instead = instead or ("a mix of the sites used" if site.instead_gbq else "")
    also = f"; {instead} would give every tumour as much and take no more" if instead else ""
    if site.reason is Reason.DEARER:
        return f"{name}: {would} but {takes}{also}."
    if site.reason is Reason.AS_GOOD:
        return f"{name}: it is as good as the sites used ({would} and {takes}){also}."
    better = "" if site.goal_with_it is None else f" the goal would be {_number(site.goal_with_it, 4)}{unit} with it;"
    why = {
        Reason.NUMBER: "no further site is allowed, and in the place of another it does not pay",
        Reason.LEAST_ACTIVITY: "what it would be given is below the least activity of an injection",
        Reason.FEWER: "fewer injections are preferred",
        Reason.OWN_LIMITS: "limits that hold only where it is used, as on its territory, leave no better plan",
    }[site.reason]
    return f"{name}:{better} {why}."


def contribution_sentences(table: Contributions) -> Iterator[str]:
    """Say which sites give each structure its mean dose."""
    for column, structure in enumerate(table.structures):
        total = table.total_gy[column]
        if total <= 0.0:
            continue
        parts = [
            f"{site} {table.mean_gy[row][column]:.1f} Gy ({table.share[row][column]:.0%})"
            for row, site in enumerate(table.sites)
            if table.share[row][column] >= 0.005
        ]
        name = f"whole {structure}" if structure == "normal liver" else structure
        yield f"Mean dose of {name}, {total:.1f} Gy: {', '.join(parts)}."


def alternative_sentences(
    others: Sequence[Alternative], complete: bool, within: float, goal_unit: str
) -> Iterator[str]:
    """Say which other choices of sites are nearly as good."""
    unit = f" {goal_unit}" if goal_unit else ""
    for other in others:
        given = [(name, a) for name, a in zip(other.sites, (a for a in other.activities_gbq if a > 0), strict=True)]
        doses = ", ".join(f"{name} {_number(a)} GBq" for name, a in given)
        yield f"Instead: {doses} reaches {_number(other.goal_value, 4)}{unit}, {other.loss:.2%} below the optimum."
    if not others and complete:
        yield f"No other choice of as many sites comes within {_share(within)} of the optimum."


def _share(within: float) -> str:
    return f"{100.0 * within:.2g} %"


def _number(value: float, digits: int = 3) -> str:
    """Return a number with significant digits, without an exponent."""
    text = f"{value:.{digits}g}"
    return f"{value:.0f}" if "e+" in text else (f"{value:.6f}" if "e-" in text else text)
