"""What different evaluations of nuclear data say of a nuclide; their differences are its uncertainty."""

from __future__ import annotations

from dataclasses import dataclass

from radioembolization.physics.data_table import read_rows

#: The evaluation whose values are used; kernels and spectra come from it too.
USED = "ICRP-107"
_HOURS = {"h": 1.0, "d": 24.0}


@dataclass(frozen=True)
class Evaluation:
    """Decay data of one nuclide from one evaluation.

    Parameters
    ----------
    name : str
        For instance ``"DDEP"`` (Decay Data Evaluation Project).
    half_life_h : float
        Half-life [h].
    half_life_sigma_h : float or None
        One standard uncertainty the evaluators state [h].
    beta_mev, gamma_mev : float or None
        Energy of beta particles and gamma rays per decay [MeV]; None where there is no such radiation or no
        value was found.
    source : str
    """

    name: str
    half_life_h: float
    half_life_sigma_h: float | None
    beta_mev: float | None
    gamma_mev: float | None
    source: str


def evaluations_of(nuclide_name: str) -> tuple[Evaluation, ...]:
    """Return the evaluations of a nuclide, the one used first; empty if there is none."""
    found = [_from_row(row) for row in read_rows("decay_evaluations.csv") if row["nuclide"] == nuclide_name]
    return tuple(sorted(found, key=lambda evaluation: evaluation.name != USED))


def _from_row(row: dict[str, str]) -> Evaluation:
    hours = _HOURS[row["unit"]]
    sigma = _optional(row["half_life_sigma"])
    return Evaluation(
        name=row["evaluation"],
        half_life_h=float(row["half_life"]) * hours,
        half_life_sigma_h=None if sigma is None else sigma * hours,
        beta_mev=_optional(row["beta_MeV"]),
        gamma_mev=_optional(row["gamma_MeV"]),
        source=row["source"],
    )


def _optional(cell: str) -> float | None:
    return float(cell) if cell else None
