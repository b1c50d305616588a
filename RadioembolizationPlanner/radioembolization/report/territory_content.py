"""What is said of candidate sites: how much liver and tumour each reaches, what flows elsewhere, what none reaches."""

from __future__ import annotations

from dataclasses import dataclass

from radioembolization.report.formats import ml, percent
from radioembolization.territories.arteries import ArterialTree
from radioembolization.territories.coverage import SiteCoverage, UnreachedTumour, coverage, unreached_tumours
from radioembolization.treatment import Case, CaseInputs

#: Less than this of a tumour rounds to 0.0 mL, and is not called unperfused; sites.json and plan.json have all.
_LEAST_ML = 0.05


@dataclass(frozen=True)
class TerritoryRow:
    """One candidate site: where it is, and what an injection there reaches.

    Parameters
    ----------
    number : int
        In the figure, from 1 on.
    upstream : str
        The next more proximal candidate; empty if there is none.
    outflow : tuple of (str, float)
        Organs with the share of the injection that flows to them.
    """

    number: int
    coverage: SiteCoverage
    upstream: str
    lung_shunt: float
    extrahepatic_share: float
    outflow: tuple[tuple[str, float], ...]

    @property
    def name(self) -> str:
        """Name of the site."""
        return self.coverage.site

    @property
    def outflow_text(self) -> str:
        """Where microspheres flow besides liver and lungs, as ``gallbladder 1.5 %``; a dash for nowhere."""
        rest = self.extrahepatic_share - sum(share for _, share in self.outflow)
        named = [*self.outflow, *([("elsewhere", rest)] if rest > 5e-4 else [])]
        return ", ".join(f"{organ} {percent(share)} %" for organ, share in named) or "–"


def territory_rows(case: Case) -> list[TerritoryRow]:
    """Return a row for every candidate site, in the order of the case."""
    return [
        TerritoryRow(
            number=number,
            coverage=reached,
            upstream=site.upstream,
            lung_shunt=site.lung_shunt,
            extrahepatic_share=site.extrahepatic_share,
            outflow=tuple(sorted(site.outflow.items())),
        )
        for number, (site, reached) in enumerate(zip(case.sites, coverage(case.territories), strict=True), start=1)
    ]


def unperfused_line(case: Case) -> str:
    """Say in one line how much of which tumours no site reaches."""
    missed = [tumour for tumour in unreached_tumours(case.territories) if tumour.unreached_ml > _LEAST_ML]
    if not missed:
        return "Unperfused tumour: none; the candidate sites together reach every tumour in full."
    said = "; ".join(unperfused_text(tumour) for tumour in missed)
    return f"Unperfused tumour, reached by no candidate site: {said}."


def unperfused_text(tumour: UnreachedTumour) -> str:
    """Return name, volume and share of what no site reaches of a tumour."""
    return f"{tumour.tumour} {ml(tumour.unreached_ml)} mL ({percent(tumour.share)} %)"


def tree_sentence(tree: ArterialTree) -> str:
    """Say what an arterial tree is and where it comes from."""
    made = "SYNTHETIC, made by the program: " if tree.synthetic else ""
    source = f"; {tree.source}" if tree.source else ""
    return f"{made}{len(tree.arteries)} arteries from '{tree.root.name}' on{source}"


def synthetic_text(inputs: CaseInputs) -> str:
    """Say what of a case was made by the program; empty if nothing was."""
    if inputs.synthetic:
        return "this patient was made by the program and does not exist."
    parts = ["the lesions of this case were placed by the program; they are no findings."]
    parts = parts if inputs.synthetic_lesions is not None else []
    if inputs.arteries is not None and inputs.arteries.synthetic:
        parts.append("the arteries of this case were grown by the program; they are no anatomy of the patient.")
    return " ".join(parts)
