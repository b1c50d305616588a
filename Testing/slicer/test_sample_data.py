"""The sample data are registered as Slicer's module Sample Data takes them, are there, and can be planned."""

from __future__ import annotations

import hashlib
import struct
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer_headless

from support import SHARED

slicer_headless.require_slicer()
import slicer  # noqa: E402

pytestmark = pytest.mark.slicer

MAA_FOLDER = SHARED / "data" / "maa_spect_patient"


class _Sources:
    """Stands in for ``SampleData.SampleDataLogic`` of Slicer 5.12: same arguments, same checks, no network."""

    sources: list[dict[str, Any]]
    titles: dict[str, str]
    downloaded: list[Any]

    @classmethod
    def registerCustomSampleDataCategory(cls, category, title):  # noqa: N802
        cls.titles[category] = title

    @classmethod
    def registerCustomSampleDataSource(  # noqa: N802
        cls,
        category="Custom",
        sampleName=None,
        uris=None,
        fileNames=None,
        nodeNames=None,
        customDownloader=None,
        thumbnailFileName=None,
        loadFileTypes=None,
        loadFiles=None,
        loadFileProperties={},  # noqa: B006
        checksums=None,
        loadFileType=None,
    ):
        assert isinstance(uris, list)  # the only form the module uses
        given = [uris, fileNames, nodeNames, [None] * len(uris) if checksums is None else checksums]
        if len({len(each) for each in given}) != 1:
            raise ValueError("All fields of sample data source must have the same length")
        cls.sources.append(
            {
                "category": category,
                "name": sampleName,
                "files": dict(zip(fileNames, zip(uris, nodeNames, given[3], strict=True), strict=True)),
                "thumbnail": thumbnailFileName,
                "download": customDownloader,
            }
        )

    def downloadFromSource(self, source, maximumAttemptsCount=3, forceDownload=False):  # noqa: N802
        type(self).downloaded.append(source)
        return [slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")]


@pytest.fixture
def sample_data(scene, monkeypatch):
    import slicer_module_standins

    slicer_module_standins.install()
    logic = type("SampleDataLogic", (_Sources,), {"sources": [], "titles": {}, "downloaded": []})
    monkeypatch.setitem(sys.modules, "SampleData", types.SimpleNamespace(SampleDataLogic=logic))
    import RadioembolizationPlannerLib.sample_data as module

    return module


@pytest.fixture
def registered(sample_data) -> dict[str, dict[str, Any]]:
    sample_data.register()
    return {source["name"]: source for source in sys.modules["SampleData"].SampleDataLogic.sources}


def test_both_sources_are_in_the_titled_category(sample_data, registered):
    logic = sys.modules["SampleData"].SampleDataLogic
    assert logic.titles == {sample_data.CATEGORY: "Radioembolization Planner"}
    assert set(registered) == {"SyntheticLiverPatient", "MAAPatient2"}
    assert {source["category"] for source in registered.values()} == {sample_data.CATEGORY}


def test_thumbnails_are_pictures_of_the_size_slicer_asks_for(registered):
    for source in registered.values():
        path = Path(source["thumbnail"])
        header = path.read_bytes()[:24]
        assert header[:8] == b"\x89PNG\r\n\x1a\n"
        assert struct.unpack(">II", header[16:24]) == (260, 280)
        assert path.stat().st_size < 60_000


def test_the_public_case_is_named_by_commit_and_checksum(registered):
    files = registered["MAAPatient2"]["files"]
    assert set(files) == {"patient_2_SPECT.nrrd", "patient_2_Segmentation.seg.nrrd"}
    for name, (address, _node, checksum) in files.items():
        assert address == (
            "https://raw.githubusercontent.com/4burakfe/SlicerRadioembolizationDosimetry_SampleImages/"
            f"778cb39e09cac0c4f4803e3240bf01054bd629b9/{name}"
        )
        assert checksum.startswith("SHA256:") and len(checksum) == 71


@pytest.mark.real_data
def test_the_checksums_are_those_of_the_public_files(registered):
    if not MAA_FOLDER.is_dir():
        pytest.skip(f"{MAA_FOLDER} is not there")
    for name, (_address, _node, checksum) in registered["MAAPatient2"]["files"].items():
        assert checksum == "SHA256:" + hashlib.sha256((MAA_FOLDER / name).read_bytes()).hexdigest()


def test_nodes_of_the_public_case_say_origin_and_license(registered):
    source = object()
    (node,) = registered["MAAPatient2"]["download"](source)
    assert sys.modules["SampleData"].SampleDataLogic.downloaded == [source]
    assert "SlicerRadioembolizationDosimetry_SampleImages (MIT license)" in node.GetDescription()


def test_the_synthetic_patient_needs_no_download_and_comes_with_images_and_segments(
    sample_data, registered, scene, monkeypatch
):
    source = registered["SyntheticLiverPatient"]
    assert source["files"] == {}
    layers: list[Any] = []
    monkeypatch.setattr(slicer.app, "layoutManager", object)
    monkeypatch.setattr(slicer.util, "setSliceViewerLayers", lambda *nodes, **_: layers.extend(nodes))
    monkeypatch.setitem(sys.modules, "qt", types.SimpleNamespace(Qt=types.SimpleNamespace(WaitCursor=3)))
    load = sample_data.load_synthetic_patient
    monkeypatch.setattr(sample_data, "load_synthetic_patient", lambda scene: load(scene, spacing_mm=8.0))
    ct, scout, segmentation, points = source["download"](source)
    assert layers == [ct, scout]
    names = [
        segmentation.GetSegmentation().GetNthSegment(i).GetName()
        for i in range(segmentation.GetSegmentation().GetNumberOfSegments())
    ]
    assert {"liver", "lungs", "tumour 1", "Perfused: right hepatic"} <= set(names)
    assert points.GetNumberOfControlPoints() == 13
    assert slicer.util.arrayFromVolume(ct).min() < -500 < 0 <= slicer.util.arrayFromVolume(scout).min()


@pytest.mark.exhaustive
def test_the_synthetic_patient_can_be_planned_from_the_scene(sample_data, scene):
    """In every run, test_round_trip plans the same nodes."""
    from radioembolization.phantom import synthetic_case
    from radioembolization.treatment import plan_treatment, prepare
    from RadioembolizationPlannerLib.scene import read_again

    pytest.importorskip("cvxpy")
    nodes = sample_data.load_synthetic_patient(scene, spacing_mm=8.0)
    treatment = plan_treatment(prepare(read_again(synthetic_case(spacing_mm=8.0), nodes)))
    assert 0.1 < treatment.plan.activities_gbq.sum() < 10.0


def test_another_seed_is_another_patient(sample_data, scene):
    first, again, other = (
        slicer.util.arrayFromVolume(sample_data.load_synthetic_patient(scene, seed=seed, spacing_mm=8.0).scout)
        for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert first.shape != other.shape or not np.allclose(first, other, rtol=0.1)
