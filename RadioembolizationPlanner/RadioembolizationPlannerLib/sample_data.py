"""Sample data of the module: a synthetic patient made on the spot, and a public work-up to download.

Both appear in Slicer's module Sample Data under "Radioembolization Planner".  Origin and licences are in
``Resources/sample-data/README.md``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from radioembolization.phantom import synthetic_case
from RadioembolizationPlannerLib.publish import publish_case
from RadioembolizationPlannerLib.scene import CaseNodes

CATEGORY = "RadioembolizationPlanner"
SYNTHETIC_PATIENT, MAA_PATIENT = "SyntheticLiverPatient", "MAAPatient2"
#: MIT licence; the address holds the commit, so that what it gives never changes.
_MAA_ADDRESS = (
    "https://raw.githubusercontent.com/4burakfe/SlicerRadioembolizationDosimetry_SampleImages/"
    "778cb39e09cac0c4f4803e3240bf01054bd629b9/"
)
#: File: (node, SHA-256).
MAA_FILES = {
    "patient_2_SPECT.nrrd": (
        "MAA patient 2: scout",
        "5647f8109babdc8655b217da6952cd5aafde3df2598a0dab52b2ad60208dc86b",
    ),
    "patient_2_Segmentation.seg.nrrd": (
        "MAA patient 2: anatomy",
        "49e0eae32ad99464a66ae1fab48a9343d9068b5633e5a6f260640bc9b5666abe",
    ),
}
_MAA_ORIGIN = (
    "99mTc-MAA work-up before radioembolization, anonymous patient 2 of "
    "github.com/4burakfe/SlicerRadioembolizationDosimetry_SampleImages (MIT license). Counts are relative."
)
_ICONS = Path(__file__).resolve().parents[1] / "Resources" / "Icons"


def register() -> None:
    """Offer the sample data in Slicer's module Sample Data; connect it to the application's ``startupCompleted()``."""
    import SampleData

    logic = SampleData.SampleDataLogic
    logic.registerCustomSampleDataCategory(CATEGORY, _("Radioembolization Planner"))
    logic.registerCustomSampleDataSource(
        category=CATEGORY,
        sampleName=SYNTHETIC_PATIENT,
        uris=[],
        fileNames=[],
        nodeNames=[],
        thumbnailFileName=thumbnail(SYNTHETIC_PATIENT),
        customDownloader=_make_synthetic_patient,
    )
    logic.registerCustomSampleDataSource(
        category=CATEGORY,
        sampleName=MAA_PATIENT,
        uris=[_MAA_ADDRESS + name for name in MAA_FILES],
        fileNames=list(MAA_FILES),
        nodeNames=[node for node, _sha256 in MAA_FILES.values()],
        checksums=[f"SHA256:{sha256}" for _node, sha256 in MAA_FILES.values()],
        thumbnailFileName=thumbnail(MAA_PATIENT),
        customDownloader=_download_maa_patient,
    )


def load_synthetic_patient(scene: slicer.vtkMRMLScene, *, seed: int = 1, spacing_mm: float = 3.0) -> CaseNodes:
    """Make a synthetic patient and put images, segments and candidate sites into a scene.

    Parameters
    ----------
    scene : vtkMRMLScene
    seed : int
        The same seed makes the same patient.
    spacing_mm : float
        Voxel size of the images [mm].
    """
    return publish_case(scene, synthetic_case(seed=seed, spacing_mm=spacing_mm))


def thumbnail(name: str) -> str:
    """Return the path of the picture of a data set."""
    return str(_ICONS / f"{name}.png")


def _make_synthetic_patient(_source: Any) -> list[slicer.vtkMRMLNode]:
    """Load the patient with a wait cursor; Sample Data passes the source and takes the nodes."""
    with slicer.util.tryWithErrorDisplay(_("The synthetic patient could not be made."), waitCursor=True):
        nodes = load_synthetic_patient(slicer.mrmlScene)
        if slicer.app.layoutManager() is not None:
            slicer.util.setSliceViewerLayers(nodes.ct, nodes.scout, foregroundOpacity=0.4, fit=True)
        return [nodes.ct, nodes.scout, nodes.segmentation, nodes.site_points]
    return []


def _download_maa_patient(source: Any) -> list[slicer.vtkMRMLNode]:
    """Download as Slicer does; then write origin and license into the nodes."""
    import SampleData

    nodes = SampleData.SampleDataLogic().downloadFromSource(source)
    for node in nodes:
        node.SetDescription(_MAA_ORIGIN)
    return nodes
