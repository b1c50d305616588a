"""Quality score and findings of a liver found in a CT."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from radioembolization.structures.findings import Finding, Severity
from radioembolization.structures.segmentation.liver_quality import LiverSigns


@dataclass(frozen=True)
class _Sign:
    """One sign: its value, what counts as good and as bad, and the words for a doubt."""

    value: Callable[[LiverSigns], float]
    good: float
    bad: float
    doubt: str

    def score(self, signs: LiverSigns) -> float:
        """1 where good, 0 where bad, linear between."""
        return float(np.clip((self.value(signs) - self.bad) / (self.good - self.bad), 0.0, 1.0))


#: Good and bad values; a score below half is a doubt.
_SIGNS = (
    _Sign(lambda s: s.volume_ml, 900.0, 500.0, "its volume of {:.0f} mL is small"),
    _Sign(lambda s: s.volume_ml, 2500.0, 3500.0, "its volume of {:.0f} mL is large"),
    _Sign(lambda s: s.agreement, 0.97, 0.88, "a second setting finds another shape (Dice {:.2f})"),
    _Sign(lambda s: s.doubtful, 0.25, 0.53, "its boundary is unsure (share {:.2f} of its volume)"),
    _Sign(lambda s: s.edge, 0.80, 0.40, "little of its surface is an edge in the image (share {:.2f})"),
    _Sign(lambda s: s.homogeneous, 0.90, 0.65, "its HU are uneven (share {:.2f} near the mode)"),
    _Sign(lambda s: s.exclusive, 0.60, 0.20, "much other tissue has its HU (share {:.2f} is liver)"),
    _Sign(lambda s: min(s.separation, 9.0), 2.3, 1.5, "it looks like muscle ({:.1f} standard deviations apart)"),
    _Sign(lambda s: s.voxel_mm, 8.0, 16.0, "voxels of {:.0f} mm are too coarse"),
    _Sign(lambda s: s.compactness, 0.44, 0.26, "its shape is ragged (compactness {:.2f})"),
    _Sign(lambda s: s.right, 0.80, 0.60, "much of it is on the left (share {:.2f} on the right)"),
    _Sign(lambda s: 0.0 if np.isinf(s.dome_gap_mm) else s.dome_gap_mm, 10.0, 40.0, "it is {:.0f} mm below the lung"),
    _Sign(lambda s: s.noise_hu, 10.0, 40.0, "the image is noisy (standard deviation {:.0f} HU at 3 mm)"),
)
#: A sign below this score is a doubt.
_DOUBT = 0.5
#: The image cuts the liver if its outermost layer holds more than this [mL].
_CUT_ML = 1.5


def liver_quality(signs: LiverSigns) -> float:
    """Return the lowest score of any sign, between 0 and 1; at most 0.4 where the image cuts the liver."""
    lowest = min(sign.score(signs) for sign in _SIGNS)
    return min(lowest, 0.4) if signs.cut_ml > _CUT_ML else lowest


def liver_findings(signs: LiverSigns, position_lps_mm: tuple[float, float, float]) -> tuple[Finding, ...]:
    """Return warnings about a liver, none where nothing speaks against it.

    Parameters
    ----------
    signs : LiverSigns
    position_lps_mm : tuple of float
        Middle of the liver [mm].
    """
    findings = []
    if signs.cut_ml > _CUT_ML:
        message = (
            f"The liver is cut by the edge of the image ({signs.cut_ml:.0f} mL in its outermost layer): its volume and "
            f"doses are incomplete ({signs.volume_ml:.0f} mL found). Use a CT that shows all of it."
        )
        findings.append(Finding("incomplete liver", Severity.WARNING, message, ("liver",), signs.cut_at))
    doubts = [sign.doubt.format(sign.value(signs)) for sign in _SIGNS if sign.score(signs) < _DOUBT]
    if doubts:
        message = (
            f"The liver is uncertain: {'; '.join(doubts)}. Check its outline in all slices and correct it, give seeds "
            "inside it, or take another method."
        )
        findings.append(Finding("uncertain liver", Severity.WARNING, message, ("liver",), position_lps_mm))
    return tuple(findings)
