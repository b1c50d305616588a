"""Dose per GBq on disk: everything plans are made from, so that a plan can be checked without its images.

A zip archive of arrays as ``numpy.load`` reads it, without pickled objects; the same rows give the same bytes.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from radioembolization.dose import DosePerGBq, DoseSettings, Method, StructureRows
from radioembolization.errors import FileMissing, PlanFileError, PlannerError
from radioembolization.files.replacing import replacing
from radioembolization.physics import Convention, device_by_name
from radioembolization.structures import Role

#: Form of the file; a reader of another form refuses it.
ROWS_FORM = "radioembolization dose rows 1"
#: Doses are noise to a compressor, and most of the file: they are stored as they are.
_AS_THEY_ARE = ("rows",)
_EPOCH = (1980, 1, 1, 0, 0, 0)
#: What numpy and zipfile raise for broken or foreign files.
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, OSError, EOFError, LookupError, ValueError, TypeError, AttributeError),
    *(MemoryError, RuntimeError, ArithmeticError, SyntaxError),
)
_OPTIONAL = ("lung_gy_per_gbq", "lung_mass_kg", "extrahepatic_share")
#: Kinds of numpy types that an array may have.
_KINDS = {"form": "U", "rows": "f", "perfused": "u", "site_names": "U", "structure_names": "U", "structure_roles": "U"}
_KINDS |= {"settings": "U", "voxels": "iu", "voxel_counts": "iu", "lung_mass_method": "U"}


def write_rows(dose: DosePerGBq, path: Path) -> None:
    """Write dose rows; the file appears complete or not at all."""
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, array in _arrays(dose).items():
            entry = zipfile.ZipInfo(f"{name}.npy", _EPOCH)
            entry.compress_type = zipfile.ZIP_STORED if name in _AS_THEY_ARE else zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, np.asarray(array, order="C"), allow_pickle=False)


def _arrays(dose: DosePerGBq) -> dict[str, np.ndarray]:
    settings, structures = dose.settings, dose.structures
    arrays = {
        "form": np.array(ROWS_FORM),
        "settings": np.array([settings.device.name, str(settings.convention), str(settings.method)]),
        "site_names": np.array(dose.site_names),
        "lung_shunt": dose.lung_shunt,
        "rows": dose.rows,
        "voxel_kg": dose.voxel_kg,
        "perfused": np.packbits(dose.perfused, axis=1),
        "structure_names": np.array([s.name for s in structures]),
        "structure_roles": np.array([str(s.role) for s in structures]),
        "structure_volume_ml": np.array([s.volume_ml for s in structures]),
        "structure_mass_kg": np.array([s.mass_kg for s in structures]),
        "voxels": np.concatenate([s.voxels for s in structures]).astype(np.int32),
        "voxel_counts": np.array([len(s.voxels) for s in structures], dtype=np.int64),
        "emitted_j_per_gbq": dose.emitted_j_per_gbq,
        "absorbed_j_per_gbq": dose.absorbed_j_per_gbq,
        "lung_mass_method": np.array(dose.lung_mass_method),
    }
    optional = (dose.lung_gy_per_gbq, dose.lung_mass_kg, dose.extrahepatic_share)
    return arrays | {n: np.asarray(a) for n, a in zip(_OPTIONAL, optional, strict=True) if a is not None}


def read_rows(path: Path) -> DosePerGBq:
    """Read dose rows that ``write_rows`` wrote; their fingerprint is that of what was written.

    Raises
    ------
    FileMissing
        If there is no file.
    PlanFileError
        If it is broken, incomplete or something else; the message says what.
    """
    if not path.is_file():
        raise FileMissing(f"The dose rows '{path}' do not exist: they lie beside plan.json, or name them with --rows.")
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as archive:
            return _dose(_checked({name: archive[name] for name in archive.files}))
    except _BROKEN as error:
        raise PlanFileError(f"'{path.name}' holds no dose rows: {_told(error)}") from error


def _told(error: Exception) -> str:
    missing = isinstance(error, KeyError) and not isinstance(error, PlannerError)
    return f"it has no entry {error}." if missing else str(error)


def _checked(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return arrays whose types and numbers can be those of dose rows."""
    if str(arrays["form"]) != ROWS_FORM:
        raise PlanFileError(f"its form is {str(arrays['form'])!r:.60}, not '{ROWS_FORM}'.")
    for name, array in arrays.items():
        if array.dtype.kind not in _KINDS.get(name, "f"):
            raise PlanFileError(f"the entry '{name}' is of type {array.dtype}.")
        if array.dtype.kind == "f" and not np.all(np.isfinite(array)):
            raise PlanFileError(f"the entry '{name}' has values that are no numbers.")
    sites, voxels = arrays["rows"].shape
    structures = len(arrays["structure_names"])
    shapes = {
        "settings": (3,), "site_names": (sites,), "lung_shunt": (sites,), "voxel_kg": (voxels,),
        "perfused": (sites, -(-voxels // 8)), "structure_roles": (structures,), "structure_volume_ml": (structures,),
        "structure_mass_kg": (structures,), "voxel_counts": (structures,), "emitted_j_per_gbq": (sites,),
        "absorbed_j_per_gbq": (sites,), "lung_gy_per_gbq": (sites,), "extrahepatic_share": (sites,),
        "lung_mass_kg": (), "lung_mass_method": (), "voxels": (int(arrays["voxel_counts"].sum()),),
    }  # fmt: skip
    for name, shape in shapes.items():
        if not (name in _OPTIONAL and name not in arrays) and arrays[name].shape != shape:
            raise PlanFileError(f"the entry '{name}' has shape {arrays[name].shape}, not {shape}.")
    positive = (arrays["voxel_kg"], arrays["structure_volume_ml"], arrays["structure_mass_kg"])
    if not (sites and voxels and all(np.all(array > 0) for array in positive)):
        raise PlanFileError("it has no sites or voxels, or a mass or volume that is not positive.")
    if np.any(arrays["voxel_counts"] < 0) or not np.all((arrays["lung_shunt"] >= 0) & (arrays["lung_shunt"] < 1)):
        raise PlanFileError("a number of voxels is negative, or a lung shunt outside 0 to 1.")
    return arrays


def _dose(arrays: Mapping[str, np.ndarray]) -> DosePerGBq:
    device, convention, method = (str(word) for word in arrays["settings"])
    voxels = arrays["rows"].shape[1]
    dose = DosePerGBq(
        settings=DoseSettings(device_by_name(device), Convention(convention), Method(method)),
        site_names=tuple(str(name) for name in arrays["site_names"]),
        lung_shunt=arrays["lung_shunt"],
        rows=arrays["rows"],
        voxel_kg=arrays["voxel_kg"],
        perfused=np.unpackbits(arrays["perfused"], axis=1, count=voxels).astype(bool),
        structures=_structures(arrays, voxels),
        lung_gy_per_gbq=arrays.get("lung_gy_per_gbq"),
        emitted_j_per_gbq=arrays["emitted_j_per_gbq"],
        absorbed_j_per_gbq=arrays["absorbed_j_per_gbq"],
        lung_mass_kg=float(arrays["lung_mass_kg"]) if "lung_mass_kg" in arrays else None,
        lung_mass_method=str(arrays["lung_mass_method"]),
        extrahepatic_share=arrays.get("extrahepatic_share"),
    )
    if len(set(dose.site_names)) < len(dose.site_names):
        raise PlanFileError("two sites have one name.")
    _ = dose.usable
    return dose


def _structures(arrays: Mapping[str, np.ndarray], voxels: int) -> tuple[StructureRows, ...]:
    structures, start = [], 0
    for number, name in enumerate(arrays["structure_names"]):
        end = start + int(arrays["voxel_counts"][number])
        own = arrays["voxels"][start:end].astype(np.int64)
        if len(own) and not (own.min() >= 0 and own.max() < voxels and len(np.unique(own)) == len(own)):
            raise PlanFileError(f"structure '{name}' has voxels twice, or some that there are not.")
        volume_ml, mass_kg = (float(arrays[f"structure_{what}"][number]) for what in ("volume_ml", "mass_kg"))
        role = Role(str(arrays["structure_roles"][number]))
        structures.append(StructureRows(str(name), role, own, volume_ml, mass_kg))
        start = end
    roles = [structure.role for structure in structures]
    if len({s.name for s in structures}) < len(structures):
        raise PlanFileError("two structures have one name.")
    if roles.count(Role.LIVER) != 1 or roles.count(Role.NORMAL_LIVER) != 1:
        raise PlanFileError("one structure must be the liver and one the normal liver.")
    return tuple(structures)
