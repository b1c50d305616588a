"""The page around the numbers: order, notices, escaping, identifiers, nothing fetched."""

import ast
import sys
from dataclasses import replace

import numpy as np
import pytest

from artery_case import small_tree
from radioembolization import report
from radioembolization.errors import MissingPackage
from radioembolization.planning import MeanDose, MeanShortfall, Prescription, Provenance, preset
from radioembolization.treatment import Notice
from support import CORE

ORDER = (
    *("sites", "doses", "limits", "goal", "explanation", "comparison", "territories", "figures"),
    *("notices", "inputs", "prescription", "software"),
)


def test_sections_come_in_order_and_tags_match(page):
    assert tuple(page.sections) == ORDER
    assert page.mismatched == [] and page.open == []


def test_research_use_is_said_first_and_last(page):
    notice = "Research use only; not a medical device"
    body = page.html[page.html.index("<body>") :]
    assert body.index(notice) < body.index("<h1>")
    assert body.rindex(notice) > body.index('id="software"')
    assert body.count(notice) == 2


def test_nothing_is_fetched_and_nothing_runs(page):
    assert len(page.sources) == 4 and all(source.startswith("data:image/") for source in page.sources)
    for outside in ("<script", "<link", "<iframe", 'href="http', "@import", "url(", 'src="http'):
        assert outside not in page.html.lower()
    assert "default-src 'none'" in page.html


def test_the_same_treatment_gives_the_same_page(treatment, page):
    assert report.page(treatment) == page.html


def test_names_are_escaped_and_readable(quick, small_patient):
    odd = "Tumour <b>\"1\"</b> & 'é' β 中"
    treated = small_patient(
        name="<script>alert('x')</script> & Söhne",
        name_a=odd,
        prescription=Prescription.from_preset(preset("resin/bilobar"), notes=("a < b & c",), tumour_aim="<i>100</i>"),
        hashes={"images.<scout>": "0<1"},
    )
    treated = replace(treated, notices=(*treated.notices, Notice("Odd<Name>", "x < y & z")))
    page = quick(treated)
    assert page.mismatched == [] and page.open == []
    for raw in ("<script", "<b>", "<i>", "<Name>", "<scout>"):
        assert raw not in page.html
    assert treated.case.name in page.text[""] and odd in [row["Structure"] for row in page.rows("doses")]
    assert "Odd<Name>: x < y & z" in page.text["notices"] and "Odd<Name>" in page.text[""]


def test_the_patient_is_named_only_if_asked(treatment, page, quick):
    assert treatment.case.inputs.patient not in page.html
    asked = replace(treatment.case, inputs=replace(treatment.case.inputs, include_identifiers=True))
    assert treatment.case.inputs.patient in quick(replace(treatment, case=asked)).html


def test_synthetic_data_carry_a_banner(treatment, quick):
    assert "SYNTHETIC DATA" not in quick(treatment).html
    made = replace(treatment.case, inputs=replace(treatment.case.inputs, synthetic=True))
    assert "SYNTHETIC DATA" in quick(replace(treatment, case=made)).html


def test_arteries_are_pictured_and_sites_are_listed_with_what_they_reach(treatment, quick):
    assert "Arterial tree" not in quick(treatment).text["territories"]
    tree = replace(small_tree(), synthetic=True)
    page = quick(replace(treatment, case=replace(treatment.case, inputs=replace(treatment.case.inputs, arteries=tree))))
    assert len(page.sources) == 5 and page.mismatched == []
    assert "SYNTHETIC, made by the program: 7 arteries from 'common hepatic' on; by hand" in page.text["territories"]
    assert "the arteries of this case were grown by the program" in page.text[""]
    rows, structures = page.rows("territories"), treatment.case.structures
    assert [row["Candidate site"] for row in rows] == [site.name for site in treatment.case.sites]
    for row, site in zip(rows, treatment.case.sites, strict=True):
        inside = np.count_nonzero(site.perfused & structures.liver.mask) * structures.grid.voxel_ml
        assert row["Territory"] == f"{inside:.1f}" and row["Downstream of"] == "–"
    covered = page.rows("territories", 1)[1]["Tumour A"]
    assert covered == "100.0" and page.rows("territories", 2)[0]["Not reached"] == "0.0"


def test_a_goal_to_minimize_reads_the_other_way(quick, small_patient):
    tight = MeanDose("normal liver").at_most(gy=20.0).because(Provenance(source="user"))
    treated = small_patient(prescription=Prescription(MeanShortfall("Tumour A", 200.0), (tight,)))
    page = quick(treated)
    bound = f"below {treated.plan.goal.bound:.1f} Gy"
    assert treated.plan.goal.value > 1.0 and bound in page.text["goal"]
    assert "limits of the user, no preset" in page.text[""]
    assert page.rows("limits")[0]["Evidence and source"] == "Set by the user."


def test_what_is_missing_is_said(turned, quick):
    without = replace(turned.plan, lung_gy=None)
    rows = replace(turned.dose_per_gbq, lung_mass_kg=None)
    page = quick(replace(turned, plan=without, dose_per_gbq=rows))
    assert "not computed: the case has no lung mass" in page.text["doses"]
    assert "no scout image" in page.text["inputs"] and "tumour-to-normal ratios" in page.text["inputs"]
    assert page.rows("inputs")[0]["Tumour-to-normal ratio"] == "4.00"


def test_inputs_constants_and_versions_are_stated(treatment, page):
    facts = page.text["inputs"]
    grid = treatment.case.structures.grid
    shape = " × ".join(str(n) for n in grid.shape[::-1])
    for text in (
        "49.67 J/GBq (clinical)",
        "64.10 h",
        "1.06 g/cm³",
        "0.900 kg (entered)",
        f"{shape} voxels of 5 × 5 × 5 mm",
    ):
        assert text in facts
    assert treatment.case.inputs.hashes["images.scout"] in facts
    used = [i for i, s in enumerate(treatment.plan.sites) if s in treatment.plan.used_sites]
    escaped = [row["Energy absorbed outside the grid"] for row in page.rows("inputs", 1)]
    assert escaped == [f"{100 * treatment.dose_per_gbq.escaped_share[i]:.1f}" for i in used]
    assert all(note in page.text["prescription"] for note in treatment.case.inputs.prescription.notes)
    assert f"numpy {np.__version__}" in page.text["software"]


def test_a_changed_preset_is_called_changed(treatment, quick):
    known = preset("resin/bilobar")
    assert "changed" not in quick(treatment).html
    changed = (MeanDose("normal liver").at_most(gy=35.0), *known.limits)
    case = replace(
        treatment.case,
        inputs=replace(treatment.case.inputs, prescription=Prescription.from_preset(known, limits=changed)),
    )
    assert "limits changed by the user" in quick(replace(treatment, case=case)).html


def test_nothing_injected_is_a_page_too(treatment):
    plan = treatment.plan
    sites = tuple(replace(site, activity_gbq=0.0, microspheres=0.0) for site in plan.sites)
    doses = tuple(replace(s, mean_gy=0.0, d95_gy=0.0, d70_gy=0.0, d50_gy=0.0) for s in plan.structures)
    dose = replace(treatment.dose, array=np.zeros_like(treatment.dose.array))
    histograms = {name: replace(h, dose_gy=0.0 * h.dose_gy) for name, h in treatment.histograms.items()}
    empty = replace(plan, sites=sites, structures=doses, limits=(), baselines=())
    page = report.page(replace(treatment, plan=empty, dose=dose, histograms=histograms))
    assert "Nothing is injected." in page and "The prescription has no limits." in page


def test_missing_jinja_is_named_with_its_remedy(treatment, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingPackage, match=r"jinja2: pip install jinja2"):
        report.page(treatment)


def test_optional_packages_are_not_imported_at_file_scope():
    for file in (CORE / "report").glob("*.py"):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.split(".")[0] for name in names} & {"matplotlib", "jinja2", "rich"}, file.name
