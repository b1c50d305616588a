"""When a registration has failed, and when it is doubtful."""

from __future__ import annotations

from radioembolization.errors import RegistrationFailed
from radioembolization.images.registration_quality import RegistrationQuality, rotation_degrees, scales
from radioembolization.images.transform import AffineTransform

#: Beyond these no two images of one patient differ: what was found is no alignment.
MOST_ROTATION_DEGREES = 45.0
SCALES = (0.8, 1.25)
#: The way there and the way back should agree within this [mm].
CONSISTENT_MM = 5.0
#: Information above independence must exceed that of places 20 mm off by this factor.
LEAST_DISTINCTNESS = 1.05
LEAST_OVERLAP = 0.5


def check_plausible(found: AffineTransform, start: AffineTransform, quality: RegistrationQuality) -> None:
    """Raise ``RegistrationFailed`` if a transform is no alignment of two images of one patient.

    Parameters
    ----------
    found, start : AffineTransform
        The turn is counted from the start.
    quality : RegistrationQuality
    """
    turn = rotation_degrees(found.after(start.inverse))
    smallest, _, largest = scales(found)
    reasons = []
    if quality.mutual_information_after <= 1.0:
        reasons.append("the images share no information where they meet")
    if turn > MOST_ROTATION_DEGREES:
        reasons.append(f"it turns the image by {turn:.0f} degrees (at most {MOST_ROTATION_DEGREES:.0f})")
    if smallest < SCALES[0] or largest > SCALES[1]:
        reasons.append(f"it stretches the image by {smallest:.2f} to {largest:.2f} ({SCALES[0]:g} to {SCALES[1]:g})")
    if reasons:
        raise RegistrationFailed(
            f"No usable alignment was found: {'; '.join(reasons)}. Check that both images show the same part of one "
            "patient; then give masks of what both show, or a start by hand."
        )


def doubts(quality: RegistrationQuality, kept_start: bool, inverse_checked: bool) -> tuple[str, ...]:
    """Return what speaks against a registration, in sentences.

    Parameters
    ----------
    quality : RegistrationQuality
    kept_start : bool
        No place better than the start was found.
    inverse_checked : bool
        Whether the way back was tried.
    """
    found = []
    if kept_start:
        found.append("no place better than the start was found, so the image stays there")
    if quality.distinctness < LEAST_DISTINCTNESS:
        found.append(
            f"the place found hardly fits better than others 20 mm away (ratio {quality.distinctness:.2f}, "
            f"at least {LEAST_DISTINCTNESS:g})"
        )
    if quality.overlap_share < LEAST_OVERLAP:
        found.append(f"only {quality.overlap_share:.0%} of the smaller body lies in the other image")
    if inverse_checked and quality.inverse_consistency_mm is None:
        found.append("registered the other way round, the images do not meet")
    elif quality.inverse_consistency_mm is not None and quality.inverse_consistency_mm > CONSISTENT_MM:
        found.append(
            f"registered the other way round, points come back {quality.inverse_consistency_mm:.0f} mm off "
            f"(at most {CONSISTENT_MM:.0f})"
        )
    advice = "Look at the overlay; if it does not fit, give masks, landmarks or a start by hand."
    return tuple(f"Registration uncertain: {doubt}. {advice}" for doubt in found)
