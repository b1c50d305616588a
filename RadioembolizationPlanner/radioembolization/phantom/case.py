"""The case of a synthetic patient, as a planner would be given it."""

from __future__ import annotations

from radioembolization.dose import DoseSettings
from radioembolization.phantom.patient import SyntheticPatient, synthetic_patient
from radioembolization.physics import RESIN_Y90, Device
from radioembolization.planning import Prescription, preset
from radioembolization.structures import Role
from radioembolization.territories import Pattern
from radioembolization.treatment import CaseInputs, SourceMask, SourceSite, SourceStructure

#: The preset of each device for metastases in both lobes.
_PRESETS = {"glass": "glass/metastases", "resin": "resin/bilobar", "holmium": "holmium/bilobar"}
#: Where along its artery the catheter lies, as a share of the length.
_CATHETER = 0.6
#: Not candidates: ``common hepatic`` also feeds the stomach, ``segment 4 branch`` has the territory of
#: ``middle hepatic``, the others feed no liver.
_NO_SITES = ("common hepatic", "right gastric", "cystic", "segment 4 branch")


def synthetic_case(
    seed: int = 1,
    spacing_mm: float = 3.0,
    device: Device = RESIN_Y90,
    preset_name: str = "",
    at_most_sites: int | None = 4,
    planning_spacing_mm: float | None = None,
    least_activity_gbq: float | None = 0.1,
) -> CaseInputs:
    """Make a patient and return the case; see ``synthetic_patient`` and ``case_of``."""
    patient = synthetic_patient(seed, spacing_mm)
    return case_of(
        patient,
        device=device,
        preset_name=preset_name,
        at_most_sites=at_most_sites,
        planning_spacing_mm=planning_spacing_mm,
        least_activity_gbq=least_activity_gbq,
    )


def case_of(
    patient: SyntheticPatient,
    device: Device = RESIN_Y90,
    preset_name: str = "",
    at_most_sites: int | None = 4,
    planning_spacing_mm: float | None = None,
    least_activity_gbq: float | None = 0.1,
) -> CaseInputs:
    """Return the case of a synthetic patient: CT, scout, structures and 13 candidate sites.

    The lung shunt is the true one; the tumour-to-normal ratios are left to be found in the scout image.

    Parameters
    ----------
    patient : SyntheticPatient
    device : Device
    preset_name : str
        Limits; empty for those of the device for metastases in both lobes.
    at_most_sites : int, optional
        Most injections; None for any number.
    planning_spacing_mm : float, optional
        Of the planning grid [mm]; that of the CT if left out.
    least_activity_gbq : float, optional
        Of an injection [GBq].
    """
    grid = patient.ct.grid
    named = {
        "liver": (Role.LIVER, patient.masks["liver"]),
        **{name: (Role.TUMOUR, mask) for name, mask in patient.tumours.items()},
        "lungs": (Role.LUNGS, patient.masks["lungs"]),
        "gallbladder": (Role.ORGAN, patient.masks["gallbladder"]),
        "stomach": (Role.ORGAN, patient.masks["stomach"]),
    }
    chosen = preset(preset_name or _PRESETS[device.name])
    prescription = Prescription.from_preset(chosen, at_most_sites=at_most_sites, least_activity_gbq=least_activity_gbq)
    return CaseInputs(
        name=f"synthetic patient {patient.seed}",
        settings=DoseSettings(device),
        structures=tuple(SourceStructure(name, role, SourceMask(mask, grid)) for name, (role, mask) in named.items()),
        sites=_sites(patient),
        prescription=prescription,
        scout=patient.scout,
        ct=patient.ct,
        spacing_mm=grid.spacing_mm if planning_spacing_mm is None else (planning_spacing_mm,) * 3,
        synthetic=True,
        arteries=patient.tree,
    )


def _sites(patient: SyntheticPatient) -> tuple[SourceSite, ...]:
    return tuple(
        SourceSite(
            name=artery.name,
            perfused=SourceMask(patient.territories[artery.name], patient.ct.grid),
            lung_shunt=patient.lung_shunt,
            pattern=Pattern.SCOUT,
            position_lps_mm=artery.point_along(_CATHETER),
        )
        for artery in patient.arteries
        if artery.name not in _NO_SITES
    )
