"""What people read: one page with the plan, its proof, its figures and everything it was made from."""

from radioembolization.report.figures import dvh_figure, sites_figure, slice_figure
from radioembolization.report.page import page

__all__ = ["dvh_figure", "page", "sites_figure", "slice_figure"]
