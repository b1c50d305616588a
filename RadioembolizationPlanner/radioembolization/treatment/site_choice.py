"""What a site made of an arterial tree has of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from radioembolization.errors import TerritoryError
from radioembolization.images import Volume
from radioembolization.territories import Pattern
from radioembolization.treatment.case import SourceSite


@dataclass(frozen=True, eq=False)
class SiteChoice:
    """Properties of one site that replace what the tree gives it; what is None stays.

    Parameters
    ----------
    lung_shunt : float, optional
    pattern : Pattern, optional
    scout : Volume, optional
        Counts of an injection of its own.
    extrahepatic_share : float, optional
        Of all that leaves to other organs; 0 after coils in their arteries.
    outflow : mapping of str to float, optional
        By organ; the extrahepatic share is at least its sum.
    """

    lung_shunt: float | None = None
    pattern: Pattern | None = None
    scout: Volume | None = None
    extrahepatic_share: float | None = None
    outflow: Mapping[str, float] | None = None


def chosen(site: SourceSite, choice: SiteChoice) -> SourceSite:
    """Return a site with the properties chosen for it.

    An extrahepatic share below the outflow of the tree scales that outflow; a stated outflow counts as it is.

    Raises
    ------
    TerritoryError
        If more is stated to flow out to organs than leaves the liver.
    """
    outflow = dict(site.outflow if choice.outflow is None else choice.outflow)
    total = sum(outflow.values())
    share = choice.extrahepatic_share
    if share is None:
        share = site.extrahepatic_share if choice.outflow is None else total
    elif choice.outflow is None and total > share:
        outflow = {organ: part * share / total for organ, part in outflow.items()} if share > 0 else {}
    elif total > share:
        raise TerritoryError(
            f"Site '{site.name}': {total:g} are stated to flow out to {', '.join(outflow)}, but the extrahepatic share "
            f"is only {share:g}: leave the share away, or raise it."
        )
    return replace(
        site,
        lung_shunt=site.lung_shunt if choice.lung_shunt is None else choice.lung_shunt,
        pattern=choice.pattern or site.pattern,
        scout=site.scout if choice.scout is None else choice.scout,
        extrahepatic_share=share,
        outflow=outflow,
    )
