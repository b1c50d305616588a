"""Contract with modules of others: their names, and what happens without them."""

from __future__ import annotations

import types

import pytest
import slicer_headless

from radioembolization.errors import MissingPackage

slicer_headless.require_slicer()
import slicer  # noqa: E402

from RadioembolizationPlannerLib.neighbours import NEIGHBOURS, available, open_module  # noqa: E402

pytestmark = pytest.mark.slicer


@pytest.fixture
def opened(monkeypatch):
    """A Slicer with SlicerRT; returns the names of the modules that are opened."""
    names = []
    there = {name: types.SimpleNamespace() for name in ("segmenteditor", "dosevolumehistogram", "isodose")}
    monkeypatch.setattr(slicer, "modules", types.SimpleNamespace(**there), raising=False)
    monkeypatch.setattr(slicer.util, "selectModule", names.append)
    return names


def test_modules_are_found_by_their_name_in_lower_case(opened):
    assert [one.module for one in available(slicer.modules)] == ["SegmentEditor", "DoseVolumeHistogram", "Isodose"]
    assert available(types.SimpleNamespace()) == ()


def test_a_module_is_opened_by_its_name(opened):
    open_module("Isodose")
    assert opened == ["Isodose"]


def test_a_missing_module_names_the_extension_that_brings_it(opened):
    with pytest.raises(MissingPackage, match=r"'TotalSegmentator': install the extension TotalSegmentator"):
        open_module("TotalSegmentator")
    with pytest.raises(MissingPackage, match="'Nothing': check its name"):
        open_module("Nothing")
    assert opened == []


def test_names_that_others_may_change_are_written_once():
    """SlicerRT: DoseVolumeHistogram, Isodose and DicomRtImportExport are the names of its modules."""
    assert {one.module for one in NEIGHBOURS if one.extension == "SlicerRT"} == {
        "DoseVolumeHistogram",
        "Isodose",
        "DicomRtImportExport",
    }
    assert len({one.module for one in NEIGHBOURS}) == len(NEIGHBOURS)
