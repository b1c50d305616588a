"""Dose-volume limits, which are not convex: plans by local search, bounds by branching on doses."""

from radioembolization.planning.volumes.solve import is_about_volumes, optimize_volumes

__all__ = ["is_about_volumes", "optimize_volumes"]
