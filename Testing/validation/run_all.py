"""Write ``docs/validation.md`` and its figures.  Every number in that page comes from here.

Run by ``make validation``.  ``--only kernels spheres`` writes those sections and keeps the others;
``--histories 0.1`` takes a tenth of the Monte Carlo histories.
"""

from __future__ import annotations

import argparse
import time
from functools import partial

import course
import density
import emission_segmentation
import energy
import kernels
import monte_carlo
import planning
import plans
import registration
import robust
import segmentation
import spheres
import targets
import territories
import two_scale
from page import FIGURES, PAGE, Missing, Section, assemble, existing_sections


def sections(histories: float = 1.0) -> tuple[Section, ...]:
    """Return the sections of the page in their order."""
    return (
        Section("targets", targets.TITLE, targets.write),
        Section("kernels", kernels.TITLE, kernels.write),
        Section("monte_carlo", monte_carlo.TITLE, partial(monte_carlo.write, histories)),
        Section("spheres", spheres.TITLE, spheres.write),
        Section("energy", energy.TITLE, energy.write),
        Section("two_scale", two_scale.TITLE, two_scale.write),
        Section("density", density.TITLE, partial(density.write, histories)),
        Section("plans", plans.TITLE, plans.write),
        Section("planning", planning.TITLE, planning.write),
        Section("robust", robust.TITLE, robust.write),
        Section("course", course.TITLE, course.write),
        Section("segmentation", segmentation.TITLE, segmentation.write),
        Section("emission_segmentation", emission_segmentation.TITLE, emission_segmentation.write),
        Section("registration", registration.TITLE, registration.write),
        Section("territories", territories.TITLE, territories.write),
    )


def main() -> None:
    """Write the page."""
    names = [section.name for section in sections()]
    parser = argparse.ArgumentParser(description="Write docs/validation.md.")
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="SECTION", help=", ".join(names))
    parser.add_argument("--histories", type=float, default=1.0, help="factor on the Monte Carlo histories")
    arguments = parser.parse_args()
    FIGURES.mkdir(exist_ok=True)
    page, written, missing = sections(arguments.histories), {}, {}
    for section in (section for section in page if section.name in arguments.only):
        start = time.perf_counter()
        try:
            written[section.title] = section.write()
            print(f"{section.name}: written in {time.perf_counter() - start:.0f} s", flush=True)
        except Missing as reason:
            missing[section.title] = str(reason)
            print(f"{section.name}: not written, kept from the page if it was there: {reason}", flush=True)
        PAGE.write_text(assemble(page, written, existing_sections(), missing), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
