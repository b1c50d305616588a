"""Images with their geometry: an array, a grid in LPS millimetres, and a unit."""

from radioembolization.images.activity import activity_map, total_gbq
from radioembolization.images.coverage import covered_share
from radioembolization.images.density import (
    checked_density,
    density_from_ct,
    density_of_hu,
    density_on,
    lung_mass_kg_from_ct,
)
from radioembolization.images.grid import Grid
from radioembolization.images.registration import Kind, Registration, register
from radioembolization.images.registration_quality import (
    LandmarkError,
    RegistrationQuality,
    dice_after,
    landmark_error,
)
from radioembolization.images.resample import (
    bounding_box,
    corners_of_mask,
    resample_counts,
    resample_linear,
    resample_mask,
)
from radioembolization.images.scout import checked_counts
from radioembolization.images.transform import AffineTransform
from radioembolization.images.transformed import transform_mask, transform_volume
from radioembolization.images.volume import Unit, Volume

__all__ = [
    "AffineTransform",
    "Grid",
    "Kind",
    "LandmarkError",
    "Registration",
    "RegistrationQuality",
    "Unit",
    "Volume",
    "activity_map",
    "bounding_box",
    "checked_counts",
    "checked_density",
    "corners_of_mask",
    "covered_share",
    "density_from_ct",
    "density_of_hu",
    "density_on",
    "dice_after",
    "landmark_error",
    "lung_mass_kg_from_ct",
    "register",
    "resample_counts",
    "resample_linear",
    "resample_mask",
    "total_gbq",
    "transform_mask",
    "transform_volume",
]
