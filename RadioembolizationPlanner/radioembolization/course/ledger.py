"""The ledger of a course: dose, BED and EQD2 of each structure, administration by administration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate

from radioembolization.biology import (
    DoseComponent,
    TissueBiology,
    bed_gy,
    cross_bed_gy,
    eqd2_gy,
    mutual_protraction,
    protraction_factor,
)
from radioembolization.course.exposure import Exposure, Modality
from radioembolization.course.external_beam import REST_DAYS, fractionated_bed_gy, left_out_bed_gy, rest_days
from radioembolization.course.lesion_bed import LesionResponse
from radioembolization.errors import CourseError, ParameterMissing

_HOURS_PER_DAY = 24.0
#: Doses [Gy] of one administration to a tissue above which a number was entered in cGy or mGy.  Published for a cycle:
#: kidney up to 0.91 and liver up to 2.26 Gy/GBq (10.1186/s13550-018-0459-4, PMC6265360), marrow about 0.04.
_LARGEST_DOSE_GY = {
    (Modality.LUTETIUM, "kidney"): 50.0,
    (Modality.LUTETIUM, "marrow"): 5.0,
    (Modality.LUTETIUM, "normal liver"): 100.0,
    (Modality.RADIOEMBOLIZATION, "normal liver"): 1000.0,
}


@dataclass(frozen=True)
class LedgerEntry:
    """What one administration adds to a structure.

    Parameters
    ----------
    exposure : Exposure
    dose_gy : float
        [Gy]
    bed_gy : float
        BED of the administration alone [Gy].
    cross_bed_gy : float
        What it adds to that by damage of earlier ones that is not repaired [Gy].
    """

    exposure: Exposure
    dose_gy: float
    bed_gy: float
    cross_bed_gy: float

    @property
    def added_bed_gy(self) -> float:
        """What the administration adds to the BED of the structure [Gy]."""
        return self.bed_gy + self.cross_bed_gy


@dataclass(frozen=True)
class Ledger:
    """All administrations to one patient, in order of time.

    Parameters
    ----------
    exposures : tuple of Exposure
        In any order.
    tissues : mapping of str to TissueBiology
        By structure; needed where a BED is asked for.

    Raises
    ------
    CourseError
        If two share a label, are of different patients, or a dose cannot be in Gy.
    """

    exposures: tuple[Exposure, ...]
    tissues: Mapping[str, TissueBiology] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "exposures", tuple(sorted(self.exposures, key=lambda exposure: exposure.day)))
        object.__setattr__(self, "tissues", dict(self.tissues))
        check_entries([exposure.label for exposure in self.exposures], [e.patient for e in self.exposures])
        for exposure in self.exposures:
            self._check_doses(exposure)

    def _check_doses(self, exposure: Exposure) -> None:
        for structure, dose in exposure.dose_gy.items():
            tissue = self.tissues.get(structure)
            most = _LARGEST_DOSE_GY.get((exposure.modality, tissue.name)) if tissue else None
            if most is not None and dose > most:
                raise CourseError(
                    f"'{exposure.label}' gives {dose:g} Gy to '{structure}', above {most:g} Gy: enter Gy, not cGy or "
                    "mGy."
                )

    @property
    def structures(self) -> tuple[str, ...]:
        """Names of all structures that some administration gives a dose to."""
        return tuple(dict.fromkeys(structure for exposure in self.exposures for structure in exposure.dose_gy))

    def plus(self, *exposures: Exposure) -> Ledger:
        """Return the ledger with further administrations."""
        return Ledger((*self.exposures, *exposures), self.tissues)

    def until(self, day: float) -> Ledger:
        """Return the ledger of the administrations up to a day, that day included."""
        return Ledger(tuple(exposure for exposure in self.exposures if exposure.day <= day), self.tissues)

    def entries(self, structure: str) -> tuple[LedgerEntry, ...]:
        """Return what each administration adds to a structure, in order of time.

        Raises
        ------
        StructureError
            If an administration does not say what the structure receives.
        ParameterMissing
            If the structure has no tissue parameters.
        """
        tissue, found = self._tissue(structure), list[LedgerEntry]()
        for number, exposure in enumerate(self.exposures):
            dose = exposure.dose_of_gy(structure)
            earlier = self.exposures[:number]
            cross = sum(_cross_gy(other, exposure, structure, tissue) for other in earlier)
            found.append(LedgerEntry(exposure, dose, _own_bed_gy(exposure, structure, tissue), cross))
        return tuple(found)

    def cumulative(self, structure: str) -> list[tuple[float, float, float]]:
        """Return (day, dose [Gy], BED [Gy]) of a structure after each administration, when it has decayed."""
        entries = self.entries(structure)
        doses = accumulate(entry.dose_gy for entry in entries)
        beds = accumulate(entry.added_bed_gy for entry in entries)
        return [(e.exposure.day, dose, bed) for e, dose, bed in zip(entries, doses, beds, strict=True)]

    def dose_gy(self, structure: str) -> float:
        """Return the total dose of a structure [Gy].

        Raises
        ------
        StructureError
            If an administration does not say what the structure receives.
        """
        return sum(exposure.dose_of_gy(structure) for exposure in self.exposures)

    def bed_gy(self, structure: str) -> float:
        """Return the total BED of a structure [Gy], with all cross terms; raises as ``entries``."""
        return sum(entry.added_bed_gy for entry in self.entries(structure))

    def eqd2_gy(self, structure: str) -> float:
        """Return the dose in fractions of 2 Gy that has the same effect [Gy]; raises as ``entries``."""
        return eqd2_gy(self.bed_gy(structure), self._tissue(structure).alpha_beta_gy.value)

    def response(self, structure: str, half_life_h: float, day: float | None = None) -> LesionResponse:
        """Return the BED of a structure as it depends on the dose of one more administration.

        Parameters
        ----------
        structure : str
        half_life_h : float
            Of its dose rate [h].
        day : float, optional
            When it is given; without it, so far from all others that there are no cross terms.
        """
        tissue = self._tissue(structure)
        ratio, repair_h = tissue.alpha_beta_gy.value, tissue.repair_half_time_h.value
        slope = 1.0
        for exposure in self.exposures if day is not None else ():
            if (dose := exposure.dose_of_gy(structure)) > 0.0 and exposure.modality is not Modality.EXTERNAL_BEAM:
                own_h, delay_h = exposure.half_life_h[structure], _HOURS_PER_DAY * (float(day or 0.0) - exposure.day)
                pair_h = (own_h, half_life_h) if delay_h >= 0.0 else (half_life_h, own_h)
                slope += 2.0 * dose * mutual_protraction(*pair_h, abs(delay_h), repair_h) / ratio
        return LesionResponse(self.bed_gy(structure), slope, protraction_factor(half_life_h, repair_h) / ratio)

    def cautions(self, structure: str) -> tuple[str, ...]:
        """Return what the totals of a structure leave out or take for granted, in words."""
        tissue = self._tissue(structure)
        found = [
            c for one in self.exposures for other in self.exposures for c in _left_out(one, other, structure, tissue)
        ]
        if any(exposure.patient for exposure in self.exposures):
            unnamed = [exposure.label for exposure in self.exposures if not exposure.patient]
            found += [f"'{label}' does not say which patient it belongs to." for label in unnamed]
        return tuple(found)

    def _tissue(self, structure: str) -> TissueBiology:
        if structure not in self.tissues:
            raise ParameterMissing(
                f"'{structure}' has no tissue parameters: add its alpha/beta and repair half-time to the ledger."
            )
        return self.tissues[structure]


def check_entries(labels: Iterable[str], patients: Iterable[str]) -> None:
    """Refuse administrations that share a label or are of different patients.

    Raises
    ------
    CourseError
    """
    twice = [label for label, times in Counter(labels).items() if times > 1]
    if twice:
        raise CourseError(f"Several administrations are called {twice}: give each its own label, or remove one.")
    different = sorted({patient for patient in patients if patient})
    if len(different) > 1:
        raise CourseError(
            f"The administrations belong to {len(different)} patients ({', '.join(p[:8] for p in different)}): keep "
            "the history of one."
        )


def _own_bed_gy(exposure: Exposure, structure: str, tissue: TissueBiology) -> float:
    dose, ratio = exposure.dose_of_gy(structure), tissue.alpha_beta_gy.value
    if exposure.modality is Modality.EXTERNAL_BEAM:
        return fractionated_bed_gy(dose, exposure.fractions, ratio)
    if dose == 0.0:
        return 0.0
    return bed_gy(dose, ratio, tissue.repair_half_time_h.value, exposure.half_life_h[structure])


def _cross_gy(one: Exposure, other: Exposure, structure: str, tissue: TissueBiology) -> float:
    pair = [_component(exposure, structure) for exposure in (one, other)]
    if pair[0] is None or pair[1] is None:
        return 0.0
    return cross_bed_gy(pair[0], pair[1], tissue.alpha_beta_gy.value, tissue.repair_half_time_h.value)


def _component(exposure: Exposure, structure: str) -> DoseComponent | None:
    dose = exposure.dose_of_gy(structure)
    if dose == 0.0 or exposure.modality is Modality.EXTERNAL_BEAM:
        return None
    return DoseComponent(dose, exposure.half_life_h[structure], _HOURS_PER_DAY * exposure.day)


def _left_out(one: Exposure, other: Exposure, structure: str, tissue: TissueBiology) -> list[str]:
    """Return a caution if the first is external beam, the second a radionuclide, and the rest between them short."""
    if one.modality is not Modality.EXTERNAL_BEAM or other.modality is Modality.EXTERNAL_BEAM:
        return []
    rest = rest_days(one, other)
    if rest >= REST_DAYS or not (one.dose_of_gy(structure) and other.dose_of_gy(structure)):
        return []
    bed = left_out_bed_gy(one, other, structure, tissue)
    return [
        f"'{one.label}' and '{other.label}' are {rest:g} days apart, less than {REST_DAYS:g}: damage that is not "
        f"repaired between them is left out, at most {bed:.2g} Gy of BED in '{structure}'."
    ]
