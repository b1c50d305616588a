"""Small analytic patients, planned once: a liver with two tumours on grids of different directions."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from html.parser import HTMLParser

import numpy as np
import pytest

from radioembolization import report
from radioembolization.dose import DoseSettings, Uncertainty
from radioembolization.images import Grid, Unit, Volume
from radioembolization.physics import GLASS_Y90, RESIN_Y90
from radioembolization.planning import Prescription, VialCalendar, preset
from radioembolization.structures import Role
from radioembolization.territories import Pattern
from radioembolization.treatment import (
    AnalysisRequest,
    CaseInputs,
    FrontRequest,
    MicrosphereRequest,
    SourceMask,
    SourceSite,
    SourceStructure,
    Treatment,
    VialRequest,
    analysed,
    plan_treatment,
    prepare,
)
from support import as_direction, ellipsoid, rotation

SPACING_MM = 5.0
#: Tumours in LPS [mm]: A to the right, front and feet; B to the left, back and head.
TUMOUR_A_LPS_MM, TUMOUR_B_LPS_MM = (-38.0, -14.0, -16.0), (36.0, 10.0, 18.0)
IDENTITY = np.eye(3)
FLIPPED_Z = np.diag([1.0, 1.0, -1.0])
OBLIQUE = rotation((1.0, 0.0, 0.0), 25.0) @ rotation((0.0, 0.0, 1.0), 25.0)


def grid_around_zero(direction: np.ndarray, spacing_mm: float = SPACING_MM, reach_mm: float = 104.0) -> Grid:
    """Return a cubic grid centred on the LPS origin with the given axes."""
    count = int(2 * reach_mm / spacing_mm) + 1
    first = direction @ np.full(3, -(count - 1) / 2.0 * spacing_mm)
    return Grid((count,) * 3, (spacing_mm,) * 3, tuple(first), as_direction(direction))


def inputs(direction: np.ndarray = IDENTITY, **changes: object) -> CaseInputs:
    """Return the small patient on a grid with the given axes; keywords replace fields of CaseInputs."""
    grid = grid_around_zero(direction)
    liver = ellipsoid(grid, (0.0, 0.0, 0.0), (76.0, 58.0, 64.0))
    right = ellipsoid(grid, (-104.0, 0.0, 0.0), 104.0)
    tumour_a, tumour_b = ellipsoid(grid, TUMOUR_A_LPS_MM, 16.0), ellipsoid(grid, TUMOUR_B_LPS_MM, 13.0)
    counts = 100.0 * liver + 300.0 * tumour_a + 150.0 * tumour_b
    pattern = changes.pop("pattern", Pattern.SCOUT)
    name_a = changes.pop("name_a", "Tumour A")

    def site(name: str, perfused: np.ndarray, shunt: float) -> SourceSite:
        return SourceSite(name, SourceMask(perfused, grid), shunt, pattern)

    given: dict[str, object] = {
        "name": "small patient",
        "settings": DoseSettings(RESIN_Y90),
        "structures": (
            SourceStructure("liver", Role.LIVER, SourceMask(liver, grid)),
            SourceStructure(name_a, Role.TUMOUR, SourceMask(tumour_a, grid)),
            SourceStructure("Tumour B", Role.TUMOUR, SourceMask(tumour_b, grid)),
        ),
        "sites": (
            site("proper hepatic artery", liver, 0.05),
            site("right hepatic artery", liver & right, 0.04),
            site("left hepatic artery", liver & ~right, 0.07),
        ),
        "prescription": Prescription.from_preset(preset("resin/bilobar")),
        "scout": Volume(counts.astype(np.float32), grid, Unit.COUNTS),
        "lung_mass_kg": 0.9,
        "spacing_mm": (SPACING_MM,) * 3,
        "hashes": {"images.scout": "ab" * 32},
        "patient": "ID-4711",
    }
    return CaseInputs(**{**given, **changes})


def planned(case: CaseInputs) -> Treatment:
    """Return the plan of inputs."""
    return plan_treatment(prepare(case))


def ct(grid: Grid) -> Volume:
    """Return air around a body of soft tissue with a denser liver."""
    body = ellipsoid(grid, (0.0, 0.0, 0.0), (98.0, 80.0, 200.0))
    liver = ellipsoid(grid, (0.0, 0.0, 0.0), (76.0, 58.0, 64.0))
    return Volume((-1000.0 + 1020.0 * body + 90.0 * liver).astype(np.int16), grid, Unit.HU)


@pytest.fixture(scope="session")
def centres() -> dict[str, tuple[float, float, float]]:
    """Centres of the tumours in LPS [mm]."""
    return {"Tumour A": TUMOUR_A_LPS_MM, "Tumour B": TUMOUR_B_LPS_MM}


@pytest.fixture(scope="session")
def small_patient() -> Callable[..., Treatment]:
    """A function that plans the small patient with changed inputs."""
    return lambda **changes: planned(inputs(**changes))


@pytest.fixture(scope="session")
def treatment() -> Treatment:
    """Resin, scout, no CT, axes along LPS."""
    return planned(inputs())


@pytest.fixture(scope="session")
def flipped() -> Treatment:
    """The same patient on a grid whose z axis runs to the feet, with a CT."""
    return planned(inputs(FLIPPED_Z, ct=ct(grid_around_zero(FLIPPED_Z, 5.0))))


@pytest.fixture(scope="session")
def turned() -> Treatment:
    """The same patient on an oblique grid, without scout, spread by tumour-to-normal ratios; glass."""
    return planned(
        inputs(
            OBLIQUE,
            scout=None,
            pattern=Pattern.TUMOUR_TO_NORMAL,
            tumour_to_normal={"Tumour A": 4.0, "Tumour B": 2.5},
            settings=DoseSettings(GLASS_Y90),
            prescription=Prescription.from_preset(preset("glass/metastases")),
        )
    )


def vial_request(case: CaseInputs) -> VialRequest:
    """Return two calibrations, glass sizes of 1 GBq on, and one hour for all sites but the last, which has a later."""
    zone = timezone(timedelta(hours=1))
    table: dict[str, object] = {"calibrations": ["2026-11-29T12:00+01:00", "2026-12-01T08:00+01:00"]}
    if case.settings.device == GLASS_Y90:
        table["sizes_gbq"] = [1.0, 1.5, 2.0, 3.0, 5.0]
    hours = {site.name: datetime(2026, 12, 1, 9, tzinfo=zone) for site in case.sites}
    hours[case.sites[-1].name] = datetime(2026, 12, 1, 14, tzinfo=zone)
    return VialRequest(VialCalendar.from_table(table, case.settings.device), hours)


def with_analysis(treated: Treatment, **asked: object) -> Treatment:
    """Return a treatment with what is asked, judged in few scenarios."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importlib.import_module("radioembolization.treatment.analysis"), "FRESH_SCENARIOS", 50)
        return analysed(treated, AnalysisRequest(**asked))


@pytest.fixture(scope="session")
def uncertain() -> Uncertainty:
    """Few scenarios of resin."""
    return Uncertainty.default(RESIN_Y90.name, count=20, seed=3)


@pytest.fixture(scope="session")
def explained(treatment: Treatment) -> Treatment:
    """The small patient with reasons, a front and a staircase; the plan is the nominal one."""
    return with_analysis(treatment, front=FrontRequest(), staircase=True)


@pytest.fixture(scope="session")
def evaluated(treatment: Treatment, uncertain: Uncertainty) -> Treatment:
    """The small patient, its nominal plan judged in scenarios."""
    return with_analysis(treatment, explanation=False, uncertainty=uncertain)


@pytest.fixture(scope="session")
def robust(treatment: Treatment, uncertain: Uncertainty) -> Treatment:
    """The small patient with a robust plan, drawn from resin vials, and everything else."""
    vials = vial_request(treatment.case.inputs)
    return with_analysis(
        treatment,
        uncertainty=uncertain,
        robust=True,
        vials=vials,
        front=FrontRequest(),
        staircase=True,
        microspheres=MicrosphereRequest(3),
    )


@pytest.fixture(scope="session")
def of_vials(turned: Treatment) -> Treatment:
    """The oblique patient with whole glass vials and whole microspheres."""
    asked = {"vials": vial_request(turned.case.inputs), "microspheres": MicrosphereRequest(4, seed=6)}
    return with_analysis(turned, **asked)


#: Tags without an end.
VOID = {"meta", "img", "br", "hr"}


class Page(HTMLParser):
    """Tables by section as rows of cell texts, text by section, and tags that do not match."""

    def __init__(self, html):
        super().__init__()
        self.html = html
        self.open, self.mismatched, self.sections, self.sources = [], [], [], []
        self.tables, self.text, self.numeric = {}, {"": ""}, {}
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "section":
            self.sections.append(values["id"])
            self.text[values["id"]] = ""
        if tag == "table":
            self.tables.setdefault(self.section, []).append([])
        if tag == "tr":
            self.tables[self.section][-1].append([])
        if tag in ("td", "th"):
            self.tables[self.section][-1][-1].append("")
        if tag == "img":
            self.sources.append(values["src"])

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.mismatched.append(tag)

    def handle_data(self, data):
        if "style" in self.open:
            return
        self.text[self.section] += data
        if {"td", "th"} & set(self.open):
            self.tables[self.section][-1][-1][-1] += data

    @property
    def section(self):
        return self.sections[-1] if "section" in self.open else ""

    def rows(self, section, table=0):
        """Return the rows of a table as dicts by column head (without its unit)."""
        heads = [cell.split("[")[0].strip() for cell in self.tables[section][table][0]]
        body = [row for row in self.tables[section][table][1:] if len(row) == len(heads)]
        return [dict(zip(heads, (cell.strip() for cell in row), strict=True)) for row in body]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Callable[[Treatment], Page]:
    """Leave the figures out: a page in milliseconds, read."""
    module = importlib.import_module("radioembolization.report.page")
    monkeypatch.setattr(module, "slice_figure", lambda *arguments: b"")
    monkeypatch.setattr(module, "dvh_figure", lambda treatment: "")
    monkeypatch.setattr(module, "sites_figure", lambda treatment: "")
    parts = importlib.import_module("radioembolization.report.analysis_page")
    for figure in ("bands", "chances", "front", "staircase", "vials"):
        monkeypatch.setattr(parts, f"{figure}_figure", lambda *arguments: "")
    return lambda treatment: Page(report.page(treatment))


@pytest.fixture(scope="session")
def page(treatment: Treatment) -> Page:
    """The page of the small patient, with figures, read."""
    return Page(report.page(treatment))


@pytest.fixture(scope="session")
def read_page() -> type[Page]:
    """What reads the HTML of a page."""
    return Page
