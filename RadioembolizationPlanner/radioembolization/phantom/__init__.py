"""The embedded synthetic patient: made by code from a seed, with a known truth."""

from radioembolization.phantom.case import case_of, synthetic_case
from radioembolization.phantom.patient import SyntheticPatient, synthetic_patient
from radioembolization.territories.arteries import Artery

__all__ = ["Artery", "SyntheticPatient", "case_of", "synthetic_case", "synthetic_patient"]
