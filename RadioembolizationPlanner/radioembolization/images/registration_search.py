"""The search for the transform itself: Mattes mutual information by ITK from a start."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from radioembolization.errors import ImageError, RegistrationFailed
from radioembolization.images.registration_images import Level
from radioembolization.images.transform import AffineTransform
from radioembolization.images.transformed import from_itk

_BINS = 32
_ITERATIONS = 50
_STEP_MM, _LEAST_STEP_MM = 2.0, 0.01
#: Voxels of the fixed image that are compared, as many as this at each step.
_SAMPLES = 12_000
_RELAXATION, _LEAST_GRADIENT = 0.6, 1e-6


def search(
    fixed: Level, moving: Level, start: AffineTransform, affine: bool, seed: int, step_mm: float = _STEP_MM
) -> AffineTransform:
    """Return the transform of highest mutual information near a start.

    Lengths are in units of the body's own size, so that a step of a matrix element moves it as far as one of the
    shift.  One thread and a fixed seed: the same images give the same transform, bit for bit.

    Parameters
    ----------
    fixed, moving : Level
    start : AffineTransform
    affine : bool
        Whether scales and shears are searched too; otherwise the start must be rigid.
    seed : int
        Of the sampling; at least 1.
    step_mm : float
        First step.

    Raises
    ------
    RegistrationFailed
        If the search loses the overlap of the images.
    """
    lever = _lever_mm(fixed)
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)
    method.SetNumberOfWorkUnits(1)
    method.SetMetricAsMattesMutualInformation(_BINS)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(min(1.0, _SAMPLES / fixed.grid.voxels), seed)
    method.SetInterpolator(sitk.sitkLinear)
    if fixed.mask is not None:
        method.SetMetricFixedMask(_scaled(fixed.mask, lever))
    if moving.mask is not None:
        method.SetMetricMovingMask(_scaled(moving.mask, lever))
    method.SetOptimizerAsRegularStepGradientDescent(
        step_mm / lever, _LEAST_STEP_MM / lever, _ITERATIONS, _RELAXATION, _LEAST_GRADIENT
    )
    initial = _itk_transform(_in_units(start, lever), fixed.centre_lps_mm / lever, affine)
    method.SetInitialTransform(initial, inPlace=True)
    try:
        found = method.Execute(_scaled(fixed.image, lever), _scaled(moving.image, lever))
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise RegistrationFailed(
            f"The search lost the images ({reason}): give masks of the same region, or a start near the truth."
        ) from error
    try:
        return _in_units(from_itk(found), 1.0 / lever)
    except ImageError as error:
        raise RegistrationFailed(
            "The search collapsed the image: the images have too little in common. Give masks of what both show, or "
            "register rigidly."
        ) from error


def _lever_mm(fixed: Level) -> float:
    """Return the root mean square distance of the body from its centre along one axis [mm]."""
    positions = fixed.grid.to_lps(np.argwhere(fixed.foreground))
    return max(1.0, float(np.sqrt(((positions - positions.mean(axis=0)) ** 2).mean())))


def _scaled(image: sitk.Image, unit_mm: float) -> sitk.Image:
    """Return an image whose lengths are in other units."""
    copy = sitk.Image(image)
    copy.SetSpacing([side / unit_mm for side in image.GetSpacing()])
    copy.SetOrigin([position / unit_mm for position in image.GetOrigin()])
    return copy


def _in_units(transform: AffineTransform, unit_mm: float) -> AffineTransform:
    matrix = np.array(transform.matrix)
    matrix[:3, 3] /= unit_mm
    return AffineTransform(matrix)


def _itk_transform(start: AffineTransform, centre_lps_mm: np.ndarray, affine: bool) -> sitk.Transform:
    back = start.inverse.matrix
    linear = back[:3, :3]
    if not affine:
        u, _, v = np.linalg.svd(linear)
        linear = u @ v  # ITK refuses what rounding has made less than orthogonal
    made = sitk.AffineTransform(3) if affine else sitk.Euler3DTransform()
    made.SetCenter(centre_lps_mm.tolist())
    made.SetMatrix(linear.ravel().tolist())
    made.SetTranslation((back[:3, 3] + linear @ centre_lps_mm - centre_lps_mm).tolist())
    return made
