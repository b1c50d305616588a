"""Figures of a treatment as bytes, the same bytes for the same treatment."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from radioembolization.errors import MissingPackage
from radioembolization.images import Volume
from radioembolization.planning import ScenarioEvaluation, VialPlan
from radioembolization.planning.contributions import Contributions
from radioembolization.planning.front import ParetoFront
from radioembolization.planning.staircase import Staircase
from radioembolization.report.charts import draw_dvh, draw_sites
from radioembolization.report.matrix_chart import draw_contributions
from radioembolization.report.palette import line_styles
from radioembolization.report.pareto_figure import draw_front, draw_staircase
from radioembolization.report.scenario_charts import draw_bands, draw_chances
from radioembolization.report.slices import draw_slices
from radioembolization.report.structure_pictures import draw_structures
from radioembolization.report.timeline import draw_timeline
from radioembolization.report.vial_chart import draw_vials
from radioembolization.structures.segmentation import SegmentedStructures
from radioembolization.treatment import Treatment
from radioembolization.treatment.planned_course import PlannedCourse

#: Resolution of the pictures that are not drawn as lines [dots per inch].
DPI = 200
_STYLE = {
    "font.size": 8.0,
    "axes.linewidth": 0.6,
    "svg.hashsalt": "radioembolization",
    "svg.fonttype": "path",
}


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
    with _figure() as figure:
        draw_slices(figure, treatment, tumour, levels_gy)
        return _bytes(figure, "png", {"Software": None})


def dvh_figure(treatment: Treatment) -> str:
    """Return the cumulative dose-volume histograms of all structures, with the dose limits, as SVG.

    Raises
    ------
    MissingPackage
        If matplotlib is not installed.
    """
    with _figure() as figure:
        draw_dvh(figure, treatment)
        return _svg(figure)


def sites_figure(treatment: Treatment) -> str:
    """Return the activities of the sites that are used as bars, as SVG.

    Raises
    ------
    MissingPackage
        If matplotlib is not installed.
    """
    with _figure() as figure:
        draw_sites(figure, treatment)
        return _svg(figure)


def timeline_figure(planned: PlannedCourse) -> str:
    """Return cycles and sessions of a course over weeks, with what organs and lesions have received, as SVG.

    Raises
    ------
    MissingPackage
        If matplotlib is not installed.
    """
    with _figure() as figure:
        draw_timeline(figure, planned)
        return _svg(figure)


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
    with _figure() as figure:
        draw_structures(figure, image, found, through)
        return _bytes(figure, "png", {"Software": None})


def front_figure(
    front: ParetoFront, plan: tuple[float, float] | None = None, between: tuple[float, float] | None = None
) -> str:
    """Return the goal over the bound of a limit, with breakpoints and prices, as SVG; arguments of ``draw_front``.

    Raises
    ------
    MissingPackage
        If matplotlib is not installed.
    """
    with _figure() as figure:
        draw_front(figure, front, plan, between)
        return _svg(figure)


def staircase_figure(staircase: Staircase, plan: tuple[int, float] | None = None) -> str:
    """Return the best goal for every number of injections, as SVG; arguments of ``draw_staircase``.

    Raises
    ------
    MissingPackage
        If matplotlib is not installed.
    """
    with _figure() as figure:
        draw_staircase(figure, staircase, plan)
        return _svg(figure)


def bands_figure(treatment: Treatment, evaluation: ScenarioEvaluation) -> str:
    """Return the histograms of a plan with the band of most scenarios, as SVG.

    Raises
    ------
    MissingPackage
        If matplotlib is not installed.
    """
    with _figure() as figure:
        draw_bands(figure, evaluation, treatment.histograms, line_styles(treatment.case.structures))
        return _svg(figure)


def chances_figure(
    evaluation: ScenarioEvaluation, beside: ScenarioEvaluation | None = None, promised: float | None = None
) -> str:
    """Return how often each limit is met in scenarios, as SVG; arguments of ``draw_chances``.

    Raises
    ------
    MissingPackage
        If matplotlib is not installed.
    """
    with _figure() as figure:
        draw_chances(figure, evaluation, beside, promised)
        return _svg(figure)


def vials_figure(vials: VialPlan) -> str:
    """Return the content of the vials to order over time, as SVG.

    Raises
    ------
    MissingPackage
        If matplotlib is not installed.
    """
    with _figure() as figure:
        draw_vials(figure, vials)
        return _svg(figure)


def contributions_figure(table: Contributions) -> str:
    """Return which site gives which structure how much, as SVG.

    Raises
    ------
    MissingPackage
        If matplotlib is not installed.
    """
    with _figure() as figure:
        draw_contributions(figure, table)
        return _svg(figure)


@contextmanager
def _figure() -> Iterator[Any]:
    """Hand out an empty figure, drawn in the same style whatever the user's settings are."""
    try:
        from matplotlib import style
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingPackage("The figures of a report need the package matplotlib: pip install matplotlib.") from error
    with style.context(["default", _STYLE]):
        yield Figure(facecolor="white")


def _svg(figure: Any) -> str:
    return _bytes(figure, "svg", {"Date": None, "Creator": None}).decode("utf-8")


def _bytes(figure: Any, kind: str, metadata: dict[str, None]) -> bytes:
    buffer = BytesIO()
    with warnings.catch_warnings():
        # A name in a script the font lacks is drawn as boxes; the page prints it in full.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format=kind, dpi=DPI, metadata=metadata)
    return buffer.getvalue()
