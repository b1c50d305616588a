"""Figures of a treatment as bytes, the same bytes for the same treatment."""

from __future__ import annotations

from collections.abc import Sequence

from radioembolization.images import Volume
from radioembolization.planning import ScenarioEvaluation, VialPlan
from radioembolization.planning.contributions import Contributions
from radioembolization.planning.front import ParetoFront
from radioembolization.planning.staircase import Staircase
from radioembolization.report.canvas import new_figure, png_of, svg_of
from radioembolization.report.charts import draw_dvh, draw_sites
from radioembolization.report.matrix_chart import draw_contributions
from radioembolization.report.palette import line_styles
from radioembolization.report.pareto_figure import draw_front, draw_staircase
from radioembolization.report.scenario_charts import draw_bands, draw_chances
from radioembolization.report.slices import draw_slices
from radioembolization.report.structure_pictures import draw_structures
from radioembolization.report.territory_figure import draw_territories
from radioembolization.report.timeline import draw_timeline
from radioembolization.report.vial_chart import draw_vials
from radioembolization.structures.segmentation import SegmentedStructures
from radioembolization.treatment import Case, Treatment
from radioembolization.treatment.planned_course import PlannedCourse


def slice_figure(treatment: Treatment, tumour: str = "", levels_gy: Sequence[float] = ()) -> bytes:
    """Return axial, coronal and sagittal pictures with isodoses, as PNG.

    Parameters
    ----------
    treatment : Treatment
    tumour : str, optional
        The pictures go through its middle; default the tumour with the highest mean dose.
    levels_gy : sequence of float, optional
        Isodose levels [Gy]; default round numbers up to the highest dose.

    Raises
    ------
    StructureError
        If the case has no tumour of that name.
    MissingPackage
        If matplotlib is not installed.
    """
    with new_figure() as figure:
        draw_slices(figure, treatment, tumour, levels_gy)
        return png_of(figure)


def dvh_figure(treatment: Treatment) -> str:
    """Return the cumulative dose-volume histograms of all structures, with the dose limits, as SVG.

    Raises
    ------
    MissingPackage
        If matplotlib is not installed.
    """
    with new_figure() as figure:
        draw_dvh(figure, treatment)
        return svg_of(figure)


def sites_figure(treatment: Treatment) -> str:
    """Return the activities of the sites that are used as bars, as SVG.

    Raises
    ------
    MissingPackage
        If matplotlib is not installed.
    """
    with new_figure() as figure:
        draw_sites(figure, treatment)
        return svg_of(figure)


def timeline_figure(planned: PlannedCourse) -> str:
    """Return cycles and sessions of a course over weeks, with what organs and lesions have received, as SVG.

    Raises
    ------
    MissingPackage
        If matplotlib is not installed.
    """
    with new_figure() as figure:
        draw_timeline(figure, planned)
        return svg_of(figure)


def structures_figure(image: Volume, found: SegmentedStructures, through: str = "") -> bytes:
    """Return outlines of segmented structures on pictures of an image, as PNG.

    Parameters
    ----------
    image : Volume
    found : SegmentedStructures
        On any grid.
    through : str, optional
        Structure the pictures go through; default the liver, else the smallest.

    Raises
    ------
    StructureError
        If there is no structure of that name.
    MissingPackage
        If matplotlib is not installed.
    """
    with new_figure() as figure:
        draw_structures(figure, image, found, through)
        return png_of(figure)


def front_figure(
    front: ParetoFront, plan: tuple[float, float] | None = None, between: tuple[float, float] | None = None
) -> str:
    """Return the goal over the bound of a limit, with breakpoints and prices, as SVG; arguments of ``draw_front``.

    Raises
    ------
    MissingPackage
        If matplotlib is not installed.
    """
    with new_figure() as figure:
        draw_front(figure, front, plan, between)
        return svg_of(figure)


def staircase_figure(staircase: Staircase, plan: tuple[int, float] | None = None) -> str:
    """Return the best goal for every number of injections, as SVG; arguments of ``draw_staircase``.

    Raises
    ------
    MissingPackage
        If matplotlib is not installed.
    """
    with new_figure() as figure:
        draw_staircase(figure, staircase, plan)
        return svg_of(figure)


def bands_figure(treatment: Treatment, evaluation: ScenarioEvaluation) -> str:
    """Return the histograms of a plan with the band of most scenarios, as SVG.

    Raises
    ------
    MissingPackage
        If matplotlib is not installed.
    """
    with new_figure() as figure:
        draw_bands(figure, evaluation, treatment.histograms, line_styles(treatment.case.structures))
        return svg_of(figure)


def chances_figure(
    evaluation: ScenarioEvaluation, beside: ScenarioEvaluation | None = None, promised: float | None = None
) -> str:
    """Return how often each limit is met in scenarios, as SVG; arguments of ``draw_chances``.

    Raises
    ------
    MissingPackage
        If matplotlib is not installed.
    """
    with new_figure() as figure:
        draw_chances(figure, evaluation, beside, promised)
        return svg_of(figure)


def vials_figure(vials: VialPlan) -> str:
    """Return the content of the vials to order over time, as SVG.

    Raises
    ------
    MissingPackage
        If matplotlib is not installed.
    """
    with new_figure() as figure:
        draw_vials(figure, vials)
        return svg_of(figure)


def territories_figure(case: Case) -> str:
    """Return arterial tree, sites, territories and tumours, from the front and from the left, as SVG.

    Raises
    ------
    MissingPackage
        If matplotlib is not installed.
    """
    with new_figure() as figure:
        draw_territories(figure, case)
        return svg_of(figure)


def contributions_figure(table: Contributions) -> str:
    """Return which site gives which structure how much, as SVG.

    Raises
    ------
    MissingPackage
        If matplotlib is not installed.
    """
    with new_figure() as figure:
        draw_contributions(figure, table)
        return svg_of(figure)
