"""Independent judges of DICOM files: dciodvfy of dicom3tools, and small series to read."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian


def validator() -> str:
    """Return the path of dciodvfy; skip the test without it."""
    beside = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    found = shutil.which("dciodvfy", path=beside)
    if found is None:
        pytest.skip("dciodvfy is not installed (test extra dicom3tools, Linux x86-64)")
    return found


def validator_errors(dataset: Any, folder: Path) -> list[str]:
    """Return what dciodvfy finds wrong with a data set.

    It aborts on 32 bits per pixel, which PS3.3 C.8.8.3.4.3 allows in doses.  It is shown the upper 16 bits of
    each; every other attribute is as it was.
    """
    copy = pydicom.Dataset(dataset)
    copy.file_meta = dataset.file_meta
    if copy.BitsAllocated == 32:
        upper = np.frombuffer(copy.PixelData, "<u4") >> 16
        copy.PixelData = upper.astype("<u2").tobytes()
        copy.BitsAllocated = copy.BitsStored = 16
        copy.HighBit = 15
    path = folder / "shown.dcm"
    copy.save_as(path, enforce_file_format=True)
    run = subprocess.run([validator(), "-new", str(path)], capture_output=True, text=True, check=False)
    lines = (run.stdout + run.stderr).splitlines()
    assert any("Image" in line or "RTDose" in line for line in lines), f"dciodvfy did not judge: {lines}"
    return [line for line in lines if line.startswith("Error")]


def write_slices(folder: Path, positions_mm: list[float], series: str = "2.25.3", **changed: Any) -> list[Path]:
    """Write CT slices of 3 x 4 pixels (2 x 1.5 mm) with nothing but what places them, and return them."""
    folder.mkdir(exist_ok=True)
    paths = []
    for count, z in enumerate(positions_mm, start=1):
        dataset = pydicom.Dataset()
        dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", f"{series}.{count}"
        dataset.Modality, dataset.SeriesDescription, dataset.SeriesInstanceUID = "CT", "venous", series
        dataset.PatientName, dataset.PatientID, dataset.StudyInstanceUID = "Doe^Jane", "77", "2.25.2"
        dataset.FrameOfReferenceUID, dataset.ReferringPhysicianName = "2.25.9", "Roe^Richard"
        dataset.Rows, dataset.Columns, dataset.PixelSpacing, dataset.SliceThickness = 3, 4, ["2", "1.5"], "5"
        dataset.ImagePositionPatient, dataset.ImageOrientationPatient = [-5, 7, z], [1, 0, 0, 0, 1, 0]
        for keyword, value in changed.items():
            setattr(dataset, keyword, value)
        dataset.file_meta = pydicom.dataset.FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        paths.append(folder / f"{series}-{count}.dcm")
        dataset.save_as(paths[-1], enforce_file_format=True)
    return paths
