"""Candidate sites as a JSON document: what each reaches, what none reaches, and the arteries they lie in."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from radioembolization.files.tree_writer import SYNTHETIC_MARK
from radioembolization.territories.arteries import ArterialTree
from radioembolization.territories.candidates.site_radius import artery_at, radius_at_mm
from radioembolization.territories.coverage import coverage, unreached_tumours
from radioembolization.territories.vessels.tree_statistics import tree_statistics
from radioembolization.treatment import Case


def site_entries(case: Case) -> list[dict[str, Any]]:
    """Return what a plan file says of each candidate site besides its activity, in the order of the case."""
    return [
        {
            "position_lps_mm": None if site.position_lps_mm is None else list(site.position_lps_mm),
            "upstream": site.upstream,
            "distribution": str(site.pattern),
            "extrahepatic_share": site.extrahepatic_share,
            "outflow": {organ: float(share) for organ, share in sorted(site.outflow.items())},
            "coverage": {key: value for key, value in asdict(reached).items() if key != "site"},
        }
        for site, reached in zip(case.sites, coverage(case.territories), strict=True)
    ]


def unreached_entries(case: Case) -> list[dict[str, Any]]:
    """Return what of every tumour no site reaches."""
    return [asdict(tumour) | {"share": tumour.share} for tumour in unreached_tumours(case.territories)]


def arteries_entry(tree: ArterialTree | None) -> dict[str, Any] | None:
    """Return where a tree comes from and how large it is; None without one."""
    if tree is None:
        return None
    size = {"root": tree.root.name, "count": len(tree.arteries), "ends": len(tree.terminal_stretches)}
    return {"source": tree.source, "synthetic": tree.synthetic, **size}


def sites_document(case: Case) -> dict[str, Any]:
    """Return the candidate sites of a case as a JSON document; no clock, no path, no identifier."""
    tree = case.inputs.arteries
    notice = "Research use only; not a medical device."
    return {
        "notice": f"{notice} {SYNTHETIC_MARK}" if case.synthetic else notice,
        "case": case.name,
        "synthetic": case.synthetic,
        "arteries": _tree_entry(tree),
        "sites": [
            {"name": site.name, "lung_shunt": site.lung_shunt, **_place(site.position_lps_mm, tree), **entry}
            for site, entry in zip(case.sites, site_entries(case), strict=True)
        ],
        "unreached_tumours": unreached_entries(case),
        "notices": [asdict(notice) for notice in case.notices],
    }


def _tree_entry(tree: ArterialTree | None) -> dict[str, Any] | None:
    entry = arteries_entry(tree)
    if tree is None or entry is None:
        return None
    found = tree_statistics(tree)
    quartiles = found.exponent_quartiles
    entry["strahler_branches"] = list(found.branches)
    entry["murray_exponent"] = None if quartiles is None else quartiles[1]
    entry["branches"] = [
        {
            "name": artery.name,
            "parent": artery.parent,
            "length_mm": artery.length_mm,
            "radius_mm": float(np.median(artery.radius_mm)),
        }
        for artery in tree.arteries
    ]
    return entry


def _place(position_lps_mm: tuple[float, float, float] | None, tree: ArterialTree | None) -> dict[str, Any]:
    """Return the artery a site lies in, and its radius there."""
    found = artery_at(tree, position_lps_mm)
    if tree is None or found is None:
        return {"artery": None, "radius_mm": None}
    return {"artery": found.artery, "radius_mm": radius_at_mm(tree, found)}
